"""A worker that is this thread: for little work, and for finding mistakes. Nothing else happens while it works."""

import asyncio

from stimuli.workers.jobs import Answers, Job, Parts, Trouble, perform


class Here:
    """One worker, the event loop's own thread."""

    number = 1

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def ready(self, place: int) -> None:
        """Be ready always."""

    def start(self, place: int, job: Job) -> asyncio.Future[Answers | Trouble]:  # noqa: ARG002 - there is one place
        """Do the job as soon as it is waited for."""
        return asyncio.ensure_future(self._performed(job))

    async def _performed(self, job: Job) -> Answers | Trouble:
        return perform(self._parts, job)

    async def close(self) -> None:
        """End nothing."""
