"""The scorers that check the others: the placebo, the exposure of an image, and its likeness to a prompt."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import tiny_checkpoints
import tiny_scorers_b as tiny
from PIL import Image, ImageOps
from scipy import stats

from stimuli import encoders, scorers
from stimuli.experiment import ExperimentError
from stimuli.generators.sketch import paint
from stimuli.machine.hardware import Means
from stimuli.scorers.likeness import SigLipSimilarity
from stimuli.scorers.placebo import Placebo
from stimuli.scorers.sketch_likeness import SketchLikeness
from stimuli.vocabulary import AXES

PROMPTS = (
    "A lighthouse on a rocky coast, with a small sailing boat passing.",
    "Tall bookshelves with philodendrons between the books, and a leather armchair.",
    "Mossy rocks floating in the air above a quiet lake.",
)
LOOKS = tuple(look for looks in AXES.values() for look in looks)
# Proposed for the drift guard, as a share of the initial image's own likeness.
FLOOR = 0.5


def dark(image: Image.Image) -> Image.Image:
    return image.point([int(level * 0.15) for level in range(256)] * 3)


def blown(image: Image.Image) -> Image.Image:
    return image.point([min(255, level * 3 + 60) for level in range(256)] * 3)


@pytest.fixture(scope="module")
def likeness() -> SketchLikeness:
    made = scorers.make("sketch-likeness")
    assert isinstance(made, SketchLikeness)
    return made


@pytest.fixture(scope="module")
def paintings() -> dict[str, list[Image.Image]]:
    """Each prompt as it is and in every look of the vocabulary, with a seed that the scorer does not paint with."""
    worded = {prompt: [prompt, *(f"{prompt.removesuffix('.')}, {look}." for look in LOOKS)] for prompt in PROMPTS}
    return {prompt: [paint(text, seed=991, size=96) for text in texts] for prompt, texts in worded.items()}


def shares(likeness: SketchLikeness, prompt: str, images: list[Image.Image], initial: Image.Image) -> np.ndarray:
    own = likeness.score([initial], [prompt])[0]
    return likeness.score(images, [prompt] * len(images)) / own


def test_every_look_of_the_vocabulary_stays_above_the_floor(likeness: SketchLikeness, paintings: dict[str, list[Image.Image]]) -> None:
    found = np.concatenate([shares(likeness, prompt, images, images[0]) for prompt, images in paintings.items()])
    assert (found >= FLOOR).mean() >= 0.98
    assert np.median(found) > 0.9


def test_images_driven_dark_are_below_the_floor_and_so_are_most_inverted_and_blown_out_ones(
    likeness: SketchLikeness, paintings: dict[str, list[Image.Image]]
) -> None:
    for spoil, most in ((dark, 0.0), (ImageOps.invert, 0.05), (blown, 0.06)):
        found = [shares(likeness, prompt, [spoil(image) for image in images], images[0]) for prompt, images in paintings.items()]
        assert (np.concatenate(found) >= FLOOR).mean() <= most, spoil


def test_other_subjects_are_less_like_than_any_look_of_the_own(likeness: SketchLikeness, paintings: dict[str, list[Image.Image]]) -> None:
    own = np.concatenate([likeness.score(images, [prompt] * len(images)) for prompt, images in paintings.items()])
    turned = zip(PROMPTS, (*PROMPTS[1:], PROMPTS[0]), strict=True)
    other = np.concatenate([likeness.score(paintings[shown], [asked] * len(paintings[shown])) for asked, shown in turned])
    won = stats.mannwhitneyu(own, other).statistic / (len(own) * len(other))
    assert won > 0.95


def test_black_white_and_noise_have_next_to_no_likeness(likeness: SketchLikeness) -> None:
    nothing = [Image.new("RGB", (64, 64)), Image.new("RGB", (64, 64), "white"), tiny.picture(1, 64, 64)]
    scores = likeness.score(nothing, [PROMPTS[0]] * 3)
    assert (scores < 0.25).all() and (scores[:2] == 0).all()


def test_likeness_does_not_depend_on_the_batch_or_on_what_was_asked_before(paintings: dict[str, list[Image.Image]]) -> None:
    prompts = list(PROMPTS[:2])
    images = [paintings[prompt][0] for prompt in prompts]
    scorer = SketchLikeness("sketch-likeness")
    together = scorer.score(images, prompts)
    alone = [SketchLikeness("sketch-likeness").score([image], [prompt])[0] for image, prompt in zip(images, prompts, strict=True)]
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(scorer.score(images[::-1], prompts[::-1]), together[::-1])
    assert scorer.score([], []).shape == (0,)


def test_likeness_leaves_its_paintings_behind_when_it_is_pickled(likeness: SketchLikeness, paintings: dict[str, list[Image.Image]]) -> None:
    images = paintings[PROMPTS[0]][:2]
    before = likeness.score(images, [PROMPTS[0]] * 2)
    content = pickle.dumps(likeness)
    assert len(content) < 1000
    np.testing.assert_array_equal(pickle.loads(content).score(images, [PROMPTS[0]] * 2), before)


def test_likeness_takes_odd_images_and_long_prompts_and_refuses_empty_ones(likeness: SketchLikeness) -> None:
    odd = list(tiny.odd_pictures().values())
    assert ((likeness.score(odd, [PROMPTS[0]] * len(odd)) >= 0) & (likeness.score(odd, [PROMPTS[0]] * len(odd)) <= 1)).all()
    assert np.isfinite(likeness.score(odd[:1], ["a boat on the lake " * 800])).all()
    with pytest.raises(ExperimentError, match="a prompt is empty"):
        likeness.score(odd[:1], [" "])
    assert likeness.spec.needs_prompt and likeness.spec.stand_in and "sketch" in likeness.spec.version


@pytest.fixture(scope="module")
def siglip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_checkpoints.siglip(tmp_path_factory.mktemp("weights") / "siglip")


def test_similarity_is_the_cosine_of_the_encoders_own_rows(siglip: Path) -> None:
    folders = {"siglip2-so400m": siglip}
    scorer = scorers.make("siglip2-similarity", means=Means("cpu", folders))
    assert isinstance(scorer, SigLipSimilarity)
    scorer.check()
    images, prompts = [tiny.picture(1), tiny.picture(2), tiny.picture(3)], ["a red boat", "the old house", "a red boat"]
    seen = encoders.make("siglip2-so400m", folders=folders, device="cpu").encode(images)
    texts = encoders.make_text("siglip2-so400m", folders=folders, device="cpu")
    assert texts is not None
    np.testing.assert_allclose(scorer.score(images, prompts), (seen * texts.encode(prompts)).sum(axis=1), atol=1e-5)
    alone = [scorer.score([image], [prompt])[0] for image, prompt in zip(images, prompts, strict=True)]
    np.testing.assert_allclose(scorer.score(images, prompts), alone, atol=1e-5)
    assert len(pickle.dumps(scorer)) < 2000 and scorer.score([], []).shape == (0,)
    assert np.isfinite(scorer.score([tiny.picture(1, 1, 1)], ["boat " * 4000])).all()


def test_similarity_without_weights_is_told_before_anything_runs() -> None:
    scorer = scorers.make("siglip2-base-similarity", means=Means("cpu"))
    assert isinstance(scorer, SigLipSimilarity)
    with pytest.raises(ExperimentError, match=r"google/siglip2-base-patch16-224 are not on this machine"):
        scorer.check()


def test_a_placebo_is_standard_normal_over_images_and_unrelated_to_another_seeds() -> None:
    images = [tiny.picture(seed, 4, 4) for seed in range(1500)]
    first, second = (Placebo(seed=seed).score(images, [""] * len(images)) for seed in ("ann", "bob"))
    assert stats.kstest(first, "norm").pvalue > 0.001
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.1
    assert Placebo(seed="ann").spec != Placebo(seed="bob").spec


def test_a_placebo_repeats_itself_and_knows_pixels_and_size_only() -> None:
    image, scorer = tiny.picture(1, 6, 4), Placebo()
    again = pickle.loads(pickle.dumps(scorer)).score([image.copy(), image], ["anything", ""])
    np.testing.assert_array_equal(again, [scorer.score([image], [""])[0]] * 2)
    turned = Image.frombytes("RGB", (4, 6), image.tobytes())
    assert scorer.score([turned], [""])[0] != again[0]


def test_a_placebo_has_a_fixed_score_for_a_fixed_image() -> None:
    # SHA-256 of "0 (1, 1) " and three zero bytes begins with the six bytes below; the quantile is SciPy's.
    import hashlib

    share = (int.from_bytes(hashlib.sha256(b"0 (1, 1) \0\0\0").digest()[:6], "big") + 0.5) / 2**48
    np.testing.assert_allclose(Placebo().score([Image.new("RGB", (1, 1))], [""]), [stats.norm.ppf(share)], atol=1e-9)


def test_exposure_is_high_for_a_lit_image_and_low_for_dark_flat_and_burnt_ones() -> None:
    exposure = scorers.make("exposure")
    image = paint(PROMPTS[0], seed=3, size=96)
    lit, driven_dark, burnt, flat, black = exposure.score(
        [image, dark(image), blown(image), Image.new("RGB", (9, 9), "grey"), Image.new("RGB", (9, 9))], [""] * 5
    )
    assert lit > 80 and flat == 50 and black == 0
    assert driven_dark < lit / 2 and burnt < 0.75 * lit


def test_exposure_of_a_ramp_is_what_the_formula_says() -> None:
    ramp = Image.fromarray(np.tile(np.linspace(0, 255, 128).round().astype(np.uint8), (128, 1)))
    levels = np.linspace(0, 255, 128).round() / 255
    seen = ((levels > 0.06) & (levels < 0.97)).mean()
    np.testing.assert_allclose(scorers.make("exposure").score([ramp], [""]), [100 * seen], atol=1e-6)


def test_exposure_takes_odd_images() -> None:
    odd = list(tiny.odd_pictures().values())
    assert np.isfinite(scorers.make("exposure").score(odd, [""] * len(odd))).all()
    assert np.isfinite(scorers.make("placebo").score(odd, [""] * len(odd))).all()
