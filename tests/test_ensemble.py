"""Who makes the stimuli together: what tells their work apart, and what is said of them."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from stimuli.config import Condition, Prompt, StimuliTable
from stimuli.experiment import Experiment
from stimuli.groups import Gathered, Group
from stimuli.production import ensemble, stand_ins
from stimuli.ratings import RatedData, pamela
from stimuli.rewriters import Rewriting
from stimuli.scorers.external import External
from stimuli.studyfile import ExperimentTable


@dataclass(frozen=True)
class Settings:
    stimuli: StimuliTable
    experiment: ExperimentTable = field(default_factory=lambda: ExperimentTable("Tiny", 7))
    prompt: tuple[Prompt, ...] = (Prompt("boat", "A boat."),)
    condition: tuple[Condition, ...] = (Condition("initial"), Condition("x", scorer="external:mine"))
    group: tuple[Group, ...] = ()


def test_a_group_of_which_something_else_is_told_has_scores_of_its_own() -> None:
    told = [None, np.zeros((1, 2), dtype=np.float32), np.ones((1, 2), dtype=np.float32)]
    versions = {ensemble._version("1", Gathered("g", ("ann", "bea"), profile)) for profile in told}
    versions |= {ensemble._version("1", Gathered("g", ("ann", "cat"))), ensemble._version("1", None)}
    assert len(versions) == 5


def test_an_external_scorer_can_be_a_rival_of_predictions(tmp_path: Path) -> None:
    table = StimuliTable(external={"mine": External(("python", "server.py"), "1.0")}, ratings=RatedData(folder="."))
    rivals = {name: ensemble.scorer_named(Experiment(tmp_path), Settings(table), name) for name in ("external:mine", "colourful")}
    named = [(one.part, one.name) for one in stand_ins.of_predictions(Settings(table), rivals)]
    assert ("scorer", "colourful") in named and ("scorer", "external:mine") not in named


def test_a_template_that_is_no_text_is_lacking_and_no_crash(tmp_path: Path) -> None:
    (tmp_path / "ask.txt").write_bytes(b"\xff\xfe{descriptions}")
    settings = Settings(StimuliTable(rewriting=Rewriting(instruction="ask.txt")), condition=(Condition("initial"),))
    [lack] = ensemble.lacking(Experiment(tmp_path), settings)
    assert lack == f"{tmp_path / 'ask.txt'}: is no UTF-8 text (byte 0); save it as UTF-8"


def test_targets_who_are_no_raters_of_the_data_set_are_told_before_anything_is_learnt(tmp_path: Path) -> None:
    person = {"age": 30, "gender": "female", "nationality": "Belgian"}
    image = {"prompt": "a boat", "group": "boats", "style": "oil", "type": "art"}
    row = {"image_id": "i1", "image_path": "i1.png", "original_score": 4, "image_metadata": image, "user_demographics": person}
    pamela.write(tmp_path / "data", {"train": [{"participant_id": name, **row} for name in ("ann", "bea")]})
    conditions = (Condition("personal", scorer="personal", targets=("ann", "user-1", "women")), Condition("chance", "placebo", ("zoe",)))
    women = Group("women", gender="female")
    settings = Settings(StimuliTable(ratings=RatedData(folder="data")), condition=conditions, group=(women,))
    [lack] = ensemble.lacking(Experiment(tmp_path), settings)
    assert lack == (
        'study.toml: targets name "user-1", and nobody is called so among the 2 people who rated, such as ann, bea; name people who rated'
    )
    (tmp_path / "data/annotations/pamela_val_seen.json").unlink()
    [lack] = ensemble.lacking(Experiment(tmp_path), settings)
    assert "lacks pamela_val_seen.json" in lack
