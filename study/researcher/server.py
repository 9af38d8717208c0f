"""Serves a page of the researcher on an address of its own, beside the participants' server and never as part of it."""

import socket

import uvicorn
from starlette.types import ASGIApp

from stimuli.experiment import ExperimentError


def listen(host: str, port: int | None) -> socket.socket:
    """Return a socket that listens at `port`, or at any free one.

    Raises:
        ExperimentError: the port is taken, or this machine has no such address.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port or 0), family=family)
    except OSError as error:
        raise ExperimentError(
            f"port {port} of {host} cannot be used ({error.strerror}); another program may have it. Choose another with --port"
        ) from error


def address_of(listening: socket.socket) -> str:
    """Return the address to open in a browser on this machine."""
    host, port = listening.getsockname()[:2]
    reachable = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{reachable}:{port}"


def server_of(app: ASGIApp) -> uvicorn.Server:
    """Return a server for the page. Only a proxy on this machine may say for whom it asks and whether that was by HTTPS."""
    return uvicorn.Server(
        uvicorn.Config(
            app, log_level="warning", ws="none", lifespan="off", server_header=False, forwarded_allow_ips="127.0.0.1", limit_concurrency=200
        )
    )
