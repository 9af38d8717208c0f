"""The page: everything the report says, as one HTML file that needs nothing else."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup
from matplotlib.figure import Figure

from analysis.results import Results
from reports import sentences, tables
from reports.checklist import Item, checklist, checklist_table
from reports.curves import held_out_steps, steering_curves
from reports.disagreement_figure import disagreement_figure
from reports.drawing import Rendered, rendered
from reports.figure_names import named
from reports.figures import charted, contrast_plot, has_both, score_plot, win_matrix
from reports.flow import flow, flow_table
from reports.flow_figure import flow_figure
from reports.limits import limits
from reports.material import Material, gather
from reports.methods import Paragraph, methods, source_table
from reports.predictor_figures import context_curves, margin_curves, matching_figure, widens
from reports.predictor_tables import own_tables
from reports.predictor_words import predictor_words
from reports.published_tables import published_tables
from reports.quality import quality_in_words
from reports.robustness import side_in_words
from reports.run_figures import within_between
from reports.run_texts import Runs, images_of_runs, run_table, runs_of
from reports.settings import ReportSettings
from reports.sheet import images_by_importance, sheets
from reports.small_multiples import MOST_PANELS, groups, small_multiples
from reports.steering_checks import Checks, checks
from reports.templating import environment
from reports.text_files import write_tables, write_texts
from reports.thumbnails import thumbnails
from reports.vote_tables import vote_tables
from reports.win_rates import ranking, win_rates
from stimuli.experiment import Experiment, ExperimentError, write_whole
from stimuli.manifest import Step
from stimuli.progress import Report, silent

# Characters of the page that images may take; figures and text need the rest of 15 MB.
_IMAGE_BUDGET = 11_000_000
_CSS_PIXELS = 96
# Of what may be its most on the page; the text is narrower than that.
_WIDE = 800
# How far a figure may shrink and grow on the page, where it is read from further away than on paper.
_LEAST, _MOST = 0.85, 1.5


@dataclass(frozen=True)
class InlineFigure:
    """An SVG that can stand in HTML beside others; widths in CSS pixels keep its letters between readable and loud."""

    number: int
    svg: Markup
    least: int
    most: int

    @property
    def wide(self) -> bool:
        """Whether it holds panels side by side, whose letters would be too small at the width of the text."""
        return self.most > _WIDE


def build(experiment: Experiment, *, title: str, settings: ReportSettings | None = None, report: Report = silent) -> Path:
    """Write the report of `experiment` and return the path of its report/index.html.

    Shows what the folder holds and names what it lacks; without `settings` it tells nothing that only study.toml knows. Equal
    folders give equal bytes; the only times are those that the stages recorded.

    Raises:
        ExperimentError: the folder holds neither study.toml nor results.json, or a file that cannot be read.
    """
    material = gather(experiment)
    figures = _figures(material, report)
    checked = checks(material)
    paragraphs, items = methods(material, settings), checklist(material, settings)
    told = (flow_table(flow(material.people, material.results)), source_table(paragraphs), checklist_table(items))
    made = _tables(material) | (checked.tables if checked else {}) | {table.name: table for table in told if table.rows}
    for name, figure in figures.items():
        _write_figure(experiment, name, figure)
    html = _html(title, material, figures, made, checked, (paragraphs, items), report)
    write_tables(experiment.report / "tables", made, html=html)
    write_texts(experiment.report / "text", paragraphs, figures, html=html)
    index = experiment.report / "index.html"
    write_whole(index, html.encode())
    return index


def draw(experiment: Experiment, name: str) -> list[Path]:
    """Write one figure of the report alone, as SVG, PDF and PNG, and return their paths.

    Raises:
        ExperimentError: no figure is called so, or the folder does not hold what it shows.
    """
    wanted = named(name)
    drawn = _drawn(gather(experiment))
    if wanted not in drawn:
        there = f"what there is to draw is {', '.join(drawn)}" if drawn else "there is nothing to draw yet"
        raise ExperimentError(f"{experiment.folder}: does not hold what the figure {wanted} shows; {there}")
    return _write_figure(experiment, wanted, rendered(drawn[wanted]))


def _write_figure(experiment: Experiment, name: str, figure: Rendered) -> list[Path]:
    formats = {"svg": figure.svg, "pdf": figure.pdf, "png": figure.png}
    paths = {suffix: experiment.report / "figures" / f"{name}.{suffix}" for suffix in formats}
    for suffix, content in formats.items():
        write_whole(paths[suffix], content)
    return list(paths.values())


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
    return InlineFigure(number, Markup(svg), round(natural * _LEAST), round(natural * _MOST))


def _figures(material: Material, report: Report) -> dict[str, Rendered]:
    drawn = _drawn(material)
    finished = {}
    for done, (name, figure) in enumerate(drawn.items(), start=1):
        finished[name] = rendered(figure)
        report("figures", done, len(drawn))
    return finished


def _drawn(material: Material) -> dict[str, Figure]:
    """Return the figures that there is something to draw for, by name, in the order of the page."""
    drawn = {}
    results = material.results
    if results and results.scores:
        drawn["scores"] = score_plot(results.scores)
    if results and results.main_contrasts:
        drawn["contrasts"] = contrast_plot(charted(results.main_contrasts, ranking(results.scores)))
    if results and results.pairs:
        drawn["win_rates"] = win_matrix(win_rates(results.pairs, ranking(results.scores)))
    drawn |= _group_figures(results) if results else {}
    stages = flow(material.people, results)
    if len(stages) > 1:
        drawn["participants"] = flow_figure(stages)
    if material.steps:
        drawn["steering"] = steering_curves(material.steps, _held_out(material))
    drawn |= {one.name: within_between(one.record) for one in _runs(material) if one.record.views}
    return drawn | _predictor_figures(material)


def _group_figures(results: Results) -> dict[str, Figure]:
    """Return the scores by participant and by prompt, where there are several of them."""
    found = {f"by_{of}": groups(results.pooled, of, ranking(results.scores)) for of in ("participant", "prompt")}
    return {name: small_multiples(some, results.scores) for name, some in found.items() if some}


def _runs(material: Material) -> tuple[Runs, ...]:
    return runs_of(material.results, material.stimuli) if material.results else ()


def _held_out(material: Material) -> list[list[Step]]:
    return held_out_steps(material.steps, material.rescored, material.candidates)


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
        drawn["predictor_matching"] = matching_figure(found.matching)
    if found.disagreements:
        drawn["predictor_disagreements"] = disagreement_figure(found.disagreements, material.experiment.folder)
    return drawn


def _tables(material: Material) -> dict[str, tables.Table]:
    """Return the tables that have rows, by name; those of the paper only beside one's own."""
    told = own_tables(material.predictor) | published_tables() if material.predictor else {}
    runs = run_table(_runs(material))
    return (vote_tables(material.results) if material.results else {}) | told | ({runs.name: runs} if runs.rows else {})


def _html(
    title: str,
    material: Material,
    figures: Mapping[str, Rendered],
    made: Mapping[str, tables.Table],
    checked: Checks | None,
    reviewer: tuple[tuple[Paragraph, ...], tuple[Item, ...]],
    report: Report,
) -> str:
    shown = sheets(material.stimuli, material.steps)
    runs = _runs(material)
    uses = [*images_by_importance(shown), *images_of_runs(runs)]
    small = thumbnails(material.experiment.folder, uses, budget=_IMAGE_BUDGET, report=report)
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
            runs=runs,
            panels=MOST_PANELS,
            groups_of={of: groups(results.pooled, of, ranking(results.scores)) for of in ("participant", "prompt")} if results else {},
            both_intervals=any(has_both(score) for score in results.scores) if results else False,
            score_scope=next((score.scope for score in results.scores), None) if results else None,
            reach_of=sentences.reach_of,
            checks=checked,
            paragraphs=reviewer[0],
            checklist=reviewer[1],
            limits=limits(material),
            quality=quality_in_words(results) if results else [],
            side=side_in_words(results.side, results.counts.left_share) if results else "",
            held_out=bool(_held_out(material)),
            thumbnails=small,
            provenance=_provenance(material),
        )
    )


def _environment() -> jinja2.Environment:
    made = environment()
    made.filters["score"] = _score
    made.filters["count"] = tables.count
    return made


def _scopes(results: Results | None) -> list[str]:
    return sorted({contrast.scope for contrast in results.main_contrasts}) if results else []


def _score(number: float) -> str:
    """Return a scorer's score: its unit and range are the scorer's own, so three decimals below 1 and two above."""
    return f"{number:.3f}" if abs(number) < 1 else f"{number:.2f}"


def _provenance(material: Material) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the recorded origin of each stage that has one."""
    stages = (("Stimuli", material.record), ("Analysis", material.results), ("Predictor", material.predictor))
    return [(name, stage.provenance) for name, stage in stages if stage and stage.provenance]
