"""The personal scorer: what the predictor expects one person to rate an image."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stimuli.predictors.interface import EncoderMismatchError, Fitted, UnknownUserError
from stimuli.predictors.kinds import scores
from stimuli.predictors.sight import Sight
from stimuli.scorers import ScorerSpec

Array = NDArray[np.float64]


class Personal:
    """The predicted rating (1..5) by one user; `version` names the fitted predictor.

    With `caution` c it is c standard deviations of what is not known of the user's taste below the expected rating, so that
    steering does not chase images of which little is known.
    """

    def __init__(self, fitted: Fitted, sight: Sight, user: str, *, version: str, caution: float = 0.0) -> None:
        encoder = sight.images.spec
        if fitted.encoder != encoder.name:
            raise EncoderMismatchError(
                f'the predictor was trained on features of "{fitted.encoder}", not of "{encoder.name}"; train it again'
            )
        if user not in fitted.users:
            raise UnknownUserError(_unknown(fitted, user))
        version = f"{version} caution {caution:g}" if caution else version
        # Without a text encoder the prompt counts for nothing, and an image has one score.
        reads = sight.texts is not None
        self.spec = ScorerSpec(f"personal:{user}", version, 1, 5, higher_is_better=True, needs_prompt=reads, stand_in=sight.stand_in)
        self._fitted = fitted
        self._sight = sight
        self._user = user
        self._caution = caution

    def score(self, images: Sequence[Image.Image], prompts: Sequence[str]) -> Array:
        """Return the predicted rating of each image, shape (images,)."""
        return scores(self._fitted, self._sight.looks(images, prompts), self._user, caution=self._caution)


def _unknown(fitted: Fitted, user: str) -> str:
    some = ", ".join(sorted(fitted.users)[:5])
    return (
        f'the predictor knows no user "{user}"; it knows {len(fitted.users)}, such as {some}. '
        f'Name one of them, or let "{user}" rate images (tastebench study serve --rating)'
    )
