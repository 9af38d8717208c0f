"""A study with a simulated person whose taste can be hacked, through the real loop: their scorer loves the dark, whatever is in it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stimuli import scorers
from stimuli.config import Condition, Prompt, StimuliTable
from stimuli.experiment import Experiment
from stimuli.generators.offline import Sketch
from stimuli.groups import Group
from stimuli.production import ensemble, handover
from stimuli.production.ensemble import Ensemble
from stimuli.ratings import RatedData
from stimuli.rewriters.offline import Vocabulary
from stimuli.scorers import ScorerSpec
from stimuli.steering import guards, steer_all
from stimuli.steering.chains import Course, Steering
from stimuli.store import Store
from stimuli.studyfile import ExperimentTable
from stimuli.workers import Workers, crew

PROMPT = Prompt("lighthouse", "A lighthouse on a rocky coast, with a small sailing boat passing.")


class DarkLover:
    """What a predictor would say that was fooled by a few dark images: the darker, the better, up to black."""

    spec = ScorerSpec("personal:hacked", "1", 1, 5, higher_is_better=True, needs_prompt=False, stand_in=True)

    def score(self, images: Sequence[Image.Image], prompts: Sequence[str]) -> NDArray[np.float64]:
        del prompts
        return np.array([5 - 4 * float(np.asarray(image.convert("L")).mean()) / 255 for image in images])


@dataclass(frozen=True)
class Settings:
    experiment: ExperimentTable
    stimuli: StimuliTable
    prompt: tuple[Prompt, ...]
    condition: tuple[Condition, ...]
    group: tuple[Group, ...] = ()


SETTINGS = Settings(
    ExperimentTable("A taste that can be hacked", 3),
    StimuliTable(
        size=96,
        steering=Steering(candidates=12, iterations=5, patience=2, fresh_seeds=2, held_out=("exposure",)),
        # A folder, so that no simulated raters are asked what they truly like.
        ratings=RatedData(folder="."),
        workers=Workers(kind="here"),
    ),
    (PROMPT,),
    (Condition("initial"), Condition("colourful", scorer="colourful"), Condition("dark", scorer="hacked", targets=("hacked",))),
)


def hacked_study(folder: Path) -> tuple[Experiment, list[Course]]:
    """Steer, write the hand-over, and return both."""
    experiment = Experiment(folder)
    experiment.settings.write_text('[experiment]\ntitle = "A taste that can be hacked"\n')
    made = Ensemble(
        Sketch(96),
        Vocabulary(),
        {("colourful", None): scorers.make("colourful"), ("dark", "hacked"): DarkLover()},
        (scorers.make("exposure"),),
        guards.make("sketch-likeness", floor=None, scorer_named=scorers.make),
    )
    with Store(experiment.work) as store:
        courses = asyncio.run(_steered(store, made))
        handover.write(experiment, SETTINGS, store, made, courses)
    return experiment, courses


async def _steered(store: Store, made: Ensemble) -> list[Course]:
    steering = SETTINGS.stimuli.steering
    async with crew(store, made.parts, SETTINGS.stimuli.workers, images=100) as stages:
        return await steer_all(ensemble.chains(SETTINGS, made), steering, stages)
