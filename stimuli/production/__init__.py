"""The whole room, one function a step: make the ratings, train the predictor, steer, and hand over what people may see."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from stimuli import learning, manifest, ratings, scorers
from stimuli.config import Condition, Prompt, StimuliSettings, StimuliTable
from stimuli.experiment import Experiment, ExperimentError
from stimuli.groups import Gathered, Group
from stimuli.learning import predicting
from stimuli.learning.training import Training, material
from stimuli.lock import alone
from stimuli.prediction_record import PredictionRecord, write_prediction_record
from stimuli.predictions import write_predictions
from stimuli.predictors.sight import Sight
from stimuli.production import ensemble, handover, stand_ins
from stimuli.production.ensemble import Ensemble
from stimuli.progress import Report, silent
from stimuli.provenance import describe
from stimuli.ratings import Unreadable
from stimuli.ratings.pool import Pool, rating_images
from stimuli.scorers import Scorer
from stimuli.seeds import seed_for
from stimuli.simulation import simulated
from stimuli.simulation.raters import names, newcomers
from stimuli.steering import most_images, steer_all
from stimuli.steering.chains import Chain, Course
from stimuli.store import Store
from stimuli.studyfile import ExperimentTable
from stimuli.workers import crew

# How many images a rating study has to choose from unless told otherwise.
POOL = 100


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
    """How many images people may see, how many chains of steering led to them, and how many images were rendered just now.

    Of the `iterations` of all chains `unanswered` got no new prompt from the rewriter; `unmoved` chains ended where they began.
    """

    stimuli: int
    chains: int
    rendered: int
    iterations: int
    unanswered: int
    unmoved: int


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
    path, rivals = to or experiment.predictions, _generic_scorers(experiment, settings)
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
    parts = tuple(stand_ins.of_predictions(settings, rivals))
    is_simulated = settings.stimuli.ratings.folder is None
    write_prediction_record(
        record, PredictionRecord(is_simulated, parts, images, rated_again=known.rated_again, provenance=asdict(provenance))
    )
    return Predicted(path, len(rows), tuple(sorted(set(rows.model))), tuple(sorted(set(rows.split))))


def steer(experiment: Experiment, settings: StimuliSettings, *, report: Report = silent) -> Steered:
    """Make every stimulus and write the hand-over, its record last; do what is missing before it first.

    Running it again renders nothing that is in the store, and writes the same bytes.

    Raises:
        ExperimentError: a part lacks something, told before any work; another process steers this experiment; or chains failed.
    """
    table = settings.stimuli
    ensemble.require(experiment, settings)
    everybody = ensemble.gather(experiment, settings)
    is_personal = any(condition.is_personal and condition.scorer == scorers.PERSONAL for condition in settings.condition)
    learning_eyes, eyes = learning.sights(experiment, table) if is_personal else (None, None)
    with alone(experiment.work / "steering.lock", doing=f"steers {experiment.folder}"), Store(experiment.work) as store:
        before = store.count("render")
        if table.ratings.folder is None:
            # Their known tastes are the true utilities of the stimuli, whether or not a condition is personal.
            learning.rated(experiment, settings, store, report=report)
        if learning_eyes is not None and eyes is not None:
            settings = _with_targets(experiment, settings, _trained(experiment, settings, store, learning_eyes, report))
            groups = _groups(experiment, settings, store, learning_eyes)
            everybody = everybody.with_judges(ensemble.personal_judges(experiment, settings, eyes, groups))
        chains = ensemble.chains(settings, everybody)
        courses = asyncio.run(_steered(store, everybody, table, chains, report))
        made = handover.write(experiment, settings, store, everybody, courses, eyes=eyes)
        return _steered_to(made, courses, store.count("render") - before)


def _steered_to(made: int, courses: Sequence[Course], rendered: int) -> Steered:
    iterations = [iteration for course in courses for iteration in course.iterations[1:]]
    return Steered(
        stimuli=made,
        chains=len(courses),
        rendered=rendered,
        iterations=len(iterations),
        unanswered=sum(not iteration.candidates for iteration in iterations),
        unmoved=sum(course.best.prompt == course.initial.prompt for course in courses),
    )


async def _steered(store: Store, everybody: Ensemble, table: StimuliTable, chains: Sequence[Chain], report: Report) -> list[Course]:
    if not chains:
        return []
    images = most_images(chains, table.steering)
    async with crew(store, everybody.parts, table.workers, images=images, report=report) as stages:
        return await steer_all(chains, table.steering, stages, report=report)


def _groups(experiment: Experiment, settings: StimuliSettings, store: Store, eyes: Sight) -> tuple[Gathered, ...]:
    """Return the groups that are targets, and who belongs to each."""
    wanted = {user for condition in settings.condition if condition.scorer == scorers.PERSONAL for user in condition.targets}
    groups = [group for group in settings.group if group.name in wanted]
    return learning.gathered(experiment, settings, groups, learning.rated(experiment, settings, store), eyes)


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
    group: tuple[Group, ...]


def _with_targets(experiment: Experiment, settings: StimuliSettings, done: Training) -> StimuliSettings:
    """Return the settings with the people of the rating study as targets of the conditions that ask for them."""
    conditions = tuple(
        replace(condition, targets=learning.raters(experiment, done), targets_from=None) if condition.targets_from else condition
        for condition in settings.condition
    )
    learning.check_targets(experiment, done, [user for condition in conditions for user in condition.targets])
    return _Settled(settings.experiment, settings.stimuli, settings.prompt, conditions, settings.group)


def _relative(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()


def _generic_scorers(experiment: Experiment, settings: StimuliSettings) -> dict[str, Scorer]:
    """Return the scorers by name that steer for everybody."""
    names = dict.fromkeys(condition.scorer for condition in settings.condition if condition.scorer and not condition.is_personal)
    return {name: ensemble.scorer_named(experiment, settings, name) for name in names if name != scorers.PERSONAL}
