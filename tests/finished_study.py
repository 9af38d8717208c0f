"""A small finished study of people with telling names, beside everything that must never leave its folder."""

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path

import numpy as np
from PIL import Image

from analysis.fit import fit_experiment
from stimuli.experiment import Experiment
from stimuli.manifest import StandIn, Step, StimuliRecord, Stimulus, write_record, write_steps, write_stimuli
from stimuli.provenance import sha256
from stimuli.steering_record import CandidateRow, RescoredRow, write_candidates, write_rescored
from study.lock import lock
from study.rated import GivenRating, write_ratings
from study.reviews import Review, write_reviews
from study.votes import Choice, Participant, Vote, write_participants, write_votes
from tastebench import settle

PEOPLE = ("alice-okafor", "bruno_stern", "chen-wei-77", "dagny-holm", "eddy-marsh", "fatima-zahra")
LOOKED_ON = "gone-after-consent"
SECRET = "5ec12e7a" * 8
PANEL = "5f3c9d2b8e1a4c0077aa01ff"
SAID = "I live at 12 Elm Road"
REVIEWER = "Dr Imogen Vale"
PROMPTS = {"boat": "A red boat on a lake.", "cat": "A cat on a <b>windowsill</b>.", "barn": "A barn.", "moss": "Moss.", "tram": "A tram."}
# What each condition is worth, in logits.
WORTH = {"initial": 0.0, "crisp": -0.3, "others": 0.3, "own": 0.9}
SETTINGS = """
# alice-okafor asked to be taken out of the newsletter
[experiment]
title = "{title}"
seed = {seed}
[stimuli]
size = 64
[stimuli.ratings]
folder = "rated"
{prompts}
[[condition]]
name = "initial"
[[condition]]
name = "crisp"
scorer = "crisp"
[[condition]]
name = "personal"
scorer = "personal"
targets = [{targets}]
[study]
question = "{question}"
[study.recruitment]
by = "prolific"
complete = "C0MPLETE77"
[analysis]
resamples = 100
smallest_effect_elo = 14
scope = "participants"
[[exclusion]]
rule = "few_votes"
limit = 5
[[claim]]
id = "C1"
type = "greater"
a = "own"
b = "others"
[[claim]]
id = "C2"
type = "order"
items = ["own", "others", "crisp"]
"""


@dataclass(frozen=True)
class Made:
    """How a study differs from the usual one."""

    seed: int = 1
    title: str = "Does steering work?"
    question: str = "Which image do you prefer?"
    people: tuple[str, ...] = PEOPLE
    prompts: tuple[str, ...] = tuple(PROMPTS)
    rounds: int = 1
    own: float = WORTH["own"]
    simulated: bool = False


_USUAL = Made()


def finished(folder: Path, made: Made = _USUAL) -> Experiment:
    """Write an experiment whose votes are analysed; its people differ in what they like."""
    experiment = Experiment(folder)
    (folder / "rated").mkdir(parents=True)
    told = "\n".join(f'[[prompt]]\nid = "{name}"\ntext = "{PROMPTS[name]}"' for name in made.prompts)
    targets = ", ".join(f'"{name}"' for name in made.people)
    text = SETTINGS.format(title=made.title, seed=made.seed, prompts=told, targets=targets, question=made.question)
    experiment.settings.write_text(text, encoding="utf-8")
    _images(experiment, made)
    settings = settle(folder)[1]
    lock(experiment, settings, now=datetime(2026, 3, 1, tzinfo=UTC))
    write_votes(experiment.votes, votes(made))
    fit_experiment(experiment, settings)
    _beside(experiment, made)
    return experiment


def votes(made: Made) -> list[Vote]:
    """Return all pairs of each prompt's images, judged once by everybody in each round."""
    rng = np.random.default_rng(made.seed)
    found = []
    for number, person in enumerate(made.people):
        taste = rng.normal(0, 0.3, size=len(WORTH))
        position = 0
        for prompt in made.prompts * made.rounds:
            shown = [("initial", None), ("crisp", None), *(("personal", user) for user in made.people)]
            for one, other in combinations(shown, 2):
                left, right = (one, other) if rng.random() < 0.5 else (other, one)
                worth = [_worth(*side, person, taste, made) for side in (left, right)]
                choice: Choice = "left" if rng.random() < 1 / (1 + np.exp(worth[1] - worth[0])) else "right"
                found.append(
                    Vote(
                        trial=f"{person}/{position}",
                        participant=person,
                        target_user=person,
                        position=position,
                        prompt=prompt,
                        left_stimulus=_id(prompt, *left),
                        right_stimulus=_id(prompt, *right),
                        left_condition=left[0],
                        right_condition=right[0],
                        left_target=left[1],
                        right_target=right[1],
                        choice=choice,
                        response_ms=float(rng.integers(900, 4000)),
                        answered_at=f"2026-03-{2 + number:02d}T09:{position % 60:02d}:17.123+00:00",
                        simulated=made.simulated,
                        device="mouse",
                        viewport="1437x811",
                    )
                )
                position += 1
    return found


def _worth(condition: str, target: str | None, person: str, taste: np.ndarray, made: Made) -> float:
    item = condition if target is None else "own" if target == person else "others"
    return (made.own if item == "own" else WORTH[item]) + float(taste[list(WORTH).index(item)])


def _id(prompt: str, condition: str, target: str | None) -> str:
    return f"{prompt}-{condition}-{target or 'all'}"


def _images(experiment: Experiment, made: Made) -> None:
    rng = np.random.default_rng(made.seed)
    experiment.images.mkdir()
    stimuli, steps, tried, rescored = [], [], [], []
    for prompt in made.prompts:
        for condition, target in (("initial", None), ("crisp", None), *(("personal", user) for user in made.people)):
            name = _id(prompt, condition, target)
            path = experiment.images / f"{name}.png"
            Image.fromarray(rng.integers(0, 255, (16, 16, 3), dtype=np.uint8)).save(path)
            scorer = None if condition == "initial" else condition
            words = PROMPTS[prompt] + " Golden."
            shown = (f"images/{path.name}", sha256(path))
            stimuli.append(Stimulus(name, prompt, PROMPTS[prompt], condition, target, 1, *shown, words, "sketch", 5, scorer, 1.0, 0.5, 1))
            if scorer:
                by = f"personal:{target}" if target else scorer
                steps += [
                    Step(prompt, condition, target, 1, at, by, 0.5 + at, words, f"work/images/{name}-{at}.png", 2, 1) for at in (0, 1)
                ]
                tried.append(CandidateRow(prompt, condition, target, 1, 1, words, f"work/images/{name}-1.png", 1.5, 0.9, False, {by: 1.5}))
                rescored.append(RescoredRow(name, by, False, True, 0.0, 2.0, 1.5, 0.5, 1.2, 0.6, 2))
    write_stimuli(experiment.stimuli, stimuli)
    write_steps(experiment.steps, steps)
    write_candidates(experiment.candidates, tried)
    write_rescored(experiment.rescored, rescored)
    write_record(experiment.stimuli_record, StimuliRecord((StandIn("generator", "sketch", "a diffusion model"),), {"seed": made.seed}))


def _beside(experiment: Experiment, made: Made) -> None:
    """Write what the study keeps to itself: names, replies, keys, databases, work."""
    replies = '{"remarks": "' + SAID + '"}'
    rows = [
        Participant(name, name, made.simulated, "finished", place, "2026-03-01T09:00:00+00:00", "2026-03-08T09:40:00+00:00", 10, replies)
        for place, name in enumerate(made.people)
    ]
    write_participants(
        experiment.participants, [*rows, Participant(LOOKED_ON, None, made.simulated, "unfinished", 9, None, None, 0, replies)]
    )
    at = "2026-02-01T10:11:12.1+00:00"
    rated = [
        GivenRating(f"{name}/0", name, 0, "boat-initial-all", "boat", 3.5, False, 900.0, at, "touch", 0, "1437x811", False)
        for name in (*made.people, LOOKED_ON)
    ]
    write_ratings(experiment.rated, rated)
    seen = [Review(sha256(path), "approved", "", REVIEWER, "2026-03-01T08:00:00+00:00") for path in experiment.images.iterdir()]
    write_reviews(experiment.reviews, seen)
    experiment.secret.write_text(SECRET)
    experiment.password.write_text('{"hash": "' + SECRET + '"}')
    for database in (experiment.database, experiment.rating_database, experiment.folder / "backup.zip"):
        database.write_text(f"{PANEL} {SECRET} {' '.join(made.people)}")
    (experiment.work / "images").mkdir(parents=True)
    (experiment.work / "notes.txt").write_text(f"{PANEL} {PEOPLE[0]}")
    (experiment.folder / "notes.txt").write_text(f"{PEOPLE[0]} is {PANEL}")
    (experiment.folder / ".env").write_text(SECRET)
