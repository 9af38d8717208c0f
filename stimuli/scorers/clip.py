"""Two scorers on CLIP (Radford et al. 2021): LAION's aesthetic predictor, and PickScore (Kirstain et al. 2023, arXiv 2305.01569).

Ours differs from the published code in this: CLIP comes in transformers' class, also for LAION, whose code took OpenAI's; 16-bit numbers
are bfloat16 and not float16; the linear layers and the cosine are computed in 32 bits; transparency is laid over white.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stimuli.experiment import ExperimentError
from stimuli.machine.downloads import identity
from stimuli.machine.hardware import Means, device_named, precision_on
from stimuli.machine.weights import PUBLISHED, Weights, loading
from stimuli.scorers import Scorer, ScorerSpec, checkpoint, pictures

Array = NDArray[np.float64]

# The linear layers are one file of a repository on GitHub, which the hub does not have.
HEAD = "sac+logos+ava1-l14-linearMSE.pth"
HEAD_FROM = "https://github.com/christophschuhmann/improved-aesthetic-predictor"
_BATCH = 64
_LONGEST = 77


@dataclass(frozen=True)
class Clip:
    """A loaded CLIP: both towers, what prepares images, what cuts texts."""

    model: Any
    images: Any
    texts: Any

    def seen(self, images: Sequence[Image.Image]) -> Any:
        """Return the images' features of length one, in 32 bits, shape (images, width)."""
        given = self.images(images=list(images), return_tensors="pt")["pixel_values"].to(self.model.device, self.model.dtype)
        return _unit(self.model.get_image_features(pixel_values=given))

    def read(self, texts: Sequence[str]) -> Any:
        """Return the texts' features of length one, in 32 bits, shape (texts, width); texts are cut at 77 tokens."""
        cut = self.texts(list(texts), padding=True, truncation=True, max_length=_LONGEST, return_tensors="pt").to(self.model.device)
        return _unit(self.model.get_text_features(input_ids=cut["input_ids"], attention_mask=cut["attention_mask"]))


class Laion:
    """How much people like the look of an image, 1 to 10: five linear layers without anything between them on CLIP's image features."""

    def __init__(self, name: str, *, means: Means) -> None:
        self._weights, self._folder = PUBLISHED["laion"], means.folder("laion")
        version = f"{identity(self._weights, self._folder)} {HEAD} 1"
        self.spec = ScorerSpec(name, version, 1, 10, higher_is_better=True, needs_prompt=False, stand_in=False)
        self._judge = checkpoint.Late(partial(_load_laion, self._weights, self._folder, device=means.device))

    def check(self) -> None:
        """Tell at once what would fail later.

        Raises:
            ExperimentError: a package or a file is missing.
        """
        checkpoint.check(self._weights, _clip_in(_with_head(self._folder)))

    def score(self, images: Sequence[Image.Image], prompts: Sequence[str]) -> Array:
        """Return the predicted rating of each image, shape (images,)."""
        del prompts
        import torch

        ready, rows = pictures.plain(images), [np.zeros(0)]
        with torch.inference_mode():
            for start in range(0, len(ready), _BATCH):
                clip, layers = self._judge()
                rows.append(layers(clip.seen(ready[start : start + _BATCH]))[:, 0].double().cpu().numpy())
        return np.concatenate(rows)


class PickScore:
    """How likely people are to prefer an image for its prompt: 100 (CLIP-H's learnt scale) times the cosine of the two."""

    def __init__(self, name: str, *, means: Means) -> None:
        self._weights, self._folder = PUBLISHED["pickscore"], means.folder("pickscore")
        version = f"{identity(self._weights, self._folder)} 1"
        self.spec = ScorerSpec(name, version, 15, 30, higher_is_better=True, needs_prompt=True, stand_in=False)
        self._clip = checkpoint.Late(partial(load, self._weights, self._folder, device=means.device))

    def check(self) -> None:
        """Tell at once what would fail later.

        Raises:
            ExperimentError: a package or a file is missing.
        """
        checkpoint.check(self._weights, self._folder)

    def score(self, images: Sequence[Image.Image], prompts: Sequence[str]) -> Array:
        """Return the preference for each image given its prompt, shape (images,); of long prompts the first 77 tokens count."""
        import torch

        pairs, rows = list(zip(pictures.plain(images), prompts, strict=True)), [np.zeros(0)]
        with torch.inference_mode():
            for start in range(0, len(pairs), _BATCH):
                seen, asked = zip(*pairs[start : start + _BATCH], strict=True)
                clip, texts = self._clip(), list(dict.fromkeys(asked))
                wanted = clip.read(texts)[[texts.index(prompt) for prompt in asked]]
                cosine = (clip.seen(seen) * wanted).sum(dim=-1)
                rows.append((clip.model.logit_scale.float().exp() * cosine).double().cpu().numpy())
        return np.concatenate(rows)


def make(name: str, means: Means) -> Scorer:
    """Return the scorer of this name."""
    return Laion(name, means=means) if name == "laion" else PickScore(name, means=means)


def load(weights: Weights, folder: Path | None, *, device: str) -> Clip:
    """Return a CLIP with all of its weights.

    Raises:
        ExperimentError: the weights are not here, or not those of a CLIP.
    """
    where, here = device_named(device), checkpoint.fetched(weights, folder, files=("preprocessor_config.json", "tokenizer_config.json"))
    with loading(weights, str(here)):
        from transformers import AutoImageProcessor, AutoTokenizer, CLIPModel

        kind = checkpoint.configuration(here).get("model_type")
        if kind != "clip":
            raise ValueError(f"it is a {kind}, and a clip was expected")
        loader: Any = CLIPModel.from_pretrained
        model, loaded = loader(here, dtype=precision_on(where), output_loading_info=True, ignore_mismatched_sizes=True)
        _complain(loaded)
        prepare: Any = AutoImageProcessor
        return Clip(model.to(where).eval(), prepare.from_pretrained(here, backend="pil"), AutoTokenizer.from_pretrained(here))


def _complain(loaded: Mapping[str, Any]) -> None:
    """Refuse what a loader has filled up, left out or cut; the numbers of positions, which older checkpoints hold, are no weights.

    Raises:
        ValueError: it did.
    """
    surplus = sorted(key for key in loaded["unexpected_keys"] if not key.endswith("embeddings.position_ids"))
    for key, found, wanted in sorted(loaded["mismatched_keys"]):
        raise ValueError(f"{key} has shape {tuple(found)}, and {tuple(wanted)} was expected")
    checkpoint.complain(sorted(loaded["missing_keys"]), surplus, "CLIPModel")


def _load_laion(weights: Weights, folder: Path | None, *, device: str) -> tuple[Clip, Any]:
    head = _with_head(folder)
    clip = load(weights, _clip_in(head), device=device)
    with loading(weights, str(head)):
        import torch

        layers = _layers(int(clip.model.config.projection_dim))
        checkpoint.put(layers, checkpoint.pickled(head / HEAD).items(), device=clip.model.device, dtype=torch.float32)
        return clip, layers.layers.eval()


def _layers(width: int) -> Any:
    """Return the linear layers, without weights, at the places they had in training, when dropout stood after the first three."""
    import torch
    from torch import nn

    class LinearLayers(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.Sequential()
            for place, (before, after) in zip((0, 2, 4, 6, 7), pairwise((width, 1024, 128, 64, 16, 1)), strict=True):
                self.layers.add_module(str(place), nn.Linear(before, after))

    with torch.device("meta"):
        return LinearLayers()


def _with_head(folder: Path | None) -> Path:
    """Return the folder that holds the linear layers.

    Raises:
        ExperimentError: there is none.
    """
    if folder is None or not (folder / HEAD).is_file():
        found = "no folder is named" if folder is None else f"{folder} does not hold it"
        raise ExperimentError(
            f"laion: the file {HEAD} is needed, and {found}; download it from {HEAD_FROM} into a folder, "
            'name that folder as "laion" in [stimuli.weights], and put CLIP (hf download openai/clip-vit-large-patch14) there too, '
            "or leave CLIP to the hub's cache"
        )
    return folder


def _clip_in(folder: Path) -> Path | None:
    """Return the folder if it holds CLIP too, None for the hub's cache."""
    return folder if (folder / "config.json").is_file() else None


def _unit(found: Any) -> Any:
    rows = found.pooler_output.float()
    return rows / rows.norm(dim=-1, keepdim=True)
