"""The images that a study shows: which they are, and their bytes as browsers get them, with nothing in them but pixels."""

import hashlib
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from PIL import Image, ImageOps, UnidentifiedImageError

from stimuli.experiment import Experiment, ExperimentError, require
from stimuli.manifest import RatingImage, Stimulus, first_runs, read_rating_images, read_stimuli
from stimuli.provenance import sha256
from study.config import RatingTable, StudyTable
from study.reviews import read_reviews, summary
from study.storage.records import ImageRow, StimulusRow


@dataclass(frozen=True)
class Shown:
    """One image that people may see, where it lies, and the command that makes it."""

    row: StimulusRow
    path: Path
    made_by: str


def images_of(experiment: Experiment, table: StudyTable | RatingTable) -> list[Shown]:
    """Return the images of the comparison or of the rating study, without those that the review removed.

    Raises:
        ExperimentError: the file that lists them is missing, or the review leaves nothing to compare or rate.
    """
    listed = _listed(experiment, table)
    reviews = read_reviews(experiment.reviews)
    removed = {sha for sha, review in reviews.items() if review.verdict == "removed"}
    kept = [shown for shown in listed if shown.row.image_sha256 not in removed]
    if isinstance(table, StudyTable):
        _check_enough(listed, kept)
    elif not kept:
        raise ExperimentError(f"{experiment.reviews}: the review removed all {len(listed)} images, so there is nothing to rate")
    return kept


def check_reviewed(experiment: Experiment, images: Sequence[Shown]) -> None:
    """Raise an `ExperimentError` where nobody has looked through all images."""
    seen = summary([shown.row.image_sha256 for shown in images], read_reviews(experiment.reviews))
    if seen.unreviewed:
        raise ExperimentError(
            f"{seen.unreviewed} of {seen.images} images were not looked at by anybody, and people should not be the first to see "
            f"them: run `tastebench study review {quote(str(experiment.folder))}`, or write unreviewed = true in study.toml"
        )


def pictures(images: Sequence[Shown], *, same_size: bool) -> list[ImageRow]:
    """Return the bytes of each image once; `same_size` asks that all of a prompt have the same number of pixels.

    Raises:
        ExperimentError: an image is missing, damaged, other than listed, transparent, or of another size.
    """
    made = {shown.row.image_sha256: shown for shown in images}
    rows = {sha: _picture(shown) for sha, shown in made.items()}
    if same_size:
        _check_sizes(images, rows)
    return list(rows.values())


def _listed(experiment: Experiment, table: StudyTable | RatingTable) -> list[Shown]:
    folder = quote(str(experiment.folder))
    if isinstance(table, StudyTable) or table.images == "stimuli":
        made_by, blind = f"tastebench stimuli steer {folder}", isinstance(table, RatingTable)
        found = first_runs(read_stimuli(require(experiment.stimuli, made_by=made_by)))
        return [Shown(_of_stimulus(stimulus, blind=blind), experiment.folder / stimulus.image, made_by) for stimulus in found]
    made_by = f"tastebench stimuli pool {folder}"
    pool = read_rating_images(require(experiment.rating_images, made_by=made_by))
    return [Shown(_of_pool(image), experiment.folder / image.path, made_by) for image in pool]


def _of_stimulus(stimulus: Stimulus, *, blind: bool) -> StimulusRow:
    return StimulusRow(
        stimulus=stimulus.stimulus,
        prompt=stimulus.prompt,
        base_prompt=stimulus.base_prompt,
        # Whoever rates an image is nobody's target, and nothing is balanced over conditions.
        condition="" if blind else stimulus.condition,
        target_user=None if blind else stimulus.target_user,
        run=stimulus.run,
        image_sha256=stimulus.image_sha256,
    )


def _of_pool(image: RatingImage) -> StimulusRow:
    prompt = hashlib.sha256(image.prompt.encode()).hexdigest()[:12]
    return StimulusRow(image.image, prompt, image.prompt, "", None, 0, image.image_sha256)


def _check_enough(listed: Sequence[Shown], kept: Sequence[Shown]) -> None:
    left = Counter(shown.row.prompt for shown in kept)
    for prompt, before in Counter(shown.row.prompt for shown in listed).items():
        if left[prompt] < 2 <= before:
            raise ExperimentError(
                f'prompt "{prompt}": the review removed {before - left[prompt]} of its {before} images, and a comparison needs 2; make '
                "other images (`tastebench stimuli steer`), take the prompt out of study.toml, or review its images again"
            )


def _picture(shown: Shown) -> ImageRow:
    """Return the image in the one format that all have, since metadata and formats can tell how it was made."""
    path = shown.path
    if sha256(require(path, made_by=shown.made_by)) != shown.row.image_sha256:
        raise ExperimentError(f"{path}: not the image that was listed when the images were made; run `{shown.made_by}` again")
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
    return ImageRow(shown.row.image_sha256, *pixels.size, content.getvalue())


def _check_sizes(images: Sequence[Shown], rows: dict[str, ImageRow]) -> None:
    first: dict[str, Shown] = {}
    for shown in images:
        one, other = first.setdefault(shown.row.prompt, shown), shown
        sizes = [f"{row.width} x {row.height}" for row in (rows[one.row.image_sha256], rows[other.row.image_sha256])]
        if sizes[0] != sizes[1]:
            raise ExperimentError(
                f'prompt "{one.row.prompt}": {one.path.name} has {sizes[0]} pixels and {other.path.name} {sizes[1]}; all images of a '
                "prompt must have one size, or their size tells how they were made"
            )
