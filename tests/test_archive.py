"""A backup holds the whole study at one moment, and only what is whole goes back, into an empty database of either kind."""

import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from stored_study import contents, fill

from stimuli.experiment import ExperimentError
from study.storage.archive import backup, restore
from study.storage.database import Database, open_database
from study.storage.tables import EVENT, TABLES, TRIAL

NOON = datetime(2026, 1, 6, 12, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the backup of a study."""
    database = open_database(tmp_path / "source.sqlite")
    fill(database)
    backup(database, tmp_path / "backup.zip", now=NOON)
    database.close()
    return tmp_path / "backup.zip"


@pytest.fixture
def empty(tmp_path: Path) -> Database:
    """Return an empty database."""
    return open_database(tmp_path / "empty.sqlite")


def test_a_study_survives_the_way_between_databases_exactly(tmp_path: Path, postgres_url: str) -> None:
    addresses = [f"sqlite:///{tmp_path}/first.sqlite", postgres_url, f"sqlite:///{tmp_path}/last.sqlite"]
    databases = [open_database(address) for address in addresses]
    fill(databases[0])
    for number, (source, target) in enumerate(pairwise(databases)):
        backup(source, tmp_path / f"{number}.zip", now=NOON)
        restore(target, tmp_path / f"{number}.zip", kind="comparison")
        assert contents(target) == contents(source)
    backup(databases[-1], tmp_path / "last.zip", now=NOON)
    assert [sorted(lines(tmp_path / name)) for name in ("0.zip", "1.zip")] == [sorted(lines(tmp_path / "last.zip"))] * 2
    for database in databases:
        database.close()


def lines(path: Path) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(path) as archive:
        return [(name, line) for name in archive.namelist() for line in archive.read(name).splitlines(keepends=True)]


def test_a_restored_study_goes_on_numbering(database_url: str, file: Path) -> None:
    database = open_database(database_url)
    restore(database, file, kind="comparison")
    with database.writing() as rows:
        rows.add_event("ada", "shown", NOON)
    with database.moment() as connection:
        assert connection.scalars(sa.select(EVENT.c.id).order_by(EVENT.c.id)).all() == [1, 2, 3]
        assert connection.scalar(sa.select(sa.func.max(TRIAL.c.id))) == 21
    database.close()


def test_an_empty_table_can_be_restored(database_url: str, tmp_path: Path) -> None:
    source = open_database(tmp_path / "source.sqlite")
    fill(source, people=())
    backup(source, tmp_path / "backup.zip", now=NOON)
    source.close()
    database = open_database(database_url)
    restore(database, tmp_path / "backup.zip", kind="comparison")
    # Numbers begin anew where a table came empty.
    with database.writing() as rows:
        rows.add_event("ada", "shown", NOON)
    with database.moment() as connection:
        assert connection.scalars(sa.select(EVENT.c.id)).all() == [1]
    database.close()


def test_a_backup_is_of_one_moment(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = open_database(database_url)
    fill(database)
    writestr = zipfile.ZipFile.writestr

    def answered_meanwhile(archive: zipfile.ZipFile, *parts: Any) -> None:
        with database.writing() as rows:
            rows.add_event("ada", "shown", NOON)
        writestr(archive, *parts)

    monkeypatch.setattr(zipfile.ZipFile, "writestr", answered_meanwhile)
    made = backup(database, tmp_path / "backup.zip", now=NOON)
    assert made.rows["event"] == 2
    assert len(contents(database)["event"]) == 5
    database.close()


def test_the_manifest_says_what_is_in_it(file: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    assert {name: manifest[name] for name in ("format", "kind", "version", "made_at")} == {
        "format": "tastebench study",
        "kind": "comparison",
        "version": "0002",
        "made_at": "2026-01-06T12:00:00+00:00",
    }
    assert set(manifest["rows"]) == set(TABLES.tables)
    assert manifest["rows"]["trial"] == 4


def test_nobody_else_may_read_a_backup(file: Path) -> None:
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_backup_replaces_the_one_before_and_nothing_else(tmp_path: Path, file: Path) -> None:
    database = open_database(tmp_path / "source.sqlite")
    assert backup(database, file, now=NOON).kind == "comparison"
    with pytest.raises(ExperimentError, match=r"source\.sqlite: is there already and is no backup of a study, so it was left as it is"):
        backup(database, tmp_path / "source.sqlite", now=NOON)
    database.close()


def test_a_backup_that_breaks_off_leaves_the_one_before(tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    before, database = file.read_bytes(), open_database(tmp_path / "source.sqlite")
    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    with pytest.raises(ExperimentError, match=r"cannot be written \(No space left on device\); make room"):
        backup(database, file, now=NOON)
    assert file.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir() if not path.name.startswith("source")} == {"backup.zip"}
    database.close()


def test_a_database_without_a_study_has_nothing_to_back_up(empty: Database, tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match="holds no study yet, so there is nothing to back up"):
        backup(empty, tmp_path / "backup.zip", now=NOON)
    empty.close()


def test_a_database_that_holds_something_is_left_alone(database_url: str, file: Path) -> None:
    database = open_database(database_url)
    fill(database, people=("eve",))
    before = contents(database)
    with pytest.raises(
        ExperimentError, match=r"holds a study already \(with 1 participants\), and a backup only goes into an empty database"
    ):
        restore(database, file, kind="comparison")
    assert contents(database) == before
    database.close()


def test_an_archive_of_the_other_kind_is_refused(empty: Database, file: Path) -> None:
    with pytest.raises(ExperimentError, match="holds a comparison; leave out --rating"):
        restore(empty, file, kind="rating")
    empty.close()


def edited(file: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Return a copy of the archive with its members changed."""
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file


def test_an_archive_of_a_later_version_is_refused(empty: Database, file: Path) -> None:
    later = edited(file, lambda members: members.update({"manifest.json": members["manifest.json"].replace(b'"0002"', b'"0999"')}))
    with pytest.raises(ExperimentError, match=r"made by a later version of tastebench \(its tables are 0999, this version knows 0002\)"):
        restore(empty, later, kind="comparison")
    empty.close()


def drop_last_trial(members: dict[str, bytes]) -> None:
    members["trial.jsonl"] = b"".join(members["trial.jsonl"].splitlines(keepends=True)[:-1])


def orphan(members: dict[str, bytes]) -> None:
    members["participant.jsonl"] = members["participant.jsonl"].replace(b'"ada"', b'"eve"')


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda members: members.pop("answer.jsonl"), "There is no item named 'answer.jsonl'"),
        (lambda members: members.pop("images/one"), "There is no item named 'images/one'"),
        (lambda members: members.update({"reply.jsonl": b"{half"}), "Expecting property name"),
        (lambda members: members.update({"reply.jsonl": b"{}\n{}\n"}), "reply has other columns"),
        (lambda members: members.update({"event.jsonl": members["event.jsonl"].replace(b"2026-", b"twenty")}), "Invalid isoformat"),
        (drop_last_trial, "trial has 3 rows instead of 4"),
        (orphan, "[Ff](oreign key|OREIGN KEY)"),
        (lambda members: members.update({"manifest.json": b'{"format": "tastebench study"}'}), "version"),
    ],
)
def test_a_damaged_archive_leaves_the_database_empty(
    database_url: str, file: Path, change: Callable[[dict[str, bytes]], None], told: str
) -> None:
    database = open_database(database_url)
    with pytest.raises(ExperimentError, match=rf"(?s)is damaged \(.*{told}.*\), and nothing was taken from it; use another backup"):
        restore(database, edited(file, change), kind="comparison")
    assert not any(contents(database).values())
    database.close()


def test_a_flipped_byte_is_noticed(empty: Database, file: Path) -> None:
    content = bytearray(file.read_bytes())
    place = bytes(content).index(bytes(range(200)))
    content[place + 5] ^= 1
    file.write_bytes(content)
    with pytest.raises(ExperimentError, match=r"is damaged \(Bad CRC-32 for file 'images/one'\)"):
        restore(empty, file, kind="comparison")
    assert not any(contents(empty).values())
    empty.close()


@pytest.mark.parametrize("content", [b"", b"hello" * 100, b"PK\x03\x04 and nothing more"])
def test_a_file_that_is_no_archive_is_refused(empty: Database, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "other.zip").write_bytes(content)
    with pytest.raises(ExperimentError, match="is no backup of a study, or is damaged"):
        restore(empty, tmp_path / "other.zip", kind="comparison")
    empty.close()


def test_a_half_downloaded_archive_is_refused(empty: Database, file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(ExperimentError, match="is no backup of a study, or is damaged"):
        restore(empty, file, kind="comparison")
    empty.close()


def test_a_zip_of_something_else_is_refused(empty: Database, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("manifest.json", '{"format": "a game"}')
    with pytest.raises(ExperimentError, match="is no backup of a study"):
        restore(empty, tmp_path / "other.zip", kind="comparison")
    empty.close()


def test_a_file_that_is_not_there_is_named(empty: Database, tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r"other\.zip: no such file; `tastebench study backup` makes it"):
        restore(empty, tmp_path / "other.zip", kind="comparison")
    empty.close()
