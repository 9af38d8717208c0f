"""The data dictionary of a bundle: every column of every table in it, and the keys that tell more, with type, meaning, unit and values."""

import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, get_args, get_origin

from analysis.predictor_results import PredictorResults
from reports.settings import ReportTable
from stimuli.experiment import ExperimentError
from stimuli.manifest import Step, Stimulus
from stimuli.steering_record import CandidateRow, RescoredRow, RunEmbedding
from study.rated import GivenRating
from study.reviews import Review
from study.votes import Participant, Vote

# The record behind each table that a bundle may hold.
TABLES: dict[str, type] = {
    "votes.parquet": Vote,
    "participants.parquet": Participant,
    "ratings.parquet": GivenRating,
    "rating_participants.parquet": Participant,
    "stimuli.parquet": Stimulus,
    "steps.parquet": Step,
    "candidates.parquet": CandidateRow,
    "rescored.parquet": RescoredRow,
    "run_embeddings.parquet": RunEmbedding,
    "reviews.json": Review,
    "predictor.json": PredictorResults,
    "study.toml": ReportTable,
}
# The table of study.toml that a record is.
_WITHIN: dict[type, str] = {ReportTable: "[report] "}

# What columns of one name mean in every table; the words after "|" are the unit or the values.
_EVERYWHERE = {
    "participant": "Who answered | a pseudonym, the same in every table",
    "target_user": "The target user whom this participant is; of an image, whom it was made for | a pseudonym or a group's name",
    "position": "Place among the participant's trials, without practice | counts from 0",
    "prompt": "What the image shows | the id of a [[prompt]] in study.toml",
    "simulated": "Whether the participant is a program",
    "response_ms": "From the images being painted to the answer | milliseconds",
    "device": "What was answered with | mouse, touch, pen, keyboard or program; empty where not known",
    "blurs": "How often the page was left during the trial | count",
    "viewport": "The window's size | left out of bundles, empty",
    "condition": "The way the image was made | the name of a [[condition]] in study.toml",
    "run": "Which of several independent steering runs | number",
    "iteration": "After how many iterations of steering; 0 is the base prompt's image | count",
    "stimulus": "Which image | an id of this bundle",
    "scorer": "What scored the image | a scorer's name, after a colon for whom",
    "image": "The image's file | path in this bundle; images that nobody was shown are not in it",
    "slot": "Place in the study | left out of bundles, empty",
}
_MEANINGS: dict[type, dict[str, str]] = {
    Vote: {
        "trial": "The trial | pseudonym and number",
        "left_stimulus": "The image on the left | an id in stimuli.parquet",
        "right_stimulus": "The image on the right | an id in stimuli.parquet",
        "left_condition": "How the left image was made | the name of a [[condition]]",
        "right_condition": "How the right image was made | the name of a [[condition]]",
        "left_target": "Whom the left image was made for; empty where for everybody | a pseudonym or a group's name",
        "right_target": "Whom the right image was made for; empty where for everybody | a pseudonym or a group's name",
        "choice": "Which image was preferred; tie where neither",
        "answered_at": "When it was answered, reduced to whole days | UTC, ISO 8601",
        "kind": "comparisons are scored; a repeat asks one again with sides swapped; a catch trial says which side to take",
        "expected": "What a catch trial asked for; empty elsewhere",
        "block": "The part between two breaks | counts from 0",
    },
    Participant: {
        "status": "How far they came | finished, unfinished, screened out, declined or full",
        "consented_at": "When they consented, reduced to whole days | UTC, ISO 8601",
        "finished_at": "When they finished, reduced to whole days | UTC, ISO 8601",
        "answered": "How many trials they answered | count",
        "replies": "What they replied to questions | left out of bundles, empty",
    },
    GivenRating: {
        "trial": "The trial | pseudonym and number",
        "image": "Which image was rated | an id in stimuli.parquet, or of the pool of rated images",
        "rating": "How good the participant finds it | 1 (bad) to 5 (excellent), continuous",
        "repeat": "Whether it is the second rating of the image by this participant",
        "rated_at": "When it was rated, reduced to whole days | UTC, ISO 8601",
    },
    Stimulus: {
        "base_prompt": "The words that steering began with",
        "image_sha256": "The hash of the image's file | SHA-256",
        "final_prompt": "The words that the image was made from",
        "generator": "What made the image",
        "seed": "The generator's seed",
        "score": "What the steering scorer gave the image | the scorer's own scale",
        "initial_score": "What it gave the base prompt's image | the scorer's own scale",
    },
    Step: {
        "best_score": "The best score so far | the scorer's own scale",
        "best_prompt": "The words of the best image so far",
        "proposed": "How many new candidates the iteration had | count",
        "rejected": "How many of them the drift guard did not let win | count",
    },
    CandidateRow: {
        "candidate": "The words that were tried",
        "score": "The steering scorer's mean score | the scorer's own scale",
        "likeness": "How well the image fits the base prompt; empty without a drift guard | the guard's own scale",
        "rejected": "Whether the drift guard did not let it win",
        "scores": "What scorers that only looked on say | by scorer, on its own scale",
    },
    RescoredRow: {
        "held_out": "Whether the scorer never steered",
        "higher_is_better": "Whether more is better on its scale",
        "low": "Where the scorer's usual images begin | the scorer's own scale",
        "high": "Where the scorer's usual images end | the scorer's own scale",
        "shown": "Its score of the image | the scorer's own scale",
        "initial": "Its score of the base prompt's image | the scorer's own scale",
        "fresh": "The mean score of the final words on fresh seeds | the scorer's own scale",
        "fresh_initial": "The mean score of the base prompt on fresh seeds | the scorer's own scale",
        "seeds": "How many fresh seeds | count",
    },
    RunEmbedding: {
        "prompt": "The final prompt as numbers; empty without a text encoder",
        "image": "The image as numbers",
    },
    Review: {
        "sha256": "The hash of the image's file | SHA-256",
        "verdict": "What a researcher said before the study",
        "reason": "Why an image was removed",
        "reviewer": "Who looked | a number",
        "at": "When, reduced to whole days | UTC, ISO 8601",
    },
    PredictorResults: {
        "margins": "How far apart two ratings are, at least, for a pair to count in the accuracies by margin | points of the rating scale",
        "scores": "How well each model tells ratings, in each split, with intervals",
        "baseline": "The model that the others are compared with | a model's name",
        "alpha": "One minus the coverage of the intervals",
        "resamples": "How often users were drawn again | count",
        "ablations": "Models with inputs left out, on seen and unseen users",
        "few_shot": "Models on new people, by how many of their ratings were seen",
        "diverging": "Models on the pairs of images that two people order oppositely",
        "disagreements": "Examples of such pairs, with both people's ratings and what was predicted | users are pseudonyms",
        "matching": "How sharply the paper's few-shot method told people apart",
        "simulated": "Whether programs gave the ratings",
        "stand_ins": "Small parts that stood in for large ones",
        "rated_again": "Ratings that are not told because the predictor was shown them | count",
        "provenance": "Seed, versions, time and the hashes of the files that the numbers were made from, which are not in this bundle",
    },
    ReportTable: {
        "registration": "Where the study was registered | the researchers' own words",
        "deviations": "What was done otherwise than registered | the researchers' own words",
        "ethics": "Who approved the study, or why nobody had to | the researchers' own words",
        "recruitment": "How people were found | the researchers' own words",
        "pay": "What people got | the researchers' own words",
        "images": "How the researchers' own images were made | the researchers' own words",
        "data": "Where votes and images can be had | the researchers' own words",
    },
}


@dataclass(frozen=True)
class Entry:
    """One column: `values` are those it may have, or its unit; empty where the type says it all."""

    file: str
    column: str
    type: str
    may_be_empty: bool
    meaning: str
    values: str


# What a report takes from study.toml that tells how people were asked, beside the words themselves.
FURTHER = (
    Entry(
        "study.toml", "[study] language", "text", False, "In which language people were asked", "en, de, or a file of texts in this bundle"
    ),
    Entry(
        "study.toml",
        "[study.recruitment] by",
        "text",
        False,
        "How people came to the study",
        "link (if missing), invitation, prolific or panel",
    ),
)


def dictionary(files: Sequence[str]) -> list[Entry]:
    """Return an entry for every column or key of each of `files` that `TABLES` knows, in that order, and for what else the report reads.

    Raises:
        ExperimentError: a column has no meaning here, because the record behind it has grown since this module was written.
    """
    told = [entry for file, record in TABLES.items() if file in files for entry in _entries(file, record)]
    return told + [entry for entry in FURTHER if entry.file in files]


def stale() -> list[str]:
    """Return the columns that a meaning is written for and that no record has."""
    known = {field.name for record in TABLES.values() for field in fields(record)}
    extra = [f"{record.__name__}.{name}" for record, told in _MEANINGS.items() for name in told if name not in _names(record)]
    return [*sorted(set(_EVERYWHERE) - known), *extra]


def _names(record: type) -> set[str]:
    return {field.name for field in fields(record)}


def _entries(file: str, record: type) -> list[Entry]:
    types = typing.get_type_hints(record)
    within = _WITHIN.get(record, "")
    return [_entry(file, field.name, types[field.name], _meaning(record, field.name), within=within) for field in fields(record)]


def _meaning(record: type, name: str) -> str:
    told: Mapping[str, str] = _EVERYWHERE | _MEANINGS.get(record, {})
    if name not in told:
        raise ExperimentError(f"{record.__name__}.{name} has no meaning in the data dictionary; write one in reports/bundle_dictionary.py")
    return told[name]


def _entry(file: str, name: str, hint: Any, meaning: str, *, within: str) -> Entry:
    parts = get_args(hint) if isinstance(hint, UnionType) or get_origin(hint) is typing.Union else (hint,)
    kinds = [part for part in parts if part is not NoneType]
    words, _, values = meaning.partition(" | ")
    named = [value for kind in kinds if get_origin(kind) is Literal for value in get_args(kind)]
    listed = ", ".join("(empty)" if value == "" else str(value) for value in named)
    return Entry(file, within + name, " or ".join(_plain(kind) for kind in kinds), NoneType in parts, words, listed or values)


def _plain(kind: Any) -> str:
    """Return a type in plain words."""
    if get_origin(kind) is Literal:
        return "text"
    simple = {str: "text", int: "whole number", float: "number", bool: "true or false", dict[str, Any]: "values by name"}
    if kind in simple or get_origin(kind) is Annotated:
        return simple.get(kind) or _plain(get_args(kind)[0])
    if get_origin(kind) in (list, tuple):
        return f"list of {'numbers' if get_args(kind)[0] is float else 'records'}"
    return "record" if is_dataclass(kind) else "numbers by name"
