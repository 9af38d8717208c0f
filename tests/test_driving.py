"""Simulated participants through the real pages: they are marked, and vote as they do without a browser."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from study_fixtures import Settings, make_experiment, make_rating_pool, write_known_tastes

from stimuli.experiment import Experiment, ExperimentError
from stimuli.manifest import Utility, read_rating_images, read_stimuli, write_utilities
from study import doctor, driving, simulate
from study.config import Question, RatingTable, StudyTable
from study.storage.database import open_database

pytestmark = pytest.mark.browser

USERS = ("walrusking", "lemurqueen")
SETTINGS = Settings(
    study=StudyTable(min_ms=50, unreviewed=True, practice=1, block=4, tie=True, catch=1, repeats=1),
    rating=RatingTable(min_ms=50, unreviewed=True, practice=1, per_participant=4),
    question=(
        Question("eyes", "Do you see colours?", when="before", options=("No", "Yes"), accept=("Yes",)),
        Question("age", "How old are you?", type="number", least=18, most=98),
        Question("art", "How often do you see art?", type="scale", ends=("never", "daily")),
        Question("remarks", "Anything else?", type="text"),
    ),
)


def known(folder: Path) -> Experiment:
    experiment = make_experiment(folder)
    stimuli = read_stimuli(experiment.stimuli)
    write_known_tastes(experiment, {(user, s.stimulus): float(n % 3) for user in USERS for n, s in enumerate(stimuli)})
    make_rating_pool(experiment)
    pool = read_rating_images(experiment.rating_images)
    write_utilities(experiment.rating_utilities, [Utility(user, i.image, n / 2) for user in USERS for n, i in enumerate(pool)])
    return experiment


def url(path: Path) -> str:
    return f"sqlite:///{path.resolve()}"


def answers(path: Path, columns: Sequence[str]) -> list[tuple[object, ...]]:
    database = open_database(path)
    query = (
        f"SELECT participant, step, kind, left_stimulus, right_stimulus, {', '.join(columns)} FROM answer "
        "JOIN trial ON trial.id = answer.trial JOIN participant ON participant.id = trial.participant ORDER BY participant, step"
    )
    with database.reading() as rows:
        found = [tuple(row) for row in rows._connection.exec_driver_sql(query)]
    database.close()
    return found


@pytest.fixture(scope="module", autouse=True)
def _needs_chromium() -> None:
    if doctor.browser() is None:
        pytest.skip("no Chromium on this machine")


def test_the_same_seed_gives_the_same_votes_with_and_without_a_browser(tmp_path: Path) -> None:
    experiment = known(tmp_path / "experiment")
    pages, layer = experiment.database, tmp_path / "layer.sqlite"
    given = driving.run(experiment, SETTINGS, url=url(pages))
    assert simulate.run(experiment, SETTINGS, url=url(layer)) == given == 18
    columns = ("choice", "simulated", "ended")
    assert answers(pages, columns) == answers(layer, columns)
    assert {row[-2:] for row in answers(pages, columns)} == {(1, "finished")}
    assert {row[-1] for row in answers(pages, ("device",))} == {"mouse"}
    # Nothing is left to do, and nobody does it twice.
    assert driving.run(experiment, SETTINGS, url=url(pages)) == 0


def test_ratings_are_the_same_to_the_pixel(tmp_path: Path) -> None:
    experiment = known(tmp_path / "experiment")
    pages, layer = experiment.rating_database, tmp_path / "layer.sqlite"
    one = {"kind": "rating", "participants": ["walrusking"]}
    assert driving.run(experiment, SETTINGS, url=url(pages), **one) == 5  # type: ignore[arg-type]
    simulate.run(experiment, SETTINGS, url=url(layer), **one)  # type: ignore[arg-type]
    clicked, meant = (answers(path, ("rating",)) for path in (pages, layer))
    assert [row[:-1] for row in clicked] == [row[:-1] for row in meant]
    assert [row[-1] for row in clicked] == pytest.approx([row[-1] for row in meant], abs=0.02)


def test_programs_are_not_let_in_where_people_take_part(tmp_path: Path) -> None:
    experiment = known(tmp_path / "experiment")
    settings = replace(SETTINGS, question=())
    simulate.run(experiment, settings, participants=["walrusking"])
    shutil.copy(experiment.database, tmp_path / "people.sqlite")
    database = open_database(tmp_path / "people.sqlite")
    with database.writing() as rows:
        rows._connection.exec_driver_sql("UPDATE participant SET simulated = 0")
    database.close()
    with pytest.raises(ExperimentError, match="simulated participants are never added to a study that people take"):
        driving.run(experiment, settings, url=url(tmp_path / "people.sqlite"), participants=["lemurqueen"])


def test_without_the_package_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ExperimentError, match=r"pip install 'tastebench\[browser\]'"):
        driving.run(Experiment(tmp_path), SETTINGS, url=url(tmp_path / "study.sqlite"))


def test_without_a_chromium_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "BROWSERS", ())
    with pytest.raises(ExperimentError, match="apt-get install chromium"):
        driving.run(Experiment(tmp_path), SETTINGS, url=url(tmp_path / "study.sqlite"))
