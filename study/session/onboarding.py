"""Active onboarding: which images a participant of a rating study is asked next, chosen by what they have rated so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stimuli.experiment import ExperimentError
from study.config import RatingTable
from study.design.trial import Trial
from study.session.chooser import Chooser


@dataclass(frozen=True)
class Asked:
    """What one participant was asked so far: ids of images in order, and `rated` by image, from 1 to 5."""

    rated: Mapping[str, float]
    practised: Sequence[str]
    shown: Sequence[str]
    repeated: int


def next_trials(count: int, asked: Asked, prompts: Mapping[str, str], *, table: RatingTable, chooser: Chooser) -> list[Trial]:
    """Return the next `count` trials after those `asked`; `prompts` holds the prompt of every image.

    First `per_participant` images of the chooser's choice, then the `repeats` that were shown first, once more. Images from
    practice are only offered to the chooser when no other is left.

    Raises:
        ExperimentError: the chooser names an image that it was not offered.
    """
    shown, trials = list(asked.shown), []
    for position in range(len(shown) + asked.repeated, len(shown) + asked.repeated + count):
        block = position // table.block if table.block else 0
        if position < table.per_participant:
            image = _chosen(asked, shown, sorted(prompts), chooser)
            shown.append(image)
            trials.append(Trial("rating", block, prompts[image], image))
        else:
            image = shown[position - table.per_participant]
            trials.append(Trial("repeat", block, prompts[image], image))
    return trials


def _chosen(asked: Asked, shown: Sequence[str], images: Sequence[str], chooser: Chooser) -> str:
    left = [image for image in images if image not in shown]
    candidates = [image for image in left if image not in asked.practised] or left
    image = chooser(asked.rated, candidates)
    if image not in candidates:
        raise ExperimentError(
            f'the chooser of the rating study named "{image}", which is none of the {len(candidates)} images it was offered'
        )
    return image
