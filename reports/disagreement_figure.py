"""The figure of people who disagree (the paper's Fig. 10): two images, what two users said of them, and what was expected of each."""

import math
from collections.abc import Sequence
from pathlib import Path

import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.predictor_results import Disagreement, Opinion
from reports.drawing import COLOURS, FAINT, PAGE, SMALL_SIZE, TEXT_SIZE, Mark, house_style, wrapped
from reports.kept_copies import small_copy

# Inches a row, and the longest side of a picture: enough for print at this size, small enough for the page.
_ROW = 1.65
_PIXELS = 240
_NAME_WIDTH = 16
_MARKS = (Mark(COLOURS[0], "o"), Mark(COLOURS[1], "s"))


def disagreement_figure(found: Sequence[Disagreement], folder: Path) -> Figure:
    """Return one row a disagreement: image A, image B, the ratings of both users, and the predictions for both.

    Lines that cross are people who order the two images oppositely. A picture that is not in `folder` leaves a frame with its name.
    """
    with house_style():
        figure = Figure(figsize=(PAGE, _ROW * len(found) + 0.25), layout="constrained")
        grid = figure.subplots(len(found), 4, squeeze=False, width_ratios=(1.0, 1.0, 1.15, 1.15))
        low, high = _scale(found)
        for number, (axes, one) in enumerate(zip(grid, found, strict=True), start=1):
            for place, (image, path) in enumerate(zip(one.images, one.paths, strict=True)):
                _picture(axes[place], f"pair {number}, image {'AB'[place]}", image, path, folder)
            _opinions(axes[2], one.opinions, [said.ratings for said in one.opinions], (low, high), named=True)
            _opinions(axes[3], one.opinions, [said.predictions for said in one.opinions], (low, high), named=False)
        grid[0][2].set_title("rated", loc="left", fontweight="bold")
        grid[0][3].set_title("predicted", loc="left", fontweight="bold")
    return figure


def _scale(found: Sequence[Disagreement]) -> tuple[float, float]:
    values = [value for one in found for said in one.opinions for value in (*said.ratings, *said.predictions)]
    return min(1.0, *values), max(5.0, *values)


def _picture(axes: Axes, label: str, name: str, path: str | None, folder: Path) -> None:
    copy = small_copy(folder, path, _PIXELS) if path else None
    if copy is None:
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        axes.set_aspect("equal")
        axes.text(0.5, 0.5, wrapped(f"not here: {name}"[:60], _NAME_WIDTH), ha="center", va="center", fontsize=SMALL_SIZE, color=FAINT)
    else:
        axes.imshow(copy, interpolation="antialiased")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlabel(label, labelpad=3)
    for side in axes.spines.values():
        side.set_edgecolor(FAINT)


def _opinions(
    axes: Axes, said: Sequence[Opinion], values: Sequence[tuple[float, float]], limits: tuple[float, float], *, named: bool
) -> None:
    for mark, opinion, pair in zip(_MARKS, said, values, strict=True):
        axes.plot(
            (0, 1),
            pair,
            color=mark.colour,
            marker=mark.marker,
            linewidth=1.5,
            linestyle="-" if mark == _MARKS[0] else (0, (5, 1.5)),
            markersize=6,
            markeredgecolor="white",
            markeredgewidth=0.6,
            clip_on=False,
            label=wrapped(opinion.user, _NAME_WIDTH),
        )
    axes.set_xticks((0, 1), ("A", "B"))
    axes.set_xlim(-0.25, 1.25)
    axes.set_ylim(limits[0] - 0.2, limits[1] + 0.2)
    axes.set_yticks(range(math.ceil(limits[0]), math.floor(limits[1]) + 1))
    axes.grid(axis="y", color="#e6e8eb", linewidth=0.6)
    axes.set_axisbelow(True)
    sns.despine(ax=axes)
    names = [wrapped(opinion.user, _NAME_WIDTH) for opinion in said]
    # A name of several lines takes room below the axis, where the legend of both panels stands.
    axes.set_xlabel("\n".join(" " * (1 + max(name.count("\n") for name in names))), fontsize=TEXT_SIZE)
    if named:
        legend = axes.legend(loc="upper center", bbox_to_anchor=(1.1, -0.13), ncols=2, frameon=False, handlelength=2.4)
        legend.set_in_layout(False)
