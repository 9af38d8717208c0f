"""Intervals by drawing again, votes or people or people and prompts: one set of draws serves every score and every difference."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analysis.bradley_terry import Array, elo
from analysis.comparisons import Cells
from analysis.preference import Model, Wins, group_wins
from stimuli.experiment import ExperimentError

Kind = Literal["votes", "participants", "participants+prompts"]
# Numbers in one block of win matrices; bounds the memory of large studies to some hundred megabytes.
_BLOCK = 8_000_000
# Above this many kinds of outcome, drawing them one after the other would take longer than everything else.
_MANY = 5_000
# The last step of a fit, in logits: a thousandth of a thousandth of what any resample moves a score by.
_PRECISE = 1e-7


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

    `drawn` counts all resamples, `undecided` those that identified no scale and are in no interval; `kind` says what was drawn.
    """

    items: tuple[str, ...]
    elo: Array
    resampled: Array
    drawn: int
    undecided: int
    kind: Kind = "votes"

    def score_draws(self, item: str) -> Array:
        """Return the score of an item in every resample."""
        return self.resampled[:, self.items.index(item)]

    def difference(self, a: str, b: str) -> float:
        """Return how far `a` is ahead of `b`, in Elo."""
        return float(self.elo[self.items.index(a)] - self.elo[self.items.index(b)])

    def difference_draws(self, a: str, b: str) -> Array:
        """Return how far `a` is ahead of `b` in every resample, in Elo."""
        return self.score_draws(a) - self.score_draws(b)

    def anchored(self, item: str) -> "ScoredVotes":
        """Return the scores with `item` at 1000 in the votes and in every resample, so that its own interval has no width."""
        place = self.items.index(item)
        return ScoredVotes(
            self.items,
            1000 + self.elo - self.elo[place],
            1000 + self.resampled - self.resampled[:, [place]],
            self.drawn,
            self.undecided,
            self.kind,
        )


def bootstrap(cells: Cells, *, model: Model, observed: Array, kind: Kind, resamples: int, rng: np.random.Generator) -> ScoredVotes:
    """Return the scores, given as log-strengths in `observed`, and those of bootstrap resamples.

    `votes` draws single votes (PAMELA, section 6.1), as if each were an independent fact: for these people and prompts only.
    `participants` draws whole participants. `participants+prompts` draws participants and, independently, prompts, and gives a
    vote the product of how often its two were drawn (the pigeonhole bootstrap, Owen 2007).

    Raises:
        TooFewVotesError: more than half of the resamples do not put all items on one scale.
    """
    fits = []
    for wins in _resampled(cells, kind, resamples, rng):
        identified = model.identified(wins)
        fits.append(model.fit(wins if identified.all() else wins.chosen(identified), start=observed, tolerance=_PRECISE).strengths)
    resampled = elo(np.concatenate(fits))
    undecided = resamples - len(resampled)
    if undecided > resamples / 2:
        raise TooFewVotesError(
            f"{undecided:,} of {resamples:,} resamples of the {kind.replace('+', ' and ')} do not put all conditions on one scale, "
            f"so no interval can be given; collect more votes, or leave out a condition that few votes link to the rest (--without NAME)"
        )
    return ScoredVotes(cells.items, elo(observed), resampled, resamples, undecided, kind)


def percentile_interval(draws: Array, *, alpha: float) -> Interval:
    """Return the central 1 - alpha percentile interval of resampled values, shape (resamples,)."""
    low, high = np.quantile(draws, [alpha / 2, 1 - alpha / 2])
    return Interval(float(low), float(high))


def _resampled(cells: Cells, kind: Kind, resamples: int, rng: np.random.Generator) -> Iterator[Wins]:
    """Yield blocks of resampled win matrices."""
    per_block = max(1, _BLOCK // len(cells.items) ** 2)
    blocks = [min(per_block, resamples - done) for done in range(0, resamples, per_block)]
    if kind == "votes":
        counted = group_wins(cells, by="all")
        yield from (_drawn_votes(counted, block, rng) for block in blocks)
        return
    groups = group_wins(cells, by="participant" if kind == "participants" else "both")
    for block in blocks:
        people = _how_often(cells.participants, block, rng)
        if kind == "participants":
            yield groups.weighted(people)
        else:
            prompts = _how_often(cells.prompts, block, rng)
            yield groups.weighted((people[:, :, None] * prompts[:, None, :]).reshape(block, -1))


def _how_often(groups: int, resamples: int, rng: np.random.Generator) -> Array:
    """Return how often each group is drawn when as many are drawn as there are, shape (resamples, groups)."""
    return rng.multinomial(groups, np.full(groups, 1 / groups), size=resamples).astype(np.float64)


def _drawn_votes(counted: Wins, resamples: int, rng: np.random.Generator) -> Wins:
    """Return win matrices of as many votes as there were, drawn from them."""
    size = counted.decided.shape[-1]
    wins, ties = counted.decided[0], np.triu(np.broadcast_to(counted.tied[0], (size, size)))
    places, tied = np.flatnonzero(wins), np.flatnonzero(ties)
    counts = np.concatenate([wins.flat[places], ties.flat[tied]]).astype(np.int64)
    drawn = (
        _poisson(counts, resamples, rng) if len(counts) > _MANY else rng.multinomial(counts.sum(), counts / counts.sum(), size=resamples)
    )
    decided = _on_places(drawn[:, : len(places)], places, size)
    if not len(tied):
        return Wins(decided, np.zeros((1, 1, 1)))
    halves = _on_places(drawn[:, len(places) :], tied, size)
    return Wins(decided, halves + halves.transpose(0, 2, 1))


def _on_places(drawn: NDArray[np.int64], places: NDArray[np.int64], size: int) -> Array:
    """Return square matrices with the draws on the given flat places and 0 elsewhere."""
    flat = np.zeros((len(drawn), size * size))
    flat[:, places] = drawn
    return flat.reshape(-1, size, size)


def _poisson(counts: NDArray[np.int64], resamples: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return independent Poisson draws with these means, shape (resamples, counts).

    Given their sum they are the multinomial draws of the bootstrap; the sum itself varies by its square root, which for the
    many votes that this is for (over five thousand kinds of outcome) changes no interval. Inversion with 16 random bits, and
    with 53 more where those leave two values open, so that the draws are exact.
    """
    drawn = np.empty((resamples, len(counts)), dtype=np.int64)
    for count in np.unique(counts).tolist():
        where = np.flatnonzero(counts == count)
        drawn[:, where] = _poisson_of(count, (resamples, len(where)), rng)
    return drawn


def _poisson_of(mean: int, shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.int64]:
    from scipy.special import pdtr

    steps = 2**16
    values = pdtr(np.arange(mean + 12 * int(mean**0.5) + 30), mean)
    low = np.searchsorted(values, np.arange(steps) / steps, side="right")
    high = np.searchsorted(values, np.arange(1, steps + 1) / steps, side="left")
    slots = rng.integers(0, steps, size=shape, dtype=np.uint16)
    drawn: NDArray[np.int64] = low[slots]
    open_ = np.nonzero((low != high)[slots])
    drawn[open_] = np.searchsorted(values, (slots[open_] + rng.random(len(open_[0]))) / steps, side="right")
    return drawn
