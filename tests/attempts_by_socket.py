"""Attempts over the socket that the pages speak through: who may open it, and what may be sent."""

import secrets
from contextlib import ExitStack, suppress

import pytest
from attacked_study import Attacked
from attempts import Attempts, named
from streamlit.proto.BackMsg_pb2 import BackMsg
from visitor import Visitor
from websockets.exceptions import ConnectionClosed, InvalidHandshake

BY_SOCKET: Attempts = {}


@named("a socket from another site, or from no page at all", BY_SOCKET)
def _(study: Attacked) -> None:
    own = f"http://127.0.0.1:{study.port}"
    others = (
        None,
        "http://evil.example",
        "null",
        f"{own}.evil.example",
        f"http://127.0.0.1:{study.port}@evil.example",
        "http://localhost:9",
    )
    for origin in others:
        headers = {"Origin": origin} if origin else {}
        with pytest.raises(InvalidHandshake), Visitor(study.port, study.keys["victim"], headers=headers, origin=False):
            pass


@named("a socket where there is none", BY_SOCKET)
def _(study: Attacked) -> None:
    for path in ("/start?participant=mallory", "/stim/x", "/", "/_stcore/health", "/_stcore/stream/x", "/_stcore/agent/interact"):
        with pytest.raises((InvalidHandshake, ConnectionClosed)), Visitor(study.port, study.keys["attacker"], path=path) as page:
            page.look()


def storms(study: Attacked, *frames: bytes | str) -> None:
    """Send each frame on a socket of its own while the victim's page is open, and see that hers still works."""
    with study.page("victim") as victim:
        victim.look()
        for frame in frames:
            with study.page() as page, suppress(ConnectionClosed):
                page.socket.send(frame)
                page.look()
        assert victim.look().data["token"] == study.due("victim").token


@named("frames that are no message", BY_SOCKET)
def _(study: Attacked) -> None:
    whole = Visitor(study.port, "").message().SerializeToString()
    storms(study, b"", b"\0", b"\xff" * 100, secrets.token_bytes(5000), whole[:-1], whole * 50, b"\x0a\xff\xff\xff\xff\x0f", "text", "{}")


@named("frames of megabytes", BY_SOCKET)
def _(study: Attacked) -> None:
    message = BackMsg()
    message.rerun_script.widget_states.widgets.add(id="x").string_value = "y" * 2_000_000
    many = BackMsg()
    for number in range(20_000):
        many.rerun_script.widget_states.widgets.add(id=f"w{number}").int_value = number
    storms(study, bytes(900_000), bytes(5_000_000), bytes(40_000_000), message.SerializeToString(), many.SerializeToString())


@named("messages for developers", BY_SOCKET)
def _(study: Attacked) -> None:
    messages = []
    for name in ("debug_shutdown_runtime", "debug_disconnect_websocket", "clear_cache", "stop_script", "load_git_info", "set_run_on_save"):
        message = BackMsg()
        setattr(message, name, True)
        messages.append(message.SerializeToString())
    message = BackMsg()
    message.file_urls_request.request_id, message.file_urls_request.session_id = "x", "y"
    message.file_urls_request.file_names.extend(["../../etc/passwd"] * 100)
    storms(study, *messages, message.SerializeToString())


@named("widgets, pages and fragments that are not there", BY_SOCKET)
def _(study: Attacked) -> None:
    due = study.due("attacker").token
    with study.page() as page:
        page.look()
        for field, value in (
            ("page_script_hash", "../app.py"),
            ("page_name", "../../etc/passwd"),
            ("fragment_id", "x"),
            ("query_string", "a" * 50_000),
        ):
            message = page.message()
            setattr(message.rerun_script, field, value)
            page.socket.send(message.SerializeToString())
            assert page.look().data["token"] == due
        for key in ("last answer", "opened", "problem", "asking", "comparison", "$$STREAMLIT_INTERNAL_KEY_x__events", "x" * 5000):
            message = page.message()
            message.rerun_script.widget_states.widgets.add(id=key).json_value = '{"go": {"screen": "consent"}}'
            page.socket.send(message.SerializeToString())
            assert page.look().data["token"] == due


@named("a hundred sockets full of noise", BY_SOCKET)
def _(study: Attacked) -> None:
    with ExitStack() as open_pages:
        pages = [open_pages.enter_context(study.page()) for _ in range(100)]
        for page in pages:
            # The server closes it meanwhile.
            with suppress(ConnectionClosed):
                for _ in range(20):
                    page.socket.send(secrets.token_bytes(2000))
        assert study.serves()
