"""Makes the engine for a database's address: how SQLite keeps what was acknowledged, how long PostgreSQL is waited for."""

import importlib.util
import sqlite3
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from stimuli.experiment import ExperimentError

# How long anybody waits for their turn, seconds. A page sends its answer again every 3 s, so longer helps nobody.
PATIENCE_S = 20
_EXPECTED = (
    "{}; expected postgresql://USER:PASSWORD@HOST/NAME (in a password, write @ as %40, / as %2F and : as %3A) "
    "or sqlite:////FULL/PATH/OF/THE/FILE"
)
# `synchronous = FULL`: a commit is on disk before it is acknowledged; `fullfsync` says so to a Mac, too.
# `secure_delete`: what is erased is overwritten.
_SETTINGS = ("synchronous = FULL", "fullfsync = ON", f"busy_timeout = {PATIENCE_S * 1000}", "foreign_keys = ON", "secure_delete = ON")


def make_engine(url: str | Path) -> sa.Engine:
    """Return the engine for an address, or for the SQLite file at a path; nothing is connected yet.

    Raises:
        ExperimentError: the address is of neither SQLite nor PostgreSQL, or the package for PostgreSQL is missing.
    """
    address = sa.URL.create("sqlite", database=str(url)) if isinstance(url, Path) else _address(url)
    return _sqlite(address) if address.get_backend_name() == "sqlite" else _postgresql(address)


def _address(url: str) -> sa.URL:
    file = url.removeprefix("sqlite:///")
    if file not in (url, "", ":memory:"):
        # Everything after it is the path, although there may be a ? in it.
        return sa.URL.create("sqlite", database=file)
    try:
        address = sa.make_url(url)
    except (ArgumentError, ValueError):
        # The text is not repeated: a password may be in it.
        raise ExperimentError(_EXPECTED.format("what was given as the database is no address")) from None
    if address.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return address.set(drivername="postgresql+psycopg")
    raise ExperimentError(_EXPECTED.format(f'"{address.drivername}:" is no database that keeps a study'))


def _sqlite(address: sa.URL) -> sa.Engine:
    # hide_parameters: who answered what does not belong in a log.
    engine = sa.create_engine(address, pool_size=20, max_overflow=40, hide_parameters=True)
    sa.event.listen(engine, "connect", _settle)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _postgresql(address: sa.URL) -> sa.Engine:
    if importlib.util.find_spec("psycopg") is None:
        raise ExperimentError("PostgreSQL needs one more package: pip install 'tastebench[postgres]'")
    limits = f"-c statement_timeout={PATIENCE_S}s -c lock_timeout={PATIENCE_S}s -c idle_in_transaction_session_timeout=60s"
    patience = {"connect_timeout": "5", "tcp_user_timeout": f"{PATIENCE_S * 1000}", "options": limits}
    return sa.create_engine(
        address.update_query_dict(patience | dict(address.query)),
        # Several server processes share the server's 100 connections; each is needed for a few milliseconds at a time.
        pool_size=10,
        max_overflow=10,
        pool_timeout=PATIENCE_S,
        # A connection that the server has closed meanwhile is replaced before it is used.
        pool_pre_ping=True,
        hide_parameters=True,
    )


def _settle(connection: sqlite3.Connection, _record: object) -> None:
    # SQLAlchemy begins transactions itself (below), so the driver must not.
    connection.isolation_level = None
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise ExperimentError(
            "the study's folder is on a file system that cannot hold a running study (SQLite's write-ahead log does not work there); "
            "copy the folder to a local disk, or use PostgreSQL with --database"
        )
    for setting in _SETTINGS:
        connection.execute(f"PRAGMA {setting}")


def _begin(connection: sa.Connection) -> None:
    # A writer takes the lock at once: one that reads first and then writes could find that others wrote in between.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")
