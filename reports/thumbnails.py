"""Small copies of images that travel inside the page as data URIs."""

import base64
import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event

from reports.kept_copies import Copies
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


def thumbnails(copies: Copies, uses: Sequence[str], *, budget: int, report: Report) -> Thumbnails:
    """Return a small copy of each image in `uses` (names in `copies`, one entry a use, the most important first).

    Together, and counting every use, they take at most `budget` characters: all get the largest size at which they fit,
    and where the smallest does not, the last ones are left out.
    """
    times = Counter(uses)
    full = Event()
    uris: dict[str, str] = {}
    unreadable, left_out, used = [], [], 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # reading images takes most of a report's time, and waits for nothing
        longest, quality = _fitting_size(copies, list(times), len(uses), budget, pool)
        made = pool.map(lambda name: None if full.is_set() else _data_uri(copies, name, longest, quality), times)
        for done, (name, uri) in enumerate(zip(times, made, strict=True), start=1):
            if not full.is_set() and uri is None:
                unreadable.append(name)
            elif uri is None or full.is_set() or used + len(uri) * times[name] > budget:
                left_out.append(name)
                full.set()  # what comes later matters less, even if it is smaller
            else:
                uris[name] = uri
                used += len(uri) * times[name]
            report("small copies of the images", done, len(times))
    return Thumbnails(uris, tuple(sorted(unreadable)), tuple(sorted(left_out)))


def _fitting_size(copies: Copies, names: Sequence[str], uses: int, budget: int, pool: ThreadPoolExecutor) -> tuple[int, int]:
    """Return the largest size and quality at which `uses` images fit, judged by a sample; a tenth is kept in hand."""
    sample = names[:: max(1, len(names) // _SAMPLE)]
    for longest, quality in _SIZES:
        made = pool.map(lambda name, size=(longest, quality): _data_uri(copies, name, *size), sample)
        lengths = [len(uri) for uri in made if uri]
        if not lengths or sum(lengths) / len(lengths) * uses <= 0.9 * budget:
            return longest, quality
    return _SIZES[-1]


def _data_uri(copies: Copies, name: str, longest: int, quality: int) -> str | None:
    """Return the image as a data URI, or None where there is no image of that name inside the folder."""
    copy = copies.of(name, longest, quality)
    return None if copy is None else _PREFIX + base64.b64encode(copy).decode("ascii")
