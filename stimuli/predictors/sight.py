"""What a predictor sees of images: frozen features of pixels and prompts, and the group that an image belongs to."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import pandas as pd
from PIL import Image

from stimuli import ratings
from stimuli.encoders import Encoder, EncoderSpec, TextEncoder
from stimuli.predictors.demographics import COLUMNS
from stimuli.predictors.interface import Looks, Rows
from stimuli.progress import Report, silent
from stimuli.ratings import Rated, Unreadable

_BATCH = 64
_OF_IMAGES = ("group", "style", "type")
# A taste for a group cannot be learnt from fewer images.
_FEWEST = 30
# Rows kept in memory: many people's scorers look at the same few images one after the other.
_RECENT = 1024

Item = TypeVar("Item")
Taking = TypeVar("Taking", contravariant=True)


class Encoding(Protocol[Taking]):
    """An encoder of images, or of texts."""

    def encode(self, items: Sequence[Taking], /) -> Rows:
        """Return features, shape (items, width)."""
        ...


class Recent(Generic[Item]):
    """An encoder that keeps its last rows in memory, so that what many people's scorers look at is encoded once.

    It can be sent to other processes, where `make` makes the encoder anew when it is needed first; `made` is one that is here
    already. Rows are in half precision, as they are where features are kept on disk and predictors learn from them.
    """

    def __init__(
        self,
        spec: EncoderSpec,
        make: Callable[[], Encoding[Item]],
        key: Callable[[Item], str],
        *,
        made: Encoding[Item] | None = None,
    ) -> None:
        self.spec = spec
        self._make = make
        self._key = key
        self._encoder = made
        self._rows: OrderedDict[str, Rows] = OrderedDict()
        self._lock = Lock()

    def encode(self, items: Sequence[Item]) -> Rows:
        """Return features, shape (items, width)."""
        keys = [self._key(item) for item in items]
        # Threads that score the same images wait here for the one that encodes them.
        with self._lock:
            found = {key: self._rows[key] for key in keys if key in self._rows}
            new = {key: item for key, item in zip(keys, items, strict=True) if key not in found}
            if new:
                self._encoder = self._encoder or self._make()
                rows = self._encoder.encode(list(new.values())).astype(np.float16).astype(np.float32)
                found |= dict(zip(new, rows, strict=True))
            for key in dict.fromkeys(keys):
                self._rows[key] = found[key]
                self._rows.move_to_end(key)
            while len(self._rows) > _RECENT:
                self._rows.popitem(last=False)
        return np.array([found[key] for key in keys], dtype=np.float32).reshape(len(keys), self.spec.width)

    def __reduce__(self) -> tuple[Any, ...]:
        return Recent, (self.spec, self._make, self._key)


def pixel_key(image: Image.Image) -> str:
    """Return a hash of an image's pixels."""
    return hashlib.sha256(f"{image.mode} {image.size} ".encode() + image.tobytes()).hexdigest()


def text_key(text: str) -> str:
    """Return a text as the key of its own row."""
    return text


@dataclass(frozen=True)
class Sight:
    """The encoders that a predictor looks through; `texts` is None where it reads no prompts.

    With `metadata` it also reads a sentence on each image's group, style and type, as the paper's model does.
    """

    images: Encoder
    texts: TextEncoder | None = None
    metadata: bool = False

    @property
    def stand_in(self) -> bool:
        """Whether an encoder stands in for a learned one."""
        return self.images.spec.stand_in or (self.texts is not None and self.texts.spec.stand_in)

    def looks(self, images: Sequence[Image.Image], prompts: Sequence[str]) -> Looks:
        """Return the looks of images of which nothing is known but their prompts."""
        return Looks(self.images.spec.name, self.images.encode(images), ("",) * len(images), self._texts(prompts))

    def of_rated(self, rated: Rated, *, report: Report = silent) -> tuple[Looks, tuple[Unreadable, ...]]:
        """Return the looks of the readable images of a data set, in order, and the images that are not readable."""
        batch: list[Image.Image] = []
        blocks: list[Rows] = [np.zeros((0, self.images.spec.width), dtype=np.float32)]
        unreadable: list[Unreadable] = []
        total = len(rated.images)
        for done, (_, image) in enumerate(ratings.open_images(rated), start=1):
            if isinstance(image, Unreadable):
                unreadable.append(image)
            else:
                batch.append(image)
            if batch and (len(batch) == _BATCH or done == total):
                blocks.append(self.images.encode(batch))
                batch = []
            report("encoding", done, total)
        seen = rated.images.drop(index=[entry.image for entry in unreadable])
        groups, prompts = _words(seen["group"]), _words(seen["prompt"])
        sentences = self._texts([sentence(row, _OF_IMAGES) for row in seen.to_dict("records")]) if self.metadata else None
        return Looks(self.images.spec.name, np.concatenate(blocks), groups, self._texts(prompts), sentences), tuple(unreadable)

    def of_people(self, users: pd.DataFrame) -> Rows | None:
        """Return features of a sentence on each user's demographics, shape (users, width); None where no texts are read."""
        return self._texts([sentence(row, COLUMNS) for row in users.to_dict("records")])

    def _texts(self, texts: Sequence[str]) -> Rows | None:
        return None if self.texts is None else self.texts.encode(texts)


def with_large_groups(looks: Looks, images: np.ndarray) -> Looks:
    """Return the looks with the groups of which at least thirty of these images are; the others belong to no group.

    One group alone says no more than that there is another, so it is left out too.
    """
    counts = pd.Series([looks.group[image] for image in images.tolist()], dtype=object).value_counts()
    large = {str(group) for group in counts.index[counts >= _FEWEST] if group}
    kept = large if len(large) > 1 else set()
    return Looks(looks.encoder, looks.image, tuple(group if group in kept else "" for group in looks.group), looks.prompt, looks.metadata)


def sentence(row: Mapping[Any, Any], names: Sequence[str]) -> str:
    """Return what is known as one sentence.

    >>> sentence({"age": 34, "gender": "female", "nationality": None}, ("age", "gender", "nationality"))
    'age: 34; gender: female.'
    """
    known = [f"{name}: {row[name]}" for name in names if row.get(name) is not None and not pd.isna(row[name])]
    return "; ".join(known) + "." if known else "nothing is known."


def _words(column: "pd.Series[str]") -> tuple[str, ...]:
    return tuple(value if isinstance(value, str) else "" for value in column)
