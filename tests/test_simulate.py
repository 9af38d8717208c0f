"""Simulated participants: through the same session as people, by known tastes, the same again, and marked as what they are."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from study_fixtures import Settings, make_experiment, write_known_tastes

from stimuli.experiment import Experiment, ExperimentError
from stimuli.manifest import read_stimuli
from stimuli.progress import silent
from study import export, simulate
from study.config import Simulation, StudyTable
from study.opening import open_study
from study.tables import TrialRow
from study.votes import Vote, read_votes

USERS = ("walrusking", "lemurqueen")


def with_tastes(experiment: Experiment, taste: dict[str | None, float], *, users: tuple[str, ...] = USERS) -> Experiment:
    """Let every user like the images made for "own", "other" or nobody (None) as much as `taste` says."""
    whose = {
        (user, s.stimulus): "own" if s.target_user == user else "other" if s.target_user else None
        for user in users
        for s in read_stimuli(experiment.stimuli)
    }
    write_known_tastes(experiment, {key: taste[kind] for key, kind in whose.items()})
    return experiment


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    return with_tastes(make_experiment(tmp_path / "experiment"), {"own": 1.0, "other": 0.5, None: 0.0})


def without_times(votes: list[Vote]) -> list[Vote]:
    return [replace(vote, answered_at="") for vote in votes]


def test_there_is_one_participant_for_each_target_user_and_all_is_answered(experiment: Experiment) -> None:
    told: list[tuple[str, int, int]] = []
    given = simulate.run(experiment, Settings(), report=lambda what, done, total: told.append((what, done, total)))
    assert given == 2 * (2 + 6)
    assert told == [("simulated answers", done, 16) for done in range(1, 17)]
    votes = export.run(experiment)
    assert {(vote.participant, vote.target_user, vote.simulated) for vote in votes} == {(user, user, True) for user in USERS}
    assert len(votes) == len({vote.trial for vote in votes}) == 12


def test_the_exported_file_holds_what_was_shown_and_chosen(experiment: Experiment) -> None:
    simulate.run(experiment, Settings(), report=silent)
    votes = export.run(experiment)
    assert read_votes(experiment.votes) == votes
    known = {stimulus.stimulus: stimulus for stimulus in read_stimuli(experiment.stimuli)}
    for vote in votes:
        left, right = known[vote.left_stimulus], known[vote.right_stimulus]
        assert (vote.prompt, vote.prompt) == (left.prompt, right.prompt)
        assert (vote.left_condition, vote.left_target) == (left.condition, left.target_user)
        assert (vote.right_condition, vote.right_target) == (right.condition, right.target_user)
        assert vote.choice in ("left", "right")
        assert vote.response_ms >= 400
        assert vote.answered_at.endswith("+00:00")


def test_a_decided_taste_wins_every_comparison(tmp_path: Path) -> None:
    experiment = with_tastes(make_experiment(tmp_path / "experiment"), {"own": 60.0, "other": 30.0, None: 0.0})
    decided = Settings(study=StudyTable(simulation=Simulation(lapse=0.0)))
    simulate.run(experiment, decided, report=silent)
    worth = {"own": 2, "other": 1, None: 0}
    for vote in export.run(experiment):
        left, right = (worth["own" if t == vote.participant else "other" if t else None] for t in (vote.left_target, vote.right_target))
        assert vote.choice == ("left" if left > right else "right")


def test_the_share_of_wins_is_the_logistic_of_the_difference() -> None:
    trial = TrialRow(0, "ada", 0, "comparison", "", "a", "b", "", "", "", 1, 1)
    simulation = Simulation(sensitivity=2.0, side_bias=0.0, lapse=0.1)
    wins = [
        simulate.choice(
            replace(trial, step=step), participant="ada", utilities={("ada", "a"): 0.4, ("ada", "b"): 0.0}, simulation=simulation, seed=5
        )
        == "left"
        for step in range(4000)
    ]
    expected = 0.1 * 0.5 + 0.9 / (1 + math.exp(-0.8))
    assert abs(np.mean(wins) - expected) < 4 * math.sqrt(expected * (1 - expected) / 4000)


def test_each_participant_has_a_leaning_of_their_own() -> None:
    trial = TrialRow(0, "ada", 0, "comparison", "", "a", "b", "", "", "", 1, 1)
    names = [f"p{number}" for number in range(60)]
    utilities = {(name, stimulus): 0.0 for name in names for stimulus in "ab"}

    def left_shares(side_bias: float) -> list[float]:
        simulation = Simulation(side_bias=side_bias, lapse=0.0)
        return [
            float(
                np.mean(
                    [
                        simulate.choice(replace(trial, step=k), participant=name, utilities=utilities, simulation=simulation, seed=5)
                        == "left"
                        for k in range(60)
                    ]
                )
            )
            for name in names
        ]

    assert np.std(left_shares(0.0)) < 0.1 < 0.25 < np.std(left_shares(2.0))


def test_an_interrupted_simulation_goes_on_and_ends_the_same(experiment: Experiment, tmp_path: Path) -> None:
    class PowerCutError(Exception):
        pass

    def cut(_what: str, done: int, _total: int) -> None:
        if done in (5, 11):
            raise PowerCutError

    for _ in range(2):
        with pytest.raises(PowerCutError):
            simulate.run(experiment, Settings(), report=cut)
    assert simulate.run(experiment, Settings(), report=silent) == 16 - 11
    assert simulate.run(experiment, Settings(), report=silent) == 0
    whole = with_tastes(make_experiment(tmp_path / "whole"), {"own": 1.0, "other": 0.5, None: 0.0})
    simulate.run(whole, Settings(), report=silent)
    assert without_times(export.run(experiment)) == without_times(export.run(whole))


def test_somebody_without_known_tastes_cannot_be_simulated(experiment: Experiment) -> None:
    with pytest.raises(ExperimentError) as caught:
        simulate.run(experiment, Settings(), report=silent, participants=["ada"])
    assert str(caught.value) == (
        f'{experiment.utilities}: has no utility of participant "ada" for 6 of 6 stimuli, the first being "p1-quokkaleap-lemurqueen". '
        f'Only simulated raters can be simulated participants; if "ada" is one, run `tastebench stimuli steer {experiment.folder}` again'
    )


def test_without_simulated_raters_there_are_no_simulated_participants(experiment: Experiment) -> None:
    experiment.utilities.unlink()
    with pytest.raises(
        ExperimentError, match=r"simulated_utilities.parquet: no such file. Simulated participants answer by the true tastes"
    ):
        simulate.run(experiment, Settings(), report=silent)


def test_a_person_is_not_simulated(experiment: Experiment) -> None:
    session = open_study(experiment, Settings())
    session.consent("walrusking")
    session.database.close()
    with pytest.raises(ExperimentError, match="holds 1 person, and simulated participants are never added to a study that people take"):
        simulate.run(experiment, Settings(), report=silent)


def test_there_is_nothing_to_export_before_the_first_vote(experiment: Experiment) -> None:
    with pytest.raises(ExperimentError, match=r"study.sqlite: no such file; `tastebench study serve .*` makes it"):
        export.run(experiment)
    session = open_study(experiment, Settings())
    session.consent("ada")
    session.database.close()
    with pytest.raises(ExperimentError, match="nobody has answered a comparison yet, so there are no votes to export"):
        export.run(experiment)
