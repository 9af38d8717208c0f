"""What the screens hand to the page and make of what comes back, without a browser."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from study_fixtures import Settings, make_experiment

from study.config import Question, StudyTable
from study.opening import open_study
from study.recruitment.arrivals import Arrival
from study.screens import asking, component, reading, trial
from study.screens.comparison import show_comparison
from study.session import Place, Session
from study.storage.records import Answer

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
FIELDS = ("token", "choice", "response_ms", "device", "blurs", "ignored", "viewport", "rating")


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    opened = open_study(make_experiment(tmp_path / "experiment"), Settings(study=StudyTable(unreviewed=True, tie=True)))
    yield opened
    opened.database.close()


@pytest.fixture
def screens(monkeypatch: pytest.MonkeyPatch) -> list[component.Screen]:
    """Collect what would be shown."""
    shown: list[component.Screen] = []
    for module in ("comparison", "rating", "reading", "asking"):
        monkeypatch.setattr(f"study.screens.{module}.present", shown.append)
    return shown


@given(st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_whatever_a_browser_sends_becomes_an_answer_that_can_be_judged(fields: dict[str, object]) -> None:
    answer = trial.answer_of(fields)
    assert isinstance(answer.token, str)
    assert isinstance(answer.response_ms, float)
    assert isinstance(answer.blurs, int)
    assert answer.rating is None or isinstance(answer.rating, float)


def test_an_answer_that_a_page_sends_arrives_as_it_is() -> None:
    sent = {"token": "t", "choice": "left", "response_ms": 812.5, "device": "mouse", "blurs": 1, "ignored": 2, "viewport": "800x600"}
    assert trial.answer_of(sent) == Answer("t", "left", 812.5, "mouse", 1, 2, "800x600")
    rated = trial.answer_of({"token": "t", "rating": 3, "response_ms": 900, "device": "touch", "blurs": 0, "ignored": 0, "viewport": ""})
    assert rated == Answer("t", "", 900.0, "touch", rating=3.0)
    # No number, and none that a float can hold, ends outside of 1 to 5, where the session refuses it.
    assert all(abs(trial.answer_of({"rating": number}).rating or 0) > 5 for number in (math.nan, math.inf, -math.inf, 10**400))


def test_the_data_of_a_trial_holds_its_words_and_addresses_and_nothing_of_its_making(
    session: Session, screens: list[component.Screen]
) -> None:
    place = started(session, "ada")
    assert place.trial is not None
    show_comparison(session, "ada", place, place.trial)
    data = screens[0].data
    assert data["images"] == (f"/stim/{place.trial.left_token}", f"/stim/{place.trial.right_token}")
    assert data["progress"] == "Practice 1 of 2"
    assert data["tie"] is True
    said = repr(data)
    assert not any(word in said for word in (place.trial.left_stimulus, "quokkaleap", "zebrafinch", "ada", "walrusking"))


def test_a_catch_trial_says_the_side_in_place_of_the_prompt_for_either_arrangement(
    session: Session, screens: list[component.Screen]
) -> None:
    place = started(session, "ada")
    assert place.trial is not None
    show_comparison(session, "ada", place, replace(place.trial, expected="right"))
    data = screens[0].data
    assert data["prompt"] == session.texts["catch_right"]
    assert data["prompt_stacked"] == session.texts["catch_lower"]


@pytest.mark.parametrize(
    ("stage", "done", "device", "note"),
    [
        ("practice", 0, None, "Practice. This does not count."),
        ("practice", 1, "touch", "Practice. Chosen with a tap."),
        ("practice", 1, "pen", "Practice. Chosen with a tap."),
        ("practice", 1, "program", "Practice. This does not count."),
        ("trials", 0, "mouse", "Practice is over: from here on, each choice counts."),
        ("trials", 0, None, ""),
        ("trials", 1, "mouse", ""),
    ],
)
def test_the_note_tells_how_the_last_choice_was_made_and_never_what_it_was(
    session: Session, screens: list[component.Screen], stage: str, done: int, device: str | None, note: str
) -> None:
    place = replace(started(session, "ada"), stage=stage, done=done, last_device=device)
    assert place.trial is not None
    show_comparison(session, "ada", place, place.trial)
    assert screens[0].data["note"] == note


@pytest.mark.parametrize(
    ("least", "most", "said"),
    [
        (None, None, "Please enter a number."),
        (18.0, None, "Please enter a number of at least 18."),
        (None, 2.5, "Please enter a number of at most 2.5."),
        (1.0, 10.0, "Please enter a number from 1 to 10."),
    ],
)
def test_a_number_is_asked_for_within_its_limits(
    session: Session, screens: list[component.Screen], least: float | None, most: float | None, said: str
) -> None:
    question = Question("age", "How old?", type="number", least=least, most=most)
    asking.show_question(session, "ada", Place("question", total=1), question)
    assert screens[0].data["missing"] == said


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (StudyTable(), ["practice", "breaks"]),
        (StudyTable(practice=0, block=0), []),
        (StudyTable(tie=True, practice=0), ["tie", "breaks"]),
    ],
)
def test_the_instructions_say_what_this_study_has(
    session: Session, screens: list[component.Screen], table: StudyTable, expected: list[str]
) -> None:
    reading.show_instructions(replace(session, table=table), "ada")
    said = " ".join(paragraph["text"] for paragraph in screens[0].data["paragraphs"])  # type: ignore[attr-defined]
    texts = {"tie": "comparison_tie", "practice": "practice_first", "breaks": "breaks_offered"}
    assert [name for name, key in texts.items() if session.texts[key] in said] == expected
    (button,) = screens[0].data["buttons"]  # type: ignore[misc]
    assert button["text"] == ("Start with practice" if table.practice else "Start")  # type: ignore[index]


def test_a_press_counts_only_on_the_screen_it_was_made_on(
    session: Session, screens: list[component.Screen], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = session.arrive(Arrival("ada", {}))
    monkeypatch.setattr("study.screens.running.visitor", lambda session: session.arrived(key))
    reading.show_consent(session, "ada")
    for sent in ({}, {"screen": "thanks", "button": "0"}, {"screen": "consent", "button": "7"}, {"screen": "consent", "button": None}):
        screens[0].take(sent)
        assert session.place("ada").stage == "consent"
    screens[0].take({"screen": "consent", "button": "1"})
    assert session.place("ada").stage == "declined"


def started(session: Session, participant: str) -> Place:
    session.consent(participant)
    session.begin(participant)
    return session.place(participant)
