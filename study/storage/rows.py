"""What a running study asks of its tables and writes to them, all of it here, in `counting` and in `given`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from study.design.trial import Trial
from study.storage.counting import Counting
from study.storage.locking import exclusive, without_participants
from study.storage.records import (
    Answer,
    Ended,
    ImageRow,
    ParticipantRow,
    Sent,
    State,
    StimulusRow,
    StudyRow,
    TrialRow,
    Whereabouts,
)
from study.storage.tables import ANSWER, ARRIVAL, ATTEMPT, EVENT, IMAGE, PARTICIPANT, REPLY, STIMULUS, STUDY, TABLES, TRIAL

# --- The statements of every answer are built once ---

_who = sa.bindparam("who", type_=sa.Text)
_answered = (
    sa.select(sa.func.count())
    .select_from(sa.join(TRIAL, ANSWER, ANSWER.c.trial == TRIAL.c.id))
    .where(TRIAL.c.participant == _who)
    .scalar_subquery()
)
_laid = sa.select(sa.func.count()).where(TRIAL.c.participant == _who).scalar_subquery()
_practice = sa.select(sa.func.count()).where(TRIAL.c.participant == _who, TRIAL.c.kind == "practice").scalar_subquery()
_WHEREABOUTS = (
    sa.select(STUDY.c.state, _answered.label("answered"), _laid.label("laid"), _practice.label("practice"), *PARTICIPANT.c)
    .select_from(STUDY)
    .outerjoin(PARTICIPANT, PARTICIPANT.c.id == _who)
)
_AROUND = (
    sa.select(TRIAL, STIMULUS.c.base_prompt, IMAGE.c.width, IMAGE.c.height, ANSWER.c.device)
    .join_from(TRIAL, STIMULUS, STIMULUS.c.stimulus == TRIAL.c.left_stimulus)
    .join(IMAGE, IMAGE.c.sha256 == STIMULUS.c.image_sha256)
    .outerjoin(ANSWER, ANSWER.c.trial == TRIAL.c.id)
    .where(TRIAL.c.participant == _who, TRIAL.c.step >= sa.bindparam("first"), TRIAL.c.step <= sa.bindparam("last"))
    .order_by(TRIAL.c.step)
)
_SEEN = (
    sa.update(PARTICIPANT).where(PARTICIPANT.c.id == _who).values(seen_at=sa.bindparam("now", type_=PARTICIPANT.c.seen_at.type))
).returning(*PARTICIPANT.c)
_SENT = (
    sa.select(
        TRIAL.c.id,
        TRIAL.c.step,
        TRIAL.c.kind,
        TRIAL.c.block,
        ANSWER.c.trial.is_not(None).label("is_answered"),
        _answered.label("answered"),
        _laid.label("laid"),
    )
    .outerjoin_from(TRIAL, ANSWER, ANSWER.c.trial == TRIAL.c.id)
    .where(TRIAL.c.token == sa.bindparam("token"), TRIAL.c.participant == _who)
)
_IMAGE = sa.union_all(
    *(
        sa.select(IMAGE.c.content)
        .select_from(TRIAL)
        .join(PARTICIPANT, PARTICIPANT.c.id == TRIAL.c.participant)
        .join(STIMULUS, STIMULUS.c.stimulus == stimulus)
        .join(IMAGE, IMAGE.c.sha256 == STIMULUS.c.image_sha256)
        .join(STUDY, STUDY.c.state != "closed")
        .where(address == sa.bindparam("token"), PARTICIPANT.c.ended.is_(None))
        for address, stimulus in ((TRIAL.c.left_token, TRIAL.c.left_stimulus), (TRIAL.c.right_token, TRIAL.c.right_stimulus))
    )
)


class Rows(Counting):
    """Everything that can be asked of the tables, and written to them, within one transaction."""

    # --- The study ---

    def study(self) -> StudyRow | None:
        """Return what the study is, None before it is laid out."""
        row = self._first(sa.select(*(column for column in STUDY.c if column.name != "id")))
        return StudyRow(**row) if row else None

    def hold_answers(self) -> None:
        """Let no participant store anything before this transaction ends."""
        without_participants(self._connection)

    def lay_out(self, study: StudyRow, images: Sequence[ImageRow], stimuli: Sequence[StimulusRow]) -> None:
        """Write a new study; whatever was in the tables before is gone."""
        for table in reversed(TABLES.sorted_tables):
            self._connection.execute(sa.delete(table))
        self._connection.execute(sa.insert(STUDY).values(id=1, **asdict(study)))
        for image in images:
            self._connection.execute(sa.insert(IMAGE), asdict(image))
        self._connection.execute(sa.insert(STIMULUS), [asdict(stimulus) for stimulus in stimuli])

    def set_settings(self, settings: Mapping[str, Any]) -> None:
        """Replace the settings of the study."""
        self._connection.execute(sa.update(STUDY).values(settings=dict(settings)))

    def set_state(self, state: State, *, instead_of: State | None = None) -> bool:
        """Bring the study into a state, and return whether it was as `instead_of` says (None: however it was)."""
        update = sa.update(STUDY).values(state=state).returning(STUDY.c.id)
        return self._connection.scalar(update if instead_of is None else update.where(STUDY.c.state == instead_of)) is not None

    def stimuli(self) -> list[StimulusRow]:
        """Return all stimuli, ordered by id."""
        return [StimulusRow(**row) for row in self._all(sa.select(STIMULUS).order_by(STIMULUS.c.stimulus))]

    def is_target_user(self, participant: str) -> bool:
        """Return whether some stimulus was made for this id."""
        query = sa.select(STIMULUS.c.stimulus).where(STIMULUS.c.target_user == participant).limit(1)
        return self._connection.scalar(query) is not None

    # --- Arrivals and participants ---

    def add_arrival(self, key: str, participant: str, panel: Mapping[str, str], at: datetime) -> None:
        """Remember whom a browser's key stands for, and what the panel said of them."""
        self._connection.execute(sa.insert(ARRIVAL).values(key=key, participant=participant, panel=dict(panel), at=at))

    def arrived(self, key: str) -> str | None:
        """Return the participant id that a browser's key stands for."""
        return self._connection.scalar(sa.select(ARRIVAL.c.participant).where(ARRIVAL.c.key == key))

    def people(self) -> list[ParticipantRow]:
        """Return all participants, by id."""
        return [ParticipantRow(**row) for row in self._all(sa.select(PARTICIPANT).order_by(PARTICIPANT.c.id))]

    def seen(self, participant: str, at: datetime) -> ParticipantRow | None:
        """Note a sign of life and return the participant, whom no other transaction changes until this one ends."""
        row = self._connection.execute(_SEEN, {"who": participant, "now": at}).mappings().first()
        return ParticipantRow(**row) if row else None

    def enrol(self, participant: ParticipantRow) -> bool:
        """Add a participant, and return whether they are new; a known one stays as they are."""
        insert = self._insert(PARTICIPANT).values(asdict(participant)).on_conflict_do_nothing().returning(PARTICIPANT.c.id)
        return self._connection.scalar(insert) is not None

    def end(self, participant: str, ended: Ended, at: datetime) -> None:
        """End the participant's way, once for ever. Their images are served no longer."""
        update = sa.update(PARTICIPANT).where(PARTICIPANT.c.id == participant, PARTICIPANT.c.ended.is_(None))
        self._connection.execute(update.values(ended=ended, ended_at=at))
        self.add_event(participant, ended, at)

    def open_block(self, participant: str, block: int) -> None:
        """Note that the participant's rest before a block is over."""
        update = sa.update(PARTICIPANT).where(PARTICIPANT.c.id == participant, PARTICIPANT.c.block < block)
        self._connection.execute(update.values(block=block))

    def add_event(self, participant: str, what: str, at: datetime) -> None:
        """Append to the participant's history."""
        self._connection.execute(sa.insert(EVENT).values(participant=participant, what=what, at=at))

    def count_events(self, participant: str) -> int:
        """Return how long the participant's history is."""
        return self._connection.scalar(sa.select(sa.func.count()).where(EVENT.c.participant == participant)) or 0

    # --- Questions ---

    def replies(self, participant: str) -> dict[str, str]:
        """Return what the participant replied, by question."""
        query = sa.select(REPLY.c.question, REPLY.c.value).where(REPLY.c.participant == participant)
        return {row.question: row.value for row in self._connection.execute(query)}

    def add_reply(self, participant: str, question: str, value: str, at: datetime) -> bool:
        """Store a reply, and return whether it is the first to the question; a later one changes nothing."""
        values = {"participant": participant, "question": question, "value": value, "at": at}
        return self._connection.scalar(self._insert(REPLY).values(values).on_conflict_do_nothing().returning(REPLY.c.question)) is not None

    def replied(self, question: str, value: str, *, since: datetime) -> int:
        """Return how many people who hold a place replied so."""
        query = (
            sa.select(sa.func.count())
            .join_from(REPLY, PARTICIPANT, PARTICIPANT.c.id == REPLY.c.participant)
            .where(REPLY.c.question == question, REPLY.c.value == value, _holds_a_place(since))
        )
        return self._connection.scalar(query) or 0

    # --- Places in the schedule ---

    def hold_places(self) -> None:
        """Let nobody else choose a place before this transaction ends; SQLite has one writer at a time anyway."""
        exclusive(self._connection)

    def taken_slots(self, *, since: datetime) -> set[int]:
        """Return the places of those who finished, and of those who gave a sign of life `since` then."""
        return set(self._connection.scalars(sa.select(PARTICIPANT.c.slot).where(_holds_a_place(since))))

    def take_slot(self, participant: str, slot: int) -> None:
        """Give the participant a place in the schedule, for good."""
        update = sa.update(PARTICIPANT).where(PARTICIPANT.c.id == participant, PARTICIPANT.c.slot.is_(None))
        self._connection.execute(update.values(slot=slot))

    def begin(self, participant: str, at: datetime) -> bool:
        """Note when the participant began, and return whether this was the first time, which stays."""
        update = sa.update(PARTICIPANT).where(PARTICIPANT.c.id == participant, PARTICIPANT.c.begun_at.is_(None))
        return self._connection.scalar(update.values(begun_at=at).returning(PARTICIPANT.c.id)) is not None

    # --- Trials and answers ---

    def lay_trials(self, participant: str, trials: Sequence[tuple[Trial, Mapping[str, str | None]]], *, first: int = 0) -> None:
        """Append trials from step `first` on, each with its tokens; a step that is there already stays."""
        shown = [
            {
                "participant": participant,
                "step": step,
                "kind": trial.kind,
                "block": trial.block,
                "left_stimulus": trial.left,
                "right_stimulus": trial.right,
                "expected": trial.expected,
                **tokens,
            }
            for step, (trial, tokens) in enumerate(trials, start=first)
        ]
        if shown:
            self._connection.execute(self._insert(TRIAL).on_conflict_do_nothing(), shown)

    def whereabouts(self, participant: str) -> Whereabouts:
        """Return how far an id is in the study, which must be laid out."""
        row = dict(self._connection.execute(_WHEREABOUTS, {"who": participant}).mappings().one())
        counts = {name: row.pop(name) for name in ("state", "answered", "laid", "practice")}
        return Whereabouts(participant=ParticipantRow(**row) if row["id"] else None, **counts)

    def around(self, participant: str, step: int) -> tuple[list[TrialRow], str | None]:
        """Return the trials at `step` and after it, where there are such, and the device of the answer before."""
        rows = self._connection.execute(_AROUND, {"who": participant, "first": step - 1, "last": step + 1}).mappings().all()
        devices = {row["step"]: row["device"] for row in rows}
        trials = [TrialRow(**{name: value for name, value in row.items() if name != "device"}) for row in rows if row["step"] >= step]
        return trials, devices.get(step - 1)

    def sent(self, participant: str, token: str) -> Sent | None:
        """Return what an answer's token stands for, None where it is not this participant's."""
        row = self._connection.execute(_SENT, {"who": participant, "token": token}).mappings().first()
        return Sent(**row) if row else None

    def add_answer(self, trial: int, answer: Answer, at: datetime) -> bool:
        """Store the answer of a trial, and return whether it is the first one; a later one changes nothing."""
        values = asdict(answer) | {"trial": trial, "choice": answer.choice or None, "answered_at": at}
        del values["token"]
        # What comes back tells: psycopg's rowcount is -1 here.
        return self._connection.scalar(self._insert(ANSWER).on_conflict_do_nothing().returning(ANSWER.c.trial), values) is not None

    def add_attempt(self, participant: str, answer: Answer, outcome: str, at: datetime) -> None:
        """Append to the audit: what arrived, and what became of it. Who is no participant (any more) stays nameless."""
        # A page that is still open goes on sending after its participant was erased, and must not bring the id back.
        known = sa.select(sa.func.coalesce(sa.func.max(PARTICIPANT.c.id), "")).where(PARTICIPANT.c.id == participant).scalar_subquery()
        values = {"token": answer.token, "choice": answer.choice, "rating": answer.rating, "response_ms": answer.response_ms}
        self._connection.execute(sa.insert(ATTEMPT).values(participant=known, outcome=outcome, at=at, **values))

    def rated(self, participant: str) -> dict[str, float]:
        """Return the participant's first rating of each image; practice does not count."""
        query = (
            sa.select(TRIAL.c.left_stimulus, ANSWER.c.rating)
            .join_from(TRIAL, ANSWER, ANSWER.c.trial == TRIAL.c.id)
            .where(TRIAL.c.participant == participant, TRIAL.c.kind == "rating")
        )
        return {row.left_stimulus: row.rating for row in self._connection.execute(query)}

    def shown(self, participant: str, *, kinds: Collection[str]) -> list[str]:
        """Return the left or only image of each of the participant's trials of these kinds, in order."""
        query = sa.select(TRIAL.c.left_stimulus).where(TRIAL.c.participant == participant, TRIAL.c.kind.in_(kinds))
        return list(self._connection.scalars(query.order_by(TRIAL.c.step)))

    def image(self, token: str) -> bytes | None:
        """Return the image at an address, None where nobody who is on their way has that address, or the study is closed."""
        return self._connection.scalar(_IMAGE, {"token": token})

    def _insert(self, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
        # Both databases know "insert, or leave what is there", each in its own dialect.
        return postgresql.insert(table) if self._connection.dialect.name == "postgresql" else sqlite.insert(table)


def _holds_a_place(since: datetime) -> sa.ColumnElement[bool]:
    on_their_way = sa.and_(PARTICIPANT.c.ended.is_(None), PARTICIPANT.c.seen_at >= since)
    return sa.and_(PARTICIPANT.c.slot.is_not(None), sa.or_(PARTICIPANT.c.ended == "finished", on_their_way))
