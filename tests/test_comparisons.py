"""Votes become comparisons: whose image is whose, what says nothing about the scale, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.comparisons import Comparisons, cells, encode, from_votes, tabulate, without
from analysis.preference import Wins, group_wins
from stimuli.experiment import ExperimentError
from study.votes import Vote, VoteKind

VOTE = Vote(
    trial="t0",
    participant="p1",
    target_user="anna",
    position=0,
    prompt="moss",
    left_stimulus="s1",
    right_stimulus="s2",
    left_condition="personal",
    right_condition="initial",
    left_target="anna",
    right_target=None,
    choice="left",
    response_ms=900.0,
    answered_at="2026-01-01T00:00:00+00:00",
    simulated=False,
)
NAMES = st.sampled_from(["ash", "beech", "cedar", "dogwood"])


def tally(comparisons: Comparisons) -> Wins:
    return group_wins(cells(comparisons), by="all")


def sides(comparisons: Comparisons) -> list[tuple[str, str]]:
    return [(comparisons.items[a], comparisons.items[b]) for a, b in zip(comparisons.left, comparisons.right, strict=True)]


@pytest.mark.parametrize(
    ("participant_is", "made_for", "item"), [("anna", "anna", "own"), ("anna", "ben", "others"), (None, "anna", "others")]
)
def test_an_image_is_own_only_when_it_was_made_for_the_one_who_judges_it(participant_is: str | None, made_for: str, item: str) -> None:
    table = from_votes([replace(VOTE, target_user=participant_is, left_target=made_for)])
    assert sides(table) == [(item, "initial")]


def test_several_targeted_conditions_keep_their_names_apart() -> None:
    votes = [VOTE, replace(VOTE, trial="t1", right_condition="portrait", right_target="ben")]
    assert sides(from_votes(votes)) == [("own (personal)", "initial"), ("own (personal)", "others (portrait)")]


def test_two_images_of_one_item_are_counted_and_left_out() -> None:
    others = replace(VOTE, trial="t1", left_target="ben", right_condition="personal", right_target="cleo", participant="p2")
    table = from_votes([VOTE, others])
    assert (len(table), table.same_item) == (1, 1)
    assert table.items == ("initial", "own")
    assert table.participant is not None
    assert table.participant.labels == ("p1",)


def test_simulated_participants_are_counted_once_each() -> None:
    votes = [replace(VOTE, trial=f"t{k}", participant=f"p{k // 2}", simulated=k < 4) for k in range(6)]
    assert from_votes(votes).simulated_participants == 2


def test_a_trial_with_two_votes_is_refused() -> None:
    with pytest.raises(ExperimentError, match='vote 2 is of trial "t0", which has a vote already'):
        from_votes([VOTE, VOTE])


def test_an_untargeted_condition_called_own_is_refused_beside_a_targeted_one() -> None:
    with pytest.raises(ExperimentError, match='the condition "own" has no targets'):
        from_votes([replace(VOTE, right_condition="own")])


def test_every_outcome_lands_in_its_cell() -> None:
    table = tabulate(["a", "b", "a", "b"], ["b", "a", "b", "a"], ["left", "left", "right", "tie"], participants=None, prompts=None)
    counted = tally(table)
    assert counted.decided[0].tolist() == [[0, 1], [2, 0]]
    assert counted.tied[0].tolist() == [[0, 1], [1, 0]]
    assert counted.halved[0].tolist() == [[0, 1.5], [2.5, 0]]


@given(st.lists(st.tuples(NAMES, NAMES, st.sampled_from(["left", "right", "tie"])), min_size=1))
def test_no_vote_is_lost_and_swapping_sides_changes_no_count(rows: list[tuple[str, str, str]]) -> None:
    mirror = {"left": "right", "right": "left", "tie": "tie"}
    left, right, choices = (list(column) for column in zip(*rows, strict=True))
    as_shown = tabulate(left, right, choices, participants=None, prompts=None)
    mirrored = tabulate(right, left, [mirror[choice] for choice in choices], participants=None, prompts=None)
    one, other = tally(as_shown), tally(mirrored)
    assert np.array_equal(one.decided, other.decided)
    assert np.array_equal(one.tied, other.tied)
    assert one.decided.sum() + one.tied.sum() // 2 + as_shown.same_item == len(rows)


@given(st.lists(st.text(max_size=3) | st.sampled_from(["", "\0", "é", "e\u0301", "\U0001f600", "\uffff", "Z", "a"])))
def test_encoding_sorts_the_distinct_labels_and_loses_no_entry(labels: list[str]) -> None:
    coded = encode(labels)
    assert coded.labels == tuple(sorted(set(labels)))
    assert coded.codes.tolist() == [coded.labels.index(label) for label in labels]
    assert coded.codes.dtype == np.int64


@given(st.lists(st.tuples(NAMES, NAMES, NAMES), min_size=1))
def test_labels_that_no_comparison_uses_are_dropped(rows: list[tuple[str, str, str]]) -> None:
    left, right, people = (list(column) for column in zip(*rows, strict=True))
    table = tabulate(left, right, ["left"] * len(rows), participants=people, prompts=None)
    kept = [row for row in rows if row[0] != row[1]]
    assert sides(table) == [(a, b) for a, b, _ in kept]
    assert table.items == tuple(sorted({name for a, b, _ in kept for name in (a, b)}))
    assert table.participant is not None
    assert [table.participant.labels[code] for code in table.participant.codes] == [who for _, _, who in kept]
    assert table.participant.labels == tuple(sorted({who for _, _, who in kept}))


def test_a_condition_left_out_takes_its_votes_along_and_is_remembered() -> None:
    table = tabulate(["a", "b", "c"], ["b", "c", "a"], ["left"] * 3, participants=["p", "q", "r"], prompts=None)
    kept = without(table, ["c"])
    assert sides(kept) == [("a", "b")]
    assert (kept.items, kept.left_out) == (("a", "b"), ("c",))
    with pytest.raises(ExperimentError, match='cannot leave out "d": the votes compare a, b, c'):
        without(table, ["d"])


def test_cells_count_votes_by_participant_prompt_and_side() -> None:
    table = tabulate(
        ["a", "b", "a", "a"], ["b", "a", "b", "b"], ["left", "left", "right", "tie"], participants=["p", "p", "p", "q"], prompts=["x"] * 4
    )
    counted = cells(table)
    assert (counted.participants, counted.prompts) == (2, 1)
    rows = zip(counted.participant, counted.left, counted.right, counted.left_wins, counted.right_wins, counted.ties, strict=True)
    assert [tuple(int(value) for value in row) for row in rows] == [(0, 0, 1, 1, 1, 0), (0, 1, 0, 1, 0, 0), (1, 0, 1, 0, 0, 1)]


def test_groups_add_up_to_all_votes() -> None:
    rng = np.random.default_rng(1)
    left, right = (np.array(list("abcd"))[codes] for codes in rng.integers(0, 4, (2, 200)))
    choices = np.array(["left", "right", "tie"])[rng.integers(0, 3, 200)].tolist()
    people, prompts = rng.integers(0, 5, 200).astype(str).tolist(), rng.integers(0, 3, 200).astype(str).tolist()
    counted = cells(tabulate(left, right, choices, participants=people, prompts=prompts))
    whole = group_wins(counted, by="all")
    for by, groups in (("participant", 5), ("prompt", 3), ("both", 15)):
        parts = group_wins(counted, by=by)  # type: ignore[arg-type]
        assert len(parts.decided) == groups
        assert np.array_equal(parts.halved.sum(axis=0), whole.halved[0])


@pytest.mark.parametrize("kind", ["catch", "repeat"])
def test_what_is_not_scored_must_be_set_aside_before(kind: VoteKind) -> None:
    with pytest.raises(ExperimentError, match=f'trial "{VOTE.trial}" is a {kind}, which is never scored; set it aside'):
        from_votes([replace(VOTE, kind=kind)])
