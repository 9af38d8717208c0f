"""Small copies of images, each made once and kept from one report to the next under the hash of the image that it shows."""

import io
import zipfile
import zlib
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import PIL
from PIL import Image, ImageOps, features

from stimuli.experiment import write_whole

# Counts up with every change to how a copy is made, so that copies made otherwise are not taken for it.
_RECIPE = 1
# Of a zip file that is cut off, altered or none at all.
_DAMAGED = (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


class Copies:
    """WebP copies of the images in `folder`. With a file `kept`, those that it holds are not made again.

    A copy is found by the SHA-256 of its image's bytes, which are read every time, so a changed image never has an old copy.
    Threads may ask for copies at once.
    """

    def __init__(self, folder: Path, kept: Path | None = None) -> None:
        self._folder, self._kept = folder, kept
        self._known = _read(kept) if kept else {}
        self._there = frozenset(self._known)
        self._asked: dict[str, bytes] = {}
        self._how = f"{_RECIPE}-{PIL.__version__}-{features.version('webp')}"

    def of(self, name: str, longest: int, quality: int) -> bytes | None:
        """Return the copy at most `longest` pixels a side, or None where there is no image of that name inside the folder."""
        content = _content(self._folder, name)
        if content is None:
            return None
        key = f"{sha256(content).hexdigest()}-{longest}-{quality}-{self._how}"
        copy = self._known.get(key) or _webp(content, longest, quality)
        if copy is not None:
            self._known[key] = self._asked[key] = copy
        return copy

    def keep(self) -> None:
        """Write the copies that were asked for, and no others, unless the file holds just these.

        Raises:
            ExperimentError: the disk is full, or nobody may write there.
        """
        if self._kept and self._asked.keys() != self._there:
            write_whole(self._kept, _zipped(self._asked))


def small_copy(folder: Path, name: str, longest: int) -> Image.Image | None:
    """Return the image on white, at most `longest` pixels a side, or None where there is no image of that name inside `folder`."""
    content = _content(folder, name)
    return None if content is None else _shrunk(content, longest)


def _content(folder: Path, name: str) -> bytes | None:
    try:
        path = (folder / name).resolve()
        return path.read_bytes() if path.is_relative_to(folder.resolve()) else None
    except (OSError, ValueError):
        return None


def _shrunk(content: bytes, longest: int) -> Image.Image | None:
    try:
        with Image.open(io.BytesIO(content)) as opened:
            plain = opened.mode in ("RGB", "L") and "transparency" not in opened.info
            image = opened if plain else opened.convert("RGBA")
            # Before anything else is done to it, so that a JPEG is decoded at no more than it needs.
            image.thumbnail((longest, longest), Image.Resampling.LANCZOS, reducing_gap=1.5)
            image = ImageOps.exif_transpose(image)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    if image.mode != "RGBA":
        return image.convert("RGB")
    paper = Image.new("RGB", image.size, "white")
    paper.paste(image, mask=image.getchannel("A"))
    return paper


def _webp(content: bytes, longest: int, quality: int) -> bytes | None:
    paper = _shrunk(content, longest)
    if paper is None:
        return None
    buffer = io.BytesIO()
    paper.save(buffer, format="WEBP", quality=quality, method=1)
    return buffer.getvalue()


def _read(kept: Path) -> dict[str, bytes]:
    """Return all copies in a file; none where it is not there or damaged, since they can be made again."""
    try:
        with zipfile.ZipFile(kept) as opened:
            return {name: opened.read(name) for name in opened.namelist()}  # read() compares each with its checksum
    except _DAMAGED:
        return {}


def _zipped(copies: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as opened:
        for name in sorted(copies):
            opened.writestr(zipfile.ZipInfo(name), copies[name])
    return buffer.getvalue()
