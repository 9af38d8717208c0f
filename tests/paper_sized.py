"""A simulated study as large as the paper's, finished at once: 6 people, 18 prompts, 7,650 votes, two runs, pictures of noise."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from analysis.fit import fit_experiment
from stimuli.experiment import Experiment
from stimuli.manifest import StandIn, Step, StimuliRecord, Stimulus, first_runs, write_record, write_steps, write_stimuli
from stimuli.provenance import sha256
from stimuli.steering_record import RunEmbedding, write_embeddings
from study.lock import lock
from study.votes import Vote, write_votes
from tastebench import settle

PLACES = ("glasshouse", "lighthouse", "bookshelves", "mossy-rocks", "market", "harbour", "orchard", "staircase", "tram-stop")
PROMPT_TEXT = "A quiet {place} with a {thing}, seen by somebody who walks past {when}."
TASTES = (
    "weathered concrete walls in a mystical forest", "a low angle with vibrant colours", "warm golden lighting and high dynamic range",
    "a muted palette in soft window light", "bold geometric shadows on pale stone", "a hazy lilac dusk with paper lanterns",
)  # fmt: skip
MIXED = (
    "film grain", "shallow depth", "dramatic clouds", "wet cobblestones", "long exposure",
    "drifting leaves", "brushed copper", "tall grass", "neon reflections", "scattered petals",
    "cracked paint", "falling snow", "woven textiles", "open windows", "glowing embers",
)  # fmt: skip
# In logits: what a condition is worth to all, and how much people, prompts and images differ in it.
WORTH = {"initial": 0.0, "hpsv3": -0.33, "qalign": -0.54, "others": 0.13, "own": 0.29}
BY_PERSON, BY_PROMPT, BY_IMAGE, BY_BOTH = 0.35, 0.40, 0.70, 1.00
ROUNDS_OF = 468
SETTINGS = """
[experiment]
title = "A simulated study as large as the paper’s"
seed = 5
[stimuli]
size = 64
{prompts}
[[condition]]
name = "initial"
[[condition]]
name = "hpsv3"
scorer = "colourful"
[[condition]]
name = "qalign"
scorer = "crisp"
[[condition]]
name = "personal"
scorer = "personal"
targets = [{targets}]
[analysis]
smallest_effect_elo = 14
[[claim]]
id = "C1"
type = "greater"
a = "own"
b = "others"
[[claim]]
id = "C2"
type = "order"
items = ["own", "others", "initial"]
[[claim]]
id = "C3"
type = "greater"
a = "initial"
b = "qalign"
[[claim]]
id = "C4"
type = "consistent_runs"
"""


@dataclass(frozen=True)
class Size:
    """How large the study is, and how large its pictures are in pixels."""

    people: int = 6
    prompts: int = 18
    votes: int = 7650
    runs: int = 2
    iterations: int = 10
    pixels: int = 256


def paper_sized(folder: Path, size: Size = Size()) -> Experiment:
    """Write the finished and analysed experiment; equal sizes give equal files, times aside."""
    experiment = Experiment(folder)
    folder.mkdir(parents=True)
    prompts, users = prompts_of(size), users_of(size)
    told = "\n".join(f'[[prompt]]\nid = "{name}"\ntext = "{text}"' for name, text in prompts.items())
    settings = SETTINGS.format(prompts=told, targets=", ".join(f'"{user}"' for user in users))
    experiment.settings.write_text(settings, encoding="utf-8")
    rng = np.random.default_rng(5)
    stimuli, steps = made_images(experiment, size, rng)
    write_stimuli(experiment.stimuli, stimuli)
    write_steps(experiment.steps, steps)
    write_embeddings(experiment.run_embeddings, embeddings(stimuli, users, rng))
    stand_ins = (StandIn("generator", "pictures of noise", "a diffusion model"), StandIn("scorers", "invented numbers", "trained scorers"))
    write_record(experiment.stimuli_record, StimuliRecord(stand_ins, {}))
    read = settle(folder)[1]
    lock(experiment, read, now=datetime(2026, 1, 1, tzinfo=UTC))
    write_votes(experiment.votes, votes(stimuli, users, size.votes, rng))
    fit_experiment(experiment, read)
    return experiment


def users_of(size: Size) -> list[str]:
    return [f"rater-{number:02d}" for number in range(1, size.people + 1)]


def prompts_of(size: Size) -> dict[str, str]:
    """Return the base prompts by id, each with words of its own."""
    things, times = ("stone bench", "red bicycle", "sleeping dog"), ("at noon", "in March", "once a week")
    found = {}
    for number in range(size.prompts):
        place, again = PLACES[number % len(PLACES)], number // len(PLACES)
        name = f"{place}-{again + 1}" if again else place
        found[name] = PROMPT_TEXT.format(place=place.replace("-", " "), thing=things[number % 3], when=times[again % 3])
    return found


def made_images(experiment: Experiment, size: Size, rng: np.random.Generator) -> tuple[list[Stimulus], list[Step]]:
    """Return all stimuli and steps; the pictures lie in the experiment."""
    stimuli, steps = [], []
    for prompt, words in prompts_of(size).items():
        base = picture(experiment, f"images/{prompt}-initial.png", size.pixels, rng)
        stimuli.append(stimulus(experiment, prompt, words, "initial", None, 1, base, words, None))
        personal = [("personal", user, run) for user in users_of(size) for run in range(1, size.runs + 1)]
        for condition, user, run in (("hpsv3", None, 1), ("qalign", None, 1), *personal):
            taste = [] if user is None else [TASTES[users_of(size).index(user) % len(TASTES)]]
            mixed = rng.choice(MIXED, size=2 if taste else 3, replace=False).tolist()
            final = f"{words[:-1]}, with {', '.join(rng.permutation(taste + mixed).tolist())}, of run {run}."
            image, score, best = base, 0.4, words
            for iteration in range(size.iterations + 1):
                if iteration and (rng.random() < 0.45 or iteration == size.iterations):
                    image = picture(experiment, f"work/{prompt}-{condition}-{user}-{run}-{iteration}.png", size.pixels, rng)
                    score, best = score + 0.2 * float(rng.random()) / iteration, final
                steps.append(Step(prompt, condition, user, run, iteration, condition, score, best, image))
            stimuli.append(stimulus(experiment, prompt, words, condition, user, run, image, final, score))
    return stimuli, steps


def stimulus(
    experiment: Experiment, prompt: str, words: str, condition: str, user: str | None, run: int, image: str, final: str, score: float | None
) -> Stimulus:
    scorer = None if score is None else condition
    digest = sha256(experiment.folder / image)
    name = f"{prompt}-{condition}-{user}-{run}"
    first = None if score is None else 0.4
    return Stimulus(
        name, prompt, words, condition, user, run, image, digest, final, "noise", 5 + run, scorer, score, first, 0 if score is None else 10
    )


def picture(experiment: Experiment, name: str, pixels: int, rng: np.random.Generator) -> str:
    """Write a smooth gradient with grain, which compresses about as badly as a photograph; return its name."""
    corners = rng.uniform(20, 235, (2, 2, 3)).astype(np.uint8)
    smooth = np.asarray(Image.fromarray(corners).resize((pixels, pixels), Image.Resampling.BICUBIC), dtype=np.float64)
    grain = rng.normal(0, 14, (pixels // 2, pixels // 2, 1)).repeat(2, axis=0).repeat(2, axis=1)
    path = experiment.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.clip(smooth + grain, 0, 255).astype(np.uint8)).save(path, compress_level=1)
    return name


def embeddings(stimuli: Sequence[Stimulus], users: Sequence[str], rng: np.random.Generator) -> list[RunEmbedding]:
    """Return what an encoder might say of the runs: close by user in prompts, hardly so in images."""
    towards: NDArray[np.float64] = rng.normal(0, 1, (len(users), 16))
    found = []
    for row in stimuli:
        if row.target_user is not None:
            taste = towards[users.index(row.target_user)]
            prompt, image = (pull * taste + rng.normal(0, 1, 16) for pull in (0.9, 0.25))
            found.append(RunEmbedding(row.stimulus, prompt.tolist(), image.tolist()))
    return found


def votes(stimuli: Sequence[Stimulus], users: Sequence[str], number: int, rng: np.random.Generator) -> list[Vote]:
    """Return `number` votes, as many of each person, whose tastes differ by person, prompt and image."""
    shown = first_runs(stimuli)
    by_prompt = {prompt: [row for row in shown if row.prompt == prompt] for prompt in dict.fromkeys(row.prompt for row in shown)}
    names = sorted(WORTH)
    prompt_effect = {prompt: rng.normal(0, BY_PROMPT, len(names)) for prompt in by_prompt}
    image_effect = {row.stimulus: float(rng.normal(0, BY_IMAGE)) for row in shown}
    found = []
    for day, user in enumerate(users, start=1):
        person = rng.normal(0, BY_PERSON, len(names))
        liked = {}
        for row in shown:
            name = row.condition if row.target_user is None else "own" if row.target_user == user else "others"
            place = names.index(name)
            both = float(rng.normal(0, BY_BOTH))
            liked[row.stimulus] = WORTH[name] + person[place] + prompt_effect[row.prompt][place] + image_effect[row.stimulus] + both
        for position, (one, other) in enumerate(pairs(list(by_prompt.values()), user, number // len(users), rng)):
            first = 1 / (1 + np.exp(liked[other.stimulus] - liked[one.stimulus]))
            found.append(vote(user, day, position, one, other, left=rng.random() < first))
    return found


def pairs(prompts: Sequence[list[Stimulus]], user: str, number: int, rng: np.random.Generator) -> list[tuple[Stimulus, Stimulus]]:
    """Return pairs of images in random order and on random sides: all of them as often as `number` allows."""

    def kind(row: Stimulus) -> str:
        return row.condition if row.target_user in (None, user) else "others"

    every = [pair for rows in prompts for pair in combinations(rows, 2) if kind(pair[0]) != kind(pair[1])]
    order = np.concatenate([rng.permutation(len(every)) for _ in range(-(-number // len(every)))])[:number]
    return [every[place] if rng.random() < 0.5 else every[place][::-1] for place in order]


def vote(user: str, day: int, position: int, left_row: Stimulus, right_row: Stimulus, *, left: bool) -> Vote:
    return Vote(
        trial=f"{user}/{position}",
        participant=user,
        target_user=user,
        position=position,
        prompt=left_row.prompt,
        left_stimulus=left_row.stimulus,
        right_stimulus=right_row.stimulus,
        left_condition=left_row.condition,
        right_condition=right_row.condition,
        left_target=left_row.target_user,
        right_target=right_row.target_user,
        choice="left" if left else "right",
        response_ms=1800.0,
        answered_at=f"2026-02-{day:02d}T{9 + position // 360:02d}:{position // 6 % 60:02d}:{position % 6 * 10:02d}.000+00:00",
        simulated=True,
    )
