"""A participant without a browser: it speaks to the served pages as Streamlit's own code in the browser does, and times the answers.

What goes over the line was taken from a recorded visit in Chromium: `/start` for the cookie, a WebSocket to `/_stcore/stream`,
and for each click one BackMsg with the trigger value that `setTriggerValue` of a v2 component makes.
"""

import asyncio
import json
import random
import time
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

# What comparison.js does when no next trial comes.
_RESEND_S = 3.0
_LONGEST_MESSAGE = 4 * 1024 * 1024
GONE = (OSError, EOFError, WebSocketException)


@dataclass(frozen=True)
class Screen:
    """What the server shows: which component, its id for answers, its data, and when it arrived (seconds)."""

    component: str
    id: str
    data: dict[str, Any]
    at: float

    @property
    def token(self) -> str | None:
        """The trial's token; None on a screen that is only read."""
        return self.data.get("token")


@dataclass
class Timings:
    """What one participant saw, in seconds: from each answer to the next screen's data, and for each image."""

    answers: list[float] = field(default_factory=list)
    images: list[float] = field(default_factory=list)
    first_pair: float | None = None
    waiting_since: float | None = None
    resent: int = 0


class Http:
    """One kept-alive connection, as a browser's for the images."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self.host, self.port = parts.hostname or "127.0.0.1", parts.port or 80
        self.cookie = ""
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._one_at_a_time = asyncio.Lock()

    async def get(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body."""
        async with self._one_at_a_time:
            kept = self._streams is not None
            try:
                return await self._get(path)
            except (OSError, EOFError):
                self.close()
                if not kept:
                    raise
            # The server lets go of an idle connection at any moment; browsers, too, then take another.
            return await self._get(path)

    async def _get(self, path: str) -> tuple[int, dict[str, str], bytes]:
        reader, writer = self._streams = self._streams or await asyncio.open_connection(self.host, self.port)
        cookie = f"Cookie: {self.cookie}\r\n" if self.cookie else ""
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n{cookie}\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = await self._body(reader, headers)
        if headers.get("connection", "").lower() == "close":
            self.close()
        return int(head[0].split()[1]), headers, body

    async def _body(self, reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() != "chunked":
            return await reader.readexactly(int(headers.get("content-length", 0)))
        body = b""
        while size := int((await reader.readline()).split(b";")[0], 16):
            body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
        return body

    def close(self) -> None:
        """Let go of the connection; the next request opens another."""
        if self._streams:
            self._streams[1].close()
        self._streams = None


class Participant:
    """One person: arrives, reads, answers after `thinking` seconds (jittered by a fifth), and fetches the images as the page does."""

    def __init__(self, address: str, name: str, *, thinking: float, seed: int) -> None:
        self.name, self.timings = name, Timings()
        self.acknowledged: list[str] = []
        self._address, self._thinking = address, thinking
        self._random = random.Random(f"{seed} {name}")
        self._http = Http(address)
        self._have: set[str] = set()
        self._socket: ClientConnection | None = None
        self._page = ""
        self._fetching: set[asyncio.Task[None]] = set()

    async def to_first_pair(self) -> Screen:
        """Arrive and press every button at once until there is something to judge."""
        began = time.perf_counter()
        status, headers, body = await self._http.get(f"/start?participant={self.name}")
        if status != 303:
            raise EOFError(f"/start answered {status}: {body[:500]!r}")
        cookies = SimpleCookie(headers["set-cookie"])
        self._http.cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in cookies.items())
        await self._http.get("/?started=1")
        screen = await self._open()
        while screen.token is None:
            screen = await self._send(screen, reading_reply(screen))
        await self._look(screen)
        self.timings.first_pair = time.perf_counter() - began
        return screen

    async def answer_until(self, screen: Screen, stop: asyncio.Event) -> None:
        """Answer one trial after another until `stop` or the end of the study; a lost server is waited for."""
        while not stop.is_set() and not is_end(screen):
            if screen.token is None:
                screen = await self._patiently(screen, reading_reply(screen))
                continue
            shown = time.perf_counter()
            await asyncio.sleep(self._thinking * self._random.uniform(0.8, 1.2))
            if stop.is_set():
                return
            answer = trial_answer(screen, choice=self._random.choice(("left", "right")), response_ms=1000 * (time.perf_counter() - shown))
            self.timings.waiting_since = sent = time.perf_counter()
            following = await self._patiently(screen, answer)
            self.timings.waiting_since = None
            self.timings.answers.append(following.at - sent)
            self.acknowledged.append(screen.token)
            screen = following
            if screen.token is not None:
                # Looking at a pair begins when both images are there; thinking does too.
                await self._look(screen)

    async def close(self) -> None:
        """Leave, as by closing the tab."""
        for task in self._fetching:
            task.cancel()
        self._http.close()
        if self._socket:
            # A transport that is dropped, not a farewell that a busy server would have to answer first.
            self._socket.transport.abort()

    async def _patiently(self, screen: Screen, reply: tuple[str, Any]) -> Screen:
        """Send until another screen comes, through lost connections and restarted servers."""
        while True:
            try:
                if self._socket is None:
                    current = await self._open()
                    if _place(current) != _place(screen):
                        return current
                    screen = current
                return await self._send(screen, reply)
            except GONE:
                self._lose()
                await asyncio.sleep(0.2)

    async def _open(self) -> Screen:
        self._socket = await connect(
            f"ws://{self._http.host}:{self._http.port}/_stcore/stream",
            origin=f"http://{self._http.host}:{self._http.port}",  # type: ignore[arg-type]
            subprotocols=["streamlit"],  # type: ignore[list-item]
            additional_headers={"Cookie": self._http.cookie},
            compression=None,
            max_size=_LONGEST_MESSAGE,
            ping_interval=None,
            open_timeout=60,
        )
        await self._socket.send(self._message(None))
        return await self._next(None)

    def _lose(self) -> None:
        if self._socket:
            self._socket.transport.abort()
        self._socket = None
        self._http.close()

    async def _send(self, screen: Screen, reply: tuple[str, Any]) -> Screen:
        message = self._message((screen.id, *reply))
        while True:
            await self._connected().send(message)
            try:
                return await asyncio.wait_for(self._next(screen), _RESEND_S)
            except TimeoutError:
                self.timings.resent += 1

    async def _next(self, before: Screen | None) -> Screen:
        """Return the next screen that is another than `before`."""
        while True:
            message = ForwardMsg()
            message.ParseFromString(await self._connected().recv())
            at = time.perf_counter()
            if message.HasField("new_session"):
                self._page = message.new_session.page_script_hash
            if message.HasField("delta") and message.delta.new_element.HasField("bidi_component"):
                component = message.delta.new_element.bidi_component
                # One entry in a list: what Streamlit makes of the tuple that the study hands it.
                (data,) = json.loads(component.json)
                screen = Screen(component.component_name, component.id, data, at)
                if before is None or _place(screen) != _place(before):
                    return screen

    def _connected(self) -> ClientConnection:
        if self._socket is None:
            raise EOFError("not connected")
        return self._socket

    def _message(self, event: tuple[str, str, Any] | None) -> bytes:
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_script_hash = "started=1", self._page
        state.context_info.timezone, state.context_info.locale = "UTC", "en-US"
        state.context_info.url = f"{self._address}/"
        if event:
            component, name, value = event
            widget = state.widget_states.widgets.add(id=f"$$STREAMLIT_INTERNAL_KEY_{component}__events")
            widget.json_trigger_value = json.dumps([{"event": name, "value": value}])
        else:
            state.widget_states.SetInParent()
        return message.SerializeToString()

    async def _look(self, screen: Screen) -> None:
        """Fetch what this pair still lacks, and the next pair's images beside it."""
        for address in screen.data["images"]:
            await self._fetch_patiently(address)
        preload = [address for address in screen.data["preload"] if address not in self._have]
        if preload:
            task = asyncio.create_task(self._preload(preload))
            self._fetching.add(task)
            task.add_done_callback(self._fetching.discard)

    async def _preload(self, addresses: list[str]) -> None:
        for address in addresses:
            try:
                await self._fetch(address)
            except GONE:
                return

    async def _fetch_patiently(self, address: str) -> None:
        while True:
            try:
                return await self._fetch(address)
            except GONE:
                await asyncio.sleep(0.2)

    async def _fetch(self, address: str) -> None:
        if address in self._have:
            return
        began = time.perf_counter()
        status, _, _ = await self._http.get(address)
        self.timings.images.append(time.perf_counter() - began)
        if status == 429:
            raise RuntimeError(f"{self.name} did nothing that a person does not do, and was held back")
        if status == 200:
            self._have.add(address)


def reading_reply(screen: Screen) -> tuple[str, Any]:
    """Return the event and the value that the page's first button, or the first option of a question, sends."""
    here = screen.data["screen"]
    if screen.component == "asking":
        return "reply", {"screen": here, "value": (screen.data["options"] or ["1"])[0], "attempt": 1}
    return "go", {"screen": here, "button": screen.data["buttons"][0]["name"] if screen.data["buttons"] else "look"}


def trial_answer(screen: Screen, *, choice: str, response_ms: float) -> tuple[str, Any]:
    """Return the event and the value that the page sends for a choice."""
    fields = {"device": "mouse", "response_ms": round(response_ms, 1), "blurs": 0, "ignored": 0, "viewport": "1280x720"}
    return "answer", {"token": screen.token, "choice": choice, **fields}


def is_end(screen: Screen) -> bool:
    """Return whether nothing more can be done here."""
    return screen.component == "reading" and not screen.data["buttons"] and not screen.data["poll_ms"]


def _place(screen: Screen) -> tuple[str, Any]:
    return screen.component, screen.token or screen.data.get("screen")
