"""How far a difference could be off for new people and new prompts: the two-way jackknife, for one study or thousands at once."""

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analysis.bradley_terry import ELO_PER_LOGIT, Array
from analysis.comparisons import Cells
from analysis.preference import By, Fits, Model, Wins, added, group_wins

Scope = Literal["these", "participants", "participants+prompts"]
SCOPES: tuple[Scope, ...] = ("these", "participants", "participants+prompts")
# Fewer participants, or prompts, tell nothing of new ones that a report could rely on.
FEWEST_CLUSTERS = 5


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
    fits_without: dict[By, Fits] = field(default_factory=dict)
    """The fits without each participant and each prompt, where the votes allow them, study by study: shape (studies x groups, ...)."""

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """The scopes that the votes allow."""
        return tuple(scope for scope in SCOPES if scope not in self.refused)


@dataclass(frozen=True, eq=False)
class Estimate:
    """Differences (in Elo unless told otherwise), standard errors and degrees of freedom, infinite for a normal one; any equal shape."""

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
    parts: dict[By, Fits] = {}
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
    both = None if "participants+prompts" in refused else _by_cell(influences(cells, inverse, fits), size)
    without = {by: part.strengths.reshape(*fits.strengths.shape[:1], -1, size) for by, part in parts.items()}
    return Spread(
        cells.items,
        fits.strengths,
        inverse[..., :size, :size],
        fits.chances(),
        cells.participants,
        cells.prompts,
        _jackknife(without.get("participant"), fits.strengths),
        _jackknife(without.get("prompt"), fits.strengths),
        both,
        without.get("participant"),
        without.get("prompt"),
        refused,
        parts,
    )


def with_enough(of: Spread) -> Spread:
    """Return the spread with only those scopes that have at least 5 participants and, for new prompts, 5 prompts; the rest refused."""
    few: dict[Scope, str] = {}
    for what, count, scopes in (("participants", of.participants, SCOPES[1:]), ("prompts", of.prompts, SCOPES[2:])):
        if count < FEWEST_CLUSTERS:
            few = dict.fromkeys(scopes, f"there are {count} {what}, and what holds for new ones needs at least {FEWEST_CLUSTERS}") | few
    return replace(of, refused={**few, **of.refused})


def estimate(of: Spread, a: NDArray[np.int64] | int, b: NDArray[np.int64] | int, scope: Scope) -> Estimate:
    """Return the differences between items at the places `a` and `b`, shape (studies, ...) like them.

    Scope `these` takes the model's standard error; `participants` the jackknife over participants with t(P - 1);
    `participants+prompts` max(V_P + V_Q - V_PQ, V_P, V_Q) with the degrees of freedom of `two_way_df`.
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
    df = two_way_df(people, prompts, cells, of.participants, of.prompts)
    return Estimate(difference, np.sqrt(two_way(people, prompts, cells)), df)


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
    prompts, cells = variances(of.by_prompt), variances(of.by_cell)
    df = two_way_df(people, prompts, cells, of.participants, of.prompts)
    return Estimate(difference, np.sqrt(two_way(people, prompts, cells)), df)


def two_way(people: Array, prompts: Array, cells: Array) -> Array:
    """Return the variance for new people and new prompts from those by participant, by prompt and by both."""
    found: Array = np.maximum(people + prompts - cells, np.maximum(people, prompts))
    return found


def two_way_df(people: Array, prompts: Array, cells: Array, participants: int, prompt_count: int) -> Array:
    """Return the degrees of freedom of `two_way`: of Satterthwaite (1946) for the sum of both, or of one part where that part decides.

    Where V_P or V_Q alone is the largest of the three, that variance is estimated from P participants or Q prompts and no more, so
    P - 1 or Q - 1 hold. The formula for the sum would count both, and new prompts would make an interval narrower. P - 1 hold also
    wherever the 95 % interval would still be narrower than the one of new participants alone.
    """
    by_people, by_prompts = participants - 1.0, prompt_count - 1.0
    one_decides = people + prompts - cells <= np.maximum(people, prompts)
    alone = np.where(people >= prompts, by_people, by_prompts)
    found = np.where(one_decides, alone, satterthwaite(people, prompts, participants, prompt_count))
    half = student_quantile(0.975, found) * np.sqrt(two_way(people, prompts, cells))
    narrower = half < student_quantile(0.975, np.asarray(by_people)) * np.sqrt(people)
    capped: Array = np.where(narrower, np.minimum(found, by_people), found)
    return capped


def satterthwaite(people: Array, prompts: Array, participants: int, prompt_count: int) -> Array:
    """Return the degrees of freedom of the sum of two variance estimates with P - 1 and Q - 1."""
    below = people**2 / (participants - 1) + prompts**2 / (prompt_count - 1)
    found: Array = (people + prompts) ** 2 / np.maximum(below, np.finfo(float).tiny)
    return np.maximum(found, 1.0)


def variance(covariances: Array, a: NDArray[np.int64] | int, b: NDArray[np.int64] | int) -> Array:
    """Return the variance of the difference between entries `a` and `b`, never below 0."""
    found: Array = np.maximum(covariances[..., a, a] + covariances[..., b, b] - 2 * covariances[..., a, b], 0.0)
    return found


def _without_each(cells: Cells, by: By, count: int, whole: Wins, model: Model, fits: Fits) -> Fits | str:
    """Return the fits without each group; where a study lacks one: not a number among many studies, in words why not of a single one."""
    studies, size = fits.strengths.shape
    grouped = group_wins(cells, by=by)
    repeated = Wins(np.repeat(whole.decided, count, axis=0), np.repeat(whole.tied, count, axis=0) if whole.tied.any() else whole.tied)
    rest = grouped.without_each(repeated)
    identified = model.identified(rest)
    if studies == 1 and not identified.all():
        return f"without one {by}, the votes do not put all conditions on one scale ({np.sum(~identified)} of {count})"
    fitted = model.fit(rest.chosen(identified), start=np.repeat(fits.strengths, count, axis=0)[identified])
    found = Fits(np.full((studies * count, size), np.nan), None if fitted.log_nu is None else np.full(studies * count, np.nan))
    found.strengths[identified] = fitted.strengths
    if found.log_nu is not None and fitted.log_nu is not None:
        found.log_nu[identified] = fitted.log_nu
    return found


def _jackknife(without: Array | None, strengths: Array) -> Array | None:
    if without is None:
        return None
    moved, groups = without - strengths[:, None, :], without.shape[1]
    found: Array = (groups - 1) / groups * np.swapaxes(moved, 1, 2) @ moved
    return found


def _by_cell(influence: Array, size: int) -> Array:
    """Return the sum of squared influences on the log-strengths of each participant at each prompt."""
    of_strengths = influence[:, :, :size]
    found: Array = np.swapaxes(of_strengths, 1, 2) @ of_strengths
    return found


def influences(cells: Cells, inverse: Array, fits: Fits) -> Array:
    """Return how far each participant at each prompt moves the log-strengths (and log nu last), shape (studies, groups, parameters).

    `inverse` is the model's covariance of all parameters; groups are numbered participant by participant.
    """
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
    found: Array = slope @ inverse
    return found
