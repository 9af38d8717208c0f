"""What a rating study hands to stimuli/ and analysis/: one row per rating, from bad (1) to excellent (5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from stimuli.experiment import ExperimentError
from stimuli.manifest import read_rows, write_rows

LOWEST, HIGHEST = 1.0, 5.0


@dataclass(frozen=True)
class GivenRating:
    """One rating; practice never becomes one. `rating` is 1 (bad) to 5 (excellent), continuous.

    `trial` is unique. `repeat` marks the second rating of an image by the same participant. `response_ms` runs from the image
    being painted to Continue. `position` counts the participant's ratings from 0. `rated_at` is UTC, ISO 8601. `simulated`
    marks a participant who is a program.
    """

    trial: str
    participant: str
    position: int
    image: str
    prompt: str
    rating: float
    repeat: bool
    response_ms: float
    rated_at: str
    device: str
    blurs: int
    viewport: str
    simulated: bool


_RATINGS = pa.schema(
    [
        pa.field("trial", pa.string(), nullable=False),
        pa.field("participant", pa.string(), nullable=False),
        pa.field("position", pa.int64(), nullable=False),
        pa.field("image", pa.string(), nullable=False),
        pa.field("prompt", pa.string(), nullable=False),
        pa.field("rating", pa.float64(), nullable=False),
        pa.field("repeat", pa.bool_(), nullable=False),
        pa.field("response_ms", pa.float64(), nullable=False),
        pa.field("rated_at", pa.string(), nullable=False),
        pa.field("device", pa.string(), nullable=False),
        pa.field("blurs", pa.int64(), nullable=False),
        pa.field("viewport", pa.string(), nullable=False),
        pa.field("simulated", pa.bool_(), nullable=False),
    ]
)


def read_ratings(path: Path) -> list[GivenRating]:
    """Return the rows of a ratings.parquet.

    Raises:
        ExperimentError: the file does not have the columns of a `GivenRating`, or holds a rating outside 1..5.
    """
    ratings = [GivenRating(**row) for row in read_rows(path, _RATINGS)]
    for number, row in enumerate(ratings, start=1):
        # NaN fails the comparison too.
        if not LOWEST <= row.rating <= HIGHEST:
            raise ExperimentError(f"{path}: row {number} has rating {row.rating}; expected a number from 1 to 5")
    return ratings


def write_ratings(path: Path, ratings: Sequence[GivenRating]) -> None:
    """Write ratings.parquet, ordered by participant and position; equal ratings give equal bytes."""
    write_rows(path, sorted(ratings, key=lambda row: (row.participant, row.position)), _RATINGS)
