"""Workers that are processes: the same results, whoever is killed and when, and nothing is left behind."""

import asyncio
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import tiny_crew
from numpy.typing import NDArray
from PIL import Image
from tiny_crew import SCORERS, events, parts, rendered, run, with_crew
from tiny_parts import TinyGenerator

from stimuli.experiment import ExperimentError
from stimuli.stages import Render
from stimuli.steering import steer
from stimuli.steering.chains import Steering
from stimuli.workers import Parts, Pool, Workers
from stimuli.workers.hands import Hands, LostWorkerError
from stimuli.workers.jobs import Judge
from stimuli.workers.processes import Processes

# How long a machine with much else to do may take; nothing waits so long where all is well.
PATIENCE_S = 120
TWO = Workers(kind="processes", number=2, render=4)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The digest of a run in one thread."""
    return run(tmp_path_factory.mktemp("here"), "here")


def living(group: int) -> list[int]:
    """Return the processes of a group that have not ended."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, of_group = status.read_text().rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(of_group) == group and state != "Z":
            found.append(int(status.parent.name))
    return found


def wait_while(is_so: Callable[[], bool], program: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while is_so():
        assert program.poll() is None
        assert time.monotonic() < deadline, "the program stands still"
        time.sleep(0.01)


def wait_until_gone(group: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while living(group):
        assert time.monotonic() < deadline, f"processes {living(group)} were left behind"
        time.sleep(0.02)


def test_processes_end_as_one_thread_does(tmp_path: Path, expected: str) -> None:
    assert run(tmp_path, "processes") == expected


def test_a_worker_that_is_killed_changes_nothing(tmp_path: Path, expected: str) -> None:
    trap, log = tmp_path / "trap", tmp_path / "log"
    trap.touch()
    assert run(tmp_path / "store", "processes", TinyGenerator(log, trap=trap)) == expected
    assert not trap.exists()
    # Only what the killed worker had in hand is rendered again.
    assert len(log.read_text().splitlines()) <= len(rendered(tmp_path / "store")) + 4


def test_a_prompt_that_kills_workers_fails_its_own_chains(tmp_path: Path) -> None:
    async def work(pool: Pool) -> list[str]:
        steering = Steering(candidates=3, iterations=1, fresh_seeds=0)
        ended = await asyncio.gather(*(steer(chain, steering, pool) for chain in tiny_crew.chains()), return_exceptions=True)
        return [str(error) for error in ended if isinstance(error, BaseException)]

    told = asyncio.run(with_crew(tmp_path, TWO, parts(TinyGenerator(deadly="base 1")), work))
    assert told == [
        'rendering "base 1" (seed 1) by generator "tiny" failed: a worker process ended in the middle of its work, '
        "3 times with this; see the system's log (dmesg) whether memory ran out"
    ] * len(SCORERS)


def test_where_no_worker_can_live_everything_stops_and_says_so(tmp_path: Path) -> None:
    async def work(pool: Pool) -> None:
        await asyncio.gather(*(pool.render([Render(f"base {number}", 1)]) for number in range(40)), return_exceptions=True)

    with pytest.raises(ExperimentError, match=r"5 times in a row, and no worker is left.*dmesg.*What is done is kept"):
        asyncio.run(with_crew(tmp_path, replace(TWO, number=1, render=40), parts(Stillborn()), work))


@dataclass(frozen=True)
class Stillborn(TinyGenerator):
    """A generator that ends each process that unpacks it: all are lost, whatever they render."""

    def __setstate__(self, state: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class Seeing:
    """A scorer that tells which GPU its process may see, and how many threads its libraries may start."""

    spec = replace(SCORERS[0].spec, name="seeing")

    def score(self, images: Sequence[Image.Image], prompts: Sequence[str]) -> NDArray[np.float64]:
        del images
        return np.array([float(os.environ[prompt]) for prompt in prompts])


def test_each_process_sees_its_own_gpu_only_and_this_one_is_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,7")
    before = dict(os.environ)

    async def work() -> list[object]:
        hands: Hands = Processes(Parts(TinyGenerator(), parts().rewriter, (Seeing(),)), 2, gpus=["5", "7"], cores=6)
        for place in range(2):
            await hands.ready(place)
        job = Judge((0,), (PNG, PNG), ("CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS"))
        told = [await hands.start(place, job) for place in range(2)]
        await hands.close()
        return told

    assert asyncio.run(work()) == [[[5.0, 3.0]], [[7.0, 3.0]]]
    assert dict(os.environ) == before


def test_closing_does_not_wait_for_what_a_worker_does() -> None:
    async def work() -> None:
        hands = Processes(parts(TinyGenerator(pause=3600)), 1)
        await hands.ready(0)
        doing = hands.start(0, tiny_crew.paint("a"))
        await asyncio.sleep(0.05)
        await hands.close()
        with pytest.raises(LostWorkerError):
            await doing

    before = multiprocessing.active_children()
    asyncio.run(work())
    assert multiprocessing.active_children() == before


@contextmanager
def busy_interpreter() -> Iterator[None]:
    """Have another thread calculate all the time: a large answer is then read over seconds, and its middle cannot be missed."""
    done = threading.Event()

    def calculate() -> None:
        while not done.is_set():
            pass

    thread = threading.Thread(target=calculate)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def read_by_this_process() -> int:
    return int(Path("/proc/self/io").read_text().split()[1])


def test_a_worker_that_is_killed_in_the_middle_of_a_large_answer_is_not_waited_for() -> None:
    async def killed_in_the_middle() -> bool:
        hands = Processes(parts(TinyGenerator(noise=2000)), 1)
        await hands.ready(0)
        before = read_by_this_process()
        doing = hands.start(0, tiny_crew.paint("a"))
        deadline = time.monotonic() + PATIENCE_S
        while read_by_this_process() < before + 2_000_000:
            assert time.monotonic() < deadline, "no answer came"
            await asyncio.sleep(0)
        [worker] = multiprocessing.active_children()
        worker.kill()
        try:
            await asyncio.wait_for(doing, timeout=PATIENCE_S)
        except LostWorkerError as lost:
            assert "in the middle of its work" in str(lost)
            await hands.ready(0)
            return True
        finally:
            await hands.close()
        return False

    # On a busy machine the whole answer may have come before the worker dies, which tests nothing.
    with busy_interpreter():
        assert any(asyncio.run(killed_in_the_middle()) for _ in range(10))


def started(folder: Path, log: Path) -> subprocess.Popen[str]:
    """Return the run as a program of its own, with its workers in a group of processes."""
    command = [sys.executable, tiny_crew.__file__, str(folder), "processes", str(log)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def lines(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []


def test_killed_at_ten_random_points_it_ends_the_same_and_renders_nothing_that_was_stored(tmp_path: Path, expected: str) -> None:
    log, store = tmp_path / "log", tmp_path / "store"
    rng = random.Random(6)
    stored_before: list[tuple[set[str], int]] = []
    for images in sorted(rng.sample(range(120), 10)):
        program = started(store, log)
        deadline = time.monotonic() + PATIENCE_S
        while len(set(lines(log))) < images and program.poll() is None:
            assert time.monotonic() < deadline, "the program stands still"
            time.sleep(0.005)
        time.sleep(rng.random() / 20)
        program.kill()
        program.communicate()
        wait_until_gone(program.pid)
        stored_before.append((rendered(store), len(lines(log))))
    program = started(store, log)
    out, err = program.communicate(timeout=5 * PATIENCE_S)
    assert (out, err) == (expected, "")
    wait_until_gone(program.pid)
    done = lines(log)
    # What had reached the store when the program was killed was never rendered again …
    for stored, count in stored_before:
        assert not stored & set(done[count:])
    # … so what was rendered twice is at most what the two workers had in hand: one batch each, and one that was being stored.
    assert len(done) - len(set(done)) <= 10 * 2 * 2 * 4
    assert set(done) == rendered(store)
    assert stored_before[0][0] < stored_before[-1][0], "the kills came too late to test anything"
    # The patience of chains outlived the kills, and nothing was told twice.
    stopped = [event for event in events(store) if event["event"] == "stopped"]
    assert {"patience", "iterations"} == {event["reason"] for event in stopped}
    assert len(stopped) == len(tiny_crew.chains())


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_stopped_by_the_user_it_leaves_no_process_behind(tmp_path: Path, by: signal.Signals) -> None:
    log = tmp_path / "log"
    program = started(tmp_path / "store", log)
    # The program, the tracker of its resources, and two workers that hardly have begun to start.
    wait_while(lambda: len(living(program.pid)) < 4, program)
    # Workers leave Ctrl-C to the program.
    done = len(lines(log))
    for pid in living(program.pid):
        if pid != program.pid:
            os.kill(pid, signal.SIGINT)
    wait_while(lambda: len(lines(log)) < done + 12, program)
    # As a terminal does: to the whole group.
    os.killpg(program.pid, by)
    _, err = program.communicate(timeout=PATIENCE_S)
    assert program.returncode == -by
    # What the program itself says of being stopped, and nothing of its workers.
    assert err.strip().endswith("KeyboardInterrupt") if by == signal.SIGINT else err == ""
    assert "SpawnProcess" not in err
    assert "spawn_main" not in err
    assert "resource_tracker" not in err
    wait_until_gone(program.pid)


PNG = tiny_crew.png()
