"""The password of the researcher's page: what is kept of it, how it is set, and that the page is off without one."""

import json
import stat
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from study_fixtures import Settings
from typer.testing import CliRunner

from stimuli.experiment import Experiment, ExperimentError
from study.researcher import commands
from study.researcher.password import is_right, read_password, remove_password, set_password

PASSWORD = "four unusual words"


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    made = Experiment(tmp_path)
    made.settings.write_text('[experiment]\ntitle = "t"\n')
    return made


def run(experiment: Experiment, *arguments: str, typed: str = "") -> tuple[int, str, BaseException | None]:
    settled: Callable[[Path], tuple[Experiment, Settings]] = lambda folder: (Experiment(folder), Settings())  # noqa: E731
    result = CliRunner().invoke(commands.app, [arguments[0], str(experiment.folder), *arguments[1:]], input=typed, obj=settled)
    return result.exit_code, result.output, result.exception


def test_only_the_password_itself_is_right(experiment: Experiment) -> None:
    set_password(experiment, PASSWORD)
    kept = read_password(experiment)
    assert is_right(PASSWORD, kept)
    assert not any(is_right(wrong, kept) for wrong in ("", PASSWORD[:-1], PASSWORD + " ", PASSWORD.upper(), "x" * 100_000, "\ud800"))


def test_what_is_kept_is_a_salted_hash_that_only_its_owner_may_read(experiment: Experiment) -> None:
    set_password(experiment, PASSWORD)
    first = experiment.password.read_text()
    assert stat.S_IMODE(experiment.password.stat().st_mode) == 0o600
    assert PASSWORD not in first
    assert json.loads(first)["scheme"] == "scrypt"
    set_password(experiment, PASSWORD)
    assert json.loads(experiment.password.read_text())["hash"] != json.loads(first)["hash"]
    assert [path.name for path in experiment.folder.iterdir() if path.name.startswith(".")] == []


def test_a_short_password_is_refused_and_the_earlier_one_stays(experiment: Experiment) -> None:
    set_password(experiment, PASSWORD)
    with pytest.raises(ExperimentError, match="has 11 characters; choose one with at least 12"):
        set_password(experiment, "elevenchars")
    assert is_right(PASSWORD, read_password(experiment))


def test_without_a_password_the_page_is_off_and_the_error_names_the_command(experiment: Experiment) -> None:
    with pytest.raises(ExperimentError, match=r"so the researcher's page is off; `tastebench study password .*` sets a password"):
        read_password(experiment)
    _, _, error = run(experiment, "watch")
    assert isinstance(error, ExperimentError)
    assert f"tastebench study password {experiment.folder}" in str(error)


def test_a_removed_password_switches_the_page_off(experiment: Experiment) -> None:
    set_password(experiment, PASSWORD)
    assert remove_password(experiment)
    assert not remove_password(experiment)
    assert not experiment.password.exists()


@pytest.mark.parametrize(
    "content",
    ["", "[]", '{"scheme": "md5"}', '{"scheme": "scrypt", "cost": 2, "block": 1, "parallel": 1, "salt": "", "hash": ""}', "\x00"],
)
def test_a_damaged_file_opens_nothing_and_says_what_to_do(experiment: Experiment, content: str) -> None:
    experiment.password.write_text(content)
    with pytest.raises(ExperimentError, match=r"holds no password .* remove the file and run `tastebench study password"):
        read_password(experiment)


def test_the_command_asks_twice_and_shows_nothing(experiment: Experiment) -> None:
    code, output, _ = run(experiment, "password", typed=f"{PASSWORD}\nanother one entirely\n{PASSWORD}\n{PASSWORD}\n")
    assert code == 0
    assert PASSWORD not in output
    assert is_right(PASSWORD, read_password(experiment))
    _, output, _ = run(experiment, "password", "--remove")
    assert output == "The researcher's page is off.\n"
    assert not experiment.password.exists()


def test_the_password_is_never_on_the_command_line(experiment: Experiment) -> None:
    code, _, _ = run(experiment, "password", "--password", PASSWORD)
    assert code == 2
    assert not experiment.password.exists()


def test_a_folder_without_an_experiment_gets_no_password(tmp_path: Path) -> None:
    _, _, error = run(SimpleNamespace(folder=tmp_path / "nowhere"), "password", typed=f"{PASSWORD}\n{PASSWORD}\n")  # type: ignore[arg-type]
    assert isinstance(error, ExperimentError)
    assert "tastebench init" in str(error)
