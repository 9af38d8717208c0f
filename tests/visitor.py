"""A visitor without a browser, who can send the pages of a study whatever they like."""

import http.client
import json
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Self

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

_PATIENCE_S = 60


@dataclass(frozen=True)
class Reply:
    """What came back for a request."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


def request(port: int, path: str, *, method: str = "GET", headers: dict[str, str] | None = None, body: bytes | None = None) -> Reply:
    """Return what the server on `port` answers; nothing is followed."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_S)
    try:
        connection.putrequest(method, path, skip_host="Host" in (headers or {}), skip_accept_encoding=True)
        for name, value in (({"Content-Length": str(len(body))} if body is not None else {}) | (headers or {})).items():
            connection.putheader(name, value)
        connection.endheaders(body)
        response = connection.getresponse()
        return Reply(response.status, response.headers, response.read())
    finally:
        connection.close()


@dataclass(frozen=True)
class Screen:
    """What the server shows: which component, and its data."""

    component: str
    data: dict[str, Any]


@dataclass
class Visitor:
    """One open page: a WebSocket to the study, with the cookie `key`. It learns the ids of the components that it sees."""

    port: int
    key: str
    headers: dict[str, str] = field(default_factory=dict)
    subprotocols: tuple[str, ...] = ("streamlit",)
    path: str = "/_stcore/stream"
    origin: bool = True
    components: dict[str, str] = field(default_factory=dict)
    page: str = ""
    session_id: str = ""

    def __enter__(self) -> Self:
        with ExitStack() as leaving:
            self.socket = leaving.enter_context(self._connect())
            self._leaving = leaving.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._leaving.close()

    def look(self) -> Screen:
        """Load the page and return what it shows."""
        self.socket.send(self.message().SerializeToString())
        return self.shown()

    def send(self, component: str, event: str, value: object) -> Screen:
        """Send what a component's trigger sends, and return what the page shows then."""
        message = self.message()
        widget = message.rerun_script.widget_states.widgets.add(id=f"$$STREAMLIT_INTERNAL_KEY_{self.components[component]}__events")
        widget.json_trigger_value = json.dumps([{"event": event, "value": value}])
        self.socket.send(message.SerializeToString())
        return self.shown()

    def answer(self, **fields: object) -> Screen:
        """Send an answer as the page of a comparison does, with `fields` in place of what a person would send."""
        usual = {"token": "", "choice": "left", "response_ms": 900.0, "device": "mouse", "blurs": 0, "ignored": 0, "viewport": "1280x720"}
        return self.send("comparison", "answer", usual | fields)

    def message(self) -> BackMsg:
        """Return what the page sends to be run again."""
        message = BackMsg()
        message.rerun_script.query_string, message.rerun_script.page_script_hash = "started=1", self.page
        message.rerun_script.widget_states.SetInParent()
        return message

    def shown(self) -> Screen:
        """Return the screen that the server sends until it has run to its end."""
        screen = None
        while True:
            message = ForwardMsg()
            message.ParseFromString(self.socket.recv(timeout=_PATIENCE_S, decode=False))
            if message.HasField("new_session"):
                self.page = message.new_session.page_script_hash
                self.session_id = message.new_session.initialize.session_id or self.session_id
            if message.HasField("delta") and message.delta.new_element.HasField("exception"):
                raise AssertionError("the page broke")
            if message.HasField("delta") and message.delta.new_element.HasField("bidi_component"):
                shown = message.delta.new_element.bidi_component
                (data,) = json.loads(shown.json)
                screen = Screen(shown.component_name, data)
                self.components[screen.component] = shown.id
            if message.HasField("script_finished") and screen is not None:
                return screen

    def _connect(self) -> connect:
        here = f"127.0.0.1:{self.port}"
        return connect(
            f"ws://{here}{self.path}",
            additional_headers=({"Origin": f"http://{here}"} if self.origin else {}) | {"Cookie": f"study={self.key}"} | self.headers,
            subprotocols=list(self.subprotocols),  # type: ignore[arg-type]
            compression=None,
            max_size=None,
            open_timeout=_PATIENCE_S,
        )
