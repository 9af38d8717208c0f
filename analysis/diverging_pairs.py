"""Diverging pairs: two images of which one person prefers the first and another the second. Can predictions tell who prefers which?"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.predictor_metrics import ROUNDING
from stimuli.experiment import ExperimentError
from stimuli.predictions import Predictions

Array = NDArray[np.float64]
Matrix = NDArray[np.float32]

# A user who rated at least one image in so many is laid onto all of them.
_DENSE = 4


@dataclass(frozen=True)
class Diverging:
    """How many diverging pairs there are, counted in three ways, and how many are told right; None where there are none.

    A quadruple is two people and two images on which they differ; `image_pairs` are pairs of images with a quadruple, `decisions`
    pairs of images times the people who have to be told right in one. `decision` is the share of the two decisions of a quadruple
    that are right, .5 for a model that is blind to users; `joint` that of quadruples with both right. Equal predictions are half
    right. `low` and `high` bound each at 95 %, by leaving one user out at a time (jackknife); None with fewer than three users.
    """

    quadruples: int
    image_pairs: int
    decisions: int
    users: int
    decision: float | None
    joint: float | None
    decision_interval: tuple[float, float] | None
    joint_interval: tuple[float, float] | None


@dataclass(frozen=True, eq=False)
class _Person:
    """Of one user: ratings and predictions of some images, NaN for images not rated, and the `square` of those in a matrix."""

    square: Any
    rating: Array
    prediction: Array


def diverging(predictions: Predictions, *, margin: float = 0.0, alpha: float = 0.05) -> Diverging:
    """Return how predictions of one model do on pairs that people rate in opposite orders, by more than `margin` each.

    Every ordered pair of images is looked at once per user, in matrices: entry (a, b) adds up who prefers a to b.

    Raises:
        ExperimentError: a user's rating of an image occurs twice.
    """
    names, image = np.unique(predictions.image.astype(str), return_inverse=True)
    people = [
        _person(image[rows], predictions.rating[rows], predictions.prediction[rows], str(user), len(names))
        for user in np.unique(predictions.user.astype(str))
        for rows in [np.flatnonzero(predictions.user == user)]
    ]
    prefer = np.zeros((len(names), len(names)), dtype=np.float32)
    right = np.zeros_like(prefer)
    for person in people:
        prefers, told = _orders(person, margin)
        prefer[person.square] += prefers
        right[person.square] += told
    # Each person's part in the three sums below; every quadruple is in two people's parts.
    parts = np.array([_part(person, margin, prefer.T, right.T) for person in people]).reshape(-1, 3)
    quadruples, correct, both = parts.sum(axis=0) / 2
    differ = (prefer > 0) & (prefer.T > 0)
    left_out = (parts.sum(axis=0) / 2) - parts
    return Diverging(
        quadruples=round(quadruples),
        image_pairs=int(differ.sum()) // 2,
        decisions=round(float(prefer[differ].sum(dtype=np.float64))),
        users=int((parts[:, 0] > 0).sum()),
        decision=float(correct / quadruples) if quadruples else None,
        joint=float(both / quadruples) if quadruples else None,
        decision_interval=_interval(correct, quadruples, left_out[:, 1], left_out[:, 0], alpha),
        joint_interval=_interval(both, quadruples, left_out[:, 2], left_out[:, 0], alpha),
    )


def _person(images: NDArray[np.intp], rating: Array, prediction: Array, user: str, size: int) -> _Person:
    if len(np.unique(images)) < len(images):
        raise ExperimentError(f'user "{user}" rated an image twice here; measure one model, split, context and draw alone')
    if len(images) * _DENSE < size:
        return _Person(np.ix_(images, images), rating, prediction)
    # Adding up whole matrices is much faster than picking most of one; nothing is above or below NaN.
    laid = np.full((2, size), np.nan)
    laid[:, images] = rating, prediction
    return _Person(np.s_[:, :], laid[0], laid[1])


def _orders(person: _Person, margin: float) -> tuple[Matrix, Matrix]:
    """Return for each two images whether the first is preferred (0 or 1), and how right that is told (0, ½ or 1)."""
    # Comparing is much faster than subtracting: nothing is written but the answers.
    prefers = person.rating[:, None] > person.rating + (margin + ROUNDING)
    above = person.prediction[:, None] > person.prediction
    told = np.asarray(prefers & above, dtype=np.float32)
    if len(np.unique(person.prediction, equal_nan=False)) < len(person.prediction):
        told += np.float32(0.5) * (prefers & ~above & ~above.T)
    return np.asarray(prefers, dtype=np.float32), told


def _part(person: _Person, margin: float, prefer: Matrix, right: Matrix) -> tuple[float, float, float]:
    """Return, of the quadruples with this person: how many, how many decisions are right by share, how many are right jointly.

    `prefer` and `right` are about those who prefer the second image; the person is never among them where they prefer the first.
    """
    prefers, told = _orders(person, margin)
    against, told_against = prefer[person.square], right[person.square]
    correct = (_total(told, against) + _total(prefers, told_against)) / 2
    return _total(prefers, against), correct, _total(told, told_against)


def _total(one: Matrix, other: Matrix) -> float:
    """Return the sum of products; sums of rows are exact in single precision, for they count quarters of people."""
    return float(np.einsum("ij,ij->i", one, other).sum(dtype=np.float64))


def _interval(share_of: float, total: float, left_out: Array, totals: Array, alpha: float) -> tuple[float, float] | None:
    """Return the normal interval of a share by the delete-one-user jackknife."""
    defined = totals > 0
    number = int(defined.sum())
    if number < 3 or not total:
        return None
    shares = left_out[defined] / totals[defined]
    error = np.sqrt((number - 1) / number * ((shares - shares.mean()) ** 2).sum())
    half = float(stats.t.ppf(1 - alpha / 2, number - 1) * error)
    share = share_of / total
    return max(0.0, float(share - half)), min(1.0, float(share + half))
