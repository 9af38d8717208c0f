"""Whole studies through the command line with the real parts, each a tiny checkpoint in its published layout.

ImageReward is not among them: the size of its image tower is no part of its checkpoint, so that by name only the published size can
be loaded; FLUX.2-dev and DeQA share their code with those that are.
"""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import tiny_checkpoints
import tiny_flux2
import tiny_llama
import tiny_scorers_a
import tiny_scorers_b
from PIL import Image
from scripted_server import Body, Said, scripted
from typer.testing import CliRunner

import tastebench as program
from stimuli.generators.flux2 import Flux2
from stimuli.production.ensemble import gather

STUDY = """
[experiment]
title = "Real parts, tiny"
seed = 3

[stimuli]
generator = "flux2-klein"
rewriter = "{rewriter}"
encoder = "siglip2-so400m"
text_encoder = "siglip2-so400m"
device = "cpu"
size = 64

[stimuli.steering]
candidates = 2
iterations = {iterations}
fresh_seeds = 1
held_out = ["pickscore"]

[stimuli.rewriting]
longest = 32
{rewriting}

[stimuli.workers]
kind = "{workers}"
number = 1

[stimuli.weights]
{weights}

[stimuli.ratings]
raters = 4
images = 24
per_rater = 20

[[prompt]]
id = "boat"
text = "a red boat on the lake"

[[condition]]
name = "initial"

[[condition]]
name = "generic"
scorer = "hpsv3"

[[condition]]
name = "beautiful"
scorer = "qalign-aesthetics"

[[condition]]
name = "classic"
scorer = "laion"

[[condition]]
name = "chance"
scorer = "placebo"
targets = ["rater-01", "rater-02"]

[[condition]]
name = "personal"
scorer = "personal"
targets = ["rater-01", "rater-02"]

[study]
unreviewed = true
"""
CHAINS = 7
SIMULATED = {"raters": "simulated raters"}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the folders of tiny weights by the names that study.toml has for them."""
    folder = tmp_path_factory.mktemp("weights")
    makers: dict[str, Callable[[Path], Path]] = {
        "flux2-klein": tiny_flux2.klein,
        "local": tiny_llama.llama,
        "hpsv3": tiny_scorers_a.hpsv3,
        "qalign": tiny_scorers_b.owl,
        "laion": tiny_scorers_b.laion,
        "pickscore": tiny_scorers_b.clip,
        "siglip2-so400m": tiny_checkpoints.siglip,
    }
    return {name: make(folder / name) for name, make in makers.items()}


def study(folder: Path, weights: Mapping[str, Path], **changes: str) -> Path:
    folder.mkdir()
    lines = "\n".join(f'{name} = "{place}"' for name, place in weights.items())
    filled = {"rewriter": "local", "rewriting": "", "workers": "here", "iterations": "2", "weights": lines} | changes
    (folder / "study.toml").write_text(STUDY.format(**filled))
    return folder


def said(*words: str | Path) -> str:
    result = CliRunner().invoke(program.app, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0
    return " ".join(result.output.split())


def stand_ins(folder: Path) -> dict[str, str]:
    return {entry["part"]: entry["name"] for entry in json.loads((folder / "stimuli.json").read_text())["stand_ins"]}


def events(folder: Path, kind: str) -> list[dict[str, Any]]:
    lines = (folder / "work/events.jsonl").read_text().splitlines()
    return [event for event in map(json.loads, lines) if event["event"] == kind]


def rewording(path: str, _body: Body, before: int) -> Said:
    """Answer as a good chat model does, in the words that the tiny tokenizers know."""
    if path == "/models":
        return Said({"data": [{"id": "good"}]})
    kinds = ("old green", "dark blue", "bold light", "blue garden", "green light", "old dark", "bold red", "light blue")
    lines = [f"{place + 1}. a red boat on the {kinds[(2 * before + place) % len(kinds)]} lake" for place in range(2)]
    answer = {"message": {"content": "\n".join(lines)}, "finish_reason": "stop"}
    return Said({"choices": [answer], "usage": {"completion_tokens": 20}})


def test_a_study_of_real_parts_goes_from_check_to_stimuli_and_running_it_again_does_nothing(
    tmp_path: Path, weights: dict[str, Path]
) -> None:
    with scripted(rewording) as server:
        asked = f'model = "good"\naddress = "{server.address}"'
        folder = study(tmp_path / "served", weights, rewriter="server", rewriting=asked)
        assert "Cannot run here" not in said("check", folder)
        planned = said("stimuli", "plan", folder)
        assert f"chains of steering {CHAINS} {CHAINS}" in planned
        assert all(name in planned for name in ("flux2-klein", "hpsv3", "siglip2-similarity", "pickscore", "placebo:rater-02"))
        first = said("stimuli", "steer", folder)
        assert f"8 images from {CHAINS} chains of steering" in first
        assert "gave no new prompt" not in first
        assert f"chains {'━' * 40} {CHAINS}/{CHAINS}" in said("stimuli", "status", folder)
        questions, record = len(server.asked), (folder / "stimuli.parquet").read_bytes()
        assert "; 0 images rendered now" in said("stimuli", "steer", folder)
        assert {path for path, *_ in server.asked[questions:]} <= {"/models"}
    assert (folder / "stimuli.parquet").read_bytes() == record
    assert stand_ins(folder) == SIMULATED
    _scored_by_all(folder)
    _told_in_the_store_and_not_to_people(folder)


def _scored_by_all(folder: Path) -> None:
    """Every image has a finite score by each scorer, the guard's and the held-out one's among them."""
    rows = pd.read_parquet(folder / "candidates.parquet")
    assert rows["score"].notna().all()
    assert rows["likeness"].notna().all()
    names = {"hpsv3", "qalign-aesthetics", "laion", "placebo:rater-01", "placebo:rater-02", "pickscore"}
    looked_on = [{name for name, score in scores if score == score} for scores in rows["scores"]]
    assert all(len(names - scores) <= 1 for scores in looked_on)


def _told_in_the_store_and_not_to_people(folder: Path) -> None:
    for path in (folder / "work/images").rglob("*.png"):
        with Image.open(path) as image:
            told = json.loads(image.info["tastebench"])
        assert {"prompt", "seed"} <= set(told)
        assert "FLUX.2-klein-4B" in json.dumps(told)
    shown = sorted((folder / "images").iterdir())
    assert len(shown) == 8
    for path in shown:
        assert re.fullmatch(r"[0-9a-f]{20}\.png", path.name)
        with Image.open(path) as image:
            assert image.info == {}
            assert image.size == (64, 64)


def test_the_generator_knows_what_the_other_models_take_of_the_card(tmp_path: Path, weights: dict[str, Path]) -> None:
    experiment, settings = program.settle(study(tmp_path / "crowded", weights))
    painter = gather(experiment, settings).generator
    assert isinstance(painter, Flux2)
    # Llama, HPSv3, Q-Align, LAION's CLIP, PickScore, and SigLIP 2 for the predictor and the guard, once each.
    assert painter.beside == pytest.approx(15.0 + 14.4 + 15.3 + 0.8 + 1.8 + 2.1)


def test_a_model_that_answers_rubbish_is_survived_and_told(tmp_path: Path, weights: dict[str, Path]) -> None:
    folder = study(tmp_path / "rubbish", weights)
    first = said("stimuli", "steer", folder)
    assert f"{CHAINS} of {CHAINS} chains ended with the base prompt" in first
    # No library draws a bar among our lines.
    assert "Loading weights" not in first
    assert f"In {2 * CHAINS} of {2 * CHAINS} iterations the rewriter gave no new prompt" in first
    proposed = events(folder, "proposed")
    assert len(proposed) == 2 * CHAINS
    assert all(event["got"] == 0 and event["repaired"] and event["troubles"] and all(event["said"]) for event in proposed)
    assert f"in {2 * CHAINS} iterations the rewriter gave no new prompt" in said("stimuli", "status", folder)
    assert stand_ins(folder) == SIMULATED
    assert set(pd.read_parquet(folder / "stimuli.parquet")["final_prompt"]) == {"a red boat on the lake"}


def test_the_parts_go_to_a_process_and_people_compare_what_it_made(tmp_path: Path, weights: dict[str, Path]) -> None:
    folder = study(tmp_path / "elsewhere", weights, rewriter="vocabulary", workers="processes", iterations="1")
    assert f"8 images from {CHAINS} chains of steering" in said("stimuli", "steer", folder)
    assert stand_ins(folder) == SIMULATED | {"rewriter": "vocabulary"}
    said("study", "simulate", folder)
    said("study", "export", folder)
    votes = pd.read_parquet(folder / "votes.parquet")
    assert set(votes["left_stimulus"]) | set(votes["right_stimulus"]) <= {path.stem for path in (folder / "images").iterdir()}
    assert set(votes["participant"]) <= {f"rater-{number:02d}" for number in range(1, 5)}
