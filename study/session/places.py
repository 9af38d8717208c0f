"""Places in the study: each is held for one participant, and comes back when they drop out before the end."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from study.config import Procedure, Question
from study.design.slots import free_slot
from study.storage.rows import Rows


def reserve(rows: Rows, participant: str, table: Procedure, questions: Sequence[Question], at: datetime) -> None:
    """Give the participant the lowest free place, or end their way where there is none; nobody else chooses meanwhile.

    A place is free again `hold_minutes` after the last sign of life of somebody who has not finished. Whoever comes back later
    than that keeps their schedule and their answers and goes on, even if the place was given away meanwhile: then two people
    have the same schedule, and the study may end with one participant more than it has places.
    """
    rows.hold_places()
    slot = None
    if have_room(rows, rows.replies(participant), table, questions, at):
        slot = free_slot(rows.taken_slots(since=_since(table, at)), participants=table.participants)
    if slot is None:
        rows.end(participant, "full", at)
    else:
        rows.take_slot(participant, slot)


def have_room(rows: Rows, replies: Mapping[str, str], table: Procedure, questions: Sequence[Question], at: datetime) -> bool:
    """Return whether every quota that these replies (by question) fall under has room for one more.

    A quota counts those who have finished, and those who hold a place and are on their way.
    """
    since = _since(table, at)
    quotas = [(question.id, replies[question.id], question.quota) for question in questions if question.id in replies]
    return all(value not in quota or rows.replied(question, value, since=since) < quota[value] for question, value, quota in quotas)


def _since(table: Procedure, at: datetime) -> datetime:
    return at - timedelta(minutes=table.hold_minutes)
