"""A served study with people in it, as an attacker finds it: what is stored, and whether it still works for the others."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from served_study import MIN_MS, Served, serving_of
from study_fixtures import Settings, make_experiment
from visitor import Visitor, request

from stimuli.manifest import read_stimuli, write_stimuli
from study.config import Question, Recruitment, StudyTable
from study.storage.records import TrialRow

QUESTION = Question("age", "How old are you?", when="before", options=("under 40", "40 or older"))
PROMPTS = {"p1": "'; DROP TABLE answer; --", "p2": "<img src=x onerror=alert(1)>{{7*7}}"}
# What an attacker's own visits may add to is the audit and the history; all else must stay as it is.
_HELD = {
    "study": "*",
    "arrival": "*",
    "participant": "id, slot, target_user, consented_at, begun_at, block, ended",
    "reply": "*",
    "trial": "*",
    "answer": "*",
}


@dataclass(frozen=True)
class Attacked:
    """The study. `keys` are the cookies of the people in it, `components` the ids that screens have, by the screen's name.

    `left_open` is a page of "finished" that still stands at a trial.
    """

    served: Served
    keys: dict[str, str]
    components: dict[str, str]
    left_open: Visitor

    @property
    def port(self) -> int:
        """Where the study is served."""
        return self.served.port

    def get(self, path: str, *, as_: str | None = "attacker", headers: dict[str, str] | None = None) -> tuple[int, str, bytes]:
        """Return status, headers and body of an address, asked for with the cookie of `as_`."""
        cookie = {"Cookie": f"study={self.keys[as_]}"} if as_ else {}
        reply = request(self.port, path, headers=cookie | (headers or {}))
        return reply.status, str(reply.headers), reply.body

    def page(self, participant: str = "attacker") -> Visitor:
        """Return a page of this participant; it opens in a `with`."""
        return Visitor(self.port, self.keys[participant], components=self.components)

    def due(self, participant: str) -> TrialRow:
        """Return the trial at which this participant is."""
        trial = self.served.session.place(participant).trial
        assert trial is not None
        return trial

    def trials(self, participant: str) -> list[Any]:
        """Return the rows of this participant's trials, in order."""
        return self._rows(f"SELECT * FROM trial WHERE participant = '{participant}' ORDER BY step")

    def held(self) -> dict[str, list[Any]]:
        """Return all that the study stores, without the audit and the history."""
        return {table: self._rows(f"SELECT {columns} FROM {table}") for table, columns in _HELD.items()}

    def serves(self) -> bool:
        """Return whether the process that was attacked shows the victim the trial that is due."""
        if self.served.process.poll() is not None:
            return False
        with self.page("victim") as page:
            return page.look().data.get("token") == self.due("victim").token

    def _rows(self, query: str) -> list[Any]:
        with self.served.session.database.reading() as rows:
            return list(rows._connection.exec_driver_sql(query))


@contextmanager
def attacked(folder: Path, recruitment: Recruitment, *, keys_file: str = "") -> Iterator[Attacked]:
    """Serve a study with an attacker and a victim in the middle of it, one who has finished, and one at the first question."""
    experiment = make_experiment(folder / "experiment")
    if recruitment.keys:
        (experiment.folder / recruitment.keys).write_text(keys_file, encoding="utf-8")
    stimuli = read_stimuli(experiment.stimuli)
    write_stimuli(experiment.stimuli, [replace(stimulus, base_prompt=PROMPTS[stimulus.prompt]) for stimulus in stimuli])
    table = StudyTable(unreviewed=True, min_ms=MIN_MS, practice=1, block=0, recruitment=recruitment)
    with serving_of(experiment, Settings(study=table, question=(QUESTION,)), kind="comparison") as served:
        for name in ("attacker", "victim", "finished"):
            served.walk_to(name, "trials", answered=2)
        served.walk_to("asked", "question")
        keys = {name: served.key_of(name) for name in ("attacker", "victim", "finished", "asked", "stranger")}
        components: dict[str, str] = {}
        with Visitor(served.port, keys["finished"], components=components) as left_open:
            left_open.look()
            served.walk_to("finished", "thanks")
            study = Attacked(served, keys, components, left_open)
            for name in keys:
                with study.page(name) as page:
                    page.look()
            yield study
