"""Where participants are, in words, and how many places of a study are taken: what status and the researcher's page both tell."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from study.design.trial import Kind
from study.storage.records import Standing

STAGES = (
    "opened the link",
    "questions before",
    "instructions",
    "practice",
    "trials",
    "on a break",
    "questions after",
    "finished",
    "dropped out",
    "declined",
    "screened out",
    "found it full",
)
# Came in, have not ended, and were seen lately: whom closing for good would stop.
_INSIDE = frozenset(("questions before", "instructions", "practice", "trials", "on a break", "questions after"))


@dataclass(frozen=True)
class Places:
    """The places of a study: `limit` in all (None: any number), `taken` by those who finished, `held` for those on their way."""

    limit: int | None
    taken: int
    held: int

    @property
    def free(self) -> int | None:
        """How many are left, None where any number may come."""
        return None if self.limit is None else max(0, self.limit - self.taken - self.held)


def stage_of(standing: Standing, due: tuple[Kind, int] | None, *, since: datetime) -> str:
    """Return which of `STAGES` a participant is at; `due` is their next trial, and who was last seen before `since` dropped out."""
    person = standing.participant
    if person.ended:
        return "found it full" if person.ended == "full" else person.ended
    if person.seen_at < since:
        return "dropped out"
    if person.slot is None:
        return "questions before"
    if person.begun_at is None:
        return "instructions"
    if due is None:
        return "questions after"
    kind, block = due
    if kind == "practice":
        return "practice"
    return "on a break" if block > max(person.block, 0) else "trials"


def inside(stages: Iterable[str]) -> int:
    """Return how many of those at these `STAGES` are inside, with a place in the design or still at the questions before it."""
    return sum(stage in _INSIDE for stage in stages)


def places_of(standings: Sequence[Standing], *, limit: int | None, since: datetime) -> Places:
    """Return the places that are taken, and those held for whoever was seen `since` then."""
    seated = [each.participant for each in standings if each.participant.slot is not None]
    held = sum(person.ended is None and person.seen_at >= since for person in seated)
    return Places(limit, sum(person.ended == "finished" for person in seated), held)
