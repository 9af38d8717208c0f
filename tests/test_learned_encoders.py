"""The real loading code of the frozen encoders, on tiny checkpoints of the real classes: batches, padding, masks, refusals."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tiny_checkpoints
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from stimuli import encoders
from stimuli.encoders import TextEncoder, language, siglip
from stimuli.experiment import ExperimentError
from stimuli.parts import UnknownPartError

SHORT, LONG = "a red boat", "the old house on the blue lake with a green garden in the light of the dark"


def picture(seed: int, width: int = 60, height: int = 40) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    tiny_checkpoints.siglip(folder / "siglip")
    tiny_checkpoints.siglip_naflex(folder / "naflex")
    tiny_checkpoints.nemotron(folder / "nemotron")
    tiny_checkpoints.minilm(folder / "minilm")
    return folder


@pytest.fixture(scope="module", params=[("siglip2-so400m", "siglip"), ("minilm", "minilm"), ("nemotron-8b", "nemotron")])
def text_encoder(request: pytest.FixtureRequest, weights: Path) -> TextEncoder:
    name, folder = request.param
    made = encoders.make_text(name, folders={name: weights / folder}, device="cpu")
    assert made is not None
    return made


@pytest.mark.parametrize("folder", ["siglip", "naflex"])
def test_an_image_has_the_same_features_alone_and_in_a_batch(weights: Path, folder: str) -> None:
    encoder = encoders.make("siglip2-so400m", folders={"siglip2-so400m": weights / folder}, device="cpu")
    images = [picture(1), picture(2, 40, 60), picture(3).convert("L")]
    together = encoder.encode(images)
    assert together.shape == (3, encoder.spec.width) and together.dtype == np.float32
    alone = np.concatenate([encoder.encode([image]) for image in images])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, rtol=1e-5)
    assert np.abs(together[0] - together[1]).max() > 1e-4
    assert not encoder.spec.stand_in and encoder.encode([]).shape == (0, encoder.spec.width)


def test_a_text_has_the_same_features_alone_and_beside_a_longer_one(text_encoder: TextEncoder) -> None:
    together = text_encoder.encode([SHORT, LONG])
    assert together.shape == (2, text_encoder.spec.width)
    np.testing.assert_allclose(together[:1], text_encoder.encode([SHORT]), atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, rtol=1e-5)
    assert np.abs(together[0] - together[1]).max() > 1e-3
    assert text_encoder.encode([]).shape == (0, text_encoder.spec.width)


def test_siglip_texts_are_padded_to_the_length_that_is_pooled(weights: Path) -> None:
    towers = siglip.load(encoders.WEIGHTS["siglip2-so400m"], weights / "siglip", device="cpu")
    found = siglip.SigLipTexts(towers).encode([SHORT])
    padded = towers.texts([SHORT], padding="max_length", max_length=64, return_tensors="pt")["input_ids"]
    unpadded = towers.texts([SHORT], return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        right, wrong = (towers.model.get_text_features(input_ids=ids).pooler_output[0].numpy() for ids in (padded, unpadded))
    np.testing.assert_allclose(found[0], right / np.linalg.norm(right), atol=1e-5)
    assert np.abs(found[0] - wrong / np.linalg.norm(wrong)).max() > 1e-3


@pytest.mark.parametrize("beside", [(), (LONG,)])
def test_every_token_of_the_large_model_sees_the_last_one_also_on_padded_batches(weights: Path, beside: tuple[str, ...]) -> None:
    encoder = language.MeanPooled(encoders.WEIGHTS["nemotron-8b"], weights / "nemotron", device="cpu")
    states = []
    encoder._model.register_forward_hook(lambda *given: states.append(given[2].last_hidden_state.clone()))
    encoder.encode(["a red boat", *beside])
    encoder.encode(["a red lake", *beside])
    first, second = (state[0, -3] for state in states)
    assert (first - second).abs().max() > 1e-4


def test_the_same_model_left_causal_would_hide_the_last_token(weights: Path) -> None:
    # The check above means something: with the mask that the class has by default, the first token does not move.
    encoder = language.MeanPooled(encoders.WEIGHTS["nemotron-8b"], weights / "nemotron", device="cpu")
    encoder._model.config.is_causal = True
    states = []
    encoder._model.register_forward_hook(lambda *given: states.append(given[2].last_hidden_state.clone()))
    encoder.encode(["a red boat"])
    encoder.encode(["a red lake"])
    assert (states[0][0, 0] - states[1][0, 0]).abs().max() < 1e-6


def broken_tensors(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"not tensors")


def no_tokenizer(folder: Path) -> None:
    for path in folder.glob("token*"):
        path.unlink()


def fewer_tensors(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    del tensors["logit_scale"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


@pytest.mark.parametrize("damage", [broken_tensors, no_tokenizer, fewer_tensors])
def test_damaged_weights_are_told_with_the_command_that_fetches_them(weights: Path, tmp_path: Path, damage: Callable[[Path], None]) -> None:
    folder = tmp_path / "siglip"
    shutil.copytree(weights / "siglip", folder)
    damage(folder)
    with pytest.raises(ExperimentError, match=r"siglip2-so400m: the weights in .* cannot be loaded .* hf download google/siglip2-so400m"):
        encoders.make("siglip2-so400m", folders={"siglip2-so400m": folder}, device="cpu")


def test_weights_of_another_kind_are_refused(weights: Path) -> None:
    with pytest.raises(ExperimentError, match=r"it is a LlamaModel, and a model with an image and a text tower was expected"):
        encoders.make("siglip2-base", folders={"siglip2-base": weights / "nemotron"}, device="cpu")


def test_a_folder_without_weights_is_told(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r"holds no weights of minilm \(no config.json\); give the folder into which `hf download"):
        encoders.make_text("minilm", folders={"minilm": tmp_path})


def test_gated_weights_that_are_not_here_name_the_licence_and_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ExperimentError) as told:
        encoders.make_text("nemotron-8b", device="cpu")
    assert "accept its licence (NVIDIA non-commercial" in str(told.value)
    assert "hf download nvidia/llama-embed-nemotron-8b" in str(told.value)


def test_a_gpu_is_not_made_up() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(ExperimentError, match=r'device "cuda": PyTorch .* sees no GPU here; use "cpu"'):
        encoders.make_text("minilm", device="cuda")


def test_unknown_names_are_refused_with_a_hint() -> None:
    with pytest.raises(UnknownPartError, match='did you mean "siglip2-base"'):
        encoders.make("siglip2-bas")
    with pytest.raises(UnknownPartError, match='text_encoder "minilmm" is not known; did you mean "minilm"'):
        encoders.make_text("minilmm")
