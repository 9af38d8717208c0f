"""Where a participant can be, and what can become of an answer."""

from dataclasses import dataclass
from typing import Literal

from study.config import Question
from study.storage.records import Ended, TrialRow

Stage = Literal[
    "consent",
    "question",
    "instructions",
    "practice",
    "trials",
    "break",
    "thanks",
    "declined",
    "screened out",
    "full",
    "paused",
    "closed",
]
Outcome = Literal["stored", "duplicate", "too fast", "refused"]


@dataclass(frozen=True)
class Place:
    """Where a participant is. `trial` is what to judge now, None outside of trials; `next` comes after it, or after the break.

    `done` of `total` trials are answered: in practice, those for practice; later, all after practice, catch trials and repeats
    included. At a question, it is questions that they count. `last_device` is how the latest answer was given.
    """

    stage: Stage
    trial: TrialRow | None = None
    next: TrialRow | None = None
    done: int = 0
    total: int = 0
    last_device: str | None = None
    question: Question | None = None
    ended: Ended | None = None
