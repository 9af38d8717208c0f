"""A tiny experiment whose stimuli are random noise, with names that would be easy to find where they must not be."""

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from stimuli.experiment import Experiment
from stimuli.manifest import RatingImage, Stimulus, Utility, write_rating_images, write_stimuli, write_utilities
from stimuli.provenance import sha256
from stimuli.studyfile import ExperimentTable
from study.config import Question, RatingTable, StudyTable

# (condition, target user); the scorer of each is named after it.
ARMS = (("zebrafinch", None), ("quokkaleap", "walrusking"), ("quokkaleap", "lemurqueen"))
PROMPTS = {"p1": "A red boat on a lake", "p2": "A <b>bold</b> house & garden"}


@dataclass(frozen=True)
class Settings:
    """The tables of study.toml that this room reads; nobody needs to have reviewed images of noise."""

    experiment: ExperimentTable = field(default_factory=lambda: ExperimentTable("Does it work?", seed=7))
    study: StudyTable = field(default_factory=lambda: StudyTable(unreviewed=True))
    rating: RatingTable = field(default_factory=lambda: RatingTable(unreviewed=True, per_participant=6))
    question: tuple[Question, ...] = ()
    claim: tuple[Any, ...] = ()
    analysis: Any = field(default_factory=lambda: SimpleNamespace(planned_votes=None))


def make_experiment(folder: Path, *, prompts: int = 2, arms: tuple[tuple[str, str | None], ...] = ARMS, size: int = 64) -> Experiment:
    experiment = Experiment(folder)
    experiment.images.mkdir(parents=True)
    rng = np.random.default_rng(1)
    texts = list(PROMPTS.items()) + [(f"p{number}", f"Thing number {number}") for number in range(3, prompts + 1)]
    stimuli = [_stimulus(experiment, rng, prompt, text, arm, size) for prompt, text in texts[:prompts] for arm in arms]
    write_stimuli(experiment.stimuli, stimuli)
    return experiment


def make_rating_pool(experiment: Experiment, *, images: int = 8, size: int = 64) -> None:
    """Add images to rate, each of a prompt that two of them share."""
    rng = np.random.default_rng(2)
    pool = []
    for number in range(images):
        path = experiment.folder / "pool" / f"image-{number:02d}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (size, size, 3), dtype=np.uint8)).save(path)
        pool.append(RatingImage(path.stem, f"Thing number {number // 2}", str(path.relative_to(experiment.folder)), sha256(path)))
    write_rating_images(experiment.rating_images, pool)


def write_known_tastes(experiment: Experiment, utilities: dict[tuple[str, str], float]) -> None:
    write_utilities(experiment.utilities, [Utility(user, stimulus, value) for (user, stimulus), value in utilities.items()])


def _stimulus(experiment: Experiment, rng: np.random.Generator, prompt: str, text: str, arm: tuple[str, str | None], size: int) -> Stimulus:
    condition, target = arm
    name = f"{prompt}-{condition}-{target or 'all'}"
    path = experiment.images / f"img-{name}.png"
    metadata = PngInfo()
    metadata.add_text("parameters", f"secretmetadata {condition}")
    Image.fromarray(rng.integers(0, 255, (size, size, 3), dtype=np.uint8)).save(path, pnginfo=metadata)
    return Stimulus(
        stimulus=name,
        prompt=prompt,
        base_prompt=text,
        condition=condition,
        target_user=target,
        run=0,
        image=str(path.relative_to(experiment.folder)),
        image_sha256=sha256(path),
        final_prompt=f"finalprompt {text} in golden light",
        generator="noisegenerator",
        seed=1,
        scorer=f"scorer-{condition}",
        score=1.0,
        initial_score=0.0,
        iteration=1,
    )
