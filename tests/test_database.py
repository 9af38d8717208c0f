"""The study's database: durable, strict about what it holds, and clear about what it is not and why it does not work."""

import importlib.util
import socket
import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from postgres_fixture import administration
from sqlalchemy.exc import IntegrityError

from stimuli.experiment import ExperimentError
from study.storage import database as module
from study.storage.database import Database, UnavailableError, open_database
from study.storage.locking import exclusive
from study.storage.tables import EVENT
from study.storage.trouble import remedy


def now() -> datetime:
    return datetime.now(UTC)


def pragma(database: Database, name: str) -> object:
    with database.reading() as rows:
        return rows._connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def events(database: Database) -> int:
    with database.reading() as rows:
        return rows._connection.scalar(sa.select(sa.func.count()).select_from(EVENT)) or 0


# --- What both kinds promise ---


def test_an_exception_while_writing_undoes_everything(database_url: str) -> None:
    database = open_database(database_url)
    with pytest.raises(KeyboardInterrupt), database.writing() as rows:
        rows.add_event("ada", "opened", now())
        raise KeyboardInterrupt
    assert events(database) == 0
    database.close()


def test_who_reads_sees_one_moment_while_others_write(database_url: str) -> None:
    database = open_database(database_url)
    with database.reading() as before:
        assert before.count_events("ada") == 0
        with database.writing() as rows:
            rows.add_event("ada", "opened", now())
        assert before.count_events("ada") == 0
    assert events(database) == 1
    database.close()


def test_places_are_chosen_one_after_the_other(database_url: str) -> None:
    database = open_database(database_url)
    seen: list[int] = []

    def choose() -> None:
        with database.writing() as rows:
            exclusive(rows._connection)
            seen.append(rows.count_events("ada"))
            rows.add_event("ada", "opened", now())

    threads = [threading.Thread(target=choose) for _ in range(15)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == list(range(15))
    database.close()


def test_two_processes_that_open_a_new_database_at_once_make_it_once(database_url: str) -> None:
    opened: list[Database] = []
    threads = [threading.Thread(target=lambda: opened.append(open_database(database_url))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [events(database) for database in opened] == [0, 0, 0, 0]
    for database in opened:
        database.close()


def test_a_mistake_of_this_program_is_not_taken_for_a_database_that_does_not_work(database_url: str) -> None:
    database = open_database(database_url)
    with pytest.raises(IntegrityError), database.writing() as rows:
        rows._connection.execute(sa.insert(EVENT).values(participant=None, what="opened", at=now()))
    database.close()


def test_a_log_never_holds_what_was_answered(database_url: str) -> None:
    database = open_database(database_url)
    with pytest.raises(IntegrityError) as caught, database.writing() as rows:
        rows._connection.execute(sa.insert(EVENT).values(participant="secretid", what=None, at=now()))
    assert "[SQL parameters hidden" in str(caught.value)
    database.close()


# --- SQLite ---


def test_what_is_acknowledged_survives_a_power_cut(tmp_path: Path) -> None:
    database = open_database(tmp_path / "study.sqlite")
    found = {name: pragma(database, name) for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "fullfsync")}
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1, "fullfsync": 1}
    database.close()


def test_the_log_stays_short_although_somebody_always_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LONG_LOG", 200_000)
    monkeypatch.setattr(module, "_FOLDING_MS", 50)
    monkeypatch.setattr(module, "_LATER", 50_000)
    database = open_database(tmp_path / "study.sqlite")
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            with database.reading() as rows:
                rows.count_events("ada")
                done.wait(0.01)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    longest = 0
    for _ in range(150):
        with database.writing() as written:
            written.add_event("ada", "x" * 10_000, now())
        longest = max(longest, (tmp_path / "study.sqlite-wal").stat().st_size)
    done.set()
    for reader in readers:
        reader.join()
    assert events(database) == 150
    assert longest < 1_000_000
    database.close()


def test_a_long_reader_never_stops_the_writers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LONG_LOG", 50_000)
    monkeypatch.setattr(module, "_FOLDING_MS", 10)
    database = open_database(tmp_path / "study.sqlite")
    with database.reading() as backup:
        assert backup.count_events("ada") == 0
        for _ in range(20):
            with database.writing() as written:
                written.add_event("ada", "x" * 5000, now())
        assert backup.count_events("ada") == 0
    assert events(database) == 20
    database.close()


def test_writers_of_one_process_take_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", 0.05)
    database = open_database(tmp_path / "study.sqlite")
    with (
        database.writing(),
        pytest.raises(UnavailableError, match="more is to be written than the disk can do; it goes on by itself"),
        database.writing(),
    ):
        pass
    database.close()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "study.sqlite"
    path.write_text("hello " * 1000)
    with pytest.raises(ExperimentError, match=r"cannot be used \(file is not a database\): it is no study's database; move it away"):
        open_database(path)
    assert path.read_text() == "hello " * 1000


def test_a_database_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "study.sqlite"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE participant (name TEXT)")
    other.close()
    with pytest.raises(
        ExperimentError, match=r'no study\'s database \(it holds the table "participant"\); give the study a database of its'
    ):
        open_database(path)


def test_a_database_in_a_place_nobody_can_write_is_never_said_to_be_broken(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r"cannot be used \(unable to open database file\): nobody may write in .*; give leave"):
        open_database(tmp_path / "missing" / "study.sqlite")


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("attempt to write a readonly database", "give leave to write there"),
        ("database or disk is full", "make room on the disk; answers stored so far are kept"),
        ("disk I/O error", "make room on the disk; answers stored so far are kept"),
        ("database is locked", "another program holds it; close that one"),
        ("file is not a database", "it is no study's database; move it away"),
    ],
)
def test_only_a_database_that_is_none_is_to_be_moved_away(tmp_path: Path, reason: str, told: str) -> None:
    assert told in remedy(tmp_path / "study.sqlite", reason)


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("canceling statement due to statement timeout", "the server is too busy, and nothing of this was stored"),
        ("terminating connection due to administrator command", "nothing of this was stored; it works again once the server is back"),
        ("server closed the connection unexpectedly", "nothing of this was stored; it works again once the server is back"),
        ('could not extend file "base/1/2": No space left on device', "make room on the disk"),
        ("sorry, too many clients already", "raise max_connections of the server, or run fewer server processes"),
        ("connection timeout expired", "no PostgreSQL answers there"),
        ("something new", "nothing of this was stored"),
    ],
)
def test_what_a_server_says_comes_with_what_to_do(reason: str, told: str) -> None:
    assert told in remedy("postgresql://ada@host/study", reason)


# --- Addresses ---


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("study.sqlite", "what was given as the database is no address; expected postgresql://USER:PASSWORD@HOST/NAME"),
        ("mysql://ada:hunter2@host/study", '"mysql:" is no database that keeps a study; expected postgresql://'),
        ("sqlite://", '"sqlite:" is no database that keeps a study'),
        ("postgresql://ada:hunter2@host:port/study", "is no address; .*in a password, write @ as %40"),
    ],
)
def test_an_address_that_is_none_is_refused_without_repeating_a_password(address: str, told: str) -> None:
    with pytest.raises(ExperimentError, match=told) as caught:
        open_database(address)
    assert "hunter2" not in str(caught.value)


def test_a_missing_package_for_postgresql_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    there = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "psycopg" else there(name))
    with pytest.raises(ExperimentError, match=r"pip install 'tastebench\[postgres\]'"):
        open_database("postgresql://host/study")


# --- A PostgreSQL that does not let us in ---


@pytest.fixture
def guarded(postgres_server: Any) -> Iterator[str]:
    """Give the address of a server that asks one user, ada, for a password."""
    rules = postgres_server.pgdata / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text("local all ada scram-sha-256\n" + before)
    administration(postgres_server, "SELECT pg_reload_conf()")
    administration(postgres_server, "CREATE ROLE ada LOGIN PASSWORD 'right'")
    administration(postgres_server, "CREATE DATABASE guarded")
    yield f"postgresql://ada:PASSWORD@/guarded?host={postgres_server.pgdata}"
    administration(postgres_server, "DROP DATABASE guarded WITH (FORCE)")
    administration(postgres_server, "DROP ROLE ada")
    rules.write_text(before)
    administration(postgres_server, "SELECT pg_reload_conf()")


def test_a_wrong_password_is_one_sentence_without_it(guarded: str) -> None:
    with pytest.raises(ExperimentError) as caught:
        open_database(guarded.replace("PASSWORD", "hunter2"))
    assert str(caught.value) == (
        'postgresql://ada@/guarded: cannot be used (password authentication failed for user "ada"): '
        "check USER and PASSWORD in the --database option or TASTEBENCH_DATABASE"
    )


def test_a_user_who_may_not_make_tables_is_told(guarded: str) -> None:
    with pytest.raises(ExperimentError, match=r"permission denied for schema public.*administrator make that user the database's owner"):
        open_database(guarded.replace("PASSWORD", "right"))


def test_a_database_that_does_not_exist_is_one_sentence(postgres_url: str) -> None:
    name = sa.make_url(postgres_url).database
    with pytest.raises(ExperimentError) as caught:
        open_database(postgres_url.replace(f"/{name}", "/nowhere"))
    assert str(caught.value) == (
        'postgresql://postgres@/nowhere: cannot be used (database "nowhere" does not exist): make it on the server (createdb NAME), or '
        "check NAME in the --database option or TASTEBENCH_DATABASE"
    )


def test_a_user_whom_the_server_does_not_know_is_one_sentence(postgres_url: str) -> None:
    with pytest.raises(ExperimentError, match=r'\(role "bob" does not exist\): the server has no such user; check USER in'):
        open_database(postgres_url.replace("postgres:@", "bob@"))


def test_a_server_that_is_down_is_one_sentence() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        with pytest.raises(ExperimentError) as caught:
            open_database(f"postgresql://ada:hunter2@127.0.0.1:{port}/study?password=hunter3")
    assert str(caught.value) == (
        f"postgresql://ada@127.0.0.1:{port}/study: cannot be used (Connection refused): no PostgreSQL answers there; start the server, "
        "or check HOST in the --database option or TASTEBENCH_DATABASE"
    )


def test_a_database_of_something_else_on_a_server_is_left_alone(postgres_url: str) -> None:
    engine = sa.create_engine(postgres_url.replace("postgresql:", "postgresql+psycopg:"), poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE invoices (id int)")
    with pytest.raises(ExperimentError, match=r'no study\'s database \(it holds the table "invoices"\)'):
        open_database(postgres_url)
