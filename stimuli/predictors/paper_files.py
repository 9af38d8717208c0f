"""The paper's model on disk: weights as safetensors, and beside them, written last, JSON that says what they are."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from stimuli.experiment import ExperimentError, write_whole
from stimuli.machine.hardware import device_named
from stimuli.predictors.paper import Known, Newcomer, PaperPredictor
from stimuli.predictors.paper_network import FusionNetwork, Shape
from stimuli.predictors.paper_scales import Scale, Scales, Source
from stimuli.predictors.paper_settings import PaperModel
from stimuli.predictors.paper_tensors import read_tensors, write_tensors
from stimuli.predictors.paper_training import Epoch
from stimuli.provenance import Provenance, sha256

VERSION = "paper model 1"
_INPUTS = ("image", "prompt", "metadata", "demographics")
_PACKAGES = ("numpy", "safetensors", "tastebench", "torch")


def record_of(path: Path) -> Path:
    """Return the JSON that belongs to the weights at `path`."""
    return path.with_suffix(".json")


def save(path: Path, predictor: PaperPredictor, *, provenance: Provenance | None = None) -> None:
    """Write a predictor, the people it was adapted to included, as `path` (safetensors) and a JSON beside it.

    Raises:
        ExperimentError: the package safetensors is missing, or the files cannot be written.
    """
    record_of(path).unlink(missing_ok=True)
    write_tensors(path, _tensors(predictor), VERSION)
    record = {
        "version": VERSION,
        "weights_sha256": sha256(path),
        "encoder": predictor.encoder,
        "settings": asdict(predictor.settings),
        "shape": asdict(predictor.network.shape),
        "seed": predictor.seed,
        "residual_deviation": None if np.isnan(predictor.residual_deviation) else predictor.residual_deviation,
        "history": [asdict(epoch) for epoch in predictor.history],
        "sources": [asdict(source) for source in predictor.sources],
        "packages": {name: metadata.version(name) for name in _PACKAGES},
        "provenance": None if provenance is None else asdict(provenance),
        "users": predictor.known.users,
        "newcomers": list(predictor.newcomers),
    }
    write_whole(record_of(path), (json.dumps(record, indent=2, ensure_ascii=False) + "\n").encode())


def load(path: Path, *, device: str = "auto") -> PaperPredictor:
    """Return the predictor at `path`; every tensor must be there, of the right size, and no other.

    Raises:
        ExperimentError: a file is missing or damaged, the two do not belong together, or the version is another.
    """
    tensors, _ = read_tensors(path)
    record = _record(path)
    try:
        predictor = _predictor(record, tensors)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ExperimentError(f"{path}: the weights do not fit {record_of(path).name} ({first}); train the paper's model again") from error
    predictor.network.to(device_named(device))
    return predictor


def _record(path: Path) -> Mapping[str, Any]:
    file = record_of(path)
    if not file.is_file():
        raise ExperimentError(f"{file}: no such file; it is written after the weights, so they may be unfinished. Train the model again")
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        version, expected = record["version"], record["weights_sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise ExperimentError(f"{file}: not the record of a model ({error}); train the paper's model again") from error
    if version != VERSION:
        raise ExperimentError(f'{file}: found the version "{version}", expected "{VERSION}"; train the paper\'s model again')
    if sha256(path) != expected:
        raise ExperimentError(f"{path}: not the weights that {file.name} was written for; put back the file, or train the model again")
    found: Mapping[str, Any] = record
    return found


def _tensors(predictor: PaperPredictor) -> dict[str, Tensor]:
    tensors = {f"network.{name}": value for name, value in predictor.network.state_dict().items()}
    for name in _INPUTS:
        scale = getattr(predictor.scales, name)
        if scale is not None:
            tensors |= {f"{name}.centre": torch.from_numpy(scale.centre), f"{name}.size": torch.tensor(scale.size, dtype=torch.float64)}
    tensors |= {"known.profiles": torch.from_numpy(predictor.known.profiles), "known.source": torch.from_numpy(predictor.known.source)}
    if predictor.known.demographics is not None:
        tensors["known.demographics"] = torch.from_numpy(predictor.known.demographics)
    for number, newcomer in enumerate(predictor.newcomers.values()):
        for part, row in vars(newcomer).items():
            if row is not None:
                tensors[f"newcomer.{number}.{part}"] = torch.from_numpy(row)
    return tensors


def _predictor(record: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> PaperPredictor:
    rest = dict(tensors)

    def take(name: str) -> Any:
        tensor = rest.pop(name, None)
        return None if tensor is None else tensor.numpy()

    def scale(name: str) -> Scale | None:
        centre, size = take(f"{name}.centre"), take(f"{name}.size")
        return None if centre is None else Scale(centre, float(size))

    settings, shape = PaperModel(**record["settings"]), Shape(**record["shape"])
    network = FusionNetwork(shape, settings, seed=record["seed"])
    own = [name for name in rest if name.startswith("network.")]
    network.load_state_dict({name.removeprefix("network."): rest.pop(name) for name in own}, strict=True)
    scales = {name: scale(name) for name in _INPUTS}
    widths = {name: 0 if found is None else len(found.centre) for name, found in scales.items()}
    image = scales["image"]
    if image is None or widths != {name: getattr(shape, name) for name in _INPUTS}:
        raise ValueError(f"scales of the widths {widths}")
    users = tuple(record["users"])
    known = Known(users, take("known.demographics"), take("known.profiles"), take("known.source"))
    newcomers = {
        name: Newcomer(take(f"newcomer.{number}.embedding"), take(f"newcomer.{number}.demographics"))
        for number, name in enumerate(record["newcomers"])
    }
    if rest:
        raise ValueError(f"unexpected {min(rest)}")
    if not len(users) == len(known.profiles) == len(known.source):
        raise ValueError(f"{len(users)} users and {len(known.profiles)} profiles")
    deviation = float("nan") if record["residual_deviation"] is None else float(record["residual_deviation"])
    network.requires_grad_(False)
    return PaperPredictor(
        settings=settings,
        encoder=record["encoder"],
        network=network,
        scales=Scales(image, scales["prompt"], scales["metadata"], scales["demographics"]),
        known=known,
        sources=tuple(Source(**source) for source in record["sources"]),
        residual_deviation=deviation,
        newcomers=MappingProxyType(newcomers),
        history=tuple(Epoch(**epoch) for epoch in record["history"]),
        seed=record["seed"],
    )
