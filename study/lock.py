"""The lock of the claims: what was promised before the first vote, hashed, so that a later change shows."""

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from shlex import quote
from typing import Any, Protocol

from stimuli.experiment import Experiment, ExperimentError, write_whole

# Raised whenever the analysis could give another verdict on the same votes.
ANALYSIS_VERSION = "1"


class LockedSettings(Protocol):
    """The tables of study.toml that a lock covers; they are the analysis's, which no module here knows."""

    @property
    def analysis(self) -> Any:
        """`[analysis]`."""
        ...

    @property
    def exclusion(self) -> Sequence[Any]:
        """Every `[[exclusion]]`."""
        ...

    @property
    def claim(self) -> Sequence[Any]:
        """Every `[[claim]]`."""
        ...


@dataclass(frozen=True)
class Lock:
    """`sha256` is of the canonical claims, exclusion rules, analysis version and `locked_at` (UTC, ISO 8601)."""

    sha256: str
    locked_at: str
    analysis_version: str


def digest(settings: LockedSettings, *, locked_at: str, analysis_version: str = ANALYSIS_VERSION) -> str:
    """Return the SHA-256 of what a lock covers, as hexadecimal digits; the order of keys and of claims does not matter."""
    claims = [dataclasses.asdict(claim) for claim in settings.claim]
    content = {
        "analysis": dataclasses.asdict(settings.analysis),
        "exclusions": [dataclasses.asdict(rule) for rule in settings.exclusion],
        "claims": sorted(claims, key=lambda claim: str(claim["id"])),
        "analysis_version": analysis_version,
        "locked_at": locked_at,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def lock(experiment: Experiment, settings: LockedSettings, *, now: datetime) -> Lock:
    """Return the lock of the claims in study.toml, and write it as lock.json; an equal lock that exists is kept.

    Raises:
        ExperimentError: there is nothing to lock, no smallest effect is named, or other claims were locked before.
    """
    if not settings.claim:
        raise ExperimentError(f"{experiment.settings}: has no [[claim]], so there is nothing to lock; write what you expect first")
    if settings.analysis.smallest_effect_elo is None:
        raise ExperimentError(
            f'{experiment.settings}: [analysis] has no "smallest_effect_elo", which locked claims need: the smallest difference that '
            "would matter to you (14 Elo are 52 % of choices); add it and lock again"
        )
    earlier = read_lock(experiment)
    if earlier:
        if changed(settings, earlier):
            raise ExperimentError(
                f"{experiment.lock}: locks other claims, since {earlier.locked_at}; undo the change in study.toml, "
                "or remove the file to lock anew (verdicts then count from the new time)"
            )
        return earlier
    locked_at = now.isoformat(timespec="seconds")
    made = Lock(digest(settings, locked_at=locked_at), locked_at, ANALYSIS_VERSION)
    write_whole(experiment.lock, (json.dumps(dataclasses.asdict(made), indent=2) + "\n").encode())
    return made


def read_lock(experiment: Experiment) -> Lock | None:
    """Return the lock of an experiment, None where there is none.

    Raises:
        ExperimentError: lock.json is no lock.
    """
    path = experiment.lock
    if not path.is_file():
        return None
    try:
        found = Lock(**json.loads(path.read_text(encoding="utf-8")))
        datetime.fromisoformat(found.locked_at)
    except (ValueError, TypeError) as error:
        raise ExperimentError(
            f"{path}: is no lock of this version ({error}); remove it and run: tastebench study lock {quote(str(experiment.folder))}"
        ) from error
    return found


def changed(settings: LockedSettings, found: Lock) -> bool:
    """Return whether the claims, the rules or the analysis are other than those locked."""
    return digest(settings, locked_at=found.locked_at) != found.sha256


def why_exploratory(settings: LockedSettings, found: Lock | None, *, first_vote: str | None) -> str | None:
    """Return why verdicts count as exploratory, in words; None when the claims were locked before the first vote and kept."""
    if found is None:
        return "nothing shows that the claim was written before the votes were seen"
    if changed(settings, found):
        return f"the claims, the rules or the analysis changed after they were locked at {found.locked_at}"
    if first_vote is None or datetime.fromisoformat(found.locked_at) >= datetime.fromisoformat(first_vote):
        return f"the claims were locked at {found.locked_at}, not before the first vote"
    return None
