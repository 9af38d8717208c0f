"""The personal scorer: what the predictor expects one person, or a group of people, to rate an image."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stimuli.groups import Gathered, knowing
from stimuli.predictors.interface import EncoderMismatchError, Fitted, UnknownUserError
from stimuli.predictors.kinds import Kind, scores
from stimuli.predictors.sight import Sight
from stimuli.scorers import ScorerSpec

Array = NDArray[np.float64]


class Kept:
    """A trained predictor in its file, read when it is needed first, so that only its path is sent to other processes."""

    def __init__(self, kind: Kind, path: Path, groups: tuple[Gathered, ...] = ()) -> None:
        self._kind = kind
        self._path = path.resolve()
        self._groups = groups
        self._fitted: Fitted | None = None

    def read(self) -> Fitted:
        """Return the predictor, which knows the groups too.

        Raises:
            ExperimentError: there is no such file, or another predictor in it.
        """
        if self._fitted is None:
            self._fitted = knowing(self._kind.load(self._path), self._groups)
        return self._fitted

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_fitted": None}


class Personal:
    """The predicted rating (1..5) by one user or group; `version` names the fitted predictor.

    With `caution` c it is c standard deviations of what is not known of the user's taste below the expected rating, so that
    steering does not chase images of which little is known.
    """

    def __init__(self, fitted: Fitted | Kept, sight: Sight, user: str, *, version: str, caution: float = 0.0) -> None:
        self._fitted = fitted
        self._sight = sight
        self._user = user
        self._caution = caution
        found, encoder = self._read(), sight.images.spec
        if found.encoder != encoder.name:
            raise EncoderMismatchError(
                f'the predictor was trained on features of "{found.encoder}", not of "{encoder.name}"; train it again'
            )
        if user not in found.users:
            raise UnknownUserError(_unknown(found, user))
        version = f"{version} caution {caution:g}" if caution else version
        # Without a text encoder the prompt counts for nothing, and an image has one score.
        reads = sight.texts is not None
        self.spec = ScorerSpec(f"personal:{user}", version, 1, 5, higher_is_better=True, needs_prompt=reads, stand_in=sight.stand_in)

    def score(self, images: Sequence[Image.Image], prompts: Sequence[str]) -> Array:
        """Return the predicted rating of each image, shape (images,)."""
        return scores(self._read(), self._sight.looks(images, prompts), self._user, caution=self._caution)

    def _read(self) -> Fitted:
        return self._fitted.read() if isinstance(self._fitted, Kept) else self._fitted


def _unknown(fitted: Fitted, user: str) -> str:
    some = ", ".join(sorted(fitted.users)[:5])
    return (
        f'the predictor knows no user "{user}"; it knows {len(fitted.users)}, such as {some}. '
        f'Name one of them, or let "{user}" rate images (tastebench study serve --rating)'
    )
