"""Workers that are Ray actors, for work that outgrows a machine: one for each GPU of the cluster, or each core where it has none.

The only module that knows Ray. The machines need this package and the weights; Ray finds the cluster by RAY_ADDRESS.
"""

import asyncio
import os
import pickle
from typing import Any

from stimuli.experiment import ExperimentError
from stimuli.workers.hands import LostWorkerError
from stimuli.workers.jobs import Answers, Job, Parts, Sent, Trouble


class Cluster:
    """Some Ray actors. An actor that ends is replaced by a new one, wherever there is room."""

    def __init__(self, parts: Parts, number: int | None) -> None:
        self._ray = ray = _ray()
        # A cluster that is in use already is left as it is.
        self._is_ours = not ray.is_initialized()
        if self._is_ours:
            _begin(ray, number)
        has = ray.cluster_resources()
        gpus, cores = int(has.get("GPU", 0)), int(has.get("CPU", 1))
        self.number: int = number or gpus or cores
        self._kind = ray.remote(num_cpus=1, num_gpus=1 if gpus else 0)(Worker)
        self._parts = ray.put(pickle.dumps(parts))
        self._actors: dict[int, Any] = {}

    async def ready(self, place: int) -> None:
        """Start an actor and wait until it runs, which on a full cluster may take long; meanwhile others do the work."""
        self._end(place)
        self._actors[place] = self._kind.remote(self._parts)
        await self._awaited(self._actors[place].begin.remote())

    def start(self, place: int, job: Job) -> asyncio.Future[Answers | Trouble]:
        """Send the job."""
        return asyncio.ensure_future(self._awaited(self._actors[place].perform.remote(job)))

    async def _awaited(self, sent: Any) -> Any:
        errors = self._ray.exceptions
        try:
            return await sent
        except errors.RayTaskError:
            raise
        except errors.RayError as error:
            # The actor, its machine, or what it had answered is gone.
            raise LostWorkerError(f"a Ray worker was lost ({type(error).__name__})") from error

    async def close(self) -> None:
        """Kill the actors, and the cluster where this process started it."""
        for place in list(self._actors):
            self._end(place)
        if self._is_ours:
            await asyncio.to_thread(self._ray.shutdown)

    def _end(self, place: int) -> None:
        if actor := self._actors.pop(place, None):
            self._ray.kill(actor)


class Worker(Sent):
    """What an actor does."""

    def begin(self) -> int:
        """Return the process's number, once there is one."""
        return os.getpid()


def _ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise ExperimentError(
            "kind = \"ray\" in [stimuli.workers] needs the package ray; install it with `pip install 'tastebench[cluster]'`, "
            'or write kind = "processes"'
        ) from error
    return ray


def _begin(ray: Any, number: int | None) -> None:
    """Join the cluster at RAY_ADDRESS, or start one on this machine."""
    quiet = {"include_dashboard": False, "log_to_driver": False, "logging_level": "ERROR"}
    address = os.environ.get("RAY_ADDRESS")
    try:
        if address:
            ray.init(address=address, **quiet)
        else:
            ray.init(num_cpus=number, **quiet)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise ExperimentError(
            f"Ray cannot be started{f' at RAY_ADDRESS={address}' if address else ''} ({error}); start a cluster with `ray start --head`, "
            "or unset RAY_ADDRESS to use this machine alone"
        ) from error
