"""A process that one talks to in lines of JSON: started, asked one thing at a time, told apart from its chatter, stopped for good."""

import json
import os
import queue
import shutil
import signal
import subprocess
import threading
import time
import weakref
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from stimuli.experiment import ExperimentError

# A Python of our own environment must not decide what the other environment imports.
_OURS = ("PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "PYTHONSTARTUP")
_KEPT, _TOLD = 200, 8
_PATIENCE = 3.0


class EndedError(ExperimentError):
    """The process ended before it replied."""


class Conversation:
    """One running process and the threads that read what it writes; `hello` is its first line."""

    def __init__(self, command: Sequence[str], folder: Path, *, name: str, seconds: float) -> None:
        self._name = name
        started = [program(command, folder, name=name), *command[1:]]
        surroundings = {key: value for key, value in os.environ.items() if key not in _OURS} | {"PYTHONUNBUFFERED": "1"}
        # A group of its own, so that wrappers such as `conda run` take their children with them when they are stopped.
        self._process = subprocess.Popen(
            started,
            cwd=folder,
            env=surroundings,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._lines: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._chatter: deque[str] = deque(maxlen=_KEPT)
        self._readers = [
            threading.Thread(target=_read_replies, args=(self._process.stdout, self._lines, self._chatter), daemon=True),
            threading.Thread(target=_read_chatter, args=(self._process.stderr, self._chatter), daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        # Runs when this is forgotten and when Python ends.
        self._finish = weakref.finalize(self, _stop, self._process, self._readers)
        try:
            self.hello = self._next("scorer", seconds=seconds, doing="saying who it is")
        except ExperimentError:
            self.close()
            raise

    def ask(self, request: Mapping[str, Any], *, seconds: float) -> dict[str, Any]:
        """Return the reply to a request, which holds an "id".

        Raises:
            EndedError: the process ended.
            ExperimentError: no reply came in time.
        """
        threading.Thread(target=_send, args=(self._own_end(), json.dumps(request).encode() + b"\n"), daemon=True).start()
        return self._next("id", seconds=seconds, doing=f"replying to request {request['id']}", equal=request["id"])

    def close(self) -> None:
        """Stop the process and everything it started; what it had been doing is lost."""
        self._finish()

    def _own_end(self) -> int:
        """Return a copy of our end of the pipe, which whoever writes closes; a closed pipe gives one that nobody reads."""
        pipe = self._process.stdin
        return os.dup(pipe.fileno()) if pipe is not None and not pipe.closed else os.open(os.devnull, os.O_WRONLY)

    def _next(self, key: str, *, seconds: float, doing: str, equal: object = None) -> dict[str, Any]:
        """Return the next object that has this key, with this value where one is given."""
        until = time.monotonic() + seconds
        while True:
            try:
                found = self._lines.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                raise ExperimentError(
                    f"{self._name}: the process was not done with {doing} after {seconds:g} s; raise "
                    f'"{"start_seconds" if key == "scorer" else "call_seconds"}" or mend it. {self._said()}'
                ) from None
            if found is None:
                self._lines.put(None)  # whoever asks again is told at once, too
                raise self._ended(doing)
            if key in found and (equal is None or found[key] == equal):
                return found
            self._chatter.append(json.dumps(found))

    def _ended(self, doing: str) -> EndedError:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_PATIENCE)
        # Its last words may still be on their way through the pipe.
        self._readers[1].join(_PATIENCE)
        return EndedError(f"{self._name}: the process ended {_how(self._process.returncode)} instead of {doing}. {self._said()}")

    def _said(self) -> str:
        last = [line for line in list(self._chatter)[-_TOLD:] if line.strip()]
        return "Its last lines: " + " | ".join(last) if last else "It wrote nothing else"


def program(command: Sequence[str], folder: Path, *, name: str) -> str:
    """Return the path of the program that a command begins with; a relative path with a slash is relative to `folder`.

    Raises:
        ExperimentError: there is no such program.
    """
    on_path = "/" not in command[0]
    found = shutil.which(command[0] if on_path else str(folder.resolve() / command[0]))
    if found is None:
        raise ExperimentError(
            f'{name}: there is no program "{command[0]}" that can be run (looked {"on the PATH" if on_path else f"in {folder}"}); '
            'write the Python of its own environment, for example "envs/official/bin/python"'
        )
    return found


def _how(code: int | None) -> str:
    if code is None:
        return "its output"
    return f"by signal {signal.Signals(-code).name}" if code < 0 else f"with status {code}"


def _send(pipe: int, data: bytes) -> None:
    """Write everything, however slowly it is read; a process that ended is noticed by who waits for its reply."""
    left = memoryview(data)
    with suppress(OSError):
        while left:
            left = left[os.write(pipe, left) :]
    os.close(pipe)


def _read_replies(pipe: IO[bytes], lines: "queue.SimpleQueue[dict[str, Any] | None]", chatter: deque[str]) -> None:
    for line in pipe:
        text = line.decode("utf-8", errors="replace").rstrip("\r\n")
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        if isinstance(found, dict):
            lines.put(found)
        else:
            chatter.append(text)
    lines.put(None)


def _read_chatter(pipe: IO[bytes], chatter: deque[str]) -> None:
    for line in pipe:
        chatter.append(line.decode("utf-8", errors="replace").rstrip("\r\n"))


def _stop(process: "subprocess.Popen[bytes]", readers: Sequence[threading.Thread]) -> None:
    """End its input, which a good server takes for the end; then ask, then force the whole group."""
    with suppress(OSError):
        if process.stdin is not None:
            process.stdin.close()
    for force in (None, signal.SIGTERM, signal.SIGKILL):
        if force is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, force)
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.5 if force is None else _PATIENCE)
            break
    # Children of a wrapper that is gone would keep the pipes open.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for reader, pipe in zip(readers, (process.stdout, process.stderr), strict=True):
        reader.join(_PATIENCE)
        if pipe is not None and not reader.is_alive():
            pipe.close()
