"""The researcher's commands: review the images, watch the study, and the password of the page that shows it."""

import getpass
from datetime import UTC, datetime
from shlex import quote
from typing import Annotated

import typer
from rich.console import Console

from stimuli.experiment import Experiment, ExperimentError, require
from stimuli.progress import shown
from study.config import StudySettings
from study.design.next_command import next_command
from study.invocation import DatabaseUrl, Folder, Rating, database_url, opened
from study.reviews import read_reviews, summary

app = typer.Typer()

Port = Annotated[int | None, typer.Option(min=1, max=65535, help="The port; without it any free one is taken.")]


@app.command()
def review(
    context: typer.Context,
    folder: Folder,
    *,
    rating: Rating = False,
    by: Annotated[str | None, typer.Option(help="Who reviews, as the report will say; by default the name you are logged in with.")] = None,
    port: Port = None,
    approve_all: Annotated[
        bool, typer.Option("--approve-all", help="Approve all images nobody has looked at, for images you have vetted before.")
    ] = False,
) -> None:
    """Look through all images before people see them, in a browser: approve or remove each, by keyboard.

    Shows them by prompt and without the names of conditions; broken and nearly equal images are flagged. Keeps every
    verdict at once in reviews.json, and goes on there when run again. A study does not open while an image is unreviewed.

    Example: `tastebench study review my-study --by "Ada L."`
    """
    experiment, settings = opened(context, folder)
    name = _reviewer(by)
    if approve_all:
        _approve_all(experiment, settings, rating=rating, by=name)
    else:
        _open_sheet(experiment, settings, rating=rating, by=name, port=port)
    typer.echo(_summed_up(experiment, settings, rating=rating))
    typer.echo(f"Next: {next_command(experiment, settings, rating=rating)}")


@app.command()
def password(
    folder: Folder,
    *,
    remove: Annotated[bool, typer.Option("--remove", help="Forget the password, which switches the researcher's page off.")] = False,
) -> None:
    """Set the password of the researcher's page, which is off without one; it is asked for twice, and only its hash is kept.

    Example: `tastebench study password my-study`
    """
    from study.researcher.password import SHORTEST, remove_password, set_password

    experiment = Experiment(folder)
    require(experiment.settings, made_by=f"tastebench init {quote(str(folder))}")
    if remove:
        was_there = remove_password(experiment)
        typer.echo(f"The researcher's page is off{'' if was_there else ', as it was before'}.")
        return
    given = typer.prompt(f"Password (at least {SHORTEST} characters)", hide_input=True, confirmation_prompt="Once more")
    set_password(experiment, given)
    typer.echo(f"Its hash is in {experiment.password}. Next: tastebench study watch {quote(str(folder))}")


@app.command()
def watch(
    context: typer.Context,
    folder: Folder,
    *,
    rating: Rating = False,
    database: DatabaseUrl = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port.")] = 8601,
    host: Annotated[str, typer.Option(help="Where to listen; other machines should only come in through HTTPS.")] = "127.0.0.1",
) -> None:
    """Show the running study on a page behind a password: who is where, balance, response times, flags; pause and close it.

    It is a process of its own beside `serve`, and it never shows which condition is ahead while the study can collect votes,
    unless [study] says `peeking = true`.

    Example: `tastebench study watch my-study`
    """
    from study.researcher.password import read_password
    from study.researcher.server import address_of, listen, server_of
    from study.researcher.watch import Watch, watch_app
    from study.storage.existing import check_own, open_existing, study_in

    experiment, _ = opened(context, folder)
    read_password(experiment)
    made_by = f"tastebench study serve{' --rating' if rating else ''} {quote(str(folder))}"
    url = database_url(experiment, rating=rating, given=database)
    opened_database = open_existing(url, made_by=made_by)
    try:
        with opened_database.reading() as rows:
            study = study_in(rows, place=opened_database.place, made_by=made_by, kind="rating" if rating else "comparison")
        check_own(study, experiment, url=url, place=opened_database.place, made_by=made_by)
        listening = listen(host, port)
        typer.echo(f"The researcher's page is at {address_of(listening)}. Ctrl-C ends it; the study goes on without it.")
        server_of(watch_app(Watch(experiment, opened_database, url))).run(sockets=[listening])
    finally:
        opened_database.close()


def _open_sheet(experiment: Experiment, settings: StudySettings, *, rating: bool, by: str, port: int | None) -> None:
    from study.researcher.flagging import flags
    from study.researcher.gallery import groups_of
    from study.researcher.server import address_of, listen, server_of
    from study.researcher.sheet import Sheet, sheet_app
    from study.researcher.verdicts import Verdicts

    groups = groups_of(experiment, settings.rating if rating else settings.study)
    verdicts = Verdicts(experiment.reviews, reviewer=by, clock=_now)
    verdicts.all()
    with shown(Console(stderr=True)) as report:
        flagged = flags(groups, report=report)
    listening = listen("127.0.0.1", port)
    sheet = Sheet(groups, flagged, verdicts, title=experiment.folder.resolve().name)
    typer.echo(f"Open this address, which works once: {address_of(listening)}/?token={sheet.token}")
    typer.echo("Ctrl-C ends it; every verdict is kept at once.")
    server_of(sheet_app(sheet, port=listening.getsockname()[1])).run(sockets=[listening])


def _approve_all(experiment: Experiment, settings: StudySettings, *, rating: bool, by: str) -> None:
    from study.researcher.verdicts import approve_all

    approved = approve_all(experiment.reviews, _images(experiment, settings, rating=rating), by=by, clock=_now)
    typer.echo(f"{approved} images approved at once, unseen by this toolkit's sheet; the report says that {by} approved them so.")


def _summed_up(experiment: Experiment, settings: StudySettings, *, rating: bool) -> str:
    found = summary(_images(experiment, settings, rating=rating), read_reviews(experiment.reviews))
    by = f", by {', '.join(found.reviewers)}" if found.reviewers else ""
    return f"{experiment.reviews}: {found.approved} images approved, {found.removed} removed, {found.unreviewed} unreviewed{by}"


def _images(experiment: Experiment, settings: StudySettings, *, rating: bool) -> list[str]:
    from study.researcher.gallery import groups_of, hashes_of

    return hashes_of(groups_of(experiment, settings.rating if rating else settings.study))


def _reviewer(given: str | None) -> str:
    try:
        name = (getpass.getuser() if given is None else given).strip()
    except (KeyError, OSError) as error:
        raise ExperimentError("this machine does not say who you are; give your name with --by NAME") from error
    if not 1 <= len(name) <= 80 or not name.isprintable():
        raise ExperimentError(f"{name[:80]!r} is no name for the report; give --by with 1 to 80 printable characters")
    return name


def _now() -> datetime:
    return datetime.now(UTC)
