"""A lock on a file, so that two processes never do the same work in one folder; it ends with the process, however that ends."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stimuli.experiment import ExperimentError


@contextmanager
def alone(path: Path, *, doing: str) -> Iterator[None]:
    """Hold the lock at `path` while the block runs; `doing` says what for, as in "steers my-study".

    Raises:
        ExperimentError: another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        if not _locked(file.fileno()):
            file.seek(0)
            owner = file.read().strip()
            who = f"the process {owner}" if owner else "another process"
            raise ExperimentError(f"{who} {doing} already; wait until it is done, or stop it and run this again: what is done is kept")
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


if sys.platform == "win32":
    import msvcrt

    # A byte that nobody reads: Windows would keep others from reading the locked part.
    _FAR = 1 << 20

    def _locked(descriptor: int) -> bool:
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _locked(descriptor: int) -> bool:
        try:
            # Not flock: a worker process that outlives this one must not keep the lock.
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            return False
        return True
