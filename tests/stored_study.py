"""A study in the middle, written straight into the tables, with values that are easily lost on the way through a file."""

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from study.storage.database import Database
from study.storage.tables import ANSWER, ARRIVAL, ATTEMPT, EVENT, IMAGE, PARTICIPANT, REPLY, STIMULUS, STUDY, TABLES, TRIAL

START = datetime(2026, 1, 5, 9, 0, 0, 123456, tzinfo=UTC)


def fill(database: Database, *, people: tuple[str, ...] = ("ada", "bea"), kind: str = "comparison") -> None:
    """Lay out a study of two images in which each person was asked twice and has answered once."""
    with database.change() as connection:
        settings = {"seed": 7, "table": {"question": 'Which "one" — ü\u2028?', "tie": None}, "zeta": 1, "alpha": [1.5, False]}
        _add(connection, STUDY, id=1, kind=kind, state="paused", settings=settings, stimuli_sha256="ab", erased=3, created_at=START)
        for name in ("one", "two"):
            _add(connection, IMAGE, sha256=name, width=8, height=9, content=bytes(range(256)) + name.encode())
            row = {"prompt": "p", "base_prompt": "A <b>\n\\ 'house'", "condition": "c", "target_user": None, "run": 0, "image_sha256": name}
            _add(connection, STIMULUS, stimulus=name, **row)
        for slot, person in enumerate(people):
            _enrol(connection, person, slot)


def _enrol(connection: sa.Connection, person: str, slot: int) -> None:
    at = START + timedelta(minutes=slot, microseconds=1)
    _add(connection, ARRIVAL, key=f"key-{person}", participant=person, panel={"PROLIFIC_PID": f"panel-{person}", "STUDY_ID": "s1"}, at=at)
    times = {"consented_at": at, "begun_at": at, "seen_at": at, "block": 0}
    _add(connection, PARTICIPANT, id=person, slot=slot, target_user=None, simulated=slot % 2 == 1, ended=None, ended_at=None, **times)
    _add(connection, REPLY, participant=person, question="age", value=f"reply of {person}: ü", at=at)
    _add(connection, EVENT, participant=person, what="opened", at=at)
    for step in range(2):
        number, shown = 10 * (slot + 1) + step, {"left_stimulus": "one", "right_stimulus": "two" if step else None}
        tokens = {"token": f"t-{person}-{step}", "left_token": f"l-{person}-{step}", "right_token": f"r-{person}-{step}" if step else None}
        _add(connection, TRIAL, id=number, participant=person, step=step, kind="comparison", block=0, expected=None, **shown, **tokens)
    given = {"choice": "left", "rating": 0.1 + 0.2, "response_ms": 1234.000001}
    page = {"device": "mouse", "blurs": 0, "ignored": 2, "viewport": f"viewport of {person}"}
    _add(connection, ANSWER, trial=10 * (slot + 1), answered_at=at, **given, **page)
    for outcome in ("stored", "duplicate"):
        _add(connection, ATTEMPT, participant=person, token=f"t-{person}-0", outcome=outcome, at=at, **given)


def contents(database: Database) -> dict[str, list[dict[str, Any]]]:
    """Return every row of every table."""
    with database.moment() as connection:
        return {
            table.name: sorted((dict(row) for row in connection.execute(sa.select(table)).mappings()), key=repr)
            for table in TABLES.sorted_tables
        }


def _add(connection: sa.Connection, table: sa.Table, **values: Any) -> None:
    connection.execute(sa.insert(table).values(**values))
