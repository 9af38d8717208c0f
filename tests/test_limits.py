"""The limits on the page are read off the records: each stands there where it holds, and not where it does not."""

from dataclasses import replace
from pathlib import Path

import pytest
from finished_study import Made, finished

from analysis.results import read_results, write_results
from reports.limits import limits
from reports.material import Material, gather
from stimuli.experiment import Experiment


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


def test_missing_catch_trials_and_repeats_are_limits_until_there_are_some(material: Material) -> None:
    plain = tuple(replace(vote, kind="comparison") for vote in material.votes)
    assert "no catch trials" in told(replace(material, votes=plain))
    both = (replace(plain[0], kind="catch"), replace(plain[1], kind="repeat"), *plain[2:])
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
