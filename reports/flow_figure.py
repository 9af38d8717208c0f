"""The flow of participants as boxes: stages down the left, who did not come further on the right."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle

from reports.drawing import COLUMN, INK, SMALL_SIZE, TEXT_SIZE, house_style, wrapped
from reports.flow import Left, Stage

# Inches: where the two columns of boxes stand, a line of text, the space within a box and between two.
_STAGES, _REASONS = (0.03, 1.6), (1.84, COLUMN - 0.03)
_LINE, _WITHIN, _BETWEEN = 0.145, 0.08, 0.14
# Letters a line of each column.
_STAGE_WIDTH, _REASON_WIDTH = 22, 27


def flow_figure(stages: Sequence[Stage]) -> Figure:
    """Return the flow as a diagram after CONSORT (2010), with the same words as the table."""
    told = [(_stage(stage), _reasons(stage.left)) for stage in stages]
    tall = sum(_height(words) + (_height(reasons) + _BETWEEN if reasons else 0) + _BETWEEN for words, reasons in told) + 0.06
    with house_style():
        figure = Figure(figsize=(COLUMN, tall))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, COLUMN), ylim=(tall, 0))
        axes.axis("off")
        at, from_above = 0.03, None
        for words, reasons in told:
            if from_above is not None:
                _arrow(axes, (_middle(_STAGES), from_above), (_middle(_STAGES), at))
            _box(axes, _STAGES, at, words, TEXT_SIZE)
            at = from_above = at + _height(words)
            if reasons:
                at += _BETWEEN
                _arrow(axes, (_middle(_STAGES), at + _height(reasons) / 2), (_REASONS[0], at + _height(reasons) / 2))
                _box(axes, _REASONS, at, reasons, SMALL_SIZE)
                at += _height(reasons)
            at += _BETWEEN
    return figure


def _stage(stage: Stage) -> str:
    numbers = [_people(stage.participants)] if stage.participants is not None else []
    numbers += [f"{stage.votes:,} votes"] if stage.votes is not None else []
    lines = [wrapped(stage.what.capitalize(), _STAGE_WIDTH), *(wrapped(line, _STAGE_WIDTH) for line in numbers)]
    return "\n".join([*lines, *([wrapped(f"({stage.note})", _STAGE_WIDTH)] if stage.note else [])])


def _reasons(left: Sequence[Left]) -> str:
    return "\n".join(wrapped(_reason(one), _REASON_WIDTH) for one in left)


def _reason(left: Left) -> str:
    # What begins with its own noun follows its number at once.
    noun = "votes " if not left.participants and left.votes not in (None, 1) else ""
    return f"{_numbers(left)} {left.why.removeprefix(noun)}" if noun and left.why.startswith(noun) else f"{_numbers(left)}: {left.why}"


def _numbers(left: Left) -> str:
    people = _people(left.participants)
    if left.votes is None:
        return people
    votes = f"{left.votes:,} vote{'' if left.votes == 1 else 's'}"
    return f"{people}, {votes}" if left.participants else votes


def _people(number: int) -> str:
    return f"{number:,} participant{'' if number == 1 else 's'}"


def _height(words: str) -> float:
    return (words.count("\n") + 1) * _LINE + 2 * _WITHIN if words else 0.0


def _middle(column: tuple[float, float]) -> float:
    return sum(column) / 2


def _box(axes: Axes, column: tuple[float, float], top: float, words: str, size: float) -> None:
    left, right = column
    axes.add_patch(Rectangle((left, top), right - left, _height(words), facecolor="white", edgecolor=INK, linewidth=0.7))
    axes.text(left + 0.07, top + _height(words) / 2, words, va="center", ha="left", fontsize=size, linespacing=1.1)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=7, color=INK, linewidth=0.7, shrinkA=0, shrinkB=0))
