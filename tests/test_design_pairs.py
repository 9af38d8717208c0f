"""Which pairs are asked: all, informative ones, those of the claims, an incomplete share; and whose images stand for the others."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import combinations

import pytest
from designs_made import SEEDS, Stimulus, comparisons, complete, schedule, shown
from hypothesis import given
from hypothesis import strategies as some

from stimuli.experiment import ExperimentError
from study.config import StudyTable
from study.design.pairs import contrasts_of, names_seen
from study.design.slots import free_slot, share
from study.design.trial import Trial


@dataclass(frozen=True)
class Claim:
    type: str
    a: str | None = None
    b: str | None = None
    items: tuple[str, ...] = ()


def told(trials: tuple[Trial, ...], stimuli: list[Stimulus], user: str | None) -> Counter[tuple[str, ...]]:
    """Return how often each two names are compared."""
    names = names_seen(stimuli, user)
    return Counter(tuple(sorted(names[image] for image in shown(trial))) for trial in comparisons(trials))


# --- Names and claims ---


def test_an_image_is_own_or_others_by_whom_it_was_made_for() -> None:
    names = names_seen(complete(1, 1, 2), "u1")
    assert names == {"p00-c0-None": "c0", "p00-personal-u0": "others", "p00-personal-u1": "own"}


def test_where_several_conditions_have_targets_their_names_are_told() -> None:
    stimuli = [Stimulus("a", "p", "x", "u1"), Stimulus("b", "p", "y", "u2")]
    assert names_seen(stimuli, "u1") == {"a": "own (x)", "b": "others (y)"}


def test_claims_name_their_two_sides_and_the_neighbours_of_an_order() -> None:
    claims = [Claim("greater", "own", "c0"), Claim("order", items=("own", "others", "c1")), Claim("consistent_runs")]
    assert contrasts_of(claims) == {frozenset(two) for two in (("own", "c0"), ("own", "others"), ("others", "c1"))}


def test_personal_match_needs_others_compared_with_each_other_too() -> None:
    assert contrasts_of([Claim("personal_match")]) == {frozenset(("own", "others")), frozenset(("others",))}


@pytest.mark.parametrize("claims", [[], [Claim("consistent_runs")]])
def test_without_such_claims_there_are_no_contrasts(claims: list[Claim]) -> None:
    assert contrasts_of(claims) is None


# --- Which pairs ---


def test_informative_pairs_leave_out_those_of_one_name() -> None:
    stimuli = complete(2, 3, 6)
    table = StudyTable(practice=0, pairs="informative")
    found = told(schedule(0, stimuli, table=table, target_user="u3"), stimuli, "u3")
    # Of 36 pairs a prompt, 10 are of two images that were both made for others.
    assert found.total() == 2 * 26
    assert ("others", "others") not in found
    assert told(schedule(0, stimuli, table=table), stimuli, None).total() == 2 * 21


def test_claimed_pairs_are_those_that_a_claim_names() -> None:
    stimuli = complete(3, 3, 4)
    contrasts = contrasts_of([Claim("order", items=("own", "others", "c1"))])
    table = StudyTable(practice=0, pairs="claims")
    found = told(schedule(0, stimuli, table=table, contrasts=contrasts, target_user="u0"), stimuli, "u0")
    assert found == {("others", "own"): 9, ("c1", "others"): 9}
    assert told(schedule(0, stimuli, table=table, contrasts=contrasts), stimuli, None) == {("c1", "others"): 12}


def test_claimed_pairs_without_claims_are_refused() -> None:
    expected = r'\[study\] pairs = "claims", but no \[\[claim\]\] compares two conditions; add such a claim, or write pairs = "all"'
    with pytest.raises(ExperimentError, match=expected):
        schedule(0, complete(1, 2, 0), table=StudyTable(pairs="claims"))


def test_a_claim_about_images_that_are_not_there_is_refused() -> None:
    expected = (
        r'a \[\[claim\]\] names "c9", and no stimulus is called so; the names are c0, others, own. Correct the claim, or make the missing'
    )
    with pytest.raises(ExperimentError, match=expected):
        schedule(0, complete(1, 1, 2), table=StudyTable(pairs="claims"), contrasts=frozenset({frozenset(("own", "c9"))}))


def test_a_participant_with_nothing_to_compare_is_refused() -> None:
    expected = (
        r'pairs = "claims", others = "all" leaves a participant who is no target user nothing to compare; write "all" for both, or let'
    )
    with pytest.raises(ExperimentError, match=expected):
        schedule(0, complete(1, 2, 2), table=StudyTable(pairs="claims"), contrasts=frozenset({frozenset(("own", "c0"))}))


def test_a_prompt_with_one_stimulus_is_refused() -> None:
    stimuli = [*complete(1, 2, 0), Stimulus("lone", "p9", "initial")]
    expected = r'prompt "p9" has 1 stimulus \(condition "initial"\) and a comparison needs 2; add a \[\[condition\]\] to study.toml'
    with pytest.raises(ExperimentError, match=expected):
        schedule(0, stimuli)


def test_no_stimuli_are_refused() -> None:
    with pytest.raises(ExperimentError, match=r"there are no stimuli to compare; `tastebench stimuli steer` makes them"):
        schedule(0, [])


# --- Incomplete ---


def incomplete(size: int) -> StudyTable:
    return StudyTable(practice=0, pairs="incomplete", per_participant=size)


@given(some.integers(1, 4), some.integers(2, 5), some.data(), SEEDS, some.integers(1, 20))
def test_each_pair_is_asked_as_often_as_any_other_give_or_take_one(
    prompts: int, arms: int, data: some.DataObject, seed: int, people: int
) -> None:
    stimuli = complete(prompts, arms, 0)
    counts = Counter({frozenset((a.stimulus, b.stimulus)): 0 for a, b in combinations(stimuli, 2) if a.prompt == b.prompt})
    size = data.draw(some.integers(1, len(counts)))
    for slot in range(people):
        mine = Counter(shown(trial) for trial in schedule(slot, stimuli, seed=seed, table=incomplete(size)))
        assert mine.total() == len(mine) == size
        counts.update(mine)
    assert max(counts.values()) - min(counts.values()) <= 1


@given(SEEDS, some.integers(0, 30), some.integers(10, 100))
def test_an_incomplete_share_is_even_over_conditions_and_prompts(seed: int, slot: int, size: int) -> None:
    stimuli = complete(10, 5, 0)
    trials = schedule(slot, stimuli, seed=seed, table=incomplete(size))
    contrasts = told(trials, stimuli, None)
    prompts = Counter(trial.prompt for trial in trials)
    assert all(abs(contrasts[two] - size / 10) < 2 for two in combinations([f"c{number}" for number in range(5)], 2))
    assert all(abs(prompts[f"p{number:02}"] - size / 10) < 4 for number in range(10))


@given(SEEDS, some.integers(1, 30), some.integers(0, 60))
def test_the_twin_in_an_incomplete_design_sees_the_same_pairs_with_sides_swapped(seed: int, size: int, slot: int) -> None:
    stimuli = complete(3, 5, 0)
    mine = share(slot, of=30, size=size)
    twin = next(other for other in range(1000) if other != slot and share(other, of=30, size=size).twins == mine.twins)
    one, two = (schedule(number, stimuli, seed=seed, table=incomplete(size)) for number in (slot, twin))
    assert {(trial.left, trial.right) for trial in one} == {(trial.right, trial.left) for trial in two}


def test_another_series_has_another_order() -> None:
    stimuli = complete(3, 5, 0)
    first, third = ({shown(trial) for trial in schedule(slot, stimuli, table=incomplete(10))} for slot in (0, 6))
    assert share(0, of=30, size=10).parts == share(6, of=30, size=10).parts
    assert first != third


def test_who_is_a_target_user_changes_nothing_about_an_incomplete_share() -> None:
    stimuli = complete(3, 2, 3)
    assert schedule(4, stimuli, table=incomplete(7))[0].prompt
    one, other = ({shown(trial) for trial in schedule(4, stimuli, table=incomplete(7), target_user=who)} for who in (None, "u1"))
    assert one == other


def test_more_pairs_each_than_there_are_is_refused() -> None:
    expected = r'\[study\] per_participant is 7, but there are only 6 pairs to compare; write a smaller number, or pairs = "all" without'
    with pytest.raises(ExperimentError, match=expected):
        schedule(0, complete(2, 3, 0), table=incomplete(7))


# --- One of the others ---

ONE = StudyTable(practice=0, others="one")


def others_seen(trials: tuple[Trial, ...], stimuli: list[Stimulus], user: str | None) -> dict[str, set[str | None]]:
    """Return by prompt whose images the participant sees besides their own."""
    known = {stimulus.stimulus: stimulus for stimulus in stimuli}
    found: dict[str, set[str | None]] = defaultdict(set)
    for image in (image for trial in trials for image in shown(trial)):
        if known[image].target_user not in (None, user):
            found[known[image].prompt].add(known[image].target_user)
    return found


@given(SEEDS, some.integers(1, 12), some.integers(2, 6), some.integers(0, 20))
def test_each_prompt_has_one_other_and_all_of_them_equally_often(seed: int, prompts: int, targets: int, slot: int) -> None:
    stimuli = complete(prompts, 1, targets)
    found = others_seen(schedule(slot, stimuli, seed=seed, table=ONE, target_user="u0"), stimuli, "u0")
    assert len(found) == prompts
    assert all(len(users) == 1 for users in found.values())
    times = Counter({f"u{number}": 0 for number in range(1, targets)}) + Counter(next(iter(users)) for users in found.values())
    assert all(prompts // (targets - 1) <= times[f"u{number}"] <= -(-prompts // (targets - 1)) for number in range(1, targets))


@given(SEEDS, some.integers(1, 5), some.integers(2, 6))
def test_the_target_users_together_see_each_others_images_once_at_each_prompt(seed: int, prompts: int, targets: int) -> None:
    stimuli = complete(prompts, 1, targets)
    seen = Counter(
        (prompt, other)
        for slot in range(targets)
        for prompt, users in others_seen(schedule(slot, stimuli, seed=seed, table=ONE, target_user=f"u{slot}"), stimuli, f"u{slot}").items()
        for other in users
    )
    assert seen == Counter({(f"p{prompt:02}", f"u{user}"): 1 for prompt in range(prompts) for user in range(targets)})


def test_people_without_own_images_together_see_everybody_equally_often() -> None:
    stimuli = complete(3, 1, 4)
    seen = Counter(
        (prompt, other)
        for slot in range(8)
        for prompt, users in others_seen(schedule(slot, stimuli, table=ONE), stimuli, None).items()
        for other in users
    )
    assert set(seen.values()) == {2}
    assert len(seen) == 12


def test_a_prompt_of_which_one_image_is_left_is_not_asked_about() -> None:
    stimuli = [*complete(1, 2, 0), Stimulus("a", "p9", "personal", "u1"), Stimulus("b", "p9", "personal", "u2")]
    assert {trial.prompt for trial in schedule(0, stimuli, table=ONE)} == {"p00"}
    assert {trial.prompt for trial in schedule(0, stimuli, table=ONE, target_user="u1")} == {"p00", "p9"}


def test_a_lone_target_user_has_no_others() -> None:
    stimuli = complete(2, 2, 1)
    assert others_seen(schedule(0, stimuli, table=ONE, target_user="u0"), stimuli, "u0") == {}


# --- Slots ---


@given(some.sets(some.integers(0, 30)), some.none() | some.integers(1, 20))
def test_the_lowest_free_slot_is_given(taken: set[int], participants: int | None) -> None:
    slot = free_slot(taken, participants=participants)
    below = set(range(participants)) - taken if participants else None
    if below is not None and not below:
        assert slot is None
    else:
        assert slot is not None and slot not in taken and set(range(slot)) <= taken
        assert participants is None or slot < participants
