"""Does one score a condition tell what people chose? For every pair compared, the observed share beside the one the fit expects."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.bradley_terry import Array
from analysis.comparisons import Cells, Codes
from analysis.jackknife import Estimate, Scope, Spread, influences, two_way, two_way_df, variance
from analysis.preference import By, Fits, Model, added, group_wins
from analysis.results import PairFit

# A gap that is 0 whatever people choose misses it by rounding only; a real standard error so small would take 10^11 votes.
_ROUNDING = 1e-6
# Numbers in one table of gaps by group and pair; above it nothing is told, rather than gigabytes filled.
_MOST = 20_000_000


@dataclass(frozen=True, eq=False)
class Gaps:
    """Observed less expected share of the first of each pair, a tie counting half.

    `one` and `other` are the places of its conditions, shape (pairs,); the rest has shape (studies, pairs). Where the gap is 0
    whatever people choose, as for the only pair that links two groups of conditions, the standard error is not a number.
    """

    one: Codes
    other: Codes
    votes: Array
    observed: Array
    expected: Array
    estimate: Estimate


def pair_fits(
    cells: Cells, of: Spread, *, model: Model, fits: Fits, scope: Scope, ranked: Sequence[str], alpha: float
) -> tuple[PairFit, ...]:
    """Return how well the fit tells what was chosen between every two conditions compared, the one that comes first in `ranked` first.

    Nothing is told of regularised fits, which made-up votes pull away from what was chosen, nor of more pairs than memory holds.
    """
    if model.regularise or len(cells.items) ** 2 / 2 * max(cells.participants, cells.prompts) > _MOST:
        return ()
    found = gaps(cells, of, model=model, fits=fits, scope=scope)
    low, high = found.estimate.interval(alpha)
    place = {of.items.index(item): number for number, item in enumerate(ranked)}
    rows = []
    for pair, (one, other) in enumerate(zip(found.one.tolist(), found.other.tolist(), strict=True)):
        first, second = (one, other) if place[one] < place[other] else (other, one)
        bounds = [float(low[0, pair]), float(high[0, pair])] if np.isfinite(found.estimate.standard_error[0, pair]) else [None, None]
        row = PairFit(
            *(of.items[one], of.items[other], int(found.votes[0, pair])),
            *(float(found.observed[0, pair]), float(found.expected[0, pair]), float(found.estimate.difference[0, pair])),
            *(*bounds, scope),
        )
        rows.append((place[first], place[second], row if first == one else _turned(row)))
    return tuple(row for *_, row in sorted(rows, key=lambda entry: entry[:2]))


def _turned(row: PairFit) -> PairFit:
    low, high = (None, None) if row.low is None or row.high is None else (-row.high, -row.low)
    return replace(row, a=row.b, b=row.a, observed=1 - row.observed, expected=1 - row.expected, gap=-row.gap, low=low, high=high)


def gaps(cells: Cells, of: Spread, *, model: Model, fits: Fits, scope: Scope) -> Gaps:
    """Return the gaps of all pairs compared, with their standard errors at a scope that `of` has, by the jackknife of differences.

    Each leave-out has its own fit. What participants and prompts share is the sum of squared influences of each participant at
    each prompt, through the observed share and through the fit. At the scope `these`, the variance is that of the observed share
    less that of the expected one, which is also their covariance at the maximum of the likelihood.
    """
    counted = _counted(cells)
    expected, tied = _chances(fits, counted)
    # How fast the chance of each pair's first grows with its lead in log-strength, which is also the variance of one vote, and with log nu.
    slope = expected * (1 - expected) - tied / 4, tied * (1 - 2 * expected) / 2
    inverse = model.inverse_information(group_wins(cells, by="all"), fits)
    if scope == "these":
        return _gaps(counted, expected, slope[0] / counted.votes - _squared(inverse, counted, slope), np.inf)
    gap = counted.observed - expected
    people = _left_out(counted, of, gap, "participant", cells.participant)
    if scope == "participants":
        return _gaps(counted, expected, people, cells.participants - 1.0)
    prompts = _left_out(counted, of, gap, "prompt", cells.prompt)
    both = _by_cell(counted, cells.participant * cells.prompts + cells.prompt, slope, influences(cells, inverse, fits))
    df = two_way_df(people, prompts, both, cells.participants, cells.prompts)
    return _gaps(counted, expected, two_way(people, prompts, both), df)


@dataclass(frozen=True, eq=False)
class _Counted:
    """The pairs, and of each cell the pair, how often it was shown, and how often the pair's first was ahead.

    `shown` and `ahead` have shape (studies, cells), `votes` and `observed` (studies, pairs).
    """

    one: Codes
    other: Codes
    pair: Codes
    shown: Array
    ahead: Array
    votes: Array
    observed: Array


def _counted(cells: Cells) -> _Counted:
    size, turned = len(cells.items), cells.left > cells.right
    key = np.where(turned, cells.right * size + cells.left, cells.left * size + cells.right)
    pairs, pair = np.unique(key, return_inverse=True)
    shown = np.atleast_2d(cells.left_wins + cells.right_wins + cells.ties).astype(np.float64)
    ahead = np.atleast_2d(np.where(turned, cells.right_wins, cells.left_wins) + cells.ties / 2)
    votes, won = _added(shown, pair, len(pairs)), _added(ahead, pair, len(pairs))
    return _Counted(pairs // size, pairs % size, pair, shown, ahead, votes, _share(won, votes))


def _added(values: Array, places: Codes, size: int) -> Array:
    return np.stack([added(row, places, size) for row in values])


def _share(won: Array, votes: Array) -> Array:
    return np.divide(won, votes, out=np.full_like(won, np.nan), where=votes > 0.5)


def _chances(fits: Fits, counted: _Counted) -> tuple[Array, Array]:
    """Return P(win) + P(tie)/2 of the first of each pair, and P(tie), shape (fits, pairs)."""
    half = (fits.strengths[:, counted.one] - fits.strengths[:, counted.other]) / 2
    there, back = np.exp(half), np.exp(-half)
    tie = np.zeros_like(half) if fits.log_nu is None else np.broadcast_to(np.exp(fits.log_nu)[:, None], half.shape)
    whole = there + back + tie
    return (there + tie / 2) / whole, tie / whole


def _squared(covariance: Array, counted: _Counted, slope: tuple[Array, Array]) -> Array:
    """Return the variance of each pair's expected share, from the covariance of log-strengths (and log nu last)."""
    by_lead, by_tie = slope
    found: Array = by_lead**2 * variance(covariance, counted.one, counted.other)
    if by_tie.any():
        lead = covariance[:, counted.one, -1] - covariance[:, counted.other, -1]
        found = found + 2 * by_lead * by_tie * lead + by_tie**2 * covariance[:, -1:, -1]
    return found


def _left_out(counted: _Counted, of: Spread, gap: Array, by: By, group: Codes) -> Array:
    """Return the delete-one jackknife variance of the gaps, shape (studies, pairs); not a number where one group alone judged a pair."""
    fits, pairs = of.fits_without[by], len(counted.one)
    groups = len(fits.strengths) // len(gap)
    places = group * pairs + counted.pair
    shown, ahead = (_added(part, places, groups * pairs).reshape(-1, groups, pairs) for part in (counted.shown, counted.ahead))
    won = counted.observed * counted.votes
    observed = _share(won[:, None] - ahead, counted.votes[:, None] - shown)
    moved = observed - _chances(fits, counted)[0].reshape(-1, groups, pairs) - gap[:, None]
    found: Array = (groups - 1) / groups * (moved**2).sum(axis=1)
    return found


def _by_cell(counted: _Counted, group: Codes, slope: tuple[Array, Array], influence: Array) -> Array:
    """Return the sum of squared influences on each gap of each participant at each prompt, shape (studies, pairs).

    Few of them judged any one pair there: only these move its observed share, and all move the expected one.
    """
    pairs = len(counted.one)
    keys, entry = np.unique(group * pairs + counted.pair, return_inverse=True)
    groups, pair = np.divmod(keys, pairs)
    shown, ahead = _added(counted.shown, entry, len(keys)), _added(counted.ahead, entry, len(keys))
    through_observed = (ahead - shown * counted.observed[:, pair]) / counted.votes[:, pair]
    through_fit = slope[0][:, pair] * (influence[:, groups, counted.one[pair]] - influence[:, groups, counted.other[pair]])
    if slope[1].any():
        through_fit = through_fit + slope[1][:, pair] * influence[:, groups, -1]
    whole = _squared(np.swapaxes(influence, 1, 2) @ influence, counted, slope)
    return _added(through_observed**2 - 2 * through_observed * through_fit, pair, pairs) + whole


def _gaps(counted: _Counted, expected: Array, squared: Array, df: Array | float) -> Gaps:
    error = np.sqrt(np.maximum(squared, 0.0))
    error[error < _ROUNDING] = np.nan
    estimate = Estimate(counted.observed - expected, error, np.broadcast_to(df, error.shape))
    return Gaps(counted.one, counted.other, counted.votes, counted.observed, expected, estimate)
