"""Writes a deployment as files: for nginx, for systemd, for a trial in the foreground, and what to do with them."""

import os
import socket
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from stimuli.experiment import ExperimentError, write_whole
from study.deployment.plan import Deployment, check
from study.invocation import DATABASE_VARIABLE
from study.screens.running import COOKIES

# Name and mode of each file; the templates have the same names.
_FILES = {
    "README.md": 0o644,
    "nginx.conf": 0o644,
    "study.conf": 0o644,
    "tastebench-study@.service": 0o644,
    "environment": 0o600,
    "start": 0o755,
    "backup": 0o755,
}


def write(deployment: Deployment) -> list[Path]:
    """Write the files of a deployment into its folder, in place of those written before, and return their paths.

    Raises:
        ExperimentError: the deployment cannot work (`plan.check`), or the files cannot be written.
    """
    check(deployment)
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # None of these is HTML.
    )
    _make_folder(deployment.out)
    known = _known(deployment)
    return [_write(deployment.out / name, templates.get_template(name).render(known), mode) for name, mode in _FILES.items()]


def _known(deployment: Deployment) -> dict[str, object]:
    """Return everything that the templates may name."""
    # Every command imports this module, and only this one can wait for Streamlit.
    import streamlit

    command = [str(deployment.python), "-P", "-m", "tastebench", "study"]
    chosen = [str(deployment.folder)] + (["--rating"] if deployment.rating else [])
    return {
        **{name: getattr(deployment, name) for name in ("folder", "out", "rating", "host", "port", "ports", "certificate", "key")},
        **{name: getattr(deployment, name) for name in ("address", "shown_url", "python", "user", "processes")},
        "environment": {DATABASE_VARIABLE: deployment.url, **deployment.environment},
        "serve": [*command, "serve", *chosen],
        "backup": [*command, "backup", *chosen],
        "cookie": COOKIES["rating" if deployment.rating else "comparison"],
        "static": Path(streamlit.__file__).parent,
        "ipv6": _has_ipv6(),
        "sqlite": deployment.url.startswith("sqlite"),
    }


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExperimentError(f"{folder}: cannot be made ({error.strerror}); choose another place with --out") from error


def _write(path: Path, text: str, mode: int) -> Path:
    # An empty file with the right mode first: the password must never lie in one that others can read, not even for a moment.
    write_whole(path, b"")
    path.chmod(mode)
    if mode == 0o600:
        with os.fdopen(os.open(path, os.O_WRONLY), "wb") as file:
            file.write(text.encode())
        return path
    write_whole(path, text.encode())
    path.chmod(mode)
    return path


def _has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False
