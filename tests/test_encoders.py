"""The offline encoders: fixed statistics of an image, and hashed words of a text."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from stimuli import pixels
from stimuli.encoders import ImageStatistics, WordHash


def noise(seed: int, size: int = 64) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8))


def test_features_have_the_promised_width_and_are_finite_for_plain_images() -> None:
    features = ImageStatistics().encode([Image.new("RGB", (50, 90), colour) for colour in ("black", "white", "red")])
    assert features.shape == (3, ImageStatistics.spec.width)
    assert np.isfinite(features).all()


def test_an_empty_batch_is_an_empty_matrix() -> None:
    assert ImageStatistics().encode([]).shape == (0, ImageStatistics.spec.width)


def test_an_image_has_the_same_features_alone_and_in_a_batch() -> None:
    images = [noise(seed) for seed in range(3)]
    alone = np.concatenate([ImageStatistics().encode([image]) for image in images])
    np.testing.assert_array_equal(ImageStatistics().encode(images), alone)


def test_resolution_changes_features_little() -> None:
    smooth = Image.radial_gradient("L").convert("RGB")
    small, large = ImageStatistics().encode([smooth, smooth.resize((512, 512), Image.Resampling.BICUBIC)])
    np.testing.assert_allclose(small, large, atol=0.03)


@pytest.mark.parametrize(
    ("measure", "more"),
    [
        (pixels.brightness, lambda image: ImageEnhance.Brightness(image).enhance(1.3)),
        (pixels.contrast, lambda image: ImageEnhance.Contrast(image).enhance(1.3)),
        (pixels.colourfulness, lambda image: ImageEnhance.Color(image).enhance(1.5)),
        (pixels.warmth, lambda image: Image.blend(image, Image.new("RGB", image.size, "orange"), 0.2)),
        (pixels.openness, lambda image: Image.blend(image, Image.new("RGB", image.size, "grey"), 0.9)),
        (pixels.detail, lambda image: Image.blend(image, noise(1, image.width), 0.3)),
    ],
)
def test_a_measure_rises_with_what_it_is_named_for(
    measure: Callable[[NDArray[np.float64]], float], more: Callable[[Image.Image], Image.Image]
) -> None:
    smooth = Image.merge("RGB", [Image.radial_gradient("L").point(lambda v, k=k: 40 + v * k // 400) for k in (120, 160, 200)])
    image = Image.blend(smooth, noise(9, smooth.width), 0.15)
    assert measure(pixels.rgb(more(image))) > measure(pixels.rgb(image))


def test_hashed_words_know_words_and_neither_order_nor_capitals() -> None:
    boat, same, other, none = WordHash().encode(["A red boat", "boat, a RED", "A red house", "!"])
    np.testing.assert_array_equal(boat, same)
    assert 0 < float(boat @ other) < float(boat @ same) == pytest.approx(1)
    assert not none.any()
    assert WordHash().encode([]).shape == (0, WordHash.spec.width)
