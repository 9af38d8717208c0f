"""Who gets onto the researcher's page, and who does not: guesses, forged and old cookies, forms of other sites, headers."""

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from caller import Caller
from watched_study import NOW, lay_out, served

from stimuli.experiment import Experiment
from study.researcher import password, throttle
from study.researcher.password import remove_password, set_password
from study.researcher.throttle import FREE, FREE_IN_ALL, Throttle
from study.researcher.watch import Watch, watch_app
from study.storage.database import Database

PASSWORD = "four unusual words"


@dataclass
class Clock:
    """A clock that only a test moves."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Page:
    experiment: Experiment
    database: Database
    address: str
    clock: Clock = field(default_factory=Clock)

    def caller(self) -> Caller:
        return Caller(self.address)

    def signed_in(self) -> Caller:
        caller = self.caller()
        assert caller.sign_in(PASSWORD).status == 303
        return caller

    def state(self) -> str:
        with self.database.reading() as rows:
            study = rows.study()
        assert study
        return study.state


@pytest.fixture(autouse=True)
def cheap_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    # The hash is slow on purpose, and tests/test_password.py tests the real one.
    monkeypatch.setattr(password, "_COST", 16)


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    experiment, clock = Experiment(tmp_path), Clock()
    set_password(experiment, PASSWORD)
    database = lay_out(experiment)
    watch = Watch(experiment, database, f"sqlite:///{experiment.database}", clock=clock, now=lambda: NOW)
    with served(watch_app(watch)) as address:
        yield Page(experiment, database, address, clock)
    database.close()


# --- The password ---


def test_only_the_password_opens_the_page(page: Page) -> None:
    caller = page.caller()
    assert (caller.get("/").status, caller.get("/").headers["Location"]) == (303, "/login")
    refused = caller.sign_in("not this one at all")
    assert refused.status == 401
    assert "That is not the password." in refused.text
    assert caller.get("/").status == 303
    assert caller.sign_in(PASSWORD).headers["Location"] == "/"
    assert caller.get("/").status == 200


def test_after_five_failures_even_the_right_password_waits(page: Page) -> None:
    caller = page.caller()
    assert [caller.sign_in("wrong").status for _ in range(FREE)] == [401] * FREE
    refused = caller.sign_in(PASSWORD)
    assert (refused.status, refused.headers["Retry-After"]) == (429, "15")
    assert "for 15 seconds, not even with the right password" in refused.text
    assert caller.get("/").status == 303
    page.clock.seconds += 15
    assert caller.sign_in(PASSWORD).status == 303


def test_many_guesses_at_once_get_no_further_than_many_in_a_row(page: Page) -> None:
    caller = page.caller()
    token = caller.get("/login").form_token
    statuses: list[int] = []
    guess = lambda: statuses.append(caller.post("/login", {"password": "wrong", "form_token": token}).status)  # noqa: E731
    threads = [threading.Thread(target=guess) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [401] * FREE + [429] * (20 - FREE)


def test_the_wait_doubles_with_each_failure_up_to_a_quarter_of_an_hour() -> None:
    clock = Clock()
    guesses, waits = Throttle(clock), []
    for _ in range(FREE + 12):
        wait = guesses.begin("192.0.2.1")
        waits.append(round(wait))
        clock.seconds += wait
        if wait:
            assert guesses.begin("192.0.2.1") == 0
    assert waits == [0] * FREE + [15, 30, 60, 120, 240, 480, 900, 900, 900, 900, 900, 900]


def test_guesses_from_many_addresses_are_limited_together() -> None:
    guesses = Throttle(Clock())
    assert [guesses.begin(f"192.0.2.{number}") for number in range(FREE_IN_ALL)] == [0] * FREE_IN_ALL
    assert guesses.begin("198.51.100.1") > 0


def test_one_network_of_ipv6_counts_as_one_address() -> None:
    guesses = Throttle(Clock())
    assert [guesses.begin(f"2001:db8::{number}") for number in range(FREE)] == [0] * FREE
    assert guesses.begin("2001:db8::ffff") > 0
    assert guesses.begin("2001:db8:0:1::1") == 0


def test_a_success_forgets_the_failures_of_its_address_only() -> None:
    guesses = Throttle(Clock())
    for _ in range(FREE):
        guesses.begin("192.0.2.1")
    for _ in range(FREE - 1):
        guesses.begin("192.0.2.2")
    assert guesses.begin("192.0.2.2") == 0
    guesses.succeeded("192.0.2.2")
    assert guesses.begin("192.0.2.2") == 0
    assert guesses.begin("192.0.2.1") > 0


def test_guessing_from_ever_new_addresses_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "_MOST_ADDRESSES", 100)
    clock = Clock()
    guesses = Throttle(clock)
    for number in range(1000):
        clock.seconds += 1000
        guesses.begin(f"address-{number}")
    assert len(guesses._failures) <= 101


def test_a_new_password_ends_every_visit_and_a_removed_one_switches_the_page_off(page: Page) -> None:
    caller = page.signed_in()
    set_password(page.experiment, "quite another password")
    assert caller.get("/").status == 303
    assert caller.sign_in("quite another password").status == 303
    remove_password(page.experiment)
    assert caller.get("/").status == 303
    assert caller.get("/live").status == 401
    off = caller.sign_in("quite another password")
    assert off.status == 503
    assert str(page.experiment.folder) not in off.text


# --- Cookies ---


def test_forged_changed_and_signed_out_cookies_open_nothing(page: Page) -> None:
    caller = page.signed_in()
    key = caller.cookies["tastebench_researcher"]
    for forged in ("", "x", key[:-1], key + "x", key.swapcase(), "../../etc/passwd", '"', "%00"):
        assert Caller(page.address, {"tastebench_researcher": forged}).get("/live").status == 401
    assert Caller(page.address, {"tastebench_researcher": key}).get("/live").status == 200
    assert caller.post("/logout", {"form_token": caller.get("/").form_token}).status == 303
    assert Caller(page.address, {"tastebench_researcher": key}).get("/live").status == 401


def test_a_visit_ends_after_an_hour_without_a_sign_of_life_and_after_twelve_hours_anyway(page: Page) -> None:
    caller = page.signed_in()
    page.clock.seconds += 3599
    assert caller.get("/live").status == 200
    page.clock.seconds += 3601
    assert caller.get("/live").status == 401
    caller = page.signed_in()
    for _ in range(24):
        page.clock.seconds += 1799
        assert caller.get("/live").status == 200
    page.clock.seconds += 100
    assert caller.get("/live").status == 401


def test_signing_in_gives_a_new_key_that_no_script_and_no_other_site_can_use(page: Page) -> None:
    caller = page.caller()
    caller.get("/login")
    before = caller.cookies["tastebench_researcher"]
    cookie = caller.sign_in(PASSWORD).headers["Set-Cookie"]
    assert caller.cookies["tastebench_researcher"] != before
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "Secure" not in cookie
    proxied = page.caller()
    assert "Secure" in proxied.get("/login", X_Forwarded_Proto="https").headers["Set-Cookie"]


# --- Forms of other sites ---


@pytest.mark.parametrize("path", ["/state", "/download", "/login", "/logout"])
def test_a_form_without_the_token_of_this_browser_does_nothing(page: Page, path: str) -> None:
    caller, other = page.signed_in(), page.signed_in()
    fields = {"state": "paused", "password": PASSWORD}
    foreign = other.get("/").form_token
    for token in ({}, {"form_token": ""}, {"form_token": "0" * 64}, {"form_token": foreign}, {"form_token": "é"}):
        assert caller.post(path, fields | token).status == (303 if path == "/logout" else 403)
    assert page.state() == "open"
    if path != "/login":
        assert caller.get("/live").status == 200


def test_who_is_not_signed_in_can_do_and_see_nothing(page: Page) -> None:
    caller = page.caller()
    token = caller.get("/login").form_token
    for path in ("/state", "/download"):
        assert caller.post(path, {"state": "closed", "sure": "yes", "form_token": token}).headers["Location"] == "/login"
    assert page.state() == "open"


def test_what_changes_something_cannot_be_asked_for_by_an_address(page: Page) -> None:
    caller = page.signed_in()
    assert {caller.get(f"{path}?state=paused").status for path in ("/state", "/download", "/logout")} == {405}
    assert page.state() == "open"


# --- What every answer carries ---


def test_every_answer_carries_the_security_headers_and_none_is_kept(page: Page) -> None:
    caller = page.signed_in()
    answers = [caller.get(path) for path in ("/", "/live", "/login", "/nowhere", "/static/watch.js", "/static/../password.py")]
    for answer in [*answers, caller.post("/state", {})]:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Server"] is None
    assert [answer.status for answer in answers] == [200, 200, 200, 404, 200, 404]


def test_no_page_holds_a_script_or_a_style_of_its_own(page: Page) -> None:
    caller = page.signed_in()
    for path in ("/", "/login"):
        text = caller.get(path).text
        assert re.findall(r"<script(?! src=)|<style|\sstyle=|\son[a-z]+=|javascript:", text) == []


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("POST", "/login", b"x" * 70_000, {}, 413),
        ("POST", "/login", None, {"Content-Length": "-1"}, 413),
        ("POST", "/login", b"password=" + b"%ff" * 1000, {}, 403),
        ("POST", "/login", b"&".join([b"a=b"] * 1000), {}, 403),
        ("POST", "/login", b"[" * 60_000, {"Content-Type": "application/json"}, 403),
        ("POST", "/login", b'{"password": {"a": 1}}', {"Content-Type": "application/json"}, 403),
        ("DELETE", "/", None, {}, 405),
        ("TRACE", "/", None, {}, 405),
    ],
)
def test_malformed_and_oversized_messages_are_refused(
    page: Page, method: str, path: str, body: bytes | None, headers: dict[str, str], status: int
) -> None:
    try:
        answer = page.caller().send(method, path, body, headers=headers)
    except ConnectionError:
        return
    # What is no HTTP at all is refused before it reaches the page.
    assert answer.status in (status, 400)
    assert page.caller().get("/login").status == 200


def test_names_of_participants_and_of_the_study_are_text_and_never_markup(tmp_path: Path) -> None:
    experiment = Experiment(tmp_path / "<script>alert(1)<")
    experiment.folder.mkdir()
    set_password(experiment, PASSWORD)
    database = lay_out(experiment)
    with database.writing() as rows:
        rows.set_settings({"table": {"hold_minutes": 60, "participants": None}})
    with served(watch_app(Watch(experiment, database, "", now=lambda: NOW))) as address:
        caller = Caller(address)
        caller.sign_in(PASSWORD)
        text = caller.get("/").text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;" in text
    database.close()
