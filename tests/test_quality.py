"""Every judge is measured by what that judge did, and agreement with the others stays a remark."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from votes_made import vote

from analysis.quality import Judge, Share, judge_quality, side_p_value
from study.votes import Vote


def only(votes: list[Vote], **measures: object) -> Judge:
    (judge,) = judge_quality(votes, **measures).participants  # type: ignore[arg-type]
    return judge


def sided(left: int, right: int, participant: str = "p") -> list[Vote]:
    sides = ["left"] * left + ["right"] * right
    return [vote(participant, f"a{place}", f"b{place}", side) for place, side in enumerate(sides)]  # type: ignore[arg-type]


def test_repeats_with_swapped_sides_are_apart_from_repeats_as_they_were() -> None:
    votes = [
        vote("p", "a", "b", "left", position=0),
        vote("p", "b", "a", "right", position=1),
        vote("p", "b", "a", "left", position=2),
        vote("p", "c", "d", "tie", position=3),
        vote("p", "c", "d", "tie", position=4),
        vote("p", "c", "d", "left", position=5),
    ]
    judge = only(votes[::-1])
    assert judge.retest_swapped == Share(1, 2)
    assert judge.retest_same_sides == Share(1, 2)


def test_one_who_always_takes_the_left_fails_every_swapped_repeat() -> None:
    votes = [vote("p", f"a{n}", f"b{n}", "left") for n in range(9)] + [vote("p", f"b{n}", f"a{n}", "left") for n in range(9)]
    judge = only(votes)
    assert (judge.retest_swapped.value, judge.retest_same_sides.value) == (0.0, None)


def test_catch_trials_count_alone_and_give_the_lapse_rate() -> None:
    votes = [
        *sided(3, 3),
        vote("p", "x", "y", "left", expected="left"),
        vote("p", "x2", "y2", "right", expected="left"),
        vote("p", "x3", "y3", "left", expected="left"),
        vote("p", "x4", "y4", "left", expected="left"),
    ]
    judge = only(votes)
    assert (judge.votes, judge.left, judge.catch) == (6, Share(3, 6), Share(3, 4))
    assert judge.lapse_rate == 0.5
    assert only(votes[:6]).lapse_rate is None


@pytest.mark.parametrize(
    ("left", "right", "flagged"),
    [(30, 2, True), (2, 30, True), (13, 1, False), (800, 200, False), (801, 199, True), (16, 4, False), (15, 0, True), (14, 0, False)],
)
def test_a_side_is_flagged_when_the_share_and_the_p_value_both_say_so(left: int, right: int, flagged: bool) -> None:
    assert only(sided(left, right)).one_sided is flagged


@given(st.integers(0, 40), st.integers(0, 40))
def test_the_side_p_value_is_the_exact_binomial_one(left: int, right: int) -> None:
    from math import comb

    number = left + right
    as_far = sum(comb(number, k) for k in range(number + 1) if abs(2 * k - number) >= abs(left - right))
    assert side_p_value(left, number) == pytest.approx(as_far / 2**number)


def test_fast_answers_times_and_runs() -> None:
    times = [100.0, 399.0, 400.0, 3000.0, 5000.0]
    sides = ["left", "right", "right", "right", "left"]
    votes = [vote("p", f"a{n}", f"b{n}", side, ms=ms) for n, (side, ms) in enumerate(zip(sides, times, strict=True))]  # type: ignore[arg-type]
    judge = only(votes, min_ms=400)
    assert (judge.fast, judge.median_ms, judge.longest_run) == (Share(2, 5), 400.0, 3)
    tie_between = [dataclasses.replace(votes[n], choice="tie" if n == 2 else votes[n].choice) for n in range(5)]
    assert only(tie_between).longest_run == 1


def test_agreement_with_others_leaves_oneself_out() -> None:
    votes = [vote(name, "a", "b", side) for name, side in (("p", "left"), ("q", "right"), ("r", "right"))]  # type: ignore[arg-type]
    judged = {judge.participant: judge.with_others for judge in judge_quality(votes).participants}
    # q and r face a split of one against one, which is no majority.
    assert judged == {"p": Share(0, 1), "q": Share(0, 0), "r": Share(0, 0)}


def test_pooled_is_over_all_votes() -> None:
    found = judge_quality([*sided(3, 1, "p"), *sided(0, 6, "q")])
    assert [judge.participant for judge in found.participants] == ["p", "q"]
    assert (found.pooled.left, found.pooled.votes, found.pooled.longest_run) == (Share(3, 10), 10, 6)
    assert found.pooled.participant is None
    assert judge_quality([]).pooled.median_ms is None


def test_a_coin_flipper_is_told_from_a_steady_judge() -> None:
    rng = np.random.default_rng(5)
    images = [f"i{n}" for n in range(6)]
    steady, flips = [], []
    for prompt in range(12):
        for one in range(6):
            for other in range(one + 1, 6):
                names = (f"{prompt}{images[one]}", f"{prompt}{images[other]}")
                steady.append(vote("steady", *names, "left", prompt=f"{prompt}"))
                flips.append(vote("flips", *names, "left" if rng.random() < 0.5 else "right", prompt=f"{prompt}"))
    by_name = {judge.participant: judge for judge in judge_quality(steady + flips).participants}
    assert by_name["steady"].triads.zeta == 1.0
    zeta = by_name["flips"].triads.zeta
    assert zeta is not None and zeta < 0.6
    assert by_name["flips"].triads.circular / by_name["flips"].triads.of == pytest.approx(0.25, abs=0.05)
