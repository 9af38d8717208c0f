"""The records that the rows of a running study become."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from study.design.trial import Kind

StudyKind = Literal["comparison", "rating"]
# "closing": nobody new comes in, and those inside finish. "closed": nobody goes on.
State = Literal["open", "closing", "paused", "closed"]
Ended = Literal["finished", "declined", "screened out", "full"]


@dataclass(frozen=True)
class StudyRow:
    """What the study is: `settings` is the JSON of what participants depend on, `stimuli_sha256` the hash of all stimuli."""

    kind: StudyKind
    settings: dict[str, Any]
    stimuli_sha256: str
    created_at: datetime
    state: State = "open"
    erased: int = 0


@dataclass(frozen=True)
class ImageRow:
    """The bytes that browsers get for one image; `sha256` is that of the experiment's file it was made from."""

    sha256: str
    width: int
    height: int
    content: bytes


@dataclass(frozen=True)
class StimulusRow:
    """The part of a stimulus that the study needs; of a rating study's image, with its id as `stimulus` and "" as condition."""

    stimulus: str
    prompt: str
    base_prompt: str
    condition: str
    target_user: str | None
    run: int
    image_sha256: str


@dataclass(frozen=True)
class ParticipantRow:
    """A person or program that said yes or no to the consent; see `tables.PARTICIPANT` for each field."""

    id: str
    slot: int | None
    target_user: str | None
    simulated: bool
    consented_at: datetime | None
    begun_at: datetime | None
    seen_at: datetime
    block: int = -1
    ended: Ended | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True)
class TrialRow:
    """One trial of a participant's schedule; `token` is the answer's, the others are the images' addresses."""

    id: int
    participant: str
    step: int
    kind: Kind
    block: int
    base_prompt: str
    left_stimulus: str
    right_stimulus: str | None
    expected: str | None
    token: str
    left_token: str
    right_token: str | None
    width: int
    height: int


@dataclass(frozen=True)
class Whereabouts:
    """How far an id is: `participant` is None for a stranger; `answered` of `laid` trials are done, `practice` of them for practice."""

    state: State
    participant: ParticipantRow | None
    answered: int
    laid: int
    practice: int


@dataclass(frozen=True)
class Sent:
    """The trial that an answer was sent for, and how many of the participant's trials are `answered` and `laid` out."""

    id: int
    step: int
    kind: Kind
    block: int
    is_answered: bool
    answered: int
    laid: int


@dataclass(frozen=True)
class Answer:
    """What a page sends. A comparison has a `choice` (left, right or tie), a rating a `rating` from 1 to 5.

    `device` is mouse, touch, pen, keyboard or program; `blurs` counts how often the page lost the focus, `ignored` the clicks
    and keys that came too early or twice; `response_ms` runs from the images being painted.
    """

    token: str
    choice: str
    response_ms: float
    device: str
    blurs: int = 0
    ignored: int = 0
    viewport: str = ""
    rating: float | None = None


@dataclass(frozen=True)
class VoteRow:
    """One answered trial with two images, with what is known about both; `position` counts the participant's trials from 0."""

    participant: str
    target_user: str | None
    simulated: bool
    position: int
    kind: Kind
    block: int
    expected: str | None
    prompt: str
    left_stimulus: str
    right_stimulus: str
    left_condition: str
    right_condition: str
    left_target: str | None
    right_target: str | None
    choice: str
    response_ms: float
    device: str
    blurs: int
    viewport: str
    answered_at: datetime


@dataclass(frozen=True)
class RatingRow:
    """One answered rating; `position` counts the participant's ratings from 0."""

    participant: str
    simulated: bool
    position: int
    kind: Kind
    image: str
    prompt: str
    rating: float
    response_ms: float
    device: str
    blurs: int
    viewport: str
    answered_at: datetime


@dataclass(frozen=True)
class Standing:
    """How far one participant is; `trials` are those after practice. `replies` are by question id."""

    participant: ParticipantRow
    answered: int
    trials: int
    replies: dict[str, str] = field(default_factory=dict)
