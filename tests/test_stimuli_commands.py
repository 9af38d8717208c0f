"""The commands of the room: each says what came out, where it is and what to do next."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from stimuli import commands, production
from stimuli.config import Condition, Prompt, StimuliTable
from stimuli.experiment import Experiment
from stimuli.groups import Group
from stimuli.ratings import RatedData
from stimuli.steering import Steering
from stimuli.studyfile import ExperimentTable


@dataclass(frozen=True)
class Settings:
    experiment: ExperimentTable
    stimuli: StimuliTable
    prompt: tuple[Prompt, ...]
    condition: tuple[Condition, ...]
    group: tuple[Group, ...] = ()


TINY = Settings(
    ExperimentTable("Tiny", 3),
    StimuliTable(
        size=64, steering=Steering(candidates=2, iterations=1, fresh_seeds=0), ratings=RatedData(raters=4, images=30, per_rater=30)
    ),
    (Prompt("boat", "A sailing boat on a lake."),),
    (Condition("initial"), Condition("personal", scorer="personal", targets=("rater-01",))),
)


def settle(folder: Path) -> tuple[Experiment, Settings]:
    experiment = Experiment(folder)
    experiment.settings.touch()
    return experiment, TINY


def run(*words: str) -> Result:
    result = CliRunner().invoke(commands.app, words, obj=settle, catch_exceptions=False)
    assert result.exit_code == 0
    return result


def test_the_three_steps_say_what_they_made_and_what_is_next(tmp_path: Path) -> None:
    said = run("ratings", str(tmp_path)).stdout
    assert "120 simulated ratings by 4 raters of 30 images" in said
    assert f"Next: tastebench stimuli train {tmp_path}" in said
    said = run("train", str(tmp_path)).stdout
    assert "ratings by 4 raters of 21 images" in said
    assert "Held-out images (test_seen): the mean rank correlation with a rater's own ratings is " in said
    assert "image-statistics (encoder, for a learned image encoder such as SigLIP2)" in said
    assert f"Next: tastebench stimuli steer {tmp_path}" in said
    said = run("steer", str(tmp_path)).stdout
    assert "2 images from 1 chains of steering; 3 images rendered now" in said
    assert "0 images rendered now" in run("steer", str(tmp_path)).stdout


def test_predict_says_who_told_what_and_where_it_is(tmp_path: Path) -> None:
    said = run("predict", str(tmp_path)).stdout
    assert f"{tmp_path / 'predictions.parquet'}: " in said
    assert " predictions by bayes, population in test_seen, val_seen." in said
    assert (tmp_path / "predictions.json").is_file()


def test_paint_writes_one_picture(tmp_path: Path) -> None:
    out = tmp_path / "lighthouse.png"
    assert "seed 4" in run("paint", "A lighthouse. Moonlight.", "--seed", "4", "--size", "80", "--out", str(out)).stdout
    with Image.open(out) as image:
        assert image.size == (80, 80)


@pytest.mark.parametrize("command", ["ratings", "train", "predict", "steer", "plan", "status", "images", "paint"])
def test_help_says_what_comes_out_and_gives_an_example(command: str) -> None:
    said = run(command, "--help").stdout
    assert "Example:" in said


def test_ctrl_c_says_that_nothing_is_lost_and_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(production, "steer", stopped)
    result = CliRunner().invoke(commands.app, ["steer", str(tmp_path)], obj=settle)
    assert result.exit_code == 130
    assert result.output.splitlines() == [f"Stopped; what is done is kept. To go on: tastebench stimuli steer {tmp_path}"]
