"""The walls between the rooms stand: a file or an import in the wrong place fails the build."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("stimuli", "study", "analysis", "reports")
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Return a copy of the house in which a test may break a wall."""
    for room in ROOMS:
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "tastebench.py"):
        shutil.copy(ROOT / file, tmp_path)
    return tmp_path


def lint(house: Path) -> tuple[int, str]:
    finished = subprocess.run([LINT_IMPORTS, "--no-cache"], cwd=house, capture_output=True, text=True, check=False)
    return finished.returncode, finished.stdout + finished.stderr


def test_the_house_as_it_stands_keeps_every_contract(house: Path) -> None:
    status, output = lint(house)
    assert status == 0, output


@pytest.mark.parametrize("room", ROOMS)
def test_a_junk_drawer_fails_the_build(house: Path, room: str) -> None:
    (house / room / "utils.py").write_text('"""Anything."""\n')
    status, output = lint(house)
    assert status == 1
    assert f"{room}.utils" in output


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("analysis/results.py", "import torch"),
        ("reports/page.py", "import streamlit"),
        ("study/votes.py", "import analysis.results"),
        ("stimuli/manifest.py", "import study.votes"),
        ("study/design/schedule.py", "import stimuli.steering"),
        ("reports/page.py", "import analysis.bradley_terry"),
        ("stimuli/experiment.py", "import stimuli.manifest"),
    ],
)
def test_an_import_through_a_wall_fails_the_build(house: Path, file: str, line: str) -> None:
    path = house / file
    path.write_text(path.read_text(encoding="utf-8") + f"\n{line}\n", encoding="utf-8")
    status, output = lint(house)
    assert status == 1, output
