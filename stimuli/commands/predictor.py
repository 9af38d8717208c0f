"""The commands that repeat the paper's tables on its own model: inputs left out (Table 3), and how new people are matched (Table 4)."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, cast

import numpy as np
import typer
from rich.console import Console

from stimuli import learning
from stimuli.config import StimuliSettings
from stimuli.experiment import Experiment, ExperimentError, require
from stimuli.learning.training import Material, material
from stimuli.prediction_record import Matching, PredictionRecord, Sharpness, read_prediction_record, write_prediction_record
from stimuli.predictions import Predictions, joined, read_predictions, write_predictions
from stimuli.predictors import PAPER
from stimuli.predictors.kinds import Kind
from stimuli.progress import Report, shown, silent
from stimuli.provenance import sha256
from stimuli.store import Store

if TYPE_CHECKING:
    from stimuli.predictors.paper_settings import PaperModel
    from stimuli.predictors.paper_tables import RatedSplits

app = typer.Typer(help="Repeat the paper's tables.", no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(help="The experiment: a folder with a study.toml.", show_default=False)]
Draws = Annotated[int, typer.Option(help="How often the ratings that a new person is shown by are drawn.", min=1)]


@app.command("ablate")
def ablate_command(
    ctx: typer.Context,
    folder: Folder,
    *,
    epochs: Annotated[int, typer.Option(help="How often each model goes through the ratings.", min=1)] = 10,
    width: Annotated[int, typer.Option(help="Width of the models, a multiple of 4; 64 is enough for a first look.", min=4)] = 256,
    draws: Draws = 10,
) -> None:
    """Train the paper's model six times, each time without another input, and tell held-out ratings with each (the paper's Table 3).

    The rows are added to predictions.parquet, which `tastebench stimuli predict` makes; the analysis measures them. What was trained
    is kept in work/ablations/, so an interrupted run continues.

    Example: tastebench stimuli ablate my-study
    """
    experiment, settings = _opened(ctx, folder)
    from stimuli.predictors.paper_settings import PaperModel

    model = PaperModel(epochs=epochs, width=width, hidden=4 * width)
    with shown(Console(stderr=True)) as report:
        rows = add_ablations(experiment, settings, model, number=draws, report=report)
    _tell(experiment, folder, rows)


@app.command("grid")
def grid_command(ctx: typer.Context, folder: Folder, *, draws: Draws = 10, split: str = "val_unseen") -> None:
    """Tell new people's ratings by the paper's model for every number of ratings, neighbours and temperature (the paper's Table 4).

    The rows are added to predictions.parquet, and how alike the profiles are to predictions.json. The paper's model must be trained.

    Example: tastebench stimuli grid my-study
    """
    experiment, settings = _opened(ctx, folder)
    with shown(Console(stderr=True)) as report:
        rows = add_grid(experiment, settings, split=split, number=draws, report=report)
    _tell(experiment, folder, rows)


def add_ablations(
    experiment: Experiment, settings: StimuliSettings, model: "PaperModel", *, number: int = 10, report: Report = silent
) -> Predictions:
    """Add the rows of Table 3, models like `model` with inputs left out, to the predictions of an experiment, and return them.

    Raises:
        ExperimentError: there are no predictions to add to, or the data set has no unseen users with enough ratings.
    """
    from stimuli.predictors.paper_tables import ablate

    _require_predictions(experiment)
    kind, known = _read(experiment, settings, report)
    rows = ablate(
        _splits(known),
        model,
        number=number,
        seed=kind.seed,
        device=kind.device,
        resume=experiment.work / "ablations",
        report=report,
    )
    _add(experiment, rows)
    return rows


def add_grid(
    experiment: Experiment, settings: StimuliSettings, *, split: str = "val_unseen", number: int = 10, report: Report = silent
) -> Predictions:
    """Add the cells of Table 4 to the predictions of an experiment, and why they differ so little to their record; return the rows.

    Contexts of 20 and 25 are left out where they would leave somebody too few ratings to tell.

    Raises:
        ExperimentError: there are no predictions to add to, the paper's model is not trained, or nobody new rated enough.
    """
    from stimuli.predictors.heldout import SHOTS, able_for
    from stimuli.predictors.paper import PaperPredictor
    from stimuli.predictors.paper_diagnosis import diagnosis, matching
    from stimuli.predictors.paper_tables import CONTEXTS, grid, shots_of

    _require_predictions(experiment)
    kind, known = _read(experiment, settings, report)
    path = require(kind.file(experiment.predictor), made_by=f'tastebench stimuli train` with predictor = "{PAPER}" in its table `[stimuli]')
    fitted = kind.load(path)
    if not isinstance(fitted, PaperPredictor):
        raise ExperimentError(f"{path}: not the paper's model; train it again")
    data, new = _splits(known), known.judgements(split)
    able, _ = able_for(new, longest=SHOTS)
    contexts = [k for k in CONTEXTS if k <= SHOTS or (able and able_for(new, longest=k)[0] == able)]
    found = grid(data, fitted, contexts=contexts, split=split, number=number, seed=kind.seed, report=report)
    matched = diagnosis(
        known.looks,
        known.judgements("train"),
        new,
        shots_of(data, split, longest=max(contexts), number=1, seed=kind.seed),
        fitted.predict(known.looks, None).mean,
        context=SHOTS,
    )
    _add(experiment, found.predictions, sharpness=found.sharpness, matched=matching(matched))
    return found.predictions


def _read(experiment: Experiment, settings: StimuliSettings, report: Report) -> tuple[Kind, Material]:
    """Return the data set as the paper's model reads it, whichever predictor the study uses."""
    kind = replace(learning.kind(settings), name=PAPER)
    eyes = replace(learning.sight(experiment, settings.stimuli), metadata=True)
    with Store(experiment.work) as store:
        data = learning.rated(experiment, settings, store, report=report)
    task = replace(learning.task(experiment, settings, eyes, data), kind=kind)
    return kind, material(task, report=report)


def _splits(known: Material) -> "RatedSplits":
    from stimuli.predictors.paper_tables import RatedSplits

    names = sorted(set(known.rated.ratings["split"]))
    images = known.rated.images.index.astype(str).tolist()
    return RatedSplits(images, known.looks, known.people, {name: known.judgements(name) for name in names})


def _require_predictions(experiment: Experiment) -> None:
    require(experiment.predictions, made_by="tastebench stimuli predict")


def _add(experiment: Experiment, rows: Predictions, *, sharpness: Sequence[Sharpness] = (), matched: Matching | None = None) -> None:
    """Add rows to the predictions, in place of those of the same models, and what is known of them to the record."""
    before, models = read_predictions(experiment.predictions), sorted(set(rows.model))
    kept = before.where(~np.isin(before.model.astype(str), models))
    if experiment.prediction_record.is_file():
        record = read_prediction_record(experiment.prediction_record)
        others = tuple(one for one in record.sharpness if one.model not in models)
        record = replace(record, sharpness=(*others, *sharpness), matching=matched or record.matching)
        _write(experiment, joined(kept, rows), record)
    else:
        write_predictions(experiment.predictions, joined(kept, rows))


def _write(experiment: Experiment, rows: Predictions, record: PredictionRecord) -> None:
    # The record goes first and comes back last: one without its rows must not be taken for theirs.
    experiment.prediction_record.unlink()
    write_predictions(experiment.predictions, rows)
    inputs = {**record.provenance.get("inputs", {}), experiment.predictions.name: sha256(experiment.predictions)}
    write_prediction_record(experiment.prediction_record, replace(record, provenance={**record.provenance, "inputs": inputs}))


def _opened(ctx: typer.Context, folder: Path) -> tuple[Experiment, StimuliSettings]:
    return cast("Callable[[Path], tuple[Experiment, StimuliSettings]]", ctx.obj)(folder)


def _tell(experiment: Experiment, folder: Path, rows: Predictions) -> None:
    models = sorted(set(rows.model))
    typer.echo(f"{experiment.predictions}: {len(rows):,} predictions by {len(models)} models added: {', '.join(models)}.")
    typer.echo(f"Next: tastebench analysis predictor {quote(str(folder))}")
