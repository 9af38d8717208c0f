"""Stimuli for the tests of the design: only the part that a schedule depends on, complete studies and irregular ones."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from hypothesis import strategies as some

from study.config import StudyTable
from study.design.schedule import schedule_for
from study.design.trial import Trial

SEEDS = some.integers(0, 2**32 - 1)
SLOTS = some.integers(0, 40)


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
    return [Stimulus(f"p{p:02}-{name}-{user}", f"p{p:02}", name, user) for p in range(prompts) for name, user in arms]


def studies() -> some.SearchStrategy[list[Stimulus]]:
    """Draw studies, also such in which prompts have different arms."""
    arm = some.tuples(some.sampled_from("abc"), some.sampled_from([None, "u1", "u2", "u3"]))
    prompt = some.lists(arm, min_size=2, max_size=7, unique=True)

    def built(prompts: list[list[tuple[str, str | None]]]) -> list[Stimulus]:
        return [Stimulus(f"{p}-{name}-{user}", f"p{p}", name, user) for p, arms in enumerate(prompts) for name, user in arms]

    return some.lists(prompt, min_size=1, max_size=5).map(built)


def schedule(
    slot: int,
    stimuli: Sequence[Stimulus],
    *,
    seed: int = 1,
    table: StudyTable | None = None,
    contrasts: frozenset[frozenset[str]] | None = None,
    target_user: str | None = None,
) -> tuple[Trial, ...]:
    """Return a schedule; without a table, all pairs and no practice."""
    return schedule_for(slot, stimuli, seed=seed, table=table or StudyTable(practice=0), contrasts=contrasts, target_user=target_user)


def comparisons(trials: Iterable[Trial]) -> list[Trial]:
    return [trial for trial in trials if trial.kind == "comparison"]


def shown(trial: Trial) -> frozenset[str]:
    return frozenset((trial.left, str(trial.right)))


def leanings(trials: Iterable[Trial], stimuli: Sequence[Stimulus], part: Callable[[Stimulus], Hashable]) -> Counter[Hashable]:
    """Return how much more often each part of the stimuli is left than right."""
    known = {stimulus.stimulus: stimulus for stimulus in stimuli}
    leaning: Counter[Hashable] = Counter()
    for trial in trials:
        leaning[part(known[trial.left])] += 1
        leaning[part(known[str(trial.right)])] -= 1
    return leaning


def repeated_images(trials: Sequence[Trial]) -> int:
    """Return how often an image is in two trials in a row."""
    return sum(bool(shown(one) & shown(two)) for one, two in pairwise(trials))
