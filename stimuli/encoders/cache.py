"""What encoders have computed, kept on disk: rows of half-precision numbers, memory-mapped, in shards that are written whole."""

import hashlib
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stimuli.encoders.interface import Encoder, EncoderSpec, Rows, TextEncoder
from stimuli.experiment import ExperimentError, write_whole
from stimuli.progress import Report, silent

Item = TypeVar("Item")
Half = NDArray[np.float16]

_MANY_SHARDS = 64
_BATCH = 64
_DIGEST = 64


class Cache:
    """The rows of one encoder in a folder of their own, by the key of what was encoded.

    A shard is `NUMBER.npy` (float16) with its keys in `NUMBER.keys`, which is written last: a shard without keys is no shard.
    """

    def __init__(self, folder: Path, *, width: int) -> None:
        self._folder = folder
        self._width = width
        self._rows: dict[str, tuple[int, int]] = {}
        self._shards: dict[int, Half] = {}
        for path in sorted(folder.glob("*.keys")):
            self._open(int(path.stem))
        if len(self._shards) > _MANY_SHARDS:
            self._fold()

    def __contains__(self, key: str) -> bool:
        return key in self._rows

    def __len__(self) -> int:
        return len(self._rows)

    def rows(self, keys: Sequence[str]) -> Rows:
        """Return the rows of keys that are here, shape (keys, width)."""
        found = np.empty((len(keys), self._width), dtype=np.float32)
        for place, key in enumerate(keys):
            shard, row = self._rows[key]
            found[place] = self._shards[shard][row]
        return found

    def add(self, keys: Sequence[str], rows: Rows) -> None:
        """Keep rows, as a shard of their own, safely on disk when this returns."""
        if keys:
            number = max(self._shards, default=-1) + 1
            self._write(number, keys, rows.astype(np.float16))
            self._open(number)

    def _path(self, number: int, kind: str) -> Path:
        return self._folder / f"{number:06d}.{kind}"

    def _write(self, number: int, keys: Sequence[str], rows: Half) -> None:
        content = io.BytesIO()
        np.save(content, rows, allow_pickle=False)
        write_whole(self._path(number, "npy"), content.getvalue())
        write_whole(self._path(number, "keys"), "".join(keys).encode())

    def _open(self, number: int) -> None:
        path = self._path(number, "npy")
        text = self._path(number, "keys").read_text(encoding="ascii")
        try:
            rows = np.load(path, mmap_mode="r", allow_pickle=False)
            if rows.dtype != np.float16 or rows.shape != (len(text) / _DIGEST, self._width):
                raise ValueError(f"it holds {rows.shape} numbers of type {rows.dtype}")
        except (OSError, ValueError, EOFError) as error:
            raise ExperimentError(
                f"{path}: not features of this encoder ({error}); delete {self._folder}, they are computed again"
            ) from error
        self._shards[number] = rows
        for row, start in enumerate(range(0, len(text), _DIGEST)):
            self._rows.setdefault(text[start : start + _DIGEST], (number, row))

    def _fold(self) -> None:
        """Put all shards into one; whoever is interrupted here finds rows twice, which does no harm."""
        old, keys = list(self._shards), list(self._rows)
        number = max(old) + 1
        self._write(number, keys, self.rows(keys).astype(np.float16))
        self._rows, self._shards = {}, {}
        self._open(number)
        for gone in old:
            self._path(gone, "keys").unlink()
            self._path(gone, "npy").unlink()


class _Remembering(Generic[Item]):
    """Encodes what was never encoded before, each item once, a batch at a time; an interrupted run loses one batch."""

    def __init__(self, spec: EncoderSpec, encode: Callable[[Sequence[Item]], Rows], key: Callable[[Item], str], folder: Path) -> None:
        self.spec = spec
        self._encode = encode
        self._key = key
        name = hashlib.sha256(f"{spec.version}|{spec.width}".encode()).hexdigest()[:12]
        self._cache = Cache(folder / f"{spec.name}-{name}", width=spec.width)

    def encode(self, items: Sequence[Item], *, report: Report = silent) -> Rows:
        """Return features, shape (items, width), in half precision whether they were kept or are new."""
        keys = [self._key(item) for item in items]
        new = {key: item for key, item in zip(keys, items, strict=True) if key not in self._cache}
        waiting = list(new)
        for start in range(0, len(waiting), _BATCH):
            batch = waiting[start : start + _BATCH]
            self._cache.add(batch, self._encode([new[key] for key in batch]))
            report("encoding", start + len(batch), len(waiting))
        return self._cache.rows(keys)


class RememberingImages(_Remembering[Image.Image]):
    """An image encoder that looks each image up in a folder first, by the hash of its pixels."""

    def __init__(self, encoder: Encoder, folder: Path) -> None:
        super().__init__(encoder.spec, encoder.encode, _pixel_hash, folder)


class RememberingTexts(_Remembering[str]):
    """A text encoder that looks each text up in a folder first."""

    def __init__(self, encoder: TextEncoder, folder: Path) -> None:
        super().__init__(encoder.spec, encoder.encode, lambda text: hashlib.sha256(text.encode()).hexdigest(), folder)


def _pixel_hash(image: Image.Image) -> str:
    return hashlib.sha256(f"{image.mode} {image.size} ".encode() + image.tobytes()).hexdigest()
