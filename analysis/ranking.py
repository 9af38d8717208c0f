"""Places in the ranking, tiers, and who is ahead of whom, all from the same joint resamples, so that they agree."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from analysis.resampling import ScoredVotes
from analysis.results import Ahead, Rank


def ranks(votes: ScoredVotes, ranked: Sequence[str], *, alpha: float) -> tuple[Rank, ...]:
    """Return the place of each condition (1 is the highest score), the 1 - alpha interval of its place, and its tier.

    A tier ends before the first condition that its head is ahead of in at least 1 - alpha/2 of the resamples.
    """
    places = (-votes.resampled).argsort(axis=1, kind="stable").argsort(axis=1, kind="stable") + 1
    low, high = np.quantile(places, [alpha / 2, 1 - alpha / 2], axis=0, method="inverted_cdf")
    tier, head, found = 1, ranked[0], []
    for rank, item in enumerate(ranked, start=1):
        if item != head and probability_ahead(votes, head, item) >= 1 - alpha / 2:
            tier, head = tier + 1, item
        place = votes.items.index(item)
        found.append(Rank(item, rank, int(low[place]), int(high[place]), tier))
    return tuple(found)


def ahead(votes: ScoredVotes, ranked: Sequence[str]) -> tuple[Ahead, ...]:
    """Return for every two conditions in how many of the resamples the higher ranked scores above the other."""
    return tuple(Ahead(a, b, probability_ahead(votes, a, b)) for a, b in combinations(ranked, 2))


def probability_ahead(votes: ScoredVotes, a: str, b: str) -> float:
    """Return the share of resamples in which `a` scores above `b`; equal scores count half."""
    gap = votes.difference_draws(a, b)
    return float(np.mean(gap > 0) + np.mean(gap == 0) / 2)
