"""Starts the server of a study: the address, the port, and the Streamlit settings that matter."""

import os
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from stimuli.experiment import Experiment, ExperimentError
from study.config import StudySettings
from study.invocation import DATABASE_VARIABLE
from study.opening import open_study
from study.screens.running import PREVIEW_VARIABLE
from study.session.chooser import CHOOSER_VARIABLE, named_chooser
from study.storage.existing import study_in
from study.storage.records import State, StudyKind

_PREFERRED_PORT = 8501
_APP = Path(__file__).with_name("app.py")

# Neutral greys, so that the page around the images lends them no colour.
_LIGHT = {
    "primaryColor": "#2b5c8a",
    "backgroundColor": "#fafafa",
    "secondaryBackgroundColor": "#f0f0f0",
    "textColor": "#1d1d1f",
    "borderColor": "#d9d9d9",
}
_DARK = {
    "primaryColor": "#8fb8de",
    "backgroundColor": "#161616",
    "secondaryBackgroundColor": "#242424",
    "textColor": "#ececec",
    "borderColor": "#3a3a3a",
}
_SETTINGS = {
    "global.developmentMode": "false",
    "browser.gatherUsageStats": "false",
    "client.showErrorDetails": "none",
    "client.showErrorLinks": "false",
    "client.toolbarMode": "minimal",
    "logger.hideWelcomeMessage": "true",
    "runner.magicEnabled": "false",
    # Streamlit would collect garbage fully after every answer, which is most of what answering costs.
    "runner.postScriptGC": "false",
    "server.enableAgentApi": "false",
    "server.enableStaticServing": "false",
    "server.fileWatcherType": "none",
    "server.headless": "true",
    # In MB. No page of ours sends or gets more than some tens of kB; Streamlit would take 200 MB into memory.
    "server.maxMessageSize": "1",
    "server.maxWidgetStateSize": "1",
    "server.runOnSave": "false",
    # In seconds: sooner than the 60 after which proxies and home routers drop a silent connection.
    "server.websocketPingInterval": "20",
    **{f"theme.light.{name}": value for name, value in _LIGHT.items()},
    **{f"theme.dark.{name}": value for name, value in _DARK.items()},
}


@dataclass(frozen=True)
class Server:
    """How to start one server process: a command line, its environment, and the address to give to people."""

    command: tuple[str, ...]
    environment: dict[str, str]
    address: str


def serve(
    experiment: Experiment,
    settings: StudySettings,
    *,
    kind: StudyKind,
    url: str,
    unreviewed: bool,
    port: int | None,
    host: str,
    announce: Callable[[str, State], None],
    chooser: str | None = None,
    preview: bool = False,
) -> NoReturn:
    """Open the study and become its server, until Ctrl-C; `announce` is called just before, with the address and the state the study is in.

    `chooser` is "module:function", for a rating study whose `order` is "active"; without it the environment may name one.
    A `preview` says so on its pages, and has a cookie of its own.

    Raises:
        ExperimentError: the study cannot be opened (`opening.open_study`), nothing chooses its images, or the port is taken.
    """
    active = kind == "rating" and settings.rating.order == "active"
    # The environment may name one for the rating study while it is the comparison that opens.
    chooser = (chooser or os.environ.get(CHOOSER_VARIABLE)) if active else None
    if active and not chooser:
        raise ExperimentError(
            f'[rating] has order = "active", and {CHOOSER_VARIABLE} does not say what chooses the images; set it to module:function, '
            'where function(FOLDER) returns the chooser, or write order = "random"'
        )
    chooses = named_chooser(chooser, folder=experiment.folder) if chooser else None
    database = open_study(experiment, settings, kind=kind, url=url, unreviewed=unreviewed, chooser=chooses).database
    with database.reading() as rows:
        state = study_in(rows, place=database.place).state
    database.close()
    started = server(url, host=host, port=free_port(host, port), chooser=chooser, preview=preview)
    announce(started.address, state)
    # The process is replaced, so that signals reach the server itself and nothing is left behind.
    os.execve(started.command[0], started.command, started.environment)


def server(url: str, *, host: str, port: int, chooser: str | None = None, preview: bool = False) -> Server:
    """Return how to start a server for the study in the database at `url`; the address of a database is never on a command line."""
    options = _SETTINGS | {"server.address": host, "server.port": str(port)}
    # -P: a folder named study/ in the working directory must not stand in for ours.
    command = (
        sys.executable,
        "-P",
        "-m",
        "study.server_process",
        "run",
        str(_APP),
        *(f"--{name}={value}" for name, value in options.items()),
    )
    environment = os.environ | {DATABASE_VARIABLE: url} | ({CHOOSER_VARIABLE: chooser} if chooser else {})
    # By its port, so that two previews beside each other do not share one either.
    environment |= {PREVIEW_VARIABLE: f"preview-{port}" if preview else ""}
    reachable = {"0.0.0.0": "localhost", "::": "localhost"}.get(host, f"[{host}]" if ":" in host else host)
    return Server(command, environment, f"http://{reachable}:{port}/start")


def free_port(host: str, port: int | None = None) -> int:
    """Return a port that can be listened on: `port` itself, or without it 8501 or any other.

    Raises:
        ExperimentError: `port` is taken, or may not be used.
    """
    if port is not None:
        if not _is_free(host, port):
            raise ExperimentError(f"port {port} of {host} cannot be used; another program may have it. Choose another with --port")
        return port
    if _is_free(host, _PREFERRED_PORT):
        return _PREFERRED_PORT
    with socket.create_server((host, 0), family=_family(host)) as taken:
        found: int = taken.getsockname()[1]
    return found


def _is_free(host: str, port: int) -> bool:
    try:
        with socket.create_server((host, port), family=_family(host)):
            return True
    except OSError:
        return False


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
