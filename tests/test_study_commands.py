"""The commands of the study room: what they say, and what they keep to themselves."""

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from sqlalchemy import make_url
from study_fixtures import Settings, make_experiment, write_known_tastes
from typer.testing import CliRunner

from analysis.config import AnalysisTable, Claim
from stimuli.experiment import Experiment, ExperimentError
from stimuli.manifest import read_stimuli
from study import commands, serving
from study.config import RatingTable, Recruitment, StudyTable
from study.rated import read_ratings
from study.votes import read_participants

USERS = ("walrusking", "lemurqueen")
COMMANDS = (
    "serve",
    "simulate",
    "lock",
    "plan",
    "review",
    "watch",
    "password",
    "invite",
    "link",
    "export",
    "status",
    "backup",
    "import",
    "erase",
    "deploy",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    experiment = make_experiment(tmp_path / "experiment")
    write_known_tastes(
        experiment, {(user, s.stimulus): float(s.target_user == user) for user in USERS for s in read_stimuli(experiment.stimuli)}
    )
    return experiment.folder


def run(*arguments: str | Path, settings: Settings | None = None) -> str:
    app = typer.Typer()

    @app.callback()
    def _settle(context: typer.Context) -> None:
        context.obj = lambda folder: (Experiment(folder), settings or Settings())

    app.add_typer(commands.app, name="study")
    result = CliRunner(env={"COLUMNS": "160"}).invoke(app, ["study", *map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return re.sub(r"[ \t]+", " ", result.output)


def test_from_simulation_over_status_to_export(folder: Path) -> None:
    assert f"16 simulated answers are in {folder}/study.sqlite. Next: tastebench study export {folder}" in run("simulate", folder)
    assert "All simulated participants had finished; nothing was added" in run("simulate", folder)
    told = run("status", folder)
    assert "walrusking walrusking yes finished 6 of 6" in told
    assert "answers that did not count: none" in told
    exported = run("export", folder)
    assert f"{folder}/votes.parquet: 12 votes of 2 participants (2 of them simulated)" in exported
    assert f"Next: tastebench analysis fit {folder}" in exported


def test_the_status_tells_the_side_balance_and_never_who_is_ahead(folder: Path) -> None:
    run("simulate", folder, "--participant", "walrusking")
    told = run("status", folder)
    left, right = (int(count) for count in re.findall(r"chosen on the left: (\d+), on the right: (\d+)", told)[0])
    assert left + right == 6
    assert "quokkaleap" not in told
    assert "zebrafinch" not in told


def test_before_the_study_there_is_no_status(folder: Path) -> None:
    with pytest.raises(ExperimentError, match=r"study.sqlite: no such file; `tastebench study serve .*` makes it"):
        run("status", folder)


def test_the_rating_study_is_simulated_and_exported_beside_the_comparison(folder: Path) -> None:
    rated = Settings(rating=RatingTable(per_participant=6, practice=1, images="stimuli"))
    told = run("simulate", folder, "--rating", settings=rated)
    assert f"14 simulated answers are in {folder}/rating.sqlite. Next: tastebench study export --rating {folder}" in told
    run("simulate", folder)
    assert f"{folder}/ratings.parquet: 12 ratings of 2 participants (2 of them simulated)" in run("export", folder, "--rating")
    run("export", folder)
    experiment = Experiment(folder)
    answered = [{each.answered for each in read_participants(path)} for path in (experiment.participants, experiment.rating_participants)]
    assert answered == [{6}, {6}]
    assert len(read_ratings(experiment.rated)) == 12


def test_a_study_lives_where_database_says(folder: Path, database_url: str) -> None:
    run("simulate", folder, "--database", database_url)
    assert not (folder / "study.sqlite").exists()
    assert "12 votes of 2 participants" in run("export", folder, "--database", database_url)
    with pytest.raises(ExperimentError, match="holds a comparison study, and a rating study was asked for; leave out --rating"):
        run("export", folder, "--rating", "--database", database_url)


def test_an_address_never_shows_its_password(folder: Path, postgres_url: str) -> None:
    address = make_url(postgres_url).set(password="opensesame")
    told = run("simulate", folder, "--database", address.render_as_string(hide_password=False))
    assert "simulated answers are in postgresql://" in told
    assert "opensesame" not in told


@pytest.mark.parametrize(
    ("by", "told"),
    [
        ("link", "(add ?participant=ID for a known person)"),
        ("invitation", "(only for links that `tastebench study invite` writes)"),
        ("prolific", "(people come by the address that `tastebench study link` shows)"),
    ],
)
def test_serving_says_by_which_address_people_come(folder: Path, monkeypatch: pytest.MonkeyPatch, by: Any, told: str) -> None:
    def announced(*_: object, announce: Callable[[str], None], **__: object) -> None:
        announce("http://here/start")

    monkeypatch.setattr(serving, "serve", announced)
    said = run("serve", folder, "--database", "sqlite:////x", settings=Settings(study=StudyTable(recruitment=Recruitment(by=by))))
    assert f"The study is open at http://here/start {told}. Ctrl-C closes it." in said
    assert f"tastebench study status --database URL {folder}" in said


def test_every_part_of_the_room_has_its_commands_here() -> None:
    listed = run("--help")
    for command in COMMANDS:
        assert re.search(rf"^\W+{command} ", listed, re.MULTILINE), command


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_an_example(command: str) -> None:
    assert f"tastebench study {command} my-study" in run(command, "--help")


def test_locking_after_votes_says_what_that_means(folder: Path) -> None:
    claim = Claim("C1", "greater", a="zebrafinch", b="others")
    locked = {"analysis": AnalysisTable(smallest_effect_elo=14.0), "exclusion": (), "claim": (claim,)}
    settings: Any = SimpleNamespace(**vars(Settings()) | locked)
    assert "EXPLORATORY" not in run("lock", folder, settings=settings)
    (folder / "lock.json").unlink()
    run("simulate", folder, settings=settings)
    assert re.search(r"\d+ votes were given already, so verdicts on them will be EXPLORATORY", run("lock", folder, settings=settings))
