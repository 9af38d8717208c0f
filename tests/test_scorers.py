"""Scorers: two stand-ins for generic taste, and the prediction for one person."""

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from stimuli import scorers
from stimuli.encoders import ImageStatistics
from stimuli.experiment import ExperimentError
from stimuli.parts import UnknownPartError
from stimuli.predictor import UnknownUserError, fit
from stimuli.scorers.personal import Personal

RNG_SEED = 5


def picture(seed: int) -> Image.Image:
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(60, 200, (8, 8, 3), dtype=np.uint8)).resize((96, 96), Image.Resampling.BICUBIC)


def test_colourful_wants_ever_more_colour() -> None:
    image = picture(1)
    scores = scorers.make("colourful").score([ImageEnhance.Color(image).enhance(share) for share in (0, 0.5, 1, 2)], [""] * 4)
    assert (np.diff(scores) > 0).all()
    assert scores[0] < 2


def test_crisp_wants_contrast_and_sharpness() -> None:
    image = picture(1)
    variants = [image.filter(ImageFilter.GaussianBlur(6)), image, ImageEnhance.Contrast(image).enhance(1.5)]
    assert (np.diff(scorers.make("crisp").score(variants, [""] * 3)) > 0).all()


@pytest.mark.parametrize("name", ["colourful", "crisp"])
def test_a_batch_scores_as_its_images_alone(name: str) -> None:
    images = [picture(seed) for seed in range(3)]
    scorer = scorers.make(name)
    alone = [scorer.score([image], [""])[0] for image in images]
    np.testing.assert_array_equal(scorer.score(images, [""] * 3), alone)


@pytest.mark.parametrize("name", ["hpsv3", "qalign", "qalign-quality", "qalign-aesthetics", "deqa", "imagereward", "laion", "pickscore"])
def test_published_scorers_are_known_but_come_later(name: str) -> None:
    with pytest.raises(UnknownPartError, match=rf'scorer "{name}": .* comes with a later version; use scorer = "colourful" for now'):
        scorers.make(name)


def test_an_unknown_scorer_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(UnknownPartError, match=r'scorer "hpsv" is not known; did you mean "hpsv3"\?'):
        scorers.make("hpsv")


def test_the_personal_scorer_is_the_prediction_for_its_user() -> None:
    rng = np.random.default_rng(RNG_SEED)
    images = [picture(seed) for seed in range(30)]
    features = ImageStatistics().encode(images)
    users = [user for user in ("ann", "bob") for _ in range(30)]
    fitted = fit(users, np.tile(np.arange(30), 2), rng.uniform(1, 5, 60), features, encoder="image-statistics")
    scorer = Personal(fitted, ImageStatistics(), "bob", version="1")
    np.testing.assert_array_equal(scorer.score(images, [""] * 30), fitted.predict(features, "bob").mean)
    assert scorer.spec.name == "personal:bob"
    with pytest.raises(UnknownUserError, match='no user "eve"; it knows 2, such as ann, bob'):
        Personal(fitted, ImageStatistics(), "eve", version="1")
    other = fit(users, np.tile(np.arange(30), 2), rng.uniform(1, 5, 60), features, encoder="siglip2-base")
    with pytest.raises(ExperimentError, match=r'fitted on features of "siglip2-base", not of "image-statistics"; train it again'):
        Personal(other, ImageStatistics(), "bob", version="1")
