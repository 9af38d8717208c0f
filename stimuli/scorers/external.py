"""A scorer that runs in a process of its own, in its own environment: official packages that pin other versions than ours.

The protocol is lines of JSON in UTF-8 over standard input and output:

* the process begins by saying who it is: `{"scorer": "hpsv3", "version": "1.0.1"}`, when it is ready to score;
* a request is `{"id": 7, "images": ["/tmp/…/0.png", …], "prompts": ["a red boat", …]}`: as many prompts as images, PNG in RGB;
* the reply is `{"id": 7, "scores": [0.31, …]}`, or `{"id": 7, "error": "what went wrong"}`, after which it takes the next request;
* at the end of its input it stops.

Other lines on standard output are taken for chatter: libraries print there. They are kept, like standard error, for messages of errors.
A process that ends in the midst is started once more and asked again. `examples/external_scorer` holds a server to copy.
"""

import json
import math
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field

from stimuli.experiment import ExperimentError
from stimuli.scorers import ScorerSpec, pictures
from stimuli.scorers.external_process import Conversation, EndedError, program
from stimuli.studyfile import did_you_mean

Array = NDArray[np.float64]

PREFIX = "external:"


@dataclass(frozen=True)
class External:
    """`[stimuli.external.NAME]`: a scorer in a process of its own; conditions call it `external:NAME`."""

    command: Annotated[tuple[str, ...], Field(min_length=1)]
    """How the scorer is started, word by word; paths are relative to the experiment."""
    version: Annotated[str, Field(min_length=1, max_length=200)]
    """The version that the scorer says it has; scores of two versions are never mixed."""
    low: float = 0.0
    """What it gives a usual poor image."""
    high: float = 1.0
    """What it gives a usual good image."""
    higher_is_better: bool = True
    """Whether more is better."""
    needs_prompt: bool = True
    """Whether it reads the prompt."""
    start_seconds: Annotated[float, Field(gt=0, le=7200)] = 600.0
    """The longest wait for its first line."""
    call_seconds: Annotated[float, Field(gt=0, le=7200)] = 300.0
    """The longest wait for one reply."""


class ExternalScorer:
    """The scores of a process, which is started when it scores first and stopped when Python ends; pickling leaves it behind."""

    def __init__(self, name: str, external: External, *, folder: Path) -> None:
        self.spec = ScorerSpec(
            f"{PREFIX}{name}",
            f"external {external.version}",
            external.low,
            external.high,
            higher_is_better=external.higher_is_better,
            needs_prompt=external.needs_prompt,
            stand_in=False,
        )
        self._name, self._external, self._folder = name, external, folder
        self._asked = 0
        self._opened: Conversation | None = None
        self._lock = threading.Lock()

    def __getstate__(self) -> tuple[str, External, Path]:
        return self._name, self._external, self._folder

    def __setstate__(self, state: tuple[str, External, Path]) -> None:
        name, external, folder = state
        self.__init__(name, external, folder=folder)  # type: ignore[misc]  # the process and its lock are made anew

    def check(self) -> None:
        """Tell at once what would fail later: a command that is not there.

        Raises:
            ExperimentError: the program cannot be found.
        """
        program(self._external.command, self._folder, name=self.spec.name)

    def score(self, images: Sequence[Image.Image], prompts: Sequence[str]) -> Array:
        """Return the score that the process gives each image, shape (images,).

        Raises:
            ExperimentError: it cannot be started, ends twice, is too slow, or replies with an error or something else than scores.
        """
        if len(images) != len(prompts):
            raise ValueError(f"{len(images)} images and {len(prompts)} prompts")
        if not images:
            return np.zeros(0)
        with tempfile.TemporaryDirectory(prefix="tastebench-") as place:
            paths = [Path(place, f"{number}.png") for number in range(len(images))]
            for path, image in zip(paths, pictures.plain(images), strict=True):
                image.save(path, compress_level=1)
            return self._replied({"images": [str(path) for path in paths], "prompts": list(prompts)}, expected=len(images))

    def close(self) -> None:
        """Stop the process; the next score starts another."""
        with self._lock:
            self._stop()

    def _replied(self, request: Mapping[str, Any], *, expected: int) -> Array:
        """Ask the process, one request at a time, and once more where it ended in the midst."""
        with self._lock:
            self._asked += 1
            asking = {"id": self._asked, **request}
            try:
                reply = self._ask(asking)
            except EndedError:
                try:
                    reply = self._ask(asking)
                except EndedError as error:
                    raise ExperimentError(f"{error}; it was started once more and ended again") from error
        return self._scores(reply, expected=expected)

    def _ask(self, asking: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            self._opened = self._opened or self._started()
            return self._opened.ask(asking, seconds=self._external.call_seconds)
        except ExperimentError:
            self._stop()
            raise

    def _stop(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _scores(self, reply: Mapping[str, Any], *, expected: int) -> Array:
        if "error" in reply:
            raise ExperimentError(f"{self.spec.name}: the process could not score: {reply['error']}")
        scores = reply.get("scores")
        fine = isinstance(scores, list) and len(scores) == expected and all(map(_is_score, scores))
        if not fine:
            raise ExperimentError(
                f'{self.spec.name}: replied {json.dumps(reply)[:200]}; expected "scores" with {expected} finite numbers, one for each image'
            )
        return np.array(scores, dtype=np.float64)

    def _started(self) -> Conversation:
        opened = Conversation(self._external.command, self._folder, name=self.spec.name, seconds=self._external.start_seconds)
        told = opened.hello.get("version")
        if told != self._external.version:
            opened.close()
            raise ExperimentError(
                f'{self.spec.name}: the process says version "{told}", and study.toml says "{self._external.version}"; '
                f'write version = "{told}" in [stimuli.external.{self._name}]'
            )
        return opened


def make(name: str, externals: Mapping[str, External], *, folder: Path) -> ExternalScorer:
    """Return the external scorer of a name such as "external:official", from `[stimuli.external]`.

    Raises:
        ExperimentError: there is no such table.
    """
    key = name.removeprefix(PREFIX)
    if key not in externals:
        hint = f"; {did_you_mean(key, list(externals))}" if externals else ""
        raise ExperimentError(f'scorer "{name}": study.toml has no table [stimuli.external.{key}]{hint}')
    return ExternalScorer(key, externals[key], folder=folder)


def _is_score(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
