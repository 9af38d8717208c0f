"""What this machine offers for making stimuli, and what to do about each lack."""

import importlib.util
import os
import platform
import shutil
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One line of `tastebench doctor`: `state` is "ready", "optional" (not there, and not needed offline) or "lacking"."""

    part: str
    state: Literal["ready", "optional", "lacking"]
    found: str
    advice: str = ""


@dataclass(frozen=True)
class Weights:
    """A published model that a real study loads, and what to know before downloading it."""

    role: str
    repository: str
    note: str


# Sizes are of the parameters in bf16; FLUX.2-dev is its transformer and its text encoder together.
WEIGHTS = (
    Weights("generator flux2", "black-forest-labs/FLUX.2-dev", "105 GiB, non-commercial, accept its terms first"),
    Weights("rewriter local", "meta-llama/Llama-3.1-8B-Instruct", "15 GiB, accept its terms first"),
    Weights("scorer hpsv3", "MizzenAI/HPSv3", "14 GiB"),
    Weights("scorer qalign", "q-future/one-align", "read its licence first"),
    Weights("encoder siglip2-so400m", "google/siglip2-so400m-patch14-384", "read its licence first"),
)

_EXTRAS = {
    "gpu": ("diffusers", "transformers", "accelerate", "safetensors"),
    "cluster": ("ray",),
    "postgres": ("psycopg",),
}


def findings(*, folder: Path) -> list[Finding]:
    """Return what is here: Python, packages, extras, GPU, weights, and room on the disk of `folder`."""
    return [_python(), _toolkit(), *map(_extra, _EXTRAS), _gpu(), *map(_weights, WEIGHTS), _disk(folder)]


def _python() -> Finding:
    return Finding("Python", "ready", platform.python_version())


def _toolkit() -> Finding:
    return Finding("tastebench", "ready", metadata.version("tastebench"))


def _extra(name: str) -> Finding:
    missing = [package for package in _EXTRAS[name] if importlib.util.find_spec(package) is None]
    if missing:
        return Finding(
            f"extra [{name}]", "optional", f"without {', '.join(missing)}", f"a later version uses it: pip install --editable '.[{name}]'"
        )
    return Finding(f"extra [{name}]", "ready", ", ".join(_EXTRAS[name]))


def _gpu() -> Finding:
    import torch

    if not torch.cuda.is_available():
        return Finding("GPU", "optional", "none that PyTorch can use", 'the offline painter needs none: generator = "sketch"')
    card = torch.cuda.get_device_properties(0)
    return Finding("GPU", "ready", f"{torch.cuda.device_count()} × {card.name}, {card.total_memory / 2**30:.0f} GiB")


def _weights(weights: Weights) -> Finding:
    cache = Path(os.environ.get("HF_HUB_CACHE") or Path(os.environ.get("HF_HOME") or Path.home() / ".cache/huggingface") / "hub")
    snapshots = cache / f"models--{weights.repository.replace('/', '--')}" / "snapshots"
    if snapshots.is_dir() and any(snapshots.iterdir()):
        return Finding(weights.role, "ready", f"{weights.repository} in {cache}")
    return Finding(
        weights.role, "optional", f"no {weights.repository}", f"a later version loads it ({weights.note}): hf download {weights.repository}"
    )


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free / 2**30
    if free < 1:
        return Finding("disk", "lacking", f"{free:.2f} GiB free at {folder}", "make room: a quickstart needs about 0.2 GiB")
    return Finding("disk", "ready", f"{free:.0f} GiB free at {folder}")
