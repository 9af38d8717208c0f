"""The study's SQLite file: durable, strict about what it holds, and clear about what it is not."""

import sqlite3
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa

from stimuli.experiment import ExperimentError
from study.database import Database, open_database, remedy
from study.tables import ImageRow, StimulusRow, StudyRow


def pragma(database: Database, name: str) -> object:
    with database.reading() as rows:
        return rows._connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def test_what_is_acknowledged_survives_a_power_cut(tmp_path: Path) -> None:
    database = open_database(tmp_path / "study.sqlite")
    assert pragma(database, "journal_mode") == "wal"
    assert pragma(database, "synchronous") == 2
    assert pragma(database, "foreign_keys") == 1
    database.close()


def test_times_come_back_in_utc(tmp_path: Path) -> None:
    database = open_database(tmp_path / "study.sqlite")
    noon = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    with database.writing() as rows:
        rows.lay_out(StudyRow({}, "", noon), [ImageRow("a", 1, 1, b"")], [StimulusRow("s", "p", "", "c", None, 0, "a")])
    with database.reading() as rows:
        study = rows.study()
    assert study is not None
    assert study.created_at == datetime(2026, 1, 1, 10, tzinfo=UTC)
    assert study.created_at.tzinfo is UTC
    database.close()


def test_an_exception_while_writing_undoes_everything(tmp_path: Path) -> None:
    database = open_database(tmp_path / "study.sqlite")
    with pytest.raises(KeyboardInterrupt), database.writing() as rows:
        rows.add_event("ada", "opened", datetime.now(UTC))
        raise KeyboardInterrupt
    with database.reading() as rows:
        assert rows._connection.scalar(sa.text("SELECT count(*) FROM event")) == 0
    database.close()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "study.sqlite"
    path.write_text("hello " * 1000)
    with pytest.raises(
        ExperimentError,
        match=r"cannot be opened \(file is not a database\): it is no study's database of this version; move it away",
    ):
        open_database(path)


def test_a_database_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "study.sqlite"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE participant (name TEXT)")
    other.close()
    with pytest.raises(ExperimentError, match="no study's database of this version"):
        open_database(path)


def test_a_database_in_a_place_nobody_can_write_is_never_said_to_be_broken(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r"cannot be opened \(unable to open database file\): nobody may write in .*; give leave"):
        open_database(tmp_path / "missing" / "study.sqlite")


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("attempt to write a readonly database", "give leave to write there"),
        ("database or disk is full", "make room on the disk; answers stored so far are kept"),
        ("no such column: participant.id", "no study's database of this version; move it away"),
    ],
)
def test_only_a_database_that_is_none_is_to_be_moved_away(tmp_path: Path, reason: str, told: str) -> None:
    assert told in remedy(tmp_path / "study.sqlite", reason)
