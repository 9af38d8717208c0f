"""The limits on the page are read off the records: each stands there where it holds, and not where it does not."""

from dataclasses import replace
from pathlib import Path

import pytest
from finished_study import Made, finished

from analysis.results import WithoutExclusions, read_results, write_results
from reports.limits import limits
from reports.material import Material, gather
from stimuli.experiment import Experiment
from stimuli.manifest import OWN_IMAGE


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    return finished(tmp_path_factory.mktemp("study") / "here", Made())


@pytest.fixture
def material(study: Experiment) -> Material:
    return gather(study)


def told(material: Material) -> str:
    return " ".join(limits(material))


def changed(material: Material, **what: object) -> Material:
    assert material.results
    return replace(material, results=replace(material.results, **what))  # type: ignore[arg-type]


def test_programs_are_the_first_limit_and_people_are_none(material: Material) -> None:
    assert material.results
    assert "programs" not in told(material)
    counts = material.results.counts
    assert counts.participants
    some = changed(material, counts=replace(counts, simulated_participants=1))
    every = changed(material, counts=replace(counts, simulated_participants=counts.participants))
    assert limits(every)[0] == "All participants are programs, so nothing here is a finding about people."
    assert limits(some)[0] == f"1 of {counts.participants} participants are programs, whose votes count like those of people."


def test_a_verdict_for_everybody_leaves_out_the_limit_of_scope(material: Material) -> None:
    assert material.results
    assert "for others they may come out otherwise" in told(material)
    wide = tuple(replace(one, scope="participants+prompts") for one in material.results.contrasts)
    assert "for others they may come out otherwise" not in told(changed(material, contrasts=wide, scope="participants+prompts"))


def test_fragile_and_exploratory_verdicts_are_named(material: Material) -> None:
    assert material.results
    claims = [replace(claim, verdict="SUPPORTED") for claim in material.results.claims]
    assert "FRAGILE" not in told(changed(material, claims=tuple(claims)))
    one = (replace(claims[0], id="C7", verdict="SUPPORTED, FRAGILE, EXPLORATORY"), *claims[1:])
    words = told(changed(material, claims=one))
    assert "The verdict on C7 is FRAGILE" in words
    assert "The verdict on C7 is EXPLORATORY" in words


def test_fragile_and_exploratory_verdicts_say_why_as_it_was_recorded(material: Material) -> None:
    assert material.results
    claim = replace(
        material.results.claims[0],
        id="C7",
        verdict="SUPPORTED, FRAGILE, EXPLORATORY",
        sentence="It is so. EXPLORATORY: nothing shows that it was written before.",
        evidence={"changing": ["without prompt boat"]},
    )
    words = told(changed(material, claims=(claim,)))
    assert "The verdict on C7 is FRAGILE: leaving out a single prompt changes it." in words
    assert "The verdict on C7 is EXPLORATORY: nothing shows that it was written before." in words
    both = replace(claim, evidence={"changing": ["without participant a", "with everyone"]})
    words = told(changed(material, claims=(both,)))
    assert "leaving out a single participant or taking everybody’s votes, without the exclusion rules, changes it." in words


def test_excluded_people_and_the_verdicts_that_hang_on_them_are_a_limit(material: Material) -> None:
    assert material.results
    claims = tuple(replace(claim, verdict="SUPPORTED") for claim in material.results.claims)
    first = claims[0].id
    same = {claim.id: "SUPPORTED" for claim in claims}
    stages = [{"what": "answered", "participants": 12, "votes": 900, "excluded": [], "votes_dropped": 0}]
    made = {"claims": claims, "further": {"exclusions": stages}}
    words = told(changed(material, **made, without_exclusions=WithoutExclusions(6, 100, (), same | {first: "INCONCLUSIVE"})))
    assert "Exclusion rules took out the votes of 6 of 12 participants altogether, which changes verdicts: " in words
    assert f"{first} is INCONCLUSIVE with everybody’s votes and SUPPORTED with the rules." in words
    assert "no verdict is another one" in told(changed(material, **made, without_exclusions=WithoutExclusions(6, 100, (), same)))


def test_missing_catch_trials_and_repeats_are_limits_until_there_are_some(material: Material) -> None:
    plain = tuple(replace(vote, kind="comparison") for vote in material.votes)
    assert "no catch trials" in told(replace(material, votes=plain))
    both = (*plain, replace(plain[0], kind="catch"), replace(plain[1], kind="repeat"))
    words = told(replace(material, votes=both))
    assert "no catch trials" not in words
    assert "asked twice" not in words


def test_without_results_there_is_nothing_to_limit(material: Material) -> None:
    assert limits(replace(material, results=None)) == ()


def test_what_could_not_have_been_seen_is_told_in_elo_and_as_a_share(study: Experiment, tmp_path: Path) -> None:
    results = read_results(study.results)
    known = [one for one in results.main_contrasts if one.standard_error is not None]
    assert known, "the example tells standard errors"
    write_results(tmp_path / "results.json", results)
    words = told(gather(Experiment(tmp_path)))
    assert "would be missed by a single uncorrected test in more than a fifth of such studies" in words
    assert "Elo (" in words


def test_runs_are_counted_and_a_condition_that_ran_once_is_told_apart(material: Material) -> None:
    assert "Each chain of steering ran once" in told(material)
    again = tuple(replace(row, run=row.run + 1) for row in material.stimuli if row.scorer)
    words = told(replace(material, stimuli=(*material.stimuli, *again)))
    assert "People saw the first of 2 independent runs of steering. Another run may do better or worse." in words
    assert "ran once" not in words
    some = told(replace(material, stimuli=(*material.stimuli, *(row for row in again if row.condition == "personal"))))
    assert "People saw the first of 2 independent runs of steering of personal; the others ran once." in some


def test_one_seed_a_prompt_is_a_limit_unless_seeds_differ(material: Material) -> None:
    one = tuple(replace(row, seed=7) for row in material.stimuli)
    assert "All generated images of a prompt share one seed" in told(replace(material, stimuli=one))
    other = tuple(replace(row, seed=place) for place, row in enumerate(one))
    assert "share one seed" not in told(replace(material, stimuli=other))


def test_images_of_ones_own_have_no_chains_no_seeds_and_no_target_users(material: Material) -> None:
    own = tuple(
        replace(row, generator=OWN_IMAGE, scorer=None, score=None, target_user=None, seed=0)
        for row in material.stimuli
        if row.target_user is None
    )
    words = told(replace(material, stimuli=own, steps=(), candidates=(), rescored=()))
    assert "Other images of the same conditions may do better or worse." in words
    assert not any(word in words for word in ("chain", "run ", "seed", "target user", "scorer"))


def test_votes_alone_are_not_said_to_lack_what_nobody_knows_of_them(material: Material, tmp_path: Path) -> None:
    assert material.results
    counts = replace(material.results.counts, participants=None, prompts=None, simulated_participants=None)
    write_results(tmp_path / "results.json", replace(material.results, counts=counts))
    words = told(gather(Experiment(tmp_path)))
    assert "The votes do not tell the participant and prompt of each, so how far participants and prompts differ is not known." in words
    assert not any(word in words for word in ("programs", "catch", "asked twice", "images", "rest on"))


def test_a_pair_that_somebody_met_again_was_asked_twice_whatever_its_trial_is_called(material: Material) -> None:
    plain = tuple(replace(vote, kind="comparison") for vote in material.votes)
    assert "No pair was asked twice" in told(replace(material, votes=plain))
    swapped = replace(plain[0], left_stimulus=plain[0].right_stimulus, right_stimulus=plain[0].left_stimulus)
    assert "asked twice" not in told(replace(material, votes=(*plain, swapped)))


def test_ends_that_were_never_scored_again_are_a_limit(material: Material) -> None:
    assert "not scored again" not in told(material)
    assert "not scored again on fresh seeds" in told(replace(material, rescored=()))


def test_one_stand_in_is_one(material: Material) -> None:
    assert material.record
    one = replace(material.record, stand_ins=material.record.stand_ins[:1])
    assert "stands in for a real part; what it gives says nothing about the part it stands for." in told(replace(material, record=one))


def test_the_images_are_fixed_and_personal_ones_were_made_for_somebody(material: Material) -> None:
    words = told(material)
    assert "each comes with images of their own, made in the same way; the pool of others’ images stays as it is." in words
    assert "that images made in another way, or made anew, do as well is not shown." in words
    assert "Images of personal were made for these 6 target users, and each image of own was judged by the person it was made for" in words
    wide = told(changed(material, contrasts=tuple(replace(one, scope="participants+prompts") for one in material.results.contrasts)))  # type: ignore[union-attr]
    assert "other prompts come with images made for them in the same ways" in wide


def test_where_nobody_judges_images_of_their_own_none_are_said_to(material: Material) -> None:
    assert material.results
    scores = tuple(score for score in material.results.scores if score.condition != "own")
    words = told(changed(material, scores=scores))
    assert "The images are fixed: other participants are new raters of these images." in words
    assert "made for these 6 target users; that images made for other people" in words
