"""A small rating study as it is after its export: two people, two of four images, and one image rated twice."""

import json
from pathlib import Path

from study_fixtures import make_experiment, make_rating_pool

from stimuli.experiment import Experiment
from study.rated import GivenRating, write_ratings
from study.votes import Participant, write_participants


def given(participant: str, position: int, image: str, rating: float, *, repeat: bool = False, simulated: bool = False) -> GivenRating:
    at = "2026-01-02T03:04:05.000+00:00"
    trial = f"{participant}/{position}"
    return GivenRating(trial, participant, position, image, "A thing", rating, repeat, 1500.0, at, "mouse", 0, "900x700", simulated)


def person(participant: str, status: str = "finished", **replies: str) -> Participant:
    return Participant(participant, None, False, status, None, None, None, 3, json.dumps(replies))


def rated_study(folder: Path) -> Experiment:
    experiment = make_experiment(folder)
    make_rating_pool(experiment, images=4)
    rows = [given("ann", 0, "image-00", 2), given("ann", 1, "image-01", 4.25), given("ann", 2, "image-00", 3, repeat=True)]
    write_ratings(experiment.rated, [*rows, given("bob", 0, "image-01", 5)])
    write_participants(experiment.rating_participants, [person("ann", age="33", gender="female", remarks="I am Ann."), person("bob")])
    return experiment
