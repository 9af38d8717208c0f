"""What one person will like: a base that all raters share plus each person's own taste, with closed-form updates.

A first, linear version of the default predictor; it reads image features only, and knows nothing of prompts or demographics.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stimuli.experiment import ExperimentError, write_whole

Array = NDArray[np.float64]

_COMPONENTS = 12
_CURVED = 8
_RIDGES = np.geomspace(0.1, 1000, 25)
_ROUNDS = 60
_SMALLEST_VARIANCE = 1e-4


class UnknownUserError(ExperimentError):
    """The predictor was asked about somebody whose ratings it never saw."""


@dataclass(frozen=True)
class Prediction:
    """Ratings to be expected on the scale of the data (1..5), and the standard deviation of one rating around them, shape (images,)."""

    mean: Array
    standard_deviation: Array


@dataclass(frozen=True)
class Taste:
    """The posterior of one person's deviation from everybody: mean (k,) and covariance (k, k)."""

    mean: Array
    covariance: Array


@dataclass(frozen=True)
class Predictor:
    """A fitted predictor.

    Features are standardised by `centre` and `scale`, projected onto `axes` (features, components) and extended by products
    of the first components. `base` gives the rating of an average person. A taste is linear in [1, components]; its prior has mean
    zero and `prior` variances, and a rating has `noise` variance around it.
    """

    encoder: str
    centre: Array
    scale: Array
    axes: Array
    base: Array
    prior: Array
    noise: float
    users: tuple[str, ...]
    tastes: tuple[Taste, ...]

    def predict(self, features: Array, user: str | None) -> Prediction:
        """Return what `user` will rate images with these features, shape (images, features); None is an average person.

        Raises:
            UnknownUserError: the user is not among those of the ratings.
        """
        components = _components(self, features)
        looks = _with_one(components)
        taste = self.taste(user) if user is not None else Taste(np.zeros(len(self.prior)), np.diag(self.prior))
        mean = _base_features(components) @ self.base + looks @ taste.mean
        variance = np.einsum("ij,jk,ik->i", looks, taste.covariance, looks) + self.noise
        return Prediction(mean, np.sqrt(variance))

    def adapt(self, user: str, features: Array, ratings: Array) -> "Predictor":
        """Return a predictor that knows `user` by these ratings, shape (images,); earlier ratings of the same user are forgotten."""
        components = _components(self, features)
        residuals = ratings - _base_features(components) @ self.base
        taste = _posterior(_with_one(components), residuals, self.prior, self.noise)
        others = {name: known for name, known in zip(self.users, self.tastes, strict=True) if name != user}
        everybody = others | {user: taste}
        return replace(self, users=tuple(everybody), tastes=tuple(everybody.values()))

    def taste(self, user: str) -> Taste:
        """Return the taste of a known user."""
        if user not in self.users:
            some = ", ".join(sorted(self.users)[:5])
            raise UnknownUserError(f'the predictor knows no user "{user}"; it knows {len(self.users)}, such as {some}')
        return self.tastes[self.users.index(user)]


def fit(users: Sequence[str], images: NDArray[np.intp], ratings: Array, features: Array, *, encoder: str) -> Predictor:
    """Return the predictor fitted to ratings; row i says that `users[i]` gave `ratings[i]` to the image `features[images[i]]`.

    The base is a ridge regression on image means of user-debiased ratings, its strength chosen by leaving one image out. Tastes
    are fitted to what it leaves over *without* the image in question, by expectation-maximisation of the prior's variances.
    """
    known = np.array(sorted(set(users)))
    owner = np.searchsorted(known, np.array(users))
    rated = np.unique(images)
    centre, scale = features[rated].mean(axis=0), features[rated].std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    axes = _principal_axes((features[rated] - centre) / scale)
    blank = Predictor(encoder, centre, scale, axes, np.zeros(0), np.zeros(0), 0.0, (), ())
    components = _components(blank, features)
    means, counts = _debiased_image_means(owner, images, ratings, len(features))
    base, left_out = _ridge(_base_features(components[rated]), means[rated], counts[rated])
    expected = np.zeros(len(features))
    expected[rated] = left_out
    looks = _with_one(components)
    groups = [(looks[images[owner == user]], (ratings - expected[images])[owner == user]) for user in range(len(known))]
    prior, noise = _variances(groups)
    tastes = tuple(_posterior(rows, residuals, prior, noise) for rows, residuals in groups)
    return replace(blank, base=base, prior=prior, noise=noise, users=tuple(map(str, known)), tastes=tastes)


def save(path: Path, predictor: Predictor) -> None:
    """Write a predictor as .npz, without pickle; equal predictors give equal bytes."""
    buffer = io.BytesIO()
    np.savez(
        buffer,
        encoder=np.array(predictor.encoder),
        centre=predictor.centre,
        scale=predictor.scale,
        axes=predictor.axes,
        base=predictor.base,
        prior=predictor.prior,
        noise=np.array(predictor.noise),
        users=np.array(predictor.users),
        means=np.array([taste.mean for taste in predictor.tastes]),
        covariances=np.array([taste.covariance for taste in predictor.tastes]),
    )
    write_whole(path, buffer.getvalue())


def load(path: Path) -> Predictor:
    """Return the predictor in an .npz file.

    Raises:
        ExperimentError: the file is no predictor of this version.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            tastes = tuple(Taste(mean, covariance) for mean, covariance in zip(file["means"], file["covariances"], strict=True))
            return Predictor(
                encoder=str(file["encoder"]),
                centre=file["centre"],
                scale=file["scale"],
                axes=file["axes"],
                base=file["base"],
                prior=file["prior"],
                noise=float(file["noise"]),
                users=tuple(map(str, file["users"])),
                tastes=tastes,
            )
    except (OSError, ValueError, KeyError) as error:
        raise ExperimentError(f"{path}: not a predictor of this version ({error}); train it again") from error


def _components(predictor: Predictor, features: Array) -> Array:
    projected: Array = (features - predictor.centre) / predictor.scale @ predictor.axes
    return projected


def _with_one(components: Array) -> Array:
    return np.column_stack([np.ones(len(components)), components])


def _base_features(components: Array) -> Array:
    """Return [1, components, products of the first ones]: enough for everybody's ideal to lie anywhere among the images."""
    first = components[:, :_CURVED]
    one, other = np.triu_indices(first.shape[1])
    # Halved and centred, a square varies about as much as a component, so that one ridge suits all.
    products = (first[:, one] * first[:, other] - (one == other)) / 2
    return np.column_stack([_with_one(components), products])


def _principal_axes(standardised: Array) -> Array:
    """Return axes onto the leading principal components, scaled so that each component has variance one."""
    _, singular, rows = np.linalg.svd(standardised, full_matrices=False)
    deviation = singular / np.sqrt(len(standardised))
    kept = min(_COMPONENTS, int((deviation > 1e-6 * max(deviation[0], 1e-12)).sum()))
    # The sign of a component is arbitrary; fixing it keeps equal data equal across linear algebra libraries.
    signs = np.sign(rows[np.arange(kept), np.abs(rows[:kept]).argmax(axis=1)])
    axes: Array = (rows[:kept] * (signs / deviation[:kept])[:, None]).T
    return axes


def _debiased_image_means(owner: NDArray[np.intp], images: NDArray[np.intp], ratings: Array, number: int) -> tuple[Array, Array]:
    """Return each image's mean rating once each user's leaning is taken out (by alternation), and how many ratings it has."""
    counts = np.bincount(images, minlength=number).astype(float)
    per_user = np.bincount(owner)
    leaning = np.zeros(len(per_user))
    means = np.zeros(number)
    for _ in range(20):
        means = np.bincount(images, weights=ratings - leaning[owner], minlength=number) / np.maximum(counts, 1)
        leaning = np.bincount(owner, weights=ratings - means[images]) / per_user
        leaning -= leaning.mean()
    return means, counts


def _ridge(rows: Array, means: Array, counts: Array) -> tuple[Array, Array]:
    """Return ridge coefficients, and what they predict for each image when it is left out; images weigh by their ratings."""
    weight = np.sqrt(counts / counts.mean())[:, None]
    design, target = rows * weight, means * weight[:, 0]
    penalty = np.diag([0.0, *np.ones(rows.shape[1] - 1)])
    fits = []
    for strength in _RIDGES:
        inverse = np.linalg.inv(design.T @ design + strength * penalty)
        coefficients = inverse @ design.T @ target
        leverage = np.einsum("ij,jk,ik->i", design, inverse, design)
        errors = (target - design @ coefficients) / (1 - leverage)
        fits.append((float((errors**2).mean()), coefficients, means - errors / weight[:, 0]))
    _, coefficients, left_out = min(fits, key=lambda fit: fit[0])
    return coefficients, left_out


def _variances(groups: Sequence[tuple[Array, Array]]) -> tuple[Array, float]:
    """Return the prior's variances (k,) and the noise variance that make the residuals most likely (expectation-maximisation)."""
    number = sum(len(residuals) for _, residuals in groups)
    noise = sum(float((residuals**2).sum()) for _, residuals in groups) / number
    prior = np.full(groups[0][0].shape[1], noise / groups[0][0].shape[1])
    for _ in range(_ROUNDS):
        tastes = [_posterior(rows, residuals, prior, noise) for rows, residuals in groups]
        prior = np.mean([taste.mean**2 + np.diag(taste.covariance) for taste in tastes], axis=0)
        prior = np.maximum(prior, _SMALLEST_VARIANCE)
        noise = sum(_expected_error(*group, taste) for group, taste in zip(groups, tastes, strict=True)) / number
    return prior, noise


def _expected_error(rows: Array, residuals: Array, taste: Taste) -> float:
    errors = residuals - rows @ taste.mean
    return float(errors @ errors + np.einsum("ij,jk,ik->", rows, taste.covariance, rows))


def _posterior(rows: Array, residuals: Array, prior: Array, noise: float) -> Taste:
    """Return the taste given residuals: one k x k solve."""
    covariance = np.asarray(np.linalg.inv(np.diag(1 / prior) + rows.T @ rows / noise), dtype=np.float64)
    return Taste(covariance @ rows.T @ residuals / noise, covariance)
