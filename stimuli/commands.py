"""The commands of this room; each calls one function of `stimuli.production` and says what came out."""

from collections.abc import Callable, Sequence
from pathlib import Path
from shlex import quote
from typing import Annotated, cast

import typer
from rich.console import Console

from stimuli import generators, production
from stimuli.blinding import stripped
from stimuli.config import StimuliSettings
from stimuli.experiment import Experiment, write_whole
from stimuli.progress import shown
from stimuli.ratings import Unreadable
from stimuli.training import HeldOut

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

    What comes out is work/predictor.npz, with a JSON file beside it. Missing simulated ratings are made first.

    Example: tastebench stimuli train my-study
    """
    experiment, settings = _opened(ctx, folder)
    with shown(Console(stderr=True)) as report:
        trained = production.train(experiment, settings, report=report)
    typer.echo(f"{experiment.predictor}: learnt from {trained.ratings} ratings by {trained.users} raters of {trained.images} images.")
    _tell_unreadable(trained.unreadable)
    _tell_held_out(trained.held_out)
    typer.echo(f"Next: tastebench stimuli steer {quote(str(folder))}")


@app.command()
def steer(ctx: typer.Context, folder: Folder) -> None:
    """Make every image that people will compare, and write the hand-over to the study.

    Each base prompt is rewritten, rendered and scored again and again, once for each scorer and target user. What comes out is
    stimuli.parquet, images/, steps.parquet and, last, stimuli.json. Ratings and predictor are made first where they are missing.
    An interrupted run continues where it stopped when the command is given again.

    Example: tastebench stimuli steer my-study
    """
    experiment, settings = _opened(ctx, folder)
    with shown(Console(stderr=True)) as report:
        made = production.steer(experiment, settings, report=report)
    typer.echo(f"{experiment.stimuli}: {made.stimuli} images from {made.chains} chains of steering; {made.rendered} images rendered now.")
    typer.echo(f"Next: tastebench study serve {quote(str(folder))}")


@app.command()
def paint(
    prompt: Annotated[str, typer.Argument(help="What to paint.", show_default=False)],
    *,
    out: Annotated[Path, typer.Option(help="The PNG to write.")] = Path("picture.png"),
    seed: Annotated[int, typer.Option(help="Another seed, another layout.", min=0, max=2**32 - 1)] = 1,
    size: Annotated[int, typer.Option(help="Pixels a side.", min=64, max=2048)] = 512,
) -> None:
    """Try the offline painter on one prompt.

    It understands the subjects of the examples and the vocabulary of light, palette, camera, composition, mood and style.

    Example: tastebench stimuli paint "A lighthouse at the sea. Moonlight, watercolour." --out lighthouse.png
    """
    painter = generators.make("sketch", size=size, steps=1, guidance=0)
    [image] = painter.render([prompt], [seed])
    write_whole(out, stripped(image))
    typer.echo(f"{out}: a sketch by the offline painter, seed {seed}.")


def _opened(ctx: typer.Context, folder: Path) -> tuple[Experiment, StimuliSettings]:
    return cast("Callable[[Path], tuple[Experiment, StimuliSettings]]", ctx.obj)(folder)


def _tell_unreadable(unreadable: Sequence[Unreadable]) -> None:
    if unreadable:
        some = "; ".join(entry.reason for entry in unreadable[:3])
        typer.echo(
            f"{len(unreadable)} images cannot be read, and their ratings are left out: {some}{'; ...' if len(unreadable) > 3 else ''}"
        )


def _tell_held_out(held_out: HeldOut) -> None:
    if held_out.personal is None or held_out.population is None:
        typer.echo(f"No rater has enough ratings in {held_out.split} to say how well it predicts.")
        return
    typer.echo(
        f"On held-out images ({held_out.split}), the mean rank correlation with a rater's own ratings is {held_out.personal:.2f}; "
        f"one prediction for everybody reaches {held_out.population:.2f} ({held_out.users} raters, {held_out.ratings} ratings)."
    )
