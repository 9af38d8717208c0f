"""Agreement between people is what the textbooks print, and its interval is about people."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from votes_made import vote

from analysis.agreement import MISSING, agreement, alpha_resamples, fleiss_kappa, judgements, krippendorff_alpha
from stimuli.experiment import ExperimentError

# Krippendorff (2011), the canonical example: four observers, twelve units, values 1 to 5, "." where missing.
CANONICAL = np.array(
    [
        [int(mark) if mark != "." else MISSING for mark in row.split()]
        for row in (
            "1 2 3 3 2 1 4 1 2 . . .",
            "1 2 3 3 2 2 4 1 2 5 . 3",
            ". 3 3 3 2 3 4 2 2 5 1 .",
            "1 2 3 3 2 4 4 1 2 5 1 .",
        )
    ]
)
# Fleiss' textbook example: ten units, five categories, fourteen raters.
FLEISS = np.array(
    [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ]
)


def test_krippendorffs_canonical_example() -> None:
    assert krippendorff_alpha(CANONICAL) == pytest.approx(904 / 1216, abs=1e-12)


def test_fleiss_textbook_example() -> None:
    assert fleiss_kappa(FLEISS) == pytest.approx(0.2099307, abs=5e-8)


@given(arrays.arrays(np.int64, (4, 9), elements=st.integers(-1, 2)), st.permutations(range(4)), st.permutations(range(9)))
def test_alpha_does_not_depend_on_the_order_of_raters_units_or_names(values: np.ndarray, raters: list[int], units: list[int]) -> None:
    try:
        expected = krippendorff_alpha(values)
    except ExperimentError:
        return
    renamed = np.where(values == MISSING, MISSING, 7 - values)
    assert krippendorff_alpha(renamed[raters][:, units]) == pytest.approx(expected, abs=1e-9)
    assert expected <= 1


@given(arrays.arrays(np.int64, (5, 12), elements=st.integers(0, 1)))
def test_alpha_and_kappa_agree_but_for_krippendorffs_small_sample_term(values: np.ndarray) -> None:
    counts = np.stack([(values == code).sum(axis=0) for code in (0, 1)], axis=1)
    try:
        kappa = fleiss_kappa(counts)
    except ExperimentError:
        return
    # Krippendorff (2004): alpha = kappa + (1 - kappa) / n for complete nominal data with n values.
    assert krippendorff_alpha(values) == pytest.approx(kappa + (1 - kappa) / values.size, abs=1e-9)


def test_a_participant_drawn_twice_is_not_compared_with_himself() -> None:
    coins = np.random.default_rng(1).integers(0, 2, (4, 4000))
    draws = alpha_resamples(coins, resamples=200, rng=np.random.default_rng(2))
    # Comparing copies would lift alpha to about a quarter.
    assert np.nanmax(np.abs(draws)) < 0.06


def test_votes_agree_about_stimuli_whichever_side_they_were_on() -> None:
    votes = [vote("p1", "a", "b", "left"), vote("p2", "b", "a", "right"), vote("p1", "c", "d", "right"), vote("p2", "c", "d", "right")]
    found = agreement(votes, resamples=50, rng=np.random.default_rng(1))
    assert (found.alpha, found.kappa) == (pytest.approx(1.0), pytest.approx(1.0))
    swapped = [dataclasses.replace(votes[0], choice="right"), *votes[1:]]
    assert agreement(swapped, resamples=50, rng=np.random.default_rng(1)).alpha == pytest.approx(0.0)


def test_only_the_first_judgement_of_a_pair_counts() -> None:
    votes = [vote("p1", "a", "b", "left", position=0), vote("p1", "b", "a", "left", position=5), vote("p2", "a", "b", "tie")]
    table = judgements(reversed_ := votes[::-1])
    assert len(reversed_) == 3
    assert table.values.tolist() == [[0], [2]]


def test_the_interval_widens_when_people_differ() -> None:
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 2, 60)
    noisy = rng.random(6) / 2
    values = np.where(rng.random((6, 60)) < noisy[:, None], 1 - truth, truth)
    votes = [
        vote(f"p{person}", f"a{unit}", f"b{unit}", "left" if values[person, unit] else "right") for person in range(6) for unit in range(60)
    ]
    found = agreement(votes, resamples=400, rng=np.random.default_rng(4))
    assert found.alpha is not None and found.low is not None and found.high is not None
    assert found.low < found.alpha < found.high
    assert found.high - found.low > 0.15


def test_what_is_not_defined_is_told_and_not_made_up() -> None:
    alone = agreement([vote("p1", "a", "b", "left")], resamples=20, rng=np.random.default_rng(1))
    assert (alone.alpha, alone.low, alone.kappa) == (None, None, None)
    assert "no pair was judged by two people" in alone.notes[0]
    uneven = agreement(
        [vote("p1", "a", "b", "left"), vote("p2", "a", "b", "right"), vote("p1", "c", "d", "left")], rng=np.random.default_rng(1)
    )
    assert uneven.alpha is not None and uneven.kappa is None
    assert uneven.notes[-1] == (
        "Fleiss' kappa needs the same number of judgements, at least two, for every unit; found between 1 and 2. Use Krippendorff's alpha"
    )
    with pytest.raises(ExperimentError, match="all judgements are the same"):
        fleiss_kappa(np.array([[3, 0], [3, 0]]))
