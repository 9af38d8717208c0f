"""Opens the study of an experiment: makes its database from the stimuli and [study], or goes on with the one that is there."""

import dataclasses
import hashlib
import io
import json
from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import Any

from PIL import Image, ImageOps, UnidentifiedImageError

from stimuli.experiment import Experiment, ExperimentError, require
from stimuli.manifest import Stimulus, read_stimuli
from stimuli.provenance import sha256
from study.config import StudySettings
from study.database import Database, open_database
from study.design import schedule_for
from study.session import Session, now
from study.tables import ImageRow, StimulusRow, StudyRow


def open_study(experiment: Experiment, settings: StudySettings) -> Session:
    """Return the study of the experiment, ready for participants.

    The database gets its own copy of the settings and of the images, so that nothing edited later can change what people
    see. While no comparison is answered, changed stimuli or settings simply replace the study.

    Raises:
        ExperimentError: there are no stimuli; an image is missing, damaged or of another size than the others of its
            prompt; or the database holds votes given to other stimuli or settings.
    """
    stimuli = read_stimuli(require(experiment.stimuli, made_by=f"tastebench stimuli steer {quote(str(experiment.folder))}"))
    wanted = StudyRow(_settings(settings), _digest(stimuli), created_at=now())
    # Whatever no schedule can be made of is refused now, not when the first participant comes.
    schedule_for(0, stimuli, seed=settings.experiment.seed, practice=settings.study.practice)
    database = open_database(experiment.database)
    try:
        if not _is_laid_out(experiment, database, wanted):
            _lay_out(experiment, database, wanted, stimuli)
    except BaseException:
        database.close()
        raise
    return Session(database, settings.study, settings.experiment.seed)


def _settings(settings: StudySettings) -> dict[str, Any]:
    # The experiment's title says what it hopes to find, so the study does not even hold it.
    return {"seed": settings.experiment.seed, "study": dataclasses.asdict(settings.study)}


def _digest(stimuli: Sequence[Stimulus]) -> str:
    rows = sorted(json.dumps(dataclasses.asdict(_row(stimulus))) for stimulus in stimuli)
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def _is_laid_out(experiment: Experiment, database: Database, wanted: StudyRow) -> bool:
    """Return whether the database holds just this study; one with votes of another is refused."""
    with database.reading() as rows:
        held, votes = rows.study(), rows.count_votes()
    if held is None:
        return False
    changed = _changes(held, wanted)
    if changed and votes:
        raise ExperimentError(
            f"{experiment.database} holds {votes} votes given before {' and '.join(changed)} changed, and votes of two studies are "
            f"never mixed. Either undo the change, or close the old study: `tastebench study export {quote(str(experiment.folder))}`, then "
            f"move {experiment.database.name} and {experiment.votes.name} to another place, and run this again"
        )
    return not changed


def _changes(held: StudyRow, wanted: StudyRow) -> list[str]:
    """Return what differs, as a person would say it."""
    before, after = held.settings["study"], json.loads(json.dumps(wanted.settings["study"]))
    changed = [f'"{key}" in [study]' for key in after if before.get(key) != after[key]]
    if held.settings["seed"] != wanted.settings["seed"]:
        changed.append('"seed" in [experiment]')
    if held.stimuli_sha256 != wanted.stimuli_sha256:
        changed.append("the stimuli")
    return changed


def _lay_out(experiment: Experiment, database: Database, wanted: StudyRow, stimuli: Sequence[Stimulus]) -> None:
    images = {stimulus.image_sha256: _image(experiment.folder / stimulus.image, stimulus) for stimulus in stimuli}
    _check_sizes(stimuli, images)
    with database.writing() as rows:
        if rows.count_votes():
            raise ExperimentError(f"{experiment.database} just received votes; run this again")
        rows.lay_out(wanted, list(images.values()), [_row(stimulus) for stimulus in stimuli])


def _row(stimulus: Stimulus) -> StimulusRow:
    return StimulusRow(**{field.name: getattr(stimulus, field.name) for field in dataclasses.fields(StimulusRow)})


def _image(path: Path, stimulus: Stimulus) -> ImageRow:
    """Return the image as browsers get it: pixels only, in one format for all, since metadata and formats can tell how it was made."""
    if sha256(require(path, made_by="tastebench stimuli steer")) != stimulus.image_sha256:
        raise ExperimentError(f"{path}: not the image that stimuli.parquet describes; run `tastebench stimuli steer` again")
    try:
        with Image.open(path) as opened:
            upright = ImageOps.exif_transpose(opened)
            if upright.has_transparency_data and upright.convert("RGBA").getchannel("A").getextrema() != (255, 255):
                raise ExperimentError(f"{path}: has transparent parts, which look different on each screen; save it without")
            pixels = Image.new("RGB", upright.size)
            pixels.paste(upright.convert("RGB"))
    except (UnidentifiedImageError, OSError) as error:
        raise ExperimentError(f"{path}: not an image that can be read ({error}); make it again") from error
    content = io.BytesIO()
    pixels.save(content, format="PNG")
    return ImageRow(stimulus.image_sha256, *pixels.size, content.getvalue())


def _check_sizes(stimuli: Sequence[Stimulus], images: dict[str, ImageRow]) -> None:
    first: dict[str, Stimulus] = {}
    for stimulus in stimuli:
        one, other = first.setdefault(stimulus.prompt, stimulus), stimulus
        sizes = [f"{image.width} x {image.height}" for image in (images[one.image_sha256], images[other.image_sha256])]
        if sizes[0] != sizes[1]:
            raise ExperimentError(
                f'prompt "{stimulus.prompt}": {one.image} has {sizes[0]} pixels and {other.image} {sizes[1]}; all images of a prompt '
                "must have one size, or their size tells how they were made"
            )
