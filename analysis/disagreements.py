"""The pairs of images on which two people disagree most, to be looked at (the paper's Fig. 10)."""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from analysis.predictor_results import Disagreement, Opinion
from stimuli.predictions import Predictions

Array = NDArray[np.float64]
_Found = tuple[float, str, str, str, str]


def disagreements(predictions: Predictions, *, number: int = 4) -> tuple[Disagreement, ...]:
    """Return the strongest disagreements in the rows of one model and draw: each image and each user at most once.

    Chosen by ratings alone, so that what is shown does not flatter the predictions: how strong one is says the smaller of the two
    differences in rating. Paths are None.
    """
    told = {
        str(user): {str(predictions.image[row]): int(row) for row in np.flatnonzero(predictions.user == user)}
        for user in np.unique(predictions.user.astype(str))
    }
    candidates = sorted(found for one, other in combinations(told, 2) if (found := _strongest(predictions, told, one, other)))
    chosen: list[Disagreement] = []
    used: set[str] = set()
    for _, *names in candidates:
        users, images = names[:2], names[2:]
        # Users and images may have equal names.
        marks = {f"user {name}" for name in users} | {f"image {name}" for name in images}
        if len(chosen) < number and not marks & used:
            used |= marks
            chosen.append(_disagreement(predictions, told, users[0], users[1], images[0], images[1]))
    return tuple(chosen)


def _strongest(predictions: Predictions, told: dict[str, dict[str, int]], one: str, other: str) -> _Found | None:
    """Return the strongest disagreement of two users, the image that the first prefers first; None where they have none."""
    images = sorted(told[one].keys() & told[other].keys())
    if len(images) < 2:
        return None
    mine: Array = predictions.rating[[told[one][image] for image in images]]
    theirs: Array = predictions.rating[[told[other][image] for image in images]]
    strength = np.minimum(mine[:, None] - mine, theirs - theirs[:, None])
    a, b = np.unravel_index(int(strength.argmax()), strength.shape)
    return (-float(strength[a, b]), one, other, images[a], images[b]) if strength[a, b] > 0 else None


def _disagreement(predictions: Predictions, told: dict[str, dict[str, int]], one: str, other: str, a: str, b: str) -> Disagreement:
    def opinion(user: str) -> Opinion:
        first, second = told[user][a], told[user][b]
        rating, prediction = predictions.rating, predictions.prediction
        return Opinion(user, (float(rating[first]), float(rating[second])), (float(prediction[first]), float(prediction[second])))

    model, split = str(predictions.model[0]), str(predictions.split[0])
    return Disagreement(model, split, (a, b), (None, None), (opinion(one), opinion(other)))
