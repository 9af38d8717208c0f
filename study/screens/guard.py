"""Stands before everything a study serves: security headers, no more than a study needs, and no message of unusual size."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from time import monotonic

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# What Streamlit offers and a study does not need: uploads (accepted even without an uploader), counters, driving by programs, signing in.
_CLOSED = (
    "/_stcore/upload_file",
    "/_stcore/metrics",
    "/_stcore/agent",
    "/_stcore/script-health-check",
    "/component",
    "/media",
    "/auth",
    "/oauth2callback",
)
_HOST = re.compile(r"[A-Za-z0-9.:\[\]-]{1,255}")
_READING = ("GET", "HEAD", "OPTIONS")
# The longest message our pages send is a reply of some thousand characters.
_LONGEST_MESSAGE = 64 * 1024
# A person's page sends a few messages a second at most; whoever sends more waits, and loses nothing.
_BURST, _PER_SECOND = 60.0, 20.0


class Guard:
    """Puts the security headers on every answer, closes what a study does not need, and sends who comes without a key to /start."""

    def __init__(self, app: ASGIApp, *, is_known: Callable[[Request], bool]) -> None:
        self._app = app
        self._is_known = is_known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request or connection."""
        if scope["type"] == "websocket":
            if _is_from_own_page(HTTPConnection(scope)):
                await self._app(scope, _bounded(receive), send)
            else:
                await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http":
            await self._answer(scope, receive, _with_headers(send, HTTPConnection(scope).headers.get("host", "")))
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        path = request.url.path
        if any(path == closed or path.startswith(f"{closed}/") for closed in _CLOSED):
            await PlainTextResponse("There is nothing here.", status_code=404)(scope, receive, send)
        elif request.method not in _READING:
            # Answers come over the socket, so nothing has a body that could be too long.
            await PlainTextResponse("Nothing can be sent here.", status_code=405)(scope, receive, send)
        elif path == "/" and "started" not in request.query_params and not await run_in_threadpool(self._is_known, request):
            query = f"?{request.url.query}" if request.url.query else ""
            await RedirectResponse(f"/start{query}", status_code=303)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _is_from_own_page(connection: HTTPConnection) -> bool:
    """Return whether a socket was opened by a page of ours.

    Every browser names its page's origin; what does not is a program that no browser's rules hold back. Streamlit itself would let
    any page on the participant's own machine in, and for every other one ask a server elsewhere what our address is.
    """
    origin, host = (connection.headers.get(name, "") for name in ("origin", "host"))
    return origin in (f"http://{host}", f"https://{host}")


def _bounded(receive: Receive) -> Callable[[], Awaitable[Message]]:
    """Return `receive` without messages that no page of ours sends; the connection stays, and with it whoever uses it."""
    allowance, last = _BURST, monotonic()

    async def bounded() -> Message:
        nonlocal allowance, last
        while True:
            message = await receive()
            if message["type"] != "websocket.receive":
                return message
            moment = monotonic()
            allowance, last = min(_BURST, allowance + (moment - last) * _PER_SECOND) - 1, moment
            if allowance < 0:
                await asyncio.sleep(-allowance / _PER_SECOND)
            content = message.get("bytes")
            if content and len(content) <= _LONGEST_MESSAGE:
                return message

    return bounded


def _with_headers(send: Send, host: str) -> Send:
    sockets = f"ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""
    policy = (
        "default-src 'self'; script-src 'self' blob:; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        f"font-src 'self' data:; connect-src 'self' {sockets}; object-src 'none'; base-uri 'self'; form-action 'self'; "
        "frame-ancestors 'none'"
    )

    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["Content-Security-Policy"] = policy
            headers["X-Content-Type-Options"] = "nosniff"
            headers["Referrer-Policy"] = "no-referrer"
        await send(message)

    return guarded
