"""The figure of a comparison of studies: each difference in each study with its interval, and below it what they say together."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from analysis.replication import Found
from reports.comparison import Compared, Comparison
from reports.drawing import FAINT, INK, TEXT_SIZE, Mark, house_style, marks, wrapped

_WIDTH = 6.4
_LINE = 0.19
_NAME_WIDTH = 22
_MOST = 15
TOGETHER = "weighted mean"


@dataclass(frozen=True)
class _Row:
    """One interval at `place`, in lines from the top."""

    place: float
    found: Found
    mark: Mark


def charted(found: Comparison) -> tuple[Compared, ...]:
    """Return the differences that a figure can hold: all, or where they are many, those between neighbours in the first ranking."""
    if len(found.differences) <= _MOST:
        return found.differences
    neighbours = set(pairwise(found.common))
    return tuple(pair for pair in found.differences if (pair.a, pair.b) in neighbours)


def comparison_plot(found: Comparison) -> Figure:
    """Return every charted difference with a line for each study, told apart by shape and colour, and zero as a dashed line."""
    drawn_as = marks([study.name for study in found.studies]) | {TOGETHER: Mark(INK, "*")}
    rows, middles, lines = _laid_out(charted(found), list(drawn_as.values()))
    shown = [name for name in drawn_as if name != TOGETHER or any(pair.mean for pair in charted(found))]
    with house_style():
        figure = Figure(figsize=(_WIDTH, 1.0 + _LINE * lines), layout="constrained")
        axes = figure.add_subplot()
        axes.axvline(0.0, color=FAINT, linewidth=0.9, linestyle=(0, (4, 3)), zorder=0)
        for row in rows:
            one, colour = row.found, row.mark.colour
            axes.plot([one.low, one.high], [row.place] * 2, color=colour, linewidth=1.5, solid_capstyle="butt", zorder=2)
            axes.plot([one.low, one.high], [row.place] * 2, "|", color=colour, markersize=6, markeredgewidth=1.1, zorder=2)
            style: dict[str, Any] = {"color": colour, "markersize": _size(row.mark), "markeredgecolor": "white", "markeredgewidth": 0.6}
            axes.plot(one.difference, row.place, row.mark.marker, **style, zorder=3)
            told = f"{_signed(one.difference)}  [{_signed(one.low)}, {_signed(one.high)}]"
            axes.text(1.02, row.place, told, transform=axes.get_yaxis_transform(), va="center", fontsize=TEXT_SIZE - 0.5)
        axes.set_yticks(middles, [_name(pair) for pair in charted(found)])
        axes.set_ylim(lines, 0)
        axes.margins(x=0.05)
        axes.xaxis.set_major_locator(MaxNLocator(6))
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel("difference in Elo")
        handles = [Line2D([], [], **_key(drawn_as[name]), label=wrapped(name, 32)) for name in shown]
        figure.legend(handles=handles, loc="outside upper center", ncols=min(3, len(handles)), frameon=False)
        sns.despine(ax=axes, left=True)
        axes.grid(axis="x", color="#e6e8eb", linewidth=0.6)
        axes.set_axisbelow(True)
    return figure


def _laid_out(pairs: Sequence[Compared], drawn_as: Sequence[Mark]) -> tuple[list[_Row], list[float], float]:
    """Return the intervals, the middle of each difference's lines, and how many lines all take."""
    rows, middles, top = [], [], 0.6
    for pair in pairs:
        found = [*zip(pair.found, drawn_as[:-1], strict=True), *([(pair.mean, drawn_as[-1])] if pair.mean else [])]
        height = max(len(found), _name(pair).count("\n") + 1)
        rows += [_Row(top + 0.5 + number, one, mark) for number, (one, mark) in enumerate(found)]
        middles.append(top + height / 2)
        top += height + 0.8
    return rows, middles, top


def _key(mark: Mark) -> dict[str, Any]:
    return {"color": mark.colour, "marker": mark.marker, "markersize": _size(mark), "markeredgecolor": "white", "linewidth": 1.5}


def _size(mark: Mark) -> float:
    """Return the size at which a mark looks as large as the others."""
    return 10.0 if mark.marker == "*" else 6.5


def _name(pair: Compared) -> str:
    line = f"{pair.a} \N{MINUS SIGN} {pair.b}"
    return line if len(line) <= _NAME_WIDTH else f"{wrapped(pair.a, _NAME_WIDTH)} \N{MINUS SIGN}\n{wrapped(pair.b, _NAME_WIDTH)}"


def _signed(number: float) -> str:
    return f"{number:+.0f}".replace("-", "\N{MINUS SIGN}")
