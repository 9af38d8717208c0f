"""A second look with other models, each clearly on its own scale and never in one table with the Elo scores."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.bradley_terry import Array, elo
from analysis.comparisons import Cells, Codes
from analysis.preference import Model, Wins, added

GEE_CAVEAT = (
    "Log-odds of a choice, averaged over participants (GEE, logistic, exchangeable within a participant, robust standard errors). "
    "Not Elo, and prompts count as given. With fewer than about 40 participants its standard errors are too small."
)
QUALITY_CAVEAT = (
    "Raters are weighted by how well they agree with everybody's scale (after BBQ, arXiv 2510.09333). This takes honest people with a "
    "taste of their own for poor raters: weighting by agreement with the fit favours the majority's taste. "
    "For comparison only; it never supports a claim."
)


@dataclass(frozen=True)
class LogOdds:
    """A condition's log-odds against the mean of all, with its standard error."""

    condition: str
    log_odds: float
    standard_error: float


@dataclass(frozen=True)
class Secondary:
    """Estimates of a secondary model; `left` is what the left side is worth, in log-odds."""

    conditions: tuple[LogOdds, ...]
    left: float
    left_standard_error: float
    caveat: str


@dataclass(frozen=True)
class WeightedScore:
    """A condition's score in Elo (mean 1000) with votes weighted by their participants, and with the same ones counted alike.

    A tie is half a win for each of the two in both.
    """

    condition: str
    elo: float
    unweighted_elo: float


def gee(cells: Cells) -> Secondary | None:
    """Return the logistic GEE of choices, clustered by participant (Liang & Zeger 1986); None with fewer than two participants.

    Ties are left out of this model; the main analysis has them.
    """
    if cells.participants < 2:
        return None
    from statsmodels.api import families
    from statsmodels.genmod.cov_struct import Exchangeable
    from statsmodels.genmod.generalized_estimating_equations import GEE

    size = len(cells.items)
    design = np.zeros((len(cells.left), size + 1))
    rows = np.arange(len(cells.left))
    design[rows, cells.left] += 1
    design[rows, cells.right] -= 1
    design[:, size] = 1
    # Contrasts against the last condition, turned into those against the mean below.
    columns = np.delete(design, size - 1, axis=1)
    repeated, chosen, cluster = _one_row_each(columns, cells)
    found = GEE(chosen, repeated, groups=cluster, family=families.Binomial(), cov_struct=Exchangeable()).fit()
    center = np.zeros((size, size))
    center[:, : size - 1] = np.vstack([np.eye(size - 1), np.zeros(size - 1)]) - 1 / size
    turned = center[:, : size - 1]
    odds, errors = turned @ found.params[:-1], np.sqrt(np.diag(turned @ found.cov_params()[:-1, :-1] @ turned.T))
    return Secondary(
        tuple(LogOdds(item, float(odds[place]), float(errors[place])) for place, item in enumerate(cells.items)),
        float(found.params[-1]),
        float(found.bse[-1]),
        GEE_CAVEAT,
    )


def _one_row_each(columns: Array, cells: Cells) -> tuple[Array, NDArray[np.int64], Codes]:
    times = np.concatenate([cells.left_wins, cells.right_wins])
    chosen = np.repeat(np.repeat([1, 0], len(cells.left)), times)
    return np.repeat(np.vstack([columns, columns]), times, axis=0), chosen, np.repeat(np.tile(cells.participant, 2), times)


def rater_weights(cells: Cells, strengths: Array, *, iterations: int = 50) -> Array:
    """Return how reliable each participant looks, shape (participants,): the share of answers from the common scale, not from a coin.

    An expectation-maximisation over answers, each either a draw from the Bradley-Terry model with the given log-strengths or a
    coin flip, in the spirit of BBQ (arXiv 2510.09333), with a Beta(2, 1) prior; there the scale is estimated along. See QUALITY_CAVEAT.
    """
    chance = 1 / (1 + np.exp(strengths[cells.right] - strengths[cells.left]))
    wins, losses = cells.left_wins + cells.ties / 2, cells.right_wins + cells.ties / 2
    answers = np.bincount(cells.participant, wins + losses, cells.participants)
    reliable = np.full(cells.participants, 0.8)
    for _ in range(iterations):
        share = reliable[cells.participant]
        meant = wins * share * chance / (share * chance + (1 - share) / 2)
        meant += losses * share * (1 - chance) / (share * (1 - chance) + (1 - share) / 2)
        reliable = (np.bincount(cells.participant, meant, cells.participants) + 1) / (answers + 1)
    return reliable


def weighted_scores(cells: Cells, weights: Array, *, start: Array, regularise: bool = False) -> tuple[WeightedScore, ...]:
    """Return the Bradley-Terry scores with each vote counted as its participant's weight, shape (participants,), highest first.

    `start` are log-strengths to begin from. After BBQ (arXiv 2510.09333), with weights that are found once and then kept. They are
    for comparison only, see QUALITY_CAVEAT.

    Raises:
        ExperimentError: the votes do not put all conditions on one scale.
    """
    # Weights are positive, so that they join just the conditions that the votes join.
    alike = np.ones(cells.participants)
    both = np.concatenate([_weighted_wins(cells, weights), _weighted_wins(cells, alike)])
    fits = Model(regularise=regularise).fit(Wins(both, np.zeros((1, 1, 1))), start=start)
    weighted, unweighted = elo(fits.strengths)
    found = (WeightedScore(item, float(weighted[place]), float(unweighted[place])) for place, item in enumerate(cells.items))
    return tuple(sorted(found, key=lambda score: (-score.elo, score.condition)))


def _weighted_wins(cells: Cells, weights: Array) -> Array:
    """Return the weighted win matrix, shape (1, items, items), ties halved."""
    size, weight = len(cells.items), weights[cells.participant]
    left = added(weight * (cells.left_wins + cells.ties / 2), cells.left * size + cells.right, size**2)
    right = added(weight * (cells.right_wins + cells.ties / 2), cells.right * size + cells.left, size**2)
    found: Array = (left + right).reshape(1, size, size)
    return found
