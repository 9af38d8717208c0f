"""Asking a service over HTTP: what passes is tried again, what does not is one sentence, and the key is in none of it."""

import email.utils
import logging
import pickle
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from scripted_server import Said, Scripted, free_port, scripted

from stimuli.experiment import ExperimentError
from stimuli.remote import RefusedError, Remote

KEY = "sk-very-secret-7"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)


def remote(served: Scripted, *, attempts: int = 3, timeout: float = 60.0) -> Remote:
    return Remote(served.address, "TEST_KEY", attempts=attempts, timeout=timeout, wait=0.001)


def test_the_body_and_the_key_arrive_and_the_answer_comes_back() -> None:
    with scripted(lambda *_: Said({"said": "ü"})) as served:
        assert remote(served).post("/ask", {"wanted": "ö"}, {"x-more": "1"}) == {"said": "ü"}
    [(path, body, headers)] = served.asked
    assert (path, body, headers["authorization"], headers["x-more"]) == ("/ask", {"wanted": "ö"}, f"Bearer {KEY}", "1")


def test_the_key_goes_where_the_service_wants_it() -> None:
    with scripted(lambda *_: Said({})) as served:
        Remote(served.address, "TEST_KEY", header="x-goog-api-key", scheme="").post("/ask", {})
    headers = served.asked[0][2]
    assert headers["x-goog-api-key"] == KEY
    assert "authorization" not in headers


PASSING = [
    Said({"error": "busy"}, 500),
    Said({"error": "busy"}, 502),
    Said({"error": "busy"}, 503),
    Said({"error": "slow down"}, 429),
    Said({"error": "slow down"}, 429, {"retry-after": "0"}),
    Said({"error": "slow down"}, 429, {"retry-after": "soon"}),
    Said({"error": "slow down"}, 429, {"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}),
    Said(b"<html>a gateway</html>"),
    Said(b'{"choices": [', told=13),
    Said(b'{"choices": [', told=500),
    Said(b"\xff\xfe"),
    Said(b""),
]


@pytest.mark.parametrize("bad", PASSING, ids=range(len(PASSING)))
def test_what_passes_is_asked_again(bad: Said) -> None:
    with scripted(lambda _path, _body, before: bad if before < 2 else Said({"ok": True})) as served:
        assert remote(served).post("/ask", {}) == {"ok": True}
    assert len(served.asked) == 3


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        (Said({"error": "it broke"}, 500), r'/v1/ask: it answered 500: \{"error": "it broke"\}, 3 times in a row\. Wait, or ask for less'),
        (Said({"error": "slow down"}, 429), r'it answered 429: \{"error": "slow down"\}, 3 times in a row'),
        (Said(b"<html>\n a  page</html>"), r"its answer is no JSON: <html> a page</html>, 3 times in a row\. Is this the address"),
        (Said(b""), r"its answer is no JSON: \(nothing\), 3 times"),
        (Said(b"x" * 999), r"no JSON: x{200}…, 3 times"),
        (Said(b'{"choices": [', told=500), r"the connection broke \(.*\), 3 times in a row\. Look at the server's own log"),
    ],
)
def test_what_does_not_pass_is_one_sentence_with_address_and_answer(bad: Said, sentence: str) -> None:
    with scripted(lambda *_: bad) as served, pytest.raises(ExperimentError, match=sentence) as caught:
        remote(served).post("/ask", {})
    assert len(served.asked) == 3
    assert str(caught.value).startswith(served.address)


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (401, r"it answered 401: .*Is the key in the environment variable TEST_KEY the right one, and may it use this model\?"),
        (403, r"it answered 403: .*Is the key in the environment variable TEST_KEY the right one"),
        (404, r"it answered 404: .*Is the address complete \(many end in /v1\), and the name of the model right\?"),
        (400, r"it answered 400: .*It does not take this request"),
        (307, r"it answered 307: .*It has moved to http://elsewhere/; put the new address into study.toml"),
    ],
)
def test_a_no_is_not_asked_again(status: int, sentence: str) -> None:
    with (
        scripted(lambda *_: Said({"error": "no"}, status, {"location": "http://elsewhere/"})) as served,
        pytest.raises(RefusedError, match=sentence) as caught,
    ):
        remote(served).post("/ask", {})
    assert len(served.asked) == 1
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.status, str(again)) == (status, str(caught.value))


def test_an_answer_that_is_no_object_is_an_error() -> None:
    with (
        scripted(lambda *_: Said(["a", "b"])) as served,
        pytest.raises(ExperimentError, match=r'object was expected, not list; .* \["a", "b"\]'),
    ):
        remote(served).post("/ask", {})


def test_the_service_says_how_long_to_wait() -> None:
    with scripted(lambda _path, _body, before: Said({}, 429, {"retry-after": "0.3"}) if before == 0 else Said({})) as served:
        before = time.monotonic()
        remote(served).post("/ask", {})
    assert time.monotonic() - before >= 0.3


@pytest.mark.parametrize(
    "until",
    [lambda: "3600", lambda: email.utils.format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)],
    ids=["seconds", "date"],
)
def test_a_wait_of_an_hour_is_told_and_not_waited_for(until: Callable[[], str]) -> None:
    with (
        scripted(lambda *_: Said({"error": "quota"}, 429, {"retry-after": until()})) as served,
        pytest.raises(RefusedError, match=r'429: \{"error": "quota"\}; it asks to wait 3[56]\d\d seconds\. Wait'),
    ):
        remote(served).post("/ask", {})
    assert len(served.asked) == 1


def test_no_answer_in_time_is_an_error() -> None:
    with (
        scripted(lambda *_: Said({}, after=2)) as served,
        pytest.raises(ExperimentError, match=r"no answer within 0.1 seconds, 2 times in a row\. Is it overloaded\?"),
    ):
        remote(served, attempts=2, timeout=0.1).post("/ask", {})


def test_nobody_there_is_an_error() -> None:
    expected = r"no server answers there \(.*refused\), 2 times in a row\. Start the server, or correct"
    with pytest.raises(ExperimentError, match=expected):
        Remote(f"http://127.0.0.1:{free_port()}", attempts=2, wait=0.001).post("/ask", {})


def test_once_a_service_was_waited_for_others_are_told_at_once_until_it_answers_again() -> None:
    with scripted(lambda _path, _body, before: Said({}, 503) if before < 4 else Said({"well": True})) as served:
        service = remote(served)
        for asked in (3, 4):
            with pytest.raises(RefusedError, match="503"):
                service.post("/ask", {})
            assert len(served.asked) == asked
        assert service.post("/ask", {}) == {"well": True}
    with scripted(lambda *_: Said({}, 429)) as served:
        service = remote(served)
        for asked in (3, 6):
            with pytest.raises(RefusedError, match="429"):
                service.post("/ask", {})
            assert len(served.asked) == asked


def test_a_pace_is_kept() -> None:
    with scripted(lambda *_: Said({})) as served:
        paced = Remote(served.address, requests_per_minute=600)
        before = time.monotonic()
        for _ in range(4):
            paced.post("/ask", {})
    assert time.monotonic() - before >= 0.3


def test_a_missing_key_names_its_variable_and_none_is_needed_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_KEY")
    with pytest.raises(ExperimentError, match=r'https://api.example: the environment variable TEST_KEY holds no key; .* key_variable = ""'):
        Remote("https://api.example", "TEST_KEY").check()
    Remote("http://localhost:1", "TEST_KEY").check()
    Remote("https://api.example").check()
    with (
        scripted(lambda *_: Said({}, 401)) as served,
        pytest.raises(RefusedError, match="wants a key: set the environment variable TEST_KEY"),
    ):
        remote(served).post("/ask", {})
    assert "authorization" not in served.asked[0][2]


@pytest.mark.parametrize("wrong", ["sk one", "sk-ü", "sk\x00"])
def test_a_key_with_letters_that_no_key_has_is_not_sent(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.environ", {"TEST_KEY": wrong})
    with pytest.raises(ExperimentError, match="environment variable TEST_KEY holds letters that no key has") as caught:
        Remote("http://localhost:1", "TEST_KEY").post("/ask", {})
    assert wrong not in str(caught.value)


@pytest.mark.parametrize(
    "bad",
    [
        Said({"error": f"Incorrect API key provided: {KEY}."}, 401),
        Said({"error": KEY}, 500),
        Said(f"<html>{KEY}".encode()),
        Said([KEY]),
        Said({}, 302, {"location": f"http://x/?key={KEY}"}),
    ],
    ids=range(5),
)
def test_the_key_is_in_no_error_no_log_and_no_copy(bad: Said, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with scripted(lambda *_: bad) as served, pytest.raises(ExperimentError) as caught:
        asking = remote(served)
        asking.post("/ask", {})
    assert "[key]" in str(caught.value)
    assert KEY not in str(caught.value)
    assert KEY not in caplog.text
    assert KEY.encode() not in pickle.dumps(asking)
    assert KEY not in repr(vars(asking))
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("localhost:8000", r'address "localhost:8000" is none; expected one such as "http://127.0.0.1:8000/v1"'),
        ("", 'address "" is none'),
        ("ftp://x/", "is none"),
        ("http://", "is none"),
        ("http://x:99999999/", "is none"),
        ("https://me:secret@x/v1", r'address "x/v1" holds more than a place; keys and passwords belong in the environment'),
        ("https://x/v1?key=secret", r'address "https://x/v1" holds more than a place'),
    ],
)
def test_what_is_no_address_is_refused_without_its_secrets(address: str, sentence: str) -> None:
    with pytest.raises(ExperimentError, match=sentence) as caught:
        Remote(address)
    assert "secret" not in str(caught.value)


def test_a_copy_asks_the_same_service() -> None:
    with scripted(lambda *_: Said({"ok": 1})) as served:
        asking = remote(served)
        asking.post("/ask", {})
        copy: Remote = pickle.loads(pickle.dumps(asking))
        assert copy.post("/ask", {}) == {"ok": 1}
