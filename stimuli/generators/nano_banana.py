"""Nano Banana: Gemini's image models behind their HTTP address; the key comes from the environment, never from study.toml.

The interface is `models.generateContent` of the Gemini API, v1beta (ai.google.dev/api/generate-content).
"""

import base64
import binascii
import io
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

from PIL import Image, UnidentifiedImageError

from stimuli.experiment import ExperimentError
from stimuli.generators import GeneratorSpec, UnpaintableError
from stimuli.generators.hosted import Hosted
from stimuli.remote import Remote

NANO_BANANA = "nano-banana"

# Why the service ends without a picture although it understood: its filters. Asking again would be refused again.
_REFUSALS = frozenset(
    {
        "BLOCKLIST",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
        "IMAGE_SAFETY",
        "PROHIBITED_CONTENT",
        "RECITATION",
        "SAFETY",
        "SPII",
    }
)
_SHOWN = 120
# Images of failed batches that wait to be asked for once more, one by one.
_KEPT = 256

_Wish = tuple[str, int]


class RefusedPromptError(UnpaintableError):
    """The service understood a prompt and would not paint it; other prompts are not touched by that."""


class NanoBanana:
    """Gemini's image model behind the protocol of generators.

    The service paints at a size of its own and does not honour seeds: its squares are scaled to `size`, anything else is cropped to
    its middle first, and a seed only tells one wish from another, so a wish that is rendered once stays the same in the store.
    """

    def __init__(self, hosted: Hosted, *, size: int) -> None:
        settings: Mapping[str, float | str] = {"size": size, "fit": "cropped to its middle, scaled", "seeds": "not honoured"}
        self._spec = GeneratorSpec(NANO_BANANA, hosted.model, stand_in=False, settings=settings)
        self._path = f"/v1beta/models/{quote(hosted.model, safe='')}:generateContent"
        self._remote = Remote(
            hosted.address,
            hosted.key_variable,
            hosted.requests_per_minute,
            hosted.attempts,
            header="x-goog-api-key",
            scheme="",
            timeout=hosted.timeout,
        )
        self._size, self._concurrency = size, hosted.concurrency
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[_Wish, Image.Image | ExperimentError] = OrderedDict()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_lock", "_kept")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._begin()

    @property
    def spec(self) -> GeneratorSpec:
        """What the images depend on."""
        return self._spec

    def check(self) -> None:
        """Look whether the key is there, without a request.

        Raises:
            ExperimentError: it is not.
        """
        self._remote.check()

    def render(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Image.Image]:
        """Return one image for each prompt. Where some fail, the others are kept for when they are asked for again, and cost nothing.

        Raises:
            RefusedPromptError: the service's filters stopped a prompt, which the text names.
            ExperimentError: no service, no key, or an answer without an image.
        """
        wishes = list(zip(prompts, seeds, strict=True))
        with ThreadPoolExecutor(min(self._concurrency, max(len(wishes), 1)), thread_name_prefix=NANO_BANANA) as asking:
            outcomes = list(asking.map(self._outcome, wishes))
        failures = [outcome for outcome in outcomes if isinstance(outcome, ExperimentError)]
        if not failures:
            return [outcome for outcome in outcomes if isinstance(outcome, Image.Image)]
        if len(wishes) > 1:
            with self._lock:
                self._kept.update(zip(wishes, outcomes, strict=True))
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
        raise failures[0]

    def _outcome(self, wish: _Wish) -> Image.Image | ExperimentError:
        with self._lock:
            kept = self._kept.pop(wish, None)
        if kept is not None:
            return kept
        try:
            return self._painted(wish[0])
        except ExperimentError as error:
            return error

    def _painted(self, prompt: str) -> Image.Image:
        wish = {
            "contents": [{"role": "user", "parts": [{"text": prompt}]}],
            "generationConfig": {"responseModalities": ["IMAGE"], "imageConfig": {"aspectRatio": "1:1"}},
        }
        answer = self._remote.post(self._path, wish)
        return _fitted(self._opened(prompt, self._data(prompt, answer)), self._size)

    def _data(self, prompt: str, answer: Mapping[str, Any]) -> str:
        """Return the base64 of the first image of an answer."""
        blocked, ended, said = _read(answer)
        for part in said:
            inline = part.get("inlineData") or part.get("inline_data")
            if isinstance(inline, dict) and isinstance(inline.get("data"), str) and inline["data"]:
                return str(inline["data"])
        if blocked or ended in _REFUSALS:
            raise RefusedPromptError(
                f'{self._spec.name} would not paint "{_short(prompt)}" (its filters say {blocked or ended}); reword that prompt. '
                "The others are not touched by it"
            )
        words = " ".join(str(part["text"]) for part in said if part.get("text"))
        if words:
            raise self._useless(prompt, f'answered with words instead of an image: "{_short(words)}"')
        if ended:
            raise self._useless(prompt, f"ended without an image ({ended})")
        raise self._remote.complaint(self._path, f'no image in the answer to "{_short(prompt)}"', _without_data(answer))

    def _opened(self, prompt: str, data: str) -> Image.Image:
        try:
            content = base64.b64decode("".join(data.split()), validate=True)
        except (binascii.Error, ValueError) as error:
            raise self._useless(prompt, f"sent an image whose base64 is broken ({error})") from None
        try:
            with Image.open(io.BytesIO(content)) as image:
                return image.convert("RGB")
        except (OSError, SyntaxError, ValueError, UnidentifiedImageError, Image.DecompressionBombError) as error:
            raise self._useless(prompt, f"sent {len(content):,} bytes that are no image ({_short(str(error))})") from None

    def _useless(self, prompt: str, found: str) -> ExperimentError:
        return ExperimentError(
            f'{self._spec.name} {found}, for the prompt "{_short(prompt)}". Run this again: what is done is kept. Where it happens again, '
            f"reword the prompt, and see whether {self._spec.version} is a model that paints"
        )


def _read(answer: Mapping[str, Any]) -> tuple[str, str, list[Mapping[str, Any]]]:
    """Return why the prompt was blocked, why the answer ended, and its parts; each is empty where there is none."""
    feedback = answer.get("promptFeedback")
    blocked = str(feedback.get("blockReason") or "") if isinstance(feedback, dict) else ""
    candidates = answer.get("candidates")
    first = candidates[0] if isinstance(candidates, list) and candidates else None
    if not isinstance(first, dict):
        return blocked, "", []
    content = first.get("content")
    parts = content.get("parts") if isinstance(content, dict) else None
    said: list[Mapping[str, Any]] = [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
    return blocked, str(first.get("finishReason") or ""), said


def _fitted(image: Image.Image, size: int) -> Image.Image:
    """Return the middle square of an image, scaled to `size` pixels a side."""
    if image.size == (size, size):
        return image
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side)).resize((size, size), Image.Resampling.LANCZOS)


def _without_data(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {key: answer[key] for key in answer if key != "usageMetadata"}


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 3]}..."
