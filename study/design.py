"""Who sees which two images, on which side and in which order; pure, and the same again from the same seed."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Literal, Protocol

import numpy as np

from stimuli.experiment import ExperimentError

Kind = Literal["practice", "comparison"]

# What separates the random numbers for sides from those for the order.
_SIDES, _ORDER = 1, 2
# Orders to try before a repeated image counts as unavoidable; with two prompts or more the first one nearly always does.
_ATTEMPTS = 100


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
class Trial:
    """Two stimuli of one prompt, side by side; an answer to a practice trial is never a vote."""

    kind: Kind
    prompt: str
    left: str
    right: str


@dataclass(frozen=True)
class _Arm:
    """What must not lean to one side: a condition, or one target user's part of it."""

    condition: str
    target_user: str
    run: int


@dataclass(frozen=True)
class _Pair:
    left: Judged
    right: Judged

    @property
    def swapped(self) -> "_Pair":
        return _Pair(self.right, self.left)

    def shares_an_image(self, other: "_Pair") -> bool:
        return bool({self.left.stimulus, self.right.stimulus} & {other.left.stimulus, other.right.stimulus})


def schedule_for(number: int, stimuli: Sequence[Judged], *, seed: int, practice: int) -> tuple[Trial, ...]:
    """Return the trials of the study's participant `number` (counted from 0), in the order they are shown.

    Participants 2k and 2k + 1 are twins: each pair of images that one sees left-right the other sees right-left, so that
    over every two participants the sides of each pair of images, and so of conditions, are exactly balanced.
    """
    sides = np.random.default_rng([seed, _SIDES, number // 2])
    order = np.random.default_rng([seed, _ORDER, number])
    return schedule(stimuli, practice=practice, sides=sides, order=order, mirrored=number % 2 == 1)


def schedule(
    stimuli: Sequence[Judged], *, practice: int, sides: np.random.Generator, order: np.random.Generator, mirrored: bool = False
) -> tuple[Trial, ...]:
    """Return `practice` practice trials, then every pair of the stimuli of each prompt once (PAMELA, section 6.1).

    Left and right counts differ by at most one for each condition, each target user's images in it, and each pair of such
    arms over the prompts; by none where the number of trials is even. Prompts are mixed, and no image is in two trials in
    a row where that can be avoided. The paper names no rule for sides or order; this one is ours.

    Raises:
        ExperimentError: there are no stimuli, or a prompt has fewer than two.
    """
    placed = _on_sides(_pairs(stimuli), sides)
    if mirrored:
        placed = [pair.swapped for pair in placed]
    trained = _practice(placed, practice, order)
    compared = _in_order(placed, order, after=trained[-1] if trained else None)
    return (*_trials("practice", trained), *_trials("comparison", compared))


def _trials(kind: Kind, pairs: Iterable[_Pair]) -> list[Trial]:
    return [Trial(kind, pair.left.prompt, pair.left.stimulus, pair.right.stimulus) for pair in pairs]


def _pairs(stimuli: Sequence[Judged]) -> list[_Pair]:
    if not stimuli:
        raise ExperimentError("there are no stimuli to compare; `tastebench stimuli steer` makes them")
    of_prompt: dict[str, list[Judged]] = defaultdict(list)
    for stimulus in sorted(stimuli, key=lambda stimulus: stimulus.stimulus):
        of_prompt[stimulus.prompt].append(stimulus)
    for prompt, group in of_prompt.items():
        if len(group) < 2:
            raise ExperimentError(
                f'prompt "{prompt}" has 1 stimulus (condition "{group[0].condition}") and a comparison needs 2; '
                "add a [[condition]] to study.toml and run `tastebench stimuli steer` again"
            )
    return [_Pair(*two) for prompt in sorted(of_prompt) for two in combinations(of_prompt[prompt], 2)]


# --- Sides ---


def _arm(stimulus: Judged) -> _Arm:
    return _Arm(stimulus.condition, stimulus.target_user or "", stimulus.run)


def _on_sides(pairs: Sequence[_Pair], rng: np.random.Generator) -> list[_Pair]:
    """Return the pairs with balanced sides: half of the prompts one way and half the other; the odd ones by closed walks."""
    of_arms: dict[frozenset[_Arm], list[_Pair]] = defaultdict(list)
    for pair in pairs:
        of_arms[frozenset((_arm(pair.left), _arm(pair.right)))].append(pair)
    placed: list[_Pair] = []
    odd: list[_Pair] = []
    for group in of_arms.values():
        shuffled = [group[index] for index in rng.permutation(len(group))]
        half = len(group) // 2
        first = _arm(group[0].left)
        placed += [_with_left(pair, first) for pair in shuffled[:half]]
        placed += [_with_left(pair, first).swapped for pair in shuffled[half : 2 * half]]
        odd += shuffled[2 * half :]
    return placed + _oriented(odd, rng)


def _with_left(pair: _Pair, arm: _Arm) -> _Pair:
    return pair if _arm(pair.left) == arm else pair.swapped


def _oriented(pairs: Sequence[_Pair], rng: np.random.Generator) -> list[_Pair]:
    """Return the pairs so that each arm, and each condition, is left as often as right, give or take one.

    The pairs are the edges of a graph on the arms. Extra edges make every degree even, within a condition first, so that
    at most one of them leaves each condition; walking closed trails then leaves each arm as often as it enters it.
    """
    edges = [(_arm(pair.left), _arm(pair.right)) for pair in pairs]
    all_edges = edges + _evening_edges(edges, rng)
    forward = _walked(all_edges, rng)
    return [pair if forward[index] else pair.swapped for index, pair in enumerate(pairs)]


def _evening_edges(edges: Sequence[tuple[_Arm, _Arm]], rng: np.random.Generator) -> list[tuple[_Arm, _Arm]]:
    degree: dict[_Arm, int] = defaultdict(int)
    for edge in edges:
        for arm in edge:
            degree[arm] += 1
    odd = [arm for arm, count in degree.items() if count % 2]
    shuffled = [odd[index] for index in rng.permutation(len(odd))]
    added: list[tuple[_Arm, _Arm]] = []
    single: list[_Arm] = []
    for condition in sorted({arm.condition for arm in shuffled}):
        arms = [arm for arm in shuffled if arm.condition == condition]
        added += list(zip(arms[::2], arms[1::2], strict=False))
        single += arms[len(arms) // 2 * 2 :]
    return added + list(zip(single[::2], single[1::2], strict=True))


def _walked(edges: Sequence[tuple[_Arm, _Arm]], rng: np.random.Generator) -> list[bool]:
    """Return for each edge whether a closed trail walks it from its first end to its second; all degrees are even."""
    ways: dict[_Arm, list[int]] = defaultdict(list)
    for index in rng.permutation(len(edges)):
        for arm in edges[index]:
            ways[arm].append(int(index))
    forward: dict[int, bool] = {}
    for start in list(ways):
        here = start
        while ways[here]:
            index = ways[here].pop()
            if index in forward:
                continue
            forward[index] = edges[index][0] == here
            here = edges[index][1] if forward[index] else edges[index][0]
    turned = bool(rng.integers(2))
    return [forward[index] != turned for index in range(len(edges))]


# --- Order ---


def _practice(pairs: Sequence[_Pair], count: int, rng: np.random.Generator) -> list[_Pair]:
    if not count:
        return []
    ordered = _in_order(pairs, rng, after=None)
    drawn = [ordered[index % len(ordered)] for index in range(count)]
    return [pair.swapped if flip else pair for pair, flip in zip(drawn, rng.integers(2, size=count), strict=True)]


def _in_order(pairs: Sequence[_Pair], rng: np.random.Generator, *, after: _Pair | None) -> list[_Pair]:
    """Return the pairs in random order, with as few images in two trials in a row as found; `after` is shown before them."""
    before = [after] if after else []
    best: list[_Pair] = []
    fewest = len(pairs) + 1
    for _ in range(_ATTEMPTS):
        drawn = _drawn(pairs, rng, before)
        repeats = sum(earlier.shares_an_image(later) for earlier, later in pairwise(before + drawn))
        if repeats < fewest:
            best, fewest = drawn, repeats
        if not fewest:
            break
    return best


def _drawn(pairs: Sequence[_Pair], rng: np.random.Generator, before: Sequence[_Pair]) -> list[_Pair]:
    """Draw pair after pair, from another prompt than the last where there is one; put what then repeats an image in between."""
    left = [pairs[index] for index in rng.permutation(len(pairs))]
    line = list(before)
    while left:
        fitting = [pair for pair in left if not line or not pair.shares_an_image(line[-1])]
        if not fitting:
            break
        other = [pair for pair in fitting if line and pair.left.prompt != line[-1].left.prompt]
        # `left` is shuffled, so the first of them comes from each prompt in proportion to what is left of it.
        chosen = (other or fitting)[0]
        left.remove(chosen)
        line.append(chosen)
    for pair in left:
        line.insert(_gap(line, pair, first=len(before)), pair)
    return line[len(before) :]


def _gap(line: Sequence[_Pair], pair: _Pair, *, first: int) -> int:
    """Return the position in `line` where `pair` adds the fewest repeated images."""

    def added(position: int) -> int:
        neighbours = [line[index] for index in (position - 1, position) if 0 <= index < len(line)]
        joined = len(neighbours) == 2 and neighbours[0].shares_an_image(neighbours[1])
        return sum(pair.shares_an_image(neighbour) for neighbour in neighbours) - joined

    return min(range(first, len(line) + 1), key=lambda position: (added(position), -position))
