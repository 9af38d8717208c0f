"""The researcher's page: a server of its own, behind a password, that shows a running study and can pause or close it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from stimuli.experiment import Experiment, ExperimentError
from study.researcher import downloads, drawings, switching, wording
from study.researcher.guard import STATIC, Guard, form, templates
from study.researcher.overview import EDGES_MS, FAST_MS, Overview, look, may_show_outcomes
from study.researcher.password import is_right, read_password
from study.researcher.throttle import Throttle
from study.researcher.visits import Visits
from study.storage.database import Database

# A look is shared for at least so long, and for ten times what it took, so that watching costs a tenth of one core at most.
_FRESH_S, _FRESH_TIMES = 2.0, 10.0


@dataclass
class Watch:
    """The page's state beside the database: who is signed in, who guessed wrongly, and the latest look, shared by all who watch."""

    experiment: Experiment
    database: Database
    url: str
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        self._visits = Visits("tastebench_researcher", self.clock)
        self._throttle = Throttle(self.clock)
        self._pages = templates()
        self._pages.filters.update(wording.FILTERS)
        self._hashing, self._looking = threading.Lock(), threading.Lock()
        # Until when it is fresh, and what was seen.
        self._latest: tuple[float, Overview] | None = None

    # --- Signing in and out ---

    async def login(self, request: Request) -> Response:
        """Show the form for the password, or take it."""
        if request.method != "POST":
            return self._login_page(request, "", 200)
        sent = await form(request)
        if not self._visits.is_ours(request, sent.get("form_token", "")):
            return self._login_page(request, "This form was too old. Please try again.", 403)
        return await run_in_threadpool(self._sign_in, request, sent.get("password", ""))

    def _sign_in(self, request: Request, password: str) -> Response:
        address = request.client.host if request.client else ""
        wait = self._throttle.begin(address)
        if wait > 0:
            told = f"Too many attempts. Nobody can sign in from here for {wording.duration(wait)}, not even with the right password."
            refused = self._login_page(request, told, 429)
            refused.headers["Retry-After"] = str(ceil(wait))
            return refused
        # One at a time: each needs much memory on purpose.
        with self._hashing:
            kept = read_password(self.experiment)
            right = is_right(password, kept)
        if not right:
            return self._login_page(request, "That is not the password.", 401)
        self._throttle.succeeded(address)
        answer = RedirectResponse("/", status_code=303)
        self._visits.remember(answer, self._visits.open(kept.salt), secure=_is_secure(request))
        return answer

    async def logout(self, request: Request) -> Response:
        """End the visit."""
        sent = await form(request)
        if self._visits.is_ours(request, sent.get("form_token", "")):
            self._visits.close(request)
        return RedirectResponse("/login", status_code=303)

    def _login_page(self, request: Request, problem: str, status: int) -> Response:
        key = self._visits.key(request)
        answer = self._page("login.html", status, form_token=self._visits.form_token(key), problem=problem)
        self._visits.remember(answer, key, secure=_is_secure(request))
        return answer

    def _is_signed_in(self, request: Request) -> bool:
        try:
            return self._visits.is_open(request, read_password(self.experiment).salt)
        except ExperimentError:
            # The password was taken away, which switches the page off at once.
            return False

    # --- Looking ---

    async def show(self, request: Request) -> Response:
        """Show the whole page."""
        if not self._is_signed_in(request):
            return RedirectResponse("/login", status_code=303)
        return self._page("watch.html", 200, **await run_in_threadpool(self._shown, request))

    async def live(self, request: Request) -> Response:
        """Show the part of the page that changes; the page puts it in place of what it had."""
        if not self._is_signed_in(request):
            return Response(status_code=401)
        return self._page("live.html", 200, **await run_in_threadpool(self._shown, request))

    def _shown(self, request: Request) -> dict[str, Any]:
        seen = self._look()
        arms, cells = drawings.heat(seen.coverage)
        return {
            "seen": seen,
            "title": self.experiment.folder.resolve().name,
            "form_token": self._visits.form_token(self._visits.key(request)),
            "outcomes_shown": may_show_outcomes(seen.state, peeking=seen.peeking),
            "steps": switching.steps(seen.state, peeking=seen.peeking),
            "fast_s": FAST_MS / 1000,
            "size": (drawings.WIDTH, drawings.HEIGHT),
            "hours": drawings.bars([count for _, count in seen.hours], wording.hours(seen.hours)),
            "times": drawings.bars(seen.times, wording.times(seen.times, EDGES_MS)),
            "left_at": drawings.bars(seen.left_at, wording.tenths(seen.left_at)),
            "edges": wording.edges(EDGES_MS),
            "arms": arms,
            "cells": cells,
        }

    def _look(self) -> Overview:
        with self._looking:
            begun = self.clock()
            if self._latest is None or begun > self._latest[0]:
                with self.database.reading() as rows:
                    seen = look(rows, at=self.now())
                if seen is None:
                    raise ExperimentError(f"{self.database.place}: holds no study any more; `tastebench study serve` makes it")
                ended = self.clock()
                self._latest = (ended + max(_FRESH_S, _FRESH_TIMES * (ended - begun)), seen)
            return self._latest[1]

    # --- Doing ---

    async def switch(self, request: Request) -> Response:
        """Open, pause or close the study, or let nobody new in; closing for good is asked about once more."""
        sent = await form(request)
        refused = self._refusal(request, sent)
        if refused:
            return refused
        state = sent.get("state", "")
        if state == "closed" and sent.get("sure") != "yes":
            return self._page("closing.html", 200, form_token=sent["form_token"], seen=await run_in_threadpool(self._look))
        return await run_in_threadpool(self._switch, state)

    def _switch(self, state: str) -> Response:
        with self.database.writing() as rows:
            if not switching.switch(rows, state, at=self.now()):
                return self._problem("The study cannot go there from where it is now. Somebody else may have changed it.", 409)
        with self._looking:
            self._latest = None
        return RedirectResponse("/", status_code=303)

    async def download(self, request: Request) -> Response:
        """Give the data as a zip: without outcomes as long as they may not be seen."""
        refused = self._refusal(request, await form(request))
        if refused:
            return refused
        return await run_in_threadpool(self._download)

    def _download(self) -> Response:
        with self.database.reading() as rows:
            study = rows.study()
            if study is None:
                return self._problem("The database holds no study any more.", 409)
            complete = may_show_outcomes(study.state, peeking=switching.peeking_of(study))
            content = None if complete else downloads.without_outcomes(rows, study.kind)
        content = content or downloads.everything(self.url, study.kind)
        name = f"{study.kind}-{'complete' if complete else 'without-outcomes'}-{self.now():%Y-%m-%d-%H%M}.zip"
        return Response(content, media_type="application/zip", headers={"Content-Disposition": f'attachment; filename="{name}"'})

    def _refusal(self, request: Request, sent: dict[str, str]) -> Response | None:
        if not self._is_signed_in(request):
            return RedirectResponse("/login", status_code=303)
        if not self._visits.is_ours(request, sent.get("form_token", "")):
            return self._problem("This form did not come from the page, or it was too old. Go back and try again.", 403)
        return None

    # --- Pages ---

    async def sorry(self, request: Request, error: Exception) -> Response:
        """Say what is wrong with the database or the experiment."""
        # Who is not signed in learns no place on this machine.
        return self._problem(str(error) if self._is_signed_in(request) else "The page does not work at the moment.", 503)

    def _problem(self, text: str, status: int) -> Response:
        return self._page("problem.html", status, text=text)

    def _page(self, name: str, status: int, **content: Any) -> HTMLResponse:
        return HTMLResponse(self._pages.get_template(name).render(content), status_code=status)


def watch_app(watch: Watch) -> Starlette:
    """Return the page as an application that a server can serve."""
    return Starlette(
        routes=[
            Route("/", watch.show),
            Route("/live", watch.live),
            Route("/login", watch.login, methods=["GET", "POST"]),
            Route("/logout", watch.logout, methods=["POST"]),
            Route("/state", watch.switch, methods=["POST"]),
            Route("/download", watch.download, methods=["POST"]),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[Middleware(Guard)],
        exception_handlers={ExperimentError: watch.sorry},
    )


def _is_secure(request: Request) -> bool:
    return bool(request.scope["scheme"] == "https")
