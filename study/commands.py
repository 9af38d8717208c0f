"""The commands of this room: those that run a study, joined with those of its parts."""

from datetime import UTC, datetime
from typing import Annotated, NoReturn, cast

import typer
from rich.console import Console
from sqlalchemy import make_url

from stimuli.experiment import Experiment, ExperimentError
from stimuli.progress import shown
from study import driving, serving, simulate
from study import lock as claims_lock
from study.config import StudySettings
from study.deployment import commands as deployment
from study.design import commands as design
from study.design.next_command import next_command
from study.invocation import DatabaseUrl, Folder, Rating, arguments, database_url, opened
from study.preview import preview_database, preview_settings
from study.recruitment import commands as recruitment
from study.researcher import commands as researcher
from study.researcher import state_commands
from study.storage import commands as storage
from study.storage.existing import open_existing
from study.storage.records import State, StudyKind
from study.storage.trouble import shown as place_of

_FROM_A_PANEL = "people come by the address that `tastebench study link` shows"
_WHO_COMES = {
    "link": "add ?participant=ID for a known person",
    "invitation": "only for links that `tastebench study invite` writes",
    "prolific": _FROM_A_PANEL,
    "panel": _FROM_A_PANEL,
}

_STANDS: dict[State, str] = {
    "open": "open at",
    "closing": "closing: nobody new can start, and those inside finish at",
    "paused": "paused: nobody can go on until it is opened again, at",
    "closed": "closed: nobody can go on, and late visitors are told so at",
}
_FROM_ELSEWHERE = "From another machine or a phone in the same network, put this machine's name or address in place of localhost."
_LOOPBACK, _EVERYWHERE = ("127.0.0.1", "localhost", "::1"), ("0.0.0.0", "::")

app = typer.Typer(
    no_args_is_help=True,
    help="""Ask people: a blinded comparison of two images at a time, or ratings of single images, from consent to thanks.

Each participant has their own order, with sides balanced. Whatever happens to the page or the server, everybody goes on where
they stopped, and no answer counts twice.""",
)


@app.command()
def serve(
    context: typer.Context,
    folder: Folder,
    *,
    rating: Rating = False,
    database: DatabaseUrl = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="The port; without it a free one is taken, 8501 first.")] = None,
    host: Annotated[str, typer.Option(help="Where to listen; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    unreviewed: Annotated[bool, typer.Option("--unreviewed", help="Open it although nobody has looked through its images.")] = False,
    preview: Annotated[
        bool, typer.Option("--preview", help="Try the study yourself, in a database of its own, which is never exported.")
    ] = False,
) -> None:
    """Open the study for people, in a browser, until Ctrl-C.

    Takes the images and [study] (or [rating]); keeps everything in its database. Run again, it goes on with the same participants.
    Ctrl-C only stops the server; `tastebench study close` ends the study, and lets those who are inside finish.
    Give each person their own link, ADDRESS?participant=ID (letters, digits, - and _); the id of a target user makes that person
    the target user. Without an id the person stays anonymous. `tastebench study invite` writes links that nobody can forge.

    To go through the study yourself, give --preview: it needs no invitation and no panel, and no vote of it counts anywhere.

    Example: `tastebench study serve my-study --port 8501`. To try it: `tastebench study serve my-study --preview`
    """
    experiment, settings = opened(context, folder)
    if preview:
        _refuse_database(context)
        _preview(experiment, settings, rating=rating, port=port, host=host, unreviewed=unreviewed)

    def announce(address: str, state: State) -> None:
        by = (settings.rating if rating else settings.study).recruitment.by
        typer.echo(f"The study is {_STANDS[state]} {address} ({_WHO_COMES[by]}). Ctrl-C stops the server; run this again to go on.")
        if host in _EVERYWHERE:
            typer.echo(_FROM_ELSEWHERE)
        about = arguments(folder, rating=rating, database=database)
        typer.echo(f"Who is where: tastebench study status{about}")
        if state == "open":
            typer.echo(f"To let nobody new in, while those inside finish: tastebench study close{about}")
        elif state != "closed":
            typer.echo(f"To open it again: tastebench study reopen{about}")

    url = database_url(experiment, rating=rating, given=database)
    serving.serve(experiment, settings, kind=_kind(rating=rating), url=url, unreviewed=unreviewed, port=port, host=host, announce=announce)


@app.command(name="simulate")
def simulate_(
    context: typer.Context,
    folder: Folder,
    *,
    rating: Rating = False,
    database: DatabaseUrl = None,
    participant: Annotated[list[str] | None, typer.Option(help="Which simulated rater; may be given several times.")] = None,
    browser: Annotated[bool, typer.Option("--browser", help="Through the real pages, in Chromium; slow, and needs one.")] = False,
) -> None:
    """Let simulated participants with known tastes take the study, through the same steps as people.

    Takes the known tastes (simulated_utilities.parquet), which exist where the raters are simulated, and [study.simulation]. By
    default there is one participant for each target user. Their votes are marked as simulated. Run again, it goes on where it
    stopped.

    Example: `tastebench study simulate my-study`
    """
    experiment, settings = opened(context, folder)
    url, takes_part = database_url(experiment, rating=rating, given=database), driving.run if browser else simulate.run
    with shown(Console(stderr=True)) as report:
        given = takes_part(experiment, settings, url=url, kind=_kind(rating=rating), participants=participant or (), report=report)
    done = f"{given} simulated answers are in" if given else "All simulated participants had finished; nothing was added to"
    typer.echo(f"{done} {place_of(make_url(url))}. Next: tastebench study export{arguments(folder, rating=rating, database=database)}")


@app.command()
def lock(context: typer.Context, folder: Folder) -> None:
    """Lock the claims before anybody votes: what is promised now counts as promised.

    Takes [analysis], the exclusion rules and every [[claim]] of study.toml, which must name a smallest_effect_elo; writes their
    SHA-256, with the version of the analysis and the time, as lock.json. Verdicts whose lock is missing, later than the first
    vote, or of other claims are stamped EXPLORATORY.

    Example: `tastebench study lock my-study`
    """
    experiment, settings = opened(context, folder)
    locked = cast("claims_lock.LockedSettings", settings)
    made = claims_lock.lock(experiment, locked, now=datetime.now(UTC))
    typer.echo(f"Locked at {made.locked_at}, SHA-256 {made.sha256}")
    if experiment.database.is_file() and (votes := _votes(experiment)):
        typer.echo(f"{votes} votes were given already, so verdicts on them will be EXPLORATORY: a lock counts for what comes after it.")
    if locked.analysis.planned_votes is None:
        typer.echo(
            "study.toml has no planned_votes, so nobody can tell later whether the study stopped early. While nobody has voted: remove "
            f"{experiment.lock}, paste the line that `tastebench study plan` prints, and lock again."
        )
    typer.echo(f"Written: {experiment.lock}; keep a copy of the hash where others can see it (a preregistration).")
    typer.echo(f"Next: {next_command(experiment, settings)}")


def _preview(experiment: Experiment, settings: StudySettings, *, rating: bool, port: int | None, host: str, unreviewed: bool) -> NoReturn:
    """Serve a copy of the study that starts anew and counts nowhere; on this machine alone it needs no review."""
    seen_here = host in _LOOPBACK

    def announce(address: str, _: State) -> None:
        for_whom = "for you alone" if seen_here else "for everybody who reaches this machine, without a password"
        typer.echo(f"A preview, {for_whom}: {address} (add ?participant=ID to see what a target user sees). Ctrl-C ends it.")
        if host in _EVERYWHERE:
            typer.echo(_FROM_ELSEWHERE)
        typer.echo("It has a database of its own, which is made anew each time: no vote of it is in the study, its export or its report.")

    kind = _kind(rating=rating)
    serving.serve(
        experiment,
        preview_settings(settings),
        kind=kind,
        url=preview_database(experiment, kind),
        unreviewed=unreviewed or seen_here,
        port=port,
        host=host,
        announce=announce,
        preview=True,
    )


def _refuse_database(context: typer.Context) -> None:
    source = context.get_parameter_source("database")
    if source is not None and source.name == "COMMANDLINE":
        raise ExperimentError("--preview has a database of its own, and --database names another; leave out one of the two")


def _votes(experiment: Experiment) -> int:
    database = open_existing(experiment.database, made_by="tastebench study serve")
    try:
        with database.reading() as rows:
            return rows.count_votes()
    finally:
        database.close()


def _kind(*, rating: bool) -> StudyKind:
    return "rating" if rating else "comparison"


for part in (design, researcher, state_commands, recruitment, storage, deployment):
    app.add_typer(part.app)
