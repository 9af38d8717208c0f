"""Whether anything is lost when the server is killed without warning, again and again, while people answer.

    python benchmarks/study_kills.py                                  # 20 times kill -9, 40 participants, SQLite
    python benchmarks/study_kills.py --database postgresql --kills 5

Participants send an answer until they see the next pair, as the page does. What was acknowledged that way must be in the database
exactly once, and nothing may be half written.
"""

import argparse
import asyncio
import random
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from study_participant import GONE, Participant, Screen
from study_servers import Served, Setup, served

from study.storage.tables import ANSWER, ATTEMPT, TRIAL


@dataclass(frozen=True)
class Outcome:
    """Answers that participants saw acknowledged, that are stored, that are stored though nobody saw it yet; and what is wrong."""

    acknowledged: int
    stored: int
    unseen: int
    wrong: tuple[str, ...]


def main() -> None:
    """Kill as often as the arguments ask, and print what became of the answers."""
    chosen = _arguments()
    temporary = tempfile.TemporaryDirectory(prefix="tastebench-kills-")
    with temporary as folder, served(Setup(chosen.database), Path(folder), prompts=60) as running:
        outcome = asyncio.run(kill_under_load(running, people=chosen.participants, kills=chosen.kills, thinking=chosen.thinking))
    print(f"{chosen.kills} times kill -9, {chosen.participants} participants, {chosen.database}:")
    print(f"{outcome.acknowledged} answers acknowledged; {outcome.stored} stored, {outcome.unseen} of them not yet acknowledged")
    print(f"wrong: {', '.join(outcome.wrong) or 'nothing'}")


async def kill_under_load(running: Served, *, people: int, kills: int, thinking: float = 0.5) -> Outcome:
    """Let `people` take part, kill and restart the server `kills` times, and return what became of their answers."""
    everybody = [Participant(running.address, f"person-{n}", thinking=thinking, seed=n) for n in range(people)]
    stop, rng = asyncio.Event(), random.Random(1)
    tasks = [asyncio.create_task(_take_part(person, stop)) for person in everybody]
    try:
        for _ in range(kills):
            await _until_answered(everybody, tasks)
            # At any moment of an answer's way, not just after one.
            await asyncio.sleep(rng.uniform(0, thinking))
            running.kill(0)
            await asyncio.to_thread(running.start_again, 0)
        await _until_answered(everybody, tasks)
    finally:
        stop.set()
        _, late = await asyncio.wait(tasks, timeout=120)
        for task in late:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        for person in everybody:
            await person.close()
    broken = [repr(result) for result in results if isinstance(result, Exception)]
    return _outcome(running, everybody, (*broken, *(f"{len(late)} participants stand still" for _ in late if late)))


async def _until_answered(everybody: list[Participant], tasks: list["asyncio.Task[None]"]) -> None:
    """Wait for as many further answers as there are people."""
    before = sum(len(person.acknowledged) for person in everybody)
    async with asyncio.timeout(300):
        while sum(len(person.acknowledged) for person in everybody) < before + len(everybody):
            if all(task.done() for task in tasks):
                return
            await asyncio.sleep(0.01)


async def _take_part(person: Participant, stop: asyncio.Event) -> None:
    screen: Screen | None = None
    while screen is None and not stop.is_set():
        try:
            screen = await person.to_first_pair()
        except GONE:
            # Who arrives while nothing answers opens the link again.
            await person.close()
            await asyncio.sleep(0.2)
    if screen is not None:
        await person.answer_until(screen, stop)


def _outcome(running: Served, everybody: list[Participant], broken: tuple[str, ...]) -> Outcome:
    acknowledged = {token for person in everybody for token in person.acknowledged}
    with running.session.database.reading() as rows:
        connection = rows._connection
        stored = Counter(connection.scalars(sa.select(TRIAL.c.token).join_from(ANSWER, TRIAL, TRIAL.c.id == ANSWER.c.trial)))
        counted = Counter(connection.scalars(sa.select(ATTEMPT.c.token).where(ATTEMPT.c.outcome == "stored")))
        steps = connection.execute(
            sa.select(TRIAL.c.participant, sa.func.count(), sa.func.max(TRIAL.c.step))
            .join_from(ANSWER, TRIAL, TRIAL.c.id == ANSWER.c.trial)
            .group_by(TRIAL.c.participant)
        ).all()
    wrong = [
        *broken,
        *(f"{token} was acknowledged and is lost" for token in acknowledged - set(stored)),
        *(f"{token} is stored {times} times" for token, times in stored.items() if times != 1),
        *(f"{token} is stored, and its attempt is not" for token in set(stored) ^ set(counted)),
        *(f"{token} counted {times} times" for token, times in counted.items() if times != 1),
        *(f"{who} has a gap" for who, count, last in steps if count != last + 1),
    ]
    return Outcome(len(acknowledged), len(stored), len(set(stored) - acknowledged), tuple(wrong))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Whether anything is lost when the server is killed.")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--participants", type=int, default=40)
    parser.add_argument("--thinking", type=float, default=0.5, help="seconds between a pair and its answer")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    return parser.parse_args()


if __name__ == "__main__":
    main()
