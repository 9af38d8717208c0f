"""What the researcher's page counts, and what it must not tell: nothing of which condition is ahead while people still vote."""

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from caller import Caller
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from watched_study import ARMS, NOW, enrol, give, lay_out, served

from stimuli.experiment import Experiment
from study.researcher import drawings, password, switching
from study.researcher.overview import EDGES_MS, STAGES, Overview, flags_of, look, may_show_outcomes, sides_of
from study.researcher.password import set_password
from study.researcher.watch import Watch, watch_app
from study.storage import status
from study.storage.counting import Covered, Manner, Won
from study.storage.database import Database
from study.storage.records import ParticipantRow, State

PASSWORD = "four unusual words"
FOX, FINCH, QUOKKA = ARMS


@pytest.fixture(autouse=True)
def cheap_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(password, "_COST", 16)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = lay_out(Experiment(tmp_path), participants=5)
    yield made
    made.close()


def seen(database: Database) -> Overview:
    with database.reading() as rows:
        found = look(rows, at=NOW)
    assert found
    return found


# --- Who is where ---


def test_each_person_is_at_one_stage_and_places_are_taken_held_and_free(database: Database) -> None:
    waiting: dict[str, Any] = {}
    enrol(database, "finished", slot=0, ended="finished")
    give(database, "finished", [{"choice": "left"}])
    enrol(database, "trials", slot=1)
    give(database, "trials", [{"kind": "practice", "choice": "left"}, waiting])
    enrol(database, "practice", slot=2)
    give(database, "practice", [{"kind": "practice"}, waiting])
    enrol(database, "resting", slot=3)
    give(database, "resting", [{"choice": "left"}, {"block": 1}])
    enrol(database, "gone", slot=4, seen=NOW - timedelta(minutes=61))
    give(database, "gone", [{"choice": "left"}, waiting, waiting, waiting])
    enrol(database, "questions", slot=None)
    for ended in ("declined", "screened out", "full"):
        enrol(database, ended, slot=None, ended=ended)
    enrol(database, "last questions", slot=4)
    give(database, "last questions", [{"choice": "left"}])
    with database.writing() as rows:
        rows.add_arrival("a", "stranger", {}, NOW)
        rows.add_arrival("b", "stranger", {}, NOW)
        rows.add_arrival("c", "trials", {}, NOW)
    found = seen(database)
    assert found.stages == dict.fromkeys(STAGES, 1) | {"instructions": 0}
    assert (found.places.taken, found.places.held, found.places.free) == (1, 4, 0)
    assert found.left_at == (0, 0, 1, 0, 0, 0, 0, 0, 0, 0)


def test_somebody_with_a_place_who_has_not_begun_reads_the_instructions(database: Database) -> None:
    enrol(database, "reader", slot=None)
    with database.writing() as rows:
        rows.take_slot("reader", 0)
    assert seen(database).stages["instructions"] == 1


def test_without_a_limit_nobody_counts_free_places(tmp_path: Path) -> None:
    database = lay_out(Experiment(tmp_path))
    assert seen(database).places.free is None
    database.close()


# --- How they answer ---


def test_practice_is_in_no_count(database: Database) -> None:
    enrol(database, "a")
    give(database, "a", [{"kind": "practice", "choice": "left", "response_ms": 100.0, "blurs": 5}])
    found = seen(database)
    assert (found.answers, sum(found.times), found.sides, found.median_ms, sum(count for _, count in found.hours)) == (0, 0, None, None, 0)
    assert found.people[0].manner is None


def test_answers_are_counted_by_the_hour_and_by_how_long_they_took(database: Database) -> None:
    enrol(database, "a")
    hours = [NOW, NOW, NOW - timedelta(hours=47), NOW - timedelta(hours=48)]
    give(
        database,
        "a",
        [{"choice": "left", "answered_at": at, "response_ms": ms} for at, ms in zip(hours, (499, 500, 900, 70_000), strict=True)],
    )
    found = seen(database)
    assert found.answers == 4
    assert [(hour.hour, count) for hour, count in found.hours if count] == [(11, 1), (10, 2)]
    assert dict(zip(EDGES_MS, found.times, strict=True)) == dict.fromkeys(EDGES_MS, 0) | {0: 1, 500: 1, 750: 1, 60000: 1}
    assert found.median_ms == 500


def test_sides_are_those_of_comparisons_only(database: Database) -> None:
    enrol(database, "a")
    given_ = [{"choice": "left"}] * 3 + [{"choice": "right"}, {"choice": "tie"}]
    give(database, "a", [*given_, {"kind": "catch", "expected": "right", "choice": "right"}, {"kind": "repeat", "choice": "right"}])
    sides = seen(database).sides
    assert sides
    assert (sides.left, sides.right, sides.ties, sides.share) == (3, 1, 1, 0.75)


@given(st.integers(0, 300), st.integers(0, 300))
def test_the_interval_of_the_sides_is_the_exact_one(left: int, right: int) -> None:
    found = sides_of({"left": left, "right": right})
    if left + right == 0:
        assert found is None
        return
    exact = binomtest(left, left + right).proportion_ci(0.95, method="exact")
    assert found
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=1e-9)


def test_failed_catches_haste_one_side_and_absence_are_flagged(database: Database) -> None:
    enrol(database, "a")
    give(
        database,
        "a",
        [{"choice": "left", "response_ms": 900.0, "blurs": 1}] * 10
        + [{"kind": "catch", "expected": "right", "choice": "left"}, {"kind": "catch", "expected": "left", "choice": "left"}],
    )
    assert seen(database).people[0].flags == (
        "failed 1 of 2 catch trials",
        "83 % of answers within 1 s",
        "100 % of choices on one side",
        "left the page 10 times",
    )


def test_few_answers_raise_no_flag() -> None:
    assert flags_of(Manner("a", answers=9, fast=9, catches=1, catches_failed=0, comparisons=8, one_side=8, blurs=9, ignored=99)) == ()


def test_answers_that_did_not_count_are_shown_with_the_database(database: Database) -> None:
    found = seen(database)
    assert found.outcomes == {}
    assert found.database == "SQLite file"
    assert found.size_bytes > 10_000


@pytest.mark.postgres
def test_postgresql_counts_as_sqlite_does(tmp_path: Path, postgres_url: str) -> None:
    found = []
    for url in (None, postgres_url):
        database = lay_out(Experiment(tmp_path), participants=5, url=url)
        enrol(database, "a", ended="finished")
        ways = [{"choice": "left", "response_ms": 700.0 * step, "blurs": step} for step in range(1, 12)]
        catches = [{"kind": "catch", "expected": "left", "choice": side} for side in ("left", "right")]
        give(database, "a", [{"kind": "practice", "choice": "left"}, *ways, *catches, {"left": FINCH, "right": FOX, "choice": "tie"}])
        enrol(database, "b", slot=1)
        give(database, "b", [{"choice": "right", "answered_at": NOW - timedelta(hours=5)}, {"left": QUOKKA, "right": FOX, "block": 1}])
        with database.writing() as rows:
            rows.add_arrival("key", "stranger", {}, NOW)
            rows.set_state("closed")
        found.append(seen(database))
        database.close()
    assert found[1].database == "PostgreSQL server"
    assert found[0] == replace(found[1], database="SQLite file", size_bytes=found[0].size_bytes)


# --- Balance ---


def test_coverage_counts_each_two_arms_whatever_was_chosen(database: Database) -> None:
    enrol(database, "a")
    give(database, "a", [{"choice": "left"}, {"left": FINCH, "right": FOX, "choice": "left"}, {"left": QUOKKA, "right": FOX}])
    assert seen(database).coverage == (Covered(FOX, QUOKKA, 1, 0), Covered(FOX, FINCH, 2, 2))


def test_the_map_is_the_same_both_ways_round() -> None:
    arms, cells = drawings.heat([Covered("a", "b", 4, 4), Covered("a", "c", 4, 1), Covered("c", "c", 2, 0)])
    assert arms == ("a", "b", "c")
    assert cells["a", "b"] == cells["b", "a"] == drawings.Cell(4, 4, 4)
    assert [cells[pair].shade for pair in (("a", "c"), ("c", "c"))] == [2, 0]
    assert ("b", "b") not in cells


# --- Blinding ---


def voted(folder: Path, winner: str, *, state: State = "open", peeking: bool = False) -> Watch:
    """Make a study in which one of two conditions always wins; sides, times and all else do not depend on which."""
    experiment = Experiment(folder)
    folder.mkdir()
    set_password(experiment, PASSWORD)
    database = lay_out(experiment, peeking=peeking)
    for slot in range(3):
        enrol(database, f"p{slot}", slot=slot, ended="finished" if slot else None)
        pairs = [(FOX, FINCH), (FINCH, FOX)] * 6
        give(
            database, f"p{slot}", [{"left": left, "right": right, "choice": "left" if left == winner else "right"} for left, right in pairs]
        )
    with database.writing() as rows:
        rows.set_state(state)
    return Watch(experiment, database, f"sqlite:///{experiment.database}", clock=lambda: 0.0, now=lambda: NOW)


def all_that_it_tells(watch: Watch) -> dict[str, bytes]:
    """Return everything that the page gives to somebody who is signed in, but for its own random tokens."""
    with served(watch_app(watch)) as address:
        caller = Caller(address)
        caller.sign_in(PASSWORD)
        token = caller.get("/").form_token
        told = {path: caller.get(path).body.replace(token.encode(), b"") for path in ("/", "/live")}
        told["closing"] = caller.post("/state", {"form_token": token, "state": "closed"}).body.replace(token.encode(), b"")
        archive = zipfile.ZipFile(io.BytesIO(caller.post("/download", {"form_token": token}).body))
        told |= {name: archive.read(name) for name in archive.namelist()}
    watch.database.close()
    return {name: content.replace(b"one-wins", b"").replace(b"other-wins", b"") for name, content in told.items()}


@pytest.mark.parametrize("state", ["open", "paused"])
def test_nothing_the_page_gives_depends_on_which_condition_wins_while_votes_can_come(tmp_path: Path, state: State) -> None:
    one = all_that_it_tells(voted(tmp_path / "one-wins", FOX, state=state))
    other = all_that_it_tells(voted(tmp_path / "other-wins", FINCH, state=state))
    assert one == other
    assert set(one) == {"/", "/live", "closing", "participants.csv", "times.csv"}
    assert b"Not shown while the study can still collect votes" in one["/"]
    rows = list(csv.DictReader(io.StringIO(one["times.csv"].decode())))
    assert len(rows) == 36
    assert not {"choice", "prompt", "left_stimulus", "left_condition", "expected"} & set(rows[0])


@pytest.mark.parametrize(("state", "peeking"), [("closed", False), ("open", True)])
def test_a_closed_study_or_a_plan_that_allows_it_shows_who_is_ahead(tmp_path: Path, state: State, peeking: bool) -> None:
    told = all_that_it_tells(voted(tmp_path / "one-wins", FOX, state=state, peeking=peeking))
    text = re.sub(r"<[^>]+>|\s+", " ", told["/"].decode())
    assert re.search(rf"{FOX}\s+{FINCH}\s+36", text)
    assert set(told) >= {"votes.parquet", "participants.parquet"}


def test_the_rule_that_shows_outcomes_knows_only_closed_studies_and_plans() -> None:
    states: tuple[State, ...] = ("open", "paused", "closed")
    assert [(state, peeking) for state in states for peeking in (False, True) if may_show_outcomes(state, peeking=peeking)] == [
        ("open", True),
        ("paused", True),
        ("closed", False),
        ("closed", True),
    ]


def test_wins_are_counted_by_who_was_chosen_and_ties_once(database: Database) -> None:
    enrol(database, "a")
    pairs = [(FOX, FINCH, "left"), (FINCH, FOX, "right"), (FINCH, FOX, "left"), (FINCH, FOX, "tie"), (FOX, FINCH, "tie")]
    give(database, "a", [{"left": left, "right": right, "choice": choice} for left, right, choice in pairs])
    with database.reading() as rows:
        assert rows.wins() == [Won(FOX, FINCH, False, 2), Won(FOX, FINCH, True, 2), Won(FINCH, FOX, False, 1)]


# --- Pause, open again, close ---


def test_a_study_is_paused_opened_again_and_closed_for_good_after_a_second_question(tmp_path: Path) -> None:
    watch = voted(tmp_path / "study", FOX)
    with served(watch_app(watch)) as address:
        caller = Caller(address)
        caller.sign_in(PASSWORD)
        token = caller.get("/").form_token

        def switch(**fields: str) -> tuple[int, str]:
            answer = caller.post("/state", {"form_token": token} | fields)
            return answer.status, seen(watch.database).state

        assert switch(state="paused") == (303, "paused")
        assert switch(state="paused") == (409, "paused")
        assert switch(state="open") == (303, "open")
        assert switch(state="nonsense") == (409, "open")
        asked = caller.post("/state", {"form_token": token, "state": "closed"})
        assert "Closing is final" in asked.text
        assert seen(watch.database).state == "open"
        assert switch(state="closed", sure="yes") == (303, "closed")
        # Outcomes show from here on, so votes must not come any more.
        assert switch(state="open") == (409, "closed")
        assert b"Open again" not in caller.get("/").body
    watch.database.close()


def test_nobody_new_is_let_in_from_the_page_until_it_opens_again(tmp_path: Path) -> None:
    watch = voted(tmp_path / "study", FOX)
    enrol(watch.database, "before the images", slot=None)
    with served(watch_app(watch)) as address:
        caller, other = Caller(address), Caller(address)
        caller.sign_in(PASSWORD)
        other.sign_in(PASSWORD)

        def switch(by: Caller, state: str) -> tuple[int, str]:
            return by.post("/state", {"form_token": by.get("/").form_token, "state": state}).status, seen(watch.database).state

        assert (caller.post("/state", {"state": "closing"}).status, seen(watch.database).state) == (403, "open")
        assert switch(caller, "closing") == (303, "closing")
        # Another researcher's page still had the button.
        assert switch(other, "closing") == (409, "closing")
        inside = seen(watch.database).inside
        assert f"{inside} people are still inside and can finish" in caller.get("/live").text
        asked = caller.post("/state", {"form_token": caller.get("/").form_token, "state": "closed"}).text
        assert f"{inside} people are on their way now and will be stopped" in asked
        assert switch(caller, "open") == (303, "open")
    watch.database.close()


@pytest.mark.parametrize("peeking", [False, True])
def test_only_these_states_follow_each_other(tmp_path: Path, peeking: bool) -> None:
    follow: dict[State, set[State]] = {
        "open": {"closing", "paused", "closed"},
        "closing": {"open", "paused", "closed"},
        "paused": {"open", "closing", "closed"},
        "closed": {"open"} if peeking else set(),
    }
    database = lay_out(Experiment(tmp_path), peeking=peeking)
    for before in follow:
        for wanted in follow:
            with database.writing() as rows:
                rows.set_state(before)
                assert switching.switch(rows, wanted, at=NOW) == (wanted in follow[before])
                found = rows.study()
                assert found
                assert found.state == (wanted if wanted in follow[before] else before)
    database.close()


def test_who_lost_the_race_of_two_researchers_is_not_told_that_the_step_is_impossible(database: Database) -> None:
    with database.reading() as rows:
        study = rows.study()
    assert study
    told = switching.refusal(replace(study, state="paused"), "closing")
    assert told == "somebody else changed the study meanwhile, and it is paused now; run this again if you still want it"


def test_who_reads_the_questions_before_the_images_is_inside_too_and_who_dropped_out_is_not(database: Database) -> None:
    enrol(database, "questions", slot=None)
    enrol(database, "seated", slot=0)
    enrol(database, "finished", slot=1, ended="finished")
    enrol(database, "gone", slot=2, seen=NOW - timedelta(minutes=61))
    with database.reading() as rows:
        assert status.look(rows, place="here", at=NOW).inside == "2 people"
    assert seen(database).inside == 2


def test_a_rating_study_shows_how_often_images_were_rated_and_no_sides(tmp_path: Path) -> None:
    experiment = Experiment(tmp_path)
    set_password(experiment, PASSWORD)
    database = lay_out(experiment, kind="rating")
    enrol(database, "a")
    give(database, "a", [{"kind": "rating", "left": FOX, "right": None, "rating": 4.5}, {"kind": "rating", "left": FINCH, "right": None}])
    found = seen(database)
    assert found.coverage == (Covered(FOX, "", 1, 1), Covered(FINCH, "", 1, 0))
    assert (found.answers, found.sides, found.wins) == (1, None, None)
    with served(watch_app(Watch(experiment, database, ""))) as address:
        caller = Caller(address)
        caller.sign_in(PASSWORD)
        assert "each was rated 0 to 1 times so far" in caller.get("/").text
    database.close()


def test_a_text_that_a_spreadsheet_would_run_is_only_text_in_the_download(tmp_path: Path) -> None:
    watch = voted(tmp_path / "study", FOX)
    with watch.database.writing() as rows:
        rows.enrol(ParticipantRow("-danger", None, None, False, NOW, None, NOW))
    told = all_that_it_tells(watch)
    assert "'-danger" in told["participants.csv"].decode()
