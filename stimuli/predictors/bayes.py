"""The default predictor: a base that everybody shares, and each person's own normal taste, with closed-form updates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Self

import numpy as np

from stimuli.experiment import ExperimentError
from stimuli.predictors.base import Base, fit_base, one_hot
from stimuli.predictors.base_choice import BaseChoice, Opinion, SecondOpinion
from stimuli.predictors.components import Components
from stimuli.predictors.interface import Array, EncoderMismatchError, Judgements, Looks, People, Prediction, Rows, UnknownUserError
from stimuli.predictors.tastes import Prior, Taste, learn, moments, posterior, rated_one

_IMAGES_PER_COMPONENT = 2
# What a component does to tastes is learnt from people: too many components of few people are noise.
_PEOPLE_PER_COMPONENT = 2


@dataclass(frozen=True)
class Settings:
    """How much of the features is used, and `rounds` of expectation-maximisation; few images or raters get fewer components.

    The base reads `base_components` of the image, products of the first `curved` where those help, and `text_components` of the
    texts. Tastes read `taste_components` of the image.
    """

    base_components: int = 96
    text_components: int = 48
    taste_components: int = 32
    curved: int = 8
    rounds: int = 30


@dataclass(frozen=True, eq=False)
class BayesTaste:
    """A fitted predictor; it never changes, updates are new ones. A taste is linear in [1, first `components` of `image`, groups].

    `image` is shared with the base: its first components are the base's. `opinion` is what the base holds beside the ridge, None
    where that is nothing, and `choice` how it was chosen, None where there was nothing to choose from.
    """

    encoder: str
    base: Base
    image: Components
    components: int
    prior: Prior
    tastes: Mapping[str, Taste]
    opinion: Opinion | None = None
    choice: BaseChoice | None = None

    @property
    def users(self) -> tuple[str, ...]:
        """Whom it knows."""
        return tuple(self.tastes)

    def taste(self, user: str | None) -> Taste:
        """Return what is known of somebody's taste; None is a person of whom nothing is known.

        Raises:
            UnknownUserError: the user is not among those it knows.
        """
        if user is None:
            return self.prior.of(None)
        if user not in self.tastes:
            some = ", ".join(sorted(self.tastes)[:5])
            raise UnknownUserError(
                f'the predictor knows no user "{user}"; it knows {len(self.tastes)}, such as {some}. Give ratings of theirs first (adapt)'
            )
        return self.tastes[user]

    def predict(self, looks: Looks, user: str | None) -> Prediction:
        """Return what `user` will rate the images, shape (images,); None is an average person.

        Raises:
            UnknownUserError: the user is not among those it knows.
            EncoderMismatchError: the images were encoded otherwise.
        """
        found = self._predicted(looks, [self.taste(user)])
        return Prediction(found.mean[0], found.standard_deviation[0])

    def predict_all(self, looks: Looks, users: Sequence[str] | None = None) -> Prediction:
        """Return what users (all it knows unless named) will rate the images, shape (users, images)."""
        return self._predicted(looks, [self.taste(user) for user in (self.users if users is None else users)])

    def adapt(self, user: str, looks: Looks, ratings: Array, *, demographics: Rows | None = None) -> Self:
        """Return a predictor that knows `user` by these ratings; earlier ratings of the same user are forgotten."""
        given = np.asarray(ratings, dtype=np.float64)
        if given.shape != (len(looks),) or not np.isfinite(given).all():
            raise ExperimentError(
                f'ratings of "{user}": expected {len(looks)} finite numbers, one an image, and found shape {given.shape} with '
                f"{int((~np.isfinite(given)).sum())} that are not finite"
            )
        base, rows = self.features(looks)
        return self._knowing(user, posterior(self._expected(user, demographics), rows, given - base, self.prior.noise))

    def meet(self, user: str, *, demographics: Rows | None = None) -> Self:
        """Return a predictor that knows `user`, a person or a group, by demographics alone; None is somebody who said nothing."""
        return self._knowing(user, self._expected(user, demographics))

    def rated(self, user: str, look: Looks, rating: float) -> Self:
        """Return a predictor that knows one further rating by a known user; it equals adapting to all of their ratings at once."""
        if len(look) != 1 or not np.isfinite(rating):
            raise ExperimentError(f'a rating of "{user}": expected one image and a finite rating, found {len(look)} images and {rating}')
        base, rows = self.features(look)
        return self._knowing(user, rated_one(self.taste(user), rows[0], rating - float(base[0]), self.prior.noise))

    def average(self, name: str, users: Sequence[str]) -> Self:
        """Return a predictor that knows `name` as any one of these users: their mean taste, as uncertain as they differ."""
        if not users:
            raise ExperimentError(f'the group "{name}" has no users; name at least one')
        members = [self.taste(user) for user in users]
        means = np.array([member.mean for member in members])
        within = np.mean([member.covariance for member in members], axis=0)
        return self._knowing(name, Taste(means.mean(axis=0), within + np.cov(means.T, ddof=0).reshape(within.shape)))

    def features(self, looks: Looks) -> tuple[Array, Array]:
        """Return what an average person rates each image, shape (images,), and the features of tastes, shape (images, k).

        Raises:
            EncoderMismatchError: the images were encoded otherwise.
        """
        self._require_same_encoder(looks)
        around = looks.image - self.image.centre
        seen = (around @ self.image.axes).astype(np.float64)
        base = self.base.of(looks, around, seen)
        if self.opinion is not None and self.choice is not None:
            base = _blended(base, self.opinion.of(looks), self.choice.share)
        return base, taste_features(seen[:, : self.components], looks, self.base.groups)

    def _predicted(self, looks: Looks, tastes: Sequence[Taste]) -> Prediction:
        base, rows = self.features(looks)
        mean = base + np.array([taste.mean for taste in tastes]).reshape(-1, rows.shape[1]) @ rows.T
        covariances = np.array([taste.covariance for taste in tastes]).reshape(-1, rows.shape[1], rows.shape[1])
        variance = _variances(rows, covariances)
        variance += np.float32(self.prior.noise)
        np.sqrt(variance, out=variance)
        return Prediction(mean, variance.astype(np.float64))

    def _knowing(self, user: str, taste: Taste) -> Self:
        return replace(self, tastes=MappingProxyType({**self.tastes, user: taste}))

    def _expected(self, user: str, demographics: Rows | None) -> Taste:
        if demographics is None or not len(self.prior.centre):
            return self.prior.of(None)
        said = np.asarray(demographics, dtype=np.float64)
        if said.shape != self.prior.centre.shape or not np.isfinite(said).all():
            raise ExperimentError(
                f'demographics of "{user}": expected {len(self.prior.centre)} finite numbers, as in training, found shape {said.shape}'
            )
        return self.prior.of(said)

    def _require_same_encoder(self, looks: Looks) -> None:
        if looks.encoder != self.encoder or looks.image.shape[1] != len(self.base.image.centre):
            raise EncoderMismatchError(
                f'the predictor was trained on "{self.encoder}" with {len(self.base.image.centre)} features an image, and these images '
                f'were encoded by "{looks.encoder}" with {looks.image.shape[1]}; encode them the same way, or train again'
            )
        expected, found = self.base.text_width, text_width(looks)
        if expected != found:
            raise EncoderMismatchError(
                f"the predictor was trained with {expected} features of texts an image, and these images come with {found}; "
                "encode prompts and metadata the same way, or train again"
            )


def fit(
    looks: Looks, people: People, judgements: Judgements, settings: Settings | None = None, *, second: SecondOpinion | None = None
) -> BayesTaste:
    """Return the predictor fitted to ratings; people without ratings stay unknown.

    Tastes are fitted to what the base leaves over *without* the image in question, else it would hide part of them. `second` is
    another opinion to blend into the base (`stimuli.predictors.bayes_network`).

    Raises:
        ExperimentError: fewer than two people or two images were rated, or a number is not finite.
    """
    settings = settings or Settings()
    known, user = required(looks, people, judgements)
    ratings = replace(judgements, user=user)
    fitted = fit_base(looks, ratings, len(known), **base_sizes(settings, len(np.unique(judgements.image))))
    base, left_out = fitted.base, fitted.left_out
    if second is not None:
        left_out = _blended(left_out, second.left_out, second.choice.share)
    per_person = len(judgements) // len(known)
    most = max(1, min(len(known) // _PEOPLE_PER_COMPONENT, per_person // _IMAGES_PER_COMPONENT))
    components = min(settings.taste_components, len(fitted.image.deviation), most)
    image = fitted.image.first(max(components, base.curved))
    rows = taste_features(image.first(components).of(looks.image).astype(np.float64), looks, base.groups)
    left = judgements.rating - left_out[judgements.image]
    blocks = np.append(np.arange(1 + components), np.full(len(base.groups), 1 + components))
    said = None if people.demographics is None else people.demographics[known].astype(np.float64)
    learnt = learn(moments(rows[judgements.image], left, user, len(known)), blocks, said, rounds=settings.rounds)
    tastes = MappingProxyType({people.users[number]: taste for number, taste in zip(known.tolist(), learnt.tastes, strict=True)})
    others = (None, None) if second is None else (second.opinion, second.choice)
    return BayesTaste(looks.encoder, base, image, components, learnt.prior, tastes, *others)


def base_sizes(settings: Settings, images: int) -> dict[str, int]:
    """Return how many components the ridge reads where so many images were rated, by the names that `fit_base` has for them."""
    most = max(1, images // _IMAGES_PER_COMPONENT)
    return {
        "of_image": min(settings.base_components, most),
        "of_text": min(settings.text_components, most),
        "curved": settings.curved,
    }


def lower_bound(prediction: Prediction, *, sd: float, noise: float = 0.0) -> Array:
    """Return the mean less `sd` standard deviations, for steering that must not chase uncertainty; the shape of the prediction.

    With the variance of one rating as `noise` the deviation is that of the expected rating, which knowledge of taste can lower.
    """
    found: Array = prediction.mean - sd * np.sqrt(np.maximum(prediction.standard_deviation**2 - noise, 0))
    return found


def taste_features(seen: Array, looks: Looks, groups: tuple[str, ...]) -> Array:
    """Return [1, components `seen`, groups], shape (images, k)."""
    return np.hstack([np.ones((len(looks), 1)), seen, one_hot(looks.group, groups)])


def text_width(looks: Looks) -> int:
    """Return how many features of texts come with an image."""
    return sum(part.shape[1] for part in (looks.prompt, looks.metadata) if part is not None)


def _blended(ridge: Array, other: Array, share: float) -> Array:
    """Return both together; what has no share may be missing."""
    if not share:
        return ridge
    found: Array = other if share == 1 else (1 - share) * ridge + share * other
    return found


def _variances(rows: Array, covariances: Array) -> Rows:
    """Return φᵀCφ, shape (people, images), as one product of matrices; single precision is plenty for a variance."""
    size = rows.shape[1]
    across = np.ascontiguousarray(rows.T, dtype=np.float32)
    squares = np.concatenate([across[place] * across[place:] for place in range(size)])
    one, other = np.triu_indices(size)
    twice = np.where(one == other, 1.0, 2.0)
    found: Rows = (covariances[:, one, other] * twice).astype(np.float32) @ squares
    return np.maximum(found, 0, out=found)


def required(looks: Looks, people: People, judgements: Judgements) -> tuple[np.ndarray, np.ndarray]:
    """Return who rated, and the judgements' users among those; complain of what cannot be learnt from."""
    known, user = np.unique(judgements.user, return_inverse=True)
    images = np.unique(judgements.image)
    if len(known) < 2 or len(images) < 2:
        raise ExperimentError(
            f"found ratings by {len(known)} people of {len(images)} images; a predictor needs at least two of each, and does well from "
            "twenty people of a hundred images on"
        )
    parts: dict[str, np.ndarray | None] = {
        "ratings": judgements.rating,
        "image features": looks.image[images],
        "prompt features": None if looks.prompt is None else looks.prompt[images],
        "metadata features": None if looks.metadata is None else looks.metadata[images],
        "demographics": None if people.demographics is None else people.demographics[known],
    }
    for name, part in parts.items():
        if part is not None and not np.isfinite(part).all():
            raise ExperimentError(
                f"{name}: {int((~np.isfinite(part)).sum())} numbers are not finite; leave those rows out, or encode again"
            )
    return known, user
