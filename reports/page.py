"""The page: everything the report says, as one HTML file that needs nothing else."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import jinja2

from analysis.results import Results
from reports import sentences, tables
from reports.checklist import Item, checklist, checklist_table
from reports.drawing import Rendered, rendered
from reports.figure_names import named
from reports.figures import charted, has_both
from reports.flow import flow, flow_table
from reports.gallery import gallery, held_out, runs
from reports.inline_figures import inline
from reports.kept_copies import Copies
from reports.limits import limits
from reports.material import Material, gather
from reports.methods import Paragraph, methods, source_table
from reports.methods.given import images_fixed, images_given, personal_conditions
from reports.predictor_tables import own_tables
from reports.predictor_words import predictor_words
from reports.published_tables import published_tables
from reports.quality import quality_in_words
from reports.robustness import fit_in_words, halves_in_words, side_in_words
from reports.run_texts import images_of_runs, run_table
from reports.settings import ReportSettings
from reports.sheet import images_by_importance, sheets
from reports.small_multiples import MOST_PANELS, groups
from reports.steering_checks import Checks, checks
from reports.templating import environment
from reports.text_files import write_tables, write_texts
from reports.thumbnails import thumbnails
from reports.vote_tables import vote_tables
from reports.win_rates import ranking
from reports.with_everybody import exclusions_in_words
from stimuli.experiment import Experiment, ExperimentError, write_whole
from stimuli.progress import Report, silent

# Characters of the page that images may take; figures and text need the rest of 15 MB.
_IMAGE_BUDGET = 11_000_000


def build(
    experiment: Experiment,
    *,
    title: str,
    settings: ReportSettings | None = None,
    report: Report = silent,
    warn: Callable[[str], None] = lambda _: None,
) -> Path:
    """Write the report of `experiment` and return the path of its report/index.html.

    Shows what the folder holds and names what it lacks; without `settings` it tells nothing that only study.toml knows. Equal
    folders give equal bytes; the only times are those that the stages recorded. `warn` is told where the small copies of the images
    cannot be kept, which makes the next report slower and this one no worse.

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
    copies = Copies(experiment.folder, experiment.small_copies)
    html = _html(title, material, figures, made, checked, (paragraphs, items), copies, report)
    write_tables(experiment.report / "tables", made, html=html)
    write_texts(experiment.report / "text", paragraphs, figures, html=html)
    index = experiment.report / "index.html"
    write_whole(index, html.encode())
    _keep(copies, warn)
    return index


def draw(experiment: Experiment, name: str) -> list[Path]:
    """Write one figure of the report alone, as SVG, PDF and PNG, and return their paths.

    Raises:
        ExperimentError: no figure is called so, or the folder does not hold what it shows.
    """
    wanted = named(name)
    drawn = gallery(gather(experiment))
    if wanted not in drawn:
        there = f"what there is to draw is {', '.join(drawn)}" if drawn else "there is nothing to draw yet"
        raise ExperimentError(f"{experiment.folder}: does not hold what the figure {wanted} shows; {there}")
    return _write_figure(experiment, wanted, rendered(drawn[wanted]))


def _keep(copies: Copies, warn: Callable[[str], None]) -> None:
    """Keep the small copies for the next report; last of all, since there is nothing in them that cannot be made again."""
    try:
        copies.keep()
    except ExperimentError as error:
        warn(f"The report is whole; the next one will make the small copies of the images again, since they cannot be kept: {error}")


def _write_figure(experiment: Experiment, name: str, figure: Rendered) -> list[Path]:
    formats = {"svg": figure.svg, "pdf": figure.pdf, "png": figure.png}
    paths = {suffix: experiment.report / "figures" / f"{name}.{suffix}" for suffix in formats}
    for suffix, content in formats.items():
        write_whole(paths[suffix], content)
    return list(paths.values())


def _figures(material: Material, report: Report) -> dict[str, Rendered]:
    drawn = gallery(material)
    finished = {}
    for done, (name, figure) in enumerate(drawn.items(), start=1):
        finished[name] = rendered(figure)
        report("figures", done, len(drawn))
    return finished


def _tables(material: Material) -> dict[str, tables.Table]:
    """Return the tables that have rows, by name; those of the paper only beside one's own."""
    told = own_tables(material.predictor) | published_tables() if material.predictor else {}
    repeated = run_table(runs(material))
    return (vote_tables(material.results) if material.results else {}) | told | ({repeated.name: repeated} if repeated.rows else {})


def _html(
    title: str,
    material: Material,
    figures: Mapping[str, Rendered],
    made: Mapping[str, tables.Table],
    checked: Checks | None,
    reviewer: tuple[tuple[Paragraph, ...], tuple[Item, ...]],
    copies: Copies,
    report: Report,
) -> str:
    shown = sheets(material.stimuli, material.steps)
    repeated = runs(material)
    uses = [*images_by_importance(shown), *images_of_runs(repeated)]
    small = thumbnails(copies, uses, budget=_IMAGE_BUDGET, report=report)
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
            level=sentences.per_cent(1 - results.alpha) if results else "",
            reach=sentences.reach(results) if results else "",
            reach_of_scores=sentences.reach_of("these"),
            lead=sentences.lead(results) if results else None,
            conditions=ranking(results.scores) if results else (),
            scores_in_a_row=sentences.scores_in_a_row(results) if results else "",
            scopes=_scopes(results),
            personal=personal_conditions(material),
            fixed=partial(images_fixed, material),
            given=partial(images_given, material),
            charted=len(charted(results.main_contrasts, ranking(results.scores))) if results else 0,
            predictor=predictor_words(material.predictor) if material.predictor else None,
            figures={name: inline(name, figure, number=number) for number, (name, figure) in enumerate(figures.items(), start=1)},
            tables=made,
            sheets=shown,
            runs=repeated,
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
            halves=halves_in_words(results) if results else "",
            excluded=exclusions_in_words(results) if results else "",
            fitted=fit_in_words(results) if results else [],
            side=side_in_words(results.side, results.counts.left_share) if results else "",
            held_out=bool(held_out(material)),
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
    return sorted({contrast.scope for contrast in results.main_contrasts} or {"these"}) if results else []


def _score(number: float) -> str:
    """Return a scorer's score: its unit and range are the scorer's own, so three decimals below 1 and two above."""
    return f"{number:.3f}" if abs(number) < 1 else f"{number:.2f}"


def _provenance(material: Material) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the recorded origin of each stage that has one."""
    stages = (("Stimuli", material.record), ("Analysis", material.results), ("Predictor", material.predictor))
    return [(name, stage.provenance) for name, stage in stages if stage and stage.provenance]
