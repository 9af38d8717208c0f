"""Three ways to count ties agree with published values, and with each other where they should."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from analysis.bradley_terry import Array, strengths_of_many
from analysis.preference import Fits, Model, Wins
from analysis.ties import davidson, davidson_of_many, rao_kupper, rao_kupper_chances

# Four items; expected values from maximising the published likelihoods.
WINS = np.array([[0, 18, 22, 27], [10, 0, 17, 21], [7, 9, 0, 16], [4, 6, 10, 0]], dtype=float)
TIES = np.array([[0, 8, 6, 4], [8, 0, 10, 7], [6, 10, 0, 9], [4, 7, 9, 0]], dtype=float)
TWO_WINS, TWO_TIES = np.array([[0.0, 60], [20, 0]]), np.array([[0.0, 20], [20, 0]])


def test_davidson_of_four_items() -> None:
    fit = davidson(WINS, TIES)
    assert fit.strengths - fit.strengths[3] == pytest.approx([1.8829665, 1.2383441, 0.5874572, 0], abs=1e-6)
    assert fit.parameter == pytest.approx(0.6101417, abs=1e-6)
    assert fit.log_likelihood == pytest.approx(-201.66882, abs=1e-4)


def test_rao_and_kupper_of_four_items() -> None:
    fit = rao_kupper(WINS, TIES)
    assert fit.strengths - fit.strengths[3] == pytest.approx([1.5371911, 0.9953609, 0.4747919, 0], abs=1e-5)
    assert fit.parameter == pytest.approx(1.6648993, abs=1e-5)


def test_two_items_60_20_20() -> None:
    one, other = davidson(TWO_WINS, TWO_TIES), rao_kupper(TWO_WINS, TWO_TIES)
    assert (np.exp(one.strengths[0] - one.strengths[1]), one.parameter) == pytest.approx((3, 0.57735), abs=1e-5)
    assert (np.exp(other.strengths[0] - other.strengths[1]), other.parameter) == pytest.approx((2.44949, 1.63299), abs=1e-5)


def test_for_two_items_all_three_agree_on_the_win_probability() -> None:
    """P(win) + P(tie)/2 is the currency across models: 60 wins and half of 20 ties are .7."""
    whole = Wins(TWO_WINS[None], TWO_TIES[None])
    by_davidson = Model(davidson=True).fit(whole, start=np.zeros(2)).chances()[0, 0, 1]
    by_halves = Model().fit(whole, start=np.zeros(2)).chances()[0, 0, 1]
    assert [by_davidson, by_halves, rao_kupper_chances(rao_kupper(TWO_WINS, TWO_TIES))[0, 1]] == pytest.approx([0.7] * 3)


COUNTS = arrays(np.float64, (4, 4), elements=st.integers(1, 40).map(float)).map(lambda wins: wins * (1 - np.eye(4)))


@given(COUNTS, COUNTS)
def test_expected_half_wins_and_ties_equal_observed_ones(wins: Array, drawn: Array) -> None:
    ties = np.triu(drawn) + np.triu(drawn).T
    whole = Wins(wins[None], ties[None])
    fits: Fits = Model(davidson=True).fit(whole, start=np.zeros(4))
    compared = (whole.halved + whole.halved.transpose(0, 2, 1))[0]
    assert (compared * fits.chances()[0]).sum(axis=1) == pytest.approx(whole.halved[0].sum(axis=1), abs=1e-5)
    assert (compared * fits.tie_chances()[0]).sum() == pytest.approx(ties.sum(), abs=1e-5)


@given(COUNTS)
def test_next_to_no_ties_leave_the_bradley_terry_fit(wins: Array) -> None:
    found, _ = davidson_of_many(wins[None], np.array([1e-9]), start=np.zeros(4))
    assert found == pytest.approx(strengths_of_many(wins[None], start=np.zeros(4)), abs=1e-5)
