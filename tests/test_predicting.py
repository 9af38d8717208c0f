"""Predictions of held-out ratings: everything is told once, new people in nested contexts, and the analysis can compare it all."""

from pathlib import Path

import numpy as np
import pytest
from learnable_made import MADE, NEW, SEEN, TEST, VAL, data_set, task

from analysis.fair_rows import compared
from analysis.predictor_metrics import by_user, few_shot
from stimuli import predictions, scorers
from stimuli.learning.predicting import predict
from stimuli.learning.training import material, train
from stimuli.predictions import Predictions


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Predictions:
    folder = tmp_path_factory.mktemp("predicting")
    wanted = task(data_set(folder / "data"))
    train(folder / "predictor.npz", wanted, provenance=MADE)
    fitted = wanted.kind.load(folder / "predictor.npz")
    found = predict("bayes", fitted, material(wanted), {"colourful": scorers.make("colourful")}, seed=1)
    assert found is not None
    return found


def test_every_held_out_rating_is_told_once_by_everybody(told: Predictions, tmp_path: Path) -> None:
    predictions.write_predictions(tmp_path / "predictions.parquet", told)
    assert len(predictions.read_predictions(tmp_path / "predictions.parquet")) == len(told)
    sizes = {"val_seen": SEEN * VAL, "test_seen": SEEN * TEST, "test_unseen": NEW * TEST}
    assert set(told.split) == set(sizes)
    for split, size in sizes.items():
        for model in ("population", "colourful"):
            assert len(told.of(model=model, split=split)) == size
    assert len(told.of(model="bayes", split="test_seen")) == sizes["test_seen"]


def test_only_the_predictor_says_how_sure_it_is(told: Predictions) -> None:
    known = ~np.isnan(told.standard_deviation)
    assert set(told.model[known]) == {"bayes"}
    assert known[told.model == "bayes"].all()


def test_new_people_are_told_better_the_more_of_their_ratings_were_seen(told: Predictions) -> None:
    rows = few_shot(told.of(model="bayes", split="test_unseen"), rng=np.random.default_rng(1))
    # Thirty ratings each: 25 leave the five that it takes to measure somebody.
    assert [row.context for row in rows] == [0, 5, 10, 15, 20, 25]
    assert {row.draws for row in rows} == {10}
    assert rows[3].srocc.value > rows[0].srocc.value + 0.4


def test_the_analysis_finds_all_models_on_the_same_ratings(told: Predictions) -> None:
    fair = compared(told.where(told.split == "test_unseen"), split="test_unseen", context=15)
    assert dict(fair.context) == {"bayes": 15, "population": 0, "colourful": 0}
    rows = fair.draws["population"][0]
    assert by_user(fair.draws["bayes"][0]).srocc.mean() > by_user(rows).srocc.mean() + 0.4


def test_data_that_hold_nothing_out_leave_nothing_to_tell(tmp_path: Path) -> None:
    from dataclasses import replace

    rated = data_set(tmp_path / "data")
    wanted = task(replace(rated, ratings=rated.of("train")))
    train(tmp_path / "predictor.npz", wanted, provenance=MADE)
    assert predict("bayes", wanted.kind.load(tmp_path / "predictor.npz"), material(wanted), {}, seed=1) is None
