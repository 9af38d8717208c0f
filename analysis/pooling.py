"""How conditions do with each participant and at each prompt: few votes are drawn toward everybody's, as far as they deserve."""

import numpy as np

from analysis.bradley_terry import ELO_PER_LOGIT, Array, are_identified, elo, strengths_of_many
from analysis.comparisons import Cells
from analysis.preference import By, Fits, group_wins
from analysis.results import Between, Pooled

_STEPS = 60


def pooled(
    cells: Cells, fits: Fits, *, by: By, names: tuple[str, ...], iterations: int = 30
) -> tuple[tuple[Pooled, ...], tuple[Between, ...]]:
    """Return the scores of each group and how much each condition's differ between groups (standard deviation in Elo).

    A group's log-strengths are taken as normal around those of all votes, with one standard deviation a condition, estimated
    by the EM algorithm with the normal approximation of each group's likelihood (Laplace); a tie is half a win each. The raw
    score is the group's own fit, None where its votes do not put the condition on its scale. The mean of each group's scores is
    1000, drawn or raw, and the standard deviations are those of scores with that mean: votes tell differences only.
    """
    wins = group_wins(cells, by=by).halved
    overall = fits.strengths[0]
    spread = np.full(len(overall), 0.1)
    modes = np.tile(overall, (len(wins), 1))
    covariances = np.zeros((len(wins), len(overall), len(overall)))
    for _ in range(iterations):
        modes, covariances = _posterior(wins, overall, spread, modes)
        spread = np.maximum(((modes - overall) ** 2 + np.diagonal(covariances, axis1=1, axis2=2)).mean(axis=0), 1e-8)
    raw = _raw(wins, overall)
    scores, errors = _centred(modes, covariances)
    groups = tuple(
        Pooled(by, names[group], item, _number(raw[group, place]), float(scores[group, place]), float(errors[group, place]))
        for group in range(len(wins))
        for place, item in enumerate(cells.items)
    )
    between = _around_the_mean(np.diag(spread))
    return groups, tuple(Between(by, item, float(ELO_PER_LOGIT * between[place] ** 0.5)) for place, item in enumerate(cells.items))


def _posterior(wins: Array, overall: Array, spread: Array, start: Array) -> tuple[Array, Array]:
    """Return the mode of each group's log-strengths and their covariance, shapes (groups, items) and (groups, items, items)."""
    compared, won = wins + np.swapaxes(wins, 1, 2), wins.sum(axis=2)
    at, places, bend = start.copy(), np.arange(len(overall)), np.zeros_like(wins)
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(at[:, None, :] - at[:, :, None]))
        weight = compared * chance * (1 - chance)
        bend = -weight
        bend[:, places, places] += weight.sum(axis=2) + 1 / spread
        slope = won - (compared * chance).sum(axis=2) - (at - overall) / spread
        step = np.linalg.solve(bend, slope[:, :, None])[:, :, 0]
        largest = np.abs(step).max()
        at += step / max(1.0, float(largest))
        if largest < 1e-7:
            break
    return at, np.asarray(np.linalg.inv(bend), dtype=np.float64)


def _centred(modes: Array, covariances: Array) -> tuple[Array, Array]:
    """Return each group's scores in Elo around their mean, 1000, and their standard errors."""
    size = modes.shape[1]
    centre = np.eye(size) - 1 / size
    return 1000 + ELO_PER_LOGIT * modes @ centre, ELO_PER_LOGIT * np.sqrt(_around_the_mean(covariances))


def _around_the_mean(covariances: Array) -> Array:
    """Return the variance of each item less the mean of all, of covariances of the shape (..., items, items).

    >>> _around_the_mean(np.diag([1.0, 0.0]))
    array([0.25, 0.25])
    """
    size = covariances.shape[-1]
    centre = np.eye(size) - 1 / size
    found: Array = np.maximum((centre @ covariances * centre).sum(axis=-1), 0.0)
    return found


def _raw(wins: Array, overall: Array) -> Array:
    """Return each group's own Elo scores; not a number where its votes identify none."""
    found = np.full((len(wins), len(overall)), np.nan)
    identified = are_identified(wins)
    if identified.any():
        found[identified] = elo(strengths_of_many(wins[identified], start=overall))
    return found


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
