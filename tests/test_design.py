"""The schedule: every pair once, sides that lean nowhere, even blocks, the same again from the same seed."""

from collections import Counter
from itertools import combinations, pairwise, permutations

import pytest
from designs_made import SEEDS, SLOTS, Stimulus, comparisons, complete, leanings, repeated_images, schedule, shown, studies
from hypothesis import given
from hypothesis import strategies as some

from stimuli.experiment import ExperimentError
from study.config import RatingTable, StudyTable
from study.design.pairs import names_seen
from study.design.schedule import rating_schedule_for
from study.design.trial import Trial


@given(studies(), SEEDS, SLOTS, some.integers(0, 6))
def test_every_pair_of_a_prompt_is_compared_exactly_once(stimuli: list[Stimulus], seed: int, slot: int, practice: int) -> None:
    trials = schedule(slot, stimuli, seed=seed, table=StudyTable(practice=practice))
    wanted = Counter(frozenset((a.stimulus, b.stimulus)) for a, b in combinations(stimuli, 2) if a.prompt == b.prompt)
    assert Counter(shown(trial) for trial in comparisons(trials)) == wanted


@given(studies(), SEEDS, some.integers(0, 6))
def test_practice_comes_first_and_shows_real_pairs(stimuli: list[Stimulus], seed: int, practice: int) -> None:
    trials = schedule(0, stimuli, seed=seed, table=StudyTable(practice=practice))
    assert [trial.kind for trial in trials[:practice]] == ["practice"] * practice
    assert all(trial.kind == "comparison" for trial in trials[practice:])
    assert {shown(trial) for trial in trials[:practice]} <= {shown(trial) for trial in comparisons(trials)}


# --- Sides ---


@given(studies(), SEEDS, some.sampled_from(["all", "informative", "incomplete"]), some.sampled_from(["u1", None]))
def test_no_condition_and_no_target_leans_to_a_side_by_more_than_one_trial(
    stimuli: list[Stimulus], seed: int, pairs: str, user: str | None
) -> None:
    table = StudyTable(practice=0, pairs=pairs, per_participant=1 if pairs == "incomplete" else None)  # type: ignore[arg-type]
    try:
        trials = schedule(0, stimuli, seed=seed, table=table, target_user=user)
    except ExperimentError:
        return
    for part in (lambda stimulus: stimulus.condition, lambda stimulus: (stimulus.condition, stimulus.target_user)):
        assert all(abs(leaning) <= 1 for leaning in leanings(comparisons(trials), stimuli, part).values())


@given(SEEDS, SLOTS, some.integers(1, 6), some.sampled_from(["u2", None]))
def test_with_one_of_the_others_each_two_names_share_their_sides_evenly(seed: int, slot: int, prompts: int, user: str | None) -> None:
    stimuli = complete(prompts, 3, 5)
    names = names_seen(stimuli, user)
    trials = schedule(slot, stimuli, seed=seed, table=StudyTable(practice=0, others="one"), target_user=user)
    ways = Counter((names[trial.left], names[str(trial.right)]) for trial in trials)
    assert all(abs(ways[one, two] - ways[two, one]) <= prompts % 2 for one, two in list(ways))
    assert all(abs(leaning) <= 1 for leaning in leanings(trials, stimuli, lambda stimulus: names[stimulus.stimulus]).values())


@given(some.integers(1, 6), some.integers(0, 3), some.integers(2, 6), SEEDS)
def test_each_two_arms_share_their_sides_evenly_over_the_prompts(prompts: int, generic: int, targets: int, seed: int) -> None:
    stimuli = complete(prompts, generic, targets)
    known = {stimulus.stimulus: stimulus for stimulus in stimuli}
    ways: Counter[tuple[object, object]] = Counter()
    for trial in comparisons(schedule(0, stimuli, seed=seed)):
        left, right = ((known[side].condition, known[side].target_user) for side in (trial.left, str(trial.right)))
        ways[left, right] += 1
    assert all(abs(ways[one, two] - ways[two, one]) <= prompts % 2 for one, two in list(ways))


@given(studies(), SEEDS, some.integers(0, 20), some.sampled_from([("u1", "u2"), (None, "u3"), (None, None)]))
def test_over_two_participants_in_a_row_each_pair_is_shown_both_ways(
    stimuli: list[Stimulus], seed: int, twins: int, users: tuple[str | None, str | None]
) -> None:
    table = StudyTable(practice=1, catch=0)
    one, two = (comparisons(schedule(2 * twins + other, stimuli, seed=seed, table=table, target_user=users[other])) for other in (0, 1))
    assert {(trial.left, trial.right) for trial in one} == {(trial.right, trial.left) for trial in two}


def test_sides_and_order_differ_between_participants_and_lean_nowhere_by_chance() -> None:
    stimuli = complete(3, 2, 0)
    firsts = Counter(comparisons(schedule(2 * k, stimuli))[0] for k in range(300))
    # Three pairs, two ways each: 50 expected of each, standard deviation 6.5.
    assert len(firsts) == 6
    assert all(24 <= count <= 76 for count in firsts.values())


# --- Order and blocks ---


@given(some.integers(2, 6), some.integers(2, 6), SEEDS, some.integers(0, 3), some.sampled_from([0, 7, 40]))
def test_no_image_is_in_two_trials_in_a_row_where_prompts_can_alternate(
    prompts: int, arms: int, seed: int, practice: int, block: int
) -> None:
    table = StudyTable(practice=practice, block=block)
    assert repeated_images(schedule(0, complete(prompts, arms, 0), seed=seed, table=table)) == 0


@given(some.integers(6, 9), SEEDS)
def test_no_image_is_in_two_trials_in_a_row_even_with_one_prompt(arms: int, seed: int) -> None:
    assert repeated_images(schedule(0, complete(1, arms, 0), seed=seed)) == 0


@pytest.mark.parametrize("sizes", [(3,), (4,), (2, 2), (3, 2), (2, 2, 3), (3, 3), (4, 2)])
def test_where_repeats_cannot_be_avoided_there_are_as_few_as_any_order_has(sizes: tuple[int, ...]) -> None:
    stimuli = [Stimulus(f"{p}-{arm}", f"p{p}", f"c{arm}") for p, size in enumerate(sizes) for arm in range(size)]
    for seed in range(5):
        trials = comparisons(schedule(0, stimuli, seed=seed))
        assert repeated_images(trials) == min(repeated_images(order) for order in permutations(trials))


def test_prompts_are_mixed() -> None:
    trials = comparisons(schedule(0, complete(4, 3, 6), seed=3))
    assert sum(one.prompt == two.prompt for one, two in pairwise(trials)) < len(trials) / 20


@given(some.integers(1, 30), some.integers(0, 5), SEEDS)
def test_blocks_have_the_length_that_was_asked_for(block: int, catch: int, seed: int) -> None:
    trials = schedule(0, complete(4, 4, 0), seed=seed, table=StudyTable(practice=2, block=block, catch=catch))[2:]
    assert [trial.block for trial in trials] == [position // block for position in range(24 + catch)]


def test_without_breaks_there_is_one_block() -> None:
    assert {trial.block for trial in schedule(0, complete(6, 5, 0), table=StudyTable(block=0))} == {0}


@given(SEEDS, some.sampled_from([None, "u0"]), some.sampled_from([(0, 0), (3, 12)]), some.integers(15, 60))
def test_each_block_has_its_share_of_each_two_conditions(seed: int, user: str | None, woven: tuple[int, int], block: int) -> None:
    stimuli = complete(6, 3, 4)
    names = names_seen(stimuli, user)
    table = StudyTable(practice=2, block=block, catch=woven[0], repeats=woven[1])
    trials = comparisons(schedule(0, stimuli, seed=seed, table=table, target_user=user))
    cells = Counter((trial.block, frozenset(names[image] for image in shown(trial))) for trial in trials)
    contrasts = Counter(frozenset(names[image] for image in shown(trial)) for trial in trials)
    lengths = Counter(trial.block for trial in trials)
    for contrast, count in contrasts.items():
        assert all(abs(cells[number, contrast] - count * length / len(trials)) < 2 for number, length in lengths.items())


# --- Reproducible ---


@given(studies(), SEEDS, SLOTS, some.randoms())
def test_the_same_seed_gives_the_same_schedule_whatever_the_order_of_the_stimuli(
    stimuli: list[Stimulus], seed: int, slot: int, random: object
) -> None:
    shuffled = list(stimuli)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    table = StudyTable(practice=2)
    assert schedule(slot, stimuli, seed=seed, table=table) == schedule(slot, shuffled, seed=seed, table=table)


@given(SEEDS, SLOTS, some.randoms(), some.sampled_from([None, "u1"]))
def test_an_incomplete_schedule_with_everything_in_it_is_the_same_again_too(seed: int, slot: int, random: object, user: str | None) -> None:
    stimuli = complete(4, 2, 3)
    shuffled = list(stimuli)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    table = StudyTable(practice=2, pairs="incomplete", per_participant=10, others="one", catch=2, repeats=3, block=7)
    once, again = (schedule(slot, some_order, seed=seed, table=table, target_user=user) for some_order in (stimuli, shuffled))
    assert once == again


def test_another_seed_gives_another_schedule() -> None:
    stimuli = complete(3, 3, 0)
    assert schedule(0, stimuli, seed=1) != schedule(0, stimuli, seed=2)


def test_a_schedule_stays_what_it_is() -> None:
    """Schedules are made when people arrive, so a new version must give those who come later what the old one would have."""
    table = StudyTable(practice=1, pairs="incomplete", per_participant=6, repeats=1, catch=1, block=5)
    told = [f"{trial.kind} {trial.left}|{trial.right}" for trial in schedule(3, complete(2, 3, 2), seed=7, table=table)]
    assert told == [
        "practice p00-c2-None|p00-c1-None",
        "comparison p01-personal-u1|p01-c2-None",
        "catch p01-c0-None|p01-personal-u0",
        "comparison p00-c2-None|p00-c0-None",
        "comparison p01-personal-u0|p01-c0-None",
        "comparison p00-c1-None|p00-personal-u1",
        "comparison p01-c0-None|p01-c1-None",
        "comparison p00-c1-None|p00-c2-None",
        "repeat p01-c2-None|p01-personal-u1",
    ]


# --- Ratings ---


def pool(images: int, prompts: int) -> list[tuple[str, str]]:
    return [(f"i{number:02}", f"p{number % prompts}") for number in range(images)]


def rated(trials: tuple[Trial, ...]) -> list[str]:
    return [trial.left for trial in trials if trial.kind == "rating"]


@given(some.integers(1, 30), some.integers(1, 6), some.data(), SEEDS, some.integers(1, 25))
def test_each_image_is_rated_as_often_as_any_other_give_or_take_one(
    images: int, prompts: int, data: some.DataObject, seed: int, people: int
) -> None:
    size = data.draw(some.integers(1, images))
    table = RatingTable(practice=0, per_participant=size)
    counts = Counter({image: 0 for image, _ in pool(images, prompts)})
    for slot in range(people):
        mine = rated(rating_schedule_for(slot, pool(images, prompts), seed=seed, table=table))
        assert len(set(mine)) == len(mine) == size
        counts.update(mine)
    assert max(counts.values()) - min(counts.values()) <= 1


@given(SEEDS, SLOTS, some.integers(0, 5), some.integers(0, 6), some.integers(0, 9))
def test_a_rating_schedule_is_practice_then_ratings_with_repeats_of_earlier_ones(
    seed: int, slot: int, practice: int, repeats: int, block: int
) -> None:
    table = RatingTable(practice=practice, per_participant=15, repeats=repeats, block=block)
    trials = rating_schedule_for(slot, pool(40, 8), seed=seed, table=table)
    assert Counter(trial.kind for trial in trials) == Counter({"practice": practice, "rating": 15, "repeat": repeats})
    assert [trial.kind for trial in trials[:practice]] == ["practice"] * practice
    after = trials[practice:]
    assert [trial.block for trial in after] == [position // block if block else 0 for position in range(len(after))]
    again = [(position, trial.left) for position, trial in enumerate(after) if trial.kind == "repeat"]
    first = {trial.left: position for position, trial in enumerate(after) if trial.kind == "rating"}
    assert all(position - first[image] >= 5 for position, image in again)
    assert len({image for _, image in again}) == repeats
    assert not {trial.left for trial in trials[:practice]} & first.keys()
    assert all(trial.right is None and trial.prompt == dict(pool(40, 8))[trial.left] for trial in trials)


def test_the_order_of_ratings_differs_between_slots() -> None:
    table = RatingTable(practice=0, per_participant=10)
    orders = {tuple(rated(rating_schedule_for(slot, pool(10, 10), seed=1, table=table))) for slot in range(20)}
    assert len(orders) == 20


def test_more_ratings_than_images_are_refused() -> None:
    expected = (
        r"study.toml: \[rating\] per_participant is 15, but there are 10 images to rate; write per_participant = 10, or make more images"
    )
    with pytest.raises(ExperimentError, match=expected):
        rating_schedule_for(0, pool(10, 2), seed=1, table=RatingTable())


def test_no_images_to_rate_are_refused() -> None:
    with pytest.raises(ExperimentError, match=r"there are no images to rate; `tastebench stimuli pool` makes them"):
        rating_schedule_for(0, [], seed=1, table=RatingTable())
