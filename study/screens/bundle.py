"""Streamlit's own scripts and styles, compressed once a process, so that the first page is light and no answer waits for it."""

import gzip
from functools import cache
from pathlib import Path

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

_ROOT = Path(st.__file__).parent / "static"
_TYPES = {".js": "text/javascript", ".css": "text/css"}
# The names carry a hash of the content, so browsers may keep them.
_HEADERS = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding", "Cache-Control": "public, immutable, max-age=31536000"}


class Bundle:
    """Answers for the files in Streamlit's bundle that compress well; everything else goes on to `app`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http" and scope["path"].startswith("/static/") and _takes_gzip(scope):
            content = await run_in_threadpool(_compressed, scope["path"])
            if content is not None:
                kind = _TYPES[Path(scope["path"]).suffix]
                await Response(content, media_type=kind, headers=_HEADERS)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _takes_gzip(scope: Scope) -> bool:
    return "gzip" in Request(scope).headers.get("accept-encoding", "")


def _compressed(path: str) -> bytes | None:
    """Return the file at an address of the bundle, None where there is none that should be compressed."""
    return _gzipped(path) if path in _addresses() else None


@cache
def _addresses() -> frozenset[str]:
    files = (file for kind in _TYPES for file in (_ROOT / "static").rglob(f"*{kind}"))
    return frozenset(f"/{file.relative_to(_ROOT).as_posix()}" for file in files)


@cache
def _gzipped(path: str) -> bytes:
    return gzip.compress((_ROOT / path.lstrip("/")).read_bytes(), compresslevel=6, mtime=0)
