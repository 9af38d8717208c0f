"""ImageReward: the published layout loads key by key, and scores what the published code would, for any batch and any picture."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_scorers_a import TOWER
from tiny_scorers_a import imagereward as tiny_imagereward
from torch import Tensor
from torch.nn import functional

from stimuli.experiment import ExperimentError
from stimuli.machine.hardware import Means
from stimuli.scorers import make
from stimuli.scorers.imagereward import ImageReward
from stimuli.scorers.imagereward_model import Tower, expected

PROMPTS = ["red boat", "The GREEN lake in the dark garden", "old garden"]
# Of the tiny checkpoint; `by_hand` computes them again.
GOLDEN = [0.608920, 5.777603, 1.140092]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_imagereward(tmp_path_factory.mktemp("imagereward"))


def scoring(folder: Path, device: str = "cpu") -> ImageReward:
    return ImageReward("imagereward", means=Means(device, {"imagereward": folder}), tower=TOWER)


@pytest.fixture(scope="module")
def scorer(folder: Path) -> ImageReward:
    return scoring(folder)


@pytest.fixture(scope="module")
def images() -> list[Image.Image]:
    noise = np.random.default_rng(4)
    sizes = ((64, 64), (300, 231), (40, 121))
    return [Image.fromarray(noise.integers(0, 255, (height, width, 3), dtype=np.uint8)) for width, height in sizes]


def by_hand(folder: Path, image: Image.Image, words: list[str]) -> float:
    """Compute a score from the published keys alone, with the arithmetic of BLIP's own code and no class of transformers."""
    weights, med = torch.load(folder / "ImageReward.pt"), json.loads((folder / "med_config.json").read_text())
    vocabulary = (folder / "vocab.txt").read_text().split()
    ids = [vocabulary.index(word) for word in ("[CLS]", *words, "[SEP]")]
    padding = 35 - len(ids)
    hidden = torch.tensor([1.0] * len(ids) + [0.0] * padding)
    seen = by_hand_seen(weights, image)
    start = "blip.text_encoder."
    x = weights[f"{start}embeddings.word_embeddings.weight"][[*ids, *[0] * padding]]
    x = norm(weights, f"{start}embeddings.LayerNorm", x + weights[f"{start}embeddings.position_embeddings.weight"][:35], 1e-12)
    for number in range(med["num_hidden_layers"]):
        layer = f"{start}encoder.layer.{number}."
        for place, looked_at, mask in (("attention", None, (1 - hidden) * -10_000), ("crossattention", seen, torch.zeros(len(seen)))):
            keys = x if looked_at is None else looked_at
            parts = (linear(weights, f"{layer}{place}.self.{part}", keys if part != "query" else x) for part in ("query", "key", "value"))
            mixed = attended(*parts, heads=med["num_attention_heads"], mask=mask)
            x = norm(weights, f"{layer}{place}.output.LayerNorm", linear(weights, f"{layer}{place}.output.dense", mixed) + x, 1e-12)
        wide = functional.gelu(linear(weights, f"{layer}intermediate.dense", x))
        x = norm(weights, f"{layer}output.LayerNorm", linear(weights, f"{layer}output.dense", wide) + x, 1e-12)
    reward = x[0]
    for place in (0, 2, 4, 6, 7):
        reward = linear(weights, f"mlp.layers.{place}", reward)
    return (float(reward) - 0.16717362830052426) / 1.0333394966054072


def by_hand_seen(weights: dict[str, Tensor], image: Image.Image) -> Tensor:
    scale = 224 / min(image.size)
    large = image.resize((int(image.width * scale + 1e-9), int(image.height * scale + 1e-9)), Image.Resampling.BICUBIC)
    pixels = torch.tensor(np.asarray(centre(large)).copy()).permute(2, 0, 1).float() / 255
    mean, spread = torch.tensor([0.48145466, 0.4578275, 0.40821073]), torch.tensor([0.26862954, 0.26130258, 0.27577711])
    pixels = (pixels - mean[:, None, None]) / spread[:, None, None]
    start = "blip.visual_encoder."
    patches = functional.conv2d(
        pixels[None], weights[f"{start}patch_embed.proj.weight"], weights[f"{start}patch_embed.proj.bias"], stride=TOWER.patch
    )
    x = torch.cat((weights[f"{start}cls_token"][0], patches.flatten(2)[0].T)) + weights[f"{start}pos_embed"][0]
    for number in range(TOWER.layers):
        block = f"{start}blocks.{number}."
        parts = linear(weights, f"{block}attn.qkv", norm(weights, f"{block}norm1", x, 1e-6)).chunk(3, dim=-1)
        x = x + linear(weights, f"{block}attn.proj", attended(*parts, heads=TOWER.heads, mask=torch.zeros(len(x))))
        wide = functional.gelu(linear(weights, f"{block}mlp.fc1", norm(weights, f"{block}norm2", x, 1e-6)))
        x = x + linear(weights, f"{block}mlp.fc2", wide)
    return norm(weights, f"{start}norm", x, 1e-6)


def centre(image: Image.Image) -> Image.Image:
    left, top = round((image.width - 224) / 2), round((image.height - 224) / 2)
    return image.crop((left, top, left + 224, top + 224))


def linear(weights: dict[str, Tensor], key: str, x: Tensor) -> Tensor:
    return x @ weights[f"{key}.weight"].T + weights[f"{key}.bias"]


def norm(weights: dict[str, Tensor], key: str, x: Tensor, least: float) -> Tensor:
    centred = x - x.mean(-1, keepdim=True)
    return centred / (centred.pow(2).mean(-1, keepdim=True) + least).sqrt() * weights[f"{key}.weight"] + weights[f"{key}.bias"]


def attended(queries: Tensor, keys: Tensor, values: Tensor, *, heads: int, mask: Tensor) -> Tensor:
    apart = [part.view(len(part), heads, -1).transpose(0, 1) for part in (queries, keys, values)]
    weight = (apart[0] @ apart[1].transpose(1, 2) / apart[0].shape[-1] ** 0.5 + mask).softmax(-1)
    return (weight @ apart[2]).transpose(0, 1).flatten(1)


def test_tiny_checkpoint_has_its_golden_scores(scorer: ImageReward, images: list[Image.Image]) -> None:
    np.testing.assert_allclose(scorer.score(images, PROMPTS), GOLDEN, atol=1e-4)


def test_arithmetic_by_hand_confirms_the_scores(folder: Path, images: list[Image.Image]) -> None:
    found = [by_hand(folder, image, prompt.lower().split()) for image, prompt in zip(images, PROMPTS, strict=True)]
    np.testing.assert_allclose(found, GOLDEN, atol=1e-4)


def test_published_sizes_have_the_number_of_weights_of_the_published_file() -> None:
    """446.7 million in 32 bits make 1.787 GB; the file has 1,786,880,927 bytes with its names."""
    med = {
        "vocab_size": 30524, "hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12,
        "max_position_embeddings": 512, "hidden_act": "gelu", "layer_norm_eps": 1e-12, "pad_token_id": 0,
    }  # fmt: skip
    size = 4 * sum(int(np.prod(shape)) for shape in expected(med, Tower()).values())
    assert 0 < 1_786_880_927 - size < 300_000


def test_score_of_an_image_does_not_depend_on_its_batch(scorer: ImageReward, images: list[Image.Image]) -> None:
    together = scorer.score(images, PROMPTS)
    alone = [float(scorer.score([image], [prompt])[0]) for image, prompt in zip(images, PROMPTS, strict=True)]
    reverse = scorer.score(images[::-1], PROMPTS[::-1])[::-1]
    beside_long = scorer.score([images[0], images[0]], [PROMPTS[0], " ".join(["boat"] * 300)])[0]
    np.testing.assert_allclose(together, alone, atol=2e-5)
    np.testing.assert_allclose(together, reverse, atol=2e-5)
    assert beside_long == pytest.approx(together[0], abs=2e-5)


def test_no_images_give_no_scores(scorer: ImageReward) -> None:
    assert scorer.score([], []).shape == (0,)


def test_prompt_and_image_both_count_and_capitals_do_not(scorer: ImageReward, images: list[Image.Image]) -> None:
    scores = scorer.score([images[0]] * 3 + [images[1]], [PROMPTS[0], PROMPTS[1], "RED Boat", PROMPTS[0]])
    assert scorer.spec.needs_prompt
    assert abs(scores[0] - scores[1]) > 1e-2
    assert abs(scores[0] - scores[3]) > 1e-2
    assert scores[2] == pytest.approx(scores[0], abs=2e-5)


def test_of_a_prompt_of_4000_words_the_first_33_tokens_count(scorer: ImageReward, images: list[Image.Image]) -> None:
    words = ["boat"] * 4000
    scores = scorer.score(images[:1] * 3, [" ".join(words), " ".join([*words[:33], "red"]), " ".join([*words[:32], "red"])])
    assert scores[1] == pytest.approx(scores[0], abs=2e-5)
    assert abs(scores[2] - scores[0]) > 1e-2


@pytest.mark.parametrize("mode", ["RGBA", "CMYK", "P", "L", "I;16"])
def test_any_picture_scores_as_people_see_it(scorer: ImageReward, images: list[Image.Image], mode: str) -> None:
    shown = images[0].convert("L") if mode == "I;16" else images[0].convert(mode)
    given = Image.fromarray(np.asarray(shown, dtype=np.uint16) * 257) if mode == "I;16" else shown
    scores = scorer.score([given, shown.convert("RGB")], PROMPTS[:1] * 2)
    assert given.mode == mode
    assert scores[0] == pytest.approx(scores[1], abs=2e-5)


def test_picture_is_turned_as_its_exif_says(scorer: ImageReward, images: list[Image.Image], tmp_path: Path) -> None:
    lying = Image.Exif()
    lying[0x0112] = 6
    images[1].save(tmp_path / "lying.png", exif=lying)
    with Image.open(tmp_path / "lying.png") as opened:
        scores = scorer.score([opened, images[1].transpose(Image.Transpose.ROTATE_270)], PROMPTS[:1] * 2)
    assert scores[0] == pytest.approx(scores[1], abs=2e-5)


def test_picture_without_pixels_is_refused(scorer: ImageReward) -> None:
    with pytest.raises(ExperimentError, match="image 1 has 0 x 5 pixels"):
        scorer.score([Image.new("RGB", (0, 5))], PROMPTS[:1])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda tensors: tensors.pop("blip.visual_encoder.norm.bias"), "it lacks 1 keys, the first being blip.visual_encoder.norm.bias"),
        (lambda tensors: tensors.pop("blip.text_proj.bias"), "it lacks 1 keys, the first being blip.text_proj.bias"),
        (
            lambda tensors: tensors.update({"mlp.layers.9.bias": torch.zeros(2)}),
            "it has 1 keys too many, the first being mlp.layers.9.bias",
        ),
        (
            lambda tensors: tensors.update({"blip.visual_encoder.pos_embed": torch.zeros(1, 3, 32)}),
            r"1 keys have another shape, the first being blip.visual_encoder.pos_embed with \(1, 3, 32\) where \(1, 17, 32\) was expected",
        ),
    ],
    ids=["missing", "missing unused", "surplus", "misshapen"],
)
def test_other_layouts_are_refused_by_the_first_key(
    folder: Path, images: list[Image.Image], tmp_path: Path, change: Callable[[dict[str, Tensor]], object], told: str
) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    tensors: dict[str, Any] = torch.load(folder / "ImageReward.pt")
    change(tensors)
    torch.save(tensors, tmp_path / "ImageReward.pt")
    broken = scoring(tmp_path)
    broken.check()
    with pytest.raises(ExperimentError, match=rf"imagereward: .*ImageReward.pt has not the published layout: {told}"):
        broken.score(images[:1], PROMPTS[:1])


def test_file_that_is_no_checkpoint_is_refused_and_nothing_in_it_is_run(folder: Path, images: list[Image.Image], tmp_path: Path) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "ImageReward.pt").write_bytes(b"<html>not found</html>")
    with pytest.raises(ExperimentError, match="hf download THUDM/ImageReward"):
        scoring(tmp_path).score(images[:1], PROMPTS[:1])


def test_missing_files_are_told_at_once_with_licence_and_command(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError) as caught:
        scoring(tmp_path).check()
    command = f"hf download THUDM/ImageReward ImageReward.pt med_config.json --local-dir {tmp_path}"
    for part in (command, "hf download google-bert/bert-base-uncased vocab.txt", "Licence of THUDM/ImageReward: Apache-2.0"):
        assert part in str(caught.value)


def test_pickle_leaves_the_weights_behind_and_scores_the_same(scorer: ImageReward, images: list[Image.Image]) -> None:
    before = scorer.score(images[:1], PROMPTS[:1])
    sent = pickle.dumps(scorer)
    assert len(sent) < 2000
    assert pickle.loads(sent).score(images[:1], PROMPTS[:1]) == before


def test_it_is_made_by_name_without_opening_weights(tmp_path: Path) -> None:
    made = make("imagereward", means=Means("cpu", {"imagereward": tmp_path / "nowhere"}))
    assert (made.spec.name, made.spec.stand_in, made.spec.needs_prompt) == ("imagereward", False, True)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_a_gpu_agrees_with_the_cpu_within_a_thousandth(folder: Path, images: list[Image.Image], scorer: ImageReward) -> None:
    """Both compute in 32 bits."""
    np.testing.assert_allclose(scoring(folder, "cuda").score(images, PROMPTS), scorer.score(images, PROMPTS), atol=1e-3)
