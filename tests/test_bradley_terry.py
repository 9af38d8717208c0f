"""The Bradley-Terry fit: published values, what must not change the scores, and when there is nothing to fit."""

from random import Random

import choix
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from analysis.bradley_terry import (
    Array,
    NotConvergedError,
    NotIdentifiedError,
    are_identified,
    elo,
    require_identified,
    strengths,
    strengths_of_many,
    win_probability,
)

NAMES = ("ash", "beech", "cedar", "dogwood", "elm", "fir")


def squares(size: int) -> st.SearchStrategy[Array]:
    """Return win matrices that are often unidentified, and uneven where they are not."""
    wins = arrays(np.float64, (size, size), elements=st.sampled_from([0.0, 0.0, 0.5, 1.0, 2.0, 7.0, 300.0]))
    return wins.map(lambda drawn: drawn * (1 - np.eye(size)))


def identified_squares(size: int) -> st.SearchStrategy[Array]:
    """Return win matrices in which a ring of wins joins all items."""
    ring = np.roll(np.eye(size), 1, axis=1)
    return squares(size).map(lambda wins: np.maximum(wins, 0.5 * ring))


SQUARES = st.integers(2, 6).flatmap(squares)
IDENTIFIED = st.integers(2, 6).flatmap(identified_squares)
SEVERAL_IDENTIFIED = st.integers(2, 6).flatmap(lambda size: st.lists(identified_squares(size), min_size=1, max_size=3))
# Every pair compared, nobody far ahead: here choix converges fast from equal strengths.
SEVERAL_DENSE = st.integers(2, 6).flatmap(
    lambda size: st.lists(
        arrays(np.float64, (size, size), elements=st.integers(2, 60).map(float)).map(lambda wins: wins * (1 - np.eye(len(wins)))),
        min_size=1,
        max_size=3,
    )
)


def test_citations_between_statistics_journals() -> None:
    """Stigler's counts, cited by row, citing by column; expected log-strengths: R package BradleyTerry2, vignette (Agresti 2002)."""
    cited = np.array([[714, 730, 498, 221], [33, 425, 68, 17], [320, 813, 1072, 142], [284, 276, 325, 188]], dtype=float)
    np.fill_diagonal(cited, 0)
    fitted = strengths(cited, ("Biometrika", "Comm. Statist.", "JASA", "JRSS-B"))
    assert fitted - fitted[0] == pytest.approx([0, -2.9490725, -0.47956977, 0.26895406], abs=1e-5)


def test_two_items_have_the_log_odds_of_their_wins() -> None:
    assert np.diff(strengths(np.array([[0.0, 1.0], [3.0, 0.0]]), NAMES[:2])) == pytest.approx(np.log(3))


@given(IDENTIFIED)
def test_expected_wins_equal_observed_wins(wins: Array) -> None:
    at = strengths(wins, NAMES[: len(wins)])
    chance = 1 / (1 + np.exp(at[None, :] - at[:, None]))
    assert ((wins + wins.T) * chance).sum(axis=1) - wins.sum(axis=1) == pytest.approx(0, abs=1e-6)


@given(SEVERAL_DENSE)
def test_the_fit_of_many_agrees_with_choix_on_its_own(matrices: list[Array]) -> None:
    by_choix = [choix.ilsr_pairwise_dense(wins, tol=1e-10, max_iter=10_000) for wins in matrices]
    many = strengths_of_many(np.stack(matrices), start=np.zeros(len(matrices[0])))
    assert many == pytest.approx(np.stack([fitted - fitted.mean() for fitted in by_choix]), abs=1e-6)


@given(SEVERAL_IDENTIFIED, st.integers(-5, 5))
def test_the_fit_of_many_does_not_depend_on_its_company_or_its_start(matrices: list[Array], start: int) -> None:
    names = NAMES[: len(matrices[0])]
    many = strengths_of_many(np.stack(matrices), start=np.linspace(0.0, start, len(names)))
    assert many == pytest.approx(np.stack([strengths(wins, names) for wins in matrices]), abs=1e-6)


@given(IDENTIFIED, st.randoms(use_true_random=False))
def test_relabelling_conditions_relabels_scores(wins: Array, random: Random) -> None:
    order = list(range(len(wins)))
    random.shuffle(order)
    names = NAMES[: len(wins)]
    assert strengths(wins[np.ix_(order, order)], names) == pytest.approx(strengths(wins, names)[order], abs=1e-6)


@given(IDENTIFIED)
def test_twice_the_votes_give_the_same_scores(wins: Array) -> None:
    assert strengths(2 * wins, NAMES[: len(wins)]) == pytest.approx(strengths(wins, NAMES[: len(wins)]), abs=1e-6)


@given(IDENTIFIED)
def test_turning_every_vote_round_turns_the_scale_round(wins: Array) -> None:
    assert strengths(wins.T.copy(), NAMES[: len(wins)]) == pytest.approx(-strengths(wins, NAMES[: len(wins)]), abs=1e-6)


@given(SQUARES)
def test_the_two_checks_of_the_win_graph_agree(wins: Array) -> None:
    try:
        require_identified(wins, NAMES[: len(wins)])
    except NotIdentifiedError:
        assert not are_identified(wins[None])[0]
    else:
        assert are_identified(wins[None])[0]


def test_an_undefeated_item_has_no_score() -> None:
    with pytest.raises(
        NotIdentifiedError, match=r"Undefeated: ash, so no finite score fits\. Comparable among themselves are only:"
    ) as caught:
        strengths(np.array([[0, 5, 4], [0, 0, 3], [0, 2, 0]], dtype=float), NAMES[:3])
    assert caught.value.undefeated == ("ash",)
    assert caught.value.winless == ()
    assert caught.value.components == (("ash",), ("beech", "cedar"))
    assert "Collect comparisons that link the groups with wins both ways, or leave a condition out" in str(caught.value)


def test_two_groups_that_were_never_compared_have_no_common_scale() -> None:
    with pytest.raises(NotIdentifiedError, match=r"No vote links these groups: \{ash, beech\}, \{cedar, dogwood\}\.") as caught:
        strengths(np.array([[0, 3, 0, 0], [2, 0, 0, 0], [0, 0, 0, 4], [0, 0, 1, 0]], dtype=float), NAMES[:4])
    assert caught.value.components == (("ash", "beech"), ("cedar", "dogwood"))
    assert caught.value.undefeated == caught.value.winless == ()


def test_a_winless_item_is_named() -> None:
    with pytest.raises(NotIdentifiedError, match="Winless: beech, so no finite score fits"):
        strengths(np.array([[0, 5, 2], [0, 0, 0], [3, 2, 0]], dtype=float), NAMES[:3])


def test_a_fit_that_does_not_converge_raises_instead_of_returning_its_last_step() -> None:
    wins = np.array([[[0, 9.0], [1.0, 0]]])
    with pytest.raises(NotConvergedError, match="1 of 1 Bradley-Terry fits did not converge in 2 steps"):
        strengths_of_many(wins, start=np.zeros(2), iterations=2)


def test_the_elo_scale_has_mean_1000_and_400_points_for_odds_of_ten() -> None:
    scores = elo(np.array([[0.0, np.log(10)], [5.0, 5.0]]))
    assert scores == pytest.approx(np.array([[800.0, 1200.0], [1000.0, 1000.0]]))


@pytest.mark.parametrize(("difference", "probability"), [(0, 0.5), (27, 0.5388), (22, 0.5316), (57, 0.5813), (143, 0.6949), (400, 10 / 11)])
def test_win_probability_of_a_difference_in_elo(difference: float, probability: float) -> None:
    assert win_probability(difference) == pytest.approx(probability, abs=5e-5)


@given(st.floats(-2000, 2000))
def test_win_probabilities_of_the_two_sides_sum_to_one(difference: float) -> None:
    assert win_probability(difference) + win_probability(-difference) == pytest.approx(1)
