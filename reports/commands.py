"""`tastebench reports ...`: the report from the command line."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Protocol, cast

import typer
from rich.console import Console

from stimuli.experiment import Experiment
from stimuli.progress import shown
from stimuli.studyfile import ExperimentTable

app = typer.Typer(help="Tell: one self-contained page with the figures and tables that a paper needs.", no_args_is_help=True)


class ReportSettings(Protocol):
    """The part of study.toml that this room reads."""

    @property
    def experiment(self) -> ExperimentTable:
        """`[experiment]`."""
        ...


@app.command()
def build(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="The experiment's folder, or any folder that holds a results.json.")],
) -> None:
    """Build the report of an experiment: report/index.html, with its figures and tables beside it.

    Goes in: results.json, and where they are there the images, the steering steps, predictor.json and study.toml. A stage that has not run
    yet is named on the page, with the command that makes it; so the report can be built at any time.

    Comes out: report/index.html, one file that can be sent by mail and needs no network; report/figures/ (SVG, PDF, PNG);
    report/tables/ (CSV, Markdown).

    Example: tastebench reports build my-study
    """
    # The drawing libraries take a second to import, which no other command should wait for.
    from reports import page

    console = Console()
    experiment, title = _opened(ctx, folder)
    with shown(console) as report:
        index = page.build(experiment, title=title, report=report)
    console.print(f"The report: {index}", markup=False, soft_wrap=True)


def _opened(ctx: typer.Context, folder: Path) -> tuple[Experiment, str]:
    """Return the experiment and its title; a folder without study.toml is titled by its own name."""
    experiment = Experiment(folder)
    if not experiment.settings.is_file():
        return experiment, f"Results in {folder.resolve().name}"
    experiment, settings = cast("Callable[[Path], tuple[Experiment, ReportSettings]]", ctx.obj)(folder)
    return experiment, settings.experiment.title
