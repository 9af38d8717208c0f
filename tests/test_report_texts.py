"""The files beside the page say what it says, one figure can be drawn alone, and whatever people wrote stays text in all of them."""

import csv
import dataclasses
import io
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from finished_study import Made, finished
from PIL import Image
from test_latex import printed
from typer.testing import CliRunner

from analysis.results import read_results, write_results
from reports import page
from reports.captions import captions
from reports.drawing import COLUMN, HALF_MORE, PAGE
from reports.figure_names import NAMES, named
from reports.settings import ReportTable
from stimuli import manifest
from stimuli.experiment import Experiment, ExperimentError
from stimuli.manifest import OWN_IMAGE
from tastebench import app, settle

ATTACKS = ("<script>alert('x')</script>", '"><img src=x onerror=alert(1)>')
TITLE = "Does steering work?"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    experiment = finished(tmp_path_factory.mktemp("study") / "here", Made(question=ATTACKS[0]))
    build(experiment)
    return experiment


def build(experiment: Experiment, report: ReportTable | None = None) -> str:
    settings = dataclasses.replace(settle(experiment.folder)[1], report=report or ReportTable())
    return page.build(experiment, title=TITLE, settings=settings).read_text(encoding="utf-8")


@pytest.fixture
def html(made: Experiment) -> str:
    return (made.report / "index.html").read_text(encoding="utf-8")


class Seen(HTMLParser):
    """The tags of a page, its text, and the values of attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""
        self.attributes: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def test_what_people_wrote_is_text_on_the_page(made: Experiment, tmp_path: Path) -> None:
    shutil.copytree(made.folder, tmp_path / "copy")
    experiment = Experiment(tmp_path / "copy")
    results = read_results(experiment.results)
    quality = results.further["quality"]
    quality["participants"][0]["participant"] = ATTACKS[0]
    pooled = tuple(dataclasses.replace(one, name=ATTACKS[1]) if one.name.startswith("alice") else one for one in results.pooled)
    write_results(experiment.results, dataclasses.replace(results, pooled=pooled))
    seen = Seen(build(experiment, ReportTable(registration=ATTACKS[1], ethics=ATTACKS[0])))
    assert "script" not in seen.tags
    assert "onerror" not in seen.attributes
    for attack in ATTACKS:
        assert seen.text.count(attack) >= 2, attack
    tex = (experiment.report / "tables" / "judges.tex").read_text(encoding="utf-8")
    assert "<script>" not in tex
    assert "<script>" not in (experiment.report / "tables" / "judges.md").read_text(encoding="utf-8").replace(r"\<", "")


def test_tables_carry_the_captions_of_the_page_in_all_formats(made: Experiment, html: str) -> None:
    told = captions(html).tables
    folder = made.report / "tables"
    assert {"scores", "ranks", "judges", "participants", "methods_sources"} <= set(told)
    for path in sorted(folder.glob("*.csv")):
        markdown, tex = path.with_suffix(".md").read_text(encoding="utf-8"), path.with_suffix(".tex").read_text(encoding="utf-8")
        assert path.stem not in told or told[path.stem].split()[0] in markdown.split("\n")[0], path.stem
        caption = re.search(r"\\caption\{(.*)\}\\label", tex)
        assert caption and len(caption[1]) > 10, path.stem
        assert path.stem not in told or printed(caption[1]) == told[path.stem]
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
        # The caption and a second head are further rows of a long table.
        assert tex.count("\\\\\n") - 2 * ("\\begin{longtable}" in tex) == len(rows)


def test_figures_carry_the_captions_of_the_page(made: Experiment, html: str) -> None:
    told = captions(html).figures
    drawn = {path.stem for path in (made.report / "figures").glob("*.pdf")}
    assert set(told) == drawn
    tex = (made.report / "text" / "captions.tex").read_text(encoding="utf-8")
    found = dict(re.findall(r"\{figures/(\w+)\.pdf\}\n  \\caption\{\\textbf\{(.*?)\} ", tex))
    assert {name: printed(title) for name, title in found.items()} == {name: title for name, (title, _) in told.items()}
    assert not any(re.match(r"Figure \d", title) for title, _ in told.values())
    assert not any(words.startswith(title) or "Figure" in words for title, words in told.values())
    assert all(title and words for title, words in told.values())


def test_methods_say_the_same_on_the_page_and_in_both_files(made: Experiment, html: str) -> None:
    markdown = (made.report / "text" / "methods.md").read_text(encoding="utf-8")
    tex = (made.report / "text" / "methods.tex").read_text(encoding="utf-8")
    text = Seen(html).text
    for block in re.findall(r"\\paragraph\{(\w+)\}\n(.*)", tex):
        words = printed(block[1])
        assert words in text
        assert words.split(".")[0] in re.sub(r"\\(.)", r"\1", markdown)
    assert f"“{ATTACKS[0]}”" in text


def test_the_checklist_stands_on_the_page(html: str) -> None:
    text = " ".join(Seen(html).text.split())
    assert "Registration NOT REPORTED. Register the study before its first vote" in text
    assert "Multiplicity P-values are corrected by Holm’s rule" in text


def test_how_own_images_were_made_is_asked_for_and_told_in_the_researchers_words(made: Experiment, tmp_path: Path) -> None:
    shutil.copytree(made.folder, tmp_path / "copy")
    experiment = Experiment(tmp_path / "copy")
    own = [
        dataclasses.replace(row, generator=OWN_IMAGE, scorer=None, score=None, target_user=None)
        for row in manifest.read_stimuli(experiment.stimuli)
    ]
    manifest.write_stimuli(experiment.stimuli, own)
    asked = Seen(build(experiment)).text
    assert 'Write [report] images = "…" in study.toml: with which models, settings and seeds your own images were made.' in asked
    assert "for everybody" not in asked
    assert len(set(re.findall(r"The images of [^.]* were the researchers’ own", asked))) == 1
    told = Seen(build(experiment, ReportTable(images="FLUX.2-dev, 28 steps, seed 7"))).text
    assert "FLUX.2-dev, 28 steps, seed 7." in told
    assert "FLUX.2-dev, 28 steps, seed 7." in (experiment.report / "text" / "methods.md").read_text(encoding="utf-8")
    assert "[report] images =" not in told


def test_figures_have_the_width_of_a_column_and_fonts_of_their_own(made: Experiment) -> None:
    for path in (made.report / "figures").glob("*.png"):
        if path.stem in ("scores", "contrasts", "win_rates", "participants", "steering", "by_participant", "by_prompt"):
            with Image.open(path) as image:
                dots, width = image.info["dpi"][0], image.width
            assert any(abs(width / dots - wanted) < 0.01 for wanted in (COLUMN, HALF_MORE, PAGE)), path.stem
        pdf = path.with_suffix(".pdf").read_bytes()
        assert b"/FontFile2" in pdf
        assert b"/Subtype /Type3" not in pdf


def test_one_figure_is_drawn_without_the_page(made: Experiment, tmp_path: Path) -> None:
    shutil.copytree(made.folder, tmp_path / "copy", ignore=shutil.ignore_patterns("report"))
    result = CliRunner().invoke(app, ["reports", "build", str(tmp_path / "copy"), "--only", "elo"])
    assert result.exit_code == 0, result.output
    written = {str(path.relative_to(tmp_path / "copy" / "report")) for path in (tmp_path / "copy" / "report").rglob("*.*")}
    assert written == {f"figures/scores.{kind}" for kind in ("svg", "pdf", "png")}
    assert all(str(tmp_path / "copy" / "report" / name) in result.output.replace("\n", "") for name in written)
    for name in written:
        assert (tmp_path / "copy" / "report" / name).read_bytes() == (made.report / name).read_bytes()


def test_a_misspelt_figure_is_refused_with_all_names(made: Experiment) -> None:
    with pytest.raises(ExperimentError, match=r'--only scors: no figure is called so; did you mean "scores"\?') as refused:
        named("scors")
    assert all(name in str(refused.value) for name in ("elo", *NAMES))
    with pytest.raises(ExperimentError, match="does not hold what the figure runs shows; what there is to draw is scores, contrasts"):
        page.draw(made, "runs")


def test_every_figure_of_the_page_can_be_asked_for(made: Experiment) -> None:
    assert {path.stem for path in (made.report / "figures").iterdir()} <= set(NAMES)
