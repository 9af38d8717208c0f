"""The schedule: every pair once, sides that lean nowhere, an order that repeats no image, the same again from the same seed."""

from collections import Counter
from dataclasses import dataclass
from itertools import combinations, pairwise, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from stimuli.experiment import ExperimentError
from study.design import Trial, schedule, schedule_for


@dataclass(frozen=True)
class Stimulus:
    stimulus: str
    prompt: str
    condition: str
    target_user: str | None = None
    run: int = 0


def complete(prompts: int, generic: int, targets: int) -> list[Stimulus]:
    """Return what a study has where every prompt has every arm: some generic conditions, one steered for each target."""
    arms = [(f"c{number}", None) for number in range(generic)] + [("personal", f"u{number}") for number in range(targets)]
    return [Stimulus(f"p{p}-{name}-{user}", f"p{p}", name, user) for p in range(prompts) for name, user in arms]


def studies() -> some.SearchStrategy[list[Stimulus]]:
    """Draw studies, also such in which prompts have different arms."""
    arm = some.tuples(some.sampled_from("abc"), some.sampled_from([None, "u1", "u2", "u3"]))
    prompt = some.lists(arm, min_size=2, max_size=7, unique=True)

    def built(prompts: list[list[tuple[str, str | None]]]) -> list[Stimulus]:
        return [Stimulus(f"{p}-{name}-{user}", f"p{p}", name, user) for p, arms in enumerate(prompts) for name, user in arms]

    return some.lists(prompt, min_size=1, max_size=5).map(built)


SEEDS = some.integers(0, 2**32 - 1)


def comparisons(trials: tuple[Trial, ...]) -> list[Trial]:
    return [trial for trial in trials if trial.kind == "comparison"]


def leanings(trials: list[Trial], stimuli: list[Stimulus], part: object) -> Counter[object]:
    """Return how much more often each part of the stimuli is left than right."""
    known = {stimulus.stimulus: stimulus for stimulus in stimuli}
    leaning: Counter[object] = Counter()
    for trial in trials:
        leaning[part(known[trial.left])] += 1  # type: ignore[operator]
        leaning[part(known[trial.right])] -= 1  # type: ignore[operator]
    return leaning


def repeats(trials: list[Trial]) -> int:
    return sum(bool({one.left, one.right} & {two.left, two.right}) for one, two in pairwise(trials))


@given(studies(), SEEDS, some.integers(0, 9), some.integers(0, 6))
def test_every_pair_of_a_prompt_is_compared_exactly_once(stimuli: list[Stimulus], seed: int, number: int, practice: int) -> None:
    trials = schedule_for(number, stimuli, seed=seed, practice=practice)
    wanted = Counter(frozenset((a.stimulus, b.stimulus)) for a, b in combinations(stimuli, 2) if a.prompt == b.prompt)
    assert Counter(frozenset((trial.left, trial.right)) for trial in comparisons(trials)) == wanted


@given(studies(), SEEDS, some.integers(0, 6))
def test_practice_comes_first_and_shows_real_pairs(stimuli: list[Stimulus], seed: int, practice: int) -> None:
    trials = schedule_for(0, stimuli, seed=seed, practice=practice)
    assert [trial.kind for trial in trials[:practice]] == ["practice"] * practice
    assert all(trial.kind == "comparison" for trial in trials[practice:])
    pairs = {frozenset((trial.left, trial.right)) for trial in comparisons(trials)}
    assert all(frozenset((trial.left, trial.right)) in pairs for trial in trials[:practice])


@given(studies(), SEEDS)
def test_no_condition_and_no_target_leans_to_a_side_by_more_than_one_trial(stimuli: list[Stimulus], seed: int) -> None:
    trials = comparisons(schedule_for(0, stimuli, seed=seed, practice=0))
    for part in (lambda stimulus: stimulus.condition, lambda stimulus: (stimulus.condition, stimulus.target_user)):
        assert all(abs(leaning) <= 1 for leaning in leanings(trials, stimuli, part).values())


@given(some.integers(1, 6), some.integers(0, 3), some.integers(2, 6), SEEDS)
def test_each_two_arms_share_their_sides_evenly_over_the_prompts(prompts: int, generic: int, targets: int, seed: int) -> None:
    stimuli = complete(prompts, generic, targets)
    known = {stimulus.stimulus: stimulus for stimulus in stimuli}
    ways: Counter[tuple[object, object]] = Counter()
    for trial in comparisons(schedule_for(0, stimuli, seed=seed, practice=0)):
        left, right = ((known[side].condition, known[side].target_user) for side in (trial.left, trial.right))
        ways[left, right] += 1
    assert all(abs(ways[one, two] - ways[two, one]) <= prompts % 2 for one, two in list(ways))


@given(studies(), SEEDS, some.integers(0, 20))
def test_over_two_participants_in_a_row_each_pair_is_shown_both_ways(stimuli: list[Stimulus], seed: int, twins: int) -> None:
    one, two = (comparisons(schedule_for(2 * twins + other, stimuli, seed=seed, practice=1)) for other in (0, 1))
    assert {(trial.left, trial.right) for trial in one} == {(trial.right, trial.left) for trial in two}


def test_sides_and_order_differ_between_participants_and_lean_nowhere_by_chance() -> None:
    stimuli = complete(3, 2, 0)
    firsts = Counter(comparisons(schedule_for(2 * k, stimuli, seed=1, practice=0))[0] for k in range(300))
    # Three pairs, two ways each: 50 expected of each, standard deviation 6.5.
    assert len(firsts) == 6
    assert all(24 <= count <= 76 for count in firsts.values())


@given(some.integers(2, 6), some.integers(2, 6), SEEDS, some.integers(0, 3))
def test_no_image_is_in_two_trials_in_a_row_where_prompts_can_alternate(prompts: int, arms: int, seed: int, practice: int) -> None:
    trials = schedule_for(0, complete(prompts, arms, 0), seed=seed, practice=practice)
    assert repeats(list(trials)) == 0


@given(some.integers(6, 9), SEEDS)
def test_no_image_is_in_two_trials_in_a_row_even_with_one_prompt(arms: int, seed: int) -> None:
    assert repeats(list(schedule_for(0, complete(1, arms, 0), seed=seed, practice=0))) == 0


@pytest.mark.parametrize("sizes", [(3,), (4,), (2, 2), (3, 2), (2, 2, 3), (3, 3), (4, 2)])
def test_where_repeats_cannot_be_avoided_there_are_as_few_as_any_order_has(sizes: tuple[int, ...]) -> None:
    stimuli = [Stimulus(f"{p}-{arm}", f"p{p}", f"c{arm}") for p, size in enumerate(sizes) for arm in range(size)]
    for seed in range(5):
        trials = comparisons(schedule_for(0, stimuli, seed=seed, practice=0))
        assert repeats(trials) == min(repeats(list(order)) for order in permutations(trials))


def test_prompts_are_mixed() -> None:
    trials = comparisons(schedule_for(0, complete(4, 3, 6), seed=3, practice=0))
    assert sum(one.prompt == two.prompt for one, two in pairwise(trials)) < len(trials) / 20


@given(studies(), SEEDS, some.integers(0, 5), some.randoms())
def test_the_same_seed_gives_the_same_schedule_whatever_the_order_of_the_stimuli(
    stimuli: list[Stimulus], seed: int, number: int, random: object
) -> None:
    shuffled = list(stimuli)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert schedule_for(number, stimuli, seed=seed, practice=2) == schedule_for(number, shuffled, seed=seed, practice=2)


def test_another_seed_gives_another_schedule() -> None:
    stimuli = complete(3, 3, 0)
    assert schedule_for(0, stimuli, seed=1, practice=0) != schedule_for(0, stimuli, seed=2, practice=0)


def test_a_prompt_with_one_stimulus_is_refused() -> None:
    stimuli = [*complete(1, 2, 0), Stimulus("lone", "p9", "initial")]
    expected = r'prompt "p9" has 1 stimulus \(condition "initial"\) and a comparison needs 2; add a \[\[condition\]\] to study.toml'
    with pytest.raises(ExperimentError, match=expected):
        schedule_for(0, stimuli, seed=1, practice=0)


def test_no_stimuli_are_refused() -> None:
    rng = np.random.default_rng(1)
    with pytest.raises(ExperimentError, match=r"there are no stimuli to compare; `tastebench stimuli steer` makes them"):
        schedule([], practice=0, sides=rng, order=rng)
