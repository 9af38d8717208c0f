"""Simulated raters: known tastes, ratings on the published scale, and ratings that hold the taste they were made from."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from stimuli.experiment import ExperimentError
from stimuli.simulation import raters
from stimuli.simulation.raters import QUALITIES, Taste, Tastes


def invented(seed: int, *, number: int = 24, images: int = 160) -> tuple[Tastes, np.ndarray]:
    rng = np.random.default_rng(seed)
    measured = rng.standard_normal((images, len(QUALITIES))) * 0.1 + 0.4
    return raters.invent(number, measured, rng), measured


def test_names_have_equal_length() -> None:
    assert raters.names(120)[0] == "rater-001"
    assert len({len(name) for name in raters.names(120)}) == 1


def test_the_ideal_image_has_utility_zero_and_every_other_less() -> None:
    tastes, measured = invented(1)
    centre, scale, ideal = ([*part.values()] for part in (tastes.centre, tastes.scale, tastes.tastes[0].ideal))
    best = np.array(centre) + np.array(scale) * np.array(ideal)
    assert raters.utilities(tastes, best[None])[0, 0] == pytest.approx(0, abs=1e-9)
    assert (raters.utilities(tastes, measured)[0] < 0).all()


def test_somebody_who_likes_bright_images_prefers_the_brighter_one() -> None:
    image = Image.radial_gradient("L").convert("RGB").point(lambda value: 60 + value // 4)
    bright = ImageEnhance.Brightness(image).enhance(1.5)
    measured = raters.qualities([image, bright])
    flat = dict.fromkeys(QUALITIES, 0.0)
    lovers = (Taste("rater-01", flat | {"brightness": 3.0}, 0.0), Taste("rater-02", flat | {"brightness": -3.0}, 0.0))
    tastes = Tastes(flat | {"brightness": float(measured[0, 0])}, dict.fromkeys(QUALITIES, 0.1), lovers)
    preferred = raters.utilities(tastes, measured).argmax(axis=1)
    assert preferred.tolist() == [1, 0]


def test_ratings_are_on_the_scale_and_mostly_inside_it() -> None:
    tastes, measured = invented(2)
    ratings = raters.rate(tastes, measured, np.random.default_rng(1))
    assert ratings.shape == (24, 160)
    assert ratings.min() >= 1
    assert ratings.max() <= 5
    assert ((ratings == 1) | (ratings == 5)).mean() < 0.15


def test_each_raters_ratings_follow_their_own_utility_more_than_anothers() -> None:
    tastes, measured = invented(3)
    ratings, true = raters.rate(tastes, measured, np.random.default_rng(1)), raters.utilities(tastes, measured)
    # Without what all share, only the personal part is left.
    table = np.corrcoef(ratings - ratings.mean(axis=0), true - true.mean(axis=0))[:24, 24:]
    assert np.diag(table).mean() > 0.4
    assert (table.argmax(axis=1) == np.arange(24)).mean() > 0.7


def test_raters_agree_about_as_little_as_people_do() -> None:
    """One-way intraclass correlation of single ratings; .19 in LAPIS."""
    found = []
    for seed in range(5):
        tastes, measured = invented(seed)
        ratings = raters.rate(tastes, measured, np.random.default_rng(seed)).T
        between = ratings.shape[1] * ratings.mean(axis=1).var(ddof=1)
        within = ratings.var(axis=1, ddof=1).mean()
        found.append((between - within) / (between + (ratings.shape[1] - 1) * within))
    assert 0.1 < np.mean(found) < 0.4


def test_tastes_survive_the_disk(tmp_path: Path) -> None:
    tastes, measured = invented(4)
    raters.write(tmp_path / "tastes.json", tastes)
    np.testing.assert_array_equal(raters.utilities(raters.read(tmp_path / "tastes.json"), measured), raters.utilities(tastes, measured))


def test_a_file_without_tastes_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "tastes.json").write_text('{"tastes": []}')
    with pytest.raises(ExperimentError, match=r"holds no tastes of this version .* make the ratings again"):
        raters.read(tmp_path / "tastes.json")
