"""Who is called what in a bundle: participants become p01, p02 and so on, in an order that tells nothing, the same in every table."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import PurePosixPath

import numpy as np

from analysis.predictor_results import Disagreement, PredictorResults
from stimuli.experiment import ExperimentError
from stimuli.manifest import Step, Stimulus
from stimuli.seeds import seed_for
from stimuli.steering_record import CandidateRow, RescoredRow, RunEmbedding
from study.rated import GivenRating
from study.reviews import ALL_AT_ONCE, Review
from study.votes import Participant, Vote

_PREFIXES = ("p", "person-", "participant-")
LEFT_OUT = "work/not-in-this-bundle.png"


@dataclass(frozen=True)
class Names:
    """`people` and `stimuli` give the new name of each old one; `images` that of each image's file. `began` is when days begin."""

    people: Mapping[str, str]
    stimuli: Mapping[str, str]
    images: Mapping[str, str]
    began: datetime

    def person(self, name: str | None) -> str | None:
        """Return what somebody is called in the bundle; whoever is no person, such as a group, keeps the name."""
        return None if name is None else self.people.get(name, name)

    def scorer(self, name: str) -> str:
        """Return a scorer's name with the person it speaks for renamed: personal:anna becomes personal:p03."""
        return ":".join(self.people.get(part, part) for part in name.split(":"))

    def day(self, at: str) -> str:
        """Return the start of the time's day; days begin so that what is before and after the lock stays so."""
        days = (datetime.fromisoformat(at) - self.began).days
        return (self.began + timedelta(days=days)).isoformat(timespec="seconds")


def pseudonyms(people: Iterable[str], *, seed: int, salt: str) -> dict[str, str]:
    """Return a pseudonym for each of `people`, in an order drawn from `seed` and `salt`.

    The seed is published with the study; without the salt, whoever has a list of the people could draw the same order.

    Raises:
        ExperimentError: people are called like every kind of pseudonym there is.
    """
    known = sorted(set(people))
    order = np.random.default_rng(seed_for(seed, "pseudonyms", salt)).permutation(len(known))
    width = max(2, len(str(len(known))))
    for prefix in _PREFIXES:
        made = {known[place]: f"{prefix}{number:0{width}d}" for number, place in enumerate(order, start=1)}
        # A pseudonym that is somebody's name could be taken for that person.
        if not set(made.values()) & set(known):
            return made
    raise ExperimentError(f"participants are called like pseudonyms ({known[0]}), so that nobody could tell which is meant; rename them")


def new_stimuli(stimuli: Sequence[Stimulus], people: Mapping[str, str]) -> list[tuple[str, Stimulus]]:
    """Return the old id and the new row of each stimulus, ordered by prompt, condition, new name of its target, and run.

    Ids and file names are hashes of, among others, the target: whoever guesses a name could test the guess. So both are new.
    """
    prompts = {name: place for place, name in enumerate(dict.fromkeys(row.prompt for row in stimuli))}
    conditions = {name: place for place, name in enumerate(dict.fromkeys(row.condition for row in stimuli))}
    named = [(row, row.target_user and people.get(row.target_user, row.target_user)) for row in stimuli]
    named.sort(key=lambda pair: (prompts[pair[0].prompt], conditions[pair[0].condition], pair[1] or "", pair[0].run))
    return [
        (
            row.stimulus,
            replace(
                row,
                stimulus=f"s{number:04d}",
                target_user=target,
                image=f"images/{row.image_sha256[:20]}{PurePosixPath(row.image).suffix.lower()}",
                scorer=row.scorer and ":".join(people.get(part, part) for part in row.scorer.split(":")),
            ),
        )
        for number, (row, target) in enumerate(named, start=1)
    ]


def votes(rows: Sequence[Vote], names: Names) -> list[Vote]:
    """Return the votes under their new names, with times to the day and without the size of anybody's window."""
    by_person: dict[str, list[Vote]] = defaultdict(list)
    for row in rows:
        by_person[row.participant].append(row)
    return [
        replace(
            row,
            trial=f"{names.people[person]}/{number}",
            participant=names.people[person],
            target_user=names.person(row.target_user),
            left_stimulus=names.stimuli[row.left_stimulus],
            right_stimulus=names.stimuli[row.right_stimulus],
            left_target=names.person(row.left_target),
            right_target=names.person(row.right_target),
            answered_at=names.day(row.answered_at),
            viewport="",
        )
        for person, theirs in by_person.items()
        for number, row in enumerate(sorted(theirs, key=lambda row: row.position))
    ]


def ratings(rows: Sequence[GivenRating], names: Names) -> list[GivenRating]:
    """Return the ratings under their new names, with times to the day and without the size of anybody's window."""
    return [
        replace(
            row,
            trial=f"{names.people[row.participant]}/{row.position}",
            participant=names.people[row.participant],
            image=names.stimuli.get(row.image, row.image),
            rated_at=names.day(row.rated_at),
            viewport="",
        )
        for row in rows
    ]


def participants(rows: Sequence[Participant], names: Names) -> list[Participant]:
    """Return the participants under their new names, with times to the day; what they replied and their place are left out."""
    return [
        replace(
            row,
            participant=names.people[row.participant],
            target_user=names.person(row.target_user),
            slot=None,
            consented_at=row.consented_at and names.day(row.consented_at),
            finished_at=row.finished_at and names.day(row.finished_at),
            replies=json.dumps({}),
        )
        for row in rows
    ]


def steps(rows: Sequence[Step], names: Names) -> list[Step]:
    """Return the steps under their new names; of their images only those that people saw are in a bundle."""
    made = [replace(r, target_user=names.person(r.target_user), scorer=names.scorer(r.scorer), image=_image(r.image, names)) for r in rows]
    return sorted(made, key=lambda row: (row.prompt, row.condition, row.target_user or "", row.run, row.iteration))


def candidates(rows: Sequence[CandidateRow], names: Names) -> list[CandidateRow]:
    """Return the candidates under their new names, in an order that no target's name decides."""
    made = [
        replace(
            row,
            target_user=names.person(row.target_user),
            image=_image(row.image, names),
            scores={names.scorer(name): score for name, score in row.scores.items()},
        )
        for row in rows
    ]
    return sorted(made, key=lambda row: (row.prompt, row.condition, row.target_user or "", row.run, row.iteration))


def rescored(rows: Sequence[RescoredRow], names: Names) -> list[RescoredRow]:
    """Return what scorers said again, under new names."""
    made = [replace(row, stimulus=names.stimuli[row.stimulus], scorer=names.scorer(row.scorer)) for row in rows]
    return sorted(made, key=lambda row: row.stimulus)


def embeddings(rows: Sequence[RunEmbedding], names: Names) -> list[RunEmbedding]:
    """Return the runs' embeddings under new names."""
    return sorted((replace(row, stimulus=names.stimuli[row.stimulus]) for row in rows), key=lambda row: row.stimulus)


def reviews(rows: Iterable[Review], names: Names) -> list[Review]:
    """Return the reviews with their reviewers numbered and their times to the day."""
    listed = sorted(rows, key=lambda row: row.sha256)
    alone = [row.reviewer.removesuffix(ALL_AT_ONCE).strip() for row in listed]
    called = {name: f"reviewer {number}" for number, name in enumerate(dict.fromkeys(alone), start=1)}
    # How somebody reviewed is no name, and a report tells it.
    how = [f" {ALL_AT_ONCE}" if row.reviewer.endswith(ALL_AT_ONCE) else "" for row in listed]
    return [
        replace(row, reviewer=called[name] + suffix, at=names.day(row.at)) for row, name, suffix in zip(listed, alone, how, strict=True)
    ]


def predictor(results: PredictorResults, names: Names, images: Mapping[str, str]) -> PredictorResults:
    """Return what is told of predictors with its examples under new names; `images` are the files that a bundle holds."""
    return replace(results, disagreements=tuple(_disagreement(one, names, images) for one in results.disagreements))


def _disagreement(one: Disagreement, names: Names, images: Mapping[str, str]) -> Disagreement:
    (first, second), (here, there), (one_said, other_said) = one.images, one.paths, one.opinions
    return replace(
        one,
        images=(names.stimuli.get(first, first), names.stimuli.get(second, second)),
        paths=(here and images.get(here), there and images.get(there)),
        opinions=(replace(one_said, user=names.people[one_said.user]), replace(other_said, user=names.people[other_said.user])),
    )


def _image(path: str, names: Names) -> str:
    return names.images.get(path, LEFT_OUT)
