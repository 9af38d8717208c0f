"""A participant's way through a comparison: exactly-once answers, going on after anything, and what is refused."""

import secrets
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from session_steps import all_at_once, answer_to, due, enter, finish, outcomes, person, step, votes
from study_fixtures import Settings, make_experiment

from stimuli.experiment import Experiment, ExperimentError
from study.config import StudyTable
from study.opening import open_study
from study.recruitment.arrivals import Arrival
from study.session import Session, open_running
from study.storage.records import Answer


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    return make_experiment(tmp_path_factory.mktemp("session") / "experiment")


@pytest.fixture
def session(experiment: Experiment, tmp_path: Path) -> Iterator[Session]:
    """Return the study with nobody in it."""
    opened = open_study(experiment, Settings(), url=tmp_path / "study.sqlite")
    yield opened
    opened.database.close()


def study_with(experiment: Experiment, url: str | Path, **keys: object) -> Session:
    return open_study(experiment, Settings(study=StudyTable(unreviewed=True, **keys)), url=url)  # type: ignore[arg-type]


def test_the_way_leads_from_consent_over_practice_to_thanks(session: Session) -> None:
    assert session.place("ada").stage == "consent"
    session.consent("ada")
    assert session.place("ada").stage == "instructions"
    session.begin("ada")
    seen = [(place.stage, place.done, place.total) for place in finish(session, "ada")]
    assert seen == [("practice", k, 2) for k in range(2)] + [("trials", k, 6) for k in range(6)]
    assert (session.place("ada").stage, session.place("ada").ended) == ("thanks", "finished")


def test_the_next_trial_is_known_before_it_is_due(session: Session) -> None:
    enter(session, "ada")
    places = finish(session, "ada")
    assert [place.next for place in places[:-1]] == [place.trial for place in places[1:]]
    assert places[-1].next is None


def test_how_the_latest_answer_was_given_is_known(session: Session) -> None:
    enter(session, "ada")
    assert session.place("ada").last_device is None
    session.answer("ada", replace(answer_to(due(session, "ada")), device="touch"))
    assert session.place("ada").last_device == "touch"


def test_practice_is_never_a_vote(session: Session) -> None:
    enter(session, "ada")
    for _ in range(2):
        step(session, "ada")
    assert votes(session) == []
    finish(session, "ada")
    assert [position for _, position, _ in votes(session)] == list(range(6))


def test_blocks_are_parted_by_breaks_that_last_as_long_as_they_like(experiment: Experiment, tmp_path: Path) -> None:
    session = study_with(experiment, tmp_path / "study.sqlite", block=2, practice=1)
    enter(session, "ada")
    session.rest_over("ada")
    places = finish(session, "ada")
    assert [place.stage for place in places] == ["practice", *["trials"] * 2, "break", *["trials"] * 2, "break", *["trials"] * 2]
    rests = [place for place in places if place.stage == "break"]
    assert [(rest.trial, rest.done, rest.total) for rest in rests] == [(None, 2, 6), (None, 4, 6)]
    assert rests[0].next == places[4].trial
    with session.database.reading() as rows:
        assert [vote.block for vote in rows.votes()] == [0, 0, 1, 1, 2, 2]


def test_what_is_not_yet_shown_cannot_be_answered_in_a_break(experiment: Experiment, tmp_path: Path) -> None:
    session = study_with(experiment, tmp_path / "study.sqlite", block=2, practice=0)
    enter(session, "ada")
    for _ in range(2):
        step(session, "ada")
    rest = session.place("ada")
    assert rest.stage == "break"
    assert rest.next
    assert session.answer("ada", answer_to(rest.next)) == "refused"
    session.rest_over("ada")
    session.rest_over("ada")
    assert session.place("ada").trial == rest.next


def test_without_blocks_there_are_no_breaks(experiment: Experiment, tmp_path: Path) -> None:
    session = study_with(experiment, tmp_path / "study.sqlite", block=0)
    enter(session, "ada")
    assert {place.stage for place in finish(session, "ada")} == {"practice", "trials"}


def test_catch_trials_and_repeats_count_as_progress_and_are_told_apart(tmp_path: Path) -> None:
    experiment = make_experiment(tmp_path / "experiment", prompts=4)
    session = study_with(experiment, tmp_path / "study.sqlite", catch=2, repeats=2, practice=1)
    enter(session, "ada")
    trials = [place for place in finish(session, "ada") if place.stage == "trials"]
    assert [(place.done, place.total) for place in trials] == [(k, 16) for k in range(16)]
    with session.database.reading() as rows:
        stored = rows.votes()
    assert Counter(vote.kind for vote in stored) == {"comparison": 12, "repeat": 2, "catch": 2}
    assert {vote.expected for vote in stored if vote.kind == "catch"} <= {"left", "right"}
    assert all(vote.expected is None for vote in stored if vote.kind != "catch")
    first = {(vote.left_stimulus, vote.right_stimulus) for vote in stored if vote.kind == "comparison"}
    assert all((vote.right_stimulus, vote.left_stimulus) in first for vote in stored if vote.kind == "repeat")


def test_a_tie_is_an_answer_only_where_it_is_offered(experiment: Experiment, tmp_path: Path) -> None:
    offered = study_with(experiment, tmp_path / "tie.sqlite", tie=True)
    enter(offered, "ada")
    assert offered.answer("ada", answer_to(due(offered, "ada"), "tie")) == "stored"
    without = study_with(experiment, tmp_path / "none.sqlite")
    enter(without, "ada")
    assert without.answer("ada", answer_to(due(without, "ada"), "tie")) == "refused"


def test_a_comparison_is_not_answered_by_a_rating(session: Session) -> None:
    enter(session, "ada")
    trial = due(session, "ada")
    assert session.answer("ada", replace(answer_to(trial), rating=3.0)) == "refused"
    assert session.answer("ada", replace(answer_to(trial), choice="", rating=3.0)) == "refused"


def test_arriving_makes_nobody_a_participant(session: Session) -> None:
    key = session.arrive(Arrival("ada", {"STUDY_ID": "s1"}))
    assert session.arrived(key) == "ada"
    assert "ada" not in key
    with session.database.reading() as rows:
        assert rows.people() == []


@pytest.mark.parametrize("key", ["", "unknown", "a\0b", "x" * 10_000])
def test_a_key_that_was_never_given_out_stands_for_nobody(session: Session, key: str) -> None:
    assert session.arrived(key) is None


@pytest.mark.parametrize("participant", ["", "a b", "a\0b", "ünal", "x" * 65, "a/b", "a\n"])
def test_a_malformed_id_is_refused(session: Session, participant: str) -> None:
    for way_in in (
        lambda: session.arrive(Arrival(participant)),
        lambda: session.consent(participant),
        lambda: session.decline(participant),
    ):
        with pytest.raises(ExperimentError, match=r"is no participant id; expected 1 to 64 letters, digits, - or _"):
            way_in()


def test_a_target_user_is_known_by_the_id(session: Session) -> None:
    session.consent("walrusking")
    session.consent("somebody")
    assert [person(session, name).target_user for name in ("walrusking", "somebody")] == ["walrusking", None]


def test_who_declines_is_asked_nothing_and_stays_declined(session: Session) -> None:
    session.decline("ada")
    session.consent("ada")
    session.begin("ada")
    assert (session.place("ada").stage, session.place("ada").ended) == ("declined", "declined")
    assert (person(session, "ada").slot, person(session, "ada").consented_at) == (None, None)


def test_who_has_consented_does_not_decline_in_another_tab(session: Session) -> None:
    enter(session, "ada")
    before = session.place("ada")
    session.decline("ada")
    assert session.place("ada") == before


def test_one_id_is_one_session(session: Session) -> None:
    enter(session, "ada")
    step(session, "ada")
    before = session.place("ada")
    enter(session, "ada")
    assert session.arrived(session.arrive(Arrival("ada"))) == "ada"
    assert session.place("ada") == before


def test_a_program_cannot_go_on_for_a_person_nor_a_person_for_a_program(session: Session) -> None:
    session.consent("ada")
    session.consent("bot", simulated=True)
    with pytest.raises(ExperimentError, match='participant "ada" is a person in this study already; choose another id'):
        session.consent("ada", simulated=True)
    with pytest.raises(ExperimentError, match='participant "bot" is a simulated participant in this study already'):
        session.consent("bot")


def test_a_second_answer_changes_nothing_and_is_kept_in_the_audit(session: Session) -> None:
    enter(session, "ada")
    for _ in range(2):
        step(session, "ada")
    trial = due(session, "ada")
    assert session.answer("ada", answer_to(trial, "left")) == "stored"
    assert session.answer("ada", answer_to(trial, "right")) == "duplicate"
    assert votes(session) == [("ada", 0, "left")]
    assert outcomes(session) == {"stored": 3, "duplicate": 1}


def test_the_last_answer_sent_again_after_the_end_is_a_duplicate(session: Session) -> None:
    enter(session, "ada")
    last = finish(session, "ada")[-1].trial
    assert last
    assert session.answer("ada", answer_to(last, "right")) == "duplicate"
    assert votes(session)[-1] == ("ada", 5, "left")


def test_an_answer_that_is_too_fast_is_counted_but_not_taken(session: Session) -> None:
    enter(session, "ada")
    trial = due(session, "ada")
    assert session.answer("ada", answer_to(trial, response_ms=399.9)) == "too fast"
    assert due(session, "ada") == trial
    assert session.answer("ada", answer_to(trial, response_ms=400.0)) == "stored"
    assert outcomes(session) == {"too fast": 1, "stored": 1}


def test_tokens_that_are_unknown_or_of_others_or_of_later_trials_are_refused(session: Session) -> None:
    enter(session, "ada")
    enter(session, "bob")
    later = session.place("ada").next
    assert later is not None
    for token in ("", "nonsense", "a\0b", due(session, "bob").token, due(session, "ada").left_token, later.token):
        assert session.answer("ada", replace(answer_to(due(session, "ada")), token=token)) == "refused"
    assert (session.place("ada").done, session.place("bob").done) == (0, 0)
    assert outcomes(session) == {"refused": 6}


def test_a_stranger_answers_nothing(session: Session) -> None:
    enter(session, "ada")
    assert session.answer("nobody", answer_to(due(session, "ada"))) == "refused"
    session.consent("bob")
    assert session.answer("bob", answer_to(due(session, "ada"))) == "refused"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    choice=some.sampled_from(["left", "", "Left", "both", "tie", "right\0"]),
    response_ms=some.floats() | some.just(900.0),
    device=some.sampled_from(["mouse", "a\0b", "x" * 99]),
    blurs=some.integers(-1, 10**30) | some.just(0),
    viewport=some.sampled_from(["1x1", "\0", "ü"]),
    rating=some.sampled_from([None, 3.0, float("nan"), float("inf")]),
)
def test_whatever_a_browser_sends_is_stored_sound_or_refused(
    session: Session, choice: str, response_ms: float, device: str, blurs: int, viewport: str, rating: float | None
) -> None:
    somebody = enter(session, secrets.token_hex(8))
    place = session.place(somebody)
    assert place.trial
    sound = choice == "left" and 0 <= response_ms <= 604_800_000 and device == "mouse" and 0 <= blurs <= 10**6 and viewport == "1x1"
    wanted = ("stored" if response_ms >= 400 else "too fast") if sound and rating is None else "refused"
    assert session.answer(somebody, Answer(place.trial.token, choice, response_ms, device, blurs, 0, viewport, rating)) == wanted
    assert (session.place(somebody) != place) == (wanted == "stored")


def test_an_answer_sent_from_many_threads_at_once_counts_once(experiment: Experiment, database_url: str) -> None:
    session = study_with(experiment, database_url)
    people = [enter(session, f"p{number}") for number in range(4)]
    waiting = {name: due(session, name) for name in people}
    results = all_at_once(
        [
            lambda name=name, choice=choice: session.answer(name, answer_to(waiting[name], choice))  # type: ignore[misc]
            for name in people
            for choice in ("left", "right") * 2
        ]
    )
    session.database.close()
    assert Counter(results) == {"stored": 4, "duplicate": 12}


def test_two_tabs_that_consent_and_begin_at_once_make_one_participant_with_one_schedule(experiment: Experiment, database_url: str) -> None:
    session = study_with(experiment, database_url)
    all_at_once([lambda: session.consent("ada")] * 6)
    all_at_once([lambda: session.begin("ada")] * 6)
    with session.database.reading() as rows:
        assert rows.whereabouts("ada").laid == 8
        assert len(rows.people()) == 1
    finish(session, "ada")
    assert len(votes(session)) == 6
    session.database.close()


def test_a_server_that_is_started_again_goes_on_at_the_same_comparison(session: Session) -> None:
    enter(session, "ada")
    for _ in range(4):
        step(session, "ada")
    before = session.place("ada")
    again = open_running(Path(session.database.place))
    assert again.place("ada") == before
    assert (again.table, again.questions, again.texts, again.seed, again.secret) == (
        session.table,
        session.questions,
        session.texts,
        session.seed,
        session.secret,
    )
    finish(again, "ada")
    again.database.close()
    assert session.place("ada").stage == "thanks"
    assert len(votes(session)) == 6


def test_a_study_that_somebody_has_just_closed_is_not_opened_again_by_an_older_wish(session: Session) -> None:
    with session.database.writing() as rows:
        assert rows.set_state("closed", instead_of="open")
        assert not rows.set_state("paused", instead_of="open")
        study = rows.study()
    assert study
    assert study.state == "closed"


@pytest.mark.parametrize("state", ["paused", "closed"])
def test_a_study_that_is_paused_or_closed_says_so_and_loses_no_answer_in_flight(session: Session, state: str) -> None:
    enter(session, "ada")
    trial = due(session, "ada")
    finish(session, enter(session, "bob"))
    with session.database.writing() as rows:
        rows.set_state(state)  # type: ignore[arg-type]
    assert [session.place(name).stage for name in ("ada", "bob", "stranger")] == [state, "thanks", state]
    assert session.answer("ada", answer_to(trial)) == "stored"
    session.consent("late")
    session.decline("later")
    with session.database.writing() as rows:
        assert [each.id for each in rows.people()] == ["ada", "bob", "later"]
        rows.set_state("open")
    assert (session.place("ada").done, session.place("late").stage) == (1, "consent")


def test_nobody_begins_while_the_study_is_paused(session: Session) -> None:
    session.consent("ada")
    with session.database.writing() as rows:
        rows.set_state("paused")
    session.begin("ada")
    with session.database.writing() as rows:
        rows.set_state("open")
    assert session.place("ada").stage == "instructions"


def test_images_are_served_by_secret_addresses_until_the_participant_has_ended(session: Session) -> None:
    enter(session, "ada")
    enter(session, "bob")
    hers, his = due(session, "ada"), due(session, "bob")
    assert session.image(hers.left_token) != session.image(str(hers.right_token))
    for token in (hers.left_token, hers.right_token, his.left_token):
        assert (session.image(str(token)) or b"").startswith(b"\x89PNG")
    finish(session, "ada")
    assert session.image(hers.left_token) is None
    assert session.image(his.left_token) is not None
    assert [session.image(token) for token in ("unknown", "a\0b", hers.token)] == [None] * 3


def test_images_of_a_closed_study_are_served_to_nobody(session: Session) -> None:
    trial = due(session, enter(session, "ada"))
    with session.database.writing() as rows:
        rows.set_state("closed")
    assert session.image(trial.left_token) is None


def test_no_two_addresses_are_alike(session: Session) -> None:
    trials = [place.trial for name in ("ada", "bob") for place in finish(session, enter(session, name))]
    tokens = [token for trial in trials if trial for token in (trial.token, trial.left_token, trial.right_token)]
    assert len(set(tokens)) == len(tokens) == 2 * 8 * 3
    assert all(len(str(token)) >= 20 for token in tokens)


def test_what_happened_to_a_participant_is_kept_in_order(session: Session) -> None:
    session.opened("ada")
    enter(session, "ada")
    session.opened("ada")
    finish(session, "ada")
    assert history(session, "ada") == ["consented", "begun", "opened", "finished"]


def test_opening_pages_cannot_fill_the_disk(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("study.session.machine._LONGEST_HISTORY", 5)
    enter(session, "ada")
    for _ in range(9):
        session.opened("ada")
    assert len(history(session, "ada")) == 5


def history(session: Session, participant: str) -> list[str]:
    query = "SELECT what FROM event WHERE participant = ? ORDER BY id"
    with session.database.moment() as connection:
        return [row.what for row in connection.exec_driver_sql(query, (participant,))]


def test_an_empty_database_holds_no_study(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r"none.sqlite: no such file; `tastebench study serve` makes it"):
        open_running(f"sqlite:///{tmp_path / 'none.sqlite'}")
    assert not (tmp_path / "none.sqlite").exists()
    (tmp_path / "empty.sqlite").touch()
    with pytest.raises(ExperimentError, match=r"empty.sqlite: holds no study yet; `tastebench study serve` makes it"):
        open_running(tmp_path / "empty.sqlite")


def test_a_study_that_is_closing_lets_those_inside_finish_and_nobody_new_in(session: Session) -> None:
    session.consent("early")
    enter(session, "ada")
    with session.database.writing() as rows:
        rows.set_state("closing")
    assert session.place("late").stage == "closed"
    session.consent("late")
    assert finish(session, "ada")
    assert finish(session, enter(session, "early"))
    assert [session.place(name).stage for name in ("ada", "early", "late")] == ["thanks", "thanks", "closed"]
    with session.database.reading() as rows:
        assert {each.id for each in rows.people()} == {"ada", "early"}
