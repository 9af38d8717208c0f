"""The plan before launch: what it counts is what the schedules hold, and what it prints is enough to decide on."""

import csv
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from designs_made import SEEDS, comparisons, complete, schedule
from hypothesis import given, settings
from hypothesis import strategies as some
from study_fixtures import Settings, make_experiment
from typer.testing import CliRunner, Result

from stimuli.experiment import Experiment, ExperimentError
from stimuli.manifest import RatingImage, read_stimuli, write_rating_images
from study.config import RatingTable, Recruitment, StudyTable
from study.design.commands import app
from study.design.plan import Plan, plan_comparison, plan_rating, price
from study.design.schedule import schedule_for
from study.recruitment.arrivals import pseudonym
from study.reviews import Review, write_reviews


def planned(participants: int | None = None, *, targets: int = 3, **table: Any) -> Plan:
    return plan_comparison(complete(4, 2, targets), seed=1, table=StudyTable(**table), contrasts=None, participants=participants)


def pair(one: str, other: str) -> frozenset[str]:
    return frozenset((one, other))


# --- What it counts ---


@given(SEEDS, some.integers(1, 9), some.sampled_from(["all", "informative", "incomplete"]), some.sampled_from(["all", "one"]))
@settings(max_examples=40)
def test_coverage_and_sides_count_every_comparison_of_every_participant(seed: int, people: int, pairs: str, others: str) -> None:
    stimuli = complete(3, 2, 3)
    table = StudyTable(pairs=pairs, per_participant=5 if pairs == "incomplete" else None, others=others, catch=1)  # type: ignore[arg-type]
    plan = plan_comparison(stimuli, seed=seed, table=table, contrasts=None, participants=people)
    votes = sum(len(comparisons(schedule(seat.slot, stimuli, seed=seed, table=table, target_user=seat.target_user))) for seat in plan.seats)
    assert sum(plan.coverage.values()) == votes
    assert sum(side.left for side in plan.sides) == sum(side.right for side in plan.sides) == votes


def test_own_and_others_are_told_apart_for_target_users_only() -> None:
    plan = planned(5)
    assert [seat.target_user for seat in plan.seats] == ["u0", "u1", "u2", None, None]
    # Three target users have 4 prompts x 2 others; the other two have 4 x 3 pairs of others, the target users 4 x 1.
    assert plan.coverage[pair("own", "others")] == 3 * 4 * 2
    assert plan.coverage[frozenset(("others",))] == 3 * 4 + 2 * 12
    assert plan.names == ("own", "others", "c0", "c1")


def test_without_a_number_the_plan_is_for_the_places_else_the_target_users_else_ten() -> None:
    assert len(planned(7).seats) == 7
    assert len(plan_comparison(complete(1, 2, 3), seed=1, table=StudyTable(participants=8), contrasts=None, participants=None).seats) == 8
    assert len(planned().seats) == 3
    assert len(planned(targets=0).seats) == 10


def test_each_choice_of_pairs_is_priced_beside_the_others() -> None:
    stimuli = complete(18, 3, 6)
    table = StudyTable(practice=2, hourly_pay=9.0, seconds_per_trial=5.0)
    plan = plan_comparison(stimuli, seed=1, table=table, contrasts=frozenset({pair("own", "others")}), participants=6)
    found = {mode.pairs: mode for mode in plan.modes}
    assert {name: mode.votes for name, mode in found.items()} == {"all": 6 * 648, "informative": 6 * 468, "claims": 6 * 90}
    assert found["informative"].each == (468, 468)
    whole = found["claims"].all
    assert whole is not None and whole.minutes == pytest.approx(6 * 92 * 5 / 60) and whole.pay == pytest.approx(6 * 92 * 5 / 3600 * 9)


def test_a_choice_that_cannot_be_says_why_and_does_not_stop_the_plan() -> None:
    [claims] = [mode for mode in planned().modes if mode.pairs == "claims"]
    assert claims.each is None
    assert "no [[claim]] compares two conditions" in claims.why_not


def test_the_plan_says_how_many_pairs_nobody_is_asked() -> None:
    few = plan_comparison(
        complete(4, 5, 0), seed=1, table=StudyTable(pairs="incomplete", per_participant=10), contrasts=None, participants=3
    ).pairs
    assert (few.asked, few.possible, few.least, few.most) == (30, 40, 0, 1)


def test_minutes_and_pay_follow_from_the_trials() -> None:
    assert price(120, StudyTable(seconds_per_trial=6.0, hourly_pay=10.0)).minutes == pytest.approx(12)
    assert price(120, StudyTable(seconds_per_trial=6.0, hourly_pay=10.0)).pay == pytest.approx(2)
    assert price(120, StudyTable()).pay is None


def test_a_rating_plan_counts_how_often_each_image_is_rated() -> None:
    images = [(f"i{number}", "p") for number in range(20)]
    plan = plan_rating(images, seed=1, table=RatingTable(per_participant=15, repeats=3), participants=5)
    assert (plan.images.asked, plan.images.least, plan.images.most) == (20, 3, 4)
    assert Counter(trial.kind for trial in plan.seats[0].trials) == {"practice": 2, "rating": 15, "repeat": 3}


# --- What it remarks ---


def test_it_says_that_people_for_whom_nothing_was_made_have_no_own_images() -> None:
    assert any(note.startswith("2 of 5 participants are no target users: nothing was made for them") for note in planned(5).notes)
    assert not any("no target users" in note for note in planned(3).notes)
    assert any(note == "There are 3 target users and only 2 participants." for note in planned(2).notes)


def test_it_plans_nobody_as_a_target_user_whom_the_panel_hides_behind_a_pseudonym() -> None:
    panel = Recruitment(by="panel", id_parameter="id")
    hidden = planned(4, recruitment=panel)
    assert [seat.target_user for seat in hidden.seats] == [None] * 4
    assert any(note.startswith('Nobody can take part as u0, u1, u2: by = "panel" turns') for note in hidden.notes)
    known = pseudonym("somebody", secret=b"secret")
    stimuli = [replace(each, target_user=known if each.target_user == "u0" else each.target_user) for each in complete(4, 2, 3)]
    plan = plan_comparison(stimuli, seed=1, table=StudyTable(recruitment=panel), contrasts=None, participants=2)
    assert [seat.target_user for seat in plan.seats] == [known, None]
    assert planned(4, recruitment=Recruitment(by="invitation")).seats[0].target_user == "u0"


def test_it_says_when_one_scale_cannot_hold_what_is_compared() -> None:
    contrasts = frozenset({pair("own", "others"), pair("c0", "c1")})
    plan = plan_comparison(complete(2, 2, 2), seed=1, table=StudyTable(pairs="claims"), contrasts=contrasts, participants=2)
    expected = "These groups are never compared with each other, so that one scale cannot hold them all: c0, c1; own, others."
    assert expected in plan.notes


def test_it_says_who_has_no_twin() -> None:
    assert any("leaves the last without a twin" in note for note in planned(3).notes)
    assert not any("twin" in note for note in planned(4).notes)


def test_it_says_after_how_many_people_an_incomplete_design_has_even_sides() -> None:
    table = StudyTable(pairs="incomplete", per_participant=9)
    plan = plan_comparison(complete(4, 5, 0), seed=1, table=table, contrasts=None, participants=10)
    assert plan.notes == ("Each pair of images is on both sides equally often after 80 participants; with per_participant = 8, after 10.",)
    table = StudyTable(pairs="incomplete", per_participant=8)
    assert plan_comparison(complete(4, 5, 0), seed=1, table=table, contrasts=None, participants=10).notes == ()


def test_it_says_what_personal_match_lacks_among_informative_pairs() -> None:
    contrasts = frozenset({frozenset(("others",)), pair("own", "others")})
    plan = plan_comparison(complete(2, 2, 2), seed=1, table=StudyTable(pairs="informative"), contrasts=contrasts, participants=2)
    assert any(note.startswith("A claim of personal match also compares images made for others") for note in plan.notes)


# --- The command ---


def run(folder: Path, *arguments: str, study: StudyTable | None = None, rating: RatingTable | None = None) -> Result:
    chosen = Settings(study=study or StudyTable(), rating=rating or RatingTable())
    return CliRunner().invoke(app, [str(folder), *arguments], obj=lambda given: (Experiment(given), chosen))


def test_the_plan_is_printed(tmp_path: Path) -> None:
    experiment = make_experiment(tmp_path / "x", prompts=2)
    shown = run(experiment.folder, "--participants", "4", study=StudyTable(hourly_pay=12.0, catch=1, seconds_per_trial=10.0))
    assert shown.exit_code == 0, shown.output
    told = " ".join(shown.output.split())
    for part in (
        "comparisons 6 6",
        "catch trials 1 1",
        "trials in all 9 9",
        "4 participants, 2 of them target users: 24 votes in 6 minutes of answering, 1.20 GBP at 12.00 an hour.",
        "all 6 1.5 24 1.20 GBP ← this study",
        "informative 4 to 6 1.5 20 1.07 GBP",
        "claims – – – –",
        "own · 4 4",
        "others 4 12",
        "6 of 6 pairs of images are asked, 4 times each.",
        "zebrafinch 8 8 0",
        "planned_votes = 20 4 participants, together 20 comparisons that are scored. Not among them: 4 of two images of others;",
        "So it is less than the 24 votes above. The line goes into [analysis] of study.toml, before the lock.",
        f"Next: tastebench study review {experiment.folder}",
    ):
        assert part in told, f"{part}\n\n{shown.output}"
    assert not experiment.database.exists()


def test_the_schedule_of_one_place_is_the_one_that_its_participant_gets(tmp_path: Path) -> None:
    experiment = make_experiment(tmp_path / "x", prompts=2)
    told = " ".join(run(experiment.folder, "--participants", "4", "--schedule", "1").output.split())
    assert "The schedule of place 1, for target user walrusking" in told
    stimuli = read_stimuli(experiment.stimuli)
    first = schedule_for(1, stimuli, seed=7, table=StudyTable(), contrasts=None, target_user="walrusking")[2]
    names = {None: "zebrafinch", "walrusking": "own", "lemurqueen": "others (lemurqueen)"}
    left, right = ({each.stimulus: names[each.target_user] for each in stimuli}[str(side)] for side in (first.left, first.right))
    assert f"3 1 comparison {first.prompt} {left} {right}" in told


def test_a_place_outside_of_the_plan_is_refused(tmp_path: Path) -> None:
    result = run(make_experiment(tmp_path / "x").folder, "--participants", "4", "--schedule", "4")
    assert isinstance(result.exception, ExperimentError)
    assert str(result.exception) == "--schedule 4: the plan has 4 places, 0 to 3; give one of them, or more --participants"


def test_all_schedules_can_be_written(tmp_path: Path) -> None:
    experiment = make_experiment(tmp_path / "x", prompts=2)
    out = tmp_path / "all.csv"
    assert run(experiment.folder, "--participants", "3", "--csv", str(out), study=StudyTable(catch=1)).exit_code == 0
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    assert Counter(row["slot"] for row in rows) == {"0": 9, "1": 9, "2": 9}
    assert {row["left_name"] for row in rows if row["slot"] == "2"} == {"zebrafinch", "others"}
    assert {row["expected"] for row in rows if row["kind"] == "catch"} <= {"left", "right"}


def test_images_that_the_review_removed_are_not_planned(tmp_path: Path) -> None:
    experiment = make_experiment(tmp_path / "x", prompts=2)
    gone = read_stimuli(experiment.stimuli)[0].image_sha256
    write_reviews(experiment.reviews, [Review(gone, "removed", "broken", "me", "2026-01-01T00:00:00+00:00")])
    assert "4 of 4 pairs of images are asked" in run(experiment.folder).output


def test_without_stimuli_the_plan_says_what_makes_them(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert str(result.exception) == f"{tmp_path / 'stimuli.parquet'}: no such file; `tastebench stimuli steer {tmp_path}` makes it"


def test_the_rating_study_has_a_plan_too(tmp_path: Path) -> None:
    write_rating_images(tmp_path / "rating_images.parquet", [RatingImage(f"i{n}", f"p{n % 3}", f"{n}.png", f"sha{n}") for n in range(12)])
    table = RatingTable(per_participant=6, repeats=1, practice=1, participants=4)
    told = " ".join(run(tmp_path, "--rating", "--schedule", "0", rating=table).output.split())
    assert "The rating study" in told
    assert "ratings 6" in told and "repeats 1" in told
    assert "12 of 12 images are rated, by 2 people each." in told
    assert "The schedule of place 0" in told and "– practice" in told


def test_the_rating_study_of_the_stimuli_takes_those(tmp_path: Path) -> None:
    experiment = make_experiment(tmp_path / "x", prompts=2)
    told = run(experiment.folder, "--rating", rating=RatingTable(images="stimuli", per_participant=3, participants=2)).output
    assert "6 of 6 images are rated" in told
