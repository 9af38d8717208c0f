"""Who renders what: each pair of a style and a content as often as every other, and each generator its share of all of it."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stimuli.imagesets import ImageSet
from stimuli.imagesets.lists import Entry, contents, styles
from stimuli.seeds import seed_for


@dataclass(frozen=True)
class Cell:
    """One pair of a style and a content, and the prompt that shows it."""

    domain: str
    style: Entry
    content: Entry
    prompt: str


@dataclass(frozen=True)
class Wish:
    """An image that is wanted: of a cell, by a generator; `number` counts those of the same cell and generator, from 1."""

    cell: Cell
    generator: str
    number: int

    @property
    def name(self) -> str:
        """What it is called while it is made; people see a meaningless name."""
        return "/".join([self.cell.domain, self.cell.content.words, self.cell.style.words, self.generator, str(self.number)])


def cells(wanted: ImageSet, folder: Path, *, seed: int) -> list[Cell]:
    """Return all cells, in an order in which any first part holds each style and each content of a domain about equally often."""
    by_domain = []
    for domain in wanted.domain:
        rng = np.random.default_rng(seed_for(seed, "image set", domain.name))
        template = domain.template or wanted.template
        pairs = _diagonal(_shuffled(styles(domain, folder), rng), _shuffled(contents(domain, folder), rng))
        by_domain.append([Cell(domain.name, style, content, joined(template, style, content)) for style, content in pairs])
    return _woven(by_domain)


def joined(template: str, style: Entry, content: Entry) -> str:
    """Return the prompt of a style and a content.

    >>> joined("{content}, {style}.", Entry("oil", "painted in oil"), Entry("cats", "A cat"))
    'A cat, painted in oil.'
    """
    before, _, after = template.partition("{content}")
    return content.words.join(part.replace("{style}", style.words) for part in (before, after))


def shared_out(every: Sequence[Cell], number: int, generators: Sequence[str]) -> list[Wish]:
    """Return `number` wishes.

    The cells' numbers differ by one at most, and so do the generators' numbers in each cell, and in all of it. What that leaves open
    is decided so that each style and each content is spread over the generators.
    """
    counted: Counter[tuple[str, ...]] = Counter()
    wishes = []
    for place, cell in enumerate(every):
        times, rest = divmod(number // len(every) + (place < number % len(every)), len(generators))
        for generator in _fewest(cell, generators, rest, counted):
            counted.update(_counts(cell, generator))
            wishes.append(Wish(cell, generator, times + 1))
        wishes += [Wish(cell, generator, turn) for generator in generators for turn in range(1, times + 1)]
    return wishes


def _fewest(cell: Cell, generators: Sequence[str], number: int, counted: Counter[tuple[str, ...]]) -> list[str]:
    """Return the generators that have the fewest images so far, of all, then of this style and content."""

    def so_far(generator: str) -> tuple[int, int]:
        every, style, content = _counts(cell, generator)
        return counted[every], counted[style] + counted[content]

    return sorted(generators, key=so_far)[:number]


def _counts(cell: Cell, generator: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    return (
        (generator,),
        (generator, "style", cell.domain, cell.style.words),
        (generator, "content", cell.domain, cell.content.words),
    )


def _shuffled(entries: Sequence[Entry], rng: np.random.Generator) -> list[Entry]:
    return [entries[place] for place in rng.permutation(len(entries)).tolist()]


def _diagonal(one: Sequence[Entry], other: Sequence[Entry]) -> list[tuple[Entry, Entry]]:
    """Return every pair once; each round through a list moves the other one on."""
    period = math.lcm(len(one), len(other))
    return [(one[step % len(one)], other[(step + step // period) % len(other)]) for step in range(len(one) * len(other))]


def _woven(by_domain: Sequence[Sequence[Cell]]) -> list[Cell]:
    """Return the cells of all domains, each domain spread evenly over the whole."""
    placed = [((place + 0.5) / len(row), order, cell) for order, row in enumerate(by_domain) for place, cell in enumerate(row)]
    return [cell for _, _, cell in sorted(placed, key=lambda one: one[:2])]
