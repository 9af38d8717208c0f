"""The figures of a report: each that the folder of an experiment holds something for, by the name of its files."""

from pathlib import Path

from matplotlib.figure import Figure

from analysis.predictor_results import PredictorResults
from analysis.results import Results
from reports.curves import held_out_steps, steering_curves
from reports.disagreement_figure import disagreement_figure
from reports.figures import charted, contrast_plot, score_plot, win_matrix
from reports.flow import flow
from reports.flow_figure import flow_figure
from reports.material import Material
from reports.predictor_figures import context_curves, margin_curves, matching_figure, widens
from reports.run_figures import within_between
from reports.run_texts import Runs, runs_of
from reports.small_multiples import groups, small_multiples
from reports.win_rates import ranking, win_rates
from stimuli.manifest import Step


def gallery(material: Material) -> dict[str, Figure]:
    """Return the figures that there is something to draw for, by name, in the order of the page."""
    drawn, results = dict[str, Figure](), material.results
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
        drawn["steering"] = steering_curves(material.steps, held_out(material))
    drawn |= {one.name: within_between(one.record) for one in runs(material) if one.record.views}
    return drawn | (_predictor_figures(material.predictor, material.experiment.folder) if material.predictor else {})


def _group_figures(results: Results) -> dict[str, Figure]:
    """Return the scores by participant and by prompt, where there are several of them."""
    found = {f"by_{of}": groups(results.pooled, of, ranking(results.scores)) for of in ("participant", "prompt")}
    return {name: small_multiples(some, results.scores) for name, some in found.items() if some}


def runs(material: Material) -> tuple[Runs, ...]:
    """Return the repeated runs of each condition that has any; their figures are called as they are."""
    return runs_of(material.results, material.stimuli) if material.results else ()


def held_out(material: Material) -> list[list[Step]]:
    """Return the steps once for each held-out scorer, with its scores."""
    return held_out_steps(material.steps, material.rescored, material.candidates)


def _predictor_figures(found: PredictorResults, folder: Path) -> dict[str, Figure]:
    drawn = {}
    if found.scores:
        drawn["predictor_margins"] = margin_curves(found.scores, found.margins)
    if widens(found.few_shot):
        drawn["predictor_context"] = context_curves(found.few_shot, found.scores, found.baseline)
    if found.matching and found.matching.cosines and found.matching.weights:
        drawn["predictor_matching"] = matching_figure(found.matching)
    if found.disagreements:
        drawn["predictor_disagreements"] = disagreement_figure(found.disagreements, folder)
    return drawn
