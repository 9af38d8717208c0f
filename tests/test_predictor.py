"""The predictor: it recovers known tastes, knows what it does not know, and survives the disk."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from stimuli.experiment import ExperimentError
from stimuli.predictor import Predictor, UnknownUserError, fit, load, save

Array = NDArray[np.float64]

USERS = tuple(f"u{number:02d}" for number in range(20))
FEATURES, IMAGES, EACH = 10, 200, 60


@dataclasses.dataclass(frozen=True)
class World:
    """A linear world: `truth` is each user's true rating of each image, (users, images)."""

    features: Array
    truth: Array
    users: list[str]
    images: NDArray[np.intp]
    ratings: Array


def world(seed: int, *, spread: float = 0.6, noise: float = 0.6) -> World:
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((IMAGES, FEATURES)) @ rng.standard_normal((FEATURES, FEATURES)) + 3
    unit = (features - features.mean(axis=0)) / features.std(axis=0)
    shared, personal = rng.standard_normal(FEATURES), rng.standard_normal((len(USERS), FEATURES))
    truth = 3 + 0.4 * rng.standard_normal((len(USERS), 1)) + 0.1 * (unit @ shared) + spread / np.sqrt(FEATURES) * personal @ unit.T
    seen = [rng.choice(IMAGES - 40, EACH, replace=False) for _ in USERS]
    images = np.concatenate(seen)
    owner = np.repeat(np.arange(len(USERS)), EACH)
    ratings = truth[owner, images] + noise * rng.standard_normal(len(owner))
    return World(features, truth, [USERS[user] for user in owner], images, ratings)


def fitted(known: World) -> Predictor:
    return fit(known.users, known.images, known.ratings, known.features, encoder="test")


def correlations(known: World, predictor: Predictor, *, personal: bool) -> float:
    """Return the mean rank correlation with the truth on forty images that nobody rated."""
    new = known.features[-40:]
    found = [
        stats.spearmanr(predictor.predict(new, user if personal else None).mean, known.truth[row, -40:]).statistic
        for row, user in enumerate(USERS)
    ]
    return float(np.mean(found))


@pytest.mark.parametrize("seed", range(3))
def test_personal_predictions_beat_the_population_where_tastes_differ(seed: int) -> None:
    known = world(seed)
    predictor = fitted(known)
    assert correlations(known, predictor, personal=True) > correlations(known, predictor, personal=False) + 0.15


def test_where_everybody_agrees_personal_tastes_shrink_to_nothing() -> None:
    known = world(1, spread=0.0)
    predictor = fitted(known)
    # The first entry is how generous a user is, which does differ.
    assert np.sqrt(np.sum([taste.mean[1:] ** 2 for taste in predictor.tastes], axis=1)).mean() < 0.1
    assert predictor.prior[0] == pytest.approx(0.4**2, rel=0.6)
    assert predictor.noise == pytest.approx(0.6**2, rel=0.15)


@pytest.mark.parametrize("seed", range(3))
def test_intervals_hold_what_they_promise_for_new_ratings(seed: int) -> None:
    known = world(seed)
    predictor = fitted(known)
    rng = np.random.default_rng(seed)
    held = []
    for row, user in enumerate(USERS):
        prediction = predictor.predict(known.features[-40:], user)
        ratings = known.truth[row, -40:] + 0.6 * rng.standard_normal(40)
        held.append(np.abs(ratings - prediction.mean) < 1.2816 * prediction.standard_deviation)
    assert 0.75 < np.mean(held) < 0.86


def test_a_closed_form_taste_equals_generalised_least_squares() -> None:
    """The k x k solve against the n x n one: mean = S Φᵀ (Φ S Φᵀ + s² I)⁻¹ e (matrix inversion lemma)."""
    known = world(2)
    predictor = fitted(known)
    features, ratings = known.features[:12], known.truth[0, :12]
    zero = dataclasses.replace(predictor, prior=np.full_like(predictor.prior, 1e-12)).adapt("nobody", features, ratings)
    base = zero.predict(features, "nobody").mean
    looks = np.column_stack([np.ones(12), (features - predictor.centre) / predictor.scale @ predictor.axes])
    spread = looks * predictor.prior
    expected = spread.T @ np.linalg.solve(spread @ looks.T + predictor.noise * np.eye(12), ratings - base)
    np.testing.assert_allclose(predictor.adapt("new", features, ratings).taste("new").mean, expected, atol=1e-8)


def test_a_new_person_is_learnt_from_a_few_ratings() -> None:
    known = world(3)
    others = np.array([user != USERS[0] for user in known.users])
    predictor = fit(
        [user for user in known.users if user != USERS[0]], known.images[others], known.ratings[others], known.features, encoder="test"
    )
    mine = known.images[~others]
    new = known.features[-40:]
    alone = stats.spearmanr(predictor.predict(new, None).mean, known.truth[0, -40:]).statistic
    adapted = predictor.adapt(USERS[0], known.features[mine], known.ratings[~others])
    assert stats.spearmanr(adapted.predict(new, USERS[0]).mean, known.truth[0, -40:]).statistic > alone + 0.1
    np.testing.assert_array_equal(adapted.predict(new, USERS[1]).mean, predictor.predict(new, USERS[1]).mean)


def test_more_ratings_make_predictions_surer() -> None:
    known = world(4)
    predictor = fitted(known)
    new = known.features[-40:]
    widths = [
        predictor.adapt("new", known.features[:count], known.truth[0, :count]).predict(new, "new").standard_deviation.mean()
        for count in (0, 5, 20, 80)
    ]
    assert (np.diff(widths) < 0).all()
    assert widths[0] == pytest.approx(predictor.predict(new, None).standard_deviation.mean())


def test_the_order_of_ratings_does_not_matter() -> None:
    known = world(5)
    order = np.random.default_rng(1).permutation(len(known.users))
    shuffled = fit([known.users[i] for i in order], known.images[order], known.ratings[order], known.features, encoder="test")
    new = known.features[-40:]
    np.testing.assert_allclose(shuffled.predict(new, "u03").mean, fitted(known).predict(new, "u03").mean, atol=1e-6)


def test_constant_features_and_few_images_do_no_harm() -> None:
    known = world(6)
    flat = np.column_stack([known.features, np.full(IMAGES, 7.0)])
    few = known.images < 6
    users = [user for user, kept in zip(known.users, few, strict=True) if kept]
    predictor = fit(users, known.images[few], known.ratings[few], flat, encoder="test")
    assert np.isfinite(predictor.predict(flat, None).mean).all()


def test_an_unknown_user_is_an_error_that_names_known_ones() -> None:
    predictor = fitted(world(1))
    with pytest.raises(UnknownUserError, match='no user "eve"; it knows 20, such as u00, u01, u02, u03, u04'):
        predictor.predict(np.zeros((1, FEATURES)), "eve")


def test_saving_and_loading_changes_no_bit_and_equal_predictors_give_equal_files(tmp_path: Path) -> None:
    known = world(1)
    save(tmp_path / "one.npz", fitted(known))
    save(tmp_path / "two.npz", load(tmp_path / "one.npz"))
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    reloaded = load(tmp_path / "two.npz").predict(known.features, "u07")
    np.testing.assert_array_equal(reloaded.mean, fitted(known).predict(known.features, "u07").mean)


def test_a_file_that_is_no_predictor_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "predictor.npz"
    path.write_bytes(b"nonsense")
    with pytest.raises(ExperimentError, match=r"predictor.npz: not a predictor of this version .* train it again"):
        load(path)
    np.savez(path, centre=np.zeros(3))
    with pytest.raises(ExperimentError, match="train it again"):
        load(path)
