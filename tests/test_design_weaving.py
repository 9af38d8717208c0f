"""Catch trials and repeats: how many, where they stand, what they show."""

from collections import Counter
from itertools import pairwise

import pytest
from designs_made import SEEDS, comparisons, complete, repeated_images, schedule, shown
from hypothesis import given
from hypothesis import strategies as some

from stimuli.experiment import ExperimentError
from study.config import StudyTable
from study.design.trial import Trial

STIMULI = complete(6, 4, 0)  # 36 pairs


def woven(*, seed: int = 1, catch: int = 0, repeats: int = 0, block: int = 40) -> tuple[Trial, ...]:
    return schedule(0, STIMULI, seed=seed, table=StudyTable(practice=0, catch=catch, repeats=repeats, block=block))


def places(trials: tuple[Trial, ...], kind: str) -> list[int]:
    return [position for position, trial in enumerate(trials) if trial.kind == kind]


@given(SEEDS, some.integers(0, 12), some.integers(0, 20))
def test_the_comparisons_are_the_same_with_catch_trials_and_repeats_between_them(seed: int, catch: int, repeats: int) -> None:
    trials = woven(seed=seed, catch=catch, repeats=repeats)
    assert Counter(trial.kind for trial in trials) == Counter(comparison=36, catch=catch, repeat=repeats)
    pairs = Counter((trial.left, trial.right) for trial in comparisons(trials))
    assert pairs == Counter((trial.left, trial.right) for trial in comparisons(woven(seed=seed)))


@given(SEEDS, some.integers(1, 36), some.integers(0, 20))
def test_catch_trials_are_spread_evenly_never_first_and_never_two_in_a_row(seed: int, catch: int, repeats: int) -> None:
    trials = woven(seed=seed, catch=catch, repeats=repeats)
    where = places(trials, "catch")
    assert len(where) == catch
    assert where[0] > 0
    assert all(later - earlier >= 2 for earlier, later in pairwise(where))
    stretch = len(trials) / catch
    assert all(number * stretch - 1 < position < (number + 1) * stretch for number, position in enumerate(where))


@given(SEEDS, some.integers(1, 13))
def test_catch_trials_ask_for_left_as_often_as_for_right_and_show_a_pair_of_the_schedule(seed: int, catch: int) -> None:
    trials = woven(seed=seed, catch=catch)
    expected = Counter(trial.expected for trial in trials if trial.kind == "catch")
    assert abs(expected["left"] - expected["right"]) <= 1
    assert expected.keys() <= {"left", "right"}
    assert all(trial.expected is None for trial in trials if trial.kind != "catch")
    for position in places(trials, "catch"):
        # In the first few trials there may be no pair yet that repeats no image.
        known = trials[:position] if position > 10 else trials
        assert shown(trials[position]) in {shown(trial) for trial in comparisons(known)}


def test_catch_trials_ask_for_either_side_at_any_place() -> None:
    firsts = Counter(next(trial.expected for trial in woven(seed=seed, catch=1) if trial.expected) for seed in range(200))
    assert all(70 <= firsts[side] <= 130 for side in ("left", "right"))  # 100 expected, standard deviation 7


@given(SEEDS, some.integers(1, 25), some.integers(0, 6))
def test_repeats_ask_an_earlier_comparison_once_more_with_sides_swapped(seed: int, repeats: int, catch: int) -> None:
    trials = woven(seed=seed, catch=catch, repeats=repeats)
    first = {(trial.left, trial.right): position for position, trial in enumerate(trials) if trial.kind == "comparison"}
    sources = [first[str(trials[position].right), trials[position].left] for position in places(trials, "repeat")]
    assert len(set(sources)) == repeats
    assert all(position - source >= 5 for position, source in zip(places(trials, "repeat"), sources, strict=True))


def test_a_few_repeats_are_spread_over_the_later_half() -> None:
    where = places(woven(repeats=6, block=0), "repeat")
    assert min(where) >= 21
    assert all(number * 3.5 - 1 < position - 21 < (number + 1) * 3.5 for number, position in enumerate(where))


@given(SEEDS, some.integers(0, 8), some.integers(0, 9))
def test_no_image_is_in_two_trials_in_a_row_with_catch_trials_and_repeats_either(seed: int, catch: int, repeats: int) -> None:
    assert repeated_images(woven(seed=seed, catch=catch, repeats=repeats)) == 0


def test_too_many_catch_trials_are_refused() -> None:
    assert len(woven(catch=36)) == 72
    expected = (
        r"study.toml: \[study\] catch = 37 is too many for 36 other trials: no two catch trials may follow each other; write catch = 36 or"
    )
    with pytest.raises(ExperimentError, match=expected):
        woven(catch=37)


@pytest.mark.parametrize("repeats", [34, 40, 500])
def test_too_many_repeats_are_refused(repeats: int) -> None:
    expected = r"study.toml: \[study\] repeats = \d+ is too many for 36 trials: a repeat comes at least 5 trials after what it repeats"
    with pytest.raises(ExperimentError, match=expected):
        woven(repeats=repeats)
