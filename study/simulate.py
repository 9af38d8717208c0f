"""Simulated participants: they take the study through the same session as people do, and answer by known tastes."""

from collections.abc import Sequence
from shlex import quote

import numpy as np
from scipy.special import expit

from stimuli.experiment import Experiment, ExperimentError
from stimuli.manifest import read_utilities
from stimuli.progress import Report
from study.config import Simulation, StudySettings
from study.opening import open_study
from study.session import Session, Side
from study.tables import Answer, StimulusRow, TrialRow

# What separates the random numbers for these purposes from each other and from those of the schedule.
_LEANING, _ANSWER, _TIME = 3, 4, 5
# Response times in ms: log-normal about this median with this spread, near what people need for a pair of images.
_MEDIAN_MS, _SPREAD = 2600.0, 0.45

Utilities = dict[tuple[str, str], float]


def run(experiment: Experiment, settings: StudySettings, *, report: Report, participants: Sequence[str] = ()) -> int:
    """Let simulated participants take the study to its end, and return how many answers they gave now.

    By default there is one for each target user of the stimuli, or for each known rater where no image was made for one.
    Run again, it goes on where it stopped. The same seed gives the same answers, in whatever pieces they are given.

    Raises:
        ExperimentError: a participant has no utilities, or is a person in this study already.
    """
    utilities = _utilities(experiment)
    session = open_study(experiment, settings)
    try:
        with session.database.reading() as rows:
            stimuli = rows.stimuli()
        everyone = participants or _target_users(stimuli) or sorted({user for user, _ in utilities})
        _check_known(everyone, utilities, stimuli, experiment)
        _keep_apart(everyone, session, experiment)
        return _take_part(everyone, utilities, session, settings.study.simulation, report)
    finally:
        session.database.close()


def choice(trial: TrialRow, *, participant: str, utilities: Utilities, simulation: Simulation, seed: int) -> Side:
    """Return the side that a simulated participant takes.

    P(left) = logistic(sensitivity * (u_left - u_right) + leaning); with probability `lapse` it is a coin flip instead.
    """
    name = list(participant.encode())
    leaning = np.random.default_rng([seed, _LEANING, *name]).normal(0.0, simulation.side_bias)
    # One generator a trial, so that an interrupted simulation goes on as it would have.
    lapse, draw = np.random.default_rng([seed, _ANSWER, trial.step, *name]).random(2)
    difference = utilities[participant, trial.left_stimulus] - utilities[participant, trial.right_stimulus]
    left = 0.5 if lapse < simulation.lapse else expit(simulation.sensitivity * difference + leaning)
    return "left" if draw < left else "right"


def _take_part(everyone: Sequence[str], utilities: Utilities, session: Session, simulation: Simulation, report: Report) -> int:
    given = 0
    for participant in everyone:
        session.consent(participant, simulated=True)
        session.begin(participant)
    with session.database.reading() as rows:
        counts = [rows.progress(participant).values() for participant in everyone]
    done = sum(answered for kinds in counts for answered, _ in kinds)
    total = sum(trials for kinds in counts for _, trials in kinds)
    for participant in everyone:
        while (trial := session.place(participant).trial) is not None:
            side = choice(trial, participant=participant, utilities=utilities, simulation=simulation, seed=session.seed)
            outcome = session.answer(participant, Answer(trial.token, side, _response_ms(trial, session), "program"))
            if outcome != "stored":
                raise ExperimentError(f'the answer of simulated participant "{participant}" was {outcome}; is it simulated twice at once?')
            given += 1
            report("simulated answers", done + given, total)
    return given


def _response_ms(trial: TrialRow, session: Session) -> float:
    """Return a plausible time; nothing waits for it."""
    rng = np.random.default_rng([session.seed, _TIME, trial.step, *trial.participant.encode()])
    return max(round(float(rng.lognormal(np.log(_MEDIAN_MS), _SPREAD)), 1), float(session.study.min_ms))


def _utilities(experiment: Experiment) -> Utilities:
    if not experiment.utilities.exists():
        raise ExperimentError(
            f"{experiment.utilities}: no such file. Simulated participants answer by the true tastes in it, which are only known "
            f"of simulated raters; people take part with `tastebench study serve {quote(str(experiment.folder))}`"
        )
    return {(row.user, row.stimulus): row.utility for row in read_utilities(experiment.utilities)}


def _keep_apart(everyone: Sequence[str], session: Session, experiment: Experiment) -> None:
    with session.database.reading() as rows:
        there = [standing.participant for standing in rows.standings()]
    people = sum(not participant.simulated for participant in there)
    if people and not {participant.id for participant in there} >= set(everyone):
        held = "1 person" if people == 1 else f"{people} people"
        raise ExperimentError(
            f"{experiment.database} holds {held}, and simulated participants are never added to a study that people take. "
            "To rehearse with programs, copy the folder without study.sqlite and simulate there"
        )


def _target_users(stimuli: Sequence[StimulusRow]) -> list[str]:
    return sorted({stimulus.target_user for stimulus in stimuli if stimulus.target_user})


def _check_known(everyone: Sequence[str], utilities: Utilities, stimuli: Sequence[StimulusRow], experiment: Experiment) -> None:
    for participant in everyone:
        lacking = [stimulus.stimulus for stimulus in stimuli if (participant, stimulus.stimulus) not in utilities]
        if lacking:
            raise ExperimentError(
                f'{experiment.utilities}: has no utility of participant "{participant}" for {len(lacking)} of {len(stimuli)} '
                f'stimuli, the first being "{lacking[0]}". Only simulated raters can be simulated participants; if "{participant}" '
                f"is one, run `tastebench stimuli steer {quote(str(experiment.folder))}` again"
            )
