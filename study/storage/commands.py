"""The commands that look into a study's database, take things out of it and put them back."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer
from rich.console import Console

from stimuli.experiment import Experiment
from study.invocation import DatabaseUrl, Folder, Rating, arguments, database_url, opened
from study.storage import archive, erasure, export, status
from study.storage.database import Database, open_database
from study.storage.existing import open_existing
from study.storage.records import StudyKind

app = typer.Typer(no_args_is_help=True)

To = Annotated[Path | None, typer.Option("--to", help="The file to write; by default one with the time in its name.", show_default=False)]
File = Annotated[Path, typer.Argument(help="What `tastebench study backup` wrote.", show_default=False)]
Panel = Annotated[bool, typer.Option("--panel", help="Also show what the panel knows the participants by.")]
Who = Annotated[
    str, typer.Argument(metavar="PARTICIPANT", help="The id in the study, or the panel's id of that person.", show_default=False)
]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]


@app.command(name="export")
def export_(context: typer.Context, folder: Folder, *, rating: Rating = False, database: DatabaseUrl = None) -> None:
    """Write what participants answered: votes.parquet, or with --rating ratings.parquet.

    Beside it goes one row for each participant: how far they came, and what they replied to the questions. Practice is never
    exported. The study may be running; what is answered later needs another export.

    Example: `tastebench study export my-study`
    """
    experiment, _ = opened(context, folder)
    done = export.run(experiment, url=database_url(experiment, rating=rating, given=database), kind=_kind(rating=rating))
    simulated = {vote.participant: vote.simulated for vote in done.votes} | {row.participant: row.simulated for row in done.ratings}
    answers = f"{len(done.ratings)} ratings" if rating else f"{len(done.votes)} votes"
    typer.echo(f"{done.answers_file}: {answers} of {len(simulated)} participants ({sum(simulated.values())} of them simulated)")
    typer.echo(f"{done.participants_file}: all {len(done.participants)} who said yes or no to the consent")
    if rating:
        where = quote(str(folder))
        typer.echo(f"Next: tastebench stimuli train {where}, to learn these tastes; or tastebench stimuli describe --layout own {where}")
    else:
        typer.echo(f"Next: tastebench analysis fit {quote(str(folder))}")


@app.command(name="status")
def status_(context: typer.Context, folder: Folder, *, rating: Rating = False, database: DatabaseUrl = None, panel: Panel = False) -> None:
    """Show who is where, how many places are free, and whether answers lean to one side.

    It never shows which condition is ahead: looking before the end, and stopping when one likes what one sees, makes
    the result wrong.

    Example: `tastebench study status my-study`
    """
    experiment, _ = opened(context, folder)
    with closing(_existing(experiment, folder, rating=rating, given=database)) as held, held.reading() as rows:
        found = status.look(rows, place=held.place, at=datetime.now(UTC))
    if found.people:
        Console().print(status.table(found, panel=panel))
    for line in status.lines(found):
        typer.echo(line)


@app.command(name="backup")
def backup_(context: typer.Context, folder: Folder, *, rating: Rating = False, database: DatabaseUrl = None, to: To = None) -> None:
    """Write the whole study, as it is at this moment, to one file; people may go on taking it.

    `tastebench study import` puts it back, into SQLite or PostgreSQL. The file holds all that is known of the participants,
    so guard it like the study itself.

    Example: `tastebench study backup my-study --to /safe/place/my-study.zip`
    """
    experiment, _ = opened(context, folder)
    now, kind = datetime.now(UTC), _kind(rating=rating)
    path = to or experiment.folder / f"{kind}-{now:%Y%m%dT%H%M%SZ}.zip"
    with closing(_existing(experiment, folder, rating=rating, given=database)) as held:
        made = archive.backup(held, path, now=now)
    typer.echo(f"{path}: {_counted(made)}")
    typer.echo("It holds what participants and panels said: keep it where nobody else can read it.")


@app.command(name="import")
def import_(context: typer.Context, folder: Folder, file: File, *, rating: Rating = False, database: DatabaseUrl = None) -> None:
    """Put a study back from its backup, into an empty database; this also moves a study between SQLite and PostgreSQL.

    Example: `tastebench study import my-study my-study.zip --database postgresql://ada:secret@db.example.org/study`
    """
    experiment, _ = opened(context, folder)
    with closing(open_database(database_url(experiment, rating=rating, given=database))) as held:
        made = archive.restore(held, file, kind=_kind(rating=rating))
        typer.echo(f"{held.place}: {_counted(made)}, as they were at {made.made_at}")
    typer.echo(f"Next: tastebench study serve{arguments(folder, rating=rating, database=database)}")


@app.command(name="erase")
def erase_(
    context: typer.Context, folder: Folder, participant: Who, *, rating: Rating = False, database: DatabaseUrl = None, yes: Yes = False
) -> None:
    """Remove one participant: answers, replies, history, and what the panel said of them. Only that there was one stays known.

    Their place in the study is free again. Exports and backups made before still hold them.

    Example: `tastebench study erase my-study 5f8c2e7b9d3a`
    """
    experiment, _ = opened(context, folder)
    with closing(_existing(experiment, folder, rating=rating, given=database)) as held:
        found = erasure.find(held, participant)
        if not yes:
            typer.confirm(f"Erase participant {found} from {held.place}? This cannot be undone", abort=True)
        gone = erasure.erase(held, found)
    typer.echo(
        f"Erased: participant {found} with {gone.answers} answers, {gone.replies} replies, {gone.attempts} attempts, {gone.events} events "
        f"and {gone.arrivals} arrivals"
    )
    if not gone.clean:
        typer.echo(
            f"Traces may remain in {held.place}: somebody used it all the time, or the disk is full. To be rid of them stop the study, "
            "run `tastebench study backup`, delete the file and its -wal, and `tastebench study import` what was backed up."
        )
    typer.echo(
        f"Now: tastebench study export{arguments(folder, rating=rating, database=database)}; then delete every earlier export and backup."
    )


def _existing(experiment: Experiment, folder: Path, *, rating: bool, given: str | None) -> Database:
    made_by = f"tastebench study serve{arguments(folder, rating=rating, database=given)}"
    return open_existing(database_url(experiment, rating=rating, given=given), made_by=made_by)


def _kind(*, rating: bool) -> StudyKind:
    return "rating" if rating else "comparison"


def _counted(made: archive.Archive) -> str:
    return f"{made.rows['participant']} participants, {made.rows['answer']} answers, {made.rows['image']} images"
