"""Workers that are processes of this machine, one for each GPU where there are any; they end when this process does, however it ends."""

import asyncio
import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from stimuli.workers.hands import LostWorkerError
from stimuli.workers.jobs import Answers, Job, Parts, Sent, Trouble


@dataclass(frozen=True)
class _Worker:
    """A process and our end of the pipe to it. The other end is open in that process alone, so reading ends when the process does."""

    process: BaseProcess
    pipe: Connection


class Processes:
    """Some processes; each is spoken to by a thread of its own, which waits for its answers.

    Not a `ProcessPoolExecutor`: there, a process that is killed while it sends a large answer is waited for without end.
    `gpus` are the names of the GPUs as in CUDA_VISIBLE_DEVICES; the process at a place sees only the one at that place.
    """

    def __init__(self, parts: Parts, number: int, *, gpus: Sequence[str] = (), cores: int = 1) -> None:
        self.number = number
        # Bytes: what they import may start PyTorch, and no process may do that before it knows its GPU.
        self._parts = pickle.dumps(parts)
        self._gpus = gpus
        self._each = max(1, cores // number)
        self._threads = ThreadPoolExecutor(number, thread_name_prefix="worker")
        self._workers: dict[int, _Worker] = {}

    async def ready(self, place: int) -> None:
        """Start the process at a place, in place of one that ended."""
        self._end(place)
        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(target=_work, args=(theirs, self._parts), daemon=True)
        with _environment(self._variables(place)), _ctrl_c_held():
            process.start()
        theirs.close()
        self._workers[place] = _Worker(process, ours)
        await self._told(place, None)

    def start(self, place: int, job: Job) -> asyncio.Future[Answers | Trouble]:
        """Send the job to the process."""
        return self._told(place, job)

    def _told(self, place: int, job: Job | None) -> asyncio.Future[Any]:
        return asyncio.get_running_loop().run_in_executor(self._threads, _ask, self._workers[place].pipe, job)

    async def close(self) -> None:
        """Kill the processes: what they are doing is not stored, and nobody waits for it."""
        for worker in self._workers.values():
            worker.process.kill()
        # With its process a thread's waiting ends.
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)
        for place in list(self._workers):
            self._end(place)

    def _end(self, place: int) -> None:
        if worker := self._workers.pop(place, None):
            worker.process.kill()
            worker.process.join()
            worker.process.close()
            worker.pipe.close()

    def _variables(self, place: int) -> dict[str, str]:
        variables = {"CUDA_VISIBLE_DEVICES": self._gpus[place % len(self._gpus)]} if self._gpus else {}
        # Libraries of linear algebra take all cores each unless told how many.
        return variables | ({} if "OMP_NUM_THREADS" in os.environ else {"OMP_NUM_THREADS": str(self._each)})


def _ask(pipe: Connection, job: Job | None) -> Any:
    """Return what the process answers; to None, that it is ready."""
    try:
        pipe.send(job)
        return pipe.recv()
    except (EOFError, OSError) as error:
        raise LostWorkerError(
            "a worker process ended in the middle of its work" if job else "a worker process ended while it started"
        ) from error


def gpus_here() -> list[str]:
    """Return the GPUs that PyTorch may use, by the names that CUDA_VISIBLE_DEVICES has for them."""
    import torch

    number = torch.cuda.device_count()
    named = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    return named[:number] or [str(place) for place in range(number)]


def cores_here() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Have environment variables for as long as a process takes to start; it keeps them."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _ctrl_c_held() -> Iterator[None]:
    """Have processes start with Ctrl-C held back, until they can leave it to us; what comes here meanwhile comes afterwards."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # The first process brings this one along, which would let Ctrl-C through again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# What happens in a worker process.


def _work(pipe: Connection, parts: bytes) -> None:
    """Answer jobs until nobody asks any more."""
    # Ctrl-C reaches every process of a terminal; the parent ends its workers itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sent = Sent(parts)
    try:
        while True:
            job: Job | None = pipe.recv()
            pipe.send(None if job is None else sent.perform(job))
    except (EOFError, OSError):
        return


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        # At once, whatever the other threads do: nobody waits for this process any more.
        os._exit(1)
