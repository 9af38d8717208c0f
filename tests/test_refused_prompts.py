"""A rewording that the generator refuses for good costs itself and no more: the chain goes on, and nobody is asked again."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from steered_greys import CHAIN, SMALL, Counting, Grey

from stimuli.experiment import ExperimentError
from stimuli.generators import UnpaintableError
from stimuli.steering import Course, steer_all
from stimuli.store import Store
from stimuli.workers import Parts, Workers, crew


class Prudish(Grey):
    """A generator with a filter; it counts how often that stopped a prompt."""

    refused = 0

    def render(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Image.Image]:
        if "grey 103" in prompts or "rude grey 1" in prompts:
            type(self).refused += len(prompts) == 1
            raise UnpaintableError("a filter stopped it")
        return super().render(prompts, seeds)


def run(folder: Path, prompt: str = CHAIN.base_prompt) -> Course:
    chain = replace(CHAIN, base_prompt=prompt)

    async def steered(store: Store) -> list[Course]:
        parts = Parts(Prudish(), Counting(), (CHAIN.scorer,))
        async with crew(store, parts, Workers(kind="threads", number=2), images=10) as stages:
            return await steer_all([chain], SMALL, stages)

    with Store(folder) as store:
        return asyncio.run(steered(store))[0]


def test_a_refused_rewording_is_left_out_told_and_not_asked_for_again(tmp_path: Path) -> None:
    Prudish.refused = 0
    course = run(tmp_path)
    assert course.best.prompt == "grey 112"
    assert [one.prompt for one in course.iterations[1].candidates] == ["grey 101", "grey 102", "grey 104"]
    log = (tmp_path / "events.jsonl").read_bytes()
    assert log.count(b'"event": "refused"') == 1 and Prudish.refused == 1
    assert run(tmp_path) == course
    assert Prudish.refused == 1 and (tmp_path / "events.jsonl").read_bytes() == log


def test_a_refused_base_prompt_fails_its_chain_and_says_why(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r'rendering "rude grey 1" .* failed: a filter stopped it'):
        run(tmp_path, "rude grey 1")
