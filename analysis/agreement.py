"""How far people agree about the same pairs of images: Krippendorff's alpha with an interval over people, and Fleiss' kappa."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stimuli.experiment import ExperimentError
from study.votes import Vote

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

MISSING = -1
FIRST, SECOND, TIE = 0, 1, 2
# Numbers in one block of resampled counts; bounds the memory of large studies.
_BLOCK = 8_000_000


@dataclass(frozen=True, eq=False)
class Judgements:
    """Who preferred what: `values[p, u]` is FIRST, SECOND, TIE or MISSING for participant p and the pair of stimuli u."""

    participants: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    values: Codes


@dataclass(frozen=True)
class Agreement:
    """Agreement between people, 1 where they always agree and 0 at chance; None where it is not defined, which `notes` explain.

    `low` and `high` bound alpha over participants drawn again; `undefined` of the `resamples` gave no alpha and are in no interval.
    """

    alpha: float | None
    low: float | None
    high: float | None
    kappa: float | None
    participants: int
    pairs: int
    resamples: int
    undefined: int
    notes: tuple[str, ...]


def judgements(votes: Sequence[Vote]) -> Judgements:
    """Return each participant's first judgement of every pair of stimuli; later ones of the same pair are test-retest, not agreement."""
    people = {name: place for place, name in enumerate(sorted({vote.participant for vote in votes}))}
    pairs = {pair: place for place, pair in enumerate(sorted({pair_of(vote) for vote in votes}))}
    values = np.full((len(people), len(pairs)), MISSING, dtype=np.int64)
    for vote in sorted(votes, key=lambda vote: (vote.participant, vote.position)):
        place = people[vote.participant], pairs[pair_of(vote)]
        if values[place] == MISSING:
            values[place] = preferred(vote)
    return Judgements(tuple(people), tuple(pairs), values)


def pair_of(vote: Vote) -> tuple[str, str]:
    """Return the two stimuli of a vote in alphabetical order, whichever side they were on."""
    one, other = sorted((vote.left_stimulus, vote.right_stimulus))
    return one, other


def preferred(vote: Vote) -> int:
    """Return which stimulus of `pair_of(vote)` was preferred: FIRST, SECOND or TIE."""
    if vote.choice == "tie":
        return TIE
    return FIRST if (vote.choice == "left") == (vote.left_stimulus <= vote.right_stimulus) else SECOND


def krippendorff_alpha(values: Codes) -> float:
    """Return Krippendorff's alpha for nominal values, shape (raters, units), MISSING where a rater gave none.

    Krippendorff (2011), "Computing Krippendorff's alpha-reliability", equation for nominal data with missing values.

    Raises:
        ExperimentError: no unit has two values, or all values are the same, so that alpha is not defined.
    """
    (found,) = _alphas(values, np.ones((1, len(values))))
    if np.isnan(found):
        raise ExperimentError(
            "Krippendorff's alpha is not defined: no pair was judged by two people, or all judgements are the same; collect more votes"
        )
    return float(found)


def fleiss_kappa(counts: Codes) -> float:
    """Return Fleiss' (1971) kappa; `counts[u, c]` is how many raters put unit u into category c.

    Raises:
        ExperimentError: units have different numbers of raters or fewer than two, or all ratings are in one category.
    """
    raters = counts.sum(axis=1)
    if not len(counts) or raters.min() != raters.max() or raters[0] < 2:
        found = f"between {raters.min()} and {raters.max()}" if len(counts) else "no units"
        raise ExperimentError(
            f"Fleiss' kappa needs the same number of judgements, at least two, for every unit; found {found}. Use Krippendorff's alpha"
        )
    number = int(raters[0])
    share = counts.sum(axis=0) / counts.sum()
    expected = float(np.sum(share**2))
    if expected == 1:
        raise ExperimentError("Fleiss' kappa is not defined: all judgements are the same; collect more votes")
    observed = float(np.mean((np.sum(counts**2, axis=1) - number) / (number * (number - 1))))
    return (observed - expected) / (1 - expected)


def alpha_resamples(values: Codes, *, resamples: int, rng: np.random.Generator) -> Array:
    """Return alpha with the raters drawn again, shape (resamples,); NaN where it is not defined.

    A rater who is drawn twice is never compared with himself: his copies agree always, which would make people look alike.
    """
    size = len(values)
    weights = rng.multinomial(size, np.full(size, 1 / size), size=resamples).astype(np.float64)
    return _alphas(values, weights)


def agreement(votes: Sequence[Vote], *, resamples: int = 1000, alpha: float = 0.05, rng: np.random.Generator) -> Agreement:
    """Return how far participants agree about the same pairs of stimuli, with a 1 - alpha percentile interval over participants.

    Low agreement is taste or noise; the test-retest of `analysis.quality` tells which.
    """
    table = judgements(votes)
    notes: list[str] = []
    found = low = high = kappa = None
    undefined = 0
    try:
        found = krippendorff_alpha(table.values)
        draws = alpha_resamples(table.values, resamples=resamples, rng=rng)
        undefined = int(np.isnan(draws).sum())
        low, high = _interval(draws, alpha)
        if low is None:
            notes.append(f"{undefined:,} of {resamples:,} resamples of the participants give no alpha, so there is no interval")
    except ExperimentError as error:
        notes.append(str(error))
    try:
        kappa = fleiss_kappa(_counted(table.values))
    except ExperimentError as error:
        notes.append(str(error))
    return Agreement(found, low, high, kappa, len(table.participants), len(table.pairs), resamples, undefined, tuple(notes))


def _interval(draws: Array, alpha: float) -> tuple[float | None, float | None]:
    """Return the percentile interval of the defined draws, or nothing where most are not."""
    defined = draws[~np.isnan(draws)]
    if len(defined) < len(draws) / 2:
        return None, None
    low, high = np.quantile(defined, [alpha / 2, 1 - alpha / 2])
    return float(low), float(high)


def _counted(values: Codes) -> Codes:
    """Return how many raters gave each unit each value, shape (units, values)."""
    return np.stack([(values == code).sum(axis=0) for code in np.unique(values[values != MISSING])], axis=1).astype(np.int64)


def _alphas(values: Codes, weights: Array) -> Array:
    """Return alpha for each row of rater weights, shape (rows of `weights`,), NaN where it is not defined."""
    codes = np.unique(values[values != MISSING])
    if not len(codes):
        return np.full(len(weights), np.nan)
    one_hot = (values[:, :, None] == codes).astype(np.float64)
    flat = one_hot.reshape(len(values), -1)
    shape = (-1, values.shape[1], len(codes))
    step = max(1, _BLOCK // max(1, flat.shape[1]))
    blocks = [weights[start : start + step] for start in range(0, len(weights), step)]
    return np.concatenate([_alpha((block @ flat).reshape(shape), (block**2 @ flat).reshape(shape)) for block in blocks])


def _alpha(counts: Array, squares: Array) -> Array:
    """Return alpha from the weights of each value in each unit and the sums of their squares, shape (rows, units, values)."""
    total = counts.sum(axis=2)
    # Ordered pairs of values of two different raters; with weights of 0 and 1 this is m(m - 1).
    pairs = total**2 - squares.sum(axis=2)
    paired = pairs > 1e-9
    equal = (counts**2 - squares).sum(axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        agreeing = np.where(paired, equal * total / pairs, 0.0).sum(axis=1)
        margin = np.where(paired[:, :, None], counts, 0.0).sum(axis=1)
        number = margin.sum(axis=1)
        expected = 1 - (margin * (margin - 1)).sum(axis=1) / (number * (number - 1))
        found: Array = 1 - (1 - agreeing / number) / expected
    found[~(expected > 1e-12)] = np.nan
    return found
