"""How a server process is started: what makes it fast, what bounds it, and what its command line does not tell."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from served_study import PATIENCE_S, Served, free_port, served_in, wait_for_server
from study_fixtures import Settings, make_experiment
from visitor import Visitor
from websockets.exceptions import ConnectionClosed

from stimuli.experiment import ExperimentError
from study import serving
from study.config import RatingTable
from study.invocation import DATABASE_VARIABLE
from study.opening import open_study
from study.screens import running
from study.screens.running import PREVIEW_VARIABLE
from study.session import CHOOSER_VARIABLE

URL = "postgresql://study:geheim@localhost/study"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served_in(tmp_path_factory.mktemp("serving")) as running:
        yield running


def test_the_server_runs_on_the_fast_loop_and_parser(served: Served) -> None:
    maps = Path(f"/proc/{served.process.pid}/maps")
    if not maps.exists():
        pytest.skip("this system does not tell what a process has loaded")
    loaded = maps.read_text(encoding="utf-8")
    assert "/uvloop/loop" in loaded
    assert "/httptools/parser/" in loaded


def test_a_message_of_more_than_a_megabyte_ends_the_connection_and_nothing_else(served: Served) -> None:
    with Visitor(served.port, served.key_of("oversized")) as visitor:
        visitor.look()
        visitor.socket.send(b"x" * 1_100_000)
        with pytest.raises(ConnectionClosed) as closed:
            for _ in range(20):
                visitor.socket.recv(timeout=PATIENCE_S)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009
    with Visitor(served.port, served.key_of("usual")) as visitor:
        assert visitor.look().data["screen"] == "consent"


def test_the_password_of_the_database_is_not_on_the_command_line() -> None:
    server = serving.server(URL, host="127.0.0.1", port=8501)
    assert "geheim" not in " ".join(server.command)
    assert server.environment[DATABASE_VARIABLE] == URL


def test_a_preview_takes_the_cookie_neither_of_the_study_nor_of_another_preview(monkeypatch: pytest.MonkeyPatch) -> None:
    names = []
    for port, preview in ((8501, False), (8502, True), (8503, True)):
        made = serving.server(URL, host="127.0.0.1", port=port, preview=preview).environment
        monkeypatch.setenv(PREVIEW_VARIABLE, made[PREVIEW_VARIABLE])
        names.append((running.cookie("comparison"), running.is_preview()))
    assert names == [("study", False), ("preview-8502", True), ("preview-8503", True)]
    # What a terminal was left with does not make the next study a preview.
    assert not serving.server(URL, host="127.0.0.1", port=8501).environment[PREVIEW_VARIABLE]


def test_ctrl_c_says_that_nothing_is_lost(tmp_path: Path) -> None:
    experiment = make_experiment(tmp_path / "experiment")
    open_study(experiment, Settings()).database.close()
    port = free_port()
    made = serving.server(f"sqlite:///{experiment.database}", host="127.0.0.1", port=port)
    process = subprocess.Popen(made.command, env=made.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        wait_for_server(port, process)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
        process.wait()
    assert told.splitlines()[-1] == "Stopped. Run the same command to go on; nothing is lost."
    assert "Abort" not in told
    assert process.returncode == 1


def test_the_chooser_reaches_the_server_process_by_its_name() -> None:
    assert serving.server(URL, host="::1", port=8501, chooser="a:b").environment[CHOOSER_VARIABLE] == "a:b"
    assert serving.server(URL, host="::1", port=8501).address == "http://[::1]:8501/start"


def test_an_active_study_without_a_chooser_does_not_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CHOOSER_VARIABLE, raising=False)
    experiment = make_experiment(tmp_path / "experiment")
    settings = Settings(rating=RatingTable(order="active", images="stimuli", per_participant=2, unreviewed=True))
    with pytest.raises(ExperimentError, match=f'order = "active".*{CHOOSER_VARIABLE}'):
        serving.serve(
            experiment,
            settings,
            kind="rating",
            url=f"sqlite:///{tmp_path / 'rating.sqlite'}",
            unreviewed=False,
            port=None,
            host="127.0.0.1",
            announce=lambda *_: None,
        )


def test_a_port_that_is_taken_is_refused_and_another_is_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ExperimentError, match=f"port {port} of 127.0.0.1 cannot be used.*Choose another with --port"):
            serving.free_port("127.0.0.1", port)
    assert serving.free_port("127.0.0.1") > 0


def test_a_comparison_opens_whatever_the_environment_names_for_the_rating_study(tmp_path: Path) -> None:
    process = started(tmp_path, environment={CHOOSER_VARIABLE: "no.such:chooser"})
    try:
        assert process.announced == f"http://127.0.0.1:{process.port}/start\n"
    finally:
        process.end()


def test_ctrl_c_ends_the_server_without_a_trace(tmp_path: Path) -> None:
    process = started(tmp_path, environment={})
    wait_for_server(process.port, process.process)
    assert "Traceback" not in process.end()
    with socket.create_server(("127.0.0.1", process.port)):
        pass


@dataclass
class Started:
    """A process that runs `serving.serve`, and the first line that it printed."""

    process: subprocess.Popen[str]
    port: int
    announced: str

    def end(self) -> str:
        """Press Ctrl-C, and return what it has printed by its end."""
        self.process.send_signal(signal.SIGINT)
        output, errors = self.process.communicate(timeout=PATIENCE_S)
        return output + errors


def started(folder: Path, *, environment: dict[str, str]) -> Started:
    experiment, port = make_experiment(folder / "experiment"), free_port()
    program = "\n".join(
        [
            "import sys",
            f"sys.path.insert(0, {str(Path(__file__).parent)!r})",
            "from pathlib import Path",
            "from study_fixtures import Settings",
            "from stimuli.experiment import Experiment",
            "from study import serving",
            f"folder = Path({str(experiment.folder)!r})",
            "url = f'sqlite:///{folder / \"study.sqlite\"}'",
            "announce = lambda address, _: print(address, flush=True)",
            f"serving.serve(Experiment(folder), Settings(), kind='comparison', url=url, unreviewed=True, port={port},",
            "    host='127.0.0.1', announce=announce)",
        ]
    )
    command = [sys.executable, "-c", program]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, env=os.environ | environment, cwd=folder, text=True, **pipes)
    assert process.stdout is not None
    return Started(process, port, process.stdout.readline())
