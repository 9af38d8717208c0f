"""Frozen encoders by name, for images and for texts, and the cache that keeps what they have computed."""

from collections.abc import Mapping
from pathlib import Path

from stimuli.encoders.cache import RememberingImages, RememberingTexts
from stimuli.encoders.interface import Encoder, EncoderSpec, Rows, TextEncoder
from stimuli.encoders.statistics import ImageStatistics
from stimuli.encoders.words import WordHash
from stimuli.machine.weights import PUBLISHED
from stimuli.parts import Shelf

WEIGHTS = {name: weights for name, weights in PUBLISHED.items() if weights.part == "encoder"}
_SIGLIP = ("siglip2-so400m", "siglip2-base")

SHELF = Shelf(role="encoder", here=("image-statistics", *_SIGLIP), later={}, instead="image-statistics")
TEXT_SHELF = Shelf(role="text_encoder", here=("none", "word-hash", *_SIGLIP, "minilm", "nemotron-8b"), later={}, instead="word-hash")

__all__ = [
    "SHELF",
    "TEXT_SHELF",
    "WEIGHTS",
    "Encoder",
    "EncoderSpec",
    "ImageStatistics",
    "RememberingImages",
    "RememberingTexts",
    "Rows",
    "TextEncoder",
    "WordHash",
    "make",
    "make_text",
]


def make(name: str, *, folders: Mapping[str, Path] | None = None, device: str = "auto") -> Encoder:
    """Return an image encoder by name; `folders` says where the weights of a name lie, the hub's cache elsewhere.

    Raises:
        UnknownPartError: the name is unknown.
        ExperimentError: its weights are not here.
    """
    if name == "image-statistics":
        return ImageStatistics()
    if name in _SIGLIP:
        from stimuli.encoders import siglip

        return siglip.SigLipImages(siglip.load(WEIGHTS[name], (folders or {}).get(name), device=device))
    raise SHELF.refusal(name)


def make_text(name: str, *, folders: Mapping[str, Path] | None = None, device: str = "auto") -> TextEncoder | None:
    """Return a text encoder by name, None for "none".

    Raises:
        UnknownPartError: the name is unknown.
        ExperimentError: its weights are not here.
    """
    folder = (folders or {}).get(name)
    if name == "none":
        return None
    if name == "word-hash":
        return WordHash()
    if name in _SIGLIP:
        from stimuli.encoders import siglip

        return siglip.SigLipTexts(siglip.load(WEIGHTS[name], folder, device=device))
    from stimuli.encoders import language

    if name == "minilm":
        return language.SentenceModel(WEIGHTS[name], folder, device=device)
    if name == "nemotron-8b":
        return language.MeanPooled(WEIGHTS[name], folder, device=device)
    raise TEXT_SHELF.refusal(name)
