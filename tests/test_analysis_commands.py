"""The commands of the analysis print the numbers, what they are and are not, and where they are."""

import shutil
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from analysis.commands import app
from analysis.config import AnalysisTable, Claim
from analysis.exclusion_rules import Exclusion
from analysis.results import read_results
from stimuli.experiment import Experiment, ExperimentError, open_experiment
from stimuli.studyfile import ExperimentTable
from study.votes import Vote, read_votes, write_votes


@dataclass(frozen=True)
class Settings:
    """The part of study.toml that the analysis reads."""

    experiment: ExperimentTable = field(default_factory=lambda: ExperimentTable("A test"))
    analysis: AnalysisTable = field(default_factory=lambda: AnalysisTable(resamples=100, scope="these"))
    exclusion: tuple[Exclusion, ...] = ()
    claim: tuple[Claim, ...] = (Claim("C1", "greater", a="steered", b="initial [base]"),)


def run(*arguments: str | Path, settings: Settings | None = None) -> Result:
    def settle(folder: Path) -> tuple[Experiment, Settings]:
        return open_experiment(folder), settings or Settings()

    return CliRunner(env={"COLUMNS": "200"}).invoke(app, [str(argument) for argument in arguments], obj=settle)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "study.toml").write_text('[experiment]\ntitle = "A test"\n')
    rng = np.random.default_rng(3)
    votes = [
        Vote(
            f"t{k}", f"p{k % 5}", None, k, "q", "s1", "s2", *(("steered", "initial [base]") if k % 2 else ("initial [base]", "steered")),
            None, None, "left" if (rng.random() < 0.75) == bool(k % 2) else "right", 800.0, "2026-01-01T00:00:00+00:00", simulated=True,
        )
        for k in range(100)
    ]  # fmt: skip
    write_votes(folder / "votes.parquet", votes)
    return folder


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "votes.csv"
    path.write_text("l,r,c,who\n" + "a,b,left,p1\nb,a,left,p2\na,b,tie,p3\n" * 10)
    return path


def test_fit_prints_scores_counts_verdicts_and_what_the_interval_is_not(study: Path) -> None:
    result = run("fit", study)
    assert result.exit_code == 0, result.output
    found = read_results(study / "results.json")
    (score, _), (step,) = found.scores, found.main_contrasts
    numbers = [score.elo, score.low, score.high, score.votes, step.difference_elo, step.low, step.high]
    row = next(line.split() for line in result.output.splitlines() if line.startswith("steered"))
    assert [float(number) for number in row[1:]] == pytest.approx(numbers, abs=0.06)
    for told in (
        "initial [base]",
        "100 votes, 0 of them ties",
        "% of the decided votes chose the left side",
        "5 participants, 5 of them simulated",
        "C1 SUPPORTED, For these participants and these prompts, not for new ones (from 5 participants and 1 prompts), the votes support",
        "Differences: for these participants and these prompts (standard error of the model)",
        "the left side is worth",
        "Interval: 95 % percentile interval from 100 bootstrap resamples of single votes, each taken for an independent fact.",
        "for new people or new prompts it is too narrow",
        f"Written: {study / 'results.json'}",
        f"Next: tastebench reports build {study}",
    ):
        assert told in " ".join(result.output.split()), told


def test_fit_prints_what_the_differences_and_verdicts_are_without_exclusions(study: Path) -> None:
    votes = [replace(vote, response_ms=100.0 if vote.participant == "p0" else 800.0) for vote in read_votes(study / "votes.parquet")]
    write_votes(study / "votes.parquet", votes)
    assert "Without exclusions" not in run("fit", study).output
    free = read_results(study / "results.json").main_contrasts[0]
    result = run("fit", study, settings=Settings(exclusion=(Exclusion("fast_votes", limit=300),)))
    main = read_results(study / "results.json").main_contrasts[0]
    told = " ".join(result.output.split())
    assert "Without exclusions (1 participants and 20 votes more):" in told
    numbers = f"{free.difference_elo:+.1f} Elo ({free.low:+.1f} to {free.high:+.1f}), with them {main.difference_elo:+.1f}"
    assert f"steered minus initial [base]: {numbers}" in told
    assert "C1: SUPPORTED, EXPLORATORY (" in told


def test_fit_prints_weighted_scores_with_their_caveat_only_when_asked(study: Path) -> None:
    assert "weighted by agreement" not in run("fit", study).output
    told = " ".join(run("fit", study, "--secondary").output.split())
    scores = read_results(study / "results.json").further["rater weights"]["scores"]
    assert [score["condition"] for score in scores] == ["steered", "initial [base]"]
    for score in scores:
        assert f"{score['condition']}: {score['elo']:.1f} ({score['unweighted_elo']:.1f})" in told
    assert "favours the majority's taste. For comparison only; it never supports a claim." in told


def test_claims_prints_the_verdicts_and_says_when_they_are_old(study: Path) -> None:
    run("fit", study)
    fresh = run("claims", study)
    assert "C1 SUPPORTED, For these participants" in " ".join(fresh.output.split())
    assert "Why: adjusted p =" in " ".join(fresh.output.split())
    assert "changed after these results" not in fresh.output
    (study / "study.toml").write_text('[experiment]\ntitle = "Another"\n')
    assert (
        f"study.toml changed after these results were made; to renew them: tastebench analysis fit {study}" in run("claims", study).output
    )


def test_claims_before_fit_names_the_command_to_run(study: Path) -> None:
    result = run("claims", study)
    assert isinstance(result.exception, ExperimentError)
    assert str(result.exception).endswith(f"results.json: no such file; `tastebench analysis fit {study}` makes it")


def test_a_study_without_claims_says_so(study: Path) -> None:
    run("fit", study, settings=Settings(claim=()))
    assert "No claims: write what you expect as [[claim]] tables" in run("claims", study).output


def test_fit_reads_any_csv(table: Path, tmp_path: Path) -> None:
    asked = ("fit", table, "--left", "l", "--right", "r", "--choice", "c", "--participant", "who", "--out", tmp_path / "out")
    result = run(*asked, "--resamples", "150", "--seed", "7")
    assert result.exit_code == 0, result.output
    found = read_results(tmp_path / "out" / "results.json")
    assert (found.counts.resamples, found.counts.participants, found.counts.ties, found.provenance["seed"]) == (150, 3, 10, 7)
    assert "3 participants" in result.output


def test_an_item_of_a_csv_can_be_the_anchor(table: Path, tmp_path: Path) -> None:
    asked = ("fit", table, "--left", "l", "--right", "r", "--choice", "c", "--out", tmp_path / "out", "--resamples", "100")
    table.write_text(table.read_text().replace("a,", "x,").replace(",a", ",x").replace("b,", "y,").replace(",b", ",y"))
    assert run(*asked, "--anchor", "y").exit_code == 0
    anchor = {score.condition: score for score in read_results(tmp_path / "out" / "results.json").scores}["y"]
    assert (anchor.elo, anchor.low, anchor.high) == pytest.approx((1000, 1000, 1000))
    assert 'the anchor "z" is none of the conditions with votes: x, y' in str(run(*asked, "--anchor", "z").exception)


def test_a_csv_needs_its_columns_named(table: Path) -> None:
    result = run("fit", table, "--left", "l")
    assert str(result.exception).endswith(
        "is read as a CSV file, for which --right, --choice, --out must be given; see --help for an example"
    )


def test_an_experiment_takes_no_options_of_a_csv(study: Path) -> None:
    result = run("fit", study, "--left", "l", "--seed", "3", "--anchor", "initial")
    assert "is an experiment folder, for which --left, --seed, --anchor cannot be given; its study.toml and votes.parquet tell it" in str(
        result.exception
    )


def test_a_path_that_is_nothing_is_told(tmp_path: Path) -> None:
    result = run("fit", tmp_path / "nowhere")
    assert "nowhere: no such folder or file; expected an experiment folder or a CSV file" in str(result.exception)


def test_a_condition_can_be_left_out(table: Path, tmp_path: Path) -> None:
    table.write_text(table.read_text() + "a,z,left,p1\n")
    asked = ("fit", table, "--left", "l", "--right", "r", "--choice", "c", "--out", tmp_path / "out")
    assert "Winless: z" in str(run(*asked).exception)
    result = run(*asked, "--without", "z")
    assert "left out on request: z" in result.output


def test_fit_of_a_study_like_the_papers_imports_no_heavy_library(tmp_path: Path) -> None:
    shutil.copy(Path(__file__).parents[1] / "examples" / "quickstart" / "study.toml", tmp_path / "study.toml")
    rng = np.random.default_rng(1)
    names, users = ("initial", "colourful", "crisp", "personal"), ("rater-01", "rater-05", "rater-09", "rater-13", "rater-17", "rater-21")
    votes = []
    for number in range(7650):
        one, other = (names[code] for code in rng.choice(4, 2, replace=False))
        target, prompt = users[int(rng.integers(6))], f"q{number % 18}"
        targets = [target if name == "personal" else None for name in (one, other)]
        stimuli = [f"{prompt}-{name}-{whose}" for name, whose in zip((one, other), targets, strict=True)]
        choice = "left" if rng.random() < 0.5 else "right"
        judge = f"p{number % 6}", users[number % 6], number // 6, prompt
        votes.append(Vote(f"t{number}", *judge, *stimuli, one, other, *targets, choice, 900.0, "2026-01-01T00:00:00+00:00", simulated=True))
    write_votes(tmp_path / "votes.parquet", votes)
    heavy = "torch", "streamlit", "matplotlib", "seaborn", "statsmodels"
    script = f"""import sys, tastebench
try: tastebench.main()
except SystemExit: pass
print([name for name in {heavy} if name in sys.modules])"""
    command = [sys.executable, "-c", script, "analysis", "fit", str(tmp_path)]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "7,650 votes" in told.stdout
    assert told.stdout.splitlines()[-1] == "[]"
