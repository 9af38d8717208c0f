"""In which order things are shown: evenly spread, else random, and no image in two trials in a row where that can be avoided."""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from heapq import heapify, heappop, heappush
from itertools import pairwise
from typing import Generic, Protocol, TypeVar

import numpy as np

# Orders to try before a repeated image counts as unavoidable; with two prompts or more the first one nearly always does.
_ATTEMPTS = 40


class Shown(Protocol):
    """The part of a trial that its order depends on."""

    @property
    def prompt(self) -> str:
        """The id of the base prompt."""
        ...

    @property
    def images(self) -> tuple[str, ...]:
        """The ids of the images that are shown."""
        ...


Item = TypeVar("Item", bound=Shown)


def clash(one: Shown, other: Shown) -> bool:
    """Return whether two trials show the same image."""
    return any(image in other.images for image in one.images)


def clashes(line: Sequence[Shown]) -> int:
    """Return how often an image is in two trials in a row."""
    return sum(clash(earlier, later) for earlier, later in pairwise(line))


# --- Evenly spread ---


def spread(items: Sequence[Item], group: Callable[[Item], Hashable], rng: np.random.Generator) -> list[Item]:
    """Return the items so that every stretch has its share of each group, and prompts as even as that allows.

    At each position the number of items of a group so far differs from its share by less than one. Which items of a group
    come first is random, but for the prompts.
    """
    shuffled = [items[index] for index in rng.permutation(len(items))]
    of_group: dict[Hashable, list[Item]] = defaultdict(list)
    for item in shuffled:
        of_group[group(item)].append(item)
    waiting = {name: _ByPrompt(members) for name, members in of_group.items()}
    total = Counter(item.prompt for item in items)
    seen: Counter[str] = Counter()
    line: list[Item] = []
    for name in _taking_turns({name: len(members) for name, members in of_group.items()}):
        item = waiting[name].take(lambda prompt: seen[prompt] / total[prompt])
        seen[item.prompt] += 1
        line.append(item)
    return line


def _taking_turns(sizes: dict[Hashable, int]) -> Iterator[Hashable]:
    """Yield each group as often as its size, each time when it is due: earliest deadline first (Liu and Layland 1973).

    Of a group with share s, the item number j (from 0) is due after position j / s and before (j + 1) / s; with shares that sum
    to one there is an order that keeps all these windows (Steiner and Yeomans 1993).
    """
    total = sum(sizes.values())
    coming = [(0, number, name, 0) for number, name in enumerate(sizes)]
    ready: list[tuple[int, int, Hashable, int]] = []
    for position in range(total):
        while coming and coming[0][0] <= position:
            _, number, name, taken = heappop(coming)
            heappush(ready, (-(-(taken + 1) * total // sizes[name]), number, name, taken))
        _, number, name, taken = heappop(ready)
        if taken + 1 < sizes[name]:
            heappush(coming, ((taken + 1) * total // sizes[name], number, name, taken + 1))
        yield name


class _ByPrompt(Generic[Item]):
    """The items of one group that still wait, to be taken from the prompt that is furthest behind."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._of_prompt: dict[str, list[Item]] = defaultdict(list)
        for item in items:
            self._of_prompt[item.prompt].append(item)
        self._queue = [(0.0, number, prompt) for number, prompt in enumerate(self._of_prompt)]
        heapify(self._queue)

    def take(self, progress: Callable[[str], float]) -> Item:
        """Return and forget the next item; `progress` is how much of a prompt was taken so far, and only ever grows."""
        while True:
            known, number, prompt = heappop(self._queue)
            if progress(prompt) == known:
                break
            heappush(self._queue, (progress(prompt), number, prompt))
        left = self._of_prompt[prompt]
        item = left.pop()
        if left:
            heappush(self._queue, (known, number, prompt))
        return item


# --- Random ---


def mixed(items: Sequence[Item], rng: np.random.Generator, *, after: Item | None) -> list[Item]:
    """Return the items in random order, with as few images in two trials in a row as found; `after` is shown before them."""
    before = [after] if after else []
    best: list[Item] = []
    fewest = len(items) + 1
    for _ in range(_ATTEMPTS):
        drawn = _drawn(items, rng, before)
        repeated = clashes([*before, *drawn])
        if repeated < fewest:
            best, fewest = drawn, repeated
        if not fewest:
            break
    return best


def _drawn(items: Sequence[Item], rng: np.random.Generator, before: Sequence[Item]) -> list[Item]:
    """Draw item after item, from another prompt than the last where there is one; put what then repeats an image in between."""
    left = [items[index] for index in rng.permutation(len(items))]
    line = list(before)
    while left:
        # `left` is shuffled, so the first that fits comes from each prompt in proportion to what is left of it.
        chosen = next((item for item in left if not line or item.prompt != line[-1].prompt), None) or next(
            (item for item in left if not clash(item, line[-1])), None
        )
        if chosen is None:
            break
        left.remove(chosen)
        line.append(chosen)
    for item in left:
        line.insert(_gap(line, item, first=len(before)), item)
    return line[len(before) :]


def mended(line: Sequence[Item], *, after: Item | None) -> list[Item]:
    """Return the line with each image that is in two trials in a row put elsewhere, as near as can be, where that helps."""
    found = [after, *line] if after else list(line)
    first = 1 if after else 0
    fewest = clashes(found)
    for position in range(first, len(found)):
        if not fewest:
            break
        if position and clash(found[position - 1], found[position]):
            for other in sorted(range(first, len(found)), key=lambda other: abs(other - position)):
                swapped = list(found)
                swapped[position], swapped[other] = swapped[other], swapped[position]
                if clashes(swapped) < fewest:
                    found, fewest = swapped, clashes(swapped)
                    break
    return found[first:]


def _gap(line: Sequence[Item], item: Item, *, first: int) -> int:
    """Return the position in `line` where `item` adds the fewest repeated images."""

    def added(position: int) -> int:
        neighbours = [line[index] for index in (position - 1, position) if 0 <= index < len(line)]
        joined = len(neighbours) == 2 and clash(neighbours[0], neighbours[1])
        return sum(clash(item, neighbour) for neighbour in neighbours) - joined

    return min(range(first, len(line) + 1), key=lambda position: (added(position), -position))
