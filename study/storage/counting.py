"""What can be counted in a study while it runs; it reads and never writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from study.design.trial import Kind
from study.storage.given import Given
from study.storage.records import ParticipantRow, Standing
from study.storage.tables import ANSWER, ARRIVAL, ATTEMPT, PARTICIPANT, STIMULUS, TRIAL

_HOUR = 3600
_AFTER_PRACTICE = TRIAL.c.kind != "practice"


@dataclass(frozen=True)
class Manner:
    """How one participant answered, whatever they chose: counts over their answers after practice.

    `fast` answers came sooner than the time asked about; `one_side` is the larger number of answers given to one side of
    comparisons; `blurs` counts how often they left the page, `ignored` clicks and keys that came too early or twice.
    """

    participant: str
    answers: int
    fast: int
    catches: int
    catches_failed: int
    comparisons: int
    one_side: int
    blurs: int
    ignored: int


@dataclass(frozen=True)
class Covered:
    """How often two arms stood beside each other: `planned` in the schedules so far, `answered` of these. No outcome is in it.

    An arm is named as the report names it (`design.pairs.names_seen`): a condition, or "own" and "others" where images were made for
    one person each, with the condition in brackets where there are several such. In a rating study `one` is
    the image and `other` is empty.
    """

    one: str
    other: str
    planned: int
    answered: int


@dataclass(frozen=True)
class Won:
    """How often `winner` was chosen and `loser` was not; of a tie both names are in order and `tie` is true."""

    winner: str
    loser: str
    tie: bool
    votes: int


class Counting(Given):
    """The counting part of `rows.Rows`."""

    # --- Who is where ---

    def standings(self) -> list[Standing]:
        """Return how far each participant is, in the order of their places; whoever has none comes last."""
        counts = (
            sa.select(TRIAL.c.participant, sa.func.count(ANSWER.c.trial).label("answered"), sa.func.count().label("trials"))
            .join_from(TRIAL, ANSWER, isouter=True)
            .where(_AFTER_PRACTICE)
            .group_by(TRIAL.c.participant)
        )
        done, replies = {row["participant"]: row for row in self._all(counts)}, self.all_replies()
        nothing = {"answered": 0, "trials": 0}
        return [
            Standing(person, found["answered"], found["trials"], replies.get(person.id, {}))
            for person in self._people()
            for found in [done.get(person.id, nothing)]
        ]

    def due(self) -> dict[str, tuple[Kind, int]]:
        """Return of each participant with a trial to come its kind and its block."""
        coming = (
            sa.select(TRIAL.c.participant, sa.func.min(TRIAL.c.step).label("step"))
            .join_from(TRIAL, ANSWER, isouter=True)
            .where(ANSWER.c.trial.is_(None))
            .group_by(TRIAL.c.participant)
            .subquery()
        )
        is_next = sa.and_(TRIAL.c.participant == coming.c.participant, TRIAL.c.step == coming.c.step)
        rows = self._connection.execute(sa.select(TRIAL.c.participant, TRIAL.c.kind, TRIAL.c.block).join_from(TRIAL, coming, is_next))
        return {participant: (kind, block) for participant, kind, block in rows}

    def strangers(self) -> int:
        """Return how many opened their link and neither gave nor refused consent; a link preview counts as one."""
        known = sa.select(PARTICIPANT.c.id)
        query = sa.select(sa.func.count(ARRIVAL.c.participant.distinct())).where(ARRIVAL.c.participant.not_in(known))
        return self._connection.scalar(query) or 0

    def panels(self) -> dict[str, dict[str, str]]:
        """Return what the panel said of each participant whom one sent, by their id in the study."""
        rows = self._all(sa.select(ARRIVAL.c.participant, ARRIVAL.c.panel).order_by(ARRIVAL.c.at))
        return {row["participant"]: row["panel"] for row in rows if row["panel"]}

    def outcomes(self) -> dict[str, int]:
        """Return how many answers arrived, by what became of them."""
        return self._numbers(sa.select(ATTEMPT.c.outcome, sa.func.count()).group_by(ATTEMPT.c.outcome))

    # --- Answers, whatever was chosen ---

    def count_votes(self) -> int:
        """Return how many trials are answered; practice does not count."""
        return self._connection.scalar(sa.select(sa.func.count()).select_from(ANSWER).join(TRIAL).where(_AFTER_PRACTICE)) or 0

    def sides(self) -> dict[str, int]:
        """Return how many comparisons were answered "left", "right" and "tie"; repeats and catch trials are left out."""
        query = sa.select(ANSWER.c.choice, sa.func.count()).join_from(ANSWER, TRIAL).where(TRIAL.c.kind == "comparison")
        return self._numbers(query.group_by(ANSWER.c.choice))

    def answers_by_hour(self) -> dict[datetime, int]:
        """Return how many answers after practice came in each hour (UTC) in which one came."""
        hour = sa.cast(sa.extract("epoch", ANSWER.c.answered_at), sa.Integer) // _HOUR
        return {datetime.fromtimestamp(int(number) * _HOUR, UTC): answers for number, answers in sorted(self._answers_by(hour).items())}

    def response_times(self, edges_ms: Sequence[float]) -> list[int]:
        """Return how many answers after practice took at least each edge and less than the next; the last has no upper end."""
        steps = [(ANSWER.c.response_ms < edge, number) for number, edge in enumerate(edges_ms[1:])]
        found = self._answers_by(sa.case(*steps, else_=len(edges_ms) - 1))
        return [found.get(number, 0) for number in range(len(edges_ms))]

    def median_ms(self) -> float | None:
        """Return the time that half of the answers after practice stayed below, in milliseconds; None before the first."""
        middle = (self.count_votes() - 1) // 2
        query = sa.select(ANSWER.c.response_ms).select_from(ANSWER).join(TRIAL).where(_AFTER_PRACTICE)
        return self._connection.scalar(query.order_by(ANSWER.c.response_ms).offset(max(0, middle)).limit(1))

    def manners(self, *, fast_ms: float) -> list[Manner]:
        """Return how each participant with an answer after practice answered, by their id."""
        catch, comparison = TRIAL.c.kind == "catch", TRIAL.c.kind == "comparison"
        left, right = (_times(sa.and_(comparison, ANSWER.c.choice == side)) for side in ("left", "right"))
        query = (
            sa.select(
                TRIAL.c.participant,
                sa.func.count().label("answers"),
                _times(ANSWER.c.response_ms < fast_ms).label("fast"),
                _times(catch).label("catches"),
                _times(sa.and_(catch, ANSWER.c.choice != TRIAL.c.expected)).label("catches_failed"),
                _times(comparison).label("comparisons"),
                sa.case((left > right, left), else_=right).label("one_side"),
                sa.func.sum(ANSWER.c.blurs).label("blurs"),
                sa.func.sum(ANSWER.c.ignored).label("ignored"),
            )
            .join_from(ANSWER, TRIAL)
            .where(_AFTER_PRACTICE)
            .group_by(TRIAL.c.participant)
            .order_by(TRIAL.c.participant)
        )
        return [Manner(**row) for row in self._all(query)]

    def coverage(self) -> list[Covered]:
        """Return how often each two arms are in a schedule and answered (a rating study: each image), with no outcome."""
        left, right, trials = _arms(several=self._several())
        one = sa.case((right < left, right), else_=left)
        other = sa.case((right.is_(None), ""), (right < left, left), else_=right)
        shown = (
            sa.select(one.label("one"), other.label("other"), ANSWER.c.trial)
            .select_from(trials)
            .where(TRIAL.c.kind.in_(("comparison", "rating")))
        )
        pairs = shown.subquery()
        planned, answered = sa.func.count().label("planned"), sa.func.count(pairs.c.trial).label("answered")
        query = sa.select(pairs.c.one, pairs.c.other, planned, answered).group_by(pairs.c.one, pairs.c.other)
        return [Covered(**row) for row in self._all(query.order_by(pairs.c.one, pairs.c.other))]

    # --- Outcomes: nobody may see these while people still vote, unless the plan says so ---

    def wins(self) -> list[Won]:
        """Return how often each arm was chosen over each other; ties once, under both names in order.

        The only count that tells which condition is ahead: whoever calls it while the study is open is peeking.
        """
        left, right, trials = _arms(several=self._several())
        tie, chose_left = ANSWER.c.choice == "tie", ANSWER.c.choice == "left"
        winner = sa.case((sa.or_(chose_left, sa.and_(tie, left <= right)), left), else_=right)
        loser = sa.case((sa.or_(chose_left, sa.and_(tie, left <= right)), right), else_=left)
        counted = sa.select(winner.label("winner"), loser.label("loser"), tie.label("tie"))
        rows = counted.select_from(trials).where(TRIAL.c.kind == "comparison", ANSWER.c.choice.is_not(None)).subquery()
        columns = (rows.c.winner, rows.c.loser, rows.c.tie)
        query = sa.select(*columns, sa.func.count().label("votes")).group_by(*columns).order_by(*columns)
        return [Won(**row | {"tie": bool(row["tie"])}) for row in self._all(query)]

    # --- The database itself ---

    def system(self) -> str:
        """Return which kind of database it is, as a person would say it."""
        return "PostgreSQL server" if self._connection.dialect.name == "postgresql" else "SQLite file"

    def size_bytes(self) -> int:
        """Return how large the database is, in bytes."""
        if self._connection.dialect.name == "postgresql":
            return int(self._connection.scalar(sa.text("SELECT pg_database_size(current_database())")) or 0)
        pages, page = (self._connection.scalar(sa.text(f"PRAGMA {name}")) or 0 for name in ("page_count", "page_size"))
        return int(pages * page)

    # --- Within ---

    def _several(self) -> bool:
        """Return whether more than one condition has images made for one person each."""
        query = sa.select(sa.func.count(sa.distinct(STIMULUS.c.condition))).where(STIMULUS.c.target_user.is_not(None))
        return int(self._connection.scalar(query) or 0) > 1

    def _people(self) -> list[ParticipantRow]:
        ordered = sa.select(PARTICIPANT).order_by(PARTICIPANT.c.slot.is_(None), PARTICIPANT.c.slot, PARTICIPANT.c.seen_at, PARTICIPANT.c.id)
        return [ParticipantRow(**row) for row in self._all(ordered)]

    def _answers_by(self, value: sa.ColumnElement[Any]) -> dict[Any, int]:
        # Grouped outside: PostgreSQL takes two expressions with bound values for different ones.
        rows = sa.select(value.label("value")).select_from(ANSWER).join(TRIAL).where(_AFTER_PRACTICE).subquery()
        return self._numbers(sa.select(rows.c.value, sa.func.count()).group_by(rows.c.value))

    def _numbers(self, query: sa.Select[Any]) -> dict[Any, int]:
        return {key: count for key, count in self._connection.execute(query)}  # noqa: C416 - rows are no pairs to dict()


def _times(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    """Return how many rows of a group meet the condition."""
    return sa.func.sum(sa.case((condition, 1), else_=0))


def _arms(*, several: bool) -> tuple[sa.ColumnElement[str], sa.ColumnElement[str], sa.FromClause]:
    """Return the arm on the left, the arm on the right (null where one image is shown), and the tables to select them from."""
    left, right = STIMULUS.alias(), STIMULUS.alias()
    trials = (
        TRIAL.join(PARTICIPANT)
        .join(left, left.c.stimulus == TRIAL.c.left_stimulus)
        .outerjoin(right, right.c.stimulus == TRIAL.c.right_stimulus)
        .outerjoin(ANSWER)
    )
    return _arm(left, several=several), _arm(right, several=several), trials


def _arm(stimulus: Any, *, several: bool) -> sa.ColumnElement[str]:
    # Of a rating study's images no condition is known, so the image stands for itself.
    name = sa.case((stimulus.c.condition == "", stimulus.c.stimulus), else_=stimulus.c.condition)
    is_own = stimulus.c.target_user == PARTICIPANT.c.target_user
    own, others = ("own (" + name + ")", "others (" + name + ")") if several else (sa.literal("own"), sa.literal("others"))
    return sa.case((stimulus.c.target_user.is_(None), name), (is_own, own), else_=others)
