"""Intervals by drawing the votes again: one set of resamples serves every score and every difference, so that they agree."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analysis.bradley_terry import Array, are_identified, elo, strengths, strengths_of_many
from analysis.comparisons import Tally
from stimuli.experiment import ExperimentError

# Numbers in one block of win matrices; bounds the memory of large studies to some hundred megabytes.
_BLOCK = 4_000_000


class TooFewVotesError(ExperimentError):
    """Most resamples leave some score without a value, so that no interval can be trusted."""


@dataclass(frozen=True)
class Interval:
    """A lower and an upper bound, in the unit of what it is for."""

    low: float
    high: float


@dataclass(frozen=True, eq=False)
class ScoredVotes:
    """The Elo scores of a set of votes, shape (items,), and of its identified resamples, shape (resamples, items).

    `drawn` counts all resamples, `undecided` those that identified no scale and are in no interval.
    """

    items: tuple[str, ...]
    elo: Array
    resampled: Array
    drawn: int
    undecided: int

    def score_draws(self, item: str) -> Array:
        """Return the score of an item in every resample."""
        return self.resampled[:, self.items.index(item)]

    def difference(self, a: str, b: str) -> float:
        """Return how far `a` is ahead of `b`, in Elo."""
        return float(self.elo[self.items.index(a)] - self.elo[self.items.index(b)])

    def difference_draws(self, a: str, b: str) -> Array:
        """Return how far `a` is ahead of `b` in every resample, in Elo."""
        return self.score_draws(a) - self.score_draws(b)


def bootstrap_votes(tally: Tally, items: tuple[str, ...], *, resamples: int, rng: np.random.Generator) -> ScoredVotes:
    """Return the scores and those of bootstrap resamples of single votes (PAMELA, section 6.1); a tie is half a win each.

    Every vote counts as an independent fact here, which votes of a few people about a few prompts are not: intervals from
    these resamples hold for these people and prompts only.

    Raises:
        NotIdentifiedError: the votes do not put all items on one scale.
        TooFewVotesError: more than half of the resamples do not.
    """
    observed = strengths(tally.wins_with_half_ties, items)
    blocks = list(_resampled_wins(tally, resamples, rng))
    fits = [strengths_of_many(block[are_identified(block)], start=observed) for block in blocks]
    resampled = elo(np.concatenate(fits))
    undecided = resamples - len(resampled)
    if undecided > resamples / 2:
        raise TooFewVotesError(
            f"{undecided:,} of {resamples:,} resamples of the votes do not put all conditions on one scale, "
            f"so no interval can be given; collect more votes, or leave out a condition that few votes link to the rest (--without NAME)"
        )
    return ScoredVotes(items, elo(observed), resampled, resamples, undecided)


def percentile_interval(draws: Array, *, alpha: float) -> Interval:
    """Return the central 1 - alpha percentile interval of resampled values, shape (resamples,)."""
    low, high = np.quantile(draws, [alpha / 2, 1 - alpha / 2])
    return Interval(float(low), float(high))


def _resampled_wins(tally: Tally, resamples: int, rng: np.random.Generator) -> Iterator[Array]:
    """Yield blocks of resampled win matrices, shape (some resamples, items, items): as many votes as there were, drawn from them."""
    size = len(tally.wins)
    winner, loser = np.nonzero(tally.wins)
    one, other = np.nonzero(np.triu(tally.ties))
    counts = np.concatenate([tally.wins[winner, loser], tally.ties[one, other]])
    total = int(counts.sum())
    per_block = max(1, _BLOCK // size**2)
    for done in range(0, resamples, per_block):
        drawn = rng.multinomial(total, counts / total, size=min(per_block, resamples - done))
        wins = np.zeros((len(drawn), size, size))
        wins[:, winner, loser] = drawn[:, : len(winner)]
        ties = drawn[:, len(winner) :] / 2
        wins[:, one, other] += ties
        wins[:, other, one] += ties
        yield wins
