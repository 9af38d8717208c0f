"""Many people's scorers look at one image: it is encoded once in each process, and everything can be sent to another."""

import pickle
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from stimuli.encoders import ImageStatistics, Rows, WordHash
from stimuli.predictors import bayes
from stimuli.predictors.interface import Judgements, People
from stimuli.predictors.kinds import Kind
from stimuli.predictors.sight import Recent, Sight, pixel_key, text_key
from stimuli.scorers.personal import Kept, Personal

USERS = tuple(f"u{number}" for number in range(6))
RNG = np.random.default_rng(1)
IMAGES = [Image.fromarray(RNG.integers(0, 255, (16, 16, 3), dtype=np.uint8)) for _ in range(30)]
PROMPTS = [""] * len(IMAGES)


class Counted(ImageStatistics):
    """An encoder that counts the images it looks at."""

    seen = 0

    def encode(self, images: Sequence[Image.Image]) -> Rows:
        Counted.seen += len(images)
        return super().encode(images)


def sight() -> Sight:
    return Sight(Recent(ImageStatistics().spec, Counted, pixel_key))


def kept(folder: Path) -> Kept:
    looks = sight().looks(IMAGES, PROMPTS)
    rows = np.repeat(np.arange(6), 30), np.tile(np.arange(30), 6)
    kind = Kind()
    kind.save(folder / "predictor.npz", bayes.fit(looks, People(USERS), Judgements(*rows, RNG.uniform(1, 5, 180))))
    return Kept(kind, folder / "predictor.npz")


def scorers(folder: Path) -> list[Personal]:
    known, eyes = kept(folder), sight()
    return [Personal(known, eyes, user, version="1") for user in USERS]


def test_the_features_of_an_image_are_computed_once_for_all_people(tmp_path: Path) -> None:
    everybody = scorers(tmp_path)
    Counted.seen = 0
    for scorer in everybody:
        scorer.score(IMAGES, PROMPTS)
        scorer.score(IMAGES[:3] * 2, PROMPTS[:6])
    assert Counted.seen == len(IMAGES)


def test_threads_that_look_at_once_share_the_work(tmp_path: Path) -> None:
    everybody = scorers(tmp_path)
    Counted.seen = 0
    threads = [threading.Thread(target=partial(scorer.score, IMAGES, PROMPTS)) for scorer in everybody]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counted.seen == len(IMAGES)


def test_scorers_sent_to_another_process_are_light_score_the_same_and_still_share_their_eyes(tmp_path: Path) -> None:
    everybody = scorers(tmp_path)
    before = [scorer.score(IMAGES, PROMPTS) for scorer in everybody]
    sent = pickle.dumps(everybody)
    assert len(sent) < 5_000
    there: list[Personal] = pickle.loads(sent)
    Counted.seen = 0
    np.testing.assert_array_equal([scorer.score(IMAGES, PROMPTS) for scorer in there], before)
    assert Counted.seen == len(IMAGES)
    assert [scorer.spec for scorer in there] == [scorer.spec for scorer in everybody]


def test_old_rows_are_forgotten_and_the_last_ones_kept() -> None:
    texts, read = WordHash(), []

    class Watched:
        def encode(self, items: Sequence[str]) -> Rows:
            read.extend(items)
            return texts.encode(items)

    recent: Recent[str] = Recent(texts.spec, Watched, text_key)
    recent.encode([str(number) for number in range(1100)])
    read.clear()
    recent.encode(["1099", "0", "1099"])
    assert read == ["0"]


def test_rows_are_as_they_are_where_features_are_kept_on_disk() -> None:
    recent: Recent[Image.Image] = Recent(ImageStatistics().spec, Counted, pixel_key)
    half = ImageStatistics().encode(IMAGES).astype(np.float16).astype(np.float32)
    np.testing.assert_array_equal(recent.encode(IMAGES), half)
    assert recent.encode([]).shape == (0, ImageStatistics().spec.width)
