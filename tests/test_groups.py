"""Groups as targets: who belongs to one, what the predictor knows of them, and what is said where nobody does."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from stimuli.encoders import ImageStatistics
from stimuli.experiment import ExperimentError
from stimuli.groups import Gathered, Group, knowing, members
from stimuli.predictors import bayes
from stimuli.predictors.interface import Judgements, People
from stimuli.predictors.sight import Sight
from stimuli.scorers.personal import Personal

USERS = pd.DataFrame(
    {
        "age": [27, 30, 41, 33, None],
        "gender": ["female", "Female", "female", "male", "male"],
        "nationality": ["Belgium", "France", "France", "France", "Belgium"],
    },
    index=pd.Index(["ann", "bea", "cat", "dan", "eve"], name="user"),
)
KNOWN = ("ann", "bea", "cat", "dan")


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        (Group("g", gender="female"), ("ann", "bea", "cat")),
        (Group("g", gender="FEMALE", nationality="France"), ("bea", "cat")),
        (Group("g", age="25 to 34"), ("ann", "bea", "dan")),
        (Group("g", gender="female", age="25 to 34", nationality="france"), ("bea",)),
        (Group("g", members=("dan", "ann")), ("dan", "ann")),
    ],
)
def test_people_belong_by_every_answer_that_is_named(group: Group, expected: tuple[str, ...]) -> None:
    assert members(group, USERS, KNOWN) == expected


@pytest.mark.parametrize(
    ("group", "reason"),
    [
        (Group("g", gender="woman"), 'nobody, or one person only, said gender = "woman"; at least two gave each of: female'),
        (Group("g", age="35 to 44"), 'said age = "35 to 44"; at least two gave each of: 25 to 34'),
        (Group("g", nationality="Belgium"), 'said nationality = "Belgium"; at least two gave each of: france'),
        (Group("g", members=("zoe",)), 'the predictor knows no user "zoe"; it knows 4, such as ann, bea, cat, dan'),
    ],
)
def test_nobody_belonging_is_an_error_that_names_what_exists(group: Group, reason: str) -> None:
    with pytest.raises(ExperimentError) as refused:
        members(group, USERS, KNOWN)
    assert str(refused.value).startswith('[[group]] "g": ') and reason in str(refused.value)


def test_answers_that_exist_only_apart_match_nobody() -> None:
    apart = USERS.assign(nationality=["Belgium", "Belgium", "Belgium", "France", "France"])
    with pytest.raises(
        ExperimentError, match='nobody of 5 people whom the predictor knows matches gender = "female", nationality = "France"'
    ):
        members(Group("g", gender="female", nationality="France"), apart, USERS.index)


def test_without_a_column_there_is_no_answer() -> None:
    with pytest.raises(ExperimentError, match="no two of them gave the same answer to gender"):
        members(Group("g", gender="female"), USERS.drop(columns="gender"), KNOWN)


def test_a_group_scores_as_the_mean_of_its_members() -> None:
    rng = np.random.default_rng(3)
    images = [Image.fromarray(rng.integers(0, 255, (16, 16, 3), dtype=np.uint8)) for _ in range(30)]
    sight = Sight(ImageStatistics())
    looks = sight.looks(images, [""] * 30)
    ratings = Judgements(np.repeat(np.arange(3), 30), np.tile(np.arange(30), 3), rng.uniform(1, 5, 90))
    fitted = knowing(bayes.fit(looks, People(("ann", "bea", "cat")), ratings), [Gathered("both", ("ann", "bea"))])
    of = {user: Personal(fitted, sight, user, version="1").score(images, [""] * 30) for user in ("ann", "bea", "both")}
    np.testing.assert_allclose(of["both"], (of["ann"] + of["bea"]) / 2)
