"""What stands before every page of the researcher: security headers, the names the page answers to, and the size of what is sent."""

import json
from collections.abc import Collection
from pathlib import Path
from urllib.parse import parse_qsl

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HERE = Path(__file__).parent
STATIC = _HERE / "static"
_LARGEST = 64 * 1024
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class Guard:
    """Puts the headers on every answer, and turns away what is too large or, where `names` are given, came under another name."""

    def __init__(self, app: ASGIApp, *, names: Collection[str] | None = None) -> None:
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(HTTPConnection(scope), scope["method"])
        await (refusal or self._app)(scope, receive, _with_headers(send))

    def _refusal(self, request: HTTPConnection, method: str) -> PlainTextResponse | None:
        # A foreign name that leads to this machine would let that name's pages read ours.
        if self._names is not None and request.headers.get("host", "") not in self._names:
            return PlainTextResponse("This page answers only to the address that was printed.", status_code=421)
        if method not in ("GET", "HEAD", "POST"):
            return PlainTextResponse("This page knows only GET and POST.", status_code=405)
        if method == "POST":
            length = request.headers.get("content-length", "")
            if not length.isdecimal() or int(length) > _LARGEST:
                return PlainTextResponse("That is more than this page takes.", status_code=413)
        return None


def _with_headers(send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers[name] = value
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return guarded


async def form(request: Request) -> dict[str, str]:
    """Return the fields of a form or of a JSON object, as texts; whatever else was sent is an empty form."""
    body = (await request.body()).decode("utf-8", errors="replace")
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            sent = json.loads(body)
        except (ValueError, RecursionError):
            return {}
        return {key: value for key, value in sent.items() if isinstance(value, str)} if isinstance(sent, dict) else {}
    try:
        return dict(parse_qsl(body, keep_blank_values=True, max_num_fields=50))
    except ValueError:
        return {}


def templates() -> Environment:
    """Return the pages of this folder; every text put into one is escaped."""
    return Environment(
        loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
