"""What the commands of this room share: which experiment, which of its two studies, and which database."""

from collections.abc import Callable
from pathlib import Path
from shlex import quote
from typing import Annotated, cast

import typer

from stimuli.experiment import Experiment
from study.config import StudySettings

DATABASE_VARIABLE = "TASTEBENCH_DATABASE"

Folder = Annotated[Path, typer.Argument(help="The experiment: a folder with a study.toml.", show_default=False)]
Rating = Annotated[bool, typer.Option("--rating", help="The rating study ([rating]) instead of the comparison ([study]).")]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database",
        envvar=DATABASE_VARIABLE,
        show_default=False,
        help="Where the study lives: postgresql://USER:PASSWORD@HOST/NAME. By default an SQLite file in the experiment's folder.",
    ),
]


def opened(context: typer.Context, folder: Path) -> tuple[Experiment, StudySettings]:
    """Return the experiment in `folder` and its checked settings."""
    return cast("Callable[[Path], tuple[Experiment, StudySettings]]", context.obj)(folder)


def arguments(folder: Path, *, rating: bool, database: str | None) -> str:
    """Return what follows a command's name so that it is about the same study; an address may hold a password, so it is not shown."""
    return f"{' --rating' if rating else ''}{' --database URL' if database else ''} {quote(str(folder))}"


def database_url(experiment: Experiment, *, rating: bool, given: str | None) -> str:
    """Return the address of the study's database: what was given, else the SQLite file in the experiment's folder."""
    return given or f"sqlite:///{(experiment.rating_database if rating else experiment.database).resolve()}"
