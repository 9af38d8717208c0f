"""The page: everything the report says, as one HTML file that needs nothing else."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from analysis.results import Results
from reports import sentences, tables
from reports.curves import steering_curves
from reports.disagreement_figure import disagreement_figure
from reports.drawing import Rendered, rendered
from reports.figures import charted, contrast_plot, score_plot, win_matrix
from reports.material import Material, gather
from reports.predictor_figures import context_curves, margin_curves, matching_figure, widens
from reports.predictor_tables import own_tables
from reports.predictor_words import predictor_words
from reports.published_tables import published_tables
from reports.sheet import images_by_importance, sheets
from reports.thumbnails import thumbnails
from reports.win_rates import ranking, win_rates
from stimuli.experiment import Experiment, write_whole
from stimuli.progress import Report, silent

# Characters of the page that images may take; figures and text need the rest of 15 MB.
_IMAGE_BUDGET = 11_000_000
_CSS_PIXELS = 96


@dataclass(frozen=True)
class InlineFigure:
    """An SVG that can stand in HTML beside others; widths in CSS pixels keep its letters between readable and loud."""

    number: int
    svg: Markup
    least: int
    most: int


def build(experiment: Experiment, *, title: str, report: Report = silent) -> Path:
    """Write the report of `experiment` and return the path of its report/index.html.

    Shows what the folder holds and names what it lacks. Equal folders give equal bytes; the only times are those
    that the stages recorded.

    Raises:
        ExperimentError: the folder holds neither study.toml nor results.json, or a file that cannot be read.
    """
    material = gather(experiment)
    figures = _figures(material, report)
    made = _tables(material)
    for name, figure in figures.items():
        for suffix, content in (("svg", figure.svg), ("pdf", figure.pdf), ("png", figure.png)):
            write_whole(experiment.report / "figures" / f"{name}.{suffix}", content)
    for table in made.values():
        write_whole(experiment.report / "tables" / f"{table.name}.csv", tables.as_csv(table))
        write_whole(experiment.report / "tables" / f"{table.name}.md", tables.as_markdown(table))
    index = experiment.report / "index.html"
    write_whole(index, _html(title, material, figures, made, report).encode())
    return index


def inline(name: str, figure: Rendered, *, number: int) -> InlineFigure:
    """Return `figure` for use inside a page as Figure `number`: without XML preamble and size, and with ids that no other figure has."""
    svg = figure.svg.decode()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<svg[^>]*?(viewBox=\"[^\"]*\")[^>]*>", rf'<svg \1 role="img" aria-labelledby="caption-{name}">', svg, count=1)
    svg = re.sub(r'(<image\b[^>]*?) id="[^"]*"', r"\g<1>", svg)  # two equal pictures have one id, which nothing refers to
    svg = re.sub(r'( id="|href="#|url\(#)', rf"\g<1>{name}-", svg)
    svg = re.sub(r"\s*<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<style[^>]*>[^<]*</style>", "", svg)  # it speaks of every element; page.css says it for figures only
    natural = figure.width * _CSS_PIXELS
    return InlineFigure(number, Markup(svg), round(natural * 0.72), round(natural * 1.3))


def _figures(material: Material, report: Report) -> dict[str, Rendered]:
    """Return the figures that there is something to draw for, by name."""
    drawn = {}
    results = material.results
    if results and results.scores:
        drawn["scores"] = score_plot(results.scores)
    if results and results.main_contrasts:
        drawn["contrasts"] = contrast_plot(charted(results.main_contrasts, ranking(results.scores)))
    if results and results.pairs:
        drawn["win_rates"] = win_matrix(win_rates(results.pairs, ranking(results.scores)))
    if material.steps:
        drawn["steering"] = steering_curves(material.steps)
    drawn |= _predictor_figures(material)
    finished = {}
    for done, (name, figure) in enumerate(drawn.items(), start=1):
        finished[name] = rendered(figure)
        report("figures", done, len(drawn))
    return finished


def _predictor_figures(material: Material) -> dict[str, Figure]:
    found = material.predictor
    if not found:
        return {}
    drawn = {}
    if found.scores:
        drawn["predictor_margins"] = margin_curves(found.scores, found.margins)
    if widens(found.few_shot):
        drawn["predictor_context"] = context_curves(found.few_shot, found.scores, found.baseline)
    if found.matching and found.matching.cosines and found.matching.weights:
        drawn["predictor_matching"] = matching_figure(np.array(found.matching.cosines), np.array(found.matching.weights))
    if found.disagreements:
        drawn["predictor_disagreements"] = disagreement_figure(found.disagreements, material.experiment.folder)
    return drawn


def _tables(material: Material) -> dict[str, tables.Table]:
    """Return the tables that have rows, by name; those of the paper only beside one's own."""
    told = own_tables(material.predictor) | published_tables() if material.predictor else {}
    return _vote_tables(material.results) | told


def _vote_tables(results: Results | None) -> dict[str, tables.Table]:
    if not results:
        return {}
    made = [
        tables.score_table(results.scores),
        tables.contrast_table(results.main_contrasts),
        tables.pair_table(results.pairs),
        tables.win_table(win_rates(results.pairs, ranking(results.scores))),
        tables.claim_table(results.claims),
        tables.count_table(results.counts),
    ]
    return {table.name: table for table in made if table.rows}


def _html(title: str, material: Material, figures: Mapping[str, Rendered], made: Mapping[str, tables.Table], report: Report) -> str:
    shown = sheets(material.stimuli, material.steps)
    small = thumbnails(material.experiment.folder, images_by_importance(shown), budget=_IMAGE_BUDGET, report=report)
    results = material.results
    return (
        _environment()
        .get_template("page.html")
        .render(
            title=title,
            material=material,
            results=results,
            banner=sentences.simulated(material.participants),
            overview=sentences.overview(material),
            reviewed=sentences.reviewed(material),
            reach=sentences.reach(results) if results else "",
            reach_of_scores=sentences.reach_of("these"),
            lead=sentences.lead(results) if results else None,
            conditions=ranking(results.scores) if results else (),
            scores_in_a_row=sentences.scores_in_a_row(results) if results else "",
            scopes=_scopes(results),
            charted=len(charted(results.main_contrasts, ranking(results.scores))) if results else 0,
            predictor=predictor_words(material.predictor) if material.predictor else None,
            figures={name: inline(name, figure, number=number) for number, (name, figure) in enumerate(figures.items(), start=1)},
            tables=made,
            sheets=shown,
            thumbnails=small,
            provenance=_provenance(material),
        )
    )


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["verdict_kind"] = sentences.verdict_kind
    environment.filters["score"] = _score
    environment.filters["sentence"] = sentences.sentence
    environment.filters["count"] = tables.count
    return environment


def _scopes(results: Results | None) -> list[str]:
    return sorted({contrast.scope for contrast in results.main_contrasts}) if results else []


def _score(number: float) -> str:
    """Return a scorer's score: its unit and range are the scorer's own, so three decimals below 1 and two above."""
    return f"{number:.3f}" if abs(number) < 1 else f"{number:.2f}"


def _provenance(material: Material) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the recorded origin of each stage that has one."""
    stages = (("Stimuli", material.record), ("Analysis", material.results), ("Predictor", material.predictor))
    return [(name, stage.provenance) for name, stage in stages if stage and stage.provenance]
