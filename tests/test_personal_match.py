"""The diagonal of who judges whose images is tested against every relabelling, and an empty cell is not filled."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from votes_made import personal_block, personal_vote, vote

from analysis.personal_match import PersonalMatch, personal_match
from study.votes import Vote


def matched(votes: list[Vote], **options: str) -> PersonalMatch:
    return personal_match(votes, rng=np.random.default_rng(1), **options)  # type: ignore[arg-type]


def test_six_users_cannot_give_less_than_one_in_720() -> None:
    found = matched(personal_block(6, own_effect=1.5))
    assert (found.smallest_p, found.p_value, found.relabellings, found.exact) == (1 / 720, 1 / 720, 720, True)
    assert found.trace is not None and found.expected is not None
    assert found.trace > found.expected + 1
    assert found.p_value_below == 1.0


def test_the_p_value_is_the_share_of_relabelled_matrices_by_hand() -> None:
    found = matched(personal_block(4, own_effect=0.15, prompts=4, seed=3))
    rates = np.array(found.rates)
    traces = [sum(rates[p, label[p]] for p in range(4)) for label in itertools.permutations(range(4))]
    assert found.p_value == np.mean(np.array(traces) >= np.trace(rates) - 1e-9)
    assert 1 / 24 < found.p_value < 1
    assert found.expected == pytest.approx(np.mean(traces))


def test_without_an_own_effect_small_p_values_are_as_rare_as_they_should_be() -> None:
    p_values = [matched(personal_block(5, own_effect=0.0, prompts=2, seed=seed)).p_value for seed in range(120)]
    assert np.mean(np.array(p_values) <= 0.1) < 0.18
    assert np.mean(p_values) == pytest.approx(0.5, abs=0.1)


def test_one_who_prefers_everybody_elses_images_is_seen_below() -> None:
    found = matched(personal_block(5, own_effect=-1.5))
    assert found.p_value_below == 1 / 120
    assert found.p_value == 1.0


def test_nine_users_are_sampled() -> None:
    found = matched(personal_block(9, own_effect=1.0, prompts=3))
    assert (found.exact, found.relabellings, found.smallest_p) == (False, 20_000, 1 / 20_001)
    assert found.p_value is not None and found.p_value >= 1 / 20_001


@given(st.permutations(range(4)), st.randoms(use_true_random=False))
def test_names_and_order_and_sides_mean_nothing(order: list[int], chance: object) -> None:
    votes = personal_block(4, own_effect=0.4, prompts=2)
    names = {f"u{place}": f"w{order[place]}" for place in range(4)}
    turned = {"left": "right", "right": "left"}
    renamed = [
        replace(
            vote,
            target_user=names[vote.target_user],  # type: ignore[index]
            left_target=names[vote.right_target],  # type: ignore[index]
            right_target=names[vote.left_target],  # type: ignore[index]
            choice=turned[vote.choice],  # type: ignore[arg-type]
        )
        for vote in votes
    ]
    chance.shuffle(renamed)  # type: ignore[attr-defined]
    found, again = matched(votes), matched(renamed)
    assert again.p_value == found.p_value
    assert again.trace == pytest.approx(found.trace)


def test_a_tie_is_half_a_win_for_each() -> None:
    found = matched([personal_vote("a", "a", "b", "tie"), personal_vote("b", "a", "b", "right")])
    assert found.rates == ((0.5, 0.5), (0.0, 1.0))


def test_only_votes_between_personalised_images_of_target_users_count() -> None:
    votes = personal_block(3, own_effect=1.0)
    initial = vote("u1", "x", "y", "left", targets=("u1", None), target_user="u1")
    stranger = replace(votes[0], trial="new", participant="someone", target_user=None)
    found = matched([*votes, initial, stranger])
    assert (found.votes, found.other_votes) == (len(votes), 2)
    assert found.rates == matched(votes).rates


def test_a_user_with_an_empty_cell_is_dropped_and_named() -> None:
    votes = [
        vote
        for vote in personal_block(4, own_effect=1.0)
        if not (vote.target_user == "u3" and "u0" in (vote.left_target, vote.right_target))
    ]
    found = matched(votes)
    assert (found.users, found.dropped, found.smallest_p) == (("u1", "u2", "u3"), ("u0",), 1 / 6)


def test_what_cannot_be_tested_says_why() -> None:
    alone = matched([vote for vote in personal_block(3, own_effect=1.0) if vote.target_user == "u1"])
    assert (alone.p_value, alone.not_testable) == (None, "the test needs two target users who judged each other's images; found 1")
    empty = matched([vote("p", "a", "b", "left")])
    assert (empty.trace, empty.not_testable) == (None, "no target user compared images made for two different users")
    half = matched([personal_vote("a", "a", "c", "left"), personal_vote("b", "b", "c", "left")])
    assert half.not_testable is not None and half.not_testable.endswith("after dropping a for cells without a vote")


def test_one_of_several_personalised_conditions_is_picked_by_name() -> None:
    votes = [
        *personal_block(3, own_effect=2.0),
        *(replace(v, left_condition="other", right_condition="other") for v in personal_block(3, own_effect=-2.0)),
    ]
    assert matched(votes, condition="steered").p_value == 1 / 6
    assert matched(votes, condition="other").p_value == 1.0


def test_images_of_two_personalised_conditions_are_not_matched_with_each_other() -> None:
    mixed = [replace(v, right_condition="other") for v in personal_block(3, own_effect=2.0)]
    found = matched([*mixed, *personal_block(3, own_effect=-2.0)])
    assert (found.p_value, found.other_votes) == (1.0, len(mixed))
