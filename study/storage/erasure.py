"""Takes one participant out of a study: everything they gave and everything that is known of them, but that there was one."""

from dataclasses import dataclass

import sqlalchemy as sa

from stimuli.experiment import ExperimentError
from study.storage.database import Database
from study.storage.tables import ANSWER, ARRIVAL, ATTEMPT, EVENT, PARTICIPANT, REPLY, STUDY, TRIAL

# How many ids an error names.
_NAMED = 5


@dataclass(frozen=True)
class Erased:
    """What is gone of a participant: how many rows of each kind. `clean`: nothing of it can be found in the file any more."""

    participant: str
    answers: int
    replies: int
    attempts: int
    events: int
    arrivals: int
    clean: bool


def find(database: Database, who: str) -> str:
    """Return the id in the study of a participant who is named by that id or by the id that the panel knows them by.

    Raises:
        ExperimentError: nobody has that id, or several have it.
    """
    with database.moment() as connection:
        found = _named(connection, who)
    if not found:
        raise ExperimentError(
            f'{database.place}: no participant has the id "{who}", neither in the study nor with the panel; nothing was erased. '
            "`tastebench study status --panel` shows who is there"
        )
    if len(found) > 1:
        some = ", ".join(sorted(found)[:_NAMED]) + (", ..." if len(found) > _NAMED else "")
        raise ExperimentError(f'{database.place}: "{who}" stands for {len(found)} people ({some}); nothing was erased. Name one of them')
    return found.pop()


def erase(database: Database, participant: str) -> Erased:
    """Remove everything of the participant with that id in the study, and count them as erased; their place is free again.

    In an SQLite file nothing of it remains to be found. The trials go with the answers, so that nothing tells what was shown.

    Raises:
        ExperimentError: there is no such participant any more.
    """
    with database.change() as connection:
        # Every answer begins with a change of this row: one that is just being stored is waited for, and none comes in between.
        connection.execute(sa.select(PARTICIPANT.c.id).where(PARTICIPANT.c.id == participant).with_for_update())
        if participant not in _named(connection, participant):
            raise ExperimentError(f'{database.place}: participant "{participant}" is not in it any more')
        trials = sa.select(TRIAL.c.id).where(TRIAL.c.participant == participant)
        answers = connection.execute(sa.delete(ANSWER).where(ANSWER.c.trial.in_(trials))).rowcount
        gone = {
            table.name: connection.execute(sa.delete(table).where(table.c.participant == participant)).rowcount
            for table in (TRIAL, REPLY, ATTEMPT, EVENT, ARRIVAL)
        }
        connection.execute(sa.delete(PARTICIPANT).where(PARTICIPANT.c.id == participant))
        connection.execute(sa.update(STUDY).values(erased=STUDY.c.erased + 1))
    return Erased(participant, answers, gone["reply"], gone["attempt"], gone["event"], gone["arrival"], clean=database.clean())


def _named(connection: sa.Connection, who: str) -> set[str]:
    """Return the ids of all whom `who` may mean; a link that was opened counts, although nobody agreed to anything."""
    columns = (PARTICIPANT.c.id, ARRIVAL.c.participant, ATTEMPT.c.participant)
    if any(connection.scalar(sa.select(column).where(column == who).limit(1)) for column in columns):
        return {who}
    arrivals = connection.execute(sa.select(ARRIVAL.c.participant, ARRIVAL.c.panel))
    return {participant for participant, panel in arrivals if who in panel.values()}
