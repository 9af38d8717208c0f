"""The figures: what they show, that nothing is cut off, that it can be read, and that it is the same every time."""

import io
import re
from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest
import seaborn as sns
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image
from reported_experiment import ELO, example_results

from analysis.results import Contrast, Pair, Score
from reports.curves import panels, steering_curves
from reports.drawing import MARKERS, PAGE, marks, rendered, wrapped
from reports.figures import _DARKEST, charted, contrast_plot, score_plot, win_matrix
from reports.win_rates import ranking, win_rates
from stimuli.manifest import Step

LONG = (
    "made-for-the-participant-who-judges-it",
    "a$b$c",
    "<script>alert(1)</script>",
    *(f"condition-number-{n}-of-twelve" for n in range(9)),
)


def scores_of(names: tuple[str, ...]) -> list[Score]:
    return [Score(name, 1100 - 20 * n, 1080 - 20 * n, 1125 - 20 * n, 12_000) for n, name in enumerate(names)]


def scores_at_a_scope(names: tuple[str, ...]) -> list[Score]:
    return [replace(score, scope_low=score.low - 40, scope_high=score.high + 40, scope="participants") for score in scores_of(names)]


def pairs_of(names: tuple[str, ...]) -> list[Pair]:
    return [Pair(a, b, 1_234, 1_111, 10) for a, b in combinations(names, 2)]


def steps_of(users: tuple[str | None, ...], *, condition: str = "personal", length: int = 4) -> list[Step]:
    return [
        Step(prompt, condition, user, 0, iteration, "predictor", 0.5 + 0.1 * iteration + 0.01 * n, "words", "image.png")
        for n, user in enumerate(users)
        for prompt in ("boat", "cat")
        for iteration in range(length + 1)
    ]


FIGURES = {
    "scores": lambda names: score_plot(scores_of(names)),
    "scores with both intervals": lambda names: score_plot(scores_at_a_scope(names)),
    "contrasts": lambda names: contrast_plot([Contrast(a, b, 10, -5, 25, "these") for a, b in pairwise(names)]),
    "win rates": lambda names: win_matrix(win_rates(pairs_of(names), names)),
    "steering": lambda names: steering_curves([step for name in names for step in steps_of(names[:8], condition=name)]),
}


def visible_texts(figure: Figure) -> list[Text]:
    FigureCanvasAgg(figure).draw()
    return [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]


@pytest.mark.parametrize("names", [("own", "others"), tuple(ELO), LONG], ids=["two", "five", "twelve long names"])
@pytest.mark.parametrize("kind", FIGURES)
def test_no_label_is_cut_off(kind: str, names: tuple[str, ...]) -> None:
    pixels = np.asarray(Image.open(io.BytesIO(rendered(FIGURES[kind](names)).png)).convert("L"))
    edges = (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1])
    assert all((edge == 255).all() for edge in edges), "ink touches the edge of the figure"


@pytest.mark.parametrize("kind", FIGURES)
def test_letters_are_at_least_seven_points(kind: str) -> None:
    assert min(text.get_fontsize() for text in visible_texts(FIGURES[kind](LONG))) >= 7


@pytest.mark.parametrize("kind", FIGURES)
def test_names_are_drawn_as_they_are_and_never_as_mathematics(kind: str) -> None:
    texts = visible_texts(FIGURES[kind](("a$b$c", "others")))
    assert any("a$b$c" in text.get_text() for text in texts)
    assert not any(text.get_parse_math() for text in texts if "$" in text.get_text())


@pytest.mark.parametrize("kind", FIGURES)
def test_the_same_input_gives_the_same_bytes_in_every_format(kind: str) -> None:
    first, second = rendered(FIGURES[kind](tuple(ELO))), rendered(FIGURES[kind](tuple(ELO)))
    assert first == second
    assert b"<dc:date>" not in first.svg and b"CreationDate" not in first.pdf


def test_a_name_in_a_script_that_the_font_lacks_is_no_error() -> None:
    assert rendered(score_plot(scores_of(("色", "others")))).svg


def test_pngs_have_300_dots_an_inch_and_pdfs_hold_whole_fonts() -> None:
    figure = rendered(score_plot(example_results().scores))
    assert Image.open(io.BytesIO(figure.png)).width == pytest.approx(figure.width * 300, abs=1)
    assert b"/FontFile2" in figure.pdf and b"/Type3" not in figure.pdf


def test_svg_letters_are_outlines_so_no_font_is_needed() -> None:
    svg = rendered(score_plot(example_results().scores)).svg.decode()
    assert "<text" not in svg and "font-family" not in svg


def test_scores_are_drawn_highest_on_top_with_their_numbers() -> None:
    figure = score_plot(tuple(reversed(example_results().scores)))
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == list(ELO)
    assert axes.yaxis_inverted()
    assert [text.get_text().split()[0] for text in axes.texts] == ["1065", "1038", "1016", "959", "922"]


def test_intervals_end_where_the_results_say() -> None:
    score = example_results().scores[0]
    ends = [tuple(line.get_xdata()) for line in score_plot([score]).axes[0].lines]
    assert (score.low, score.high) in ends


def test_both_intervals_are_drawn_the_usual_one_thick_within_the_other_which_is_printed() -> None:
    score = replace(example_results().scores[0], scope_low=1010.0, scope_high=1120.0, scope="participants+prompts")
    figure = score_plot([score])
    widths = {tuple(line.get_xdata()): line.get_linewidth() for line in figure.axes[0].lines if line.get_marker() == "None"}
    assert widths[score.low, score.high] > 2 * widths[1010.0, 1120.0]
    assert [text.get_text() for text in figure.axes[0].texts] == ["1065  [1010, 1120]"]
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["holds for new participants and new prompts (printed)", "votes alone, the usual interval"]


@pytest.mark.parametrize("scope", ["these", None])
def test_an_interval_that_holds_for_nobody_else_is_not_drawn_twice(scope: str | None) -> None:
    score = replace(example_results().scores[0], scope_low=1050.0, scope_high=1080.0, scope=scope)
    figure = score_plot([score])
    assert not figure.legends
    assert [text.get_text() for text in figure.axes[0].texts] == [f"1065  [{score.low:.0f}, {score.high:.0f}]"]


def test_eight_conditions_can_be_read_in_the_matrix_at_the_width_of_a_page() -> None:
    names = ("own", "others", "initial", "hpsv3", "qalign", "imagereward", "deqa", "laion")
    figure = win_matrix(win_rates(pairs_of(names), names))
    assert figure.get_figwidth() <= PAGE + 0.01
    assert len([text for text in figure.axes[0].texts if " of " in text.get_text()]) == 56


def test_conditions_differ_in_shape_and_not_only_in_colour() -> None:
    drawn = marks([str(n) for n in range(12)])
    assert len({mark.marker for mark in drawn.values()}) == 12 == len(MARKERS)
    assert len(set(marks([str(n) for n in range(84)]).values())) == 84


def test_black_letters_can_be_read_on_the_darkest_cell_and_greys_keep_the_order() -> None:
    palette = sns.light_palette(_DARKEST, as_cmap=True)
    shades = [luminance(to_rgb(palette(place))) for place in np.linspace(0, 1, 21)]
    assert shades == sorted(shades, reverse=True)
    assert (shades[-1] + 0.05) / 0.05 >= 4.5  # WCAG 2.2, level AA
    assert shades[0] - shades[-1] > 0.5


def luminance(colour: tuple[float, float, float]) -> float:
    """WCAG 2.2, relative luminance."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour]
    return float(np.dot((0.2126, 0.7152, 0.0722), linear))


def test_win_rates_of_a_pair_complement_each_other_and_ties_count_half() -> None:
    rates = win_rates([Pair("own", "others", 6, 2, 2)], ("others", "own"))
    assert rates.shares[1, 0] == pytest.approx(0.7)
    assert rates.shares[0, 1] == pytest.approx(0.3)
    assert np.isnan(rates.shares[0, 0]) and rates.comparisons[0, 1] == 10


def test_a_pair_may_be_written_either_way_round() -> None:
    one_way = win_rates([Pair("own", "others", 6, 2, 2)], ("own", "others"))
    both_ways = win_rates([Pair("own", "others", 4, 1, 2), Pair("others", "own", 1, 2, 0)], ("own", "others"))
    assert np.array_equal(one_way.wins, both_ways.wins) and np.array_equal(one_way.ties, both_ways.ties)


def test_win_matrix_writes_share_and_counts_and_leaves_uncompared_pairs_open() -> None:
    figure = win_matrix(win_rates([Pair("own", "others", 6, 2, 2), Pair("own", "initial", 9, 1, 0)], ("own", "others", "initial")))
    written = [text.get_text() for text in figure.axes[0].texts]
    assert {"70%", "30%", "6 of 10", "2 of 10", "90%", "10%"} <= set(written)
    assert written.count("\N{EN DASH}") == 5  # the diagonal, and others against initial both ways


def test_many_differences_are_charted_for_neighbours_only() -> None:
    contrasts = [Contrast(a, b, 10, -5, 25, "these") for a, b in combinations(LONG, 2)]
    assert [(c.a, c.b) for c in charted(contrasts, LONG)] == list(pairwise(LONG))
    assert charted(contrasts[:15], LONG) == contrasts[:15]


def test_equal_scores_are_ranked_by_name() -> None:
    score = example_results().scores[0]
    assert ranking([replace(score, condition="b"), replace(score, condition="a")]) == ("a", "b")


def test_a_chain_that_stopped_early_keeps_its_last_score_in_the_mean() -> None:
    steps = [step for step in steps_of(("rater-01",)) if not (step.prompt == "cat" and step.iteration > 2)]
    (panel,) = panels(steps)
    chains = panel.chains["rater-01"]
    assert chains.shape == (2, 5)
    assert chains[1].tolist() == pytest.approx([0.5, 0.6, 0.7, 0.7, 0.7])


def test_every_condition_has_a_panel_of_its_own() -> None:
    steps = [*steps_of((None,), condition="hpsv3"), *steps_of(("rater-01", "rater-05"))]
    assert [(panel.condition, list(panel.chains)) for panel in panels(steps)] == [("hpsv3", [None]), ("personal", ["rater-01", "rater-05"])]


def test_target_users_differ_in_line_style_and_shape() -> None:
    users = tuple(f"rater-{n}" for n in range(8))
    legend = steering_curves(steps_of(users)).legends[0]
    handles = legend.legend_handles
    assert [text.get_text() for text in legend.get_texts()] == list(users)
    assert len({str(handle._unscaled_dash_pattern) for handle in handles}) == 8
    assert len({handle.get_marker() for handle in handles}) == 8


def test_too_many_target_users_for_a_legend_become_one_mean() -> None:
    figure = steering_curves(steps_of(tuple(f"rater-{n}" for n in range(30))))
    assert not figure.legends
    thick = [line for line in figure.axes[0].lines if line.get_linewidth() > 1]
    assert len(thick) == 1
    assert thick[0].get_ydata()[0] == pytest.approx(0.5 + 0.01 * 14.5)


def test_wrapped_lines_keep_their_width() -> None:
    assert all(len(line) <= 22 for name in LONG for line in wrapped(name, 22).split("\n"))
    assert re.sub(r"\s", "", wrapped(LONG[0], 22)) == LONG[0]
