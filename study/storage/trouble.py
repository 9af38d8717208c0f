"""What databases say when they do not work, turned into sentences: which database, what is wrong, what to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from stimuli.experiment import ExperimentError

_NOT_PERMITTED = "42501"
_SERVER = "the --database option or TASTEBENCH_DATABASE"
# What to do, by the words in which SQLite and PostgreSQL say what is wrong.
_REMEDIES = (
    (
        ("unable to open", "readonly"),
        "nobody may write in {folder}, which a study needs; give leave to write there, or copy the folder to another place",
    ),
    (("is full", "space left", "disk i/o error"), "make room on the disk; answers stored so far are kept"),
    (("is locked", "lock timeout"), "another program holds it; close that one, then this works again: answers stored so far are kept"),
    (("canceling statement", "deadlock"), "the server is too busy, and nothing of this was stored; it goes on by itself in a moment"),
    (("password", "pg_hba"), f"check USER and PASSWORD in {_SERVER}"),
    (("role",), f"the server has no such user; check USER in {_SERVER}, or let the server's administrator make one"),
    (("does not exist",), f"make it on the server (createdb NAME), or check NAME in {_SERVER}"),
    (("too many clients", "connection slots"), "raise max_connections of the server, or run fewer server processes"),
    (("permission denied",), "the user may not make tables there; let the server's administrator make that user the database's owner"),
    (("starting up", "shutting down", "terminating", "closed", "lost", "consuming input", "broken pipe", "recovery"), "{again}"),
    (
        ("refused", "no such file", "timeout", "resolve", "translate", "unreachable", "no route", "reset by peer"),
        f"no PostgreSQL answers there; start the server, or check HOST in {_SERVER}",
    ),
)
_AGAIN = "the server stopped or the line broke, and nothing of this was stored; it works again once the server is back"
_NO_STUDY = "it is no study's database; move it away, and `tastebench study serve` makes a new one"


class UnavailableError(ExperimentError):
    """The database cannot be used just now, and nothing of the transaction is kept; the same may work a little later.

    The text is for the researcher: it names places. What participants read stands in the catalogue.
    """


@contextmanager
def explained(url: sa.URL) -> Iterator[None]:
    """Turn the errors of a database that does not work into an `UnavailableError`; mistakes of this program stay as they are."""
    try:
        yield
    except PoolTimeoutError as error:
        raise UnavailableError(f"{shown(url)}: more is asked of the database than it can do; it goes on by itself in a moment") from error
    except DBAPIError as error:
        if not _is_trouble(error):
            raise
        raise UnavailableError(f"{shown(url)}: cannot be used ({_said(error)}): {remedy(shown(url), str(error.orig))}") from error


def shown(url: sa.URL) -> str:
    """Return the address as messages show it: without a password, and a file as its path."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    # A password may stand among the parameters too, so they are left out.
    return sa.URL.create("postgresql", url.username, None, url.host, url.port, url.database).render_as_string()


def remedy(place: str | Path, reason: str) -> str:
    """Return what to do about a database that gives `reason` for not working; votes in it are never put at risk."""
    for words, advice in _REMEDIES:
        if any(word in reason.lower() for word in words):
            return advice.format(folder=Path(place).parent, again=_AGAIN)
    return _NO_STUDY if "://" not in str(place) else _AGAIN


def _is_trouble(error: DBAPIError) -> bool:
    # SQLite's "file is not a database" is a bare DatabaseError, whose other kinds are mistakes of ours.
    without = isinstance(error, OperationalError) or type(error) is DatabaseError or error.connection_invalidated
    return without or getattr(error.orig, "sqlstate", None) == _NOT_PERMITTED


def _said(error: DBAPIError) -> str:
    """Return the part of a database's message that tells a person something."""
    lines = [line.strip() for line in str(error.orig).splitlines() if line.strip()]
    telling = next((line for line in lines if "failed:" in line and not line.endswith("were:")), lines[0] if lines else "no reason given")
    return telling.rpartition("failed: ")[2].removeprefix("FATAL:").strip()
