"""mPLUG-Owl2 (Ye et al. 2023, arXiv 2311.04257) as Q-Align and DeQA-Score use it: one image, one question, the next token's logits.

The names of the modules are the keys of the published checkpoints. Ours differs from the published code in this: the image stands
at one place for all rows, so no mask, no padding and no gathering by modality is needed; attention is PyTorch's fused kernel; only
the last position is projected on the vocabulary; the rotary tables are computed in 32 bits and then rounded.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from stimuli.scorers.owl_sight import Abstractor, Eye, Part, Sizes, attend, branch, heads


def sizes(config: Mapping[str, Any]) -> Sizes:
    """Read the sizes; what a checkpoint leaves out has the published defaults.

    Raises:
        ValueError: it is another architecture, or one of the options that this network does not have.
    """
    if config.get("model_type") != "mplug_owl2":
        raise ValueError(f"it is a {config.get('model_type')}, and an mplug_owl2 was expected")
    for option in ("attention_bias", "rope_scaling", "tie_word_embeddings"):
        if config.get(option):
            raise ValueError(f"it sets {option}, which no published checkpoint does")
    visual = config.get("visual_config") or {}
    eye, abstractor = visual.get("visual_model", {}), visual.get("visual_abstractor", {})
    heads = config.get("num_attention_heads", 32)
    return Sizes(
        eye=_part(eye, (1024, 4096, 24, 16, 1e-6)),
        abstractor=_part(abstractor, (1024, 2816, 6, 16, 1e-6)),
        language=_part(config, (4096, 11008, 32, 32, 1e-6), epsilon="rms_norm_eps"),
        side=eye.get("image_size", 448),
        patch=eye.get("patch_size", 14),
        queries=abstractor.get("num_learnable_queries", 64),
        vocabulary=config.get("vocab_size", 32000),
        key_heads=config.get("num_key_value_heads") or heads,
        rope_base=config.get("rope_theta", 10000.0),
    )


def _part(config: Mapping[str, Any], usual: tuple[int, int, int, int, float], epsilon: str = "layer_norm_eps") -> Part:
    names = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", epsilon)
    return Part(*(config.get(name, default) for name, default in zip(names, usual, strict=True)))


class Multiway(nn.Module):
    """Two modules of one kind: the first for words, the second for the image's positions."""

    def __init__(self, make: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.multiway = nn.ModuleList(make() for _ in range(2))

    def forward(self, states: Tensor, image: slice) -> Tensor:
        """Return each position through its module."""
        words, seen = self.multiway
        return torch.cat([words(states[:, : image.start]), seen(states[:, image]), words(states[:, image.stop :])], dim=1)


class LanguageLayer(nn.Module):
    """One layer of LLaMA-2 whose norms, keys and values are made apart for words and image."""

    def __init__(self, part: Part, given: Sizes) -> None:
        super().__init__()
        self.heads, self.key_heads = part.heads, given.key_heads
        width, keys = part.width, part.width // part.heads * given.key_heads
        self.self_attn: Any = branch(
            q_proj=nn.Linear(width, width, bias=False),
            k_proj=Multiway(lambda: nn.Linear(width, keys, bias=False)),
            v_proj=Multiway(lambda: nn.Linear(width, keys, bias=False)),
            o_proj=nn.Linear(width, width, bias=False),
        )
        self.mlp: Any = branch(
            gate_proj=nn.Linear(width, part.inner, bias=False),
            up_proj=nn.Linear(width, part.inner, bias=False),
            down_proj=nn.Linear(part.inner, width, bias=False),
        )
        self.input_layernorm = Multiway(lambda: nn.RMSNorm(width, eps=part.epsilon))
        self.post_attention_layernorm = Multiway(lambda: nn.RMSNorm(width, eps=part.epsilon))

    def forward(self, states: Tensor, image: slice, turn: Callable[[Tensor], Tensor]) -> Tensor:
        """Return the states after this layer; `turn` gives queries and keys their places."""
        attention, normed = self.self_attn, self.input_layernorm(states, image)
        query = turn(heads(attention.q_proj(normed), self.heads))
        shared = self.heads // self.key_heads
        key = turn(heads(attention.k_proj(normed, image), self.key_heads)).repeat_interleave(shared, dim=1)
        value = heads(attention.v_proj(normed, image), self.key_heads).repeat_interleave(shared, dim=1)
        states = states + attention.o_proj(attend(query, key, value, causal=True))
        normed = self.post_attention_layernorm(states, image)
        after: Tensor = states + self.mlp.down_proj(functional.silu(self.mlp.gate_proj(normed)) * self.mlp.up_proj(normed))
        return after


class Owl(nn.Module):
    """The whole network: words, an image, words."""

    def __init__(self, given: Sizes) -> None:
        super().__init__()
        part = given.language
        self.given = given
        self.model: Any = branch(
            embed_tokens=nn.Embedding(given.vocabulary, part.width),
            layers=nn.ModuleList(LanguageLayer(part, given) for _ in range(part.layers)),
            norm=nn.RMSNorm(part.width, eps=part.epsilon),
            vision_model=Eye(given),
            visual_abstractor=Abstractor(given),
        )
        self.lm_head = nn.Linear(part.width, given.vocabulary, bias=False)

    def forward(self, pixels: Tensor, before: Tensor, after: Tensor) -> Tensor:
        """Return the logits of the token after `before`, the image and `after`, shape (images, vocabulary)."""
        image = self.model.visual_abstractor(self.model.vision_model(pixels))
        words = (self.model.embed_tokens(ids).expand(len(image), -1, -1) for ids in (before, after))
        states = torch.cat([next(words), image, next(words)], dim=1)
        place = slice(len(before), len(before) + image.shape[1])
        turn = _turning(states, self.given)
        for layer in self.model.layers:
            states = layer(states, place, turn)
        logits: Tensor = self.lm_head(self.model.norm(states[:, -1]))
        return logits


def _turning(states: Tensor, given: Sizes) -> Callable[[Tensor], Tensor]:
    """Return the rotary embedding (Su et al. 2021) for positions 0, 1, ..., in the order of halves that LLaMA's hub weights have."""
    width = given.language.width // given.language.heads
    speeds = given.rope_base ** -(torch.arange(0, width, 2, device=states.device, dtype=torch.float32) / width)
    angles = torch.outer(torch.arange(states.shape[1], device=states.device, dtype=torch.float32), speeds).repeat(1, 2)
    cosine, sine = angles.cos().to(states.dtype), angles.sin().to(states.dtype)

    def turn(rows: Tensor) -> Tensor:
        first, second = rows.chunk(2, dim=-1)
        return rows * cosine + torch.cat([-second, first], dim=-1) * sine

    return turn
