"""What study/ hands to analysis/: one row per answered comparison, and one per participant."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import pyarrow as pa

from stimuli.experiment import ExperimentError
from stimuli.manifest import read_rows, write_rows

Choice = Literal["left", "right", "tie"]
CHOICES: tuple[str, ...] = get_args(Choice)
# A comparison is scored; a repeat asks one again with sides swapped; a catch trial says in words which side to take.
VoteKind = Literal["comparison", "repeat", "catch"]


@dataclass(frozen=True)
class Vote:
    """One answered trial with two images; practice never becomes one. Only those of kind "comparison" are scored.

    `trial` is unique. `target_user` is the target user whom this participant is, None for anybody else; a side's target is
    whom that image was steered for. `response_ms` runs from both images being painted to the answer. `position` counts
    the participant's trials from 0, without practice, and `block` their blocks between breaks. `expected` is what a catch trial
    asked for, None elsewhere. `device` is mouse, touch, pen, keyboard or program; `blurs` counts how often the page was left
    during the trial; `viewport` is the window's size in pixels. `answered_at` is UTC, ISO 8601. `simulated` marks a
    participant who is a program.
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
    kind: VoteKind = "comparison"
    expected: Choice | None = None
    block: int = 0
    device: str = ""
    blurs: int = 0
    viewport: str = ""


@dataclass(frozen=True)
class Participant:
    """One participant: where they got to, and what they replied to the questions beside the images (JSON, by question id).

    `status` is "finished", "unfinished", "screened out", "declined" or "full". Times are UTC, ISO 8601.
    """

    participant: str
    target_user: str | None
    simulated: bool
    status: str
    slot: int | None
    consented_at: str | None
    finished_at: str | None
    answered: int
    replies: str


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
        pa.field("kind", pa.string(), nullable=False),
        pa.field("expected", pa.string()),
        pa.field("block", pa.int64(), nullable=False),
        pa.field("device", pa.string(), nullable=False),
        pa.field("blurs", pa.int64(), nullable=False),
        pa.field("viewport", pa.string(), nullable=False),
    ]
)
_PARTICIPANTS = pa.schema(
    [
        pa.field("participant", pa.string(), nullable=False),
        pa.field("target_user", pa.string()),
        pa.field("simulated", pa.bool_(), nullable=False),
        pa.field("status", pa.string(), nullable=False),
        pa.field("slot", pa.int64()),
        pa.field("consented_at", pa.string()),
        pa.field("finished_at", pa.string()),
        pa.field("answered", pa.int64(), nullable=False),
        pa.field("replies", pa.string(), nullable=False),
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


def read_participants(path: Path) -> list[Participant]:
    """Return the rows of a participants.parquet."""
    return [Participant(**row) for row in read_rows(path, _PARTICIPANTS)]


def write_participants(path: Path, participants: Sequence[Participant]) -> None:
    """Write participants.parquet, ordered by participant; equal rows give equal bytes."""
    write_rows(path, sorted(participants, key=lambda participant: participant.participant), _PARTICIPANTS)
