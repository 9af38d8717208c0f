"""A study whose database is written row by row, so that a test knows every number that the researcher's page must show."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from starlette.types import ASGIApp

from stimuli.experiment import Experiment
from study.researcher.server import address_of, listen, server_of
from study.storage.database import Database, open_database
from study.storage.records import ImageRow, ParticipantRow, StimulusRow, StudyKind, StudyRow
from study.storage.tables import ANSWER, TRIAL

NOW = datetime(2026, 3, 1, 10, 30, tzinfo=UTC)
ARMS = ("amberfox", "zebrafinch", "quokkaleap")


def lay_out(experiment: Experiment, *, kind: StudyKind = "comparison", url: str | None = None, **table: Any) -> Database:
    """Make the study's database with one prompt, a stimulus of each arm and nobody in it."""
    database = open_database(url or experiment.database)
    settings = {"table": {"hold_minutes": 60, "participants": None, "peeking": False} | table}
    stimuli = [StimulusRow(arm, "p1", "A red boat", arm if kind == "comparison" else "", None, 0, "0" * 64) for arm in ARMS]
    with database.writing() as rows:
        rows.lay_out(StudyRow(kind, settings, "hash", NOW), [ImageRow("0" * 64, 8, 8, b"png")], stimuli)
    return database


def enrol(database: Database, participant: str, *, slot: int | None = 0, seen: datetime = NOW, ended: Any = None, **more: Any) -> None:
    person = ParticipantRow(participant, slot, None, more.pop("simulated", False), seen, seen if slot is not None else None, seen, **more)
    with database.writing() as rows:
        rows.enrol(person)
        if ended:
            rows.end(participant, ended, seen)


def give(database: Database, participant: str, trials: Sequence[dict[str, Any]]) -> None:
    """Write trials, each {left, right, choice, ...}; one without a choice and a rating is still to come."""
    with database.writing() as rows:
        for step, trial in enumerate(trials):
            tokens = {name: f"{participant}-{step}-{name}" for name in ("token", "left_token", "right_token")}
            shown = {"kind": "comparison", "block": 0, "left": ARMS[0], "right": ARMS[1], "expected": None} | trial
            values = {"left_stimulus": shown["left"], "right_stimulus": shown["right"], "kind": shown["kind"], "block": shown["block"]}
            insert = sa.insert(TRIAL).values(participant=participant, step=step, expected=shown["expected"], **values, **tokens)
            number = rows._connection.scalar(insert.returning(TRIAL.c.id))
            if "choice" in trial or "rating" in trial:
                answered = {"response_ms": 2000.0, "blurs": 0, "ignored": 0, "answered_at": NOW + timedelta(seconds=step)}
                answered |= {key: trial[key] for key in answered if key in trial}
                given = {"choice": trial.get("choice"), "rating": trial.get("rating"), "device": "mouse", "viewport": "800x600"}
                rows._connection.execute(sa.insert(ANSWER).values(trial=number, **given, **answered))


@contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """Serve the page in this process, and give its address."""
    listening = listen("127.0.0.1", None)
    server = server_of(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield address_of(listening)
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
