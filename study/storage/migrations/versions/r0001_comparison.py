"""The tables of version 0.1: a comparison of pairs, in SQLite."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    _make_the_study()
    _make_the_participants()
    _make_the_answers()
    _make_the_histories()


def _make_the_study() -> None:
    op.create_table(
        "study",
        sa.Column("id", sa.Integer, sa.CheckConstraint("id = 1"), primary_key=True),
        sa.Column("settings", sa.JSON, nullable=False),
        sa.Column("stimuli_sha256", sa.Text, nullable=False),
        _time("created_at"),
    )
    op.create_table(
        "image",
        sa.Column("sha256", sa.Text, primary_key=True),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "stimulus",
        sa.Column("stimulus", sa.Text, primary_key=True),
        sa.Column("prompt", sa.Text, nullable=False),
        sa.Column("base_prompt", sa.Text, nullable=False),
        sa.Column("condition", sa.Text, nullable=False),
        sa.Column("target_user", sa.Text),
        sa.Column("run", sa.Integer, nullable=False),
        sa.Column("image_sha256", sa.Text, sa.ForeignKey("image.sha256"), nullable=False),
    )


def _make_the_participants() -> None:
    op.create_table(
        "arrival",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("participant", sa.Text, nullable=False),
        _time("at"),
    )
    op.create_table(
        "participant",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False, unique=True),
        sa.Column("target_user", sa.Text),
        sa.Column("simulated", sa.Boolean, nullable=False),
        _time("consented_at"),
        _time("begun_at", null=True),
        _time("finished_at", null=True),
    )


def _make_the_answers() -> None:
    op.create_table(
        "trial",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("participant", sa.Text, sa.ForeignKey("participant.id"), nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("left_stimulus", sa.Text, sa.ForeignKey("stimulus.stimulus"), nullable=False),
        sa.Column("right_stimulus", sa.Text, sa.ForeignKey("stimulus.stimulus"), nullable=False),
        sa.Column("token", sa.Text, nullable=False, unique=True),
        sa.Column("left_token", sa.Text, nullable=False, unique=True),
        sa.Column("right_token", sa.Text, nullable=False, unique=True),
        sa.UniqueConstraint("participant", "step"),
    )
    op.create_table(
        "answer",
        sa.Column("trial", sa.Integer, sa.ForeignKey("trial.id"), primary_key=True, autoincrement=False),
        sa.Column("choice", sa.Text, nullable=False),
        sa.Column("response_ms", sa.Float, nullable=False),
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("blurs", sa.Integer, nullable=False),
        sa.Column("ignored", sa.Integer, nullable=False),
        sa.Column("viewport", sa.Text, nullable=False),
        _time("answered_at"),
    )


def _make_the_histories() -> None:
    op.create_table(
        "attempt",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("participant", sa.Text, nullable=False),
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("choice", sa.Text, nullable=False),
        sa.Column("response_ms", sa.Float, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        _time("at"),
    )
    op.create_table(
        "event",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("participant", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        _time("at"),
    )


def _time(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=null)
