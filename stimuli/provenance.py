"""Where an output came from: settings, seed, versions, commit, time and the hashes of its inputs, stored beside every result."""

import hashlib
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

# The packages whose version can change a number.
_RECORDED_PACKAGES = ("choix", "numpy", "pandas", "pillow", "pyarrow", "scipy", "streamlit", "tastebench")


@dataclass(frozen=True)
class Provenance:
    """How one output came about. `made_at` is the only field that differs between two runs on equal inputs."""

    settings_sha256: str | None
    seed: int
    packages: dict[str, str]
    git_commit: str | None
    inputs: dict[str, str]
    made_at: str


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def describe(*, settings: Path | None, seed: int, inputs: Sequence[Path]) -> Provenance:
    """Return the provenance of something made now from `settings` and `inputs` (hashed by content, listed by file name)."""
    return Provenance(
        settings_sha256=sha256(settings) if settings else None,
        seed=seed,
        packages={"python": platform.python_version()} | {name: metadata.version(name) for name in _RECORDED_PACKAGES},
        git_commit=_git_commit(),
        inputs={path.name: sha256(path) for path in inputs},
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _git_commit() -> str | None:
    """Return the commit of the toolkit's own checkout, with `+changes` where it was edited; None when installed without one."""
    here = Path(__file__).parent
    try:
        described = subprocess.run(
            ["git", "-C", str(here), "describe", "--always", "--dirty=+changes", "--abbrev=12"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return described.stdout.strip()
