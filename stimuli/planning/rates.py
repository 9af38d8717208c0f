"""How long one piece of work takes, and where that figure is from: reckoned from what a model computes, or measured."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Where = Literal["GPU", "CPU", "service"]

# The card that stated figures are for, an H100 or H200: the peak of its dense bf16 arithmetic, the share of it that large
# transformers are assumed to reach, its bandwidth, and the share of that which decoding is assumed to reach.
_PEAK, _REACHED = 989e12, 0.40
_BANDWIDTH, _READ = 4.8e12, 0.5
_ROWS = 8  # answers that a chat model writes at once
# Opening, scaling and packing an image for a model; assumed.
_HANDLING = 0.01
# Of one generated image of 512 pixels, in tokens of a latent patch (16 x 16 pixels) and of its prompt.
_TOKENS, _PROMPT_TOKENS = (512 // 16) ** 2, 512


@dataclass(frozen=True)
class Rate:
    """`seconds` that one image (of a rewriter: one token) takes on one GPU or one core; `source` says how that is known."""

    seconds: float
    where: Where
    source: str

    @property
    def is_measured(self) -> bool:
        """Whether somebody looked at a clock."""
        return self.source.startswith("measured")


def _of_flops(flops: float, what: str) -> Rate:
    seconds = flops / (_PEAK * _REACHED) + _HANDLING
    return Rate(seconds, "GPU", f"stated: {what}, at {_REACHED:.0%} of 989 TFLOP/s")


def _of_model(parameters: float, tokens: int, what: str) -> Rate:
    """Return the rate of one pass: two operations a parameter and token."""
    return _of_flops(2 * parameters * tokens, what)


def _on_cpu(seconds: float) -> Rate:
    return Rate(seconds, "CPU", "measured: one core of a small server")


# What scorers and encoders take for one image: parameters and tokens of the published models.
PASSES: Mapping[str, Rate] = MappingProxyType(
    {
        "hpsv3": _of_model(8.3e9, 400, "8.3 G parameters on 400 tokens"),
        "qalign-quality": _of_model(7.0e9, 130, "7 G parameters on 130 tokens"),
        "qalign-aesthetics": _of_model(7.0e9, 130, "7 G parameters on 130 tokens"),
        "deqa": _of_model(7.0e9, 130, "7 G parameters on 130 tokens"),
        "imagereward": _of_model(0.45e9, 250, "0.45 G parameters on 250 tokens"),
        "laion": _of_model(0.3e9, 257, "0.3 G parameters on 257 tokens"),
        "pickscore": _of_model(0.63e9, 257, "0.63 G parameters on 257 tokens"),
        "siglip2-so400m": _of_model(0.43e9, 729, "0.43 G parameters on 729 tokens"),
        "siglip2-base": _of_model(0.09e9, 196, "0.09 G parameters on 196 tokens"),
        "siglip2-similarity": _of_model(0.43e9, 793, "0.43 G parameters on 793 tokens"),
        "siglip2-base-similarity": _of_model(0.09e9, 260, "0.09 G parameters on 260 tokens"),
        "image-statistics": _on_cpu(0.008),
        "colourful": _on_cpu(0.003),
        "crisp": _on_cpu(0.003),
        "exposure": _on_cpu(0.003),
        "placebo": _on_cpu(0.002),
        "sketch-likeness": _on_cpu(0.005),
    }
)

# What one token of an answer takes, by the bytes of the weights that are read for it.
TOKENS: Mapping[str, Rate] = MappingProxyType(
    {
        "local": Rate(
            16e9 / (_BANDWIDTH * _READ) / _ROWS,
            "GPU",
            f"stated: 16 GB of weights read for {_ROWS} rows at once, at {_READ:.0%} of 4.8 TB/s",
        ),
    }
)

# PFLOP of one image of 512 pixels and how many steps they are for, counted from the networks' shapes.
_DIFFUSION: Mapping[str, tuple[float, int]] = MappingProxyType({"flux2": (4.39, 50), "flux2-klein": (0.046, 4)})


def painting(generator: str, *, size: int, steps: int | None, per_minute: float) -> Rate | None:
    """Return what one image takes, None for a generator that nobody reckoned."""
    if generator == "sketch":
        return Rate(0.0065 * max(size / 256, 0.5) ** 2, "CPU", "measured: one core of a small server, 256 pixels")
    if generator == "nano-banana":
        return Rate(60 / per_minute, "service", f"stated: requests_per_minute = {per_minute:g}")
    if generator not in _DIFFUSION:
        return None
    pflop, usual = _DIFFUSION[generator]
    tokens = ((size / 16) ** 2 + _PROMPT_TOKENS) / (_TOKENS + _PROMPT_TOKENS)
    number = steps or usual
    return _of_flops(pflop * 1e15 * tokens * number / usual, f"{pflop * tokens * number / usual:.3g} PFLOP an image")
