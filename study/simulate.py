"""Simulated participants: they take the study through the same session as people do, and answer by known tastes."""

from collections.abc import Sequence
from pathlib import Path

from stimuli.experiment import Experiment, ExperimentError
from stimuli.progress import Report, silent
from study.config import StudySettings
from study.opening import open_study
from study.session import Chooser, Place, Session
from study.session.answering import Simulated, check_known, everybody, reply, simulated
from study.storage.records import StudyKind


def run(
    experiment: Experiment,
    settings: StudySettings,
    *,
    url: str | Path | None = None,
    kind: StudyKind = "comparison",
    report: Report = silent,
    participants: Sequence[str] = (),
    chooser: Chooser | None = None,
) -> int:
    """Let simulated participants take the study to its end, and return how many answers they gave now.

    By default there is one for each target user of the images, or for each known rater where no image was made for one.
    Run again, it goes on where it stopped. The same seed gives the same answers, in whatever pieces they are given.

    Raises:
        ExperimentError: a participant's tastes are not known, the id is a person in this study already, people take the
            study, or it is paused, closing or closed.
    """
    session = open_study(experiment, settings, kind=kind, url=url, people=False, chooser=chooser)
    try:
        crowd = simulated(experiment, settings, session)
        with session.database.reading() as rows:
            everyone = tuple(participants) or everybody(crowd, rows.stimuli())
        check_known(crowd, everyone, experiment)
        keep_apart(everyone, session)
        return _take_part(everyone, crowd, report)
    finally:
        session.database.close()


def _take_part(everyone: Sequence[str], crowd: Simulated, report: Report) -> int:
    session, given = crowd.session, 0
    for participant in everyone:
        _come_in(session, participant)
    done, total = counts(session, everyone)
    for participant in everyone:
        while _go_on(crowd, participant):
            given += 1
            report("simulated answers", done + given, total)
    return given


def _come_in(session: Session, participant: str) -> None:
    """Say yes, reply to the questions before the images, and read the instructions."""
    session.consent(participant, simulated=True)
    _reply(session, participant)
    check_open(session, participant, session.place(participant))
    session.begin(participant)


def _go_on(crowd: Simulated, participant: str) -> bool:
    """Give the answer that is due, and return whether there was one; breaks are short, and questions afterwards replied to."""
    session = crowd.session
    if session.place(participant).stage == "break":
        session.rest_over(participant)
    trial = session.place(participant).trial
    if trial is None:
        _reply(session, participant)
        return False
    outcome = session.answer(participant, crowd.answer(trial))
    if outcome != "stored":
        raise ExperimentError(f'the answer of simulated participant "{participant}" was {outcome}; is it simulated twice at once?')
    return True


def _reply(session: Session, participant: str) -> None:
    while question := session.place(participant).question:
        if not session.reply(participant, question.id, reply(question)):
            raise ExperimentError(f'simulated participant "{participant}" finds no reply to the question "{question.id}" that is accepted')


def check_open(session: Session, participant: str, place: Place) -> None:
    """Raise an `ExperimentError` where the study keeps the participant, who is at this place, from going on."""
    if place.stage not in ("paused", "closed"):
        return
    with session.database.reading() as rows:
        state = rows.whereabouts(participant).state
    # To whoever is not inside, a study that is closing looks closed.
    told = {
        "closing": "lets nobody new in (it is closing); open it again first: tastebench study reopen",
        "closed": "is closed, so nobody can take it any more",
    }
    reason = told.get(state, f"is {place.stage}, so nobody can take it; open it again first: tastebench study reopen")
    raise ExperimentError(f"{session.database.place}: the study {reason}")


def counts(session: Session, everyone: Sequence[str]) -> tuple[int, int]:
    """Return how many trials are answered and how many there are in all."""
    with session.database.reading() as rows:
        found = [rows.whereabouts(participant) for participant in everyone]
    return sum(here.answered for here in found), sum(session.total(here.laid) for here in found)


def keep_apart(everyone: Sequence[str], session: Session) -> None:
    """Raise an `ExperimentError` where people take the study and these are not in it."""
    with session.database.reading() as rows:
        there = rows.people()
    people = sum(not participant.simulated for participant in there)
    if people and not {participant.id for participant in there} >= set(everyone):
        held = "1 person" if people == 1 else f"{people} people"
        raise ExperimentError(
            f"{session.database.place} holds {held}, and simulated participants are never added to a study that people take. "
            "To rehearse with programs, copy the folder without its databases and simulate there"
        )
