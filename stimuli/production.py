"""The whole room, one function a step: make the ratings, train the predictor, steer, and hand over what people may see."""

from dataclasses import dataclass
from pathlib import Path

from stimuli import generators, handover, ratings, rewriters, scorers, simulated, training
from stimuli import predictor as taste
from stimuli.config import StimuliSettings, StimuliTable
from stimuli.encoders import Encoder, Remembering
from stimuli.encoders import make as make_encoder
from stimuli.experiment import Experiment
from stimuli.generators import Generator
from stimuli.progress import Report, silent
from stimuli.provenance import sha256
from stimuli.ratings import Unreadable
from stimuli.scorers.personal import Personal
from stimuli.seeds import seed_for
from stimuli.stages import Alone
from stimuli.steering import Chain, steer_all
from stimuli.store import Store

# The scorer of each condition and, where it is personal, target user.
Judges = dict[tuple[str, str | None], scorers.Scorer]


@dataclass(frozen=True)
class RatingsMade:
    """The rated data set in use: how much it holds, and which of its images cannot be read."""

    folder: Path
    simulated: bool
    users: int
    images: int
    ratings: int
    unreadable: tuple[Unreadable, ...]


@dataclass(frozen=True)
class Steered:
    """How many images people may see, how many chains of steering led to them, and how many images were rendered just now."""

    stimuli: int
    chains: int
    rendered: int


def make_ratings(experiment: Experiment, settings: StimuliSettings, *, report: Report = silent) -> RatingsMade:
    """Make the simulated data set, or open every image of the one that study.toml names, and return what it holds."""
    with Store(experiment.work) as store:
        rated = _rated(experiment, settings, store, report)
    unreadable = []
    for done, (_, image) in enumerate(ratings.open_images(rated), start=1):
        if isinstance(image, Unreadable):
            unreadable.append(image)
        report("checking images", done, len(rated.images))
    kept = rated.without(unreadable)
    is_simulated = settings.stimuli.ratings.folder is None
    return RatingsMade(rated.folder, is_simulated, kept.ratings["user"].nunique(), len(kept.images), len(kept.ratings), kept.unreadable)


def train(experiment: Experiment, settings: StimuliSettings, *, report: Report = silent) -> training.Training:
    """Train the predictor unless it is trained on these ratings already, making the ratings first where they are missing."""
    with Store(experiment.work) as store:
        return _trained(experiment, settings, store, _encoder(settings.stimuli, store), report)


def steer(experiment: Experiment, settings: StimuliSettings, *, report: Report = silent) -> Steered:
    """Make every stimulus and write the hand-over, its record last; do what is missing before it first.

    Running it again renders nothing that is in the store, and writes the same bytes.
    """
    table = settings.stimuli
    # Every part is asked for before any work, so that one of a later version is refused at once.
    generator, rewriter, judges = _generator(table), rewriters.make(table.rewriter), _generic_judges(settings)
    encoder = make_encoder(table.encoder) if _targets(settings) else None
    with Store(experiment.work) as store:
        before = store.count("render")
        if table.ratings.folder is None:
            # Their known tastes are the true utilities of the stimuli, whether or not a condition is personal.
            _rated(experiment, settings, store, report)
        if encoder is not None:
            judges |= _personal_judges(experiment, settings, store, Remembering(encoder, store), report)
        chains = _chains(settings, judges)
        courses = steer_all(chains, table.steering, Alone(store, generator, rewriter), report=report)
        made = handover.write(experiment, settings, store, generator, list(zip(chains, courses, strict=True)))
        return Steered(made, len(chains), store.count("render") - before)


def _generator(table: StimuliTable) -> Generator:
    return generators.make(table.generator, size=table.size, steps=table.steps, guidance=table.guidance)


def _encoder(table: StimuliTable, store: Store) -> Encoder:
    return Remembering(make_encoder(table.encoder), store)


def _rated(experiment: Experiment, settings: StimuliSettings, store: Store, report: Report) -> ratings.Rated:
    """Return the rated data set, making the simulated one where it is asked for and not current."""
    data, seed = settings.stimuli.ratings, settings.experiment.seed
    if data.folder is not None:
        return ratings.read(experiment.folder / data.folder)
    generator = _generator(settings.stimuli)
    if not simulated.is_current(experiment.ratings, simulated.plan(data, generator, seed=seed)):
        simulated.make(experiment.ratings, data, store, generator, seed=seed, report=report)
    return ratings.read(experiment.ratings)


def _trained(experiment: Experiment, settings: StimuliSettings, store: Store, encoder: Encoder, report: Report) -> training.Training:
    rated = _rated(experiment, settings, store, report)
    known = training.finished(experiment.predictor, rated, encoder)
    return known or training.train(experiment.predictor, rated, encoder, report=report)


def _generic_judges(settings: StimuliSettings) -> Judges:
    """Return the scorer of each condition that is steered for everybody."""
    return {
        (condition.name, None): scorers.make(condition.scorer)
        for condition in settings.condition
        if condition.scorer is not None and condition.scorer != scorers.PERSONAL
    }


def _personal_judges(experiment: Experiment, settings: StimuliSettings, store: Store, encoder: Encoder, report: Report) -> Judges:
    """Return the scorer of each condition and target user, training the predictor first where that is not done."""
    _trained(experiment, settings, store, encoder, report)
    fitted, version = taste.load(experiment.predictor), sha256(experiment.predictor)
    return {(name, user): Personal(fitted, encoder, user, version=version) for name, user in _targets(settings)}


def _targets(settings: StimuliSettings) -> list[tuple[str, str]]:
    """Return the condition and the user of each chain that is steered for one person."""
    personal = (condition for condition in settings.condition if condition.scorer == scorers.PERSONAL)
    return [(condition.name, user) for condition in personal for user in condition.targets]


def _chains(settings: StimuliSettings, judges: Judges) -> list[Chain]:
    seed = settings.experiment.seed
    return [
        Chain(
            prompt=prompt.id,
            base_prompt=prompt.text,
            condition=condition,
            target_user=user,
            run=handover.RUN,
            scorer=scorer,
            image_seed=handover.image_seed(settings, prompt),
            seed=seed_for(seed, "chain", prompt.id, condition, user or "", handover.RUN),
        )
        for prompt in settings.prompt
        for (condition, user), scorer in judges.items()
    ]
