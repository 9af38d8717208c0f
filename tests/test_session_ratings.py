"""The rating study: one image at a time, in random order or as a chooser says, on a scale from 1 to 5."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from session_steps import answer_to, due, enter, finish, step
from study_fixtures import Settings, make_experiment, make_rating_pool

from stimuli.experiment import Experiment, ExperimentError
from study.config import RatingTable
from study.design.trial import Trial
from study.opening import open_study
from study.session import CHOOSER_VARIABLE, Chooser, Session, open_running
from study.storage import export
from study.storage.erasure import erase


@dataclass
class Recording:
    """A chooser that takes the last image it is offered, and remembers what it was asked."""

    asked: list[tuple[dict[str, float], list[str]]] = field(default_factory=list)

    def __call__(self, rated: Mapping[str, float], candidates: Sequence[str]) -> str:
        self.asked.append((dict(rated), list(candidates)))
        return candidates[-1]


def last_of(folder: Path) -> Chooser:
    """Return a chooser, as a module would that TASTEBENCH_CHOOSER names."""
    assert (folder / "rating_images.parquet").exists()
    return Recording()


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    made = make_experiment(tmp_path_factory.mktemp("ratings") / "experiment")
    make_rating_pool(made, images=12)
    return made


def study_with(experiment: Experiment, url: str | Path, *, chooser: Chooser | None = None, **keys: object) -> Session:
    table = RatingTable(**{"unreviewed": True, "per_participant": 8, "practice": 2} | keys)  # type: ignore[arg-type]
    return open_study(experiment, Settings(rating=table), kind="rating", url=url, chooser=chooser)


def test_images_are_rated_one_at_a_time_after_practice(experiment: Experiment, database_url: str) -> None:
    session = study_with(experiment, database_url, repeats=2, block=5)
    places = finish(session, enter(session, "ada"))
    assert [place.stage for place in places] == ["practice"] * 2 + ["trials"] * 5 + ["break"] + ["trials"] * 5
    trials = [place.trial for place in places if place.trial]
    assert all((trial.right_stimulus, trial.right_token) == (None, None) for trial in trials)
    exported = export.run(experiment, url=database_url, kind="rating")
    session.database.close()
    assert [row.position for row in exported.ratings] == list(range(10))
    assert sum(row.repeat for row in exported.ratings) == 2
    assert len({row.image for row in exported.ratings}) == 8
    assert {(row.rating, row.participant, row.simulated) for row in exported.ratings} == {(3.5, "ada", False)}
    assert {row.prompt for row in exported.ratings} <= {f"Thing number {number}" for number in range(6)}


def test_the_images_of_the_comparison_can_be_rated_without_their_conditions(experiment: Experiment, tmp_path: Path) -> None:
    session = study_with(experiment, tmp_path / "rating.sqlite", images="stimuli", per_participant=6, practice=0)
    finish(session, enter(session, "walrusking"))
    with session.database.reading() as rows:
        assert {row.prompt for row in rows.ratings()} == {"A red boat on a lake", "A <b>bold</b> house & garden"}
        assert {(row.condition, row.target_user) for row in rows.stimuli()} == {("", None)}


@pytest.mark.parametrize("rating", [0.999, 5.001, float("nan"), float("inf"), -3.0, None])
def test_what_is_not_on_the_scale_is_refused(experiment: Experiment, tmp_path: Path, rating: float | None) -> None:
    session = study_with(experiment, tmp_path / "rating.sqlite")
    trial = due(session, enter(session, "ada"))
    assert session.answer("ada", replace(answer_to(trial), rating=rating)) == "refused"
    assert session.answer("ada", replace(answer_to(trial), choice="left")) == "refused"
    for end in (1.0, 5.0):
        assert session.answer("ada", replace(answer_to(due(session, "ada")), rating=end)) == "stored"


def test_an_image_cannot_be_reached_by_the_token_of_the_answer(experiment: Experiment, tmp_path: Path) -> None:
    session = study_with(experiment, tmp_path / "rating.sqlite")
    trial = due(session, enter(session, "ada"))
    assert (session.image(trial.left_token) or b"").startswith(b"\x89PNG")
    assert session.image(trial.token) is None


# --- Active onboarding ---


def test_the_chooser_is_asked_one_trial_ahead_with_all_that_was_rated(experiment: Experiment, tmp_path: Path) -> None:
    chooser = Recording()
    session = study_with(experiment, tmp_path / "rating.sqlite", chooser=chooser, order="active", per_participant=4)
    enter(session, "ada")
    assert chooser.asked == []
    ratings = []
    while place := session.place("ada"):
        assert place.next or place.done + 1 == place.total or place.stage == "thanks"
        if place.trial is None:
            break
        if place.stage == "trials":
            ratings.append(place.trial.left_stimulus)
        session.answer("ada", answer_to(place.trial))
    # The first two are chosen before anything is rated; from then on all but the rating that is just being given is known.
    assert [list(rated) for rated, _ in chooser.asked] == [[], [], ratings[:1], ratings[:2]]
    assert ratings == [candidates[-1] for _, candidates in chooser.asked]
    assert len(set(ratings)) == 4
    assert session.place("ada").stage == "thanks"


def test_repeats_follow_what_was_chosen_and_the_length_is_known_from_the_start(experiment: Experiment, tmp_path: Path) -> None:
    session = study_with(experiment, tmp_path / "rating.sqlite", chooser=Recording(), order="active", repeats=2, block=5)
    places = finish(session, enter(session, "ada"))
    assert {place.total for place in places if place.stage == "trials"} == {10}
    assert [place.done for place in places if place.stage == "break"] == [5]
    shown = [(place.trial.kind, place.trial.left_stimulus) for place in places if place.stage == "trials" and place.trial]
    assert [image for kind, image in shown if kind == "repeat"] == [image for _, image in shown[:2]]


def test_no_image_is_asked_twice_although_two_tabs_choose_at_once(experiment: Experiment, database_url: str) -> None:
    session = study_with(experiment, database_url, order="active", practice=0, chooser=Recording())
    enter(session, "ada")

    def while_another_tab_does(rated: Mapping[str, float], candidates: Sequence[str]) -> str:  # noqa: ARG001 - a chooser's signature
        if len(candidates) < 12:
            return candidates[-1]
        tokens = {"token": "of another tab", "left_token": "of another tab", "right_token": None}
        with session.database.writing() as rows:
            rows.lay_trials("ada", [(Trial("rating", 0, "", candidates[-1]), tokens)])
        return candidates[0]

    replace(session, chooser=while_another_tab_does).place("ada")
    places = finish(session, "ada")
    images = [place.trial.left_stimulus for place in places if place.trial]
    assert len(set(images)) == len(images) == 8
    session.database.close()


def test_nobody_is_chosen_for_who_was_erased_meanwhile(experiment: Experiment, database_url: str) -> None:
    session = study_with(experiment, database_url, order="active", practice=0, chooser=Recording())
    enter(session, "ada")

    def while_they_are_erased(rated: Mapping[str, float], candidates: Sequence[str]) -> str:  # noqa: ARG001 - a chooser's signature
        if session.place("ada").stage == "trials":
            erase(session.database, "ada")
        return candidates[0]

    assert replace(session, chooser=while_they_are_erased).place("ada").stage == "consent"
    session.database.close()


def test_images_from_practice_are_only_offered_when_no_other_is_left(experiment: Experiment, tmp_path: Path) -> None:
    chooser = Recording()
    session = study_with(experiment, tmp_path / "rating.sqlite", chooser=chooser, order="active", per_participant=12)
    places = finish(session, enter(session, "ada"))
    practised = {place.trial.left_stimulus for place in places if place.stage == "practice" and place.trial}
    offers = [set(candidates) for _, candidates in chooser.asked]
    assert all(not offered & practised for offered in offers[:10])
    assert offers[10] == practised


def test_a_reload_or_a_restart_does_not_choose_again(experiment: Experiment, tmp_path: Path) -> None:
    chooser = Recording()
    session = study_with(experiment, tmp_path / "rating.sqlite", chooser=chooser, order="active")
    enter(session, "ada")
    for _ in range(4):
        step(session, "ada")
    before, asked = session.place("ada"), len(chooser.asked)
    again = open_running(tmp_path / "rating.sqlite", chooser=chooser)
    assert again.place("ada") == before == session.place("ada")
    assert len(chooser.asked) == asked
    again.database.close()


def test_a_chooser_that_names_what_it_was_not_offered_is_a_sentence(experiment: Experiment, tmp_path: Path) -> None:
    def elsewhere(rated: Mapping[str, float], candidates: Sequence[str]) -> str:  # noqa: ARG001 - a chooser's signature
        return "elsewhere"

    session = study_with(experiment, tmp_path / "rating.sqlite", chooser=elsewhere, order="active")
    enter(session, "ada")
    with pytest.raises(ExperimentError, match='the chooser of the rating study named "elsewhere", which is none of the 10 images'):
        finish(session, "ada")


def test_the_environment_says_who_chooses(experiment: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study_with(experiment, tmp_path / "rating.sqlite", chooser=Recording(), order="active").database.close()
    monkeypatch.setenv(CHOOSER_VARIABLE, f"{__name__}:last_of")
    session = open_running(tmp_path / "rating.sqlite")
    finish(session, enter(session, "ada"))
    session.database.close()
    monkeypatch.setenv(CHOOSER_VARIABLE, "nowhere:nothing")
    with pytest.raises(ExperimentError, match='TASTEBENCH_CHOOSER is "nowhere:nothing", which is no module:function that can be found'):
        open_running(tmp_path / "rating.sqlite")
    monkeypatch.delenv(CHOOSER_VARIABLE)
    without = open_running(tmp_path / "rating.sqlite")
    step(without, enter(without, "bob"))
    with pytest.raises(ExperimentError, match=r'nothing says what chooses the next image; set TASTEBENCH_CHOOSER="module:function"'):
        without.place("bob")
    without.database.close()
