"""How a server process is started: what makes it fast, what bounds it, and what its command line does not tell."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from served_study import Served, served_in
from study_fixtures import Settings, make_experiment
from visitor import Visitor
from websockets.exceptions import ConnectionClosed

from stimuli.experiment import ExperimentError
from study import serving
from study.config import RatingTable
from study.invocation import DATABASE_VARIABLE
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
                visitor.socket.recv(timeout=5)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009
    with Visitor(served.port, served.key_of("usual")) as visitor:
        assert visitor.look().data["screen"] == "consent"


def test_the_password_of_the_database_is_not_on_the_command_line() -> None:
    server = serving.server(URL, host="127.0.0.1", port=8501)
    assert "geheim" not in " ".join(server.command)
    assert server.environment[DATABASE_VARIABLE] == URL


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
            announce=lambda _: None,
        )


def test_a_port_that_is_taken_is_refused_and_another_is_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ExperimentError, match=f"port {port} of 127.0.0.1 cannot be used.*Choose another with --port"):
            serving.free_port("127.0.0.1", port)
    assert serving.free_port("127.0.0.1") > 0
