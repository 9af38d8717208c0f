"""Opens the database of a study, SQLite or PostgreSQL, and gives transactions on it."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from stimuli.experiment import ExperimentError
from study.storage.engines import PATIENCE_S, make_engine
from study.storage.locking import exclusive
from study.storage.rows import Rows
from study.storage.tables import VERSION
from study.storage.trouble import UnavailableError, explained, shown

__all__ = ["Database", "UnavailableError", "open_database"]

# SQLite's log starts again from its beginning by itself only at a moment in which nobody reads, and under load there is
# none: from this size on, bytes, a writer sees to it, and after a reader was in the way again this much later.
_LONG_LOG, _LATER = 16 * 2**20, 4 * 2**20
# How long that writer waits for those who read, milliseconds.
_FOLDING_MS = 500
# The tables of version 0.1, which kept no note of its version.
_FIRST = frozenset({"study", "image", "stimulus", "arrival", "participant", "trial", "answer", "attempt", "event"})


class Database:
    """The study's database; each use is one transaction, and what was written is on disk when it ends."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        # One moment's tables, however many questions are asked of them; SQLite gives that by itself.
        moment = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True} if engine.dialect.name == "postgresql" else {}
        self._reader = engine.execution_options(**moment)
        self._writer = engine.execution_options(writes=True)
        self._turns = threading.Lock()
        self._log = Path(f"{engine.url.database}-wal") if engine.dialect.name == "sqlite" else None
        self._fold_at = _LONG_LOG

    @property
    def place(self) -> str:
        """Where the database is: a file's path, or a server's address without the password."""
        return shown(self._engine.url)

    @contextmanager
    def reading(self) -> Iterator[Rows]:
        """Give one consistent view of the tables.

        Raises:
            UnavailableError: the database does not answer.
        """
        with self.moment() as connection:
            yield Rows(connection)

    @contextmanager
    def writing(self) -> Iterator[Rows]:
        """Give the tables to a writer; what it wrote is on disk when this ends. An exception undoes everything.

        Nothing is tried twice in here: whoever was not told that it is stored sends it again, and it counts once.

        Raises:
            UnavailableError: the database does not answer, or cannot store it.
        """
        with self.change() as connection:
            yield Rows(connection)

    @contextmanager
    def moment(self) -> Iterator[sa.Connection]:
        """Give what `reading` gives to whoever handles whole tables."""
        with explained(self._engine.url), self._reader.begin() as connection:
            yield connection

    @contextmanager
    def change(self) -> Iterator[sa.Connection]:
        """Give what `writing` gives to whoever handles whole tables."""
        if self._log is None:
            with explained(self._engine.url), self._writer.begin() as connection:
                yield connection
            return
        with self._turn():
            with explained(self._engine.url), self._writer.begin() as connection:
                yield connection
            self._fold_log(self._log)

    def clean(self) -> bool:
        """Write an SQLite file anew without what was deleted, and return whether nothing of that remains in the file or its log.

        It remains where somebody reads or writes all the time, or the disk has no room for a second copy. PostgreSQL clears up
        by itself, in its own time.
        """
        if self._log is None:
            return True
        try:
            with self._turn(), closing(self._engine.raw_connection()) as connection:
                # Deleting overwrites a row, but not the copies that were left where a full page was once split.
                connection.cursor().execute("VACUUM")
                (busy, _, _) = connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except (sqlite3.OperationalError, PoolTimeoutError, UnavailableError):
            # The disk is full, or somebody writes all the time. What was deleted before stays deleted.
            return False
        return not busy

    def close(self) -> None:
        """Let go of the database; SQLite then folds its log into the file."""
        self._engine.dispose()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Let the writers of this process go one after the other; SQLite alone would let them wait at random."""
        if not self._turns.acquire(timeout=PATIENCE_S):
            raise UnavailableError(f"{self.place}: more is to be written than the disk can do; it goes on by itself in a moment")
        try:
            yield
        finally:
            self._turns.release()

    def _fold_log(self, log: Path) -> None:
        if not log.exists() or log.stat().st_size < self._fold_at:
            return
        busy = 1
        # What was written is on disk already, so nobody is told of a disk without room to fold the log; the next writer will be.
        with suppress(sqlite3.OperationalError, PoolTimeoutError), closing(self._engine.raw_connection()) as connection:
            cursor = connection.cursor()
            cursor.execute(f"PRAGMA busy_timeout = {_FOLDING_MS}")
            try:
                (busy, _, _) = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                cursor.execute(f"PRAGMA busy_timeout = {PATIENCE_S * 1000}")
        self._fold_at = log.stat().st_size + _LATER if busy else _LONG_LOG


def open_database(url: str | Path) -> Database:
    """Return the study's database at an address, or in the SQLite file at a path, made with empty tables where there are none.

    A database of an earlier version becomes one of today's, with everything that is in it.

    Raises:
        ExperimentError: the address is none, the server does not let us in, or the database is of a later version or not a study's.
    """
    engine = make_engine(url)
    try:
        with explained(engine.url):
            _bring_up_to_date(engine)
    except BaseException:
        engine.dispose()
        raise
    return Database(engine)


def _bring_up_to_date(engine: sa.Engine) -> None:
    """Make or change the tables where they are not today's; this is one transaction, and others wait."""
    with engine.connect() as connection:
        if _held(connection) == VERSION:
            return
    # Server processes never come here, so they need not load Alembic.
    from study.storage.migrations.upgrading import upgrade

    with engine.connect().execution_options(writes=True) as connection, _references_apart(connection), connection.begin():
        exclusive(connection)
        held = _held(connection)
        if held != VERSION:
            upgrade(connection, held=held)
        _check_references(connection)


def _held(connection: sa.Connection) -> str | None:
    """Return the version of the tables, None where there are none yet."""
    place, tables = shown(connection.engine.url), set(sa.inspect(connection).get_table_names())
    if not tables:
        return None
    if {"alembic_version", "study"} <= tables:
        version = str(connection.scalar(sa.text("SELECT version_num FROM alembic_version")))
        if version > VERSION:
            raise ExperimentError(
                f"{place}: was made by a later version of tastebench (its tables are {version}, this version knows {VERSION}); "
                "install that version or a later one: pip install --upgrade tastebench"
            )
        return version
    if tables == _FIRST and "number" in {column["name"] for column in sa.inspect(connection).get_columns("participant")}:
        return "0001"
    raise ExperimentError(
        f'{place}: is no study\'s database (it holds the table "{min(tables)}"); give the study a database of its own, or move this '
        "one away, and `tastebench study serve` makes a new one"
    )


@contextmanager
def _references_apart(connection: sa.Connection) -> Iterator[None]:
    """Let SQLite replace tables that others refer to."""
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = connection.connection.cursor()
    driver.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys = ON")


def _check_references(connection: sa.Connection) -> None:
    """Undo everything where a reference leads nowhere, which SQLite did not look after meanwhile."""
    if connection.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        place = shown(connection.engine.url)
        raise ExperimentError(f"{place}: has answers without their trials, so it is damaged; it was left as it is. Go on from a backup")
