"""A finished study with everything that a study can have: ties, catch trials, exclusions, runs, groups, ratings, predictor, own texts."""

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from finished_study import PROMPTS, Made, finished
from PIL import Image
from predicted_ratings import everything, record, renamed

from analysis.fit import fit_experiment
from analysis.predictor_commands import measure
from analysis.predictor_findings import Measuring
from stimuli.experiment import Experiment
from stimuli.manifest import read_stimuli, write_stimuli
from stimuli.prediction_record import write_prediction_record
from stimuli.predictions import write_predictions
from stimuli.provenance import sha256
from stimuli.steering_record import RunEmbedding, write_embeddings
from study.catalogue import texts
from study.lock import lock
from study.votes import Participant, Vote, read_participants, read_votes, write_participants, write_votes
from tastebench import settle

# Targets, two of whom go by a short word and a number, which may be meant otherwise; and what some of them call themselves as
# participants: with accents, with what HTML and LaTeX would take for their own, and by a panel's id.
PEOPLE = ("alice-okafor", "bruno_stern", "chen-wei-77", "dagny-holm", "Ada", "10234")
CALLED = {
    "alice-okafor": "Zoë Müller",
    "bruno_stern": "max_50%&co",
    "chen-wei-77": '<b>lace "king"',
    "dagny-holm": "67c0ffee67c0ffee67c0ffee",
}
RATER = "rater-of-the-pool"
REPLIES = {"gender": "woman", "remarks": "I am Zoë, call +49 30 1234567", "ip": "203.0.113.77", "cookie": "c00k1e-9f8e7d"}
ASKED = "Welches Bild gefällt Ihnen besser, ganz ehrlich?"
REPORTED = {
    "registration": "Registered at the archive as no. 4711.",
    "deviations": "One prompt was dropped.",
    "ethics": "The board of the faculty had no objections.",
    "recruitment": "By a notice in the library.",
    "pay": "12 pounds an hour.",
    "data": "https://example.org/data",
}
_FURTHER = """
[[group]]
name = "young"
members = ["alice-okafor", "Ada"]
[[exclusion]]
rule = "fast_votes"
limit = 950
[[exclusion]]
rule = "failed_catch"
limit = 0.5
[[claim]]
id = "C3"
type = "consistent_runs"
[[question]]
id = "gender"
text = "Which gender are you?"
when = "before"
type = "choice"
options = ["woman", "man", "another"]
accept = ["woman", "man"]
[rating]
language = "de"
images = "stimuli"
"""


def rich(folder: Path) -> Experiment:
    """Write the study, analysed, with its predictor's results."""
    made = Made(people=PEOPLE, prompts=("boat", "cat", "barn"))
    experiment = finished(folder, made)
    _describe(experiment)
    _more_runs(experiment)
    write_votes(experiment.votes, list(_more_kinds(read_votes(experiment.votes))))
    write_participants(experiment.rating_participants, [_person(name) for name in (*PEOPLE, RATER)])
    listed = read_participants(experiment.participants)
    said = json.dumps(REPLIES)
    called = [replace(one, participant=CALLED.get(one.participant, one.participant), replies=said) for one in listed]
    write_participants(experiment.participants, called)
    settings = settle(folder)[1]
    experiment.lock.unlink()
    # On the day of the first vote, a little before it.
    lock(experiment, settings, now=datetime(2026, 3, 2, 8, 59, 30, tzinfo=UTC))
    fit_experiment(experiment, settings)
    _predict(experiment)
    return experiment


def _describe(experiment: Experiment) -> None:
    """Write into study.toml what the usual study leaves out, and a language of its own beside it."""
    told = experiment.settings.read_text(encoding="utf-8")
    told = told.replace('[study]\nquestion = "Which image do you prefer?"', '[study]\nlanguage = "Texts of Zoë Müller.toml"\ntie = true')
    words = "\n".join(f"{key} = {json.dumps(value)}" for key, value in REPORTED.items())
    experiment.settings.write_text(f"{told}{_FURTHER}[report]\n{words}\n", encoding="utf-8")
    own = texts("de", folder=experiment.folder) | {"comparison_question": ASKED}
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in own.items()]
    own_language = experiment.folder / "Texts of Zoë Müller.toml"
    own_language.write_text("\n".join(["# Translated by Zoë Müller", *lines]) + "\n", encoding="utf-8")


def _more_runs(experiment: Experiment) -> None:
    """Add a second independent run of what was steered for people, and both runs as numbers."""
    rng = np.random.default_rng(5)
    rows = read_stimuli(experiment.stimuli)
    again = []
    for row in (row for row in rows if row.target_user):
        path = experiment.images / f"{row.stimulus}-again.png"
        Image.fromarray(rng.integers(0, 255, (16, 16, 3), dtype=np.uint8)).save(path)
        words = f"{PROMPTS[row.prompt]} Golden and misty, seen from above."
        again.append(
            replace(
                row,
                stimulus=f"{row.stimulus}-again",
                run=2,
                image=f"images/{path.name}",
                image_sha256=sha256(path),
                final_prompt=words,
            )
        )
    write_stimuli(experiment.stimuli, [*rows, *again])
    found = [
        RunEmbedding(row.stimulus, rng.normal(PEOPLE.index(row.target_user or ""), 1, 4).tolist(), rng.normal(0, 1, 4).tolist())
        for row in (*rows, *again)
        if row.target_user
    ]
    write_embeddings(experiment.run_embeddings, found)


def _more_kinds(rows: list[Vote]) -> Iterator[Vote]:
    """Yield the votes with some ties, and for each person a repeat and a catch trial, which one of them fails."""
    chance = random.Random(3)
    last = {row.participant: row for row in rows}
    for row in rows:
        choice = "tie" if chance.random() < 0.08 else row.choice
        yield replace(row, participant=CALLED.get(row.participant, row.participant), choice=choice)
    for person, seen in last.items():
        name = CALLED.get(person, person)
        row = replace(seen, participant=name)
        swapped = replace(
            row,
            trial=f"{name}/repeat",
            position=row.position + 1,
            kind="repeat",
            left_stimulus=row.right_stimulus,
            right_stimulus=row.left_stimulus,
            left_condition=row.right_condition,
            right_condition=row.left_condition,
            left_target=row.right_target,
            right_target=row.left_target,
        )
        yield swapped
        failed = person == PEOPLE[2]
        yield replace(
            row, trial=f"{name}/catch", position=row.position + 2, kind="catch", expected="left", choice="right" if failed else "left"
        )


def _person(name: str) -> Participant:
    at = "2026-02-01T10:11:12+00:00"
    return Participant(name, None, False, "finished", 3, at, at, 10, json.dumps(REPLIES))


def _predict(experiment: Experiment) -> None:
    """Write predictions of what the study's people and one other would rate, and what is told of them; examples are images of a pool."""
    found = everything()
    for number, name in enumerate((*PEOPLE, RATER)):
        found = renamed(found, user=f"u{number}", to=name)
    pool = {name: f"rating_images/{name} by {RATER}.png" for name in record().images}
    (experiment.folder / "rating_images").mkdir()
    for number, path in enumerate(pool.values()):
        picture = Image.new("RGB", (24, 16), (9 * number % 255, 80, 120))
        exif = picture.getexif()
        exif[0x013B] = RATER
        picture.save(experiment.folder / path, exif=exif)
    write_predictions(experiment.predictions, found)
    write_prediction_record(experiment.prediction_record, replace(record(), images=pool))
    measure(experiment, context=15, baseline=None, measuring=Measuring(resamples=100, seed=3))
