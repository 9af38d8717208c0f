"""How far a difference could be off for new people and new prompts: the two-way jackknife, for one study or thousands at once."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analysis.bradley_terry import ELO_PER_LOGIT, Array
from analysis.comparisons import Cells
from analysis.preference import By, Fits, Model, Wins, added, group_wins

Scope = Literal["these", "participants", "participants+prompts"]
SCOPES: tuple[Scope, ...] = ("these", "participants", "participants+prompts")


@dataclass(frozen=True, eq=False)
class Spread:
    """The log-strengths of each study, shape (studies, items), and covariances of them, shape (studies, items, items).

    `model` takes each vote for an independent fact; `chances` holds P(win) + P(tie)/2 of the row against the column.
    `by_participant` and `by_prompt` are delete-one jackknife covariances, `by_cell` sums the squared influence of each
    participant at each prompt; None where the votes do not allow them, for the reason in `refused`, and not a number in those
    of many studies for which they do not exist.
    """

    items: tuple[str, ...]
    strengths: Array
    model: Array
    chances: Array
    participants: int
    prompts: int
    by_participant: Array | None = None
    by_prompt: Array | None = None
    by_cell: Array | None = None
    without_participant: Array | None = None
    without_prompt: Array | None = None
    refused: dict[Scope, str] = field(default_factory=dict)

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """The scopes that the votes allow."""
        return tuple(scope for scope in SCOPES if scope not in self.refused)


@dataclass(frozen=True, eq=False)
class Estimate:
    """Differences in Elo with standard errors and degrees of freedom (infinite for a normal distribution), any equal shape."""

    difference: Array
    standard_error: Array
    df: Array

    def interval(self, alpha: float) -> tuple[Array, Array]:
        """Return the bounds of the 1 - alpha interval."""
        half = student_quantile(1 - alpha / 2, self.df) * self.standard_error
        return self.difference - half, self.difference + half

    def p_above(self, bound: float = 0.0) -> Array:
        """Return the one-sided p-value of the difference being no more than `bound`."""
        return student_tail((self.difference - bound) / self.standard_error, self.df)

    def p_value(self) -> Array:
        """Return the two-sided p-value of no difference."""
        return 2 * student_tail(np.abs(self.difference) / self.standard_error, self.df)


def student_tail(value: Array, df: Array) -> Array:
    """Return how likely a t with `df` degrees of freedom exceeds `value`; a normal one where they are infinite."""
    from scipy.special import ndtr, stdtr

    found: Array = np.where(np.isinf(df), ndtr(-value), stdtr(np.where(np.isinf(df), 1.0, df), -value))
    return found


def student_quantile(probability: float, df: Array) -> Array:
    """Return the quantile of a t with `df` degrees of freedom; of a normal distribution where they are infinite."""
    from scipy.special import ndtri, stdtrit

    found: Array = np.where(np.isinf(df), ndtri(probability), stdtrit(np.where(np.isinf(df), 1.0, df), probability))
    return found


def spread(cells: Cells, *, model: Model, fits: Fits | None = None) -> Spread:
    """Return how far strengths could be off, for every scope that the votes allow; `fits` where they are known already.

    Raises:
        NotConvergedError: a fit did not reach its maximum.
    """
    whole = group_wins(cells, by="all")
    fits = fits or model.fit(whole, start=np.zeros(len(cells.items)))
    size = len(cells.items)
    inverse = model.inverse_information(whole, fits)
    parts: dict[By, Array] = {}
    refused: dict[Scope, str] = {}
    groups: tuple[tuple[By, int, Scope], ...] = (
        ("participant", cells.participants, "participants"),
        ("prompt", cells.prompts, "participants+prompts"),
    )
    for by, count, scope in groups:
        found = f"the votes are of one {by}" if count < 2 else _without_each(cells, by, count, whole, model, fits)
        if isinstance(found, str):
            refused |= {scope: found, "participants+prompts": found}
        else:
            parts[by] = found
    both = None if "participants+prompts" in refused else _by_cell(cells, inverse, fits)
    return Spread(
        cells.items,
        fits.strengths,
        inverse[..., :size, :size],
        fits.chances(),
        cells.participants,
        cells.prompts,
        _jackknife(parts.get("participant"), fits.strengths),
        _jackknife(parts.get("prompt"), fits.strengths),
        both,
        parts.get("participant"),
        parts.get("prompt"),
        refused,
    )


def estimate(of: Spread, a: NDArray[np.int64] | int, b: NDArray[np.int64] | int, scope: Scope) -> Estimate:
    """Return the differences between items at the places `a` and `b`, shape (studies, ...) like them.

    Scope `these` takes the model's standard error; `participants` the jackknife over participants with t(P - 1);
    `participants+prompts` max(V_P + V_Q - V_PQ, V_P, V_Q) with the degrees of freedom of Satterthwaite (1946).
    """
    scale = ELO_PER_LOGIT**2
    difference = ELO_PER_LOGIT * (of.strengths[..., a] - of.strengths[..., b])
    if scope == "these":
        return Estimate(difference, np.sqrt(scale * variance(of.model, a, b)), np.full(np.shape(difference), np.inf))
    if of.by_participant is None:
        raise ValueError(of.refused[scope])
    people = scale * variance(of.by_participant, a, b)
    if scope == "participants":
        return Estimate(difference, np.sqrt(people), np.full(np.shape(difference), of.participants - 1.0))
    if of.by_prompt is None or of.by_cell is None:
        raise ValueError(of.refused[scope])
    prompts, cells = scale * variance(of.by_prompt, a, b), scale * variance(of.by_cell, a, b)
    return Estimate(difference, np.sqrt(two_way(people, prompts, cells)), satterthwaite(people, prompts, of.participants, of.prompts))


def score_estimate(of: Spread, scope: Scope, *, anchor: int | None = None) -> Estimate:
    """Return each item's Elo score less 1000, shape (studies, items), as far as `scope` lets it be known.

    A score is a difference, to the mean of all items or to the item at the place `anchor`, so the same rules give its interval as
    give that of any two items (see `estimate`). An anchor's own score has a standard error of 0.

    Raises:
        ValueError: the votes do not allow the scope.
    """
    size = len(of.items)
    mean = np.full(size, 1 / size) if anchor is None else np.eye(size)[anchor]
    weights = np.eye(size) - mean
    difference = ELO_PER_LOGIT * of.strengths @ weights.T

    def variances(covariances: Array) -> Array:
        found: Array = ELO_PER_LOGIT**2 * (weights @ covariances * weights).sum(axis=-1)
        return np.maximum(found, 0.0)

    if scope == "these":
        return Estimate(difference, np.sqrt(variances(of.model)), np.full(difference.shape, np.inf))
    if scope in of.refused or of.by_participant is None:
        raise ValueError(of.refused[scope])
    people = variances(of.by_participant)
    if scope == "participants":
        return Estimate(difference, np.sqrt(people), np.full(difference.shape, of.participants - 1.0))
    if of.by_prompt is None or of.by_cell is None:
        raise ValueError(of.refused[scope])
    prompts = variances(of.by_prompt)
    df = satterthwaite(people, prompts, of.participants, of.prompts)
    return Estimate(difference, np.sqrt(two_way(people, prompts, variances(of.by_cell))), df)


def two_way(people: Array, prompts: Array, cells: Array) -> Array:
    """Return the variance for new people and new prompts from those by participant, by prompt and by both."""
    found: Array = np.maximum(people + prompts - cells, np.maximum(people, prompts))
    return found


def satterthwaite(people: Array, prompts: Array, participants: int, prompt_count: int) -> Array:
    """Return the degrees of freedom of the sum of two variance estimates with P - 1 and Q - 1."""
    below = people**2 / (participants - 1) + prompts**2 / (prompt_count - 1)
    found: Array = (people + prompts) ** 2 / np.maximum(below, np.finfo(float).tiny)
    return np.maximum(found, 1.0)


def variance(covariances: Array, a: NDArray[np.int64] | int, b: NDArray[np.int64] | int) -> Array:
    """Return the variance of the difference between entries `a` and `b`, never below 0."""
    found: Array = np.maximum(covariances[..., a, a] + covariances[..., b, b] - 2 * covariances[..., a, b], 0.0)
    return found


def _without_each(cells: Cells, by: By, count: int, whole: Wins, model: Model, fits: Fits) -> Array | str:
    """Return the log-strengths without each group, shape (studies, groups, items); in words why not, where one study lacks one."""
    studies, size = fits.strengths.shape
    grouped = group_wins(cells, by=by)
    repeated = Wins(np.repeat(whole.decided, count, axis=0), np.repeat(whole.tied, count, axis=0) if whole.tied.any() else whole.tied)
    rest = grouped.without_each(repeated)
    identified = model.identified(rest)
    if studies == 1 and not identified.all():
        return f"without one {by}, the votes do not put all conditions on one scale ({np.sum(~identified)} of {count})"
    found = np.full((studies * count, size), np.nan)
    found[identified] = model.fit(rest.chosen(identified), start=np.repeat(fits.strengths, count, axis=0)[identified]).strengths
    return found.reshape(studies, count, size)


def _jackknife(without: Array | None, strengths: Array) -> Array | None:
    if without is None:
        return None
    moved, groups = without - strengths[:, None, :], without.shape[1]
    found: Array = (groups - 1) / groups * np.swapaxes(moved, 1, 2) @ moved
    return found


def _by_cell(cells: Cells, inverse: Array, fits: Fits) -> Array:
    """Return the sum of squared influences on the log-strengths of each participant at each prompt."""
    size, groups = len(cells.items), cells.participants * cells.prompts
    group = cells.participant * cells.prompts + cells.prompt
    shown = cells.left_wins + cells.right_wins + cells.ties
    ahead = np.atleast_2d(cells.left_wins + cells.ties / 2) - shown * fits.chances()[:, cells.left, cells.right]
    both = np.concatenate([ahead, -ahead], axis=1)
    slope = np.stack([added(row, np.concatenate([group * size + cells.left, group * size + cells.right]), groups * size) for row in both])
    slope = slope.reshape(-1, groups, size)
    if fits.log_nu is not None:
        tied = np.atleast_2d(cells.ties) - shown * fits.tie_chances()[:, cells.left, cells.right]
        more = np.stack([added(row, group, groups) for row in tied])
        slope = np.concatenate([slope, more[:, :, None]], axis=2)
    influence = (slope @ inverse)[:, :, :size]
    found: Array = np.swapaxes(influence, 1, 2) @ influence
    return found
