"""Published weights on this machine's disk: where they lie, whether they are whole, and the command that fetches them."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from stimuli.experiment import ExperimentError
from stimuli.machine.weights import Weights

# Kinds of files that hold tensors; safetensors is the one whose header tells how long it must be.
_TENSORS = (".safetensors", ".bin", ".pt", ".pth")
# How an archive (zip) begins; and what its last record begins with, and where that is at the latest.
_ARCHIVE, _LIST_ENDS, _LIST_WITHIN = b"PK\x03\x04", b"PK\x05\x06", 22 + 0xFFFF


def hub_cache() -> Path:
    """Return the folder into which `hf download` writes, by the same variables of the environment."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("HF_HUB_CACHE") or Path(os.environ.get("HF_HOME") or home / "huggingface") / "hub").expanduser()


def place(weights: Weights, folder: Path | None = None) -> Path | None:
    """Return the folder in which these weights lie, None where nothing of them was downloaded.

    That is the folder which was named, else the snapshot in the hub's cache of the revision that was meant.
    """
    if folder is not None:
        return folder if folder.is_dir() else None
    stored = hub_cache() / f"models--{weights.repository.replace('/', '--')}"
    reference = stored / "refs" / weights.revision
    commit = reference.read_text(encoding="utf-8").strip() if reference.is_file() else weights.revision
    snapshot = stored / "snapshots" / commit
    return snapshot if snapshot.is_dir() else None


def identity(weights: Weights, folder: Path | None) -> str:
    """Return what names these weights in keys and records, without opening them: repository and commit, or a folder and its files.

    Where the hub's cache does not hold them, the revision that was meant stands for the commit. A folder is known by the names and
    sizes of its files, by the content of the small ones and by samples of the large ones.
    """
    if folder is None:
        snapshot = place(weights)
        return f"{weights.repository}@{snapshot.name if snapshot else weights.revision}"
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        # What a downloader notes in hidden folders, such as when it came, is no part of the weights.
        if any(part.startswith(".") for part in path.relative_to(folder).parts):
            continue
        size = path.stat().st_size
        digest.update(f"{path.relative_to(folder).as_posix()}\x1f{size}\x1f".encode())
        for piece in _sampled(path, size):
            digest.update(piece)
    return f"{weights.repository}@{folder.name}-{digest.hexdigest()[:12]}"


# Configurations and tiny checkpoints are read whole. A model that was trained on has files of the same sizes, and differs all over.
_SMALL = 1 << 20
_SAMPLES, _SAMPLE = 64, 1 << 12


def _sampled(path: Path, size: int) -> Iterator[bytes]:
    """Yield what tells a file from another of its size: all of a small one, evenly spread pieces of a large one."""
    with path.open("rb") as file:
        if size <= _SMALL:
            yield file.read()
            return
        for number in range(_SAMPLES):
            file.seek((size - _SAMPLE) * number // (_SAMPLES - 1))
            yield file.read(_SAMPLE)


def command(weights: Weights) -> str:
    """Return what to type to download these weights; a generator's repository also holds the same weights in one large file."""
    revision = "" if weights.revision == "main" else f" --revision {weights.revision}"
    spared = " --exclude 'flux*.safetensors'" if weights.part == "generator" else ""
    return f"hf download {weights.repository}{revision}{spared}"


def terms(weights: Weights) -> str:
    """Return the sentence on the licence: what it is, and where it has to be accepted before a download starts."""
    if weights.gated:
        return f"Licence: {weights.licence}; accept it on https://huggingface.co/{weights.repository} and log in with `hf auth login` first"
    return f"Licence: {weights.licence}"


def check(weights: Weights, folder: Path | None = None) -> Path:
    """Return the folder of these weights, having seen that its files are there and as long as they should be; nothing is loaded.

    Raises:
        ExperimentError: the weights are not here, or a download broke off.
    """
    found = place(weights, folder)
    if found is None:
        where = f"in {folder}" if folder is not None else f"on this machine (looked in {hub_cache()})"
        to = f" --local-dir {folder}" if folder is not None else ""
        raise ExperimentError(f"{weights.name}: no weights {where}. Run `{command(weights)}{to}`. {terms(weights)}")
    if fault := fault_in(found):
        raise ExperimentError(
            f"{weights.name}: the weights in {found} are not whole: {fault}. Run `{_again(weights, folder)}`, it continues"
        )
    return found


def fault_in(folder: Path) -> str | None:
    """Return what is wrong with the files of tensors below a folder, None if they are whole."""
    for index in sorted(folder.rglob("*.safetensors.index.json")):
        missing = [name for name in _shards(index) if not (index.parent / name).is_file()]
        if missing:
            return f"{index.parent.relative_to(folder) / missing[0]} is missing" + (f", and {len(missing) - 1} more" if missing[1:] else "")
    files = sorted(path for path in folder.rglob("*") if path.suffix in _TENSORS)
    if not files:
        return f"there is no file of tensors ({', '.join(_TENSORS)})"
    return next((fault for path in files if (fault := _cut(path, folder))), None)


def _shards(index: Path) -> list[str]:
    try:
        return sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (ValueError, KeyError):
        return ["(what the index names; the index itself cannot be read)"]


def _cut(path: Path, folder: Path) -> str | None:
    """Return what is wrong with one file: its header says where the last tensor ends."""
    name = path.relative_to(folder)
    if not path.is_file():
        return f"{name} is missing"
    size = path.stat().st_size
    if path.suffix != ".safetensors":
        return None if _ends(path, size) else f"{name} ({size} bytes) breaks off"
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        try:
            header = json.loads(file.read(length)) if length < size else {}
            expected = 8 + length + max(entry["data_offsets"][1] for key, entry in header.items() if key != "__metadata__")
        except (ValueError, TypeError, KeyError, AttributeError):
            return f"{name} ({size} bytes) has no readable header"
    return None if size == expected else f"{name} has {size} bytes, and its header says {expected}"


def _ends(path: Path, size: int) -> bool:
    """Return whether a file of PyTorch is whole: it is an archive, whose list of contents comes last. Older ones cannot be told."""
    with path.open("rb") as file:
        if file.read(len(_ARCHIVE)) != _ARCHIVE:
            return size > 0
        file.seek(max(0, size - _LIST_WITHIN))
        return _LIST_ENDS in file.read()


def _again(weights: Weights, folder: Path | None) -> str:
    return command(weights) + (f" --local-dir {folder}" if folder is not None else "")
