"""HPSv3 (Ma et al. 2025, arXiv 2508.03789): how much people prefer an image for its prompt, judged by a vision-language model.

The score is μ, the first of the head's two outputs. Published with it and kept here: the instruction around the prompt
(`hpsv3_format`), images of at most 256 · 28 · 28 pixels with sides that are multiples of 28, padding on the right, positions that count
plainly along the row, and rotary frequencies rounded to bfloat16 (the published code casts the whole model, buffers included).
Prompts are not cut, however long; the published code does not cut them either. The context ends at 32,768 tokens.

Ours differs from the published code (github.com/MizzenAI/HPSv3, for transformers 4.45) in this:

* the language head, which has no part in the score, is checked and not loaded (1.1 GB);
* a prompt's own "<|" is written "< |", so that no prompt can hold a token of the format; theirs fails on such a prompt;
* transparency is laid over white, EXIF turns are made and 16-bit images are scaled; theirs drops, ignores and cuts off;
* on a CPU it computes in 32 bits, where theirs would use bfloat16.
"""

from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stimuli.experiment import ExperimentError
from stimuli.machine.downloads import identity
from stimuli.machine.hardware import Means, device_named, precision_on
from stimuli.machine.weights import PUBLISHED, Weights, loading
from stimuli.scorers import Scorer, ScorerSpec, layout, pictures
from stimuli.scorers.checkpoint import Late
from stimuli.scorers.hpsv3_format import AFTER, BEFORE, IMAGE, INSTRUCTION

if TYPE_CHECKING:
    from stimuli.scorers.hpsv3_model import Network

Array = NDArray[np.float64]

CHECKPOINT = "HPSv3.safetensors"
BASE = Weights("hpsv3", "Qwen/Qwen2-VL-7B-Instruct", "main", "Apache-2.0", part="scorer")
BASE_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json")
PIXELS = 256 * 28 * 28
_LONGEST = 32_768
_BATCH = 16


class HPSv3:
    """μ of the preference for an image given its prompt; usual images score about 0 to 12, and below 0 when they are poor."""

    def __init__(self, name: str, *, means: Means) -> None:
        self._folder = means.folder("hpsv3")
        version = f"{identity(PUBLISHED['hpsv3'], self._folder)} 1"
        self.spec = ScorerSpec(name, version, 0, 12, higher_is_better=True, needs_prompt=True, stand_in=False)
        self._network = Late(partial(_load, self._folder, device=means.device))

    def check(self) -> None:
        """Tell at once what would fail later, without opening weights.

        Raises:
            ExperimentError: a package or a file is missing.
        """
        for package in ("transformers", "safetensors"):
            if find_spec(package) is None:
                raise ExperimentError(f"hpsv3: needs the package {package}; install it with `pip install 'tastebench[gpu]'`")
        layout.located(_wanted(large=self._folder is not None), self._folder)

    def score(self, images: Sequence[Image.Image], prompts: Sequence[str]) -> Array:
        """Return the score of each image for its prompt, shape (images,).

        Raises:
            ExperimentError: an image cannot be scored, a prompt is longer than the context, or the weights are not here.
        """
        pairs, rows = list(zip(pictures.plain(images), prompts, strict=True)), [np.zeros(0)]
        for start in range(0, len(pairs), _BATCH):
            rows.append(_judged(self._network(), pairs[start : start + _BATCH]))
        return np.concatenate(rows)


def make(name: str, means: Means) -> Scorer:
    """Return the scorer."""
    return HPSv3(name, means=means)


def _wanted(*, large: bool = True) -> list[layout.Published]:
    base = layout.Published(BASE, BASE_FILES)
    return [layout.Published(PUBLISHED["hpsv3"], (CHECKPOINT,)), base] if large else [base]


def _load(folder: Path | None, *, device: str) -> "Network":
    files, where = layout.located(_wanted(), folder), device_named(device)
    weights = PUBLISHED["hpsv3"]
    with loading(weights, str(folder or weights.repository)):
        from stimuli.scorers import hpsv3_model

        return hpsv3_model.load(files, checkpoint=CHECKPOINT, device=where, dtype=precision_on(where))


def _judged(network: "Network", pairs: Sequence[tuple[Image.Image, str]]) -> Array:
    """Return μ for a batch of images with their prompts."""
    import torch

    where = network.backbone.device
    cut = network.images(images=[_fitted(image) for image, _ in pairs], return_tensors="pt")
    slots = (cut["image_grid_thw"].prod(dim=-1) // network.images.merge_size**2).tolist()
    told = [asked(prompt, slots=count) for (_, prompt), count in zip(pairs, slots, strict=True)]
    tokens = network.texts(told, padding=True, return_tensors="pt").to(where)
    if tokens["input_ids"].shape[1] > _LONGEST:
        longest = max((prompt for _, prompt in pairs), key=len)
        raise ExperimentError(
            f'hpsv3: the prompt "{longest[:60]}…" has {len(longest)} characters, too many for a context of {_LONGEST} tokens; shorten it'
        )
    with torch.inference_mode():
        rated = network.judged(
            tokens["input_ids"], tokens["attention_mask"], cut["pixel_values"].to(where), cut["image_grid_thw"].to(where)
        )
    mu: Array = rated[:, 0].double().cpu().numpy()
    return mu


def asked(prompt: str, *, slots: int) -> str:
    """Return the text that the model reads for a prompt and an image of this many tokens."""
    return f"{BEFORE}{IMAGE * slots}{INSTRUCTION}{prompt.replace('<|', '< |')}{AFTER}"


def _fitted(image: Image.Image) -> Any:
    """Return the image at the size that the model reads: at most 256 · 28 · 28 pixels, sides multiples of 28.

    Raises:
        ExperimentError: it is more than 200 times as long as wide.
    """
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize

    try:
        height, width = smart_resize(image.height, image.width, min_pixels=PIXELS, max_pixels=PIXELS)
    except ValueError as error:
        raise ExperimentError(f"hpsv3: an image has {image.width} x {image.height} pixels, too narrow to judge; crop it") from error
    return image.resize((width, height), Image.Resampling.BICUBIC)
