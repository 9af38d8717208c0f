"""Small copies of images that travel inside the page as data URIs."""

import base64
import io
import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

from stimuli.progress import Report

# Longest side in pixels and WebP quality; the first at which all images fit in the page is used.
_SIZES = ((200, 82), (160, 75), (128, 68), (96, 60))
_SAMPLE = 24
_PREFIX = "data:image/webp;base64,"


@dataclass(frozen=True)
class Thumbnails:
    """Data URIs by image name; `unreadable` were not there or are no image, `left_out` did not fit in the page."""

    uris: dict[str, str]
    unreadable: tuple[str, ...]
    left_out: tuple[str, ...]


def thumbnails(folder: Path, uses: Sequence[str], *, budget: int, report: Report) -> Thumbnails:
    """Return a small copy of each image in `uses` (paths in `folder`, one entry a use, the most important first).

    Together, and counting every use, they take at most `budget` characters: all get the largest size at which they fit,
    and where the smallest does not, the last ones are left out.
    """
    times = Counter(uses)
    longest, quality = _fitting_size(folder, list(times), len(uses), budget)

    def one(name: str) -> str | None:
        return _data_uri(folder, name, longest, quality)

    uris: dict[str, str] = {}
    unreadable, left_out, used = [], [], 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # reading images takes most of a report's time, and waits for nothing
        for done, (name, uri) in enumerate(zip(times, pool.map(one, times), strict=True), start=1):
            if used <= budget and uri is None:
                unreadable.append(name)
            elif uri is None or used + len(uri) * times[name] > budget:
                left_out.append(name)
                used = budget + 1  # what comes later matters less, even if it is smaller
            else:
                uris[name] = uri
                used += len(uri) * times[name]
            report("small copies of the images", done, len(times))
    return Thumbnails(uris, tuple(sorted(unreadable)), tuple(sorted(left_out)))


def _fitting_size(folder: Path, names: Sequence[str], uses: int, budget: int) -> tuple[int, int]:
    """Return the largest size and quality at which `uses` images fit, judged by a sample; a tenth is kept in hand."""
    sample = names[:: max(1, len(names) // _SAMPLE)]
    for longest, quality in _SIZES:
        lengths = [len(uri) for name in sample if (uri := _data_uri(folder, name, longest, quality))]
        if not lengths or sum(lengths) / len(lengths) * uses <= 0.9 * budget:
            return longest, quality
    return _SIZES[-1]


def small_copy(folder: Path, name: str, longest: int) -> Image.Image | None:
    """Return the image on white, at most `longest` pixels a side, or None where there is no image of that name inside `folder`."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        return None
    try:
        with Image.open(path) as opened:
            image = ImageOps.exif_transpose(opened)
            if image.mode not in ("RGB", "L") or "transparency" in image.info:
                image = image.convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    image.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    if image.mode != "RGBA":
        return image.convert("RGB")
    paper = Image.new("RGB", image.size, "white")
    paper.paste(image, mask=image.getchannel("A"))
    return paper


def _data_uri(folder: Path, name: str, longest: int, quality: int) -> str | None:
    """Return the image as a data URI, or None where there is no image of that name inside `folder`."""
    paper = small_copy(folder, name, longest)
    if paper is None:
        return None
    buffer = io.BytesIO()
    paper.save(buffer, format="WEBP", quality=quality, method=2)
    return _PREFIX + base64.b64encode(buffer.getvalue()).decode("ascii")
