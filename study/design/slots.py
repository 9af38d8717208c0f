"""A participant's slot is their place in the design: which one is free, who is their twin, and which share of the whole is theirs."""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import count
from math import gcd


@dataclass(frozen=True)
class Share:
    """What of `parts` equal parts falls to a slot when each slot takes `size` of them, in turn and round after round.

    `parts` are places in the order of series `series`; slots of one series share one order. `mirrored` tells the second of two
    twins, who get the same parts with the sides swapped; `twins` is the same number for both and for nobody else.
    """

    series: int
    parts: tuple[int, ...]
    twins: int
    mirrored: bool


def free_slot(taken: Collection[int], *, participants: int | None) -> int | None:
    """Return the lowest slot that is not `taken`, None where all of so many `participants` have theirs.

    >>> free_slot({0, 1, 3}, participants=None)
    2
    >>> free_slot({0, 1}, participants=2) is None
    True
    """
    held = set(taken)
    lowest = next(slot for slot in count() if slot not in held)
    return lowest if participants is None or lowest < participants else None


def share(slot: int, *, of: int, size: int) -> Share:
    """Return the share of a slot when each takes `size` of so many parts: no part is taken twice as often as none.

    Slot after slot takes the next `size` parts and begins again at the end, so that at any time each part was taken as often
    as any other, give or take one. After `period` slots all ends meet; the next as many are their twins, and then a new series
    with another order begins.

    >>> share(1, of=5, size=2).parts, share(2, of=5, size=2).parts
    ((2, 3), (4, 0))
    >>> share(6, of=5, size=2)
    Share(series=0, parts=(2, 3), twins=1, mirrored=True)
    """
    period = of // gcd(of, size)
    series, place = divmod(slot, 2 * period)
    first = place % period
    parts = tuple((first * size + step) % of for step in range(size))
    return Share(series, parts, twins=series * period + first, mirrored=place >= period)
