"""The command that measures predictors: `tastebench analysis predictor`."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from shlex import quote
from typing import Annotated, cast

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from analysis.config import AnalysisSettings
from analysis.model_scores import Measuring
from analysis.predictor_findings import CONTEXT, evaluate
from analysis.predictor_metrics import RESAMPLES, Estimate
from analysis.predictor_results import ModelScores, PredictorResults, write_predictor_results
from stimuli.experiment import Experiment
from stimuli.prediction_record import read_prediction_record
from stimuli.predictions import read_predictions
from stimuli.progress import Report, shown, silent
from stimuli.provenance import describe
from stimuli.seeds import seed_for


def predictor_command(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="The experiment: a folder with a study.toml.", show_default=False)],
    *,
    predictions: Annotated[Path | None, typer.Option(help="What predictors told; else predictions.parquet of the experiment.")] = None,
    context: Annotated[int, typer.Option(min=0, help="Compare models after so many ratings of a new person.")] = CONTEXT,
    baseline: Annotated[str | None, typer.Option(help='The model that others are compared with; else "population".')] = None,
    resamples: Annotated[int, typer.Option(min=100, max=100_000, help="How often users are drawn again.")] = RESAMPLES,
) -> None:
    """Measure how well predictors tell ratings: correlations and pairwise accuracy per user, with intervals over users.

    Goes in: predictions.parquet (one row a predicted rating) and, where it is there, predictions.json beside it. Comes out:
    predictor.json, with all models compared on the same users and ratings, their differences to the baseline, new people by how
    many of their ratings were seen, and the images on which two people disagree.

    Example: `tastebench analysis predictor my-study`
    """
    experiment, settings = cast("Callable[[Path], tuple[Experiment, AnalysisSettings]]", ctx.obj)(folder)
    measuring = Measuring(resamples, settings.analysis.alpha, seed_for(settings.experiment.seed, "bootstrap of users"))
    with shown(Console(stderr=True)) as report:
        found = measure(experiment, predictions, context=context, baseline=baseline, measuring=measuring, report=report)
    console = Console(markup=False, highlight=False)
    if found.scores:
        console.print(_score_table(found.scores))
        console.print("", *_lines(found), sep="\n")
    if found.few_shot:
        console.print(f"{len(found.few_shot)} rows of new people by context, {len(found.ablations)} ablations.")
    typer.echo(f"Written: {experiment.predictor_results}")
    typer.echo(f"Next: tastebench reports build {quote(str(folder))}")


def measure(
    experiment: Experiment,
    path: Path | None = None,
    *,
    context: int,
    baseline: str | None,
    measuring: Measuring,
    report: Report = silent,
) -> PredictorResults:
    """Return the results of the predictions at `path`, or of the experiment's own, and write them as its predictor.json.

    Raises:
        ExperimentError: there are no predictions, they cannot be read, or models cannot be compared.
    """
    path = path or experiment.predictions
    beside = path.with_suffix(experiment.prediction_record.suffix)
    record = read_prediction_record(beside) if beside.is_file() else None
    found = evaluate(read_predictions(path), record, context=context, baseline=baseline, measuring=measuring, report=report)
    settings = experiment.settings if experiment.settings.is_file() else None
    inputs = [path, beside] if record else [path]
    found = replace(found, provenance=asdict(describe(settings=settings, seed=measuring.seed, inputs=inputs)))
    write_predictor_results(experiment.predictor_results, found)
    return found


def _score_table(scores: Sequence[ModelScores]) -> Table:
    """Return the scores split by split, in a table that eighty columns hold."""
    table = Table(box=None, pad_edge=False)
    table.add_column("", overflow="fold", min_width=10)
    for heading in ("k", "SROCC", "accuracy", "users", "over baseline"):
        table.add_column(heading, justify="right", no_wrap=True)
    for split in dict.fromkeys(one.split for one in scores):
        table.add_row(Text(split, style="italic"))
        for one in (one for one in scores if one.split == split):
            over = _told(one.difference.srocc, signed=True) if one.difference else "–"
            of = one.metrics
            table.add_row(f"  {one.model}", str(one.context), _told(of.srocc), f"{of.accuracy.value:.3f}", str(one.users), over)
    return table


def _told(one: Estimate, *, signed: bool = False) -> str:
    sign = "+" if signed else ""
    return f"{one.value:{sign}.3f} [{one.low:{sign}.2f}, {one.high:{sign}.2f}]"


def _lines(found: PredictorResults) -> Iterator[str]:
    interval = f"{100 * (1 - found.alpha):g} % intervals over users drawn again"
    yield f"Means over users with {interval}; k is how many ratings of a new person were seen. The last column is of SROCC."
    if found.simulated:
        yield "The ratings are by simulated raters: these numbers are no finding about people."
    for split in dict.fromkeys(one.split for one in found.scores):
        of = next(one for one in found.scores if one.split == split)
        if of.too_few or of.constant:
            yield f"{split}: {of.too_few} users with fewer than five ratings and {of.constant} with one rating for all are left out."
    if found.rated_again:
        yield f"{found.rated_again:,} held-out ratings that the predictor knew from the rating study are left out."
    for diverging in found.diverging:
        if diverging.found.decision is not None:
            yield (
                f"{diverging.split}, {diverging.model}: {diverging.found.decision:.1%} of decisions right on "
                f"{diverging.found.quadruples:,} diverging pairs (a model that is blind to users: 50 %)."
            )
