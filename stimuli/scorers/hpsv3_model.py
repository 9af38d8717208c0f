"""HPSv3's network: Qwen2-VL without its language head, and the rank head on the hidden state of one added token.

The published safetensors file names its keys as transformers 4.45 did; `RENAMED` says how today's classes call them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor, nn
from transformers import AutoTokenizer, Qwen2VLConfig, Qwen2VLImageProcessorPil, Qwen2VLModel

from stimuli.scorers.hpsv3_format import REWARD
from stimuli.scorers.layout import Shape, account

# Published prefix, prefix in transformers 5. The head keeps its name; the language head is in the file and has no part in the score.
RENAMED = (("visual.", "visual."), ("model.", "language_model."))
HEAD = "rm_head."
UNUSED = "lm_head.weight"
_WIDE, _NARROW, _OUTPUTS = 1024, 16, 2


@dataclass(frozen=True)
class Network:
    """The loaded model: the backbone, the head (always in 32 bits), what cuts texts, what cuts images into patches."""

    backbone: Qwen2VLModel
    head: nn.Module
    texts: Any
    images: Any

    def judged(self, tokens: Tensor, mask: Tensor, patches: Tensor, grids: Tensor) -> Tensor:
        """Return mean and log standard deviation of the preference for each row, in 32 bits, shape (rows, 2)."""
        # Every axis of the rotary embedding counts plainly along the row: this is how the published weights were trained.
        plain = torch.arange(tokens.shape[1], device=tokens.device).expand(3, *tokens.shape)
        seen = self.backbone(
            input_ids=tokens, attention_mask=mask, position_ids=plain, pixel_values=patches, image_grid_thw=grids, use_cache=False
        )
        rewards = tokens == self.texts.convert_tokens_to_ids(REWARD)
        rated: Tensor = self.head(seen.last_hidden_state[rewards].float())
        return rated


class _Rounded(nn.Module):
    """The visual model's rotary embedding with frequencies, angles, sines and cosines rounded to bfloat16."""

    def __init__(self, frequencies: Tensor) -> None:
        super().__init__()
        self.frequencies: Tensor
        self.register_buffer("frequencies", frequencies.bfloat16(), persistent=False)

    def forward(self, hidden: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
        """Return cosines and sines for each patch, shape (patches, width of a head) each."""
        angles = places.to(hidden.device)[..., None].bfloat16() * self.frequencies
        both = torch.cat((angles[:, 0], angles[:, 1]), dim=-1)
        whole = torch.cat((both, both), dim=-1)
        return whole.cos().float(), whole.sin().float()


def load(files: Mapping[str, Path], *, checkpoint: str, device: torch.device, dtype: torch.dtype) -> Network:
    """Return the network with the published weights on a device.

    Raises:
        ValueError: the checkpoint lacks a key, has one too many or one of another shape.
    """
    texts: Any = AutoTokenizer.from_pretrained(files["tokenizer.json"].parent, padding_side="right")
    texts.add_special_tokens({"additional_special_tokens": [REWARD]})
    config: Any = Qwen2VLConfig.from_dict(json.loads(files["config.json"].read_text(encoding="utf-8")))
    # The embedding was cut to the tokens that exist; the base model's was longer.
    config.text_config.vocab_size = len(texts)
    head, tensors = _head(config.text_config.hidden_size), _tensors(files[checkpoint], config)
    head.load_state_dict({key.removeprefix(HEAD): tensors.pop(key) for key in list(tensors) if key.startswith(HEAD)})
    made: Any = Qwen2VLModel.from_pretrained
    backbone = made(None, config=config, state_dict={_today(key): tensor for key, tensor in tensors.items()}, dtype=dtype)
    _round(backbone)
    size, vision = {"shortest_edge": 1, "longest_edge": 1}, config.vision_config
    cut: Any = Qwen2VLImageProcessorPil
    images = cut(size=size, do_resize=False, patch_size=vision.patch_size, merge_size=vision.spatial_merge_size)
    return Network(backbone.to(device).eval(), head.to(device).float().eval(), texts, images)


def _round(backbone: Any) -> None:
    """Round the rotary frequencies as the published code does, which calls `model.to(bfloat16)` before training and before scoring."""
    rotary = backbone.language_model.rotary_emb
    rotary.inv_freq = rotary.inv_freq.bfloat16().float()
    backbone.visual.rotary_pos_emb = _Rounded(backbone.visual.rotary_pos_emb.inv_freq)


def _head(width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(width, _WIDE), nn.ReLU(), nn.Dropout(0.05), nn.Linear(_WIDE, _NARROW), nn.ReLU(), nn.Linear(_NARROW, _OUTPUTS)
    )


def _tensors(path: Path, config: Any) -> dict[str, Tensor]:
    """Return the tensors that the score depends on by their published names, after every key was accounted for."""
    with safe_open(path, framework="pt") as file:
        keys = list(file.keys())
        account(path, {key: tuple(file.get_slice(key).get_shape()) for key in keys}, expected(config))
        return {key: file.get_tensor(key) for key in keys if key != UNUSED}


def expected(config: Any) -> dict[str, Shape]:
    """Return the shape of every key of the published file for a configuration."""
    with torch.device("meta"):
        backbone, head = Qwen2VLModel(config), _head(config.text_config.hidden_size)
    keys = {_published(key): tuple(tensor.shape) for key, tensor in backbone.state_dict().items()}
    keys |= {f"{HEAD}{key}": tuple(tensor.shape) for key, tensor in head.state_dict().items()}
    return keys | {UNUSED: (config.text_config.vocab_size, config.text_config.hidden_size)}


def _today(key: str) -> str:
    return next(now + key.removeprefix(then) for then, now in RENAMED if key.startswith(then))


def _published(key: str) -> str:
    return next(then + key.removeprefix(now) for then, now in RENAMED if key.startswith(now))
