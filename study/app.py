"""The server of a study: Streamlit's pages, with our own addresses beside them and a guard before everything."""

import html
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from stimuli.experiment import ExperimentError
from study.recruitment.arrivals import anonymous, read_arrival
from study.screens import running
from study.screens.bundle import Bundle
from study.screens.guard import Guard
from study.storage.database import UnavailableError

_MONTH = 30 * 24 * 3600
_SCREENS = Path(__file__).parent / "screens"
_UNKEPT = {"Cache-Control": "no-store"}

_REFUSAL = """<!doctype html><html lang="{language}"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>:root {{ color-scheme: light dark }}
body {{ font: 1.125rem/1.6 system-ui, sans-serif; max-width: 34rem; margin: 20vh auto; padding: 0 1.5rem }}
p {{ overflow-wrap: anywhere }}</style><main><h1>{title}</h1><p>{text}</p>{reason}</main></html>"""


def start(request: Request) -> Response:
    """Give the browser a key that stands for whoever the address names, or for nobody known, and go on to the pages."""
    onward = RedirectResponse("/?started=1", status_code=303, headers=_UNKEPT)
    try:
        session = running.session()
        recruitment = session.table.recruitment
        arrival = read_arrival(dict(request.query_params), recruitment, secret=session.secret, keys=running.panel_keys())
        if arrival is None and session.arrived(request.cookies.get(running.cookie(session.kind), "")):
            return onward
        key = session.arrive(arrival or anonymous(recruitment))
    except UnavailableError:
        return _page("waiting", status=503, headers={"Retry-After": "5", "Refresh": "5"})
    except ExperimentError as error:
        return _page("refusal", reason=str(error))
    secure = request.url.scheme == "https"
    onward.set_cookie(running.cookie(session.kind), key, max_age=_MONTH, httponly=True, samesite="lax", secure=secure)
    return onward


def stimulus(request: Request) -> Response:
    """Return the image at a participant's own address for one side of one trial."""
    try:
        content = running.session().image(request.path_params["token"])
    except UnavailableError:
        return PlainTextResponse("Not at the moment.", status_code=503, headers=_UNKEPT)
    if content is None:
        return PlainTextResponse("There is no image here.", status_code=404, headers=_UNKEPT)
    return Response(content, media_type="image/png", headers={"Cache-Control": "private, max-age=3600"})


def icon(request: Request) -> Response:  # noqa: ARG001 - Starlette's signature
    """Return the icon of the browser's tab, in place of Streamlit's."""
    return FileResponse(_SCREENS / "favicon.png", media_type="image/png")


def _page(name: str, *, reason: str = "", status: int = 400, headers: dict[str, str] | None = None) -> HTMLResponse:
    """Return a page in the study's language; the reason is for whoever made the link, and in English."""
    texts = {key: html.escape(text) for key, text in running.words().items()}
    why = f'<p lang="en"><small>{html.escape(reason)}.</small></p>' if reason else ""
    page = _REFUSAL.format(language=texts["language"], title=texts[f"{name}_title"], text=texts[f"{name}_text"], reason=why)
    return HTMLResponse(page, status_code=status, headers=_UNKEPT | (headers or {}))


def _is_known(request: Request) -> bool:
    try:
        session = running.session()
        return session.arrived(request.cookies.get(running.cookie(session.kind), "")) is not None
    except UnavailableError:
        # Whoever comes back while the database rests is told so by the page.
        return any(running.cookie(kind) in request.cookies for kind in running.COOKIES)


app = st.App(
    _SCREENS / "pages.py",
    routes=[Route("/start", start), Route("/stim/{token}", stimulus), Route("/favicon.png", icon)],
    middleware=[Middleware(Guard, is_known=_is_known), Middleware(Bundle)],
)
