"""A real HTTP server in a thread that answers from a script, and remembers what it was asked."""

import asyncio
import atexit
import functools
import json
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Said:
    """One answer: JSON, or bytes as they are; `told` is the length that the headers promise, where it is another."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    told: int | None = None
    after: float = 0.0


Script = Callable[[str, Body, int], Said]


@dataclass
class Scripted:
    """A running server: its address, and the requests in the order they came."""

    address: str
    asked: list[tuple[str, Body, Mapping[str, str]]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    def paths(self) -> list[str]:
        return [path for path, _, _ in self.asked]


class _Server:
    """One server for all scripts of a process, since starting one takes longer than most tests; each script has a number."""

    def __init__(self) -> None:
        self.scripts: dict[str, tuple[Script, Scripted]] = {}
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.origin = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        app = Starlette(routes=[Route("/{number}/v1{path:path}", self._handle, methods=["GET", "POST"])])
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        atexit.register(self._stop)

    def _stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=5)
        self._socket.close()

    async def _handle(self, request: Request) -> Response:
        script, state = self.scripts[request.path_params["number"]]
        raw = await request.body()
        state.at_once += 1
        state.most_at_once = max(state.most_at_once, state.at_once)
        try:
            return await asyncio.to_thread(_answer, script, state, request, json.loads(raw) if raw else {})
        finally:
            state.at_once -= 1


def _answer(script: Script, state: Scripted, request: Request, body: Body) -> Response:
    path = request.path_params["path"]
    before = state.paths().count(path)
    state.asked.append((path, body, dict(request.headers)))
    said = script(path, body, before)
    content = said.body if isinstance(said.body, bytes) else json.dumps(said.body).encode()
    headers = dict(said.headers)
    if said.told is not None:
        headers["content-length"] = str(said.told)
    time.sleep(said.after)
    return Response(content, said.status, headers=headers, media_type="application/json")


_the_server = functools.cache(_Server)


@contextmanager
def scripted(script: Script) -> Iterator[Scripted]:
    """Serve what `script` returns for a path, a body and how often that path was asked before; its address ends in /v1."""
    server = _the_server()
    number = secrets.token_hex(4)
    state = Scripted(f"{server.origin}/{number}/v1")
    server.scripts[number] = script, state
    try:
        yield state
    finally:
        del server.scripts[number]


def free_port() -> int:
    """Return a port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
