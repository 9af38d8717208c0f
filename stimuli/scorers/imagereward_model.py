"""ImageReward's network: BLIP's image encoder, its text encoder that looks at the image, and five linear layers.

The published file names its keys as BLIP's own code did; `PLACES` says how the classes of transformers call them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import BertTokenizer, BlipTextConfig, BlipVisionConfig, BlipVisionModel
from transformers.models.blip.modeling_blip_text import BlipTextModel

from stimuli.scorers.checkpoint import pickled
from stimuli.scorers.layout import Shape, account

IMAGE, TEXT, HEAD = "blip.visual_encoder.", "blip.text_encoder.", "mlp.layers."
# Published name in the image encoder, name in transformers; the text encoder's names are the same.
PLACES = (
    ("cls_token", "embeddings.class_embedding"),
    ("pos_embed", "embeddings.position_embedding"),
    ("patch_embed.proj.", "embeddings.patch_embedding."),
    ("blocks.", "encoder.layers."),
    (".norm1.", ".layer_norm1."),
    (".norm2.", ".layer_norm2."),
    (".attn.qkv.", ".self_attn.qkv."),
    (".attn.proj.", ".self_attn.projection."),
    ("norm.", "post_layernorm."),
)
# In the published file, and without a part in the score: two projections for BLIP's contrastive loss, and a count that is computed.
PROJECTION = 256
COUNT = f"{TEXT}embeddings.position_ids"
SIDE = 224
LONGEST = 35
_HEAD_WIDTHS = (1024, 128, 64, 16, 1)
# The places of the linear layers among the dropouts of training.
_HEAD_PLACES = ("0", "2", "4", "6", "7")


@dataclass(frozen=True)
class Tower:
    """The sizes of the image encoder, which no file of the publication states; these are BLIP's "large"."""

    width: int = 1024
    layers: int = 24
    heads: int = 16
    patch: int = 16


@dataclass(frozen=True)
class Network:
    """The loaded model, in 32 bits, and what cuts texts."""

    image: Any
    text: Any
    head: nn.Module
    words: Any

    def judged(self, pixels: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
        """Return the reward before it is scaled, shape (rows,)."""
        seen = self.image(pixel_values=pixels).last_hidden_state
        read = self.text(input_ids=tokens, attention_mask=mask, encoder_hidden_states=seen).last_hidden_state
        rewards: Tensor = self.head(read[:, 0])[:, 0]
        return rewards


def load(files: Mapping[str, Path], *, checkpoint: str, tower: Tower, device: torch.device) -> Network:
    """Return the network with the published weights on a device.

    Raises:
        ValueError: the checkpoint lacks a key, has one too many or one of another shape.
    """
    words: Any = BertTokenizer.from_pretrained(files["vocab.txt"].parent)
    words.add_special_tokens({"bos_token": "[DEC]", "additional_special_tokens": ["[ENC]"]})
    med = json.loads(files["med_config.json"].read_text(encoding="utf-8"))
    tensors, wanted = pickled(files[checkpoint]), expected(med, tower)
    tensors.pop(COUNT, None)
    account(files[checkpoint], {key: tuple(tensor.shape) for key, tensor in tensors.items()}, wanted)
    head = _head(med["hidden_size"])
    head.load_state_dict(_under(HEAD, tensors))
    seeing = {_today(key): tensor for key, tensor in _under(IMAGE, tensors).items()}
    image = _made(BlipVisionModel, _image_config(tower), seeing)
    text = _made(BlipTextModel, _text_config(med, tower), _under(TEXT, tensors), add_pooling_layer=False)
    return Network(image.to(device).eval(), text.to(device).eval(), head.float().to(device).eval(), words)


def expected(med: Mapping[str, Any], tower: Tower) -> dict[str, Shape]:
    """Return the shape of every key of the published file, but for the count of positions, for these sizes."""
    with torch.device("meta"):
        image = BlipVisionModel(_image_config(tower))
        text = BlipTextModel(_text_config(med, tower), add_pooling_layer=False)
        head = _head(med["hidden_size"])
    found = {f"{IMAGE}{_published(key)}": tensor for key, tensor in image.state_dict().items()}
    found |= {f"{TEXT}{key}": tensor for key, tensor in text.state_dict().items()}
    found |= {f"{HEAD}{key}": tensor for key, tensor in head.state_dict().items()}
    shapes = {key: tuple(tensor.shape) for key, tensor in found.items()}
    for name, width in (("vision", tower.width), ("text", int(med["hidden_size"]))):
        shapes |= {f"blip.{name}_proj.weight": (PROJECTION, width), f"blip.{name}_proj.bias": (PROJECTION,)}
    return shapes


def _made(kind: Any, config: Any, tensors: Mapping[str, Tensor], **options: bool) -> Any:
    return kind.from_pretrained(None, config=config, state_dict=dict(tensors), dtype=torch.float32, **options)


def _head(width: int) -> nn.Sequential:
    layers = nn.Sequential()
    for place, (before, after) in zip(_HEAD_PLACES, pairwise((width, *_HEAD_WIDTHS)), strict=True):
        layers.add_module(place, nn.Linear(before, after))
    return layers


def _image_config(tower: Tower) -> BlipVisionConfig:
    return BlipVisionConfig(
        hidden_size=tower.width, intermediate_size=4 * tower.width, num_hidden_layers=tower.layers,
        num_attention_heads=tower.heads, image_size=SIDE, patch_size=tower.patch, hidden_act="gelu", layer_norm_eps=1e-6,
    )  # fmt: skip


def _text_config(med: Mapping[str, Any], tower: Tower) -> BlipTextConfig:
    taken = (
        "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "max_position_embeddings",
        "hidden_act", "layer_norm_eps", "pad_token_id",
    )  # fmt: skip
    # "decoder" is how transformers calls a text encoder with cross-attention; it reads in both directions all the same.
    given: dict[str, Any] = {key: med[key] for key in taken} | dict.fromkeys(("bos_token_id", "eos_token_id", "sep_token_id"))
    return BlipTextConfig(**given, encoder_hidden_size=tower.width, is_decoder=True)


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): tensor for key, tensor in tensors.items() if key.startswith(prefix)}


def _today(key: str) -> str:
    if key.startswith("norm."):
        return key.replace("norm.", "post_layernorm.")
    for then, now in PLACES[:-1]:
        key = key.replace(then, now)
    return key


def _published(key: str) -> str:
    if key.startswith("post_layernorm."):
        return key.replace("post_layernorm.", "norm.")
    for then, now in PLACES[:-1]:
        key = key.replace(now, then)
    return key
