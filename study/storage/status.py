"""What `tastebench study status` tells of a running study; never what was chosen by condition."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from rich.markup import escape
from rich.table import Table

from study.storage.existing import study_in
from study.storage.records import Standing, StudyRow
from study.storage.rows import Rows
from study.storage.stages import STAGES, Places, inside, places_of, stage_of

_WIDEST_ID = 26
_DID_NOT_COUNT = ("duplicate", "too fast", "refused")


@dataclass(frozen=True)
class Person:
    """One participant's line; `panel` is what the panel said of them."""

    standing: Standing
    stage: str
    panel: dict[str, str]


@dataclass(frozen=True)
class Status:
    """A study at one moment: `answers` after practice, `sides` chosen in comparisons, `outcomes` of all attempts to answer."""

    study: StudyRow
    people: tuple[Person, ...]
    strangers: int
    places: Places
    answers: int
    sides: dict[str, int]
    outcomes: dict[str, int]

    @property
    def inside(self) -> str:
        """How many are inside, as words."""
        number = inside(person.stage for person in self.people)
        return "1 person" if number == 1 else f"{number} people"


def look(rows: Rows, *, place: str, at: datetime) -> Status:
    """Return where the study is at this time, all from one view of the tables.

    Raises:
        ExperimentError: the database at `place` holds no study yet.
    """
    study = study_in(rows, place=place)
    procedure = study.settings["table"]
    since = at - timedelta(minutes=procedure["hold_minutes"])
    standings, due, panels = rows.standings(), rows.due(), rows.panels()
    return Status(
        study=study,
        people=tuple(
            Person(each, stage_of(each, due.get(each.participant.id), since=since), panels.get(each.participant.id, {}))
            for each in standings
        ),
        strangers=rows.strangers(),
        places=places_of(standings, limit=procedure["participants"], since=since),
        answers=rows.count_votes(),
        sides=rows.sides(),
        outcomes=rows.outcomes(),
    )


def table(status: Status, *, panel: bool) -> Table:
    """Return a line for each participant; their panel's ids only with `panel`."""
    asked = "ratings" if status.study.kind == "rating" else "comparisons"
    made = Table(box=None)
    # On a narrow screen the other columns give way first: an id that is cut short can be used for nothing.
    longest = max((len(person.standing.participant.id) for person in status.people), default=0)
    made.add_column("participant", overflow="fold", no_wrap=longest <= _WIDEST_ID)
    for heading in ("target user", "simulated", "where", asked, "place", "last seen (UTC)", *(["panel"] if panel else [])):
        made.add_column(heading, overflow="fold")
    for person in status.people:
        who = person.standing.participant
        known = " ".join(f"{name}={value}" for name, value in person.panel.items()) or "–"
        made.add_row(
            escape(who.id),
            escape(who.target_user or "–"),
            "yes" if who.simulated else "no",
            person.stage,
            f"{person.standing.answered} of {person.standing.trials}",
            "–" if who.slot is None else str(who.slot),
            who.seen_at.strftime("%Y-%m-%d %H:%M"),
            *([escape(known)] if panel else []),
        )
    return made


def lines(status: Status) -> Iterator[str]:
    """Yield what is to be said below that table."""
    study, stages = status.study, Counter(person.stage for person in status.people)
    answers = "ratings" if study.kind == "rating" else "votes"
    yield f"{status.answers} {answers} of {len(status.people)} participants, {stages['finished']} finished; the study is {study.state}"
    yield f"where they are: {_counted({stage: stages[stage] for stage in STAGES})}"
    yield f"opened the link and said neither yes nor no: {status.strangers}"
    places = status.places
    free = "any number free" if places.limit is None else f"{places.free} of {places.limit} free"
    if study.state == "closing":
        yield f"places: {places.taken} taken; nobody new can start, and {status.inside} still inside can finish"
    elif study.state == "closed":
        yield f"places: {places.taken} taken; nobody goes on or comes any more"
    else:
        yield f"places: {places.taken} taken, {places.held} held for people on their way, {free}"
    if status.sides:
        tied = f", no difference: {status.sides['tie']}" if "tie" in status.sides else ""
        yield f"chosen on the left: {status.sides.get('left', 0)}, on the right: {status.sides.get('right', 0)}{tied}"
    yield f"answers that did not count: {_counted({outcome: status.outcomes.get(outcome, 0) for outcome in _DID_NOT_COUNT})}"
    yield f"erased: {study.erased}"


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count) or "none"
