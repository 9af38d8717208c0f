"""The experiment's secret: what invitations are signed with and pseudonyms are made from."""

import os
import re
import secrets
from pathlib import Path

from stimuli.experiment import Experiment, ExperimentError

_BYTES = 32
_WRITTEN = re.compile(rf"[0-9a-f]{{{2 * _BYTES}}}\n?")


def secret_of(experiment: Experiment) -> bytes:
    """Return the experiment's 32 secret bytes; the first call makes them, in a file that only its owner may read.

    Raises:
        ExperimentError: the file is damaged, or it cannot be read or written.
    """
    if not experiment.secret.exists():
        _make(experiment.secret)
    return _read(experiment.secret)


def _read(path: Path) -> bytes:
    try:
        written = path.read_bytes().decode("ascii", errors="replace")
    except OSError as error:
        raise ExperimentError(f"{path}: cannot be read ({error.strerror}); give yourself leave to read it") from error
    if not _WRITTEN.fullmatch(written):
        raise ExperimentError(
            f"{path}: is damaged; expected {2 * _BYTES} hexadecimal digits. Put it back from a copy. Without one, move it away and a "
            "new one is made: links sent so far then stop working, and people who come back from a panel count as new ones"
        )
    return bytes.fromhex(written.strip())


def _make(path: Path) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        try:
            # Unreadable to others from its first byte on, and linked rather than renamed: of two processes one makes it.
            with os.fdopen(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
                file.write(f"{secrets.token_hex(_BYTES)}\n")
                file.flush()
                os.fsync(file.fileno())
            path.hardlink_to(temporary)
        finally:
            temporary.unlink(missing_ok=True)
    except FileExistsError:
        return
    except OSError as error:
        raise ExperimentError(
            f"{path}: cannot be written ({error.strerror}); make room or give leave to write in {path.parent}, then run this again"
        ) from error
