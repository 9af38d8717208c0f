"""What must hold before a bundle is packed: results that belong to their votes, and no name of anybody left readable."""

import html
import math
import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from shlex import quote
from typing import Any

import pyarrow.parquet as pq

from analysis.predictor_results import read_predictor_results
from analysis.results import Results, read_results
from stimuli.experiment import Experiment, ExperimentError, require
from stimuli.provenance import sha256
from study.lock import LockedSettings, changed, read_lock

# Elo. The order of names changes the order of sums, and nothing else.
_TOLERANCE = 1e-4
_SHORTEST = 5


def require_fresh(experiment: Experiment, settings: LockedSettings) -> Results:
    """Return the results of a study, which were made from its votes and settings as they are now.

    Raises:
        ExperimentError: there are none, something changed after they were made, or the locked claims are other ones now.
    """
    again = f"tastebench analysis fit {quote(str(experiment.folder))}"
    require(experiment.votes, made_by=f"tastebench study export {quote(str(experiment.folder))}")
    results = read_results(require(experiment.results, made_by=again))
    if experiment.bundle.is_file():
        raise ExperimentError(f"{experiment.folder}: is an unpacked bundle already; pack the study that it was made from")
    made_from = {**(results.provenance.get("inputs") or {}), experiment.settings.name: results.provenance.get("settings_sha256")}
    for path in (experiment.votes, experiment.settings):
        if made_from.get(path.name) != sha256(path):
            raise ExperimentError(f"{path}: is not what the results were made from; run `{again}`, then make the bundle")
    _require_fresh_predictor(experiment)
    locked = read_lock(experiment)
    if locked and changed(settings, locked):
        raise ExperimentError(
            f"{experiment.lock}: the claims, rules or [analysis] in study.toml are not those locked at {locked.locked_at}; put them back "
            f"and run `{again}`, or remove lock.json and tell readers that the claims were not locked"
        )
    return results


def _require_fresh_predictor(experiment: Experiment) -> None:
    if not experiment.predictor_results.is_file():
        return
    made_from = read_predictor_results(experiment.predictor_results).provenance.get("settings_sha256")
    if made_from and made_from != sha256(experiment.settings):
        raise ExperimentError(
            f"{experiment.settings}: is not what {experiment.predictor_results.name} was made with; run "
            f"`tastebench analysis predictor {quote(str(experiment.folder))}`, or remove {experiment.predictor_results.name} to leave the "
            "predictor out, then make the bundle"
        )


def require_same_results(before: Results, after: Results) -> None:
    """Raise an `ExperimentError` where scores, differences or verdicts are other ones under new names."""
    wrong = [*_unequal_scores(before, after), *_unequal_contrasts(before, after), *_unequal_verdicts(before, after)]
    if wrong:
        raise ExperimentError(
            f"under new names the same votes give other results ({'; '.join(wrong[:3])}), so no bundle was made. Was another version of "
            "tastebench used? Run `tastebench analysis fit` again"
        )


def require_no_names(folder: Path, people: Iterable[str]) -> None:
    """Raise an `ExperimentError` where a file in `folder` still holds somebody's old name, also inside a table.

    Names of fewer than five characters, and numbers, are not looked for: they stand everywhere by chance. `perhaps_names` tells them.
    """
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        where = str(path.relative_to(folder))
        for name in sorted(names_in([where, *texts_of(path)], (name for name in people if _telling(name)))):
            raise ExperimentError(
                f'"{name}", who is a participant, would stay readable in {where} of the bundle, so it was not made; '
                "take the name out of the title, prompts and texts in study.toml"
            )


def perhaps_names(settings: Path, people: Iterable[str]) -> list[str]:
    """Return the words in a bundle's study.toml that somebody goes by and that may be meant otherwise: short names and numbers."""
    others = [name for name in people if not _telling(name) and any(letter.isalnum() for letter in name)]
    return sorted(names_in([settings.read_text(encoding="utf-8")], others))


def names_in(texts: Iterable[str], people: Iterable[str]) -> set[str]:
    """Return who of `people` stands in one of the texts as a whole word, in small letters or large, however its parts are joined."""
    known = {_told(name): name for name in people}
    if not known:
        return set()
    searched = [re.escape(name).replace("\\ ", r"[\s._-]+") for name in sorted(known, key=len, reverse=True)]
    named = re.compile(rf"(?<![^\W_])(?:{'|'.join(searched)})(?![^\W_])")
    return {known[_told(found)] for text in texts for found in named.findall(_folded(text))}


def _telling(name: str) -> bool:
    return len(name) >= _SHORTEST and not name.isdecimal()


def _folded(text: str) -> str:
    """Return a text in which equal letters are equal, however they were typed."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _told(name: str) -> str:
    return re.sub(r"[\s._-]+", " ", _folded(name))


def texts_of(path: Path) -> Iterator[str]:
    """Yield everything in a file that is text, that of tables cell by cell, and what others hold uncompressed."""
    if path.suffix == ".parquet":
        for column in pq.read_table(path).columns:
            yield from {str(value) for value in column.to_pylist()}
    elif path.suffix in (".html", ".svg"):
        yield html.unescape(path.read_text(encoding="utf-8"))
    else:
        yield path.read_bytes().decode("utf-8", errors="replace")


def _unequal_scores(before: Results, after: Results) -> Iterator[str]:
    there = {score.condition: score for score in after.scores}
    if {score.condition for score in before.scores} != set(there):
        yield "other conditions are scored"
        return
    for score in before.scores:
        if not _near(score.elo, there[score.condition].elo):
            yield f"{score.condition} scores {score.elo:.4f} and then {there[score.condition].elo:.4f}"


def _unequal_contrasts(before: Results, after: Results) -> Iterator[str]:
    def told(results: Results) -> dict[tuple[str, str, str], tuple[Any, ...]]:
        return {(one.scope, one.a, one.b): (one.difference_elo, one.low, one.high) for one in results.contrasts}

    here, there = told(before), told(after)
    if here.keys() != there.keys():
        yield "other differences are given"
        return
    for key, values in here.items():
        if not all(_near(one, other) for one, other in zip(values, there[key], strict=True)):
            yield f"{key[1]} minus {key[2]} is {values[0]:.4f} and then {there[key][0]:.4f}"


def _unequal_verdicts(before: Results, after: Results) -> Iterator[str]:
    there = {claim.id: claim.verdict for claim in after.claims}
    for claim in before.claims:
        if there.get(claim.id) != claim.verdict:
            yield f"{claim.id} is {claim.verdict} and then {there.get(claim.id, 'not judged')}"


def _near(one: float, other: float) -> bool:
    return math.isclose(one, other, abs_tol=_TOLERANCE)
