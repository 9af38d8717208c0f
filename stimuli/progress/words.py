"""Where steering stands, in words on a terminal."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from stimuli.progress import left, pace
from stimuli.progress.status import Event, Status

_NAMED = 5


def sheet(status: Status) -> RenderableType:
    """Return what is to be shown of a status."""
    return Group(_bars(status), *_lines(status))


def line(status: Status) -> str:
    """Return a status on one line."""
    return "; ".join(_words(status))


def _bars(status: Status) -> Table:
    table = Table.grid(padding=(0, 1))
    planned = status.planned
    rows = [("chains", status.chains, planned.chains if planned else None)]
    rows.append(("iterations", status.iterations, planned.chains * planned.iterations if planned else None))
    rows.append(("images", status.images, None))
    for what, done, total in rows:
        bar = ProgressBar(total=total, completed=done, width=40) if total else ""
        table.add_row(what, bar, f"{done:,}/{total:,}" if total else f"{done:,}")
    return table


def _words(status: Status) -> Iterator[str]:
    planned = status.planned
    yield f"{status.chains:,} of {planned.chains:,} chains" if planned else f"{status.chains:,} chains"
    yield f"{status.iterations:,} of {planned.chains * planned.iterations:,} iterations" if planned else f"{status.iterations:,} iterations"
    yield f"{status.images:,} images"
    yield from _pace(status)


def _pace(status: Status) -> Iterator[str]:
    if status.images_per_second:
        yield f"{pace(status.images_per_second)} over the last five minutes"
    if status.is_done:
        yield "all chains have ended"
    elif status.seconds_left is not None:
        yield f"{left(status.seconds_left)} left at the most"


def _lines(status: Status) -> Iterator[RenderableType]:
    yield "; ".join([f"{status.scores:,} scores", f"{status.rejected:,} candidates rejected by the drift guard", *_pace(status)])
    if status.quiet is not None and not status.is_done:
        yield f"The last event was {left(max(status.quiet.total_seconds(), 0))} ago."
    if status.unanswered:
        yield f'[yellow]in {status.unanswered:,} iterations the rewriter gave no new prompt[/yellow]; see "proposed" in the log'
    for failure in status.failed[:_NAMED]:
        yield f"[red]failed[/red] {escape(failure.chain)}: {escape(failure.error)}"
    if len(status.failed) > _NAMED:
        yield f"[red]and {len(status.failed) - _NAMED} more chains failed[/red]"
    for event in status.last:
        yield Text(_event(event), no_wrap=True, overflow="ellipsis")


def _event(event: Event) -> str:
    """Return an event in words."""
    kind, told = event["event"], dict(event)
    rest = [
        f"{key} {value:.3g}" if isinstance(value, float) else f"{key} {value}"
        for key in ("iteration", "score", "likeness", "floor", "reason", "images", "chains")
        if (value := told.get(key)) is not None
    ]
    where = f" {told['chain']}" if "chain" in told else ""
    prompt = f' "{_short(told["prompt"])}"' if "prompt" in told else ""
    line = f"{event['at'][11:19]}  {kind}{where}" + (f" ({', '.join(rest)})" if rest else "") + prompt
    return "".join(letter if letter.isprintable() else " " for letter in line)


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
