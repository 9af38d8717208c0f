"""The figure of steering: how the best score grows over the iterations."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from reports.drawing import COLOURS, INK, MARKERS, house_style, wrapped
from stimuli.manifest import Step

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


def steering_curves(steps: Sequence[Step]) -> Figure:
    """Return the best score after each iteration: thick lines are means over prompts and runs, thin lines the single chains.

    One panel for each condition, because scorers have scales of their own. Up to 8 target users are told apart by line style;
    with more, thin lines are the users' means and the thick line is the mean of those.
    """
    drawn = panels(steps)
    users = list(dict.fromkeys(user for panel in drawn for user in panel.chains if user is not None))
    columns = min(2, len(drawn))
    rows = -(-len(drawn) // columns)
    named = users if len(users) <= len(_STYLES) else []
    across = 3 if max(map(len, named), default=0) <= 12 else 2
    legend_lines = sum(1 + wrapped(user, _NAME_WIDTH).count("\n") for user in named[::across])
    with house_style():
        figure = Figure(figsize=(_PANEL[0] * columns + 0.2, (_PANEL[1] + 0.25) * rows + 0.2 * legend_lines), layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False)
        for axes, panel in zip(grid.flat, drawn, strict=False):
            _draw(axes, panel, named)
        for axes in grid.flat[len(drawn) :]:
            axes.set_visible(False)
        for axes in grid.flat[max(0, len(drawn) - columns) : len(drawn)]:
            axes.set_xlabel("iteration")
        if named:
            handles = [Line2D([], [], color=_colour(i), linestyle=_STYLES[i], **_thick(i)) for i in range(len(named))]
            labels = [wrapped(user, _NAME_WIDTH) for user in named]
            figure.legend(handles, labels, loc="outside lower center", ncols=across, frameon=False, handlelength=3.2)
    return figure


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


def _draw(axes: Axes, panel: Panel, named: Sequence[str]) -> None:
    means = {user: np.nanmean(chains, axis=0) for user, chains in panel.chains.items()}
    iterations = np.arange(len(next(iter(means.values()))))
    for user, chains in panel.chains.items():
        place = named.index(user) if user in named else None
        colour = _colour(place)
        if user is None or place is not None:
            axes.plot(iterations, chains.T, color=colour, linewidth=0.5, alpha=0.4)
            axes.plot(iterations, means[user], color=colour, linestyle=_STYLES[place or 0], **_thick(place), zorder=3)
        else:
            axes.plot(iterations, means[user], color=colour, linewidth=0.5, alpha=0.4)
    if not named and None not in means:
        axes.plot(iterations, np.mean(list(means.values()), axis=0), color=INK, **_thick(None), zorder=3)
    axes.set_title(wrapped(panel.condition, 22), loc="left", fontweight="bold")
    axes.set_ylabel(wrapped(f"best score of {panel.scorer}", 26))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.margins(x=0.03)
    axes.grid(axis="y", color="#e6e8eb", linewidth=0.6)
    sns.despine(ax=axes)


def _colour(place: int | None) -> str:
    return INK if place is None else COLOURS[place % len(COLOURS)]


def _thick(place: int | None) -> dict[str, Any]:
    return {"linewidth": 1.6, "marker": MARKERS[place or 0], "markersize": 4.6, "markeredgecolor": "white", "markeredgewidth": 0.5}
