"""The plan of a study: never less than what a run takes, exact where nothing stops early, and honest about where figures are from."""

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from stimuli import commands, generators, planning, production
from stimuli.config import Condition, Prompt, StimuliTable
from stimuli.experiment import Experiment, ExperimentError
from stimuli.generators import Rendering
from stimuli.groups import Group
from stimuli.planning import Range, pace
from stimuli.planning.rates import PASSES, painting
from stimuli.progress.status import Watcher
from stimuli.ratings import RatedData
from stimuli.scorers import FILES
from stimuli.stages import Render, render_request
from stimuli.steering import Steering
from stimuli.store import Store, key_of
from stimuli.studyfile import ExperimentTable

BOAT, CAT = Prompt("boat", "A sailing boat on a lake."), Prompt("cat", "A cat on a windowsill.")
GENERIC = (Condition("initial"), Condition("colourful", scorer="colourful"))
TARGETS = (*GENERIC, Condition("crisp", scorer="crisp"), Condition("personal", scorer="personal", targets=("rater-01", "rater-02")))


@dataclass(frozen=True)
class Settings:
    stimuli: StimuliTable
    condition: tuple[Condition, ...] = GENERIC
    prompt: tuple[Prompt, ...] = (BOAT,)
    experiment: ExperimentTable = field(default_factory=lambda: ExperimentTable("Tiny", 3))
    group: tuple[Group, ...] = ()


def study(steering: Steering, *conditions: Condition, prompt: tuple[Prompt, ...] = (BOAT,), size: int = 64) -> Settings:
    table = StimuliTable(size=size, steering=steering, ratings=RatedData(raters=4, images=20, per_rater=10))
    return Settings(table, conditions or GENERIC, prompt)


def steered(folder: Path, wanted: Settings) -> tuple[dict[str, int], Counter[str]]:
    """Steer, and return how much was rendered and asked for, and how many images each scorer saw."""
    experiment = Experiment(folder)
    experiment.settings.touch()
    made = production.steer(experiment, wanted)
    status = Watcher(experiment.work / "events.jsonl").status()
    with Store(experiment.work) as store:
        counts = {"images": store.count("render"), "questions": store.count("propose"), "chains": made.chains}
    events = (experiment.work / "events.jsonl").read_text(encoding="utf-8").splitlines()
    seen = Counter(str(json.loads(line)["scorer"]) for line in events if '"scored"' in line)
    assert status.planned is not None
    counts["told"] = status.planned.images
    return counts, seen


def test_where_nothing_stops_early_the_plan_is_exact(tmp_path: Path) -> None:
    wanted = study(Steering(candidates=4, iterations=3, patience=9, fresh_seeds=2))
    counts, _ = steered(tmp_path, wanted)
    plan = planning.plan(wanted)
    assert counts["images"] == plan.images.most + plan.rated_images
    assert counts["told"] == plan.images.most
    assert (counts["chains"], counts["questions"]) == (plan.chains, plan.iterations.most)
    assert plan.iterations == Range(3, 3)


@pytest.mark.parametrize(
    "steering",
    [
        Steering(candidates=3, iterations=4, patience=1, fresh_seeds=1, held_out=("exposure",)),
        Steering(candidates=2, iterations=2, patience=2, seeds=2, runs=2, log="steering", held_out=("exposure",)),
    ],
)
def test_a_run_never_takes_more_than_the_most_nor_less_than_the_least(tmp_path: Path, steering: Steering) -> None:
    wanted = study(steering, *TARGETS, prompt=(BOAT, CAT))
    counts, seen = steered(tmp_path, wanted)
    plan = planning.plan(wanted)
    assert plan.images.least <= counts["images"] - plan.rated_images <= plan.images.most
    assert plan.iterations.least <= counts["questions"] <= plan.iterations.most
    assert (counts["chains"], counts["told"]) == (plan.chains, plan.images.most)
    times = {cost.name: cost.times for cost in plan.costs}
    for name in ("colourful", "crisp", "exposure", "sketch-likeness"):
        assert times[name].least <= seen[name] <= times[name].most


@given(
    candidates=st.integers(1, 30),
    iterations=st.integers(1, 8),
    patience=st.integers(1, 9),
    seeds=st.integers(1, 3),
    fresh=st.integers(0, 4),
    runs=st.integers(1, 3),
)
@settings(max_examples=40, deadline=None)
def test_more_of_anything_never_takes_less(candidates: int, iterations: int, patience: int, seeds: int, fresh: int, runs: int) -> None:
    steering = Steering(candidates, iterations, patience, seeds=seeds, fresh_seeds=fresh, runs=runs)
    small = planning.plan(study(steering, *TARGETS))
    assert 0 < small.images.least <= small.images.most
    for more in ("candidates", "iterations", "seeds", "fresh_seeds", "runs"):
        large = planning.plan(study(replace(steering, **{more: getattr(steering, more) + 1}), *TARGETS))
        assert large.images.most >= small.images.most
        assert large.hours("CPU")[1] >= small.hours("CPU")[1]


def test_without_a_scorer_each_prompt_is_rendered_once() -> None:
    plan = planning.plan(study(Steering(), Condition("initial"), prompt=(BOAT, CAT)))
    assert (plan.chains, plan.images, plan.iterations) == (0, Range(2, 2), Range(0, 0))
    own = planning.plan(study(Steering(), Condition("mine", images="{prompt}.png"), Condition("other", images="{prompt}-2.png")))
    assert own.images == Range(0, 0)


def test_people_are_counted_where_those_who_rated_are_targets() -> None:
    wanted = study(Steering(), Condition("initial"), Condition("personal", scorer="personal", targets_from="ratings"))
    assert [planning.plan(wanted, people=people).chains for people in (0, 1, 7)] == [0, 1, 7]


# --- Where figures are from. ---


def test_every_scorer_that_can_be_named_has_a_rate() -> None:
    assert set(FILES) <= set(PASSES)


def test_stated_rates_follow_steps_and_size_and_measured_ones_say_so() -> None:
    usual = painting("flux2", size=512, steps=None, per_minute=60)
    assert usual is not None
    assert usual.source == "stated: 4.39 PFLOP an image, at 40% of 989 TFLOP/s"
    # 4.39e15 operations at 0.4 * 989e12 a second, and the handling of an image.
    assert usual.seconds == pytest.approx(4.39e15 / (0.4 * 989e12) + 0.01)
    half = painting("flux2", size=512, steps=25, per_minute=60)
    large = painting("flux2", size=1024, steps=None, per_minute=60)
    assert half is not None and large is not None
    assert half.seconds == pytest.approx(usual.seconds / 2, rel=0.01)
    assert large.seconds == pytest.approx(usual.seconds * (4096 + 512) / (1024 + 512), rel=0.01)
    service = painting("nano-banana", size=512, steps=None, per_minute=30)
    assert service is not None and (service.seconds, service.where) == (2.0, "service")
    sketch = painting("sketch", size=256, steps=None, per_minute=60)
    assert sketch is not None and sketch.is_measured
    assert painting("another", size=256, steps=None, per_minute=60) is None


def test_what_the_experimenter_measured_counts_and_a_misspelt_name_does_not() -> None:
    wanted = study(Steering())
    own = replace(wanted, stimuli=replace(wanted.stimuli, rates={"sketch": 3.6}))
    [cost] = [cost for cost in planning.plan(own).costs if cost.name == "sketch"]
    assert cost.rate is not None and cost.rate.source == "measured: [stimuli.rates] of study.toml"
    assert cost.hours()[1] == pytest.approx(cost.times.most / 1000)
    misspelt = replace(wanted, stimuli=replace(wanted.stimuli, rates={"scetch": 3.6}))
    with pytest.raises(ExperimentError, match=r'\[stimuli\.rates\] "scetch" is no part of this study; did you mean "sketch"\?'):
        planning.plan(misspelt)


def test_workers_share_the_work_and_a_service_keeps_its_pace() -> None:
    wanted = study(Steering(), size=512)
    flux = planning.plan(replace(wanted, stimuli=replace(wanted.stimuli, generator="flux2")))
    assert flux.wall_hours(4)[1] == pytest.approx(flux.wall_hours(1)[1] / 4)
    hosted = planning.plan(replace(wanted, stimuli=replace(wanted.stimuli, generator="nano-banana")))
    assert hosted.wall_hours(4)[1] == pytest.approx((hosted.images.most + 20) / 3600)
    assert hosted.hours("GPU") == (0, 0)


def test_a_measured_pace_counts_images_of_this_generator_only_and_no_breaks(tmp_path: Path) -> None:
    spec = generators.make("sketch", rendering=Rendering(64)).spec
    other = generators.make("sketch", rendering=Rendering(128)).spec
    now = [datetime(2026, 1, 1, tzinfo=UTC)]
    with Store(tmp_path, clock=lambda: now[0]) as store:
        assert pace.measured(tmp_path / "events.jsonl", spec) is None
        for number in range(41):
            # Four images a second, a night's break in the middle.
            now[0] += timedelta(hours=9) if number == 20 else timedelta(seconds=0.25)
            for made_by in (spec, other):
                key = key_of(render_request(made_by, Render("a", number)))
                if made_by == spec or number < 5:
                    store.remember([], [{"event": "rendered", "key": key, "image": "i", "prompt": "a", "seed": number}])
    found = pace.measured(tmp_path / "events.jsonl", spec)
    assert found is not None and found.per_second == pytest.approx(4.0)
    assert pace.measured(tmp_path / "events.jsonl", other) is None


def run(folder: Path, wanted: Settings, *words: str) -> str:
    asked = CliRunner().invoke(
        commands.app, ["plan", str(folder), *words], obj=lambda where: (Experiment(where), wanted), env={"COLUMNS": "100"}
    )
    if asked.exception is not None:
        raise asked.exception
    return asked.stdout


def test_the_command_says_what_is_stated_and_what_is_measured(tmp_path: Path) -> None:
    wanted = study(Steering(), *TARGETS, size=512)
    real = replace(wanted, stimuli=replace(wanted.stimuli, generator="flux2", rewriter="server"))
    said = run(tmp_path, real, "--workers", "8")
    assert "flux2: stated: 4.39 PFLOP an image" in said
    assert "server: nobody knows; measure it, and put the seconds into [stimuli.rates]" in said
    assert "By the clock with 8 workers" in said
    assert "GPU hours, by the figures above" in said
    assert "Measured on this machine" not in said
    steered(tmp_path, study(Steering(candidates=4, iterations=2)))
    assert "Measured on this machine: " in run(tmp_path, study(Steering(candidates=4, iterations=2)))


def test_the_command_says_how_many_people_it_counted(tmp_path: Path) -> None:
    wanted = study(Steering(), Condition("initial"), Condition("personal", scorer="personal", targets_from="ratings"))
    assert 'targets_from = "ratings" was counted with 1 people' in run(tmp_path, wanted)
    assert 'targets_from = "ratings" was counted with 9 people' in run(tmp_path, wanted, "--people", "9")
