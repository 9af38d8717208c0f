"""The attempts on a served study, by the names that docs/attacks.md gives them."""

from collections.abc import Callable

from attacked_study import Attacked

Attempt = Callable[[Attacked], None]
Attempts = dict[str, Attempt]

MARKUP = "<script>alert(1)</script>"
SQL = "' OR 1=1; DROP TABLE answer; --"


def named(name: str, among: Attempts) -> Callable[[Attempt], Attempt]:
    """Enter an attempt under its name: it passes where what it tries is refused."""

    def enter(made: Attempt) -> Attempt:
        among[name] = made
        return made

    return enter


def refused(study: Attacked, path: str, statuses: tuple[int, ...]) -> bytes:
    """Ask for an address and return what came, after checking that it is a refusal that shows nothing of the machine."""
    status, _, body = study.get(path)
    # What is no address gets Streamlit's own empty page, wherever that is at the top.
    assert status in statuses or (status == 200 and body == study.get("/index.html")[2]), (path, status)
    assert not any(each in body for each in (b"root:", b"Traceback", b"SQLite", b"/study/app.py", b"sqlalchemy")), path
    return body
