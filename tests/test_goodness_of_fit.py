"""What was chosen stands beside what the fit expects, pair by pair, with intervals that hold the truth and find a fit that is wrong."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from reported_experiment import example_results

from analysis import simulated_studies as simulated
from analysis.bradley_terry import Array
from analysis.comparisons import Cells, Codes, tabulate
from analysis.config import AnalysisTable
from analysis.findings import fit
from analysis.goodness_of_fit import Gaps, gaps, pair_fits
from analysis.jackknife import SCOPES, Scope, Spread, spread, two_way
from analysis.preference import Fits, Model, group_wins
from analysis.results import PairFit, read_results, write_results
from stimuli.experiment import ExperimentError

ELO = {"own": 140.0, "others": 110.0, "initial": 60.0, "hpsv3": 0.0}


def fitted(cells: Cells, *, davidson: bool = False) -> tuple[Model, Fits, Spread]:
    model = Model(davidson=davidson)
    fits = model.fit(group_wins(cells, by="all"), start=np.zeros(len(cells.items)))
    return model, fits, spread(cells, model=model, fits=fits)


def gaps_of(cells: Cells, scope: Scope, *, davidson: bool = False) -> Gaps:
    model, fits, of = fitted(cells, davidson=davidson)
    return gaps(cells, of, model=model, fits=fits, scope=scope)


def shares(
    chances: dict[tuple[str, str], float], *, people: int = 8, prompts: int = 6, each: int = 20, ties: float = 0.0, differ: float = 0.0
) -> Cells:
    """Return votes in which the first of each pair wins so often, more or less as people and prompts `differ`; sides take turns."""
    rng = np.random.default_rng(7)
    by_person, by_prompt = rng.normal(0, differ, (people, len(chances))), rng.normal(0, differ, (prompts, len(chances)))
    items = tuple(sorted({name for pair in chances for name in pair}))
    rows = [(p, q, items.index(a), items.index(b), c) for p in range(people) for q in range(prompts) for (a, b), c in chances.items()]
    participant, prompt, one, other = (np.array(column, dtype=np.int64) for column in list(zip(*rows, strict=True))[:4])
    pair = np.tile(np.arange(len(chances)), people * prompts)
    chance = np.array([row[4] for row in rows]) + by_person[participant, pair] + by_prompt[prompt, pair]
    tied = rng.binomial(each, ties, len(rows))
    won = rng.binomial(each - tied, np.clip(chance, 0.02, 0.98))
    turned = np.arange(len(rows)) % 2 == 1
    return Cells(
        items,
        people,
        prompts,
        participant,
        prompt,
        np.where(turned, other, one),
        np.where(turned, one, other),
        np.where(turned, each - tied - won, won),
        np.where(turned, won, each - tied - won),
        tied,
    )


CIRCLE = {("a", "b"): 0.65, ("b", "c"): 0.65, ("c", "a"): 0.65}
LINE = {("a", "b"): 0.65, ("b", "c"): 0.6, ("a", "c"): 0.7358}
WEB = {("a", "b"): 0.6, ("b", "c"): 0.6, ("c", "d"): 0.6, ("d", "a"): 0.3, ("a", "c"): 0.65}


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("level", ["none", "moderate"])
def test_where_the_model_holds_gaps_are_centred_and_their_intervals_hold_0(level: str, scope: Scope) -> None:
    rng = np.random.default_rng(3)
    design = simulated.design(list(ELO), participants=10, prompts=12, per_person=300, rng=rng)
    kind = simulated.LEVELS[level]
    many = simulated.simulate(design, simulated.calibrated(design, ELO, kind), kind, rng, studies=200)
    found = gaps_of(many, scope).estimate
    low, high = found.interval(0.05)
    assert np.abs(found.difference.mean(axis=0)).max() < 0.005
    assert 0.92 < ((low <= 0) & (high >= 0)).mean() < 0.985


def test_the_models_standard_error_is_that_of_repeated_studies() -> None:
    rng = np.random.default_rng(4)
    design = simulated.design(list(ELO), participants=10, prompts=12, per_person=300, rng=rng)
    many = simulated.simulate(design, simulated.calibrated(design, ELO, simulated.NONE), simulated.NONE, rng, studies=1500)
    found = gaps_of(many, "these").estimate
    assert found.standard_error.mean(axis=0) == pytest.approx(found.difference.std(axis=0), rel=0.08)


@pytest.mark.parametrize("scope", SCOPES)
def test_choices_that_run_in_a_circle_are_found_and_those_in_a_line_are_not(scope: Scope) -> None:
    circle, line = gaps_of(shares(CIRCLE), scope), gaps_of(shares(LINE), scope)
    low, high = circle.estimate.interval(0.001)
    assert ((low > 0) | (high < 0)).all()
    assert np.abs(circle.estimate.difference) == pytest.approx(np.full((1, 3), 0.15), abs=0.03)
    low, high = line.estimate.interval(0.001)
    assert ((low <= 0) & (high >= 0)).all()


def without(cells: Cells, kept: Array) -> Cells:
    mask = kept.astype(bool)
    return replace(
        cells,
        **{name: getattr(cells, name)[mask] for name in ("participant", "prompt", "left", "right", "left_wins", "right_wins", "ties")},
    )


def gap_at(cells: Cells, *, davidson: bool) -> Array:
    """Return the gaps by other means: the win matrices' shares less the fit's chances."""
    model, whole = Model(davidson=davidson), group_wins(cells, by="all")
    fits = model.fit(whole, start=np.zeros(len(cells.items)), tolerance=1e-12)
    won = whole.halved[0]
    one, other = np.nonzero(np.triu(won + won.T))
    found: Array = won[one, other] / (won + won.T)[one, other] - fits.chances()[0][one, other]
    return found


@pytest.mark.parametrize("davidson", [False, True])
def test_variances_are_those_of_leaving_out_and_of_weighing_a_little_more(davidson: bool) -> None:
    cells = shares(WEB, people=5, prompts=4, each=60, ties=0.2 if davidson else 0.0, differ=0.09)
    whole = gap_at(cells, davidson=davidson)

    def left_out(codes: Codes, groups: int) -> Array:
        moved = [gap_at(without(cells, codes != group), davidson=davidson) - whole for group in range(groups)]
        found: Array = (groups - 1) / groups * np.square(moved).sum(axis=0)
        return found

    def weighed(group: Array, more: float = 1e-4) -> Array:
        weight = np.where(group, 1 + more, 1.0)
        heavier = cells.with_counts(cells.left_wins * weight, cells.right_wins * weight, cells.ties * weight)
        return (gap_at(heavier, davidson=davidson) - whole) / more

    people, prompts = left_out(cells.participant, 5), left_out(cells.prompt, 4)
    both = np.square([weighed((cells.participant == p) & (cells.prompt == q)) for p in range(5) for q in range(4)]).sum(axis=0)
    assert gaps_of(cells, "participants", davidson=davidson).estimate.standard_error[0] == pytest.approx(people**0.5, rel=1e-4)
    found = gaps_of(cells, "participants+prompts", davidson=davidson).estimate
    assert found.standard_error[0] == pytest.approx(two_way(people, prompts, both) ** 0.5, rel=1e-3)
    assert (people + prompts - both > np.maximum(people, prompts)).any(), "some pair needs all three variances"


def told(cells: Cells, *, ranked: tuple[str, ...], scope: Scope = "participants+prompts") -> tuple[PairFit, ...]:
    model, fits, of = fitted(cells)
    return pair_fits(cells, of, model=model, fits=fits, scope=scope, ranked=ranked, alpha=0.05)


def test_each_pair_stands_as_it_is_ranked_and_turning_it_turns_its_gap() -> None:
    there, back = told(shares(LINE), ranked=("a", "b", "c")), told(shares(LINE), ranked=("c", "b", "a"))
    assert [(one.a, one.b) for one in there] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert [(one.a, one.b) for one in back] == [("c", "b"), ("c", "a"), ("b", "a")]
    first, turned = there[0], back[-1]
    assert first.low is not None and first.high is not None
    assert turned == PairFit("b", "a", 960, 1 - first.observed, 1 - first.expected, -first.gap, -first.high, -first.low, first.scope)
    assert first.observed - first.expected == pytest.approx(first.gap)


@pytest.mark.parametrize("scope", SCOPES)
def test_a_pair_that_alone_links_conditions_fits_whatever_is_chosen_and_has_no_interval(scope: Scope) -> None:
    linked = told(shares({**CIRCLE, ("c", "d"): 0.8}), ranked=("a", "b", "c", "d"), scope=scope)
    assert {(one.a, one.b) for one in linked if one.low is None} == {("c", "d")}
    assert all(one.low is None for one in told(shares({("a", "b"): 0.7}), ranked=("a", "b"), scope=scope))


def test_a_pair_that_one_participant_alone_judged_has_no_interval_for_new_people() -> None:
    cells = shares(CIRCLE)
    kept = (cells.participant == 0) | ~(cells.left + cells.right == 1)
    by_scope = {scope: told(without(cells, kept), ranked=("a", "b", "c"), scope=scope)[0] for scope in SCOPES}
    assert by_scope["these"].low is not None
    assert by_scope["participants"].low is None and by_scope["participants+prompts"].low is None


def test_regularised_fits_are_not_told_of() -> None:
    cells = shares(LINE)
    model = Model(regularise=True)
    fits = model.fit(group_wins(cells, by="all"), start=np.zeros(3))
    of = spread(cells, model=model, fits=fits)
    assert pair_fits(cells, of, model=model, fits=fits, scope="these", ranked=cells.items, alpha=0.05) == ()


def test_results_carry_the_fit_of_each_pair_at_the_widest_scope_and_old_results_none(tmp_path: Path) -> None:
    left, right = ["a", "b", "c", "b", "c", "a"] * 20, ["b", "c", "a", "a", "b", "c"] * 20
    choices = (["left"] * 3 + ["right"] * 3) * 15 + (["right"] * 3 + ["left"] * 3) * 5
    comparisons = tabulate(left, right, choices, participants=[f"p{n % 7}" for n in range(120)], prompts=None)
    results = fit(comparisons, claims=(), table=AnalysisTable(resamples=100, alpha=0.1), rng=np.random.default_rng(1), provenance={})
    assert [one.observed for one in results.pair_fits] == pytest.approx([0.75, 0.25, 0.75])
    assert {(one.votes, one.scope) for one in results.pair_fits} == {(40, "participants")}
    assert results.alpha == 0.1
    path = tmp_path / "results.json"
    write_results(path, results)
    assert read_results(path) == results
    old = json.loads(path.read_text(encoding="utf-8"))
    del old["pair_fits"]
    path.write_text(json.dumps(old), encoding="utf-8")
    assert read_results(path).pair_fits == ()


def test_the_level_of_results_that_do_not_tell_it_is_not_guessed(tmp_path: Path) -> None:
    write_results(tmp_path / "results.json", example_results())
    old = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    del old["alpha"]
    (tmp_path / "results.json").write_text(json.dumps(old), encoding="utf-8")
    with pytest.raises(ExperimentError, match=r"not a results\.json of this version \('alpha'\); run the analysis again"):
        read_results(tmp_path / "results.json")
