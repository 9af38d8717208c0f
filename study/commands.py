"""The commands of this room: thin, each calls one function and says in a few lines what came out."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import Annotated, cast

import typer
from rich.console import Console
from rich.table import Table

from stimuli.experiment import Experiment, require
from stimuli.progress import shown
from study import export, serving, simulate
from study import lock as claims_lock
from study.config import StudySettings
from study.database import open_database
from study.tables import Standing

app = typer.Typer(
    no_args_is_help=True,
    help="""Ask people: a blinded comparison of two images at a time, from consent to thanks.

Each participant sees every pair of a prompt's images once, in their own order; sides are balanced. Whatever happens to the
page or the server, everybody goes on where they stopped, and no answer counts twice.""",
)

Folder = Annotated[Path, typer.Argument(help="The experiment: a folder with a study.toml.", show_default=False)]


@app.command()
def serve(
    context: typer.Context,
    folder: Folder,
    *,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="The port; without it a free one is taken, 8501 first.")] = None,
    host: Annotated[str, typer.Option(help="Where to listen; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
) -> None:
    """Open the study for people, in a browser, until Ctrl-C.

    Takes the stimuli and [study]; keeps everything in study.sqlite. Run again, it goes on with the same participants.
    Give each person their own link, ADDRESS?participant=ID (letters, digits, - and _); the id of a target user makes that person
    the target user. Without an id the person stays anonymous.

    Example: `tastebench study serve my-study --port 8501`
    """
    experiment, settings = _opened(context, folder)

    def announce(address: str) -> None:
        typer.echo(f"The study is open at {address} (add ?participant=ID for a known person). Ctrl-C closes it.")
        typer.echo(f"Who is where: tastebench study status {quote(str(folder))}")

    serving.serve(experiment, settings, port=port, host=host, announce=announce)


@app.command(name="simulate")
def simulate_(
    context: typer.Context,
    folder: Folder,
    *,
    participant: Annotated[list[str] | None, typer.Option(help="Which simulated rater; may be given several times.")] = None,
) -> None:
    """Let simulated participants with known tastes take the study, through the same steps as people.

    Takes simulated_utilities.parquet, which exists where the raters are simulated, and [study.simulation]. By default there
    is one participant for each target user. Their votes are marked as simulated. Run again, it goes on where it stopped.

    Example: `tastebench study simulate my-study`
    """
    experiment, settings = _opened(context, folder)
    with shown(Console(stderr=True)) as report:
        given = simulate.run(experiment, settings, report=report, participants=participant or ())
    done = f"{given} simulated answers are in" if given else "All simulated participants had finished; nothing was added to"
    typer.echo(f"{done} {experiment.database}. Next: tastebench study export {quote(str(folder))}")


@app.command(name="export")
def export_(context: typer.Context, folder: Folder) -> None:
    """Write the votes, one row for each answered comparison, as votes.parquet.

    Practice is never a vote. The study may be running; what is answered later needs another export.

    Example: `tastebench study export my-study`
    """
    experiment, _ = _opened(context, folder)
    votes = export.run(experiment)
    people = len({vote.participant for vote in votes})
    simulated = len({vote.participant for vote in votes if vote.simulated})
    typer.echo(f"{experiment.votes}: {len(votes)} votes of {people} participants ({simulated} of them simulated)")
    typer.echo(f"Next: tastebench analysis fit {quote(str(folder))}")


@app.command()
def status(context: typer.Context, folder: Folder) -> None:
    """Show who is where, and whether answers lean to one side.

    It never shows which condition is ahead: looking before the end, and stopping when one likes what one sees, makes
    the result wrong.

    Example: `tastebench study status my-study`
    """
    experiment, _ = _opened(context, folder)
    database = open_database(require(experiment.database, made_by=f"tastebench study serve {quote(str(folder))}"))
    with database.reading() as rows:
        standings, outcomes, sides = rows.standings(), rows.outcomes(), rows.sides()
    database.close()
    if standings:
        Console().print(_table(standings))
    votes = sum(sides.values())
    typer.echo(f"{votes} votes of {len(standings)} participants, {sum(1 for each in standings if each.participant.finished_at)} finished")
    if votes:
        typer.echo(f"chosen on the left: {sides.get('left', 0)}, on the right: {sides.get('right', 0)}")
    ignored = ", ".join(f"{outcomes[outcome]} {outcome}" for outcome in ("duplicate", "too fast", "refused") if outcomes.get(outcome))
    typer.echo(f"answers that did not count: {ignored or 'none'}")


@app.command()
def lock(context: typer.Context, folder: Folder) -> None:
    """Lock the claims before anybody votes: what is promised now counts as promised.

    Takes [analysis], the exclusion rules and every [[claim]] of study.toml, which must name a smallest_effect_elo; writes their
    SHA-256, with the version of the analysis and the time, as lock.json. Verdicts whose lock is missing, later than the first
    vote, or of other claims are stamped EXPLORATORY.

    Example: `tastebench study lock my-study`
    """
    experiment, settings = _opened(context, folder)
    made = claims_lock.lock(experiment, cast("claims_lock.LockedSettings", settings), now=datetime.now(UTC))
    typer.echo(f"Locked at {made.locked_at}, SHA-256 {made.sha256}")
    typer.echo(f"Written: {experiment.lock}; keep a copy of the hash where others can see it (a preregistration).")


def _opened(context: typer.Context, folder: Path) -> tuple[Experiment, StudySettings]:
    return cast("Callable[[Path], tuple[Experiment, StudySettings]]", context.obj)(folder)


def _table(standings: list[Standing]) -> Table:
    table = Table("participant", "target user", "simulated", "where", "comparisons", "last answer (UTC)", box=None)
    for each in standings:
        person = each.participant
        where = "finished" if person.finished_at else "in the trials" if person.begun_at else "at the instructions"
        last = each.last_answer.strftime("%Y-%m-%d %H:%M") if each.last_answer else "–"
        table.add_row(
            person.id, person.target_user or "–", "yes" if person.simulated else "no", where, f"{each.answered} of {each.comparisons}", last
        )
    return table
