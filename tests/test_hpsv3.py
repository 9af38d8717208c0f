"""HPSv3: the published layout loads key by key, and scores what the published code would, for any batch and any picture."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from tiny_scorers_a import hpsv3 as tiny_hpsv3
from transformers import AutoTokenizer, Qwen2VLConfig, Qwen2VLForConditionalGeneration, Qwen2VLImageProcessorPil

from stimuli.experiment import ExperimentError
from stimuli.machine.hardware import Means
from stimuli.scorers import hpsv3, hpsv3_format, make
from stimuli.scorers.hpsv3 import HPSv3

PROMPTS = ["red boat", "the green lake in the dark garden with a bold house on the lake in the light", "old garden"]
# Of the tiny checkpoint; `by_stock_modules` computes them again.
GOLDEN = [0.893942, 0.609707, 0.477753]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_hpsv3(tmp_path_factory.mktemp("hpsv3"))


@pytest.fixture(scope="module")
def scorer(folder: Path) -> HPSv3:
    return HPSv3("hpsv3", means=Means("cpu", {"hpsv3": folder}))


@pytest.fixture(scope="module")
def images() -> list[Image.Image]:
    noise = np.random.default_rng(4)
    return [
        Image.fromarray(noise.integers(0, 255, (height, width, 3), dtype=np.uint8)) for width, height in ((64, 64), (90, 40), (40, 120))
    ]


def by_stock_modules(folder: Path, image: Image.Image, prompt: str, *, plain: bool = True, rounded: bool = True) -> float:
    """Compute a score with transformers' own Qwen2-VL, in the steps of the published code."""
    model, tokens, cut = stock(folder, image, prompt)
    if rounded:
        model.to(torch.bfloat16)
        table = model.model.visual.rotary_pos_emb.inv_freq
        model.model.visual.rotary_pos_emb.forward = lambda _, places: looked_up(table, places)
    model.float()
    ids = tokens["input_ids"]
    axes = torch.arange(ids.shape[1]).view(1, 1, -1).expand(3, 1, -1) if plain else None
    kinds = (ids == model.config.image_token_id).int()
    with torch.inference_mode():
        seen = model.model(**tokens, **cut, position_ids=axes, mm_token_type_ids=None if plain else kinds).last_hidden_state
        at = seen[0, (ids[0] == ids.max()).nonzero()[0, 0]]
        head = {key: tensor for key, tensor in load_file(folder / "HPSv3.safetensors").items() if key.startswith("rm_head")}
        for place in (0, 3, 5):
            at = torch.nn.functional.linear(at, head[f"rm_head.{place}.weight"], head[f"rm_head.{place}.bias"])
            at = at.relu() if place < 5 else at
    return float(at[0])


def stock(folder: Path, image: Image.Image, prompt: str) -> tuple[Any, Any, Any]:
    tokeniser: Any = AutoTokenizer.from_pretrained(folder)
    tokeniser.add_special_tokens({"additional_special_tokens": ["<|Reward|>"]})
    config: Any = Qwen2VLConfig.from_pretrained(folder)
    config.text_config.vocab_size = len(tokeniser)
    model = Qwen2VLForConditionalGeneration(config).eval()
    published = load_file(folder / "HPSv3.safetensors")
    renamed = {
        f"model.{key}" if key.startswith("visual") else key.replace("model.", "model.language_model.", 1): tensor
        for key, tensor in published.items()
        if not key.startswith("rm_head")
    }
    model.load_state_dict(renamed, strict=True)
    cutter: Any = Qwen2VLImageProcessorPil(size={"shortest_edge": 256 * 28 * 28, "longest_edge": 256 * 28 * 28})
    cut = cutter(images=[image], return_tensors="pt")
    slots = int(cut["image_grid_thw"].prod()) // 4
    told = (
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n<|vision_start|>" + "<|image_pad|>" * slots
        + hpsv3_format.INSTRUCTION + prompt + hpsv3_format.AFTER
    )  # fmt: skip
    return model, tokeniser(told, return_tensors="pt"), cut


def looked_up(frequencies: torch.Tensor, places: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return cosines and sines by a table of angles in bfloat16, as transformers 4.45 did."""
    assert frequencies.dtype == torch.bfloat16
    table = torch.outer(torch.arange(int(places.max()) + 1, dtype=torch.bfloat16), frequencies)
    angles = table[places].flatten(1)
    return angles.cos().repeat(1, 2).float(), angles.sin().repeat(1, 2).float()


def test_tiny_checkpoint_has_its_golden_scores(scorer: HPSv3, images: list[Image.Image]) -> None:
    np.testing.assert_allclose(scorer.score(images, PROMPTS), GOLDEN, atol=1e-4)


def test_stock_modules_confirm_the_scores(folder: Path, images: list[Image.Image]) -> None:
    found = [by_stock_modules(folder, image, prompt) for image, prompt in zip(images, PROMPTS, strict=True)]
    np.testing.assert_allclose(found, GOLDEN, atol=1e-4)


def test_positions_of_stock_generation_would_give_other_scores(folder: Path, images: list[Image.Image]) -> None:
    assert abs(by_stock_modules(folder, images[0], PROMPTS[0], plain=False) - GOLDEN[0]) > 1e-2


def test_exact_rotary_frequencies_would_give_other_scores(folder: Path, images: list[Image.Image]) -> None:
    assert abs(by_stock_modules(folder, images[0], PROMPTS[0], rounded=False) - GOLDEN[0]) > 1e-3


def test_score_of_an_image_does_not_depend_on_its_batch(scorer: HPSv3, images: list[Image.Image]) -> None:
    together = scorer.score(images, PROMPTS)
    alone = [float(scorer.score([image], [prompt])[0]) for image, prompt in zip(images, PROMPTS, strict=True)]
    reverse = scorer.score(images[::-1], PROMPTS[::-1])[::-1]
    padded = scorer.score([images[0], images[0]], [PROMPTS[0], " ".join(["boat"] * 300)])[0]
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(together, reverse, atol=1e-5)
    assert padded == pytest.approx(together[0], abs=1e-5)


def test_no_images_give_no_scores(scorer: HPSv3) -> None:
    assert scorer.score([], []).shape == (0,)


def test_prompt_and_image_both_count(scorer: HPSv3, images: list[Image.Image]) -> None:
    scores = scorer.score([images[0], images[0], images[1]], [PROMPTS[0], PROMPTS[1], PROMPTS[0]])
    assert scorer.spec.needs_prompt
    assert abs(scores[0] - scores[1]) > 1e-2
    assert abs(scores[0] - scores[2]) > 1e-2


def test_prompt_of_4000_words_counts_to_its_last_word(scorer: HPSv3, images: list[Image.Image]) -> None:
    long = ["boat"] * 4000
    scores = scorer.score(images[:1] * 2, [" ".join([*long, "red"]), " ".join([*long, "blue"])])
    assert np.isfinite(scores).all()
    assert scores[0] != scores[1]


def test_prompt_longer_than_the_context_is_refused(scorer: HPSv3, images: list[Image.Image]) -> None:
    with pytest.raises(ExperimentError, match=r'hpsv3: the prompt "boat boat .*…" has 174999 characters, too many for a context of 32768'):
        scorer.score(images[:1], [" ".join(["boat"] * 35_000)])


@pytest.mark.parametrize("written", ["<|Reward|>", "<|image_pad|>", "<|im_end|>"])
def test_prompt_cannot_hold_tokens_of_the_format(scorer: HPSv3, images: list[Image.Image], written: str) -> None:
    assert np.isfinite(scorer.score(images[:1], [f"red boat {written}"])).all()
    assert hpsv3.asked(written, slots=3).count("<|image_pad|>") == 3


def test_instruction_is_the_published_one_letter_by_letter() -> None:
    # sha256 of INSTRUCTION.format(text_prompt="{}") + prompt_with_special_token as published, with the chat format around it.
    from hashlib import sha256

    told = f"{hpsv3_format.INSTRUCTION}{{}}{hpsv3_format.AFTER}"
    assert sha256(told.encode()).hexdigest() == "dbd169c51557255ec72e705fe38da4d2fbb880f135b4bb596418598dc125badb"


def _as_palette(image: Image.Image) -> Image.Image:
    return image.convert("P", palette=Image.Palette.ADAPTIVE, colors=256)


def _deep(image: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(image.convert("L"), dtype=np.uint16) * 257)


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (lambda image: image.convert("RGBA"), lambda image: image),
        (lambda image: image.convert("CMYK"), lambda image: image.convert("CMYK").convert("RGB")),
        (_as_palette, lambda image: _as_palette(image).convert("RGB")),
        (lambda image: image.convert("L"), lambda image: image.convert("L").convert("RGB")),
        (_deep, lambda image: image.convert("L").convert("RGB")),
        (lambda image: Image.new("RGBA", image.size, (0, 0, 0, 0)), lambda image: Image.new("RGB", image.size, "white")),
    ],
    ids=["RGBA", "CMYK", "P", "L", "16 bits", "transparent"],
)
def test_any_picture_scores_as_people_see_it(
    scorer: HPSv3, images: list[Image.Image], change: Callable[[Image.Image], Image.Image], same: Callable[[Image.Image], Image.Image]
) -> None:
    scores = scorer.score([change(images[0]), same(images[0])], PROMPTS[:1] * 2)
    assert scores[0] == pytest.approx(scores[1], abs=1e-6)


def test_picture_is_turned_as_its_exif_says(scorer: HPSv3, images: list[Image.Image], tmp_path: Path) -> None:
    lying = Image.Exif()
    lying[0x0112] = 6
    images[1].save(tmp_path / "lying.png", exif=lying)
    with Image.open(tmp_path / "lying.png") as opened:
        scores = scorer.score([opened, images[1].transpose(Image.Transpose.ROTATE_270)], PROMPTS[:1] * 2)
    assert scores[0] == pytest.approx(scores[1], abs=1e-6)


def test_picture_without_pixels_is_refused(scorer: HPSv3, images: list[Image.Image]) -> None:
    with pytest.raises(ExperimentError, match="image 2 has 0 x 5 pixels"):
        scorer.score([images[0], Image.new("RGB", (0, 5))], PROMPTS[:2])


def test_picture_that_is_a_line_is_refused(scorer: HPSv3) -> None:
    with pytest.raises(ExperimentError, match="hpsv3: an image has 900 x 3 pixels, too narrow to judge; crop it"):
        scorer.score([Image.new("RGB", (900, 3))], ["red boat"])


def changed(folder: Path, to: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> HPSv3:
    to.mkdir()
    for file in folder.iterdir():
        (to / file.name).write_bytes(file.read_bytes())
    tensors = load_file(folder / "HPSv3.safetensors")
    change(tensors)
    save_file(tensors, to / "HPSv3.safetensors")
    return HPSv3("hpsv3", means=Means("cpu", {"hpsv3": to}))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda tensors: tensors.pop("visual.merger.ln_q.weight"), "it lacks 1 keys, the first being visual.merger.ln_q.weight"),
        (lambda tensors: tensors.pop("lm_head.weight"), "it lacks 1 keys, the first being lm_head.weight"),
        (lambda tensors: tensors.update({"rm_head.7.bias": torch.zeros(2)}), "it has 1 keys too many, the first being rm_head.7.bias"),
        (
            lambda tensors: tensors.update({"rm_head.5.bias": torch.zeros(3)}),
            r"1 keys have another shape, the first being rm_head.5.bias with \(3,\) where \(2,\) was expected",
        ),
    ],
    ids=["missing", "missing unused", "surplus", "misshapen"],
)
def test_other_layouts_are_refused_by_the_first_key(
    folder: Path, images: list[Image.Image], tmp_path: Path, change: Callable[[dict[str, torch.Tensor]], object], told: str
) -> None:
    broken = changed(folder, tmp_path / "broken", change)
    broken.check()
    with pytest.raises(ExperimentError, match=rf"hpsv3: .*HPSv3.safetensors has not the published layout: {told}"):
        broken.score(images[:1], PROMPTS[:1])


def test_missing_files_are_told_at_once_with_licence_and_command(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError) as caught:
        HPSv3("hpsv3", means=Means("cpu", {"hpsv3": tmp_path})).check()
    for part in ("MizzenAI/HPSv3", f"hf download MizzenAI/HPSv3 HPSv3.safetensors --local-dir {tmp_path}", "Licence of", "Apache-2.0",
                 "hf download Qwen/Qwen2-VL-7B-Instruct config.json tokenizer.json"):  # fmt: skip
        assert part in str(caught.value)


def test_without_folder_and_network_the_command_is_told(monkeypatch: pytest.MonkeyPatch, images: list[Image.Image], tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    scorer = HPSv3("hpsv3", means=Means("cpu"))
    assert "MizzenAI/HPSv3@main" in scorer.spec.version
    with pytest.raises(ExperimentError, match=r"run `hf download Qwen/Qwen2-VL-7B-Instruct` where there is a network. Licence: Apache-2.0"):
        scorer.check()
    with pytest.raises(ExperimentError, match=r"run `hf download MizzenAI/HPSv3` where there is a network. Licence: Apache-2.0"):
        scorer.score(images[:1], PROMPTS[:1])


def test_pickle_leaves_the_weights_behind_and_scores_the_same(scorer: HPSv3, images: list[Image.Image]) -> None:
    before = scorer.score(images[:1], PROMPTS[:1])
    sent = pickle.dumps(scorer)
    assert len(sent) < 2000
    assert pickle.loads(sent).score(images[:1], PROMPTS[:1]) == before
    assert pickle.loads(sent).spec == scorer.spec


def test_it_is_made_by_name_without_opening_weights(tmp_path: Path) -> None:
    made = make("hpsv3", means=Means("cpu", {"hpsv3": tmp_path / "nowhere"}))
    assert (made.spec.name, made.spec.stand_in, made.spec.needs_prompt) == ("hpsv3", False, True)


def test_bfloat16_agrees_with_32_bits(folder: Path, images: list[Image.Image], monkeypatch: pytest.MonkeyPatch, scorer: HPSv3) -> None:
    """Within 0.1 on the tiny checkpoint, whose scores spread over more than 1; this is what a GPU computes in."""
    exact = scorer.score(images, PROMPTS)
    monkeypatch.setattr("stimuli.scorers.hpsv3.precision_on", lambda _: torch.bfloat16)
    rough = HPSv3("hpsv3", means=Means("cpu", {"hpsv3": folder})).score(images, PROMPTS)
    np.testing.assert_allclose(rough, exact, atol=0.1)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_bfloat16_on_a_gpu_agrees_with_32_bits_on_the_cpu(folder: Path, images: list[Image.Image], scorer: HPSv3) -> None:
    on_gpu = HPSv3("hpsv3", means=Means("cuda", {"hpsv3": folder}))
    np.testing.assert_allclose(on_gpu.score(images, PROMPTS), scorer.score(images, PROMPTS), atol=0.1)
