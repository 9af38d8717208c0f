"""What the server answers beside its pages: security headers, keys for who arrives, and nothing that a study does not need."""

import gzip
import http.client
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from served_study import PATIENCE_S, Served, at, come, enter, get, served_in, side

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served_in(tmp_path_factory.mktemp("guard")) as running:
        yield running


def test_images_are_private_and_every_answer_carries_the_security_headers(served: Served) -> None:
    served.walk_to("headers", "practice")
    trial = served.session.place("headers").trial
    assert trial is not None
    image = get(served.port, f"/stim/{trial.left_token}")
    assert image.status == 200
    assert image.headers["Content-Type"] == "image/png"
    assert image.headers["Cache-Control"].startswith("private")
    for path in ("/?started=1", "/start", "/stim/unknown", f"/stim/{trial.right_token}", "/_stcore/health", "/static/none.js"):
        headers = get(served.port, path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'; script-src 'self' blob:;" in policy
        assert f"ws://127.0.0.1:{served.port}" in policy
        assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize(
    "path", ["/_stcore/upload_file/x/y", "/_stcore/metrics", "/_stcore/agent/interact", "/component/x", "/media/x.png", "/stim/x"]
)
@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
def test_what_a_study_does_not_need_is_closed(served: Served, path: str, method: str) -> None:
    assert get(served.port, path, method=method).status == (405 if path == "/stim/x" and method != "GET" else 404)


@pytest.mark.parametrize("path", ["/", "/start", "/_stcore/health", "/static/x.js"])
def test_nothing_takes_a_body(served: Served, path: str) -> None:
    assert get(served.port, path, method="POST").status == 405


@pytest.mark.parametrize(("origin", "status"), [(None, 403), ("http://elsewhere.example", 403), ("own", 101)])
def test_a_socket_opens_only_for_a_page_of_our_own(served: Served, origin: str | None, status: int) -> None:
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    if origin:
        headers["Origin"] = served.origin if origin == "own" else origin
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=PATIENCE_S)
    connection.request("GET", "/_stcore/stream", headers=headers)
    assert connection.getresponse().status == status
    connection.close()


# Sends over every socket that the page opens, from within it: text, nothing, noise, too much at once and too many at once.
WIRETAP = """() => {
    const Original = WebSocket
    window.sockets = []
    window.WebSocket = class extends Original {
        constructor(...all) { super(...all); window.sockets.push(this) }
    }
}"""
NOISE = """() => {
    const [socket] = window.sockets
    socket.send("text")
    socket.send(new Uint8Array(0))
    socket.send(new Uint8Array(100_000).fill(7))
    for (let n = 0; n < 80; n += 1) socket.send(new Uint8Array(70_000))
    return window.sockets.length
}"""


def wait_until(page: Page, condition: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"never came: {condition}")


def test_messages_of_unusual_kind_and_size_are_dropped_and_the_same_connection_goes_on(served: Served, context: BrowserContext) -> None:
    context.add_init_script(f"({WIRETAP})()")
    page = context.new_page()
    enter(page, served.address("noisy"))
    assert page.evaluate(NOISE) == 1
    side(page, "left")
    at(page, "Practice 2 of 2")
    assert page.evaluate("window.sockets.length") == 1
    assert served.answers("noisy") == [("practice", "left", "mouse")]
    # A message that is none closes its connection; the page opens another and goes on.
    page.evaluate("window.sockets.at(-1).send(new Uint8Array(200).fill(255))")
    wait_until(page, "window.sockets.length >= 2")
    side(page, "right")
    at(page, "1 of 6")
    assert served.outcomes_once("noisy") == ["stored"] * 2


def test_arriving_gives_an_opaque_key_and_hides_the_id(served: Served) -> None:
    response = get(served.port, "/start?participant=visitor-7")
    assert response.status == 303
    assert response.headers["Cache-Control"] == "no-store"
    assert "visitor-7" not in repr(response.headers.items())
    cookie = response.headers["Set-Cookie"]
    assert re.match(r"study=[\w-]{20,}; HttpOnly; Max-Age=\d+; Path=/; SameSite=lax$", cookie)
    key = cookie.split(";")[0].removeprefix("study=")
    assert served.session.arrived(key) == "visitor-7"
    assert served.session.place("visitor-7").stage == "consent"


def test_without_an_id_a_browser_keeps_the_one_it_has(served: Served) -> None:
    first = get(served.port, "/start")
    key = first.headers["Set-Cookie"].split(";")[0]
    assert get(served.port, "/start", {"Cookie": key}).headers["Set-Cookie"] is None
    assert get(served.port, "/", {"Cookie": key}).status == 200
    without = get(served.port, "/?participant=ada")
    assert (without.status, without.headers["Location"]) == (303, "/start?participant=ada")


@pytest.mark.parametrize("written", ["a%00b", "", "%3Cscript%3E", "x" * 65])
def test_a_malformed_id_gets_a_page_that_says_so(served: Served, context: BrowserContext, written: str) -> None:
    page = context.new_page()
    response = page.goto(served.address(written))
    assert response is not None
    assert response.status == 400
    expect(page.locator("h1")).to_have_text("This link does not work")
    expect(page.get_by_text("expected 1 to 64 letters, digits, - or _.")).to_be_visible()
    assert page.locator("script").count() == 0


def test_a_browser_that_refuses_cookies_is_told_what_is_missing(served: Served, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(f"{served.origin}/?started=1")
    expect(page.locator("h1")).to_have_text("One thing is missing")
    expect(page.get_by_text("Please allow cookies for this page")).to_be_visible()


def test_scripts_travel_compressed_and_are_the_same_when_unpacked(served: Served) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=PATIENCE_S)
    connection.request("GET", "/")
    script = re.search(rb'src="\.?(/static/js/[^"]+\.js)"', connection.getresponse().read())
    if script is None:
        connection.request("GET", "/?started=1")
        script = re.search(rb'src="\.?(/static/js/[^"]+\.js)"', connection.getresponse().read())
    assert script is not None
    bodies = []
    for encoding in ("identity", "gzip"):
        connection.request("GET", script[1].decode(), headers={"Accept-Encoding": encoding})
        response = connection.getresponse()
        assert response.headers["Content-Encoding"] == (None if encoding == "identity" else "gzip")
        assert "immutable" in response.headers["Cache-Control"]
        bodies.append(response.read())
    connection.close()
    assert gzip.decompress(bodies[1]) == bodies[0]
    assert len(bodies[1]) < 0.5 * len(bodies[0])


def test_serving_loads_nothing_heavy(served: Served, context: BrowserContext) -> None:
    maps = Path(f"/proc/{served.process.pid}/maps")
    if not maps.exists():
        pytest.skip("only Linux tells what a process has loaded")
    served.walk_to("light", "trials")
    page = come(context, served, "light")
    at(page, "1 of 6")
    side(page, "left")
    at(page, "2 of 6")
    loaded = maps.read_text()
    assert "/numpy/" in loaded
    assert [name for name in ("pandas", "pyarrow", "torch", "scipy", "PIL") if f"/{name}/" in loaded] == []


def test_whatever_breaks_the_participant_is_told_that_nothing_is_lost(tmp_path: Path, context: BrowserContext) -> None:
    with served_in(tmp_path) as served:
        served.walk_to("unlucky", "trials")
        with closing(sqlite3.connect(served.experiment.database)) as behind, behind:
            behind.execute("DELETE FROM stimulus")
        page = come(context, served, "unlucky")
        expect(page.get_by_role("heading", level=1)).to_have_text("One moment, please")
        expect(page.get_by_text("Everything so far is stored.")).to_be_visible()
        assert page.get_by_text("encountered an error").count() == 0
