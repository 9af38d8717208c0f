"""The status of steering: read from a growing log, exact, never in the way, and calm about a half-written line."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from stimuli import commands, production
from stimuli.config import Condition, Prompt, StimuliTable
from stimuli.experiment import Experiment, ExperimentError
from stimuli.groups import Group
from stimuli.progress import words
from stimuli.progress.status import Status, Watcher
from stimuli.ratings import RatedData
from stimuli.steering import Steering
from stimuli.store import Store
from stimuli.studyfile import ExperimentTable

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Log:
    """A store with a clock that is set by hand."""

    def __init__(self, folder: Path) -> None:
        self.now = START
        self.store = Store(folder, clock=lambda: self.now)
        self.watcher = Watcher(folder / "events.jsonl")
        self._number = 0

    def tell(self, seconds: float, event: str, **fields: Any) -> None:
        self.now = START + timedelta(seconds=seconds)
        self.store.remember([], [{"event": event, **fields}])

    def render(self, seconds: float, number: int) -> None:
        for _ in range(number):
            self._number += 1
            self.tell(seconds, "rendered", key=str(self._number), image="i", prompt="p", seed=self._number)

    def status(self, seconds: float) -> Status:
        return self.watcher.status(now=START + timedelta(seconds=seconds))


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    made = Log(tmp_path)
    yield made
    made.store.close()


def test_it_counts_what_happened(log: Log) -> None:
    assert log.status(0).planned is None
    log.tell(0, "planned", chains=2, iterations=5, candidates=4, images=40)
    log.render(10, 3)
    log.tell(11, "scored", scorer="crisp", image="i", score=0.5)
    log.tell(12, "iterated", chain="boat/crisp/1", iteration=1)
    log.tell(13, "rejected", chain="boat/crisp/1", iteration=2, prompt="p", image="i", likeness=0.1, floor=0.4)
    now = log.status(20)
    assert (now.chains, now.iterations, now.images, now.scores, now.rejected, now.failed) == (0, 1, 3, 1, 1, ())
    assert now.quiet == timedelta(seconds=7)
    assert [event["event"] for event in now.last] == ["planned", "rejected"]


def test_a_chain_that_stops_early_has_done_all_of_its_iterations(log: Log) -> None:
    log.tell(0, "planned", chains=2, iterations=5, candidates=4, images=40)
    log.tell(1, "iterated", chain="a", iteration=2)
    log.tell(2, "stopped", chain="a", iteration=2, reason="patience", score=1.0)
    assert (log.status(3).chains, log.status(3).iterations, log.status(3).is_done) == (1, 5, False)
    log.tell(4, "failed", chain="b", prompt="p", error="the disk is full")
    now = log.status(5)
    assert now.is_done
    assert [(one.chain, one.error) for one in now.failed] == [("b", "the disk is full")]


def test_a_failed_chain_that_goes_on_has_not_failed(log: Log) -> None:
    log.tell(0, "failed", chain="b", prompt="p", error="the disk is full")
    log.tell(1, "iterated", chain="b", iteration=1)
    assert log.status(2).failed == ()


def test_a_chain_that_begins_anew_by_other_settings_has_not_ended(log: Log) -> None:
    log.tell(0, "planned", chains=1, iterations=2, candidates=4, images=10)
    log.tell(1, "iterated", chain="a", iteration=2)
    log.tell(2, "stopped", chain="a", iteration=2, reason="iterations", score=1.0)
    assert log.status(3).is_done
    log.tell(4, "planned", chains=1, iterations=5, candidates=4, images=25)
    log.tell(5, "proposed", chain="a", iteration=3, asked=4, got=4, repaired=False)
    assert (log.status(6).is_done, log.status(6).iterations) == (False, 0)
    log.tell(7, "iterated", chain="a", iteration=3)
    log.tell(8, "stopped", chain="a", iteration=3, reason="patience", score=2.0)
    assert log.status(9).is_done


def test_speed_is_of_the_last_minutes_and_time_left_of_the_iterations_to_come(log: Log) -> None:
    log.tell(0, "planned", chains=2, iterations=5, candidates=20, images=200)
    log.render(0, 50)
    log.render(1000, 60)
    log.tell(1060, "iterated", chain="a", iteration=5)
    now = log.status(1060)
    assert now.images_per_second == pytest.approx(1.0)
    assert now.seconds_left == pytest.approx(100)
    assert log.status(2000).images_per_second is None


def test_a_half_written_line_is_left_for_later(log: Log, tmp_path: Path) -> None:
    log.render(0, 2)
    path = tmp_path / "events.jsonl"
    assert log.status(1).images == 2
    half = json.dumps({"number": 3, "at": START.isoformat(), "event": "rendered", "prompt": "ä"}, ensure_ascii=False).encode()
    with path.open("ab") as file:
        file.write(half[:-4])
    assert log.status(2).images == 2
    with path.open("ab") as file:
        file.write(half[-4:] + b"\n")
    assert log.status(3).images == 3


def test_work_that_was_started_afresh_is_counted_afresh(log: Log, tmp_path: Path) -> None:
    log.render(0, 5)
    assert log.status(1).images == 5
    (tmp_path / "events.jsonl").write_text("")
    assert log.status(2).images == 0


def test_looking_writes_nothing(log: Log, tmp_path: Path) -> None:
    log.render(0, 2)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    for _ in range(3):
        log.status(1)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_what_is_shown_survives_any_text(log: Log) -> None:
    log.tell(0, "planned", chains=9, iterations=5, candidates=20, images=200)
    for number in range(7):
        log.tell(1, "failed", chain=f"c{number}", prompt="[bold]", error="[/nonsense] \x1b[31m")
    log.tell(2, "accepted", chain="boat/crisp/1", iteration=1, prompt="A [red]boat[/red] " + "x" * 100, score=0.25)
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(words.sheet(log.status(3)))
    said = console.export_text()
    assert "[/nonsense]" in said and "and 2 more chains failed" in said
    assert 'accepted boat/crisp/1 (iteration 1, score 0.25) "A [red]boat[/red]' in said
    assert words.line(log.status(3)).startswith("0 of 9 chains; 0 of 45 iterations; 0 images")


@dataclass(frozen=True)
class Settings:
    stimuli: StimuliTable
    experiment: ExperimentTable = field(default_factory=lambda: ExperimentTable("Tiny", 3))
    prompt: tuple[Prompt, ...] = (Prompt("boat", "A sailing boat on a lake."),)
    condition: tuple[Condition, ...] = (Condition("initial"), Condition("colourful", scorer="colourful"))
    group: tuple[Group, ...] = ()


def test_a_real_run_is_told_to_the_end(tmp_path: Path) -> None:
    steering = Steering(candidates=3, iterations=2, patience=9)
    settings = Settings(StimuliTable(size=64, steering=steering, ratings=RatedData(raters=4, images=20, per_rater=10)))
    experiment = Experiment(tmp_path)
    experiment.settings.touch()
    production.steer(experiment, settings)
    now = Watcher(experiment.work / "events.jsonl").status()
    with Store(experiment.work) as store:
        assert (now.images, now.scores) == (store.count("render"), store.count("score"))
    assert (now.chains, now.iterations, now.is_done, now.failed) == (1, 2, True, ())
    said = CliRunner().invoke(commands.app, ["status", str(tmp_path)], obj=lambda folder: (Experiment(folder), settings)).stdout
    assert "1/1" in said and "2/2" in said and "all chains have ended" in said
    followed = CliRunner().invoke(commands.app, ["status", str(tmp_path), "--follow"], obj=lambda folder: (Experiment(folder), settings))
    assert "1 of 1 chains; 2 of 2 iterations" in followed.stdout


def test_nothing_steered_yet_is_told(tmp_path: Path) -> None:
    asked = CliRunner().invoke(commands.app, ["status", str(tmp_path)], obj=lambda folder: (Experiment(folder), None))
    assert isinstance(asked.exception, ExperimentError)
    assert "events.jsonl: no such file, so nothing was steered yet; `tastebench stimuli steer" in str(asked.exception)
