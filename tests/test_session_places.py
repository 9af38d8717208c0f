"""Questions and places: each place is given once, drop-outs give theirs back, quotas and screening hold."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from session_steps import Clock, all_at_once, answer_to, due, enter, finish, person, step
from study_fixtures import Settings, make_experiment

from stimuli.experiment import Experiment
from study.config import Question, StudyTable
from study.opening import open_study
from study.session import Session

GENDER = Question("gender", "Which?", when="before", options=("a", "b", "c"), accept=("a", "b"), quota={"a": 2})
AGE = Question("age", "How old are you?", when="before", type="number", least=18, most=99)
HABIT = Question("habit", "How often?", type="scale", points=7, ends=("never", "daily"), required=False)
REMARK = Question("remark", "Anything to add?", type="text", required=False)

Opener = Callable[..., Session]


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    return make_experiment(tmp_path_factory.mktemp("places") / "experiment")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def opened(experiment: Experiment, tmp_path: Path, clock: Clock) -> Opener:
    """Return what opens a study with these questions and keys of [study], by the test's own clock."""

    def open_(*questions: Question, url: str | Path | None = None, **keys: object) -> Session:
        settings = Settings(study=StudyTable(unreviewed=True, **keys), question=questions)  # type: ignore[arg-type]
        return replace(open_study(experiment, settings, url=url or tmp_path / "study.sqlite"), clock=clock)

    return open_


def slots(session: Session) -> dict[str, int | None]:
    with session.database.reading() as rows:
        return {each.id: each.slot for each in rows.people()}


# --- Places ---


def test_of_60_who_come_at_once_each_gets_a_place_and_nobody_the_same(opened: Opener, database_url: str) -> None:
    session = opened(url=database_url, participants=60)
    all_at_once([lambda name=f"p{number}": session.consent(name) for number in range(66)])  # type: ignore[misc]
    given = slots(session)
    stages = Counter(session.place(name).stage for name in given)
    session.database.close()
    assert sorted(slot for slot in given.values() if slot is not None) == list(range(60))
    assert stages == {"instructions": 60, "full": 6}


def test_the_place_of_somebody_who_drops_out_is_given_to_the_next(opened: Opener, clock: Clock) -> None:
    session = opened(participants=2, hold_minutes=30)
    for name in ("ada", "bob"):
        step(session, enter(session, name))
    clock.forward(minutes=29)
    session.consent("too-early")
    step(session, "bob")
    clock.forward(minutes=2)
    session.consent("next")
    assert session.place("too-early").stage == "full"
    assert slots(session) == {"ada": 0, "bob": 1, "too-early": None, "next": 0}


def test_a_finished_participant_keeps_the_place_for_ever(opened: Opener, clock: Clock) -> None:
    session = opened(participants=1)
    finish(session, enter(session, "ada"))
    clock.forward(minutes=100_000)
    session.consent("late")
    assert (session.place("late").stage, session.place("late").ended) == ("full", "full")


def test_who_comes_back_after_the_place_was_given_away_goes_on_and_loses_nothing(opened: Opener, clock: Clock) -> None:
    session = opened(participants=1, hold_minutes=30)
    step(session, enter(session, "ada"))
    before = session.place("ada")
    clock.forward(minutes=31)
    enter(session, "next")
    assert session.place("ada") == before
    finish(session, "ada")
    finish(session, "next")
    assert {session.place(name).stage for name in ("ada", "next")} == {"thanks"}


def test_whatever_somebody_does_is_a_sign_of_life(opened: Opener, clock: Clock) -> None:
    session = opened(participants=1, hold_minutes=30, practice=0, block=1)
    steps: list[Callable[[], object]] = [
        lambda: session.consent("ada"),
        lambda: session.opened("ada"),
        lambda: session.begin("ada"),
        lambda: session.answer("ada", answer_to(due(session, "ada"))),
        lambda: session.rest_over("ada"),
    ]
    for number, do in enumerate(steps):
        do()
        clock.forward(minutes=20)
        session.consent(f"late-{number}")
    assert {session.place(f"late-{number}").stage for number in range(len(steps))} == {"full"}
    assert session.place("ada").stage == "trials"


def test_without_a_number_of_participants_drop_outs_are_replaced_too(opened: Opener, clock: Clock) -> None:
    session = opened(hold_minutes=30)
    for name in ("p0", "p1", "p2"):
        session.consent(name)
    clock.forward(minutes=20)
    session.opened("p0")
    session.opened("p2")
    clock.forward(minutes=20)
    session.consent("p3")
    session.consent("p4")
    assert slots(session) == {"p0": 0, "p1": 1, "p2": 2, "p3": 1, "p4": 3}


def test_twins_see_each_pair_from_both_sides(opened: Opener) -> None:
    session = opened(practice=0)
    shown = []
    for name in ("ada", "bob"):
        places = finish(session, enter(session, name))
        shown.append({(place.trial.left_stimulus, place.trial.right_stimulus) for place in places if place.trial})
    assert shown[0] == {(right, left) for left, right in shown[1]}


# --- Questions ---


def test_questions_frame_the_images(opened: Opener) -> None:
    session = opened(HABIT, GENDER, AGE, REMARK, practice=0)
    session.consent("ada")
    first = session.place("ada")
    assert (first.stage, first.question, first.done, first.total) == ("question", GENDER, 0, 2)
    assert session.reply("ada", "gender", "b")
    assert (session.place("ada").question, session.place("ada").done) == (AGE, 1)
    assert person(session, "ada").slot is None
    assert session.reply("ada", "age", "31")
    assert (person(session, "ada").slot, session.place("ada").stage) == (0, "instructions")
    session.begin("ada")
    finish(session, "ada")
    assert (session.place("ada").question, session.place("ada").total) == (HABIT, 2)
    assert session.reply("ada", "habit", "7")
    assert session.reply("ada", "remark", "")
    assert session.place("ada").stage == "thanks"
    with session.database.reading() as rows:
        assert rows.replies("ada") == {"gender": "b", "age": "31", "habit": "7", "remark": ""}


def test_images_are_served_until_the_last_question_is_answered(opened: Opener) -> None:
    session = opened(HABIT)
    token = due(session, enter(session, "ada")).left_token
    finish(session, "ada")
    assert session.image(token) is not None
    session.reply("ada", "habit", "1")
    assert session.image(token) is None


@pytest.mark.parametrize(
    ("question", "value"),
    [
        (GENDER, "d"),
        (GENDER, ""),
        (GENDER, "a\0"),
        (AGE, "17"),
        (AGE, "100"),
        (AGE, "nan"),
        (AGE, "inf"),
        (AGE, "thirty"),
        (AGE, "3" * 400),
        (replace(HABIT, when="before"), "0"),
        (replace(HABIT, when="before"), "8"),
        (replace(HABIT, when="before"), "1.0"),
        (replace(REMARK, when="before"), "a\0b"),
        (replace(REMARK, when="before"), "a\x1bb\ud800"),
        (replace(REMARK, when="before"), "x" * 5001),
        (replace(REMARK, when="before", required=True), "  \n "),
    ],
)
def test_what_is_no_reply_to_the_question_is_not_stored(opened: Opener, question: Question, value: str) -> None:
    session = opened(question)
    session.consent("ada")
    before = session.place("ada")
    assert not session.reply("ada", question.id, value)
    assert session.place("ada") == before


@pytest.mark.parametrize(
    ("question", "value"), [(AGE, "18"), (AGE, "99"), (AGE, "42.5"), (replace(REMARK, when="before"), "ü\n☺ <b>'; --\u00a0\u200d\u202f")]
)
def test_any_true_reply_is_stored_as_it_is(opened: Opener, database_url: str, question: Question, value: str) -> None:
    session = opened(question, url=database_url)
    session.consent("ada")
    assert session.reply("ada", question.id, value)
    with session.database.reading() as rows:
        assert rows.replies("ada") == {question.id: value}
    session.database.close()


def test_only_the_question_that_is_due_takes_a_reply_and_the_first_reply_stays(opened: Opener) -> None:
    session = opened(GENDER, AGE, HABIT)
    assert not session.reply("ada", "gender", "b")
    session.consent("ada")
    assert not session.reply("ada", "age", "31")
    assert session.reply("ada", "gender", "b")
    assert session.reply("ada", "gender", "b")
    assert not session.reply("ada", "gender", "a")
    assert not session.reply("ada", "habit", "1")
    assert not session.reply("ada", "nonsense", "1")
    with session.database.reading() as rows:
        assert rows.replies("ada") == {"gender": "b"}


def test_nobody_replies_while_the_study_is_paused(opened: Opener) -> None:
    session = opened(AGE)
    session.consent("ada")
    with session.database.writing() as rows:
        rows.set_state("paused")
    assert not session.reply("ada", "age", "31")
    assert session.place("ada").stage == "paused"


def test_whoever_the_study_is_not_looking_for_is_screened_out_and_takes_no_place(opened: Opener) -> None:
    session = opened(GENDER, AGE)
    session.consent("ada")
    assert session.reply("ada", "gender", "c")
    assert (session.place("ada").stage, session.place("ada").ended) == ("screened out", "screened out")
    session.begin("ada")
    assert not session.reply("ada", "age", "31")
    assert person(session, "ada").slot is None


def test_a_quota_counts_those_who_finished_or_are_on_their_way(opened: Opener, clock: Clock) -> None:
    session = opened(GENDER, hold_minutes=30)

    def come(name: str, reply: str) -> str:
        session.consent(name)
        session.reply(name, "gender", reply)
        return session.place(name).stage

    assert [come(name, "a") for name in ("p0", "p1", "p2")] == ["instructions", "instructions", "full"]
    assert come("other", "b") == "instructions"
    session.begin("p0")
    finish(session, "p0")
    clock.forward(minutes=31)
    assert [come(name, "a") for name in ("p3", "p4")] == ["instructions", "full"]


def test_a_quota_is_kept_when_its_last_places_are_taken_at_once(opened: Opener, database_url: str) -> None:
    session = opened(GENDER, AGE, url=database_url)
    names = [f"p{number}" for number in range(8)]
    for name in names:
        session.consent(name)
        assert session.reply(name, "gender", "a")
    all_at_once([lambda name=name: session.reply(name, "age", "31") for name in names])  # type: ignore[misc]
    stages = Counter(session.place(name).stage for name in names)
    session.database.close()
    assert stages == {"instructions": 2, "full": 6}
