"""Whatever is called in whatever order: each trial is answered at most once, in order, none is lost, and the place fits."""

import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from session_steps import Clock, answer_to
from study_fixtures import Settings, make_experiment

from study.config import Question, StudyTable
from study.opening import open_study
from study.session import Place, Session, open_running
from study.storage.records import Answer, State, TrialRow

PEOPLE = ("ada", "bob", "walrusking")
SCREENING = Question("use", "Do you use it?", when="before", options=("yes", "no"), accept=("yes",), quota={"yes": 2})
AFTERWARDS = Question("note", "Anything?", type="text", required=False)
TABLE = StudyTable(unreviewed=True, practice=1, block=2, catch=1, participants=2, hold_minutes=30)

people = some.sampled_from(PEOPLE)


@cache
def laid_out() -> bytes:
    """Return the database of the study before anybody comes."""
    with tempfile.TemporaryDirectory(prefix="interleavings-") as folder:
        experiment = make_experiment(Path(folder) / "experiment")
        open_study(experiment, Settings(study=TABLE, question=(SCREENING, AFTERWARDS))).database.close()
        return experiment.database.read_bytes()


class Interleavings(RuleBasedStateMachine):
    """Three people with several tabs, each of which may show an old page, and a researcher who pauses."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="interleavings-")
        self.url = Path(self.folder.name) / "study.sqlite"
        self.url.write_bytes(laid_out())
        self.clock = Clock()
        self.session = self.by_clock(open_running(self.url))
        self.state: State = "open"
        # Trials that some page has shown, and those whose images it has only loaded ahead.
        self.shown: list[TrialRow] = []
        self.ahead: list[TrialRow] = []
        self.rests: dict[str, int] = dict.fromkeys(PEOPLE, 0)
        self.stored: dict[str, list[tuple[int, str]]] = {name: [] for name in PEOPLE}
        self.ended: dict[str, Place] = {}

    def by_clock(self, session: Session) -> Session:
        return replace(session, clock=self.clock)

    def teardown(self) -> None:
        self.session.database.close()
        self.folder.cleanup()

    @rule(who=people)
    def consent(self, who: str) -> None:
        self.session.consent(who)

    @initialize()
    def somebody_begins(self) -> None:
        """Most of what can go wrong, goes wrong among the trials."""
        for who in ("ada", "walrusking"):
            self.session.consent(who)
            self.session.reply(who, "use", "yes")
            self.session.begin(who)
            self.look(who)

    @rule(who=people)
    def decline(self, who: str) -> None:
        self.session.decline(who)

    @rule(who=people, question=some.sampled_from(["use", "note", "none"]), value=some.sampled_from(["yes", "yes", "no", "", "x" * 9]))
    def reply(self, who: str, question: str, value: str) -> None:
        self.session.reply(who, question, value)

    @rule(who=people)
    def begin(self, who: str) -> None:
        self.session.begin(who)

    @rule(who=people)
    def rest_over(self, who: str) -> None:
        self.rests[who] += self.session.place(who).stage == "break"
        self.session.rest_over(who)

    @rule(who=people)
    def open_a_page(self, who: str) -> None:
        self.session.opened(who)

    @rule(who=people)
    def look(self, who: str) -> None:
        place = self.session.place(who)
        self.shown += [place.trial] if place.trial else []
        self.ahead += [place.next] if place.next else []

    @rule(who=people, choice=some.sampled_from(["left", "right"]), times=some.integers(1, 9))
    def go_on(self, who: str, choice: str, times: int) -> None:
        """Do what an honest page does, so that the ends of the way are reached too."""
        for _ in range(times):
            place = self.session.place(who)
            if place.stage == "consent":
                self.session.consent(who)
            elif place.question:
                self.session.reply(who, place.question.id, "yes" if place.question == SCREENING else "")
            elif place.stage == "instructions":
                self.session.begin(who)
            elif place.stage == "break":
                self.rest_over(who)
            elif place.trial:
                self.look(who)
                self.send(who, place.trial, answer_to(place.trial, choice))

    @precondition(lambda self: self.shown)
    @rule(data=some.data(), choice=some.sampled_from(["left", "left", "right", "tie", "both"]), ms=some.sampled_from([900.0, 900.0, 10.0]))
    def answer_an_old_page(self, data: Any, choice: str, ms: float) -> None:
        trial = data.draw(some.sampled_from(self.shown + self.ahead))
        self.send(data.draw(some.sampled_from([trial.participant] * 3 + list(PEOPLE))), trial, answer_to(trial, choice, ms))

    @rule(state=some.sampled_from(["open", "open", "open", "paused", "closed"]))
    def turn(self, state: State) -> None:
        self.state = state
        with self.session.database.writing() as rows:
            rows.set_state(state)

    @rule(minutes=some.sampled_from([1, 31]))
    def wait(self, minutes: int) -> None:
        self.clock.forward(minutes=minutes)

    @rule()
    def restart(self) -> None:
        self.session.database.close()
        self.session = self.by_clock(open_running(self.url))

    def send(self, who: str, trial: TrialRow, answer: Answer) -> None:
        """Send it, and hold what becomes of it against what must."""
        done, place = len(self.stored[who]), self.session.place(who)
        outcome = self.session.answer(who, answer)
        if trial.participant != who or answer.choice not in ("left", "right") or trial.step > done:
            assert outcome == "refused"
        elif trial.step < done:
            assert outcome == "duplicate"
        elif trial in self.shown:
            # No pause, no closing and no other tab loses the answer to what somebody was shown.
            assert outcome == ("stored" if answer.response_ms >= TABLE.min_ms else "too fast")
        elif place.stage == "break":
            assert outcome == "refused"
        if outcome == "stored":
            self.stored[who].append((trial.step, answer.choice))

    @invariant()
    def every_answer_is_there_once_and_in_order(self) -> None:
        query = "SELECT participant, step, choice FROM answer JOIN trial ON trial.id = answer.trial ORDER BY participant, step"
        with self.session.database.moment() as connection:
            held = [tuple(row) for row in connection.exec_driver_sql(query)]
        assert held == [(who, step, choice) for who in PEOPLE for step, choice in self.stored[who]]
        assert all([step for step, _ in answers] == list(range(len(answers))) for answers in self.stored.values())

    @invariant()
    def the_place_fits_what_was_answered(self) -> None:
        for who in PEOPLE:
            place = self.session.place(who)
            assert place == self.session.place(who)
            if who in self.ended:
                assert place == self.ended[who]
            elif place.ended:
                self.ended[who] = place
            elif self.state != "open":
                assert place.stage == self.state
            self.check_trial(who, place)

    def check_trial(self, who: str, place: Place) -> None:
        answered = len(self.stored[who])
        if place.trial:
            assert (place.trial.participant, place.trial.step) == (who, answered)
            assert place.done == (answered if place.stage == "practice" else answered - TABLE.practice)
            assert place.stage == ("practice" if place.trial.kind == "practice" else "trials")
            assert self.rests[who] >= (answered - TABLE.practice) // TABLE.block
        if place.stage == "break":
            assert place.next
            assert place.next.step == answered
        if place.stage == "thanks":
            assert answered == TABLE.practice + 6 + TABLE.catch

    @invariant()
    def places_are_not_given_twice_to_people_on_their_way(self) -> None:
        with self.session.database.reading() as rows:
            slots = [each.slot for each in rows.people() if each.slot is not None]
        assert set(slots) <= {0, 1}


TestInterleavings = Interleavings.TestCase
TestInterleavings.settings = settings(max_examples=25, stateful_step_count=40, deadline=None)
