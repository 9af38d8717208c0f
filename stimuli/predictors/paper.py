"""The paper's predictor: a fusion transformer with an embedding for each user, and new users interpolated from their neighbours.

See "PAM∃LA Predictor", section 3.2 of the paper. It is here for reproduction; for new people `bayes` is the better predictor.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Self

import numpy as np
import torch
from torch import Tensor

from stimuli.experiment import ExperimentError
from stimuli.machine.hardware import device_named
from stimuli.predictors import paper_scales, paper_training
from stimuli.predictors.interface import Array, Codes, EncoderMismatchError, Judgements, Looks, People, Prediction, Rows, UnknownUserError
from stimuli.predictors.paper_fewshot import Neighbours, nearest, profile, profiles
from stimuli.predictors.paper_material import fingerprint, left_out, require_material, scores_aside, scores_of
from stimuli.predictors.paper_network import FusionNetwork, Inputs, Shape
from stimuli.predictors.paper_scales import Scale, Scales, Source, Sources
from stimuli.predictors.paper_settings import PaperModel
from stimuli.predictors.paper_training import Epoch, Resuming, Watch, unwatched
from stimuli.progress import Report, silent


@dataclass(frozen=True, eq=False)
class Known:
    """The users of the training: what they said of themselves (users, features), their profiles (users, width), their data sets."""

    users: tuple[str, ...]
    demographics: Rows | None
    profiles: Array
    source: Codes


@dataclass(frozen=True, eq=False)
class Newcomer:
    """Somebody, or a group, without a place in the user table: an embedding made of others', and demographics as the network reads them.

    None is an input that the model leaves out.
    """

    embedding: Rows | None
    demographics: Rows | None


@dataclass(frozen=True, eq=False)
class PaperPredictor:
    """A fitted model; it never changes, adapting gives a new one.

    `residual_deviation` is the root mean square error on ratings kept aside in training, the same for all images and people, and NaN
    without such ratings: the paper's model has no variance of its own.
    """

    settings: PaperModel
    encoder: str
    network: FusionNetwork
    scales: Scales
    known: Known
    sources: tuple[Source, ...]
    residual_deviation: float
    newcomers: Mapping[str, Newcomer]
    history: tuple[Epoch, ...]
    seed: int

    @property
    def users(self) -> tuple[str, ...]:
        """Whom it knows: the users of the training, then those it was adapted to."""
        return (*self.known.users, *(user for user in self.newcomers if user not in self.known.users))

    def predict(self, looks: Looks, user: str | None) -> Prediction:
        """Return what `user` will rate the images, shape (images,).

        None is the population: the embedding of the user is zero, and so are demographics, which is the average of the training. (The
        paper leaves the user out. Without their token the model is asked what it was never trained on, and does worse.)

        Raises:
            UnknownUserError: the user is not among those it knows.
            EncoderMismatchError: the images were encoded otherwise.
        """
        self._require_same_features(looks)
        told = paper_training.told(self.network, self._inputs(looks, self._person(user)))
        source = self.sources[0 if user is None or user in self.newcomers else int(self.known.source[self.known.users.index(user)])]
        mean = source.mean + source.deviation * told
        return Prediction(mean, np.full(len(looks), self.residual_deviation))

    def adapt(self, user: str, looks: Looks, ratings: Array, *, demographics: Rows | None = None) -> Self:
        """Return a predictor that knows `user` by these ratings; earlier ratings of the same user are forgotten.

        The embedding is interpolated from the users with the nearest profiles (equation 1 of the paper). Without any rating it is zero,
        as for the population.
        """
        table, embedding = self._table(), self._nobody()
        if table is not None and len(looks):
            near = self.neighbours(looks, ratings)
            embedding = (near.weight @ table[near.user]).astype(np.float32)
        return self._knowing(user, Newcomer(embedding, self._said(user, demographics)))

    def neighbours(self, looks: Looks, ratings: Array) -> Neighbours:
        """Return the training users whose profiles are nearest to that of somebody who gave these ratings."""
        self._require_same_features(looks)
        given = np.asarray(ratings, dtype=np.float64)
        if given.shape != (len(looks),) or not np.isfinite(given).all():
            raise ExperimentError(f"expected {len(looks)} finite ratings, one an image, and found {given.shape} with {given.tolist()[:5]}")
        person = profile(looks.image, given)
        return nearest(person, self.known.profiles, self.settings.neighbours, self.settings.temperature)

    def average(self, name: str, users: Sequence[str], *, demographics: Rows | None = None) -> Self:
        """Return a predictor that knows the group `name`: the mean embedding of its users, and a profile of demographics.

        The profile is the mean of the members' own unless one is given. ("Demographic Profiles", section 5 of the paper.)
        """
        if not users:
            raise ExperimentError(f'the group "{name}" has no users; name at least one')
        members = [self._person(user) for user in users]
        embeddings = [member.embedding for member in members if member.embedding is not None]
        profiles_ = [member.demographics for member in members if member.demographics is not None]
        said = np.mean(profiles_, axis=0) if demographics is None and profiles_ else self._said(name, demographics)
        return self._knowing(name, Newcomer(np.mean(embeddings, axis=0) if embeddings else None, said))

    def _knowing(self, user: str, newcomer: Newcomer) -> Self:
        return replace(self, newcomers=MappingProxyType({**self.newcomers, user: newcomer}))

    def _person(self, user: str | None) -> Newcomer:
        if user is None:
            return Newcomer(self._nobody(), self._said("", None))
        if user in self.newcomers:
            return self.newcomers[user]
        if user not in self.known.users:
            some = ", ".join(sorted(self.users)[:5])
            raise UnknownUserError(
                f'the predictor knows no user "{user}"; it knows {len(self.users)}, such as {some}. Give ratings of theirs first (adapt)'
            )
        row, table = self.known.users.index(user), self._table()
        said = None if self.known.demographics is None else self.known.demographics[row]
        return Newcomer(None if table is None else table[row], self._said(user, said))

    def _nobody(self) -> Rows | None:
        return None if self.network.table is None else np.zeros(self.settings.width, dtype=np.float32)

    def _said(self, user: str, demographics: Rows | None) -> Rows | None:
        """Return demographics as the network reads them: zero, which is the average, where nothing was said."""
        if self.scales.demographics is None:
            return None
        width = self.network.shape.demographics
        if demographics is None:
            return np.zeros(width, dtype=np.float32)
        said = np.asarray(demographics, dtype=np.float32)
        if said.shape != (width,) or not np.isfinite(said).all():
            raise ExperimentError(f'demographics of "{user}": expected {width} finite numbers, as in training, found shape {said.shape}')
        return self.scales.demographics.of(said)

    def _inputs(self, looks: Looks, person: Newcomer) -> Inputs:
        device = next(self.network.parameters()).device
        images = images_for(looks, self.scales, device)
        return replace(images, demographics=_for_all(person.demographics, images.image), user=_for_all(person.embedding, images.image))

    def _table(self) -> Rows | None:
        return None if self.network.table is None else self.network.table.weight.detach().cpu().numpy()

    def _require_same_features(self, looks: Looks) -> None:
        shape = self.network.shape
        if looks.encoder != self.encoder or looks.image.shape[1] != shape.image:
            raise EncoderMismatchError(
                f'the predictor was trained on "{self.encoder}" with {shape.image} features an image, and these images were encoded by '
                f'"{looks.encoder}" with {looks.image.shape[1]}; encode them the same way, or train again'
            )
        for name, expected, rows in (("prompt", shape.prompt, looks.prompt), ("metadata", shape.metadata, looks.metadata)):
            found = 0 if rows is None else rows.shape[1]
            if expected and found != expected:
                raise EncoderMismatchError(
                    f"the predictor was trained with {expected} features of {name} an image, and these images come with {found}; "
                    "encode them the same way, or train again"
                )


def fit(
    looks: Looks,
    people: People,
    judgements: Judgements,
    settings: PaperModel | None = None,
    *,
    aside: Judgements | None = None,
    sources: Sources | None = None,
    seed: int,
    device: str = "auto",
    resume: Path | None = None,
    report: Report = silent,
    watch: Watch = unwatched,
) -> PaperPredictor:
    """Return the model trained on ratings; people without ratings stay unknown.

    `aside` holds ratings kept aside, by people of the training: they are measured after each epoch and give the standard deviation.
    `sources` says which data set each rating is from. `resume` is a file that keeps the state after each epoch; with it, a training
    that was stopped continues, and ends with the same weights. On a CPU the same seed gives the same weights.

    Raises:
        ExperimentError: nothing to learn from, a number that is not finite, or a file of another training.
    """
    settings = settings or PaperModel()
    looks, people = left_out(looks, people, settings)
    sources = sources or Sources(("ratings",), np.zeros(len(judgements), dtype=np.intp))
    require_material(looks, people, judgements)
    measured = paper_scales.measured(sources, judgements.rating)
    numbers, user = np.unique(judgements.user, return_inverse=True)
    said = None if people.demographics is None else people.demographics[numbers]
    known = Known(
        users=tuple(people.users[number] for number in numbers.tolist()),
        demographics=said,
        profiles=profiles(looks.image, user, judgements.image, judgements.rating, len(numbers)),
        source=sources.code[np.unique(user, return_index=True)[1]],
    )
    scales = paper_scales.scales(looks.at(np.unique(judgements.image)), said)
    shape = Shape(looks.image.shape[1], _width(looks.prompt), _width(looks.metadata), _width(said), 0 if settings.no_user else len(numbers))
    where = device_named(device)
    network = FusionNetwork(shape, settings, seed=seed).to(where)
    scores = scores_of(Judgements(user, judgements.image, judgements.rating), sources.code, measured)
    kept = None if aside is None else scores_aside(aside, numbers, known.source, people, measured)
    history = paper_training.train(
        network,
        images_for(looks, scales, where),
        None if said is None or scales.demographics is None else torch.from_numpy(scales.demographics.of(said)).to(where),
        scores,
        settings,
        weights=tuple(source.weight for source in measured),
        aside=kept,
        seed=seed,
        resuming=None if resume is None else Resuming(resume, fingerprint(looks, said, scores, settings, measured, kept, seed)),
        report=report,
        watch=watch,
    )
    network.requires_grad_(False)
    predictor = PaperPredictor(settings, looks.encoder, network, scales, known, measured, np.nan, MappingProxyType({}), history, seed)
    return replace(predictor, residual_deviation=_residual(predictor, looks, people, aside))


def images_for(looks: Looks, scales: Scales, device: torch.device) -> Inputs:
    """Return the features of images as the network reads them."""

    def read(rows: Rows | None, scale: Scale | None) -> Tensor | None:
        return None if rows is None or scale is None else torch.from_numpy(scale.of(rows)).to(device)

    image = torch.from_numpy(scales.image.of(looks.image)).to(device)
    return Inputs(image, read(looks.prompt, scales.prompt), read(looks.metadata, scales.metadata))


def _for_all(row: Rows | None, images: Tensor) -> Tensor | None:
    return None if row is None else torch.from_numpy(row).to(images.device).expand(len(images), -1)


def _width(rows: Rows | None) -> int:
    return 0 if rows is None else rows.shape[1]


def _residual(predictor: PaperPredictor, looks: Looks, people: People, aside: Judgements | None) -> float:
    """Return the root mean square error on ratings kept aside, in points of their scale; NaN without any."""
    if aside is None:
        return float("nan")
    squares = 0.0
    for user in np.unique(aside.user).tolist():
        rows = aside.user == user
        told = predictor.predict(looks.at(aside.image[rows]), people.users[user]).mean
        squares += float(((told - aside.rating[rows]) ** 2).sum())
    return float(np.sqrt(squares / len(aside)))
