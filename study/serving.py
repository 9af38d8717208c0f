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
from study.opening import open_study
from study.screens.running import DATABASE_VARIABLE

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
    "server.runOnSave": "false",
    **{f"theme.light.{name}": value for name, value in _LIGHT.items()},
    **{f"theme.dark.{name}": value for name, value in _DARK.items()},
}


@dataclass(frozen=True)
class Server:
    """How to start one server process: a command line, its environment, and the address to give to people."""

    command: tuple[str, ...]
    environment: dict[str, str]
    address: str


def serve(experiment: Experiment, settings: StudySettings, *, port: int | None, host: str, announce: Callable[[str], None]) -> NoReturn:
    """Open the study and become its server, until Ctrl-C; `announce` is called with the address just before.

    Raises:
        ExperimentError: the study cannot be opened (`opening.open_study`), or the port is taken.
    """
    open_study(experiment, settings).database.close()
    started = server(experiment.database, host=host, port=_free_port(host, port))
    announce(started.address)
    # The process is replaced, so that signals reach the server itself and nothing is left behind.
    os.execve(started.command[0], started.command, started.environment)


def server(database: Path, *, host: str, port: int) -> Server:
    """Return how to start a server for the study in `database`."""
    options = _SETTINGS | {"server.address": host, "server.port": str(port)}
    # -P: a folder named study/ in the working directory must not stand in for ours.
    command = (sys.executable, "-P", "-m", "streamlit", "run", str(_APP), *(f"--{name}={value}" for name, value in options.items()))
    environment = os.environ | {DATABASE_VARIABLE: str(database.resolve())}
    reachable = {"0.0.0.0": "localhost", "::": "localhost"}.get(host, f"[{host}]" if ":" in host else host)
    return Server(command, environment, f"http://{reachable}:{port}/start")


def _free_port(host: str, port: int | None) -> int:
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
