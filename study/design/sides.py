"""Which image of a pair is on the left: no condition and no target user's images lean to a side."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from study.design.pairs import Judged, Pair


class Arm(NamedTuple):
    """What must not lean to one side: a condition, or one target user's part of it."""

    condition: str
    part: str
    run: int


def arms_of(stimuli: Sequence[Judged], *, names: Mapping[str, str] | None = None) -> dict[str, Arm]:
    """Return the arm of each stimulus; with `names`, how each is called takes the place of whose it is."""

    def part(stimulus: Judged) -> str:
        return names[stimulus.stimulus] if names is not None else stimulus.target_user or ""

    return {stimulus.stimulus: Arm(stimulus.condition, part(stimulus), stimulus.run) for stimulus in stimuli}


def on_sides(pairs: Sequence[Pair], arms: Mapping[str, Arm], rng: np.random.Generator) -> list[Pair]:
    """Return the pairs with random, balanced sides.

    Left and right counts differ by at most one for each condition, each arm, and each two arms over the prompts. Of two arms,
    half of the prompts have one on the left and half the other; the odd ones are turned by closed walks.
    """
    of_arms: dict[tuple[Arm, Arm], list[Pair]] = defaultdict(list)
    for pair in pairs:
        one, other = arms[pair.left.stimulus], arms[pair.right.stimulus]
        of_arms[(one, other) if one <= other else (other, one)].append(pair)
    placed: list[Pair] = []
    odd: list[Pair] = []
    for (first, _), group in of_arms.items():
        shuffled = [group[index] for index in rng.permutation(len(group))]
        half = len(group) // 2
        turned = [pair if arms[pair.left.stimulus] == first else pair.swapped for pair in shuffled]
        placed += turned[:half]
        placed += [pair.swapped for pair in turned[half : 2 * half]]
        odd += turned[2 * half :]
    return placed + _oriented(odd, arms, rng)


def _oriented(pairs: Sequence[Pair], arms: Mapping[str, Arm], rng: np.random.Generator) -> list[Pair]:
    """Return the pairs so that each arm, and each condition, is left as often as right, give or take one.

    The pairs are the edges of a graph on the arms. Extra edges make every degree even, within a condition first, so that
    at most one of them leaves each condition; walking closed trails then leaves each arm as often as it enters it.
    """
    edges = [(arms[pair.left.stimulus], arms[pair.right.stimulus]) for pair in pairs]
    forward = _walked(edges + _evening_edges(edges, rng), rng)
    return [pair if forward[index] else pair.swapped for index, pair in enumerate(pairs)]


def _evening_edges(edges: Sequence[tuple[Arm, Arm]], rng: np.random.Generator) -> list[tuple[Arm, Arm]]:
    degree: dict[Arm, int] = defaultdict(int)
    for edge in edges:
        for arm in edge:
            degree[arm] += 1
    odd = [arm for arm, count in degree.items() if count % 2]
    shuffled = [odd[index] for index in rng.permutation(len(odd))]
    added: list[tuple[Arm, Arm]] = []
    single: list[Arm] = []
    for condition in sorted({arm.condition for arm in shuffled}):
        arms = [arm for arm in shuffled if arm.condition == condition]
        added += list(zip(arms[::2], arms[1::2], strict=False))
        single += arms[len(arms) // 2 * 2 :]
    return added + list(zip(single[::2], single[1::2], strict=True))


def _walked(edges: Sequence[tuple[Arm, Arm]], rng: np.random.Generator) -> list[bool]:
    """Return for each edge whether a closed trail walks it from its first end to its second; all degrees are even."""
    ways: dict[Arm, list[int]] = defaultdict(list)
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
