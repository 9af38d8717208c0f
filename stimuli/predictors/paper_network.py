"""The paper's fusion transformer (Fig. 3): one token for each thing that is known, a shallow encoder, and a score from [CLS]."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from stimuli.predictors.paper_settings import PaperModel


@dataclass(frozen=True)
class Shape:
    """How many numbers come with each image and person, 0 where an input is left out, and how many `users` have an embedding."""

    image: int
    prompt: int
    metadata: int
    demographics: int
    users: int


@dataclass(frozen=True, eq=False)
class Inputs:
    """Rows that belong together, one a rating; None is an input that is left out. `user` holds embeddings, not numbers of users."""

    image: Tensor
    prompt: Tensor | None = None
    metadata: Tensor | None = None
    demographics: Tensor | None = None
    user: Tensor | None = None

    def at(self, rows: Tensor | slice) -> "Inputs":
        """Return some of the rows, in this order."""

        def some(part: Tensor | None) -> Tensor | None:
            return None if part is None else part[rows]

        return Inputs(self.image[rows], some(self.prompt), some(self.metadata), some(self.demographics), some(self.user))


class FusionNetwork(nn.Module):
    """Image, prompt, metadata, demographics and user as tokens of one width behind [CLS]; the last [CLS] gives the score.

    Image and prompt pass a linear layer, metadata and demographics a perceptron of one hidden layer, as in section 3.2. Layers
    normalise before attention and before the perceptron (our choice; Xiong et al. 2020).
    """

    def __init__(self, shape: Shape, settings: PaperModel, *, seed: int) -> None:
        super().__init__()
        width = settings.width
        self.shape = shape
        self.dropout = settings.dropout
        # Parameters are made empty and filled from the seed: constructors would draw from PyTorch's global generator.
        with torch.device("meta"):
            self.summary = nn.Parameter(torch.empty(width))
            self.image = nn.Linear(shape.image, width)
            self.prompt = nn.Linear(shape.prompt, width) if shape.prompt else None
            self.metadata = _perceptron(shape.metadata, width) if shape.metadata else None
            self.demographics = _perceptron(shape.demographics, width) if shape.demographics else None
            self.user = nn.Linear(width, width) if shape.users else None
            self.table = nn.Embedding(shape.users, width) if shape.users else None
            self.layers = nn.ModuleList(_Layer(width, settings.heads, settings.hidden) for _ in range(settings.layers))
            self.last_norm = nn.LayerNorm(width)
            self.head = nn.Linear(width, 1)
        self.to_empty(device="cpu")
        self._start(torch.Generator().manual_seed(seed), settings.user_spread)

    def forward(self, inputs: Inputs, noise: torch.Generator | None = None) -> Tensor:
        """Return scores, shape (rows,). Without `noise`, from which dropout draws, nothing is dropped."""
        known: list[tuple[nn.Module | None, Tensor | None]] = [
            (self.image, inputs.image),
            (self.prompt, inputs.prompt),
            (self.metadata, inputs.metadata),
            (self.demographics, inputs.demographics),
            (self.user, inputs.user),
        ]
        tokens = [self.summary.expand(len(inputs.image), -1)]
        tokens += [project(rows) for project, rows in known if project is not None and rows is not None]
        stream = torch.stack(tokens, dim=1)
        for number, layer in enumerate(self.layers, start=1):
            # Only [CLS] is read in the end, so the last layer computes nothing else.
            stream = layer(stream, 1 if number == len(self.layers) else len(tokens), self.dropout, noise)
        score: Tensor = self.head(self.last_norm(stream[:, 0]))[:, 0]
        return score

    @torch.no_grad()
    def _start(self, rng: torch.Generator, user_spread: float) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear):
                # PyTorch's own default for a linear layer.
                bound = module.in_features**-0.5
                module.weight.uniform_(-bound, bound, generator=rng)
                module.bias.uniform_(-bound, bound, generator=rng)
            elif isinstance(module, nn.LayerNorm):
                module.weight.fill_(1)
                module.bias.fill_(0)
            elif isinstance(module, nn.Embedding):
                module.weight.normal_(0, user_spread, generator=rng)
        self.summary.normal_(0, 0.02, generator=rng)


class _Layer(nn.Module):
    """One layer of a transformer encoder; the first `asking` tokens are computed, all are attended to."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(width)
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)
        self.perceptron_norm = nn.LayerNorm(width)
        self.perceptron = _perceptron(width, width, hidden)

    def forward(self, stream: Tensor, asking: int, dropout: float, noise: torch.Generator | None) -> Tensor:
        read = self.attention_norm(stream)
        query = self._by_head(self.query(read[:, :asking]))
        key, value = (self._by_head(part) for part in self.key_value(read).chunk(2, dim=-1))
        attended = functional.scaled_dot_product_attention(query, key, value)
        joined = attended.transpose(1, 2).reshape(len(stream), asking, -1)
        stream = stream[:, :asking] + _dropped(self.out(joined), dropout, noise)
        return stream + _dropped(self.perceptron(self.perceptron_norm(stream)), dropout, noise)

    def _by_head(self, rows: Tensor) -> Tensor:
        return rows.reshape(*rows.shape[:-1], self.heads, -1).transpose(1, 2)


def _perceptron(width: int, out: int, hidden: int | None = None) -> nn.Sequential:
    hidden = hidden or out
    return nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, out))


def _dropped(rows: Tensor, share: float, noise: torch.Generator | None) -> Tensor:
    """Return rows with a share of the numbers set to zero and the others scaled up; without noise, the rows."""
    if noise is None or not share:
        return rows
    kept = torch.empty_like(rows).bernoulli_(1 - share, generator=noise)
    return rows * kept.div_(1 - share)
