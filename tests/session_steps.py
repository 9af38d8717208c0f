"""The steps that the tests of the session take with a participant."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from study.session import Place, Session
from study.storage.records import Answer, ParticipantRow, TrialRow


class Clock:
    """A clock that only moves when told to."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def forward(self, *, minutes: float) -> None:
        self.time += timedelta(minutes=minutes)


def enter(session: Session, participant: str) -> str:
    session.consent(participant)
    session.begin(participant)
    return participant


def due(session: Session, participant: str) -> TrialRow:
    trial = session.place(participant).trial
    assert trial is not None
    return trial


def answer_to(trial: TrialRow, choice: str = "left", response_ms: float = 900.0) -> Answer:
    if trial.right_stimulus is None:
        return Answer(trial.token, "", response_ms, "mouse", viewport="1280x800", rating=3.5)
    return Answer(trial.token, choice, response_ms, "mouse", viewport="1280x800")


def step(session: Session, participant: str) -> Place:
    """Give one answer or end a break, and return the place from which that was done."""
    place = session.place(participant)
    if place.stage == "break":
        session.rest_over(participant)
    elif place.trial:
        assert session.answer(participant, answer_to(place.trial)) == "stored"
    return place


def finish(session: Session, participant: str) -> list[Place]:
    """Go on to where there are no trials any more, and return all places on the way."""
    places = []
    while (place := step(session, participant)).trial or place.stage == "break":
        places.append(place)
    return places


def person(session: Session, participant: str) -> ParticipantRow:
    with session.database.reading() as rows:
        found = rows.whereabouts(participant).participant
    assert found is not None
    return found


def votes(session: Session) -> list[tuple[str, int, str]]:
    with session.database.reading() as rows:
        return [(vote.participant, vote.position, vote.choice) for vote in rows.votes()]


def outcomes(session: Session) -> dict[str, int]:
    with session.database.reading() as rows:
        return rows.outcomes()


def all_at_once(calls: Sequence[Callable[[], object]]) -> list[object]:
    """Return what the calls return that are made by so many threads at the same moment; what one raises is raised here."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], object]) -> object:
        start.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))
