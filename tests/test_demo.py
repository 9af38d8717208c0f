"""The main job: from a study.toml to a finished report, in one command or step by step, as a newcomer runs it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TASTEBENCH = Path(sys.executable).with_name("tastebench")
TINY = """
[experiment]
title = "Tiny <b>study</b>"
seed = 3
[stimuli]
size = 96
[stimuli.steering]
candidates = 4
iterations = 2
[stimuli.ratings]
raters = 6
images = 40
per_rater = 30
[[prompt]]
id = "boat"
text = "A small boat <script>alert(1)</script> on a lake."
[[prompt]]
id = "cat"
text = "A cat on a windowsill."
[[condition]]
name = "initial"
[[condition]]
name = "personal"
scorer = "personal"
targets = ["rater-01", "rater-03"]
[analysis]
resamples = 200
"""


def tastebench(*arguments: str, folder: Path) -> str:
    environment = os.environ | {"COLUMNS": "120", "NO_COLOR": "1", "TERM": "dumb"}
    finished = subprocess.run([TASTEBENCH, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return the folder of a finished demo and what the command printed."""
    folder = tmp_path_factory.mktemp("fresh")
    return folder / "demo", tastebench("demo", folder=folder)


def test_the_demo_ends_with_a_report_and_says_where_it_is_and_how_to_open_the_study(demo: tuple[Path, str]) -> None:
    folder, printed = demo
    assert str(folder / "report" / "index.html") in printed
    assert "study serve --preview demo" in printed
    assert (folder / "report" / "index.html").stat().st_size > 100_000


def test_where_the_truth_is_known_own_beats_others_and_others_beat_initial(demo: tuple[Path, str]) -> None:
    folder, _ = demo
    results = json.loads((folder / "results.json").read_text())
    elo = {score["condition"]: score["elo"] for score in results["scores"]}
    assert elo["own"] > elo["others"] > elo["initial"]
    verdicts = {claim["id"]: claim["verdict"] for claim in results["claims"]}
    assert verdicts["C1"].startswith("SUPPORTED"), verdicts
    # Few people cannot always tell whether others' images beat the untouched prompt's; being right, they never contradict it.
    assert verdicts["C2"].startswith(("SUPPORTED", "INCONCLUSIVE")), verdicts


def test_the_report_says_that_it_checks_the_machinery_and_what_stood_in(demo: tuple[Path, str]) -> None:
    page = (demo[0] / "report" / "index.html").read_text(encoding="utf-8")
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    assert "no finding about people" in text
    for stand_in in ("sketch", "vocabulary", "image-statistics", "colourful", "crisp", "participants 12 simulated"):
        assert stand_in in text


def test_running_the_demo_again_changes_no_hand_over(demo: tuple[Path, str]) -> None:
    folder, _ = demo
    kept = ("stimuli.parquet", "steps.parquet", "simulated_utilities.parquet", "votes.parquet")
    before = {name: (folder / name).read_bytes() for name in kept}
    tastebench("demo", folder=folder.parent)
    assert {name: (folder / name).read_bytes() for name in kept} == before


def test_each_step_also_runs_by_itself_and_names_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "study.toml").write_text(TINY)
    environment = os.environ | {"TERM": "dumb"}
    for command in (
        ["study", "simulate", "tiny"],
        ["study", "export", "tiny"],
        ["analysis", "fit", "tiny"],
        ["analysis", "claims", "tiny"],
    ):
        early = subprocess.run([TASTEBENCH, *command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert early.returncode == 2, command
        assert "tastebench" in early.stderr, command
    for command in (
        ["stimuli", "ratings", "tiny"],
        ["stimuli", "train", "tiny"],
        ["stimuli", "steer", "tiny"],
        ["study", "simulate", "tiny"],
        ["study", "status", "tiny"],
        ["study", "export", "tiny"],
        ["analysis", "fit", "tiny"],
        ["analysis", "claims", "tiny"],
        ["reports", "build", "tiny"],
    ):
        assert tastebench(*command, folder=tmp_path), command
    page = (tmp_path / "tiny" / "report" / "index.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "Tiny &lt;b&gt;study&lt;/b&gt;" in page
