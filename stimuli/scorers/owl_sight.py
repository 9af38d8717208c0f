"""What mPLUG-Owl2 sees with: the visual model and the abstractor that turns an image into words, and the sizes of the whole network.

See `owl_network.py` for what differs from the published code.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

# PyTorch's default, which the published code leaves where it names no other.
_USUAL_EPSILON = 1e-5


@dataclass(frozen=True)
class Part:
    """The sizes of a transformer: width, that of its feed-forward part, layers, heads; `epsilon` of its norms."""

    width: int
    inner: int
    layers: int
    heads: int
    epsilon: float


@dataclass(frozen=True)
class Sizes:
    """What config.json says: the three transformers, and the sizes around them."""

    eye: Part
    abstractor: Part
    language: Part
    side: int
    patch: int
    queries: int
    vocabulary: int
    key_heads: int
    rope_base: float

    @property
    def patches(self) -> int:
        """The patches along one side of the image."""
        return self.side // self.patch


def branch(**modules: nn.Module) -> Any:
    """Return a module that only gives its parts a common first name in the keys."""
    branch = nn.Module()
    for name, module in modules.items():
        branch.add_module(name, module)
    return branch


def heads(rows: Tensor, number: int) -> Tensor:
    """Return rows cut into heads, shape (rows of a batch, heads, positions, width of a head)."""
    return rows.view(*rows.shape[:-1], number, -1).transpose(1, 2)


def attend(query: Tensor, key: Tensor, value: Tensor, *, causal: bool = False) -> Tensor:
    """Return what each position gathers, heads put side by side."""
    return functional.scaled_dot_product_attention(query, key, value, is_causal=causal).transpose(1, 2).flatten(2)


class EyeLayer(nn.Module):
    """One layer of the visual model; each head's query, key and value stand together in one projection."""

    def __init__(self, part: Part) -> None:
        super().__init__()
        self.heads = part.heads
        self.self_attn: Any = branch(query_key_value=nn.Linear(part.width, 3 * part.width), dense=nn.Linear(part.width, part.width))
        self.input_layernorm = nn.LayerNorm(part.width, eps=part.epsilon)
        self.mlp: Any = branch(fc1=nn.Linear(part.width, part.inner), fc2=nn.Linear(part.inner, part.width))
        self.post_attention_layernorm = nn.LayerNorm(part.width, eps=part.epsilon)

    def forward(self, states: Tensor) -> Tensor:
        """Return the states after this layer."""
        three = self.self_attn.query_key_value(self.input_layernorm(states)).unflatten(-1, (self.heads, 3, -1))
        query, key, value = three.permute(3, 0, 2, 1, 4)
        states = states + self.self_attn.dense(attend(query, key, value))
        inner = self.mlp.fc1(self.post_attention_layernorm(states))
        after: Tensor = states + self.mlp.fc2(inner * torch.sigmoid(1.702 * inner))
        return after


class Eye(nn.Module):
    """The visual model, a ViT-L/14 at 448 pixels; all positions are given on, the class token too."""

    def __init__(self, given: Sizes) -> None:
        super().__init__()
        part = given.eye
        self.embeddings: Any = branch(
            patch_embed=nn.Conv2d(3, part.width, given.patch, given.patch, bias=False),
            pre_layernorm=nn.LayerNorm(part.width, eps=part.epsilon),
        )
        self.embeddings.cls_token = nn.Parameter(torch.empty(1, 1, part.width))
        self.embeddings.position_embedding = nn.Parameter(torch.empty(1, given.patches**2 + 1, part.width))
        self.encoder: Any = branch(layers=nn.ModuleList(EyeLayer(part) for _ in range(part.layers)))
        self.post_layernorm = nn.LayerNorm(part.width, eps=part.epsilon)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return states, shape (images, 1 + patches, width)."""
        patches = self.embeddings.patch_embed(pixels).flatten(2).transpose(1, 2)
        states = torch.cat([self.embeddings.cls_token.expand(len(patches), -1, -1), patches], dim=1)
        states = self.embeddings.pre_layernorm(states + self.embeddings.position_embedding)
        for layer in self.encoder.layers:
            states = layer(states)
        after: Tensor = self.post_layernorm(states)
        return after


class AbstractorLayer(nn.Module):
    """Learnt queries look at themselves and at the image; the residual starts from the normalised queries, as published."""

    def __init__(self, part: Part, given: Sizes) -> None:
        super().__init__()
        self.heads = part.heads
        width, seen = part.width, given.eye.width
        look = branch(query=nn.Linear(width, width), key=nn.Linear(seen, width), value=nn.Linear(seen, width))
        look.register_buffer("q_pos_embed", torch.empty(given.queries, width))
        look.register_buffer("k_pos_embed", torch.empty(given.patches**2 + 1, width))
        gate = branch(
            w1=nn.Linear(width, part.inner),
            w2=nn.Linear(part.inner, width),
            w3=nn.Linear(width, part.inner),
            ffn_ln=nn.LayerNorm(part.inner, eps=part.epsilon),
        )
        self.crossattention: Any = branch(
            attention=look,
            output=branch(out_proj=nn.Linear(width, width), norm2=nn.LayerNorm(width, eps=_USUAL_EPSILON), mlp=gate),
            norm1=nn.LayerNorm(width, eps=_USUAL_EPSILON),
            normk=nn.LayerNorm(seen, eps=_USUAL_EPSILON),
        )

    def forward(self, queries: Tensor, image: Tensor) -> Tensor:
        """Return the queries after this layer."""
        cross = self.crossattention
        look, output = cross.attention, cross.output
        queries = cross.norm1(queries)
        seen = torch.cat([queries, cross.normk(image)], dim=1)
        places = torch.cat([look.q_pos_embed, look.k_pos_embed])
        query, key, value = look.query(queries + look.q_pos_embed), look.key(seen + places), look.value(seen)
        queries = queries + output.out_proj(attend(*(heads(rows, self.heads) for rows in (query, key, value))))
        normed = output.norm2(queries)
        after: Tensor = queries + output.mlp.w2(output.mlp.ffn_ln(functional.silu(output.mlp.w1(normed)) * output.mlp.w3(normed)))
        return after


class Abstractor(nn.Module):
    """Turns an image of any number of patches into 64 words and an end mark, in the language model's width."""

    def __init__(self, given: Sizes) -> None:
        super().__init__()
        part = given.abstractor
        self.encoder: Any = branch(layers=nn.ModuleList(AbstractorLayer(part, given) for _ in range(part.layers)))
        self.visual_fc = nn.Linear(part.width, given.language.width)
        self.query_embeds = nn.Parameter(torch.empty(1, given.queries, part.width))
        self.vit_eos = nn.Parameter(torch.empty(1, 1, given.language.width))

    def forward(self, image: Tensor) -> Tensor:
        """Return states, shape (images, queries + 1, width of the language model)."""
        queries = self.query_embeds.expand(len(image), -1, -1)
        for layer in self.encoder.layers:
            queries = layer(queries, image)
        return torch.cat([self.visual_fc(queries), self.vit_eos.expand(len(image), -1, -1)], dim=1)
