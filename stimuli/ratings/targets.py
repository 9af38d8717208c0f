"""Who to steer images for: people with tastes as different as possible, whose ratings are many and no chance."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stimuli.ratings.table import Rated, RatingsError

Array = NDArray[np.float64]

# So many images rated by two people halve their correlation: of fewer it is mostly noise.
_HALF = 20
# Of fewer than these, two people's tastes cannot be compared.
_TOGETHER = 10
# The directions in which tastes differ that stand out of the noise. On the full synthetic benchmark (both worlds, three seeds), the two
# most alike of six people proposed have true tastes that correlate .51 so, .57 without smoothing, and .79 when drawn at random.
_DIRECTIONS = 10
# Standard deviations by which others must share or oppose somebody's tastes more than by chance. Of people who rate at random among
# those of the full synthetic benchmark, none of 75 passed, and half of the others did.
_CERTAIN = 2.5
_LIKINGS = 3
_OF_A_GROUP = 5


@dataclass(frozen=True)
class Liking:
    """How much more (or less) than other people somebody likes a group of images, in points of the scale."""

    group: str
    points: float
    images: int


@dataclass(frozen=True)
class Neighbour:
    """How the tastes of two people go together: the correlation of their residual ratings over the images that both rated."""

    user: str
    correlation: float
    images: int


@dataclass(frozen=True)
class Target:
    """Somebody proposed as a target user, and why: `nearest` is who of those proposed before is most like them."""

    user: str
    ratings: int
    standard_deviation: float
    nearest: Neighbour | None
    likes: tuple[Liking, ...]
    dislikes: tuple[Liking, ...]


@dataclass(frozen=True)
class Proposal:
    """People with divergent tastes, most different first, and how many were not considered: too few ratings, or no clear taste."""

    targets: tuple[Target, ...]
    considered: int
    few: int
    unclear: int


@dataclass(frozen=True)
class _Tastes:
    """Residual ratings, shape (users, images), 0 where there is none; `together` counts the images that two people rated."""

    users: tuple[str, ...]
    residuals: Array
    correlation: Array
    together: Array


def propose(rated: Rated, number: int, *, fewest: int = 30) -> Proposal:
    """Return `number` people with at least `fewest` ratings, chosen one after the other to be most unlike those before.

    A residual is what of a rating neither harshness nor consensus explains (`residuals`). Tastes are compared by the correlation r of
    two people's residuals over the n images that both rated, shrunk by n / (n + 20), and smoothed: of the matrix of all r, the ten
    leading eigenvectors are kept. Two people are as far apart as 1 - r. Those who share fewer than ten images cannot be compared
    and go together only where nobody else is left. The first two are the pair that is furthest apart, each next one has the largest
    distance to the nearest of those chosen (Gonzalez 1985). Somebody who rates at random is unlike everybody: only people whose
    tastes others share or oppose more than by chance are considered.

    Raises:
        RatingsError: fewer people than asked for can be considered.
    """
    tastes = _tastes(rated)
    per_user = rated.ratings.groupby("user").size().reindex(tastes.users).to_numpy()
    many = per_user >= fewest
    clear = many & _clear(tastes)
    candidates = np.flatnonzero(clear)
    proposal = Proposal((), len(candidates), int((~many).sum()), int((many & ~clear).sum()))
    if not 1 <= number <= len(candidates):
        raise RatingsError(
            f"{number} target users were asked for, and {len(candidates)} of {len(tastes.users)} people can be considered: {proposal.few} "
            f"have fewer than {fewest} ratings, and {proposal.unclear} have no clear taste of their own; ask for fewer, or lower --fewest"
        )
    chosen = _apart(_distance(tastes)[np.ix_(candidates, candidates)], number)
    order = [int(candidates[index]) for index in chosen]
    targets = tuple(_target(rated, tastes, order, place) for place in range(number))
    return Proposal(targets, proposal.considered, proposal.few, proposal.unclear)


def residuals(ratings: pd.DataFrame) -> "pd.Series[float]":
    """Return what of each rating is its person's own, in that person's standard deviations: 0 for who rates everything alike.

    A rating less its person's mean, less what follows from the mean of all others for the image, by the slope that fits the
    person best. Somebody who does not care what others like has a slope near zero, and is not taken for one who opposes them.
    """
    people = ratings.groupby("user")["rating"]
    own = ((ratings["rating"] - people.transform("mean")) / people.transform("std")).where(people.transform("nunique") > 1, 0.0)
    of_image = own.groupby(ratings["image"])
    others = of_image.transform("size") - 1
    rest = ((of_image.transform("sum") - own) / others.where(others > 0, 1)).where(others > 0, 0.0)
    power = (rest**2).groupby(ratings["user"]).transform("sum")
    slope = (own * rest).groupby(ratings["user"]).transform("sum") / power.where(power > 0, 1.0)
    return (own - slope * rest).where(people.transform("nunique") > 1, 0.0)


def _tastes(rated: Rated) -> _Tastes:
    known = rated.ratings.assign(residual=residuals(rated.ratings))
    row, users = pd.factorize(known["user"], sort=True)
    column, images = pd.factorize(known["image"])
    table, rated_it = np.zeros((len(users), len(images))), np.zeros((len(users), len(images)))
    table[row, column], rated_it[row, column] = known["residual"], 1.0
    power = table**2 @ rated_it.T
    scale = np.sqrt(power * power.T)
    correlation = np.divide(table @ table.T, scale, out=np.zeros_like(scale), where=scale > 0)
    return _Tastes(tuple(map(str, users)), table, correlation, rated_it @ rated_it.T)


def _shrunk(tastes: _Tastes) -> Array:
    found: Array = tastes.correlation * tastes.together / (tastes.together + _HALF)
    return found


def _distance(tastes: _Tastes) -> Array:
    shrunk = _shrunk(tastes)
    np.fill_diagonal(shrunk, 0.0)
    strength, directions = np.linalg.eigh(shrunk)
    leading = directions[:, -_DIRECTIONS:] * np.sqrt(np.maximum(strength[-_DIRECTIONS:], 0))
    length = np.linalg.norm(leading, axis=1, keepdims=True)
    leading = np.divide(leading, length, out=np.zeros_like(leading), where=length > 0)
    found: Array = np.where(tastes.together >= _TOGETHER, 1 - leading @ leading.T, 0.0)
    return found


def _clear(tastes: _Tastes) -> NDArray[np.bool_]:
    """Return whose residuals go with or against other people's more than chance has it.

    Of n images, the square of a chance correlation is 1 / (n - 1) on average, with a variance of 2 / (n - 1)². Those with several
    people go together as far as these people's tastes do, which widens the spread of their mean. What all correlations have in
    common is consensus that the residuals kept, and is taken off first.
    """
    others = (tastes.together >= _TOGETHER) & ~np.eye(len(tastes.users), dtype=bool)
    if not others.any():
        return np.zeros(len(tastes.users), dtype=bool)
    common = tastes.correlation[others].mean()
    beyond = np.where(others, (tastes.together - 1) * (tastes.correlation - common) ** 2 - 1, 0.0)
    alike = _shrunk(tastes)
    np.fill_diagonal(alike, 1.0)
    deviation = np.sqrt(2 * ((others @ alike**2) * others).sum(axis=1))
    found: NDArray[np.bool_] = (beyond.sum(axis=1) > _CERTAIN * deviation) & (np.abs(tastes.residuals).sum(axis=1) > 0)
    return found


def _apart(distance: Array, number: int) -> list[int]:
    """Return rows of a matrix of distances, each as far as can be from the nearest of those before; ties go to the first."""
    if number == 1 or len(distance) == 1:
        return [int(distance.mean(axis=1).argmax())]
    apart = distance.copy()
    np.fill_diagonal(apart, -np.inf)
    chosen = [int(place) for place in np.unravel_index(int(apart.argmax()), apart.shape)]
    while len(chosen) < number:
        nearest = apart[:, chosen].min(axis=1)
        nearest[chosen] = -np.inf
        chosen.append(int(nearest.argmax()))
    return chosen


def _target(rated: Rated, tastes: _Tastes, order: Sequence[int], place: int) -> Target:
    who, before = order[place], order[:place]
    theirs = rated.ratings[rated.ratings["user"] == tastes.users[who]]
    nearest = None
    if before:
        other = max(before, key=lambda row: float(_shrunk(tastes)[who, row]))
        nearest = Neighbour(tastes.users[other], float(tastes.correlation[who, other]), int(tastes.together[who, other]))
    likings = _likings(rated, tastes.users[who])
    return Target(
        user=tastes.users[who],
        ratings=len(theirs),
        standard_deviation=float(theirs["rating"].std()),
        nearest=nearest,
        likes=tuple(entry for entry in likings[:_LIKINGS] if entry.points > 0),
        dislikes=tuple(entry for entry in likings[: -_LIKINGS - 1 : -1] if entry.points < 0),
    )


def _likings(rated: Rated, user: str) -> list[Liking]:
    """Return what somebody likes more than others do, by group of images, most liked first."""
    theirs = rated.ratings[rated.ratings["user"] == user]
    known = theirs.assign(points=residuals(rated.ratings) * theirs["rating"].std(), group=theirs["image"].map(rated.images["group"]))
    groups = known.groupby("group")["points"].agg(["mean", "size"])
    groups = groups[groups["size"] >= _OF_A_GROUP].sort_values("mean", ascending=False)
    return [Liking(str(group), float(mean), int(size)) for group, mean, size in groups.itertuples()]
