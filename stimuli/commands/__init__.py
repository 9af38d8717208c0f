"""The commands of this room; each calls one function of `stimuli.production` and says what came out."""

from collections.abc import Callable, Sequence
from pathlib import Path
from shlex import quote
from typing import Annotated, cast

import typer
from rich.console import Console

from stimuli import learning, production
from stimuli.commands import images, predictor, rated, steering
from stimuli.config import StimuliSettings
from stimuli.experiment import Experiment
from stimuli.learning.training import Rater
from stimuli.predictors.heldout import FEWEST, Estimate, HeldOut
from stimuli.production import stand_ins
from stimuli.progress import shown
from stimuli.ratings import Unreadable

app = typer.Typer(help="Make the images: rate, train, steer.", no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(help="The experiment: a folder with a study.toml.", show_default=False)]


@app.command()
def ratings(ctx: typer.Context, folder: Folder) -> None:
    """Make or check the rated images that the predictor learns from.

    Where [stimuli.ratings] names a folder, every annotation and image in it is checked. Otherwise images of varied prompts are
    rendered, and simulated raters with known tastes rate them; the files have PAMELA's layout either way.

    Example: tastebench stimuli ratings my-study
    """
    experiment, settings = _opened(ctx, folder)
    with shown(Console(stderr=True)) as report:
        made = production.make_ratings(experiment, settings, report=report)
    kind = "simulated ratings" if made.simulated else "ratings"
    typer.echo(f"{made.folder}: {made.ratings} {kind} by {made.users} raters of {made.images} images.")
    _tell_unreadable(made.unreadable)
    typer.echo(f"Next: tastebench stimuli train {quote(str(folder))}")


@app.command()
def train(ctx: typer.Context, folder: Folder) -> None:
    """Learn each rater's taste from the rated images, and say how well that predicts ratings it never saw.

    Where a rating study of this experiment was exported (ratings.parquet), the people in it become known too, each by their own
    ratings. What comes out is the predictor in work/, with a JSON file beside it. Missing simulated ratings are made first.

    Example: tastebench stimuli train my-study
    """
    experiment, settings = _opened(ctx, folder)
    with shown(Console(stderr=True)) as report:
        trained = production.train(experiment, settings, report=report)
    path = learning.predictor_file(experiment, settings)
    typer.echo(f"{path}: learnt from {trained.ratings:,} ratings by {trained.users} raters of {trained.images} images.")
    _tell_stand_ins(settings)
    _tell_unreadable(trained.unreadable)
    _tell_held_out(trained.held_out)
    if trained.new_people:
        _tell_held_out(trained.new_people)
    _tell_raters(trained.raters)
    if experiment.onboarding.is_file() and not trained.raters:
        typer.echo(
            f"Next: tastebench study plan --rating {quote(str(folder))}, where people are to rate first; else tastebench stimuli steer "
            f"{quote(str(folder))}"
        )
    else:
        typer.echo(f"Next: tastebench stimuli steer {quote(str(folder))}")


@app.command()
def predict(
    ctx: typer.Context,
    folder: Folder,
    *,
    to: Annotated[Path | None, typer.Option(help="The file to write.", show_default="predictions.parquet in FOLDER")] = None,
) -> None:
    """Write what the predictor expects of all held-out ratings, beside one prediction for everybody and the generic scorers.

    People of the training are told as they are known, new people after 0, 5, 10 and 15 ratings of theirs (and 20 and 25 where all
    gave enough), in ten random draws. Scorers are those of the conditions. What comes out is predictions.parquet, with
    predictions.json beside it; the analysis measures it.

    Example: tastebench stimuli predict my-study
    """
    experiment, settings = _opened(ctx, folder)
    with shown(Console(stderr=True)) as report:
        made = production.predict(experiment, settings, to=to, report=report)
    typer.echo(f"{made.path}: {made.rows:,} predictions by {', '.join(made.models)} in {', '.join(made.splits)}.")
    _tell_stand_ins(settings)


@app.command()
def steer(ctx: typer.Context, folder: Folder) -> None:
    """Make every image that people will compare, and write the hand-over to the study.

    Each base prompt is rewritten, rendered and scored again and again, once for each scorer and target user. What comes out is
    stimuli.parquet, images/, steps.parquet and, last, stimuli.json. Ratings and predictor are made first where they are missing.
    An interrupted run continues where it stopped when the command is given again; `plan` says before what it takes, and `status`
    how far it is.

    Example: tastebench stimuli steer my-study
    """
    experiment, settings = _opened(ctx, folder)
    try:
        with shown(Console(stderr=True)) as report:
            made = production.steer(experiment, settings, report=report)
    except KeyboardInterrupt:
        typer.echo(f"Stopped; what is done is kept. To go on: tastebench stimuli steer {quote(str(folder))}", err=True)
        raise
    typer.echo(f"{experiment.stimuli}: {made.stimuli} images from {made.chains} chains of steering; {made.rendered} images rendered now.")
    if all(condition.images for condition in settings.condition) and settings.stimuli.ratings.folder is None:
        typer.echo("All images are your own. What was rendered is for simulated raters only (`study simulate`): people never see it.")
    _tell_unmoved(made, experiment)
    typer.echo(f"Next: tastebench study plan {quote(str(folder))}")


def _tell_unmoved(made: production.Steered, experiment: Experiment) -> None:
    if made.unmoved:
        typer.echo(f"{made.unmoved} of {made.chains} chains ended with the base prompt: no rewording of it scored better.")
    if made.unanswered:
        typer.echo(
            f"In {made.unanswered} of {made.iterations} iterations the rewriter gave no new prompt; what it said instead stands in "
            f'{experiment.work / "events.jsonl"}, under "proposed". Another model, a smaller [stimuli.steering] candidates or a greater '
            "[stimuli.rewriting] longest may help."
        )


def _opened(ctx: typer.Context, folder: Path) -> tuple[Experiment, StimuliSettings]:
    return cast("Callable[[Path], tuple[Experiment, StimuliSettings]]", ctx.obj)(folder)


def _tell_unreadable(unreadable: Sequence[Unreadable]) -> None:
    if unreadable:
        some = "; ".join(entry.reason for entry in unreadable[:3])
        typer.echo(
            f"{len(unreadable)} images cannot be read, and their ratings are left out: {some}{'; ...' if len(unreadable) > 3 else ''}"
        )


def _tell_stand_ins(settings: StimuliSettings) -> None:
    found = [f"{entry.name} ({entry.part}, for {entry.stands_for})" for entry in stand_ins.of_predictions(settings, {})]
    if found:
        typer.echo(f"Stand-ins: {'; '.join(found)}.")


def _tell_held_out(held_out: HeldOut) -> None:
    people = "New people" if held_out.context else "Held-out images"
    if held_out.personal is None or held_out.population is None or held_out.gain is None:
        typer.echo(f"{people} ({held_out.split}): no rater has enough ratings there to say how well it predicts.")
        return
    after = f" after {held_out.context} ratings of theirs, {held_out.draws} draws" if held_out.context else ""
    typer.echo(
        f"{people} ({held_out.split}{after}): the mean rank correlation with a rater's own ratings is {_told(held_out.personal)}, with "
        f"one prediction for everybody {_told(held_out.population)}, a gain of {_told(held_out.gain)}. {held_out.users} raters, "
        f"{held_out.ratings:,} ratings; 95 % intervals over raters."
    )
    if held_out.users_left_out:
        typer.echo(f"Left out: {held_out.users_left_out} raters with too few ratings in {held_out.split}, or constant ones.")


def _told(estimate: Estimate) -> str:
    return f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"


def _tell_raters(raters: Sequence[Rater]) -> None:
    if not raters:
        return
    known, few = [rater for rater in raters if rater.known], [rater for rater in raters if not rater.known]
    some = ", ".join(f"{rater.user} ({rater.ratings})" for rater in known[:6]) + (f" and {len(known) - 6} more" if len(known) > 6 else "")
    typer.echo(f"Known from the rating study: {some or 'nobody'}.")
    if few:
        names = ", ".join(f"{rater.user} ({rater.ratings})" for rater in few[:6]) + ("..." if len(few) > 6 else "")
        typer.echo(f"Left out with fewer than {FEWEST} rated images: {names}.")


for part in (steering, images, rated, predictor):
    app.add_typer(part.app)
