"""The tables of a running study, and the records that their rows become; what is asked of them stands in `database`."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from study.design import Kind


class Utc(sa.TypeDecorator[datetime]):
    """A time that goes in with a zone and comes out in UTC; SQLite keeps no zones."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002 - its signature
        """Return the time as it is stored."""
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002 - its signature
        """Return the time with its zone."""
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


TABLES = sa.MetaData()


def _text(name: str, *extra: Any, null: bool = False, key: bool = False, unique: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, *extra, nullable=null, primary_key=key, unique=unique)


STUDY = sa.Table(
    "study",
    TABLES,
    sa.Column("id", sa.Integer, sa.CheckConstraint("id = 1"), primary_key=True),
    sa.Column("settings", sa.JSON, nullable=False),
    _text("stimuli_sha256"),
    sa.Column("created_at", Utc, nullable=False),
)
IMAGE = sa.Table(
    "image",
    TABLES,
    _text("sha256", key=True),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
)
STIMULUS = sa.Table(
    "stimulus",
    TABLES,
    _text("stimulus", key=True),
    _text("prompt"),
    _text("base_prompt"),
    _text("condition"),
    _text("target_user", null=True),
    sa.Column("run", sa.Integer, nullable=False),
    _text("image_sha256", sa.ForeignKey("image.sha256")),
)
# Whom a browser's key stands for. A link preview makes one too, so it makes nobody a participant.
ARRIVAL = sa.Table("arrival", TABLES, _text("key", key=True), _text("participant"), sa.Column("at", Utc, nullable=False))
PARTICIPANT = sa.Table(
    "participant",
    TABLES,
    _text("id", key=True),
    sa.Column("number", sa.Integer, nullable=False, unique=True),
    _text("target_user", null=True),
    sa.Column("simulated", sa.Boolean, nullable=False),
    sa.Column("consented_at", Utc, nullable=False),
    sa.Column("begun_at", Utc),
    sa.Column("finished_at", Utc),
)
TRIAL = sa.Table(
    "trial",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True),
    _text("participant", sa.ForeignKey("participant.id")),
    sa.Column("step", sa.Integer, nullable=False),
    _text("kind"),
    _text("left_stimulus", sa.ForeignKey("stimulus.stimulus")),
    _text("right_stimulus", sa.ForeignKey("stimulus.stimulus")),
    _text("token", unique=True),
    _text("left_token", unique=True),
    _text("right_token", unique=True),
    sa.UniqueConstraint("participant", "step"),
)
# One row a trial, practice included: what makes an answer count once. A vote is the answer to a comparison.
ANSWER = sa.Table(
    "answer",
    TABLES,
    sa.Column("trial", sa.Integer, sa.ForeignKey("trial.id"), primary_key=True, autoincrement=False),
    _text("choice"),
    sa.Column("response_ms", sa.Float, nullable=False),
    _text("device"),
    sa.Column("blurs", sa.Integer, nullable=False),
    sa.Column("ignored", sa.Integer, nullable=False),
    _text("viewport"),
    sa.Column("answered_at", Utc, nullable=False),
)
# Append-only: every answer that arrived, and what became of it.
ATTEMPT = sa.Table(
    "attempt",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True),
    _text("participant"),
    _text("token"),
    _text("choice"),
    sa.Column("response_ms", sa.Float, nullable=False),
    _text("outcome"),
    sa.Column("at", Utc, nullable=False),
)
EVENT = sa.Table(
    "event",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True),
    _text("participant"),
    _text("what"),
    sa.Column("at", Utc, nullable=False),
)


@dataclass(frozen=True)
class StudyRow:
    """What the study is: `settings` is the JSON of what participants depend on, `stimuli_sha256` the hash of all stimuli."""

    settings: dict[str, Any]
    stimuli_sha256: str
    created_at: datetime


@dataclass(frozen=True)
class ImageRow:
    """The bytes that browsers get for one image; `sha256` is that of the experiment's file it was made from."""

    sha256: str
    width: int
    height: int
    content: bytes


@dataclass(frozen=True)
class StimulusRow:
    """The part of a stimulus that the study needs."""

    stimulus: str
    prompt: str
    base_prompt: str
    condition: str
    target_user: str | None
    run: int
    image_sha256: str


@dataclass(frozen=True)
class ParticipantRow:
    """A person or program that agreed to take part; `number` counts them from 0."""

    id: str
    number: int
    target_user: str | None
    simulated: bool
    consented_at: datetime
    begun_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True)
class TrialRow:
    """One trial of a participant's schedule; `token` is the answer's, the others are the images' addresses."""

    id: int
    participant: str
    step: int
    kind: Kind
    base_prompt: str
    left_stimulus: str
    right_stimulus: str
    token: str
    left_token: str
    right_token: str
    width: int
    height: int


@dataclass(frozen=True)
class Answer:
    """What a page sends. `device` is mouse, touch, pen, keyboard or program; `blurs` counts how often the page lost the
    focus, `ignored` the clicks and keys that came too early or twice; `response_ms` runs from both images being painted."""

    token: str
    choice: str
    response_ms: float
    device: str
    blurs: int = 0
    ignored: int = 0
    viewport: str = ""


@dataclass(frozen=True)
class VoteRow:
    """One answered comparison with what is known about both sides; `position` counts the participant's comparisons from 0."""

    participant: str
    target_user: str | None
    simulated: bool
    position: int
    prompt: str
    left_stimulus: str
    right_stimulus: str
    left_condition: str
    right_condition: str
    left_target: str | None
    right_target: str | None
    choice: str
    response_ms: float
    answered_at: datetime


@dataclass(frozen=True)
class Standing:
    """How far one participant is."""

    participant: ParticipantRow
    answered: int
    comparisons: int
    last_answer: datetime | None
