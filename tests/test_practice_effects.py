"""A difference that changes between the halves of what people answered is told with an interval over people, or why not."""

import math
from dataclasses import replace

import numpy as np
import pytest
from reported_experiment import example_results
from votes_made import vote

from analysis.config import Claim
from analysis.practice_effects import PracticeEffect, practice_effect
from reports.robustness import halves_in_words
from study.votes import Vote

CLAIM = Claim(id="C1", type="greater", a="one", b="other")


def given(wins: dict[str, tuple[int, int]], *, each: int = 20) -> list[Vote]:
    """Return votes of each person, `each` a half, of which so many of the first and of the second half prefer one."""
    return [
        vote(name, f"{name}{half}{place}x", f"{name}{half}{place}y", "left" if place < won else "right")
        for name, halves in wins.items()
        for half, won in enumerate(halves)
        for place in range(each)
    ]


def odds(won: int, of: int) -> float:
    return 400 * math.log10(won / (of - won))


def test_the_change_and_its_interval_are_those_of_a_jackknife_by_hand() -> None:
    wins = {"a": (15, 9), "b": (12, 10), "c": (16, 13), "d": (14, 8), "e": (11, 12), "f": (17, 6)}
    found = practice_effect(given(wins), [CLAIM], alpha=0.05)
    assert isinstance(found, PracticeEffect)
    first, second = (sum(won[half] for won in wins.values()) for half in (0, 1))
    assert found.first_elo == pytest.approx(odds(first, 120), abs=1e-4)
    assert found.change_elo == pytest.approx(odds(second, 120) - odds(first, 120), abs=1e-4)
    without = np.array([odds(second - two, 100) - odds(first - one, 100) for one, two in wins.values()])
    error = math.sqrt(5 / 6 * ((without - found.change_elo) ** 2).sum())
    assert found.high - found.low == pytest.approx(2 * 2.5705818 * error, rel=1e-4)
    assert (found.high + found.low) / 2 == pytest.approx(found.change_elo)


def test_halves_are_by_position_whatever_the_order_of_the_file() -> None:
    wins = dict.fromkeys("abcdef", (15, 8))
    votes = given(wins)
    assert practice_effect(votes[::-1], [CLAIM], alpha=0.05) == practice_effect(votes, [CLAIM], alpha=0.05)


def test_few_people_and_a_half_without_a_scale_are_refused_in_words() -> None:
    few = practice_effect(given(dict.fromkeys("abcd", (15, 8))), [CLAIM], alpha=0.05)
    assert few == "there are 4 participants, and a change between halves needs at least 5"
    always = practice_effect(given(dict.fromkeys("abcdef", (20, 8))), [CLAIM], alpha=0.05)
    assert always == "the votes of one half do not put all conditions on one scale"


def test_without_a_pair_there_is_nothing_to_look_at() -> None:
    assert practice_effect(given(dict.fromkeys("abcdef", (15, 8))), [], alpha=0.05) is None


def test_the_report_tells_the_change_with_its_interval_and_no_more_than_it_shows() -> None:
    found = {"a": "own", "b": "others", "first_elo": 84.0, "second_elo": 48.0, "change_elo": -36.0, "low": -113.0, "high": 41.0}
    told = halves_in_words(replace(example_results(), further={"halves": found}))
    assert "own minus others is +84 Elo in the first half of each participant’s votes and +48 in the second" in told
    assert "a change of −36 (95\N{NO-BREAK SPACE}% interval −113 to +41" in told
    refused = halves_in_words(replace(example_results(), further={"halves": {"refused": "there are 4 participants"}}))
    assert refused.endswith("cannot be told: there are 4 participants.")
    assert halves_in_words(example_results()) == ""
