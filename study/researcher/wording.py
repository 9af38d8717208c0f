"""Numbers and times of the researcher's page as a person would say them."""

from collections.abc import Sequence
from datetime import datetime
from math import ceil


def duration(seconds: float) -> str:
    """Return a wait in words, rounded up.

    >>> duration(14.2), duration(119), duration(1)
    ('15 seconds', '2 minutes', '1 second')
    """
    number, unit = (ceil(seconds / 60), "minute") if seconds > 90 else (ceil(seconds), "second")
    return f"{number} {unit}{'' if number == 1 else 's'}"


def megabytes(size: int) -> str:
    """Return a size in bytes in words.

    >>> megabytes(81_920), megabytes(12_400_000)
    ('0.1 MB', '12.4 MB')
    """
    return f"{max(0.1, size / 1e6):.1f} MB"


def minute(at: datetime) -> str:
    """Return a time as date and minute.

    >>> from datetime import UTC
    >>> minute(datetime(2026, 3, 1, 9, 5, tzinfo=UTC))
    '2026-03-01 09:05'
    """
    return at.strftime("%Y-%m-%d %H:%M")


def percent(share: float) -> str:
    """Return a share in percent.

    >>> percent(0.5034)
    '50.3 %'
    """
    return f"{100 * share:.1f} %"


def plural(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun.

    >>> plural(1, "answer"), plural(3, "answer"), plural(2, "person", "people")
    ('1 answer', '3 answers', '2 people')
    """
    return f"{number} {one if number == 1 else many or one + 's'}"


def hours(counts: Sequence[tuple[datetime, int]]) -> list[str]:
    """Return what each hour's bar says."""
    return [f"{minute(hour)} UTC: {plural(count, 'answer')}" for hour, count in counts]


def times(counts: Sequence[int], edges_ms: Sequence[float]) -> list[str]:
    """Return what each bar of the response times says."""
    ends = [f"to {edge / 1000:g} s" for edge in edges_ms[1:]] + ["and more"]
    return [f"{edge / 1000:g} s {end}: {plural(count, 'answer')}" for edge, end, count in zip(edges_ms, ends, counts, strict=True)]


def tenths(counts: Sequence[int]) -> list[str]:
    """Return what each bar of where people dropped out says."""
    return [f"{10 * tenth} to {10 * tenth + 10} % of the way: {plural(count, 'person', 'people')}" for tenth, count in enumerate(counts)]


def edges(edges_ms: Sequence[float]) -> list[str]:
    """Return the edges of the response times in seconds, for the axis."""
    return [f"{edge / 1000:g}" for edge in edges_ms]


FILTERS = {"megabytes": megabytes, "minute": minute, "percent": percent, "plural": plural}
