"""The images that a study is made from, as its design reads them, before the review takes any away."""

from shlex import quote

from stimuli.experiment import Experiment, require
from stimuli.manifest import Stimulus, first_runs, read_rating_images, read_stimuli
from study.config import StudySettings


def images_to_see(experiment: Experiment, settings: StudySettings, *, rating: bool) -> list[tuple[str, str, str]]:
    """Return (id, prompt, SHA-256) of every image of a study, those that the review removed among them.

    Raises:
        ExperimentError: there are none yet.
    """
    if not rating or settings.rating.images == "stimuli":
        return [(each.stimulus, each.prompt, each.image_sha256) for each in stimuli_of(experiment)]
    pool = require(experiment.rating_images, made_by=f"tastebench stimuli pool {quote(str(experiment.folder))}")
    return [(each.image, each.prompt, each.image_sha256) for each in read_rating_images(pool)]


def stimuli_of(experiment: Experiment) -> list[Stimulus]:
    """Return the images of the comparison, those that the review removed among them.

    Raises:
        ExperimentError: there are none yet.
    """
    return first_runs(read_stimuli(require(experiment.stimuli, made_by=f"tastebench stimuli steer {quote(str(experiment.folder))}")))
