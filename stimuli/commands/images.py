"""The commands that make images without steering: the image set of a rating study, and one picture to try the painter."""

from collections.abc import Callable
from pathlib import Path
from shlex import quote
from typing import Annotated, cast

import typer
from rich.console import Console

from stimuli import generators
from stimuli.blinding import stripped
from stimuli.config import StimuliSettings
from stimuli.experiment import Experiment, write_whole
from stimuli.production import image_set
from stimuli.production.image_set import ImagesMade
from stimuli.progress import shown

app = typer.Typer(help="Make images.", no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(help="The experiment: a folder with a study.toml.", show_default=False)]

_NAMED = 5


@app.command()
def images(ctx: typer.Context, folder: Folder) -> None:
    """Make the images of a rating study: styles crossed with contents, as [stimuli.image_set] says, by each generator in equal shares.

    Near-duplicates are dropped and made anew with their next seed. What comes out is rating_images/, copies without metadata under
    meaningless names, and rating_images.parquet; work/image_set.parquet says which generator, theme, style and seed each is of.
    An interrupted run continues where it stopped when the command is given again.

    Example: tastebench init my-set --example image-set, then tastebench stimuli images my-set
    """
    experiment, settings = _opened(ctx, folder)
    with shown(Console(stderr=True)) as report:
        made = image_set.make(experiment, settings, report=report)
    shares = ", ".join(f"{number:,} by {name}" for name, number in made.by_generator.items())
    typer.echo(
        f"{experiment.rating_images}: {len(made.pool.images):,} images of {made.cells:,} pairs of a style and a content ({shares}); "
        f"{made.rendered:,} images rendered now, {made.duplicates:,} near-duplicates dropped."
    )
    _tell_missing(made, folder)
    if settings.stimuli.ratings.folder is None and not made.has_simulated_raters:
        typer.echo(f"For simulated participants run tastebench stimuli ratings {quote(str(folder))} and this command again.")
    typer.echo(f"Next: tastebench study plan --rating {quote(str(folder))}")


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
    painter = generators.make("sketch", rendering=generators.Rendering(size))
    [image] = painter.render([prompt], [seed])
    write_whole(out, stripped(image))
    typer.echo(f"{out}: a sketch by the offline painter, seed {seed}.")


def _tell_missing(made: ImagesMade, folder: Path) -> None:
    if not made.missing:
        return
    typer.echo(f"{len(made.missing):,} images are missing:")
    for entry in made.missing[:_NAMED]:
        typer.echo(f"  {entry.name}: {entry.reason}")
    if len(made.missing) > _NAMED:
        typer.echo(f"  and {len(made.missing) - _NAMED:,} more.")
    typer.echo(f"To try them again (a refused prompt has to be reworded first): tastebench stimuli images {quote(str(folder))}")


def _opened(ctx: typer.Context, folder: Path) -> tuple[Experiment, StimuliSettings]:
    return cast("Callable[[Path], tuple[Experiment, StimuliSettings]]", ctx.obj)(folder)
