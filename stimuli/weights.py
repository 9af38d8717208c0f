"""Published weights by name: where they come from, under which licence, and what to do when they are not here."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stimuli.experiment import ExperimentError


@dataclass(frozen=True)
class Weights:
    """One published model: its repository on the Hugging Face hub, the revision that was meant, and the licence its users accept."""

    name: str
    repository: str
    revision: str
    licence: str
    gated: bool = False


def source_of(weights: Weights, folder: Path | None) -> str:
    """Return what a loader takes: the folder that was given, else the repository.

    Raises:
        ExperimentError: the folder is not there or holds no configuration of a model.
    """
    if folder is None:
        return weights.repository
    if not (folder / "config.json").is_file() and not (folder / "modules.json").is_file():
        raise ExperimentError(
            f"{folder}: holds no weights of {weights.name} (no config.json); give the folder into which "
            f"`hf download {weights.repository}` wrote, or leave it out to use the hub's own cache"
        )
    return str(folder)


@contextmanager
def loading(weights: Weights, source: str) -> Iterator[None]:
    """Turn what loaders raise into one sentence: what is lacking, the licence to accept, the command to run.

    Raises:
        ExperimentError: a package is missing, or the weights are missing, gated, damaged or of another architecture.
    """
    try:
        yield
    except ImportError as error:
        raise ExperimentError(f"{weights.name}: needs the package {error.name}; install it with `pip install 'tastebench[gpu]'`") from error
    except _loading_errors() as error:
        raise ExperimentError(f"{weights.name}: {_what_to_do(weights, source, error)}") from error


def complete(model: Any, loaded: Mapping[str, Any]) -> Any:
    """Return the model if its checkpoint held every weight; loaders otherwise fill gaps with random numbers.

    Raises:
        ValueError: the checkpoint lacks weights.
    """
    missing = sorted(loaded["missing_keys"])
    if missing:
        raise ValueError(f"it lacks {len(missing)} weights of {type(model).__name__}, the first being {missing[0]}")
    return model


def _loading_errors() -> tuple[type[Exception], ...]:
    """Return what loaders raise; safetensors' own error is no kind of any other."""
    usual = (OSError, ValueError, KeyError, RuntimeError)
    try:
        from safetensors import SafetensorError
    except ImportError:
        return usual
    return (*usual, SafetensorError)


def _what_to_do(weights: Weights, source: str, error: Exception) -> str:
    first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if source != weights.repository:
        return f"the weights in {source} cannot be loaded ({first}); download them again: hf download {weights.repository}"
    accept = (
        f"accept its licence ({weights.licence}) on the page of {weights.repository} and log in (hf auth login), then "
        if weights.gated
        else ""
    )
    return (
        f"the weights {weights.repository} are not on this machine and cannot be fetched ({first}); {accept}"
        f"run `hf download {weights.repository}` where there is a network. Licence: {weights.licence}"
    )
