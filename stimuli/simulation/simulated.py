"""The simulated data set: images of varied prompts, judged by simulated raters, written in PAMELA's layout and marked as simulated."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stimuli import ratings
from stimuli.experiment import ExperimentError, write_whole
from stimuli.generators import Generator
from stimuli.manifest import Utility
from stimuli.progress import Report, silent
from stimuli.ratings.table import SIMULATED
from stimuli.rewriters.offline import dressed
from stimuli.seeds import seed_for
from stimuli.simulation import raters
from stimuli.stages import Render, rendered
from stimuli.store import Store, canonical
from stimuli.vocabulary import AXES

Array = NDArray[np.float64]

_SUBJECTS = (
    "a cat asleep on a windowsill",
    "a city skyline across a river",
    "a lone tree on a hill",
    "a sailing boat on calm water",
    "a lighthouse on a cliff",
    "a red dress on a tailor's dummy",
    "tall bookshelves full of books",
    "a leather armchair beside a lamp",
    "a glasshouse full of plants",
    "a potted plant against a concrete wall",
    "mossy rocks beside a stream",
    "mountains behind a lake",
    "a narrow street of old houses",
    "a bowl of fruit on a table",
    "a field of wild flowers",
)
_PAINTED = ("watercolour", "oil painting", "flat poster")
# Near the published shares of images in train, val_seen and test_seen.
_SHARES = {"train": 0.70, "val_seen": 0.12, "test_seen": 0.18}
_NATIONALITIES = ("Simulated North", "Simulated South", "Simulated East", "Simulated West")

_NOTE = """\
This data set is SIMULATED. No person rated anything, and no person is described.

The images were rendered by {generator}. The raters are programs with known tastes (tastes.json); their
ages, genders and nationalities are invented. The files have the layout of PAMELA (bethgelab/PAMELA) so that
the same reader reads both. Do not mix these ratings with ratings by people, and do not report them as such.
"""


@dataclass(frozen=True)
class Subject:
    """One image to be rated: its prompt, what it shows, and its style (None for a photograph)."""

    prompt: str
    group: str
    style: str | None


def is_current(folder: Path, plan: dict[str, Any]) -> bool:
    """Return whether the folder holds the data set of this plan, whole: its marker is written last."""
    marker = folder / "simulated.json"
    return marker.is_file() and marker.read_text(encoding="utf-8") == canonical(plan)


def plan(data: ratings.RatedData, generator: Generator, *, seed: int) -> dict[str, Any]:
    """Return everything that the simulated data set depends on."""
    return {"version": 1, "seed": seed, "generator": asdict(generator.spec), "data": asdict(data), "raters": raters.settings()}


def make(folder: Path, data: ratings.RatedData, store: Store, generator: Generator, *, seed: int, report: Report = silent) -> None:
    """Write the simulated data set of `data` to `folder`."""
    if data.per_rater > data.images:
        raise ExperimentError(f"per_rater is {data.per_rater}, but there are only {data.images} images; lower it")
    marker = folder / "simulated.json"
    marker.unlink(missing_ok=True)
    shutil.rmtree(folder / "images", ignore_errors=True)
    rng = np.random.default_rng(seed_for(seed, "ratings"))
    subjects = [_subject(rng) for _ in range(data.images)]
    wanted = [Render(subject.prompt, seed_for(seed, "rated image", number)) for number, subject in enumerate(subjects)]
    images = rendered(store, generator, wanted, report=lambda _, done, total: report("rated images", done, total))
    for number, sha256 in enumerate(images):
        write_whole(folder / _path(number), store.image_path(sha256).read_bytes())
    measured = raters.qualities([store.image(sha256) for sha256 in images])
    tastes = raters.invent(data.raters, measured, rng)
    rows = _rows(subjects, tastes, raters.rate(tastes, measured, rng), data.per_rater, rng)
    ratings.write(folder, rows)
    raters.write(raters.tastes_file(folder), replace(tastes, tastes=(*tastes.tastes, *_newcomers(data.newcomers, measured, seed))))
    write_whole(folder / SIMULATED, _NOTE.format(generator=generator.spec.name).encode())
    write_whole(marker, canonical(plan(data, generator, seed=seed)).encode())


def _newcomers(number: int, measured: Array, seed: int) -> tuple[raters.Taste, ...]:
    """Return people who rate nothing here, for a rating study to meet; each is the same however many others there are."""
    return tuple(
        taste
        for name in raters.newcomers(number)
        for taste in raters.invent(1, measured, np.random.default_rng(seed_for(seed, name)), users=[name]).tastes
    )


def likings(folder: Path, pictures: Mapping[str, Path]) -> list[Utility]:
    """Return how much each simulated rater of the data set in `folder` truly likes each picture, by its name."""
    tastes = raters.read(raters.tastes_file(folder))
    # One at a time: thousands of open images do not fit into memory.
    measured = np.concatenate([raters.qualities([_opened(path)]) for path in pictures.values()])
    true = raters.utilities(tastes, measured).tolist()
    return [
        Utility(user, name, value) for user, row in zip(tastes.users, true, strict=True) for name, value in zip(pictures, row, strict=True)
    ]


def _opened(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB")


def _subject(rng: np.random.Generator) -> Subject:
    """Return a random subject with a random look: each axis of the vocabulary is used in half of the prompts."""
    group = _SUBJECTS[int(rng.integers(len(_SUBJECTS)))]
    look = {axis: phrases[int(rng.integers(len(phrases)))] for axis, phrases in AXES.items() if rng.random() < 0.5}
    style = look.get("style")
    return Subject(dressed(group, look), group, style if style in _PAINTED else None)


def _rows(
    subjects: Sequence[Subject], tastes: raters.Tastes, given: Array, per_rater: int, rng: np.random.Generator
) -> dict[str, list[dict[str, Any]]]:
    """Return PAMELA's dicts by split; images are split, raters are not, so no split has unseen raters."""
    split_of = _splits(len(subjects), rng)
    rows: dict[str, list[dict[str, Any]]] = {split: [] for split in _SHARES}
    for user, by_user in zip(tastes.users, given, strict=True):
        demographics = _demographics(rng)
        for number in sorted(rng.choice(len(subjects), size=per_rater, replace=False).tolist()):
            rows[split_of[number]].append(_row(user, demographics, number, subjects[number], float(by_user[number])))
    return rows


def _splits(images: int, rng: np.random.Generator) -> list[str]:
    """Return the split of each image."""
    held_out = {split: round(share * images) for split, share in _SHARES.items() if split != "train"}
    ordered = [split for split, count in held_out.items() for _ in range(count)]
    ordered += ["train"] * (images - len(ordered))
    return [ordered[index] for index in rng.permutation(images)]


def _row(user: str, demographics: dict[str, Any], number: int, subject: Subject, rating: float) -> dict[str, Any]:
    kind = "photograph" if subject.style is None else "art"
    return {
        "participant_id": user,
        "image_id": f"simulated-{number:05d}",
        "image_path": _path(number).as_posix(),
        "original_score": round(rating, 2),
        "image_metadata": {"prompt": subject.prompt, "group": subject.group, "style": subject.style, "type": kind},
        "user_demographics": demographics,
    }


def _demographics(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "age": int(rng.integers(18, 80)),
        "gender": str(rng.choice(["simulated female", "simulated male", "simulated non-binary"])),
        "nationality": str(rng.choice(_NATIONALITIES)),
    }


def _path(number: int) -> Path:
    return Path("images", f"{number:05d}.png")
