"""How long work tells how far it is: it calls `progress(what, done, total)`; on a terminal that becomes a bar."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

Report = Callable[[str, int, int], None]

# What is counted so slowly that its pace says something.
_PACED = ("images", "rated images")
# Off a terminal: seconds between two lines about the same kind of work.
_QUIET = 60.0
# Seconds of the past by which speed and time left are told.
_PAST = 120.0


def silent(what: str, done: int, total: int) -> None:
    """Tell nobody."""


@contextmanager
def shown(console: Console, *, clock: Callable[[], float] = time.monotonic) -> Iterator[Report]:
    """Show one bar for each kind of work; off a terminal, print a line when it begins, now and then, and when it ends."""
    if not console.is_terminal:
        lines = _Lines(console, clock)
        try:
            yield lines.report
        finally:
            lines.end()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), _Counted(), _Pace(), TimeElapsedColumn(), _Left(compact=True))
    with Progress(*columns, console=console, speed_estimate_period=_PAST) as bars:
        tasks: dict[str, TaskID] = {}

        def report(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total, completed=done)
            bars.update(tasks[what], completed=done, total=total)

        yield report


class _Counted(ProgressColumn):
    """How many of how many."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.completed:,.0f}/{task.total:,.0f}", style="progress.download")


class _Pace(ProgressColumn):
    """How many a second, of what is slow."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{pace(speed)}" if speed and task.description in _PACED else "", style="progress.data.speed")


class _Left(TimeRemainingColumn):
    """How long it will be, less of chains: those go on side by side, and end together."""

    def render(self, task: Task) -> Text:
        return Text("") if task.description == "chains" else super().render(task)


def pace(speed: float) -> str:
    """Return a speed in words that fit it.

    >>> pace(12.34), pace(0.05)
    ('12.3/s', '3.0/min')
    """
    return f"{speed:.1f}/s" if speed >= 0.2 else f"{speed * 60:.1f}/min"


@dataclass
class _Told:
    """What was last said of a kind of work, and when it began and how far it was then."""

    began: float
    before: int
    at: float
    done: int
    total: int
    now: int


class _Lines:
    """Lines in place of bars."""

    def __init__(self, console: Console, clock: Callable[[], float]) -> None:
        self._console, self._clock = console, clock
        self._told: dict[str, _Told] = {}

    def report(self, what: str, done: int, total: int) -> None:
        now, told = self._clock(), self._told.get(what)
        if told is None:
            self._told[what] = _Told(now, done, now, done, total, done)
            self._console.print(f"{what}: {done:,} of {total:,}")
            return
        told.now, told.total = done, total
        if done != told.done and (done >= total or now - told.at >= _QUIET):
            self._tell(what, told, now)

    def end(self) -> None:
        """Say where the kinds of work stand that ended before their total: it is the most that there can be."""
        for what, told in self._told.items():
            if told.now != told.done:
                self._tell(what, told, self._clock(), ended=True)

    def _tell(self, what: str, told: _Told, now: float, *, ended: bool = False) -> None:
        told.done, told.at = told.now, now
        spent = now - told.began
        speed = (told.now - told.before) / spent if spent > 0 else 0.0
        words = [f"{what}: {told.now:,} of {told.total:,}"]
        if what in _PACED and speed > 0:
            words.append(pace(speed))
        if speed > 0 and told.now < told.total and not ended:
            words.append(f"{left((told.total - told.now) / speed)} left at the most")
        self._console.print(", ".join(words))


def left(seconds: float) -> str:
    """Return a length of time in words.

    >>> left(42), left(3_000), left(9_000), left(200_000)
    ('42 s', '50 min', '2.5 h', '2.3 days')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 2 * 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 48 * 3600 else f"{seconds / 86_400:.1f} days"
