"""`tastebench reports ...`: the report from the command line."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, cast

import typer
from rich.console import Console

from reports.figure_names import LISTED, named
from reports.more_commands import bundle_command, compare_command
from reports.settings import ReportSettings
from stimuli.experiment import Experiment
from stimuli.progress import shown

app = typer.Typer(help="Tell: one self-contained page with the figures and tables that a paper needs.", no_args_is_help=True)
app.command("compare")(compare_command)
app.command("bundle")(bundle_command)


@app.command()
def build(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="The experiment's folder, or any folder that holds a results.json.")],
    *,
    only: Annotated[str | None, typer.Option(help=f"Draw one figure and nothing else: {LISTED}.", metavar="FIGURE")] = None,
) -> None:
    """Build the report of an experiment: report/index.html, with its figures and tables beside it.

    Goes in: results.json, and where they are there the images, the steering steps, predictor.json and study.toml. A stage that has not run
    yet is named on the page, with the command that makes it; so the report can be built at any time.

    Comes out: report/index.html, one file that can be sent by mail and needs no network; report/figures/ (SVG, PDF, PNG);
    report/tables/ (CSV, Markdown, LaTeX); report/text/ (methods and captions as Markdown and LaTeX).

    Examples: tastebench reports build my-study; tastebench reports build my-study --only elo
    """
    if only is not None:
        only = named(only)
    # The drawing libraries take a second to import, which no other command should wait for.
    from reports import page

    console = Console()
    experiment, settings, title = _opened(ctx, folder)
    if only is not None:
        for path in page.draw(experiment, only):
            console.print(path, markup=False, soft_wrap=True)
        return
    with shown(console) as report:
        index = page.build(experiment, title=title, settings=settings, report=report, warn=partial(typer.echo, err=True))
    console.print(f"The report: {index}", markup=False, soft_wrap=True)


def _opened(ctx: typer.Context, folder: Path) -> tuple[Experiment, ReportSettings | None, str]:
    """Return the experiment, its settings and its title; a folder without study.toml is titled by its own name."""
    experiment = Experiment(folder)
    if not experiment.settings.is_file():
        return experiment, None, f"Results in {folder.resolve().name}"
    experiment, settings = cast("Callable[[Path], tuple[Experiment, ReportSettings]]", ctx.obj)(folder)
    return experiment, settings, settings.experiment.title
