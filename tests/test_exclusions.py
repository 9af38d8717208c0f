"""Exclusions are rules: applied in their order, counted at every stage, and never about agreement with the others."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from votes_made import vote

from analysis.exclusion_rules import Exclusion, Rule, mistakes
from analysis.exclusions import _KEEPERS, apply_exclusions, without_exclusions
from stimuli.experiment import ExperimentError
from study.votes import Choice, Vote


def some(participant: str, sides: str, ms: float = 2000.0) -> list[Vote]:
    names: dict[str, Choice] = {"l": "left", "r": "right", "t": "tie"}
    return [vote(participant, f"a{place}", f"b{place}", names[side], ms=ms) for place, side in enumerate(sides)]


def flow_of(votes: list[Vote], *rules: Exclusion) -> list[tuple[int, int, tuple[str, ...]]]:
    return [(stage.participants, stage.votes, stage.excluded) for stage in apply_exclusions(votes, rules).flow]


def test_every_stage_is_counted_in_the_stated_order() -> None:
    votes = [*some("leftist", "l" * 30), *some("hasty", "lrlrlr", ms=100), *some("slow", "lrrl")]
    fast, few = Exclusion("fast_votes", limit=300), Exclusion("few_votes", limit=4)
    assert flow_of(votes, fast, Exclusion("one_sided"), few) == [
        (3, 40, ()),
        (2, 34, ("hasty",)),
        (1, 4, ("leftist",)),
        (1, 4, ()),
    ]


def test_a_rule_sees_only_what_the_rules_before_it_left() -> None:
    votes = [*some("p", "lrlr"), *some("p", "lr", ms=10)]
    fast, few = Exclusion("fast_votes", limit=300), Exclusion("few_votes", limit=5)
    assert len(apply_exclusions(votes, [few, fast]).votes) == 4
    assert apply_exclusions(votes, [fast, few]).votes == ()


@pytest.mark.parametrize(
    ("rule", "out"),
    [
        (Exclusion("few_votes", limit=5), ("few",)),
        (Exclusion("one_sided"), ("leftist",)),
        (Exclusion("same_side_run", limit=12), ("leftist",)),
        (Exclusion("fast_participant", limit=0.4, ms=300), ("hasty",)),
        (Exclusion("retest", limit=0.6), ("fickle",)),
        (Exclusion("failed_catch", limit=0.25), ("dreamer",)),
    ],
)
def test_each_rule_excludes_whom_it_names_and_nobody_else(rule: Exclusion, out: tuple[str, ...]) -> None:
    fickle = some("fickle", "lrlrlr") + [
        vote("fickle", f"b{n}", f"a{n}", side, repeat=True)  # type: ignore[arg-type]
        for n, side in enumerate(("left", "right"))
    ]
    caught = [vote("dreamer", "x", "y", "right", expected="left"), vote("steady", "x", "y", "left", expected="left")]
    votes = [
        *some("few", "lrlr"),
        *some("leftist", "l" * 30),
        *some("hasty", "lrr", ms=100),
        *some("hasty", "lrrl"),
        *fickle,
        *some("dreamer", "lrlrrl"),
        *some("steady", "lrrlrl"),
        *caught,
    ]
    found = apply_exclusions(votes, [rule])
    assert found.excluded == out
    assert found.excluded_share == pytest.approx(1 / 6)
    assert {vote.participant for vote in found.votes} == {"few", "leftist", "hasty", "fickle", "dreamer", "steady"} - set(out)


def test_catch_trials_and_repeats_are_set_aside_in_the_end() -> None:
    caught, repeated = vote("p", "x", "y", "left", ms=1, expected="left"), vote("p", "b0", "a0", "right", repeat=True)
    votes = [*some("p", "lr"), caught, repeated]
    found = apply_exclusions(votes, [Exclusion("fast_votes", limit=300)])
    assert [stage.what for stage in found.flow] == [
        "answered",
        "answers faster than 300 ms dropped",
        "catch trials set aside",
        "repeats set aside",
    ]
    assert [stage.votes_dropped for stage in found.flow] == [0, 0, 1, 1]
    assert found.votes == tuple(votes[:2]) == without_exclusions(votes).votes


@given(st.lists(st.tuples(st.sampled_from("pqr"), st.sampled_from("lrt"), st.floats(50, 3000)), max_size=40))
def test_the_flow_adds_up_and_only_takes_away(answers: list[tuple[str, str, float]]) -> None:
    votes = [single for name, side, ms in answers for single in some(name, side, ms)]
    rules = [Exclusion("fast_votes", limit=400), Exclusion("same_side_run", limit=3), Exclusion("few_votes", limit=2)]
    found = apply_exclusions(votes, rules)
    assert found.votes == tuple(vote for vote in votes if vote in found.votes)
    for before, after in zip(found.flow, found.flow[1:], strict=False):
        assert before.votes - after.votes_dropped == after.votes
        assert before.participants - len(after.excluded) == after.participants
    assert found.flow[-1].votes == len(found.votes)
    assert without_exclusions(votes).votes == tuple(votes)


def test_disagreeing_with_everybody_is_no_reason_to_be_excluded() -> None:
    crowd = [single for name in "abcdefgh" for single in some(name, "lrrlrllr" * 4)]
    loner = some("loner", "rllrlrrl" * 4)
    rules = [Exclusion("one_sided"), Exclusion("same_side_run", limit=5), Exclusion("retest", limit=0.5), Exclusion("few_votes", limit=5)]
    assert apply_exclusions(crowd + loner, rules).excluded == ()
    assert not any("others" in rule or "agree" in rule for rule in get_args(Rule))


def test_every_rule_is_known() -> None:
    assert set(_KEEPERS) == set(get_args(Rule))


def test_an_ill_formed_rule_is_told_with_its_place() -> None:
    rules = [
        Exclusion("few_votes"),
        Exclusion("one_sided", limit=3),
        Exclusion("retest", limit=60),
        Exclusion("fast_participant", limit=0.1),
    ]
    told = [f"{mistake.table} {mistake.key} {mistake.text}" for mistake in mistakes(rules)]
    assert told == [
        '[[exclusion]] 1 ("few_votes") limit is missing; it is the fewest votes a participant may have',
        '[[exclusion]] 2 ("one_sided") limit is not read by the rule "one_sided"; remove it',
        '[[exclusion]] 3 ("retest") limit is 60; expected at most 1: it is the smallest share of repeated pairs (sides swapped) '
        "that must get the same answer",
        '[[exclusion]] 4 ("fast_participant") ms is missing; it says below how many milliseconds an answer is fast',
    ]
    with pytest.raises(ExperimentError, match="limit is missing".replace("limit", '"limit"')):
        apply_exclusions([], rules)
    with pytest.raises(ExperimentError, match='"failed_catch" needs catch trials, and the study has none'):
        apply_exclusions([], [Exclusion("failed_catch", limit=0.2)])
