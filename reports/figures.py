"""The figures of the votes: scores with intervals, differences with intervals, and who was preferred to whom."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from analysis.results import Contrast, Score
from reports.drawing import FAINT, INK, SMALL_SIZE, TEXT_SIZE, Mark, column_width, house_style, marks, wrapped
from reports.win_rates import WinRates, ranking

_NAME_WIDTH = 22
# Inches: the least width of a plot between the names and the numbers, and a line of text.
_PLOT = 1.3
_LINE = 0.138
_MOST_CONTRASTS = 15
# Points: how wide an interval is drawn, and one within it.
_THIN, _THICK = 1.6, 5.0
_ELO_AXIS = "Elo score (all conditions' mean is 1000)"
_HOLDS_FOR = {"participants": "new participants", "participants+prompts": "new participants and new prompts"}
# The darkest cell: light enough for black letters (contrast above 6 to 1), dark enough to differ from the lightest in grey.
_DARKEST = "#4f8fc0"


@dataclass(frozen=True)
class _Row:
    """One line of an interval plot; `printed` stands at its right. With an `inner` interval both are drawn, that one thick."""

    label: str
    value: float
    low: float
    high: float
    printed: str
    mark: Mark
    inner: tuple[float, float] | None = None


def score_plot(scores: Sequence[Score]) -> Figure:
    """Return the scores with their intervals, highest on top, and the mean of 1000 as a line (the paper's Fig. 8, turned on its side).

    Where the results hold the interval at the scope of the verdicts, it is drawn thin with ends and printed, and the usual one,
    from resampled votes, is drawn thick within it.
    """
    drawn_as = marks(ranking(scores))
    by_name = {score.condition: score for score in scores}
    scope = next((score.scope for score in scores), None)
    figure = _interval_plot([_score_row(by_name[name], mark) for name, mark in drawn_as.items()], reference=1000.0, axis=_ELO_AXIS)
    if any(has_both(score) for score in scores):
        _explain_both(figure, scope or "")
    return figure


def has_both(score: Score) -> bool:
    """Return whether a score has, beside the interval from votes, one that holds for more than these people and prompts."""
    return score.scope_low is not None and score.scope_high is not None and score.scope not in (None, "these")


def _score_row(score: Score, mark: Mark) -> _Row:
    low, high, inner = score.low, score.high, None
    if has_both(score) and score.scope_low is not None and score.scope_high is not None:
        low, high, inner = score.scope_low, score.scope_high, (score.low, score.high)
    label = wrapped(score.condition, _NAME_WIDTH)
    return _Row(label, score.elo, low, high, f"{score.elo:.0f}  [{low:.0f}, {high:.0f}]", mark, inner)


def _explain_both(figure: Figure, scope: str) -> None:
    """Say below the plot which interval is which."""
    with house_style():
        thick = Line2D([], [], color=INK, linewidth=_THICK, solid_capstyle="butt")
        thin = Line2D([], [], color=INK, linewidth=_THIN, marker="|", markersize=7, markeredgewidth=1.2)
        labels = [f"holds for {_HOLDS_FOR.get(scope, scope)} (printed)", "votes alone, the usual interval"]
        figure.set_figheight(figure.get_figheight() + 2.4 * _LINE)
        figure.legend([thin, thick], labels, loc="outside lower center", frameon=False, handlelength=3, numpoints=2)


def contrast_plot(contrasts: Sequence[Contrast]) -> Figure:
    """Return the differences between conditions with their intervals, in the order given, and zero as a line."""
    rows = [
        _Row(
            _difference_of(contrast),
            contrast.difference_elo,
            contrast.low,
            contrast.high,
            f"{_signed(contrast.difference_elo)}  [{_signed(contrast.low)}, {_signed(contrast.high)}]",
            Mark(INK, "o"),
        )
        for contrast in contrasts
    ]
    return _interval_plot(rows, reference=0.0, axis="difference in Elo")


def charted(contrasts: Sequence[Contrast], ranked: Sequence[str]) -> list[Contrast]:
    """Return the contrasts that a figure can hold: all, or where they are many, those between neighbours in the ranking."""
    if len(contrasts) <= _MOST_CONTRASTS:
        return list(contrasts)
    neighbours = {frozenset(pair) for pair in pairwise(ranked)}
    return [contrast for contrast in contrasts if frozenset((contrast.a, contrast.b)) in neighbours]


def win_matrix(rates: WinRates) -> Figure:
    """Return how often the row was preferred to the column: share and counts in each cell, darker for more, so greys keep the order."""
    size = len(rates.conditions)
    names = [wrapped(name, _NAME_WIDTH) for name in rates.conditions]
    longest = _longest_line(names)
    cell = _letters(max(10, *(len(_cell_counts(rates, place)) for place in range(size**2))), SMALL_SIZE) + 0.04
    width, height = size * cell + _letters(longest, TEXT_SIZE) + 0.5, size * max(0.5, cell * 0.7) + 0.6
    slanted = longest > 10
    with house_style():
        figure = Figure(
            figsize=(column_width(width), height + (_letters(longest, TEXT_SIZE) * 0.6 if slanted else 0)), layout="constrained"
        )
        axes = figure.add_subplot()
        reach = _reach(rates)
        shades = {"vmin": 0.5 - reach, "vmax": 0.5 + reach, "cmap": sns.light_palette(_DARKEST, as_cmap=True)}
        sns.heatmap(rates.shares, ax=axes, **shades, cbar=False, linewidths=1.5, linecolor="white")
        axes.set_yticks(np.arange(size) + 0.5, names, rotation=0)
        axes.xaxis.tick_top()
        axes.xaxis.set_label_position("top")
        axes.set_xticks(np.arange(size) + 0.5, names, rotation=35 if slanted else 0, ha="left" if slanted else "center")
        axes.tick_params(length=0)
        axes.set_ylabel("share preferring\nthis condition")
        axes.set_xlabel("to this one", labelpad=7)
        _write_cells(axes, rates)
    return figure


def _interval_plot(rows: Sequence[_Row], *, reference: float, axis: str) -> Figure:
    lines = sum(max(2.2, row.label.count("\n") + 1.6) for row in rows)
    beside = _letters(_longest_line(row.label for row in rows), TEXT_SIZE) + _letters(_longest_line(row.printed for row in rows), TEXT_SIZE)
    with house_style():
        figure = Figure(figsize=(column_width(_PLOT + beside), 0.67 + _LINE * lines), layout="constrained")
        axes = figure.add_subplot()
        axes.axvline(reference, color=FAINT, linewidth=0.9, linestyle=(0, (4, 3)), zorder=0)
        for place, row in zip(_places(rows), rows, strict=True):
            axes.plot([row.low, row.high], [place, place], color=row.mark.colour, linewidth=_THIN, solid_capstyle="butt", zorder=2)
            axes.plot([row.low, row.high], [place, place], "|", color=row.mark.colour, markersize=7, markeredgewidth=1.2, zorder=2)
            if row.inner:
                axes.plot(row.inner, [place, place], color=row.mark.colour, linewidth=_THICK, solid_capstyle="butt", zorder=2)
            axes.plot(
                row.value,
                place,
                row.mark.marker,
                color=row.mark.colour,
                markersize=5 if row.inner else 7,
                markeredgecolor="white",
                markeredgewidth=0.6,
                zorder=3,
            )
            axes.text(1.03, place, row.printed, transform=axes.get_yaxis_transform(), va="center", fontsize=TEXT_SIZE - 0.5)
        axes.set_yticks(_places(rows), [row.label for row in rows])
        axes.set_ylim(lines, 0)
        axes.margins(x=0.06)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel(axis)
        sns.despine(ax=axes, left=True)
        axes.grid(axis="x", color="#e6e8eb", linewidth=0.6)
        axes.set_axisbelow(True)
    return figure


def _places(rows: Sequence[_Row]) -> list[float]:
    """Return the middle of each row, in text lines from the top; a name of several lines takes more room."""
    heights = [max(2.2, row.label.count("\n") + 1.6) for row in rows]
    return [sum(heights[:index]) + height / 2 for index, height in enumerate(heights)]


def _reach(rates: WinRates) -> float:
    """Return how far the colours reach from one half, so that shares near one half stay distinct; at least 10 points."""
    furthest = np.nanmax(np.abs(rates.shares - 0.5), initial=0.1)
    return float(np.ceil(furthest * 20) / 20)


def _write_cells(axes: Axes, rates: WinRates) -> None:
    shares, comparisons = rates.shares, rates.comparisons
    for row, column in np.ndindex(shares.shape):
        x, y = column + 0.5, row + 0.5
        if not comparisons[row, column]:
            axes.text(x, y, "\N{EN DASH}", ha="center", va="center", color=FAINT)
            continue
        axes.text(x, y - 0.13, f"{shares[row, column]:.0%}", ha="center", va="center", color="black", fontsize=TEXT_SIZE + 0.5)
        counts = _cell_counts(rates, row * len(shares) + column)
        axes.text(x, y + 0.22, counts, ha="center", va="center", color="black", fontsize=SMALL_SIZE)


def _difference_of(contrast: Contrast) -> str:
    """Return the name of a difference, on one line where it fits."""
    line = f"{contrast.a} \N{MINUS SIGN} {contrast.b}"
    if len(line) <= _NAME_WIDTH:
        return line
    return f"{wrapped(contrast.a, _NAME_WIDTH)} \N{MINUS SIGN}\n{wrapped(contrast.b, _NAME_WIDTH)}"


def _longest_line(texts: Iterable[str]) -> int:
    return max(len(line) for text in texts for line in text.split("\n"))


def _cell_counts(rates: WinRates, place: int) -> str:
    """Return what stands below the share in the cell at `place`, counted along the rows."""
    return f"{rates.wins.flat[place]} of {rates.comparisons.flat[place]}"


def _letters(number: int, size: float) -> float:
    """Return about how many inches `number` letters of `size` points take."""
    return number * size * 0.6 / 72


def _signed(number: float) -> str:
    return f"{number:+.0f}".replace("-", "\N{MINUS SIGN}")
