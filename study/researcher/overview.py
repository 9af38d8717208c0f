"""What the researcher's page shows of a running study, as numbers: who is where, and how people answer, never what wins."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from scipy.special import betaincinv

from study.design.trial import Kind
from study.researcher.switching import peeking_of
from study.storage.counting import Covered, Manner, Won
from study.storage.records import Standing, State, StudyKind
from study.storage.rows import Rows
from study.storage.stages import STAGES, Places, inside, places_of, stage_of

FAST_MS = 1000.0
EDGES_MS = (0, 500, 750, 1000, 1500, 2000, 3000, 4000, 6000, 8000, 12000, 20000, 30000, 60000)
_HOURS = 48
_POSITIONS = 10
# What a flag takes: enough answers that it is no accident, and a share that few attentive people reach.
_ENOUGH, _FAST_SHARE, _SIDE_SHARE, _MANY_BLURS = 10, 0.2, 0.9, 10


@dataclass(frozen=True)
class Sides:
    """How often comparisons were answered left, right and with a tie; `share` of left among the first two, with its 95 % interval."""

    left: int
    right: int
    ties: int
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Person:
    """One participant's line: where they are, how far, and what to look at in how they answer (empty: nothing)."""

    participant: str
    simulated: bool
    stage: str
    answered: int
    trials: int
    last_seen: datetime
    manner: Manner | None
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Overview:
    """All that the page shows. `wins` is None wherever outcomes by condition may not be seen.

    `hours` are answers an hour over the last two days, oldest first; `times` are answers by `EDGES_MS`; `left_at` counts those
    who dropped out in the trials by the tenth of their way that they had come.
    """

    kind: StudyKind
    state: State
    peeking: bool
    at: datetime
    stages: dict[str, int]
    simulated: int
    erased: int
    places: Places
    answers: int
    hours: tuple[tuple[datetime, int], ...]
    sides: Sides | None
    times: tuple[int, ...]
    median_ms: float | None
    left_at: tuple[int, ...]
    people: tuple[Person, ...]
    outcomes: dict[str, int]
    coverage: tuple[Covered, ...]
    wins: tuple[Won, ...] | None
    database: str
    size_bytes: int

    @property
    def inside(self) -> int:
        """How many are inside, whom closing for good would stop."""
        return inside(person.stage for person in self.people)


def may_show_outcomes(state: State, *, peeking: bool) -> bool:
    """Return whether outcomes by condition may be seen: the study is closed, or its plan said before that they may."""
    return state == "closed" or peeking


def look(rows: Rows, *, at: datetime) -> Overview | None:
    """Return what the page shows at this time, all from one view of the tables; None where no study is laid out."""
    study = rows.study()
    if study is None:
        return None
    table = study.settings["table"]
    hold = timedelta(minutes=table["hold_minutes"])
    peeking = peeking_of(study)
    standings = rows.standings()
    people = _people(standings, rows.due(), {each.participant: each for each in rows.manners(fast_ms=FAST_MS)}, since=at - hold)
    stages = Counter(person.stage for person in people)
    stages["opened the link"] = rows.strangers()
    return Overview(
        kind=study.kind,
        state=study.state,
        peeking=peeking,
        at=at,
        stages={stage: stages[stage] for stage in STAGES},
        simulated=sum(person.simulated for person in people),
        erased=study.erased,
        places=places_of(standings, limit=table["participants"], since=at - hold),
        answers=rows.count_votes(),
        hours=_hours(rows.answers_by_hour(), at=at),
        sides=sides_of(rows.sides()),
        times=tuple(rows.response_times(EDGES_MS)),
        median_ms=rows.median_ms(),
        left_at=_left_at(people),
        people=people,
        outcomes=rows.outcomes(),
        coverage=tuple(rows.coverage()),
        wins=tuple(rows.wins()) if study.kind == "comparison" and may_show_outcomes(study.state, peeking=peeking) else None,
        database=rows.system(),
        size_bytes=rows.size_bytes(),
    )


def sides_of(counts: Mapping[str, int]) -> Sides | None:
    """Return the balance of left and right with the exact interval of Clopper and Pearson (1934); None before the first choice."""
    left, right = counts.get("left", 0), counts.get("right", 0)
    if left + right == 0:
        return None
    low = float(betaincinv(left, right + 1, 0.025)) if left else 0.0
    high = float(betaincinv(left + 1, right, 0.975)) if right else 1.0
    return Sides(left, right, counts.get("tie", 0), left / (left + right), low, high)


def flags_of(manner: Manner) -> tuple[str, ...]:
    """Return in words what is unusual in how somebody answers; it does not say why, and drops nobody."""
    found = []
    if manner.catches_failed:
        found.append(f"failed {manner.catches_failed} of {manner.catches} catch trials")
    if manner.answers >= _ENOUGH and manner.fast > _FAST_SHARE * manner.answers:
        found.append(f"{100 * manner.fast / manner.answers:.0f} % of answers within {FAST_MS / 1000:g} s")
    if manner.comparisons >= _ENOUGH and manner.one_side > _SIDE_SHARE * manner.comparisons:
        found.append(f"{100 * manner.one_side / manner.comparisons:.0f} % of choices on one side")
    if manner.blurs >= _MANY_BLURS:
        found.append(f"left the page {manner.blurs} times")
    return tuple(found)


def _people(
    standings: Sequence[Standing], due: Mapping[str, tuple[Kind, int]], manners: Mapping[str, Manner], *, since: datetime
) -> tuple[Person, ...]:
    return tuple(
        Person(
            participant=each.participant.id,
            simulated=each.participant.simulated,
            stage=stage_of(each, due.get(each.participant.id), since=since),
            answered=each.answered,
            trials=each.trials,
            last_seen=each.participant.seen_at,
            manner=manners.get(each.participant.id),
            flags=flags_of(manners[each.participant.id]) if each.participant.id in manners else (),
        )
        for each in standings
    )


def _hours(counts: Mapping[datetime, int], *, at: datetime) -> tuple[tuple[datetime, int], ...]:
    latest = at.replace(minute=0, second=0, microsecond=0)
    hours = [latest - timedelta(hours=back) for back in reversed(range(_HOURS))]
    return tuple((hour, counts.get(hour, 0)) for hour in hours)


def _left_at(people: Sequence[Person]) -> tuple[int, ...]:
    left = [person for person in people if person.stage == "dropped out" and person.trials]
    found = Counter(min(_POSITIONS - 1, _POSITIONS * person.answered // person.trials) for person in left)
    return tuple(found[tenth] for tenth in range(_POSITIONS))
