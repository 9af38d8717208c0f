"""BayesTaste: its closed forms equal brute force, it recovers known tastes, and it knows what it does not know."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from stimuli.experiment import ExperimentError
from stimuli.predictors import files
from stimuli.predictors.base import debiased_means, ridge
from stimuli.predictors.bayes import BayesTaste, Settings, fit, lower_bound
from stimuli.predictors.components import components
from stimuli.predictors.interface import EncoderMismatchError, Judgements, Looks, People, UnknownUserError
from stimuli.predictors.tastes import Prior, Taste, expected, learn, log_likelihood, moments, posterior, rated_one
from stimuli.simulation import synthetic
from stimuli.simulation.synthetic import Levels, World

Array = NDArray[np.float64]


def world(seed: int, *, taste: float = 0.5, kind: synthetic.Kind = "linear") -> World:
    return synthetic.make(kind, seed=seed, size="small", levels=Levels(taste=taste))


def fitted(known: World) -> BayesTaste:
    return fit(known.looks, known.people, known.judgements["train"])


@pytest.fixture(scope="module")
def small() -> World:
    return world(0)


@pytest.fixture(scope="module")
def predictor(small: World) -> BayesTaste:
    return fitted(small)


def context_of(known: World, user: int, k: int) -> tuple[Looks, Array]:
    rows = np.flatnonzero(known.judgements["test_unseen"].user == user)[:k]
    test = known.judgements["test_unseen"]
    return known.looks.at(test.image[rows]), test.rating[rows]


def newcomers(known: World) -> list[int]:
    return np.unique(known.judgements["test_unseen"].user).tolist()


def unseen(known: World, predictor: BayesTaste, *, k: int = 15) -> tuple[float, float, float, float]:
    """Return mean SROCC of the population, of the personal prediction and of the oracle, and how often 80 % intervals hold."""
    test, found = known.judgements["test_unseen"], []
    for user in newcomers(known):
        for draw in range(3):
            rows = np.random.default_rng([user, draw]).permutation(np.flatnonzero(test.user == user))
            seen, told = rows[:k], rows[k:]
            looks, ratings = known.looks.at(test.image[told]), test.rating[told]
            assert known.people.demographics is not None
            adapted = predictor.adapt(
                "new", known.looks.at(test.image[seen]), test.rating[seen], demographics=known.people.demographics[user]
            )
            personal = adapted.predict(looks, "new")
            best = (
                synthetic.oracle(known, user, test.image[seen], test.rating[seen], test.image[told])
                if known.kind == "linear"
                else personal.mean
            )
            means = (predictor.predict(looks, None).mean, personal.mean, best)
            held = np.mean(np.abs(personal.mean - ratings) < 1.2816 * personal.standard_deviation)
            found.append([*(stats.spearmanr(mean, ratings).statistic for mean in means), held])
    population, personally, oracle, coverage = np.mean(found, axis=0).tolist()
    return population, personally, oracle, coverage


def test_it_closes_most_of_the_way_from_everybody_to_the_oracle() -> None:
    """Measured over seeds 0 to 5: population .438, personal .549, oracle .595, 71 % of the way (it has few ratings)."""
    population, personally, oracle, held = np.mean([unseen(known, fitted(known)) for known in map(world, range(3))], axis=0)
    assert personally > population + 0.07
    assert (personally - population) / (oracle - population) > 0.55
    assert 0.74 < held < 0.86


def test_it_helps_where_tastes_are_ideal_points() -> None:
    known = [world(seed, kind="ideal point") for seed in range(2)]
    population, personally, _, held = np.mean([unseen(one, fitted(one)) for one in known], axis=0)
    assert personally > population + 0.04
    assert 0.74 < held < 0.86


def test_where_everybody_agrees_it_does_no_harm() -> None:
    for taste in (0.0, 0.25):
        population, personally, _, _ = np.mean(
            [unseen(known, fitted(known)) for known in (world(s, taste=taste) for s in range(2))], axis=0
        )
        assert personally > population - 0.005


def test_seen_users_are_told_better_than_new_ones_and_new_ones_better_than_nobody(small: World, predictor: BayesTaste) -> None:
    test = small.judgements["test_seen"]
    told = [
        (
            stats.spearmanr(
                predictor.predict(small.looks.at(test.image[rows]), small.people.users[user]).mean, test.rating[rows]
            ).statistic,
            stats.spearmanr(predictor.predict(small.looks.at(test.image[rows]), None).mean, test.rating[rows]).statistic,
        )
        for user in np.unique(test.user).tolist()
        for rows in [test.user == user]
    ]
    personal, everybody = np.mean(told, axis=0)
    assert personal > everybody + 0.1


# --- closed forms against brute force ---


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 12), st.integers(1, 6))
def test_a_taste_equals_conditioning_the_joint_normal(seed: int, ratings: int, size: int) -> None:
    """E[w | e] = m + SΦᵀ(ΦSΦᵀ + s²I)⁻¹(e - Φm), computed from the joint covariance, for fewer and for more ratings than weights."""
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((size, size + 1))
    prior, noise = Taste(rng.standard_normal(size), root @ root.T + 0.1 * np.eye(size)), rng.uniform(0.1, 2)
    rows, left = rng.standard_normal((ratings, size)), rng.standard_normal(ratings)
    joint = np.block([[prior.covariance, prior.covariance @ rows.T], [rows @ prior.covariance, rows @ prior.covariance @ rows.T]])
    joint[size:, size:] += noise * np.eye(ratings)
    gain = joint[:size, size:] @ np.linalg.inv(joint[size:, size:])
    found = posterior(prior, rows, left, noise)
    np.testing.assert_allclose(found.mean, prior.mean + gain @ (left - rows @ prior.mean), atol=1e-7)
    np.testing.assert_allclose(found.covariance, joint[:size, :size] - gain @ joint[size:, :size], atol=1e-7)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 10), st.integers(1, 5))
def test_one_rating_after_the_other_equals_all_at_once_in_any_order(seed: int, ratings: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((size, size + 1))
    prior, noise = Taste(rng.standard_normal(size), root @ root.T + 0.1 * np.eye(size)), 0.5
    rows, left = rng.standard_normal((ratings, size)), rng.standard_normal(ratings)
    taste = prior
    for place in rng.permutation(ratings):
        taste = rated_one(taste, rows[place], float(left[place]), noise)
    batch = posterior(prior, rows, left, noise)
    np.testing.assert_allclose(taste.mean, batch.mean, atol=1e-7)
    np.testing.assert_allclose(taste.covariance, batch.covariance, atol=1e-7)


def test_further_ratings_equal_adapting_to_all_of_them(small: World, predictor: BayesTaste) -> None:
    looks, ratings = context_of(small, newcomers(small)[0], 12)
    grown = predictor.adapt("new", looks.at(np.arange(5)), ratings[:5])
    for place in range(5, 12):
        grown = grown.rated("new", looks.at(np.array([place])), float(ratings[place]))
    at_once = predictor.adapt("new", looks, ratings)
    np.testing.assert_allclose(grown.taste("new").mean, at_once.taste("new").mean, atol=1e-6)
    np.testing.assert_allclose(grown.taste("new").covariance, at_once.taste("new").covariance, atol=1e-6)


def test_the_order_of_a_persons_ratings_does_not_matter(small: World, predictor: BayesTaste) -> None:
    looks, ratings = context_of(small, newcomers(small)[1], 15)
    order = np.random.default_rng(0).permutation(15)
    one, other = predictor.adapt("new", looks, ratings), predictor.adapt("new", looks.at(order), ratings[order])
    np.testing.assert_allclose(one.predict(small.looks, "new").mean, other.predict(small.looks, "new").mean, atol=1e-6)


def test_predictions_of_all_people_equal_those_of_each(small: World, predictor: BayesTaste) -> None:
    everybody = predictor.predict_all(small.looks)
    base, rows = predictor.features(small.looks)
    for place, user in enumerate(predictor.users[:5]):
        one, taste = predictor.predict(small.looks, user), predictor.taste(user)
        np.testing.assert_allclose(everybody.mean[place], one.mean, atol=1e-9)
        np.testing.assert_allclose(one.mean, base + rows @ taste.mean, atol=1e-9)
        variance = np.array([row @ taste.covariance @ row for row in rows]) + predictor.prior.noise
        np.testing.assert_allclose(everybody.standard_deviation[place] ** 2, variance, rtol=1e-4)
    assert predictor.predict_all(small.looks, ["s001", "s000"]).mean.shape == (2, len(small.looks))


def test_the_base_equals_the_product_of_its_features_and_coefficients(small: World, predictor: BayesTaste) -> None:
    base = predictor.base
    seen = base.image.of(small.looks.image).astype(float)
    one, other = np.triu_indices(base.curved)
    groups = np.array([[group == name for name in base.groups] for group in small.looks.group])
    texts = np.hstack([small.looks.prompt, small.looks.metadata])
    assert base.text is not None
    rows = np.hstack([np.ones((len(seen), 1)), seen, (seen[:, one] * seen[:, other] - (one == other)) / 2, groups, base.text.of(texts)])
    np.testing.assert_allclose(predictor.features(small.looks)[0], rows @ base.coefficients, atol=1e-4)


def test_rows_left_out_of_the_ridge_are_told_as_by_a_fit_without_them() -> None:
    rng = np.random.default_rng(0)
    rows, weights = rng.standard_normal((30, 4)), rng.uniform(0.5, 2, 30)
    target = rows @ rng.standard_normal(4) + 2 + rng.standard_normal(30)
    coefficients, left_out = ridge(rows, target, weights)
    design = np.column_stack([np.ones(30), rows])
    # The strength that was chosen, from the normal equations of the whole fit.
    gradient = design.T @ (weights * (target - design @ coefficients))
    strength = float(np.median(gradient[1:] / coefficients[1:]))
    for place in range(30):
        kept = np.arange(30) != place
        solved = np.linalg.solve(
            design[kept].T @ (weights[kept, None] * design[kept]) + strength * np.diag([0, 1, 1, 1, 1]),
            design[kept].T @ (weights[kept] * target[kept]),
        )
        assert left_out[place] == pytest.approx(float(design[place] @ solved), abs=1e-6)


def test_image_means_are_freed_of_who_rated_them() -> None:
    """Two harsh people rate some images and two kind ones others, with a few in common: the images are equal."""
    harsh = Judgements(np.repeat([0, 1, 2, 3], 6), np.r_[0:6, 0:6, 4:10, 4:10].astype(np.intp), np.repeat([2.0, 2.0, 4.0, 4.0], 6))
    means, counts = debiased_means(harsh, 4, 10)
    assert np.ptp(means) < 0.05
    np.testing.assert_array_equal(counts, [2, 2, 2, 2, 4, 4, 2, 2, 2, 2])


def test_components_of_wide_features_equal_those_of_a_full_decomposition() -> None:
    rng = np.random.default_rng(0)
    features = (rng.standard_normal((400, 20)) * np.arange(20, 0, -1)) @ rng.standard_normal((20, 300)) + rng.standard_normal(
        (400, 300)
    ) / 9
    found = components(features.astype(np.float32), 8)
    unit = (features - features.mean(axis=0)) / features.std(axis=0)
    left, singular, _ = np.linalg.svd(unit, full_matrices=False)
    np.testing.assert_allclose(found.deviation, singular[:8] / 20, rtol=1e-3)
    overlap = np.abs(np.corrcoef(found.of(features.astype(np.float32)).T, left[:, :8].T)[:8, 8:])
    np.testing.assert_allclose(np.diag(overlap), 1, atol=1e-3)


def test_components_of_constant_and_repeated_features_are_few_and_finite() -> None:
    column = np.random.default_rng(0).standard_normal((50, 1))
    found = components(np.hstack([column, 2 * column, np.full((50, 1), 1e6)]).astype(np.float32), 5)
    assert found.axes.shape == (3, 1)
    assert np.isfinite(found.axes).all()


# --- learning the prior ---


def simulated(seed: int, people: int = 40, each: int = 30, size: int = 4) -> tuple[Array, Array, NDArray[np.intp], Array]:
    rng = np.random.default_rng(seed)
    spread = np.diag([0.5, 0.3, 0.05, 0.0])
    tastes = rng.standard_normal((people, size)) @ np.sqrt(spread) + [0.1, 0, 0, 0]
    rows, user = rng.standard_normal((people * each, size)), np.repeat(np.arange(people), each)
    return rows, (rows * tastes[user]).sum(axis=1) + 0.6 * rng.standard_normal(len(user)), user, tastes


def test_each_round_makes_the_residuals_more_likely() -> None:
    rows, left, user, _ = simulated(0)
    found = learn(moments(rows, left, user, 40), np.arange(4), None, rounds=40).log_likelihood
    assert (np.diff(found) > -1e-8).all()
    assert found[-1] > found[0] + 1


def test_the_likelihood_is_that_of_a_normal_with_tastes_integrated_out() -> None:
    rows, left, user, _ = simulated(1, people=3, each=5)
    spread, offsets = np.diag([0.5, 0.4, 0.3, 0.2]) + 0.05, np.random.default_rng(0).standard_normal((3, 4))
    by_hand = sum(
        stats.multivariate_normal.logpdf(left[mine], rows[mine] @ offsets[one], rows[mine] @ spread @ rows[mine].T + 0.36 * np.eye(5))
        for one in range(3)
        for mine in [user == one]
    )
    assert log_likelihood(moments(rows, left, user, 3), offsets, spread, 0.36) == pytest.approx(by_hand)


def test_everybodys_taste_equals_the_posterior_of_their_own_ratings() -> None:
    rows, left, user, _ = simulated(2)
    found = learn(moments(rows, left, user, 40), np.arange(4), None, rounds=20)
    for one in (0, 7, 39):
        alone = posterior(found.prior.of(None), rows[user == one], left[user == one], found.prior.noise)
        np.testing.assert_allclose(found.tastes[one].mean, alone.mean, atol=1e-8)
    means, _ = expected(moments(rows, left, user, 40), np.zeros((40, 4)), found.prior.spread, found.prior.noise)
    assert means.shape == (40, 4)


def test_the_prior_is_recovered() -> None:
    rows, left, user, tastes = simulated(3, people=300)
    found = learn(moments(rows, left, user, 300), np.arange(4), None, rounds=60)
    np.testing.assert_allclose(np.diag(found.prior.spread), [0.5, 0.3, 0.05, 0.0], atol=0.08)
    assert found.prior.noise == pytest.approx(0.36, rel=0.06)
    assert np.corrcoef([taste.mean[0] for taste in found.tastes], tastes[:, 0])[0, 1] > 0.95


def test_demographics_that_tell_tastes_are_used_and_those_that_do_not_are_not() -> None:
    rng = np.random.default_rng(0)
    said = rng.standard_normal((120, 3))
    rows, user = rng.standard_normal((120 * 20, 4)), np.repeat(np.arange(120), 20)
    tastes = np.column_stack([said[:, 0], 0.3 * rng.standard_normal((120, 3))])
    left = (rows * tastes[user]).sum(axis=1) + 0.6 * rng.standard_normal(len(user))
    known = moments(rows, left, user, 120)
    told, untold = (learn(known, np.arange(4), given, rounds=30).prior for given in (said, rng.standard_normal((120, 3))))
    np.testing.assert_allclose(told.effect[0], [1, 0, 0], atol=0.15)
    assert told.of(np.array([2.0, 0, 0])).mean[0] == pytest.approx(2, abs=0.3)
    assert np.abs(untold.effect).max() < 0.2
    assert told.of(None).covariance[0, 0] > 5 * told.spread[0, 0]


# --- one object for everybody ---


def test_relabelling_people_and_images_changes_no_prediction(small: World, predictor: BayesTaste) -> None:
    rng = np.random.default_rng(1)
    known, images, users = small.judgements["train"], rng.permutation(len(small.looks)), rng.permutation(len(small.people.users))
    rows = rng.permutation(len(known))
    assert small.people.demographics is not None
    people = People(tuple(small.people.users[user] for user in users), small.people.demographics[users])
    shuffled = Judgements(np.argsort(users)[known.user[rows]], np.argsort(images)[known.image[rows]], known.rating[rows])
    again = fit(small.looks.at(images), people, shuffled)
    for user in (None, "s003"):
        np.testing.assert_allclose(again.predict(small.looks, user).mean, predictor.predict(small.looks, user).mean, atol=2e-3)


def test_before_any_rating_a_person_is_what_demographics_suggest(small: World, predictor: BayesTaste) -> None:
    assert small.people.demographics is not None
    said = small.people.demographics[newcomers(small)[0]]
    nothing = small.looks.at(np.zeros(0, dtype=np.intp))
    met = predictor.meet("new", demographics=said)
    np.testing.assert_array_equal(predictor.adapt("new", nothing, np.zeros(0), demographics=said).taste("new").mean, met.taste("new").mean)
    silent, nobody = predictor.meet("new").predict(small.looks, "new"), predictor.predict(small.looks, None)
    np.testing.assert_array_equal(silent.mean, nobody.mean)


def test_more_ratings_make_predictions_surer(small: World, predictor: BayesTaste) -> None:
    looks, ratings = context_of(small, newcomers(small)[0], 20)
    widths = [
        predictor.adapt("new", looks.at(np.arange(k)), ratings[:k]).predict(small.looks, "new").standard_deviation.mean()
        for k in (0, 5, 10, 20)
    ]
    assert (np.diff(widths) < 0).all()
    assert widths[0] == pytest.approx(predictor.predict(small.looks, None).standard_deviation.mean())


def test_adapting_leaves_others_and_the_predictor_itself_as_they_were(small: World, predictor: BayesTaste) -> None:
    looks, ratings = context_of(small, newcomers(small)[0], 10)
    adapted = predictor.adapt("new", looks, ratings)
    assert "new" not in predictor.users
    np.testing.assert_array_equal(adapted.predict(looks, "s001").mean, predictor.predict(looks, "s001").mean)
    np.testing.assert_array_equal(
        adapted.adapt("new", looks.at(np.arange(3)), ratings[:3]).taste("new").mean,
        predictor.adapt("new", looks.at(np.arange(3)), ratings[:3]).taste("new").mean,
    )


def test_a_group_is_told_by_the_mean_of_its_members_and_less_surely_than_one_of_them(small: World, predictor: BayesTaste) -> None:
    group = predictor.average("both", ["s001", "s002"])
    one, other, both = (group.predict(small.looks, user) for user in ("s001", "s002", "both"))
    np.testing.assert_allclose(both.mean, (one.mean + other.mean) / 2, atol=1e-9)
    mixed = (one.standard_deviation**2 + other.standard_deviation**2) / 2 + ((one.mean - other.mean) / 2) ** 2
    np.testing.assert_allclose(both.standard_deviation**2, mixed, rtol=1e-3)
    np.testing.assert_allclose(predictor.average("alone", ["s001"]).taste("alone").covariance, predictor.taste("s001").covariance)


def test_a_lower_bound_prefers_the_surer_of_two_equal_images(small: World, predictor: BayesTaste) -> None:
    told = predictor.predict(small.looks, "s001")
    np.testing.assert_allclose(lower_bound(told, sd=2), told.mean - 2 * told.standard_deviation)
    np.testing.assert_array_equal(lower_bound(told, sd=0), told.mean)
    of_taste = np.sqrt(told.standard_deviation**2 - predictor.prior.noise)
    np.testing.assert_allclose(lower_bound(told, sd=1, noise=predictor.prior.noise), told.mean - of_taste, atol=1e-6)


def test_few_raters_few_images_no_texts_and_no_demographics_are_enough() -> None:
    """The offline demo: 24 raters, 160 images, 59 features of different units."""
    rng = np.random.default_rng(0)
    factors = rng.standard_normal((160, 5))
    features = factors @ rng.standard_normal((5, 59)) * rng.uniform(0.01, 30, 59) + rng.standard_normal((160, 59)) * 0.01
    truth = 3 + 0.3 * factors[:, 0] + 0.4 * rng.standard_normal((24, 5)) @ factors.T
    user = np.repeat(np.arange(24), 60)
    image = np.concatenate([rng.choice(120, 60, replace=False) for _ in range(24)])
    looks = Looks("image-statistics", features.astype(np.float32), ("",) * 160)
    known = Judgements(user, image, truth[user, image] + 0.5 * rng.standard_normal(len(user)))
    predictor = fit(looks, People(tuple(f"u{one}" for one in range(24))), known)
    new = looks.at(np.arange(120, 160))
    told = predictor.predict_all(new).mean
    assert np.mean([stats.spearmanr(told[one], truth[one, 120:]).statistic for one in range(24)]) > 0.9
    assert predictor.components <= 12


def test_a_group_of_images_that_nobody_rated_is_told_by_its_looks(small: World, predictor: BayesTaste) -> None:
    strange = dataclasses.replace(small.looks, group=("sculpture",) * len(small.looks))
    assert np.isfinite(predictor.predict(strange, "s001").mean).all()


def test_constant_ratings_give_constant_predictions() -> None:
    looks = Looks("test", np.random.default_rng(0).standard_normal((20, 6)).astype(np.float32), ("",) * 20)
    user, image = np.divmod(np.arange(60), 20)
    predictor = fit(looks, People(("a", "b", "c")), Judgements(user, image, np.full(60, 3.0)))
    np.testing.assert_allclose(predictor.predict_all(looks).mean, 3, atol=1e-6)


# --- errors in words ---


def test_an_unknown_user_is_an_error_that_names_known_ones(small: World, predictor: BayesTaste) -> None:
    with pytest.raises(UnknownUserError, match=r'no user "eve"; it knows 60, such as s000, s001, .* Give ratings of theirs first'):
        predictor.predict(small.looks, "eve")


def test_images_of_another_encoder_are_an_error_that_names_both(small: World, predictor: BayesTaste) -> None:
    other = dataclasses.replace(small.looks, encoder="siglip2-base")
    with pytest.raises(EncoderMismatchError, match=r'trained on "synthetic" with 128 features .* by "siglip2-base" with 128; encode them'):
        predictor.predict(other, None)
    with pytest.raises(EncoderMismatchError, match=r"with 128 features an image, and these images were .* with 127"):
        predictor.predict(dataclasses.replace(small.looks, image=small.looks.image[:, 1:]), None)
    with pytest.raises(EncoderMismatchError, match="trained with 160 features of texts an image, and these images come with 32"):
        predictor.predict(dataclasses.replace(small.looks, prompt=None), None)


@pytest.mark.parametrize(
    ("ratings", "said"),
    [
        (np.ones(3), r"expected 4 finite numbers, one an image, and found shape \(3,\)"),
        (np.array([1, 2, np.nan, 4]), "with 1 that are not finite"),
    ],
)
def test_wrong_ratings_are_an_error(small: World, predictor: BayesTaste, ratings: Array, said: str) -> None:
    with pytest.raises(ExperimentError, match=said):
        predictor.adapt("new", small.looks.at(np.arange(4)), ratings)


def test_other_wrong_input_is_an_error_in_words(small: World, predictor: BayesTaste) -> None:
    looks = small.looks.at(np.arange(2))
    with pytest.raises(ExperimentError, match=r'demographics of "new": expected 9 finite numbers, as in training, found shape \(2,\)'):
        predictor.adapt("new", looks, np.ones(2), demographics=np.ones(2, dtype=np.float32))
    with pytest.raises(ExperimentError, match=r'a rating of "s001": expected one image and a finite rating, found 2 images and 3.0'):
        predictor.rated("s001", looks, 3.0)
    with pytest.raises(ExperimentError, match='the group "nobody" has no users; name at least one'):
        predictor.average("nobody", [])


def test_too_little_to_learn_from_is_an_error_that_says_how_much_is_enough(small: World) -> None:
    one = Judgements(np.zeros(5, dtype=np.intp), np.arange(5), np.ones(5))
    with pytest.raises(
        ExperimentError, match="ratings by 1 people of 5 images; a predictor needs at least two of each, and does well from"
    ):
        fit(small.looks, small.people, one)


def test_numbers_that_are_not_finite_are_an_error_that_names_them(small: World) -> None:
    known = small.judgements["train"]
    image = small.looks.image.copy()
    image[known.image[0], 3] = np.nan
    with pytest.raises(ExperimentError, match="image features: 1 numbers are not finite; leave those rows out, or encode again"):
        fit(dataclasses.replace(small.looks, image=image), small.people, known)


# --- files ---


def test_saving_and_loading_changes_no_bit_and_equal_predictors_give_equal_files(
    small: World, predictor: BayesTaste, tmp_path: Path
) -> None:
    files.save(tmp_path / "one.npz", predictor)
    files.save(tmp_path / "two.npz", files.load(tmp_path / "one.npz"))
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    files.save(tmp_path / "again.npz", fitted(small))
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "again.npz").read_bytes()
    loaded = files.load(tmp_path / "two.npz")
    assert loaded.encoder == "synthetic"
    np.testing.assert_array_equal(loaded.predict(small.looks, "s007").mean, predictor.predict(small.looks, "s007").mean)


def test_a_predictor_without_texts_and_demographics_survives_the_disk(tmp_path: Path) -> None:
    looks = Looks("test", np.random.default_rng(0).standard_normal((20, 6)).astype(np.float32), ("",) * 20)
    user, image = np.divmod(np.arange(60), 20)
    predictor = fit(looks, People(("a", "b", "c")), Judgements(user, image, image % 5 + 1.0), Settings(taste_components=2))
    files.save(tmp_path / "p.npz", predictor)
    loaded = files.load(tmp_path / "p.npz")
    np.testing.assert_array_equal(loaded.predict(looks, "b").mean, predictor.predict(looks, "b").mean)
    assert loaded.base.text is None


def test_a_file_that_is_no_predictor_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "predictor.npz"
    with pytest.raises(ExperimentError, match=r"predictor\.npz: no such file; train a predictor first"):
        files.load(path)
    path.write_bytes(b"nonsense")
    with pytest.raises(ExperimentError, match=r"predictor\.npz: not a predictor of this version .* train it again"):
        files.load(path)
    np.savez(path, version=np.array("bayes-taste 0"))
    with pytest.raises(ExperimentError, match='found "bayes-taste 0", expected "bayes-taste 2"'):
        files.load(path)
    np.savez(path, version=np.array(files.VERSION))
    with pytest.raises(ExperimentError, match="train it again"):
        files.load(path)


def test_half_a_file_is_an_error(predictor: BayesTaste, tmp_path: Path) -> None:
    files.save(tmp_path / "p.npz", predictor)
    whole = (tmp_path / "p.npz").read_bytes()
    (tmp_path / "p.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ExperimentError, match="train it again"):
        files.load(tmp_path / "p.npz")


def test_a_prior_of_somebody_unknown_is_as_wide_as_all_there_is() -> None:
    prior = Prior(np.zeros(2), np.eye(2), np.zeros(2), 0.1 * np.eye(2), np.eye(2), 0.36)
    np.testing.assert_allclose(prior.of(None).covariance, 1.1 * np.eye(2))
    np.testing.assert_allclose(prior.of(np.array([1.0, -1.0])).mean, [1, -1])
