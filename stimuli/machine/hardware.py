"""Where tensors live: the device and the number format that a model runs in on this machine."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from stimuli.experiment import ExperimentError

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Means:
    """What a learned part runs on: the device's name, and the folder of the weights of each name that are not in the hub's cache."""

    device: str = "auto"
    folders: Mapping[str, Path] = field(default_factory=dict)

    def folder(self, name: str) -> Path | None:
        """Return the folder of the weights of this name, None for the hub's cache."""
        return self.folders.get(name)


def device_named(name: str = "auto") -> "torch.device":
    """Return a device by name; "auto" is the first CUDA GPU, else the CPU.

    Raises:
        ExperimentError: a GPU is asked for where PyTorch sees none.
    """
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise ExperimentError(f'device "{name}": PyTorch {torch.__version__} sees no GPU here; use "cpu", or see `tastebench doctor`')
    return torch.device(name)


def precision_on(device: "torch.device") -> "torch.dtype":
    """Return bfloat16 on a GPU, where it halves memory and time, and float32 on a CPU, where it is often slower."""
    import torch

    return torch.bfloat16 if device.type == "cuda" else torch.float32
