"""The whole room, one function a step: make the ratings, train the predictor, steer, and hand over what people may see."""

import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from stimuli import handover, learning, manifest, predicting, ratings, rewriters, scorers, simulated
from stimuli.config import Condition, Prompt, StimuliSettings, StimuliTable
from stimuli.experiment import Experiment, ExperimentError
from stimuli.prediction_record import PredictionRecord, write_prediction_record
from stimuli.predictions import write_predictions
from stimuli.predictors.sight import Sight
from stimuli.progress import Report, silent
from stimuli.provenance import describe, sha256
from stimuli.raters import names, newcomers
from stimuli.ratings import Unreadable
from stimuli.ratings.pool import Pool, rating_images
from stimuli.scorers.personal import Personal
from stimuli.seeds import seed_for
from stimuli.stages import Alone
from stimuli.steering import Chain, steer_all
from stimuli.store import Store
from stimuli.studyfile import ExperimentTable
from stimuli.training import Training, material

# How many images a rating study has to choose from unless told otherwise.
POOL = 100

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


@dataclass(frozen=True)
class Predicted:
    """Where predictions were written, how many, and of which models and splits."""

    path: Path
    rows: int
    models: tuple[str, ...]
    splits: tuple[str, ...]


def make_ratings(experiment: Experiment, settings: StimuliSettings, *, report: Report = silent) -> RatingsMade:
    """Make the simulated data set, or open every image of the one that study.toml names, and return what it holds."""
    with Store(experiment.work) as store:
        rated = learning.rated(experiment, settings, store, report=report)
    kept = rated.without(unreadable_images(rated, report=report))
    is_simulated = settings.stimuli.ratings.folder is None
    return RatingsMade(rated.folder, is_simulated, kept.ratings["user"].nunique(), len(kept.images), len(kept.ratings), kept.unreadable)


def unreadable_images(rated: ratings.Rated, *, report: Report = silent) -> list[Unreadable]:
    """Open every image of a data set, and return those that cannot be read."""
    unreadable = []
    for done, (_, image) in enumerate(ratings.open_images(rated), start=1):
        if isinstance(image, Unreadable):
            unreadable.append(image)
        report("checking images", done, len(rated.images))
    return unreadable


def make_pool(experiment: Experiment, settings: StimuliSettings, *, number: int = POOL, report: Report = silent) -> Pool:
    """Choose the images of the rating study from the rated data set, making the simulated one first where that is in use.

    Of simulated newcomers, or else of simulated raters, what they truly like of these images is written too, and by that they can be
    simulated participants: those who are already known are not asked again where there is somebody new.
    """
    with Store(experiment.work) as store:
        rated = learning.rated(experiment, settings, store, report=report)
    pool = rating_images(rated, experiment, number=number, seed=seed_for(settings.experiment.seed, "rating images"), report=report)
    experiment.rating_utilities.unlink(missing_ok=True)
    if settings.stimuli.ratings.folder is None:
        pictures = {image.image: experiment.folder / image.path for image in pool.images}
        asked = newcomers(settings.stimuli.ratings.newcomers) or names(settings.stimuli.ratings.raters)
        likings = [liking for liking in simulated.likings(rated.folder, pictures) if liking.user in asked]
        manifest.write_utilities(experiment.rating_utilities, likings)
    return pool


def train(experiment: Experiment, settings: StimuliSettings, *, report: Report = silent) -> Training:
    """Train the predictor unless it is trained on these ratings already, making the ratings first where they are missing.

    It then knows the people of the rating study too, where that was exported. Where images to rate were chosen, what a server
    needs to ask a new person the most telling ones is written beside it.
    """
    eyes = learning.sight(experiment, settings.stimuli)
    with Store(experiment.work) as store:
        done = _trained(experiment, settings, store, eyes, report)
    learning.write_onboarding(experiment, eyes, learning.load(experiment, settings))
    return done


def predict(experiment: Experiment, settings: StimuliSettings, *, to: Path | None = None, report: Report = silent) -> Predicted:
    """Write what the predictor, the population and the generic scorers of the conditions tell of all held-out ratings.

    The predictor is trained first where it is not. Beside the rows goes a record of how they came about.

    Raises:
        ExperimentError: the data set holds nothing out.
    """
    path, rivals = to or experiment.predictions, _generic_scorers(settings)
    eyes = learning.sight(experiment, settings.stimuli)
    with Store(experiment.work) as store:
        data = learning.rated(experiment, settings, store, report=report)
    wanted = learning.task(experiment, settings, eyes, data)
    learning.trained(experiment, settings, wanted, report=report)
    known = material(wanted)
    fitted = learning.load(experiment, settings)
    rows = predicting.predict(settings.stimuli.predictor, fitted, known, rivals, seed=wanted.kind.seed, report=report)
    if rows is None:
        raise ExperimentError(
            f"{data.folder}: holds no ratings out (its splits for validation and test are empty), so there is nothing to predict; "
            "`tastebench stimuli split` draws such splits"
        )
    record = path.with_suffix(".json")
    record.unlink(missing_ok=True)
    write_predictions(path, rows)
    provenance = describe(settings=experiment.settings, seed=settings.experiment.seed, inputs=[path, *data.files])
    images = {image: _relative(data.folder / str(known.rated.images.at[image, "path"]), path.parent) for image in sorted(set(rows.image))}
    stand_ins = tuple(handover.stand_ins_of_predictions(settings, rivals))
    is_simulated = settings.stimuli.ratings.folder is None
    write_prediction_record(record, PredictionRecord(is_simulated, stand_ins, images, provenance=asdict(provenance)))
    return Predicted(path, len(rows), tuple(sorted(set(rows.model))), tuple(sorted(set(rows.split))))


def steer(experiment: Experiment, settings: StimuliSettings, *, report: Report = silent) -> Steered:
    """Make every stimulus and write the hand-over, its record last; do what is missing before it first.

    Running it again renders nothing that is in the store, and writes the same bytes.
    """
    table = settings.stimuli
    # Every part is asked for before any work, so that one of a later version is refused at once.
    painter, rewriter, judges = learning.generator(table), rewriters.make(table.rewriter), _generic_judges(settings)
    eyes = learning.sight(experiment, table) if any(condition.is_personal for condition in settings.condition) else None
    with Store(experiment.work) as store:
        before = store.count("render")
        if table.ratings.folder is None:
            # Their known tastes are the true utilities of the stimuli, whether or not a condition is personal.
            learning.rated(experiment, settings, store, report=report)
        if eyes is not None:
            settings = _with_targets(experiment, settings, _trained(experiment, settings, store, eyes, report))
            judges |= _personal_judges(experiment, settings, eyes)
        chains = _chains(settings, judges)
        courses = steer_all(chains, table.steering, Alone(store, painter, rewriter), report=report)
        made = handover.write(experiment, settings, store, painter, list(zip(chains, courses, strict=True)))
        return Steered(made, len(chains), store.count("render") - before)


def _trained(experiment: Experiment, settings: StimuliSettings, store: Store, eyes: Sight, report: Report) -> Training:
    data = learning.rated(experiment, settings, store, report=report)
    return learning.trained(experiment, settings, learning.task(experiment, settings, eyes, data), report=report)


@dataclass(frozen=True)
class _Settled:
    """Settings in which every personal condition names its targets."""

    experiment: ExperimentTable
    stimuli: StimuliTable
    prompt: tuple[Prompt, ...]
    condition: tuple[Condition, ...]


def _with_targets(experiment: Experiment, settings: StimuliSettings, done: Training) -> StimuliSettings:
    """Return the settings with the people of the rating study as targets of the conditions that ask for them."""
    conditions = tuple(
        replace(condition, targets=learning.raters(experiment, done), targets_from=None) if condition.targets_from else condition
        for condition in settings.condition
    )
    learning.check_targets(experiment, done, [user for condition in conditions for user in condition.targets])
    return _Settled(settings.experiment, settings.stimuli, settings.prompt, conditions)


def _relative(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()


def _generic_scorers(settings: StimuliSettings) -> dict[str, scorers.Scorer]:
    """Return the scorers by name that steer for everybody."""
    return {scorer.spec.name: scorer for scorer in _generic_judges(settings).values()}


def _generic_judges(settings: StimuliSettings) -> Judges:
    """Return the scorer of each condition that is steered for everybody."""
    return {
        (condition.name, None): scorers.make(condition.scorer)
        for condition in settings.condition
        if condition.scorer is not None and condition.scorer != scorers.PERSONAL
    }


def _personal_judges(experiment: Experiment, settings: StimuliSettings, eyes: Sight) -> Judges:
    """Return the scorer of each condition and target user, by the trained predictor."""
    fitted, version = learning.load(experiment, settings), sha256(learning.predictor_file(experiment, settings))
    caution = settings.stimuli.steering.caution
    return {(name, user): Personal(fitted, eyes, user, version=version, caution=caution) for name, user in _targets(settings)}


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
