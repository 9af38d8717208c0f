"""Workers that are threads of this process: for parts that wait for a network, or whose libraries let go of the interpreter."""

import asyncio
import copy
from concurrent.futures import ThreadPoolExecutor

from stimuli.workers.jobs import Answers, Job, Parts, Trouble, perform


class Threads:
    """Some threads; each has its own copy of the parts, so no part needs to be safe against two threads."""

    def __init__(self, parts: Parts, number: int) -> None:
        self.number = number
        self._parts = [copy.deepcopy(parts) for _ in range(number)]
        self._executor = ThreadPoolExecutor(number, thread_name_prefix="worker")

    async def ready(self, place: int) -> None:
        """Be ready always."""

    def start(self, place: int, job: Job) -> asyncio.Future[Answers | Trouble]:
        """Give the job to a thread."""
        return asyncio.get_running_loop().run_in_executor(self._executor, perform, self._parts[place], job)

    async def close(self) -> None:
        """Wait for the jobs that have begun: a thread cannot be ended."""
        await asyncio.to_thread(self._executor.shutdown, cancel_futures=True)
