"""Databases of earlier versions become today's with everything in them; new ones are made the same way."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from stimuli.experiment import ExperimentError
from study.storage import migrations
from study.storage.database import Database, open_database
from study.storage.migrations.upgrading import upgrade
from study.storage.tables import ANSWER, ARRIVAL, PARTICIPANT, STUDY, TABLES, TRIAL, VERSION

RELEASED = Path(__file__).with_name("study_0_1.sql")


@pytest.fixture
def released(tmp_path: Path) -> Path:
    """Return a database that version 0.1 made, of a study that people are taking."""
    path = tmp_path / "study.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript(RELEASED.read_text(encoding="utf-8"))
    connection.close()
    return path


def table(database: Database, chosen: sa.Table) -> list[dict[str, object]]:
    with database.reading() as rows:
        return [dict(row) for row in rows._connection.execute(sa.select(chosen).order_by(*chosen.primary_key)).mappings()]


def test_the_migrations_make_the_tables_that_the_program_uses(database_url: str) -> None:
    database = open_database(database_url)
    with database.reading() as rows:
        context = MigrationContext.configure(rows._connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, TABLES) == []
    database.close()


def test_the_program_knows_the_latest_migration() -> None:
    (folder,) = migrations.__path__
    assert ScriptDirectory(folder).get_current_head() == VERSION


def test_every_migration_is_one_step_from_the_one_before() -> None:
    (folder,) = migrations.__path__
    revisions = [(script.revision, script.down_revision) for script in ScriptDirectory(folder).walk_revisions()]
    assert revisions == [(f"{number:04}", f"{number - 1:04}" if number > 1 else None) for number in range(int(VERSION), 0, -1)]


def test_a_study_of_version_0_1_keeps_every_answer(released: Path) -> None:
    before = sqlite3.connect(released)
    given = before.execute("SELECT trial, choice, response_ms, device, blurs, ignored, viewport FROM answer ORDER BY trial").fetchall()
    before.close()
    database = open_database(released)
    rows = table(database, ANSWER)
    database.close()
    assert len(given) == 8
    assert [
        tuple(row[name] for name in ("trial", "choice", "response_ms", "device", "blurs", "ignored", "viewport")) for row in rows
    ] == given
    assert {row["rating"] for row in rows} == {None}


def test_participants_of_version_0_1_are_where_they_were(released: Path) -> None:
    database = open_database(released)
    people = {str(row["id"]): row for row in table(database, PARTICIPANT)}
    arrivals, trials = table(database, ARRIVAL), table(database, TRIAL)
    database.close()
    assert {name: (row["slot"], row["block"], row["ended"]) for name, row in people.items()} == {
        "ada": (0, 0, "finished"),
        "bea": (1, 0, None),
        "cleo": (2, 0, None),
        "walrusking": (3, -1, None),
    }
    assert str(people["ada"]["ended_at"]) == "2026-01-05 09:00:24+00:00"
    assert [str(people[name]["seen_at"])[11:19] for name in ("bea", "cleo", "walrusking")] == ["09:00:42", "09:00:48", "09:00:52"]
    assert [(row["participant"], row["panel"]) for row in arrivals] == [("ada", {})]
    assert {(row["block"], row["expected"]) for row in trials} == {(0, None)}


def test_the_settings_of_version_0_1_are_those_of_a_study_today(released: Path) -> None:
    database = open_database(released)
    (study,) = table(database, STUDY)
    database.close()
    assert (study["kind"], study["state"], study["erased"]) == ("comparison", "open", 0)
    settings = study["settings"]
    assert isinstance(settings, dict)
    assert settings["seed"] == 7
    assert (settings["table"]["practice"], settings["table"]["recruitment"]["by"]) == (2, "link")


def test_an_upgraded_database_guards_what_a_new_one_guards(released: Path) -> None:
    database = open_database(released)
    for statement in (
        "INSERT INTO study SELECT 2, settings, stimuli_sha256, created_at, kind, state, erased FROM study",
        "INSERT INTO answer SELECT trial, choice, response_ms, device, blurs, ignored, viewport, answered_at, rating FROM answer",
        "UPDATE trial SET participant = 'nobody' WHERE id = 1",
        "UPDATE trial SET token = (SELECT token FROM trial WHERE id = 2) WHERE id = 1",
        "UPDATE participant SET seen_at = NULL",
    ):
        with pytest.raises(sa.exc.IntegrityError), database.writing() as rows:
            rows._connection.exec_driver_sql(statement)
    database.close()


def test_opening_an_upgraded_database_again_changes_nothing(released: Path) -> None:
    open_database(released).close()
    before = released.read_bytes()
    open_database(released).close()
    assert released.read_bytes() == before


def test_an_upgrade_that_fails_leaves_the_old_database(released: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_off(connection: sa.Connection, *, held: str | None) -> None:
        upgrade(connection, held=held)
        raise KeyboardInterrupt

    monkeypatch.setattr("study.storage.migrations.upgrading.upgrade", break_off)
    with pytest.raises(KeyboardInterrupt):
        open_database(released)
    connection = sqlite3.connect(released)
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    columns = {row[1] for row in connection.execute("PRAGMA table_info(participant)")}
    connection.close()
    assert "alembic_version" not in tables
    assert {"number", "finished_at"} <= columns


def test_a_damaged_old_database_is_left_as_it_was(released: Path) -> None:
    connection = sqlite3.connect(released)
    connection.execute("DELETE FROM trial WHERE id = 1")
    connection.commit()
    connection.close()
    with pytest.raises(ExperimentError, match="has answers without their trials, so it is damaged; it was left as it is"):
        open_database(released)
    connection = sqlite3.connect(released)
    assert "number" in {row[1] for row in connection.execute("PRAGMA table_info(participant)")}
    connection.close()


def test_a_database_of_a_later_version_is_refused(database_url: str) -> None:
    database = open_database(database_url)
    with database.writing() as rows:
        rows._connection.execute(sa.text("UPDATE alembic_version SET version_num = '0999'"))
    database.close()
    with pytest.raises(ExperimentError, match=rf"a later version of tastebench \(its tables are 0999, this version knows {VERSION}\)"):
        open_database(database_url)


def test_a_study_that_is_up_to_date_opens_without_alembic(tmp_path: Path) -> None:
    path = tmp_path / "study.sqlite"
    open_database(path).close()
    program = (
        "import sys; from study.storage.database import open_database; "
        f"open_database('sqlite:///{path}').close(); print('alembic' in sys.modules)"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert finished.stdout == "False\n"
