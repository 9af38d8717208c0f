"""How wide the columns of a LaTeX table are: by their letters, broken where they are long, small and sideways where they are many."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.tables import Column

# A column of longer texts is broken into lines; a heading of several words is broken where the cells below are narrower.
_LONG_TEXT, _LONG_HEAD = 36, 9
# Letters that a broken text needs beside each other, to be read at all.
_NARROWEST = 14


@dataclass(frozen=True)
class Layout:
    """How a table is set: `letters` that a line of an article holds, and those that the gap between two columns takes."""

    letters: int
    gap: float
    size: str = ""
    turned: bool = False


# From the plainest; the widths are those of a 10 pt article (345 pt, sideways 550 pt) and of letters half as wide as they are high.
LAYOUTS = (
    Layout(69, 2.4),
    Layout(86, 2.0, r"\footnotesize\setlength{\tabcolsep}{4pt}"),
    Layout(137, 2.0, r"\footnotesize\setlength{\tabcolsep}{4pt}", turned=True),
    Layout(220, 1.2, r"\tiny\setlength{\tabcolsep}{1.5pt}", turned=True),
    # Nothing holds what is wider still.
    Layout(10_000, 1.2, r"\tiny\setlength{\tabcolsep}{1.5pt}", turned=True),
)


@dataclass(frozen=True)
class Place:
    """A column as LaTeX knows it: the `kind` of its cells, and that of its `head`."""

    kind: str
    head: str


@dataclass(frozen=True)
class _Need:
    """What a column needs, in letters: `least` where it may be broken, and `most` that it can use."""

    least: float
    most: float


def laid_out(columns: Sequence[Column], shown: Sequence[Sequence[str]]) -> tuple[Layout, list[Place]]:
    """Return the plainest layout that holds the columns, and each column in it: numbers to the right, texts to the left."""
    needs = [_need(column, [row[number] for row in shown]) for number, column in enumerate(columns)]
    layout = next(one for one in LAYOUTS if sum(need.least for need in needs) + one.gap * len(needs) <= one.letters)
    # What is left over goes to those who can use it, in equal parts of what they lack.
    left = layout.letters - layout.gap * len(needs) - sum(need.least for need in needs)
    lacking = sum(need.most - need.least for need in needs)
    share = min(1.0, left / lacking) if lacking else 0.0
    widths = [need.least + share * (need.most - need.least) for need in needs]
    return layout, [_place(column, need, width, layout) for column, need, width in zip(columns, needs, widths, strict=True)]


def _need(column: Column, cells: Sequence[str]) -> _Need:
    longest = max((len(cell) for cell in cells), default=0)
    heading = column.heading
    word = max((len(part) for part in heading.split()), default=0)
    if column.show:
        return _Need(max(longest, word), max(longest, word if len(heading) > _LONG_HEAD else len(heading)))
    if longest <= _LONG_TEXT:
        return _Need(max(longest, word), max(longest, len(heading)))
    unbroken = max(len(part) for cell in cells for part in cell.split() or [""])
    return _Need(max(_NARROWEST, word, min(unbroken, _LONG_TEXT)), max(longest, len(heading)))


def _place(column: Column, need: _Need, width: float, layout: Layout) -> Place:
    broken = f"p{{{width / layout.letters:.3f}\\linewidth}}"
    if column.show:
        heading = rf">{{\raggedleft\arraybackslash}}{broken}" if len(column.heading) > width else "r"
        return Place("r", heading)
    if need.most > width:
        return Place(rf">{{\raggedright\arraybackslash}}{broken}", rf">{{\raggedright\arraybackslash}}{broken}")
    return Place("l", "l")
