"""The contact sheet: a page on this machine on which a researcher looks through the images before anybody else sees them."""

import hmac
import io
import secrets
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, cast, get_args

from PIL import Image, ImageOps
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from stimuli.experiment import ExperimentError
from study.researcher.gallery import Group, hashes_of
from study.researcher.guard import STATIC, Guard, form, templates
from study.researcher.verdicts import Verdicts
from study.researcher.visits import Visits
from study.reviews import Reason, Verdict, summary

_SMALL, _LARGE = 400, 2048
# What stands in place of an image that cannot be opened.
_BROKEN = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40"><rect width="40" height="40" fill="#888"/>'
    b'<path d="M12 12 28 28M28 12 12 28" stroke="#fff" stroke-width="3"/></svg>'
)


class Sheet:
    """The page's state beside reviews.json: the images it shows, what a program saw in them, and who holds its one-time address."""

    def __init__(self, groups: Sequence[Group], flags: Mapping[str, Sequence[str]], verdicts: Verdicts, *, title: str) -> None:
        self.token = secrets.token_urlsafe(24)
        self._groups, self._flags, self._verdicts, self._title = groups, flags, verdicts, title
        self._hashes = hashes_of(groups)
        self._paths = {picture.sha256: picture.path for group in groups for picture in group.pictures}
        self._visits = Visits("tastebench_review", time.monotonic)
        self._template = templates().get_template("sheet.html")
        self._picture = lru_cache(maxsize=500)(self._encoded)

    # --- Coming in ---

    async def show(self, request: Request) -> Response:
        """Show the sheet, or let a browser in that has the address that was printed; it works for one browser."""
        given = request.query_params.get("token")
        if given is not None and self.token and hmac.compare_digest(given.encode("utf-8", errors="replace"), self.token.encode()):
            self.token = ""
            answer = RedirectResponse("/", status_code=303)
            self._visits.remember(answer, self._visits.open(""), secure=False)
            return answer
        if not self._is_in(request):
            told = "This page opens with the address that the command printed, once. To open it again, stop the command and start it anew."
            return PlainTextResponse(told, status_code=403)
        if given is not None:
            return RedirectResponse("/", status_code=303)
        return HTMLResponse(await run_in_threadpool(self._page, request))

    def _is_in(self, request: Request) -> bool:
        return self._visits.is_open(request, "")

    # --- Looking ---

    def _page(self, request: Request) -> str:
        numbers = {sha256: number for number, sha256 in enumerate(self._hashes)}
        groups = [
            (group.prompt, [(numbers[picture.sha256], self._flags.get(picture.sha256, ())) for picture in group.pictures])
            for group in self._groups
        ]
        return self._template.render(
            title=self._title, groups=groups, images=len(self._hashes), form_token=self._visits.form_token(self._visits.key(request))
        )

    async def image(self, request: Request) -> Response:
        """Return one image without its metadata, small or large; its name and address say nothing of how it was made."""
        number = request.path_params["number"]
        if not self._is_in(request) or number >= len(self._hashes):
            return PlainTextResponse("There is no image here.", status_code=404)
        side = _LARGE if request.path_params["size"] == "large" else _SMALL
        content = await run_in_threadpool(self._picture, number, side)
        if content is None:
            return Response(_BROKEN, media_type="image/svg+xml")
        return Response(content, media_type="image/png", headers={"Cache-Control": "private, max-age=3600"})

    def _encoded(self, number: int, side: int) -> bytes | None:
        try:
            with Image.open(self._paths[self._hashes[number]]) as opened:
                pixels = ImageOps.exif_transpose(opened).convert("RGB")
        # Damaged files make the image library raise nearly anything.
        except (OSError, ValueError, SyntaxError, EOFError, IndexError, Image.DecompressionBombError):
            return None
        pixels.thumbnail((side, side))
        bare = Image.new("RGB", pixels.size)
        bare.paste(pixels)
        content = io.BytesIO()
        bare.save(content, format="PNG", compress_level=1)
        return content.getvalue()

    # --- Saying ---

    async def reviews(self, request: Request) -> Response:
        """Return the verdict of each image that has one, by its number, and how many there are."""
        if not self._is_in(request):
            return JSONResponse({"problem": "This page is no longer open."}, status_code=403)
        return await run_in_threadpool(self._standing)

    async def say(self, request: Request) -> Response:
        """Store a verdict on one image or several."""
        sent = await form(request)
        if not self._is_in(request) or not self._visits.is_ours(request, sent.get("form_token", "")):
            return JSONResponse({"problem": "This page is no longer open."}, status_code=403)
        numbers = self._numbers(sent.get("images", ""))
        verdict, reason = sent.get("verdict", ""), sent.get("reason", "")
        if not numbers or verdict not in get_args(Verdict) or reason not in get_args(Reason):
            return JSONResponse({"problem": "This is no verdict on an image of this page."}, status_code=400)
        images = [self._hashes[number] for number in numbers]
        overrule = sent.get("rest", "") == ""
        said = await run_in_threadpool(self._verdicts.say, images, cast("Verdict", verdict), cast("Reason", reason), overrule=overrule)
        return await run_in_threadpool(self._standing, said=said)

    async def undo(self, request: Request) -> Response:
        """Take a verdict back."""
        sent = await form(request)
        if not self._is_in(request) or not self._visits.is_ours(request, sent.get("form_token", "")):
            return JSONResponse({"problem": "This page is no longer open."}, status_code=403)
        said = sent.get("said", "")
        undone = await run_in_threadpool(self._verdicts.undo, int(said) if said.isdecimal() and len(said) < 9 else -1)
        return await run_in_threadpool(self._standing, undone=[self._hashes.index(sha256) for sha256 in undone])

    def _standing(self, **more: Any) -> JSONResponse:
        found = self._verdicts.all()
        seen = summary(self._hashes, found)
        verdicts = {number: [found[sha].verdict, found[sha].reason] for number, sha in enumerate(self._hashes) if sha in found}
        return JSONResponse({"verdicts": verdicts, "approved": seen.approved, "removed": seen.removed, "images": seen.images} | more)

    def _numbers(self, text: str) -> list[int]:
        parts = text.split(",")
        fits = all(part.isascii() and part.isdecimal() and len(part) < 9 and int(part) < len(self._hashes) for part in parts)
        return [int(part) for part in parts] if fits else []


async def _sorry(request: Request, error: Exception) -> Response:  # noqa: ARG001 - Starlette's signature
    return JSONResponse({"problem": str(error)}, status_code=503)


def sheet_app(sheet: Sheet, *, port: int) -> Starlette:
    """Return the page as an application that a server can serve on this machine at `port`."""
    names = {f"{host}:{port}" for host in ("127.0.0.1", "localhost")}
    return Starlette(
        routes=[
            Route("/", sheet.show),
            Route("/image/{size}/{number:int}", sheet.image),
            Route("/reviews", sheet.reviews),
            Route("/verdict", sheet.say, methods=["POST"]),
            Route("/undo", sheet.undo, methods=["POST"]),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[Middleware(Guard, names=names)],
        exception_handlers={ExperimentError: _sorry},
    )
