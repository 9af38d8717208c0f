"""The metrics of predictors equal slow loops and scipy, and refuse what would make them wrong."""

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from analysis.diverging_pairs import Diverging, diverging
from analysis.predictor_metrics import MARGINS, by_image, by_user, coverage, few_shot, paired, pairs_right, pearson, spearman, summary
from stimuli.experiment import ExperimentError
from stimuli.predictions import Predictions, joined, read_predictions, write_predictions

Array = NDArray[np.float64]


def table(rows: list[tuple[str, str, float, float]], *, model: str = "m", context: int = 0, draw: int = 0) -> Predictions:
    """Return predictions of rows (user, image, rating, prediction)."""
    users, images, ratings, told = zip(*rows, strict=True)
    number = len(rows)
    return Predictions(
        model=np.full(number, model, dtype=object),
        split=np.full(number, "test", dtype=object),
        user=np.array(users, dtype=object),
        image=np.array(images, dtype=object),
        rating=np.array(ratings, dtype=float),
        prediction=np.array(told, dtype=float),
        standard_deviation=np.full(number, np.nan),
        context=np.full(number, context),
        draw=np.full(number, draw),
    )


def made(seed: int, *, users: int = 6, images: int = 15, share: float = 0.7, steps: int = 5, blind: bool = False) -> Predictions:
    """Return predictions with ties among ratings and predictions, users with different images."""
    rng = np.random.default_rng(seed)
    common, rows = rng.integers(0, steps, images) / 2, []
    for user in range(users):
        for image in np.flatnonzero(rng.random(images) < share).tolist():
            told = common[image] if blind else rng.integers(0, steps) / 2
            rows.append((f"u{user}", f"i{image}", 1 + rng.integers(0, 9) / 4, told))
    return table(rows)


def rows_of(predictions: Predictions) -> dict[str, dict[str, tuple[float, float]]]:
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for user, image, rating, told in zip(predictions.user, predictions.image, predictions.rating, predictions.prediction, strict=True):
        found.setdefault(user, {})[image] = (rating, told)
    return found


def half_right(rating: float, told: float) -> float:
    """Return how right a prediction of the order is: 1, ½ for equal predictions, 0."""
    return 0.5 if told == 0 else float((rating > 0) == (told > 0))


def slow_diverging(predictions: Predictions, margin: float) -> tuple[int, int, int, float, float]:
    """Return what `diverging` counts by a loop over pairs of users and pairs of images."""
    rows = rows_of(predictions)
    quadruples, correct, joint, pairs, decisions = 0, 0.0, 0.0, set(), set()
    for (x, mine), (y, others) in itertools.combinations(rows.items(), 2):
        for a, b in itertools.combinations(sorted(mine.keys() & others.keys()), 2):
            one, other = mine[a][0] - mine[b][0], others[a][0] - others[b][0]
            if abs(one) > margin and abs(other) > margin and one * other < 0:
                right = half_right(one, mine[a][1] - mine[b][1]), half_right(other, others[a][1] - others[b][1])
                quadruples += 1
                correct += sum(right) / 2
                joint += right[0] * right[1]
                pairs.add((a, b))
                decisions |= {(x, a, b), (y, a, b)}
    return quadruples, len(pairs), len(decisions), correct, joint


# --- one user ---


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=3, max_size=30))
def test_correlations_equal_scipys(pairs: list[tuple[int, int]]) -> None:
    rating, told = np.array(pairs, dtype=float).T
    if np.ptp(rating) == 0 or np.ptp(told) == 0:
        assert spearman(rating, told) == pearson(rating, told) == 0
    else:
        assert spearman(rating, told) == pytest.approx(stats.spearmanr(rating, told).statistic, abs=1e-12)
        assert pearson(rating, told) == pytest.approx(stats.pearsonr(rating, told).statistic, abs=1e-12)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 5)), min_size=2, max_size=25))
def test_pairwise_accuracy_equals_a_loop_over_pairs(rows: list[tuple[int, int]]) -> None:
    rating, told = np.array([one / 10 for one, _ in rows]), np.array([float(other) for _, other in rows])
    right, pairs = pairs_right(rating, told, MARGINS)
    for place, margin in enumerate(MARGINS):
        # Tenths in whole numbers: .1 apart is not more than .1 apart.
        far = [(a, b) for a, b in itertools.combinations(rows, 2) if abs(a[0] - b[0]) > round(margin * 100) / 10]
        assert pairs[place] == len(far)
        assert right[place] == sum(half_right(a[0] - b[0], a[1] - b[1]) for a, b in far)


def test_pairwise_accuracy_of_three_images_by_hand() -> None:
    """Ratings 1, 2, 2.05: pairs 1–2 and 1–2.05 are right and half right, 2–2.05 counts at margin 0 only and is wrong."""
    right, pairs = pairs_right(np.array([1, 2, 2.05]), np.array([0.0, 1.0, 0.0]), (0.0, 0.1, 1.0))
    np.testing.assert_array_equal(pairs, [3, 2, 1])
    np.testing.assert_array_equal(right, [1.5, 1.5, 0.5])


def test_predictions_of_any_size_correlate() -> None:
    rating = np.array([1.0, 2, 3, 5])
    assert pearson(rating, 1e-200 * rating) == pytest.approx(1)
    assert pearson(rating, -1e200 * rating) == pytest.approx(-1)


# --- all users ---


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000))
def test_scores_by_user_equal_those_of_each_user_alone(seed: int) -> None:
    predictions = made(seed)
    scores = by_user(predictions)
    for place, user in enumerate(scores.users):
        mine = predictions.where(predictions.user == user)
        alone = by_user(mine)
        assert scores.srocc[place] == pytest.approx(alone.srocc[0])
        assert scores.plcc[place] == pytest.approx(alone.plcc[0])
        np.testing.assert_array_equal(scores.right[place], alone.right[0])
        assert scores.rows[place] == len(mine)


def test_the_order_of_rows_and_a_growing_function_of_predictions_change_no_rank_metric() -> None:
    predictions = made(1)
    scores = by_user(predictions)
    shuffled = by_user(predictions.where(np.random.default_rng(0).permutation(len(predictions))))
    stretched = by_user(dataclasses.replace(predictions, prediction=np.exp(3 * predictions.prediction)))
    for other in (shuffled, stretched):
        np.testing.assert_allclose(other.srocc, scores.srocc)
        np.testing.assert_array_equal(other.right, scores.right)
    np.testing.assert_allclose(shuffled.plcc, scores.plcc)


def test_users_with_few_or_constant_ratings_are_left_out_and_counted() -> None:
    rows = [("few", f"i{n}", n, n) for n in range(4)]
    rows += [("flat", f"i{n}", 3, n) for n in range(6)]
    rows += [("fine", f"i{n}", n, 2 * n) for n in range(5)]
    scores = by_user(table(rows))
    assert (scores.users, scores.too_few, scores.constant) == (("fine",), ("few",), ("flat",))
    found = summary(scores, rng=np.random.default_rng(0))
    assert (found.users, found.rows, found.too_few, found.constant) == (1, 5, 1, 1)
    assert found.srocc.value == 1
    assert found.macro[-1] is not None
    assert found.macro[-1].value == 1


def test_constant_predictions_score_nothing_and_half() -> None:
    scores = by_user(table([("u", f"i{n}", n, 7) for n in range(5)]))
    assert scores.srocc[0] == scores.plcc[0] == 0
    np.testing.assert_array_equal(scores.accuracy[0], 0.5)


def test_nobody_who_can_be_measured_is_an_error_that_counts() -> None:
    rows = [("few", "i1", 1, 1), *(("flat", f"i{n}", 3, n) for n in range(6))]
    with pytest.raises(ExperimentError, match="1 have fewer than 5 ratings and 1 gave the same rating to all"):
        by_user(table(rows))


def test_users_count_alike_however_much_they_rated_but_pairs_count_alike_in_micro() -> None:
    rows = [("busy", f"i{n}", n, n) for n in range(20)] + [("idle", f"i{n}", n, -n) for n in range(5)]
    found = summary(by_user(table(rows)), rng=np.random.default_rng(0))
    assert found.srocc.value == 0
    assert found.macro[0] is not None
    assert found.micro[0] is not None
    assert found.macro[0].value == 0.5
    assert found.micro[0].value == 190 / 200


def test_rows_are_never_pooled_over_users() -> None:
    """A model that tells only how kind people are is worthless within people, however well pooled rows correlate."""
    rng = np.random.default_rng(0)
    rows = [(f"u{u}", f"i{n}", u + 0.1 * rng.standard_normal(), u + 1e-6 * rng.standard_normal()) for u in range(5) for n in range(40)]
    predictions = table(rows)
    assert stats.spearmanr(predictions.rating, predictions.prediction).statistic > 0.9
    assert abs(by_user(predictions).srocc.mean()) < 0.2


def test_a_margin_that_no_pair_exceeds_has_no_accuracy() -> None:
    scores = by_user(table([("u", f"i{n}", n / 10, n) for n in range(5)]))
    assert np.isnan(scores.accuracy[0, -1])
    found = summary(scores, rng=np.random.default_rng(0))
    assert found.macro[-1] is None
    assert found.micro[-1] is None


def test_intervals_over_users_hold_the_mean_as_often_as_they_say() -> None:
    rng, held = np.random.default_rng(0), []
    for _ in range(150):
        rows = []
        for user in range(25):
            skill = rng.uniform(0, 2)
            rating = rng.standard_normal(12)
            told = skill * rating + rng.standard_normal(12)
            rows += [(f"u{user}", f"i{n}", rating[n], told[n]) for n in range(12)]
        found = summary(by_user(table(rows), margins=(0.0,)), resamples=300, rng=rng).plcc
        held.append((found.low, found.high, found.value))
    low, high, value = np.array(held).T
    truth = value.mean()
    assert 0.87 < np.mean((low < truth) & (truth < high)) < 0.99


def test_a_paired_interval_is_of_differences_and_narrower_than_unpaired_ones() -> None:
    rng = np.random.default_rng(0)
    rows, better = [], []
    for user in range(20):
        noise = rng.uniform(0.2, 3)
        for n in range(20):
            rating = rng.standard_normal()
            error = noise * rng.standard_normal()
            rows.append((f"u{user}", f"i{n}", rating, rating + error))
            better.append((f"u{user}", f"i{n}", rating, rating + 0.8 * error))
    one, other = by_user(table(better)), by_user(table(rows))
    found = paired(one, other, lambda scores: scores.srocc, rng=rng)
    assert found.value == pytest.approx(one.srocc.mean() - other.srocc.mean())
    alone = summary(one, rng=rng).srocc
    assert found.high - found.low < (alone.high - alone.low) / 2
    assert found.low > 0
    same = paired(one, one, lambda scores: scores.accuracy[:, 0], rng=rng)
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_pairing_models_on_different_users_is_an_error_that_names_one() -> None:
    rows = [("u", f"i{n}", n, n) for n in range(5)]
    other = [("v", f"i{n}", n, n) for n in range(5)]
    with pytest.raises(ExperimentError, match='they have 2 and 1 users, 10 and 5 ratings, and "v" is in one only'):
        paired(by_user(table(rows + other)), by_user(table(rows)), lambda scores: scores.srocc, rng=np.random.default_rng(0))


def test_models_are_measured_one_at_a_time_and_ratings_once() -> None:
    rows = [("u", f"i{n}", n, n) for n in range(5)]
    with pytest.raises(ExperimentError, match=r"expected the rows of one model and found 2 \(m, other\); measure each alone"):
        by_user(joined(table(rows), table(rows, model="other")))
    with pytest.raises(ExperimentError, match="5 ratings occur more than once; keep one row for each user and image"):
        by_user(table(rows + rows))


# --- images, new people, intervals ---


def test_image_level_scores_are_about_the_mean_rating_of_the_stated_raters() -> None:
    rows = [("a", f"i{n}", n, n) for n in range(6)] + [("b", f"i{n}", 10 - 3 * n, n) for n in range(6)]
    assert by_image(table(rows), raters={"a"}).srocc == pytest.approx(1)
    both = by_image(table(rows), raters={"a", "b"})
    assert both.srocc == pytest.approx(-1)
    assert (both.images, both.rows, both.raters) == (6, 12, ("a", "b"))
    assert both.accuracy[0] == 0


def test_image_level_scores_equal_means_by_a_loop() -> None:
    predictions = made(3)
    raters = {"u1", "u2", "u4"}
    rows = {user: mine for user, mine in rows_of(predictions).items() if user in raters}
    images = sorted({image for mine in rows.values() for image in mine})
    means = np.array([np.mean([mine[image] for mine in rows.values() if image in mine], axis=0) for image in images])
    found = by_image(predictions, raters=raters)
    assert found.srocc == pytest.approx(stats.spearmanr(*means.T).statistic)
    assert found.plcc == pytest.approx(stats.pearsonr(*means.T).statistic)


def test_a_stated_rater_who_rated_nothing_is_an_error() -> None:
    with pytest.raises(ExperimentError, match='1 of the 2 stated raters rated nothing here, such as "zoe"'):
        by_image(made(0), raters={"u1", "zoe"})


def shots(seed: int, *, contexts: tuple[int, ...] = (5, 15), number: int = 3) -> Predictions:
    """Return predictions that get better with context; each draw evaluates other images."""
    rng, parts = np.random.default_rng(seed), []
    for draw in range(number):
        rating = rng.standard_normal((8, 20))
        for context in contexts:
            told = rating + rng.standard_normal(rating.shape) * 6 / context
            rows = [(f"u{u}", f"i{n + 20 * draw}", rating[u, n], told[u, n]) for u in range(8) for n in range(20)]
            parts.append(table(rows, context=context, draw=draw))
    return joined(*parts)


def test_few_shot_rows_average_draws_within_users_and_tell_how_far_a_draw_moves_the_mean() -> None:
    predictions = shots(0)
    few, many = few_shot(predictions, rng=np.random.default_rng(0))
    assert (few.context, many.context, few.draws) == (5, 15, 3)
    each = [by_user(predictions.where((predictions.context == 5) & (predictions.draw == draw))).srocc for draw in range(3)]
    assert few.srocc.value == pytest.approx(np.mean(each))
    assert few.draw_sd == pytest.approx(np.std([one.mean() for one in each], ddof=1))
    assert few.srocc.users == 8
    assert many.srocc.value > few.srocc.value + 0.1


def test_contexts_evaluated_on_different_ratings_are_an_error() -> None:
    predictions = shots(0)
    fewer = predictions.where(~((predictions.context == 15) & (predictions.draw == 1) & (predictions.image == "i25")))
    with pytest.raises(ExperimentError, match=r"draw 1: contexts were evaluated on different ratings \(\{5: 160, 15: 152\} of them\)"):
        few_shot(fewer, rng=np.random.default_rng(0))


def test_coverage_counts_ratings_inside_normal_intervals() -> None:
    predictions = dataclasses.replace(
        table([("u", f"i{n}", distance, 0) for n, distance in enumerate((0.0, -0.6, 1.0, -1.2, 1.9, 2.1))]), standard_deviation=np.ones(6)
    )
    np.testing.assert_allclose(coverage(predictions), [2 / 6, 4 / 6, 5 / 6])
    with pytest.raises(ExperimentError, match="coverage needs a standard deviation of each prediction, and this model tells none"):
        coverage(made(0))


# --- diverging pairs ---


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.25, 1.0]), st.sampled_from([0.15, 0.6, 1.0]))
def test_diverging_pairs_equal_a_loop_over_users_and_images(seed: int, margin: float, share: float) -> None:
    predictions = made(seed, share=share)
    if not len(predictions):
        return
    found, slow = diverging(predictions, margin=margin), slow_diverging(predictions, margin)
    assert (found.quadruples, found.image_pairs, found.decisions) == slow[:3]
    if slow[0]:
        assert found.decision == pytest.approx(slow[3] / slow[0])
        assert found.joint == pytest.approx(slow[4] / slow[0])
    else:
        assert found.decision is None


def test_a_model_that_is_blind_to_users_tells_half_of_the_decisions() -> None:
    found = diverging(made(5, users=12, blind=True))
    assert found.decision == 0.5
    distinct = dataclasses.replace(made(5, users=12), prediction=np.array([hash_of(image) for image in made(5, users=12).image]))
    assert diverging(distinct).joint == 0


def hash_of(image: str) -> float:
    return float(int(image[1:]) * 7 % 31)


def test_the_truth_tells_all_diverging_pairs() -> None:
    predictions = made(6)
    found = diverging(dataclasses.replace(predictions, prediction=predictions.rating))
    assert (found.decision, found.joint) == (1, 1)
    assert found.decision_interval == (1, 1)


def test_two_people_and_two_images_are_one_quadruple() -> None:
    rows = [("x", "a", 5, 4), ("x", "b", 1, 3), ("y", "a", 2, 3), ("y", "b", 3, 1)]
    assert diverging(table(rows)) == Diverging(1, 1, 2, 2, 0.5, 0.0, None, None)
    assert diverging(table(rows), margin=1).quadruples == 0


def test_the_interval_is_the_jackknife_over_users() -> None:
    predictions = made(8, users=9, images=20)
    found = diverging(predictions)
    without = np.array(
        [diverging(predictions.where(predictions.user != user)).decision for user in sorted(set(predictions.user))], dtype=float
    )
    error = np.sqrt(8 / 9 * ((without - without.mean()) ** 2).sum())
    half = stats.t.ppf(0.975, 8) * error
    assert found.decision is not None
    np.testing.assert_allclose(found.decision_interval, [found.decision - half, found.decision + half])


def test_an_image_rated_twice_by_one_user_is_an_error() -> None:
    with pytest.raises(ExperimentError, match='user "u" rated an image twice here; measure one model'):
        diverging(table([("u", "a", 1, 1), ("u", "a", 2, 1)]))


# --- the file ---


def test_predictions_survive_the_disk_in_one_order(tmp_path: Path) -> None:
    predictions = shots(1)
    write_predictions(tmp_path / "p.parquet", predictions)
    order = np.random.default_rng(0).permutation(len(predictions))
    write_predictions(tmp_path / "q.parquet", predictions.where(order))
    assert (tmp_path / "p.parquet").read_bytes() == (tmp_path / "q.parquet").read_bytes()
    found = read_predictions(tmp_path / "p.parquet")
    np.testing.assert_allclose(
        [row.srocc.value for row in few_shot(found, rng=np.random.default_rng(0))],
        [row.srocc.value for row in few_shot(predictions, rng=np.random.default_rng(0))],
    )
    assert np.isnan(found.standard_deviation).all()
    assert len(found.of(model="m", split="test")) == len(predictions)


def test_wrong_prediction_files_are_errors_that_say_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    with pytest.raises(ExperimentError, match=r"p\.parquet: no such file; `tastebench stimuli predict` makes it"):
        read_predictions(path)
    path.write_bytes(b"nonsense")
    with pytest.raises(ExperimentError, match=r"p\.parquet: not a Parquet file that can be read"):
        read_predictions(path)
    pq.write_table(pa.table({"user": ["a"]}), path)
    with pytest.raises(
        ExperimentError, match="lacks the columns model, split, image, rating, prediction, standard_deviation, context, draw"
    ):
        read_predictions(path)
    columns = {name: column.tolist() for name, column in table([("u", "a", 1, 1)]).columns().items()}
    pq.write_table(pa.table(columns | {"rating": ["much"]}), path)
    with pytest.raises(ExperimentError, match="a column has the wrong type"):
        read_predictions(path)
    pq.write_table(pa.table({name: 2 * column for name, column in columns.items()}), path)
    with pytest.raises(ExperimentError, match=r"p\.parquet: 1 ratings are told more than once by one model, such as .*'user': 'u'"):
        read_predictions(path)


def test_predictions_that_are_no_numbers_are_never_written(tmp_path: Path) -> None:
    rows = [("u", "a", 1.0, 1.0), ("v", "b", 2.0, float("nan"))]
    with pytest.raises(ExperimentError, match='1 values of "prediction" are not finite, the first for user "v" and image "b"'):
        write_predictions(tmp_path / "p.parquet", table(rows))
    assert not (tmp_path / "p.parquet").exists()


def test_a_model_that_is_not_in_the_file_is_an_error_that_names_those_that_are() -> None:
    with pytest.raises(ExperimentError, match='no predictions of "n" in "test"; there are those of m in test'):
        made(0).of(model="n", split="test")
