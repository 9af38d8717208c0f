"""A fitted `BayesTaste` as one .npz file, without pickle; equal predictors give equal bytes."""

import io
import zipfile
from pathlib import Path
from types import MappingProxyType

import numpy as np

from stimuli.experiment import ExperimentError, write_whole
from stimuli.predictors.base import Base
from stimuli.predictors.bayes import BayesTaste
from stimuli.predictors.components import Components
from stimuli.predictors.tastes import Prior, Taste

VERSION = "bayes-taste 1"


def save(path: Path, predictor: BayesTaste) -> None:
    """Write a predictor."""
    arrays = {
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


def load(path: Path) -> BayesTaste:
    """Return the predictor in a file.

    Raises:
        ExperimentError: the file does not exist, or holds no predictor of this version.
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
        return _predictor(arrays)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, AttributeError) as error:
        raise ExperimentError(f"{path}: not a predictor of this version ({error}); train it again") from error


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
    return BayesTaste(str(arrays["encoder"]), base, image, int(arrays["components"]), prior, MappingProxyType(tastes))


def _components(arrays: dict[str, np.ndarray], name: str) -> Components:
    return Components(*(arrays[f"{name}_{part}"] for part in ("centre", "axes", "deviation")))
