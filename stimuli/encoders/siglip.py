"""SigLIP 2 (Tschannen et al. 2025), frozen: images and prompts as rows of length one in one space."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from stimuli.encoders.interface import EncoderSpec, Rows
from stimuli.machine.hardware import device_named, precision_on
from stimuli.machine.weights import Weights, complete, loading, source_of

_BATCH = 32
# The text tower pools the last position, so every text must be padded to the length it was trained with.
_LONGEST = 64


@dataclass(frozen=True)
class Towers:
    """A loaded checkpoint: the model with both towers, what prepares images, what cuts texts, and where it runs."""

    weights: Weights
    model: Any
    images: Any
    texts: Any
    version: str


def load(weights: Weights, folder: Path | None = None, *, device: str = "auto") -> Towers:
    """Return a checkpoint of SigLIP (fixed resolution) or SigLIP 2 NaFlex; its config says which.

    Raises:
        ExperimentError: the weights are not here, or no such model.
    """
    source, where = source_of(weights, folder), device_named(device)
    with loading(weights, source):
        from transformers import AutoImageProcessor, AutoModel, AutoTokenizer

        revision: dict[str, Any] = {} if folder else {"revision": weights.revision}
        model, loaded = AutoModel.from_pretrained(source, dtype=precision_on(where), output_loading_info=True, **revision)
        if not hasattr(model, "get_image_features"):
            raise ValueError(f"it is a {type(model).__name__}, and a model with an image and a text tower was expected")
        complete(model, loaded)
        prepare: Any = AutoImageProcessor
        images = prepare.from_pretrained(source, backend="pil", **revision)
        texts = AutoTokenizer.from_pretrained(source, **revision)
    version = f"{weights.repository}@{folder.name if folder else weights.revision} {precision_on(where)} unit length"
    return Towers(weights, model.to(where).eval(), images, texts, version)


class SigLipImages:
    """The image tower: pooled features, scaled to length one."""

    def __init__(self, towers: Towers) -> None:
        self._towers = towers
        width = int(towers.model.config.vision_config.hidden_size)
        self.spec = EncoderSpec(towers.weights.name, towers.version, stand_in=False, width=width)

    def encode(self, images: Sequence[Image.Image]) -> Rows:
        """Return features, shape (images, width)."""
        import torch

        towers, rows = self._towers, [np.zeros((0, self.spec.width), dtype=np.float32)]
        with torch.inference_mode():
            for start in range(0, len(images), _BATCH):
                batch = [image.convert("RGB") for image in images[start : start + _BATCH]]
                given = towers.images(images=batch, return_tensors="pt").to(towers.model.device)
                if given["pixel_values"].is_floating_point():
                    given["pixel_values"] = given["pixel_values"].to(towers.model.dtype)
                rows.append(_unit(towers.model.get_image_features(**given)))
        return np.concatenate(rows)


class SigLipTexts:
    """The text tower: pooled features of prompts, padded to 64 tokens and cut there, scaled to length one."""

    def __init__(self, towers: Towers) -> None:
        self._towers = towers
        width = int(towers.model.config.text_config.projection_size)
        self.spec = EncoderSpec(f"{towers.weights.name}-text", towers.version, stand_in=False, width=width)

    def encode(self, texts: Sequence[str]) -> Rows:
        """Return features, shape (texts, width)."""
        import torch

        towers, rows = self._towers, [np.zeros((0, self.spec.width), dtype=np.float32)]
        with torch.inference_mode():
            for start in range(0, len(texts), _BATCH):
                batch = list(texts[start : start + _BATCH])
                cut = towers.texts(batch, padding="max_length", max_length=_LONGEST, truncation=True, return_tensors="pt")
                rows.append(_unit(towers.model.get_text_features(input_ids=cut["input_ids"].to(towers.model.device))))
        return np.concatenate(rows)


def _unit(found: Any) -> Rows:
    """Return the pooled rows of a model's answer, of length one."""
    rows = getattr(found, "pooler_output", found).float()
    return np.asarray((rows / rows.norm(dim=-1, keepdim=True)).cpu().numpy(), dtype=np.float32)
