"""The reproduction bundle: a finished study under new names, as one zip with a script that makes its results and report again."""

import csv
import io
import json
import platform
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import astuple, fields
from datetime import datetime
from importlib import metadata
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

from analysis.results import Results, read_results
from reports import bundle_rebuild, bundle_settings, pseudonyms
from reports.bundle_checks import require_fresh, require_no_names, require_same_results
from reports.bundle_dictionary import Entry, dictionary
from reports.bundle_words import readme
from reports.pseudonyms import Names
from stimuli.experiment import Experiment, ExperimentError, write_whole
from stimuli.manifest import Stimulus, read_steps, read_stimuli, write_steps, write_stimuli
from stimuli.progress import Report, silent
from stimuli.provenance import sha256
from stimuli.steering_record import (
    read_candidates,
    read_embeddings,
    read_rescored,
    write_candidates,
    write_embeddings,
    write_rescored,
)
from stimuli.studyfile import ExperimentTable
from study.lock import LockedSettings
from study.rated import read_ratings, write_ratings
from study.reviews import read_reviews, write_reviews
from study.votes import Participant, Vote, read_participants, read_votes, write_participants, write_votes

# Every zip entry is of this day, so that equal content gives equal bytes.
_DAY = (1980, 1, 1, 0, 0, 0)
_ROOT = "bundle"


class BundleSettings(LockedSettings, Protocol):
    """The part of study.toml that decides whether and how a bundle is made."""

    @property
    def experiment(self) -> ExperimentTable:
        """`[experiment]`."""
        ...


def bundle(experiment: Experiment, settings: BundleSettings, *, to: Path, report: Report = silent) -> list[str]:
    """Write the bundle of a finished study as a zip, and return the names of the files in it; equal studies give equal bytes.

    Raises:
        ExperimentError: there are no results, they are older than the votes, settings or claims, a name would stay readable, or
            the votes give other results under new names.
    """
    _require_place(to)
    results = require_fresh(experiment, settings)
    stages = ("new names", "results and report", "checks", "zip")
    with tempfile.TemporaryDirectory() as temporary:
        staged = Experiment(Path(temporary) / _ROOT)
        staged.folder.mkdir()
        report(stages[0], 1, len(stages))
        names = _stage(experiment, settings, staged)
        report(stages[1], 2, len(stages))
        options = _options(results)
        write_whole(staged.bundle, b"{}\n")
        try:
            bundle_rebuild.make(staged.folder, **options, like=_circumstances(results))
        except RuntimeError as error:
            raise ExperimentError(f"the votes under new names cannot be analysed and told: {error}") from error
        report(stages[2], 3, len(stages))
        require_same_results(results, read_results(staged.results))
        _write_about(staged, results, options)
        require_no_names(staged.folder, names.people)
        content = _files(staged.folder)
        report(stages[3], 4, len(stages))
        write_whole(to, zipped(content))
    return sorted(content)


def zipped(content: dict[str, bytes]) -> bytes:
    """Return a zip of files by name, under one folder; equal files give equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(content):
            entry = zipfile.ZipInfo(f"{_ROOT}/{name}", _DAY)
            entry.external_attr = 0o644 << 16
            entry.create_system = 3
            # Images are compressed already.
            entry.compress_type = zipfile.ZIP_STORED if name.endswith((".png", ".jpg", ".jpeg", ".webp")) else zipfile.ZIP_DEFLATED
            archive.writestr(entry, content[name], compresslevel=9)
    return buffer.getvalue()


def _stage(experiment: Experiment, settings: BundleSettings, staged: Experiment) -> Names:
    """Write everything that the analysis and the report read into `staged`, under new names, and return these names."""
    votes = read_votes(experiment.votes)
    stimuli = read_stimuli(experiment.stimuli) if experiment.stimuli.is_file() else []
    people = _people(experiment, votes, stimuli)
    called = pseudonyms.pseudonyms(people, seed=settings.experiment.seed, salt=sha256(experiment.votes))
    renamed = pseudonyms.new_stimuli(stimuli, called)
    names = Names(
        people=called,
        stimuli={old: row.stimulus for old, row in renamed} | _unlisted(votes, renamed, settings, experiment),
        images={row.image: new.image for row, (_, new) in zip(_in_order(stimuli, renamed), renamed, strict=True)},
        began=min(datetime.fromisoformat(vote.answered_at) for vote in votes),
    )
    write_votes(staged.votes, pseudonyms.votes(votes, names))
    write_whole(staged.settings, bundle_settings.settings(experiment.settings, called))
    if stimuli:
        write_stimuli(staged.stimuli, [row for _, row in renamed])
    _stage_tables(experiment, staged, names)
    _stage_images(experiment, staged, _in_order(stimuli, renamed), names)
    for path, copy in ((experiment.lock, staged.lock), (experiment.stimuli_record, staged.stimuli_record)):
        if path.is_file():
            write_whole(copy, path.read_bytes())
    return names


def _in_order(stimuli: Sequence[Stimulus], renamed: Sequence[tuple[str, Stimulus]]) -> list[Stimulus]:
    """Return the old rows in the order of the new ones."""
    by_id = {row.stimulus: row for row in stimuli}
    return [by_id[old] for old, _ in renamed]


def _people(experiment: Experiment, votes: Sequence[Vote], stimuli: Sequence[Stimulus]) -> set[str]:
    """Return everybody who answered, came, rated, or was a target; groups are nobody in particular."""
    raw = bundle_settings.raw(experiment.settings)
    listed = [*_participants(experiment.participants), *_participants(experiment.rating_participants)]
    rated = read_ratings(experiment.rated) if experiment.rated.is_file() else []
    steered = read_steps(experiment.steps) if experiment.steps.is_file() else []
    found = chain(
        (name for vote in votes for name in (vote.participant, vote.target_user, vote.left_target, vote.right_target)),
        (row.target_user for row in stimuli),
        (row.target_user for row in steered),
        (name for row in listed for name in (row.participant, row.target_user)),
        (row.participant for row in rated),
        (name for table in raw.get("condition", ()) for name in table.get("targets", ())),
        (name for table in raw.get("group", ()) for name in table.get("members", ())),
    )
    return {name for name in found if name is not None} - {table.get("name") for table in raw.get("group", ())}


def _unlisted(
    votes: Sequence[Vote], renamed: Sequence[tuple[str, Stimulus]], settings: BundleSettings, experiment: Experiment
) -> dict[str, str]:
    """Return a new name for each image that was judged and that no table lists."""
    listed = {old for old, _ in renamed}
    found = {name for vote in votes for name in (vote.left_stimulus, vote.right_stimulus)} - listed
    made = pseudonyms.pseudonyms(found, seed=settings.experiment.seed, salt=f"images {sha256(experiment.votes)}")
    return {old: f"x-{new}" for old, new in made.items()}


def _participants(path: Path) -> list[Participant]:
    return read_participants(path) if path.is_file() else []


def _stage_tables(experiment: Experiment, staged: Experiment, names: Names) -> None:
    """Write the tables that are there, each with its columns under new names."""
    if experiment.participants.is_file():
        write_participants(staged.participants, pseudonyms.participants(read_participants(experiment.participants), names))
    if experiment.rating_participants.is_file():
        write_participants(staged.rating_participants, pseudonyms.participants(read_participants(experiment.rating_participants), names))
    if experiment.rated.is_file():
        write_ratings(staged.rated, pseudonyms.ratings(read_ratings(experiment.rated), names))
    if experiment.steps.is_file():
        write_steps(staged.steps, pseudonyms.steps(read_steps(experiment.steps), names))
    if experiment.candidates.is_file():
        write_candidates(staged.candidates, pseudonyms.candidates(read_candidates(experiment.candidates), names))
    if experiment.rescored.is_file():
        write_rescored(staged.rescored, pseudonyms.rescored(read_rescored(experiment.rescored), names))
    if experiment.run_embeddings.is_file():
        write_embeddings(staged.run_embeddings, pseudonyms.embeddings(read_embeddings(experiment.run_embeddings), names))
    if experiment.reviews.is_file():
        write_reviews(staged.reviews, pseudonyms.reviews(read_reviews(experiment.reviews).values(), names))


def _stage_images(experiment: Experiment, staged: Experiment, stimuli: Iterable[Stimulus], names: Names) -> None:
    """Copy the images of the study, but those that a researcher took out of it."""
    said = read_reviews(experiment.reviews)
    for row in stimuli:
        removed = row.image_sha256 in said and said[row.image_sha256].verdict == "removed"
        path = experiment.folder / row.image
        if not removed and path.is_file():
            write_whole(staged.folder / names.images[row.image], path.read_bytes())


def _options(results: Results) -> dict[str, Any]:
    """Return how the analysis was run, as far as it changes what comes out."""
    return {"leave_out": list(results.counts.left_out), "regularise": results.regularised, "secondary": "GEE" in results.further}


def _circumstances(results: Results) -> dict[str, Any]:
    """Return when these results were made; what they are made with is the present machine."""
    return {"made_at": results.provenance["made_at"]} if "made_at" in results.provenance else {}


def _write_about(staged: Experiment, results: Results, options: dict[str, Any]) -> None:
    """Write what is there beside the data: dictionary, environment, script, README and, last, the list of everything with hashes."""
    entries = dictionary([path.name for path in staged.folder.iterdir()])
    write_whole(staged.folder / "dictionary.csv", _csv(entries))
    write_whole(staged.folder / "requirements.txt", ("\n".join(_installed()) + "\n").encode())
    write_whole(staged.folder / "environment.json", _json(_environment(results)))
    write_whole(staged.folder / "rebuild.py", Path(bundle_rebuild.__file__).read_bytes())
    write_whole(staged.folder / "README.md", readme(staged, entries))
    staged.bundle.unlink()
    files = {name: sha256(staged.folder / name) for name in sorted(_files(staged.folder))}
    write_whole(staged.bundle, _json({"format": "tastebench bundle", "analysis": options, "files": files}))


def _installed() -> list[str]:
    """Return every installed package with its version, as pip writes them; tastebench itself comes from its own repository."""
    found = {str(one.name).lower().replace("_", "-"): one.version for one in metadata.distributions() if one.name}
    return [f"{name}=={version}" for name, version in sorted(found.items()) if name != "tastebench"]


def _environment(results: Results) -> dict[str, Any]:
    return {
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "machine": platform.machine(),
        "tastebench": metadata.version("tastebench"),
        "git_commit": results.provenance.get("git_commit"),
    }


def _csv(entries: Sequence[Entry]) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([field.name for field in fields(Entry)])
    writer.writerows(astuple(entry) for entry in entries)
    return buffer.getvalue().encode()


def _json(content: Any) -> bytes:
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def _files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _require_place(to: Path) -> None:
    if to.suffix.lower() != ".zip":
        raise ExperimentError(f"{to}: a bundle is a zip; give a name that ends in .zip")
    if to.exists() and not _is_bundle(to):
        raise ExperimentError(f"{to}: is there already and is no bundle, so it was left as it is; choose another name")


def _is_bundle(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return f"{_ROOT}/bundle.json" in archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return False
