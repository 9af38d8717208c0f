"""A page of the documentation as something to follow: what stands in its fences, and a reader who does all of it."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PATIENCE_S = 120.0


@dataclass(frozen=True)
class Fence:
    """A fenced block: its language ("" where none is named) and its text."""

    language: str
    text: str


def fences(markdown: str) -> list[Fence]:
    return [Fence(*found) for found in _FENCE.findall(markdown)]


def commands(markdown: str) -> Iterator[str]:
    """Yield the lines of the blocks for a shell, long ones joined."""
    for fence in fences(markdown):
        if fence.language == "sh":
            yield from (line for line in fence.text.replace("\\\n", " ").splitlines() if line.strip())


@dataclass
class Reader:
    """Follows a page in `folder`: types the commands, edits `settings` as told, and compares what comes with what is printed.

    `visit` is called while a study is served, before Ctrl-C.
    """

    folder: Path
    settings: Path
    visit: Callable[[], None]

    def follow(self, markdown: str) -> None:
        printed = ""
        for fence in fences(markdown):
            if fence.language == "sh":
                printed = "".join(self._type(line) for line in fence.text.splitlines())
            elif fence.language == "text":
                assert as_printed(fence.text).fullmatch(printed.strip()), f"the page prints:\n{fence.text}\nthe command:\n{printed}"
            elif fence.language == "diff":
                self.settings.write_text(edited(self.settings.read_text(encoding="utf-8"), fence.text), encoding="utf-8")
            elif fence.language == "toml":
                self.settings.write_text(fence.text, encoding="utf-8")

    def _type(self, line: str) -> str:
        if " study serve " in line:
            return self._serve(line)
        done = subprocess.run(["bash", "-c", line], cwd=self.folder, env=_environment(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout

    def _serve(self, line: str) -> str:
        log = self.folder / "served.txt"
        with log.open("w") as file:
            # A session of its own, so that Ctrl-C reaches all of it and nothing else, as in a terminal.
            server = subprocess.Popen(["bash", "-c", line], cwd=self.folder, env=_environment(), stdout=file, start_new_session=True)
        try:
            _wait_until_open(log, server)
            self.visit()
        finally:
            os.killpg(server.pid, signal.SIGINT)
            server.wait(_PATIENCE_S)
        return log.read_text(encoding="utf-8")


def _wait_until_open(log: Path, server: subprocess.Popen[bytes]) -> None:
    """Return when the page opens at the address that a server prints: it is printed while the server starts."""
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end and server.poll() is None:
        time.sleep(0.1)
        if found := re.search(r"http://127\.0\.0\.1:\d+/start", log.read_text(encoding="utf-8")):
            with contextlib.suppress(urllib.error.URLError), urllib.request.urlopen(found[0], timeout=_PATIENCE_S) as page:
                assert page.status == 200
                return
    raise AssertionError(f"the study was not served: {log.read_text(encoding='utf-8')}")


def as_printed(text: str) -> re.Pattern[str]:
    """Return what a printed output stands for: `...` is anything, a port or a number with a point may be another, spaces may differ.

    >>> bool(as_printed("3 votes, +1.5 Elo ...").fullmatch("3  votes, -20.25 Elo and so on"))
    True
    >>> bool(as_printed("3 votes").fullmatch("4 votes"))
    False
    """
    pieces = re.split(r"(\.\.\.|127\.0\.0\.1:\d+|[+-]?\d+\.\d+|\s+)", text.strip())
    return re.compile("".join(_pattern(piece) for piece in pieces), re.DOTALL)


def _pattern(piece: str) -> str:
    if piece == "...":
        return ".*?"
    if piece.startswith("127.0.0.1:"):
        return r"127\.0\.0\.1:\d+"
    if re.fullmatch(r"[+-]?\d+\.\d+", piece):
        return r"[+-]?\d+\.\d+"
    return r"\s+" if piece.isspace() else re.escape(piece)


def edited(text: str, diff: str) -> str:
    """Return a text with what a diff says done to it; what it takes out must be there exactly once."""
    for hunk in re.split(r"^@@.*\n", diff, flags=re.MULTILINE)[1:]:
        old = "".join(f"{line[1:]}\n" for line in hunk.splitlines() if line[:1] in " -")
        new = "".join(f"{line[1:]}\n" for line in hunk.splitlines() if line[:1] in " +")
        assert text.count(old) == 1, f"not once in study.toml:\n{old}"
        text = text.replace(old, new)
    return text


def _environment() -> dict[str, str]:
    """Return an environment in which `tastebench` is found, and is told of no terminal."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"PATH": path, "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "80"}
