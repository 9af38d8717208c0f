"""The server rewriter against a real one: `transformers serve` with a tiny Llama, in a process of its own."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from scripted_server import free_port
from tiny_llama import llama

from stimuli.experiment import ExperimentError
from stimuli.rewriters import Ask, Rewriting
from stimuli.rewriters.server import Server

LACKING = [name for name in ("fastapi", "openai", "uvicorn") if importlib.util.find_spec(name) is None]
COMMAND = Path(sys.executable).with_name("transformers")

pytestmark = pytest.mark.skipif(
    bool(LACKING) or not COMMAND.exists(), reason=f"transformers serve needs {', '.join(LACKING) or 'its command'}"
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Serve a tiny Llama; give its address and its name."""
    folder = tmp_path_factory.mktemp("served")
    model = str(llama(folder / "llama"))
    port = free_port()
    log = folder / "log"
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    with log.open("wb") as written:
        command = [str(COMMAND), "serve", model, "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
        process = subprocess.Popen(command, stdout=written, stderr=subprocess.STDOUT, env=environment, start_new_session=True)
    try:
        _await(f"http://127.0.0.1:{port}/health", process, log)
        yield f"http://127.0.0.1:{port}/v1", model
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _await(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 300
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx.get(address, trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    pytest.fail(f"transformers serve did not start:\n{log.read_text(errors='replace')[-3000:]}")


def server(served: tuple[str, str], *, model: str | None = None, longest: int = 24, temperature: float = 0.9) -> Server:
    address, name = served
    rewriting = Rewriting(model=model or name, address=address, key_variable="", longest=longest, temperature=temperature)
    return Server(rewriting, instruction="{descriptions} {requested_number} {base_prompt}", attempts=1)


def test_a_real_server_honours_seed_temperature_and_length_and_counts_tokens(served: tuple[str, str]) -> None:
    asks = [Ask("word1 word2", (), 3, seed) for seed in (1, 2)]
    [first], [other] = (server(served).write([ask]) for ask in asks)
    assert server(served).write([asks[0]]) == [first]
    assert first.text != other.text
    [greedy, same] = (server(served, temperature=0).write([ask])[0] for ask in asks)
    assert greedy == same
    cut = [server(served, longest=16).write([Ask("word1 word2", (), 3, seed)])[0] for seed in range(6)]
    assert all(answer.tokens is not None and answer.tokens <= 16 and answer.is_cut == (answer.tokens == 16) for answer in cut)
    assert any(answer.is_cut for answer in cut)


def test_a_real_server_is_checked_and_continues_a_conversation(served: tuple[str, str]) -> None:
    server(served).check()
    [repair] = server(served).write([Ask("word1", (), 2, 1, before="word3 word4", at_first=5)])
    assert repair.tokens


def test_a_real_server_says_no_to_another_model(served: tuple[str, str]) -> None:
    with pytest.raises(ExperimentError, match=r"it answered 400: .*pinned to.*another"):
        server(served, model="another/model").write([Ask("word1", (), 1, 1)])
