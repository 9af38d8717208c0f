"""What study/ hands to analysis/: one row per answered comparison."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import pyarrow as pa

from stimuli.experiment import ExperimentError
from stimuli.manifest import read_rows, write_rows

Choice = Literal["left", "right", "tie"]
CHOICES: tuple[str, ...] = get_args(Choice)


@dataclass(frozen=True)
class Vote:
    """One answered comparison; practice never becomes one.

    `trial` is unique. `target_user` is the target user whom this participant is, None for anybody else; a side's target is
    whom that image was steered for. `response_ms` runs from both images being painted to the answer. `position` counts
    the participant's comparisons from 0. `answered_at` is UTC, ISO 8601. `simulated` marks a participant who is a program.
    """

    trial: str
    participant: str
    target_user: str | None
    position: int
    prompt: str
    left_stimulus: str
    right_stimulus: str
    left_condition: str
    right_condition: str
    left_target: str | None
    right_target: str | None
    choice: Choice
    response_ms: float
    answered_at: str
    simulated: bool


_VOTES = pa.schema(
    [
        pa.field("trial", pa.string(), nullable=False),
        pa.field("participant", pa.string(), nullable=False),
        pa.field("target_user", pa.string()),
        pa.field("position", pa.int64(), nullable=False),
        pa.field("prompt", pa.string(), nullable=False),
        pa.field("left_stimulus", pa.string(), nullable=False),
        pa.field("right_stimulus", pa.string(), nullable=False),
        pa.field("left_condition", pa.string(), nullable=False),
        pa.field("right_condition", pa.string(), nullable=False),
        pa.field("left_target", pa.string()),
        pa.field("right_target", pa.string()),
        pa.field("choice", pa.string(), nullable=False),
        pa.field("response_ms", pa.float64(), nullable=False),
        pa.field("answered_at", pa.string(), nullable=False),
        pa.field("simulated", pa.bool_(), nullable=False),
    ]
)


def read_votes(path: Path) -> list[Vote]:
    """Return the rows of a votes.parquet.

    Raises:
        ExperimentError: the file does not have the columns of a `Vote`, or holds a choice other than left, right or tie.
    """
    votes = [Vote(**row) for row in read_rows(path, _VOTES)]
    for number, vote in enumerate(votes, start=1):
        if vote.choice not in CHOICES:
            raise ExperimentError(f'{path}: row {number} has choice "{vote.choice}"; expected left, right or tie')
    return votes


def write_votes(path: Path, votes: Sequence[Vote]) -> None:
    """Write votes.parquet, ordered by participant and position; equal votes give equal bytes."""
    write_rows(path, sorted(votes, key=lambda vote: (vote.participant, vote.position)), _VOTES)
