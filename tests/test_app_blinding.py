"""What a browser learns, with all its traffic recorded: nothing in it tells how an image was made, for whom, or what comes when."""

import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Response
from served_study import MIN_MS, Served, at, come, enter, get, headed, served_in, side, through_practice
from study_fixtures import Settings

from stimuli.manifest import read_rating_images, read_stimuli
from study.config import RatingTable
from study.screens.running import COOKIES

pytestmark = pytest.mark.browser

# What no browser may receive: of the fixtures' experiment, its conditions, users, scorers, prompts, metadata and title.
SECRETS = {"secretmetadata", "noisegenerator", "finalprompt", "scorer-", "golden light", "Does it work?", "quokkaleap", "zebrafinch"}
USERS = {"walrusking", "lemurqueen"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served_in(tmp_path_factory.mktemp("blinding")) as running:
        yield running


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

    def images(self) -> list[Response]:
        return [response for response in self.responses if "/stim/" in response.url]

    def received(self) -> Iterator[tuple[str, bytes]]:
        for response in self.responses:
            yield f"headers of {response.url}", repr(response.headers_array()).encode()
            if not 300 <= response.status < 400:
                yield f"body of {response.url}", response.body()
        yield from ((f"frame {number}", frame) for number, frame in enumerate(self.frames))

    def tells(self, secrets: set[str]) -> list[tuple[str, str]]:
        return [(secret, where) for where, content in self.received() for secret in secrets if secret.encode() in content]


def chunks(png: bytes) -> list[bytes]:
    """Return the kinds of the chunks of a PNG file."""
    found, at_byte = [], 8
    while at_byte < len(png):
        (length,) = struct.unpack(">I", png[at_byte : at_byte + 4])
        found.append(png[at_byte + 4 : at_byte + 8])
        at_byte += 12 + length
    return found


def test_nothing_a_browser_receives_tells_how_an_image_was_made(served: Served, context: BrowserContext) -> None:
    page = context.new_page()
    traffic = Traffic(page)
    # A target user as participant: not even their own id comes back.
    enter(page, served.address("walrusking"))
    through_practice(page)
    for done in range(1, 6):
        side(page, "left")
        at(page, f"{done + 1} of 6")
    images = {response.url for response in traffic.images()}
    bodies = [response.body() for response in traffic.images()]
    stimuli = read_stimuli(served.experiment.stimuli)
    files = {Path(stimulus.image).name for stimulus in stimuli} | {stimulus.image for stimulus in stimuli}
    found = traffic.tells(SECRETS | USERS | files | {stimulus.stimulus for stimulus in stimuli} | {one.image_sha256 for one in stimuli})
    assert found == []
    # The search sees what is there: the prompt and the addresses of the images are in the frames.
    assert any(b"A red boat on a lake" in frame for frame in traffic.frames)
    assert any(next(iter(images)).removeprefix(served.origin).encode() in frame for frame in traffic.frames)
    own = (f"{served.origin}/", f"blob:{served.origin}/")
    assert [response.url for response in traffic.responses if not response.url.startswith(own)] == []

    # All images are of one format and size, without a word in them; each trial has addresses of its own for its two.
    assert len(images) == 2 * (2 + 6)
    assert {tuple(sorted(set(chunks(body)))) for body in bodies} == {(b"IDAT", b"IEND", b"IHDR")}
    assert len({body[16:29] for body in bodies}) == 1
    assert {response.headers["content-type"] for response in traffic.images()} == {"image/png"}
    side(page, "left")
    headed(page, "All done")
    assert all(get(served.port, address.removeprefix(served.origin)).status == 404 for address in images)


def test_addresses_are_each_participants_own_and_tell_nothing_of_the_schedule(served: Served) -> None:
    served.walk_to("first", "trials")
    served.walk_to("second", "trials")
    with served.session.database.reading() as rows:
        query = "SELECT participant, step, token, left_token, right_token, left_stimulus, right_stimulus FROM trial"
        trials = list(rows._connection.exec_driver_sql(query))
    tokens = [token for row in trials for token in (row.token, row.left_token, row.right_token)]
    assert all(times == 1 for times in Counter(tokens).values())
    # 16 random bytes: nobody finds one by trying, and the order of the tokens is not that of the trials.
    assert {len(token) for token in tokens} == {22}
    by_step = [row.left_token for row in sorted(trials, key=lambda row: (row.participant, row.step))]
    assert by_step != sorted(by_step)
    assert {row.left_stimulus for row in trials} >= {row.right_stimulus for row in trials if row.participant == "first"}


def test_the_next_pair_is_all_that_a_page_learns_ahead(served: Served, context: BrowserContext) -> None:
    served.walk_to("ahead", "trials")
    page = context.new_page()
    traffic = Traffic(page)
    context.add_cookies([{"name": "study", "value": served.key_of("ahead"), "url": served.origin}])
    page.goto(served.origin)
    at(page, "1 of 6")
    with served.session.database.reading() as rows:
        query = "SELECT left_token, right_token FROM trial WHERE participant = 'ahead' AND kind != 'practice' ORDER BY step"
        later = [token for row in list(rows._connection.exec_driver_sql(query))[2:] for token in row]
    assert len(later) == 2 * 4
    assert traffic.tells(set(later)) == []


def test_a_prompt_is_text_and_never_markup(served: Served, context: BrowserContext) -> None:
    served.walk_to("markup", "practice")
    page = come(context, served, "markup")
    page.locator(".page.open").wait_for()
    for progress in ("Practice 2 of 2", "1 of 6", "2 of 6", "3 of 6"):
        if page.locator(".prompt").text_content() == "A <b>bold</b> house & garden":
            assert page.locator(".prompt b").count() == 0
            return
        page.wait_for_timeout(MIN_MS + 20)
        side(page, "left")
        at(page, progress)
    pytest.fail("the prompt with markup in it never came")


def test_a_rating_tells_nothing_but_its_image_and_prompt(tmp_path: Path, context: BrowserContext) -> None:
    settings = Settings(rating=RatingTable(min_ms=MIN_MS, unreviewed=True, practice=0, per_participant=3, block=0, images="stimuli"))
    with served_in(tmp_path, settings, kind="rating") as rated:
        rated.walk_to("walrusking", "trials")
        page = context.new_page()
        traffic = Traffic(page)
        context.add_cookies([{"name": COOKIES["rating"], "value": rated.key_of("walrusking"), "url": rated.origin}])
        page.goto(rated.origin)
        at(page, "1 of 3")
        page.keyboard.press("3")
        page.keyboard.press("Enter")
        at(page, "2 of 3")
        # The third image loads ahead, while the second is looked at.
        for _ in range(1000):
            if len({response.url for response in traffic.images()}) == 3:
                break
            page.wait_for_timeout(50)
        stimuli = read_stimuli(rated.experiment.stimuli)
        pool = {image.image for image in read_rating_images(rated.experiment.rating_images)}
        names = {stimulus.stimulus for stimulus in stimuli} | {Path(stimulus.image).name for stimulus in stimuli}
        assert traffic.tells(SECRETS | USERS | names | pool) == []
        assert len({response.url for response in traffic.images()}) == 3
