"""Which two images are compared: all pairs of a prompt, those that carry something, or those that a claim names."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any, Protocol

import numpy as np

from stimuli.experiment import ExperimentError
from study.config import StudyTable

# The names that two images go by; one name for two images of the same.
Contrast = frozenset[str]

# What separates the random numbers of this module from those of the others.
_OTHERS = 3


class Judged(Protocol):
    """The part of a stimulus that the schedule depends on (`stimuli.manifest.Stimulus` has it)."""

    @property
    def stimulus(self) -> str:
        """Its id."""
        ...

    @property
    def prompt(self) -> str:
        """The id of its base prompt."""
        ...

    @property
    def condition(self) -> str:
        """How it was made."""
        ...

    @property
    def target_user(self) -> str | None:
        """Whom it was steered for, None for everybody."""
        ...

    @property
    def run(self) -> int:
        """Which of several runs made it."""
        ...


@dataclass(frozen=True)
class Pair:
    """Two images of one prompt, side by side."""

    left: Judged
    right: Judged

    @property
    def prompt(self) -> str:
        """The id of their base prompt."""
        return self.left.prompt

    @property
    def images(self) -> tuple[str, ...]:
        """The ids of what is shown."""
        return self.left.stimulus, self.right.stimulus

    @property
    def swapped(self) -> "Pair":
        """The same two with sides swapped."""
        return Pair(self.right, self.left)


def contrasts_of(claims: Sequence[Any]) -> frozenset[Contrast] | None:
    """Return which names the `[[claim]]`s compare, None where they compare none.

    An order compares each item with the next. Personal match compares images made for the participant with those made for
    others, and these among themselves: without the latter, a relabelling of whom an image was made for would not have the
    same comparisons. Whether runs are consistent is read from the prompts' words and needs no votes.
    """
    found: set[Contrast] = set()
    for claim in claims:
        if claim.type == "order":
            found |= {frozenset(two) for two in pairwise(claim.items)}
        elif claim.type == "personal_match":
            found |= {frozenset(("own", "others")), frozenset(("others",))}
        elif claim.a is not None and claim.b is not None:
            found.add(frozenset((claim.a, claim.b)))
    return frozenset(found) or None


def target_users(stimuli: Sequence[Judged]) -> tuple[str, ...]:
    """Return for whom images were steered, sorted."""
    return tuple(sorted({stimulus.target_user for stimulus in stimuli if stimulus.target_user is not None}))


def names_seen(stimuli: Sequence[Judged], target_user: str | None) -> dict[str, str]:
    """Return by stimulus what it is called when this participant judges it, as scores and claims call it.

    A condition's own name; of one with targets "own" where it was steered for the participant and else "others", with the
    condition in brackets where several have targets.
    """
    several = _several(stimuli)
    return {each.stimulus: _name(each, own=each.target_user == target_user, several=several) for each in stimuli}


def all_names(stimuli: Sequence[Judged]) -> tuple[str, ...]:
    """Return every name that some participant could see a stimulus by, sorted."""
    several = _several(stimuli)
    return tuple(sorted({_name(each, own=own, several=several) for each in stimuli for own in (True, False)}))


def _several(stimuli: Sequence[Judged]) -> bool:
    """Return whether more than one condition has targets."""
    return len({stimulus.condition for stimulus in stimuli if stimulus.target_user is not None}) > 1


def _name(stimulus: Judged, *, own: bool, several: bool) -> str:
    if stimulus.target_user is None:
        return stimulus.condition
    whose = "own" if own else "others"
    return f"{whose} ({stimulus.condition})" if several else whose


def pairs_for(
    stimuli: Sequence[Judged], *, table: StudyTable, contrasts: frozenset[Contrast] | None, target_user: str | None, turn: int, seed: int
) -> list[Pair]:
    """Return the pairs of images that the participant may be asked about, sorted by prompt; `turn` counts the participants.

    With `pairs = "incomplete"` a participant is asked only some of them (`slots.share`).

    Raises:
        ExperimentError: there are no stimuli, a prompt has fewer than two, or no pair is left to ask about.
    """
    _refuse_lone_stimuli(stimuli)
    seen = _one_other(stimuli, target_user, turn=turn, seed=seed) if table.others == "one" else stimuli
    every = _pairs(seen)
    names = names_seen(stimuli, target_user)
    called = [(pair, frozenset(names[image] for image in pair.images)) for pair in every]
    if table.pairs == "informative":
        kept = [pair for pair, contrast in called if len(contrast) == 2]
    elif table.pairs == "claims":
        wanted = _claimed(contrasts, all_names(stimuli))
        kept = [pair for pair, contrast in called if contrast in wanted]
    else:
        kept = every
    if not kept:
        raise ExperimentError(_why_nothing(table, target_user))
    return kept


def _refuse_lone_stimuli(stimuli: Sequence[Judged]) -> None:
    if not stimuli:
        raise ExperimentError("there are no stimuli to compare; `tastebench stimuli steer` makes them")
    times = Counter(stimulus.prompt for stimulus in stimuli)
    lone = next((stimulus for stimulus in stimuli if times[stimulus.prompt] == 1), None)
    if lone is not None:
        raise ExperimentError(
            f'prompt "{lone.prompt}" has 1 stimulus (condition "{lone.condition}") and a comparison needs 2; '
            "add a [[condition]] to study.toml and run `tastebench stimuli steer` again"
        )


def _pairs(stimuli: Sequence[Judged]) -> list[Pair]:
    of_prompt: dict[str, list[Judged]] = defaultdict(list)
    for stimulus in sorted(stimuli, key=lambda stimulus: stimulus.stimulus):
        of_prompt[stimulus.prompt].append(stimulus)
    return [Pair(*two) for prompt in sorted(of_prompt) for two in combinations(of_prompt[prompt], 2)]


def _claimed(contrasts: frozenset[Contrast] | None, known: Sequence[str]) -> frozenset[Contrast]:
    if contrasts is None:
        raise ExperimentError(
            'study.toml: [study] pairs = "claims", but no [[claim]] compares two conditions; add such a claim, or write pairs = "all"'
        )
    # Personal match says "own" and "others" also where several conditions have targets; the analysis then tells it cannot be tested.
    unknown = sorted({name for contrast in contrasts for name in contrast} - {*known, "own", "others"})
    if unknown:
        raise ExperimentError(
            f'study.toml: a [[claim]] names "{unknown[0]}", and no stimulus is called so; the names are {", ".join(known)}. '
            "Correct the claim, or make the missing images with `tastebench stimuli steer`"
        )
    return contrasts


def _why_nothing(table: StudyTable, target_user: str | None) -> str:
    who = "who is no target user" if target_user is None else f'"{target_user}"'
    return (
        f'study.toml: [study] pairs = "{table.pairs}", others = "{table.others}" leaves a participant {who} nothing to compare; '
        'write "all" for both, or let only people take part for whom images were made'
    )


# --- One of the others ---


def _one_other(stimuli: Sequence[Judged], target_user: str | None, *, turn: int, seed: int) -> list[Judged]:
    """Return the stimuli with the images of only one other target user for each prompt and condition."""
    prompts = sorted({stimulus.prompt for stimulus in stimuli})
    places = {prompts[index]: place for place, index in enumerate(np.random.default_rng([seed, _OTHERS]).permutation(len(prompts)))}
    targets: dict[tuple[str, str], set[str]] = defaultdict(set)
    for stimulus in stimuli:
        if stimulus.target_user is not None:
            targets[stimulus.prompt, stimulus.condition].add(stimulus.target_user)
    shown = {
        (prompt, condition): {target_user, _other(sorted(users), target_user, turn=turn, place=places[prompt])}
        for (prompt, condition), users in targets.items()
    }
    return [each for each in stimuli if each.target_user is None or each.target_user in shown[each.prompt, each.condition]]


def _other(users: Sequence[str], target_user: str | None, *, turn: int, place: int) -> str | None:
    """Return whose images the participant sees beside their own, from a cycle over the prompts.

    A target user goes on from their own place in the circle by a step that depends on the prompt alone: at each prompt, all
    target users together see each other's images once. Anybody else begins where their turn has it.
    """
    if target_user not in users:
        return users[(turn + place) % len(users)]
    if len(users) == 1:
        return None
    return users[(users.index(target_user) + 1 + place % (len(users) - 1)) % len(users)]
