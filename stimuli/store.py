"""The memory of steering: results by the hash of their canonical request, images by the hash of their bytes, events once each.

The only module that writes SQL here. A process may be killed at any point: an image is whole before a result names it, a result
and its events are one transaction, and the readable log follows the database.
"""

import hashlib
import io
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from PIL import Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from stimuli.experiment import ExperimentError, write_whole

Request = Mapping[str, Any]
Event = Mapping[str, Any]

_TABLES = """
CREATE TABLE IF NOT EXISTS results (key TEXT PRIMARY KEY, kind TEXT NOT NULL, request TEXT NOT NULL, answer TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, at TEXT NOT NULL, event TEXT NOT NULL);
"""

# A disk confirms several files in the time of one: 16 images took 3.2 ms each one by one, 0.4 ms each so.
_WRITERS = 8


@dataclass(frozen=True)
class Result:
    """The answer to one request; both are JSON values, and the request has a "kind"."""

    request: Request
    answer: Any


def canonical(value: object) -> str:
    """Return the one JSON text of a value: sorted keys, no spaces, finite numbers only.

    >>> canonical({"b": 1, "a": [1.5, None]})
    '{"a":[1.5,null],"b":1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def key_of(value: object) -> str:
    """Return the SHA-256 of the canonical text of a request, as hexadecimal digits."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


def png_of(image: Image.Image, about: Request) -> bytes:
    """Return an image as the PNG that is stored, with what it was made from inside it."""
    notes = PngInfo()
    notes.add_itxt("tastebench", canonical(about))
    buffer = io.BytesIO()
    # The least compression: working copies are written often and read once or twice.
    image.save(buffer, "PNG", pnginfo=notes, compress_level=1)
    return buffer.getvalue()


class Store:
    """One folder with `store.sqlite`, `images/` and `events.jsonl`; use it in a `with` statement."""

    def __init__(self, folder: Path, *, clock: Callable[[], datetime] = now) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._clock = clock
        self._writers = ThreadPoolExecutor(_WRITERS, thread_name_prefix="store")
        # The length of the log when we last wrote to it, and the number of its last event.
        self._log = (-1, 0)
        self._database = sqlite3.connect(folder / "store.sqlite", timeout=60, isolation_level=None)
        try:
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = FULL")
            self._database.executescript(_TABLES)
            self._write_log()
        except sqlite3.DatabaseError as error:
            self.close()
            raise ExperimentError(
                f"{folder / 'store.sqlite'}: cannot be used ({error}); delete the folder {folder} to start afresh"
            ) from error

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the database; everything is stored already."""
        self._writers.shutdown()
        self._database.close()

    def answer(self, request: Request) -> Any | None:
        """Return the remembered answer to a request, None where there is none."""
        row = self._database.execute("SELECT answer FROM results WHERE key = ?", (key_of(request),)).fetchone()
        return json.loads(row[0]) if row else None

    def remember(self, results: Sequence[Result], events: Sequence[Event] = ()) -> None:
        """Store answers and what happened, all or nothing. A known request keeps its first answer; an equal event is told once.

        Raises:
            ExperimentError: the disk is full, or nobody may write there.
        """
        if not results and not events:
            return
        at = self._clock().isoformat(timespec="milliseconds")
        with self._transaction():
            rows = [_row(result) for result in results]
            self._database.executemany("INSERT OR IGNORE INTO results VALUES (?, ?, ?, ?)", rows)
            told = [(self._told_by(event), at, canonical(event)) for event in events]
            self._database.executemany("INSERT OR IGNORE INTO events (key, at, event) VALUES (?, ?, ?)", told)
        if events:
            self._write_log()

    def _told_by(self, event: Event) -> str:
        """Return the key by which an event is told once. A plan holds anew where another one came after it."""
        if event.get("event") != "planned":
            return key_of(event)
        latest = self._database.execute(
            """SELECT key, event FROM events WHERE event LIKE '%"event":"planned"%' ORDER BY number DESC LIMIT 1"""
        ).fetchone()
        if latest is None:
            return key_of(event)
        key, before = str(latest[0]), latest[1]
        return key if before == canonical(event) else key_of({"event": event, "after": key})

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Do what is inside wholly or not at all, alone on the database."""
        try:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.execute("COMMIT")
            finally:
                # SQLite has ended the transaction itself after some errors, such as a full disk.
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
        except sqlite3.OperationalError as error:
            raise ExperimentError(
                f"{self.folder / 'store.sqlite'}: cannot be written ({error}); make room or give leave to write in {self.folder}, "
                "then run this again: what is stored is kept"
            ) from error

    def forget(self, request: Request) -> None:
        """Drop the answer to a request, so that it can be answered anew."""
        self._database.execute("DELETE FROM results WHERE key = ?", (key_of(request),))

    def count(self, kind: str) -> int:
        """Return how many requests of a kind are answered."""
        return int(self._database.execute("SELECT COUNT(*) FROM results WHERE kind = ?", (kind,)).fetchone()[0])

    def image_path(self, sha256: str) -> Path:
        """Return where the image with this hash lies, or would lie."""
        return self.folder / "images" / sha256[:2] / f"{sha256}.png"

    def has_image(self, sha256: str) -> bool:
        """Return whether the image is here."""
        return self.image_path(sha256).is_file()

    def keep_image(self, image: Image.Image, about: Request) -> str:
        """Store an image with what it was made from inside the file, and return the SHA-256 of its bytes."""
        return self.keep_pngs([png_of(image, about)])[0]

    def keep_pngs(self, pngs: Sequence[bytes]) -> list[str]:
        """Store images as they are, whole and on the disk when this returns, and return the SHA-256 of each.

        Raises:
            ExperimentError: the disk is full, or nobody may write there.
        """
        return list(self._writers.map(self._keep_png, pngs))

    def _keep_png(self, png: bytes) -> str:
        sha256 = hashlib.sha256(png).hexdigest()
        if not self.has_image(sha256):
            write_whole(self.image_path(sha256), png)
        return sha256

    def png(self, sha256: str) -> bytes:
        """Return the bytes of a stored image.

        Raises:
            ExperimentError: the file is gone.
        """
        path = self.image_path(sha256)
        try:
            return path.read_bytes()
        except OSError as error:
            raise _unreadable(path, error) from error

    def image(self, sha256: str) -> Image.Image:
        """Return a stored image, in RGB.

        Raises:
            ExperimentError: the file is gone or damaged.
        """
        path = self.image_path(sha256)
        try:
            with Image.open(path) as image:
                return image.convert("RGB")
        except (OSError, UnidentifiedImageError) as error:
            raise _unreadable(path, error) from error

    def _write_log(self) -> None:
        """Append to events.jsonl what the database knows and the log does not, under the database's lock: each event is one line."""
        path = self.folder / "events.jsonl"
        try:
            with self._transaction(), path.open("a+b") as log:
                length, last = self._log
                if log.seek(0, io.SEEK_END) != length:
                    last = _last_number(log)
                rows = self._database.execute("SELECT number, at, event FROM events WHERE number > ? ORDER BY number", (last,))
                for number, at, event in rows:
                    line = json.dumps({"number": number, "at": at, **json.loads(event)}, ensure_ascii=False)
                    log.write(line.encode() + b"\n")
                    last = number
                log.flush()
                self._log = (log.seek(0, io.SEEK_END), last)
        except OSError as error:
            raise ExperimentError(
                f"{path}: cannot be written ({error.strerror}); make room or give leave to write in {self.folder}, "
                "then run this again: what is stored is kept"
            ) from error


def _row(result: Result) -> tuple[str, str, str, str]:
    request = canonical(result.request)
    return hashlib.sha256(request.encode()).hexdigest(), result.request["kind"], request, canonical(result.answer)


def _unreadable(path: Path, error: Exception) -> ExperimentError:
    return ExperimentError(f"{path}: cannot be read ({error}); delete it and run the command again to render it anew")


def _last_number(log: io.BufferedRandom) -> int:
    """Return the number of the last whole line, after cutting off a line that a crash left unfinished."""
    end = log.seek(0, io.SEEK_END)
    start = max(0, end - 65_536)
    log.seek(start)
    tail = log.read()
    whole = tail[: tail.rfind(b"\n") + 1]
    if len(whole) < len(tail):
        log.truncate(start + len(whole))
    lines = whole.splitlines()
    return int(json.loads(lines[-1])["number"]) if lines else 0
