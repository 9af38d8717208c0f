"""Circular triads are counted as Kendall counts them."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from votes_made import vote

from analysis.triads import circular_triads, kendall_zeta, most_circular_triads, pooled_triads, triads


def tournament(size: int, rng: np.random.Generator) -> np.ndarray:
    upper = np.triu(rng.integers(0, 2, (size, size)), 1)
    return (upper + np.tril(1 - upper.T, -1)).astype(np.int64)


@pytest.mark.parametrize(("squares", "circles", "zeta"), [(55, 0, 1.0), (53, 1, 0.875), (47, 4, 0.5)])
def test_kendalls_table_for_six_items(squares: int, circles: int, zeta: float) -> None:
    rng = np.random.default_rng(1)
    drawn = (tournament(6, rng) for _ in range(100_000))
    wins = next(wins for wins in drawn if (wins.sum(axis=1) ** 2).sum() == squares)
    assert (circular_triads(wins), kendall_zeta(wins)) == (circles, zeta)


@given(st.integers(3, 9), st.integers(0, 2**32 - 1))
def test_counting_circles_is_kendalls_formula_and_counting_by_hand(size: int, seed: int) -> None:
    wins = tournament(size, np.random.default_rng(seed))
    by_formula = size * (size - 1) * (2 * size - 1) / 12 - (wins.sum(axis=1) ** 2).sum() / 2
    by_hand = sum(wins[a, b] == wins[b, c] == wins[c, a] for a, b, c in itertools.combinations(range(size), 3))
    assert circular_triads(wins) == by_formula == by_hand
    assert 0 <= kendall_zeta(wins) <= 1


@pytest.mark.parametrize("size", [3, 4, 5])
def test_the_largest_number_of_circles_is_reached_and_never_passed(size: int) -> None:
    pairs = list(itertools.combinations(range(size), 2))
    most = 0
    for bits in itertools.product((0, 1), repeat=len(pairs)):
        wins = np.zeros((size, size), dtype=np.int64)
        for (a, b), bit in zip(pairs, bits, strict=True):
            wins[(a, b) if bit else (b, a)] = 1
        most = max(most, circular_triads(wins))
    assert most == most_circular_triads(size)


def test_votes_become_tournaments_prompt_by_prompt() -> None:
    circle = [vote("p", "a", "b", "left"), vote("p", "c", "b", "right"), vote("p", "a", "c", "right")]
    found = triads(circle)
    assert (found.circular, found.of, found.tournaments, found.zeta) == (1, 1, 1, 0.0)
    straight = [vote("p", "x", "y", "left", prompt="r"), vote("p", "y", "z", "left", prompt="r"), vote("p", "z", "x", "right", prompt="r")]
    both = triads([*circle, *straight])
    assert (both.circular, both.of, both.tournaments, both.zeta) == (1, 2, 2, 0.5)
    assert pooled_triads([found, triads(straight)]) == both


def test_a_tie_or_a_missing_pair_leaves_no_tournament_and_no_zeta() -> None:
    votes = [vote("p", "a", "b", "left"), vote("p", "b", "c", "left"), vote("p", "a", "c", "tie")]
    assert (triads(votes).of, triads(votes).tournaments, triads(votes).zeta) == (0, 0, None)
    assert triads(votes[:2]).zeta is None
    four = [*votes[:2], vote("p", "c", "a", "left"), vote("p", "a", "d", "left")]
    assert (triads(four).circular, triads(four).of, triads(four).zeta) == (1, 1, None)


def test_a_repeat_changes_no_triad() -> None:
    votes = [vote("p", "a", "b", "left"), vote("p", "b", "c", "left"), vote("p", "a", "c", "left"), vote("p", "c", "a", "left")]
    assert triads(votes[::-1]) == triads(votes[:3])
