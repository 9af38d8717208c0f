"""The commands around steering that make nothing: what it will take, and how far it is."""

import time
from collections.abc import Callable
from pathlib import Path
from shlex import quote
from typing import Annotated, cast

import pandas as pd
import typer
from rich.console import Console
from rich.live import Live

from stimuli import learning, planning
from stimuli.config import StimuliSettings
from stimuli.experiment import Experiment, ExperimentError
from stimuli.planning import pace, tables
from stimuli.progress import words
from stimuli.progress.status import Watcher

app = typer.Typer(help="Look ahead, and look on.", no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(help="The experiment: a folder with a study.toml.", show_default=False)]

# Seconds between two looks at the log, on a terminal and off one.
_LOOKS = (1.0, 30.0)


@app.command()
def plan(
    ctx: typer.Context,
    folder: Folder,
    *,
    workers: Annotated[
        int | None, typer.Option(help="GPUs or processes that share the work.", min=1, show_default="that of study.toml, or 1")
    ] = None,
    people: Annotated[
        int | None,
        typer.Option(
            help='How many people a condition with targets_from = "ratings" is for.', min=0, show_default="those who rated so far"
        ),
    ] = None,
) -> None:
    """Say what steering will take before anything runs: chains, images, tokens, scores, GPU hours, hours by the clock, disk.

    Each figure says where it is from: stated ones are reckoned from what a model computes, measured ones from a clock. Put what
    you measured into [stimuli.rates], in seconds for one image (of a rewriter: one token), as in flux2 = 9.4.

    Example: tastebench stimuli plan my-study. On four GPUs: tastebench stimuli plan my-study --workers 4
    """
    experiment, settings = _opened(ctx, folder)
    wants_people = any(condition.targets_from for condition in settings.condition)
    known = _people(experiment, settings) if people is None else people
    planned = planning.plan(settings, people=known)
    found = _measured(experiment, settings)
    Console(soft_wrap=False).print(tables.sheet(planned, workers=workers or settings.stimuli.workers.number or 1, measured=found))
    if wants_people:
        typer.echo(f'targets_from = "ratings" was counted with {known} people; --people N counts with others.')
    typer.echo(f"Next: tastebench stimuli steer {quote(str(folder))}")


@app.command()
def status(
    ctx: typer.Context,
    folder: Folder,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on looking until every chain has ended, or Ctrl-C.")] = False,
) -> None:
    """Say how far steering is, while it runs elsewhere: chains, iterations, images, speed, time left, what was rejected or failed.

    It reads the log of events only, and so never disturbs the work.

    Example: tastebench stimuli status my-study. To go on looking: tastebench stimuli status my-study --follow
    """
    experiment, _ = _opened(ctx, folder)
    log = experiment.work / "events.jsonl"
    if not log.is_file() and not follow:
        raise ExperimentError(f"{log}: no such file, so nothing was steered yet; `tastebench stimuli steer {folder}` begins")
    watcher, console = Watcher(log), Console(soft_wrap=False)
    if not follow:
        console.print(words.sheet(watcher.status()), highlight=False)
        return
    try:
        _follow(watcher, console)
    except KeyboardInterrupt:
        typer.echo("The work goes on.")


def _follow(watcher: Watcher, console: Console) -> None:
    now = watcher.status()
    if not console.is_terminal:
        while not now.is_done:
            typer.echo(words.line(now))
            time.sleep(_LOOKS[1])
            now = watcher.status()
        typer.echo(words.line(now))
        return
    with Live(words.sheet(now), console=console, auto_refresh=False) as shown:
        while not now.is_done:
            time.sleep(_LOOKS[0])
            now = watcher.status()
            shown.update(words.sheet(now), refresh=True)


def _people(experiment: Experiment, settings: StimuliSettings) -> int:
    """Return how many people rated so far; before anybody did, the simulated newcomers, or one."""
    if experiment.rated.is_file():
        return int(pd.read_parquet(experiment.rated, columns=["participant"])["participant"].nunique())
    return settings.stimuli.ratings.newcomers or 1


def _measured(experiment: Experiment, settings: StimuliSettings) -> pace.Pace | None:
    try:
        generator = learning.generator(experiment, settings.stimuli)
    except ExperimentError:
        # A plan is made on any machine, also on one where the generator cannot run.
        return None
    return pace.measured(experiment.work / "events.jsonl", generator.spec)


def _opened(ctx: typer.Context, folder: Path) -> tuple[Experiment, StimuliSettings]:
    return cast("Callable[[Path], tuple[Experiment, StimuliSettings]]", ctx.obj)(folder)
