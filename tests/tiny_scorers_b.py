"""Tiny seeded checkpoints in the published layouts of Q-Align, DeQA-Score, LAION's predictor and PickScore."""

import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel

from stimuli.scorers.clip import HEAD

OWL = {
    "model_type": "mplug_owl2",
    "hidden_size": 32,
    "intermediate_size": 40,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 320,
    "rms_norm_eps": 1e-5,
    "visual_config": {
        "visual_model": {"hidden_size": 24, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 28},
        "visual_abstractor": {
            "hidden_size": 24,
            "intermediate_size": 20,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_learnable_queries": 5,
            "encoder_hidden_size": 24,
        },
    },
}


def owl_shapes() -> dict[str, tuple[int, ...]]:
    """The keys and shapes of an mPLUG-Owl2 of these sizes, written from the published classes and not from ours."""
    shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (320, 32), "model.norm.weight": (32,), "lm_head.weight": (320, 32)}
    for number in range(2):
        layer = f"model.layers.{number}."
        shapes |= {f"{layer}self_attn.{name}_proj.weight": (32, 32) for name in "qo"}
        shapes |= {f"{layer}self_attn.{name}_proj.multiway.{way}.weight": (16, 32) for name in "kv" for way in (0, 1)}
        shapes |= {f"{layer}{name}_layernorm.multiway.{way}.weight": (32,) for name in ("input", "post_attention") for way in (0, 1)}
        shapes |= {f"{layer}mlp.{name}_proj.weight": (40, 32) for name in ("gate", "up")} | {f"{layer}mlp.down_proj.weight": (32, 40)}
    eye = "model.vision_model."
    shapes |= {f"{eye}embeddings.cls_token": (1, 1, 24), f"{eye}embeddings.position_embedding": (1, 5, 24)}
    shapes |= {f"{eye}embeddings.patch_embed.weight": (24, 3, 14, 14)}
    for name in ("embeddings.pre_layernorm", "post_layernorm"):
        shapes |= _both(f"{eye}{name}", 24)
    for number in range(2):
        layer = f"{eye}encoder.layers.{number}."
        shapes |= _both(f"{layer}input_layernorm", 24) | _both(f"{layer}post_attention_layernorm", 24)
        shapes |= _both(f"{layer}self_attn.query_key_value", 72, 24) | _both(f"{layer}self_attn.dense", 24, 24)
        shapes |= _both(f"{layer}mlp.fc1", 32, 24) | _both(f"{layer}mlp.fc2", 24, 32)
    abstractor = "model.visual_abstractor."
    shapes |= _both(f"{abstractor}visual_fc", 32, 24) | {f"{abstractor}query_embeds": (1, 5, 24), f"{abstractor}vit_eos": (1, 1, 32)}
    for number in range(2):
        cross = f"{abstractor}encoder.layers.{number}.crossattention."
        for name in ("attention.query", "attention.key", "attention.value", "output.out_proj"):
            shapes |= _both(f"{cross}{name}", 24, 24)
        shapes |= {f"{cross}attention.q_pos_embed": (5, 24), f"{cross}attention.k_pos_embed": (5, 24)}
        for name in ("norm1", "normk", "output.norm2"):
            shapes |= _both(f"{cross}{name}", 24)
        shapes |= _both(f"{cross}output.mlp.w1", 20, 24) | _both(f"{cross}output.mlp.w3", 20, 24) | _both(f"{cross}output.mlp.w2", 24, 20)
        shapes |= _both(f"{cross}output.mlp.ffn_ln", 20)
    return shapes


def _both(name: str, *shape: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": shape, f"{name}.bias": shape[:1]}


def owl_tensors(seed: int, shapes: dict[str, tuple[int, ...]]) -> dict[str, torch.Tensor]:
    """Random weights, large enough that the answer depends on the image; norms near one."""
    chance = torch.Generator().manual_seed(seed)
    tensors = {}
    for key, shape in sorted(shapes.items()):
        drawn = torch.randn(shape, generator=chance)
        near_one = ("norm" in key and key.endswith("weight")) or key.endswith("ffn_ln.weight")
        tensors[key] = 1 + 0.1 * drawn if near_one else 0.3 * drawn
    return tensors


def owl(folder: Path, *, seed: int = 1, tensors: dict[str, torch.Tensor] | None = None) -> Path:
    """Save an mPLUG-Owl2 as one-align is saved: several .bin shards, an index, config.json, tokenizer.model."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(OWL))
    tensors = owl_tensors(seed, owl_shapes()) if tensors is None else tensors
    keys = sorted(tensors)
    halves = {"pytorch_model-00001-of-00002.bin": keys[::2], "pytorch_model-00002-of-00002.bin": keys[1::2]}
    for name, chosen in halves.items():
        torch.save({key: tensors[key] for key in chosen}, folder / name)
    listed = {key: name for name, chosen in halves.items() for key in chosen}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": listed}))
    _words(folder)
    return folder


def owl_whole(folder: Path, *, seed: int = 2) -> Path:
    """Save an mPLUG-Owl2 as one file of safetensors."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(OWL))
    save_file(owl_tensors(seed, owl_shapes()), folder / "model.safetensors", metadata={"format": "pt"})
    _words(folder)
    return folder


def _words(folder: Path) -> None:
    """Save a SentencePiece model that falls back to bytes, as LLaMA's does."""
    from sentencepiece import SentencePieceTrainer

    lines = folder / "lines.txt"
    lines.write_text("How would you rate the quality of this image?\nThe aesthetics of the image is excellent good fair poor bad\n" * 5)
    levels = [f"▁{word}" for word in ("excellent", "good", "fair", "poor", "bad")]
    SentencePieceTrainer.train(
        input=str(lines), model_prefix=str(folder / "tokenizer"), vocab_size=320, model_type="bpe", byte_fallback=True,
        user_defined_symbols=levels, hard_vocab_limit=False, minloglevel=2, num_threads=1,
    )  # fmt: skip
    lines.unlink()


def clip(folder: Path, *, seed: int = 3) -> Path:
    """Save a CLIP of 28 pixels with what prepares its images and cuts its texts."""
    from tiny_checkpoints import tokenizer

    torch.manual_seed(seed)
    small = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2, "projection_dim": 24}
    text = small | {"vocab_size": 40, "max_position_embeddings": 77, "bos_token_id": 2, "eos_token_id": 1, "pad_token_id": 0}
    config = CLIPConfig(text_config=text, vision_config=small | {"image_size": 28, "patch_size": 14}, projection_dim=24)
    CLIPModel(config).save_pretrained(folder)
    CLIPImageProcessorPil(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28}).save_pretrained(folder)
    tokenizer(folder)
    return folder


def laion(folder: Path, *, seed: int = 4) -> Path:
    """Save a CLIP and, beside it, the five linear layers in the layout of sac+logos+ava1-l14-linearMSE.pth."""
    clip(folder, seed=seed)
    torch.save(laion_head(seed), folder / HEAD)
    return folder


def laion_head(seed: int) -> dict[str, torch.Tensor]:
    """The linear layers: places 1, 3 and 5 were dropout."""
    chance, widths = torch.Generator().manual_seed(seed), (24, 1024, 128, 64, 16, 1)
    layers = {}
    for place, before, after in zip((0, 2, 4, 6, 7), widths, widths[1:], strict=False):
        layers[f"layers.{place}.weight"] = torch.randn(after, before, generator=chance) / before**0.5
        layers[f"layers.{place}.bias"] = torch.randn(after, generator=chance)
    return layers


def picture(seed: int, width: int = 60, height: int = 40) -> Image.Image:
    """Return noise."""
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def odd_pictures() -> dict[str, Image.Image]:
    """Return images of every kind that a user may hand in."""
    plain = picture(7)
    deep = Image.fromarray(np.random.default_rng(8).integers(0, 65536, (20, 30), dtype=np.uint16))
    return {
        "P": plain.convert("P"),
        "RGBA": plain.convert("RGBA"),
        "CMYK": plain.convert("CMYK"),
        "L": plain.convert("L"),
        "1": plain.convert("1"),
        "16 bit": deep,
        "1 x 1": picture(9, 1, 1),
        "wide": picture(10, 9000, 2),
        "high": picture(11, 1, 700),
    }
