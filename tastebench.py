"""The command line of tastebench: it joins the rooms stimuli, study, analysis and reports, and does nothing else."""

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from shlex import quote
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.markup import escape

import analysis.commands
import analysis.config
import analysis.fit
import reports.commands
import stimuli.commands
import stimuli.doctor
import stimuli.mistakes
import stimuli.production
import stimuli.production.ensemble
import study.commands
import study.config
import study.doctor
import study.lock
import study.simulate
import study.storage.export
from analysis.config import AnalysisTable, Claim
from analysis.exclusion_rules import Exclusion
from reports.settings import ReportTable
from stimuli.config import Condition, Prompt, StimuliTable
from stimuli.experiment import Experiment, ExperimentError, open_experiment, write_whole
from stimuli.groups import Group
from stimuli.progress import shown
from stimuli.studyfile import ExperimentTable, Mistake, read
from study.config import Question, RatingTable, StudyTable
from study.session.chooser import CHOOSER_VARIABLE

Example = Literal["quickstart", "personal", "pamela", "image-set"]
# What chooses the images that a new person rates, where [rating] order = "active".
_CHOOSER = "stimuli.predictors.onboarding:for_experiment"
Folder = Annotated[Path, typer.Argument(help="The experiment: a folder with a study.toml.", show_default=False)]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="""Show, with people, whether steering an image generator worked.

An experiment is a folder with a `study.toml`. Four rooms work on it in a row, each with its own commands, and each hands
the next a file: **stimuli** makes the images, **study** asks people, **analysis** answers, **reports** tells.
Running a command again continues where it stopped.

Start with `tastebench demo`, or with `tastebench init my-study`.""",
)
app.add_typer(stimuli.commands.app, name="stimuli")
app.add_typer(study.commands.app, name="study")
app.add_typer(analysis.commands.app, name="analysis")
app.add_typer(reports.commands.app, name="reports")


@dataclass(frozen=True)
class StudyToml:
    """Everything that a study.toml may hold; each table is described in the room that it is for."""

    experiment: ExperimentTable
    stimuli: StimuliTable = field(default_factory=StimuliTable)
    prompt: tuple[Prompt, ...] = ()
    condition: tuple[Condition, ...] = ()
    group: tuple[Group, ...] = ()
    study: StudyTable = field(default_factory=StudyTable)
    rating: RatingTable = field(default_factory=RatingTable)
    question: tuple[Question, ...] = ()
    analysis: AnalysisTable = field(default_factory=AnalysisTable)
    exclusion: tuple[Exclusion, ...] = ()
    claim: tuple[Claim, ...] = ()
    report: ReportTable = field(default_factory=ReportTable)


def settle(folder: Path) -> tuple[Experiment, StudyToml]:
    """Return the experiment in `folder` and its checked settings; every mistake in study.toml is reported at once."""
    experiment = open_experiment(folder)

    def mistakes(settings: StudyToml) -> Iterator[Mistake]:
        # A reproduction bundle holds what the analysis reads, not the parts that made the images or asked people.
        if not experiment.bundle.is_file():
            yield from stimuli.mistakes.mistakes(settings, folder)
            yield from study.config.mistakes(settings, folder=folder)
        conditions = [(condition.name, condition.is_personal) for condition in settings.condition]
        yield from analysis.config.mistakes(settings, conditions=conditions)

    return experiment, read(experiment.settings, StudyToml, also=mistakes)


@app.callback()
def _rooms(context: typer.Context) -> None:
    context.obj = _opened


def _opened(folder: Path) -> tuple[Experiment, StudyToml]:
    """Return what `settle` does, and let the rating study know what chooses its images: the study knows no predictor."""
    experiment, settings = settle(folder)
    if settings.rating.order == "active":
        os.environ.setdefault(CHOOSER_VARIABLE, _CHOOSER)
    return experiment, settings


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="The folder to make.", show_default=False)],
    *,
    example: Annotated[Example, typer.Option(help="Which study.toml to start from.")] = "quickstart",
) -> None:
    """Make a new experiment: a folder with a commented study.toml to edit.

    Example: `tastebench init my-study`, then `tastebench check my-study`.
    """
    experiment = Experiment(folder)
    if experiment.settings.exists():
        raise ExperimentError(f"{experiment.settings} exists already; it was left as it is. Choose another folder or edit that file")
    _copy_example(example, experiment)
    typer.echo(f"{experiment.settings} is yours to edit. Then: tastebench check {quote(str(folder))}")


@app.command()
def check(folder: Folder) -> None:
    """Read study.toml and report every mistake in it, with table, key and what to do.

    Example: `tastebench check my-study`
    """
    experiment, settings = settle(folder)
    images = sum(max(1, len(condition.targets)) for condition in settings.condition)
    pairs = len(settings.prompt) * images * (images - 1) // 2
    least = "at least " if any(condition.targets_from for condition in settings.condition) else ""
    typer.echo(
        f"{experiment.settings} is in order: {len(settings.prompt)} base prompts with {least}{images} images each, "
        f"so {least}{pairs} pairs to compare; {len(settings.claim)} claim{'s' * (len(settings.claim) != 1)}."
    )
    if least:
        typer.echo('targets_from = "ratings" makes one image of each prompt for each person who rates.')
    for doubt in stimuli.mistakes.doubts(settings):
        typer.echo(f"Worth a look: {doubt}.")
    lacks = stimuli.production.ensemble.lacking(experiment, settings)
    for lack in lacks:
        typer.echo(f"Cannot run here yet: {lack}")
    if not lacks:
        typer.echo(f"Next: tastebench {_first_step(experiment, settings)} {quote(str(folder))}")


@app.command()
def demo(folder: Annotated[Path, typer.Argument(help="Where to put the experiment.")] = Path("demo")) -> None:
    """Run the whole path on the quickstart study: images, locked claims, simulated participants, analysis, report.

    Everything runs offline, through parts that stand in for large models and for people, and the report says so.
    Running it again continues where it stopped. Example: `tastebench demo`
    """
    # The drawing libraries take a second to import, which no other command should wait for.
    from reports.page import build

    if not Experiment(folder).settings.exists():
        _copy_example("quickstart", Experiment(folder))
    experiment, settings = settle(folder)
    console = Console(stderr=True)
    with shown(console) as report:
        stimuli.production.make_ratings(experiment, settings, report=report)
        stimuli.production.train(experiment, settings)
        stimuli.production.steer(experiment, settings, report=report)
        if settings.claim:
            study.lock.lock(experiment, settings, now=datetime.now(UTC))
        study.simulate.run(experiment, settings, report=report)
        study.storage.export.run(experiment, url=experiment.database, kind="comparison")
        analysis.fit.fit_experiment(experiment, settings)
        page = build(experiment, title=settings.experiment.title, settings=settings, report=report)
    typer.echo(f"The report:               {page.resolve()}")
    typer.echo(f"The study, live:          {_program()} study serve --preview {quote(str(folder))}")
    typer.echo("The participants were simulated: this shows that the machinery works, and nothing about people.")


@app.command()
def doctor(folder: Annotated[Path, typer.Argument(help="Where the experiment will live.")] = Path()) -> None:
    """Say what this machine has for a study, and what to do about each lack: packages, GPU, weights, database, browser.

    Example: `tastebench doctor`
    """
    if not folder.is_dir():
        raise ExperimentError(f"{folder}: no such folder; name the one in which the experiment will live")
    marks = {"ready": "[green]ready   [/green]", "optional": "[yellow]optional[/yellow]", "lacking": "[red]LACKING [/red]"}
    found = [*stimuli.doctor.findings(folder=folder), *study.doctor.findings()]
    console = Console(soft_wrap=True)
    for finding in found:
        console.print(f"{marks[finding.state]}  {escape(finding.part)}: {escape(finding.found)}")
        if finding.advice:
            console.print(f"          {escape(finding.advice)}")
    if any(finding.state == "lacking" for finding in found):
        raise ExperimentError("something that every study needs is lacking; see the lines marked LACKING")
    console.print("\nThe offline path is ready: tastebench demo")


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(metadata.version("tastebench"))


def _first_step(experiment: Experiment, settings: StudyToml) -> str:
    """Return the command that begins: whom images are steered for must have rated some first, and those are made or chosen before."""
    if any(condition.targets_from for condition in settings.condition) and not experiment.rated.is_file():
        return "stimuli images" if settings.stimuli.image_set.domain else "stimuli pool"
    return "stimuli plan"


def _program() -> str:
    """Return what to type to run this program again: its name where the shell finds it, else its path."""
    invoked = Path(sys.argv[0])
    found = shutil.which(invoked.name)
    if found and Path(found).samefile(invoked):
        return invoked.name
    return min(str(invoked.absolute()), os.path.relpath(invoked), key=len)


def _copy_example(name: Example, experiment: Experiment) -> None:
    here = Path(__file__).parent
    # A checkout has the examples at the root; a wheel carries them inside the first room.
    places = (here / "examples" / name / "study.toml", here / "stimuli" / "examples" / name / "study.toml")
    source = next(place for place in places if place.is_file())
    write_whole(experiment.settings, source.read_bytes())


def main() -> None:
    """Run the command line: a mistake that the user can mend is one sentence on standard error and exit status 2."""
    try:
        app()
    except ExperimentError as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{error.filename or 'The system says'}: {error.strerror or error}; put that right and run this again: what is done is kept")


def _fail(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
    sys.exit(2)


if __name__ == "__main__":
    main()
