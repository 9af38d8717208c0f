"""Version 0.2: places instead of numbers, how people came and ended, their replies, blocks, ratings, the study's state."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

# What a [study] of version 0.1, which had none of these keys, means now.
_SINCE_THEN: dict[str, Any] = {
    "language": "en",
    "block": 40,
    "participants": None,
    "hold_minutes": 60,
    "unreviewed": False,
    "seconds_per_trial": 5.0,
    "hourly_pay": None,
    "currency": "GBP",
    "recruitment": {
        "by": "link",
        "id_parameter": None,
        "keep": [],
        "return_to": None,
        "complete": None,
        "screened_out": None,
        "no_consent": None,
        "full": None,
        "keys": None,
        "token_parameter": None,
    },
    "per_participant": None,
    "others": "all",
    "tie": False,
    "catch": 0,
    "repeats": 0,
    "peeking": False,
}


def upgrade() -> None:
    """Change the tables, and carry everything over that is in them."""
    _settle_the_study()
    _give_places()
    _give_blocks()
    _make_room_for_ratings()
    op.create_table(
        "reply",
        sa.Column("participant", sa.Text, sa.ForeignKey("participant.id"), primary_key=True),
        sa.Column("question", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
        _time("at", null=False),
    )
    op.create_index("event_of_participant", "event", ["participant"])


def _settle_the_study() -> None:
    # SQLite's tables are made anew to change them, and a check without a name has to be said again.
    alone = sa.CheckConstraint("id = 1")
    _add("study", sa.Column("kind", sa.Text), "'comparison'", alone)
    _add("study", sa.Column("state", sa.Text), "'open'", alone)
    _add("study", sa.Column("erased", sa.Integer), "0", alone)
    study = sa.table("study", sa.column("settings", sa.JSON))
    held = op.get_bind().scalar(sa.select(study.c.settings))
    if held is not None:
        settings = {"seed": held["seed"], "table": _SINCE_THEN | held["study"], "questions": []}
        op.get_bind().execute(sa.update(study).values(settings=settings))


def _give_places() -> None:
    _add("arrival", sa.Column("panel", sa.JSON), "'{}'")
    with op.batch_alter_table("participant") as participant:
        participant.add_column(sa.Column("slot", sa.Integer))
        participant.add_column(_time("seen_at"))
        participant.add_column(sa.Column("block", sa.Integer))
        participant.add_column(sa.Column("ended", sa.Text))
        participant.add_column(_time("ended_at"))
    # The last sign of life there was. Comparisons had no breaks, so whoever had begun had opened the only block.
    op.execute(
        """
        UPDATE participant SET slot = number, block = CASE WHEN begun_at IS NULL THEN -1 ELSE 0 END,
            ended = CASE WHEN finished_at IS NULL THEN NULL ELSE 'finished' END, ended_at = finished_at,
            seen_at = coalesce(
                (SELECT max(answered_at) FROM answer JOIN trial ON trial.id = answer.trial WHERE trial.participant = participant.id),
                finished_at, begun_at, consented_at)
        """
    )
    with op.batch_alter_table("participant") as participant:
        participant.alter_column("seen_at", existing_type=sa.DateTime(timezone=True), nullable=False)
        participant.alter_column("block", existing_type=sa.Integer, nullable=False)
        participant.alter_column("consented_at", existing_type=sa.DateTime(timezone=True), nullable=True)
        participant.drop_column("number")
        participant.drop_column("finished_at")


def _give_blocks() -> None:
    _add("trial", sa.Column("block", sa.Integer), "0")
    _add("trial", sa.Column("expected", sa.Text))
    with op.batch_alter_table("trial") as trial:
        trial.alter_column("right_stimulus", existing_type=sa.Text, nullable=True)
        trial.alter_column("right_token", existing_type=sa.Text, nullable=True)


def _make_room_for_ratings() -> None:
    for table in ("answer", "attempt"):
        _add(table, sa.Column("rating", sa.Float))
    with op.batch_alter_table("answer") as answer:
        answer.alter_column("choice", existing_type=sa.Text, nullable=True)


def _add(table: str, column: sa.Column[Any], value: str | None = None, *checks: sa.CheckConstraint) -> None:
    """Add a column that may be empty, or one that may not and holds the SQL `value` in all rows so far."""
    op.add_column(table, column)
    if value is not None:
        op.execute(f"UPDATE {table} SET {column.name} = {value}")
        with op.batch_alter_table(table, table_args=checks) as batch:
            batch.alter_column(column.name, existing_type=column.type, nullable=False)


def _time(name: str, *, null: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=null)
