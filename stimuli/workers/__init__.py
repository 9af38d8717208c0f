"""Who does the work of many chains at once: this process, threads, a process for each GPU, or Ray; one interface, the same results.

Each stage has one queue, workers take a batch of it when they are free, and so batches fill across chains.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from stimuli.progress import Report, silent
from stimuli.store import Store
from stimuli.workers.hands import Hands
from stimuli.workers.jobs import Parts
from stimuli.workers.pool import Pool
from stimuli.workers.queues import Stage
from stimuli.workers.serving import Service

__all__ = ["Parts", "Pool", "Workers", "crew"]

# Fewer images are done before processes have started and each has loaded what it needs.
_MANY = 2000

_Kind = Literal["here", "threads", "processes", "ray"]


@dataclass(frozen=True)
class Workers:
    """`[stimuli.workers]`: how many do the work, where, and how much each takes at once."""

    kind: Literal["auto", "here", "threads", "processes", "ray"] = "auto"
    """Where the work is done; "auto" is one process for each GPU; without one, processes for much work and this process for little."""
    number: Annotated[int, Field(ge=1, le=1024)] | None = None
    """How many workers, where that is not to be found out."""
    rewrite: Annotated[int, Field(ge=1, le=1024)] = 8
    """Prompts that a worker takes at once."""
    render: Annotated[int, Field(ge=1, le=1024)] = 8
    """Images that a worker takes at once."""
    score: Annotated[int, Field(ge=1, le=1024)] = 16
    """Scores that a worker takes at once."""


@asynccontextmanager
async def crew(store: Store, parts: Parts, workers: Workers, *, images: int, report: Report = silent) -> AsyncIterator[Pool]:
    """Give the stages (`stimuli.steering.Stages`) of chains; `images` says about how many will be rendered.

    Raises:
        ExperimentError: the workers cannot be started; or, at the end, what stopped all of them, such as a full disk.
    """
    hands = hands_for(parts, workers, images=images)
    sizes: dict[Stage, int] = {"rewrite": workers.rewrite, "render": workers.render, "score": workers.score}
    pool = Pool(store, parts, sizes, images=images, report=report)
    service = Service(pool, hands)
    with _ended_in_order():
        serving = [asyncio.create_task(service.serve(place)) for place in range(hands.number)]
        try:
            yield pool
        finally:
            for task in serving:
                task.cancel()
            await asyncio.gather(*serving, return_exceptions=True)
            await hands.close()
            pool.flush()
            if pool.broken:
                raise pool.broken


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """Let SIGTERM stop what is inside, as Ctrl-C does, before it ends this process."""
    loop, task, before = asyncio.get_running_loop(), asyncio.current_task(), signal.getsignal(signal.SIGTERM)
    told = asyncio.Event()

    def stop() -> None:
        told.set()
        if task:
            task.cancel()

    try:
        loop.add_signal_handler(signal.SIGTERM, stop)
    except (NotImplementedError, RuntimeError, ValueError):
        # Not on this system, or not in the main thread, which is the only one that signals reach.
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
        signal.signal(signal.SIGTERM, before)
        if told.is_set():
            signal.raise_signal(signal.SIGTERM)


def hands_for(parts: Parts, workers: Workers, *, images: int) -> Hands:
    """Return the workers that were asked for.

    Raises:
        ExperimentError: Ray is asked for and cannot be used.
    """
    from stimuli.workers import processes

    gpus = [] if parts.is_offline or workers.kind in ("here", "ray") else processes.gpus_here()
    cores = processes.cores_here()
    number = workers.number or len(gpus) or cores
    match workers.kind if workers.kind != "auto" else _kind(gpus, images):
        case "here":
            from stimuli.workers.here import Here

            return Here(parts)
        case "threads":
            from stimuli.workers.threads import Threads

            return Threads(parts, number)
        case "processes":
            return processes.Processes(parts, number, gpus=gpus, cores=cores)
        case "ray":
            from stimuli.workers.cluster import Cluster

            return Cluster(parts, workers.number)


def _kind(gpus: list[str], images: int) -> _Kind:
    return "processes" if gpus or images > _MANY else "here"
