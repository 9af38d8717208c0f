"""Which command comes next on the way to launch: the images, the review, the lock, and then the doors open."""

from shlex import quote

from stimuli.experiment import Experiment
from study.config import StudySettings
from study.design.images import images_to_see
from study.reviews import read_reviews, summary


def next_command(experiment: Experiment, settings: StudySettings, *, rating: bool = False) -> str:
    """Return the command to give next: what makes the images, looks through them, locks the claims, or opens the study.

    Behind the last one stands in brackets that programs can take the study too, where simulated raters' tastes are known.

    Raises:
        ExperimentError: the images of a rating study are not there yet.
    """
    folder, option = quote(str(experiment.folder)), " --rating" if rating else ""
    # The claims may be locked before there is an image; what leads here for a rating study has read its images already.
    if not rating and not experiment.stimuli.is_file():
        return f"tastebench stimuli steer {folder}"
    if rating and settings.rating.order == "active" and not experiment.onboarding.is_file():
        return f"tastebench stimuli train {folder}"
    table = settings.rating if rating else settings.study
    images = [sha256 for _, _, sha256 in images_to_see(experiment, settings, rating=rating)]
    if not table.unreviewed and summary(images, read_reviews(experiment.reviews)).unreviewed:
        return f"tastebench study review{option} {folder}"
    if not rating and settings.claim and not experiment.lock.is_file():
        return f"tastebench study lock {folder}"
    tastes = experiment.rating_utilities if rating and settings.rating.images == "pool" else experiment.utilities
    rehearsal = f" (or `study simulate{option}`, with programs in place of people)" if tastes.is_file() else ""
    return f"tastebench study serve{option} {folder}{rehearsal}"
