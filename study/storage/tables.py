"""The tables of a running study; the records that their rows become stand in `records`, what is asked of them in `rows`."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa


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
# The migration that makes these tables; Alembic's table alembic_version holds which of them a database has been through.
VERSION = "0002"


def _text(name: str, *extra: Any, null: bool = False, key: bool = False, unique: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, *extra, nullable=null, primary_key=key, unique=unique)


STUDY = sa.Table(
    "study",
    TABLES,
    sa.Column("id", sa.Integer, sa.CheckConstraint("id = 1"), primary_key=True),
    # "comparison" or "rating": one database holds one study.
    _text("kind"),
    # "open", "closing", "paused" or "closed", as the researcher says (`records.State`).
    _text("state"),
    sa.Column("settings", sa.JSON, nullable=False),
    _text("stimuli_sha256"),
    # How many participants were erased; who they were is gone.
    sa.Column("erased", sa.Integer, nullable=False),
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
# Whom a browser's key stands for. A link preview makes one too, so it makes nobody a participant. `panel` is what the panel
# said of the person (ids, further parameters): the only place that holds it.
ARRIVAL = sa.Table(
    "arrival",
    TABLES,
    _text("key", key=True),
    _text("participant"),
    sa.Column("panel", sa.JSON, nullable=False),
    sa.Column("at", Utc, nullable=False),
)
# Whoever said yes or no to the consent. `slot` is their place in the schedule, None until they have one. `ended` is None while
# they are on their way, then "finished", "declined", "screened out" or "full". `block` is the block they have opened.
PARTICIPANT = sa.Table(
    "participant",
    TABLES,
    _text("id", key=True),
    sa.Column("slot", sa.Integer),
    _text("target_user", null=True),
    sa.Column("simulated", sa.Boolean, nullable=False),
    sa.Column("consented_at", Utc),
    sa.Column("begun_at", Utc),
    sa.Column("seen_at", Utc, nullable=False),
    sa.Column("block", sa.Integer, nullable=False),
    _text("ended", null=True),
    sa.Column("ended_at", Utc),
)
# What participants replied to the questions beside the images; the first reply stays.
REPLY = sa.Table(
    "reply",
    TABLES,
    _text("participant", sa.ForeignKey("participant.id"), key=True),
    _text("question", key=True),
    _text("value"),
    sa.Column("at", Utc, nullable=False),
)
TRIAL = sa.Table(
    "trial",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True),
    _text("participant", sa.ForeignKey("participant.id")),
    sa.Column("step", sa.Integer, nullable=False),
    _text("kind"),
    sa.Column("block", sa.Integer, nullable=False),
    _text("left_stimulus", sa.ForeignKey("stimulus.stimulus")),
    # A rating shows one image.
    _text("right_stimulus", sa.ForeignKey("stimulus.stimulus"), null=True),
    _text("expected", null=True),
    _text("token", unique=True),
    _text("left_token", unique=True),
    _text("right_token", null=True, unique=True),
    sa.UniqueConstraint("participant", "step"),
)
# One row a trial, practice included: what makes an answer count once. A vote is the answer to a comparison.
ANSWER = sa.Table(
    "answer",
    TABLES,
    sa.Column("trial", sa.Integer, sa.ForeignKey("trial.id"), primary_key=True, autoincrement=False),
    # One of the two: a comparison has a choice, a rating has a number from 1 to 5.
    _text("choice", null=True),
    sa.Column("rating", sa.Float),
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
    sa.Column("rating", sa.Float),
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
    sa.Index("event_of_participant", "participant"),
)
