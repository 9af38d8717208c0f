"""The figure of repeated steering: how alike runs for one person end, against runs for different people and runs dealt out at random."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from analysis.run_record import RunsRecord, RunsView, UserRuns
from reports.drawing import COLOURS, FAINT, HALF_MORE, INK, PAGE, SMALL_SIZE, house_style, wrapped

# With more users than this, their mean stands for them.
MOST_USERS = 40
_NAME_WIDTH = 20
_BAND, _WITHIN, _BETWEEN = "#c4cad1", COLOURS[0], COLOURS[1]
# Inches: a user's row, the panel of the test below, and what titles, axes and the legend take.
_ROW, _TEST, _REST = 0.16, 0.5, 1.55


def within_between(record: RunsRecord) -> Figure:
    """Return, for each view of the runs, the users' similarities within and between, and below them the test of the difference.

    The grey bar holds 95 % of the differences of runs dealt out to users at random, its line all of them; the diamond is the
    difference found, the dashed line what a placebo's runs reach.
    """
    users = _order(record.views)
    rows = len(users) if len(users) <= MOST_USERS else 1
    across = len(record.views)
    with house_style():
        size = (PAGE if across > 2 else HALF_MORE, max(2, rows) * _ROW + _TEST + _REST)
        figure = Figure(figsize=size, layout="constrained")
        ratios = {"height_ratios": [max(2, rows) * _ROW, _TEST]}
        grid = figure.subplots(2, across, squeeze=False, gridspec_kw=ratios)
        for column, view in enumerate(record.views):
            _users(grid[0, column], view, users, named=column == 0)
            _test(grid[1, column], view, labelled=column == 0)
        _legend(figure, record.views, wide=across > 2)
    return figure


def _order(views: Sequence[RunsView]) -> list[str]:
    """Return the users, the one whose runs are most alike in the first view first."""
    first = sorted(views[0].users, key=lambda user: (user.between - user.within, user.user))
    return [user.user for user in first]


def _users(axes: Axes, view: RunsView, order: Sequence[str], *, named: bool) -> None:
    rows = [next(user for user in view.users if user.user == name) for name in order]
    if len(rows) > MOST_USERS:
        means = (float(np.mean([getattr(row, side) for row in rows])) for side in ("within", "between"))
        rows = [UserRuns(f"mean of {len(rows)} people", *means)]
    for place, row in enumerate(rows):
        axes.plot([row.between, row.within], [place, place], color=FAINT, linewidth=0.9, zorder=1)
        axes.plot(row.between, place, "o", color="white", markeredgecolor=_BETWEEN, markeredgewidth=1.0, markersize=4.4, zorder=2)
        axes.plot(row.within, place, "o", color=_WITHIN, markersize=4.8, zorder=3)
    axes.set_yticks(range(len(rows)), [wrapped(row.user, _NAME_WIDTH) for row in rows] if named else [""] * len(rows))
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_title(wrapped(view.view, 26), loc="left", fontweight="bold", fontsize=SMALL_SIZE)
    axes.set_xlabel("similarity of runs")
    _tidy(axes)


def _test(axes: Axes, view: RunsView, *, labelled: bool) -> None:
    axes.axvline(0, color=_BAND, linewidth=0.8, zorder=0)
    if view.relabelled:
        low, lower, upper, high = np.quantile(view.relabelled, [0, 0.025, 0.975, 1])
        axes.plot([low, high], [0, 0], color=FAINT, linewidth=1.0, solid_capstyle="butt", zorder=1)
        axes.plot([lower, upper], [0, 0], color=_BAND, linewidth=7, solid_capstyle="butt", zorder=2)
    if view.floor is not None:
        axes.axvline(view.floor, color=INK, linewidth=1.0, linestyle=(0, (4, 2)), zorder=3)
    if view.difference is not None:
        axes.plot(view.difference, 0, "D", color=INK, markersize=5, markeredgecolor="white", markeredgewidth=0.5, zorder=4)
    axes.text(0, 1.02, _told(view), transform=axes.transAxes, fontsize=SMALL_SIZE, va="bottom")
    axes.set_ylim(-0.8, 0.8)
    axes.set_yticks([0], ["difference"] if labelled else [""])
    axes.set_xlabel("within less between")
    _tidy(axes)


def _told(view: RunsView) -> str:
    if view.p_value is None:
        return "no test"
    return f"p {'< 0.001' if view.p_value < 0.001 else f'= {view.p_value:.3f}'}"


def _tidy(axes: Axes) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.margins(x=0.08)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(labelsize=SMALL_SIZE)
    axes.grid(axis="x", color="#e6e8eb", linewidth=0.5)
    axes.set_axisbelow(True)
    sns.despine(ax=axes, left=True)


def _legend(figure: Figure, views: Sequence[RunsView], *, wide: bool) -> None:
    hollow: dict[str, Any] = {"color": "none", "markeredgecolor": _BETWEEN, "markeredgewidth": 1.0}
    entries = {
        "two runs for one person (within)": Line2D([], [], color=_WITHIN, linewidth=0, marker="o", markersize=4.8),
        "runs for two people (between)": Line2D([], [], marker="o", markersize=4.4, **hollow),
        "difference found": Line2D([], [], color=INK, linewidth=0, marker="D", markersize=5),
        "runs dealt out at random, 95 % of them": Line2D([], [], color=_BAND, linewidth=7, solid_capstyle="butt"),
    }
    if any(view.floor is not None for view in views):
        entries["what a placebo’s runs reach"] = Line2D([], [], color=INK, linewidth=1.0, linestyle=(0, (4, 2)))
    figure.legend(
        list(entries.values()), list(entries), loc="outside lower center", ncols=3 if wide else 2, frameon=False, fontsize=SMALL_SIZE
    )
