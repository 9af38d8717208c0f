"""Writes what the analysis and the report read of a study into another folder, under new names: the content of a bundle."""

import io
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256 as digest_of
from itertools import chain
from pathlib import Path
from typing import Any

from PIL import Image

from analysis.predictor_results import PredictorResults, read_predictor_results, write_predictor_results
from reports import bundle_settings, pseudonyms
from reports.bare_images import beside_pixels
from reports.kept_copies import small_copy
from reports.pseudonyms import Names
from stimuli.experiment import Experiment, ExperimentError, write_whole
from stimuli.manifest import Stimulus, read_record, read_steps, read_stimuli, write_record, write_steps, write_stimuli
from stimuli.provenance import sha256
from stimuli.steering_record import (
    read_candidates,
    read_embeddings,
    read_rescored,
    write_candidates,
    write_embeddings,
    write_rescored,
)
from study.lock import read_lock
from study.rated import read_ratings, write_ratings
from study.reviews import read_reviews, write_reviews
from study.votes import Participant, Vote, read_participants, read_votes, write_participants, write_votes

# Every table but votes and stimuli: where it is, and how it is read, renamed and written.
_TABLES: tuple[
    tuple[Callable[[Experiment], Path], Callable[[Path], Any], Callable[[Any, Names], Any], Callable[[Path, Any], None]], ...
] = (
    (lambda study: study.participants, read_participants, pseudonyms.participants, write_participants),
    (lambda study: study.rating_participants, read_participants, pseudonyms.participants, write_participants),
    (lambda study: study.rated, read_ratings, pseudonyms.ratings, write_ratings),
    (lambda study: study.steps, read_steps, pseudonyms.steps, write_steps),
    (lambda study: study.candidates, read_candidates, pseudonyms.candidates, write_candidates),
    (lambda study: study.rescored, read_rescored, pseudonyms.rescored, write_rescored),
    (lambda study: study.run_embeddings, read_embeddings, pseudonyms.embeddings, write_embeddings),
    (lambda study: study.reviews, lambda path: read_reviews(path).values(), pseudonyms.reviews, write_reviews),
)

# Pixels a side; larger examples of the predictor are made smaller.
_LARGEST = 2048


def stage(experiment: Experiment, staged: Experiment, *, seed: int) -> dict[str, str]:
    """Write a study into the folder of `staged`, and return the new name of each of its people.

    Raises:
        ExperimentError: a file cannot be read, or an image holds more than pixels.
    """
    votes = read_votes(experiment.votes)
    stimuli = read_stimuli(experiment.stimuli) if experiment.stimuli.is_file() else []
    predictor = read_predictor_results(experiment.predictor_results) if experiment.predictor_results.is_file() else None
    salt = _salt(experiment)
    people = pseudonyms.pseudonyms(_people(experiment, votes, stimuli, predictor), seed=seed, salt=salt)
    renamed = pseudonyms.new_stimuli(stimuli, people)
    listed = _in_order(stimuli, renamed)
    names = Names(
        people=people,
        stimuli={old: row.stimulus for old, row in renamed} | _unlisted(votes, renamed, seed=seed, salt=salt),
        images={row.image: new.image for row, (_, new) in zip(listed, renamed, strict=True)},
        began=_began(experiment, votes),
    )
    write_votes(staged.votes, pseudonyms.votes(votes, names))
    if stimuli:
        write_stimuli(staged.stimuli, [row for _, row in renamed])
    for where, read, under_new_names, write in _TABLES:
        if where(experiment).is_file():
            write(where(staged), under_new_names(read(where(experiment)), names))
    for name, content in bundle_settings.files(experiment.folder, people).items():
        write_whole(staged.folder / name, content)
    if experiment.lock.is_file():
        write_whole(staged.lock, experiment.lock.read_bytes())
    if experiment.stimuli_record.is_file():
        record = read_record(experiment.stimuli_record)
        write_record(staged.stimuli_record, replace(record, provenance=_without_settings(record.provenance)))
    removed = {name for name, review in read_reviews(experiment.reviews).items() if review.verdict == "removed"}
    _stage_images(experiment, staged, listed, names, removed)
    if predictor:
        shown = dict(names.images) | dict(_pictures(experiment, staged, predictor, known=names.images, removed=removed))
        told = replace(predictor, provenance=_without_settings(predictor.provenance))
        write_predictor_results(staged.predictor_results, pseudonyms.predictor(told, names, shown))
    return people


def _salt(experiment: Experiment) -> str:
    """Return what nobody else knows of the study: its key, or where it has none the hash of its votes under their old names."""
    key = experiment.secret.read_bytes() if experiment.secret.is_file() else b""
    return digest_of(key + sha256(experiment.votes).encode()).hexdigest()


def _began(experiment: Experiment, votes: Sequence[Vote]) -> datetime:
    """Return the start of the day of the first vote; or where the claims were locked on that day before it, a second after the lock."""
    first = min(datetime.fromisoformat(vote.answered_at) for vote in votes)
    day = first.replace(hour=0, minute=0, second=0, microsecond=0)
    lock = read_lock(experiment)
    locked = datetime.fromisoformat(lock.locked_at) if lock else first
    return min(first, locked + timedelta(seconds=1)) if day <= locked < first else day


def _in_order(stimuli: Sequence[Stimulus], renamed: Sequence[tuple[str, Stimulus]]) -> list[Stimulus]:
    """Return the old rows in the order of the new ones."""
    by_id = {row.stimulus: row for row in stimuli}
    return [by_id[old] for old, _ in renamed]


def _people(experiment: Experiment, votes: Sequence[Vote], stimuli: Sequence[Stimulus], predictor: PredictorResults | None) -> set[str]:
    """Return everybody who answered, came, rated, was a target or is an example; groups are nobody in particular."""
    raw = bundle_settings.raw(experiment.settings)
    listed = [*_participants(experiment.participants), *_participants(experiment.rating_participants)]
    rated = read_ratings(experiment.rated) if experiment.rated.is_file() else []
    steered = read_steps(experiment.steps) if experiment.steps.is_file() else []
    found = chain(
        (name for vote in votes for name in (vote.participant, vote.target_user, vote.left_target, vote.right_target)),
        (row.target_user for row in stimuli),
        (row.target_user for row in steered),
        (name for row in listed for name in (row.participant, row.target_user)),
        (row.participant for row in rated),
        (name for table in raw.get("condition", ()) for name in table.get("targets", ())),
        (name for table in raw.get("group", ()) for name in table.get("members", ())),
        (said.user for one in (predictor.disagreements if predictor else ()) for said in one.opinions),
    )
    return {name for name in found if name is not None} - {table.get("name") for table in raw.get("group", ())}


def _unlisted(votes: Sequence[Vote], renamed: Sequence[tuple[str, Stimulus]], *, seed: int, salt: str) -> dict[str, str]:
    """Return a new name for each image that was judged and that no table lists."""
    listed = {old for old, _ in renamed}
    found = {name for vote in votes for name in (vote.left_stimulus, vote.right_stimulus)} - listed
    return {old: f"x-{new}" for old, new in pseudonyms.pseudonyms(found, seed=seed, salt=f"images {salt}").items()}


def _participants(path: Path) -> list[Participant]:
    return read_participants(path) if path.is_file() else []


def _without_settings(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Return a provenance without the hash of study.toml, by which a guess at the names in that file could be tested."""
    return dict(provenance) | ({"settings_sha256": None} if "settings_sha256" in provenance else {})


def _stage_images(experiment: Experiment, staged: Experiment, stimuli: Iterable[Stimulus], names: Names, removed: Collection[str]) -> None:
    """Copy the images of the study, but those that a researcher took out of it."""
    for row in stimuli:
        path = experiment.folder / row.image
        if row.image_sha256 not in removed and path.is_file():
            _require_bare(path)
            write_whole(staged.folder / names.images[row.image], path.read_bytes())


def _require_bare(path: Path) -> None:
    """Raise an `ExperimentError` where an image holds more than what its pixels need."""
    try:
        more = beside_pixels(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ExperimentError(f"{path}: not an image that can be read ({error}); put the image that people saw back") from error
    if more:
        raise ExperimentError(
            f"{path}: holds more than an image ({', '.join(more)}), which may say who made it, where and when, so no bundle was made; "
            "the images that `tastebench stimuli steer` writes hold pixels only; save this one again "
            "as people saw it: upright, in sRGB, and without metadata or a colour profile"
        )


def _pictures(
    experiment: Experiment, staged: Experiment, predictor: PredictorResults, *, known: Mapping[str, str], removed: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Write the images of the predictor's examples that no stimulus is, as bare PNG, and yield the old and the new path of each."""
    for old in {path for one in predictor.disagreements for path in one.paths if path is not None and path not in known}:
        picture = small_copy(experiment.folder, old, _LARGEST)
        if picture is None or sha256(experiment.folder / old) in removed:
            continue
        buffer = io.BytesIO()
        # From the pixels alone: an image that was read remembers what its file said.
        Image.frombytes(picture.mode, picture.size, picture.tobytes()).save(buffer, "PNG")
        content = buffer.getvalue()
        new = f"images/{digest_of(content).hexdigest()[:20]}.png"
        write_whole(staged.folder / new, content)
        yield old, new
