"""How conditions do with each participant and at each prompt: small panels on one Elo axis, or their spread where they are many."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from analysis.results import Pooled, Score
from reports.drawing import FAINT, INK, PAGE, SMALL_SIZE, Mark, house_style, marks, shortened, wrapped
from reports.win_rates import ranking

# Panels that stay legible on a page; more groups are shown as dots, one a group.
MOST_PANELS = 40
# A normal distribution's 95 % interval.
_HALF_WIDTH = 1.96
_TITLE_WIDTH = 17
_NAME_WIDTH = 22
# Inches: a condition's row, what stands above the rows of a panel, below all panels, and the narrowest panel.
_ROW, _ABOVE, _BELOW, _NARROWEST = 0.115, 0.19, 0.62, 0.95
_RULE = "#d4d8dd"


@dataclass(frozen=True)
class Group:
    """The scores with one participant or at one prompt, in the order of `conditions`."""

    name: str
    scores: tuple[Pooled, ...]


def groups(pooled: Sequence[Pooled], of: str, ranked: Sequence[str]) -> tuple[Group, ...]:
    """Return the groups of one kind (`participant` or `prompt`), the one that the highest-ranked condition does best with first.

    Conditions stand in the order of `ranked`; a condition that a group has no score of is left out of it.
    """
    place = {name: number for number, name in enumerate(ranked)}
    found: dict[str, list[Pooled]] = {}
    for one in pooled:
        if one.of == of and one.condition in place:
            found.setdefault(one.name, []).append(one)
    made = [Group(name, tuple(sorted(scores, key=lambda one: place[one.condition]))) for name, scores in found.items()]
    return tuple(sorted(made, key=lambda group: (place[group.scores[0].condition], -group.scores[0].elo, group.name)))


def small_multiples(found: Sequence[Group], scores: Sequence[Score]) -> Figure:
    """Return one panel a group up to 40 of them, else one plot with a dot for each group.

    Marks are scores estimated together with everybody's (`analysis.pooling`), with 95 % intervals; hollow marks are the group's votes
    alone; grey lines are everybody's scores.
    """
    ranked = ranking(scores)
    mean = float(np.mean([score.elo for score in scores]))
    everybody = {score.condition: 1000 + score.elo - mean for score in scores}  # as the groups' are, whatever the anchor
    drawn_as = marks(ranked)
    with house_style():
        return _panels(found, everybody, drawn_as) if len(found) <= MOST_PANELS else _summary(found, everybody, drawn_as)


def _panels(found: Sequence[Group], everybody: dict[str, float], drawn_as: dict[str, Mark]) -> Figure:
    names = _row_names(list(drawn_as))
    beside = max(len(line) for name in names for line in name.split("\n")) * SMALL_SIZE * 0.6 / 72
    most = max(2, min(len(found), 6, int((PAGE - beside) / _NARROWEST)))
    rows = -(-len(found) // most)
    columns = max(2, -(-len(found) // rows))  # no row with one panel below full ones
    lines = max(1, *(name.count("\n") + 1 for name in names))
    titles = max(wrapped(group.name, _TITLE_WIDTH).count("\n") + 1 for group in found)
    height = len(names) * _ROW * lines + 0.1 + _ABOVE * (0.4 + 0.6 * titles)
    close = ConstrainedLayoutEngine(w_pad=0.02, h_pad=0.02, wspace=0.02, hspace=0.02)
    figure = Figure(figsize=(PAGE, rows * height + _BELOW), layout=close)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for axes in grid.flat[len(found) :]:
        axes.set_visible(False)
    low, high = _reach(found, everybody)
    for axes, group in zip(grid.flat, found, strict=False):
        _draw(axes, group, everybody, drawn_as, (low, high))
    first = grid[0, 0]
    first.set_yticks(range(len(names)), names)
    first.set_ylim(len(names) - 0.4, -0.6)
    first.set_xlim(low, high)
    first.xaxis.set_major_locator(MaxNLocator(2 if columns > 4 else 4, steps=[1, 2, 5, 10]))
    for axes in (axes for column in grid.T for axes in [one for one in column if one.get_visible()][-1:]):
        axes.tick_params(axis="x", labelbottom=True)
        axes.set_xlabel("Elo score", fontsize=SMALL_SIZE, labelpad=1)
    _legend(figure)
    return figure


def _row_names(names: Sequence[str]) -> list[str]:
    """Return the names as they stand beside a row: long ones without their middle, unless two would then be alike."""
    short = [shortened(name, _NAME_WIDTH) for name in names]
    return short if len(set(short)) == len(set(names)) else [wrapped(name, _NAME_WIDTH) for name in names]


def _draw(axes: Axes, group: Group, everybody: dict[str, float], drawn_as: dict[str, Mark], reach: tuple[float, float]) -> None:
    places = {name: place for place, name in enumerate(drawn_as)}
    for one in group.scores:
        place, mark = places[one.condition], drawn_as[one.condition]
        half = _HALF_WIDTH * one.standard_error
        usual = everybody[one.condition]
        axes.plot([usual, usual], [place - 0.5, place + 0.5], color=FAINT, linewidth=0.8, zorder=1)
        axes.plot([one.elo - half, one.elo + half], [place, place], color=mark.colour, linewidth=1.1, zorder=3)
        if one.raw_elo is not None:
            _raw(axes, one.raw_elo, place, mark, reach)
        axes.plot(one.elo, place, mark.marker, color=mark.colour, markersize=4.2, markeredgecolor="white", markeredgewidth=0.4, zorder=4)
    axes.set_title(wrapped(group.name, _TITLE_WIDTH), loc="left", fontsize=SMALL_SIZE, pad=2)
    axes.grid(axis="x", color="#e6e8eb", linewidth=0.5)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelbottom=False, labelsize=SMALL_SIZE)
    sns.despine(ax=axes, left=True, bottom=True)
    axes.axhline(len(places) - 0.45, color=_RULE, linewidth=0.6)


def _raw(axes: Axes, raw: float, place: int, mark: Mark, reach: tuple[float, float]) -> None:
    """Draw a group's own score as a hollow mark, or as an arrowhead at the edge that it lies beyond."""
    low, high = reach
    inside = low < raw < high
    shape = mark.marker if inside else ("<" if raw <= low else ">")
    at = raw if inside else (low if raw <= low else high)
    axes.plot(at, place, shape, color="none", markersize=3.6, markeredgecolor=FAINT, markeredgewidth=0.6, zorder=2, clip_on=False)


def _reach(found: Sequence[Group], everybody: dict[str, float]) -> tuple[float, float]:
    """Return the bounds of the common axis: all intervals and all that everybody's scores are."""
    ends = [one.elo + side * _HALF_WIDTH * one.standard_error for group in found for one in group.scores for side in (-1, 1)]
    low, high = min(*ends, *everybody.values()), max(*ends, *everybody.values())
    margin = 0.06 * (high - low) + 1
    return low - margin, high + margin


def _legend(figure: Figure) -> None:
    mark = Line2D([], [], color=INK, marker="o", markersize=4.2, linewidth=1.1)
    raw = Line2D([], [], color="none", marker="o", markersize=3.6, markeredgecolor=FAINT, markeredgewidth=0.6)
    usual = Line2D([], [], color="none", marker="|", markersize=9, markeredgecolor=FAINT, markeredgewidth=0.8)
    labels = ["estimated with everybody’s, 95 % interval", "these votes alone", "everybody’s score"]
    figure.legend([mark, raw, usual], labels, loc="outside lower center", ncols=3, frameon=False, fontsize=SMALL_SIZE, handlelength=2)


def _summary(found: Sequence[Group], everybody: dict[str, float], drawn_as: dict[str, Mark]) -> Figure:
    names = [wrapped(name, _NAME_WIDTH) for name in drawn_as]
    lines = max(1, *(name.count("\n") + 1 for name in names))
    figure = Figure(figsize=(PAGE, 0.34 * lines * len(names) + 0.9), layout="constrained")
    axes = figure.add_subplot()
    for place, (name, mark) in enumerate(drawn_as.items()):
        values = np.sort([one.elo for group in found for one in group.scores if one.condition == name])
        beside = place + 0.3 * _apart(len(values))
        axes.plot(values, beside, mark.marker, color=mark.colour, markersize=3.2, alpha=0.85, markeredgewidth=0, zorder=2)
        axes.plot([everybody[name]] * 2, [place - 0.42, place + 0.42], color=INK, linewidth=1.4, zorder=3)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("Elo score, estimated with everybody’s (line)")
    axes.grid(axis="x", color="#e6e8eb", linewidth=0.6)
    axes.set_axisbelow(True)
    sns.despine(ax=axes, left=True)
    return figure


def _apart(number: int) -> NDArray[np.float64]:
    """Return how far each of so many sorted values is set off its line, from -1 to 1, so that equal ones can be told apart."""
    golden = 0.6180339887498949
    return np.array([2 * (place * golden % 1) - 1 for place in range(number)], dtype=np.float64)
