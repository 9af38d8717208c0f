"""The store: results once, images whole, events exactly once."""

import hashlib
import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from stimuli.experiment import ExperimentError
from stimuli.store import Result, Store, canonical, key_of, png_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def noon() -> datetime:
    return datetime(2026, 1, 1, 12, tzinfo=UTC)


def log_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "events.jsonl").read_text(encoding="utf-8").splitlines()]


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_the_order_of_keys_does_not_change_the_key_of_a_request(request: dict[str, Any]) -> None:
    assert key_of(dict(reversed(request.items()))) == key_of(request)
    assert json.loads(canonical(request)) == request


def test_requests_that_differ_have_different_answers(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.remember([Result({"kind": "score", "image": "a"}, 0.1), Result({"kind": "score", "image": "b"}, 0.2)])
    with Store(tmp_path) as store:
        assert store.answer({"image": "b", "kind": "score"}) == 0.2
        assert store.answer({"kind": "score", "image": "c"}) is None


@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_scores_come_back_to_the_last_bit(tmp_path_factory: pytest.TempPathFactory, value: float) -> None:
    with Store(tmp_path_factory.mktemp("store")) as store:
        store.remember([Result({"kind": "score"}, value)])
        assert store.answer({"kind": "score"}) == value


def test_a_known_request_keeps_its_first_answer(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.remember([Result({"kind": "x"}, 1)])
        store.remember([Result({"kind": "x"}, 2)])
        assert store.answer({"kind": "x"}) == 1


def test_results_and_events_are_stored_together_or_not_at_all(tmp_path: Path) -> None:
    with Store(tmp_path, clock=noon) as store:
        with pytest.raises(ValueError, match="JSON compliant"):
            store.remember([Result({"kind": "x"}, 1), Result({"kind": "y"}, float("nan"))], [{"event": "rendered"}])
        assert store.answer({"kind": "x"}) is None
        with pytest.raises(ValueError, match="JSON compliant"):
            store.remember([Result({"kind": "x"}, 1)], [{"event": "rendered", "score": float("nan")}])
        assert store.answer({"kind": "x"}) is None
        store.remember([Result({"kind": "x"}, 2)])
        assert store.answer({"kind": "x"}) == 2
    assert log_of(tmp_path) == []


def test_an_equal_event_is_told_once_even_by_another_process(tmp_path: Path) -> None:
    with Store(tmp_path, clock=noon) as store, Store(tmp_path, clock=noon) as other:
        store.remember([], [{"event": "rendered", "key": "a"}])
        other.remember([], [{"event": "rendered", "key": "a"}, {"event": "rendered", "key": "b"}])
        store.remember([], [{"event": "rendered", "key": "c"}])
    assert [entry["key"] for entry in log_of(tmp_path)] == ["a", "b", "c"]
    assert log_of(tmp_path)[0]["at"] == "2026-01-01T12:00:00.000+00:00"


@given(cut=st.integers(0, 400))
def test_the_log_is_whole_again_wherever_a_crash_cut_it(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    folder = tmp_path_factory.mktemp("store")
    with Store(folder, clock=noon) as store:
        store.remember([], [{"event": "rendered", "key": f"é{number}"} for number in range(5)])
    log = folder / "events.jsonl"
    whole = log.read_bytes()
    log.write_bytes(whole[:cut])
    Store(folder).close()
    assert log.read_bytes() == whole


def test_an_image_comes_back_pixel_by_pixel_and_carries_what_it_was_made_from(tmp_path: Path) -> None:
    image = Image.linear_gradient("L").convert("RGB")
    with Store(tmp_path) as store:
        sha256 = store.keep_image(image, {"kind": "render", "prompt": "Löwe"})
        assert store.image(sha256).tobytes() == image.tobytes()
        with Image.open(store.image_path(sha256)) as stored:
            assert json.loads(stored.info["tastebench"]) == {"kind": "render", "prompt": "Löwe"}


def test_a_damaged_image_is_named_with_what_to_do(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        sha256 = store.keep_image(Image.new("RGB", (8, 8)), {})
        store.image_path(sha256).write_bytes(b"not an image")
        with pytest.raises(ExperimentError, match=rf"{sha256}.*delete it and run the command again"):
            store.image(sha256)


def test_a_file_that_is_no_database_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "store.sqlite").write_bytes(b"garbage" * 1000)
    with pytest.raises(ExperimentError, match=r"store.sqlite: cannot be used .* to start afresh"):
        Store(tmp_path)


def test_the_database_is_in_write_ahead_mode(tmp_path: Path) -> None:
    Store(tmp_path).close()
    connection = sqlite3.connect(tmp_path / "store.sqlite")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_images_that_come_finished_are_kept_as_they_are_and_once(tmp_path: Path) -> None:
    pngs = [png_of(Image.new("RGB", (8, 8), (shade, 0, 0)), {"prompt": str(shade)}) for shade in range(20)]
    with Store(tmp_path) as store:
        kept = store.keep_pngs([*pngs, pngs[0]])
        assert kept == [hashlib.sha256(png).hexdigest() for png in [*pngs, pngs[0]]]
        assert [store.png(sha256) for sha256 in kept[:20]] == pngs
        assert len(list(tmp_path.rglob("*.png"))) == 20


def test_an_image_that_is_gone_is_named_with_what_to_do(tmp_path: Path) -> None:
    with Store(tmp_path) as store, pytest.raises(ExperimentError, match=r"abc.png: cannot be read .*run the command again to render it"):
        store.png("abc")


def test_an_event_that_another_process_wrote_to_the_log_is_not_written_again(tmp_path: Path) -> None:
    with Store(tmp_path, clock=noon) as store, Store(tmp_path, clock=noon) as other:
        for number in range(4):
            (store, other)[number % 2].remember([], [{"event": "rendered", "key": str(number)}])
    assert [entry["number"] for entry in log_of(tmp_path)] == [1, 2, 3, 4]


def test_a_plan_that_another_one_followed_is_told_again(tmp_path: Path) -> None:
    first, second = ({"event": "planned", "chains": number} for number in (1, 2))
    with Store(tmp_path) as store:
        for plan in (first, first, second, second, first, first):
            store.remember([], [plan])
    assert [event["chains"] for event in log_of(tmp_path)] == [1, 2, 1]
