"""What participants have given so far, with what is known about the images: the rows that an export hands on."""

from typing import Any

import sqlalchemy as sa

from study.storage.records import RatingRow, VoteRow
from study.storage.tables import ANSWER, PARTICIPANT, REPLY, STIMULUS, TRIAL

_POSITION = (sa.func.row_number().over(partition_by=TRIAL.c.participant, order_by=TRIAL.c.step) - 1).label("position")


class Given:
    """The exporting part of `rows.Rows`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def votes(self) -> list[VoteRow]:
        """Return every answered trial with two images, by participant and position; practice is none."""
        left, right = STIMULUS.alias(), STIMULUS.alias()
        rows = (
            sa.select(
                TRIAL.c.participant,
                PARTICIPANT.c.target_user,
                PARTICIPANT.c.simulated,
                _POSITION,
                TRIAL.c.kind,
                TRIAL.c.block,
                TRIAL.c.expected,
                left.c.prompt,
                TRIAL.c.left_stimulus,
                TRIAL.c.right_stimulus,
                left.c.condition.label("left_condition"),
                right.c.condition.label("right_condition"),
                left.c.target_user.label("left_target"),
                right.c.target_user.label("right_target"),
                ANSWER.c.choice,
                *_how_answered(),
            )
            .join_from(TRIAL, PARTICIPANT, PARTICIPANT.c.id == TRIAL.c.participant)
            .join(left, left.c.stimulus == TRIAL.c.left_stimulus)
            .join(right, right.c.stimulus == TRIAL.c.right_stimulus)
            .outerjoin(ANSWER, ANSWER.c.trial == TRIAL.c.id)
            .where(TRIAL.c.kind.in_(("comparison", "repeat", "catch")))
            .subquery()
        )
        return [VoteRow(**row) for row in self._all(_answered(rows))]

    def ratings(self) -> list[RatingRow]:
        """Return every answered rating, by participant and position; practice is none."""
        rows = (
            sa.select(
                TRIAL.c.participant,
                PARTICIPANT.c.simulated,
                _POSITION,
                TRIAL.c.kind,
                TRIAL.c.left_stimulus.label("image"),
                STIMULUS.c.base_prompt.label("prompt"),
                ANSWER.c.rating,
                *_how_answered(),
            )
            .join_from(TRIAL, PARTICIPANT, PARTICIPANT.c.id == TRIAL.c.participant)
            .join(STIMULUS, STIMULUS.c.stimulus == TRIAL.c.left_stimulus)
            .outerjoin(ANSWER, ANSWER.c.trial == TRIAL.c.id)
            .where(TRIAL.c.kind.in_(("rating", "repeat")), TRIAL.c.right_stimulus.is_(None))
            .subquery()
        )
        return [RatingRow(**row) for row in self._all(_answered(rows))]

    def all_replies(self) -> dict[str, dict[str, str]]:
        """Return what everybody replied, by participant and question."""
        found: dict[str, dict[str, str]] = {}
        for row in self._connection.execute(sa.select(REPLY).order_by(REPLY.c.at, REPLY.c.question)):
            found.setdefault(row.participant, {})[row.question] = row.value
        return found

    def _all(self, query: sa.Select[Any]) -> list[dict[str, Any]]:
        return [dict(row) for row in self._connection.execute(query).mappings()]

    def _first(self, query: sa.Select[Any]) -> dict[str, Any] | None:
        row = self._connection.execute(query).mappings().first()
        return dict(row) if row else None


def _how_answered() -> tuple[sa.Column[Any], ...]:
    return (ANSWER.c.response_ms, ANSWER.c.device, ANSWER.c.blurs, ANSWER.c.viewport, ANSWER.c.answered_at)


def _answered(rows: sa.Subquery) -> sa.Select[Any]:
    # Positions count all trials of the schedule, so they are numbered before the unanswered ones are left out.
    return sa.select(rows).where(rows.c.answered_at.is_not(None)).order_by(rows.c.participant, rows.c.position)
