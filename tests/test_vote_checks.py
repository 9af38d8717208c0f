"""What cannot be an answer about these images is refused, with the first such vote and their number."""

from dataclasses import replace

import pytest

from analysis.vote_checks import check_votes
from stimuli.experiment import ExperimentError
from stimuli.manifest import Stimulus
from study.votes import Vote

VOTE = Vote(
    "t0",
    "p1",
    None,
    0,
    "moss",
    "s1",
    "s2",
    "personal",
    "initial",
    "anna",
    None,
    "left",
    900.0,
    "2026-01-01T00:00:00+00:00",
    simulated=False,
)


def stimulus(name: str, condition: str, target: str | None) -> Stimulus:
    return Stimulus(name, "moss", "Moss.", condition, target, 0, "image.png", "0", "Moss.", "sketch", 1, None, None, None, 0)


STIMULI = [stimulus("s1", "personal", "anna"), stimulus("s2", "initial", None)]


def test_sound_votes_pass_with_and_without_stimuli() -> None:
    check_votes([VOTE, replace(VOTE, trial="t1")], STIMULI)
    check_votes([VOTE], None)
    check_votes([], STIMULI)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"participant": " "}, "names no participant"),
        ({"prompt": "", "left_stimulus": "s1"}, "names no prompt"),
        ({"right_stimulus": "s1", "right_condition": "personal", "right_target": "anna"}, 'compares "s1" with itself'),
        ({"response_ms": float("nan")}, "took nan ms, which is no time"),
        ({"left_stimulus": "s9"}, 'is about the stimulus "s9", which the stimuli do not have'),
        ({"left_condition": "hpsv3"}, 'says that the condition of "s1" is "hpsv3", but it was made with "personal"'),
        ({"left_target": "ben"}, 'says that the target of "s1" is "ben", but it was made with "anna"'),
        ({"trial": "t0"}, "is of a trial which has a vote already"),
    ],
)
def test_what_cannot_be_an_answer_is_told(change: dict[str, object], told: str) -> None:
    wrong = replace(VOTE, trial="t1")
    wrong = replace(wrong, **change)  # type: ignore[arg-type]
    with pytest.raises(ExperimentError) as caught:
        check_votes([VOTE, wrong], STIMULI)
    assert f'vote 2 (trial "{wrong.trial}") ' in str(caught.value)
    assert told in str(caught.value)
    assert str(caught.value).endswith("none was left out silently")


def test_equal_mistakes_are_counted_and_different_ones_all_told() -> None:
    lost = [replace(VOTE, trial=f"t{n}", left_stimulus="s9") for n in range(3)]
    with pytest.raises(ExperimentError) as caught:
        check_votes([*lost, replace(VOTE, trial="t9", participant="")], STIMULI)
    assert "(3 such votes)" in str(caught.value)
    assert 'vote 4 (trial "t9") names no participant (the only such vote)' in str(caught.value)
