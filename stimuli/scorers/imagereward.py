"""ImageReward (Xu et al. 2023, arXiv 2304.05977): how much people like an image for its prompt, by BLIP with a head.

Published with it and kept here: the shorter side scaled to 224 (bicubic), the middle cut out, CLIP's mean and spread; prompts in small
letters, padded and cut to 35 tokens, of which two mark the ends (so of a prompt of 4,000 words about the first 30 words count); the
reward minus 0.167 over 1.033, so that scores of images of 2023's models have mean 0 and standard deviation 1.

Ours differs from the published code (github.com/THUDM/ImageReward, for transformers 4.27) in this:

* keys of the checkpoint are checked one by one; theirs takes what fits;
* images are turned to RGB before they are scaled; theirs scales first, which matters for palettes and transparency alone;
* transparency is laid over white, EXIF turns are made and 16-bit images are scaled; theirs drops, ignores and cuts off;
* padding is hidden by minus infinity where theirs subtracts 10,000, which is the same in 32 bits. Both compute in 32 bits everywhere.
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
from stimuli.machine.hardware import Means, device_named
from stimuli.machine.weights import PUBLISHED, Weights, loading
from stimuli.scorers import Scorer, ScorerSpec, layout, pictures
from stimuli.scorers.checkpoint import Late

if TYPE_CHECKING:
    from stimuli.scorers.imagereward_model import Network, Tower

Array = NDArray[np.float64]

CHECKPOINT, SIZES = "ImageReward.pt", "med_config.json"
WORDS = Weights("imagereward", "google-bert/bert-base-uncased", "main", "Apache-2.0", part="scorer")
WORD_FILES = ("vocab.txt", "tokenizer_config.json")
MEAN, SPREAD = 0.16717362830052426, 1.0333394966054072
_PIXEL_MEAN, _PIXEL_SPREAD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
_BATCH = 32


class ImageReward:
    """The standardised reward for an image given its prompt; usual images score about -2 to 2. `tower` is for smaller checkpoints."""

    def __init__(self, name: str, *, means: Means, tower: "Tower | None" = None) -> None:
        self._folder = means.folder("imagereward")
        version = f"{identity(PUBLISHED['imagereward'], self._folder)} 1"
        self.spec = ScorerSpec(name, version, -2, 2, higher_is_better=True, needs_prompt=True, stand_in=False)
        self._network = Late(partial(_load, self._folder, device=means.device, tower=tower))

    def check(self) -> None:
        """Tell at once what would fail later, without opening weights.

        Raises:
            ExperimentError: a package or a file is missing.
        """
        if find_spec("transformers") is None:
            raise ExperimentError("imagereward: needs the package transformers; install it with `pip install 'tastebench[gpu]'`")
        layout.located(_wanted(large=self._folder is not None), self._folder)

    def score(self, images: Sequence[Image.Image], prompts: Sequence[str]) -> Array:
        """Return the reward of each image for its prompt, shape (images,).

        Raises:
            ExperimentError: an image cannot be scored, or the weights are not here.
        """
        pairs, rows = list(zip(pictures.plain(images), prompts, strict=True)), [np.zeros(0)]
        for start in range(0, len(pairs), _BATCH):
            rows.append(_judged(self._network(), pairs[start : start + _BATCH]))
        return np.concatenate(rows)


def make(name: str, means: Means) -> Scorer:
    """Return the scorer."""
    return ImageReward(name, means=means)


def _wanted(*, large: bool = True) -> list[layout.Published]:
    own = (CHECKPOINT, SIZES) if large else (SIZES,)
    return [layout.Published(PUBLISHED["imagereward"], own), layout.Published(WORDS, WORD_FILES)]


def _load(folder: Path | None, *, device: str, tower: "Tower | None") -> "Network":
    files, where = layout.located(_wanted(), folder), device_named(device)
    weights = PUBLISHED["imagereward"]
    with loading(weights, str(folder or weights.repository)):
        from stimuli.scorers import imagereward_model as model

        return model.load(files, checkpoint=CHECKPOINT, tower=tower or model.Tower(), device=where)


def _judged(network: "Network", pairs: Sequence[tuple[Image.Image, str]]) -> Array:
    import torch

    from stimuli.scorers.imagereward_model import LONGEST

    where = network.image.device
    prompts = [prompt for _, prompt in pairs]
    cut = network.words(prompts, padding="max_length", truncation=True, max_length=LONGEST, return_tensors="pt").to(where)
    pixels = torch.stack([_pixels(image) for image, _ in pairs]).to(where)
    with torch.inference_mode():
        rewards = network.judged(pixels, cut["input_ids"], cut["attention_mask"])
    scaled: Array = ((rewards - MEAN) / SPREAD).double().cpu().numpy()
    return scaled


def _pixels(image: Image.Image) -> Any:
    """Return the middle of an image as the image encoder takes it, shape (3, 224, 224)."""
    import torch

    from stimuli.scorers.imagereward_model import SIDE

    short = min(image.size)
    scaled = image.resize((int(SIDE * image.width / short), int(SIDE * image.height / short)), Image.Resampling.BICUBIC)
    left, top = round((scaled.width - SIDE) / 2), round((scaled.height - SIDE) / 2)
    middle = scaled.crop((left, top, left + SIDE, top + SIDE))
    levels = np.asarray(middle, dtype=np.float32) / 255
    normal = (levels - np.array(_PIXEL_MEAN, dtype=np.float32)) / np.array(_PIXEL_SPREAD, dtype=np.float32)
    return torch.from_numpy(normal.transpose(2, 0, 1).copy())
