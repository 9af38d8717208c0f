"""What a deployment consists of, and which ones cannot work; nothing here writes anything."""

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from stimuli.experiment import ExperimentError

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
# What nginx, systemd and the shell all read as it stands; anything else would mean something to one of them.
_PLAIN_PATH = re.compile(r"[\w./@+:,=~-]+")


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """One study on one machine. `host` is its public name, None for a trial that only this machine reaches.

    `port` is where nginx listens; the processes listen on `first_port` and those after it, on the loopback address.
    `certificate` and `key` are files for https. `environment` is what the processes must know besides `url`.
    `python` is the interpreter that runs them, `user` who they run as under systemd.
    """

    folder: Path
    out: Path
    url: str
    rating: bool = False
    processes: int = 2
    host: str | None = None
    port: int = 80
    first_port: int = 8511
    certificate: Path | None = None
    key: Path | None = None
    environment: dict[str, str] = field(default_factory=dict)
    python: Path = Path(sys.executable)
    user: str = "tastebench"

    @property
    def ports(self) -> range:
        """Where the processes listen."""
        return range(self.first_port, self.first_port + self.processes)

    @property
    def address(self) -> str:
        """Where people reach the study."""
        scheme, usual = ("https", 443) if self.certificate else ("http", 80)
        return f"{scheme}://{self.host or '127.0.0.1'}" + (f":{self.port}" if self.port != usual else "")

    @property
    def shown_url(self) -> str:
        """The address of the database without its password."""
        return make_url(self.url).render_as_string(hide_password=True)


def check(deployment: Deployment) -> None:
    """Raise an `ExperimentError` for a deployment that cannot work."""
    _check_database(deployment)
    _check_addresses(deployment)
    for path in (deployment.folder, deployment.out, deployment.python, deployment.certificate, deployment.key):
        if path and not _PLAIN_PATH.fullmatch(str(path)):
            raise ExperimentError(f"{path}: nginx or systemd would misread this; use letters, digits and ./@+:,=~_- only, and no spaces")


def _check_database(deployment: Deployment) -> None:
    try:
        url = make_url(deployment.url)
    except ArgumentError as error:
        raise ExperimentError("--database is no address of a database; expected postgresql://USER:PASSWORD@HOST/NAME") from error
    if url.get_backend_name() == "sqlite" and deployment.processes > 1:
        raise ExperimentError(
            f"{deployment.processes} processes cannot share an SQLite file: only one at a time may write it, and each would wait for the "
            "others. Give --database postgresql://USER:PASSWORD@HOST/NAME, or --processes 1, which holds 240 participants"
        )
    if "'" in deployment.url or "\n" in deployment.url:
        raise ExperimentError("--database has an apostrophe or a line break in it; write an apostrophe as %27")


def _check_addresses(deployment: Deployment) -> None:
    if deployment.host is not None and not _HOST.fullmatch(deployment.host):
        raise ExperimentError(f'--host "{deployment.host}" is no name of a machine; expected one as in study.example.org, without https://')
    if (deployment.certificate is None) != (deployment.key is None):
        lacking = "--key" if deployment.key is None else "--certificate"
        raise ExperimentError(f"{lacking} is missing; a certificate and its private key belong together")
    if deployment.certificate and not deployment.host:
        raise ExperimentError("--host is missing; a certificate is for one name, so say which")
    if deployment.ports[-1] > 65_535:
        raise ExperimentError(f"{deployment.processes} processes from port {deployment.first_port} on go beyond 65535; lower --first-port")
    if deployment.port in deployment.ports:
        raise ExperimentError(f"port {deployment.port} would be nginx's and a process's; choose another --port or --first-port")
