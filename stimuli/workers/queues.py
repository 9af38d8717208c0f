"""What waits to be done: a queue for each kind of work, from which a free worker takes as many items as make a batch."""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from stimuli.rewriters import Question
from stimuli.stages import Render
from stimuli.store import Request

Stage = Literal["rewrite", "render", "score"]

# In the order in which one makes work for the next.
STAGES: tuple[Stage, ...] = ("rewrite", "render", "score")


@dataclass(frozen=True)
class Kind:
    """What can be done in one batch: a stage, and of the last one the same scorers (by their places)."""

    stage: Stage
    scorers: tuple[int, ...] = ()


@dataclass(frozen=True)
class Sight:
    """An image (its SHA-256 in the store) with its prompt, to be scored."""

    image: str
    prompt: str


@dataclass(eq=False)
class Wanted:
    """One answer, and how many wait for it; all who want the same share it."""

    key: str
    request: Request
    answer: asyncio.Future[Any]
    waiting: int = 0


@dataclass(eq=False)
class Item:
    """A piece of work and the answers it gives, of a score one by each scorer. `deaths` counts workers that it may have ended."""

    kind: Kind
    task: Question | Render | Sight
    wanted: tuple[Wanted, ...]
    deaths: int = 0

    @property
    def is_wanted(self) -> bool:
        """Whether anybody still waits for any of it."""
        return any(wanted.waiting for wanted in self.wanted)


@dataclass
class Queues:
    """All that waits; `sizes` says how many items of each stage make a batch."""

    sizes: dict[Stage, int]
    _by_kind: dict[Kind, deque[Item]] = field(default_factory=dict)
    _alone: deque[Item] = field(default_factory=deque)

    def put(self, item: Item) -> None:
        """Let an item wait behind the others of its kind."""
        self._by_kind.setdefault(item.kind, deque()).append(item)

    def put_back(self, items: Iterable[Item]) -> None:
        """Let items that were taken wait again, before the others of their kind."""
        for item in reversed(list(items)):
            self._by_kind.setdefault(item.kind, deque()).appendleft(item)

    def put_alone(self, items: Iterable[Item]) -> None:
        """Let items wait for a batch of their own, each; they come first."""
        self._alone.extend(items)

    def take_full(self) -> list[Item] | None:
        """Return a full batch; of several, one of the latest stage, because that is what chains wait for to go on."""
        if self._alone:
            return [self._alone.popleft()]
        full = [kind for kind, items in self._by_kind.items() if len(items) >= self.sizes[kind.stage]]
        return self._take(max(full, key=_order)) if full else None

    def take(self) -> list[Item] | None:
        """Return a full batch; where there is none, what there is of the earliest stage, so that later queues fill meanwhile."""
        batch = self.take_full()
        if batch is None and self._by_kind:
            return self._take(min(self._by_kind, key=_order))
        return batch

    def drop_unwanted(self) -> list[Item]:
        """Remove and return what nobody waits for any more."""
        queued = [item for items in (*self._by_kind.values(), self._alone) for item in items]
        self._by_kind = {kind: kept for kind, items in self._by_kind.items() if (kept := _still_wanted(items))}
        self._alone = _still_wanted(self._alone)
        return [item for item in queued if not item.is_wanted]

    def clear(self) -> None:
        """Drop everything."""
        self._by_kind.clear()
        self._alone.clear()

    def _take(self, kind: Kind) -> list[Item]:
        items = self._by_kind[kind]
        batch = [items.popleft() for _ in range(min(len(items), self.sizes[kind.stage]))]
        if not items:
            del self._by_kind[kind]
        return batch


def _still_wanted(items: Iterable[Item]) -> deque[Item]:
    return deque(item for item in items if item.is_wanted)


def _order(kind: Kind) -> int:
    return STAGES.index(kind.stage)


@dataclass
class Tally:
    """How full batches were: `room` is what would have fitted in."""

    batches: int = 0
    items: int = 0
    room: int = 0

    def count(self, items: int, room: int) -> None:
        """Add a batch."""
        self.batches, self.items, self.room = self.batches + 1, self.items + items, self.room + room


def fill(tallies: Mapping[Stage, Tally]) -> float:
    """Return the share of all room in batches that was used."""
    return sum(tally.items for tally in tallies.values()) / max(1, sum(tally.room for tally in tallies.values()))
