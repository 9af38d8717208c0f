"""Gives each worker one batch after the other, and sees to what fails: smaller batches, another worker, or an error for who waits."""

import asyncio

from stimuli.experiment import ExperimentError
from stimuli.rewriters import Question
from stimuli.stages import Render
from stimuli.workers.failures import no_worker_left, unexpected
from stimuli.workers.hands import Hands, LostWorkerError
from stimuli.workers.jobs import Answers, Job, Judge, Paint, Reword, Trouble
from stimuli.workers.pool import Done, Pool
from stimuli.workers.queues import Item, Kind, Sight

# How many turns of the event loop chains take to ask for what comes next once they have what they waited for.
_TURNS = 8

# How often in a row a worker may be lost before its place stays empty, and an item may lose its worker before it is to blame.
_LIVES = 5
_DEATHS = 3


class Service:
    """What happens between a pool and the workers."""

    def __init__(self, pool: Pool, hands: Hands) -> None:
        self._pool, self._hands = pool, hands
        self._losses = dict.fromkeys(range(hands.number), 0)

    async def serve(self, place: int) -> None:
        """Give the worker at a place one batch after the other, and write down what it did while it does the next."""
        try:
            await self._ready(place)
            done: Done | None = None
            while True:
                batch = self._pool.queues.take_full()
                if batch is None:
                    self._pool.keep(done)
                    done, batch = None, await self._next()
                doing = self._started(place, batch)
                self._pool.keep(done)
                done = await self._ended(place, batch, doing)
        except LostWorkerError as error:
            del self._losses[place]
            if not self._losses:
                self._pool.stop(no_worker_left(error, _LIVES))
        except Exception as error:  # noqa: BLE001 - chains must not wait for ever; it is raised where the crew ends
            self._pool.stop(error if isinstance(error, ExperimentError) else unexpected(error))

    async def _next(self) -> list[Item]:
        """Wait for work and return a batch, once chains had the time to ask for what comes next."""
        while True:
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            if batch := self._pool.queues.take():
                return batch
            self._pool.more.clear()
            await self._pool.more.wait()

    def _started(self, place: int, batch: list[Item]) -> asyncio.Future[Answers | Trouble]:
        stage = batch[0].kind.stage
        self._pool.tallies[stage].count(len(batch), self._pool.queues.sizes[stage])
        try:
            return self._hands.start(place, self._job(batch))
        except ExperimentError as error:
            return _now(Trouble(str(error)))

    def _job(self, batch: list[Item]) -> Job:
        tasks = [item.task for item in batch]
        match batch[0].kind.stage:
            case "rewrite":
                return Reword(tuple(task for task in tasks if isinstance(task, Question)))
            case "render":
                return Paint(tuple(task for task in tasks if isinstance(task, Render)))
            case "score":
                sights = [task for task in tasks if isinstance(task, Sight)]
                # Read as late as this: only what is being done is in memory.
                pngs = tuple(self._pool.png(sight.image) for sight in sights)
                return Judge(batch[0].kind.scorers, pngs, tuple(sight.prompt for sight in sights))

    async def _ended(self, place: int, batch: list[Item], doing: asyncio.Future[Answers | Trouble]) -> Done | None:
        """Return what a worker did; what it did not do waits again, or has failed."""
        try:
            outcome = await doing
        except asyncio.CancelledError:
            # Everything is being stopped; what was done in this very moment is kept.
            if doing.done() and not doing.cancelled() and not doing.exception():
                self._keep_last(batch, doing.result())
            raise
        except LostWorkerError as error:
            self._lost(batch, error)
            self._count_loss(place, error)
            await self._ready(place)
            return None
        self._losses[place] = 0
        if isinstance(outcome, Trouble):
            self._troubled(batch, outcome)
            return None
        return Done(batch, outcome)

    def _keep_last(self, batch: list[Item], outcome: Answers | Trouble) -> None:
        if not isinstance(outcome, Trouble):
            self._pool.keep(Done(batch, outcome))

    async def _ready(self, place: int) -> None:
        while True:
            try:
                await self._hands.ready(place)
                return
            except LostWorkerError as error:
                self._count_loss(place, error)

    def _count_loss(self, place: int, error: LostWorkerError) -> None:
        self._losses[place] += 1
        if self._losses[place] >= _LIVES:
            raise error

    def _lost(self, batch: list[Item], error: LostWorkerError) -> None:
        """Let the items of a worker that ended wait again: together, then one by one, for one of them may be what ends workers."""
        for item in batch:
            item.deaths += 1
        if len(batch) == 1 and batch[0].deaths >= _DEATHS:
            self._pool.fail(batch[0], Trouble(f"{error}, {_DEATHS} times with this; see the system's log (dmesg) whether memory ran out"))
        else:
            self._pool.put_back(batch, alone=max(item.deaths for item in batch) >= _DEATHS - 1)

    def _troubled(self, batch: list[Item], trouble: Trouble) -> None:
        """Let the items of a batch that failed wait again in smaller batches, down to one item and one scorer; that one fails."""
        stage, scorers, sizes = batch[0].kind.stage, batch[0].kind.scorers, self._pool.queues.sizes
        if trouble.is_memory and len(batch) > 1:
            sizes[stage] = min(sizes[stage], (len(batch) + 1) // 2)
            self._pool.note({"event": "halved", "stage": stage, "batch": sizes[stage]})
            self._pool.put_back(batch)
        elif len(batch) > 1:
            self._pool.put_back(batch, alone=True)
        elif len(scorers) > 1:
            [item] = batch
            by_one = [Item(Kind(stage, (place,)), item.task, (wanted,)) for place, wanted in zip(scorers, item.wanted, strict=True)]
            self._pool.put_back(by_one, alone=True)
        else:
            self._pool.fail(batch[0], trouble)


def _now(trouble: Trouble) -> asyncio.Future[Answers | Trouble]:
    """Return a job that has failed already."""
    future: asyncio.Future[Answers | Trouble] = asyncio.get_running_loop().create_future()
    future.set_result(trouble)
    return future
