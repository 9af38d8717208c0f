"""The one interface behind which jobs are done: in this thread, in threads, in processes, or on the machines of a cluster."""

import asyncio
from typing import Protocol

from stimuli.workers.jobs import Answers, Job, Trouble


class LostWorkerError(Exception):
    """A worker ended in the middle of a job, or could not begin; the job can be given to another."""


class Hands(Protocol):
    """Some workers, each with a place from 0 on; each does one job at a time."""

    @property
    def number(self) -> int:
        """How many there are."""
        ...

    async def ready(self, place: int) -> None:
        """Return when the worker at a place can take a job: it is started, or started anew where it was lost.

        Raises:
            LostWorkerError: it ended while it started.
        """
        ...

    def start(self, place: int, job: Job) -> asyncio.Future[Answers | Trouble]:
        """Give a job to a worker that is ready, at once, and return what to wait for.

        Raises (when waited for):
            LostWorkerError: the worker ended.
        """
        ...

    async def close(self) -> None:
        """End all workers, whatever they are doing."""
        ...
