"""The images that a study would show, by prompt and without a word of how they were made: what a review looks through."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from stimuli.experiment import Experiment, require
from stimuli.manifest import first_runs, read_rating_images, read_stimuli
from study.config import RatingTable, StudyTable


@dataclass(frozen=True)
class Picture:
    """One image file; `uses` counts how often the study's list names these very bytes for this prompt."""

    sha256: str
    path: Path
    uses: int


@dataclass(frozen=True)
class Group:
    """The images of one prompt, ordered by their hash, which says nothing about them."""

    prompt: str
    pictures: tuple[Picture, ...]


def groups_of(experiment: Experiment, table: StudyTable | RatingTable) -> tuple[Group, ...]:
    """Return the images of the comparison, or of the rating study, in the order of their prompts; removed ones are among them.

    Raises:
        ExperimentError: the file that lists them is missing or damaged.
    """
    listed = _listed(experiment, table)
    uses = Counter((prompt, sha256) for prompt, sha256, _ in listed)
    paths = {sha256: path for _, sha256, path in listed}
    prompts = dict.fromkeys(prompt for prompt, _, _ in listed)
    return tuple(
        Group(prompt, tuple(Picture(sha256, paths[sha256], uses[prompt, sha256]) for of, sha256 in sorted(uses) if of == prompt))
        for prompt in prompts
    )


def hashes_of(groups: Sequence[Group]) -> list[str]:
    """Return the hash of each image once."""
    return list(dict.fromkeys(picture.sha256 for group in groups for picture in group.pictures))


def _listed(experiment: Experiment, table: StudyTable | RatingTable) -> list[tuple[str, str, Path]]:
    folder = quote(str(experiment.folder))
    if isinstance(table, RatingTable) and table.images == "pool":
        pool = read_rating_images(require(experiment.rating_images, made_by=f"tastebench stimuli pool {folder}"))
        return [(image.prompt, image.image_sha256, experiment.folder / image.path) for image in pool]
    stimuli = first_runs(read_stimuli(require(experiment.stimuli, made_by=f"tastebench stimuli steer {folder}")))
    return [(stimulus.base_prompt, stimulus.image_sha256, experiment.folder / stimulus.image) for stimulus in stimuli]
