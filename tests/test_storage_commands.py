"""The commands on a study's database: who is where, a backup and its way back, an erasure, each with what it says."""

import io
import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
import typer
from rich.console import Console
from stored_study import contents, fill
from study_fixtures import Settings, make_experiment
from typer.testing import CliRunner

from stimuli.experiment import Experiment, ExperimentError
from study.storage import commands, status
from study.storage.database import open_database
from study.storage.tables import PARTICIPANT, STUDY


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an experiment whose study two people from a panel are taking."""
    experiment = make_experiment(tmp_path / "my study")
    database = open_database(experiment.database)
    fill(database)
    table = {"participants": 3, "hold_minutes": 60}
    with database.change() as connection:
        connection.execute(sa.update(STUDY).values(settings={"seed": 7, "table": table, "questions": []}))
        connection.execute(sa.update(PARTICIPANT).where(PARTICIPANT.c.id == "ada").values(seen_at=datetime.now(UTC)))
    database.close()
    return experiment.folder


def run(*arguments: object, answer: str = "", status: int = 0) -> str:
    app = typer.Typer()

    @app.callback()
    def _settle(context: typer.Context) -> None:
        context.obj = lambda folder: (Experiment(folder), Settings())

    app.add_typer(commands.app)
    result = CliRunner(env={"COLUMNS": "200", "TASTEBENCH_DATABASE": ""}).invoke(app, [str(each) for each in arguments], input=answer)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == status, result.output
    return re.sub(r"[ \t]+", " ", result.output)


def held(folder: Path) -> dict[str, list[dict[str, object]]]:
    database = open_database(folder / "study.sqlite")
    rows = contents(database)
    database.close()
    return rows


# --- status ---


def test_the_status_tells_who_is_where(folder: Path) -> None:
    told = run("status", folder)
    assert "ada – no trials 1 of 2 0 20" in told
    assert "bea – yes dropped out 1 of 2 1 2026-01-05 09:01" in told
    assert "2 votes of 2 participants, 0 finished; the study is paused" in told
    assert "where they are: 1 trials, 1 dropped out\n" in told
    assert "places: 0 taken, 1 held for people on their way, 2 of 3 free" in told
    assert "chosen on the left: 2, on the right: 0" in told
    assert "answers that did not count: 2 duplicate\n" in told
    assert "erased: 3\n" in told


def test_a_closed_study_has_nobody_on_their_way(folder: Path) -> None:
    database = open_database(folder / "study.sqlite")
    with database.writing() as rows:
        rows.set_state("closed")
    database.close()
    assert "places: 0 taken; nobody goes on or comes any more\n" in run("status", folder)


def test_no_id_is_cut_short_on_a_narrow_screen(folder: Path) -> None:
    with closing(open_database(folder / "study.sqlite")) as database, database.reading() as rows:
        found = status.look(rows, place="here", at=datetime.now(UTC))
    person, whole = found.people[0], "p-0123456789abcdef"
    standing = replace(person.standing, participant=replace(person.standing.participant, id=whole))
    console = Console(width=80, file=io.StringIO())
    with console.capture() as shown:
        console.print(status.table(replace(found, people=(replace(person, standing=standing),)), panel=True))
    assert whole in shown.get()
    assert "…" not in shown.get()
    assert all(len(line) == 80 for line in shown.get().splitlines())


def test_the_status_keeps_panel_ids_to_itself_unless_asked(folder: Path) -> None:
    assert "panel-ada" not in run("status", folder)
    assert "PROLIFIC_PID=panel-ada STUDY_ID=s1" in run("status", folder, "--panel")


def test_looking_into_a_study_that_is_not_there_makes_none(tmp_path: Path) -> None:
    folder = make_experiment(tmp_path / "my study").folder
    for command in ("status", "export", "backup"):
        with pytest.raises(ExperimentError, match=r"study\.sqlite: no such file; `tastebench study serve '.*my study'` makes it"):
            run(command, folder)
    with pytest.raises(ExperimentError, match=r"rating\.sqlite: no such file; `tastebench study serve --rating '.*my study'` makes it"):
        run("status", folder, "--rating")
    assert not list(folder.glob("*.sqlite"))


def test_the_status_of_an_empty_database_says_so(folder: Path, postgres_url: str) -> None:
    with pytest.raises(ExperimentError, match="holds no study yet; `tastebench study serve` makes it"):
        run("status", folder, "--database", postgres_url)


# --- backup and import ---


def test_a_study_moves_to_postgresql_and_back(folder: Path, tmp_path: Path, postgres_url: str) -> None:
    before = held(folder)
    assert f"{tmp_path}/out.zip: 2 participants, 2 answers, 2 images" in run("backup", folder, "--to", tmp_path / "out.zip")
    told = run("import", folder, tmp_path / "out.zip", "--database", postgres_url)
    assert "postgresql://postgres@/study_" in told
    assert f"Next: tastebench study serve --database URL '{folder}'" in told
    run("backup", folder, "--to", tmp_path / "back.zip", "--database", postgres_url)
    (folder / "study.sqlite").unlink()
    run("import", folder, tmp_path / "back.zip")
    assert held(folder) == before


def test_a_backup_without_a_name_goes_into_the_folder(folder: Path) -> None:
    told = run("backup", folder)
    (made,) = folder.glob("comparison-*.zip")
    assert re.fullmatch(r"comparison-\d{8}T\d{6}Z\.zip", made.name)
    assert "keep it where nobody else can read it" in told


def test_an_import_over_a_study_is_refused(folder: Path, tmp_path: Path) -> None:
    run("backup", folder, "--to", tmp_path / "out.zip")
    before = held(folder)
    with pytest.raises(ExperimentError, match=r"holds a study already \(with 2 participants\)"):
        run("import", folder, tmp_path / "out.zip")
    assert held(folder) == before


# --- erase ---


def test_an_erasure_asks_first(folder: Path) -> None:
    before = held(folder)
    told = run("erase", folder, "panel-ada", answer="n\n", status=1)
    assert "Erase participant ada from" in told
    assert held(folder) == before


def test_an_erasure_says_what_is_gone_and_what_to_do_next(folder: Path) -> None:
    told = run("erase", folder, "panel-ada", "--yes")
    assert "Erased: participant ada with 1 answers, 1 replies, 2 attempts, 1 events and 1 arrivals" in told
    assert f"Now: tastebench study export '{folder}'; then delete every earlier export and backup." in told
    assert "ada" not in repr(held(folder))
    assert "erased: 4" in run("status", folder)


def test_an_unknown_participant_is_an_error_and_nothing_is_erased(folder: Path) -> None:
    with pytest.raises(ExperimentError, match=r'no participant has the id "eve"'):
        run("erase", folder, "eve", "--yes")
    connection = sqlite3.connect(folder / "study.sqlite")
    assert connection.execute("SELECT erased FROM study").fetchone() == (3,)
    connection.close()
