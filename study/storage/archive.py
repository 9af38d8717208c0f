"""A whole study as one file, taken while it runs, and put back into any empty database, SQLite or PostgreSQL.

The file is a zip: `manifest.json`, one file of JSON lines for each table, and the images as they are.
"""

import json
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from stimuli.experiment import ExperimentError, require, written_whole
from study.storage.database import Database
from study.storage.locking import exclusive
from study.storage.records import StudyKind
from study.storage.tables import IMAGE, PARTICIPANT, STUDY, TABLES, VERSION, Utc

_FORMAT = "tastebench study"
_AT_ONCE = 1000


@dataclass(frozen=True)
class Archive:
    """What an archive holds: `version` is that of the tables, `rows` counts those of each table, `made_at` is UTC, ISO 8601."""

    kind: StudyKind
    version: str
    made_at: str
    rows: dict[str, int]


def backup(database: Database, path: Path, *, now: datetime) -> Archive:
    """Write all of the study as it is at this moment, while others go on writing to it, and return what was written.

    Raises:
        ExperimentError: the database holds no study, the file is there and is no archive, or it cannot be written.
    """
    if path.exists() and not is_archive(path):
        raise ExperimentError(f"{path}: is there already and is no backup of a study, so it was left as it is; choose another name")
    with database.moment() as connection:
        kind = connection.scalar(sa.select(STUDY.c.kind))
        if kind is None:
            raise ExperimentError(f"{database.place}: holds no study yet, so there is nothing to back up")
        # What participants and panels said is in here: nobody else's to read.
        with written_whole(path, mode=0o600) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            rows = {table.name: _write(archive, connection, table) for table in TABLES.sorted_tables}
            manifest = Archive(kind, VERSION, now.isoformat(timespec="seconds"), rows)
            archive.writestr("manifest.json", json.dumps({"format": _FORMAT} | vars(manifest), indent=1))
    return manifest


def restore(database: Database, path: Path, *, kind: StudyKind) -> Archive:
    """Put the study of an archive into an empty database, all of it or nothing, and return what was put there.

    Raises:
        ExperimentError: the file is no archive, is damaged, of a later version or of the other kind of study; or the database
            holds something.
    """
    with _readable(path) as archive:
        manifest = _manifest(archive, path)
        if manifest.kind != kind:
            held = "a rating study; give --rating" if manifest.kind == "rating" else "a comparison; leave out --rating"
            raise ExperimentError(f"{path}: holds {held}")
        with database.change() as connection:
            exclusive(connection)
            _check_empty(database, connection)
            for table in TABLES.sorted_tables:
                _read(archive, connection, table, expected=manifest.rows[table.name])
            _count_on(connection)
    return manifest


def is_archive(path: Path) -> bool:
    """Return whether the file is the archive of a study, of whichever version."""
    try:
        with zipfile.ZipFile(path) as archive:
            return bool(json.loads(archive.read("manifest.json"))["format"] == _FORMAT)
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, OSError):
        return False


def _write(archive: zipfile.ZipFile, connection: sa.Connection, table: sa.Table) -> int:
    """Write the rows of a table, ordered by its key, and return how many there are."""
    columns = [column for column in table.columns if column is not IMAGE.c.content]
    rows = 0
    with archive.open(f"{table.name}.jsonl", "w", force_zip64=True) as file:
        for row in connection.execute(sa.select(*columns).order_by(*table.primary_key), execution_options={"yield_per": _AT_ONCE}):
            plain = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row._mapping.items()}
            file.write(json.dumps(plain).encode() + b"\n")
            rows += 1
    if table is IMAGE:
        _write_images(archive, connection)
    return rows


def _write_images(archive: zipfile.ZipFile, connection: sa.Connection) -> None:
    for sha256 in connection.scalars(sa.select(IMAGE.c.sha256).order_by(IMAGE.c.sha256)).all():
        content = connection.scalars(sa.select(IMAGE.c.content).where(IMAGE.c.sha256 == sha256)).one()
        # Images are compressed already.
        archive.writestr(_member(sha256), content, zipfile.ZIP_STORED)


def _member(sha256: str) -> str:
    return f"images/{sha256}"


@contextmanager
def _readable(path: Path) -> Iterator[zipfile.ZipFile]:
    """Give the archive at `path`; whatever is wrong with it becomes a sentence."""
    if not is_archive(require(path, made_by="tastebench study backup")):
        raise ExperimentError(f"{path}: is no backup of a study, or is damaged; `tastebench study backup` makes one")
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError, TypeError, sa.exc.StatementError) as error:
        reason = error.orig if isinstance(error, sa.exc.DBAPIError) else error
        raise ExperimentError(f"{path}: is damaged ({reason}), and nothing was taken from it; use another backup") from error


def _manifest(archive: zipfile.ZipFile, path: Path) -> Archive:
    held = json.loads(archive.read("manifest.json"))
    del held["format"]
    if str(held["version"]) > VERSION:
        raise ExperimentError(
            f"{path}: was made by a later version of tastebench (its tables are {held['version']}, this version knows {VERSION}); "
            "install that version or a later one: pip install --upgrade tastebench"
        )
    return Archive(**held)


def _check_empty(database: Database, connection: sa.Connection) -> None:
    if any(connection.execute(sa.select(table).limit(1)).first() for table in TABLES.sorted_tables):
        people = connection.scalar(sa.select(sa.func.count()).select_from(PARTICIPANT))
        raise ExperimentError(
            f"{database.place}: holds a study already (with {people} participants), and a backup only goes into an empty database; "
            "move that one away, or give an empty one with --database"
        )


def _read(archive: zipfile.ZipFile, connection: sa.Connection, table: sa.Table, *, expected: int) -> None:
    """Insert the rows of a table as they are in the archive."""
    rows = 0
    with archive.open(f"{table.name}.jsonl") as file:
        # An image at a time, as each may have many megabytes.
        while chunk := [_row(archive, table, line) for line in islice(file, 1 if table is IMAGE else _AT_ONCE)]:
            connection.execute(sa.insert(table), chunk)
            rows += len(chunk)
    if rows != expected:
        raise ValueError(f"{table.name} has {rows} rows instead of {expected}")


def _row(archive: zipfile.ZipFile, table: sa.Table, line: bytes) -> dict[str, Any]:
    held = json.loads(line)
    row: dict[str, Any] = {name: _as_time(held[name]) if isinstance(table.c[name].type, Utc) else held[name] for name in held}
    if table is IMAGE:
        row["content"] = archive.read(_member(row["sha256"]))
    if set(row) != set(table.c.keys()):
        raise ValueError(f"{table.name} has other columns")
    return row


def _as_time(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def _count_on(connection: sa.Connection) -> None:
    """Let PostgreSQL number new rows after those that came with their numbers; SQLite does so by itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in TABLES.sorted_tables:
        numbered = table.autoincrement_column
        if numbered is not None and table is not STUDY:
            sequence = sa.func.pg_get_serial_sequence(table.name, numbered.name)
            connection.execute(sa.select(sa.func.setval(sequence, sa.func.max(numbered))).select_from(table))
