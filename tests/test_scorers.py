"""Scorers: two stand-ins for generic taste, and the prediction for one person."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from stimuli import scorers
from stimuli.encoders import ImageStatistics, WordHash
from stimuli.parts import UnknownPartError
from stimuli.predictors import bayes
from stimuli.predictors.bayes import BayesTaste
from stimuli.predictors.interface import EncoderMismatchError, Judgements, Looks, People, UnknownUserError
from stimuli.predictors.sight import Sight
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


def test_every_scorer_on_the_shelf_can_be_made_without_weights_and_is_called_by_its_name() -> None:
    for name in set(scorers.SHELF.here) - {scorers.PERSONAL}:
        spec = scorers.make(name).spec
        assert spec.name == name
        assert spec.low < spec.high


def test_q_align_is_two_scorers() -> None:
    with pytest.raises(UnknownPartError, match=r'scorer "qalign" is not known; did you mean "qalign-quality" or "qalign-aesthetics"\?'):
        scorers.make("qalign")


TOY = """
from stimuli.scorers import ScorerSpec

import numpy as np


class Wide:
    spec = ScorerSpec(name="wide", version="1", low=0, high=2, higher_is_better=True, needs_prompt=False, stand_in=True)

    def score(self, images, prompts):
        return np.array([image.width / image.height for image in images])


def make(name, means):
    return Wide()
"""


def test_a_scorer_is_added_by_one_file_and_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "wide.py").write_text(TOY)
    monkeypatch.setattr(scorers, "__path__", [*scorers.__path__, str(tmp_path)])
    monkeypatch.setattr(scorers, "FILES", {**scorers.FILES, "wide": "wide"})
    scorer = scorers.make("wide")
    assert scorer.spec.name == "wide"
    np.testing.assert_array_equal(scorer.score([Image.new("RGB", (30, 20))], [""]), [1.5])


def test_an_unknown_scorer_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(UnknownPartError, match=r'scorer "hpsv" is not known; did you mean "hpsv3"\?'):
        scorers.make("hpsv")


def learnt(looks: Looks) -> BayesTaste:
    rng = np.random.default_rng(RNG_SEED)
    number = len(looks)
    ratings = Judgements(np.repeat(np.arange(2), number), np.tile(np.arange(number), 2), rng.uniform(1, 5, 2 * number))
    return bayes.fit(looks, People(("ann", "bob")), ratings)


PICTURES = [picture(seed) for seed in range(30)]
SIGHT = Sight(ImageStatistics())


def test_the_personal_scorer_is_the_prediction_for_its_user() -> None:
    looks = SIGHT.looks(PICTURES, [""] * 30)
    fitted = learnt(looks)
    scorer = Personal(fitted, SIGHT, "bob", version="1")
    np.testing.assert_array_equal(scorer.score(PICTURES, [""] * 30), fitted.predict(looks, "bob").mean)
    assert scorer.spec.name == "personal:bob"
    assert not scorer.spec.needs_prompt
    with pytest.raises(UnknownUserError, match='no user "eve"; it knows 2, such as ann, bob'):
        Personal(fitted, SIGHT, "eve", version="1")


def test_a_predictor_of_another_encoder_is_refused_before_any_image_is_scored() -> None:
    looks = SIGHT.looks(PICTURES, [""] * 30)
    other = learnt(Looks("siglip2-base", looks.image, looks.group))
    with pytest.raises(EncoderMismatchError, match=r'trained on features of "siglip2-base", not of "image-statistics"; train it again'):
        Personal(other, SIGHT, "bob", version="1")


def test_caution_takes_off_what_is_not_known_of_the_taste_and_makes_another_score() -> None:
    fitted = learnt(SIGHT.looks(PICTURES, [""] * 30))
    bold, careful = (Personal(fitted, SIGHT, "bob", version="1", caution=caution) for caution in (0.0, 2.0))
    told = fitted.predict(SIGHT.looks(PICTURES, [""] * 30), "bob")
    of_taste = np.sqrt(told.standard_deviation**2 - fitted.prior.noise)
    np.testing.assert_allclose(careful.score(PICTURES, [""] * 30), bold.score(PICTURES, [""] * 30) - 2 * of_taste, rtol=1e-6)
    assert careful.spec != bold.spec


def test_with_a_text_encoder_the_prompt_counts() -> None:
    sight = Sight(ImageStatistics(), WordHash())
    prompts = ["a red cat" if number % 2 else "a blue dog" for number in range(30)]
    looks = sight.looks(PICTURES, prompts)
    liking = np.array([4.5 if number % 2 else 1.5 for number in range(30)])
    fitted = bayes.fit(looks, People(("ann", "bob")), Judgements(np.repeat([0, 1], 30), np.tile(np.arange(30), 2), np.tile(liking, 2)))
    scorer = Personal(fitted, sight, "ann", version="1")
    assert scorer.spec.needs_prompt
    assert scorer.score(PICTURES[:1], ["a red cat"])[0] > scorer.score(PICTURES[:1], ["a blue dog"])[0] + 0.5
