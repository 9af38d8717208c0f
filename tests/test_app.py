"""The pages in a real browser, served by a real process: the whole way, what browsers learn, and what survives a killed server."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response, expect, sync_playwright
from study_fixtures import Settings, make_experiment

from stimuli.experiment import Experiment, ExperimentError
from stimuli.manifest import read_stimuli
from study import doctor, serving
from study.config import StudyTable
from study.opening import open_study
from study.session import Session

pytestmark = pytest.mark.browser

# Short, so that the tests are; the default is tested without a browser.
MIN_MS = 150
SETTINGS = Settings(study=StudyTable(min_ms=MIN_MS))
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


@dataclass
class Served:
    """A study that a process of its own serves."""

    experiment: Experiment
    session: Session
    port: int
    process: subprocess.Popen[bytes]

    def address(self, participant: str) -> str:
        return f"http://127.0.0.1:{self.port}/start?participant={participant}"

    def answers(self, participant: str) -> list[tuple[str, str, str]]:
        """Return kind, choice and device of each answer in the database, in the order of the schedule."""
        with self.session.database.reading() as rows:
            found = rows._connection.exec_driver_sql(
                "SELECT kind, choice, device FROM answer JOIN trial ON trial.id = answer.trial WHERE participant = ? ORDER BY step",
                (participant,),
            )
            return [(row.kind, row.choice, row.device) for row in found]

    def outcomes(self, participant: str) -> list[str]:
        with self.session.database.reading() as rows:
            query = "SELECT outcome FROM attempt WHERE participant = ? ORDER BY id"
            return [row.outcome for row in rows._connection.exec_driver_sql(query, (participant,))]

    def ignored(self, participant: str) -> int:
        with self.session.database.reading() as rows:
            query = "SELECT sum(ignored) FROM answer JOIN trial ON trial.id = answer.trial WHERE participant = ?"
            return rows._connection.exec_driver_sql(query, (participant,)).scalar() or 0

    def restart(self) -> None:
        self.process = start(self.experiment, self.port)


def start(experiment: Experiment, port: int) -> subprocess.Popen[bytes]:
    server = serving.server(experiment.database, host="127.0.0.1", port=port)
    process = subprocess.Popen(server.command, env=server.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(200):
        try:
            if get(port, "/_stcore/health").status == 200:
                return process
        except OSError:
            time.sleep(0.1)
    process.kill()
    raise TimeoutError("the server did not start")


def get(port: int, path: str, headers: dict[str, str] | None = None, method: str = "GET") -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, headers=headers or {})
        response = connection.getresponse()
        response.read()
        return response
    finally:
        connection.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@contextmanager
def served_in(folder: Path) -> Iterator[Served]:
    experiment = make_experiment(folder / "experiment")
    session = open_study(experiment, SETTINGS)
    port = free_port()
    served = Served(experiment, session, port, start(experiment, port))
    yield served
    served.process.kill()
    served.process.wait()
    session.database.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served_in(tmp_path_factory.mktemp("app")) as running:
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = doctor.browser()
    if path is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    fresh = chromium.new_context(viewport={"width": 1280, "height": 800})
    fresh.set_default_timeout(15_000)
    yield fresh
    fresh.close()


def at(page: Page, progress: str) -> None:
    """Wait until the page stands at this comparison and takes an answer."""
    expect(page.locator(".progress")).to_have_text(progress, timeout=20_000)
    page.locator(".page.open").wait_for()
    page.wait_for_timeout(MIN_MS + 20)


def enter(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("button", name="I agree and take part").click()
    page.get_by_role("button", name="Start with practice").click()
    at(page, "Practice 1 of 2")


def side(page: Page, choice: str) -> None:
    page.locator(f".side[data-choice={choice}]").click()


def press_focused(page: Page, choice: str, key: str) -> None:
    page.locator(f".side[data-choice={choice}]").focus()
    page.keyboard.press(key)


def through_practice(page: Page) -> None:
    side(page, "left")
    at(page, "Practice 2 of 2")
    side(page, "right")
    at(page, "1 of 6")


# --- The journey ---


def test_what_is_clicked_and_typed_from_consent_to_thanks_is_what_is_stored(served: Served, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(served.address("journey"))
    expect(page.locator("h1")).to_have_text("Before you begin")
    assert served.session.place("journey").stage == "consent"
    page.get_by_role("button", name="I agree and take part").click()
    expect(page.locator("h1")).to_have_text("How it works")
    page.get_by_role("button", name="Start with practice").click()

    at(page, "Practice 1 of 2")
    side(page, "left")
    at(page, "Practice 2 of 2")
    expect(page.locator(".note")).to_have_text("Practice. Chosen with a click; ← and → work too.")
    page.keyboard.press("ArrowRight")
    at(page, "1 of 6")
    expect(page.locator(".note")).to_have_text("Practice is over: from here on, each choice counts.")
    side(page, "right")
    at(page, "2 of 6")
    page.keyboard.press("ArrowLeft")
    at(page, "3 of 6")
    page.keyboard.press("f")
    at(page, "4 of 6")
    page.keyboard.press("j")
    at(page, "5 of 6")
    press_focused(page, "left", "Enter")
    at(page, "6 of 6")
    press_focused(page, "right", "Space")
    expect(page.locator("h1")).to_have_text("All done")
    expect(page.get_by_text(StudyTable().thanks)).to_be_visible()

    assert served.answers("journey") == [
        ("practice", "left", "mouse"),
        ("practice", "right", "keyboard"),
        ("comparison", "right", "mouse"),
        ("comparison", "left", "keyboard"),
        ("comparison", "left", "keyboard"),
        ("comparison", "right", "keyboard"),
        ("comparison", "left", "keyboard"),
        ("comparison", "right", "keyboard"),
    ]
    assert served.outcomes("journey") == ["stored"] * 8
    page.goto(served.address("journey"))
    expect(page.locator("h1")).to_have_text("All done")


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844), (844, 390)])
def test_both_images_of_the_trial_are_equally_large_side_by_side_and_on_the_screen(
    served: Served, chromium: Browser, width: int, height: int
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    enter(page, served.address(f"size-{width}"))
    left, right = (page.locator(".side img").nth(index).bounding_box() for index in (0, 1))
    assert left is not None
    assert right is not None
    assert (left["y"], left["width"], left["height"]) == (right["y"], right["width"], right["height"])
    assert left["x"] + left["width"] < right["x"]
    assert abs((left["x"] + right["x"] + right["width"]) / 2 - width / 2) < 1
    assert left["height"] > 100
    assert left["y"] >= 0
    assert left["y"] + left["height"] < height
    trial = served.session.place(f"size-{width}").trial
    assert trial is not None
    shown = page.locator(".side img").evaluate_all("images => images.map(image => new URL(image.src).pathname)")
    assert shown == [f"/stim/{trial.left_token}", f"/stim/{trial.right_token}"]
    expect(page.locator(".prompt")).to_have_text(trial.base_prompt)
    context.close()


def test_a_reload_and_another_tab_go_on_at_the_same_comparison_and_answer_it_once(served: Served, context: BrowserContext) -> None:
    first = context.new_page()
    enter(first, served.address("tabs"))
    through_practice(first)
    first.reload()
    at(first, "1 of 6")
    second = context.new_page()
    second.goto(f"http://127.0.0.1:{served.port}/")
    at(second, "1 of 6")
    side(first, "left")
    at(first, "2 of 6")
    side(second, "right")
    at(second, "2 of 6")
    assert served.answers("tabs")[2:] == [("comparison", "left", "mouse")]
    assert served.outcomes("tabs")[2:] == ["stored", "duplicate"]


def test_a_double_click_is_one_vote(served: Served, context: BrowserContext) -> None:
    page = context.new_page()
    enter(page, served.address("double"))
    through_practice(page)
    box = page.locator(".side[data-choice=left]").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 50, box["y"] + 50)
    for done, pause_ms in enumerate((0, 40, 150, 500), start=1):
        page.mouse.down(click_count=1)
        page.mouse.up(click_count=1)
        page.wait_for_timeout(pause_ms)
        page.mouse.down(click_count=2)
        page.mouse.up(click_count=2)
        at(page, f"{done + 1} of 6")
        assert len(served.answers("double")) == 2 + done
    assert served.outcomes("double") == ["stored"] * 6


def test_a_held_key_is_one_vote(served: Served, context: BrowserContext) -> None:
    page = context.new_page()
    enter(page, served.address("held"))
    through_practice(page)
    for done, key in enumerate(("ArrowRight", "j", "Enter"), start=1):
        page.locator(".side[data-choice=right]").focus()
        for _ in range(20):
            # Down again without up is what a keyboard sends while a key is held.
            page.keyboard.down(key)
            page.wait_for_timeout(33)
        page.keyboard.up(key)
        at(page, f"{done + 1} of 6")
        assert served.answers("held")[2:] == [("comparison", "right", "keyboard")] * done
    assert served.outcomes("held") == ["stored"] * 5
    assert served.ignored("held") >= 20


# The page itself presses as soon as a new pair appears, and three frames later: from outside no robot is as fast as that.
HASTE = """progress => new MutationObserver(() => {
    const press = () => window.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft" }))
    press()
    requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(press)))
}).observe(progress, { childList: true })"""


def test_input_before_painting_and_before_the_shortest_time_is_ignored_and_counted(served: Served, context: BrowserContext) -> None:
    page = context.new_page()
    enter(page, served.address("hasty"))
    page.locator(".progress").evaluate(HASTE)
    side(page, "left")
    at(page, "Practice 2 of 2")
    assert served.answers("hasty") == [("practice", "left", "mouse")]
    side(page, "right")
    at(page, "1 of 6")
    assert served.answers("hasty") == [("practice", "left", "mouse"), ("practice", "right", "mouse")]
    assert served.ignored("hasty") == 2


# --- What a browser learns ---


class Traffic:
    """Everything that went between a page and the network."""

    def __init__(self, page: Page) -> None:
        self.responses: list[Response] = []
        self.frames: list[bytes] = []
        page.on("response", lambda response: self.responses.append(response))
        page.on("websocket", self._listen)

    def _listen(self, opened: object) -> None:
        for event in ("framereceived", "framesent"):
            opened.on(event, lambda frame: self.frames.append(frame if isinstance(frame, bytes) else frame.encode()))  # type: ignore[attr-defined]

    def received(self) -> Iterator[tuple[str, bytes]]:
        for response in self.responses:
            yield f"headers of {response.url}", repr(response.headers_array()).encode()
            if not 300 <= response.status < 400:
                yield f"body of {response.url}", response.body()
        yield from ((f"frame {number}", frame) for number, frame in enumerate(self.frames))


def test_nothing_a_browser_receives_tells_how_an_image_was_made(served: Served, context: BrowserContext) -> None:
    page = context.new_page()
    traffic = Traffic(page)
    # A target user as participant: not even their own id comes back.
    enter(page, served.address("walrusking"))
    through_practice(page)
    for done in range(1, 6):
        side(page, "left")
        at(page, f"{done + 1} of 6")
    images = {response.url for response in traffic.responses if "/stim/" in response.url}
    received = list(traffic.received())
    side(page, "left")
    expect(page.locator("h1")).to_have_text("All done")

    stimuli = read_stimuli(served.experiment.stimuli)
    secrets = {"secretmetadata", "noisegenerator", "finalprompt", "scorer-", "golden light", "Does it work?", "quokkaleap", "zebrafinch"}
    secrets |= {"walrusking", "lemurqueen"} | {stimulus.stimulus for stimulus in stimuli} | {stimulus.image for stimulus in stimuli}
    secrets |= {Path(stimulus.image).name for stimulus in stimuli} | {stimulus.image_sha256 for stimulus in stimuli}
    found = [(secret, where) for where, content in received for secret in secrets if secret.encode() in content]
    assert found == []
    # The search sees what is there: the prompt and the addresses of the images are in the frames.
    assert any(b"A red boat on a lake" in content for where, content in received if where.startswith("frame"))
    assert len(images) == 2 * (2 + 6)
    own = (f"http://127.0.0.1:{served.port}/", f"blob:http://127.0.0.1:{served.port}/")
    assert [response.url for response in traffic.responses if not response.url.startswith(own)] == []
    assert all(get(served.port, address.removeprefix(f"http://127.0.0.1:{served.port}")).status == 404 for address in images)


def test_a_prompt_is_text_and_never_markup(served: Served, context: BrowserContext) -> None:
    page = context.new_page()
    enter(page, served.address("markup"))
    for progress in ("Practice 2 of 2", "1 of 6", "2 of 6", "3 of 6"):
        if page.locator(".prompt").text_content() == "A <b>bold</b> house & garden":
            assert page.locator(".prompt b").count() == 0
            return
        side(page, "left")
        at(page, progress)
    pytest.fail("the prompt with markup in it never came")


def test_images_are_private_and_every_answer_carries_the_security_headers(served: Served) -> None:
    session = served.session
    session.consent("headers")
    session.begin("headers")
    trial = session.place("headers").trial
    assert trial is not None
    image = get(served.port, f"/stim/{trial.left_token}")
    assert image.status == 200
    assert image.headers["Content-Type"] == "image/png"
    assert image.headers["Cache-Control"].startswith("private")
    for path in ("/?started=1", "/start", "/stim/unknown", f"/stim/{trial.right_token}", "/_stcore/health"):
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


@pytest.mark.parametrize(("origin", "status"), [(None, 403), ("http://elsewhere.example", 403), ("own", 101)])
def test_a_socket_opens_only_for_a_page_of_our_own(served: Served, origin: str | None, status: int) -> None:
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    if origin:
        headers["Origin"] = f"http://127.0.0.1:{served.port}" if origin == "own" else origin
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    connection.request("GET", "/_stcore/stream", headers=headers)
    assert connection.getresponse().status == status
    connection.close()


def test_arriving_gives_an_opaque_key_and_hides_the_id(served: Served) -> None:
    response = get(served.port, "/start?participant=visitor-7")
    assert response.status == 303
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
    expect(page.get_by_text("expected 1 to 64 letters, digits, - or _. ")).to_be_attached()
    assert page.locator("script").count() == 0


def test_a_browser_that_refuses_cookies_is_told_what_is_missing(served: Served, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{served.port}/?started=1")
    expect(page.locator("h1")).to_have_text("One thing is missing")
    expect(page.get_by_text("Please allow cookies for this page")).to_be_visible()


def test_serving_loads_nothing_heavy(served: Served, context: BrowserContext) -> None:
    maps = Path(f"/proc/{served.process.pid}/maps")
    if not maps.exists():
        pytest.skip("only Linux tells what a process has loaded")
    enter(context.new_page(), served.address("light"))
    loaded = maps.read_text()
    assert "/numpy/" in loaded
    assert [name for name in ("pandas", "pyarrow", "torch", "scipy", "PIL") if f"/{name}/" in loaded] == []


# --- The process ---


def test_a_killed_server_loses_no_vote_and_people_go_on_where_they_were(tmp_path: Path, context: BrowserContext) -> None:
    with served_in(tmp_path) as served:
        page = context.new_page()
        enter(page, served.address("survivor"))
        through_practice(page)
        side(page, "right")
        at(page, "2 of 6")
        served.process.kill()
        served.process.wait()
        acknowledged = served.answers("survivor")
        assert acknowledged[2:] == [("comparison", "right", "mouse")]
        # Chosen while nobody listens: the page keeps the answer and sends it when there is a server again.
        page.keyboard.press("ArrowLeft")
        page.wait_for_timeout(500)
        served.restart()
        at(page, "3 of 6")
        assert served.answers("survivor") == [*acknowledged, ("comparison", "left", "keyboard")]
        served.process.kill()
        served.process.wait()
        served.restart()
        page.reload()
        at(page, "3 of 6")
        for progress in ("4 of 6", "5 of 6", "6 of 6"):
            side(page, "left")
            at(page, progress)
        side(page, "left")
        expect(page.locator("h1")).to_have_text("All done")
        assert len(served.answers("survivor")) == 8


def test_ctrl_c_ends_the_server_without_a_trace(tmp_path: Path) -> None:
    experiment = make_experiment(tmp_path / "experiment")
    port = free_port()
    arguments = f"Experiment(Path({str(experiment.folder)!r})), Settings(), port={port}, host='127.0.0.1'"
    program = "\n".join(
        [
            "import sys",
            f"sys.path.insert(0, {str(Path(__file__).parent)!r})",
            "from pathlib import Path",
            "from study_fixtures import Settings",
            "from stimuli.experiment import Experiment",
            "from study import serving",
            f"serving.serve({arguments}, announce=lambda address: print(address, flush=True))",
        ]
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == f"http://127.0.0.1:{port}/start\n"
    for _ in range(100):
        try:
            if get(port, "/_stcore/health").status == 200:
                break
        except OSError:
            time.sleep(0.1)
    os.kill(process.pid, signal.SIGINT)
    output, errors = process.communicate(timeout=15)
    assert "Traceback" not in output + errors
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_a_port_that_is_taken_is_a_sentence(tmp_path: Path) -> None:
    experiment = make_experiment(tmp_path / "experiment")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ExperimentError, match=f"port {port} of 127.0.0.1 cannot be used; .* Choose another with --port"):
            serving.serve(experiment, Settings(), port=port, host="127.0.0.1", announce=lambda _: None)
