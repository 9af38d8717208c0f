"""The state machine of a study: consent, questions, a place, instructions, practice, trials with breaks, questions, thanks.

All that it knows is in the database, so a reload, another tab or a restarted server continues at the same trial.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from stimuli.experiment import ExperimentError
from study.config import Question, RatingTable, StudyTable
from study.design.schedule import rating_schedule_for, schedule_for
from study.design.trial import Trial
from study.recruitment.arrivals import Arrival, checked
from study.session import onboarding, places
from study.session.checks import auditable, fits, is_plain, is_sound
from study.session.chooser import Chooser
from study.session.place import Outcome, Place, Stage
from study.storage.database import Database
from study.storage.records import Answer, Ended, ParticipantRow, State, StudyKind, Whereabouts
from study.storage.rows import Rows

# How long one participant's history may grow by pages that they open.
_LONGEST_HISTORY = 2_000

# Where nobody goes on. Where a study is closing, those inside do.
_STOPPED: tuple[State, ...] = ("paused", "closed")
_STAGES: Mapping[Ended, Stage] = {"finished": "thanks", "declined": "declined", "screened out": "screened out", "full": "full"}


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Session:
    """The way through one study for all its participants.

    `texts` is the catalogue with the study's own "question", "consent", "instructions" and "thanks"; `seed` is the
    experiment's; `contrasts` is what the claims name; `chooser` says what a rating study with order "active" asks next;
    `clock` gives the times that are stored.
    """

    database: Database
    kind: StudyKind
    table: StudyTable | RatingTable
    questions: tuple[Question, ...]
    texts: Mapping[str, str]
    seed: int
    secret: bytes
    contrasts: frozenset[frozenset[str]] | None = None
    chooser: Chooser | None = None
    clock: Callable[[], datetime] = now

    # --- Who comes ---

    def arrive(self, arrival: Arrival) -> str:
        """Return a secret key that stands for the participant. Nobody takes part by this alone.

        Raises:
            ExperimentError: the id is not 1 to 64 letters, digits, "-" or "_".
        """
        key = secrets.token_urlsafe(24)
        with self.database.writing() as rows:
            rows.add_arrival(key, checked(arrival.participant), arrival.panel, self.clock())
        return key

    def arrived(self, key: str) -> str | None:
        """Return the participant id that a key stands for, None for a key that this study never gave out."""
        if not is_plain(key):
            return None
        with self.database.reading() as rows:
            return rows.arrived(key)

    def consent(self, participant: str, *, simulated: bool = False) -> None:
        """Make the id a participant; the first yes or no stays. Nobody joins a study that is closing, paused or closed.

        An id that is one of the stimuli's target users is that target user. Without questions to ask before the images, the
        participant gets a place in the schedule at once, or the study is full.

        Raises:
            ExperimentError: the id is malformed, or taken by a program where a person asks, or the other way round.
        """
        with self.database.writing() as rows:
            known = rows.seen(checked(participant), self.clock())
            if known is None:
                self._enrol(rows, participant, simulated=simulated)
            elif known.simulated != simulated:
                taken = "a simulated participant" if known.simulated else "a person"
                raise ExperimentError(f'participant "{participant}" is {taken} in this study already; choose another id')

    def decline(self, participant: str) -> None:
        """Note that the id said no, and nothing else; the first yes or no stays."""
        at = self.clock()
        person = ParticipantRow(checked(participant), None, None, simulated=False, consented_at=None, begun_at=None, seen_at=at)
        with self.database.writing() as rows:
            if rows.enrol(person):
                rows.end(participant, "declined", at)

    def opened(self, participant: str) -> None:
        """Note in the history that a page was opened: a reload, another tab, or a return. It is a sign of life.

        No more than 2000 events of one participant are noted.
        """
        with self.database.writing() as rows:
            if rows.seen(participant, self.clock()) and rows.count_events(participant) < _LONGEST_HISTORY:
                rows.add_event(participant, "opened", self.clock())

    # --- What they do ---

    def reply(self, participant: str, question: str, value: str) -> bool:
        """Take a reply to the question that is due, and return whether it is stored, now or by the same reply before.

        A reply that the question does not accept screens the participant out. Whose reply has no room left in its quota finds
        the study full. After the last question before the images the participant gets a place in the schedule, in the same
        transaction; after the last one behind them they have finished.
        """
        with self.database.writing() as rows:
            rows.seen(participant, self.clock())
            here = rows.whereabouts(participant)
            due = self._question(rows, here)
            if due is None or due.id != question or here.state in _STOPPED:
                return value != "" and rows.replies(participant).get(question) == value
            if not fits(due, value):
                return False
            rows.add_reply(participant, question, value, self.clock())
            self._go_on(rows, here, due, value)
            return True

    def begin(self, participant: str) -> None:
        """Note that the instructions are read, and lay out the participant's trials; the first one follows.

        The schedule is worked out before the transaction that stores it, so that nobody's answer waits for it.
        """
        with self.database.reading() as rows:
            here = rows.whereabouts(participant)
            who = here.participant
            if who is None or who.slot is None or who.begun_at or who.ended or here.state in _STOPPED:
                return
            trials = self._schedule(rows, who, who.slot)
        with self.database.writing() as rows:
            if rows.seen(participant, self.clock()) and rows.begin(participant, self.clock()):
                rows.lay_trials(participant, [(trial, _tokens(trial)) for trial in trials])
                rows.add_event(participant, "begun", self.clock())

    def rest_over(self, participant: str) -> None:
        """Note that the participant ends the break they are in; the next block follows."""
        with self.database.writing() as rows:
            rows.seen(participant, self.clock())
            place = self._place(rows, rows.whereabouts(participant))
            if place.stage == "break" and place.next:
                rows.open_block(participant, place.next.block)
                rows.add_event(participant, "rested", self.clock())

    def answer(self, participant: str, answer: Answer) -> Outcome:
        """Take an answer and return what became of it, once that is on disk.

        Only the first answer to the trial that is due is `stored`, also while the study is paused or closed: what was shown
        may be answered. `duplicate`: that trial has its answer, which stays. `too fast`: sooner than `min_ms`; the trial
        waits for another answer. `refused`: anything else, such as an unknown token. Each attempt is kept in the audit.
        Without questions to follow, the last answer finishes the participant.
        """
        with self.database.writing() as rows:
            outcome = self._take(rows, participant, answer)
            rows.add_attempt(participant, auditable(answer), outcome, self.clock())
        return outcome

    # --- Where they are ---

    def place(self, participant: str) -> Place:
        """Return where the participant is; of whom has not ended, in a study that is paused or closed, only that it is."""
        if self.chooser:
            self._choose_ahead(participant, self.chooser)
        with self.database.reading() as rows:
            return self._place(rows, rows.whereabouts(participant))

    def image(self, token: str) -> bytes | None:
        """Return the image at an address as PNG, None where there is none, its participant has ended or the study is closed."""
        if not is_plain(token):
            return None
        with self.database.reading() as rows:
            return rows.image(token)

    def _place(self, rows: Rows, here: Whereabouts) -> Place:
        who = here.participant
        if who and who.ended:
            return Place(_STAGES[who.ended], ended=who.ended)
        if here.state == "paused" or here.state == "closed":
            return Place(here.state)
        if who is None:
            return Place("closed" if here.state == "closing" else "consent")
        if question := self._question(rows, here):
            alike = [each.id for each in self.questions if each.when == question.when]
            return Place("question", question=question, done=alike.index(question.id), total=len(alike))
        if not who.begun_at:
            return Place("instructions")
        return self._at_trial(rows, here, who)

    def _at_trial(self, rows: Rows, here: Whereabouts, who: ParticipantRow) -> Place:
        (trial, *later), device = rows.around(who.id, here.answered)
        if trial.kind == "practice":
            return Place("practice", trial, later[0] if later else None, here.answered, here.practice, device)
        done, total = here.answered - here.practice, self.total(here.laid) - here.practice
        if _rests(who, trial.block):
            return Place("break", None, trial, done, total, device)
        return Place("trials", trial, later[0] if later else None, done, total, device)

    # --- Questions and places in the schedule ---

    def _enrol(self, rows: Rows, participant: str, *, simulated: bool) -> None:
        if rows.whereabouts(participant).state != "open":
            return
        at = self.clock()
        target = participant if rows.is_target_user(participant) else None
        person = ParticipantRow(participant, None, target, simulated, consented_at=at, begun_at=None, seen_at=at)
        if rows.enrol(person):
            rows.add_event(participant, "consented", at)
            if not any(question.when == "before" for question in self.questions):
                places.reserve(rows, participant, self.table, self.questions, at)

    def _question(self, rows: Rows, here: Whereabouts) -> Question | None:
        """Return the question that is due, None where none is."""
        who = here.participant
        if who is None or who.ended or not (who.slot is None or (who.begun_at and here.answered >= self.total(here.laid))):
            return None
        when = "before" if who.slot is None else "after"
        replies = rows.replies(who.id)
        return next((question for question in self.questions if question.when == when and question.id not in replies), None)

    def _go_on(self, rows: Rows, here: Whereabouts, question: Question, value: str) -> None:
        """Draw the consequence of a reply."""
        who, at = here.participant, self.clock()
        if who is None:
            return
        if question.accept and value not in question.accept:
            rows.end(who.id, "screened out", at)
        elif not places.have_room(rows, {question.id: value}, self.table, self.questions, at):
            rows.end(who.id, "full", at)
        elif self._question(rows, here) is None and question.when == "before":
            places.reserve(rows, who.id, self.table, self.questions, at)
        elif self._question(rows, here) is None:
            rows.end(who.id, "finished", at)

    # --- Trials ---

    def _schedule(self, rows: Rows, who: ParticipantRow, slot: int) -> tuple[Trial, ...]:
        stimuli = rows.stimuli()
        if isinstance(self.table, StudyTable):
            target = who.target_user
            return schedule_for(slot, stimuli, seed=self.seed, table=self.table, contrasts=self.contrasts, target_user=target)
        trials = rating_schedule_for(slot, [(row.stimulus, row.prompt) for row in stimuli], seed=self.seed, table=self.table)
        return trials if self.chooser is None else tuple(trial for trial in trials if trial.kind == "practice")

    def total(self, laid: int) -> int:
        """Return how many trials somebody has in all who has `laid` out; more, where they are chosen one by one."""
        if self.chooser is None or not isinstance(self.table, RatingTable):
            return laid
        return self.table.practice + self.table.per_participant + self.table.repeats

    def _choose_ahead(self, participant: str, chooser: Chooser) -> None:
        """Have the trial that is due and the one after it laid out. Choosing may take its time, so it is in no transaction."""
        with self.database.reading() as rows:
            here = rows.whereabouts(participant)
            wanted = min(here.answered + 2, self.total(here.laid)) - here.laid
            if not isinstance(self.table, RatingTable) or wanted <= 0 or here.participant is None or not here.participant.begun_at:
                return
            asked = onboarding.Asked(
                rated=rows.rated(participant),
                practised=tuple(rows.shown(participant, kinds=("practice",))),
                shown=tuple(rows.shown(participant, kinds=("rating",))),
                repeated=len(rows.shown(participant, kinds=("repeat",))),
            )
            prompts = {row.stimulus: row.prompt for row in rows.stimuli()}
        trials = onboarding.next_trials(wanted, asked, prompts, table=self.table, chooser=chooser)
        with self.database.writing() as rows:
            # Another tab may have had the same ones chosen meanwhile, and no image is asked twice; or the participant was erased.
            if rows.seen(participant, self.clock()) and rows.whereabouts(participant).laid == here.laid:
                rows.lay_trials(participant, [(trial, _tokens(trial)) for trial in trials], first=here.laid)

    def _take(self, rows: Rows, participant: str, answer: Answer) -> Outcome:
        who = rows.seen(participant, self.clock())
        tie = isinstance(self.table, StudyTable) and self.table.tie
        sent = rows.sent(participant, answer.token) if is_sound(answer, kind=self.kind, tie=tie) else None
        if who is None or sent is None:
            return "refused"
        if sent.is_answered:
            return "duplicate"
        if sent.step != sent.answered or (sent.kind != "practice" and _rests(who, sent.block)):
            return "refused"
        if answer.response_ms < self.table.min_ms:
            return "too fast"
        if not rows.add_answer(sent.id, answer, self.clock()):
            return "duplicate"
        if sent.answered + 1 == self.total(sent.laid) and not any(question.when == "after" for question in self.questions):
            rows.end(participant, "finished", self.clock())
        return "stored"


def _rests(who: ParticipantRow, block: int) -> bool:
    """Return whether the participant has a break before this block, and is still in it."""
    return block > max(who.block, 0)


def _tokens(trial: Trial) -> dict[str, str | None]:
    """Return the answer's token and the images' addresses, which nobody can guess."""
    right = None if trial.right is None else secrets.token_urlsafe(16)
    return {"token": secrets.token_urlsafe(16), "left_token": secrets.token_urlsafe(16), "right_token": right}
