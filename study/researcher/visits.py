"""Who is signed in to a page of the researcher: random keys in a cookie, what they stand for kept by the server."""

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

_LONGEST, _IDLE = 12 * 3600.0, 3600.0
_MOST = 100


@dataclass(frozen=True)
class _Visit:
    since: float
    latest: float
    # What the visit rests on, such as the password's salt: the visit ends when that changes.
    ground: str


class Visits:
    """The open visits of one server process; a restarted one knows none, and everybody signs in again."""

    def __init__(self, cookie: str, clock: Callable[[], float]) -> None:
        self._cookie = cookie
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        self._visits: dict[str, _Visit] = {}
        self._lock = threading.Lock()

    def key(self, request: Request) -> str:
        """Return the browser's key, a new one where it has none; a key alone opens nothing."""
        return request.cookies.get(self._cookie) or secrets.token_urlsafe(32)

    def form_token(self, key: str) -> str:
        """Return what each form of the browser with this key must bring back, which no other site can know."""
        return hmac.new(self._secret, key.encode("utf-8", errors="replace"), hashlib.sha256).hexdigest()

    def is_ours(self, request: Request, form_token: str) -> bool:
        """Return whether a form was made for the browser that sends it."""
        key = request.cookies.get(self._cookie, "")
        return bool(key) and hmac.compare_digest(self.form_token(key).encode(), form_token.encode("utf-8", errors="replace"))

    def open(self, ground: str) -> str:
        """Return the key of a new visit; a key from before signing in is never promoted."""
        key, now = secrets.token_urlsafe(32), self._clock()
        with self._lock:
            self._visits[key] = _Visit(now, now, ground)
            for stale in sorted(self._visits, key=lambda each: self._visits[each].latest)[:-_MOST]:
                del self._visits[stale]
        return key

    def is_open(self, request: Request, ground: str) -> bool:
        """Return whether the browser is signed in; the visit then goes on, 12 hours at most and 1 hour without a sign of life."""
        key, now = request.cookies.get(self._cookie, ""), self._clock()
        with self._lock:
            visit = self._visits.get(key)
            if visit is None or visit.ground != ground or now - visit.since > _LONGEST or now - visit.latest > _IDLE:
                self._visits.pop(key, None)
                return False
            self._visits[key] = _Visit(visit.since, now, ground)
        return True

    def close(self, request: Request) -> None:
        """End the browser's visit."""
        with self._lock:
            self._visits.pop(request.cookies.get(self._cookie, ""), None)

    def remember(self, response: Response, key: str, *, secure: bool) -> None:
        """Give the browser its key, until it is closed: no script can read it and no other site can have it sent."""
        response.set_cookie(self._cookie, key, httponly=True, samesite="strict", secure=secure, path="/")
