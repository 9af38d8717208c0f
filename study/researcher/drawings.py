"""The shapes of the page's small charts, as numbers for SVG; the page's style gives them colour, so that dark stays dark."""

from collections.abc import Sequence
from dataclasses import dataclass

from study.storage.counting import Covered

WIDTH, HEIGHT = 480.0, 120.0
_GAP = 2.0


@dataclass(frozen=True)
class Bar:
    """One bar of a chart of `WIDTH` by `HEIGHT`, with what it says in words."""

    x: float
    y: float
    width: float
    height: float
    says: str


@dataclass(frozen=True)
class Cell:
    """One cell of a map: how many of how many, and how deep its shade is, 0 to 4; None where the two never stand beside each other."""

    planned: int
    answered: int
    shade: int


def bars(counts: Sequence[int], says: Sequence[str]) -> tuple[Bar, ...]:
    """Return one bar for each count, the tallest as tall as the chart; a count above zero is never invisible."""
    highest, step = max([*counts, 1]), WIDTH / max(1, len(counts))
    heights = [max(1.5, HEIGHT * count / highest) if count else 0.0 for count in counts]
    return tuple(
        Bar(round(number * step + _GAP / 2, 2), round(HEIGHT - height, 2), round(step - _GAP, 2), round(height, 2), text)
        for number, (height, text) in enumerate(zip(heights, says, strict=True))
    )


def heat(coverage: Sequence[Covered]) -> tuple[tuple[str, ...], dict[tuple[str, str], Cell]]:
    """Return the arms in order, and the cell of each two of them that stand beside each other in some schedule, either way round."""
    arms = tuple(sorted({arm for each in coverage for arm in (each.one, each.other) if arm}))
    most = max([each.answered for each in coverage] + [1])
    cells: dict[tuple[str, str], Cell] = {}
    for each in coverage:
        shade = 0 if each.answered == 0 else 1 + round(3 * each.answered / most)
        cells[each.one, each.other] = cells[each.other, each.one] = Cell(each.planned, each.answered, shade)
    return arms, cells
