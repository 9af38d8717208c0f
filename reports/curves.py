"""The figure of steering: how the best score grows over the iterations, and what scorers that never steered say of the same images."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from reports.drawing import COLOURS, INK, MARKERS, column_width, house_style, wrapped
from stimuli.manifest import Step
from stimuli.steering_record import CandidateRow, RescoredRow

Dashes = Literal["-"] | tuple[float, Sequence[float]]

# Each target user has a line style and a marker of their own; colour only helps.
_STYLES: tuple[Dashes, ...] = (
    "-",
    (0, (5, 1.5)),
    (0, (1.2, 1.2)),
    (0, (5, 1.5, 1.2, 1.5)),
    (0, (5, 1.2, 1.2, 1.2, 1.2, 1.2)),
    (0, (9, 2)),
    (0, (2.5, 1)),
    (0, (9, 1.5, 2.5, 1.5)),
)
_PANEL = (2.55, 1.95)
_NAME_WIDTH = 20
# How many thin lines are drawn at their darkest; more are drawn fainter.
_INKED = 20 * 0.4


@dataclass(frozen=True)
class Panel:
    """One condition and its scorer: for each target user the chains, an array (chains, iterations + 1) of best scores."""

    condition: str
    scorer: str
    chains: dict[str | None, NDArray[np.float64]]


def panels(steps: Sequence[Step]) -> list[Panel]:
    """Return one panel for each condition and scorer, in order of first appearance.

    A chain that stopped early keeps its last score, which is still its best, to the last iteration of its panel.
    """
    keys = dict.fromkeys((step.condition, step.scorer) for step in steps)
    return [
        Panel(condition, scorer, _by_user([step for step in steps if (step.condition, step.scorer) == (condition, scorer)]))
        for condition, scorer in keys
    ]


def held_out_steps(steps: Sequence[Step], rescored: Sequence[RescoredRow], candidates: Sequence[CandidateRow]) -> list[list[Step]]:
    """Return the steps once for each held-out scorer, with what it says of the same images as their score."""
    names = dict.fromkeys(row.scorer for row in rescored if row.held_out)
    known = {(one.prompt, one.condition, one.target_user, one.run, one.candidate): one.scores for one in candidates}

    def scores(step: Step) -> dict[str, float]:
        return known.get((step.prompt, step.condition, step.target_user, step.run, step.best_prompt), {})

    told = [[replace(step, scorer=name, best_score=scores(step)[name]) for step in steps if name in scores(step)] for name in names]
    return [some for some in told if some]


def steering_curves(steps: Sequence[Step], held_out: Sequence[Sequence[Step]] = ()) -> Figure:
    """Return the best score after each iteration: thick lines are means over prompts and runs, thin lines the single chains.

    One panel for each condition, because scorers have scales of their own; beside it, a panel for each scorer in `held_out`, with
    one scale for all conditions. Up to 8 target users are told apart by line style; with more, thin lines are the users' means and
    the thick line is the mean of those.
    """
    rows = _rows(steps, held_out)
    drawn = [panel for row in rows for panel in row if panel]
    users = list(dict.fromkeys(user for panel in drawn for user in panel.chains if user is not None))
    named = users if len(users) <= len(_STYLES) else []
    across = 3 if max(map(len, named), default=0) <= 12 else 2
    legend_lines = sum(1 + wrapped(user, _NAME_WIDTH).count("\n") for user in named[::across])
    with house_style():
        size = (column_width(_PANEL[0] * len(rows[0]) + 0.2), (_PANEL[1] + 0.25) * len(rows) + 0.2 * legend_lines)
        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(len(rows), len(rows[0]), squeeze=False)
        for axes, panel in zip(grid.flat, (panel for row in rows for panel in row), strict=True):
            if panel is None:
                axes.set_visible(False)
            else:
                _draw(axes, panel, named, held_out=any(panel.scorer == some[0].scorer for some in held_out))
        if held_out:
            _share_scales(grid[:, 1:])
        _label_lowest(grid)
        if named:
            handles = [Line2D([], [], color=_colour(i), linestyle=_STYLES[i], **_thick(i)) for i in range(len(named))]
            labels = [wrapped(user, _NAME_WIDTH) for user in named]
            figure.legend(handles, labels, loc="outside lower center", ncols=across, frameon=False, handlelength=3.2)
    return figure


def _rows(steps: Sequence[Step], held_out: Sequence[Sequence[Step]]) -> list[list[Panel | None]]:
    """Return the panels as they stand: with held-out scorers a row for each condition, else two conditions a row."""
    steering = panels(steps)
    if held_out:
        beside = [{panel.condition: panel for panel in panels(some)} for some in held_out]
        return [[panel, *(found.get(panel.condition) for found in beside)] for panel in steering]
    columns = min(2, len(steering))
    padded: list[Panel | None] = [*steering, *([None] * (-len(steering) % columns))]
    return [padded[start : start + columns] for start in range(0, len(padded), columns)]


def _share_scales(grid: NDArray[np.object_]) -> None:
    """Give each column of panels one scale, so that conditions can be compared by a scorer that steered none of them."""
    for column in grid.T:
        seen = [axes for axes in column if axes.get_visible()]
        low = min(axes.get_ylim()[0] for axes in seen)
        high = max(axes.get_ylim()[1] for axes in seen)
        for axes in seen:
            axes.set_ylim(low, high)


def _label_lowest(grid: NDArray[np.object_]) -> None:
    for column in grid.T:
        [axes for axes in column if axes.get_visible()][-1].set_xlabel("iteration")


def _by_user(steps: Sequence[Step]) -> dict[str | None, NDArray[np.float64]]:
    chains: dict[tuple[str | None, str, int], dict[int, float]] = {}
    for step in steps:
        chains.setdefault((step.target_user, step.prompt, step.run), {})[step.iteration] = step.best_score
    length = 1 + max(step.iteration for step in steps)
    users = dict.fromkeys(user for user, _, _ in chains)
    return {user: np.array([_carried(scores, length) for (owner, _, _), scores in chains.items() if owner == user]) for user in users}


def _carried(scores: dict[int, float], length: int) -> list[float]:
    """Return the scores of iterations 0 to `length` - 1, each iteration without one taking the last before it."""
    known, carried = np.nan, []
    for iteration in range(length):
        known = scores.get(iteration, known)
        carried.append(known)
    return carried


def _draw(axes: Axes, panel: Panel, named: Sequence[str], *, held_out: bool) -> None:
    # Many lines together are as dark as a few, so that the means stand out.
    faint: dict[str, Any] = {"linewidth": 0.5, "alpha": max(0.05, min(0.4, _INKED / sum(len(chains) for chains in panel.chains.values())))}
    means = {user: np.nanmean(chains, axis=0) for user, chains in panel.chains.items()}
    iterations = np.arange(len(next(iter(means.values()))))
    for user, chains in panel.chains.items():
        place = named.index(user) if user in named else None
        colour = _colour(place)
        if user is None or place is not None:
            axes.plot(iterations, chains.T, color=colour, **faint)
            look = _thick(place) | {"markevery": _marked(place or 0, len(iterations))}
            axes.plot(iterations, means[user], color=colour, linestyle=_STYLES[place or 0], **look, zorder=3)
        else:
            axes.plot(iterations, means[user], color=colour, linewidth=0.5, alpha=0.4)
    if not named and None not in means:
        axes.plot(iterations, np.mean(list(means.values()), axis=0), color=INK, **_thick(None), zorder=3)
    axes.set_title(wrapped(panel.condition, 22), loc="left", fontweight="bold")
    axes.set_ylabel(wrapped(f"{panel.scorer}, held out" if held_out else f"best score of {panel.scorer}", 26))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.margins(x=0.03)
    axes.grid(axis="y", color="#e6e8eb", linewidth=0.6)
    sns.despine(ax=axes)


def _marked(place: int, iterations: int) -> tuple[int, int]:
    """Return the first marker of a line and every how many iterations one follows: on long lines, markers of two users stand apart."""
    every = max(1, iterations // 3)
    return place % every, every


def _colour(place: int | None) -> str:
    return INK if place is None else COLOURS[place % len(COLOURS)]


def _thick(place: int | None) -> dict[str, Any]:
    return {"linewidth": 1.6, "marker": MARKERS[place or 0], "markersize": 4.6, "markeredgecolor": "white", "markeredgewidth": 0.5}
