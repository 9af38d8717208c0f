"""What of a data set was not taken as it stands, and why: counted, and said in one line each."""

from collections.abc import Sequence
from dataclasses import dataclass

# More examples than these tell nobody more.
SHOWN = 3


@dataclass(frozen=True)
class Skipped:
    """A `kind` of entry that was not taken as it stands, how many there are, and what was done with them."""

    kind: str
    count: int
    done: str = "left out"
    examples: tuple[str, ...] = ()


def skipped(kind: str, found: Sequence[object], *, done: str = "left out") -> tuple[Skipped, ...]:
    """Return one entry for what was found, with the first few as examples; nothing where nothing was found."""
    if not len(found):
        return ()
    return (Skipped(kind, len(found), done, tuple(str(entry) for entry in found[:SHOWN])),)


def told(entry: Skipped) -> str:
    """Return one line for a person.

    >>> told(Skipped("exact duplicates of another row", 900, "left out", ("row 12", "row 40")))
    'exact duplicates of another row: 900 left out (row 12; row 40; ...)'
    """
    more = "; ..." if entry.count > len(entry.examples) else ""
    examples = f" ({'; '.join(entry.examples)}{more})" if entry.examples else ""
    return f"{entry.kind}: {entry.count:,} {entry.done}{examples}"
