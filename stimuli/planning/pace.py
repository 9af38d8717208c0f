"""How fast images came on this machine, from the log of events: only those that the study's generator would make just so again."""

import json
import statistics
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from stimuli.generators import GeneratorSpec
from stimuli.stages import Render, render_request
from stimuli.store import key_of

_LATEST = 2000
# Fewer tell nothing.
_FEWEST = 10
# A pause this many times longer than usual is a break between two runs.
_BREAK = 20.0


@dataclass(frozen=True)
class Pace:
    """So many images came at so many a second, by the clock, with the workers of then and all that goes with an image."""

    images: int
    per_second: float


def measured(log: Path, generator: GeneratorSpec) -> Pace | None:
    """Return how fast the latest images came, None where too few did."""
    times = list(_times(log, generator))
    if len(times) < _FEWEST:
        return None
    gaps = [(after - before).total_seconds() for before, after in pairwise(times)]
    # Images of one batch are written at one moment.
    usual = statistics.median([gap for gap in gaps if gap > 0] or [0.0])
    worked = [gap for gap in gaps if gap <= _BREAK * usual]
    spent = sum(worked)
    return Pace(len(worked), len(worked) / spent) if spent > 0 else None


def _times(log: Path, generator: GeneratorSpec) -> Iterator[datetime]:
    """Yield when each of the latest images came, breaks included."""
    if not log.is_file():
        return
    latest: deque[bytes] = deque(maxlen=_LATEST)
    with log.open("rb") as lines:
        latest.extend(line for line in lines if b'"rendered"' in line and line.endswith(b"\n"))
    for line in latest:
        event = json.loads(line)
        if event["event"] == "rendered" and event["key"] == key_of(render_request(generator, Render(event["prompt"], event["seed"]))):
            yield datetime.fromisoformat(event["at"])
