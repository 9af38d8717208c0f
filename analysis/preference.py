"""The model of a choice on counted votes, with ties where there are any: fitted once, and for thousands of resamples alike."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analysis import bradley_terry, ties
from analysis.bradley_terry import Array
from analysis.comparisons import Cells, Codes

By = Literal["all", "participant", "prompt", "both"]
_NO_TIES = np.zeros((1, 1, 1))


@dataclass(frozen=True, eq=False)
class Wins:
    """Win matrices of groups of votes, or of weighted sums of groups: shape (groups, items, items).

    `decided[g, i, j]` counts how often item i beat item j, `tied` (symmetric) how often neither did; where there are no ties at
    all, `tied` has the shape (1, 1, 1).
    """

    decided: Array
    tied: Array

    @property
    def halved(self) -> Array:
        """The win matrices in which a tie is half a win for each of the two."""
        return self.decided + self.tied / 2 if self.tied.any() else self.decided

    @property
    def tie_counts(self) -> Array:
        """How many votes were ties, shape (groups,)."""
        counts: Array = np.broadcast_to(self.tied.sum(axis=(1, 2)) / 2, len(self.decided))
        return counts

    def chosen(self, which: NDArray[np.bool_]) -> "Wins":
        """Return some of the groups."""
        return Wins(self.decided[which], self.tied[which] if len(self.tied) == len(self.decided) else self.tied)

    def weighted(self, weights: Array) -> "Wins":
        """Return weighted sums of the groups; `weights` has shape (sums, groups)."""
        size = self.decided.shape[-1]

        def summed(part: Array) -> Array:
            found: Array = (weights @ part.reshape(len(part), -1)).reshape(-1, size, size)
            return found

        return Wins(summed(self.decided), summed(self.tied) if self.tied.any() else _NO_TIES)

    def without_each(self, whole: "Wins") -> "Wins":
        """Return what is left of the whole when one group at a time is taken out."""
        return Wins(whole.decided - self.decided, whole.tied - self.tied if self.tied.any() else whole.tied)


@dataclass(frozen=True, eq=False)
class Fits:
    """Centred log-strengths, shape (fits, items), and Davidson's log nu, shape (fits,), None where ties play no part."""

    strengths: Array
    log_nu: Array | None

    def chances(self) -> Array:
        """Return P(win) + P(tie)/2 of the row against the column, shape (fits, items, items)."""
        if self.log_nu is not None:
            return ties.davidson_chances(self.strengths, self.log_nu)[0]
        gap = self.strengths[:, :, None] - self.strengths[:, None, :]
        found: Array = 1 / (1 + np.exp(-gap))
        return found

    def tie_chances(self) -> Array:
        """Return P(tie) of each two items, shape (fits, items, items), or a zero."""
        return _NO_TIES if self.log_nu is None else ties.davidson_chances(self.strengths, self.log_nu)[1]


@dataclass(frozen=True)
class Model:
    """How choices depend on strengths: Bradley and Terry (1952), with ties as Davidson (1970) where `davidson`, else halved.

    `regularise` adds half a pseudo-win each way between every two items: numbers to look at, which support no claim.
    """

    davidson: bool = False
    regularise: bool = False

    @property
    def in_words(self) -> str:
        """The model's name for a reader."""
        name = "Bradley-Terry model with ties after Davidson (1970)" if self.davidson else "Bradley-Terry model"
        return f"{name}, regularised by half a pseudo-win each way" if self.regularise else name

    def identified(self, wins: Wins) -> NDArray[np.bool_]:
        """Return which of many win matrices identify all strengths, shape (groups,).

        Ties link two items only where they are half wins: in Davidson's model an item with ties and no win may have no finite
        score, so that there the wins alone must join all items (which is sufficient).
        """
        if self.regularise:
            return np.ones(len(wins.decided), dtype=bool)
        return bradley_terry.are_identified(wins.decided if self.davidson else wins.halved)

    def fit(self, wins: Wins, *, start: Array, tolerance: float = 1e-9) -> Fits:
        """Return the maximum-likelihood fit of each of many identified win matrices.

        Raises:
            NotConvergedError: one did not reach its maximum.
        """
        halved = bradley_terry.regularised(wins.halved) if self.regularise else wins.halved
        if not self.davidson:
            return Fits(bradley_terry.strengths_of_many(halved, start=start, tolerance=tolerance), None)
        # A resample may have lost all its ties: it then holds next to none, rather than a tie parameter of minus infinity.
        return Fits(*ties.davidson_of_many(halved, np.maximum(wins.tie_counts, 1e-3), start=start, tolerance=tolerance))

    def inverse_information(self, wins: Wins, fits: Fits) -> Array:
        """Return the model's covariance of log-strengths (and log nu last), shape (fits, parameters, parameters)."""
        halved = bradley_terry.regularised(wins.halved) if self.regularise else wins.halved
        if fits.log_nu is None:
            return bradley_terry.covariance(halved, fits.strengths)
        compared = halved + np.swapaxes(halved, -1, -2)
        bend = ties.fixed(ties.davidson_information(compared, fits.strengths, fits.log_nu))
        inverse = np.asarray(np.linalg.inv(bend), dtype=np.float64)
        size = fits.strengths.shape[-1]
        inverse[..., :size, :] -= inverse[..., :size, :].mean(axis=-2, keepdims=True)
        inverse[..., :, :size] -= inverse[..., :, :size].mean(axis=-1, keepdims=True)
        return inverse


def group_wins(cells: Cells, *, by: By) -> Wins:
    """Return the win matrices of all votes, of each participant, of each prompt, or of each participant at each prompt.

    Of many studies (counts of shape (studies, cells)) the groups follow each other study by study.
    """
    groups, group = _groups(cells, by)
    size = len(cells.items)
    there = (group * size + cells.left) * size + cells.right
    back = (group * size + cells.right) * size + cells.left

    def squares(one: NDArray[np.int64], other: NDArray[np.int64]) -> Array:
        found = added(one, there, groups * size**2) + added(other, back, groups * size**2)
        return found.reshape(groups * (len(found) if found.ndim > 1 else 1), size, size)

    decided = squares(cells.left_wins, cells.right_wins)
    return Wins(decided, squares(cells.ties, cells.ties) if cells.ties.any() else _NO_TIES)


def added(values: NDArray[np.int64] | Array, places: Codes, size: int) -> Array:
    """Return the sums of values, shape (..., cells), that fall on the same place, shape (..., size)."""
    if values.ndim == 1:
        return np.bincount(places, values, size).astype(np.float64, copy=False)
    from scipy.sparse import csr_array

    onto = csr_array((np.ones(len(places)), (places, np.arange(len(places)))), shape=(size, len(places)))
    found: Array = np.ascontiguousarray((onto @ values.T.astype(np.float64)).T)
    return found


def _groups(cells: Cells, by: By) -> tuple[int, Codes]:
    match by:
        case "participant":
            return cells.participants, cells.participant
        case "prompt":
            return cells.prompts, cells.prompt
        case "both":
            return cells.participants * cells.prompts, cells.participant * cells.prompts + cells.prompt
        case "all":
            return 1, np.zeros(len(cells.left), dtype=np.int64)
