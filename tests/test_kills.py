"""The server is killed without warning while people answer: every acknowledged answer is there exactly once."""

import asyncio
from pathlib import Path

import pytest
from study_kills import kill_under_load
from study_servers import Setup, served


def test_no_acknowledged_answer_is_lost_or_doubled_when_the_server_is_killed(tmp_path: Path) -> None:
    with served(Setup("sqlite"), tmp_path, image_kb=1, prompts=8) as running:
        outcome = asyncio.run(kill_under_load(running, people=5, kills=3, thinking=0.2))
    assert outcome.wrong == ()
    assert outcome.acknowledged > 15
    # At the end everybody waited for what they had sent.
    assert outcome.unseen == 0


@pytest.mark.postgres
def test_nothing_is_lost_with_postgresql_either(tmp_path: Path) -> None:
    with served(Setup("postgresql"), tmp_path, image_kb=1, prompts=8) as running:
        outcome = asyncio.run(kill_under_load(running, people=5, kills=1, thinking=0.2))
    assert outcome.wrong == ()
    assert outcome.acknowledged > 5
