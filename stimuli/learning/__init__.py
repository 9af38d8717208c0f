"""The part of an experiment that learns: its rated data, its encoders, its predictor and the people whom it knows."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stimuli import encoders, generators, ratings
from stimuli.config import StimuliSettings, StimuliTable
from stimuli.encoders import RememberingImages, RememberingTexts, TextEncoder
from stimuli.experiment import Experiment, ExperimentError
from stimuli.generators import Generator, Rendering
from stimuli.groups import Gathered, Group, members
from stimuli.learning import training
from stimuli.learning.training import Task, Training
from stimuli.machine.hardware import Means
from stimuli.manifest import read_rating_images
from stimuli.predictors import PAPER, onboarding
from stimuli.predictors.bayes import BayesTaste
from stimuli.predictors.heldout import FEWEST
from stimuli.predictors.interface import Fitted, Rows
from stimuli.predictors.kinds import Kind
from stimuli.predictors.sight import Recent, Sight, pixel_key, text_key
from stimuli.progress import Report, silent
from stimuli.provenance import describe
from stimuli.ratings import Rated, pool
from stimuli.seeds import seed_for
from stimuli.simulation import simulated
from stimuli.store import Store


def means(experiment: Experiment, table: StimuliTable) -> Means:
    """Return what learned parts run on: the device, and where the weights lie that are not in the hub's cache."""
    return Means(table.device, {name: experiment.folder / folder for name, folder in table.weights.items()})


def generator(experiment: Experiment, table: StimuliTable, *, beside: float = 0.0) -> Generator:
    """Return the generator of the study, which leaves `beside` GiB of the card to others where it can."""
    rendering = Rendering(table.size, table.steps, table.guidance, table.memory, beside)
    return generators.make(table.generator, rendering=rendering, means=means(experiment, table), hosted=table.hosted)


def kind(settings: StimuliSettings) -> Kind:
    """Return which predictor the study uses."""
    return Kind(settings.stimuli.predictor, settings.stimuli.device, seed_for(settings.experiment.seed, "predictor"))


def sight(experiment: Experiment, table: StimuliTable) -> Sight:
    """Return the encoders of the study, with what they computed before.

    Raises:
        ExperimentError: the weights of one are not here.
    """
    return sights(experiment, table)[0]


def sights(experiment: Experiment, table: StimuliTable) -> tuple[Sight, Sight]:
    """Return the encoders of the study twice: with what they computed before, to learn with; and to steer with.

    While steering, images pass by, and many scorers look at each: the second keeps the last rows in memory and writes nothing to
    the disk. It can be sent to other processes, which load the encoders when they look first.
    """
    there = means(experiment, table)
    there = replace(there, folders={name: folder.resolve() for name, folder in there.folders.items()})
    make = partial(encoders.make, table.encoder, folders=there.folders, device=there.device)
    make_text = partial(_text_encoder, table.text_encoder, there)
    images, texts = make(), None if table.text_encoder == "none" else make_text()
    reads_metadata = table.predictor == PAPER
    learning = Sight(
        RememberingImages(images, experiment.features),
        RememberingTexts(texts, experiment.features) if texts else None,
        metadata=reads_metadata,
    )
    steering = Sight(
        Recent(images.spec, make, pixel_key, made=images),
        Recent(texts.spec, make_text, text_key, made=texts) if texts else None,
        metadata=reads_metadata,
    )
    return learning, steering


def _text_encoder(name: str, there: Means) -> TextEncoder:
    found = encoders.make_text(name, folders=there.folders, device=there.device)
    if found is None:
        raise encoders.TEXT_SHELF.refusal(name)
    return found


def rated(experiment: Experiment, settings: StimuliSettings, store: Store, *, report: Report = silent) -> Rated:
    """Return the rated data set, making the simulated one where it is asked for and not current."""
    data, seed = settings.stimuli.ratings, settings.experiment.seed
    if data.folder is not None:
        return ratings.read(experiment.folder / data.folder, layout=data.layout)
    painter = generator(experiment, settings.stimuli)
    if not simulated.is_current(experiment.ratings, simulated.plan(data, painter, seed=seed)):
        simulated.make(experiment.ratings, data, store, painter, seed=seed, report=report)
    return ratings.read(experiment.ratings)


def task(experiment: Experiment, settings: StimuliSettings, eyes: Sight, data: Rated) -> Task:
    """Return what is to be learnt: from the rated data, and of the people of the rating study where that was exported."""
    study = ratings.as_published(experiment.folder, layout="own") if experiment.rated.is_file() else None
    return Task(kind(settings), eyes, data, study, same_people=settings.stimuli.ratings.folder is None)


def trained(experiment: Experiment, settings: StimuliSettings, wanted: Task, *, report: Report = silent) -> Training:
    """Return how the predictor was trained, training it first where it was not on exactly this."""
    known = training.finished(experiment.predictor, wanted)
    if known:
        return known
    inputs = [*wanted.rated.files, *(wanted.study.files if wanted.study else ())]
    provenance = describe(settings=experiment.settings, seed=settings.experiment.seed, inputs=inputs)
    return training.train(experiment.predictor, wanted, provenance=provenance, report=report)


def predictor_file(experiment: Experiment, settings: StimuliSettings) -> Path:
    """Return where the study's predictor is kept."""
    return kind(settings).file(experiment.predictor)


def load(experiment: Experiment, settings: StimuliSettings) -> Fitted:
    """Return the trained predictor."""
    return kind(settings).load(predictor_file(experiment, settings))


def raters(experiment: Experiment, done: Training) -> tuple[str, ...]:
    """Return the people of the rating study whom the predictor knows, by name.

    Raises:
        ExperimentError: nobody has rated, or nobody enough.
    """
    known = tuple(rater.user for rater in done.raters if rater.known)
    if known:
        return known
    if done.raters:
        raise ExperimentError(
            f"{experiment.rated}: nobody rated at least {FEWEST} images, so there is no taste to steer for; the most is "
            f"{max(rater.ratings for rater in done.raters)}"
        )
    raise ExperimentError(
        f'{experiment.rated}: no such file, and targets_from = "ratings" steers for the people in it; let them rate (tastebench study '
        "serve --rating) and then run tastebench study export --rating"
    )


def gathered(experiment: Experiment, settings: StimuliSettings, groups: Sequence[Group], data: Rated, eyes: Sight) -> tuple[Gathered, ...]:
    """Return who belongs to each group: people of the data set and of the rating study whom the predictor knows.

    Raises:
        ExperimentError: nobody belongs to a group, or it asks for an answer that nobody gave.
    """
    if not groups:
        return ()
    users = data.users
    if experiment.rated.is_file():
        study = ratings.as_published(experiment.folder, layout="own").users
        users = pd.concat([users, study[~study.index.isin(users.index)]])
    known = set(load(experiment, settings).users)
    for group in groups:
        if group.name in known:
            raise ExperimentError(f'[[group]] "{group.name}": a person who rated is called so too; give the group another name')
    return tuple(Gathered(group.name, members(group, users, known), _profile(group, settings, eyes)) for group in groups)


def _profile(group: Group, settings: StimuliSettings, eyes: Sight) -> Rows | None:
    """Return what the people of a group say of themselves as the paper's model reads it, where it reads sentences."""
    if settings.stimuli.predictor != PAPER or not group.answers:
        return None
    said = eyes.of_people(pd.DataFrame([group.answers]))
    return None if said is None else said[0]


def check_targets(experiment: Experiment, done: Training, targets: Sequence[str]) -> None:
    """Raise an `ExperimentError` where a target took part in the rating study and gave too few ratings to be known."""
    few = {rater.user: rater.ratings for rater in done.raters if not rater.known}
    for user in targets:
        if user in few:
            raise ExperimentError(
                f'{experiment.rated}: "{user}" rated {few[user]} images, and a target needs at least {FEWEST}; let them rate more, '
                "or name another target"
            )


def write_onboarding(experiment: Experiment, eyes: Sight, fitted: Fitted) -> bool:
    """Write what a server needs to choose what a new person rates next; return whether there are images to rate and a way to choose."""
    if not experiment.rating_images.is_file() or not isinstance(fitted, BayesTaste):
        experiment.onboarding.unlink(missing_ok=True)
        return False
    images = _to_rate(experiment)
    looks, unreadable = eyes.of_rated(images)
    if unreadable:
        raise ExperimentError(f"{experiment.rating_images}: {unreadable[0].reason}; run `tastebench stimuli pool` again")
    onboarding.save(experiment.onboarding, onboarding.chooser(fitted, looks, list(map(str, images.images.index))))
    return True


def _to_rate(experiment: Experiment) -> Rated:
    """Return the images to rate as a data set that nobody has rated."""
    shown, known = read_rating_images(experiment.rating_images), pool.sources(experiment)
    rows = [{"path": image.path, "prompt": image.prompt, **_known(known.get(image.image, {}))} for image in shown]
    images = pd.DataFrame(rows, index=pd.Index([image.image for image in shown], name="image"))
    nobody = pd.DataFrame({name: np.zeros(0, dtype=object) for name in ("user", "image", "rating", "split")})
    return Rated(experiment.folder, nobody, images, pd.DataFrame(index=pd.Index([], name="user")))


def _known(source: dict[str, Any]) -> dict[str, Any]:
    return {key: source.get(key) for key in ("group", "style", "type")}
