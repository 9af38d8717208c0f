"""The synthetic benchmark: a rated data set of PAMELA's sizes whose tastes are known, so that predictors have a ceiling.

Sizes of splits, images and users are the published ones. All else is invented: no person rated anything, and the means of the
two groups and the looks of images are choices of this module, for no table of the real ones is published.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np

from stimuli.experiment import ExperimentError
from stimuli.predictors.interface import Array, Codes, Judgements, Looks, People, Rows

Kind = Literal["linear", "ideal point"]
Size = Literal["full", "small"]

ENCODER = "synthetic"
SPLITS = ("train", "val_seen", "val_unseen", "test_seen", "test_unseen")
KINDS: tuple[Kind, ...] = ("linear", "ideal point")
GROUPS = ("art", "photo")
GENDERS = ("female", "male", "non-binary")
NATIONALITIES = ("north", "south", "east", "west")


@dataclass(frozen=True)
class Sizes:
    """How many images, users and ratings each part has; `images` counts those of train, of both val and of both test splits.

    Seen users rated images of train too; `val_unseen_images` is how many images of val the unseen users of val rated.
    """

    images: tuple[int, int, int]
    art: int
    val_unseen_images: int
    users: int
    seen: int
    val_unseen: int
    test_unseen: int
    ratings: Mapping[str, int]
    width: int


# Section 3.1 of the paper: 1,977 art and 3,100 photographs; "Splits" for the rest.
SIZES: Mapping[Size, Sizes] = MappingProxyType(
    {
        "full": Sizes(
            images=(3554, 609, 914),
            art=1977,
            val_unseen_images=513,
            users=156,
            seen=82,
            val_unseen=16,
            test_unseen=27,
            ratings=MappingProxyType(dict(zip(SPLITS, (50_222, 6_551, 926, 9_735, 2_470), strict=True))),
            width=1152,
        ),
        "small": Sizes(
            images=(500, 90, 160),
            art=290,
            val_unseen_images=80,
            users=60,
            seen=30,
            val_unseen=8,
            test_unseen=16,
            ratings=MappingProxyType(dict(zip(SPLITS, (7_000, 900, 320, 1_400, 900), strict=True))),
            width=128,
        ),
    }
)


@dataclass(frozen=True)
class Levels:
    """How strongly each part moves a rating, in points of the scale 1..5 (standard deviations).

    `art` and `photo` are the means of the two groups. `shown` and `hidden` make up the consensus: what looks predict of it, and what
    they do not. `clustered` is the share of the variance of tastes that comes from demographic clusters.
    """

    art: float = 3.15
    photo: float = 3.3
    shown: float = 0.46
    hidden: float = 0.08
    taste: float = 0.50
    clustered: float = 0.20
    harshness: float = 0.40
    noise: float = 0.60


@dataclass(frozen=True)
class Person:
    """Who a simulated rater is; `groups` are the kinds of images they were shown."""

    user: str
    age: int
    gender: str
    nationality: str
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Truth:
    """What nobody can see: `consensus` (images,), `taste` (users, images), `harshness` (users,), and the noise of a rating.

    `factors` (images, factors) carry the tastes; in the linear world `taste` is `factors` times each person's weights, which are
    normal around `expected` (users, factors) with the covariance `spread`; in the other world both are None.
    """

    factors: Array
    consensus: Array
    taste: Array
    harshness: Array
    noise: float
    harshness_sd: float
    expected: Array | None = None
    spread: Array | None = None

    @property
    def liking(self) -> Array:
        """What each person would rate each image without noise and clipping, shape (users, images)."""
        found: Array = self.consensus + self.taste + self.harshness[:, None]
        return found


@dataclass(frozen=True)
class World:
    """Images, people, and who rated what in each split; rows of `judgements` point into `looks` and `people`."""

    kind: Kind
    looks: Looks
    people: People
    persons: tuple[Person, ...]
    judgements: Mapping[str, Judgements]
    truth: Truth

    def rate(self, user: int, images: Codes, rng: np.random.Generator) -> Array:
        """Return new ratings by one person, shape (images,)."""
        return _rated(self.truth.liking[user, images], self.truth.noise, rng)


def make(kind: Kind, *, seed: int, size: Size = "full", levels: Levels | None = None) -> World:
    """Return a world. "linear": tastes are linear in hidden factors. "ideal point": each person has a point they like best."""
    if kind not in KINDS or size not in SIZES:
        raise ExperimentError(
            f'no synthetic world "{kind}" of size "{size}"; there are {_listed(KINDS)}, and the sizes {_listed(tuple(SIZES))}'
        )
    sizes, levels = SIZES[size], levels or Levels()
    rng = np.random.default_rng(seed)
    groups = np.array(GROUPS)[(rng.permutation(sum(sizes.images)) >= sizes.art).astype(int)]
    persons = tuple(_person(number, rng) for number in range(sizes.users + sizes.val_unseen + sizes.test_unseen))
    scene = _scene(groups, sizes.width, rng)
    truth = _truth(kind, scene, groups, persons, levels, rng)
    pairs = _who_rated_what(sizes, groups, persons, rng)
    judgements = {
        split: Judgements(user, image, _rated(truth.liking[user, image], truth.noise, rng)) for split, (user, image) in pairs.items()
    }
    people = People(tuple(person.user for person in persons), demographics(persons))
    return World(kind, scene.looks, people, persons, MappingProxyType(judgements), truth)


def demographics(persons: tuple[Person, ...]) -> Rows:
    """Return what people said of themselves as numbers, shape (users, features): age, age squared, gender, nationality."""
    age = (np.array([person.age for person in persons]) - 45) / 15
    gender = np.array([[person.gender == name for name in GENDERS] for person in persons])
    nationality = np.array([[person.nationality == name for name in NATIONALITIES] for person in persons])
    return np.column_stack([age, age**2 - 1, gender, nationality]).astype(np.float32)


def oracle(world: World, user: int, context: Codes, ratings: Array, images: Codes) -> Array:
    """Return what is to be expected of one person by somebody who knows the linear world, shape (images,).

    The exact posterior given the person's demographics and the `ratings` of the images `context`, clipping left aside: factors,
    consensus, noise and the distribution of tastes are known, the person's own taste and harshness are not.

    Raises:
        ExperimentError: the world is not linear.
    """
    truth = world.truth
    if truth.expected is None or truth.spread is None:
        raise ExperimentError(f'the oracle knows the linear world only, and this one is "{world.kind}"; make a "linear" one')
    rows = np.column_stack([truth.factors[context], np.ones(len(context))])
    prior = np.zeros((rows.shape[1], rows.shape[1]))
    prior[:-1, :-1], prior[-1, -1] = truth.spread, truth.harshness_sd**2
    mean = np.append(truth.expected[user], 0.0)
    gain = prior @ rows.T @ np.linalg.inv(rows @ prior @ rows.T + truth.noise**2 * np.eye(len(rows)))
    mean = mean + gain @ (ratings - truth.consensus[context] - rows @ mean)
    expected: Array = truth.consensus[images] + truth.factors[images] @ mean[:-1] + mean[-1]
    return expected


def icc1(image: Codes, rating: Array) -> float:
    """Return ICC(1) of ratings grouped by image: the share of variance that the image explains.

    One-way analysis of variance with unequal group sizes (Shrout & Fleiss 1979; k₀ as in Donner 1986).
    """
    counts = np.bincount(image)
    rated = counts > 0
    means = np.bincount(image, weights=rating)[rated] / counts[rated]
    counts = counts[rated]
    total = counts.sum()
    typical = (total - (counts**2).sum() / total) / (len(counts) - 1)
    between = (counts * (means - rating.mean()) ** 2).sum() / (len(counts) - 1)
    within = (((rating - rating.mean()) ** 2).sum() - (counts * (means - rating.mean()) ** 2).sum()) / (total - len(counts))
    return float((between - within) / (between + (typical - 1) * within))


@dataclass(frozen=True)
class _Scene:
    """Images: what a predictor may see of them (`looks`), and what tastes act on."""

    looks: Looks
    factors: Array


_THEMES = 21
_FACTORS = 5
_NUISANCES = 60
# Shares of the variance of a factor that lie between groups, and between themes of a group.
_BETWEEN_GROUPS, _BETWEEN_THEMES = 0.03, 0.20
# Squared length of what differs between images, beside a common direction of length one: what encoders of photographs give.
_FACTORS_LENGTH, _NUISANCE_LENGTH, _GRAIN_LENGTH = 0.25, 0.35, 0.10
_BOTH_GROUPS = 0.1
_BANDS = (35, 55)
# Nobody rated fewer than this share of what people rated on average.
_FEWEST = 0.6


def _scene(groups: np.ndarray, width: int, rng: np.random.Generator) -> _Scene:
    """Return images with themes, factors and embeddings."""
    kind = (groups == "photo").astype(int)
    # The first themes are art, the others photographs, in proportion to the images.
    of_art = round(_THEMES * (1 - kind.mean()))
    theme = np.where(kind == 0, rng.integers(0, of_art, len(kind)), rng.integers(of_art, _THEMES, len(kind)))
    themes = np.eye(_THEMES)[theme]
    own = 1 - _BETWEEN_GROUPS - _BETWEEN_THEMES
    factors = np.sqrt(_BETWEEN_GROUPS) * rng.choice([-1.0, 1.0], _FACTORS) * (2 * kind - 1)[:, None]
    factors += np.sqrt(_BETWEEN_THEMES) * themes @ rng.standard_normal((_THEMES, _FACTORS))
    factors += np.sqrt(own) * rng.standard_normal(factors.shape)
    factors -= factors.mean(axis=0)
    # Tastes are to be as strong as said among images of one group, for most people see one group only.
    factors /= np.sqrt(np.mean([factors[kind == one].var(axis=0) for one in (0, 1)], axis=0))
    nuisance = rng.standard_normal((len(kind), _NUISANCES)) / np.sqrt(np.arange(1, _NUISANCES + 1))
    nuisance[:, :_FACTORS] += themes @ rng.standard_normal((_THEMES, _FACTORS)) / 2
    told = np.column_stack([factors + rng.standard_normal(factors.shape), themes, nuisance[:, :_FACTORS]])
    looks = Looks(
        encoder=ENCODER,
        image=_embedded([(factors, _FACTORS_LENGTH), (nuisance, _NUISANCE_LENGTH)], width, rng),
        group=tuple(groups.tolist()),
        prompt=_embedded([(told, _FACTORS_LENGTH + _NUISANCE_LENGTH)], width, rng),
        metadata=_embedded([(np.column_stack([themes, kind]), 1.0)], width // 4, rng),
    )
    return _Scene(looks, factors)


def _embedded(parts: list[tuple[Array, float]], width: int, rng: np.random.Generator) -> Rows:
    """Return unit vectors, shape (images, width): a common direction, then each part in random directions with its squared length."""
    found = np.tile(_directions(1, width, rng), (len(parts[0][0]), 1))
    for values, length in [*parts, (np.zeros((0, 0)), _GRAIN_LENGTH)]:
        if len(values):
            spread = values - values.mean(axis=0)
            spread *= np.sqrt(length / (spread**2).sum(axis=1).mean())
            found += spread @ _directions(values.shape[1], width, rng)
        else:
            found += np.sqrt(length / width) * rng.standard_normal(found.shape)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), dtype=np.float32)


def _directions(number: int, width: int, rng: np.random.Generator) -> Array:
    """Return random directions of length one, shape (number, width)."""
    found = rng.standard_normal((number, width))
    unit: Array = found / np.linalg.norm(found, axis=1, keepdims=True)
    return unit


def _person(number: int, rng: np.random.Generator) -> Person:
    share = SIZES["full"].art / sum(SIZES["full"].images)
    one = GROUPS if rng.random() < _BOTH_GROUPS else (GROUPS[int(rng.random() >= share)],)
    gender = GENDERS[int(rng.choice(len(GENDERS), p=[0.48, 0.48, 0.04]))]
    return Person(f"s{number:03d}", int(rng.integers(18, 80)), gender, NATIONALITIES[int(rng.integers(len(NATIONALITIES)))], one)


def _clusters(persons: tuple[Person, ...]) -> Codes:
    """Return the demographic cluster of each person: the band of age and the gender."""
    band = np.searchsorted(_BANDS, [person.age for person in persons], side="right")
    return np.asarray(band * len(GENDERS) + [GENDERS.index(person.gender) for person in persons], dtype=np.intp)


def _truth(kind: Kind, scene: _Scene, groups: np.ndarray, persons: tuple[Person, ...], levels: Levels, rng: np.random.Generator) -> Truth:
    factors = scene.factors
    middle = np.where(groups == "art", levels.art, levels.photo)
    common = factors @ rng.standard_normal(_FACTORS)
    for group in GROUPS:
        common[groups == group] = _standardised(common[groups == group])
    consensus = middle + levels.shown * common + levels.hidden * rng.standard_normal(len(factors))
    centres = rng.standard_normal(((len(_BANDS) + 1) * len(GENDERS), _FACTORS))
    expected = np.sqrt(levels.clustered) * centres[_clusters(persons)]
    # What everybody has in common is consensus, not taste.
    expected -= expected.mean(axis=0)
    points = expected + np.sqrt(1 - levels.clustered) * rng.standard_normal(expected.shape)
    harshness = levels.harshness * rng.standard_normal(len(persons))
    if kind == "linear":
        unit = levels.taste * np.sqrt(_weights())
        spread = np.diag(unit**2 * (1 - levels.clustered))
        return Truth(factors, consensus, unit * points @ factors.T, harshness, levels.noise, levels.harshness, unit * expected, spread)
    taste = _nearness(points, factors)
    taste -= taste.mean(axis=0)
    taste -= taste.mean(axis=1, keepdims=True)
    return Truth(factors, consensus, levels.taste * taste / taste.std(), harshness, levels.noise, levels.harshness)


def _weights() -> Array:
    """Return the share of tastes that each factor carries: a few matter much."""
    shares = 1 / np.arange(1, _FACTORS + 1) ** 0.5
    return np.asarray(shares / shares.sum())


def _nearness(points: Array, factors: Array) -> Array:
    """Return how near each image is to each person's point, shape (users, images): flat far away, where nobody cares how far."""
    squared = ((points[:, None, :] - factors[None, :, :]) ** 2) @ _weights()
    near: Array = -np.log1p(squared)
    return near


def _who_rated_what(
    sizes: Sizes, groups: np.ndarray, persons: tuple[Person, ...], rng: np.random.Generator
) -> dict[str, tuple[Codes, Codes]]:
    """Return the pairs of user and image of each split; everybody rated images of their own groups only."""
    first, second, third = sizes.images
    train, val, test = np.arange(first), first + np.arange(second), first + second + np.arange(third)
    trained = np.arange(sizes.users)
    seen = np.sort(rng.choice(sizes.users, sizes.seen, replace=False))
    new = sizes.users + np.arange(sizes.val_unseen)
    newest = sizes.users + sizes.val_unseen + np.arange(sizes.test_unseen)
    some = np.sort(rng.choice(val, sizes.val_unseen_images, replace=False))
    shown = np.array([[group in person.groups for group in groups.tolist()] for person in persons])
    # How much people rate varies by a factor of three or so, and is theirs for all splits.
    busy = np.exp(0.35 * rng.standard_normal(len(persons)))
    parts = {"train": (trained, train), "val_seen": (seen, val), "val_unseen": (new, some), "test_seen": (seen, test)}
    parts["test_unseen"] = (newest, test)
    return {
        split: _pairs(users, images, shown[np.ix_(users, images)], busy[users], sizes.ratings[split], rng)
        for split, (users, images) in parts.items()
    }


def _pairs(users: Codes, images: Codes, allowed: np.ndarray, busy: Array, number: int, rng: np.random.Generator) -> tuple[Codes, Codes]:
    """Return `number` different pairs, drawn by how busy users are; nobody rated very few, and every image that may be seen was rated."""
    keys = np.log(busy)[:, None] - np.log(rng.standard_exponential(allowed.shape))
    keys[~allowed] = -np.inf
    must = np.zeros(allowed.shape, dtype=bool)
    must[keys.argmax(axis=0), np.arange(len(images))] = True
    fewest = int(_FEWEST * number / len(users))
    must[np.arange(len(users))[:, None], np.argpartition(-keys, fewest, axis=1)[:, :fewest]] = True
    keys[must & allowed] = np.inf
    kept = np.sort(np.argsort(-keys, axis=None, kind="stable")[:number])
    user, image = np.unravel_index(kept, allowed.shape)
    return users[user], images[image]


def _rated(liking: Array, noise: float, rng: np.random.Generator) -> Array:
    rating: Array = np.clip(liking + noise * rng.standard_normal(liking.shape), 1, 5)
    return rating


def _standardised(values: Array) -> Array:
    unit: Array = (values - values.mean(axis=0)) / values.std(axis=0)
    return unit


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
