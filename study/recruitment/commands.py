"""The commands of recruiting: invitations to send, and the address to give to a panel."""

import csv
import io
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from stimuli.experiment import ExperimentError, write_whole
from study.config import Recruitment
from study.invocation import Folder, Rating, opened
from study.recruitment.arrivals import checked
from study.recruitment.invitations import invitation
from study.recruitment.panels import PROLIFIC, Panel, panel_of
from study.recruitment.returning import way_back
from study.recruitment.secret import secret_of
from study.storage.records import Ended

app = typer.Typer(no_args_is_help=True)

Address = Annotated[str, typer.Option(help="Where people reach the study, as in https://study.example.org.")]
_HERE = "http://127.0.0.1:8501"
_ENDS: tuple[tuple[Ended, str], ...] = (
    ("finished", "complete"),
    ("declined", "no_consent"),
    ("screened out", "screened_out"),
    ("full", "full"),
)


@app.command()
def invite(
    context: typer.Context,
    folder: Folder,
    participants: Annotated[list[str] | None, typer.Argument(help="Whom to invite, by id: letters, digits, - and _.")] = None,
    *,
    number: Annotated[int | None, typer.Option(min=1, max=100_000, help="Invite so many people, with ids made up.")] = None,
    expires_days: Annotated[float | None, typer.Option(min=0.01, max=10_000, help="The links stop working after so many days.")] = None,
    address: Address = _HERE,
    csv_file: Annotated[Path | None, typer.Option("--csv", help="Write participant and link here instead of showing them.")] = None,
    rating: Rating = False,
) -> None:
    """Write invitations: a link for each person, which nobody can alter or make up.

    A link names its participant: opened again, on any device, it goes on where that person stopped. Whoever holds a link
    is that person, so send each to one. Needs by = "invitation" in [study.recruitment].

    Example: `tastebench study invite my-study ada ben --address https://study.example.org`
    """
    experiment, settings = opened(context, folder)
    table, recruitment = _table(rating), (settings.rating if rating else settings.study).recruitment
    if recruitment.by != "invitation":
        raise ExperimentError(
            f'{experiment.settings}: [{table}] "by" is "{recruitment.by}", which asks for no invitation; write by = "invitation"'
        )
    if bool(participants) == (number is not None):
        raise ExperimentError("whom to invite? Give ids, or --number and their count, not both")
    if csv_file is not None and csv_file.exists():
        raise ExperimentError(f"{csv_file}: is there already, perhaps with invitations that were sent; choose another name or move it away")
    ids = [checked(each) for each in participants or ()] or [f"invited-{secrets.token_hex(4)}" for _ in range(number or 0)]
    secret, expires = secret_of(experiment), datetime.now(UTC) + timedelta(days=expires_days) if expires_days else None
    start, parameter = start_address(address), panel_of(recruitment).id_parameter
    links = [(each, f"{start}?{parameter}={invitation(each, secret=secret, expires=expires)}") for each in ids]
    if csv_file is None:
        for each, link in links:
            typer.echo(f"{each}\t{link}")
        return
    write_whole(csv_file, _csv(links))
    typer.echo(f"{csv_file}: {len(links)} invitations. Whoever reads this file can take part in their place; keep it to yourself")


@app.command()
def link(context: typer.Context, folder: Folder, *, address: Address = _HERE, rating: Rating = False) -> None:
    """Show the address to give to people or to a panel, and the codes that the panel gets back.

    Example: `tastebench study link my-study --address https://study.example.org`
    """
    _, settings = opened(context, folder)
    recruitment = (settings.rating if rating else settings.study).recruitment
    typer.echo(study_address(recruitment, address))
    for ended, key in _ENDS:
        way = way_back(recruitment, ended)
        if way is not None:
            typer.echo(f"{ended}: code {way.code}" + (f", {way.url}" if way.url else ""))
        elif recruitment.by in ("prolific", "panel"):
            typer.echo(f'{ended}: no code; "{key}" in [{_table(rating)}] gives one')


def start_address(address: str) -> str:
    """Return where a study at `address` takes people in.

    Raises:
        ExperimentError: it is no address of a web server.
    """
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ExperimentError(f'--address "{address}": expected where people reach the study, as in https://study.example.org')
    return f"{address.removesuffix('/').removesuffix('/start')}/start"


def study_address(recruitment: Recruitment, address: str) -> str:
    """Return the address to give out, with the placeholders that Prolific fills in, or words in capitals for what others do."""
    start, panel = start_address(address), panel_of(recruitment)
    return f"{start}?{'&'.join(f'{name}={_filled(name, recruitment, panel)}' for name in (panel.id_parameter, *panel.keep))}"


def _filled(name: str, recruitment: Recruitment, panel: Panel) -> str:
    if recruitment.by == "prolific" and name in (PROLIFIC.id_parameter, *PROLIFIC.keep):
        return f"{{{{%{name}%}}}}"
    return {"invitation": "INVITATION"}.get(recruitment.by, "ID") if name == panel.id_parameter else name.upper()


def _table(rating: bool) -> str:
    return f"{'rating' if rating else 'study'}.recruitment"


def _csv(links: list[tuple[str, str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("participant", "link"), *links])
    return text.getvalue().encode()
