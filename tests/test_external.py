"""External scorers: a real process is asked, and every way in which it can misbehave is told and leaves nothing behind."""

import os
import pickle
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stimuli.experiment import ExperimentError
from stimuli.scorers import external, parity
from stimuli.scorers.external import External, ExternalScorer
from stimuli.scorers.generic import Colourful

EXAMPLE = Path(__file__).parents[1] / "examples/external_scorer/server.py"
GREY = [Image.new("RGB", (8, 8), (level, level, level)) for level in (0, 51, 255)]

# A server whose manners a test chooses: {hello} is run before its first line, {reply} for each request.
SERVER = """
import json, os, signal, sys, time
from pathlib import Path

def tell(what):
    sys.stdout.write(json.dumps(what) + "\\n")
    sys.stdout.flush()

with Path("pids").open("a") as pids:
    pids.write(f"{{os.getpid()}}\\n")
{hello}
tell({{"scorer": "test", "version": "1"}})
for line in sys.stdin:
    request = json.loads(line)
    me, count = request["id"], len(request["images"])
    {reply}
"""
FINE = 'tell({"id": me, "scores": [0.5] * count})'


def serving(folder: Path, reply: str = FINE, *, hello: str = "", **settings: float) -> ExternalScorer:
    (folder / "server.py").write_text(SERVER.format(hello=hello, reply=reply))
    return ExternalScorer("test", External((sys.executable, "server.py"), version="1", **settings), folder=folder)


def pids(folder: Path) -> list[int]:
    # Whom we stopped before it came to write its number left none.
    return [int(line) for line in (folder / "pids").read_text().split()] if (folder / "pids").exists() else []


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0]


@pytest.fixture
def example(tmp_path: Path) -> ExternalScorer:
    shutil.copy(EXAMPLE, tmp_path / "server.py")
    return ExternalScorer("mine", External((sys.executable, "server.py"), version="1.0"), folder=tmp_path)


def test_the_example_scores_images_in_their_order(example: ExternalScorer) -> None:
    assert example.spec.name == "external:mine"
    np.testing.assert_allclose(example.score(GREY, ["a", "b", "c"]), [0, 0.2, 1])
    np.testing.assert_allclose(example.score(GREY[::-1], ["a", "b", "c"]), [1, 0.2, 0])
    example.close()


def test_the_example_goes_on_after_an_image_that_it_cannot_score(example: ExternalScorer, tmp_path: Path) -> None:
    text = (tmp_path / "server.py").read_text().replace("    del prompt\n", "    assert prompt != 'bad', 'no such prompt'\n")
    (tmp_path / "server.py").write_text(text)
    with pytest.raises(ExperimentError, match="external:mine: the process could not score: AssertionError: no such prompt"):
        example.score(GREY[:1], ["bad"])
    assert example.score(GREY[2:], ["good"]) == [1]
    example.close()


def test_no_images_start_no_process(tmp_path: Path) -> None:
    assert serving(tmp_path).score([], []).shape == (0,)
    assert not (tmp_path / "pids").exists()


def test_any_picture_is_handed_over_in_rgb(example: ExternalScorer) -> None:
    given = [Image.new("RGBA", (4, 4), (0, 0, 0, 0)), Image.new("CMYK", (4, 4)), Image.new("P", (4, 4)), Image.new("I;16", (4, 4))]
    np.testing.assert_allclose(example.score(given, [""] * 4), [1, 1, 0, 0])
    with pytest.raises(ExperimentError, match="image 1 has 3 x 0 pixels"):
        example.score([Image.new("RGB", (3, 0))], [""])
    example.close()


def test_chatter_on_standard_output_is_told_apart(tmp_path: Path) -> None:
    chatter = "sys.stdout.write('Loading 50%\\n[1, 2]\\n3\\n{broken\\n\\xff\\n')"
    late = 'tell({"id": me - 1, "scores": [9.0]}); ' + chatter.replace("\\xff", "") + "; " + FINE
    scorer = serving(tmp_path, late, hello=chatter)
    assert scorer.score(GREY, ["a"] * 3).tolist() == [0.5, 0.5, 0.5]
    scorer.close()


def test_a_process_that_ends_is_started_once_more_and_asked_again(tmp_path: Path) -> None:
    crash = 'if not Path("crashed").exists(): Path("crashed").touch(); os._exit(3)\n    ' + FINE
    scorer = serving(tmp_path, crash)
    assert scorer.score(GREY[:1], ["a"]) == [0.5]
    assert scorer.score(GREY[:1], ["a"]) == [0.5]
    assert len(pids(tmp_path)) == 2
    scorer.close()


def test_a_process_that_ends_twice_is_told_with_its_last_words(tmp_path: Path) -> None:
    scorer = serving(
        tmp_path, 'sys.stderr.write("CUDA error: no kernel image\\n"); sys.stderr.flush(); os.kill(os.getpid(), signal.SIGKILL)'
    )
    with pytest.raises(ExperimentError) as caught:
        scorer.score(GREY[:1], ["a"])
    text = str(caught.value)
    assert text.startswith("external:test: the process ended by signal SIGKILL instead of replying to request 1")
    assert "CUDA error: no kernel image" in text
    assert text.endswith("it was started once more and ended again")
    assert len(pids(tmp_path)) == 2


def test_a_process_that_fails_to_start_is_told_with_its_last_words(tmp_path: Path) -> None:
    scorer = serving(tmp_path, hello="import no_such_package")
    with pytest.raises(ExperimentError, match=r"ended with status 1 instead of saying who it is.*No module named 'no_such_package'"):
        scorer.score(GREY[:1], ["a"])


@pytest.mark.parametrize(
    ("hello", "reply", "key"), [("time.sleep(60)", FINE, "start_seconds"), ("", "time.sleep(60)", "call_seconds")], ids=["start", "call"]
)
def test_a_process_that_is_too_slow_is_stopped_and_told(tmp_path: Path, hello: str, reply: str, key: str) -> None:
    scorer = serving(tmp_path, reply, hello=hello, **{"start_seconds": 120, "call_seconds": 120, key: 1.0})
    with pytest.raises(ExperimentError, match=rf'after 1 s; raise "{key}" or mend it. It wrote nothing else'):
        scorer.score(GREY[:1], ["a"])
    assert not any(map(alive, pids(tmp_path)))


def test_a_process_that_reads_nothing_does_not_hang_us(tmp_path: Path) -> None:
    scorer = serving(tmp_path, hello='tell({"scorer": "test", "version": "1"}); time.sleep(60)', call_seconds=1)
    with pytest.raises(ExperimentError, match="not done with replying to request 1 after 1 s"):
        scorer.score(GREY[:1], ["long " * 400_000])
    assert not alive(pids(tmp_path)[-1])


@pytest.mark.parametrize("scores", ["[0.5]", "[0.5, None]", '[0.5, "high"]', "[0.5, True]", "[0.5, float('nan')]", "0.5", "None"])
def test_anything_but_one_finite_number_for_each_image_is_refused(tmp_path: Path, scores: str) -> None:
    scorer = serving(tmp_path, f'tell({{"id": me, "scores": {scores}}})')
    with pytest.raises(ExperimentError, match=r'external:test: replied \{"id": 1, .*expected "scores" with 2 finite numbers'):
        scorer.score(GREY[:2], ["a", "b"])
    scorer.close()


def test_another_version_is_refused_with_what_to_write(tmp_path: Path) -> None:
    scorer = serving(tmp_path)
    other = ExternalScorer("test", External((sys.executable, "server.py"), version="0.9"), folder=tmp_path)
    with pytest.raises(
        ExperimentError, match=r'says version "1", and study.toml says "0.9"; write version = "1" in \[stimuli.external.test\]'
    ):
        other.score(GREY[:1], ["a"])
    assert scorer.spec.version != other.spec.version
    assert not alive(pids(tmp_path)[-1])


def test_a_command_that_is_not_there_is_told_before_anything_runs(tmp_path: Path) -> None:
    for command in ("no-such-program", "envs/none/bin/python"):
        scorer = ExternalScorer("test", External((command,), version="1"), folder=tmp_path)
        with pytest.raises(ExperimentError, match=f'external:test: there is no program "{command}" that can be run'):
            scorer.check()


def test_a_relative_command_is_relative_to_the_experiment(tmp_path: Path) -> None:
    serving(tmp_path)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (tmp_path / "bin/python").chmod(0o755)
    scorer = ExternalScorer("test", External(("bin/python", "server.py"), version="1"), folder=tmp_path)
    scorer.check()
    assert scorer.score(GREY[:1], ["a"]) == [0.5]
    scorer.close()


def test_our_own_python_does_not_decide_what_the_process_imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/ours")
    monkeypatch.setenv("VIRTUAL_ENV", "/ours")
    ours = 'tell({"id": me, "scores": [float(any(key in os.environ for key in ("PYTHONPATH", "VIRTUAL_ENV")))]})'
    scorer = serving(tmp_path, ours)
    assert scorer.score(GREY[:1], ["a"]) == [0]
    scorer.close()


def test_pickling_leaves_the_process_behind(tmp_path: Path) -> None:
    scorer = serving(tmp_path)
    scorer.score(GREY[:1], ["a"])
    copy = pickle.loads(pickle.dumps(scorer))
    assert copy.spec == scorer.spec
    assert copy.score(GREY[:1], ["a"]) == [0.5]
    assert len(set(pids(tmp_path))) == 2
    scorer.close()
    copy.close()
    assert not any(map(alive, pids(tmp_path)))


def test_the_process_stops_with_us_and_takes_its_children_along(tmp_path: Path) -> None:
    serving(tmp_path)
    (tmp_path / "wrapper.sh").write_text(f"sleep 300 &\necho $! >>pids\nexec {sys.executable} server.py\n")
    program = (
        "from pathlib import Path\nfrom PIL import Image\nfrom stimuli.scorers.external import External, ExternalScorer\n"
        f"scorer = ExternalScorer('x', External(('sh', 'wrapper.sh'), version='1'), folder=Path({str(tmp_path)!r}))\n"
        "scorer.score([Image.new('RGB', (4, 4))], ['a'])\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[1], check=True, timeout=300)
    until = time.monotonic() + 60
    while any(map(alive, pids(tmp_path))) and time.monotonic() < until:
        time.sleep(0.05)
    assert len(pids(tmp_path)) == 2
    assert not any(map(alive, pids(tmp_path)))


def test_it_is_made_from_its_table(tmp_path: Path) -> None:
    table = {"official": External(("python",), version="2", low=-1, high=3, higher_is_better=False, needs_prompt=False)}
    spec = external.make("external:official", table, folder=tmp_path).spec
    assert (spec.name, spec.low, spec.high, spec.higher_is_better, spec.needs_prompt) == ("external:official", -1, 3, False, False)
    with pytest.raises(ExperimentError, match=r'no table \[stimuli.external.offical\]; did you mean "official"\?'):
        external.make("external:offical", table, folder=tmp_path)


def test_parity_tells_the_largest_difference_and_where_it_is(tmp_path: Path, example: ExternalScorer) -> None:
    nearly = ExternalScorer("nearly", External((sys.executable, "nearly.py"), version="1.0"), folder=tmp_path)
    (tmp_path / "nearly.py").write_text(
        EXAMPLE.read_text().replace("/ 255", "/ 255 + 0.25 * (prompt == 'off')").replace("    del prompt\n", "")
    )
    found = parity.compare(nearly, example, GREY, ["a", "off", "c"])
    assert found.largest == pytest.approx(0.25)
    assert found.worst == 1
    assert found.same_order
    assert str(found) == (
        "external:nearly and external:mine differ by at most 0.25 on 3 images (image 2: 0.45 and 0.2), whose scores span 1; "
        "they put the images in the same order"
    )
    nearly.close()
    example.close()


def test_parity_of_scorers_that_disagree_says_so(example: ExternalScorer) -> None:
    images = [Image.new("RGB", (16, 16), "red"), Image.new("RGB", (16, 16), "white")]
    found = parity.compare(Colourful(), example, images, ["", ""])
    assert not found.same_order
    assert parity.compare(example, example, images, ["", ""]).largest == 0
    with pytest.raises(ValueError, match="no images"):
        parity.compare(Colourful(), example, [], [])
    example.close()
