"""One statement of the methods, and where it comes from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

NOT_REPORTED = "NOT REPORTED"


@dataclass(frozen=True)
class Fact:
    """A sentence, and the file and field that it was read from."""

    words: str
    source: str


@dataclass(frozen=True)
class Paragraph:
    """Facts that belong together, under a heading."""

    heading: str
    facts: tuple[Fact, ...]

    @property
    def words(self) -> str:
        """All sentences in a row."""
        return " ".join(fact.words for fact in self.facts)


def listed(names: Sequence[str]) -> str:
    """Return names as a sentence lists them.

    >>> listed(["own", "others", "initial"])
    'own, others and initial'
    """
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


def many(number: int, one: str, several: str | None = None) -> str:
    """Return a number with its noun.

    >>> many(1, "prompt"), many(1200, "reply", "replies")
    ('1 prompt', '1,200 replies')
    """
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def between(least: int, most: int) -> str:
    """Return a range in brackets, to stand behind a mean; nothing where there is but one value.

    >>> between(2, 1400), between(4, 4)
    (' (2 to 1,400)', '')
    """
    return f" ({least:,} to {most:,})" if least != most else ""


def quoted(words: str) -> str:
    """Return somebody's own words in quotation marks, on one line."""
    return f"“{' '.join(words.split())}”"


def kept(*facts: Fact | Iterator[Fact] | None) -> tuple[Fact, ...]:
    """Return the facts that there are, in their order."""
    found: list[Fact] = []
    for fact in facts:
        if isinstance(fact, Fact):
            found.append(fact)
        elif fact is not None:
            found += fact
    return tuple(found)
