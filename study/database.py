"""The only module that writes SQL: every question asked of a running study's tables, and every change to them."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DatabaseError

from stimuli.experiment import ExperimentError
from study.design import Kind, Trial
from study.tables import (
    ANSWER,
    ARRIVAL,
    ATTEMPT,
    EVENT,
    IMAGE,
    PARTICIPANT,
    STIMULUS,
    STUDY,
    TABLES,
    TRIAL,
    Answer,
    ImageRow,
    ParticipantRow,
    Standing,
    StimulusRow,
    StudyRow,
    TrialRow,
    Utc,
    VoteRow,
)


class Rows:
    """Everything that can be asked of the tables, and written to them, within one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    # --- The study ---

    def study(self) -> StudyRow | None:
        """Return what the study is, None before it is laid out."""
        row = self._first(sa.select(STUDY.c.settings, STUDY.c.stimuli_sha256, STUDY.c.created_at))
        return StudyRow(**row) if row else None

    def lay_out(self, study: StudyRow, images: Sequence[ImageRow], stimuli: Sequence[StimulusRow]) -> None:
        """Write a new study; whatever was in the tables before is gone."""
        for table in reversed(TABLES.sorted_tables):
            self._connection.execute(sa.delete(table))
        self._connection.execute(sa.insert(STUDY).values(id=1, **asdict(study)))
        for image in images:
            self._connection.execute(sa.insert(IMAGE), asdict(image))
        self._connection.execute(sa.insert(STIMULUS), [asdict(stimulus) for stimulus in stimuli])

    def stimuli(self) -> list[StimulusRow]:
        """Return all stimuli, ordered by id."""
        return [StimulusRow(**row) for row in self._all(sa.select(STIMULUS).order_by(STIMULUS.c.stimulus))]

    # --- Participants ---

    def add_arrival(self, key: str, participant: str, at: datetime) -> None:
        """Remember whom a browser's key stands for."""
        self._connection.execute(sa.insert(ARRIVAL).values(key=key, participant=participant, at=at))

    def arrived(self, key: str) -> str | None:
        """Return the participant id that a browser's key stands for."""
        return self._connection.scalar(sa.select(ARRIVAL.c.participant).where(ARRIVAL.c.key == key))

    def participant(self, participant: str) -> ParticipantRow | None:
        """Return the participant, None before consent."""
        row = self._first(sa.select(PARTICIPANT).where(PARTICIPANT.c.id == participant))
        return ParticipantRow(**row) if row else None

    def next_number(self) -> int:
        """Return the number of the next participant."""
        return self._connection.scalar(sa.select(sa.func.coalesce(sa.func.max(PARTICIPANT.c.number) + 1, 0))) or 0

    def enrol(self, participant: ParticipantRow, trials: Sequence[tuple[Trial, tuple[str, str, str]]]) -> None:
        """Add a participant with a schedule; with each trial come the tokens of the answer, the left and the right image."""
        self._connection.execute(sa.insert(PARTICIPANT).values(**asdict(participant)))
        self._connection.execute(
            sa.insert(TRIAL),
            [
                {
                    "participant": participant.id,
                    "step": step,
                    "kind": trial.kind,
                    "left_stimulus": trial.left,
                    "right_stimulus": trial.right,
                    "token": token,
                    "left_token": left,
                    "right_token": right,
                }
                for step, (trial, (token, left, right)) in enumerate(trials)
            ],
        )

    def set_begun(self, participant: str, at: datetime) -> None:
        """Note when the participant began; the first time stays."""
        self._note_time(PARTICIPANT.c.begun_at, participant, at)

    def set_finished(self, participant: str, at: datetime) -> None:
        """Note when the participant finished; the first time stays. Their images are served no longer."""
        self._note_time(PARTICIPANT.c.finished_at, participant, at)

    def add_event(self, participant: str, what: str, at: datetime) -> None:
        """Append to the participant's history."""
        self._connection.execute(sa.insert(EVENT).values(participant=participant, what=what, at=at))

    def standings(self) -> list[Standing]:
        """Return how far each participant is, in the order they came."""
        answered = sa.func.count(ANSWER.c.trial)
        last = sa.func.max(ANSWER.c.answered_at, type_=Utc)
        counts = (
            sa.select(TRIAL.c.participant, answered.label("answered"), sa.func.count().label("comparisons"), last.label("last_answer"))
            .join_from(TRIAL, ANSWER, isouter=True)
            .where(TRIAL.c.kind == "comparison")
            .group_by(TRIAL.c.participant)
        )
        done = {row.pop("participant"): row for row in self._all(counts)}
        rows = self._all(sa.select(PARTICIPANT).order_by(PARTICIPANT.c.number))
        return [Standing(ParticipantRow(**row), **done[row["id"]]) for row in rows]

    # --- Trials and answers ---

    def waiting(self, participant: str, *, limit: int) -> list[TrialRow]:
        """Return the participant's first trials without an answer, in order."""
        unanswered = sa.and_(TRIAL.c.participant == participant, ANSWER.c.trial.is_(None))
        return self._trials(_whole_trial().outerjoin(ANSWER, ANSWER.c.trial == TRIAL.c.id).where(unanswered).limit(limit))

    def trial(self, token: str) -> TrialRow | None:
        """Return the trial that an answer's token belongs to."""
        found = self._trials(_whole_trial().where(TRIAL.c.token == token))
        return found[0] if found else None

    def progress(self, participant: str) -> dict[Kind, tuple[int, int]]:
        """Return for each kind of trial how many are answered and how many there are."""
        query = (
            sa.select(TRIAL.c.kind, sa.func.count(ANSWER.c.trial), sa.func.count())
            .join_from(TRIAL, ANSWER, isouter=True)
            .where(TRIAL.c.participant == participant)
            .group_by(TRIAL.c.kind)
        )
        return {kind: (answered, total) for kind, answered, total in self._connection.execute(query)}

    def last_device(self, participant: str) -> str | None:
        """Return how the participant gave the latest answer."""
        query = (
            sa.select(ANSWER.c.device)
            .join_from(ANSWER, TRIAL)
            .where(TRIAL.c.participant == participant)
            .order_by(TRIAL.c.step.desc())
            .limit(1)
        )
        return self._connection.scalar(query)

    def is_answered(self, trial: int) -> bool:
        """Return whether the trial has its answer."""
        return self._connection.scalar(sa.select(ANSWER.c.trial).where(ANSWER.c.trial == trial)) is not None

    def add_answer(self, trial: int, answer: Answer, at: datetime) -> bool:
        """Store the answer of a trial, and return whether it is the first one; a later one changes nothing."""
        values = asdict(answer) | {"trial": trial, "answered_at": at}
        del values["token"]
        insert = (postgresql if self._connection.dialect.name == "postgresql" else sqlite).insert(ANSWER)
        # What comes back tells: psycopg's rowcount is -1 here.
        return self._connection.scalar(insert.values(values).on_conflict_do_nothing().returning(ANSWER.c.trial)) is not None

    def add_attempt(self, participant: str, answer: Answer, outcome: str, at: datetime) -> None:
        """Append to the audit: what arrived, and what became of it."""
        values = {"token": answer.token, "choice": answer.choice, "response_ms": answer.response_ms}
        self._connection.execute(sa.insert(ATTEMPT).values(participant=participant, outcome=outcome, at=at, **values))

    def outcomes(self) -> dict[str, int]:
        """Return how many answers arrived, by what became of them."""
        query = sa.select(ATTEMPT.c.outcome, sa.func.count().label("answers")).group_by(ATTEMPT.c.outcome)
        return {row.outcome: row.answers for row in self._connection.execute(query)}

    def image(self, token: str) -> bytes | None:
        """Return the image at an address, None where no unfinished participant has that address."""
        shown = sa.case((TRIAL.c.left_token == token, TRIAL.c.left_stimulus), else_=TRIAL.c.right_stimulus)
        query = (
            sa.select(IMAGE.c.content)
            .select_from(TRIAL)
            .join(PARTICIPANT)
            .join(STIMULUS, STIMULUS.c.stimulus == shown)
            .join(IMAGE)
            .where(sa.or_(TRIAL.c.left_token == token, TRIAL.c.right_token == token), PARTICIPANT.c.finished_at.is_(None))
        )
        return self._connection.scalar(query)

    def count_votes(self) -> int:
        """Return how many comparisons are answered; practice does not count."""
        query = sa.select(sa.func.count()).select_from(ANSWER).join(TRIAL).where(TRIAL.c.kind == "comparison")
        return self._connection.scalar(query) or 0

    def sides(self) -> dict[str, int]:
        """Return how many votes went to each side."""
        query = sa.select(ANSWER.c.choice, sa.func.count().label("votes")).join_from(ANSWER, TRIAL).where(TRIAL.c.kind == "comparison")
        return {row.choice: row.votes for row in self._connection.execute(query.group_by(ANSWER.c.choice))}

    def votes(self) -> list[VoteRow]:
        """Return every answered comparison, by participant and position."""
        left, right = STIMULUS.alias(), STIMULUS.alias()
        position = sa.func.row_number().over(partition_by=TRIAL.c.participant, order_by=TRIAL.c.step) - 1
        rows = (
            sa.select(
                TRIAL.c.participant,
                PARTICIPANT.c.target_user,
                PARTICIPANT.c.simulated,
                position.label("position"),
                left.c.prompt,
                TRIAL.c.left_stimulus,
                TRIAL.c.right_stimulus,
                left.c.condition.label("left_condition"),
                right.c.condition.label("right_condition"),
                left.c.target_user.label("left_target"),
                right.c.target_user.label("right_target"),
                ANSWER.c.choice,
                ANSWER.c.response_ms,
                ANSWER.c.answered_at,
            )
            .select_from(TRIAL)
            .join(PARTICIPANT)
            .join(left, left.c.stimulus == TRIAL.c.left_stimulus)
            .join(right, right.c.stimulus == TRIAL.c.right_stimulus)
            .outerjoin(ANSWER)
            .where(TRIAL.c.kind == "comparison")
            .subquery()
        )
        # Positions count all comparisons of the schedule, so they are numbered before the unanswered ones are left out.
        query = sa.select(rows).where(rows.c.choice.is_not(None)).order_by(rows.c.participant, rows.c.position)
        return [VoteRow(**row) for row in self._all(query)]

    # --- Within ---

    def _trials(self, query: sa.Select[Any]) -> list[TrialRow]:
        return [TrialRow(**row) for row in self._all(query.order_by(TRIAL.c.step))]

    def _note_time(self, column: sa.Column[Any], participant: str, at: datetime) -> None:
        update = sa.update(PARTICIPANT).where(PARTICIPANT.c.id == participant, column.is_(None))
        self._connection.execute(update.values({column: at}))

    def _all(self, query: sa.Select[Any]) -> list[dict[str, Any]]:
        return [dict(row) for row in self._connection.execute(query).mappings()]

    def _first(self, query: sa.Select[Any]) -> Mapping[str, Any] | None:
        row = self._connection.execute(query).mappings().first()
        return dict(row) if row else None


def _whole_trial() -> sa.Select[Any]:
    """Return a query for the fields of a `TrialRow`."""
    columns = (TRIAL.c[name] for name in TRIAL.c.keys() if name != "prompt")  # noqa: SIM118 - a column collection, not a dictionary
    return (
        sa.select(*columns, STIMULUS.c.base_prompt, IMAGE.c.width, IMAGE.c.height)
        .select_from(TRIAL)
        .join(STIMULUS, STIMULUS.c.stimulus == TRIAL.c.left_stimulus)
        .join(IMAGE)
    )


class Database:
    """The study's database; each use is one transaction, and what was written is on disk when it ends."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @contextmanager
    def reading(self) -> Iterator[Rows]:
        """Give one consistent view of the tables."""
        with self._engine.begin() as connection:
            yield Rows(connection)

    @contextmanager
    def writing(self) -> Iterator[Rows]:
        """Give the tables to one writer; others wait. An exception undoes everything."""
        with self._engine.connect().execution_options(writes=True) as connection, connection.begin():
            yield Rows(connection)

    def close(self) -> None:
        """Let go of the file; SQLite then folds its log into it."""
        self._engine.dispose()


def open_database(path: Path) -> Database:
    """Return the database in the SQLite file at `path`, made with empty tables where there is none.

    An answer is on disk before it is acknowledged (`synchronous=FULL` with a write-ahead log).

    Raises:
        ExperimentError: the file is there and is no database of a study.
    """
    engine = sa.create_engine(f"sqlite:///{path}", pool_size=20, max_overflow=40)
    sa.event.listen(engine, "connect", _settle)
    sa.event.listen(engine, "begin", _begin)
    try:
        with engine.connect().execution_options(writes=True) as connection, connection.begin():
            TABLES.create_all(connection)
            for table in TABLES.sorted_tables:
                connection.execute(sa.select(table).limit(0))
    except DatabaseError as error:
        engine.dispose()
        raise ExperimentError(f"{path}: cannot be opened ({error.orig}): {remedy(path, str(error.orig))}") from error
    return Database(engine)


def remedy(path: Path, reason: str) -> str:
    """Return what to do about a database that cannot be opened for SQLite's `reason`; votes in it are never put at risk."""
    if "unable to open" in reason or "readonly" in reason:
        return f"nobody may write in {path.parent}, which a study needs; give leave to write there, or copy the folder to another place"
    if "full" in reason:
        return "make room on the disk; answers stored so far are kept"
    return "it is no study's database of this version; move it away, and `tastebench study serve` makes a new one"


def _settle(connection: sqlite3.Connection, _record: object) -> None:
    # SQLAlchemy begins transactions itself (below), so the driver must not.
    connection.isolation_level = None
    for setting in ("journal_mode = WAL", "synchronous = FULL", "busy_timeout = 20000", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {setting}")


def _begin(connection: sa.Connection) -> None:
    # A writer takes the lock at once: one that reads first and then writes could find that others wrote in between.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")
