"""An erased participant leaves nothing but a number, nowhere in the file, and nobody else loses anything."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest
import sqlalchemy as sa
from stored_study import START, contents, fill

from stimuli.experiment import ExperimentError
from study.storage.database import Database, open_database
from study.storage.erasure import Erased, erase, find
from study.storage.records import Answer
from study.storage.tables import ARRIVAL, PARTICIPANT, STUDY


def taken(database: Database) -> set[int]:
    with database.moment() as connection:
        return set(connection.scalars(sa.select(PARTICIPANT.c.slot)))


def mentions(database: Database, *words: str) -> list[str]:
    return [word for word in words if word in repr(contents(database))]


def test_everything_of_the_participant_goes_and_nothing_of_others(database_url: str) -> None:
    database = open_database(database_url)
    fill(database)
    before = contents(database)
    assert erase(database, "ada") == Erased("ada", answers=1, replies=1, attempts=2, events=1, arrivals=1, clean=True)
    after = contents(database)
    assert mentions(database, "ada") == []
    assert after["study"] == [before["study"][0] | {"erased": 4}]
    for table in set(before) - {"study"}:
        assert after[table] == [row for row in before[table] if "ada" not in repr(row) and row.get("trial") != 10]
    database.close()


def test_a_place_is_free_again(database_url: str) -> None:
    database = open_database(database_url)
    fill(database)
    assert taken(database) == {0, 1}
    erase(database, "ada")
    assert taken(database) == {1}
    database.close()


def bytes_of(folder: Path) -> bytes:
    """Return all that stands in the database's files, its log included."""
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()) if path.name.startswith("study.sqlite"))


def test_nothing_remains_in_the_file_or_its_log(tmp_path: Path) -> None:
    database = open_database(tmp_path / "study.sqlite")
    fill(database, people=tuple(f"person{number:03}" for number in range(120)))
    # A second connection keeps the log from being folded when the first goes, as a running server does.
    other = open_database(tmp_path / "study.sqlite")
    with other.reading() as rows:
        assert rows.study() is not None
    assert b"person050" in bytes_of(tmp_path)
    erase(database, "person050")
    assert b"person051" in bytes_of(tmp_path)
    assert b"person050" not in bytes_of(tmp_path)
    assert len(contents(other)["participant"]) == 119
    other.close()
    database.close()


def test_copies_that_the_database_left_behind_before_go_too(tmp_path: Path) -> None:
    database = open_database(tmp_path / "study.sqlite")
    fill(database)
    database.close()
    # As version 0.1 and other programs do: what they delete stays in the page.
    careless = sqlite3.connect(tmp_path / "study.sqlite")
    careless.execute("PRAGMA secure_delete = OFF")
    with careless:
        careless.execute("INSERT INTO event (participant, what, at) VALUES ('ada', 'lost trace', '2026-01-01')")
    with careless:
        careless.execute("DELETE FROM event WHERE what = 'lost trace'")
    careless.close()
    assert b"lost trace" in bytes_of(tmp_path)
    database = open_database(tmp_path / "study.sqlite")
    erase(database, "ada")
    assert b"lost trace" not in bytes_of(tmp_path)
    database.close()


def test_an_erasure_says_when_traces_remain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("study.storage.engines._SETTINGS", ("busy_timeout = 10",))
    database = open_database(tmp_path / "study.sqlite")
    fill(database)
    with database.reading() as rows:
        assert rows.study() is not None
        assert not erase(database, "ada").clean
    assert mentions(database, "ada") == []
    database.close()


def test_a_page_that_is_still_open_brings_nobody_back(database_url: str) -> None:
    database = open_database(database_url)
    fill(database)
    erase(database, "ada")
    with database.writing() as rows:
        rows.add_attempt("ada", Answer("t-1", "left", 900.0, "mouse"), "refused", START)
        rows.add_attempt("bea", Answer("t-2", "left", 900.0, "mouse"), "refused", START)
    assert mentions(database, "ada") == []
    assert [row["participant"] for row in contents(database)["attempt"] if row["outcome"] == "refused"] == ["", "bea"]
    database.close()


def test_what_is_being_stored_at_that_moment_is_erased_too(database_url: str) -> None:
    database = open_database(database_url)
    fill(database)
    with ThreadPoolExecutor(1) as meanwhile:
        with database.writing() as rows:
            assert rows.seen("ada", START)
            erasing = meanwhile.submit(erase, database, "ada")
            wait([erasing], timeout=0.2)
            assert rows.add_reply("ada", "last", "words of ada", START)
        assert erasing.result().replies == 2
    assert mentions(database, "ada") == []
    database.close()


def test_an_erasure_stands_although_the_file_cannot_be_written_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("study.storage.engines._SETTINGS", ("busy_timeout = 10",))
    database, other = open_database(tmp_path / "study.sqlite"), open_database(tmp_path / "study.sqlite")
    fill(database)
    clean = Database.clean

    def while_somebody_writes(database: Database) -> bool:
        with other.writing():
            return clean(database)

    monkeypatch.setattr(Database, "clean", while_somebody_writes)
    assert not erase(database, "ada").clean
    assert mentions(database, "ada") == []
    for each in (database, other):
        each.close()


@pytest.mark.parametrize("who", ["ada", "panel-ada"])
def test_a_participant_is_found_by_either_id(database_url: str, who: str) -> None:
    database = open_database(database_url)
    fill(database)
    assert find(database, who) == "ada"
    database.close()


def test_who_only_opened_the_link_can_be_erased(database_url: str) -> None:
    database = open_database(database_url)
    fill(database)
    with database.change() as connection:
        connection.execute(sa.insert(ARRIVAL).values(key="k", participant="p-1", panel={"PROLIFIC_PID": "curious"}, at=sa.func.now()))
    assert erase(database, find(database, "curious")).arrivals == 1
    assert mentions(database, "curious", "p-1") == []
    database.close()


def test_an_unknown_participant_is_an_error(database_url: str) -> None:
    database = open_database(database_url)
    fill(database)
    with pytest.raises(
        ExperimentError, match=r'no participant has the id "eve", neither in the study nor with the panel; nothing was erased'
    ):
        find(database, "eve")
    with pytest.raises(ExperimentError, match='"eve" is not in it any more'):
        erase(database, "eve")
    with database.moment() as connection:
        assert connection.scalar(sa.select(STUDY.c.erased)) == 3
    database.close()


def test_an_id_that_stands_for_several_people_erases_nobody(database_url: str) -> None:
    database = open_database(database_url)
    fill(database)
    with pytest.raises(ExperimentError, match=r'"s1" stands for 2 people \(ada, bea\); nothing was erased\. Name one of them'):
        find(database, "s1")
    database.close()
