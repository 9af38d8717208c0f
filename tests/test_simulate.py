"""Simulated participants: through the same session as people, by known tastes, the same again, and marked as what they are."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from study_fixtures import Settings, make_experiment, make_rating_pool, write_known_tastes

from stimuli.experiment import Experiment, ExperimentError
from stimuli.manifest import Utility, read_rating_images, read_stimuli, write_utilities
from study import simulate
from study.config import Question, RatingTable, Simulation, StudyTable
from study.opening import open_study
from study.rated import GivenRating, read_ratings
from study.session import answering
from study.storage import export
from study.storage.records import TrialRow
from study.votes import Vote, read_participants, read_votes

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


def votes_of(experiment: Experiment) -> list[Vote]:
    return list(export.run(experiment, url=experiment.database, kind="comparison").votes)


def ratings_of(experiment: Experiment) -> list[GivenRating]:
    return list(export.run(experiment, url=experiment.rating_database, kind="rating").ratings)


def comparison(**keys: Any) -> Settings:
    return Settings(study=StudyTable(**keys))


def trial_of(participant: str = "ada", step: int = 0, **fields: Any) -> TrialRow:
    trial = TrialRow(0, participant, step, "comparison", 0, "", "a", "b", None, "", "", "", 1, 1)
    return replace(trial, **fields)


def without_times(votes: list[Vote]) -> list[Vote]:
    return [replace(vote, answered_at="") for vote in votes]


def test_there_is_one_participant_for_each_target_user_and_all_is_answered(experiment: Experiment) -> None:
    told: list[tuple[str, int, int]] = []
    given = simulate.run(experiment, Settings(), report=lambda what, done, total: told.append((what, done, total)))
    assert given == 2 * (2 + 6)
    assert told == [("simulated answers", done, 16) for done in range(1, 17)]
    votes = votes_of(experiment)
    assert {(vote.participant, vote.target_user, vote.simulated) for vote in votes} == {(user, user, True) for user in USERS}
    assert len(votes) == len({vote.trial for vote in votes}) == 12


def test_the_exported_file_holds_what_was_shown_and_chosen(experiment: Experiment) -> None:
    simulate.run(experiment, Settings())
    votes = votes_of(experiment)
    assert read_votes(experiment.votes) == sorted(votes, key=lambda vote: (vote.participant, vote.position))
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
    decided = comparison(simulation=Simulation(lapse=0.0))
    simulate.run(experiment, decided)
    worth = {"own": 2, "other": 1, None: 0}
    for vote in votes_of(experiment):
        left, right = (worth["own" if t == vote.participant else "other" if t else None] for t in (vote.left_target, vote.right_target))
        assert vote.choice == ("left" if left > right else "right")


def test_the_share_of_wins_is_the_logistic_of_the_difference() -> None:
    trial = trial_of()
    simulation = Simulation(sensitivity=2.0, side_bias=0.0, lapse=0.1)
    wins = [
        answering.choice(
            replace(trial, step=step), participant="ada", utilities={("ada", "a"): 0.4, ("ada", "b"): 0.0}, simulation=simulation, seed=5
        )
        == "left"
        for step in range(4000)
    ]
    expected = 0.1 * 0.5 + 0.9 / (1 + math.exp(-0.8))
    assert abs(np.mean(wins) - expected) < 4 * math.sqrt(expected * (1 - expected) / 4000)


def test_each_participant_has_a_leaning_of_their_own() -> None:
    trial = trial_of()
    names = [f"p{number}" for number in range(60)]
    utilities = {(name, stimulus): 0.0 for name in names for stimulus in "ab"}

    def left_shares(side_bias: float) -> list[float]:
        simulation = Simulation(side_bias=side_bias, lapse=0.0)
        return [
            float(
                np.mean(
                    [
                        answering.choice(replace(trial, step=k), participant=name, utilities=utilities, simulation=simulation, seed=5)
                        == "left"
                        for k in range(60)
                    ]
                )
            )
            for name in names
        ]

    assert np.std(left_shares(0.0)) < 0.1 < 0.25 < np.std(left_shares(2.0))


# --- Catch trials, ties, questions ---


def test_catch_trials_are_answered_right_but_for_lapses(tmp_path: Path) -> None:
    experiment = with_tastes(make_experiment(tmp_path / "experiment", prompts=8), {"own": 1.0, "other": 0.5, None: 0.0})
    simulate.run(experiment, comparison(catch=6, simulation=Simulation(lapse=0.0)))
    caught = [vote for vote in votes_of(experiment) if vote.kind == "catch"]
    assert len(caught) == 12
    assert all(vote.choice == vote.expected for vote in caught)
    trial, lapsing = trial_of(kind="catch", expected="left"), Simulation(lapse=1.0)
    chosen = [answering.choice(replace(trial, step=k), participant="ada", utilities={}, simulation=lapsing, seed=5) for k in range(400)]
    assert 150 < chosen.count("left") < 250


def test_a_repeat_is_answered_anew(tmp_path: Path) -> None:
    experiment = with_tastes(make_experiment(tmp_path / "experiment", prompts=8), {"own": 0.0, "other": 0.0, None: 0.0})
    simulate.run(experiment, comparison(repeats=12, simulation=Simulation(side_bias=0.0)))
    chosen: dict[tuple[str, frozenset[str]], list[str]] = {}
    for vote in votes_of(experiment):
        winner = vote.left_stimulus if vote.choice == "left" else vote.right_stimulus
        chosen.setdefault((vote.participant, frozenset((vote.left_stimulus, vote.right_stimulus))), []).append(winner)
    twice = [winners for winners in chosen.values() if len(winners) == 2]
    assert len(twice) == 24
    assert 0 < sum(first == second for first, second in twice) < 24


@pytest.mark.parametrize("difference", [0.0, 1.2, -3.0])
def test_ties_are_as_likely_as_davidson_has_them(difference: float) -> None:
    simulation = Simulation(side_bias=0.0, lapse=0.0)
    utilities = {("ada", "a"): difference, ("ada", "b"): 0.0}
    chosen = Counter(
        answering.choice(trial_of(step=k), participant="ada", utilities=utilities, simulation=simulation, seed=5, tie=True)
        for k in range(4000)
    )
    # Davidson 1970 with strengths p and 1 and nu = 0.5.
    strength = math.exp(difference)
    whole = strength + 1 + 0.5 * math.sqrt(strength)
    for side, expected in (("left", strength / whole), ("right", 1 / whole), ("tie", 0.5 * math.sqrt(strength) / whole)):
        assert abs(chosen[side] / 4000 - expected) < 4 * math.sqrt(expected * (1 - expected) / 4000)


def test_without_a_tie_to_choose_nobody_chooses_one(experiment: Experiment) -> None:
    simulate.run(experiment, comparison())
    assert {vote.choice for vote in votes_of(experiment)} == {"left", "right"}


def test_questions_are_replied_to_with_what_is_accepted(experiment: Experiment) -> None:
    asked = (
        Question("use", "Do you?", when="before", options=("no", "yes"), accept=("yes",)),
        Question("age", "How old?", when="before", type="number", least=18, most=98),
        Question("size", "How large?", type="scale", points=7, ends=("small", "large")),
        Question("note", "Anything?", type="text"),
    )
    simulate.run(experiment, replace(comparison(), question=asked))
    votes_of(experiment)
    participants = read_participants(experiment.participants)
    assert {each.status for each in participants} == {"finished"}
    assert {each.replies for each in participants} == {'{"age": "58", "note": "simulated", "size": "4", "use": "yes"}'}


def test_no_more_programs_come_than_there_are_places(experiment: Experiment) -> None:
    assert simulate.run(experiment, comparison(participants=1)) == 8
    votes_of(experiment)
    came = [(each.participant, each.status, each.answered) for each in read_participants(experiment.participants)]
    assert came == [("lemurqueen", "finished", 6)]


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("paused", "is paused, so nobody can take it; open it again first: tastebench study reopen"),
        ("closing", r"lets nobody new in \(it is closing\); open it again first"),
        ("closed", "is closed, so nobody can take it any more"),
    ],
)
def test_nobody_takes_a_study_that_is_not_open(experiment: Experiment, state: Any, told: str) -> None:
    session = open_study(experiment, comparison(), people=False)
    with session.database.writing() as rows:
        rows.set_state(state)
    session.database.close()
    with pytest.raises(ExperimentError, match=f"study.sqlite: the study {told}"):
        simulate.run(experiment, comparison())


# --- Ratings ---


def with_pool_tastes(experiment: Experiment) -> Experiment:
    """Let two raters like the images of the pool the more, the later they come."""
    make_rating_pool(experiment)
    utilities = [
        Utility(user, image.image, float(number))
        for user in USERS
        for number, image in enumerate(read_rating_images(experiment.rating_images))
    ]
    write_utilities(experiment.rating_utilities, utilities)
    return experiment


def test_raters_rate_the_pool_and_like_best_what_they_truly_like(experiment: Experiment) -> None:
    with_pool_tastes(experiment)
    settings = Settings(rating=RatingTable(per_participant=8, practice=1))
    assert simulate.run(experiment, settings, kind="rating") == 2 * 9
    ratings = ratings_of(experiment)
    assert read_ratings(experiment.rated) == sorted(ratings, key=lambda row: (row.participant, row.position))
    assert len(ratings) == 16
    assert all(row.simulated and 1 <= row.rating <= 5 for row in ratings)
    order = np.argsort([row.image for row in ratings], kind="stable")
    given = np.array([row.rating for row in ratings])[order]
    assert np.corrcoef(np.arange(16), given)[0, 1] > 0.7
    assert {each.answered for each in read_participants(experiment.rating_participants)} == {8}


def test_raters_rate_the_images_of_the_comparison(experiment: Experiment) -> None:
    settings = Settings(rating=RatingTable(per_participant=6, images="stimuli"))
    assert simulate.run(experiment, settings, kind="rating") == 2 * 8
    assert {row.image for row in ratings_of(experiment)} == {stimulus.stimulus for stimulus in read_stimuli(experiment.stimuli)}


def test_a_rating_is_a_monotone_map_of_liking_and_a_lapse_is_anything() -> None:
    tastes = answering.Tastes({("ada", image): liking for image, liking in zip("abc", (-2.0, 0.0, 2.0), strict=True)}, ("ada",))

    def mean(image: str, lapse: float = 0.0) -> float:
        given = [
            answering.rating(trial_of(step=k, left_stimulus=image), tastes=tastes, images="abc", simulation=Simulation(lapse=lapse), seed=5)
            for k in range(300)
        ]
        assert all(1 <= rating <= 5 for rating in given)
        return float(np.mean(given))

    assert mean("a") < mean("b") - 0.3 < mean("c") - 0.6
    assert abs(mean("b") - 3) < 0.1
    assert abs(mean("c", lapse=1.0) - 3) < 0.3


def test_active_onboarding_is_simulated_with_the_chooser_that_is_passed_in(experiment: Experiment) -> None:
    def first(rated: Mapping[str, float], candidates: Sequence[str]) -> str:  # noqa: ARG001 - a chooser's signature
        return candidates[0]

    settings = Settings(rating=RatingTable(per_participant=3, images="stimuli", order="active", practice=0))
    assert simulate.run(experiment, settings, kind="rating", chooser=first) == 2 * 3
    images = sorted(stimulus.stimulus for stimulus in read_stimuli(experiment.stimuli))[:3]
    assert [row.image for row in ratings_of(experiment)] == images * 2


def test_without_known_tastes_of_the_pool_nobody_rates_it(experiment: Experiment) -> None:
    make_rating_pool(experiment)
    with pytest.raises(ExperimentError, match=r"rating_utilities.parquet: no such file. .*tastebench study serve --rating"):
        simulate.run(experiment, Settings(), kind="rating")


# --- Going on, and what is refused ---


def test_an_interrupted_simulation_goes_on_and_ends_the_same(experiment: Experiment, tmp_path: Path) -> None:
    class PowerCutError(Exception):
        pass

    def cut(_what: str, done: int, _total: int) -> None:
        if done in (5, 11):
            raise PowerCutError

    for _ in range(2):
        with pytest.raises(PowerCutError):
            simulate.run(experiment, Settings(), report=cut)
    assert simulate.run(experiment, Settings()) == 16 - 11
    assert simulate.run(experiment, Settings()) == 0
    whole = with_tastes(make_experiment(tmp_path / "whole"), {"own": 1.0, "other": 0.5, None: 0.0})
    simulate.run(whole, Settings())
    assert without_times(votes_of(experiment)) == without_times(votes_of(whole))


def test_somebody_without_known_tastes_cannot_be_simulated(experiment: Experiment) -> None:
    with pytest.raises(ExperimentError) as caught:
        simulate.run(experiment, Settings(), participants=["ada"])
    assert str(caught.value) == (
        'the true tastes of participant "ada" are not known for 6 of 6 images, the first being "p1-quokkaleap-lemurqueen". '
        f'Only simulated raters can be simulated participants; if "ada" is one, run `tastebench stimuli steer {experiment.folder}` again'
    )


def test_without_simulated_raters_there_are_no_simulated_participants(experiment: Experiment) -> None:
    experiment.utilities.unlink()
    with pytest.raises(
        ExperimentError, match=r"simulated_utilities.parquet: no such file. Simulated participants answer by the true tastes"
    ):
        simulate.run(experiment, Settings())


def test_a_person_is_not_simulated(experiment: Experiment) -> None:
    session = open_study(experiment, Settings())
    session.consent("walrusking")
    session.database.close()
    with pytest.raises(ExperimentError, match="holds 1 person, and simulated participants are never added to a study that people take"):
        simulate.run(experiment, Settings())


def test_there_is_nothing_to_export_before_the_first_vote(experiment: Experiment) -> None:
    with pytest.raises(ExperimentError, match=r"study.sqlite: no such file; `tastebench study serve .*` makes it"):
        votes_of(experiment)
    session = open_study(experiment, Settings())
    session.consent("ada")
    session.database.close()
    with pytest.raises(ExperimentError, match="nobody has answered a comparison yet, so there is nothing to export"):
        votes_of(experiment)
