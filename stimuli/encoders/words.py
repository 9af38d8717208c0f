"""The offline text encoder: words hashed into a fixed number of signed buckets. It knows spelling, not meaning."""

import hashlib
import re
from collections.abc import Sequence

import numpy as np

from stimuli.encoders.interface import EncoderSpec, Rows

_WIDTH = 256
_WORD = re.compile(r"[^\W_]+")


class WordHash:
    """Each word, in small letters, adds +1 or -1 to one of 256 buckets; rows have length one (zero for a text without words).

    The signed hashing trick of Weinberger et al. 2009, with SHA-256 so that every machine gives the same row.
    """

    spec = EncoderSpec(name="word-hash", version="1", stand_in=True, width=_WIDTH)

    def encode(self, texts: Sequence[str]) -> Rows:
        """Return one row a text, shape (texts, 256)."""
        rows = np.zeros((len(texts), _WIDTH), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in _WORD.findall(text.lower()):
                digest = hashlib.sha256(word.encode()).digest()
                row[int.from_bytes(digest[:4], "big") % _WIDTH] += 1 if digest[4] % 2 else -1
        length = np.linalg.norm(rows, axis=1, keepdims=True)
        unit: Rows = np.divide(rows, length, out=rows, where=length > 0)
        return unit
