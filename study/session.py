"""A participant's way through the study, without any page: consent, instructions, practice, comparisons, thanks.

Everything it knows is in the database, so that a reload, another tab or a restarted server continues at the same comparison.
"""

import math
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

from stimuli.experiment import ExperimentError, require
from study.config import Simulation, StudyTable
from study.database import Database, Rows, open_database
from study.design import schedule_for
from study.tables import Answer, ParticipantRow, TrialRow

Stage = Literal["consent", "instructions", "practice", "comparisons", "thanks"]
Outcome = Literal["stored", "duplicate", "too fast", "refused"]
Side = Literal["left", "right"]

_PARTICIPANT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
# What a page may send as text; anything else cannot come from our pages.
_PLAIN = re.compile(r"[ -~]{0,64}")
_LONGEST_MS = 7 * 24 * 3600 * 1000.0
_MANY = 1_000_000


@dataclass(frozen=True)
class Place:
    """Where a participant is. `trial` is what to judge now and `next` what comes after it; both None outside of trials.

    `done` of `total` trials of this stage are answered; `last_device` is how the latest answer was given.
    """

    stage: Stage
    trial: TrialRow | None = None
    next: TrialRow | None = None
    done: int = 0
    total: int = 0
    last_device: str | None = None


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Session:
    """The way through one study for all its participants. `seed` is the experiment's; `clock` gives the times that are stored."""

    database: Database
    study: StudyTable
    seed: int
    clock: Callable[[], datetime] = now

    def arrive(self, participant: str | None) -> str:
        """Return a secret key that stands for the participant; without an id one is made up. Nobody takes part by this alone.

        Raises:
            ExperimentError: the id is not 1 to 64 letters, digits, "-" or "_".
        """
        participant = f"anonymous-{secrets.token_hex(8)}" if participant is None else _checked(participant)
        key = secrets.token_urlsafe(24)
        with self.database.writing() as rows:
            rows.add_arrival(key, participant, self.clock())
        return key

    def arrived(self, key: str) -> str | None:
        """Return the participant id that a key stands for, None for a key that this study never gave out."""
        if not _PLAIN.fullmatch(key):
            return None
        with self.database.reading() as rows:
            return rows.arrived(key)

    def consent(self, participant: str, *, simulated: bool = False) -> None:
        """Make the id a participant, with a schedule; consenting again changes nothing.

        An id that is one of the stimuli's target users is that target user.

        Raises:
            ExperimentError: the id is malformed, or taken by a program where a person asks, or the other way round.
        """
        _checked(participant)
        with self.database.writing() as rows:
            known = rows.participant(participant)
            if known is None:
                self._enrol(rows, participant, simulated=simulated)
            elif known.simulated != simulated:
                taken = "a simulated participant" if known.simulated else "a person"
                raise ExperimentError(f'participant "{participant}" is {taken} in this study already; choose another id')

    def begin(self, participant: str) -> None:
        """Note that the instructions are read; the first trial follows."""
        with self.database.writing() as rows:
            known = rows.participant(participant)
            if known and not known.begun_at:
                rows.set_begun(participant, self.clock())
                rows.add_event(participant, "begun", self.clock())

    def opened(self, participant: str) -> None:
        """Note in the history that a page was opened: a reload, another tab, or a return."""
        with self.database.writing() as rows:
            if rows.participant(participant):
                rows.add_event(participant, "opened", self.clock())

    def place(self, participant: str) -> Place:
        """Return where the participant is."""
        with self.database.reading() as rows:
            known = rows.participant(participant)
            if known is None:
                return Place("consent")
            if known.finished_at:
                return Place("thanks")
            if not known.begun_at:
                return Place("instructions")
            return _at_trial(rows, participant)

    def answer(self, participant: str, answer: Answer) -> Outcome:
        """Take an answer and return what became of it, once that is on disk.

        Only the first answer to the trial that is due is `stored`. `duplicate`: that trial has its answer, which stays.
        `too fast`: sooner than `min_ms`; the trial waits for another answer. `refused`: anything else, such as an unknown
        token. Each attempt is kept in the audit. The last answer finishes the participant.
        """
        with self.database.writing() as rows:
            outcome = self._take(rows, participant, answer)
            rows.add_attempt(participant, _auditable(answer), outcome, self.clock())
        return outcome

    def image(self, token: str) -> bytes | None:
        """Return the image at an address as PNG, None where there is none or its participant has finished."""
        if not _PLAIN.fullmatch(token):
            return None
        with self.database.reading() as rows:
            return rows.image(token)

    def _enrol(self, rows: Rows, participant: str, *, simulated: bool) -> None:
        stimuli = rows.stimuli()
        number = rows.next_number()
        trials = schedule_for(number, stimuli, seed=self.seed, practice=self.study.practice)
        target = participant if participant in {stimulus.target_user for stimulus in stimuli} else None
        person = ParticipantRow(participant, number, target, simulated, consented_at=self.clock(), begun_at=None, finished_at=None)
        rows.enrol(person, [(trial, (_token(), _token(), _token())) for trial in trials])
        rows.add_event(participant, "consented", self.clock())

    def _take(self, rows: Rows, participant: str, answer: Answer) -> Outcome:
        known = rows.participant(participant)
        trial = rows.trial(answer.token) if _is_sound(answer) else None
        if known is None or not known.begun_at or trial is None or trial.participant != participant:
            return "refused"
        if rows.is_answered(trial.id):
            return "duplicate"
        due, *later = rows.waiting(participant, limit=2)
        if due != trial:
            return "refused"
        if answer.response_ms < self.study.min_ms:
            return "too fast"
        if not rows.add_answer(trial.id, answer, self.clock()):
            return "duplicate"
        if not later:
            rows.set_finished(participant, self.clock())
            rows.add_event(participant, "finished", self.clock())
        return "stored"


def open_running(path: Path) -> Session:
    """Return the study in the database at `path`, which `open_study` has laid out; this needs no other file.

    Raises:
        ExperimentError: the database holds no study.
    """
    database = open_database(require(path, made_by="tastebench study serve"))
    with database.reading() as rows:
        study = rows.study()
    if study is None:
        database.close()
        raise ExperimentError(f"{path}: holds no study yet; `tastebench study serve` makes it")
    table = study.settings["study"]
    return Session(database, StudyTable(**table | {"simulation": Simulation(**table["simulation"])}), study.settings["seed"])


def _at_trial(rows: Rows, participant: str) -> Place:
    waiting = rows.waiting(participant, limit=2)
    stage: Stage = "practice" if waiting[0].kind == "practice" else "comparisons"
    done, total = rows.progress(participant)[waiting[0].kind]
    return Place(stage, waiting[0], waiting[1] if len(waiting) > 1 else None, done, total, rows.last_device(participant))


def _checked(participant: str) -> str:
    if not _PARTICIPANT_ID.fullmatch(participant):
        shown = participant if len(participant) <= 80 else f"{participant[:77]}..."
        raise ExperimentError(f"{shown!r} is no participant id; expected 1 to 64 letters, digits, - or _")
    return participant


def _is_sound(answer: Answer) -> bool:
    """Return whether our pages can have sent this; a browser can send anything."""
    return (
        answer.choice in get_args(Side)
        and 0 <= answer.response_ms <= _LONGEST_MS
        and all(_PLAIN.fullmatch(text) for text in (answer.token, answer.device, answer.viewport))
        and all(0 <= count <= _MANY for count in (answer.blurs, answer.ignored))
    )


def _auditable(answer: Answer) -> Answer:
    """Return the answer with what no database should be asked to hold taken out."""
    return replace(
        answer,
        token=answer.token if _PLAIN.fullmatch(answer.token) else "",
        choice=answer.choice if _PLAIN.fullmatch(answer.choice) else "",
        response_ms=answer.response_ms if math.isfinite(answer.response_ms) else -1.0,
    )


def _token() -> str:
    return secrets.token_urlsafe(16)
