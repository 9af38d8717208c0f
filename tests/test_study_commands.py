"""The commands of the study room: what they say, and what they keep to themselves."""

import os
import re
import shutil
import subprocess
import sys
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
from study.preview import preview_database
from study.rated import read_ratings
from study.storage.records import State
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
    "close",
    "pause",
    "reopen",
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
    def announced(*_: object, announce: Callable[[str, State], None], **__: object) -> None:
        announce("http://here/start", "open")

    monkeypatch.setattr(serving, "serve", announced)
    said = run("serve", folder, "--database", "sqlite:////x", settings=Settings(study=StudyTable(recruitment=Recruitment(by=by))))
    assert f"The study is open at http://here/start {told}. Ctrl-C stops the server; run this again to go on." in said
    assert f"tastebench study status --database URL {folder}" in said
    assert f"while those inside finish: tastebench study close --database URL {folder}" in said


@pytest.mark.parametrize(
    ("state", "told", "then"),
    [
        (
            "closing",
            "closing: nobody new can start, and those inside finish at http://here/start",
            "To open it again: tastebench study reopen",
        ),
        ("paused", "paused: nobody can go on until it is opened again, at http://here/start", "To open it again: tastebench study reopen"),
        ("closed", "closed: nobody can go on, and late visitors are told so at http://here/start", "study status"),
    ],
)
def test_serving_a_study_that_is_not_open_does_not_call_it_open(
    folder: Path, monkeypatch: pytest.MonkeyPatch, state: State, told: str, then: str
) -> None:
    def announced(*_: object, announce: Callable[[str, State], None], **__: object) -> None:
        announce("http://here/start", state)

    monkeypatch.setattr(serving, "serve", announced)
    said = run("serve", folder, "--host", "0.0.0.0")
    assert f"The study is {told}" in said
    assert then in said
    assert "is open at" not in said
    assert "study close" not in said
    assert "put this machine's name or address in place of localhost" in said


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


@pytest.mark.parametrize("planned", [None, 24])
def test_locking_without_a_planned_size_says_what_is_lost(folder: Path, planned: int | None) -> None:
    claim = Claim("C1", "greater", a="zebrafinch", b="others")
    table = AnalysisTable(smallest_effect_elo=14.0, planned_votes=planned)
    settings: Any = SimpleNamespace(**vars(Settings()) | {"analysis": table, "exclusion": (), "claim": (claim,)})
    told = run("lock", folder, settings=settings)
    assert ("has no planned_votes, so nobody can tell later whether the study stopped early" in told) == (planned is None)


# --- Preview and close ---


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return what a server would be started with, once a command would start one."""
    found: dict[str, Any] = {}

    def keep(_: Experiment, settings: Any, *, announce: Callable[[str, State], None], **given: Any) -> None:
        found.update(given, settings=settings)
        announce("http://here/start", "open")
        # In place of the server the process would be.
        raise typer.Exit(0)

    monkeypatch.setattr(serving, "serve", keep)
    return found


BY_PANEL = Settings(study=StudyTable(participants=1, recruitment=Recruitment(by="prolific", complete="C1")))


def test_a_preview_needs_no_panel_and_leaves_the_study_alone(folder: Path, served: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASTEBENCH_DATABASE", "sqlite:////the/real/study")
    told = run("serve", folder, "--preview", settings=BY_PANEL)
    assert "A preview, for you alone: http://here/start" in told
    assert served["url"] == f"sqlite:///{(folder / 'work' / f'preview-comparison-{os.getpid()}.sqlite').resolve()}"
    assert (served["settings"].study.recruitment.by, served["settings"].study.participants) == ("link", None)
    assert (served["unreviewed"], served["preview"]) == (True, True)


def test_a_preview_that_other_machines_reach_says_so_and_needs_the_review(folder: Path, served: dict[str, Any]) -> None:
    told = run("serve", folder, "--preview", "--host", "0.0.0.0", settings=BY_PANEL)
    assert "A preview, for everybody who reaches this machine, without a password: http://here/start" in told
    assert "for you alone" not in told
    assert not served["unreviewed"]


def test_a_preview_refuses_a_database_that_it_would_not_use(folder: Path, served: dict[str, Any]) -> None:
    with pytest.raises(ExperimentError, match="--preview has a database of its own, and --database names another; leave out one"):
        run("serve", folder, "--preview", "--database", "sqlite:////x")
    assert not served


def test_each_preview_begins_anew_and_leaves_those_alone_that_still_run(folder: Path) -> None:
    path = Path(preview_database(Experiment(folder), "comparison").removeprefix("sqlite:///"))
    path.write_bytes(b"an earlier preview")
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left, running = (path.with_name(f"preview-comparison-{number}.sqlite-wal") for number in (ended.pid, os.getppid()))
    left.touch()
    running.touch()
    preview_database(Experiment(folder), "comparison")
    assert (path.exists(), left.exists(), running.exists()) == (False, False, True)


def test_closing_lets_nobody_in_and_can_be_taken_back_until_it_is_for_good(folder: Path) -> None:
    run("simulate", folder)
    told = run("close", folder)
    assert "Nobody new can start, and 0 people still inside can finish." in told
    assert "The pause is over" not in told
    assert f"tastebench study close --now {folder}" in told
    assert "nobody new can start, and 0 people still inside can finish" in run("status", folder)
    assert f"tastebench study reopen {folder}" in run("pause", folder)
    assert "The pause is over for those inside." in run("close", folder)
    assert "new participants may come" in run("reopen", folder)
    assert f"Closed for good. Next: tastebench study export {folder}" in run("close", folder, "--now", "--yes")
    with pytest.raises(ExperimentError, match=r"the study is closed, so it cannot become open. .* closed for good stays closed"):
        run("reopen", folder)
    with pytest.raises(ExperimentError, match="the study is closed already"):
        run("close", folder, "--now", "--yes")


def test_whoever_closes_for_good_is_told_which_study_and_that_it_never_opens_again(folder: Path) -> None:
    run("simulate", folder)
    asked = run("close", folder, "--now")
    assert (
        f"Close the comparison of {folder} in {folder}/study.sqlite for good? 0 people still inside will be stopped, and it never" in asked
    )
    assert "the study is open" in run("status", folder)


def test_where_the_plan_allows_peeking_no_closing_is_said_to_be_for_good(folder: Path) -> None:
    peeking = Settings(study=StudyTable(unreviewed=True, peeking=True))
    run("simulate", folder, settings=peeking)
    assert "`study reopen` can open it again, because its plan says peeking = true" in run("close", folder, "--now", settings=peeking)
    assert "Closed. Next:" in run("close", folder, "--now", "--yes", settings=peeking)
    with pytest.raises(ExperimentError, match="the study is closed, so it cannot become paused; from there it can only become open"):
        run("pause", folder, settings=peeking)
    assert "Open again" in run("reopen", folder, settings=peeking)


def test_with_rating_no_comparison_is_closed_and_no_rating_study_without(folder: Path) -> None:
    run("simulate", folder)
    address = f"sqlite:///{folder / 'study.sqlite'}"
    for command in ("close", "pause", "reopen"):
        with pytest.raises(ExperimentError, match="holds a comparison study, and a rating study was asked for; leave out --rating"):
            run(command, folder, "--rating", "--database", address)
    assert "the study is open" in run("status", folder)


def test_the_study_of_another_experiment_is_not_closed(folder: Path, tmp_path: Path) -> None:
    run("simulate", folder)
    other = make_experiment(tmp_path / "other").folder
    with pytest.raises(ExperimentError, match=rf"holds the study of {folder}, and this is {other}. .*run `tastebench study serve"):
        run("close", other, "--now", "--yes", "--database", f"sqlite:///{folder / 'study.sqlite'}")
    assert "the study is open" in run("status", folder)


def test_a_copy_of_the_folder_has_a_study_of_its_own(folder: Path, tmp_path: Path) -> None:
    run("simulate", folder)
    copied = shutil.copytree(folder, tmp_path / "copy")
    assert "Closed for good" in run("close", copied, "--now", "--yes")
    assert "the study is open" in run("status", folder)


def deployed(folder: Path, *options: str) -> Path:
    run("deploy", folder, *options)
    return folder / "deploy" / "environment"


def test_where_a_deployment_stands_a_missing_file_leads_to_its_database(folder: Path) -> None:
    environment = deployed(folder, "--database", "postgresql://study:geheim@localhost/study")
    with pytest.raises(ExperimentError, match=rf"no such file. .* holds a deployment.*`set -a; . '?{environment}'?; set \+a`") as refused:
        run("status", folder)
    assert "geheim" not in str(refused.value)
    with pytest.raises(ExperimentError, match=r"rating.sqlite: no such file; `tastebench study serve --rating"):
        run("status", folder, "--rating")


def test_a_deployment_of_the_missing_file_itself_leads_nowhere_else(folder: Path) -> None:
    deployed(folder)
    with pytest.raises(ExperimentError, match=r"study.sqlite: no such file; `tastebench study serve"):
        run("status", folder)


def test_no_more_simulated_participants_come_than_there_are_places(folder: Path) -> None:
    few = Settings(study=StudyTable(unreviewed=True, participants=1))
    run("simulate", folder, settings=few)
    assert "of 1 participants, 1 finished" in run("status", folder, settings=few)
