"""The synthetic benchmark has the published sizes, the promised difficulty, and a ceiling that is exact."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

from stimuli.experiment import ExperimentError
from stimuli.simulation import synthetic
from stimuli.simulation.synthetic import Levels, World


@pytest.fixture(scope="module", params=synthetic.KINDS)
def full(request: pytest.FixtureRequest) -> World:
    return synthetic.make(request.param, seed=0)


@pytest.fixture(scope="module")
def small() -> World:
    return synthetic.make("linear", seed=1, size="small")


def test_splits_have_the_published_sizes(full: World) -> None:
    found = {split: (len(part), len(set(part.user)), len(set(part.image))) for split, part in full.judgements.items()}
    assert found == {
        "train": (50_222, 156, 3554),
        "val_seen": (6_551, 82, 609),
        "val_unseen": (926, 16, 513),
        "test_seen": (9_735, 82, 914),
        "test_unseen": (2_470, 27, 914),
    }
    assert len(full.looks) == 5077
    assert full.looks.group.count("art") == 1977


def test_seen_users_were_trained_on_unseen_users_and_tested_images_were_not(full: World) -> None:
    users = {split: set(part.user.tolist()) for split, part in full.judgements.items()}
    images = {split: set(part.image.tolist()) for split, part in full.judgements.items()}
    assert users["val_seen"] == users["test_seen"] < users["train"]
    assert not users["val_unseen"] & (users["train"] | users["test_unseen"])
    assert not users["test_unseen"] & users["train"]
    assert not images["train"] & (images["val_seen"] | images["test_seen"])
    assert not images["val_seen"] & images["test_seen"]
    assert images["val_unseen"] < images["val_seen"]


def test_nobody_rates_an_image_twice_or_of_a_group_not_shown_to_them(full: World) -> None:
    for part in full.judgements.values():
        assert len(set(zip(part.user.tolist(), part.image.tolist(), strict=True))) == len(part)
        groups = {user: full.persons[user].groups for user in set(part.user.tolist())}
        assert all(full.looks.group[image] in groups[user] for user, image in zip(part.user.tolist(), part.image.tolist(), strict=True))
    assert np.mean([len(person.groups) == 1 for person in full.persons]) > 0.8


def test_every_unseen_user_has_enough_ratings_for_a_long_context(full: World) -> None:
    for split in ("val_unseen", "test_unseen"):
        assert np.unique(full.judgements[split].user, return_counts=True)[1].min() >= 30


def test_ratings_stay_on_the_scale_and_images_explain_a_fifth_of_them(full: World) -> None:
    known = full.judgements["train"]
    assert known.rating.min() >= 1
    assert known.rating.max() <= 5
    assert 0.15 < synthetic.icc1(known.image, known.rating) < 0.26


def test_raw_profiles_of_raters_all_look_alike(full: World) -> None:
    known = full.judgements["train"]
    profiles = np.array([known.rating[known.user == user] @ full.looks.image[known.image[known.user == user]] for user in range(156)])
    profiles /= np.linalg.norm(profiles, axis=1, keepdims=True)
    cosines = (profiles @ profiles.T)[np.triu_indices(156, 1)]
    assert cosines.mean() > 0.965
    np.testing.assert_allclose(np.linalg.norm(full.looks.image, axis=1), 1, atol=1e-5)


def test_tastes_are_as_strong_as_asked_among_images_of_one_group() -> None:
    for kind in synthetic.KINDS:
        for sd in (0.25, 0.5):
            spread = []
            for seed in range(3):
                world = synthetic.make(kind, seed=seed, size="small", levels=Levels(taste=sd))
                photo = np.array(world.looks.group) == "photo"
                spread.append(np.sqrt(world.truth.taste[:, photo].var(axis=1).mean()))
            assert np.mean(spread) == pytest.approx(sd, rel=0.15)


def test_the_same_seed_makes_the_same_world_and_another_seed_another() -> None:
    one, same, other = (synthetic.make("ideal point", seed=seed, size="small") for seed in (3, 3, 4))
    for split in synthetic.SPLITS:
        np.testing.assert_array_equal(one.judgements[split].rating, same.judgements[split].rating)
    np.testing.assert_array_equal(one.looks.image, same.looks.image)
    assert not np.array_equal(one.judgements["train"].rating, other.judgements["train"].rating)


def test_the_oracle_equals_conditioning_the_joint_normal_of_all_ratings(small: World) -> None:
    """The k x k posterior of weights against the covariance of ratings among themselves."""
    truth, user = small.truth, 5
    assert truth.expected is not None
    assert truth.spread is not None
    context, images = np.arange(12), np.arange(12, 40)
    ratings = small.rate(user, context, np.random.default_rng(0))
    both = np.concatenate([context, images])
    mean = truth.consensus[both] + truth.factors[both] @ truth.expected[user]
    covariance = truth.factors[both] @ truth.spread @ truth.factors[both].T + truth.harshness_sd**2
    among = covariance[:12, :12] + truth.noise**2 * np.eye(12)
    expected = mean[12:] + covariance[12:, :12] @ np.linalg.solve(among, ratings - mean[:12])
    np.testing.assert_allclose(synthetic.oracle(small, user, context, ratings, images), expected, atol=1e-10)


def test_the_oracle_learns_from_ratings_and_stays_below_the_noise_ceiling(small: World) -> None:
    test = small.judgements["test_unseen"]
    found = []
    for user in np.unique(test.user).tolist():
        rows = np.flatnonzero(test.user == user)
        told = rows[20:]
        for k in (0, 5, 20):
            expected = synthetic.oracle(small, user, test.image[rows[:k]], test.rating[rows[:k]], test.image[told])
            found.append(stats.spearmanr(expected, test.rating[told]).statistic)
        found.append(stats.spearmanr(small.truth.liking[user, test.image[told]], test.rating[told]).statistic)
    nothing, few, many, ceiling = np.reshape(found, (-1, 4)).mean(axis=0)
    assert nothing < few < many < ceiling


def test_there_is_no_exact_oracle_of_ideal_points() -> None:
    world = synthetic.make("ideal point", seed=0, size="small")
    with pytest.raises(ExperimentError, match='knows the linear world only, and this one is "ideal point"; make a "linear" one'):
        synthetic.oracle(world, 0, np.arange(2), np.ones(2), np.arange(3))


def test_an_unknown_world_is_an_error_that_names_those_there_are() -> None:
    with pytest.raises(
        ExperimentError, match='no synthetic world "round" of size "small"; there are "linear", "ideal point", and the sizes'
    ):
        synthetic.make("round", seed=0, size="small")  # type: ignore[arg-type]


def test_without_clusters_demographics_tell_nothing_of_tastes() -> None:
    world = synthetic.make("linear", seed=0, size="small", levels=dataclasses.replace(Levels(), clustered=0.0))
    assert world.truth.expected is not None
    assert not world.truth.expected.any()


def test_icc1_equals_the_textbook() -> None:
    """Shrout & Fleiss (1979), table 2: six targets, four judges, ICC(1,1) = .17."""
    table = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], dtype=float)
    assert synthetic.icc1(np.repeat(np.arange(6), 4), table.ravel()) == pytest.approx(0.1657, abs=5e-5)
