"""Of several independent runs of steering, people see the first; the others are for the analysis."""

from pathlib import Path

import pytest

from stimuli.experiment import Experiment
from stimuli.manifest import Stimulus, first_runs, write_stimuli
from study.config import RatingTable, StudyTable
from study.opening.images import images_of
from study.researcher.gallery import groups_of, hashes_of


def stimulus(condition: str, user: str | None, run: int) -> Stimulus:
    name = f"{condition}-{user}-{run}"
    return Stimulus(name, "p", "A boat.", condition, user, run, f"images/{name}.png", name, "A boat.", "g", 1, None, None, None, 0)


ROWS = [stimulus("initial", None, 1), *(stimulus("x", user, run) for user in ("ann", "bob") for run in (1, 2, 3))]
FIRST = ["initial-None-1", "x-ann-1", "x-bob-1"]


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    made = Experiment(tmp_path)
    write_stimuli(made.stimuli, ROWS)
    return made


def test_the_first_run_is_what_people_see() -> None:
    assert [row.stimulus for row in first_runs(ROWS)] == FIRST
    assert first_runs([]) == []


@pytest.mark.parametrize("table", [StudyTable(), RatingTable(images="stimuli")])
def test_a_study_opens_with_the_first_run(experiment: Experiment, table: StudyTable | RatingTable) -> None:
    assert [shown.row.stimulus for shown in images_of(experiment, table)] == FIRST


def test_the_review_asks_about_the_first_run(experiment: Experiment) -> None:
    assert sorted(hashes_of(groups_of(experiment, StudyTable()))) == FIRST
