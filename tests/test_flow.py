"""The flow of participants: everybody who came is in it, each loss has its reason, and the numbers add up."""

from dataclasses import replace
from itertools import pairwise

import pytest
from matplotlib.text import Text
from reported_experiment import example_results

from analysis.results import Results
from reports.drawing import COLUMN, rendered
from reports.flow import Left, Stage, flow, flow_table
from reports.flow_figure import flow_figure
from study.votes import Participant

RULE = "participants with fewer than 5 votes excluded"


def person(name: str, status: str, *, consented: bool = True, answered: int = 0) -> Participant:
    return Participant(name, None, False, status, None, "2026-01-01T09:00:00+00:00" if consented else None, None, answered, "{}")


PEOPLE = (
    *(person(f"f{n}", "finished", answered=20) for n in range(6)),
    *(person(f"u{n}", "unfinished", answered=7) for n in range(2)),
    person("silent", "unfinished"),
    person("screened", "screened out"),
    *(person(f"full{n}", "full") for n in range(3)),
    *(person(f"no{n}", "declined", consented=False) for n in range(4)),
    person("gone", "unfinished", consented=False),
)


def analysed() -> Results:
    """Return results of these people's votes: one of eight is excluded, with 7 votes; 60 votes say nothing about scores."""
    results = example_results()
    stages = [
        {"what": "answered", "participants": 8, "votes": 134, "excluded": [], "votes_dropped": 0},
        {"what": "answers faster than 300 ms dropped", "participants": 8, "votes": 131, "excluded": [], "votes_dropped": 3},
        {"what": RULE, "participants": 7, "votes": 124, "excluded": ["u1"], "votes_dropped": 7},
        {"what": "a rule that meets nobody", "participants": 7, "votes": 124, "excluded": [], "votes_dropped": 0},
    ]
    counts = replace(results.counts, participants=7, votes=64, same_condition=60)
    return replace(results, counts=counts, further={"exclusions": stages})


def test_everybody_who_came_is_told_of_with_reasons() -> None:
    stages = flow(PEOPLE, analysed())
    assert [(stage.what, stage.participants, stage.votes) for stage in stages] == [
        ("opened the study", 18, None),
        ("consented", 13, None),
        ("answered", 8, 134),
        ("analysed", 7, 64),
    ]
    assert stages[0].left == (Left("did not consent", 4), Left("left before consenting", 1))
    assert stages[1].left == (
        Left("screened out by a question", 1),
        Left("found the study full", 3),
        Left("left before the first answer", 1),
    )
    assert stages[2].note == "6 finished; 2 left before the end, and what they answered counts"
    assert Left(RULE, 1, 7) in stages[2].left
    assert Left("a rule that meets nobody", 0, 0) in stages[2].left


def test_stages_and_losses_add_up() -> None:
    stages = flow(PEOPLE, analysed())
    for before, after in pairwise(stages):
        assert (before.participants or 0) - sum(left.participants for left in before.left) == after.participants
    assert (stages[2].votes or 0) - sum(left.votes or 0 for left in stages[2].left) == stages[3].votes


def test_without_a_record_of_who_came_the_flow_begins_with_the_answers() -> None:
    assert [stage.what for stage in flow((), analysed())] == ["answered", "analysed"]
    assert flow((), example_results()) == ()
    assert [stage.what for stage in flow(PEOPLE, None)] == ["opened the study", "consented", "answered"]


def test_records_that_disagree_are_not_joined() -> None:
    """An export that is newer than the analysis counts other people; both numbers stand."""
    stages = flow((*PEOPLE, person("late", "finished", answered=20)), analysed())
    assert [(stage.what, stage.participants) for stage in stages if stage.what == "answered"] == [("answered", 9), ("answered", 8)]


def test_whom_closing_stopped_after_some_answers_counts_as_having_answered() -> None:
    stages = flow((person("stopped", "full", answered=3),), None)
    assert stages[1].left == ()
    assert (stages[2].participants, stages[2].note) == (1, "0 finished; 1 left before the end, and what they answered counts")


def test_conditions_left_out_on_request_are_a_reason() -> None:
    results = analysed()
    results = replace(results, counts=replace(results.counts, votes=50, left_out=("crisp",)))
    assert Left("votes about crisp, left out on request", 0, 14) in flow(PEOPLE, results)[2].left


def test_the_figure_says_what_the_table_says_and_fits_a_column() -> None:
    stages = flow(PEOPLE, analysed())
    figure = flow_figure(stages)
    words = " ".join(" ".join(text.get_text().split()) for text in figure.findobj(Text))
    for what, people, votes, note in flow_table(stages).shown:
        assert what.removeprefix("not further: ").lower() in words.lower()
        assert people == "0" or f"{people} participant" in words
        assert not votes or f"{votes} vote" in words
        assert note in words
    assert rendered(figure).width == pytest.approx(COLUMN)


def test_words_stay_within_their_boxes() -> None:
    long = "participants who repeated fewer than 60 % of answers when sides were swapped and whose names-are-very-long excluded"
    stages = (
        Stage(
            "answered",
            1_234_567,
            7_654_321,
            "1 finished; 3 left before the end, and what they answered counts",
            (Left(long, 12_345, 99_999),),
        ),
        Stage("analysed", 1, 1),
    )
    figure = flow_figure(stages)
    figure.set_dpi(300)
    figure.draw_without_rendering()
    axes = figure.axes[0]
    boxes = [patch.get_window_extent() for patch in axes.patches if type(patch).__name__ == "Rectangle"]
    for text in axes.texts:
        inside = text.get_window_extent()
        assert any(box.x0 <= inside.x0 and inside.x1 <= box.x1 and box.y0 <= inside.y0 and inside.y1 <= box.y1 for box in boxes), (
            text.get_text()
        )
