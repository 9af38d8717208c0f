"""An invented experiment for the tests of reports/, written through the same hand-overs that the rooms use."""

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from analysis.results import ClaimResult, Contrast, Counts, Pair, Results, Score, write_results
from stimuli.experiment import Experiment
from stimuli.manifest import StandIn, Step, StimuliRecord, Stimulus, write_record, write_steps, write_stimuli
from stimuli.provenance import sha256

USERS = ("rater-01", "rater-05", "rater-09", "rater-13", "rater-17", "rater-21")
PROMPTS = {
    "glasshouse": "An old glasshouse crowded with giant Monstera leaves, light falling through the misty panes.",
    "lighthouse": "A lighthouse on a rocky coast, with a small sailing boat passing.",
    "bookshelves": "Tall bookshelves with philodendrons between the books, and a leather armchair.",
    "mossy-rocks": "Mossy rocks floating in the air above a quiet lake.",
}
LOOKS = ("golden hour light", "misty light", "low angle", "cool palette", "film photograph", "dreamy mood", "high contrast")
SCORERS = {"hpsv3": (8.1, 2.2), "qalign": (0.64, 0.3), "personal": (0.55, 0.12)}
PROVENANCE = {
    "settings_sha256": None,
    "seed": 2026,
    "packages": {"python": "3.11.2", "numpy": "2.4.6", "choix": "0.4.1"},
    "git_commit": "07272f6d1c2a+changes",
    "inputs": {},
    "made_at": "2026-11-20T12:00:00+00:00",
}
ELO = {"own": 1065.0, "others": 1038.4, "initial": 1015.7, "hpsv3": 958.9, "qalign": 922.0}


def example_results() -> Results:
    """Scores like the paper's, all from six simulated participants."""
    names = list(ELO)
    scores = tuple(Score(name, elo, elo - 9 - i, elo + 8 + i, 3060 + 10 * i) for i, (name, elo) in enumerate(ELO.items()))
    contrasts = tuple(
        Contrast(a, b, ELO[a] - ELO[b], ELO[a] - ELO[b] - 24.5, ELO[a] - ELO[b] + 25.5, "these") for a, b in combinations(names, 2)
    )
    pairs = tuple(Pair(a, b, wins := round(700 / (1 + 10 ** ((ELO[b] - ELO[a]) / 400))), 700 - wins, 12) for a, b in combinations(names, 2))
    return Results(
        scores=scores,
        contrasts=contrasts,
        claims=(
            ClaimResult(
                "C1",
                "The claim: own is preferred to others. Measured: own minus others is +26.6 Elo (95 % interval +2.1 to +52.1). "
                "The votes support the claim, for these participants and these prompts; not for new ones.",
                "SUPPORTED, EXPLORATORY",
                "the 95 % interval of the difference lies wholly above 0",
            ),
            ClaimResult(
                "C2",
                "The claim: own is preferred to others, and others is preferred to initial. Measured: others minus initial is +22.7 Elo "
                "(95 % interval -1.8 to +48.2). The votes do not decide the claim, which is no evidence of no difference.",
                "INCONCLUSIVE, EXPLORATORY",
                "the 95 % interval of others minus initial does not lie wholly above 0",
            ),
        ),
        pairs=pairs,
        counts=Counts(7120, 120, 6, 4, 6, 0.508, 3, 1000),
        interval=(
            "95 % percentile intervals from 1,000 bootstrap resamples of single votes. They hold for these participants and these "
            "prompts; for new participants or new prompts they are too narrow."
        ),
        provenance=PROVENANCE,
    )


def write_example(
    folder: Path, results: Results | None = None, *, prompts: dict[str, str] = PROMPTS, users: tuple[str, ...] = USERS, size: int = 256
) -> Experiment:
    """Write a finished experiment into `folder`: 6 users, 4 prompts, 4 iterations, gradients for images."""
    experiment = Experiment(folder)
    folder.mkdir(parents=True, exist_ok=True)
    experiment.settings.write_text('[experiment]\ntitle = "Does steering work?"\n', encoding="utf-8")
    generator = np.random.default_rng(7)
    stimuli: list[Stimulus] = []
    steps: list[Step] = []
    for prompt, words in prompts.items():
        base = _paint(folder, f"images/{len(stimuli):04d}.png", generator, size)
        stimuli.append(_stimulus(folder, prompt, words, "initial", None, base, words, None, None, 0))
        chains = [("hpsv3", None), ("qalign", None), *(("personal", user) for user in users)]
        for condition, user in chains:
            made = _chain(folder, prompt, words, condition, user, base, generator, size)
            steps += made
            last = made[-1]
            stimuli.append(
                _stimulus(folder, prompt, words, condition, user, last.image, last.best_prompt, condition, last.best_score, last.iteration)
            )
    write_stimuli(experiment.stimuli, stimuli)
    write_steps(experiment.steps, steps)
    write_record(
        experiment.stimuli_record,
        StimuliRecord(
            (
                StandIn("generator", "sketch, the offline painter", "a diffusion model such as FLUX.2"),
                StandIn("participants", "simulated raters with known tastes", "people"),
            ),
            PROVENANCE,
        ),
    )
    write_results(experiment.results, results or example_results())
    return experiment


def simulated(results: Results, *, participants: int | None, programs: int) -> Results:
    """Return `results` with other participants."""
    return replace(results, counts=replace(results.counts, participants=participants, simulated_participants=programs))


def _chain(
    folder: Path, prompt: str, words: str, condition: str, user: str | None, base: str, generator: np.random.Generator, size: int
) -> list[Step]:
    start, gain = SCORERS[condition]
    score, best, image = start + float(generator.normal(0, 0.05)) * gain, words, base
    made = [Step(prompt, condition, user, 0, 0, condition, score, best, image)]
    length = 4 if generator.random() < 0.8 else 3
    for iteration in range(1, length + 1):
        if generator.random() < 0.7:
            score += float(generator.random()) * gain / iteration
            best = f"{words} {', '.join(generator.choice(LOOKS, size=3, replace=False)).capitalize()}."
            image = _paint(folder, f"work/{prompt}-{condition}-{user}-{iteration}.png", generator, size)
        made.append(Step(prompt, condition, user, 0, iteration, condition, score, best, image))
    return made


def _stimulus(
    folder: Path,
    prompt: str,
    words: str,
    condition: str,
    user: str | None,
    image: str,
    final: str,
    scorer: str | None,
    score: float | None,
    iteration: int,
) -> Stimulus:
    name = f"{prompt}-{condition}-{user}"
    digest = sha256(folder / image)
    initial = None if scorer is None else SCORERS[scorer][0]
    return Stimulus(name, prompt, words, condition, user, 0, image, digest, final, "sketch", 5, scorer, score, initial, iteration)


def _paint(folder: Path, name: str, generator: np.random.Generator, size: int) -> str:
    """Paint a sky, a ground and a sun; return its name."""
    top, bottom, sun = (generator.integers(30, 255, 3) for _ in range(3))
    rows = np.linspace(0, 1, size)[:, None, None]
    pixels = np.broadcast_to(top * (1 - rows) + bottom * rows, (size, size, 3)).astype(np.uint8)
    image = Image.fromarray(pixels.copy())
    centre = generator.integers(size // 4, 3 * size // 4, 2)
    ImageDraw.Draw(image).circle((int(centre[0]), int(centre[1])), size / 8, fill=tuple(int(part) for part in sun))
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    image.save(folder / name)
    return name
