"""What a researcher said of each image before people saw it: reviews.json, which the report reads too."""

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from stimuli.experiment import ExperimentError, write_whole

Verdict = Literal["approved", "removed"]
Reason = Literal["", "harmful", "broken", "near-duplicate", "other"]
# Stands behind the name of who approved images without a look at each.
ALL_AT_ONCE = "(all at once)"


@dataclass(frozen=True)
class Review:
    """One image's review: `sha256` is that of its file, `reviewer` who said so, `at` when (UTC, ISO 8601)."""

    sha256: str
    verdict: Verdict
    reason: Reason
    reviewer: str
    at: str


@dataclass(frozen=True)
class Reviewed:
    """How many of the images a study would show were looked at, and by whom."""

    images: int
    approved: int
    removed: int
    reviewers: tuple[str, ...]

    @property
    def unreviewed(self) -> int:
        """How many nobody has looked at."""
        return self.images - self.approved - self.removed


def read_reviews(path: Path) -> dict[str, Review]:
    """Return the latest review of each image by its SHA-256; nothing where there is no file yet.

    Raises:
        ExperimentError: the file holds something else.
    """
    if not path.exists():
        return {}
    try:
        found = [Review(**row) for row in json.loads(path.read_text(encoding="utf-8"))]
        if any(row.verdict not in get_args(Verdict) or row.reason not in get_args(Reason) for row in found):
            raise ValueError("it holds an unknown verdict or reason")
    except (ValueError, TypeError) as error:
        raise ExperimentError(f"{path}: holds no reviews ({error}); move it away and review the images again") from error
    return {review.sha256: review for review in found}


def write_reviews(path: Path, reviews: Iterable[Review]) -> None:
    """Write reviews.json, ordered by image."""
    rows = [dataclasses.asdict(review) for review in sorted(reviews, key=lambda review: review.sha256)]
    write_whole(path, (json.dumps(rows, indent=1) + "\n").encode())


def summary(images: Sequence[str], reviews: Mapping[str, Review]) -> Reviewed:
    """Return how many of `images` (SHA-256, each once) were looked at."""
    found = [reviews[sha256] for sha256 in set(images) if sha256 in reviews]
    approved = sum(review.verdict == "approved" for review in found)
    return Reviewed(len(set(images)), approved, len(found) - approved, tuple(sorted({review.reviewer for review in found})))
