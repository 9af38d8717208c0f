"""The paper's model at a size that trains in a second or less."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from stimuli.predictors.interface import Judgements
from stimuli.predictors.paper import PaperPredictor, fit
from stimuli.predictors.paper_settings import PaperModel
from stimuli.simulation.synthetic import World

QUICK = PaperModel(width=32, heads=2, hidden=64, learning_rate=1e-3, batch=64, epochs=6)
# A few steps; for tests of everything but learning.
BRIEF = replace(QUICK, width=16, hidden=16, batch=512, epochs=2)


def briefly(world: World, settings: PaperModel = BRIEF, *, seed: int = 0, resume: Path | None = None) -> PaperPredictor:
    """Return a model trained on some of the ratings of a world."""
    few = first(world.judgements["train"], 1500)
    return fit(world.looks, world.people, few, settings, seed=seed, device="cpu", resume=resume)


def first(judgements: Judgements, number: int) -> Judgements:
    """Return some of the ratings, drawn at random."""
    rows = np.random.default_rng(0).permutation(len(judgements))[:number]
    return Judgements(judgements.user[rows], judgements.image[rows], judgements.rating[rows])
