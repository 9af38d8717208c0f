"""The page: it stands alone, says what it rests on and what is missing, and shows whatever people wrote as text."""

import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
import typer
from PIL import Image
from reported_experiment import PROMPTS, example_results, simulated, write_example
from typer.testing import CliRunner

from analysis.results import ClaimResult, Results, Score, write_results
from reports import commands, page
from reports.kept_copies import Copies
from reports.sheet import images_by_importance, sheets
from reports.thumbnails import thumbnails
from stimuli.experiment import Experiment, ExperimentError, open_experiment
from stimuli.manifest import read_steps, read_stimuli, write_steps, write_stimuli
from stimuli.progress import silent
from stimuli.provenance import sha256
from stimuli.studyfile import ExperimentTable
from study.reviews import Review, write_reviews
from study.votes import Vote, write_votes
from tastebench import StudyToml

TITLE = "Does steering work?"
ONE = {"glasshouse": PROMPTS["glasshouse"]}
ABOUT_PEOPLE = "no finding about people"


class Tags(HTMLParser):
    """Every tag of a page with its attributes, and every id."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    return write_example(tmp_path_factory.mktemp("finished"), size=64)


@pytest.fixture(scope="module")
def html(experiment: Experiment) -> str:
    return page.build(experiment, title=TITLE).read_text(encoding="utf-8")


def few() -> Results:
    """Return results that give one figure: enough where the figures are not what is tested."""
    return replace(example_results(), contrasts=(), pairs=())


def words(html: str) -> str:
    return " ".join(Tags(html).text.split())


def bare(folder: Path, results: Results) -> Experiment:
    write_results(folder / "results.json", results)
    return Experiment(folder)


def built(experiment: Experiment) -> str:
    return page.build(experiment, title=TITLE).read_text(encoding="utf-8")


def test_nothing_is_loaded_from_anywhere_else(html: str) -> None:
    tags = Tags(html).seen
    assert "http" not in re.sub(r"base64,[A-Za-z0-9+/=]+", "", html).replace("http-equiv", "").replace("https://…", "")
    assert not any(tag in ("script", "link", "iframe", "object", "embed", "base", "form") for tag, _ in tags)
    assert all(attributes["src"].startswith("data:image/") for _, attributes in tags if "src" in attributes)
    links = [value for _, attributes in tags for name, value in attributes.items() if name.endswith("href")]
    assert links and all(link.startswith("#") for link in links)
    assert "@import" not in html
    assert all(address.startswith("#") for address in re.findall(r"url\(([^)]*)\)", html))


def test_ids_are_unique_and_every_reference_finds_its_own(html: str) -> None:
    tags = Tags(html).seen
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    wanted = {value.lstrip("#") for _, a in tags for name, value in a.items() if name.endswith("href") or name == "aria-labelledby"}
    wanted |= set(re.findall(r"url\(#([^)]*)\)", html))
    assert wanted <= set(ids)


def test_the_same_experiment_gives_the_same_bytes(tmp_path: Path, experiment: Experiment, html: str) -> None:
    assert built(experiment) == html
    elsewhere = Experiment(tmp_path / "elsewhere")
    shutil.copytree(experiment.folder, elsewhere.folder, ignore=shutil.ignore_patterns("report"))
    built(elsewhere)
    for path in sorted(path for path in experiment.report.rglob("*") if path.is_file()):
        assert (elsewhere.report / path.relative_to(experiment.report)).read_bytes() == path.read_bytes(), path.name


def test_figures_and_tables_stand_beside_the_page(experiment: Experiment, html: str) -> None:
    assert html
    figures = {path.name for path in (experiment.report / "figures").iterdir()}
    assert figures == {f"{name}.{kind}" for name in ("scores", "contrasts", "win_rates", "steering") for kind in ("svg", "pdf", "png")}
    tables = {path.name for path in (experiment.report / "tables").iterdir()}
    names = ("scores", "contrasts", "pairs", "win_rates", "claims", "counts", "contrasts_by_scope", "methods_sources", "checklist")
    assert tables == {f"{name}.{kind}" for name in names for kind in ("csv", "md", "tex")}
    assert {path.name for path in (experiment.report / "text").iterdir()} == {
        *(f"{name}.{kind}" for name in ("methods", "captions") for kind in ("md", "tex")),
        "all.tex",
        "preamble.tex",
    }


def test_the_page_says_verdicts_intervals_stand_ins_counts_and_origin(html: str) -> None:
    told, results = words(html), example_results()
    for claim in results.claims:
        assert claim.verdict in told and claim.sentence in told and claim.reason in told
    assert results.interval in told
    assert "holds for these participants and these prompts" in told
    assert "sketch, the offline painter" in told and "a diffusion model such as FLUX.2" in told
    assert "7,120" in told and "50.8\N{NO-BREAK SPACE}%" in Tags(html).text
    assert results.provenance["git_commit"] in told and results.provenance["made_at"] in told
    assert "own are images of personal that were made for the participant who judged them" in told


def test_summary_comes_before_everything_else(html: str) -> None:
    headings = re.findall(r"<h2[^>]*>([^<]*)</h2>", html)
    assert headings[:3] == ["Summary", "Scores", "Differences"]
    assert headings[-1] == "Where this comes from"


@pytest.mark.parametrize(
    ("participants", "programs", "told"),
    [
        (6, 6, "The participants are simulated: programs whose tastes are known."),
        (12, 3, "3 of 12 participants are simulated programs."),
        (12, 1, "1 of 12 participants is a simulated program."),
        (None, 2, "2 participants are simulated programs."),
    ],
)
def test_simulated_participants_are_announced(tmp_path: Path, participants: int | None, programs: int, told: str) -> None:
    html = built(bare(tmp_path, simulated(few(), participants=participants, programs=programs)))
    assert told in words(html) and ABOUT_PEOPLE in words(html)
    assert html.index('class="banner"') < html.index('id="summary"')
    assert ("This report checks the machinery" in words(html)) == (participants == programs)


@pytest.mark.parametrize("participants", [6, None])
def test_no_banner_where_everybody_is_a_person(tmp_path: Path, participants: int | None) -> None:
    html = built(bare(tmp_path, simulated(few(), participants=participants, programs=0)))
    assert 'class="banner"' not in html and ABOUT_PEOPLE not in words(html)


def test_html_in_anything_written_is_shown_as_text(tmp_path: Path) -> None:
    attack = '"><img src=x onerror=alert(1)><script>alert(1)</script>'
    results = example_results()
    results = replace(
        results,
        scores=(*results.scores, Score(attack, 900, 890, 910, 10)),
        contrasts=(replace(results.contrasts[0], b=attack, scope=attack), *results.contrasts[1:]),
        pairs=(replace(results.pairs[0], a=attack), *results.pairs[1:]),
        claims=(ClaimResult(attack, attack, attack, attack),),
        interval=attack,
        provenance={"git_commit": attack, "packages": {attack: attack}, "inputs": {attack: attack}, "made_at": attack, "seed": attack},
    )
    experiment = write_example(tmp_path, results, prompts={"boat": attack}, users=(attack.replace("/", ""),), size=16)
    stimuli = [replace(s, condition=f"{s.condition}{attack}", image=f"images/{attack}.png") for s in read_stimuli(experiment.stimuli)]
    write_stimuli(experiment.stimuli, stimuli)
    write_steps(experiment.steps, [replace(s, condition=f"{s.condition}{attack}") for s in read_steps(experiment.steps)])
    html = page.build(experiment, title=attack).read_text(encoding="utf-8")
    tags = Tags(html)
    assert not any(tag == "script" or "onerror" in attributes for tag, attributes in tags.seen)
    assert tags.text.count("<script>alert(1)</script>") > 10


def test_a_bare_folder_with_results_alone_gives_a_report(tmp_path: Path) -> None:
    experiment = bare(tmp_path / "csv", replace(example_results(), claims=(), provenance={}))
    told = words(built(experiment))
    assert "This folder has no study.toml" in told
    assert "cannot show the images and how they were steered, nor how the images were made and what was a stand-in" in told
    assert "tastebench stimuli steer" not in told
    assert "No claim is recorded here, so there is no verdict" in told
    assert "Whether votes were excluded before the analysis is not recorded here." in told
    assert "made for the participant who judged them" not in told
    assert "own 1065, others 1038" in told
    assert "No stage has recorded where its output comes from" in told
    assert sorted(path.name for path in (experiment.report / "figures").glob("*.svg")) == ["contrasts.svg", "scores.svg", "win_rates.svg"]


def test_a_fresh_experiment_gives_a_report_that_names_each_missing_stage_and_its_command(tmp_path: Path) -> None:
    experiment = Experiment(tmp_path)
    experiment.settings.write_text("", encoding="utf-8")
    told = words(built(experiment))
    assert "tastebench stimuli steer FOLDER" in told
    assert "tastebench study serve FOLDER, then tastebench study export FOLDER" in told
    assert "tastebench analysis fit FOLDER" in told


def test_a_running_study_is_told_to_export(tmp_path: Path) -> None:
    experiment = write_example(tmp_path, size=16, prompts=ONE)
    experiment.results.unlink()
    experiment.database.touch()
    told = words(built(experiment))
    assert "votes.parquet is missing, so this report cannot show what was chosen. It is made by tastebench study export FOLDER" in told
    assert "study serve" not in told and "glasshouse" in told


def test_votes_without_results_already_say_who_is_simulated(tmp_path: Path) -> None:
    experiment = write_example(tmp_path, size=16, prompts=ONE)
    experiment.results.unlink()
    write_votes(experiment.votes, [a_vote(n, simulated=n == 0) for n in range(3)])
    told = words(built(experiment))
    assert "1 of 3 participants is a simulated program" in told and "3 votes" in told
    assert "results.json is missing" in told and "votes.parquet is missing" not in told


def a_vote(number: int, *, simulated: bool) -> Vote:
    return Vote(
        trial=f"t{number}",
        participant=f"p{number}",
        target_user=None,
        position=0,
        prompt="boat",
        left_stimulus="a",
        right_stimulus="b",
        left_condition="initial",
        right_condition="hpsv3",
        left_target=None,
        right_target=None,
        choice="left",
        response_ms=900.0,
        answered_at="2026-11-20T12:00:00+00:00",
        simulated=simulated,
    )


def test_images_without_steering_steps_still_make_a_sheet(tmp_path: Path) -> None:
    experiment = write_example(tmp_path, size=16, prompts=ONE)
    experiment.steps.unlink()
    html = built(experiment)
    assert html.count("<img ") == len(read_stimuli(experiment.stimuli))
    assert not (experiment.report / "figures" / "steering.svg").exists()


def test_a_missing_image_is_said_and_no_error(tmp_path: Path) -> None:
    experiment = write_example(tmp_path, size=16, prompts=ONE)
    shutil.rmtree(experiment.work)
    (experiment.images / "0000.png").write_bytes(b"no image")
    told = words(built(experiment))
    assert "could not be read from the experiment’s folder" in told and "not found" in told


def test_images_outside_the_experiment_are_never_shown(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "secret.png")
    (tmp_path / "study").mkdir()
    small = thumbnails(Copies(tmp_path / "study"), ["../secret.png", str(tmp_path / "secret.png")], budget=10**6, report=silent)
    assert not small.uris and len(small.unreadable) == 2


def test_a_file_that_changed_after_the_analysis_is_named(tmp_path: Path) -> None:
    experiment = write_example(tmp_path, few(), size=16, prompts=ONE)
    origin = few().provenance | {"settings_sha256": sha256(experiment.settings)}
    write_results(experiment.results, replace(few(), provenance=origin))
    assert "Changed since the analysis" not in built(experiment)
    experiment.settings.write_text("# edited", encoding="utf-8")
    assert "Changed since the analysis: study.toml" in words(built(experiment))


def test_a_folder_with_nothing_to_report_is_refused_and_left_alone(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r"holds neither a study\.toml nor a results\.json, so there is nothing to report"):
        page.build(Experiment(tmp_path), title=TITLE)
    with pytest.raises(ExperimentError, match="no such folder; give the folder of an experiment"):
        page.build(Experiment(tmp_path / "absent"), title=TITLE)
    assert not list(tmp_path.iterdir())


def test_a_damaged_record_is_one_clear_sentence(tmp_path: Path) -> None:
    experiment = bare(tmp_path, few())
    experiment.stimuli_record.write_text("{", encoding="utf-8")
    with pytest.raises(ExperimentError, match=r"stimuli\.json: not a record of stimuli of this version .*make the stimuli again"):
        page.build(experiment, title=TITLE)


def test_rows_run_from_the_initial_image_to_the_one_that_people_saw(experiment: Experiment) -> None:
    shown = sheets(read_stimuli(experiment.stimuli), read_steps(experiment.steps))
    assert [sheet.prompt for sheet in shown] == list(PROMPTS)
    final = {(s.prompt, s.condition, s.target_user): s.image for s in read_stimuli(experiment.stimuli)}
    for sheet in shown:
        for row in sheet.rows:
            cells = [cell for cell in row.cells if cell]
            assert cells[0].iteration == 0
            assert [cell.final for cell in cells] == [False] * (len(cells) - 1) + [True]
            assert cells[-1].image == final[sheet.prompt, row.condition, row.target_user]


def test_a_long_chain_shows_its_first_and_last_image_and_some_between(experiment: Experiment) -> None:
    stimulus = read_stimuli(experiment.stimuli)[1]
    step = next(s for s in read_steps(experiment.steps) if s.condition == stimulus.condition)
    steps = [replace(step, iteration=n, best_prompt=f"words {n}", best_score=float(n)) for n in range(101)]
    (sheet,) = sheets([stimulus], steps)
    assert len(sheet.columns) == 6 and (sheet.columns[0], sheet.columns[-1]) == (0, 100)
    assert [cell.iteration for cell in sheet.rows[0].cells if cell] == list(sheet.columns)


def test_iterations_that_found_nothing_better_are_marked(experiment: Experiment) -> None:
    stimulus = read_stimuli(experiment.stimuli)[1]
    step = next(s for s in read_steps(experiment.steps) if s.condition == stimulus.condition)
    scores = [0.5, 0.5, 0.7, 0.7]
    steps = [replace(step, iteration=n, best_prompt=f"words {score}", best_score=score) for n, score in enumerate(scores)]
    (sheet,) = sheets([stimulus], steps)
    assert [cell.unchanged for cell in sheet.rows[0].cells if cell] == [False, True, False, True]


def noise(folder: Path, number: int, side: int) -> list[str]:
    """Write images that compress badly, like photographs."""
    names = [f"{n}.png" for n in range(number)]
    for n, name in enumerate(names):
        Image.effect_noise((side, side), 40 + n % 50).convert("RGB").save(folder / name)
    return names


def test_a_page_with_two_hundred_photographs_stays_below_15_mb(tmp_path: Path) -> None:
    experiment = write_example(tmp_path, few(), prompts={f"prompt-{n}": "words" for n in range(10)}, size=200)
    names = {step.image for step in read_steps(experiment.steps)}
    assert len(names) >= 200
    for number, name in enumerate(sorted(names)):
        Image.effect_noise((200, 200), 40 + number % 50).convert("RGB").save(tmp_path / name)
    index = page.build(experiment, title=TITLE)
    assert 1_000_000 < index.stat().st_size < 15_000_000
    assert "left out" not in words(index.read_text(encoding="utf-8"))


def test_a_small_budget_makes_images_smaller_before_it_leaves_any_out(tmp_path: Path) -> None:
    names = noise(tmp_path, 20, 256)
    large = thumbnails(Copies(tmp_path), names, budget=10**7, report=silent)
    total = sum(map(len, large.uris.values()))
    smaller = thumbnails(Copies(tmp_path), names, budget=total // 2, report=silent)
    assert len(smaller.uris) == 20 and sum(map(len, smaller.uris.values())) <= total // 2
    tiny = thumbnails(Copies(tmp_path), names, budget=total // 30, report=silent)
    assert tiny.left_out and sum(map(len, tiny.uris.values())) <= total // 30
    assert list(tiny.uris) == names[: len(tiny.uris)]


def test_an_image_used_twice_counts_twice(tmp_path: Path) -> None:
    (name,) = noise(tmp_path, 1, 96)
    length = len(thumbnails(Copies(tmp_path), [name], budget=10**7, report=silent).uris[name])
    uses = thumbnails(Copies(tmp_path), [name] * 3, budget=length * 2, report=silent)
    assert sum(map(len, uses.uris.values())) * 3 <= length * 2


def test_what_people_saw_is_kept_longest(experiment: Experiment) -> None:
    stimuli = read_stimuli(experiment.stimuli)
    order = images_by_importance(sheets(stimuli, read_steps(experiment.steps)))
    assert order[: len(stimuli)] == [stimulus.image for stimulus in stimuli]


def command_line(settled: list[Path]) -> typer.Typer:
    """Return the room's commands below a root that opens experiments, as tastebench.py does."""
    app = typer.Typer()
    app.add_typer(commands.app, name="reports")

    settings = StudyToml(experiment=ExperimentTable(title="The title in study.toml"))

    @app.callback()
    def root(context: typer.Context) -> None:
        def settle(folder: Path) -> tuple[Experiment, StudyToml]:
            settled.append(folder)
            return open_experiment(folder), settings

        context.obj = settle

    return app


def test_the_command_prints_where_the_report_is(tmp_path: Path) -> None:
    settled: list[Path] = []
    experiment = write_example(tmp_path / "study", size=16, prompts=ONE)
    result = CliRunner().invoke(command_line(settled), ["reports", "build", str(experiment.folder)])
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[-1] == f"The report: {experiment.report / 'index.html'}"
    assert settled == [experiment.folder]
    assert "<title>The title in study.toml</title>" in (experiment.report / "index.html").read_text(encoding="utf-8")


def test_the_command_reports_a_bare_folder_without_asking_for_a_study_toml(tmp_path: Path) -> None:
    settled: list[Path] = []
    bare(tmp_path / "from-csv", few())
    result = CliRunner().invoke(command_line(settled), ["reports", "build", str(tmp_path / "from-csv")])
    assert result.exit_code == 0, result.output
    assert not settled
    assert "<title>Results in from-csv</title>" in (tmp_path / "from-csv" / "report" / "index.html").read_text(encoding="utf-8")


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_overflows_the_page_sideways(tmp_path: Path, width: int) -> None:
    from playwright.sync_api import sync_playwright

    results = example_results()
    names = [f"a-condition-with-a-name-that-is-far-too-long-number-{n}" for n in range(12)]
    many = replace(results, scores=tuple(replace(results.scores[0], condition=name, elo=1000.0 + n) for n, name in enumerate(names)))
    index = page.build(write_example(tmp_path, many, size=64), title="Unbroken" * 30)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page(viewport={"width": width, "height": 900})
        asked: list[str] = []
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto(index.as_uri())
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        assert all(address.startswith(("file:", "data:")) for address in asked)
        browser.close()


def test_the_report_says_who_looked_through_how_many_images(tmp_path: Path) -> None:
    experiment = write_example(tmp_path, few(), prompts=ONE, size=16)
    assert "No review of the images is recorded: nothing shows that a researcher looked through them" in words(built(experiment))
    images = sorted({stimulus.image_sha256 for stimulus in read_stimuli(experiment.stimuli)})
    reviews = [Review(sha256, "approved", "", "Ada", "2026-01-01T00:00:00+00:00") for sha256 in images[:-2]]
    reviews.append(Review(images[-2], "removed", "harmful", "Bo", "2026-01-01T00:00:00+00:00"))
    write_reviews(experiment.reviews, reviews)
    told = (
        f"Ada and Bo looked through {len(images) - 1} of {len(images)} images before the study; 1 of them was removed; 1 was not looked at."
    )
    assert told in words(built(experiment))
