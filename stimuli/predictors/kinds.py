"""The predictors by name: how each is fitted and kept, and what it needs to know beyond the interface that they share."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stimuli.experiment import ExperimentError
from stimuli.predictors import BAYES, BAYES_NETWORK, PAPER, SHELF, bayes, files
from stimuli.predictors.base_choice import BaseChoice
from stimuli.predictors.bayes import BayesTaste
from stimuli.predictors.interface import Array, Fitted, Judgements, Looks, People
from stimuli.progress import Report, silent

if TYPE_CHECKING:
    from stimuli.predictors.paper import PaperPredictor


@dataclass(frozen=True)
class Kind:
    """A predictor by name, and the device that it is fitted and used on where it is a network; `seed` is of its chance."""

    name: str = BAYES
    device: str = "auto"
    seed: int = 1

    def file(self, beside: Path) -> Path:
        """Return where the predictor is kept; `beside` is the path of the default one."""
        return beside.with_name("paper.safetensors") if self.name == PAPER else beside

    def is_kept(self, beside: Path, base: BaseChoice | None) -> bool:
        """Return whether all files of the predictor are there; `base` is how its base was chosen."""
        path = self.file(beside)
        return all(file.is_file() for file in (path, *(files.network_files(path) if base is not None and base.share else ())))

    def fit(self, looks: Looks, people: People, judgements: Judgements, aside: Judgements, *, report: Report = silent) -> Fitted:
        """Return the predictor fitted to ratings; `aside` are ratings by the same people that a network measures itself on."""
        if self.name == PAPER:
            from stimuli.predictors import paper

            kept = aside if len(aside) else None
            return paper.fit(looks, people, judgements, aside=kept, seed=self.seed, device=self.device, report=report)
        if self.name == BAYES_NETWORK:
            from stimuli.predictors import bayes_network

            return bayes_network.fit(looks, people, judgements, seed=self.seed, device=self.device, report=report)
        if self.name == BAYES:
            return bayes.fit(looks, people, judgements)
        raise SHELF.refusal(self.name)

    def save(self, path: Path, fitted: Fitted) -> None:
        """Write the predictor to `path`."""
        if isinstance(fitted, BayesTaste):
            files.save(path, fitted)
            return
        from stimuli.predictors import paper_files

        paper_files.save(path, _paper(fitted))

    def load(self, path: Path) -> Fitted:
        """Return the predictor at `path`."""
        if self.name == PAPER:
            from stimuli.predictors import paper_files

            return paper_files.load(path, device=self.device)
        return files.load(path, device=self.device)


def base_of(fitted: Fitted) -> BaseChoice | None:
    """Return how the base of a predictor was chosen; None where there was nothing to choose from."""
    return fitted.choice if isinstance(fitted, BayesTaste) else None


def scores(fitted: Fitted, looks: Looks, user: str, *, caution: float = 0.0) -> Array:
    """Return what `user` is expected to rate images of which nothing is known but pixels and prompts, shape (images,).

    With `caution` c it is the mean less c standard deviations of what is not known of the person's taste.

    Raises:
        ExperimentError: caution is asked of a predictor that does not know how little it knows.
    """
    if isinstance(fitted, BayesTaste):
        return bayes.lower_bound(fitted.predict(looks, user), sd=caution, noise=fitted.prior.noise)
    if caution:
        raise ExperimentError('caution needs a predictor that knows how little it knows; use predictor = "bayes", or caution = 0')
    average = _paper(fitted).scales.metadata
    if average is not None and looks.metadata is None:
        looks = replace(looks, metadata=np.tile(average.centre, (len(looks), 1)))
    return fitted.predict(looks, user).mean


def rated_more(fitted: Fitted, user: str, looks: Looks, ratings: Array) -> Fitted:
    """Return a predictor that knows a user of its training by these further ratings too.

    The paper's model leaves users of its training as they are: it has no way to add to what it learnt of them.
    """
    if isinstance(fitted, BayesTaste):
        for row, rating in enumerate(ratings.tolist()):
            fitted = fitted.rated(user, looks.at(np.array([row])), rating)
    return fitted


def _paper(fitted: Fitted) -> "PaperPredictor":
    from stimuli.predictors.paper import PaperPredictor

    if not isinstance(fitted, PaperPredictor):
        raise ExperimentError(f"a {type(fitted).__name__} is no predictor that can be kept; expected one of: {', '.join(SHELF.here)}")
    return fitted
