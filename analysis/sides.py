"""Left and right: what a side is worth to an image, and whether conditions stood on both sides alike."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from analysis.bradley_terry import ELO_PER_LOGIT, Array
from analysis.comparisons import Cells
from analysis.jackknife import student_tail
from analysis.results import Balance, Refused, Side

MOST_ON_ONE_SIDE = 0.6
# A share beyond 60 % that random sides give this rarely is no accident of few votes.
_BY_ACCIDENT = 0.01
_CONFOUNDED = 1e8


def side(cells: Cells, *, strengths: Array) -> Side | str:
    """Return what the left side is worth: a term in every comparison of the Bradley-Terry model, ties half a win for each side.

    `strengths` are the log-strengths without that term. In words why not, where sides and conditions cannot be told apart.
    """
    size = len(cells.items)
    places = cells.left * size + cells.right
    shown = np.bincount(places, cells.left_wins + cells.right_wins + cells.ties, size * size).reshape(size, size)
    won = np.bincount(places, cells.left_wins + cells.ties / 2, size * size).reshape(size, size)
    at = np.append(strengths, 0.0)
    for _ in range(100):
        chance = 1 / (1 + np.exp(at[None, :-1] - at[:-1, None] - at[-1]))
        ahead, weight = won - shown * chance, shown * chance * (1 - chance)
        slope = np.append(ahead.sum(axis=1) - ahead.sum(axis=0), ahead.sum())
        bend = _information(weight)
        if np.linalg.cond(bend) > _CONFOUNDED:
            return "sides and conditions cannot be told apart, because conditions did not stand on both sides or one side nearly always won"
        step = np.linalg.solve(bend, slope)
        at += step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-9:
            moved = (at[:-1] - at[:-1].mean()) - (strengths - strengths.mean())
            error = float(np.sqrt(np.linalg.inv(bend)[-1, -1]))
            p_value = float(2 * student_tail(np.array(abs(at[-1]) / error), np.array(np.inf)))
            return Side(float(ELO_PER_LOGIT * at[-1]), ELO_PER_LOGIT * error, p_value, float(ELO_PER_LOGIT * np.ptp(moved)))
    return "the fit with a term for the side did not converge; one side may win nearly always"


def _information(weight: Array) -> Array:
    size = len(weight)
    bend = np.zeros((size + 1, size + 1))
    bend[:size, :size] = np.diag(weight.sum(axis=1) + weight.sum(axis=0)) - weight - weight.T
    bend[:size, :size] += np.trace(bend) / size**2
    bend[:size, size] = bend[size, :size] = weight.sum(axis=1) - weight.sum(axis=0)
    bend[size, size] = weight.sum()
    return bend


def balance(cells: Cells, ranked: Sequence[str]) -> tuple[Balance, ...]:
    """Return for every two conditions that some vote compares how often the first stood on the left."""
    size, place = len(cells.items), {item: number for number, item in enumerate(cells.items)}
    votes = cells.left_wins + cells.right_wins + cells.ties
    shown = np.bincount(cells.left * size + cells.right, votes, size * size).reshape(size, size)
    pairs = ((a, b, int(shown[place[a], place[b]]), int(shown[place[b], place[a]])) for a, b in combinations(ranked, 2))
    return tuple(Balance(a, b, left, left + right) for a, b, left, right in pairs if left + right)


def refused_for_sides(found: Sequence[Balance]) -> tuple[Refused, ...]:
    """Return the differences that are not given because one of the two stood on one side in more than 60 % of its showings.

    A few showings can fall like that by accident although sides were drawn: where random sides do so in more than 1 % of
    cases, the difference is given.
    """
    return tuple(
        Refused(
            "difference",
            f"{one.a} stood on the left of {one.b} in {one.a_left:,} of {one.shown:,} comparisons, "
            "more than 60 to 40 on one side, so that what they show of the two cannot be told from the side",
            one.a,
            one.b,
        )
        for one in found
        if max(one.a_left, one.shown - one.a_left) > MOST_ON_ONE_SIDE * one.shown and _accident(one) < _BY_ACCIDENT
    )


def _accident(one: Balance) -> float:
    """Return how likely random sides are at least as uneven (exact binomial, two-sided)."""
    from scipy.special import bdtr

    fewer = min(one.a_left, one.shown - one.a_left)
    return min(1.0, 2 * float(bdtr(fewer, one.shown, 0.5)))
