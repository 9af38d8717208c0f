"""Whatever breaks, an acknowledged answer is stored once, nothing is half written, and what was not acknowledged can be sent again."""

import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from postgres_fixture import crash, stop
from storing_answers import PEOPLE, answer_all, everybody
from study_fixtures import Settings, make_experiment

from study.config import StudyTable
from study.opening import open_study
from study.session import Session
from study.session.running import open_running
from study.storage.database import UnavailableError
from study.storage.records import Answer
from study.storage.tables import ANSWER, ATTEMPT, TRIAL

# Of everybody together, with 20 prompts: three comparisons to a prompt.
TRIALS = 3 * 20 * 3
SETTINGS = Settings(study=StudyTable(unreviewed=True, practice=0, block=0))
PROGRAM = Path(__file__).with_name("storing_answers.py")


def begin(folder: Path, url: str, *, prompts: int) -> Session:
    """Return a study in which everybody has begun."""
    session = open_study(make_experiment(folder / "experiment", prompts=prompts, size=8), SETTINGS, url=url)
    for person in PEOPLE:
        session.consent(person, simulated=True)
        session.begin(person)
    return session


def stored(session: Session) -> dict[str, str]:
    """Return the choice of every answered trial by its token."""
    with session.database.moment() as connection:
        found = connection.execute(sa.select(TRIAL.c.token, ANSWER.c.choice).join_from(ANSWER, TRIAL)).all()
    assert len(found) == len({token for token, _ in found})
    return {row.token: row.choice for row in found}


def audited(session: Session) -> list[str]:
    """Return the tokens of every attempt that was stored."""
    with session.database.moment() as connection:
        return sorted(connection.scalars(sa.select(ATTEMPT.c.token).where(ATTEMPT.c.outcome == "stored")))


def test_a_server_killed_twenty_times_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/study.sqlite"
    begin(tmp_path, url, prompts=60).database.close()
    finished = subprocess.run([sys.executable, PROGRAM, url, "20"], capture_output=True, text=True, check=True, cwd=PROGRAM.parents[1])
    acknowledged = dict(line.split() for line in finished.stdout.splitlines())
    assert len(finished.stdout.splitlines()) == len(acknowledged) >= 20

    session = open_running(url)
    kept = stored(session)
    assert {token: kept.get(token) for token in acknowledged} == acknowledged
    # At most the one answer that each thread was storing as it was killed is there without having been acknowledged.
    assert len(acknowledged) <= len(kept) <= len(acknowledged) + 20 * len(PEOPLE)
    # An answer and the note that it was stored are one transaction: none is there without the other.
    assert audited(session) == sorted(kept)
    for person in PEOPLE:
        answer_all(session, person, {})
    assert len(stored(session)) == 3 * TRIALS
    with session.database.moment() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    session.database.close()


@pytest.mark.parametrize("halt", [stop, crash])
def test_postgresql_restarted_under_load_loses_nothing_that_was_acknowledged(
    tmp_path: Path, postgres_server: Any, postgres_url: str, halt: Callable[[Any], None]
) -> None:
    session = begin(tmp_path, postgres_url, prompts=20)
    acknowledged: dict[str, str] = {}
    troubles: list[str] = []
    threads = everybody(session, acknowledged, troubles=troubles)
    for share in (0.2, 0.6):
        while len(acknowledged) < share * TRIALS:
            time.sleep(0.01)
        halt(postgres_server)
        postgres_server.ensure_postgres_running()
    for thread in threads:
        thread.join()
    assert stored(session) == acknowledged
    assert audited(session) == sorted(acknowledged)
    assert len(acknowledged) == TRIALS
    assert troubles
    assert all("postgresql://postgres@/study_" in told and "cannot be used" in told for told in troubles)
    assert any("nothing of this was stored; it works again once the server is back" in told for told in troubles)
    session.database.close()


# --- The disk is full ---


@contextmanager
def no_larger_files(folder: Path) -> Iterator[None]:
    """Let no file of this process grow beyond the study's log as it is, which needs no privileges."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((folder / "study.sqlite-wal").stat().st_size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def no_room_left(folder: Path) -> Iterator[None]:
    """Fill the file system."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (4096, 512, 1):
            while True:
                try:
                    file.write(b"x" * size)
                except OSError:
                    break
    try:
        yield
    finally:
        filler.unlink()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a file system of two megabytes of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("only root can mount a small file system; the other test of a full disk needs nothing")
    yield folder
    subprocess.run(["umount", folder], check=True)


def answers_through_a_full_disk(tmp_path: Path, disk: Path, full: Callable[[Path], Any]) -> None:
    session = begin(tmp_path, f"sqlite:///{disk}/study.sqlite", prompts=2)
    before = session.place("ada").trial
    assert before is not None
    answer = Answer(before.token, "left", 1234.0, "program")
    with full(disk):
        for _ in range(3):
            with pytest.raises(UnavailableError, match="make room on the disk; answers stored so far are kept"):
                while session.opened("ada") is None:
                    pass
            with pytest.raises(UnavailableError, match=r"study\.sqlite: cannot be used \(.*\): make room on the disk"):
                session.answer("ada", answer)
            assert stored(session) == {}
            assert session.place("ada").trial == before
    assert session.answer("ada", answer) == "stored"
    assert session.answer("ada", answer) == "duplicate"
    assert stored(session) == {before.token: "left"}
    assert audited(session) == [before.token]
    session.database.close()


def test_an_answer_that_a_file_limit_stops_is_stored_once_there_is_room(tmp_path: Path) -> None:
    answers_through_a_full_disk(tmp_path, tmp_path, no_larger_files)


def test_an_answer_that_a_full_disk_stops_is_stored_once_there_is_room(tmp_path: Path, small_disk: Path) -> None:
    answers_through_a_full_disk(tmp_path, small_disk, no_room_left)
