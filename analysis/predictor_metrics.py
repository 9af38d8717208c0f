"""How well predictions tell ratings: per user, with intervals over users, per image, and by how many ratings of a new person were seen.

Reads `stimuli.predictions`. Correlations are taken within each user and then averaged; rows of different users are never pooled.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from stimuli.experiment import ExperimentError
from stimuli.predictions import Predictions

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

# In points of the rating scale; the anchors of a scale 1..5 are 1 apart.
MARGINS = (0.0, 0.1, 0.25, 0.5, 1.0)
FEWEST = 5
# Two ratings .1 apart must not be more than .1 apart because of how computers write 3.1.
ROUNDING = 1e-9
RESAMPLES = 2000


@dataclass(frozen=True)
class Estimate:
    """A mean over users with its percentile interval over users drawn again, and how many `users` it is of."""

    value: float
    low: float
    high: float
    users: int


@dataclass(frozen=True, eq=False)
class UserScores:
    """What was found for each user who can be measured, in the order of `users`.

    `right` and `pairs` (users, margins) count pairs of images whose ratings differ by more than the margin; a pair of equal
    predictions counts half right. `too_few` had fewer than five ratings, `constant` gave the same rating to all; both are left out.
    """

    users: tuple[str, ...]
    rows: Codes
    srocc: Array
    plcc: Array
    right: Array
    pairs: Array
    margins: tuple[float, ...]
    too_few: tuple[str, ...]
    constant: tuple[str, ...]

    @property
    def accuracy(self) -> Array:
        """Pairwise accuracy, shape (users, margins); NaN where a user has no pair that far apart."""
        with np.errstate(invalid="ignore"):
            found: Array = self.right / self.pairs
        return found


@dataclass(frozen=True, eq=False)
class Summary:
    """The metrics of one model: `macro` accuracy is the mean over users, `micro` over all their pairs, one per margin.

    An accuracy is None where nobody has a pair that far apart.
    """

    srocc: Estimate
    plcc: Estimate
    macro: tuple[Estimate | None, ...]
    micro: tuple[Estimate | None, ...]
    margins: tuple[float, ...]
    users: int
    rows: int
    too_few: int
    constant: int


@dataclass(frozen=True, eq=False)
class ImageScores:
    """How well mean predictions tell mean ratings, over the stated `raters`; `accuracy` (margins,) is NaN without such pairs."""

    srocc: float
    plcc: float
    accuracy: Array
    margins: tuple[float, ...]
    images: int
    rows: int
    raters: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class FewShotRow:
    """New people after `context` ratings: the mean over users of their mean over draws, and how far one draw alone moves it.

    `draw_sd` is the standard deviation over draws of the mean over users.
    """

    context: int
    srocc: Estimate
    plcc: Estimate
    macro: tuple[Estimate | None, ...]
    draws: int
    draw_sd: float


def by_user(predictions: Predictions, *, margins: Sequence[float] = MARGINS) -> UserScores:
    """Return the scores of each user, by name. One model, split, context and draw at a time.

    Raises:
        ExperimentError: the rows hold a user's rating of an image twice, or nobody can be measured.
    """
    _require_single(predictions)
    names, user = np.unique(predictions.user.astype(str), return_inverse=True)
    order = np.argsort(user, kind="stable")
    bounds = np.searchsorted(user[order], np.arange(len(names) + 1))
    too_few, constant, kept, found = [], [], [], []
    for place, name in enumerate(names.tolist()):
        rows = order[bounds[place] : bounds[place + 1]]
        rating, prediction = predictions.rating[rows], predictions.prediction[rows]
        if len(rows) < FEWEST:
            too_few.append(name)
        elif np.ptp(rating) == 0:
            constant.append(name)
        else:
            kept.append(name)
            found.append((len(rows), spearman(rating, prediction), pearson(rating, prediction), *pairs_right(rating, prediction, margins)))
    if not kept:
        raise ExperimentError(
            f"no user can be measured: {len(too_few)} have fewer than {FEWEST} ratings and {len(constant)} gave the same rating to all"
        )
    rows_of, srocc, plcc, right, pairs = (np.array(column) for column in zip(*found, strict=True))
    return UserScores(tuple(kept), rows_of, srocc, plcc, right, pairs, tuple(margins), tuple(too_few), tuple(constant))


def summary(scores: UserScores, *, resamples: int = RESAMPLES, alpha: float = 0.05, rng: np.random.Generator) -> Summary:
    """Return the means over users with 1 - alpha intervals over users drawn again, all metrics on the same resamples."""
    weights = _drawn(len(scores.users), resamples, rng)
    return Summary(
        srocc=_mean(scores.srocc, weights, alpha),
        plcc=_mean(scores.plcc, weights, alpha),
        macro=tuple(_macro(column, weights, alpha) for column in scores.accuracy.T),
        micro=tuple(_micro(right, pairs, weights, alpha) for right, pairs in zip(scores.right.T, scores.pairs.T, strict=True)),
        margins=scores.margins,
        users=len(scores.users),
        rows=int(scores.rows.sum()),
        too_few=len(scores.too_few),
        constant=len(scores.constant),
    )


def paired(
    scores: UserScores,
    baseline: UserScores,
    metric: Callable[[UserScores], Array],
    *,
    resamples: int = RESAMPLES,
    alpha: float = 0.05,
    rng: np.random.Generator,
) -> Estimate:
    """Return the mean over users of a metric less the baseline's, with its interval: `metric` gives one number a user.

    Users without a number in either (an accuracy without pairs) are left out; `users` of the result counts the others.

    Raises:
        ExperimentError: the two are not about the same users and ratings.
    """
    if scores.users != baseline.users or not np.array_equal(scores.rows, baseline.rows):
        odd = sorted(set(scores.users) ^ set(baseline.users))
        raise ExperimentError(
            f"a paired comparison needs both models on the same ratings; they have {len(scores.users)} and {len(baseline.users)} users, "
            f"{int(scores.rows.sum())} and {int(baseline.rows.sum())} ratings" + (f', and "{odd[0]}" is in one only' if odd else "")
        )
    difference = metric(scores) - metric(baseline)
    defined = ~np.isnan(difference)
    if not defined.any():
        raise ExperimentError("a paired comparison needs users with a number under both models; found none")
    return _mean(difference[defined], _drawn(int(defined.sum()), resamples, rng), alpha)


def by_image(predictions: Predictions, *, raters: Collection[str], margins: Sequence[float] = MARGINS) -> ImageScores:
    """Return how well mean predictions tell the mean ratings by `raters`, over the images that any of them rated.

    Raises:
        ExperimentError: a rater has no rating here, or fewer than five images are left.
    """
    _require_single(predictions)
    chosen = np.isin(predictions.user.astype(str), np.array(sorted(raters), dtype=str))
    missing = sorted(set(raters) - set(predictions.user[chosen].tolist()))
    if missing:
        raise ExperimentError(
            f'{len(missing)} of the {len(raters)} stated raters rated nothing here, such as "{missing[0]}"; leave them out'
        )
    names, image = np.unique(predictions.image[chosen].astype(str), return_inverse=True)
    if len(names) < FEWEST:
        raise ExperimentError(f"the stated raters rated {len(names)} images; expected at least {FEWEST}")
    counts = np.bincount(image)
    rating = np.bincount(image, predictions.rating[chosen]) / counts
    prediction = np.bincount(image, predictions.prediction[chosen]) / counts
    right, pairs = pairs_right(rating, prediction, margins)
    with np.errstate(invalid="ignore"):
        accuracy = right / pairs
    return ImageScores(
        spearman(rating, prediction), pearson(rating, prediction), accuracy, tuple(margins), len(names), len(image), tuple(sorted(raters))
    )


def few_shot(
    predictions: Predictions,
    *,
    margins: Sequence[float] = MARGINS,
    resamples: int = RESAMPLES,
    alpha: float = 0.05,
    rng: np.random.Generator,
) -> tuple[FewShotRow, ...]:
    """Return one row for each size of context, by size; rows of one model and split, with all its contexts and draws.

    Raises:
        ExperimentError: contexts were evaluated on different ratings, so that they cannot be compared.
    """
    contexts, draws = np.unique(predictions.context), np.unique(predictions.draw)
    scored = {
        (context, draw): by_user(predictions.where((predictions.context == context) & (predictions.draw == draw)), margins=margins)
        for context in contexts.tolist()
        for draw in draws.tolist()
    }
    _require_same_remainder(predictions)
    everyone = next(iter(scored.values())).users
    weights = _drawn(len(everyone), resamples, rng)
    found = []
    for context in contexts.tolist():
        each = [scored[context, draw] for draw in draws.tolist()]
        if any(one.users != everyone for one in each):
            raise ExperimentError(f"context {context}: not all draws can measure the same users; leave out users with too few ratings")
        means = np.array([one.srocc.mean() for one in each])
        found.append(
            FewShotRow(
                context=context,
                srocc=_mean(np.mean([one.srocc for one in each], axis=0), weights, alpha),
                plcc=_mean(np.mean([one.plcc for one in each], axis=0), weights, alpha),
                macro=tuple(_macro(column, weights, alpha) for column in np.mean([one.accuracy for one in each], axis=0).T),
                draws=len(each),
                draw_sd=float(means.std(ddof=1)) if len(means) > 1 else float("nan"),
            )
        )
    return tuple(found)


def coverage(predictions: Predictions, *, levels: Sequence[float] = (0.5, 0.8, 0.95)) -> Array:
    """Return how often ratings lie in normal intervals of these levels around their predictions, shape (levels,).

    Raises:
        ExperimentError: the model tells no standard deviations.
    """
    if np.isnan(predictions.standard_deviation).any():
        raise ExperimentError("coverage needs a standard deviation of each prediction, and this model tells none; leave it out")
    far = np.abs(predictions.rating - predictions.prediction) / predictions.standard_deviation
    return np.array([np.mean(far <= stats.norm.ppf((1 + level) / 2)) for level in levels])


def spearman(rating: Array, prediction: Array) -> float:
    """Return the rank correlation, with average ranks for ties; 0 where predictions are all the same."""
    return pearson(stats.rankdata(rating), stats.rankdata(prediction))


def pearson(rating: Array, prediction: Array) -> float:
    """Return the linear correlation; 0 where predictions are all the same."""
    if np.ptp(prediction) == 0 or np.ptp(rating) == 0:
        return 0.0
    one, other = rating - rating.mean(), prediction - prediction.mean()
    # Scaled first: squares of tiny or huge predictions must not leave the range of numbers.
    one, other = one / np.abs(one).max(), other / np.abs(other).max()
    return float(np.clip(one @ other / np.sqrt((one @ one) * (other @ other)), -1, 1))


def pairs_right(rating: Array, prediction: Array, margins: Sequence[float]) -> tuple[Array, Array]:
    """Return how many pairs are predicted right, and how many there are, shapes (margins,).

    Pairs count whose ratings differ by more than the margin; equal predictions are half right.
    """
    one, other = np.triu_indices(len(rating), 1)
    apart = rating[one] - rating[other]
    score = (np.sign(apart) * np.sign(prediction[one] - prediction[other]) + 1) / 2
    right, pairs = [], []
    for margin in margins:
        counted = np.abs(apart) > margin + ROUNDING
        right.append(score[counted].sum())
        pairs.append(counted.sum())
    return np.array(right, dtype=np.float64), np.array(pairs, dtype=np.float64)


def _drawn(users: int, resamples: int, rng: np.random.Generator) -> Array:
    """Return how often each user is drawn, shape (resamples, users)."""
    return rng.multinomial(users, np.full(users, 1 / users), size=resamples).astype(np.float64)


def _mean(values: Array, weights: Array, alpha: float) -> Estimate:
    return _estimate(float(values.mean()), weights @ values / weights.sum(axis=1), alpha, len(values))


def _macro(values: Array, weights: Array, alpha: float) -> Estimate | None:
    """Return the mean over the users who have a value; None where nobody has."""
    defined = ~np.isnan(values)
    if not defined.any():
        return None
    drawn = weights[:, defined]
    with np.errstate(invalid="ignore"):
        means = drawn @ values[defined] / drawn.sum(axis=1)
    return _estimate(float(values[defined].mean()), means, alpha, int(defined.sum()))


def _micro(right: Array, pairs: Array, weights: Array, alpha: float) -> Estimate | None:
    if not pairs.sum():
        return None
    with np.errstate(invalid="ignore"):
        shares = (weights @ right) / (weights @ pairs)
    return _estimate(float(right.sum() / pairs.sum()), shares, alpha, int((pairs > 0).sum()))


def _estimate(value: float, draws: Array, alpha: float, users: int) -> Estimate:
    # A resample without any user that counts has no mean, and says nothing.
    low, high = np.nanquantile(draws, [alpha / 2, 1 - alpha / 2])
    return Estimate(value, float(low), float(high), users)


def _require_single(predictions: Predictions) -> None:
    for name in ("model", "split", "context", "draw"):
        values = np.unique(predictions.columns()[name].astype(str))
        if len(values) > 1:
            some = ", ".join(map(str, values[:4]))
            raise ExperimentError(f"expected the rows of one {name} and found {len(values)} ({some}); measure each alone")
    keys = {(user, image) for user, image in zip(predictions.user, predictions.image, strict=True)}
    if len(keys) < len(predictions):
        raise ExperimentError(f"{len(predictions) - len(keys)} ratings occur more than once; keep one row for each user and image")


def _require_same_remainder(predictions: Predictions) -> None:
    """Complain where what is evaluated differs between contexts of one draw."""
    remainders: dict[int, dict[int, frozenset[tuple[str, str]]]] = {}
    for draw in np.unique(predictions.draw).tolist():
        for context in np.unique(predictions.context).tolist():
            rows = (predictions.draw == draw) & (predictions.context == context)
            told = frozenset(zip(predictions.user[rows].tolist(), predictions.image[rows].tolist(), strict=True))
            remainders.setdefault(draw, {})[context] = told
        sizes = {context: len(told) for context, told in remainders[draw].items()}
        if len(set(remainders[draw].values())) > 1:
            raise ExperimentError(
                f"draw {draw}: contexts were evaluated on different ratings ({sizes} of them); keep one remainder for all contexts"
            )
