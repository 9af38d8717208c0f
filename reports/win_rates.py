"""How often each condition was preferred to each other one, as a square of counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.results import Pair, Results, Score


@dataclass(frozen=True)
class WinRates:
    """Row i against column j: `wins`, `ties` and `comparisons` count votes, all of shape (conditions, conditions)."""

    conditions: tuple[str, ...]
    wins: NDArray[np.int64]
    ties: NDArray[np.int64]

    @property
    def comparisons(self) -> NDArray[np.int64]:
        """Votes that compare row and column."""
        total: NDArray[np.int64] = self.wins + self.wins.T + self.ties
        return total

    @property
    def shares(self) -> NDArray[np.float64]:
        """Share of those votes that prefer the row, a tie counting half for each side; not a number where there is no vote."""
        total = self.comparisons
        shares: NDArray[np.float64] = np.full(total.shape, np.nan)
        np.divide(self.wins + self.ties / 2, total, out=shares, where=total > 0)
        return shares


def ranking(scores: Sequence[Score]) -> tuple[str, ...]:
    """Return the conditions, highest score first; equal scores by name."""
    return tuple(score.condition for score in sorted(scores, key=lambda score: (-score.elo, score.condition)))


def win_rates(pairs: Sequence[Pair], ranked: Sequence[str]) -> WinRates:
    """Return the counts of `pairs` with the conditions in the order of `ranked`; conditions without a score come last."""
    known = set(ranked)
    conditions = (*ranked, *sorted({name for pair in pairs for name in (pair.a, pair.b)} - known))
    place = {name: index for index, name in enumerate(conditions)}
    wins: NDArray[Any] = np.zeros((len(conditions), len(conditions)), dtype=np.int64)
    ties = wins.copy()
    for pair in pairs:
        if pair.a == pair.b:
            continue  # images of one condition against each other say nothing about conditions
        a, b = place[pair.a], place[pair.b]
        wins[a, b] += pair.wins_a
        wins[b, a] += pair.wins_b
        ties[a, b] += pair.ties
        ties[b, a] += pair.ties
    return WinRates(conditions, wins, ties)


def chance(difference_elo: float, *, ties: float = 0.0) -> float:
    """Return how likely the condition that leads by `difference_elo` is preferred, half of the chance of a tie counted in.

    `ties` is Davidson's parameter; without ties the chance is that of the Elo scale's definition.

    >>> round(chance(27), 4), round(chance(27, ties=0.2), 4)
    (0.5388, 0.5353)
    """
    there = 10 ** (difference_elo / 800)
    return float((there + ties / 2) / (there + 1 / there + ties))


def tie_parameter(results: Results) -> float:
    """Return the parameter of Davidson's model where the scores come from it; 0 where a tie is half a win, or none was given."""
    return next((one.parameter for one in results.tie_models[:1] if one.parameter is not None), 0.0)
