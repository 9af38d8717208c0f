"""The figures of predictors: accuracy by margin (the paper's Fig. 11), new people by context (Fig. 12), and why its matching fails."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from analysis.predictor_metrics import Estimate
from analysis.predictor_results import FewShot, Metrics, ModelScores
from reports import published
from reports.drawing import COLOURS, FAINT, PAGE, Mark, column_width, house_style, marks, wrapped
from stimuli.prediction_record import Matching

_PANEL_HEIGHT = 2.0
_NAME_WIDTH = 24
_GRID = "#e6e8eb"
# The paper's numbers are grey wherever they are drawn.
_THEIRS = "#5b6470"
_METRICS: tuple[tuple[str, Callable[[Metrics], Estimate], Callable[[published.Shots], float]], ...] = (
    ("SROCC", lambda one: one.srocc, lambda row: row.srocc),
    ("PLCC", lambda one: one.plcc, lambda row: row.plcc),
    ("pairwise accuracy", lambda one: one.accuracy, lambda row: row.accuracy),
)
# The paper reports its grid at this temperature; the others differ by less than a thousandth (section A.2).
_TEMPERATURE = 0.1


@dataclass(frozen=True)
class Line:
    """One line of a panel: `low` and `high` bound each value, None where nothing does."""

    name: str
    x: tuple[float, ...]
    value: tuple[float, ...]
    low: tuple[float, ...] | None = None
    high: tuple[float, ...] | None = None


def margin_curves(scores: Sequence[ModelScores], margins: Sequence[float]) -> Figure:
    """Return pairwise accuracy against the margin below which a pair counts as a tie, one panel a split, with intervals."""
    splits = list(dict.fromkeys(one.split for one in scores))
    drawn_as, across = model_marks(scores), min(2, len(splits))
    down = -(-len(splits) // across)
    with house_style():
        height = 2.5 * down + 0.2 * _legend_rows(drawn_as, _across(splits)) + 0.1
        figure = Figure(figsize=(column_width(min(PAGE, max(4.5, 3.1 * across))), height), layout="constrained")
        grid = figure.subplots(down, across, squeeze=False, sharey=True)
        for axes, split in zip(grid.flat, splits, strict=False):
            _draw(axes, [_by_margin(one, margins) for one in scores if one.split == split], drawn_as, dodge=0.012)
            axes.axhline(0.5, color=FAINT, linewidth=0.9, linestyle=(0, (4, 3)), zorder=0)
            axes.set_title(wrapped(split, _NAME_WIDTH), loc="left", fontweight="bold")
            axes.set_xticks(margins, [f"{margin:g}" for margin in margins])
            axes.set_xlabel("pairs count whose ratings\ndiffer by more than")
        for axes in grid.flat[len(splits) :]:
            axes.set_visible(False)
        for row in grid:
            row[0].set_ylabel("pairwise accuracy\n(mean over users)")
        _legend(figure, drawn_as, columns=_across(splits))
    return figure


def context_curves(shots: Sequence[FewShot], scores: Sequence[ModelScores], baseline: str | None) -> Figure:
    """Return metrics against how many ratings of a new person were seen: a row a split, and the paper's Table 4 in a row of its own.

    The baseline, which sees none, is a dashed line. Cells of the grid are drawn at temperature .1, or at their lowest.
    """
    rows = {split: _lines_of(shots, split) for split in dict.fromkeys(one.split for one in shots)}
    rows = {split: lines for split, lines in rows.items() if lines["SROCC"]}
    names = dict.fromkeys(line.name for lines in rows.values() for line in lines["SROCC"])
    # Equal numbers of neighbours have equal marks above and below.
    everything = marks(list(names | dict.fromkeys(line.name for line in _published("SROCC"))))
    ours = {name: everything[name] for name in names}
    theirs = {line.name: Mark(_THEIRS, everything[line.name].marker) for line in _published("SROCC")}
    with house_style():
        height = (_PANEL_HEIGHT + 0.35) * (len(rows) + 1) + 0.2 * _legend_rows(ours, 3) + 0.5
        figure = Figure(figsize=(PAGE, height), layout="constrained")
        parts = figure.subfigures(len(rows) + 1, 1, squeeze=False, hspace=0.04).flat
        for part, (split, lines) in zip(parts, rows.items(), strict=False):
            part.suptitle(wrapped(split, 70), x=0.01, ha="left", fontweight="bold", fontsize=9.5)
            reference = next((one.metrics for one in scores if (one.split, one.model) == (split, baseline)), None)
            _metric_panels(list(part.subplots(1, 3)), lines, ours, reference)
            here = {line.name: ours[line.name] for line in lines["SROCC"]}
            _legend(part, here, columns=5, reference=baseline if reference else None)
        last = figure.subfigs[-1]
        last.suptitle(wrapped(published.label("Table 4"), 84), x=0.01, ha="left", fontweight="bold", fontsize=9)
        _metric_panels(list(last.subplots(1, 3)), {name: _published(name) for name, _, _ in _METRICS}, theirs, None)
        _legend(last, theirs, columns=4)
    return figure


def widens(shots: Sequence[FewShot]) -> bool:
    """Return whether any model was shown several numbers of ratings, so that `context_curves` has a line to draw."""
    return any(_lines_of(shots, split)["SROCC"] for split in {one.split for one in shots})


def matching_figure(found: Matching) -> Figure:
    """Return how alike the paper's profiles of people are, and how alike it therefore weighs a new person's neighbours.

    Where they are known, profiles of what is a person's own stand below, and their weights beside.
    """
    kinds = [("the paper’s profiles", COLOURS[0], found.cosines, found.weights)]
    if found.centred_cosines and found.centred_weights:
        kinds.append(("centred profiles", COLOURS[1], found.centred_cosines, found.centred_weights))
    with house_style():
        figure = Figure(figsize=(PAGE, 2.7 if len(kinds) == 1 else 3.5), layout="constrained")
        grid = figure.add_gridspec(len(kinds), 2)
        panels = [figure.add_subplot(grid[row, 0]) for row in range(len(kinds))]
        lowest = min(0.0, *(min(cosines) for _, _, cosines, _ in kinds))
        for axes, (name, colour, cosines, _) in zip(panels, kinds, strict=True):
            axes.hist(cosines, bins=list(np.linspace(lowest, 1, 61)), color=colour, edgecolor="white", linewidth=0.3)
            axes.set_xlim(lowest, 1.02)
            axes.set_title(f"{name}: median cosine {np.median(cosines):.3f}", loc="left", fontweight="bold", fontsize=9)
            axes.set_ylabel("pairs of\nknown users")
            _finish(axes)
            axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        for axes in panels[:-1]:
            axes.tick_params(labelbottom=False)
        panels[-1].set_xlabel("cosine of two people’s profiles")
        _draw_weights(figure.add_subplot(grid[:, 1]), [(name, colour, np.array(weights)) for name, colour, _, weights in kinds])
        figure.legend(loc="outside lower center", ncols=len(kinds) + 1, frameon=False, fontsize=8)
    return figure


def _draw_weights(axes: Axes, kinds: Sequence[tuple[str, str, NDArray[np.float64]]]) -> None:
    """Draw the softmax weights of each new person's neighbours as thin lines, and their mean as a thick one."""
    neighbours = kinds[0][2].shape[1]
    ranks = np.arange(1, neighbours + 1)
    axes.axhline(1 / neighbours, color=FAINT, linewidth=1.2, linestyle=(0, (4, 3)), zorder=1, label=f"equal: {1 / neighbours:.3f}")
    for (name, colour, weights), marker in zip(kinds, "os", strict=False):
        axes.plot(ranks, weights.T, color=colour, linewidth=0.5, alpha=0.3, zorder=2)
        mean = weights.mean(axis=0)
        label = f"{name}: largest {mean[0]:.3f}"
        axes.plot(ranks, mean, marker=marker, color=colour, linewidth=1.6, markersize=5, markeredgecolor="white", zorder=3, label=label)
    axes.set_ylim(0, 1.08 * max(2 / neighbours, *(float(weights.max()) for _, _, weights in kinds)))
    axes.set_title("weights of neighbours", loc="left", fontweight="bold", fontsize=9)
    axes.set_xlabel("neighbour, nearest first")
    axes.set_ylabel("softmax weight")
    _finish(axes)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def model_marks(scores: Sequence[ModelScores]) -> dict[str, Mark]:
    """Return how each model is drawn in every panel, in order of appearance."""
    return marks(list(dict.fromkeys(one.model for one in scores)))


def _by_margin(one: ModelScores, margins: Sequence[float]) -> Line:
    known = [(margin, found) for margin, found in zip(margins, one.macro, strict=True) if found]
    return _line(one.model, [margin for margin, _ in known], [found for _, found in known])


def _line(name: str, x: Sequence[float], found: Sequence[Estimate]) -> Line:
    low, high = tuple(one.low for one in found), tuple(one.high for one in found)
    return Line(name, tuple(x), tuple(one.value for one in found), low, high)


def _lines_of(shots: Sequence[FewShot], split: str) -> dict[str, list[Line]]:
    """Return the lines of a split by metric: models with more than one context, and cells of the grid at one temperature."""
    here = [one for one in shots if one.split == split]
    temperatures = sorted({one.cell.temperature for one in here if one.cell})
    shown = _TEMPERATURE if _TEMPERATURE in temperatures else next(iter(temperatures), None)
    by_name: dict[str, list[FewShot]] = {}
    for one in sorted(here, key=lambda one: (one.cell.neighbours if one.cell else 0, one.context)):
        if one.cell is None or one.cell.temperature == shown:
            by_name.setdefault(_neighbours(one.cell.neighbours) if one.cell else one.model, []).append(one)
    several = {name: rows for name, rows in by_name.items() if len(rows) > 1}
    return {
        metric: [_line(name, [one.context for one in rows], [of(one.metrics) for one in rows]) for name, rows in several.items()]
        for metric, of, _ in _METRICS
    }


def _neighbours(number: int) -> str:
    return f"K = {number}"


def _published(metric: str) -> list[Line]:
    of = next(of for name, _, of in _METRICS if name == metric)
    return [
        Line(_neighbours(neighbours), tuple(row.images for row in rows), tuple(of(row) for row in rows))
        for neighbours in sorted({row.neighbours for row in published.FEW_SHOT})
        for rows in [[row for row in published.FEW_SHOT if row.neighbours == neighbours]]
    ]


def _metric_panels(panels: Sequence[Axes], lines: dict[str, list[Line]], drawn_as: dict[str, Mark], reference: Metrics | None) -> None:
    for axes, (name, of, _) in zip(panels, _METRICS, strict=True):
        _draw(axes, lines[name], drawn_as, dodge=0.35)
        if reference:
            axes.axhline(of(reference).value, color=FAINT, linewidth=1.1, linestyle=(0, (4, 3)), zorder=1)
        axes.set_title(name, loc="left")
        axes.set_xticks(sorted({x for line in lines[name] for x in line.x}))
        axes.set_xlabel("ratings seen")


def _draw(axes: Axes, lines: Sequence[Line], drawn_as: dict[str, Mark], *, dodge: float) -> None:
    for place, line in enumerate(lines):
        mark = drawn_as[line.name]
        # Side by side, so that no interval hides another.
        x = np.array(line.x) + dodge * (place - (len(lines) - 1) / 2)
        if line.low and line.high:
            axes.vlines(x, line.low, line.high, color=mark.colour, linewidth=1.0, alpha=0.75, zorder=2)
        axes.plot(x, line.value, zorder=3, color=mark.colour, **_look(mark))
    _finish(axes)


def _look(mark: Mark) -> dict[str, Any]:
    return {"linewidth": 1.4, "marker": mark.marker, "markersize": 5, "markeredgecolor": "white", "markeredgewidth": 0.5}


def _finish(axes: Axes) -> None:
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.margins(x=0.04)
    axes.grid(axis="y", color=_GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    sns.despine(ax=axes)


def _legend(figure: Figure | SubFigure, drawn_as: dict[str, Mark], *, columns: int, reference: str | None = None) -> None:
    handles = [Line2D([], [], color=mark.colour, **_look(mark)) for mark in drawn_as.values()]
    labels = [wrapped(name, _NAME_WIDTH) for name in drawn_as]
    if reference:
        handles.append(Line2D([], [], color=FAINT, linewidth=1.1, linestyle=(0, (4, 3))))
        labels.append(wrapped(f"{reference}, none seen", _NAME_WIDTH))
    figure.legend(handles, labels, loc="outside lower center", ncols=min(columns, len(labels)), frameon=False, handlelength=2.6)


def _across(splits: Sequence[str]) -> int:
    """Return how many names stand side by side below so many panels."""
    return 3 if len(splits) > 1 else 2


def _legend_rows(drawn_as: dict[str, Mark], columns: int) -> int:
    return -(-len(drawn_as) // columns)
