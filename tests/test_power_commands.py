"""The planning commands read what a person writes, and say what to do where it is not understood."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result
from votes_made import vote

from analysis.config import AnalysisTable, Claim
from analysis.power_commands import counts, plan_command, power_command
from stimuli.experiment import Experiment, ExperimentError
from stimuli.studyfile import ExperimentTable
from study.votes import read_votes, write_votes

app = typer.Typer()
app.command("power")(power_command)
app.command("plan")(plan_command)


@dataclass(frozen=True)
class Condition:
    name: str
    targets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settings:
    analysis: AnalysisTable = field(default_factory=lambda: AnalysisTable(smallest_effect_elo=40.0))
    claim: tuple[Claim, ...] = (Claim("C1", "greater", a="own", b="others"), Claim("C2", "personal_match"))
    experiment: ExperimentTable = field(default_factory=lambda: ExperimentTable("Does it work?", seed=7))
    prompt: tuple[str, ...] = ("q",) * 18
    condition: tuple[Condition, ...] = (Condition("initial"), Condition("steered", ("u1", "u2", "u3")))


def run(*arguments: str, settings: Settings | None = None) -> str:
    result = CliRunner().invoke(app, arguments, obj=lambda folder: (Experiment(folder), settings or Settings()), env={"COLUMNS": "250"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


SMALL = ("power", "--people", "6:14:8", "--prompts", "8", "--per-person", "60", "--studies", "60")


def test_power_prints_a_line_for_each_plan() -> None:
    told = run(*SMALL, "--heterogeneity", "low", "--prompts", "8,12")
    lines = [line.split() for line in told.splitlines() if line.strip()[:1].isdigit()]
    assert [line[:3] for line in lines] == [[people, prompts, "60"] for people in ("6", "14") for prompts in ("8", "12")]
    assert all(0 <= float(line[3]) <= 1 for line in lines)
    assert "heterogeneity low" in told and "MDD" in told and "type S" in told


@pytest.mark.parametrize(("name", "magic"), [("curve.png", b"\x89PNG"), ("curve.svg", b"<?xml")])
def test_power_draws_its_curve(tmp_path: Path, name: str, magic: bytes) -> None:
    told = run(*SMALL, "--curve", str(tmp_path / name))
    assert f"Written: {tmp_path / name}" in told
    assert (tmp_path / name).read_bytes().startswith(magic)


def test_a_curve_of_another_kind_is_refused_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r"curve.pdf: a curve is written as .png or .svg"):
        run(*SMALL, "--studies", "100000", "--curve", str(tmp_path / "curve.pdf"))


@pytest.mark.parametrize("text", ["", "a", "0", "5:3", "1:2:3:4", "20:40:0", "-3"])
def test_numbers_that_are_not_understood_are_refused(text: str) -> None:
    with pytest.raises(ExperimentError, match="is not understood; expected whole numbers such as 20, or 20,40, or 20:100"):
        counts(text)


def test_an_unknown_heterogeneity_is_refused() -> None:
    with pytest.raises(
        ExperimentError, match='heterogeneity "lots" is no level, no folder and no file; expected one of none, low, moderate, high'
    ):
        run(*SMALL, "--heterogeneity", "lots")


def test_plan_says_how_many_people_each_claim_needs() -> None:
    told = run("plan", "study", "--studies", "60", "--heterogeneity", "low", "--per-person", "90")
    (line,) = [line.split() for line in told.splitlines() if line.startswith("C1")]
    assert 8 <= int(line[1]) <= 40
    assert float(line[2]) >= 0.8
    assert 'no power is simulated for claims of type "personal_match"' in told
    assert "18 prompts, a true difference of 40 Elo" in told


def test_plan_of_few_prompts_says_what_to_do() -> None:
    few = Settings(prompt=("q",) * 4)
    with pytest.raises(ExperimentError) as caught:
        run("plan", "study", settings=few)
    assert str(caught.value) == (
        '4 prompts: with fewer than 5, no claim is testable at scope "participants+prompts"; plan more prompts, '
        'or claim less: scope = "participants" in study.toml means new people and these prompts'
    )
    narrower = dataclasses.replace(few, analysis=AnalysisTable(smallest_effect_elo=60.0, scope="participants"))
    told = run("plan", "study", "--studies", "50", "--heterogeneity", "low", settings=narrower)
    assert "4 prompts, a true difference of 60 Elo" in told and 'at scope "participants"' in " ".join(told.split())


def test_plan_needs_a_difference_to_plan_for() -> None:
    with pytest.raises(ExperimentError, match="has no smallest_effect_elo, so it is not known what difference to plan for"):
        run("plan", "study", settings=Settings(analysis=AnalysisTable()))
    with pytest.raises(ExperimentError, match="no \\[\\[claim\\]\\], so there is nothing to plan for"):
        run("plan", "study", settings=Settings(claim=()))


def test_the_folder_of_a_pilot_without_votes_says_what_makes_them(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=rf"votes.parquet: no such file; `tastebench study export {tmp_path}` makes it"):
        run("plan", str(tmp_path), "--heterogeneity", str(tmp_path))


def a_pilot(folder: Path, *, simulated: bool) -> Path:
    """Write the votes of four people at three prompts: crisp wins mostly, and by whom and where differs."""
    rng = np.random.default_rng(4)
    rows = [
        vote(f"p{person}", "a", "b", "left" if rng.random() < 0.35 + 0.1 * person else "right", prompt=f"q{prompt}", conditions=pair)
        for person in range(4)
        for prompt in range(3)
        for pair in (("crisp", "initial"), ("initial", "own"), ("own", "crisp"))
        for _ in range(4)
    ]
    write_votes(Experiment(folder).votes, [dataclasses.replace(row, simulated=simulated) for row in rows])
    return folder


def planned_after(pilot: Path) -> Result:
    arguments = ["plan", "study", "--studies", "50", "--per-person", "30", "--heterogeneity", str(pilot)]
    done = CliRunner().invoke(app, arguments, obj=lambda folder: (Experiment(folder), Settings()), env={"COLUMNS": "250"})
    assert done.exit_code == 0, done.output
    return done


def test_the_folder_of_a_pilot_tells_how_much_people_differ_without_catch_trials_and_repeats(tmp_path: Path) -> None:
    alone = planned_after(a_pilot(tmp_path, simulated=False))
    told = " ".join(alone.stdout.split())
    assert f"as in the pilot {tmp_path}, which" in told and "its [[exclusion]] rules are not applied" in told
    assert "WARNING" not in alone.stderr
    exported = Experiment(tmp_path).votes
    beside = [
        *(vote(f"p{n}", "a", "b", "left", prompt="q0", conditions=("crisp", "initial"), repeat=True) for n in range(4)),
        *(vote(f"p{n}", "a", "b", "left", prompt="q9", conditions=("crisp", "other"), expected="left") for n in range(4)),
    ]
    write_votes(exported, [*read_votes(exported), *(dataclasses.replace(row, simulated=False) for row in beside)])
    assert planned_after(tmp_path).stdout == alone.stdout


def test_a_rehearsal_is_not_taken_for_a_pilot_without_a_word(tmp_path: Path) -> None:
    done = planned_after(a_pilot(tmp_path, simulated=True))
    assert f"WARNING: 4 of the 4 participants of {tmp_path} are simulated. A rehearsal is no pilot" in done.stderr
