"""Published checkpoints of scorers: found, checked and read key by key into our own networks, nothing left out, nothing left over."""

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from stimuli.experiment import ExperimentError
from stimuli.machine.weights import Weights, loading, source_of

if TYPE_CHECKING:
    import torch

Loaded = TypeVar("Loaded")

# Shards in the order of preference: a repository that has both kinds holds the same numbers twice.
_INDICES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
_WHOLE = ("model.safetensors", "pytorch_model.bin")
_NO_WEIGHTS = f"there is no {' and no '.join(_WHOLE)}"


class Late(Generic[Loaded]):
    """Something heavy that is made when it is first asked for, once, and left behind when this is pickled."""

    def __init__(self, make: Callable[[], Loaded]) -> None:
        self._make = make
        self._made: Loaded | None = None
        self._lock = threading.Lock()

    def __call__(self) -> Loaded:
        """Return it; threads that ask at once wait for the first."""
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made

    def __getstate__(self) -> Callable[[], Loaded]:
        return self._make

    def __setstate__(self, make: Callable[[], Loaded]) -> None:
        self._make, self._made, self._lock = make, None, threading.Lock()


def check(weights: Weights, folder: Path | None, *, files: Sequence[str] = (), packages: Sequence[str] = ("transformers",)) -> None:
    """Tell at once, without opening weights, what would fail later; without a folder only the configuration is fetched.

    Raises:
        ExperimentError: a package or a file is missing, or the weights are neither here nor to be fetched.
    """
    for package in packages:
        if find_spec(package) is None:
            raise ExperimentError(f"{weights.name}: needs the package {package}; install it with `pip install 'tastebench[gpu]'`")
    source = source_of(weights, folder)
    if folder is None:
        with loading(weights, source):
            from huggingface_hub import hf_hub_download

            hf_hub_download(weights.repository, "config.json", revision=weights.revision)
        return
    lacking = [name for name in files if not (folder / name).is_file()]
    if not any((folder / name).is_file() for name in (*_INDICES, *_WHOLE)):
        lacking.append(" or ".join(_WHOLE))
    if lacking:
        raise ExperimentError(
            f"{folder}: holds no weights of {weights.name} (no {lacking[0]}); give the folder into which "
            f"`hf download {weights.repository}` wrote, or leave it out to use the hub's own cache"
        )


def fetched(weights: Weights, folder: Path | None, *, files: Sequence[str] = ()) -> Path:
    """Return the folder with configuration, weights and `files`: the one given, else the hub's cache, filled where there is a network.

    Raises:
        ExperimentError: the folder holds no configuration, or the files are not here and cannot be fetched.
    """
    source = source_of(weights, folder)
    if folder is not None:
        return folder
    with loading(weights, source):
        from huggingface_hub import hf_hub_download

        fetch = partial(hf_hub_download, weights.repository, revision=weights.revision)
        here = Path(fetch("config.json")).parent
        for name in (*files, *_fetched_shards(fetch)):
            fetch(name)
        return here


def _fetched_shards(fetch: Callable[[str], str]) -> list[str]:
    """Return the names of the shards, of the kind that the repository has."""
    from huggingface_hub.errors import EntryNotFoundError

    for name in (name for pair in zip(_INDICES, _WHOLE, strict=True) for name in pair):
        try:
            path = Path(fetch(name))
        except EntryNotFoundError:
            continue
        return _listed(path) if name in _INDICES else [name]
    raise FileNotFoundError(_NO_WEIGHTS)


def configuration(folder: Path) -> dict[str, Any]:
    """Return what config.json says of the network.

    Raises:
        ValueError: it is no JSON object.
    """
    found = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if not isinstance(found, dict):
        raise ValueError(f"config.json holds a {type(found).__name__}, and an object was expected")
    return found


def fill(network: Any, folder: Path, *, device: "torch.device", dtype: "torch.dtype", spare: str | None = None) -> None:
    """Put the weights of a folder into a network built on the meta device, on `device` in `dtype`, one shard in memory at a time.

    Keys that end with `spare` may be there and are passed over.

    Raises:
        ValueError: a key is missing, left over or of another shape; the text names the first.
    """
    tensors = ((key, tensor) for key, tensor in _tensors(folder) if spare is None or not key.endswith(spare))
    put(network, tensors, device=device, dtype=dtype)


def put(network: Any, tensors: Iterable[tuple[str, Any]], *, device: "torch.device", dtype: "torch.dtype") -> None:
    """Put tensors into a network built on the meta device.

    Raises:
        ValueError: a key is missing, left over or of another shape; the text names the first.
    """
    wanted = {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}
    found, surplus = {}, []
    for key, tensor in tensors:
        if key not in wanted:
            surplus.append(key)
        elif tuple(tensor.shape) != wanted[key]:
            raise ValueError(f"{key} has shape {tuple(tensor.shape)}, and {wanted[key]} was expected")
        else:
            found[key] = tensor.to(device=device, dtype=dtype)
    complain(sorted(wanted.keys() - found.keys()), sorted(surplus), type(network).__name__)
    network.load_state_dict(found, strict=True, assign=True)


def complain(missing: Sequence[str], surplus: Sequence[str], name: str) -> None:
    """Refuse a checkpoint that lacks keys, or has others.

    Raises:
        ValueError: it does; the text names the first.
    """
    if missing:
        raise ValueError(f"it lacks {len(missing)} of the weights of {name}, the first being {missing[0]}")
    if surplus:
        raise ValueError(f"it holds {len(surplus)} weights that {name} does not have, the first being {surplus[0]}")


def pickled(path: Path) -> dict[str, Any]:
    """Return the tensors of a file that torch.save wrote; nothing in it is run.

    Raises:
        ValueError: it holds anything but tensors by name.
    """
    from pickle import UnpicklingError
    from zipfile import is_zipfile

    import torch

    try:
        # Files from before PyTorch 1.6 are no archives and cannot be mapped.
        found = torch.load(path, map_location="cpu", weights_only=True, mmap=is_zipfile(path))
    except (UnpicklingError, EOFError) as error:
        raise ValueError(f"{path.name} is no file of weights") from error
    if not isinstance(found, dict) or not all(isinstance(value, torch.Tensor) for value in found.values()):
        raise ValueError(f"{path.name} holds no tensors by name")
    return found


def _tensors(folder: Path) -> Iterator[tuple[str, Any]]:
    for name in _shards(folder):
        if name.endswith(".safetensors"):
            from safetensors import safe_open

            with safe_open(folder / name, framework="pt") as shard:
                for key in shard.keys():  # noqa: SIM118 - a shard is no dictionary
                    yield key, shard.get_tensor(key)
        else:
            yield from pickled(folder / name).items()


def _shards(folder: Path) -> list[str]:
    for index, whole in zip(_INDICES, _WHOLE, strict=True):
        if (folder / index).is_file():
            return _listed(folder / index)
        if (folder / whole).is_file():
            return [whole]
    raise FileNotFoundError(_NO_WEIGHTS)


def _listed(index: Path) -> list[str]:
    return sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
