"""How far people agree about images: intraclass correlations of ratings, with intervals over images."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

_UPPER = 0.975
# Of fewer images, leaving one out says nothing of chance.
_FEWEST = 5
_LEAST_RATIO = 1e-3


@dataclass(frozen=True)
class Interval:
    """A 95 % interval."""

    low: float
    high: float


@dataclass(frozen=True)
class Reliability:
    """Intraclass correlations of ratings, images being the classes: `single` of one rating, `average` of the mean of `raters` ratings.

    `raters` is the typical number of ratings an image has; only images with at least two count, and there are `images` of them. The
    intervals are over images like these; None where these are too few to say, or all people agree or all images are equal.
    """

    single: float
    average: float
    raters: float
    images: int
    single_interval: Interval | None = None
    average_interval: Interval | None = None


def reliability(image: Codes, rating: Array) -> Reliability | None:
    """Return ICC(1) and ICC(k) of ratings, or None where no image was rated twice or nothing differs.

    One-way random effects (Shrout & Fleiss 1979): with BMS and WMS the mean squares between and within images,
    ICC(1) = (BMS - WMS) / (BMS + (k - 1) WMS) and ICC(k) = (BMS - WMS) / BMS. Images have different numbers n of ratings, so
    k = (N - Σn² / N) / (images - 1), the typical one (Donner 1986); with equal numbers that is the number itself. An estimate
    may be negative, where people agree less than by chance.

    With equal numbers the intervals are the exact ones of normal ratings, from the F distribution of BMS / WMS (Shrout & Fleiss 1979;
    McGraw & Wong 1996). Else an approximate one from leaving out one image after the other, on the logarithm of BMS / WMS.
    """
    counts = np.bincount(image).astype(float)
    # An image rated once says nothing about agreement, but would count as one.
    paired = counts[image] > 1
    _, image = np.unique(image[paired], return_inverse=True)
    rating = rating[paired]
    if len(rating) == 0 or image.max() == 0 or not np.ptp(rating) > 0:
        return None
    sums = _sums(image, rating - rating.mean())
    between, within, raters = (float(one) for one in _mean_squares(sums.sum(axis=1)))
    # Means that are all equal, with people who differ: the estimate has no lower bound then.
    average = (between - within) / between if between > 0 else -np.inf
    found = Reliability((between - within) / (between + (raters - 1) * within), average, raters, sums.shape[1])
    if not between > 0 or not within > 0:
        return found
    equal = np.ptp(sums[_COUNT]) == 0
    ratios = _exact(between / within, sums) if equal else _left_out(between / within, raters, sums)
    if ratios is None:
        return found
    low, high = ratios
    single = Interval((low - 1) / (low + raters - 1), (high - 1) / (high + raters - 1))
    return replace(found, single_interval=single, average_interval=Interval(1 - 1 / low, 1 - 1 / high))


_COUNT = 1


def _sums(image: Codes, rating: Array) -> Array:
    """Return, by image, what mean squares are made of and what can be taken away again, shape (6, images)."""
    counts = np.bincount(image).astype(float)
    means = np.bincount(image, weights=rating) / counts
    within = np.bincount(image, weights=(rating - means[image]) ** 2)
    return np.array([np.ones(len(counts)), counts, counts**2, counts * means, counts * means**2, within])


def _mean_squares(sums: Array) -> tuple[Array, Array, Array]:
    """Return BMS, WMS and the typical number of ratings of each column of sums."""
    images, total, squared, means, around, within = sums
    return (around - means**2 / total) / (images - 1), within / (total - images), (total - squared / total) / (images - 1)


def _exact(ratio: float, sums: Array) -> tuple[float, float]:
    images, total = sums.shape[1], sums[_COUNT].sum()
    high = ratio * float(stats.f.ppf(_UPPER, total - images, images - 1))
    return ratio / float(stats.f.ppf(_UPPER, images - 1, total - images)), high


def _left_out(ratio: float, raters: float, sums: Array) -> tuple[float, float] | None:
    """Return the ends of the jackknife's interval (Tukey 1958) of BMS / WMS where images have the typical number of ratings."""
    images = sums.shape[1]
    if images < _FEWEST:
        return None
    between, within, typical = _mean_squares(sums.sum(axis=1, keepdims=True) - sums)
    if not (within > 0).all():
        return None
    without = np.log(np.maximum(1 + raters * (between / within - 1) / typical, _LEAST_RATIO))
    pseudo = images * np.log(max(ratio, _LEAST_RATIO)) - (images - 1) * without
    reach = float(stats.t.ppf(_UPPER, images - 1)) * float(pseudo.std(ddof=1)) / np.sqrt(images)
    return float(np.exp(pseudo.mean() - reach)), float(np.exp(pseudo.mean() + reach))
