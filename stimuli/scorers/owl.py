"""Q-Align (Wu et al. 2023, arXiv 2312.17090) and DeQA-Score (You et al. 2025, arXiv 2501.11561): an owl is asked how good an image is.

Ours differs from the published code in this: `owl_network.py`'s points; 16-bit numbers are bfloat16 and not float16; the softmax and
the mean are computed in 32 bits; SentencePiece is called directly (the published code cuts text with the slow LLaMA tokenizer, which
does nothing else here); transparency is laid over white, and sides beyond 4096 pixels are shrunk before padding.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stimuli.machine.downloads import identity
from stimuli.machine.hardware import Means, device_named, precision_on
from stimuli.machine.weights import PUBLISHED, Weights, loading
from stimuli.scorers import Scorer, ScorerSpec, checkpoint, pictures

Array = NDArray[np.float64]

_MEAN = (0.48145466, 0.4578275, 0.40821073)
_SPREAD = (0.26862954, 0.26130258, 0.27577711)
_LEVELS = ("excellent", "good", "fair", "poor", "bad")
_WORDS = "tokenizer.model"
_WORTH = (5.0, 4.0, 3.0, 2.0, 1.0)
# The padding of the published code: the mean, cut and not rounded to whole levels.
_GREY = (122, 116, 104)


@dataclass(frozen=True)
class Judge:
    """A loaded owl: the network, the words around the image, and the tokens of the five levels."""

    network: Any
    before: Any
    after: Any
    levels: list[int]


class Owl:
    """How good an image is, from 1 (bad) to 5 (excellent): the mean level by the probability of each word as the next one."""

    def __init__(self, name: str, weights: Weights, *, aspect: str, means: Means) -> None:
        self._weights, self._folder = weights, means.folder(weights.name)
        self.spec = ScorerSpec(name, f"{identity(weights, self._folder)} {aspect} 1", 1, 5, True, False, False)
        self._judge = checkpoint.Late(partial(load, weights, self._folder, aspect=aspect, device=means.device))

    def check(self) -> None:
        """Tell at once what would fail later.

        Raises:
            ExperimentError: a package or a file is missing.
        """
        checkpoint.check(self._weights, self._folder, files=(_WORDS,), packages=("sentencepiece", "safetensors"))

    def score(self, images: Sequence[Image.Image], prompts: Sequence[str]) -> Array:
        """Return the mean level of each image, 1 to 5, shape (images,)."""
        del prompts
        if not images:
            return np.zeros(0)
        import torch

        ready, judge = pictures.plain(images), self._judge()
        weight = judge.network.lm_head.weight
        with torch.inference_mode():
            pixels = torch.stack([_pixels(image, judge.network.given.side) for image in ready]).to(weight.device, weight.dtype)
            chances = judge.network(pixels, judge.before, judge.after)[:, judge.levels].float().softmax(dim=-1)
            scores: Array = (chances.double().cpu() @ torch.tensor(_WORTH, dtype=torch.float64)).numpy()
        return scores


def make(name: str, means: Means) -> Scorer:
    """Return DeQA-Score, which was trained on people's distributions of ratings of quality, or Q-Align's OneAlign for one aspect."""
    aspect = "aesthetics" if name.endswith("-aesthetics") else "quality"
    return Owl(name, PUBLISHED["deqa" if name == "deqa" else "qalign"], aspect=aspect, means=means)


def load(weights: Weights, folder: Path | None, *, aspect: str, device: str) -> Judge:
    """Return the network with its weights and the question.

    Raises:
        ExperimentError: the weights are not here, or not those of an mPLUG-Owl2.
    """
    where, here = device_named(device), checkpoint.fetched(weights, folder, files=(_WORDS,))
    with loading(weights, str(here)):
        import torch
        from sentencepiece import SentencePieceProcessor

        from stimuli.scorers.owl_network import Owl as Network
        from stimuli.scorers.owl_network import sizes

        config = checkpoint.configuration(here)
        with torch.device("meta"):
            network = Network(sizes(config))
        # Older versions of transformers stored the tables of the rotary embedding; they follow from config.json.
        checkpoint.fill(network, here, device=where, dtype=precision_on(where), spare="rotary_emb.inv_freq")
        cutter = SentencePieceProcessor(model_file=str(here / _WORDS))
        question = f"USER: How would you rate the {aspect} of this image?\n", f"\nASSISTANT: The {aspect} of the image is"
        before, after = (
            torch.tensor(ids, device=where) for ids in ([cutter.bos_id(), *cutter.encode(question[0])], cutter.encode(question[1]))
        )
        return Judge(network.eval(), before, after, _first_tokens(cutter))


def _first_tokens(cutter: Any) -> list[int]:
    levels = [cutter.encode(word)[0] for word in _LEVELS]
    if len(set(levels)) < len(levels):
        raise ValueError(f"its tokenizer begins two of the words {', '.join(_LEVELS)} alike")
    return levels


def _pixels(image: Image.Image, side: int) -> Any:
    """Return an image as the visual model takes it, shape (3, side, side)."""
    import torch

    square = pictures.padded(image, _GREY).resize((side, side), Image.Resampling.BICUBIC)
    levels = (np.asarray(square, dtype=np.float32) / 255 - np.array(_MEAN, dtype=np.float32)) / np.array(_SPREAD, dtype=np.float32)
    return torch.from_numpy(levels.transpose(2, 0, 1).copy())
