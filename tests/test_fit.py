"""From votes to results.json: published scores, what a result tells about itself, and what is refused."""

import dataclasses
import json
import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import combinations, pairwise
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from analysis.bradley_terry import NotIdentifiedError
from analysis.comparisons import Comparisons, cells, tabulate, without
from analysis.config import AnalysisTable, Claim, Scope
from analysis.csv_votes import Columns, read_csv
from analysis.exclusion_rules import Exclusion
from analysis.findings import fit
from analysis.fit import fit_csv, fit_experiment
from analysis.preference import Model, group_wins
from analysis.resampling import bootstrap, percentile_interval
from analysis.results import Results, read_results
from stimuli.experiment import Experiment, ExperimentError
from stimuli.studyfile import ExperimentTable
from study.lock import lock
from study.votes import Choice, Vote, write_votes

REFERENCE = Path(__file__).parents[2] / "shared" / "reference"


@dataclass(frozen=True)
class Settings:
    """The part of study.toml that the analysis reads."""

    experiment: ExperimentTable = field(default_factory=lambda: ExperimentTable("A test", seed=3))
    analysis: AnalysisTable = field(default_factory=lambda: AnalysisTable(resamples=200, scope="these"))
    exclusion: tuple[Exclusion, ...] = ()
    claim: tuple[Claim, ...] = (Claim("C1", "greater", a="own", b="initial"), Claim("C2", "greater", a="own", b="others"))


def reference(name: str) -> Path:
    path = REFERENCE / name
    if not path.is_file():
        pytest.skip(f"the reference data {name} is not in this checkout")
    return path


def results_of(
    comparisons: Comparisons,
    *,
    claims: tuple[Claim, ...] = (),
    resamples: int = 200,
    seed: int = 1,
    scope: Scope = "participants+prompts",
    regularise: bool = False,
    anchor: str | None = None,
) -> Results:
    table = AnalysisTable(resamples=resamples, scope=scope, anchor=anchor)
    return fit(comparisons, claims=claims, table=table, rng=np.random.default_rng(seed), provenance={}, regularise=regularise)


def votes(count: int = 200) -> list[Vote]:
    """Return votes of four participants in which own is mostly preferred; every tenth is a tie."""
    rng = np.random.default_rng(9)
    made = []
    for number in range(count):
        swapped = number % 8 >= 4
        own, other = ("right", "left") if swapped else ("left", "right")
        choice: Choice = cast("Choice", "tie" if number % 10 == 0 else own if rng.random() < 0.7 else other)
        made.append(
            Vote(
                trial=f"t{number}",
                participant=f"p{number % 4}",
                target_user=f"u{number % 4}",
                position=number,
                prompt=f"q{number % 3}",
                left_stimulus="s1",
                right_stimulus="s2",
                left_condition="initial" if swapped else "personal",
                right_condition="personal" if swapped else "initial",
                left_target=None if swapped else f"u{number % 4}",
                right_target=f"u{number % 4}" if swapped else None,
                choice=choice,
                response_ms=800.0,
                answered_at="2026-01-01T00:00:00+00:00",
                simulated=number % 4 == 0,
            )
        )
    return made


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    made = Experiment(tmp_path / "study")
    made.folder.mkdir()
    made.settings.write_text('[experiment]\ntitle = "A test"\n')
    write_votes(made.votes, votes())
    return made


def test_scores_of_seven_tone_mapping_operators(tmp_path: Path) -> None:
    """Real votes: 18 observers, 5 scenes (doi 10.1111/cgf.12235)."""
    results = fit_csv(
        reference("tone_mapping.csv"),
        Columns("item_a", "item_b", "winner", "participant", "scene"),
        out=tmp_path,
        table=AnalysisTable(resamples=100),
    )
    assert {score.condition: score.elo for score in results.scores} == pytest.approx(
        {
            "ferwerda96": 979.526,
            "hateren06": 723.818,
            "irawan05": 1206.149,
            "mantiuk08": 1117.703,
            "pattanaik00": 890.954,
            "ronan12": 1008.041,
            "tmo_camera": 1073.810,
        },
        abs=0.01,
    )
    assert (results.counts.participants, results.counts.prompts, results.counts.votes) == (18, 5, 1213)
    assert results.counts.left_share == pytest.approx(640 / 1213)


SIMULATED = Columns("left_condition", "right_condition", "choice", "participant", "prompt")


def test_scores_of_a_simulated_study(tmp_path: Path) -> None:
    results = fit_csv(reference("simulated_study.csv"), SIMULATED, out=tmp_path, table=AnalysisTable(resamples=100))
    expected = {"own": 1063.766, "others": 1042.210, "initial": 1009.980, "hpsv3": 938.167, "qalign": 945.874}
    assert {score.condition: score.elo for score in results.scores} == pytest.approx(expected, abs=0.02)


def test_intervals_of_a_simulated_study_are_as_wide_as_the_models_standard_errors() -> None:
    comparisons = cells(read_csv(reference("simulated_study.csv"), SIMULATED))
    at = Model().fit(group_wins(comparisons, by="all"), start=np.zeros(5)).strengths[0]
    votes = bootstrap(comparisons, model=Model(), observed=at, kind="votes", resamples=4000, rng=np.random.default_rng(1))
    intervals = {pair: percentile_interval(votes.difference_draws(*pair), alpha=0.05) for pair in combinations(votes.items, 2)}
    width = {pair: found.high - found.low for (a, b), found in intervals.items() for pair in ((a, b), (b, a))}
    standard_errors = {
        ("own", "others"): 17.2351,
        ("others", "initial"): 17.5106,
        ("initial", "hpsv3"): 23.0133,
        ("own", "initial"): 22.3893,
    }
    assert {pair: width[pair] / (2 * 1.96) for pair in standard_errors} == pytest.approx(standard_errors, rel=0.05)


def test_initial_before_hpsv3_is_supported_for_these_people_and_prompts() -> None:
    claims = (Claim("C1", "greater", a="initial", b="hpsv3"), Claim("C2", "greater", a="own", b="others"))
    results = results_of(read_csv(reference("simulated_study.csv"), SIMULATED), claims=claims, scope="these")
    assert [claim.verdict.split(",")[0] for claim in results.claims] == ["SUPPORTED", "INCONCLUSIVE"]


def test_every_adjacent_claim_about_the_simulated_study_is_open_for_new_people_and_prompts() -> None:
    names = ("own", "others", "initial", "hpsv3", "qalign")
    claims = tuple(Claim(f"C{n}", "greater", a=a, b=b, family=f"f{n}") for n, (a, b) in enumerate(pairwise(names)))
    results = results_of(read_csv(reference("simulated_study.csv"), SIMULATED), claims=claims)
    assert {claim.verdict.split(",")[0] for claim in results.claims} == {"INCONCLUSIVE"}
    assert {(c.scope, len([d for d in results.contrasts if d.scope == c.scope])) for c in results.contrasts} == {
        ("these", 10),
        ("participants", 10),
        ("participants+prompts", 10),
    }
    (own,) = (c for c in results.main_contrasts if (c.a, c.b) == ("own", "others"))
    assert (own.low, own.high, own.standard_error) == pytest.approx((-35.90, 79.01, 26.1038), abs=0.02)
    assert own.design_effect == pytest.approx((26.1038 / 17.2351) ** 2, abs=1e-3)
    assert own.win_probability == pytest.approx(1 / (1 + 10 ** (-own.difference_elo / 400)))


def test_the_order_of_rows_and_sides_changes_no_score() -> None:
    rng = np.random.default_rng(4)
    left, right = (np.array(["a", "b", "c"])[codes] for codes in rng.integers(0, 3, (2, 300)))
    choices = np.array(["left", "right", "tie"])[rng.choice(3, 300, p=[0.5, 0.4, 0.1])].tolist()
    mirror = {"left": "right", "right": "left", "tie": "tie"}
    shuffled = rng.permutation(300)
    as_given = results_of(tabulate(left, right, choices, participants=None, prompts=None))
    otherwise = tabulate(right[shuffled], left[shuffled], [mirror[choices[place]] for place in shuffled], participants=None, prompts=None)
    assert [(s.condition, s.elo) for s in results_of(otherwise).scores] == [(s.condition, s.elo) for s in as_given.scores]
    assert results_of(otherwise).pairs == as_given.pairs


def test_an_experiments_votes_become_its_results(experiment: Experiment) -> None:
    results = fit_experiment(experiment, Settings())
    assert read_results(experiment.results) == results
    assert [score.condition for score in results.scores] == ["own", "initial"]
    assert (results.counts.votes, results.counts.ties, results.counts.participants, results.counts.prompts) == (200, 20, 4, 3)
    assert results.counts.simulated_participants == 1
    assert results.counts.left_share == pytest.approx(0.5, abs=0.1)
    assert {(one.a_left, one.shown) for one in results.balance} == {(100, 200)}
    assert results.further["joint resamples"]["kind"] == "votes"
    assert [claim.verdict for claim in results.claims] == ["SUPPORTED, EXPLORATORY", "NOT TESTABLE, EXPLORATORY"]
    assert set(results.provenance["inputs"]) == {"votes.parquet"}
    assert results.provenance["seed"] == 3


def test_two_conditions_differ_by_the_log_odds_of_their_wins_and_ties_count_half_in_the_win_probability(experiment: Experiment) -> None:
    results = fit_experiment(experiment, Settings())
    (contrast,), (pair,) = results.main_contrasts, results.pairs
    assert pair.wins_a + pair.wins_b + pair.ties == 200
    assert contrast.difference_elo == pytest.approx(400 * math.log10(pair.wins_a / pair.wins_b))
    assert contrast.win_probability == pytest.approx((pair.wins_a + 10) / 200)
    assert contrast.scope == "these"
    assert [model.name for model in results.tie_models] == ["Davidson (1970)", "Rao and Kupper (1967)", "half a win each"]
    assert max(model.largest_change for model in results.tie_models) < 1e-6  # two items: all three give the observed share


def test_the_same_votes_give_the_same_results_times_aside(experiment: Experiment) -> None:
    def content() -> dict[str, object]:
        fit_experiment(experiment, Settings())
        found: dict[str, object] = json.loads(experiment.results.read_text())
        found["provenance"] = {**dict(found["provenance"]), "made_at": None}  # type: ignore[call-overload]
        return found

    assert content() == content()


def test_another_seed_moves_intervals_and_no_score(experiment: Experiment) -> None:
    one = fit_experiment(experiment, Settings())
    other = fit_experiment(experiment, dataclasses.replace(Settings(), experiment=ExperimentTable("A test", seed=4)))
    assert [score.elo for score in one.scores] == [score.elo for score in other.scores]
    assert [score.low for score in one.scores] != [score.low for score in other.scores]


def test_scores_and_differences_stand_highest_first_and_agree() -> None:
    rng = np.random.default_rng(2)
    left, right = (np.array(["a", "b", "c", "d"])[codes] for codes in rng.integers(0, 4, (2, 400)))
    choices = ["left" if first else "right" for first in rng.integers(0, 2, 400)]
    results = results_of(tabulate(left, right, choices, participants=None, prompts=None))
    elo = {score.condition: score.elo for score in results.scores}
    assert all(one.elo >= other.elo for one, other in pairwise(results.scores))
    assert len(results.contrasts) == 6
    assert all(c.difference_elo == pytest.approx(elo[c.a] - elo[c.b]) and c.low < c.difference_elo < c.high for c in results.contrasts)
    assert np.mean(list(elo.values())) == pytest.approx(1000)
    assert sum(score.votes for score in results.scores) == 2 * results.counts.votes


def test_the_interval_says_what_it_is_and_how_many_resamples_it_lost() -> None:
    rare = tabulate(["a"] * 22, ["b"] * 22, ["left"] * 20 + ["right"] * 2, participants=None, prompts=None)
    results = results_of(rare, resamples=500)
    lost = results.counts.undecided_resamples
    assert 0 < lost < 250
    assert results.interval == (
        f"95 % percentile interval from 500 bootstrap resamples ({lost} of them, which did not identify every score, not counted) "
        "of single votes, each taken for an independent fact"
    )
    assert results.counts.participants is results.counts.prompts is None


def test_a_score_has_an_interval_at_the_scope_of_the_verdicts_or_the_widest_that_the_votes_allow() -> None:
    choices = np.random.default_rng(1).choice(["left", "right"], 400).tolist()
    study = two_conditions(choices, people=6, prompts=5)
    usual, honest = results_of(study, scope="these").scores, results_of(study, scope="participants+prompts").scores
    assert {score.scope for score in usual} == {"these"} and {score.scope for score in honest} == {"participants+prompts"}
    for score in (*usual, *honest):
        assert score.scope_low is not None and score.scope_high is not None
        assert (score.scope_low + score.scope_high) / 2 == pytest.approx(score.elo)
    one_person = results_of(two_conditions(choices, people=1, prompts=5), scope="participants+prompts").scores
    assert {score.scope for score in one_person} == {"these"}
    anchored = {score.condition: score for score in results_of(study, anchor="b").scores}["b"]
    assert (anchored.scope_low, anchored.scope_high) == pytest.approx((1000, 1000), abs=1e-3)


def test_what_was_left_out_is_told(tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    path.write_text("l,r,c\n" + "a,b,left\na,b,right\n" * 20 + "a,z,left\n")
    with pytest.raises(NotIdentifiedError, match=r"Winless: z, .* or leave a condition out \(--without NAME\)"):
        fit_csv(path, Columns("l", "r", "c"), out=tmp_path, table=AnalysisTable(resamples=100))
    assert not (tmp_path / "results.json").exists()
    results = fit_csv(path, Columns("l", "r", "c"), out=tmp_path, table=AnalysisTable(resamples=100), leave_out=["z"])
    assert results.counts.left_out == ("z",)
    told = {refused.what: refused.reason for refused in results.refused}
    assert told["participants"] == "the file does not say which participant each vote is of"
    assert read_results(tmp_path / "results.json") == results


def test_votes_that_say_nothing_are_refused() -> None:
    ties = tabulate(["a", "b"], ["b", "a"], ["tie", "tie"], participants=None, prompts=None)
    with pytest.raises(ExperimentError, match="all 2 votes are ties, so nothing says which condition is preferred"):
        results_of(ties)
    with pytest.raises(ExperimentError, match="there are no votes between two conditions, so there is nothing to score; collect"):
        results_of(without(ties, ["a"]))
    alike = tabulate(["a", "a"], ["a", "a"], ["left", "right"], participants=None, prompts=None)
    with pytest.raises(ExperimentError, match="nothing to score; 2 votes compare two images of one condition"):
        results_of(alike)


def test_an_experiment_without_votes_names_the_command_that_makes_them(experiment: Experiment) -> None:
    experiment.votes.unlink()
    with pytest.raises(ExperimentError, match=r"votes\.parquet: no such file; `tastebench study export .*study` makes it"):
        fit_experiment(experiment, Settings())


def test_a_csv_never_overwrites_the_results_of_an_experiment(experiment: Experiment, tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    path.write_text("l,r,c\na,b,left\na,b,right\n")
    with pytest.raises(ExperimentError, match=r"study: is an experiment, whose results\.json comes from its own votes"):
        fit_csv(path, Columns("l", "r", "c"), out=experiment.folder)


def two_conditions(choices: list[str], *, people: int = 6, prompts: int = 6) -> Comparisons:
    """Return votes on a and b, sides in turn, by so many people about so many prompts."""
    sides = [("a", "b") if number % 2 else ("b", "a") for number in range(len(choices))]
    return tabulate(
        [left for left, _ in sides],
        [right for _, right in sides],
        choices,
        participants=[f"p{number // 2 % people}" for number in range(len(choices))],
        prompts=[f"q{number // 2 // people % prompts}" for number in range(len(choices))],
    )


def test_39_percent_ties_are_modelled_and_told() -> None:
    choices = np.random.default_rng(1).permutation(["tie"] * 39 + ["left"] * 31 + ["right"] * 30).tolist() * 4
    results = results_of(two_conditions(choices))
    assert results.counts.ties == 4 * 39
    assert results.model == "Bradley-Terry model with ties after Davidson (1970)"
    assert results.tie_models[0].parameter is not None and results.tie_models[0].parameter > 0.5
    assert {contrast.scope for contrast in results.contrasts} == {"these", "participants", "participants+prompts"}


@pytest.mark.parametrize(
    ("people", "prompts", "scopes", "why"),
    [
        (1, 6, {"these"}, "the votes are of one participant"),
        (6, 1, {"these", "participants"}, "the votes are of one prompt"),
        (1, 1, {"these"}, "the votes are of one prompt"),
    ],
)
def test_one_participant_or_one_prompt_gives_fewer_scopes_and_says_why(people: int, prompts: int, scopes: set[str], why: str) -> None:
    choices = np.random.default_rng(1).choice(["left", "right"], 200).tolist()
    claim = Claim("C1", "greater", a="a", b="b")
    results = results_of(two_conditions(choices, people=people, prompts=prompts), claims=(claim,))
    assert {contrast.scope for contrast in results.contrasts} == scopes
    assert why in {refused.reason for refused in results.refused}
    assert results.claims[0].verdict == "NOT TESTABLE, EXPLORATORY"
    assert results.claims[0].reason.startswith("at the scope participants+prompts: the votes are of one")


@pytest.mark.parametrize(
    ("people", "prompts", "scopes", "why"),
    [
        (6, 4, {"these", "participants"}, "there are 4 prompts, and what holds for new ones needs at least 5"),
        (4, 6, {"these"}, "there are 4 participants, and what holds for new ones needs at least 5"),
        (5, 5, {"these", "participants", "participants+prompts"}, None),
    ],
)
def test_few_participants_or_prompts_give_no_intervals_for_new_ones(people: int, prompts: int, scopes: set[str], why: str | None) -> None:
    choices = np.random.default_rng(1).choice(["left", "right"], 240).tolist()
    results = results_of(two_conditions(choices, people=people, prompts=prompts), claims=(Claim("C1", "greater", a="a", b="b"),))
    assert {contrast.scope for contrast in results.contrasts} == scopes
    assert {results.main_contrasts[0].scope} == {score.scope for score in results.scores} == {one.scope for one in results.pair_fits}
    assert results.main_contrasts[0].scope == max(scopes, key=["these", "participants", "participants+prompts"].index)
    assert [refused.reason for refused in results.refused][-1:] == ([] if why is None else [why])
    claimed = "a claim at the scope participants+prompts needs at least 5 of each, and there are 4"
    assert results.claims[0].reason.startswith(claimed) == (why is not None)


def test_a_difference_shown_on_one_side_is_not_given_and_not_claimed() -> None:
    choices = np.random.default_rng(1).choice(["left", "right"], 200).tolist()
    people, prompts = [f"p{n % 6}" for n in range(200)], [f"q{n % 7}" for n in range(200)]
    results = results_of(
        tabulate(["a"] * 200, ["b"] * 200, choices, participants=people, prompts=prompts), claims=(Claim("C1", "greater", a="a", b="b"),)
    )
    assert results.contrasts == () and results.side is None
    assert "side" in {refused.what for refused in results.refused}
    assert [(refused.a, refused.b) for refused in results.refused if refused.what == "difference"] in ([("a", "b")], [("b", "a")])
    assert results.claims[0].verdict == "NOT TESTABLE, EXPLORATORY"
    assert "200 of 200 comparisons" in results.claims[0].reason or "0 of 200 comparisons" in results.claims[0].reason


def test_regularised_scores_are_finite_stamped_and_support_no_claim() -> None:
    undefeated = two_conditions(["left", "right"] * 20)  # a wins on either side
    with pytest.raises(NotIdentifiedError, match="Undefeated"):
        results_of(undefeated)
    results = results_of(undefeated, regularise=True, claims=(Claim("C1", "greater", a="b", b="a"),))
    assert results.regularised and results.model.endswith("regularised by half a pseudo-win each way")
    assert np.diff([score.elo for score in results.scores])[0] == pytest.approx(-400 * math.log10(40.5 / 0.5))
    assert results.claims[0].verdict == "NOT TESTABLE, EXPLORATORY"
    assert "made-up half wins support no claim" in results.claims[0].reason


def test_an_anchor_scores_1000_without_an_interval() -> None:
    choices = np.random.default_rng(1).choice(["left", "right"], 200).tolist()
    results = results_of(two_conditions(choices), anchor="b")
    (anchor,) = (score for score in results.scores if score.condition == "b")
    assert (anchor.elo, anchor.low, anchor.high) == pytest.approx((1000, 1000, 1000))
    with pytest.raises(ExperimentError, match='the anchor "z" is none of the conditions with votes: a, b'):
        results_of(two_conditions(choices), anchor="z")


def test_a_locked_claim_is_not_exploratory(experiment: Experiment) -> None:
    settings = dataclasses.replace(Settings(), analysis=AnalysisTable(resamples=200, scope="these", smallest_effect_elo=14))
    made = lock(experiment, settings, now=datetime(2025, 12, 31, tzinfo=UTC))
    found = fit_experiment(experiment, settings).claims[0]
    assert found.verdict == "SUPPORTED (meaningful)"
    assert found.evidence["lock_sha256"] == made.sha256


def test_places_and_pooled_scores_are_told() -> None:
    results = results_of(two_conditions(np.random.default_rng(1).choice(["left", "right"], 400).tolist()))
    assert [rank.rank for rank in results.ranks] == [1, 2]
    assert results.ahead[0].probability >= 0.5
    assert {(one.of, one.name) for one in results.pooled} == {("participant", f"p{n}") for n in range(6)} | {
        ("prompt", f"q{n}") for n in range(6)
    }
    assert results.side is not None and results.side.standard_error > 0


def test_the_scores_of_each_participant_and_prompt_have_a_mean_of_1000_drawn_or_raw() -> None:
    rng = np.random.default_rng(3)
    left, right = (np.array(["a", "b", "c"])[codes] for codes in rng.integers(0, 3, (2, 900)))
    choices = rng.choice(["left", "right"], 900).tolist()
    people, prompts = [f"p{n % 6}" for n in range(900)], [f"q{n % 5}" for n in range(900)]
    found = results_of(tabulate(left, right, choices, participants=people, prompts=prompts)).pooled
    for group in {(one.of, one.name) for one in found}:
        here = [one for one in found if (one.of, one.name) == group]
        assert np.mean([one.elo for one in here]) == pytest.approx(1000)
        assert np.mean([one.raw_elo for one in here if one.raw_elo is not None]) == pytest.approx(1000)


def test_secondary_models_stand_apart_with_their_caveats() -> None:
    table = two_conditions(np.random.default_rng(1).choice(["left", "right"], 300).tolist())
    settings = AnalysisTable(resamples=100)
    results = fit(table, claims=(), table=settings, rng=np.random.default_rng(1), provenance={}, secondary=True)
    assert "Not Elo" in results.further["GEE"]["caveat"]
    assert len(results.further["rater weights"]["weights"]) == 6
    assert {score["condition"] for score in results.further["rater weights"]["scores"]} == {"a", "b"}
    assert "never supports a claim" in results.further["rater weights"]["caveat"]
    json.dumps(results.further, allow_nan=False)


def test_excluded_participants_are_counted_and_what_they_change_is_told(experiment: Experiment) -> None:
    made = [dataclasses.replace(vote, response_ms=100.0 if vote.participant == "p0" else 800.0) for vote in votes()]
    write_votes(experiment.votes, made)
    results = fit_experiment(experiment, dataclasses.replace(Settings(), exclusion=(Exclusion("fast_votes", limit=300),)))
    assert (results.counts.votes, results.counts.participants) == (150, 3)
    assert [stage["votes"] for stage in results.further["exclusions"]] == [200, 150]
    assert results.claims[0].reason == "1 of 4 participants were excluded, which is more than 20 %"


def test_the_plan_is_compared_with_what_came_in_and_exclusions_are_named(experiment: Experiment) -> None:
    made = [dataclasses.replace(vote, response_ms=100.0 if vote.participant == "p0" else 800.0) for vote in votes()]
    write_votes(experiment.votes, made)
    table = AnalysisTable(resamples=100, scope="these", planned_votes=200)
    ruled = dataclasses.replace(Settings(), analysis=table, exclusion=(Exclusion("fast_votes", limit=300),))
    results = fit_experiment(experiment, ruled)
    assert results.claims[0].reason == (
        "200 scored votes came in, and the exclusion rules left 150, 75% of the 200 planned, below 80 %; "
        "1 of 4 participants were excluded, which is more than 20 %"
    )
    assert results.without_exclusions is not None and "NOT TESTABLE" not in results.without_exclusions.verdicts["C1"]
    more = fit_experiment(experiment, dataclasses.replace(Settings(), analysis=dataclasses.replace(table, planned_votes=300)))
    assert more.claims[0].reason == "200 scored votes came in, 67% of the 300 planned, below 80 %"


def test_a_claim_about_own_images_says_what_a_new_participant_is_shown(experiment: Experiment) -> None:
    write_votes(experiment.votes, [dataclasses.replace(vote, participant=f"p{n % 6}") for n, vote in enumerate(votes())])
    table = AnalysisTable(resamples=100, scope="participants")
    told = fit_experiment(experiment, dataclasses.replace(Settings(), analysis=table)).claims[0].sentence
    assert "A new participant comes with an image made for them in the same way." in told


def test_results_without_exclusions_are_those_of_a_study_without_rules(experiment: Experiment) -> None:
    free = fit_experiment(experiment, Settings())
    assert free.without_exclusions is None
    made = [dataclasses.replace(vote, response_ms=100.0 if vote.participant == "p0" else 800.0) for vote in votes()]
    write_votes(experiment.votes, made)
    ruled = fit_experiment(experiment, dataclasses.replace(Settings(), exclusion=(Exclusion("fast_votes", limit=300),)))
    everyone = ruled.without_exclusions
    assert everyone is not None
    assert (everyone.participants, everyone.votes, everyone.refused) == (1, 50, None)
    assert everyone.contrasts == free.main_contrasts
    assert everyone.contrasts != ruled.main_contrasts
    assert everyone.verdicts == {claim.id: claim.verdict for claim in free.claims}
    assert read_results(experiment.results) == ruled


def test_a_locked_claim_is_not_exploratory_without_exclusions_either(experiment: Experiment) -> None:
    made = [dataclasses.replace(vote, response_ms=100.0 if vote.participant == "p0" else 800.0) for vote in votes()]
    write_votes(experiment.votes, made)
    table = AnalysisTable(resamples=200, scope="these", smallest_effect_elo=14)
    settings = dataclasses.replace(Settings(), analysis=table, exclusion=(Exclusion("fast_votes", limit=300),))
    lock(experiment, settings, now=datetime(2025, 12, 31, tzinfo=UTC))
    everyone = fit_experiment(experiment, settings).without_exclusions
    assert everyone is not None
    assert everyone.verdicts["C1"] == "SUPPORTED (meaningful)"


def test_a_rule_that_removes_nobody_adds_nothing_and_old_results_still_read(experiment: Experiment) -> None:
    results = fit_experiment(experiment, dataclasses.replace(Settings(), exclusion=(Exclusion("fast_votes", limit=300),)))
    assert results.without_exclusions is None
    content = json.loads(experiment.results.read_text())
    del content["without_exclusions"]
    experiment.results.write_text(json.dumps(content))
    assert read_results(experiment.results) == results


def test_a_difference_without_exclusions_is_told_the_same_way_round(experiment: Experiment) -> None:
    def turned(vote: Vote) -> Vote:
        contrary = vote.participant in ("p0", "p1")
        own = "left" if vote.left_condition == "personal" else "right"
        other = "right" if own == "left" else "left"
        mostly = vote.position // 4 % 5 > 0
        choice = cast("Choice", (other if mostly else own) if contrary else (own if vote.position // 4 % 3 else other))
        return dataclasses.replace(vote, choice=choice, response_ms=100.0 if contrary else 800.0)

    write_votes(experiment.votes, [turned(vote) for vote in votes()])
    results = fit_experiment(experiment, dataclasses.replace(Settings(), exclusion=(Exclusion("fast_votes", limit=300),)))
    assert results.without_exclusions is not None
    (main,), (everyone,) = results.main_contrasts, results.without_exclusions.contrasts
    assert (main.a, main.b) == (everyone.a, everyone.b) == ("own", "initial")
    assert main.difference_elo > 0 > everyone.difference_elo
    assert everyone.low < everyone.difference_elo < everyone.high
    assert everyone.win_probability is not None and everyone.win_probability < 0.5


def test_why_everyones_votes_give_no_scores_is_told(experiment: Experiment) -> None:
    alone = dataclasses.replace(
        votes()[0], trial="extra", participant="p9", target_user=None, left_condition="z", left_target=None, right_condition="initial",
        right_target=None, choice="right", response_ms=100.0,
    )  # fmt: skip
    write_votes(experiment.votes, [*votes(), alone])
    results = fit_experiment(experiment, dataclasses.replace(Settings(), exclusion=(Exclusion("fast_votes", limit=300),)))
    assert results.without_exclusions is not None
    assert results.without_exclusions.contrasts == () and results.without_exclusions.verdicts == {}
    assert "Winless: z" in (results.without_exclusions.refused or "")


def test_a_votes_file_without_votes_is_told(experiment: Experiment) -> None:
    strict = dataclasses.replace(Settings(), exclusion=(Exclusion("few_votes", limit=60),))
    with pytest.raises(ExperimentError, match=r"the exclusion rules leave none of 200 votes; loosen \[\[exclusion\]\]"):
        fit_experiment(experiment, strict)
    write_votes(experiment.votes, [])
    with pytest.raises(ExperimentError, match="there are no votes, so there is nothing to score; collect votes first"):
        fit_experiment(experiment, Settings())
    experiment.votes.write_bytes(b"")
    with pytest.raises(ExperimentError, match=r"votes\.parquet"):
        fit_experiment(experiment, Settings())


def test_votes_that_cannot_be_answers_reach_no_score(experiment: Experiment) -> None:
    first, second, *rest = votes()
    write_votes(experiment.votes, [first, dataclasses.replace(second, trial=first.trial), *rest])
    with pytest.raises(ExperimentError, match="is of a trial which has a vote already"):
        fit_experiment(experiment, Settings())
    assert not experiment.results.exists()


def test_repeated_pairs_in_the_votes_give_test_retest_and_its_exclusion_rule(experiment: Experiment) -> None:
    # Everybody sees the same two images over and over; p0 answers by side, so that swapped repeats disagree.
    shown = [dataclasses.replace(vote, left_stimulus=vote.left_condition, right_stimulus=vote.right_condition) for vote in votes()]
    write_votes(experiment.votes, [dataclasses.replace(vote, choice="left") if vote.participant == "p0" else vote for vote in shown])
    found = fit_experiment(experiment, Settings()).further["quality"]["participants"]
    steady = {judge["participant"]: judge["retest_swapped"] for judge in found}
    assert steady["p0"]["hits"] == 0 < steady["p0"]["of"]
    assert all(steady[name]["hits"] > 0 for name in ("p1", "p2", "p3"))
    results = fit_experiment(experiment, dataclasses.replace(Settings(), exclusion=(Exclusion("retest", limit=0.2),)))
    assert [stage["excluded"] for stage in results.further["exclusions"]] == [[], ["p0"]]
    assert results.counts.participants == 3


def test_a_rule_about_catch_trials_is_refused_while_the_votes_have_none(experiment: Experiment) -> None:
    rule = Exclusion("failed_catch", limit=0.2)
    with pytest.raises(ExperimentError, match='the exclusion rule "failed_catch" needs catch trials, and the study has none'):
        fit_experiment(experiment, dataclasses.replace(Settings(), exclusion=(rule,)))


def test_catch_trials_and_repeats_change_no_score_and_give_their_exclusion_rules(experiment: Experiment) -> None:
    plain = fit_experiment(experiment, Settings())
    first = votes()[0]
    further = [
        dataclasses.replace(first, trial=f"{kind}-{name}", participant=name, kind=kind, expected=expected, choice="right")
        for name in ("p0", "p1", "p2", "p3")
        for kind, expected in (("catch", "left" if name == "p0" else "right"), ("repeat", None))
    ]
    write_votes(experiment.votes, [*votes(), *further])  # type: ignore[list-item]
    same = fit_experiment(experiment, Settings())
    assert same.scores == plain.scores and same.counts == plain.counts and same.without_exclusions is None
    ruled = fit_experiment(experiment, dataclasses.replace(Settings(), exclusion=(Exclusion("failed_catch", limit=0.5),)))
    assert [stage["excluded"] for stage in ruled.further["exclusions"]] == [[], ["p0"], [], []]
    assert ruled.without_exclusions is not None and ruled.counts.participants == 3
