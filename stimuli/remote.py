"""Asking a service over HTTP: the key from the environment, a pace, patience with what passes, one sentence for what does not."""

import email.utils
import ipaddress
import json
import os
import threading
import time
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
import tenacity

from stimuli.experiment import ExperimentError

# What a service says when it is busy, restarting or behind a gateway that is; the same request may be answered a moment later.
_PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
_LONGEST_WAIT = 600.0
# From here on the service itself is out of order, and not just busy.
_BROKEN = 500
_SHOWN = 200
# Far more than any answer, images in text included; a service that never ends must end.
_LARGEST = 256 * 2**20


class RefusedError(ExperimentError):
    """The service answered, and said no; `status` is the number it said it with."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status

    def __reduce__(self) -> tuple[type["RefusedError"], tuple[str, int]]:
        return RefusedError, (str(self), self.status)


class _PassingError(Exception):
    """Something that may be over soon; `wait` is how many seconds the service asked for."""

    def __init__(self, found: str, *, remedy: str, status: int | None = None, wait: float | None = None) -> None:
        super().__init__(found)
        self.found, self.remedy, self.status, self.wait = found, remedy, status, wait


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def text(self) -> str:
        """The beginning of the body."""
        return self.body[: 100 * _SHOWN].decode("utf-8", "replace")


class Remote:
    """A service at an address that speaks JSON. It can be pickled, and never holds the key: that is read when it is needed.

    The key of the environment variable `key_variable` goes into `header`, after `scheme`. None is needed where the name is "", and
    none is asked for on this machine. `requests_per_minute` (None: no limit) holds for each process. A request is tried up to
    `attempts` times, `wait` seconds after the first, twice as long after each further one, or as long as the service asks for.
    """

    def __init__(
        self,
        address: str,
        key_variable: str = "",
        requests_per_minute: float | None = None,
        attempts: int = 6,
        *,
        header: str = "Authorization",
        scheme: str = "Bearer ",
        timeout: float = 600.0,
        wait: float = 1.0,
    ) -> None:
        self.address = _checked(address)
        self.key_variable = key_variable
        self._pause = 60.0 / requests_per_minute if requests_per_minute else 0.0
        self._attempts, self._header, self._scheme, self._timeout, self._wait = attempts, header, scheme, timeout, wait
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._next = 0.0
        self._is_down = False
        self._client: httpx.Client | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_lock", "_next", "_is_down", "_client")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._begin()

    def check(self) -> None:
        """Look whether the key is there.

        Raises:
            ExperimentError: it is not.
        """
        self._headers()

    def post(self, path: str, json: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return the object that the service answers with.

        Raises:
            RefusedError: the service said no, and would say so again, or said so to the end.
            ExperimentError: no service, no key, or an answer that is no JSON object.
        """
        return self._ask("POST", path, json, headers or {}, self._attempts)

    def get(self, path: str, *, attempts: int | None = None) -> dict[str, Any]:
        """Return the object at a path; raises as `post` does."""
        return self._ask("GET", path, None, {}, attempts or self._attempts)

    def complaint(self, path: str, found: str, answer: object) -> ExperimentError:
        """Return the error for an answer of another shape than was expected; `found` says what it lacks."""
        text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
        return ExperimentError(
            f"{self.address}{path}: {found}; it answered: {self._excerpt(text)}. Does this address speak the interface that is expected?"
        )

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str], attempts: int) -> dict[str, Any]:
        sent = {**self._headers(), **headers}
        # Whoever waited for it told that it is down; others need not wait as long again until it answers.
        attempts = 1 if self._is_down else attempts
        trying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(attempts), wait=self._how_long, retry=tenacity.retry_if_exception(_may_pass), reraise=True
        )
        try:
            answer: dict[str, Any] = trying(self._once, method, path, body, sent)
        except _PassingError as error:
            self._is_down = self._is_down or (attempts > 1 and (error.status is None or error.status >= _BROKEN))
            tried = f", {attempts} times in a row" if attempts > 1 and (error.wait or 0) <= _LONGEST_WAIT else ""
            text = f"{self.address}{path}: {error.found}{tried}. {error.remedy}"
            # The cause holds the request and so the key; what was found is in the text.
            raise (ExperimentError(text) if error.status is None else RefusedError(text, error.status)) from None
        return answer

    def _once(self, method: str, path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str]) -> dict[str, Any]:
        self._keep_pace()
        try:
            with self._connection().stream(method, self.address + path, json=body, headers=dict(headers)) as response:
                answer = _Answer(response.status_code, response.headers, self._whole(path, response))
        except httpx.TimeoutException:
            remedy = "Is it overloaded? Ask for less at once, or for shorter answers"
            raise _PassingError(f"no answer within {self._timeout:g} seconds", remedy=remedy) from None
        except httpx.ConnectError as error:
            remedy = "Start the server, or correct the address in study.toml"
            raise _PassingError(f"no server answers there ({self._excerpt(str(error))})", remedy=remedy) from None
        except httpx.TransportError as error:
            remedy = "Look at the server's own log, and run this again: what is done is kept"
            raise _PassingError(f"the connection broke ({self._excerpt(str(error))})", remedy=remedy) from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise ExperimentError(f"{self.address}{path}: cannot be asked ({self._excerpt(str(error))})") from None
        if answer.status < _BROKEN:
            self._is_down = False
        return self._read(path, answer)

    def _whole(self, path: str, response: httpx.Response) -> bytes:
        """Return the body; the limits of httpx are for each piece of it, ours for all of them."""
        pieces, size, end = [], 0, time.monotonic() + self._timeout
        for piece in response.iter_bytes():
            pieces.append(piece)
            size += len(piece)
            if size > _LARGEST:
                raise self.complaint(path, f"its answer is larger than {_LARGEST >> 20} MiB", pieces[0][:2000].decode("utf-8", "replace"))
            if time.monotonic() > end:
                raise httpx.ReadTimeout("the answer does not end")
        return b"".join(pieces)

    def _read(self, path: str, response: _Answer) -> dict[str, Any]:
        if response.status in _PASSING:
            wait = _asked_wait(response.headers)
            too_long = f"; it asks to wait {wait:.0f} seconds" if (wait or 0) > _LONGEST_WAIT else ""
            found = f"it answered {response.status}: {self._excerpt(response.text)}{too_long}"
            remedy = "Wait, or ask for less in a minute; then run this again: what is done is kept"
            raise _PassingError(found, remedy=remedy, status=response.status, wait=wait)
        if not 200 <= response.status < 300:
            found = f"it answered {response.status}: {self._excerpt(response.text)}"
            raise RefusedError(f"{self.address}{path}: {found}. {self._remedy(response)}", response.status)
        try:
            answer = json.loads(response.body)
        except (ValueError, RecursionError):
            remedy = "Is this the address of the service itself, and not of a page or a proxy?"
            raise _PassingError(f"its answer is no JSON: {self._excerpt(response.text)}", remedy=remedy) from None
        if not isinstance(answer, dict):
            raise self.complaint(path, f"a JSON object was expected, not {type(answer).__name__}", answer)
        return answer

    def _remedy(self, response: _Answer) -> str:
        if response.status in (401, 403):
            if self._key():
                return f"Is the key in the environment variable {self.key_variable} the right one, and may it use this model?"
            variable = self.key_variable or "which key_variable in study.toml names"
            return f"It wants a key: set the environment variable {variable}"
        if response.status == 404:
            return "Is the address complete (many end in /v1), and the name of the model right?"
        if 300 <= response.status < 400:
            return f"It has moved to {self._excerpt(response.headers.get('location', 'elsewhere'))}; put the new address into study.toml"
        return "It does not take this request; what it says stands above"

    def _headers(self) -> dict[str, str]:
        key = self._key()
        if key:
            return {self._header: f"{self._scheme}{key}"}
        if self.key_variable and not _is_here(self.address):
            raise ExperimentError(
                f"{self.address}: the environment variable {self.key_variable} holds no key; set it (export {self.key_variable}=…) and "
                'run this again, or set key_variable = "" if the server wants none. Keys do not belong in study.toml'
            )
        return {}

    def _key(self) -> str:
        key = os.environ.get(self.key_variable, "").strip() if self.key_variable else ""
        if not (key.isascii() and key.isprintable() and " " not in key):
            raise ExperimentError(
                f"the environment variable {self.key_variable} holds letters that no key has (spaces, accents); copy it again"
            )
        return key

    def _excerpt(self, text: str) -> str:
        """Return the beginning of a text on one line, without the key: some services say the wrong key back."""
        key = self._key()
        plain = text.replace(key, "[key]") if key else text
        line = " ".join("".join(letter if letter.isprintable() else " " for letter in plain).split())
        return (line[:_SHOWN] + "…" if len(line) > _SHOWN else line) or "(nothing)"

    def _connection(self) -> httpx.Client:
        with self._lock:
            if self._client is None:
                # A proxy of the environment is for what lies outside this machine.
                limits = httpx.Timeout(self._timeout, connect=min(30.0, self._timeout))
                self._client = httpx.Client(timeout=limits, trust_env=not _is_here(self.address))
                weakref.finalize(self, self._client.close)
            return self._client

    def _keep_pace(self) -> None:
        with self._lock:
            now = time.monotonic()
            start = max(now, self._next)
            self._next = start + self._pause
        time.sleep(start - now)

    def _how_long(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.wait if isinstance(error, _PassingError) else None
        return asked if asked is not None else min(60.0, self._wait * 2.0 ** (state.attempt_number - 1))


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, _PassingError) and (error.wait or 0) <= _LONGEST_WAIT


def _asked_wait(headers: httpx.Headers) -> float | None:
    """Return the seconds of Retry-After, which is a number or a date; None where it is neither."""
    text = headers.get("retry-after", "").strip()
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        until = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (until - datetime.now(UTC)).total_seconds()) if until.tzinfo else None


def _checked(address: str) -> str:
    """Return an address without a slash at its end.

    Raises:
        ExperimentError: it is none, or holds what does not belong there.
    """
    try:
        parts = urlsplit(address.strip())
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        has_port = False
    if not has_port or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ExperimentError(f'address "{_hidden(address)}" is none; expected one such as "http://127.0.0.1:8000/v1"')
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ExperimentError(
            f'address "{_hidden(address)}" holds more than a place; keys and passwords belong in the environment variable of key_variable'
        )
    return address.strip().rstrip("/")


def _hidden(address: str) -> str:
    """Return an address without what could be a password or a key."""
    return address.split("?", maxsplit=1)[0].split("@")[-1]


def _is_here(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
