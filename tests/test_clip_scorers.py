"""LAION's predictor and PickScore on tiny checkpoints in the published layout: keys, golden scores, a second computation, refusals."""

import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tiny_scorers_b as tiny
import torch
from safetensors.torch import load_file, save_file
from transformers import CLIPModel, CLIPTextModelWithProjection, CLIPVisionModelWithProjection

from stimuli import scorers
from stimuli.experiment import ExperimentError
from stimuli.machine.hardware import Means
from stimuli.scorers.clip import HEAD, Laion, PickScore

PICTURES = [tiny.picture(1), tiny.picture(2, 40, 60), tiny.picture(3, 50, 50)]
PROMPTS = ["a red boat on the lake", "the old house", "a red boat on the lake"]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    tiny.laion(folder / "laion")
    tiny.clip(folder / "pickscore")
    return folder


def made(weights: Path, name: str, *, device: str = "cpu") -> Laion | PickScore:
    scorer = scorers.make(name, means=Means(device, {name: weights / name}))
    assert isinstance(scorer, Laion | PickScore)
    return scorer


BOTH = pytest.mark.parametrize("name", ["laion", "pickscore"])


@pytest.mark.parametrize(("name", "expected"), [("laion", (0.980572, 0.982497, 0.998437)), ("pickscore", (3.030281, -0.065915, 3.595143))])
def test_golden_scores_on_seeded_weights(weights: Path, name: str, expected: tuple[float, ...]) -> None:
    np.testing.assert_allclose(made(weights, name).score(PICTURES, PROMPTS), expected, atol=1e-4)


def pixels(image: object, folder: Path) -> torch.Tensor:
    from transformers import CLIPImageProcessorPil

    given: torch.Tensor = CLIPImageProcessorPil.from_pretrained(folder)(images=image, return_tensors="pt")["pixel_values"]
    return given


def test_laions_layers_multiplied_out_give_the_same_scores(weights: Path) -> None:
    # Nothing stands between the layers, so that all five are one linear map.
    tensors = torch.load(weights / "laion" / HEAD, weights_only=True)
    matrix, shift = torch.eye(24, dtype=torch.float64), torch.zeros(24, dtype=torch.float64)
    for place in (0, 2, 4, 6, 7):
        weight, bias = (tensors[f"layers.{place}.{kind}"].double() for kind in ("weight", "bias"))
        matrix, shift = weight @ matrix, weight @ shift + bias
    tower = CLIPVisionModelWithProjection.from_pretrained(weights / "laion").eval()
    with torch.inference_mode():
        seen = torch.cat([tower(pixels(image, weights / "laion")).image_embeds for image in PICTURES]).double()
    expected = (seen / seen.norm(dim=1, keepdim=True)) @ matrix[0] + shift
    np.testing.assert_allclose(made(weights, "laion").score(PICTURES, PROMPTS), expected, atol=1e-4)


def test_pickscore_is_the_scaled_cosine_of_two_towers_loaded_apart(weights: Path) -> None:
    from transformers import AutoTokenizer

    folder = weights / "pickscore"
    eye, ear = (kind.from_pretrained(folder).eval() for kind in (CLIPVisionModelWithProjection, CLIPTextModelWithProjection))
    scale, cutter = np.exp(load_file(folder / "model.safetensors")["logit_scale"].item()), AutoTokenizer.from_pretrained(folder)
    with torch.inference_mode():
        expected = [
            scale
            * float(
                torch.cosine_similarity(eye(pixels(image, folder)).image_embeds, ear(**cutter(prompt, return_tensors="pt")).text_embeds)
            )
            for image, prompt in zip(PICTURES, PROMPTS, strict=True)
        ]
    np.testing.assert_allclose(made(weights, "pickscore").score(PICTURES, PROMPTS), expected, atol=1e-4)


@BOTH
def test_a_batch_scores_as_its_images_alone_in_any_order(weights: Path, name: str) -> None:
    scorer = made(weights, name)
    together = scorer.score(PICTURES, PROMPTS)
    assert together.shape == (3,) and together.dtype == np.float64 and np.ptp(together) > 1e-3
    alone = [scorer.score([image], [prompt])[0] for image, prompt in zip(PICTURES, PROMPTS, strict=True)]
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(together[::-1], scorer.score(PICTURES[::-1], PROMPTS[::-1]), atol=1e-5)
    assert scorer.score([], []).shape == (0,)


def test_pickscore_reads_the_prompt_to_its_77th_token_and_laion_does_not(weights: Path) -> None:
    pick, laion = made(weights, "pickscore"), made(weights, "laion")
    asked = ["a red boat", "a dark garden", "boat " * 4000]
    scores = pick.score([PICTURES[0]] * 3, asked)
    assert np.isfinite(scores).all() and np.ptp(scores) > 1e-3
    assert np.ptp(laion.score([PICTURES[0]] * 3, asked)) < 1e-6
    assert pick.spec.needs_prompt and not laion.spec.needs_prompt


@BOTH
def test_odd_images_are_scored(weights: Path, name: str) -> None:
    odd = tiny.odd_pictures()
    assert np.isfinite(made(weights, name).score(list(odd.values()), [PROMPTS[0]] * len(odd))).all()


@BOTH
def test_a_scorer_is_light_and_can_be_pickled_before_and_after_it_scored(weights: Path, name: str) -> None:
    scorer = made(weights, name)
    size = len(pickle.dumps(scorer))
    scores = scorer.score(PICTURES, PROMPTS)
    after = pickle.dumps(scorer)
    assert len(after) == size < 2000
    np.testing.assert_array_equal(pickle.loads(after).score(PICTURES, PROMPTS), scores)


def test_other_weights_are_another_version(weights: Path, tmp_path: Path) -> None:
    tiny.laion(tmp_path / "laion", seed=9)
    assert made(weights, "laion").spec.version != made(tmp_path, "laion").spec.version


def lacking(tensors: dict[str, torch.Tensor]) -> None:
    del tensors["visual_projection.weight"]


def surplus(tensors: dict[str, torch.Tensor]) -> None:
    tensors["vision_model.extra.weight"] = torch.zeros(3)


def misshapen(tensors: dict[str, torch.Tensor]) -> None:
    tensors["text_projection.weight"] = torch.zeros(24, 31)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lacking, r"it lacks 1 of the weights of CLIPModel, the first being visual_projection\.weight"),
        (surplus, r"it holds 1 weights that CLIPModel does not have, the first being vision_model\.extra\.weight"),
        (misshapen, r"text_projection\.weight has shape \(24, 31\), and \(24, 32\) was expected"),
    ],
)
def test_other_keys_than_clips_are_refused_by_name(weights: Path, tmp_path: Path, change: Callable[..., None], told: str) -> None:
    shutil.copytree(weights / "pickscore", tmp_path / "pickscore")
    file = tmp_path / "pickscore" / "model.safetensors"
    tensors = load_file(file)
    change(tensors)
    save_file(tensors, file, metadata={"format": "pt"})
    with pytest.raises(ExperimentError, match=f"pickscore: the weights in .*{told}.*hf download yuvalkirstain/PickScore_v1"):
        made(tmp_path, "pickscore").score(PICTURES, PROMPTS)


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("layers.4.bias", None, r"it lacks 1 of the weights of LinearLayers, the first being layers\.4\.bias"),
        ("layers.9.bias", torch.zeros(1), r"it holds 1 weights that LinearLayers does not have, the first being layers\.9\.bias"),
        ("layers.0.weight", torch.zeros(1024, 768), r"layers\.0\.weight has shape \(1024, 768\), and \(1024, 24\) was expected"),
    ],
)
def test_other_layers_than_laions_are_refused_by_name(
    weights: Path, tmp_path: Path, key: str, value: torch.Tensor | None, told: str
) -> None:
    shutil.copytree(weights / "laion", tmp_path / "laion")
    tensors = tiny.laion_head(4) | ({} if value is None else {key: value})
    if value is None:
        del tensors[key]
    torch.save(tensors, tmp_path / "laion" / HEAD)
    with pytest.raises(ExperimentError, match=f"laion: the weights in .*{told}"):
        made(tmp_path, "laion").score(PICTURES, PROMPTS)


def test_a_head_that_is_no_file_of_weights_is_refused_and_nothing_in_it_runs(weights: Path, tmp_path: Path) -> None:
    shutil.copytree(weights / "laion", tmp_path / "laion")
    torch.save({"layers.0.weight": Path("anything")}, tmp_path / "laion" / HEAD)
    with pytest.raises(ExperimentError, match=rf"laion: .*{HEAD.replace('+', '.')}"):
        made(tmp_path, "laion").score(PICTURES, PROMPTS)


def test_stored_numbers_of_positions_are_passed_over(weights: Path, tmp_path: Path) -> None:
    shutil.copytree(weights / "pickscore", tmp_path / "pickscore")
    file = tmp_path / "pickscore" / "model.safetensors"
    places = {f"{tower}_model.embeddings.position_ids": torch.arange(77)[None] for tower in ("text", "vision")}
    save_file(load_file(file) | places, file, metadata={"format": "pt"})
    np.testing.assert_array_equal(made(tmp_path, "pickscore").score(PICTURES, PROMPTS), made(weights, "pickscore").score(PICTURES, PROMPTS))


def test_another_architecture_is_refused(weights: Path, tmp_path: Path) -> None:
    shutil.copytree(weights / "pickscore", tmp_path / "pickscore")
    (tmp_path / "pickscore" / "config.json").write_text('{"model_type": "siglip"}')
    with pytest.raises(ExperimentError, match="it is a siglip, and a clip was expected"):
        made(tmp_path, "pickscore").score(PICTURES, PROMPTS)


def test_laion_says_where_its_linear_layers_come_from(tmp_path: Path) -> None:
    told = (
        r"laion: the file sac.logos.ava1-l14-linearMSE.pth is needed, and {}; download it from https://github\.com/christophschuhmann/imp"
    )
    nowhere = scorers.make("laion", means=Means("cpu"))
    assert isinstance(nowhere, Laion)
    with pytest.raises(ExperimentError, match=told.format("no folder is named")):
        nowhere.check()
    tiny.clip(tmp_path / "laion")
    with pytest.raises(ExperimentError, match=told.format(".*laion does not hold it")):
        made(tmp_path, "laion").score(PICTURES, PROMPTS)


def test_clips_weights_that_are_nowhere_are_told_before_anything_runs(weights: Path, tmp_path: Path) -> None:
    (tmp_path / "laion").mkdir()
    shutil.copy(weights / "laion" / HEAD, tmp_path / "laion")
    for name, repository in (("laion", "openai/clip-vit-large-patch14"), ("pickscore", "yuvalkirstain/PickScore_v1")):
        scorer = scorers.make(name, means=Means("cpu", {"laion": tmp_path / "laion"}))
        assert isinstance(scorer, Laion | PickScore)
        with pytest.raises(ExperimentError, match=f"the weights {repository} are not on this machine .* run `hf download {repository}`"):
            scorer.check()


@BOTH
def test_check_is_content_with_whole_folders(weights: Path, name: str) -> None:
    made(weights, name).check()


def test_stock_clip_loads_what_the_tests_save(weights: Path) -> None:
    assert isinstance(CLIPModel.from_pretrained(weights / "pickscore"), CLIPModel)


@BOTH
@pytest.mark.gpu
def test_a_gpu_agrees_with_the_cpu_within_the_rounding_of_bfloat16(weights: Path, name: str) -> None:
    if not torch.cuda.is_available():
        pytest.skip("there is no GPU")
    ours, exact = (made(weights, name, device=device).score(PICTURES, PROMPTS) for device in ("cuda", "cpu"))
    np.testing.assert_allclose(ours, exact, atol=0.05 * max(1.0, np.abs(exact).max()))
