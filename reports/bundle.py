"""The reproduction bundle: a finished study under new names, as one zip with a script that makes its results and report again."""

import csv
import io
import json
import platform
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

from analysis.results import Results, read_results
from reports import bundle_rebuild
from reports.bundle_checks import perhaps_names, require_fresh, require_no_names, require_same_results
from reports.bundle_dictionary import Entry, dictionary
from reports.bundle_staging import stage
from reports.bundle_words import FILES, readme
from stimuli.experiment import Experiment, ExperimentError, write_whole
from stimuli.progress import Report, silent
from stimuli.provenance import sha256
from stimuli.studyfile import ExperimentTable
from study.lock import LockedSettings

# Every zip entry is of this day, so that equal content gives equal bytes.
_DAY = (1980, 1, 1, 0, 0, 0)
_ROOT = "bundle"


class BundleSettings(LockedSettings, Protocol):
    """The part of study.toml that decides whether and how a bundle is made."""

    @property
    def experiment(self) -> ExperimentTable:
        """`[experiment]`."""
        ...


@dataclass(frozen=True)
class Packed:
    """What went into a bundle: the names of its `files`, and `perhaps`, words in study.toml that somebody goes by and that stay."""

    files: tuple[str, ...]
    perhaps: tuple[str, ...]


def bundle(experiment: Experiment, settings: BundleSettings, *, to: Path, report: Report = silent) -> Packed:
    """Write the bundle of a finished study as a zip, and return what is in it; equal studies give equal bytes.

    Raises:
        ExperimentError: there are no results, they are older than the votes, settings or claims, a name or an image's metadata
            would stay readable, or the votes give other results under new names.
    """
    _require_place(to)
    results = require_fresh(experiment, settings)
    stages = ("new names", "results and report", "checks", "zip")
    with tempfile.TemporaryDirectory() as temporary:
        staged = Experiment(Path(temporary) / _ROOT)
        staged.folder.mkdir()
        report(stages[0], 1, len(stages))
        people = stage(experiment, staged, seed=settings.experiment.seed)
        # Before the slow part too: most names that would stay stand in what the researcher wrote.
        require_no_names(staged.folder, people)
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
        require_no_names(staged.folder, people)
        perhaps = perhaps_names(staged.settings, people)
        content = _files(staged.folder)
        report(stages[3], 4, len(stages))
        write_whole(to, zipped(content))
    return Packed(tuple(sorted(content)), tuple(perhaps))


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
    """Return the files that a bundle may hold; whatever else analysis and report leave in their folder stays out."""
    found = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    return {path.as_posix(): (folder / path).read_bytes() for path in found if path.parts[0] in FILES}


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
