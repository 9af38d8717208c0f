"""The base: what an average person thinks of an image, by ridge regression on the mean ratings of images."""

import itertools
import math
from dataclasses import dataclass

import numpy as np

from stimuli.predictors.components import Components, components
from stimuli.predictors.interface import Array, Codes, Judgements, Looks, Rows

_RIDGES = np.geomspace(0.1, 10_000, 31)
_ALTERNATIONS = 20
# Shares of the components asked for; few images are better told by few.
_PARTS = (0.06, 0.125, 0.25, 0.5, 1.0)
# What looks cannot tell of an image's mean varies about as much as the mean of this many ratings.
_OWN_RATINGS = 4.0


@dataclass(frozen=True, eq=False)
class Base:
    """Everybody's taste: `coefficients` of [1, components of the image, products of the first, groups, components of the texts].

    `curved` is how many of the first components come with their products; `text` is None where images came without texts.
    """

    image: Components
    text: Components | None
    groups: tuple[str, ...]
    curved: int
    coefficients: Array

    def of(self, looks: Looks, around: Rows, seen: Array) -> Array:
        """Return the rating by an average person of each image, shape (images,).

        `around` holds the images' features around the centre of their components, `seen` the first components, at least `curved`.
        """
        constant, image, products, groups, text = np.split(self.coefficients, np.cumsum(self._widths())[:-1])
        # One direction in place of all components: much the fastest for thousands of images.
        found = constant + (around @ (self.image.axes @ image.astype(np.float32))).astype(np.float64)
        found += _products(seen[:, : self.curved]) @ products + one_hot(looks.group, self.groups) @ groups
        if self.text is not None:
            direction = self.text.axes @ text.astype(np.float32)
            found += _along(looks, direction) - float(self.text.centre @ direction)
        rating: Array = found
        return rating

    @property
    def text_width(self) -> int:
        """How many features of texts it reads."""
        return 0 if self.text is None else len(self.text.centre)

    def _widths(self) -> tuple[int, ...]:
        text = 0 if self.text is None else len(self.text.deviation)
        return 1, len(self.image.deviation), self.curved * (self.curved + 1) // 2, len(self.groups), text


@dataclass(frozen=True, eq=False)
class FittedBase:
    """A base, and what it gives each image when that image is left out of the fit, shape (images,); NaN for images nobody rated.

    `image` holds all components that were asked for, of which the base uses the first.
    """

    base: Base
    image: Components
    left_out: Array


def fit_base(looks: Looks, judgements: Judgements, users: int, *, of_image: int, of_text: int, curved: int) -> FittedBase:
    """Return a base fitted to image means from which each user's leaning is taken out.

    The ridge's strength, and whether products of components help, are chosen by leaving one image out.
    """
    means, counts = debiased_means(judgements, users, len(looks))
    rated = np.flatnonzero(counts)
    known = looks.at(rated)
    image = components(known.image, of_image)
    text = None if looks.prompt is None and looks.metadata is None else components(texts_of(known), of_text)
    groups = tuple(sorted({group for group in known.group if group}))
    seen = image.of(known.image).astype(np.float64)
    texts = np.zeros((len(rated), 0)) if text is None else text.of(texts_of(known)).astype(np.float64)
    weights = worth(counts[rated])
    tried = []
    for part, bent in itertools.product(_PARTS, dict.fromkeys((0, curved))):
        image_part, text_part = image.first(math.ceil(part * of_image)), None if text is None else text.first(math.ceil(part * of_text))
        read = seen[:, : len(image_part.deviation)], texts[:, : 0 if text_part is None else len(text_part.deviation)]
        bent = min(bent, read[0].shape[1])
        rows = np.hstack([read[0], _products(read[0][:, :bent]), one_hot(known.group, groups), read[1]])
        coefficients, left_out = ridge(rows, means[rated], weights)
        error = float(np.average((means[rated] - left_out) ** 2, weights=weights))
        tried.append((error, Base(image_part, text_part, groups, bent, coefficients), left_out))
    _, base, best = min(tried, key=lambda one: one[0])
    everywhere = np.full(len(looks), np.nan)
    everywhere[rated] = best
    return FittedBase(base, image, everywhere)


def debiased_means(judgements: Judgements, users: int, images: int) -> tuple[Array, Array]:
    """Return each image's mean rating once each user's leaning is taken out (by alternation), and how many ratings it has."""
    counts = np.bincount(judgements.image, minlength=images).astype(np.float64)
    per_user = np.maximum(np.bincount(judgements.user, minlength=users), 1)
    leaning, means = np.zeros(users), np.zeros(images)
    for _ in range(_ALTERNATIONS):
        means = np.bincount(judgements.image, judgements.rating - leaning[judgements.user], images) / np.maximum(counts, 1)
        leaning = np.bincount(judgements.user, judgements.rating - means[judgements.image], users) / per_user
        leaning -= leaning[np.unique(judgements.user)].mean()
    return means, counts


def worth(counts: Array) -> Array:
    """Return how much the mean of so many ratings tells of what looks can tell, 0..1, shape (images,)."""
    found: Array = counts / (counts + _OWN_RATINGS)
    return found


def ridge(rows: Array, target: Array, weights: Array) -> tuple[Array, Array]:
    """Return ridge coefficients, the constant first, and what they give each row when it is left out, shape (rows,).

    The strength is the one with the least squared error on rows left out (Allen's PRESS, 1974), which costs no second fit.
    """
    share = weights / weights.sum()
    middle, mean = share @ rows, float(share @ target)
    scaled = np.sqrt(weights)[:, None] * (rows - middle)
    wanted = np.sqrt(weights) * (target - mean)
    values, vectors = np.linalg.eigh(scaled.T @ scaled)
    turned, projected = scaled @ vectors, vectors.T @ (scaled.T @ wanted)
    tried = []
    for strength in _RIDGES:
        shrunk = projected / (np.maximum(values, 0) + strength)
        leverage = turned**2 @ (1 / (np.maximum(values, 0) + strength)) + share
        errors = (wanted - turned @ shrunk) / np.maximum(1 - leverage, 1e-6)
        tried.append((float(errors @ errors), vectors @ shrunk, target - errors / np.sqrt(weights)))
    _, slopes, left_out = min(tried, key=lambda one: one[0])
    return np.concatenate([[mean - middle @ slopes], slopes]), left_out


def one_hot(labels: tuple[str, ...], groups: tuple[str, ...]) -> Array:
    """Return 1 where an image belongs to a group, shape (images, groups); a group that nobody rated belongs to none."""
    place = {group: number for number, group in enumerate(groups)}
    codes: Codes = np.array([place.get(label, -1) for label in labels], dtype=np.intp)
    found: Array = (codes[:, None] == np.arange(len(groups))).astype(np.float64)
    return found


def texts_of(looks: Looks) -> Rows:
    """Return the features of prompts and metadata side by side, shape (images, features)."""
    return np.hstack([part for part in (looks.prompt, looks.metadata) if part is not None])


def _along(looks: Looks, direction: Rows) -> Rows:
    """Return the features of texts along a direction, shape (images,), without laying them side by side first."""
    parts = [part for part in (looks.prompt, looks.metadata) if part is not None]
    pieces = np.split(direction, np.cumsum([part.shape[1] for part in parts])[:-1])
    found: Rows = sum((part @ piece for part, piece in zip(parts, pieces, strict=True)), start=np.zeros(len(looks), dtype=np.float32))
    return found


def _products(seen: Array) -> Array:
    """Return the products of each two components: with them everybody's ideal may lie anywhere among the images."""
    one, other = np.triu_indices(seen.shape[1])
    # Halved and centred, a square varies about as much as a component, so that one ridge suits all.
    found: Array = (seen[:, one] * seen[:, other] - (one == other)) / 2
    return found
