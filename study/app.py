"""The server of a study: Streamlit's pages, with our own addresses beside them and a guard before everything."""

import html
import re
from pathlib import Path

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stimuli.experiment import ExperimentError
from study.screens import running

# What Streamlit offers and a study does not need: uploads (accepted even without an uploader), counters, driving by programs.
_CLOSED = ("/_stcore/upload_file", "/_stcore/metrics", "/_stcore/agent", "/_stcore/script-health-check", "/component", "/media")
_HOST = re.compile(r"[A-Za-z0-9.:\[\]-]{1,255}")
_MONTH = 30 * 24 * 3600
_SCREENS = Path(__file__).parent / "screens"

_REFUSAL = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>This link does not work</title><style>:root {{ color-scheme: light dark }}
body {{ font: 1.125rem/1.6 system-ui, sans-serif; max-width: 34rem; margin: 20vh auto; padding: 0 1.5rem }}</style>
<h1>This link does not work</h1><p>{reason}.</p><p>Please use the link exactly as it was sent to you.</p></html>"""


def start(request: Request) -> Response:
    """Give the browser a key that stands for the participant in `?participant=ID` (without one: for nobody known), and go on."""
    participant = request.query_params.get("participant")
    session = running.session()
    answer = RedirectResponse("/?started=1", status_code=303, headers={"Cache-Control": "no-store"})
    if participant is None and session.arrived(request.cookies.get(running.COOKIE, "")):
        return answer
    try:
        key = session.arrive(participant)
    except ExperimentError as error:
        return HTMLResponse(_REFUSAL.format(reason=html.escape(str(error))), status_code=400, headers={"Cache-Control": "no-store"})
    secure = request.url.scheme == "https"
    answer.set_cookie(running.COOKIE, key, max_age=_MONTH, httponly=True, samesite="lax", secure=secure)
    return answer


def stimulus(request: Request) -> Response:
    """Return the image at a participant's own address for one side of one trial."""
    content = running.session().image(request.path_params["token"])
    if content is None:
        return PlainTextResponse("There is no image here.", status_code=404, headers={"Cache-Control": "no-store"})
    return Response(content, media_type="image/png", headers={"Cache-Control": "private, max-age=3600"})


def icon(request: Request) -> Response:  # noqa: ARG001 - Starlette's signature
    """Return the icon of the browser's tab, in place of Streamlit's."""
    return FileResponse(_SCREENS / "favicon.png", media_type="image/png")


class Guard:
    """Puts the security headers on every answer, closes what a study does not need, and sends who comes without a key to /start."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request or connection."""
        if scope["type"] == "websocket" and not HTTPConnection(scope).headers.get("origin"):
            # Every browser names its origin; what does not is a program that no browser's rules hold back.
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
        elif path == "/" and "started" not in request.query_params and not await run_in_threadpool(_is_known, request):
            query = f"?{request.url.query}" if request.url.query else ""
            await RedirectResponse(f"/start{query}", status_code=303)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _is_known(request: Request) -> bool:
    return running.session().arrived(request.cookies.get(running.COOKIE, "")) is not None


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


app = st.App(
    _SCREENS / "pages.py",
    routes=[Route("/start", start), Route("/stim/{token}", stimulus), Route("/favicon.png", icon)],
    middleware=[Middleware(Guard)],
)
