"""`tastebench reports compare` and `tastebench reports bundle`: studies side by side, and a study to hand to others."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.console import Console

from stimuli.experiment import Experiment
from stimuli.progress import shown


def compare_command(
    folders: Annotated[list[Path], typer.Argument(help="Two or more folders that hold a results.json; the first is the original.")],
    *,
    to: Annotated[Path, typer.Option(help="The folder to write.")] = Path("comparison"),
    scope: Annotated[
        str | None, typer.Option(help="these, participants or participants+prompts; else that of the first study's verdicts.")
    ] = None,
) -> None:
    """Put studies side by side: a replication and its original, a pilot and the main study.

    Goes in: results.json of each folder, and where they are there study.toml, votes.parquet and stimuli.parquet.

    Comes out: comparison/index.html with its figure and tables beside it. It tells which conditions the studies share, each
    difference in each study, how far it changed with an interval, whether the verdicts are the same, what the studies say together
    and when they should not be combined, and everything that was not the same: question, prompts, rules, people in both.

    Example: `tastebench reports compare my-study replication`
    """
    # The drawing libraries take a second to import, which no other command should wait for.
    from reports import compared_study, comparison, comparison_page

    found = comparison.compare(compared_study.read_all(folders), scope=scope)
    index = comparison_page.write(found, to)
    console = Console()
    for told in (*comparison_page.summary(found), *found.cautions):
        console.print(told, markup=False, highlight=False)
    console.print(f"The comparison: {index}", markup=False, soft_wrap=True)


def bundle_command(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="The experiment: a folder with a study.toml and results.json.", show_default=False)],
    *,
    to: Annotated[Path | None, typer.Option(help="The zip to write; else FOLDER/bundle.zip.", show_default=False)] = None,
) -> None:
    """Pack a finished study for others: anonymised votes, settings, images, results, and a script that makes them again.

    Goes in: an analysed experiment, whose results.json belongs to its votes as they are.

    Comes out: a zip. Participants have pseudonyms, times are reduced to days, replies and panel data are left out; keys,
    databases and work/ never go in. Its rebuild.py makes results.json and the report from the votes and compares every byte.

    Example: `tastebench reports bundle my-study`
    """
    # The drawing libraries take a second to import, which no other command should wait for.
    from reports.bundle import bundle

    experiment, settings = cast("Callable[[Path], tuple[Experiment, Any]]", ctx.obj)(folder)
    zipped = to or folder / "bundle.zip"
    console = Console()
    with shown(console) as report:
        packed = bundle(experiment, settings, to=zipped, report=report)
    if packed.perhaps:
        told = f"Somebody goes by {', '.join(packed.perhaps)}, which also stands in study.toml: see that nobody is meant there."
        console.print(told, markup=False, highlight=False, soft_wrap=True)
    console.print(f"The bundle: {zipped} ({len(packed.files)} files). Look through it before you publish it.", markup=False, soft_wrap=True)
