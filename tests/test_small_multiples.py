"""Small panels: what they show of whom, in which order, and what happens where there are too many of them."""

import io
from collections.abc import Sequence

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from analysis.results import Pooled, Score
from reports.drawing import PAGE, rendered
from reports.small_multiples import MOST_PANELS, groups, small_multiples

NAMES = ("own", "others", "initial", "hpsv3", "qalign", "imagereward", "deqa", "made-for-everybody")
A4_HEIGHT = 297 / 25.4


def scores(names: Sequence[str] = NAMES) -> list[Score]:
    return [Score(name, 1070 - 20 * place, 1060 - 20 * place, 1080 - 20 * place, 100) for place, name in enumerate(names)]


def pooled(number: int, names: Sequence[str] = NAMES, *, raw: float | None = 30) -> list[Pooled]:
    """Return scores at prompts of which the last does best with the first condition; `raw` is how far its own score is off."""
    return [
        Pooled("prompt", f"prompt-{n:02d}", score.condition, None if raw is None else score.elo + n + raw, score.elo + n, 12.0)
        for n in range(number)
        for score in scores(names)
    ]


def panels(figure: Figure) -> list[Axes]:
    return [axes for axes in figure.axes if axes.get_visible()]


def drawn(number: int, names: Sequence[str] = NAMES) -> Figure:
    return small_multiples(groups(pooled(number, names), "prompt", names), scores(names))


def test_panels_stand_in_the_order_of_the_best_conditions_score() -> None:
    figure = drawn(7, NAMES[:3])
    assert [axes.get_title(loc="left") for axes in panels(figure)] == [f"prompt-{n:02d}" for n in reversed(range(7))]


def test_a_panel_holds_each_score_its_interval_the_votes_alone_and_everybodys() -> None:
    axes = panels(small_multiples(groups(pooled(1, NAMES[:2], raw=5), "prompt", NAMES[:2]), scores(NAMES[:2])))[0]
    lines = [np.column_stack(line.get_data()).tolist() for line in axes.lines]
    assert [[1070.0, 0.0]] in lines  # the score
    assert [[1075.0, 0.0]] in lines  # the votes alone
    assert any(np.allclose(line, [[1070 - 1.96 * 12, 0], [1070 + 1.96 * 12, 0]]) for line in lines if len(line) == 2)
    everybody = 1000 + 1070 - 1060  # around the mean of the two
    assert any(np.allclose(line, [[everybody, -0.5], [everybody, 0.5]]) for line in lines if len(line) == 2)


def test_votes_alone_beyond_the_axis_become_an_arrowhead_at_its_edge() -> None:
    figure = small_multiples(groups(pooled(1, NAMES[:2], raw=5000), "prompt", NAMES[:2]), scores(NAMES[:2]))
    axes = panels(figure)[0]
    heads = [line for line in axes.lines if line.get_marker() == ">"]
    assert len(heads) == 2 and all(line.get_xdata()[0] == axes.get_xlim()[1] for line in heads)


def test_where_votes_alone_give_no_score_none_is_drawn() -> None:
    figure = small_multiples(groups(pooled(1, NAMES[:2], raw=None), "prompt", NAMES[:2]), scores(NAMES[:2]))
    assert not any(line.get_markerfacecolor() == "none" for line in panels(figure)[0].lines)


def test_all_panels_have_one_axis() -> None:
    assert len({axes.get_xlim() for axes in panels(drawn(MOST_PANELS))}) == 1


def test_forty_panels_of_eight_conditions_fit_a_page_in_letters_of_seven_points() -> None:
    figure = drawn(MOST_PANELS)
    finished = rendered(figure)
    assert len(panels(figure)) == MOST_PANELS and finished.width == pytest.approx(PAGE)
    assert figure.get_figheight() < A4_HEIGHT
    sizes = [text.get_fontsize() for text in figure.findobj(Text) if text.get_visible() and text.get_text()]
    assert min(sizes) >= 7
    pixels = np.asarray(Image.open(io.BytesIO(finished.png)).convert("L"))
    assert all((edge == 255).all() for edge in (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1])), "ink touches the edge"


def test_more_than_forty_become_one_plot_with_a_mark_for_each() -> None:
    (axes,) = panels(drawn(MOST_PANELS + 1, NAMES[:3]))
    marks = [line for line in axes.lines if line.get_marker() != "None"]
    assert [len(line.get_xdata()) for line in marks] == [MOST_PANELS + 1] * 3
    assert sorted(marks[0].get_xdata())[-1] == 1070 + MOST_PANELS
    assert all(abs(place - round(place)) <= 0.301 for line in marks for place in line.get_ydata())


def test_other_kinds_of_groups_and_unknown_conditions_are_left_out() -> None:
    stray = [Pooled("participant", "p1", "own", None, 1000, 1), Pooled("prompt", "q", "unheard of", None, 1000, 1)]
    assert [group.name for group in groups([*pooled(2), *stray], "prompt", NAMES)] == ["prompt-01", "prompt-00"]


def test_the_same_scores_give_the_same_bytes() -> None:
    assert rendered(drawn(3)) == rendered(drawn(3))
    assert rendered(drawn(50, NAMES[:2])) == rendered(drawn(50, NAMES[:2]))


@pytest.mark.parametrize(
    "names",
    [
        tuple(f"condition-number-{end * 5}" for end in "abc"),
        tuple(f"{end * 10}-in-a-condition-of-forty-l-{end * 10}" for end in "abc"),
        ("собственные изображения участника", "чужие изображения других людей", "исходные"),
        ("自分の画像", "他の人の画像", "元の画像"),
    ],
)
def test_long_names_make_no_figure_higher(names: tuple[str, ...]) -> None:
    figure = drawn(7, names)
    assert figure.get_figheight() == drawn(7, ("own", "others", "initial")).get_figheight()
    told = [label.get_text() for label in panels(figure)[0].get_yticklabels()]
    assert len(set(told)) == 3 and max(map(len, told)) <= 22
    pixels = np.asarray(Image.open(io.BytesIO(rendered(figure).png)).convert("L"))
    assert all((edge == 255).all() for edge in (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1])), "ink touches the edge"


def test_names_that_would_be_alike_without_their_middles_stand_whole() -> None:
    names = ("the-same-beginning-one-the-same-end", "the-same-beginning-two-the-same-end")
    told = [label.get_text() for label in panels(drawn(3, names))[0].get_yticklabels()]
    assert ["".join(name.split()) for name in told] == list(names)


@pytest.mark.parametrize(("number", "columns"), [(7, 4), (12, 6), (13, 5), (1, 2)])
def test_no_row_is_left_with_a_single_panel(number: int, columns: int) -> None:
    assert panels(drawn(number, NAMES[:3]))[0].get_subplotspec().get_geometry()[1] == columns  # type: ignore[union-attr]
