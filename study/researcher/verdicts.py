"""Writes what a reviewer says of an image, at once; several tabs and reviewers never lose each other's verdicts."""

import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from stimuli.experiment import ExperimentError
from study.reviews import ALL_AT_ONCE, Reason, Review, Verdict, read_reviews, write_reviews

_TURNS = threading.Lock()


class Verdicts:
    """The reviews of one experiment, as `reviewer` adds to them; each change is read, merged and written in one turn."""

    def __init__(self, path: Path, *, reviewer: str, clock: Callable[[], datetime]) -> None:
        self._path = path
        self._reviewer = reviewer
        self._clock = clock
        # Of each time something was said here: what was written, and what stood there before, which undoing brings back.
        self._said: list[list[tuple[Review, Review | None]]] = []

    def all(self) -> dict[str, Review]:
        """Return every review so far, by everybody."""
        return read_reviews(self._path)

    def say(self, images: Sequence[str], verdict: Verdict, reason: Reason = "", *, overrule: bool = True) -> int:
        """Store a verdict on each image, and return the number under which it can be undone.

        Without `overrule`, an image of which something was said already keeps that.

        Raises:
            ExperimentError: an image is removed without a reason or approved with one, or the file cannot be written.
        """
        if (verdict == "removed") != bool(reason):
            raise ExperimentError("an image is removed for a reason (harmful, broken, near-duplicate or other) and approved without one")
        at = self._clock().isoformat(timespec="seconds")
        with _turn(self._path):
            reviews = read_reviews(self._path)
            made = [Review(sha256, verdict, reason, self._reviewer, at) for sha256 in images if overrule or sha256 not in reviews]
            said = [(review, reviews.get(review.sha256)) for review in made]
            write_reviews(self._path, (reviews | {review.sha256: review for review in made}).values())
            self._said.append(said)
            return len(self._said) - 1

    def said(self, number: int) -> list[str]:
        """Return the images of which something was stored under a number, and not undone."""
        return [review.sha256 for review, _ in self._said[number]]

    def undo(self, number: int) -> list[str]:
        """Take back what was said under a number, and return the images of which it was still the latest word.

        What somebody said of an image since then stays. Undoing twice changes nothing.
        """
        with _turn(self._path):
            if not 0 <= number < len(self._said):
                return []
            reviews = read_reviews(self._path)
            standing = [(made, before) for made, before in self._said[number] if reviews.get(made.sha256) == made]
            for made, before in standing:
                del reviews[made.sha256]
                if before:
                    reviews[made.sha256] = before
            self._said[number] = []
            write_reviews(self._path, reviews.values())
        return [made.sha256 for made, _ in standing]


def approve_all(path: Path, images: Sequence[str], *, by: str, clock: Callable[[], datetime]) -> int:
    """Approve every image without a verdict and return how many were; the name then says that nobody looked at each.

    Raises:
        ExperimentError: the file cannot be written.
    """
    verdicts = Verdicts(path, reviewer=f"{by} {ALL_AT_ONCE}", clock=clock)
    known = verdicts.all()
    waiting = [sha256 for sha256 in images if sha256 not in known]
    # Somebody may remove one of them at this very moment.
    return len(verdicts.said(verdicts.say(waiting, "approved", overrule=False))) if waiting else 0


@contextmanager
def _turn(path: Path) -> Iterator[None]:
    """Let one thread of one process at a time change the file."""
    with _TURNS:
        if sys.platform == "win32":
            yield
            return
        import fcntl

        # The folder is locked, not the file, which each write replaces; the system unlocks it whatever happens.
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)
