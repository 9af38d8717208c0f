"""A newcomer who types what the two tutorials print gets what they print."""

from pathlib import Path

import numpy as np
from PIL import Image
from printed_page import ROOT, Reader

from study.session import open_running
from study.storage.records import Answer

# How much the six people of the second tutorial like each version, in logits.
LIKED = {"plain": 0.0, "warm": 1.0, "film": -0.5}
PEOPLE = ("ada", "ben", "cleo", "dan", "eva", "finn")


def test_the_tutorial_from_init_to_the_report(tmp_path: Path) -> None:
    reader = Reader(tmp_path, tmp_path / "first" / "study.toml", visit=lambda: None)
    reader.follow((ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8"))
    assert (tmp_path / "first" / "report" / "index.html").stat().st_size > 100_000


def test_the_tutorial_with_images_of_ones_own_from_nothing_to_a_verdict(tmp_path: Path) -> None:
    photos = tmp_path / "mine" / "photos"
    photos.mkdir(parents=True)
    for at, prompt in enumerate(("harbour", "kitchen", "street", "garden")):
        for shade, version in enumerate(LIKED):
            Image.new("RGB", (64, 64), (60 * at, 80 * shade, 120)).save(photos / f"{prompt}-{version}.png")
    reader = Reader(tmp_path, tmp_path / "mine" / "study.toml", visit=lambda: everybody_answers(tmp_path / "mine"))
    reader.follow((ROOT / "docs" / "own-images.md").read_text(encoding="utf-8"))
    assert (tmp_path / "mine" / "report" / "index.html").stat().st_size > 50_000


def everybody_answers(folder: Path) -> None:
    """Let six people take the study that is being served, through the session that its pages use."""
    session, rng = open_running(folder / "study.sqlite"), np.random.default_rng(1)
    with session.database.reading() as rows:
        condition = {stimulus.stimulus: stimulus.condition for stimulus in rows.stimuli()}
    for person in PEOPLE:
        session.consent(person)
        session.begin(person)
        while trial := session.place(person).trial:
            assert trial.right_stimulus is not None
            ahead = LIKED[condition[trial.left_stimulus]] - LIKED[condition[trial.right_stimulus]]
            choice = "left" if rng.random() < 1 / (1 + np.exp(-ahead)) else "right"
            assert session.answer(person, Answer(trial.token, choice, 1500.0, "mouse", viewport="1280x800")) == "stored"
        assert session.place(person).stage == "thanks"
    session.database.close()
