"""How simulated participants answer: by the known tastes of simulated raters, and the same again from the same seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp
from shlex import quote

import numpy as np

from stimuli.experiment import Experiment, ExperimentError
from stimuli.manifest import read_utilities
from study.config import Question, Simulation, StudySettings
from study.session.machine import Session
from study.storage.records import Answer, StimulusRow, StudyKind, TrialRow
from study.votes import Choice

# What separates the random numbers for these purposes from each other and from those of the schedule.
_LEANING, _ANSWER, _TIME = 3, 4, 5
# Response times in ms: log-normal about this median with this spread, near what people need for a pair of images.
_MEDIAN_MS, _SPREAD = 2600.0, 0.45
# How readily "no difference" is said: one in five times where both images are liked equally.
_TIE = 0.5
# Standard deviation of what a rating adds to liking, in points of the scale from 1 to 5.
_NOISE = 0.4


@dataclass(frozen=True)
class Tastes:
    """How much each simulated rater truly likes each image of a study, in logits by (user, image)."""

    utilities: Mapping[tuple[str, str], float]
    users: tuple[str, ...]

    def of(self, user: str, images: Sequence[str]) -> tuple[float, float]:
        """Return the mean and the standard deviation of what the user feels for these images."""
        felt = [self.utilities[user, image] for image in images]
        return float(np.mean(felt)), float(np.std(felt)) or 1.0


@dataclass(frozen=True)
class Simulated:
    """The simulated participants of one study: `answer` says what each sends for a trial."""

    session: Session
    tastes: Tastes
    simulation: Simulation
    images: tuple[str, ...]

    def answer(self, trial: TrialRow) -> Answer:
        """Return what the trial's participant sends."""
        name, seed = trial.participant, self.session.seed
        milliseconds = max(response_ms(trial, seed=seed), float(self.session.table.min_ms))
        if self.session.kind == "rating":
            given = rating(trial, tastes=self.tastes, images=self.images, simulation=self.simulation, seed=seed)
            return Answer(trial.token, "", milliseconds, "program", rating=given)
        tie = bool(getattr(self.session.table, "tie", False))
        side = choice(trial, participant=name, utilities=self.tastes.utilities, simulation=self.simulation, seed=seed, tie=tie)
        return Answer(trial.token, side, milliseconds, "program")


def choice(
    trial: TrialRow,
    *,
    participant: str,
    utilities: Mapping[tuple[str, str], float],
    simulation: Simulation,
    seed: int,
    tie: bool = False,
) -> Choice:
    """Return what a simulated participant chooses.

    With z = sensitivity * (u_left - u_right) + leaning, left, right and "no difference" are chosen in proportion to exp(z/2),
    exp(-z/2) and, where a `tie` is offered, 0.5 (Davidson 1970, with nu = 0.5); without ties that is logistic(z). With
    probability `lapse` it is a coin flip between the sides instead. A catch trial is answered right, except for lapses.
    """
    name = list(participant.encode())
    leaning = np.random.default_rng([seed, _LEANING, *name]).normal(0.0, simulation.side_bias)
    # One generator a trial, so that an interrupted simulation goes on as it would have.
    lapse, draw = np.random.default_rng([seed, _ANSWER, trial.step, *name]).random(2)
    if lapse < simulation.lapse:
        return "left" if draw < 0.5 else "right"
    if trial.kind == "catch":
        return "left" if trial.expected == "left" else "right"
    difference = utilities[participant, trial.left_stimulus] - utilities[participant, trial.right_stimulus or ""]
    half = float(np.clip((simulation.sensitivity * difference + leaning) / 2, -300, 300))
    weights = {"left": exp(half), "tie": _TIE if tie else 0.0, "right": exp(-half)}
    left, middle = (weights[side] / sum(weights.values()) for side in ("left", "tie"))
    return "left" if draw < left else "tie" if draw < left + middle else "right"


def rating(trial: TrialRow, *, tastes: Tastes, images: Sequence[str], simulation: Simulation, seed: int) -> float:
    """Return how a simulated participant rates the trial's image, from 1 to 5.

    1 + 4 logistic(sensitivity * (u - mean) / spread) plus normal noise (standard deviation 0.4), cut off at 1 and 5; mean and
    spread are those of the participant's utilities over the study's images, so everybody uses the whole scale. With
    probability `lapse` it is anywhere on the scale. A repeat is rated anew.
    """
    name = trial.participant
    rng = np.random.default_rng([seed, _ANSWER, trial.step, *name.encode()])
    lapse, anywhere, noise = rng.random(), rng.random(), rng.standard_normal()
    if lapse < simulation.lapse:
        return round(1 + 4 * anywhere, 3)
    mean, spread = tastes.of(name, images)
    liking = simulation.sensitivity * (tastes.utilities[name, trial.left_stimulus] - mean) / spread
    return round(float(np.clip(1 + 4 / (1 + exp(-float(np.clip(liking, -300, 300)))) + _NOISE * noise, 1, 5)), 3)


def response_ms(trial: TrialRow, *, seed: int) -> float:
    """Return a plausible time; nothing waits for it."""
    rng = np.random.default_rng([seed, _TIME, trial.step, *trial.participant.encode()])
    return max(round(float(rng.lognormal(np.log(_MEDIAN_MS), _SPREAD)), 1), 0.0)


def reply(question: Question) -> str:
    """Return what every simulated participant replies: the first option that is accepted, or the middle."""
    match question.type:
        case "choice":
            return (question.accept or question.options)[0]
        case "scale":
            return str((question.points + 1) // 2)
        case "number":
            bounds = [bound for bound in (question.least, question.most) if bound is not None]
            return f"{sum(bounds) / len(bounds) if bounds else 0:g}"
        case "text":
            return "simulated"


def simulated(experiment: Experiment, settings: StudySettings, session: Session) -> Simulated:
    """Return the simulated participants of the experiment's study.

    Raises:
        ExperimentError: nobody's true tastes are known.
    """
    with session.database.reading() as rows:
        stimuli = rows.stimuli()
    tastes = _tastes(experiment, settings, session.kind)
    return Simulated(session, tastes, settings.study.simulation, tuple(row.stimulus for row in stimuli))


def everybody(simulated: Simulated, stimuli: Sequence[StimulusRow]) -> tuple[str, ...]:
    """Return who takes part unless told otherwise: the target users of the images, or every rater where no image has one.

    No more of them come than the study has places: the others would only find it full.
    """
    everyone = tuple(sorted({row.target_user for row in stimuli if row.target_user})) or simulated.tastes.users
    return everyone[: simulated.session.table.participants]


def check_known(simulated: Simulated, participants: Sequence[str], experiment: Experiment) -> None:
    """Raise an `ExperimentError` where a participant's liking of an image is not known."""
    for participant in participants:
        lacking = [image for image in simulated.images if (participant, image) not in simulated.tastes.utilities]
        if lacking:
            raise ExperimentError(
                f'the true tastes of participant "{participant}" are not known for {len(lacking)} of {len(simulated.images)} images, '
                f'the first being "{lacking[0]}". Only simulated raters can be simulated participants; if "{participant}" is one, run '
                f"`tastebench stimuli steer {quote(str(experiment.folder))}` again"
            )


def _tastes(experiment: Experiment, settings: StudySettings, kind: StudyKind) -> Tastes:
    pool = kind == "rating" and settings.rating.images == "pool"
    path = experiment.rating_utilities if pool else experiment.utilities
    if not path.exists():
        option = " --rating" if kind == "rating" else ""
        raise ExperimentError(
            f"{path}: no such file. Simulated participants answer by the true tastes in it, which are only known of simulated "
            f"raters; people take part with `tastebench study serve{option} {quote(str(experiment.folder))}`"
        )
    known = {(row.user, row.stimulus): row.utility for row in read_utilities(path)}
    return Tastes(known, tuple(sorted({user for user, _ in known})))
