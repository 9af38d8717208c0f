"""The password of the researcher's page: what is kept of it, and whether a given one is right."""

import dataclasses
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from shlex import quote

from stimuli.experiment import Experiment, ExperimentError, write_whole

SHORTEST = 12
# Some tenths of a second and 32 MB for each try (RFC 7914; OWASP names these for interactive use).
_COST, _BLOCK, _PARALLEL = 2**15, 8, 3
_MOST_MEMORY = 256 * 2**20
_LONGEST = 1024


@dataclass(frozen=True)
class Hashed:
    """What is kept of a password: scrypt's parameters, a random salt and the hash, both as hexadecimal digits."""

    cost: int
    block: int
    parallel: int
    salt: str
    hash: str


def set_password(experiment: Experiment, password: str) -> None:
    """Keep the hash of `password`, in a file that only its owner may read; an earlier password stops working.

    Raises:
        ExperimentError: it is shorter than 12 characters, or the file cannot be written.
    """
    if len(password) < SHORTEST:
        raise ExperimentError(
            f"that password has {len(password)} characters; choose one with at least {SHORTEST}, such as four unusual words"
        )
    salt = secrets.token_bytes(16)
    hashed = Hashed(_COST, _BLOCK, _PARALLEL, salt.hex(), "")
    kept = dataclasses.replace(hashed, hash=_hash(password, hashed).hex())
    write_whole(experiment.password, (json.dumps({"scheme": "scrypt"} | dataclasses.asdict(kept), indent=1) + "\n").encode(), mode=0o600)


def remove_password(experiment: Experiment) -> bool:
    """Forget the password, which switches the page off, and return whether there was one."""
    was_there = experiment.password.exists()
    experiment.password.unlink(missing_ok=True)
    return was_there


def read_password(experiment: Experiment) -> Hashed:
    """Return what is kept of the password.

    Raises:
        ExperimentError: there is none, or the file holds something else.
    """
    path = experiment.password
    command = f"tastebench study password {quote(str(experiment.folder))}"
    if not path.is_file():
        raise ExperimentError(f"{path}: no such file, so the researcher's page is off; `{command}` sets a password and switches it on")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found.pop("scheme") != "scrypt":
            raise ValueError("it is not of the kind scrypt")
        kept = Hashed(**found)
        if len(bytes.fromhex(kept.hash)) != 32 or len(bytes.fromhex(kept.salt)) < 16 or kept.cost < _COST:
            raise ValueError("its parts have the wrong length")
    except (ValueError, TypeError, KeyError, AttributeError, OSError) as error:
        raise ExperimentError(f"{path}: holds no password ({error}); remove the file and run `{command}`") from error
    return kept


def is_right(password: str, kept: Hashed) -> bool:
    """Return whether this is the password; it takes as long whatever is wrong with it."""
    return hmac.compare_digest(_hash(password[:_LONGEST], kept), bytes.fromhex(kept.hash))


def _hash(password: str, kept: Hashed) -> bytes:
    # Half a surrogate pair, which a browser can send, has no bytes of its own.
    secret = password.encode("utf-8", errors="replace")
    salt = bytes.fromhex(kept.salt)
    return hashlib.scrypt(secret, salt=salt, n=kept.cost, r=kept.block, p=kept.parallel, maxmem=_MOST_MEMORY, dklen=32)
