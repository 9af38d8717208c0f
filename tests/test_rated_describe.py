"""What a data set holds, how far people agree (against the textbook and a second way), and whose tastes differ."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from rated_made import people_with_tastes, rated

from stimuli.ratings import RatingsError, Unreadable
from stimuli.ratings.describe import describe, retest
from stimuli.ratings.targets import propose, residuals

TWO_CAMPS = people_with_tastes([1] * 8 + [-1] * 8 + [0] * 4, images=80, noise=0.4)


def test_the_summary_counts_what_is_there() -> None:
    known = rated(
        [("a", "1", 2), ("b", "1", 4), ("a", "2", 5), ("c", "1", 3)],
        group=["boats", "cats"],
        style=["ink", None],
        type=["art", "photograph"],
    )
    found = describe(replace(known, unreadable=(Unreadable("3", "3.png: no such file"),)))
    assert (found.images, found.users, found.ratings, found.mean) == (2, 3, 4, 3.5)
    assert (found.per_image.least, found.per_image.mean, found.per_image.most) == (1, 2, 3)
    assert found.splits == (("train", 4, 3, 2),)
    assert [(theme.kind, theme.name, theme.images, theme.ratings, theme.mean) for theme in found.groups] == [
        ("art", "boats", 1, 3, 3.0),
        ("photograph", "cats", 1, 1, 5.0),
    ]
    assert [theme.name for theme in found.styles] == ["ink"]
    assert [(image.image, image.standard_deviation) for image in found.disputed] == [("1", 1.0)]
    assert found.skipped[0].kind == "images that cannot be read"


def test_themes_come_by_type_and_then_by_number() -> None:
    rows = [("a", image, 3.0) for image in "123456"]
    found = describe(rated(rows, group=["x", "y", "y", "z", "z", "z"], type=["photo", "photo", "photo", "art", "photo", "photo"]))
    assert [(theme.kind, theme.name, theme.images) for theme in found.groups] == [
        ("art", "z", 1),
        ("photo", "y", 2),
        ("photo", "z", 2),
        ("photo", "x", 1),
    ]


def test_the_most_disputed_image_divides_people_most() -> None:
    rows = [
        (user, image, 3 + sign * spread)
        for image, spread in (("calm", 0.1), ("hot", 2), ("warm", 1))
        for user, sign in zip("abcd", (1, -1, 1, -1), strict=True)
    ]
    found = describe(rated(rows))
    assert [image.image for image in found.disputed] == ["hot", "warm", "calm"]
    assert [image.image for image in found.agreed] == ["calm", "warm", "hot"]


def test_second_ratings_are_compared_with_first_ones() -> None:
    rows = [("a", "1", 2), ("a", "1", 3), ("a", "2", 4), ("b", "1", 1), ("a", "2", 4), ("b", "1", 1.5), ("b", "1", 5)]
    found = retest(pd.DataFrame(rows, columns=["user", "image", "rating"]))
    assert found is not None
    assert found.pairs == 3
    assert found.correlation == pytest.approx(np.corrcoef([2, 4, 1], [3, 4, 1.5])[0, 1])
    assert found.error == pytest.approx(np.sqrt((1 + 0 + 0.25) / 3 / 2))
    assert retest(rated([]).repeats) is None


def test_residuals_know_neither_harshness_nor_consensus_nor_how_much_of_the_scale_is_used() -> None:
    consensus, habits = {"1": 2.0, "2": 3.5, "3": 4.0}, {"a": (1.0, 0.0), "b": (0.5, 1.0), "c": (0.2, 3.0)}
    rows = [(user, image, wide * base + harsh) for user, (wide, harsh) in habits.items() for image, base in consensus.items()]
    assert residuals(rated(rows).ratings).to_numpy() == pytest.approx(np.zeros(9))


def test_who_rates_everything_alike_has_no_residuals() -> None:
    flat = residuals(rated([("a", "1", 3), ("a", "2", 3), ("b", "1", 1), ("b", "2", 5)]).ratings)
    assert flat[:2].tolist() == [0, 0]


def test_two_targets_come_from_opposite_camps_and_nobody_who_rates_at_random() -> None:
    proposal = propose(TWO_CAMPS, 2)
    one, other = (int(target.user[1:]) for target in proposal.targets)
    assert {one < 8, other < 8} == {True, False}
    assert max(one, other) < 16
    assert proposal.unclear == 4
    nearest = proposal.targets[1].nearest
    assert nearest is not None
    assert (nearest.user, nearest.images) == (proposal.targets[0].user, 80)
    assert nearest.correlation < -0.5


def test_why_somebody_is_proposed_is_said_in_groups() -> None:
    for target in propose(TWO_CAMPS, 2).targets:
        liked, disliked = ("warm", "cold") if int(target.user[1:]) < 8 else ("cold", "warm")
        assert [entry.group for entry in target.likes] == [liked]
        assert [entry.group for entry in target.dislikes] == [disliked]


def test_more_targets_only_add_to_fewer() -> None:
    names = [tuple(target.user for target in propose(TWO_CAMPS, number).targets) for number in (2, 3, 4)]
    assert all(longer[: len(shorter)] == shorter for shorter, longer in combinations(names, 2))


def test_people_with_few_ratings_are_left_out_and_too_few_people_refused() -> None:
    rare = TWO_CAMPS.ratings[~((TWO_CAMPS.ratings["user"] == "p00") & (TWO_CAMPS.ratings["image"] > "i020"))]
    proposal = propose(replace(TWO_CAMPS, ratings=rare), 3)
    assert proposal.few == 1
    assert "p00" not in {target.user for target in proposal.targets}
    with pytest.raises(RatingsError, match=r"18 target users were asked for, and 16 of 20 people can be considered: 0 have fewer than 30"):
        propose(TWO_CAMPS, 18)


def test_constant_ratings_are_no_taste() -> None:
    flat = TWO_CAMPS.ratings.assign(rating=TWO_CAMPS.ratings["rating"].where(TWO_CAMPS.ratings["user"] != "p00", 3.0))
    assert "p00" not in {target.user for target in propose(replace(TWO_CAMPS, ratings=flat), 8).targets}
