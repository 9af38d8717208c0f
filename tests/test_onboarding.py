"""Active onboarding chooses what brute force would choose, and is worth its while."""

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from stimuli.experiment import ExperimentError
from stimuli.predictors.bayes import BayesTaste, fit
from stimuli.predictors.interface import Looks
from stimuli.predictors.onboarding import chooser, next_image, sequence
from stimuli.predictors.protocol import draws
from stimuli.simulation import synthetic
from stimuli.simulation.synthetic import World

Array = NDArray[np.float64]


@pytest.fixture(scope="module")
def small() -> World:
    return synthetic.make("linear", seed=2, size="small")


@pytest.fixture(scope="module")
def predictor(small: World) -> BayesTaste:
    return fit(small.looks, small.people, small.judgements["train"])


def left_over(predictor: BayesTaste, rated: Looks, pool: Looks) -> float:
    """Return the mean variance of how much more a person likes an image than the average one, after rating some."""
    taste = predictor.adapt("new", rated, np.full(len(rated), 3.0)).taste("new")
    rows = predictor.features(pool)[1]
    around = rows - rows.mean(axis=0)
    return float(np.mean([row @ taste.covariance @ row for row in around]))


@pytest.mark.parametrize("noise", [0.36, 0.01])
def test_the_next_image_is_the_one_that_leaves_the_least_variance(small: World, predictor: BayesTaste, noise: float) -> None:
    predictor = dataclasses.replace(predictor, prior=dataclasses.replace(predictor.prior, noise=noise))
    candidates = small.looks.at(np.arange(40))
    for rated in ([], [3], [3, 17, 20, 5]):
        left = [left_over(predictor, candidates.at(np.array([*rated, one])), candidates) for one in range(40)]
        open_ = [one for one in range(40) if one not in rated]
        assert next_image(predictor, candidates, np.array(rated, dtype=np.intp)) == min(open_, key=lambda one: left[one])


def test_a_sequence_is_one_next_image_after_the_other(small: World, predictor: BayesTaste) -> None:
    candidates, pool = small.looks.at(np.arange(60)), small.looks.at(np.arange(60, 200))
    found = sequence(predictor, candidates, 8, pool=pool)
    for place in range(8):
        assert found[place] == next_image(predictor, candidates, found[:place], pool=pool)
    assert len(set(found.tolist())) == 8


def test_chosen_images_teach_more_than_random_ones(small: World, predictor: BayesTaste) -> None:
    """Ten chosen images against ten random ones of the same pool, told on the ratings of the test split."""
    test, groups, found = small.judgements["test_unseen"], np.array(small.looks.group), []
    for user in np.unique(test.user).tolist():
        rows = test.user == user
        pool = np.flatnonzero(np.isin(groups[500:590], small.persons[user].groups)) + 500
        chosen = pool[sequence(predictor, small.looks.at(pool), 10)]
        for repeat in range(3):
            rng = np.random.default_rng([user, repeat])
            for asked in (chosen, rng.permutation(pool)[:10]):
                adapted = predictor.adapt("new", small.looks.at(asked), small.rate(user, asked, rng))
                told = adapted.predict(small.looks.at(test.image[rows]), "new").mean
                found.append(stats.spearmanr(told, test.rating[rows]).statistic)
    active, random = np.reshape(found, (-1, 2)).mean(axis=0)
    assert active > random + 0.015


def test_what_was_rated_is_never_asked_again_and_the_end_is_an_error(small: World, predictor: BayesTaste) -> None:
    candidates = small.looks.at(np.arange(3))
    assert next_image(predictor, candidates, np.array([0, 2])) == 1
    with pytest.raises(ExperimentError, match="all 3 candidates are rated already; end the onboarding, or bring more images"):
        next_image(predictor, candidates, np.arange(3))
    with pytest.raises(ExperimentError, match="asked for 4 images to rate of 3; ask for fewer, or bring more images"):
        sequence(predictor, candidates, 4)


def test_a_study_gets_the_name_of_the_next_image_whatever_the_ratings_were(small: World, predictor: BayesTaste) -> None:
    looks = small.looks.at(np.arange(30))
    names = [f"image-{number}" for number in range(30)]
    choose = chooser(predictor, looks, names)
    first = choose({}, names)
    assert first == names[next_image(predictor, looks, np.zeros(0, dtype=np.intp))]
    second = choose({first: 5.0}, names)
    assert second == names[next_image(predictor, looks, np.array([names.index(first)]))]
    assert second == choose({first: 1.0}, [name for name in reversed(names) if name != first])
    assert choose({first: 1.0}, names[3:6]) in names[3:6]


def test_names_that_the_chooser_does_not_know_are_an_error(small: World, predictor: BayesTaste) -> None:
    looks = small.looks.at(np.arange(2))
    choose = chooser(predictor, looks, ["a", "b"])
    with pytest.raises(ExperimentError, match='the images to choose from were made without "c"; encode the images again'):
        choose({"a": 3.0}, ["b", "c"])
    with pytest.raises(ExperimentError, match="expected one name for each of 2 images, found 1 different ones"):
        chooser(predictor, looks, ["a", "a"])


def test_demographics_change_what_is_expected_not_what_is_asked_first(small: World, predictor: BayesTaste) -> None:
    """The variance of tastes is the same for everybody who said something of themselves."""
    assert small.people.demographics is not None
    asked = [
        sequence(predictor, small.looks.at(np.arange(50)), 5, demographics=small.people.demographics[user]).tolist() for user in range(3)
    ]
    assert asked[0] == asked[1] == asked[2]


def test_contexts_are_nested_and_what_is_evaluated_is_the_same_for_all(small: World) -> None:
    test = small.judgements["test_unseen"]
    users = np.unique(test.user).tolist()
    found = draws(test, users, longest=20, number=2, seed=0)
    assert len(found) == 2 * len(users)
    for shot in found:
        np.testing.assert_array_equal(shot.context(20)[:5], shot.context(5))
        mine = np.flatnonzero(test.user == shot.user)
        np.testing.assert_array_equal(np.sort([*shot.context(20), *shot.evaluated]), mine)
    assert not np.array_equal(found[0].order, found[1].order)
    alone = draws(test, users[1:2], longest=20, number=2, seed=0)
    np.testing.assert_array_equal(alone[0].order, found[2].order)


def test_too_long_a_context_is_an_error(small: World) -> None:
    test = small.judgements["test_unseen"]
    user = int(test.user[0])
    with pytest.raises(ExperimentError, match=rf"user {user} has \d+ ratings; a context of 500 and 5 to evaluate need 505"):
        draws(test, [user], longest=500, number=1, seed=0)
    with pytest.raises(ExperimentError, match="asked for a context of 6 ratings of a draw made for 5; draw more"):
        draws(test, [user], longest=5, number=1, seed=0)[0].context(6)
