"""A participant's way through the study: exactly-once answers, going on after anything, and what is refused."""

import secrets
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from study_fixtures import Settings, make_experiment

from stimuli.experiment import Experiment, ExperimentError
from study.config import StudyTable
from study.opening import open_study
from study.session import Session, open_running
from study.tables import Answer, TrialRow


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    return make_experiment(tmp_path_factory.mktemp("session") / "experiment")


@pytest.fixture
def session(experiment: Experiment) -> Iterator[Session]:
    """Return the study with nobody in it."""
    for path in experiment.folder.glob("study.sqlite*"):
        path.unlink()
    opened = open_study(experiment, Settings())
    yield opened
    opened.database.close()


def enter(session: Session, participant: str) -> str:
    session.consent(participant)
    session.begin(participant)
    return participant


def due(session: Session, participant: str) -> TrialRow:
    trial = session.place(participant).trial
    assert trial is not None
    return trial


def answer_to(trial: TrialRow, choice: str = "left", response_ms: float = 900.0) -> Answer:
    return Answer(trial.token, choice, response_ms, "mouse", viewport="1280x800")


def finish(session: Session, participant: str) -> None:
    while trial := session.place(participant).trial:
        assert session.answer(participant, answer_to(trial)) == "stored"


def votes(session: Session) -> list[tuple[str, int, str]]:
    with session.database.reading() as rows:
        return [(vote.participant, vote.position, vote.choice) for vote in rows.votes()]


def outcomes(session: Session) -> dict[str, int]:
    with session.database.reading() as rows:
        return rows.outcomes()


def test_the_way_leads_from_consent_over_practice_to_thanks(session: Session) -> None:
    assert session.place("ada").stage == "consent"
    session.consent("ada")
    assert session.place("ada").stage == "instructions"
    session.begin("ada")
    seen = []
    while (place := session.place("ada")).trial:
        seen.append((place.stage, place.done, place.total))
        session.answer("ada", answer_to(place.trial))
    assert seen == [("practice", k, 2) for k in range(2)] + [("comparisons", k, 6) for k in range(6)]
    assert session.place("ada").stage == "thanks"


def test_practice_is_never_a_vote(session: Session) -> None:
    enter(session, "ada")
    for _ in range(2):
        session.answer("ada", answer_to(due(session, "ada")))
    assert votes(session) == []
    finish(session, "ada")
    assert [position for _, position, _ in votes(session)] == list(range(6))


def test_arriving_makes_nobody_a_participant(session: Session) -> None:
    key = session.arrive("ada")
    assert session.arrived(key) == "ada"
    assert "ada" not in key
    with session.database.reading() as rows:
        assert rows.participant("ada") is None
        assert rows.standings() == []


def test_without_an_id_each_arrival_is_somebody_else(session: Session) -> None:
    one, two = (session.arrived(session.arrive(None)) for _ in range(2))
    assert one != two
    assert one is not None
    session.consent(one)


@pytest.mark.parametrize("key", ["", "unknown", "a\0b", "x" * 10_000])
def test_a_key_that_was_never_given_out_stands_for_nobody(session: Session, key: str) -> None:
    assert session.arrived(key) is None


@pytest.mark.parametrize("participant", ["", "a b", "a\0b", "ünal", "x" * 65, "a/b", "a\n"])
def test_a_malformed_id_is_refused(session: Session, participant: str) -> None:
    for way_in in (session.arrive, session.consent):
        with pytest.raises(ExperimentError, match=r"is no participant id; expected 1 to 64 letters, digits, - or _"):
            way_in(participant)


def test_a_target_user_is_known_by_the_id(session: Session) -> None:
    session.consent("walrusking")
    session.consent("somebody")
    with session.database.reading() as rows:
        assert [rows.participant(name).target_user for name in ("walrusking", "somebody")] == ["walrusking", None]  # type: ignore[union-attr]


def test_one_id_is_one_session(session: Session) -> None:
    enter(session, "ada")
    session.answer("ada", answer_to(due(session, "ada")))
    before = session.place("ada")
    enter(session, "ada")
    assert session.arrived(session.arrive("ada")) == "ada"
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
        session.answer("ada", answer_to(due(session, "ada")))
    trial = due(session, "ada")
    assert session.answer("ada", answer_to(trial, "left")) == "stored"
    assert session.answer("ada", answer_to(trial, "right")) == "duplicate"
    assert votes(session) == [("ada", 0, "left")]
    assert outcomes(session) == {"stored": 3, "duplicate": 1}


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
    with session.database.reading() as rows:
        assert rows.progress("ada")["practice"] == (0, 2)
    assert outcomes(session) == {"refused": 6}


def test_nobody_answers_before_the_instructions_are_read(session: Session) -> None:
    session.consent("ada")
    with session.database.reading() as rows:
        trial = rows.waiting("ada", limit=1)[0]
    assert session.answer("ada", answer_to(trial)) == "refused"
    assert session.answer("nobody", answer_to(trial)) == "refused"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    choice=some.sampled_from(["left", "", "Left", "both", "tie", "right\0"]),
    response_ms=some.floats() | some.just(900.0),
    device=some.sampled_from(["mouse", "a\0b", "x" * 99]),
    blurs=some.integers(-1, 10**30) | some.just(0),
    viewport=some.sampled_from(["1x1", "\0", "ü"]),
)
def test_whatever_a_browser_sends_is_stored_sound_or_refused(
    session: Session, choice: str, response_ms: float, device: str, blurs: int, viewport: str
) -> None:
    person = enter(session, secrets.token_hex(8))
    place = session.place(person)
    assert place.trial
    sound = choice == "left" and 0 <= response_ms <= 604_800_000 and device == "mouse" and 0 <= blurs <= 10**6 and viewport == "1x1"
    wanted = ("stored" if response_ms >= 400 else "too fast") if sound else "refused"
    assert session.answer(person, Answer(place.trial.token, choice, response_ms, device, blurs, 0, viewport)) == wanted
    assert (session.place(person) != place) == (wanted == "stored")


def test_an_answer_sent_from_many_threads_at_once_counts_once(session: Session) -> None:
    people = [enter(session, f"p{number}") for number in range(4)]
    start = threading.Barrier(16)
    results: list[str] = []

    def send(participant: str, trial: TrialRow, choice: str) -> None:
        start.wait()
        results.append(session.answer(participant, answer_to(trial, choice)))

    threads = [
        threading.Thread(target=send, args=(person, due(session, person), choice)) for person in people for choice in ("left", "right") * 2
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(results) == {"stored": 4, "duplicate": 12}
    assert {session.place(person).done for person in people} == {1}


def test_people_who_consent_at_the_same_time_get_different_numbers(session: Session) -> None:
    start = threading.Barrier(12)

    def consent(participant: str) -> None:
        start.wait()
        session.consent(participant)

    threads = [threading.Thread(target=consent, args=(f"p{number % 8}",)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with session.database.reading() as rows:
        assert sorted(standing.participant.number for standing in rows.standings()) == list(range(8))


def test_a_server_that_is_started_again_goes_on_at_the_same_comparison(session: Session, experiment: Experiment) -> None:
    enter(session, "ada")
    for _ in range(4):
        session.answer("ada", answer_to(due(session, "ada")))
    before = session.place("ada")
    again = open_running(experiment.database)
    assert again.place("ada") == before
    assert again.study == StudyTable()
    finish(again, "ada")
    again.database.close()
    assert session.place("ada").stage == "thanks"
    assert len(votes(session)) == 6


def test_images_are_served_by_secret_addresses_until_the_participant_has_finished(session: Session) -> None:
    enter(session, "ada")
    enter(session, "bob")
    hers, his = due(session, "ada"), due(session, "bob")
    assert session.image(hers.left_token) != session.image(hers.right_token)
    assert all(image and image.startswith(b"\x89PNG") for image in map(session.image, (hers.left_token, hers.right_token, his.left_token)))
    finish(session, "ada")
    assert session.image(hers.left_token) is None
    assert session.image(his.left_token) is not None
    assert session.image("unknown") is None
    assert session.image("a\0b") is None


def test_no_two_addresses_are_alike(session: Session) -> None:
    for person in ("ada", "bob"):
        session.consent(person)
    with session.database.reading() as rows:
        trials = [trial for person in ("ada", "bob") for trial in rows.waiting(person, limit=99)]
    tokens = [token for trial in trials for token in (trial.token, trial.left_token, trial.right_token)]
    assert len(set(tokens)) == len(tokens) == 2 * 8 * 3
    assert all(len(token) >= 20 for token in tokens)


def test_an_empty_database_holds_no_study(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r"none.sqlite: no such file; `tastebench study serve` makes it"):
        open_running(tmp_path / "none.sqlite")
    (tmp_path / "empty.sqlite").touch()
    with pytest.raises(ExperimentError, match=r"empty.sqlite: holds no study yet; `tastebench study serve` makes it"):
        open_running(tmp_path / "empty.sqlite")
