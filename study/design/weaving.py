"""Where catch trials and repeats stand among the trials, and what they show."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal

import numpy as np

from stimuli.experiment import ExperimentError
from study.design.order import Item, clash, mended, mixed

Part = Literal["first", "repeat", "catch"]

# A repeat comes at least so many trials after what it repeats.
APART = 5
# How long a stretch is kept even where there are no breaks.
STRETCH = 40


def layout(first: int, *, repeats: int, catch: int, table: str, rng: np.random.Generator) -> list[Part]:
    """Return what stands at each position: `first` trials that are shown for the first time, repeats of some, catch trials.

    Both are spread evenly at random, catch trials over everything but never first nor two in a row, repeats over the later half
    or as much more as they need. `table` names the table of study.toml.

    Raises:
        ExperimentError: there are too few trials for so many of these.
    """
    total = first + repeats + catch
    if total < 2 * catch:
        raise ExperimentError(
            f"study.toml: {table} catch = {catch} is too many for {first + repeats} other trials: no two catch trials may follow each "
            f"other; write catch = {first + repeats} or less"
        )
    catches = {int(rng.integers(start + 1, end)) for start, end in _strata(total, catch)}
    room = [position for position in range(total) if position not in catches]
    # A slice from the end, which is all of the room where more is needed than there is.
    late = [position for position in room[-max(2 * repeats, (len(room) + 1) // 2) :] if position >= APART]
    _require_room(len(late), first, repeats, table)
    again = {late[int(rng.integers(start, end))] for start, end in _strata(len(late), repeats)}
    return ["catch" if position in catches else "repeat" if position in again else "first" for position in range(total)]


def _strata(length: int, count: int) -> list[tuple[int, int]]:
    """Return `length` positions cut into `count` stretches as equal as can be, each as (start, end)."""
    return list(pairwise(number * length // count for number in range(count + 1))) if count else []


def _require_room(late: int, first: int, repeats: int, table: str) -> None:
    if late < repeats:
        raise ExperimentError(
            f"study.toml: {table} repeats = {repeats} is too many for {first} trials: a repeat comes at least {APART} trials after what it "
            "repeats; write a smaller number"
        )


def in_stretches(items: Sequence[Item], parts: Sequence[Part], *, block: int, rng: np.random.Generator, after: Item | None) -> list[Item]:
    """Return the items in random order within each block, so that what was evenly spread over the blocks stays so."""
    line: list[Item] = []
    for start in range(0, len(parts), block or STRETCH):
        size = parts[start : start + (block or STRETCH)].count("first")
        line += mixed(items[len(line) : len(line) + size], rng, after=line[-1] if line else after)
    # A short block may hold nothing else than what the one before ended with.
    return mended(line, after=after)


def woven(
    items: Sequence[Item], parts: Sequence[Part], *, again: Callable[[Item], Item], table: str, rng: np.random.Generator
) -> list[Item]:
    """Return what is shown at each position: the items in their order, between them repeats of earlier ones and catch trials.

    `again` turns an item into its repeat. No image is in two trials in a row where another choice avoids that.

    Raises:
        ExperimentError: a repeat has nothing to repeat that is far enough back.
    """
    waiting = iter(items)
    line: list[Item | None] = [next(waiting) if part == "first" else None for part in parts]
    repeated: set[int] = set()
    for position in (position for position, part in enumerate(parts) if part == "repeat"):
        earlier = [place for place in range(position - APART + 1) if parts[place] == "first" and place not in repeated]
        _require_room(len(earlier), len(items), 1, table)
        source = _fitting(earlier, line, position, rng)
        source = earlier[0] if source is None else source
        repeated.add(source)
        line[position] = again(_at(line, source))
    for position in (position for position, part in enumerate(parts) if part == "catch"):
        places = [place for place, part in enumerate(parts) if part == "first"]
        # What was judged before is not given away by showing it in a catch trial.
        source = _fitting([place for place in places if place < position], line, position, rng)
        source = _fitting(places, line, position, rng) if source is None else source
        line[position] = _at(line, places[0] if source is None else source)
    return [_at(line, position) for position in range(len(line))]


def _at(line: Sequence[Item | None], position: int) -> Item:
    """Return what stands at a position that is filled."""
    item = line[position]
    if item is None:
        raise RuntimeError(f"position {position} of a schedule is empty")
    return item


def _fitting(places: Sequence[int], line: Sequence[Item | None], position: int, rng: np.random.Generator) -> int | None:
    """Return one of the places at random whose item repeats no image beside `position`, None where there is none."""
    beside = [item for item in (*line[max(0, position - 1) : position], *line[position + 1 : position + 2]) if item is not None]
    drawn = (places[int(index)] for index in rng.permutation(len(places)))
    return next((place for place in drawn if not any(clash(_at(line, place), item) for item in beside)), None)
