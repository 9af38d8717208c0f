"""What an experiment learns beside its predictor: whom it may steer for, and what a server asks a new person first."""

import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from rating_study_made import given

from stimuli import learning, production, ratings
from stimuli.config import Condition, Prompt, StimuliTable
from stimuli.experiment import Experiment, ExperimentError
from stimuli.groups import Group
from stimuli.learning.training import Rater, Training
from stimuli.manifest import read_rating_images, read_utilities
from stimuli.prediction_record import read_prediction_record
from stimuli.predictions import read_predictions
from stimuli.predictors import onboarding
from stimuli.predictors.bayes import BayesTaste
from stimuli.ratings import RatedData, pool
from stimuli.steering import Steering
from stimuli.studyfile import ExperimentTable
from study.rated import write_ratings


@dataclass(frozen=True)
class Settings:
    experiment: ExperimentTable
    stimuli: StimuliTable
    prompt: tuple[Prompt, ...]
    condition: tuple[Condition, ...]
    group: tuple[Group, ...] = ()


TINY = Settings(
    ExperimentTable("Tiny", 7),
    StimuliTable(size=64, steering=Steering(candidates=2, iterations=1), ratings=RatedData(raters=6, images=40, per_rater=30, newcomers=2)),
    (Prompt("boat", "A sailing boat on a lake."),),
    (Condition("initial"), Condition("personal", scorer="personal", targets_from="ratings")),
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Experiment, Training]:
    """Return an experiment with images to rate and a predictor; nobody has rated yet."""
    experiment = Experiment(tmp_path_factory.mktemp("learning"))
    experiment.settings.write_text("# The settings of this test are given as objects.\n")
    production.make_pool(experiment, TINY, number=12)
    return experiment, production.train(experiment, TINY)


def test_newcomers_rate_nothing_here_and_only_they_are_asked_in_the_rating_study(trained: tuple[Experiment, Training]) -> None:
    experiment, record = trained
    fitted = learning.load(experiment, TINY)
    assert record.users == 6
    assert not [user for user in fitted.users if user.startswith("newcomer")]
    assert {row.user for row in read_utilities(experiment.rating_utilities)} == {"newcomer-1", "newcomer-2"}


def test_a_server_asks_from_a_file_what_the_predictor_would_ask(trained: tuple[Experiment, Training]) -> None:
    experiment, _ = trained
    fitted = learning.load(experiment, TINY)
    assert isinstance(fitted, BayesTaste)
    chooser = onboarding.for_experiment(experiment.folder)
    names = [image.image for image in read_rating_images(experiment.rating_images)]
    assert sorted(chooser.names) == sorted(names)
    rated: dict[str, float] = {}
    while len(rated) < 5:
        rated[chooser(rated, names)] = 3.0
    looks, _ = learning.sight(experiment, TINY.stimuli).of_rated(learning._to_rate(experiment))
    expected = onboarding.sequence(fitted, looks, 5)
    assert list(rated) == [names[place] for place in expected.tolist()]


def test_a_server_that_asks_imports_nothing_heavy() -> None:
    heavy = ("pandas", "scipy", "torch", "pyarrow", "PIL", "stimuli.encoders", "stimuli.ratings")
    script = f"import sys, stimuli.predictors.onboarding; print([name for name in {heavy} if name in sys.modules])"
    finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "[]"


def test_without_a_trained_predictor_active_onboarding_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(
        ExperimentError, match=r'onboarding.npz: no such file. \[rating\] has order = "active", .* `tastebench stimuli pool'
    ):
        onboarding.for_experiment(tmp_path)
    (tmp_path / "work").mkdir()
    (tmp_path / "work/onboarding.npz").write_bytes(b"damaged")
    with pytest.raises(ExperimentError, match=r"holds nothing to choose images by .*; run `tastebench stimuli train"):
        onboarding.for_experiment(tmp_path)


def test_an_image_that_is_not_of_the_pool_is_named(trained: tuple[Experiment, Training]) -> None:
    chooser = onboarding.for_experiment(trained[0].folder)
    with pytest.raises(ExperimentError, match='made without "strange"; encode the images again'):
        chooser({}, ["strange"])


def test_steering_for_whoever_rated_says_what_to_do_where_nobody_did(trained: tuple[Experiment, Training]) -> None:
    experiment, _ = trained
    with pytest.raises(ExperimentError, match=r'ratings.parquet: no such file, and targets_from = "ratings" steers for the people in it'):
        production.steer(experiment, TINY)


def test_who_rated_too_little_is_no_target(trained: tuple[Experiment, Training]) -> None:
    experiment, record = trained
    few = replace(record, raters=(Rater("ada", 3, known=False),))
    with pytest.raises(ExperimentError, match="nobody rated at least 5 images, so there is no taste to steer for; the most is 3"):
        learning.raters(experiment, few)
    with pytest.raises(ExperimentError, match='"ada" rated 3 images, and a target needs at least 5; let them rate more'):
        learning.check_targets(experiment, few, ["ada"])
    both = replace(record, raters=(Rater("ada", 3, known=False), Rater("bo", 9, known=True)))
    assert learning.raters(experiment, both) == ("bo",)


def test_what_a_simulated_rater_rated_again_is_not_told(tmp_path: Path) -> None:
    """Images to rate are also images held out, and a simulated rater may be asked again: what they said then is known, not told."""
    settings = replace(TINY, stimuli=replace(TINY.stimuli, ratings=RatedData(raters=6, images=40, per_rater=30)))
    experiment = Experiment(tmp_path)
    experiment.settings.write_text("# The settings of this test are given as objects.\n")
    production.make_pool(experiment, settings, number=40)
    shown = [image.image for image in read_rating_images(experiment.rating_images)][:30]
    write_ratings(experiment.rated, [given("rater-01", place, image, 3, simulated=True) for place, image in enumerate(shown)])
    production.predict(experiment, settings)
    held_out = ratings.read(experiment.ratings).of("val_seen", "test_seen")
    sources = {pool.sources(experiment)[image]["source"] for image in shown}
    again = held_out[(held_out["user"] == "rater-01") & held_out["image"].isin(sources)]
    told = read_predictions(experiment.predictions).of(model="bayes", split="test_seen")
    assert len(again) > 3
    assert read_prediction_record(experiment.prediction_record).rated_again == len(again)
    assert not set(again["image"]) & set(told.image[told.user == "rater-01"])
    assert set(again["image"]) & set(told.image[told.user != "rater-01"])


def test_asking_what_tells_most_leaves_less_unknown_than_asking_anything(trained: tuple[Experiment, Training]) -> None:
    chooser = onboarding.for_experiment(trained[0].folder)
    chosen: dict[str, float] = {}
    while len(chosen) < 5:
        chosen[chooser(chosen, chooser.names)] = 3.0
    place = {name: row for row, name in enumerate(chooser.names)}
    around = chooser.rows - chooser.rows.mean(axis=0)

    def unknown(names: list[str]) -> float:
        rows = chooser.rows[[place[name] for name in names]]
        left = np.linalg.inv(np.linalg.inv(chooser.covariance) + rows.T @ rows / chooser.noise)
        return float(np.einsum("ij,jk,ik->i", around, left, around).mean())

    rng = np.random.default_rng(1)
    anything = [unknown(rng.choice(chooser.names, 5, replace=False).tolist()) for _ in range(50)]
    assert unknown(list(chosen)) < np.mean(anything)
