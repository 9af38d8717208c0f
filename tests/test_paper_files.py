"""Checkpoints of the paper's model: what comes back is what was kept, and what does not fit is refused in words."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from paper_made import BRIEF, briefly

from stimuli.experiment import ExperimentError
from stimuli.predictors import paper_files
from stimuli.predictors.paper import PaperPredictor, fit
from stimuli.simulation import synthetic
from stimuli.simulation.synthetic import World


@pytest.fixture(scope="module")
def small() -> World:
    return synthetic.make("linear", seed=0, size="small")


@pytest.fixture(scope="module")
def brief(small: World) -> PaperPredictor:
    return briefly(small)


@pytest.fixture(scope="module")
def trained(small: World) -> PaperPredictor:
    return fit(small.looks, small.people, small.judgements["train"], BRIEF, aside=small.judgements["val_seen"], seed=0, device="cpu")


def test_a_checkpoint_keeps_every_bit_and_says_what_it_is(small: World, trained: PaperPredictor, tmp_path: Path) -> None:
    path = tmp_path / "paper.safetensors"
    adapted = trained.adapt("new", small.looks.at(np.arange(8)), np.linspace(1, 5, 8))
    paper_files.save(path, adapted)
    loaded = paper_files.load(path, device="cpu")
    for user in (None, "s007", "new"):
        np.testing.assert_array_equal(loaded.predict(small.looks, user).mean, adapted.predict(small.looks, user).mean)
    looks, ratings = small.looks.at(np.arange(30, 40)), np.linspace(5, 1, 10)
    np.testing.assert_array_equal(loaded.neighbours(looks, ratings).user, adapted.neighbours(looks, ratings).user)
    assert (loaded.settings, loaded.history, loaded.users, loaded.sources) == (BRIEF, trained.history, adapted.users, trained.sources)
    assert loaded.residual_deviation == trained.residual_deviation
    record = json.loads(path.with_suffix(".json").read_text())
    assert (record["encoder"], record["users"][:2], record["settings"]["learning_rate"]) == ("synthetic", ["s000", "s001"], 1e-3)
    assert set(record["packages"]) == {"numpy", "safetensors", "tastebench", "torch"}
    paper_files.save(tmp_path / "again.safetensors", loaded)
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


def test_a_model_without_texts_users_and_demographics_survives_the_disk(small: World, tmp_path: Path) -> None:
    bare = briefly(small, replace(BRIEF, no_text=True, no_metadata=True, no_demographics=True, no_user=True))
    paper_files.save(tmp_path / "bare.safetensors", bare)
    loaded = paper_files.load(tmp_path / "bare.safetensors", device="cpu")
    np.testing.assert_array_equal(loaded.predict(small.looks, None).mean, bare.predict(small.looks, None).mean)
    assert np.isnan(loaded.residual_deviation)


def test_a_wrong_or_damaged_checkpoint_is_an_error_that_says_what_to_do(brief: PaperPredictor, tmp_path: Path) -> None:
    path = tmp_path / "paper.safetensors"
    with pytest.raises(ExperimentError, match=r"paper\.safetensors: no such file; train the paper's model first"):
        paper_files.load(path)
    paper_files.save(path, brief)
    record, whole = path.with_suffix(".json").read_text(), path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ExperimentError, match=r"damaged, or no safetensors file .* train the paper's model again"):
        paper_files.load(path)
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ExperimentError, match=r"not the weights that paper\.json was written for; put back the file, or train"):
        paper_files.load(path)
    path.write_bytes(whole)
    changed(path, record, settings={"width": 32})
    with pytest.raises(ExperimentError, match=r"the weights do not fit paper\.json \(Error\(s\) in loading state_dict"):
        paper_files.load(path)
    changed(path, record, shape={"prompt": 0})
    with pytest.raises(ExperimentError, match=r"the weights do not fit paper\.json"):
        paper_files.load(path)
    changed(path, record, settings={"depth": 3})
    with pytest.raises(ExperimentError, match=r"do not fit paper\.json \(.*depth"):
        paper_files.load(path)
    path.with_suffix(".json").write_text(record.replace(paper_files.VERSION, "paper model 0"))
    with pytest.raises(ExperimentError, match=r'paper\.json: found the version "paper model 0", expected "paper model 1"; train'):
        paper_files.load(path)
    path.with_suffix(".json").write_text("[")
    with pytest.raises(ExperimentError, match=r"paper\.json: not the record of a model"):
        paper_files.load(path)
    path.with_suffix(".json").unlink()
    with pytest.raises(ExperimentError, match=r"paper\.json: no such file; it is written after the weights, so they may be unfinished"):
        paper_files.load(path)


def changed(path: Path, record: str, **parts: dict[str, int]) -> None:
    content = json.loads(record)
    for name, part in parts.items():
        content[name] |= part
    path.with_suffix(".json").write_text(json.dumps(content))


def test_without_safetensors_the_extra_is_named(brief: PaperPredictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(ExperimentError, match=r"need the package safetensors; install it with `pip install 'tastebench\[gpu\]'`"):
        paper_files.save(tmp_path / "paper.safetensors", brief)
    with pytest.raises(ExperimentError, match=r"need the package safetensors"):
        paper_files.load(tmp_path / "paper.safetensors")
