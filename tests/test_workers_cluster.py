"""Workers that are Ray actors: the same results on a cluster, here one of this machine, also after a worker was killed."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tiny_crew
from tiny_crew import parts, rendered, run
from tiny_parts import TinyGenerator

from stimuli.experiment import ExperimentError
from stimuli.workers import Workers
from stimuli.workers.cluster import Cluster
from stimuli.workers.hands import LostWorkerError

pytest.importorskip("ray", reason="needs pip install 'tastebench[cluster]'")


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    import ray

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.delenv("RAY_ADDRESS", raising=False)
        # An actor has the tests on its path as this process has them.
        patch.setenv("PYTHONPATH", str(Path(tiny_crew.__file__).parent))
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
        yield ray
        ray.shutdown()


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The digest of a run in one thread."""
    return run(tmp_path_factory.mktemp("here"), "here")


def test_actors_end_as_one_thread_does_also_where_one_is_killed(ray: Any, tmp_path: Path, expected: str) -> None:
    assert ray.cluster_resources()["CPU"] == 2
    assert run(tmp_path / "whole", "ray") == expected
    trap, log = tmp_path / "trap", tmp_path / "log"
    trap.touch()
    assert run(tmp_path / "killed", "ray", TinyGenerator(log, trap=trap)) == expected
    assert not trap.exists()
    assert len(log.read_text().splitlines()) <= len(rendered(tmp_path / "killed")) + 4
    # A cluster that was there before is there still, with room for others.
    assert ray.is_initialized()


def test_an_actor_that_is_lost_is_started_anew_and_closing_ends_it(ray: Any) -> None:
    async def work() -> tuple[int, list[object]]:
        hands = Cluster(parts(TinyGenerator(deadly="deadly")), None)
        await hands.ready(0)
        with pytest.raises(LostWorkerError, match=r"a Ray worker was lost \(Actor"):
            await hands.start(0, tiny_crew.paint("deadly"))
        await hands.ready(0)
        told = await hands.start(0, tiny_crew.paint("harmless"))
        assert isinstance(told, list)
        await hands.close()
        return hands.number, told

    number, told = asyncio.run(work())
    assert number == 2
    assert [type(png) for png in told] == [bytes]
    del ray


def test_a_cluster_that_is_not_there_is_an_error_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    def refused(**_: object) -> None:
        raise ConnectionError("Failed to connect to Ray cluster at 192.0.2.7:6379")

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", refused)
    monkeypatch.setenv("RAY_ADDRESS", "192.0.2.7:6379")
    with pytest.raises(
        ExperimentError, match=r"at RAY_ADDRESS=192.0.2.7:6379 \(Failed to connect.*start a cluster with `ray start --head`"
    ):
        Cluster(parts(), Workers().number)
