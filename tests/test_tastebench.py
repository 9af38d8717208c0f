"""The command line: help that reads like documentation, and mistakes that end in one sentence and exit status 2."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner

import tastebench as program

TASTEBENCH = Path(sys.executable).with_name("tastebench")
ROOT = Path(__file__).parents[1]


def tastebench(*arguments: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"COLUMNS": "120", "NO_COLOR": "1", "TERM": "dumb"}
    return subprocess.run([TASTEBENCH, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False)


def commands() -> list[list[str]]:
    """Return every command of the program, found by walking its help."""

    def walk(command: object, way: list[str]) -> list[list[str]]:
        inner = getattr(command, "commands", {})
        return [way] + [found for name, child in inner.items() for found in walk(child, [*way, name])]

    return walk(typer.main.get_command(program.app), [])


@pytest.mark.parametrize("way", commands(), ids=" ".join)
def test_every_command_explains_itself(way: list[str]) -> None:
    shown = CliRunner().invoke(program.app, [*way, "--help"])
    assert shown.exit_code == 0, shown.output
    assert len(shown.stdout) > 200
    is_group = way in ([], ["stimuli"], ["study"], ["analysis"], ["reports"])
    assert is_group or way == ["version"] or "Example" in shown.stdout


def test_help_comes_at_once_because_nothing_heavy_is_imported_for_it(tmp_path: Path) -> None:
    heavy = "torch", "seaborn", "matplotlib", "streamlit"
    script = f"import sys, tastebench; print([name for name in {heavy} if name in sys.modules])"
    finished = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["check", "nowhere"], "nowhere: no such folder; `tastebench init nowhere` makes a new experiment there"),
        (["check", "."], "study.toml: no such file; an experiment is a folder with a study.toml, and `tastebench init` writes one"),
        (["doctor", "nowhere"], "nowhere: no such folder"),
        (["stimuli", "steer", "nowhere"], "nowhere: no such folder"),
        (["study", "serve", "nowhere"], "nowhere: no such folder"),
        (["study", "simulate", "nowhere"], "nowhere: no such folder"),
        (["reports", "build", "nowhere"], "nowhere"),
        (["analysis", "fit", "nowhere.csv", "--left", "a", "--right", "b", "--choice", "c", "--out", "out"], "nowhere.csv"),
        (["init"], "Missing argument"),
        (["no-such-command"], "No such command"),
    ],
)
def test_a_mistake_is_a_sentence_and_exit_status_2(arguments: list[str], expected: str, tmp_path: Path) -> None:
    finished = tastebench(*arguments, folder=tmp_path)
    assert finished.returncode == 2, finished.stdout + finished.stderr
    assert expected in re.sub(r"\s+", " ", finished.stderr)
    assert "Traceback" not in finished.stderr


def test_init_makes_an_experiment_that_checks_and_leaves_an_existing_one_alone(tmp_path: Path) -> None:
    assert tastebench("init", "mine", folder=tmp_path).returncode == 0
    checked = tastebench("check", "mine", folder=tmp_path)
    assert checked.returncode == 0, checked.stderr
    assert "4 base prompts with 15 images each, so 420 pairs to compare" in checked.stdout
    settings = tmp_path / "mine" / "study.toml"
    settings.write_text(settings.read_text() + "# edited\n")
    again = tastebench("init", "mine", folder=tmp_path)
    assert again.returncode == 2
    assert "exists already; it was left as it is" in again.stderr
    assert settings.read_text().endswith("# edited\n")


def test_the_settings_file_in_place_of_its_folder_is_understood(tmp_path: Path) -> None:
    tastebench("init", "mine", folder=tmp_path)
    checked = tastebench("check", "mine/study.toml", folder=tmp_path)
    assert checked.returncode == 2
    assert "mine/study.toml: is a file; give the folder of the experiment, mine" in checked.stderr


def test_the_paper_study_is_in_order_and_says_what_this_machine_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    assert tastebench("init", "paper", "--example", "pamela", folder=tmp_path).returncode == 0
    (tmp_path / "paper" / "pamela-data").mkdir()
    checked = tastebench("check", "paper", folder=tmp_path)
    assert checked.returncode == 0, checked.stderr
    assert "18 base prompts with 9 images each" in checked.stdout
    for name in ("flux2", "local", "hpsv3", "qalign", "imagereward", "siglip2-so400m"):
        assert checked.stdout.count(f"Cannot run here yet: {name}: no weights on this machine") == 1, checked.stdout
    assert "Run `hf download black-forest-labs/FLUX.2-dev" in checked.stdout and "accept it on https://" in checked.stdout
    steered = tastebench("stimuli", "steer", "paper", folder=tmp_path)
    assert steered.returncode == 2
    assert "flux2" in steered.stderr
    assert "Traceback" not in steered.stderr


def test_every_mistake_in_study_toml_comes_at_once(tmp_path: Path) -> None:
    tastebench("init", "mine", folder=tmp_path)
    settings = tmp_path / "mine" / "study.toml"
    text = settings.read_text()
    text = text.replace("candidates = 12", 'candidates = "12"').replace("iterations = 4", "iteration = 4")
    text = text.replace('id = "lighthouse"', 'id = "glasshouse"').replace('generator = "sketch"', 'generator = "sketsch"')
    text = text.replace('b = "others"', 'b = "other"') + '\n[[condition]]\nname = "mine"\nimages = "mine/{prompt}.png"\n'
    settings.write_text(text)
    checked = tastebench("check", "mine", folder=tmp_path)
    assert checked.returncode == 2
    lines = checked.stderr.splitlines()
    for table, key, hint in [
        ("[stimuli.steering]", "candidates", "a whole number, without quotes"),
        ("[stimuli.steering]", "iteration", 'did you mean "iterations"?'),
        ("[stimuli]", "generator", 'did you mean "sketch"?'),
        ("[[prompt]]", "id", "glasshouse"),
        ("[[condition]]", "images", "mine/glasshouse.png"),
        ("[[claim]]", "b", "others"),
    ]:
        assert any(line.startswith("mine/study.toml: " + table) and f'"{key}"' in line and hint in line for line in lines), (key, lines)


def test_doctor_names_each_part_and_what_to_do(tmp_path: Path) -> None:
    finished = tastebench("doctor", folder=tmp_path)
    assert finished.returncode == 0, finished.stderr
    for part in ("Python", "GPU", "extra [gpu]", "generator flux2", "database", "browser for tests", "disk"):
        assert part in finished.stdout
