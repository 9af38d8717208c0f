"""FLUX.2 through its real loading path on tiny pipelines: seeds, batches, embeddings, pickling, memory."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_flux2
import torch
from PIL import Image
from tiny_flux2 import made

from stimuli.experiment import ExperimentError
from stimuli.generators import flux2_pipeline
from stimuli.generators.flux2 import Flux2
from stimuli.generators.memory import Plan

PROMPTS, SEEDS = ("a red boat", "the old house on the blue lake", "a garden in the dark"), (1, 2, 3)
NAMES = ("flux2", "flux2-klein")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("flux2")
    return {"flux2": tiny_flux2.dev(folder / "dev"), "flux2-klein": tiny_flux2.klein(folder / "klein")}


@pytest.fixture(scope="module", params=NAMES)
def painter(request: pytest.FixtureRequest, weights: dict[str, Path]) -> Flux2:
    return made(request.param, weights)


def apart(one: Image.Image, other: Image.Image) -> int:
    """Return the largest difference of a colour, of 255."""
    return int(np.abs(np.asarray(one, dtype=int) - np.asarray(other, dtype=int)).max())


def test_an_image_is_the_same_alone_in_a_batch_and_in_another_order(painter: Flux2) -> None:
    together = painter.render(PROMPTS, SEEDS)
    assert [(image.size, image.mode) for image in together] == [((64, 64), "RGB")] * 3
    alone = [painter.render([prompt], [seed])[0] for prompt, seed in zip(PROMPTS, SEEDS, strict=True)]
    backwards = painter.render(PROMPTS[::-1], SEEDS[::-1])[::-1]
    assert max(map(apart, together, alone)) <= 1
    assert max(map(apart, together, backwards)) <= 1
    assert painter.render([], []) == []


def test_another_prompt_and_another_seed_change_the_image(painter: Flux2) -> None:
    first, seed, prompt = painter.render([PROMPTS[0], PROMPTS[0], PROMPTS[1]], [1, 2, 1])
    assert apart(first, seed) > 20
    assert apart(first, prompt) >= 1
    assert first.tobytes() != prompt.tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_the_image_is_that_of_the_whole_pipeline_of_diffusers(weights: dict[str, Path], name: str) -> None:
    # The second implementation: every layer of the encoder, and the prompt given to the pipeline itself.
    import diffusers
    import transformers

    model, folder = flux2_pipeline.MODELS[name], weights[name]
    loader: Any = getattr(transformers, model.encoder)
    whole = getattr(diffusers, model.pipeline).from_pretrained(
        folder, tokenizer=None, text_encoder=loader.from_pretrained(folder / "text_encoder", dtype=torch.float32), dtype=torch.float32
    )
    whole.register_modules(tokenizer=transformers.AutoTokenizer.from_pretrained(folder / "tokenizer"))
    whole.set_progress_bar_config(disable=True)
    steps, guidance = (2, 4.0) if name == "flux2" else (4, 1.0)
    noise = [torch.Generator("cpu").manual_seed(7)]
    expected = whole(
        prompt=[PROMPTS[0]], height=64, width=64, num_inference_steps=steps, guidance_scale=guidance, generator=noise
    ).images  # fmt: skip
    assert apart(made(name, weights).render([PROMPTS[0]], [7])[0], expected[0]) <= 1


@pytest.mark.parametrize("name", NAMES)
def test_cutting_the_encoder_leaves_the_embeddings_as_they_are_and_one_layer_less_does_not(
    weights: dict[str, Path], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def embedding(layers: int) -> torch.Tensor:
        model = flux2_pipeline.MODELS[name]
        monkeypatch.setitem(
            flux2_pipeline.MODELS, name, flux2_pipeline.Model(model.pipeline, model.encoder, layers, model.steps, model.guidance)
        )
        pipeline = flux2_pipeline.load(name, weights[name], plan=Plan(), device=torch.device("cpu"), precision=torch.float32)
        assert pipeline.text_encoder.config.get_text_config().num_hidden_layers == layers
        with torch.no_grad():
            found: torch.Tensor = pipeline.encode_prompt(prompt=PROMPTS[0])[0]
        monkeypatch.undo()
        return found

    needed, all_of_them = flux2_pipeline.MODELS[name].layers, 33 if name == "flux2" else 30
    assert torch.equal(embedding(needed), embedding(all_of_them))
    assert not torch.equal(embedding(needed - 1), embedding(all_of_them))


def test_a_prompt_is_encoded_once_and_what_is_kept_is_bounded(weights: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    painter = made("flux2-klein", weights)
    painter.render(PROMPTS[:1], [1])
    asked: list[str] = []
    encode: Callable[..., Any] = painter._pipeline.encode_prompt

    def noting(prompt: str | None = None, **others: Any) -> Any:
        if "prompt_embeds" not in others or others["prompt_embeds"] is None:
            asked.append(str(prompt))
        return encode(prompt=prompt, **others)

    monkeypatch.setattr(painter._pipeline, "encode_prompt", noting)
    monkeypatch.setattr("stimuli.generators.flux2._KEPT", 2)
    painter.render([PROMPTS[0], PROMPTS[1], PROMPTS[1]], [4, 5, 6])
    assert asked == [PROMPTS[1]]
    painter.render(PROMPTS, SEEDS)
    assert asked == [PROMPTS[1], PROMPTS[2]] and len(painter._embeddings) == 2


def test_the_models_own_steps_and_guidance_are_used_unless_the_study_says_otherwise(weights: dict[str, Path]) -> None:
    dev, klein = (made(name, weights, steps=None).spec.settings for name in NAMES)
    assert (dev["steps"], dev["guidance"]) == (50, 4.0)
    assert (klein["steps"], klein["guidance"]) == (4, 1.0)
    said = made("flux2", weights, steps=28, guidance=2.5).spec.settings
    assert (said["steps"], said["guidance"]) == (28, 2.5)


def test_whatever_changes_images_is_in_the_spec_and_what_does_not_is_not(weights: dict[str, Path]) -> None:
    plain = made("flux2", weights).spec
    others = [made("flux2", weights, **change).spec for change in ({"size": 128}, {"steps": 3}, {"guidance": 1.0}, {"memory": "48gb"})]
    assert len({json.dumps(dict(spec.settings), sort_keys=True) for spec in (plain, *others)}) == 5
    # What stays on the card and what waits gives the same image; rounding the weights does not.
    assert made("flux2", weights, device="auto", memory="80gb").spec == made("flux2", weights, device="auto", memory="141gb").spec
    assert plain.settings["precision"] == "float32" and made("flux2", weights, device="auto").spec.settings["precision"] == "bfloat16"
    assert not plain.stand_in
    assert plain.version.startswith("black-forest-labs/FLUX.2-dev@dev-")


def test_weights_rounded_to_eight_bits_are_held_so_and_still_render(weights: dict[str, Path]) -> None:
    painter = made("flux2", weights, memory="48gb")
    [rounded] = painter.render(PROMPTS[:1], [1])
    block = painter._pipeline.transformer.single_transformer_blocks[0]
    assert block.attn.to_out.weight.dtype == torch.float8_e4m3fn
    assert 0 < apart(rounded, made("flux2", weights).render(PROMPTS[:1], [1])[0]) < 60


def test_a_klein_that_is_not_distilled_renders_with_and_without_its_prompt(tmp_path: Path) -> None:
    folders = {"flux2-klein": tiny_flux2.klein(tmp_path / "base", distilled=False)}
    painter = made("flux2-klein", folders, steps=2, guidance=4.0)
    together = painter.render(PROMPTS[:2], SEEDS[:2])
    assert (
        max(apart(image, painter.render([prompt], [seed])[0]) for image, prompt, seed in zip(together, PROMPTS, SEEDS, strict=False)) <= 1
    )
    with pytest.raises(ExperimentError, match=r"not distilled, which needs more than 4 steps; write steps = 50 and guidance = 4\.0"):
        made("flux2-klein", folders).check()


def test_it_can_be_sent_elsewhere_before_and_after_it_rendered(weights: dict[str, Path]) -> None:
    painter = made("flux2-klein", weights)
    before = pickle.dumps(painter)
    [image] = painter.render(PROMPTS[:1], SEEDS[:1])
    after = pickle.dumps(painter)
    assert len(before) == len(after) < 5_000
    for copy in map(pickle.loads, (before, after)):
        assert copy.spec == painter.spec
        assert copy.render(PROMPTS[:1], SEEDS[:1])[0].tobytes() == image.tobytes()


def test_a_prompt_of_four_thousand_words_is_refused_before_anything_is_rendered(painter: Flux2) -> None:
    with pytest.raises(ExperimentError, match=r"a prompt has 4000 words, which is \d+ tokens with what FLUX\.2 says around it, and 512"):
        painter.render([PROMPTS[0], "boat " * 4000], [1, 2])
    assert painter.render(PROMPTS[:1], [1])


def test_the_longest_prompt_that_is_read_is_rendered(weights: dict[str, Path]) -> None:
    painter = made("flux2-klein", weights)
    around = flux2_pipeline.tokens(_loaded(painter), "")
    assert painter.render(["boat " * (512 - around)], [1])
    with pytest.raises(ExperimentError, match="512 is what it reads"):
        painter.render(["boat " * (513 - around)], [1])


def test_running_out_of_memory_comes_through_with_the_batch_let_go(weights: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    painter = made("flux2-klein", weights)
    painter.render(PROMPTS[:1], [1])
    emptied = []
    forward = painter._pipeline.transformer.forward

    def full(*_: Any, **__: Any) -> Any:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: emptied.append(True))
    monkeypatch.setattr(painter._pipeline.transformer, "forward", full)
    with pytest.raises(torch.cuda.OutOfMemoryError, match=r"2\.00 GiB") as caught:
        painter.render(PROMPTS, SEEDS)
    assert emptied and caught.value.__context__ is None
    monkeypatch.setattr(painter._pipeline.transformer, "forward", forward)
    assert painter.render(PROMPTS[:1], [1])


def test_a_card_that_is_too_small_for_the_weights_names_the_preset_to_change(
    weights: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (3 * 2**30, 24 * 2**30))
    monkeypatch.setattr(flux2_pipeline, "_encoder", full)
    with pytest.raises(
        ExperimentError, match=r"flux2: its weights do not fit on the card, of which 3\.0 of 24\.0 GiB are free; it needs 94"
    ):
        made("flux2", weights).render(PROMPTS[:1], [1])


def test_auto_goes_by_the_card_of_whoever_renders_but_never_changes_the_images(
    weights: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    painter, gpu = made("flux2", weights, device="auto"), torch.device("cuda")
    for card, offload in ((139.8, False), (79.6, True)):
        monkeypatch.setattr(painter, "_card", lambda card=card: card)
        assert painter._placed(gpu) == Plan(offload=offload)
    monkeypatch.setattr(painter, "_card", lambda: 23.5)
    with pytest.raises(ExperimentError, match=r'card has 24 GiB and needs rounded weights, .* such as memory = "24gb", so that all'):
        painter._placed(gpu)


def test_an_image_that_is_no_picture_is_refused(weights: dict[str, Path]) -> None:
    painter = made("flux2-klein", weights)
    with torch.no_grad():
        _loaded(painter).transformer.proj_out.weight.fill_(float("nan"))
    with pytest.raises(ExperimentError, match=r"flux2-klein: what it rendered is no picture \(some pixels are no numbers\)"):
        painter.render(PROMPTS[:1], [1])


def _loaded(painter: Flux2) -> Any:
    painter.render(["a boat"], [1])
    return painter._pipeline


# --- On a GPU ---


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("memory", ["141gb", "80gb", "48gb"])
def test_on_a_gpu_an_image_is_the_same_alone_and_in_a_batch_whatever_stays_on_the_card(
    weights: dict[str, Path], name: str, memory: str
) -> None:
    painter = made(name, weights, device="cuda", memory=memory)
    together = painter.render(PROMPTS, SEEDS)
    alone = [painter.render([prompt], [seed])[0] for prompt, seed in zip(PROMPTS, SEEDS, strict=True)]
    assert max(map(apart, together, alone)) <= 16


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_on_a_gpu_parts_that_take_turns_make_the_same_image(weights: dict[str, Path]) -> None:
    resident, turns = (made("flux2", weights, device="cuda", memory=memory) for memory in ("141gb", "80gb"))
    assert max(map(apart, resident.render(PROMPTS, SEEDS), turns.render(PROMPTS, SEEDS))) <= 1
    assert _loaded(turns).transformer.device.type == "cpu"


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_on_a_gpu_the_real_architecture_of_klein_renders_at_random_weights(tmp_path: Path) -> None:
    folder = tiny_flux2.real_klein(tmp_path / "klein")
    painter = made("flux2-klein", {"flux2-klein": folder}, device="cuda", size=512, memory="141gb")
    images = painter.render(PROMPTS[:2], SEEDS[:2])
    assert [image.size for image in images] == [(512, 512)] * 2 and apart(*images) > 0
