"""A program that answers a study's trials from several threads and tells each answer that was acknowledged; made to be killed.

Run as `python storing_answers.py DATABASE KILLS`, it starts itself over and over (as a fork, which is quick), kills each run with
SIGKILL after some acknowledgements, and prints all of these: a token and what was chosen on each line.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from random import Random
from typing import TypeVar

from study.session import Session
from study.session.running import open_running
from study.storage.database import UnavailableError
from study.storage.records import Answer

PEOPLE = ("ada", "bea", "cleo")
T = TypeVar("T")


def answer_all(
    session: Session, participant: str, acknowledged: dict[str, str], *, say: int | None = None, troubles: list[str] | None = None
) -> None:
    """Answer what is left of a participant's trials."""
    while (trial := _insist(lambda: session.place(participant).trial, troubles)) is not None:
        choice = "left" if sum(trial.token.encode()) % 3 else "right"
        answer = Answer(trial.token, choice, 1234.0, "program")
        if _insist(lambda answer=answer: session.answer(participant, answer), troubles) in ("stored", "duplicate"):
            acknowledged[trial.token] = choice
            if say is not None:
                os.write(say, f"{trial.token} {choice}\n".encode())


def _insist(ask: Callable[[], T], troubles: list[str] | None) -> T:
    """Ask the same again until there is an answer, as the page does."""
    while True:
        try:
            return ask()
        except UnavailableError as error:
            if troubles is None:
                raise
            troubles.append(str(error))


def everybody(
    session: Session, acknowledged: dict[str, str], *, say: int | None = None, troubles: list[str] | None = None
) -> list[threading.Thread]:
    """Start a thread for each participant."""
    threads = [
        threading.Thread(target=answer_all, args=(session, person, acknowledged), kwargs={"say": say, "troubles": troubles})
        for person in PEOPLE
    ]
    for thread in threads:
        thread.start()
    return threads


def _one_run(url: str, say: int) -> None:
    for thread in everybody(open_running(url), {}, say=say):
        thread.join()


def main(url: str, kills: int) -> None:
    """Kill `kills` runs in the middle, each after another number of acknowledgements."""
    rng = Random(1)
    for _ in range(kills):
        hear, say = os.pipe()
        run = os.fork()
        if run == 0:
            _one_run(url, say)
            os._exit(0)
        os.close(say)
        with os.fdopen(hear, "rb") as told:
            for _ in range(rng.randint(1, 12)):
                sys.stdout.buffer.write(told.readline())
            os.kill(run, signal.SIGKILL)
            sys.stdout.buffer.write(told.read())
        if os.waitstatus_to_exitcode(os.waitpid(run, 0)[1]) != -signal.SIGKILL:
            sys.exit("a run ended before it was killed")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
