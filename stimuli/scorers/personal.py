"""The personal scorer: what the predictor expects one person to rate an image."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stimuli.encoders import Encoder
from stimuli.experiment import ExperimentError
from stimuli.predictor import Predictor
from stimuli.scorers import ScorerSpec

Array = NDArray[np.float64]


class Personal:
    """The predicted rating (1..5) by one user; `version` names the fitted predictor."""

    def __init__(self, predictor: Predictor, encoder: Encoder, user: str, *, version: str) -> None:
        if predictor.encoder != encoder.spec.name:
            raise ExperimentError(
                f'the predictor was fitted on features of "{predictor.encoder}", not of "{encoder.spec.name}"; train it again'
            )
        predictor.taste(user)
        self.spec = ScorerSpec(f"personal:{user}", version, 1, 5, higher_is_better=True, needs_prompt=False, stand_in=encoder.spec.stand_in)
        self._predictor = predictor
        self._encoder = encoder
        self._user = user

    def score(self, images: Sequence[Image.Image], prompts: Sequence[str]) -> Array:
        """Return the predicted rating of each image, shape (images,)."""
        del prompts
        return self._predictor.predict(self._encoder.encode(images), self._user).mean
