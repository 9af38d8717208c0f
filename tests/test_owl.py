"""Q-Align and DeQA-Score on tiny checkpoints in the published layout: keys, golden scores, a second computation, refusals."""

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tiny_scorers_b as tiny
import torch
from PIL import Image
from torch.nn import functional
from transformers import CLIPVisionConfig, CLIPVisionModel, LlamaConfig, LlamaForCausalLM

from stimuli import scorers
from stimuli.experiment import ExperimentError
from stimuli.machine.hardware import Means
from stimuli.scorers import pictures
from stimuli.scorers.owl import Owl

PICTURES = [tiny.picture(1), tiny.picture(2, 40, 60), tiny.picture(3, 50, 50)]
ASPECTS = ("qalign-quality", "qalign-aesthetics", "deqa")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("owls")
    tiny.owl(folder / "qalign")
    tiny.owl_whole(folder / "deqa")
    return folder


def made(weights: Path, name: str = "qalign-quality", *, device: str = "cpu") -> Owl:
    folders = {part: weights / part for part in ("qalign", "deqa") if (weights / part).is_dir()}
    scorer = scorers.make(name, means=Means(device, folders))
    assert isinstance(scorer, Owl)
    return scorer


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("qalign-quality", (3.424538, 3.500260, 3.530014)),
        ("qalign-aesthetics", (3.368521, 3.538889, 3.580607)),
        ("deqa", (2.448994, 2.750928, 2.540381)),
    ],
)
def test_golden_scores_on_seeded_weights(weights: Path, name: str, expected: tuple[float, ...]) -> None:
    np.testing.assert_allclose(made(weights, name).score(PICTURES, [""] * 3), expected, atol=1e-4)


@pytest.mark.parametrize("name", ASPECTS)
def test_a_second_computation_of_stock_parts_gives_the_same_scores(weights: Path, name: str) -> None:
    scorer = made(weights, name)
    aspect = "aesthetics" if name == "qalign-aesthetics" else "quality"
    expected = [second_score(weights / ("deqa" if name == "deqa" else "qalign"), image, aspect) for image in PICTURES]
    np.testing.assert_allclose(scorer.score(PICTURES, [""] * 3), expected, atol=1e-4)


def test_with_equal_ways_the_language_model_is_stock_llama(tmp_path: Path) -> None:
    tensors = tiny.owl_tensors(5, tiny.owl_shapes())
    for key in tensors:
        if ".multiway.1." in key:
            tensors[key] = tensors[key.replace(".multiway.1.", ".multiway.0.")]
    tiny.owl(tmp_path / "qalign", tensors=tensors)
    judge = made(tmp_path)._judge()
    config = LlamaConfig(
        vocab_size=320, hidden_size=32, intermediate_size=40, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
        rms_norm_eps=1e-5, tie_word_embeddings=False,
    )  # fmt: skip
    llama = LlamaForCausalLM(config).eval()
    stock = {key.replace(".multiway.0.", "."): value for key, value in tensors.items() if ".multiway.1." not in key and "visual" not in key}
    llama.load_state_dict({key: value for key, value in stock.items() if "vision" not in key}, strict=True)
    pixels = torch.randn(2, 3, 28, 28, generator=torch.Generator().manual_seed(6))
    with torch.inference_mode():
        image = judge.network.model.visual_abstractor(judge.network.model.vision_model(pixels))
        before, after = (llama.model.embed_tokens(ids).expand(2, -1, -1) for ids in (judge.before, judge.after))
        expected = llama(inputs_embeds=torch.cat([before, image, after], dim=1)).logits[:, -1]
        np.testing.assert_allclose(judge.network(pixels, judge.before, judge.after), expected, atol=1e-4)


def second_score(folder: Path, image: Image.Image, aspect: str) -> float:
    """Score an image from the stored tensors: stock CLIP for the eye, PyTorch's attention for the abstractor, plain sums for LLaMA."""
    from sentencepiece import SentencePieceProcessor

    tensors = stored(folder)
    cutter = SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
    text = f"USER: How would you rate the {aspect} of this image?\n<|image|>\nASSISTANT: The {aspect} of the image is".split("<|image|>")
    before, after = [1, *cutter.encode(text[0])], cutter.encode(text[1])
    with torch.no_grad():
        seen = abstracted(eye(prepared(image), tensors), tensors)
        words = tensors["model.embed_tokens.weight"]
        states = torch.cat([words[before], seen, words[after]])
        logits = llama(states, slice(len(before), len(before) + len(seen)), tensors)
    levels = [cutter.piece_to_id(f"▁{word}") for word in ("excellent", "good", "fair", "poor", "bad")]
    return float(logits[levels].softmax(0) @ torch.tensor([5.0, 4.0, 3.0, 2.0, 1.0]))


def stored(folder: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    if (folder / "model.safetensors").is_file():
        return load_file(folder / "model.safetensors")
    return {key: value for path in sorted(folder.glob("*.bin")) for key, value in torch.load(path, weights_only=True).items()}


def prepared(image: Image.Image) -> torch.Tensor:
    from transformers import CLIPImageProcessorPil

    width, height = image.size
    side = max(image.size)
    square = Image.new("RGB", (side, side), tuple(int(level * 255) for level in (0.48145466, 0.4578275, 0.40821073)))
    square.paste(image, ((side - width) // 2, (side - height) // 2))
    prepare = CLIPImageProcessorPil(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28})
    return prepare(images=square, return_tensors="pt")["pixel_values"]


def eye(pixels: torch.Tensor, tensors: dict[str, torch.Tensor]) -> torch.Tensor:
    mine = {key.removeprefix("model.vision_model."): value for key, value in tensors.items() if key.startswith("model.vision_model.")}
    config = CLIPVisionConfig(
        hidden_size=24, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2, image_size=28, patch_size=14,
        hidden_act="quick_gelu", layer_norm_eps=1e-6,
    )  # fmt: skip
    stock = {
        "embeddings.class_embedding": mine["embeddings.cls_token"].flatten(),
        "embeddings.patch_embedding.weight": mine["embeddings.patch_embed.weight"],
        "embeddings.position_embedding.weight": mine["embeddings.position_embedding"][0],
    }
    for kind in ("weight", "bias"):
        stock[f"pre_layrnorm.{kind}"] = mine[f"embeddings.pre_layernorm.{kind}"]
        stock[f"post_layernorm.{kind}"] = mine[f"post_layernorm.{kind}"]
        for number in range(2):
            layer = f"encoder.layers.{number}."
            three = mine[f"{layer}self_attn.query_key_value.{kind}"].unflatten(0, (2, 3, 12))
            for place, name in enumerate("qkv"):
                stock[f"{layer}self_attn.{name}_proj.{kind}"] = three[:, place].flatten(0, 1)
            for ours, theirs in {
                "self_attn.dense": "self_attn.out_proj", "input_layernorm": "layer_norm1", "post_attention_layernorm": "layer_norm2",
                "mlp.fc1": "mlp.fc1", "mlp.fc2": "mlp.fc2",
            }.items():  # fmt: skip
                stock[f"{layer}{theirs}.{kind}"] = mine[f"{layer}{ours}.{kind}"]
    model = CLIPVisionModel(config).eval()
    prefix = "vision_model." if any(key.startswith("vision_model.") for key in model.state_dict()) else ""
    model.load_state_dict({prefix + key: value for key, value in stock.items()}, strict=True)
    states = model(pixel_values=pixels).last_hidden_state[0]
    return functional.layer_norm(states, (24,), mine["post_layernorm.weight"], mine["post_layernorm.bias"], 1e-6)


def abstracted(image: torch.Tensor, tensors: dict[str, torch.Tensor]) -> torch.Tensor:
    queries = tensors["model.visual_abstractor.query_embeds"][0]
    for number in range(2):
        prefix = f"model.visual_abstractor.encoder.layers.{number}.crossattention."
        mine = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}

        def linear(rows: torch.Tensor, name: str, mine: dict[str, torch.Tensor] = mine) -> torch.Tensor:
            return functional.linear(rows, mine[f"{name}.weight"], mine[f"{name}.bias"])

        def norm(rows: torch.Tensor, name: str, epsilon: float = 1e-5, mine: dict[str, torch.Tensor] = mine) -> torch.Tensor:
            return functional.layer_norm(rows, rows.shape[-1:], mine[f"{name}.weight"], mine[f"{name}.bias"], epsilon)

        look = torch.nn.MultiheadAttention(24, 2).eval()
        names = [f"attention.{name}" for name in ("query", "key", "value")]
        look.in_proj_weight.data = torch.cat([mine[f"{name}.weight"] for name in names])
        look.in_proj_bias.data = torch.cat([mine[f"{name}.bias"] for name in names])
        look.out_proj.weight.data, look.out_proj.bias.data = mine["output.out_proj.weight"], mine["output.out_proj.bias"]
        queries = norm(queries, "norm1")
        seen = torch.cat([queries, norm(image, "normk")])
        places = torch.cat([mine["attention.q_pos_embed"], mine["attention.k_pos_embed"]])
        queries = queries + look(queries + mine["attention.q_pos_embed"], seen + places, seen, need_weights=False)[0]
        normed = norm(queries, "output.norm2")
        gated = functional.silu(linear(normed, "output.mlp.w1")) * linear(normed, "output.mlp.w3")
        queries = queries + linear(norm(gated, "output.mlp.ffn_ln", 1e-6), "output.mlp.w2")
    top = {name: tensors[f"model.visual_abstractor.{name}"] for name in ("visual_fc.weight", "visual_fc.bias", "vit_eos")}
    return torch.cat([functional.linear(queries, top["visual_fc.weight"], top["visual_fc.bias"]), top["vit_eos"][0]])


def llama(states: torch.Tensor, image: slice, tensors: dict[str, torch.Tensor]) -> torch.Tensor:
    is_image = torch.zeros(len(states), 1, dtype=torch.bool)
    is_image[image] = True

    def rms(rows: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return weight * rows / (rows.pow(2).mean(-1, keepdim=True) + 1e-5).sqrt()

    def turned(rows: torch.Tensor) -> torch.Tensor:
        as_complex = torch.complex(rows[..., :4], rows[..., 4:])
        angles = torch.arange(len(rows))[:, None] * 10000.0 ** (-torch.arange(4) / 4)
        spun = as_complex * torch.polar(torch.ones_like(angles), angles)[:, None]
        return torch.cat([spun.real, spun.imag], dim=-1)

    for number in range(2):
        layer = f"model.layers.{number}."

        def either(name: str, of: Callable[[torch.Tensor], torch.Tensor], layer: str = layer) -> torch.Tensor:
            words, seen = (of(tensors[f"{layer}{name}.multiway.{way}.weight"]) for way in (0, 1))
            return torch.where(is_image, seen, words)

        def given(name: str, rows: torch.Tensor, layer: str = layer) -> torch.Tensor:
            return rows @ tensors[f"{layer}{name}.weight"].T

        normed = either("input_layernorm", lambda weight: rms(states, weight))  # noqa: B023 - called at once
        query = turned(given("self_attn.q_proj", normed).view(-1, 4, 8))
        keys, values = (either(f"self_attn.{name}_proj", lambda weight: normed @ weight.T).view(-1, 2, 8) for name in "kv")  # noqa: B023
        keys = turned(keys)
        gathered = []
        for head in range(4):
            scores = query[:, head] @ keys[:, head // 2].T / 8**0.5
            scores = scores.masked_fill(torch.ones_like(scores).triu(1).bool(), float("-inf"))
            gathered.append(scores.softmax(-1) @ values[:, head // 2])
        states = states + given("self_attn.o_proj", torch.cat(gathered, dim=1))
        normed = either("post_attention_layernorm", lambda weight: rms(states, weight))  # noqa: B023
        inner = functional.silu(given("mlp.gate_proj", normed)) * given("mlp.up_proj", normed)
        states = states + given("mlp.down_proj", inner)
    return rms(states[-1], tensors["model.norm.weight"]) @ tensors["lm_head.weight"].T


@pytest.mark.parametrize("name", ASPECTS)
def test_a_batch_scores_as_its_images_alone_in_any_order(weights: Path, name: str) -> None:
    scorer = made(weights, name)
    together = scorer.score(PICTURES, [""] * 3)
    assert together.shape == (3,) and together.dtype == np.float64 and ((together >= 1) & (together <= 5)).all()
    assert np.ptp(together) > 1e-3
    np.testing.assert_allclose(together, [scorer.score([image], [""])[0] for image in PICTURES], atol=1e-5)
    np.testing.assert_allclose(together[::-1], scorer.score(PICTURES[::-1], [""] * 3), atol=1e-5)
    assert scorer.score([], []).shape == (0,)


def test_the_prompt_counts_for_nothing_however_long(weights: Path) -> None:
    scorer = made(weights)
    np.testing.assert_array_equal(scorer.score(PICTURES, ["word " * 4000] * 3), scorer.score(PICTURES, [""] * 3))
    assert not scorer.spec.needs_prompt


def test_odd_images_are_scored_as_people_see_them(weights: Path) -> None:
    scores = made(weights).score(list(tiny.odd_pictures().values()), [""] * len(tiny.odd_pictures()))
    assert np.isfinite(scores).all()


def test_a_broken_image_is_named(weights: Path, tmp_path: Path) -> None:
    PICTURES[0].save(tmp_path / "half.png")
    (tmp_path / "half.png").write_bytes((tmp_path / "half.png").read_bytes()[:900])
    with Image.open(tmp_path / "half.png") as half, pytest.raises(ExperimentError, match="image 2 "):
        made(weights).score([PICTURES[0], half], [""] * 2)


def test_a_scorer_is_light_and_can_be_pickled_before_and_after_it_scored(weights: Path) -> None:
    scorer = made(weights)
    size = len(pickle.dumps(scorer))
    scores = scorer.score(PICTURES, [""] * 3)
    after = pickle.dumps(scorer)
    assert len(after) == size < 2000
    copy = pickle.loads(after)
    assert copy.spec == scorer.spec
    np.testing.assert_array_equal(copy.score(PICTURES, [""] * 3), scores)


def test_names_and_weights_make_different_scorers(weights: Path) -> None:
    specs = [made(weights, name).spec for name in ASPECTS]
    assert [spec.name for spec in specs] == list(ASPECTS)
    assert len({spec.version for spec in specs}) == 3
    assert not any(spec.stand_in for spec in specs)


def lacking(tensors: dict[str, torch.Tensor]) -> None:
    del tensors["model.layers.1.self_attn.v_proj.multiway.1.weight"]


def surplus(tensors: dict[str, torch.Tensor]) -> None:
    tensors["model.layers.2.input_layernorm.multiway.0.weight"] = torch.zeros(32)


def misshapen(tensors: dict[str, torch.Tensor]) -> None:
    tensors["model.visual_abstractor.visual_fc.weight"] = torch.zeros(32, 23)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lacking, r"it lacks 1 of the weights of Owl, the first being model\.layers\.1\.self_attn\.v_proj\.multiway\.1\.weight"),
        (surplus, r"it holds 1 weights that Owl does not have, the first being model\.layers\.2\.input_layernorm\.multiway\.0\.weight"),
        (misshapen, r"model\.visual_abstractor\.visual_fc\.weight has shape \(32, 23\), and \(32, 24\) was expected"),
    ],
)
def test_other_keys_than_the_published_ones_are_refused_by_name(tmp_path: Path, change: Callable[..., None], told: str) -> None:
    tensors = tiny.owl_tensors(1, tiny.owl_shapes())
    change(tensors)
    scorer = made(tiny.owl(tmp_path / "qalign", tensors=tensors).parent)
    scorer.check()
    with pytest.raises(
        ExperimentError, match=rf"qalign: the weights in .* cannot be loaded \({told}\); download them again: hf download q-"
    ):
        scorer.score(PICTURES, [""] * 3)


def test_stored_tables_of_the_rotary_embedding_are_passed_over(weights: Path, tmp_path: Path) -> None:
    tensors = tiny.owl_tensors(1, tiny.owl_shapes()) | {"model.layers.0.self_attn.rotary_emb.inv_freq": torch.zeros(4)}
    other = made(tiny.owl(tmp_path / "qalign", tensors=tensors).parent)
    np.testing.assert_array_equal(other.score(PICTURES, [""] * 3), made(weights).score(PICTURES, [""] * 3))


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("config.json", '{"model_type": "llama"}', "it is a llama, and an mplug_owl2 was expected"),
        ("config.json", json.dumps(tiny.OWL | {"rope_scaling": {"type": "linear"}}), "it sets rope_scaling, which no published"),
        ("config.json", "[]", "config.json holds a list, and an object was expected"),
        ("pytorch_model-00001-of-00002.bin", "no weights", r"pytorch_model-00001-of-00002\.bin is no file of weights"),
        ("pytorch_model.bin.index.json", "{}", "weight_map"),
        ("tokenizer.model", "no words", "cannot be loaded"),
    ],
)
def test_damaged_files_are_told_with_the_command_that_fetches_them(
    weights: Path, tmp_path: Path, file: str, content: str, told: str
) -> None:
    shutil.copytree(weights / "qalign", tmp_path / "qalign")
    (tmp_path / "qalign" / file).write_text(content)
    with pytest.raises(ExperimentError, match=f"qalign: the weights in .*{told}.*hf download q-future/one-align"):
        made(tmp_path).score(PICTURES, [""] * 3)


@pytest.mark.parametrize("file", ["config.json", "tokenizer.model", "pytorch_model.bin.index.json"])
def test_missing_files_are_told_before_anything_runs(weights: Path, tmp_path: Path, file: str) -> None:
    shutil.copytree(weights / "qalign", tmp_path / "qalign")
    (tmp_path / "qalign" / file).unlink()
    with pytest.raises(
        ExperimentError, match=r"holds no weights of qalign \(no .*\); give the folder into which `hf download q-future/one-"
    ):
        made(tmp_path).check()


def test_weights_that_are_nowhere_are_told_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    scorer = scorers.make("deqa", means=Means("cpu"))
    assert scorer.spec.version.startswith("zhiyuanyou/DeQA-Score-Mix3@main")
    assert isinstance(scorer, Owl)
    with pytest.raises(
        ExperimentError, match=r"the weights zhiyuanyou/DeQA-Score-Mix3 are not on this machine .* run `hf download zhiyuan"
    ):
        scorer.check()
    with pytest.raises(ExperimentError, match=r"are not on this machine and cannot be fetched"):
        scorer.score(PICTURES, [""] * 3)


@pytest.mark.gpu
def test_a_gpu_agrees_with_the_cpu_within_the_rounding_of_bfloat16(weights: Path) -> None:
    if not torch.cuda.is_available():
        pytest.skip("there is no GPU")
    ours, exact = (made(weights, device=device).score(PICTURES, [""] * 3) for device in ("cuda", "cpu"))
    np.testing.assert_allclose(ours, exact, atol=0.1)


def test_padding_stays_within_memory_for_images_of_extreme_shape() -> None:
    square = pictures.padded(Image.new("RGB", (30000, 2), "red"), (1, 2, 3))
    assert square.size == (4096, 4096)
    assert square.getpixel((0, 0)) == (1, 2, 3) and square.getpixel((2048, 2047)) == (255, 0, 0)
    assert pictures.padded(Image.new("RGB", (30, 20)), (1, 2, 3)).size == (30, 30)
