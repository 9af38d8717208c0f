"""The commands of the study room: what they say, and what they keep to themselves."""

import re
from pathlib import Path

import pytest
import typer
from study_fixtures import Settings, make_experiment, write_known_tastes
from typer.testing import CliRunner

from stimuli.experiment import Experiment, ExperimentError
from stimuli.manifest import read_stimuli
from study import commands

USERS = ("walrusking", "lemurqueen")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    experiment = make_experiment(tmp_path / "experiment")
    write_known_tastes(
        experiment, {(user, s.stimulus): float(s.target_user == user) for user in USERS for s in read_stimuli(experiment.stimuli)}
    )
    return experiment.folder


def run(*arguments: str | Path) -> str:
    app = typer.Typer()

    @app.callback()
    def _settle(context: typer.Context) -> None:
        context.obj = lambda folder: (Experiment(folder), Settings())

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
    assert "12 votes of 2 participants, 2 finished" in told
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


@pytest.mark.parametrize("command", ["serve", "simulate", "export", "status"])
def test_each_command_has_an_example(command: str) -> None:
    assert f"tastebench study {command} my-study" in run(command, "--help")
