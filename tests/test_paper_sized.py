"""The report of a study built like the paper's, only smaller: what it holds, that it is the same every time, alone, and fit to print."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from paper_sized import Size, paper_sized
from predicted_ratings import everything, record

from analysis.model_scores import Measuring
from analysis.predictor_findings import evaluate
from analysis.predictor_results import write_predictor_results
from analysis.results import read_results, write_results
from analysis.run_record import RUNS
from reports import page
from reports.figure_names import NAMES, named
from stimuli.experiment import Experiment, ExperimentError

SMALL = Size(prompts=6, votes=1800, iterations=2, pixels=48)
# A4 less the margins of page.css, in CSS pixels.
PRINTED_WIDTH, PRINTED_HEIGHT = (210 - 28) / 25.4 * 96, (297 - 32) / 25.4 * 96


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    made = paper_sized(tmp_path_factory.mktemp("paper") / "study", SMALL)
    page.build(made, title="As large as the paper’s")
    return made


@pytest.fixture(scope="module")
def html(experiment: Experiment) -> str:
    return (experiment.report / "index.html").read_text(encoding="utf-8")


def test_every_participant_every_prompt_and_the_runs_are_shown(experiment: Experiment, html: str) -> None:
    for section in ("by-participant", "by-prompt", "runs"):
        assert f'id="{section}"' in html
    figures = {path.stem for path in (experiment.report / "figures").glob("*.svg")}
    assert {"scores", "by_participant", "by_prompt", "runs"} <= figures
    assert "<mark>mystical</mark>" in html
    assert "36 of 36 sets of runs have such words" in html


def test_the_caption_says_which_interval_is_which(experiment: Experiment, html: str) -> None:
    scores = read_results(experiment.results).scores
    assert all(score.scope == "participants+prompts" for score in scores)
    caption = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", html))
    assert "Thin lines with ends, which are printed: the 95 % interval over participants and prompts by the jackknife." in caption
    assert "Thick bars: the kind of interval that such plots usually show, a 95 % percentile interval" in caption


def test_the_same_experiment_gives_the_same_report(tmp_path: Path, experiment: Experiment) -> None:
    again = Experiment(tmp_path / "again")
    shutil.copytree(experiment.folder, again.folder, ignore=shutil.ignore_patterns("report"))
    page.build(again, title="As large as the paper’s")
    files = sorted(path.relative_to(experiment.report) for path in experiment.report.rglob("*") if path.is_file())
    assert len(files) > 30
    assert [name for name in files if (experiment.report / name).read_bytes() != (again.report / name).read_bytes()] == []


@pytest.mark.browser
def test_the_page_asks_for_nothing_overflows_nowhere_and_prints_figures_whole(experiment: Experiment) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page()
        asked: list[str] = []
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto((experiment.report / "index.html").as_uri())
        for width in (1280, 390):
            tab.set_viewport_size({"width": width, "height": 900})
            assert tab.evaluate("document.documentElement.scrollWidth") <= width
            for kept in ("by-participant", "runs"):
                left, right = tab.evaluate(
                    "id => { const r = document.querySelector(`section[aria-labelledby=${id}] figure > .scroll`).getBoundingClientRect();"
                    " return [r.left, r.right]; }",
                    kept,
                )
                assert left >= 0 and right <= width
        tab.emulate_media(media="print")
        tab.set_viewport_size({"width": int(PRINTED_WIDTH), "height": int(PRINTED_HEIGHT)})
        tallest = tab.evaluate("Math.max(...[...document.querySelectorAll('figure svg')].map(one => one.getBoundingClientRect().height))")
        whole = tab.evaluate("[...document.querySelectorAll('figure')].every(one => getComputedStyle(one).breakInside == 'avoid')")
        assert tallest < PRINTED_HEIGHT and whole
        assert tab.evaluate("document.documentElement.scrollWidth") <= PRINTED_WIDTH
        assert all(address.startswith(("file:", "data:")) for address in asked)
        browser.close()


def test_every_figure_that_a_full_report_writes_can_be_asked_for_alone(tmp_path: Path, experiment: Experiment) -> None:
    rich = Experiment(tmp_path / "rich")
    shutil.copytree(experiment.folder, rich.folder, ignore=shutil.ignore_patterns("report"))
    results = read_results(rich.results)
    again = [entry | {"condition": "placebo"} for entry in results.further[RUNS]]
    write_results(rich.results, replace(results, further={**results.further, RUNS: [*results.further[RUNS], *again]}))
    write_predictor_results(rich.predictor_results, evaluate(everything(), record(), measuring=Measuring(resamples=100, seed=3)))
    page.build(rich, title="All there is")
    written = {path.stem for path in (rich.report / "figures").iterdir()}
    assert written == {*NAMES, "runs_2"}
    shown = {path.name: path.read_bytes() for path in (rich.report / "figures").iterdir()}
    shutil.rmtree(rich.report)
    for name in ("runs", "runs_2", "predictor_matching"):
        assert {path.name for path in page.draw(rich, name)} == {f"{name}.{kind}" for kind in ("svg", "pdf", "png")}
    assert all(path.read_bytes() == shown[path.name] for path in (rich.report / "figures").iterdir())


@pytest.mark.parametrize("name", ["runs_1", "runs_0", "runs_02", "runs_2x", "runs_"])
def test_only_further_runs_are_numbered(name: str) -> None:
    assert (named("runs_2"), named("runs_12")) == ("runs_2", "runs_12")
    with pytest.raises(ExperimentError, match=r"no figure is called so; .*runs \(and runs_2 and so on for further conditions\)"):
        named(name)
