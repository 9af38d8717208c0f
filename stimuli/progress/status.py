"""How far steering is, seen from another process: read from the log of events alone, which is never written to here."""

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

Event = Mapping[str, Any]

# The past by which speed and time left are told; and how many of the last events are shown.
_PAST = timedelta(minutes=5)
_LAST = 8
# Of these there are as many as images; nobody reads them one by one.
_MANY = ("rendered", "scored", "iterated", "proposed")


@dataclass(frozen=True)
class Planned:
    """What steering set out to do; `images` is the most it can be."""

    chains: int
    iterations: int
    images: int


@dataclass(frozen=True)
class Failed:
    """A chain that failed, and why."""

    chain: str
    error: str


@dataclass(frozen=True)
class Status:
    """Where steering stands. `images_per_second` is over the last five minutes of the log, None where nothing was rendered then.

    `iterations` counts the ones that a chain needed no more as done; in `unanswered` ones the rewriter gave no new prompt.
    `seconds_left` is None where it cannot be told.
    """

    planned: Planned | None
    chains: int
    iterations: int
    images: int
    scores: int
    rejected: int
    unanswered: int
    failed: tuple[Failed, ...]
    images_per_second: float | None
    seconds_left: float | None
    last: tuple[Event, ...]
    quiet: timedelta | None

    @property
    def is_done(self) -> bool:
        """Whether every chain ended, well or not."""
        return self.planned is not None and self.chains + len(self.failed) >= self.planned.chains


class Watcher:
    """Reads a log of events that grows, each line once."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._read = 0
        self._planned: Planned | None = None
        self._iteration: dict[str, int] = {}
        self._ended: set[str] = set()
        self._failed: dict[str, str] = {}
        self._images = self._scores = self._rejected = self._unanswered = 0
        self._rendered: deque[datetime] = deque()
        self._last: deque[Event] = deque(maxlen=_LAST)
        self._latest: datetime | None = None

    def status(self, *, now: datetime | None = None) -> Status:
        """Return where steering stands, after reading what was added since."""
        self._follow()
        now = now or datetime.now(UTC)
        while self._rendered and now - self._rendered[0] > _PAST:
            self._rendered.popleft()
        speed = self._speed(now)
        return Status(
            planned=self._planned,
            chains=self._chains(),
            iterations=self._iterations(),
            images=self._images,
            scores=self._scores,
            rejected=self._rejected,
            unanswered=self._unanswered,
            failed=tuple(Failed(chain, error) for chain, error in self._failed.items()),
            images_per_second=speed,
            seconds_left=self._left(speed),
            last=tuple(self._last),
            quiet=now - self._latest if self._latest else None,
        )

    def _follow(self) -> None:
        if not self._log.is_file():
            return
        if self._log.stat().st_size < self._read:
            # The work was started afresh.
            self.__init__(self._log)  # type: ignore[misc]
        with self._log.open("rb") as log:
            log.seek(self._read)
            for line in log:
                # The writer may be in the middle of the last line.
                if not line.endswith(b"\n"):
                    break
                self._read += len(line)
                self._take(json.loads(line))

    def _take(self, event: Event) -> None:
        self._latest = datetime.fromisoformat(event["at"])
        chain = event.get("chain")
        if chain is not None:
            # Whoever does something has not failed, or has been taken up again.
            self._failed.pop(chain, None)
            if chain in self._ended and event["event"] != "stopped":
                # It has begun anew, by other settings.
                self._ended.discard(chain)
                self._iteration.pop(chain, None)
        match event["event"]:
            case "planned":
                self._planned = Planned(event["chains"], event["iterations"], event["images"])
            case "rendered":
                self._images += 1
                self._rendered.append(self._latest)
            case "scored":
                self._scores += 1
            case "proposed":
                self._unanswered += not event["got"]
            case "rejected":
                self._rejected += 1
            case "iterated":
                self._iteration[event["chain"]] = max(self._iteration.get(event["chain"], 0), event["iteration"])
            case "stopped":
                self._ended.add(event["chain"])
            case "failed":
                self._failed[event["chain"]] = event["error"]
        if event["event"] not in _MANY:
            self._last.append(event)

    def _chains(self) -> int:
        return len(self._ended) if self._planned is None else min(len(self._ended), self._planned.chains)

    def _iterations(self) -> int:
        if self._planned is None:
            return sum(self._iteration.values())
        most = self._planned.iterations
        under_way = sum(min(number, most) for chain, number in self._iteration.items() if chain not in self._ended)
        return min(len(self._ended) * most + under_way, self._planned.chains * most)

    def _speed(self, now: datetime) -> float | None:
        if len(self._rendered) < 2:
            return None
        spent = (now - self._rendered[0]).total_seconds()
        return len(self._rendered) / spent if spent > 0 else None

    def _left(self, speed: float | None) -> float | None:
        if speed is None or self._planned is None:
            return None
        iterations = self._planned.chains * self._planned.iterations
        return self._planned.images * (1 - self._iterations() / max(iterations, 1)) / speed
