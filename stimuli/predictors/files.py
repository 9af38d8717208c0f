"""A fitted `BayesTaste` as one .npz file, without pickle; equal predictors give equal bytes. A network in its base lies beside it."""

import io
import json
import zipfile
from dataclasses import asdict, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from stimuli.experiment import ExperimentError, write_whole
from stimuli.predictors.base import Base
from stimuli.predictors.base_choice import BaseChoice, Opinion
from stimuli.predictors.bayes import BayesTaste
from stimuli.predictors.components import Components
from stimuli.predictors.tastes import Prior, Taste
from stimuli.provenance import sha256

VERSION = "bayes-taste 2"


def network_files(path: Path) -> tuple[Path, Path]:
    """Return where the network in the base of the predictor at `path` is kept: its weights, and the JSON that belongs to them."""
    weights = path.with_name(f"{path.stem}-network.safetensors")
    return weights, weights.with_suffix(".json")


def save(path: Path, predictor: BayesTaste) -> None:
    """Write a predictor, and before it the network in its base where there is one."""
    line, network = _saved_network(path, predictor.opinion)
    arrays = {
        "choice": np.array("" if predictor.choice is None else json.dumps(asdict(predictor.choice))),
        "network": np.array(network),
        "line": np.array(line),
        "version": np.array(VERSION),
        "encoder": np.array(predictor.encoder),
        "components": np.array(predictor.components),
        "groups": np.array(predictor.base.groups, dtype=np.str_),
        "curved": np.array(predictor.base.curved),
        "coefficients": predictor.base.coefficients,
        "has_text": np.array(predictor.base.text is not None),
        "average": predictor.prior.average,
        "effect": predictor.prior.effect,
        "centre": predictor.prior.centre,
        "spread": predictor.prior.spread,
        "unasked": predictor.prior.unasked,
        "noise": np.array(predictor.prior.noise),
        "users": np.array(predictor.users, dtype=np.str_),
        "means": np.array([taste.mean for taste in predictor.tastes.values()]),
        "covariances": np.array([taste.covariance for taste in predictor.tastes.values()]),
    }
    parts = {"taste": predictor.image, "image": predictor.base.image} | ({"text": predictor.base.text} if predictor.base.text else {})
    for name, part in parts.items():
        arrays |= {f"{name}_centre": part.centre, f"{name}_axes": part.axes, f"{name}_deviation": part.deviation}
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    write_whole(path, buffer.getvalue())


def load(path: Path, *, device: str = "auto") -> BayesTaste:
    """Return the predictor in a file; a network in its base goes to the device.

    Raises:
        ExperimentError: the file does not exist or holds no predictor of this version, or the network beside it is another.
    """
    if not path.is_file():
        raise ExperimentError(f"{path}: no such file; train a predictor first")
    try:
        # Read whole first: numpy leaves the file open where it is cut short.
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        found = str(arrays.get("version", "no version"))
        if found != VERSION:
            raise ValueError(f'found "{found}", expected "{VERSION}"')
        predictor, network = _predictor(arrays), str(arrays["network"])
        slope, level = arrays["line"].tolist()
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, AttributeError) as error:
        raise ExperimentError(f"{path}: not a predictor of this version ({error}); train it again") from error
    return replace(predictor, opinion=_loaded_network(path, network, (slope, level), device)) if network else predictor


def _saved_network(path: Path, opinion: Opinion | None) -> tuple[tuple[float, float], str]:
    """Write the network of an opinion, and return its line and the hash of its weights; delete what was there where there is none."""
    weights, record = network_files(path)
    if opinion is None:
        for file in (weights, record):
            file.unlink(missing_ok=True)
        return (0.0, 0.0), ""
    from stimuli.predictors import paper_files
    from stimuli.predictors.bayes_network import NetworkOpinion

    if not isinstance(opinion, NetworkOpinion):
        raise ExperimentError(f"{path}: a base with a {type(opinion).__name__} cannot be kept; expected the paper's network")
    paper_files.save(weights, opinion.network)
    return (opinion.slope, opinion.level), sha256(weights)


def _loaded_network(path: Path, expected: str, line: tuple[float, float], device: str) -> Opinion:
    from stimuli.predictors import paper_files
    from stimuli.predictors.bayes_network import NetworkOpinion

    weights, record = network_files(path)
    missing = [file for file in (weights, record) if not file.is_file()]
    if missing:
        raise ExperimentError(
            f"{missing[0]}: no such file, and the base of {path.name} needs it; put it back, or train the predictor again"
        )
    if sha256(weights) != expected:
        raise ExperimentError(
            f"{weights}: not the network that {path.name} was trained with; put back the file, or train the predictor again"
        )
    return NetworkOpinion(paper_files.load(weights, device=device), *line)


def _predictor(arrays: dict[str, np.ndarray]) -> BayesTaste:
    base = Base(
        image=_components(arrays, "image"),
        text=_components(arrays, "text") if arrays["has_text"] else None,
        groups=tuple(arrays["groups"].tolist()),
        curved=int(arrays["curved"]),
        coefficients=arrays["coefficients"],
    )
    average, effect, centre, spread, unasked = (arrays[name] for name in ("average", "effect", "centre", "spread", "unasked"))
    prior = Prior(average, effect, centre, spread, unasked, float(arrays["noise"]))
    tastes = {
        user: Taste(mean, covariance)
        for user, mean, covariance in zip(arrays["users"].tolist(), arrays["means"], arrays["covariances"], strict=True)
    }
    image = _components(arrays, "taste")
    choice = BaseChoice(**json.loads(str(arrays["choice"]))) if str(arrays["choice"]) else None
    components = int(arrays["components"])
    return BayesTaste(str(arrays["encoder"]), base, image, components, prior, MappingProxyType(tastes), choice=choice)


def _components(arrays: dict[str, np.ndarray], name: str) -> Components:
    return Components(*(arrays[f"{name}_{part}"] for part in ("centre", "axes", "deviation")))
