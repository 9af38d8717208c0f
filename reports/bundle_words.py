"""The README of a bundle: what is in it, what was left out and changed, how to make everything again, and the data dictionary."""

from collections.abc import Sequence
from itertools import groupby

from reports.bundle_dictionary import Entry
from stimuli.experiment import Experiment

# All that a bundle may hold, and what it is.
FILES = {
    "votes.parquet": "every answered trial",
    "participants.parquet": "every participant of the comparison: how far they came",
    "ratings.parquet": "every rating that participants gave",
    "rating_participants.parquet": "every participant of the rating study",
    "stimuli.parquet": "every image that people could see, and how it was made",
    "steps.parquet": "the course of steering",
    "candidates.parquet": "every prompt that steering tried",
    "rescored.parquet": "the steered images scored again",
    "run_embeddings.parquet": "independent runs as numbers",
    "reviews.json": "what was said of each image before the study",
    "images": "the images that people saw",
    "predictor.json": "how well predictors tell ratings, as it was found: the ratings behind it are not here",
    "study.toml": "the settings, without addresses, codes and keys",
    "study_texts.toml": "the study's own translation of its pages",
    "rating_texts.toml": "the rating study's own translation of its pages",
    "lock.json": "the hash of the claims, from before the first vote",
    "stimuli.json": "how the images came about",
    "results.json": "scores, differences and verdicts",
    "report": "the report, with figures and tables",
    "dictionary.csv": "every column of every table",
    "requirements.txt": "every installed package with its version, but tastebench",
    "environment.json": "Python, platform and commit",
    "rebuild.py": "makes results.json and report again, and compares them byte by byte",
    "README.md": "this text",
    "bundle.json": "the list of all files, with a SHA-256 of each",
}
_TEXT = """\
# Reproduction bundle

Made with `tastebench reports bundle`. It is an experiment folder of tastebench: `tastebench analysis fit` and
`tastebench reports build` work on it. It cannot be steered or asked again, as that needs models and people.

## Make it again

    python -m venv again && . again/bin/activate
    pip install -r requirements.txt
    pip install --no-deps PATH      # a checkout of tastebench at the version and commit in environment.json
    python rebuild.py

The script analyses the votes anew in
another folder, builds the report from that, and says whether every byte is the same as here. Only the time at which the results were
made is taken over. With other versions of packages the numbers stay and the bytes of figures may not; it says so.

## What was changed

- Participants and target users have pseudonyms, the same in every table, in an order that tells nothing about their names.
- Images and their files have new names.
- Times are reduced to whole days; where the claims were locked on the day of the first vote, days begin a second after the lock.
  Response times are kept, since the analysis uses them.
- Left out: replies to questions, what a panel sent along, the size of windows, places in the study, reviewers' names, addresses and codes
  in study.toml, comments in it, images that nobody was shown, the predictions behind predictor.json, databases, keys, and the hashes of
  the study.toml that images and predictions were made with.

Scores, differences and verdicts are those of the study itself: this was checked when the bundle was made. What is drawn at random in the
order of names (bootstrap intervals of scores, permutation tests) and Krippendorff's alpha, which depends on which image of a pair comes
first, may differ from the study's own results in the last digits.

Pseudonyms are no guarantee: who knows how somebody answered can still find them.

## Files
"""


def readme(staged: Experiment, entries: Sequence[Entry]) -> bytes:
    """Return README.md for the files in `staged` and those still to come."""
    there = {path.name for path in staged.folder.iterdir()} | {"bundle.json"}
    lines = [_TEXT, "| file | what it is |", "|---|---|", *(f"| {name} | {what} |" for name, what in FILES.items() if name in there)]
    lines += ["", "## Data dictionary"]
    for file, columns in groupby(entries, key=lambda entry: entry.file):
        lines += ["", f"### {file}", "", "| column | type | meaning | unit or values |", "|---|---|---|---|"]
        lines += [f"| {e.column} | {e.type}{' or empty' if e.may_be_empty else ''} | {e.meaning} | {e.values} |" for e in columns]
    return ("\n".join(lines) + "\n").encode()
