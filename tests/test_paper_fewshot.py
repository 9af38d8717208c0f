"""New people as the paper matches them: equal to brute force, why it fails, and the tables that ask for it."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from analysis.model_names import cell, is_ablation
from analysis.predictor_metrics import by_user, few_shot
from stimuli.experiment import ExperimentError
from stimuli.predictions import check
from stimuli.predictors import bayes
from stimuli.predictors.interface import Judgements
from stimuli.predictors.paper import PaperPredictor, fit
from stimuli.predictors.paper_diagnosis import Diagnosis, diagnosis, read_diagnosis, write_diagnosis
from stimuli.predictors.paper_fewshot import entropy, nearest, profile, profiles, softmax
from stimuli.predictors.paper_settings import PaperModel
from stimuli.predictors.paper_tables import ABLATIONS, RatedSplits, ablate, grid, told_of_known
from stimuli.predictors.protocol import draws
from stimuli.simulation import synthetic
from stimuli.simulation.synthetic import World

Array = NDArray[np.float64]
BRIEF = PaperModel(width=16, heads=2, hidden=16, learning_rate=2e-3, batch=256, epochs=2)


@pytest.fixture(scope="module")
def small() -> World:
    return synthetic.make("linear", seed=0, size="small")


@pytest.fixture(scope="module")
def data(small: World) -> RatedSplits:
    return RatedSplits([f"i{number:03d}" for number in range(len(small.looks))], small.looks, small.people, small.judgements)


@pytest.fixture(scope="module")
def trained(small: World) -> PaperPredictor:
    return fit(small.looks, small.people, small.judgements["train"], BRIEF, seed=0, device="cpu")


# --- matching ---


@given(seed=st.integers(0, 10_000), most=st.integers(1, 8), temperature=st.floats(0.02, 5))
@settings(max_examples=60)
def test_matching_equals_a_loop_over_users_and_ratings(seed: int, most: int, temperature: float) -> None:
    rng = np.random.default_rng(seed)
    image = rng.standard_normal((9, 4)).astype(np.float32)
    user, rated = np.divmod(rng.permutation(54)[:40], 9)
    user = np.unique(user, return_inverse=True)[1]
    rating, seen, given_ = rng.uniform(1, 5, 40), rng.permutation(9)[:3], rng.uniform(1, 5, 3)
    known = [mean_of(image, rated[user == one], rating[user == one]) for one in range(user.max() + 1)]
    person = mean_of(image, seen, given_)
    cosines = [sum(a * b for a, b in zip(person, one, strict=True)) / math.dist(person, [0] * 4) / math.dist(one, [0] * 4) for one in known]
    order = sorted(range(len(known)), key=lambda one: -cosines[one])[:most]
    raised = [math.exp(cosines[one] / temperature) for one in order]
    found = nearest(profile(image[seen], given_), profiles(image, user, rated, rating, len(known)), most, temperature)
    assert found.user.tolist() == order
    np.testing.assert_allclose(found.cosine, [cosines[one] for one in order], atol=1e-6)
    np.testing.assert_allclose(found.weight, [one / sum(raised) for one in raised], atol=1e-5)


def mean_of(image: NDArray[np.float32], rows: NDArray[np.intp], rating: Array) -> list[float]:
    return [
        sum(float(image[row, part]) * one for row, one in zip(rows, rating, strict=True)) / sum(rating) for part in range(image.shape[1])
    ]


def test_a_new_persons_embedding_is_interpolated_from_the_table(small: World, trained: PaperPredictor) -> None:
    looks, ratings = small.looks.at(np.arange(15)), np.linspace(1, 5, 15)
    near = trained.neighbours(looks, ratings)
    table = trained.network.state_dict()["table.weight"].numpy()
    by_hand = sum(weight * table[user] for user, weight in zip(near.user, near.weight, strict=True))
    np.testing.assert_allclose(trained.adapt("new", looks, ratings).newcomers["new"].embedding, by_hand, atol=1e-6)
    assert len(near.user) == 5


def test_one_neighbour_lends_their_own_prediction(small: World, trained: PaperPredictor) -> None:
    alone = replace(trained, settings=replace(trained.settings, neighbours=1))
    known = small.judgements["train"]
    rows = known.user == 4
    said = small.people.demographics
    assert said is not None
    adapted = alone.adapt("twin", small.looks.at(known.image[rows]), known.rating[rows], demographics=said[4])
    assert trained.users[int(alone.neighbours(small.looks.at(known.image[rows]), known.rating[rows]).user[0])] == "s004"
    np.testing.assert_allclose(adapted.predict(small.looks, "twin").mean, trained.predict(small.looks, "s004").mean, atol=1e-5)


def test_profiles_forget_the_scale_of_ratings_which_is_why_they_hold_little_taste() -> None:
    rng = np.random.default_rng(0)
    image, rating = rng.standard_normal((30, 5)).astype(np.float32), rng.uniform(1, 5, 30)
    np.testing.assert_allclose(profile(image, rating), profile(image, 3 * rating))


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=8))
def test_softmax_weights_add_up_and_equal_weights_have_the_largest_entropy(values: list[float]) -> None:
    weights = softmax(np.array(values))
    assert weights.sum() == pytest.approx(1)
    assert -1e-12 <= entropy(weights) <= math.log(len(values)) + 1e-9
    assert entropy(softmax(np.zeros(len(values)))) == pytest.approx(math.log(len(values)))


# --- why it fails ---


@pytest.fixture(scope="module")
def diagnosed(small: World) -> Diagnosis:
    rated = small.judgements["test_unseen"]
    shots = draws(rated, np.unique(rated.user).tolist(), longest=15, number=2, seed=1)
    everybody = bayes.fit(small.looks, small.people, small.judgements["train"]).predict(small.looks, None).mean
    return diagnosis(small.looks, small.judgements["train"], rated, shots, everybody, likeness=np.corrcoef(small.truth.taste))


def test_the_papers_profiles_are_all_alike_and_weigh_neighbours_alike(diagnosed: Diagnosis) -> None:
    ours, theirs = diagnosed.centred, diagnosed.paper
    assert min(theirs.between) > 0.9
    assert theirs.entropy > 0.999 * theirs.uniform
    assert max(max(weights) for weights in theirs.weights) < 0.22
    assert np.median(ours.between) < 0.5
    assert ours.entropy < 0.97 * ours.uniform


def test_the_papers_neighbours_saw_the_same_images_and_centred_ones_share_taste(diagnosed: Diagnosis) -> None:
    ours, theirs = diagnosed.centred, diagnosed.paper
    assert theirs.same_groups > 0.8
    assert theirs.same_groups > diagnosed.by_chance + 0.2
    assert ours.kinship is not None
    assert theirs.kinship is not None
    assert ours.kinship > theirs.kinship + 0.1


def test_a_diagnosis_survives_the_disk_and_other_files_are_refused(diagnosed: Diagnosis, tmp_path: Path) -> None:
    path = tmp_path / "diagnosis.json"
    write_diagnosis(path, diagnosed)
    once = path.read_bytes()
    found = read_diagnosis(path)
    write_diagnosis(path, found)
    assert path.read_bytes() == once
    np.testing.assert_allclose(found.paper.between, diagnosed.paper.between, atol=1e-6)
    assert (found.context, found.newcomers, len(found.paper.weights)) == (15, 16, 32)
    path.write_text(json.dumps({"paper": 3}))
    with pytest.raises(ExperimentError, match=r"diagnosis\.json: not a diagnosis of profiles .*; make it again"):
        read_diagnosis(path)
    with pytest.raises(ExperimentError, match=r"other\.json: no such file"):
        read_diagnosis(tmp_path / "other.json")


# --- tables ---


def test_every_row_of_table_3_is_trained_without_its_inputs_and_told_of_the_same_ratings(data: RatedSplits) -> None:
    told = ablate(data, replace(BRIEF, epochs=1), number=2, seed=0, device="cpu")
    check(told)
    assert set(told.model) == set(ABLATIONS)
    assert all(is_ablation(name) for name in ABLATIONS)
    rows = {name: (len(told.of(model=name, split="test_seen")), len(told.of(model=name, split="test_unseen"))) for name in ABLATIONS}
    assert len(set(rows.values())) == 1
    assert len(few_shot(told.of(model="no text", split="test_unseen"), rng=np.random.default_rng(0))) == 1
    assert by_user(told.of(model="no user", split="test_seen")).users
    everyone = told.of(model="full model", split="test_seen").prediction
    for name in ABLATIONS:
        assert (name == "full model") == np.array_equal(told.of(model=name, split="test_seen").prediction, everyone)


def test_an_unknown_row_or_split_is_an_error(data: RatedSplits) -> None:
    with pytest.raises(ExperimentError, match='no ablation "no image"; there are full model, no text, '):
        ablate(data, BRIEF, names=["no image"], seed=0)
    with pytest.raises(ExperimentError, match='the data set has no split "test"; it has train, val_seen'):
        ablate(data, BRIEF, unseen="test", seed=0)


def test_the_grid_tells_the_same_ratings_in_every_cell_and_how_sharply_it_weighs(data: RatedSplits, trained: PaperPredictor) -> None:
    found = grid(data, trained, contexts=(5, 10), neighbours=(1, 5), temperatures=(0.05, 0.2), number=2, seed=0)
    check(found.predictions)
    models = sorted(set(found.predictions.model))
    assert [(one.neighbours, one.temperature) for one in map(cell, models) if one] == [(1, 0.05), (1, 0.2), (5, 0.05), (5, 0.2)]
    for model in models:
        rows = few_shot(found.predictions.of(model=model, split="val_unseen"), rng=np.random.default_rng(0))
        assert [row.context for row in rows] == [5, 10]
    sharpness = {(one.model, one.context): one for one in found.sharpness}
    assert len(sharpness) == 8
    assert sharpness["K = 1, τ = 0.05", 5].entropy == pytest.approx(0, abs=1e-9)
    assert sharpness["K = 5, τ = 0.2", 5].uniform == pytest.approx(math.log(5))
    assert sharpness["K = 5, τ = 0.05", 5].entropy < sharpness["K = 5, τ = 0.2", 5].entropy <= math.log(5)


def test_a_new_person_with_too_few_ratings_for_the_grid_is_an_error(data: RatedSplits, trained: PaperPredictor) -> None:
    rated = data.of("val_unseen")
    few = replace(data, splits={"val_unseen": Judgements(rated.user[:8], rated.image[:8], rated.rating[:8])})
    with pytest.raises(ExperimentError, match='"val_unseen" has 1 people, none with 25 ratings to be shown by and 5 more to tell; name'):
        grid(few, trained, seed=0)
    with pytest.raises(ExperimentError, match='"val_unseen" has no ratings by people of the training; name the split of seen users'):
        told_of_known(data, trained, "full model", "val_unseen")


def test_seen_users_are_told_by_name_and_image(data: RatedSplits, small: World, trained: PaperPredictor) -> None:
    told = told_of_known(data, trained, "full model", "test_seen")
    rated = small.judgements["test_seen"]
    assert len(told) == len(rated)
    row = int(np.flatnonzero((told.user == small.people.users[rated.user[5]]) & (told.image == data.images[rated.image[5]]))[0])
    assert told.rating[row] == rated.rating[5]
    mean = trained.predict(small.looks.at(rated.image[5:6]), small.people.users[rated.user[5]]).mean[0]
    assert told.prediction[row] == pytest.approx(mean, abs=1e-5)
