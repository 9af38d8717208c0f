"""Train the predictor of one person's taste on a rated data set, and say how well it does on ratings it never saw."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from stimuli import predictor as taste
from stimuli import ratings
from stimuli.encoders import Encoder
from stimuli.experiment import ExperimentError, write_whole
from stimuli.predictor import Predictor
from stimuli.progress import Report, silent
from stimuli.provenance import sha256
from stimuli.ratings import Unreadable
from stimuli.store import canonical

Array = NDArray[np.float64]

VERSION = "1"
_BATCH = 64
_FEWEST = 5


@dataclass(frozen=True)
class HeldOut:
    """Spearman correlations on held-out images, unweighted means over users, or None where no user could be measured.

    `personal` is the predictor, `population` the same base for everybody. Users with fewer than five ratings there, or with
    constant ones, are left out and counted in `users_left_out`.
    """

    split: str
    personal: float | None
    population: float | None
    users: int
    users_left_out: int
    ratings: int


@dataclass(frozen=True)
class Training:
    """What was trained on what; `inputs` is a hash of the ratings, the images' sizes and dates, and the encoder."""

    encoder: str
    inputs: str
    users: int
    images: int
    ratings: int
    unreadable: tuple[Unreadable, ...]
    held_out: HeldOut


def train(path: Path, rated: ratings.Rated, encoder: Encoder, *, report: Report = silent) -> Training:
    """Fit the predictor on the train split, write it to `path`, and return how it does on test_seen.

    Images that cannot be read are left out, with their ratings.
    """
    inputs = _fingerprint(rated, encoder)
    features, unreadable = _encoded(rated, encoder, report)
    rated = rated.without(unreadable)
    known = rated.of("train")
    if known.empty:
        file = ratings.annotation(rated.folder, "train")
        raise ExperimentError(f"{file}: holds no rating of a readable image, so there is nothing to learn from; expected some")
    fitted = taste.fit(known["user"].tolist(), _rows(rated, known), known["rating"].to_numpy(), features, encoder=encoder.spec.name)
    training = Training(
        encoder=encoder.spec.name,
        inputs=inputs,
        users=known["user"].nunique(),
        images=known["image"].nunique(),
        ratings=len(known),
        unreadable=unreadable,
        held_out=_evaluate(fitted, rated, features, "test_seen"),
    )
    _record(path).unlink(missing_ok=True)
    taste.save(path, fitted)
    write_whole(_record(path), (json.dumps(asdict(training), indent=2, ensure_ascii=False) + "\n").encode())
    return training


def finished(path: Path, rated: ratings.Rated, encoder: Encoder) -> Training | None:
    """Return how the predictor at `path` was trained if it was trained on exactly this, None otherwise."""
    record = _record(path)
    if not (path.is_file() and record.is_file()):
        return None
    try:
        content = json.loads(record.read_text(encoding="utf-8"))
        unreadable = tuple(Unreadable(**entry) for entry in content.pop("unreadable"))
        training = Training(**content | {"unreadable": unreadable, "held_out": HeldOut(**content.pop("held_out"))})
    except (ValueError, KeyError, TypeError):
        return None
    return training if training.inputs == _fingerprint(rated, encoder) else None


def _record(path: Path) -> Path:
    """Return the JSON beside a predictor; it is written after it."""
    return path.with_suffix(".json")


def _fingerprint(rated: ratings.Rated, encoder: Encoder) -> str:
    """Return a hash of all that a predictor depends on. Images count by size and date: reading thousands takes too long to check."""
    files = [ratings.annotation(rated.folder, split) for split in ratings.SPLITS]
    images = [_size_and_date(rated.folder / str(path)) for path in rated.images["path"]]
    whole = {"version": VERSION, "encoder": asdict(encoder.spec), "ratings": [sha256(file) for file in files], "images": images}
    return hashlib.sha256(canonical(whole).encode()).hexdigest()


def _size_and_date(path: Path) -> list[int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]


def _encoded(rated: ratings.Rated, encoder: Encoder, report: Report) -> tuple[Array, tuple[Unreadable, ...]]:
    """Return the features of the readable images in order, and the images that are not readable."""
    batch, blocks, unreadable = [], [np.zeros((0, encoder.spec.width))], []
    total = len(rated.images)
    for done, (_, image) in enumerate(ratings.open_images(rated), start=1):
        if isinstance(image, Unreadable):
            unreadable.append(image)
        else:
            batch.append(image)
        if batch and (len(batch) == _BATCH or done == total):
            blocks.append(encoder.encode(batch))
            batch = []
        report("encoding", done, total)
    return np.concatenate(blocks), tuple(unreadable)


def _rows(rated: ratings.Rated, some: pd.DataFrame) -> NDArray[np.intp]:
    """Return the row of the features that belongs to the image of each rating."""
    rows: NDArray[np.intp] = rated.images.index.get_indexer(pd.Index(some["image"]))
    return rows


def _evaluate(fitted: Predictor, rated: ratings.Rated, features: Array, split: str) -> HeldOut:
    rows = rated.of(split)
    rows = rows[rows["user"].isin(fitted.users)]
    pairs = []
    for user, theirs in rows.groupby("user"):
        given, seen = theirs["rating"].to_numpy(), features[_rows(rated, theirs)]
        if len(given) >= _FEWEST and np.ptp(given) > 0:
            pairs.append([_spearman(given, fitted.predict(seen, who).mean) for who in (str(user), None)])
    means: Sequence[float | None] = np.mean(pairs, axis=0).tolist() if pairs else [None, None]
    return HeldOut(split, means[0], means[1], len(pairs), rows["user"].nunique() - len(pairs), len(rows))


def _spearman(given: Array, predicted: Array) -> float:
    # A constant prediction orders nothing, which is a correlation of zero.
    return float(stats.spearmanr(given, predicted).statistic) if np.ptp(predicted) > 0 else 0.0
