"""The same difference measured in several independent studies: how far they are apart, and what they say together."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.bradley_terry import Array
from analysis.jackknife import Estimate
from stimuli.experiment import ExperimentError


@dataclass(frozen=True)
class Measured:
    """A difference in Elo as one study measured it; `df` are the t distribution's degrees of freedom, None for a normal one."""

    difference: float
    standard_error: float
    df: float | None = None


@dataclass(frozen=True)
class Found:
    """An estimate in Elo with its 1 - alpha interval and two-sided p-value of zero; `df` is None for a normal distribution."""

    difference: float
    standard_error: float
    df: float | None
    low: float
    high: float
    p_value: float


@dataclass(frozen=True)
class Heterogeneity:
    """Whether studies differ by more than chance: Cochran's Q, and Welch's F of it with its degrees of freedom and p-value.

    `df` of the denominator is None where every study's is normal; F times `studies - 1` is Q then, a chi-squared.
    """

    q: float
    studies: int
    f: float
    df: float | None
    p_value: float


def interval(one: Measured, *, alpha: float = 0.05) -> Found:
    """Return what one study found, with its interval and p-value."""
    return _found(one.difference, one.standard_error, _df(one), alpha)


def change(first: Measured, second: Measured, *, alpha: float = 0.05) -> Found:
    """Return the second difference minus the first, of two studies that share neither people nor chance.

    The variances add; the degrees of freedom are Welch's (1947) and Satterthwaite's (1946). A normal part has none to lose.

    Raises:
        ExperimentError: a standard error is not a positive number.
    """
    _require_errors([first, second])
    parts = np.array([first.standard_error, second.standard_error]) ** 2
    return _found(second.difference - first.difference, math.sqrt(parts.sum()), _satterthwaite(parts, [first, second]), alpha)


def combined(studies: Sequence[Measured], *, alpha: float = 0.05) -> Found:
    """Return the mean difference weighted by inverse variances: one true difference that every study measured (fixed effect).

    The weights are estimates too, which the usual 1/sum(w) forgets; the variance is that of Meier (1953, "Variance of a weighted
    mean", Biometrics 9), with t at Satterthwaite's degrees of freedom. For known variances both are the textbook's.

    Raises:
        ExperimentError: there are fewer than two studies, or a standard error is not a positive number.
    """
    _require_errors(studies)
    weights, total = _weights(studies)
    shares = weights / total
    lost = sum(share * (1 - share) / _df(one) for share, one in zip(shares, studies, strict=True))
    error = math.sqrt((1 + 4 * lost) / total)
    return _found(_mean(studies, shares), error, _satterthwaite(shares, studies), alpha)


def heterogeneity(studies: Sequence[Measured]) -> Heterogeneity:
    """Return whether the studies measured one difference: Cochran's (1954) Q, tested as Welch's (1951) F.

    Q is a chi-squared only where the variances are known. Welch's F knows that they are estimates; for two studies its p-value is
    that of `change`, and with infinite degrees of freedom that of Q.

    Raises:
        ExperimentError: there are fewer than two studies, or a standard error is not a positive number.
    """
    from scipy.stats import chi2
    from scipy.stats import f as f_distribution

    _require_errors(studies)
    number = len(studies)
    weights, total = _weights(studies)
    shares = weights / total
    centre = _mean(studies, shares)
    q = float(sum(weight * (one.difference - centre) ** 2 for weight, one in zip(weights, studies, strict=True)))
    spread = sum((1 - share) ** 2 / _df(one) for share, one in zip(shares, studies, strict=True))
    f = q / (number - 1) / (1 + 2 * (number - 2) / (number**2 - 1) * spread)
    if not spread:
        return Heterogeneity(q, number, f, None, float(chi2.sf(q, number - 1)))
    df = (number**2 - 1) / (3 * spread)
    return Heterogeneity(q, number, f, df, float(f_distribution.sf(f, number - 1, df)))


def _weights(studies: Sequence[Measured]) -> tuple[Array, float]:
    weights = np.array([1 / one.standard_error**2 for one in studies])
    return weights, float(weights.sum())


def _mean(studies: Sequence[Measured], shares: Array) -> float:
    return float(sum(share * one.difference for share, one in zip(shares, studies, strict=True)))


def _satterthwaite(parts: Array, studies: Sequence[Measured]) -> float:
    """Return the degrees of freedom of a sum of independent variances; infinite where each of them is known."""
    below = sum(part**2 / _df(one) for part, one in zip(parts, studies, strict=True))
    return float(parts.sum() ** 2 / below) if below else math.inf


def _df(one: Measured) -> float:
    return math.inf if one.df is None else one.df


def _found(difference: float, error: float, df: float, alpha: float) -> Found:
    estimate = Estimate(np.array(difference), np.array(error), np.array(df))
    low, high = estimate.interval(alpha)
    return Found(difference, error, None if math.isinf(df) else df, float(low), float(high), float(estimate.p_value()))


def _require_errors(studies: Sequence[Measured]) -> None:
    if len(studies) < 2:
        raise ExperimentError(f"studies are compared with each other, and there is {len(studies)}; give at least two")
    for one in studies:
        if not (math.isfinite(one.standard_error) and one.standard_error > 0):
            raise ExperimentError(
                f"a difference has the standard error {one.standard_error:g}, so nothing says how far off it is; run its analysis again"
            )
