"""The cache of features: nothing is encoded twice, whatever is interrupted, and a row is the same kept or new."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stimuli.encoders import EncoderSpec, ImageStatistics, RememberingImages, RememberingTexts, Rows, cache
from stimuli.encoders.cache import Cache
from stimuli.experiment import ExperimentError


def noise(seed: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (32, 32, 3), dtype=np.uint8))


class Counting:
    """A text encoder that counts what it is given, and stops where told to."""

    def __init__(self, *, version: str = "1", stop_at: int | None = None) -> None:
        self.spec = EncoderSpec("counting", version, stand_in=True, width=2)
        self.seen: list[str] = []
        self._stop_at = stop_at

    def encode(self, texts: Sequence[str]) -> Rows:
        if self._stop_at is not None and len(self.seen) + len(texts) > self._stop_at:
            raise KeyboardInterrupt
        self.seen += texts
        return np.array([[len(text), 0.1] for text in texts], dtype=np.float32)


def texts(number: int) -> list[str]:
    return [f"text {place}" for place in range(number)]


def test_no_image_is_encoded_twice_and_kept_rows_equal_new_ones(tmp_path: Path) -> None:
    images = [noise(1), noise(2), noise(1)]
    first = RememberingImages(ImageStatistics(), tmp_path).encode(images)
    again = RememberingImages(ImageStatistics(), tmp_path).encode(images)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first[0], first[2])
    np.testing.assert_allclose(first, ImageStatistics().encode(images), atol=2e-3)


def test_equal_texts_are_encoded_once(tmp_path: Path) -> None:
    counting = Counting()
    rows = RememberingTexts(counting, tmp_path).encode(["a", "b", "a"])
    assert counting.seen == ["a", "b"]
    RememberingTexts(counting, tmp_path).encode(["b", "c"])
    assert counting.seen == ["a", "b", "c"]
    assert rows.shape == (3, 2)


def test_an_interrupted_encoding_goes_on_where_it_stopped(tmp_path: Path) -> None:
    stopped = Counting(stop_at=150)
    with pytest.raises(KeyboardInterrupt):
        RememberingTexts(stopped, tmp_path).encode(texts(200))
    resumed = Counting()
    found = RememberingTexts(resumed, tmp_path).encode(texts(200))
    assert stopped.seen + resumed.seen == texts(200)
    np.testing.assert_array_equal(found[:, 0], [len(text) for text in texts(200)])


def test_another_version_of_an_encoder_has_rows_of_its_own(tmp_path: Path) -> None:
    RememberingTexts(Counting(), tmp_path).encode(["a"])
    newer = Counting(version="2")
    RememberingTexts(newer, tmp_path).encode(["a"])
    assert newer.seen == ["a"]


def test_rows_written_without_their_keys_do_not_count(tmp_path: Path) -> None:
    RememberingTexts(Counting(), tmp_path).encode(["a"])
    next(tmp_path.rglob("*.keys")).unlink()
    again = Counting()
    RememberingTexts(again, tmp_path).encode(["a"])
    assert again.seen == ["a"]


def test_many_small_shards_become_one_with_the_same_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_MANY_SHARDS", 3)
    for text in texts(6):
        RememberingTexts(Counting(), tmp_path).encode([text])
    counting = Counting()
    RememberingTexts(counting, tmp_path).encode(texts(6))
    assert counting.seen == []
    assert len(list(tmp_path.rglob("*.npy"))) == len(list(tmp_path.rglob("*.keys"))) < 6


@pytest.mark.parametrize("content", [b"", b"not an array"])
def test_a_damaged_shard_is_told(tmp_path: Path, content: bytes) -> None:
    RememberingTexts(Counting(), tmp_path).encode(["a"])
    next(tmp_path.rglob("*.npy")).write_bytes(content)
    with pytest.raises(ExperimentError, match=r"not features of this encoder .* delete .*, they are computed again"):
        RememberingTexts(Counting(), tmp_path)


def test_a_cache_of_another_width_is_told(tmp_path: Path) -> None:
    Cache(tmp_path, width=2).add(["0" * 64], np.zeros((1, 2), dtype=np.float32))
    with pytest.raises(ExperimentError, match="not features of this encoder"):
        Cache(tmp_path, width=3)
