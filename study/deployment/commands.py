"""The command that writes a deployment."""

import os
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from study.deployment import files
from study.deployment.plan import Deployment
from study.invocation import DatabaseUrl, Folder, Rating, database_url, opened
from study.session import CHOOSER_VARIABLE

app = typer.Typer(no_args_is_help=True)


@app.command()
def deploy(
    context: typer.Context,
    folder: Folder,
    *,
    database: DatabaseUrl = None,
    rating: Rating = False,
    processes: Annotated[int | None, typer.Option(min=1, max=64, help="How many server processes; 2 with PostgreSQL, else 1.")] = None,
    host: Annotated[str | None, typer.Option(help="The public name, as in study.example.org. Without it: for this machine only.")] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Where nginx listens: 80 (443 with a certificate, 8443 alone).")
    ] = None,
    first_port: Annotated[int, typer.Option(min=1024, max=65535, help="The first process's port; the others follow.")] = 8511,
    certificate: Annotated[Path | None, typer.Option(help="The certificate for https, as certbot makes it (fullchain.pem).")] = None,
    key: Annotated[Path | None, typer.Option(help="Its private key (privkey.pem).")] = None,
    user: Annotated[str, typer.Option(help="Whom the processes run as under systemd.")] = "tastebench",
    out: Annotated[Path | None, typer.Option(help="Where to write; FOLDER/deploy by default.")] = None,
) -> None:
    """Write what several server processes behind nginx need: its configuration, systemd units, a trial script, and a README.

    Nothing is installed or started. `deploy/start` tries it in the foreground on this machine; `deploy/README.md` says step
    by step what to do on a server. Run again after a change, it writes the files anew.

    Example: `tastebench study deploy my-study --database postgresql://study:PASSWORD@localhost/study --host study.example.org`
    """
    experiment, _ = opened(context, folder)
    chooser = os.environ.get(CHOOSER_VARIABLE)
    deployment = Deployment(
        folder=experiment.folder.resolve(),
        out=(out or experiment.folder / "deploy").resolve(),
        url=database_url(experiment, rating=rating, given=database),
        rating=rating,
        processes=processes or (2 if database and not database.startswith("sqlite") else 1),
        host=host,
        port=port or (443 if certificate else 80 if host else 8443),
        first_port=first_port,
        # Not resolved: certbot renews by pointing these names at new files.
        certificate=certificate.absolute() if certificate else None,
        key=key.absolute() if key else None,
        environment={CHOOSER_VARIABLE: chooser} if chooser else {},
        user=user,
    )
    written = files.write(deployment)
    typer.echo(f"{deployment.out}: {', '.join(path.name for path in written)}")
    several = "1 process" if deployment.processes == 1 else f"{deployment.processes} processes"
    typer.echo(f"{several} with {deployment.shown_url} behind {deployment.address}")
    if not certificate and host:
        typer.echo("Without a certificate, answers and cookies travel in the open; README.md says how to get one.")
    typer.echo(f"To try it here: {quote(str(deployment.out / 'start'))}. For a server: {quote(str(deployment.out / 'README.md'))}")
    if not deployment.url.startswith("sqlite"):
        environment = quote(str(deployment.out / "environment"))
        typer.echo("Every other command about this study needs its database. Once in each terminal, without a password on the screen:")
        typer.echo(f"  set -a; . {environment}; set +a")
        typer.echo(f"Then, for example: tastebench study status{' --rating' if rating else ''} {quote(str(folder))}")
