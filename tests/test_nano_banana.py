"""The hosted generator against a real server: what it sends and takes, and what it says when the service does not paint."""

import io
import logging
import pickle
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from painting_service import KEY, Service, painted, picture, serving
from PIL import Image
from starlette.responses import JSONResponse, PlainTextResponse, Response

from stimuli import generators
from stimuli.experiment import ExperimentError
from stimuli.generators import Generator, Rendering
from stimuli.generators.hosted import Hosted
from stimuli.generators.nano_banana import RefusedPromptError
from stimuli.stages import Render, rendered
from stimuli.store import Store

MODEL = "gemini-2.5-flash-image"


@pytest.fixture(scope="module")
def server() -> Iterator[Service]:
    with serving() as service:
        yield service


@pytest.fixture
def service(server: Service, monkeypatch: pytest.MonkeyPatch) -> Service:
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    address = server.address
    server.__init__()  # type: ignore[misc] - the same port, nothing asked yet
    server.address = address
    return server


def hosted(address: str, *, attempts: int = 1, concurrency: int = 4, timeout: float = 20.0, per_minute: float = 60_000) -> Hosted:
    return Hosted(address, requests_per_minute=per_minute, attempts=attempts, concurrency=concurrency, timeout=timeout)


def banana(service: Service, **limits: float) -> Generator:
    return generators.make("nano-banana", rendering=Rendering(64), hosted=hosted(service.address, **limits))  # type: ignore[arg-type]


def says(answer: object, status: int = 200) -> Callable[[str], Response]:
    return lambda _: JSONResponse(answer, status)


def test_it_asks_for_an_image_of_the_prompt_as_it_stands(service: Service) -> None:
    [image] = banana(service).render(["A cat. Moonlight."], [7])
    assert (image.size, image.mode) == ((64, 64), "RGB")
    [body] = service.asked
    assert body["contents"] == [{"role": "user", "parts": [{"text": "A cat. Moonlight."}]}]
    assert body["generationConfig"]["responseModalities"] == ["IMAGE"]
    assert body["generationConfig"]["imageConfig"] == {"aspectRatio": "1:1"}
    assert service.paths == [f"/v1beta/models/{MODEL}:generateContent"]
    assert service.keys == [KEY]


def test_an_image_of_another_shape_is_cropped_to_its_middle_and_scaled(service: Service) -> None:
    wide = Image.new("RGB", (300, 100), "red")
    wide.paste((0, 0, 255), (100, 0, 200, 100))
    buffer = io.BytesIO()
    wide.save(buffer, "PNG")
    service.otherwise = says(painted(buffer.getvalue()))
    [image] = banana(service).render(["a"], [1])
    assert np.asarray(image).reshape(-1, 3).max(axis=0).tolist() == [0, 0, 255]


def test_images_come_back_in_order_whatever_came_first(service: Service) -> None:
    colours = {f"prompt {number}": (number * 20, 0, 0) for number in range(9)}
    # Each answer waits until three were asked for.
    three = threading.Barrier(3, timeout=60)

    def answer(prompt: str) -> Response:
        three.wait()
        return says(painted(picture((8, 8), colours[prompt])))(prompt)

    service.otherwise = answer
    images = banana(service, concurrency=3).render(list(colours), range(9))
    assert [image.getpixel((5, 5)) for image in images] == list(colours.values())
    assert service.most_at_once <= 3


def test_the_spec_says_that_seeds_count_for_nothing_and_holds_no_key(service: Service) -> None:
    generator = banana(service)
    spec = asdict(generator.spec)
    assert (spec["name"], spec["version"], spec["stand_in"]) == ("nano-banana", MODEL, False)
    assert spec["settings"] == {"size": 64, "fit": "cropped to its middle, scaled", "seeds": "not honoured"}
    generator.render(["a"], [1])
    assert KEY not in repr(spec) + repr(vars(generator))
    assert KEY.encode() not in pickle.dumps(generator)
    assert pickle.loads(pickle.dumps(generator)).render(["a"], [1])[0].size == (64, 64)


def test_a_wish_is_rendered_once_and_the_store_never_holds_the_key(service: Service, tmp_path: Path) -> None:
    wishes = [Render("a", 1), Render("a", 2), Render("a", 1)]
    with Store(tmp_path) as store:
        first = rendered(store, banana(service), wishes)
        assert rendered(store, banana(service), wishes) == first
    assert len(service.asked) == 2
    assert all(KEY.encode() not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_a_refused_prompt_is_named_and_the_rest_of_its_batch_is_not_paid_twice(service: Service) -> None:
    service.answers["a bad prompt"] = says({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}})
    generator = banana(service)
    with pytest.raises(RefusedPromptError, match=r'would not paint "a bad prompt" \(its filters say PROHIBITED_CONTENT\); reword that'):
        generator.render(["one", "a bad prompt", "two"], [1, 2, 3])
    assert len(service.asked) == 3
    assert [generator.render([prompt], [seed])[0].size for prompt, seed in (("one", 1), ("two", 3))] == [(64, 64)] * 2
    with pytest.raises(RefusedPromptError, match="a bad prompt"):
        generator.render(["a bad prompt"], [2])
    assert len(service.asked) == 3


BROKEN = painted(b"")
BROKEN["candidates"][0]["content"]["parts"][1]["inlineData"]["data"] = "A*B"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"candidates": [{"finishReason": "IMAGE_SAFETY"}]}, r'would not paint "boat" \(its filters say IMAGE_SAFETY\)'),
        (
            {"candidates": [{"content": {"parts": [{"text": "I would rather talk about boats."}]}, "finishReason": "STOP"}]},
            r'answered with words instead of an image: "I would rather talk about boats\.", for the prompt "boat"',
        ),
        ({"candidates": [{"finishReason": "NO_IMAGE"}]}, r'ended without an image \(NO_IMAGE\), for the prompt "boat"'),
        (BROKEN, r"sent an image whose base64 is broken"),
        (painted(b"no image at all"), r"sent 15 bytes that are no image"),
        (painted(picture()[:60]), r"bytes that are no image"),
        ({"candidates": []}, r'no image in the answer to "boat"; it answered: \{"candidates": \[\]\}'),
        ({"candidates": [{"content": {"parts": "x"}}]}, r'no image in the answer to "boat"'),
        ([1, 2], r"a JSON object was expected, not list"),
    ],
)
def test_an_answer_without_an_image_is_told_with_its_prompt(service: Service, answer: object, told: str) -> None:
    service.otherwise = says(answer)
    with pytest.raises(ExperimentError, match=told):
        banana(service).render(["boat"], [1])


def test_garbage_is_told(service: Service) -> None:
    service.otherwise = lambda _: PlainTextResponse("<html>a proxy</html>")
    with pytest.raises(ExperimentError, match="its answer is no JSON: <html>a proxy</html>"):
        banana(service).render(["boat"], [1])


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_service_is_asked_again_when_it_says(service: Service, status: int) -> None:
    busy = [2]

    def answer(_: str) -> Response:
        busy[0] -= 1
        wait = {"Retry-After": "0"}
        return JSONResponse({"error": "busy"}, status, headers=wait) if busy[0] >= 0 else JSONResponse(painted(picture()))

    service.otherwise = answer
    assert len(banana(service, attempts=3).render(["boat"], [1])) == 1
    assert len(service.asked) == 3
    busy[0] = 9
    with pytest.raises(ExperimentError, match=rf"it answered {status}: .*busy.* 3 times in a row"):
        banana(service, attempts=3).render(["boat"], [1])


def test_a_wrong_key_is_told_without_saying_it(service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("GEMINI_API_KEY", "a-wrong-key")
    with pytest.raises(ExperimentError, match=r"403: .*Is the key in the environment variable GEMINI_API_KEY the right one") as told:
        banana(service).render(["boat"], [1])
    assert "a-wrong-key" not in str(told.value) + caplog.text


def test_a_missing_key_is_told_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    generator = generators.make("nano-banana", rendering=Rendering(64))
    with pytest.raises(ExperimentError, match="the environment variable GEMINI_API_KEY holds no key; set it"):
        generator.check()  # type: ignore[attr-defined]


def test_no_service_and_a_slow_one_are_told(service: Service) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    nobody = generators.make("nano-banana", rendering=Rendering(64), hosted=hosted(address))
    with pytest.raises(ExperimentError, match="no server answers there"):
        nobody.render(["boat"], [1])
    service.delay = 1.3
    with pytest.raises(ExperimentError, match=r"no answer within 0\.2 seconds"):
        banana(service, timeout=0.2).render(["boat"], [1])
