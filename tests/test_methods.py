"""The methods and the checklist: nothing is told that was not recorded, and what was not is NOT REPORTED with a remedy."""

import dataclasses
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from finished_study import Made, finished

from analysis.results import TieModel, read_results, write_results
from reports.checklist import checklist
from reports.material import gather
from reports.methods import Fact, Paragraph, as_markdown, methods, source_table
from reports.methods.given import names_in_results
from reports.settings import ReportTable
from stimuli.experiment import Experiment
from stimuli.manifest import PartUsed, read_record, write_record
from study.catalogue import texts
from study.votes import read_votes, write_votes
from tastebench import StudyToml, settle

QUESTION = "Which <b>one</b> would you hang up?"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    return finished(tmp_path_factory.mktemp("study") / "here", Made(question=QUESTION))


@pytest.fixture
def study(made: Experiment, tmp_path: Path) -> Experiment:
    """A copy that a test may change."""
    shutil.copytree(made.folder, tmp_path / "copy")
    return Experiment(tmp_path / "copy")


def told(experiment: Experiment, settings: StudyToml | None = None) -> str:
    return " ".join(one.words for one in methods(gather(experiment), settings or settle(experiment.folder)[1]))


def items(experiment: Experiment, report: ReportTable | None = None) -> dict[str, str]:
    settings = dataclasses.replace(settle(experiment.folder)[1], report=report or ReportTable())
    return {item.asked: item.told for item in checklist(gather(experiment), settings)}


def test_the_methods_hold_the_exact_question_and_counts_of_the_files(made: Experiment) -> None:
    words, votes = told(made), read_votes(made.votes)
    assert f"“{QUESTION}”" in words
    assert f"{len({vote.participant for vote in votes})} participants took part, all of them people" in words
    assert f"{len(votes):,} comparisons, 0 repeats with sides swapped and 0 catch trials" in words
    assert "came through Prolific" in words
    assert "participants with fewer than 5 votes excluded" in words
    assert "locked at 2026-03-01T00:00:00+00:00" in words
    assert "P-values are corrected by Holm’s rule within each family of claims: 2 claims in the family “main”" in words
    assert "a jackknife that leaves out one participant at a time" in words


def test_each_sentence_names_where_it_was_read(made: Experiment) -> None:
    paragraphs = methods(gather(made), settle(made.folder)[1])
    table = source_table(paragraphs)
    assert [one.heading for one in paragraphs] == ["Materials", "Participants", "Procedure", "Analysis"]
    assert len(table.rows) == sum(len(one.facts) for one in paragraphs)
    assert all(source and str(sentence).endswith((".", "”", ".”", "?")) for _, sentence, source in table.rows)


def test_without_study_toml_nothing_is_told_of_how_people_were_asked(made: Experiment) -> None:
    words = " ".join(one.words for one in methods(gather(made), None))
    assert "question that was asked is NOT REPORTED" in words
    assert "Exclusion rules are NOT REPORTED" in words
    assert not any(phrase in words for phrase in (QUESTION, "Prolific", "practice", "tested at level", "proposed"))


def test_versions_of_real_parts_are_told_and_missing_ones_are_not_reported(study: Experiment) -> None:
    record = read_record(study.stimuli_record)
    write_record(study.stimuli_record, replace(record, stand_ins=()))
    assert "sketch (version of its weights NOT REPORTED)" in told(study)
    used = (PartUsed("generator", "sketch", "some/painter@1234"), PartUsed("scorer", "hpsv3", "MizzenAI/HPSv3@abcd 1"))
    write_record(study.stimuli_record, replace(record, stand_ins=(), parts=used))
    words = told(study)
    assert "sketch (version some/painter@1234)" in words
    assert "hpsv3 (scorer): MizzenAI/HPSv3@abcd 1" in words


def test_a_stage_that_is_missing_is_not_told_of(study: Experiment) -> None:
    for path in (study.steps, study.candidates, study.rescored, study.votes, study.participants):
        path.unlink(missing_ok=True)
    words = told(study)
    assert not any(phrase in words for phrase in ("chains took", "fresh seed", "without metadata", "Answers came by", "opened the study"))
    study.results.unlink()
    study.stimuli.unlink()
    assert [one.heading for one in methods(gather(study), settle(study.folder)[1])] == ["Procedure"]
    assert not methods(gather(study), None)


def test_programs_are_never_told_of_as_people(study: Experiment) -> None:
    results = read_results(study.results)
    write_votes(study.votes, [replace(vote, simulated=True) for vote in read_votes(study.votes)])
    write_results(study.results, replace(results, counts=replace(results.counts, simulated_participants=results.counts.participants)))
    words = told(study)
    assert "were simulated: programs that answer by known tastes, and no people" in words
    assert "The participants were programs, which see no page" in words
    assert "Prolific" not in words
    assert "all of them people" not in words


def test_a_lock_is_told_only_where_there_is_one(study: Experiment) -> None:
    study.lock.unlink()
    assert "were locked" not in told(study)
    assert items(study)["Claims written before the votes"].startswith(
        "NOT REPORTED. Write [[claim]] in study.toml and run tastebench study lock"
    )


def test_before_the_votes_claims_are_told_as_waiting(study: Experiment) -> None:
    study.results.unlink()
    study.votes.unlink()
    found = items(study)
    assert found["Claims written before the votes"].startswith("2 claims locked at 2026-03-01T00:00:00+00:00 (SHA-256 ")
    assert found["Claims written before the votes"].endswith("no vote is analysed yet.")
    assert found["Multiplicity"].startswith("2 claims in the family “main”; p-values will be corrected by Holm’s rule")
    study.lock.unlink()
    assert items(study)["Claims written before the votes"] == ("NOT REPORTED. Run tastebench study lock FOLDER before the first vote.")


def test_the_methods_tell_how_orders_levels_and_fragility_are_found(made: Experiment) -> None:
    words = told(made)
    claims = read_results(made.results).claims
    assert ("an order is tested by its weakest step" in words) == any(one.evidence["type"] == "order" for one in claims)
    levels = {f"{100 * step['adjusted_level']:.4g}\N{NO-BREAK SPACE}%" for one in claims for step in one.evidence["steps"]}
    told_levels = next(part for part in words.split(". ") if part.startswith("Corrected intervals stand at the level"))
    assert levels and all(level in told_levels for level in levels)
    assert "Each verdict was found again without each participant and each prompt in turn" in words
    assert "Intervals of differences (95\N{NO-BREAK SPACE}%) come from a jackknife" in words
    assert "estimated by the EM algorithm" in words


def test_ties_and_missing_claims_are_told_in_the_methods(study: Experiment) -> None:
    results = read_results(study.results)
    assert "odds of 10 to 1):" in told(study)
    ties = dataclasses.replace(results, tie_models=(TieModel("Davidson (1970)", 0.3, None, 0.0),), claims=())
    write_results(study.results, ties)
    words = told(study)
    assert "odds of 10 to 1 among the votes that are no tie):" in words
    assert "No claim is recorded, so there is no verdict" in words
    assert "Verdicts and differences" not in words


def test_words_of_a_language_of_ones_own_that_is_gone_are_not_made_up(study: Experiment) -> None:
    settings = settle(study.folder)[1]
    settings = dataclasses.replace(settings, study=dataclasses.replace(settings.study, question=None, language="gone.toml"))
    words = told(study, settings)
    assert "the question is NOT REPORTED" in words
    assert "The instruction was" not in words


def test_the_question_of_the_catalogue_is_told_where_the_study_has_none_of_its_own(study: Experiment) -> None:
    settings = settle(study.folder)[1]
    settings = dataclasses.replace(settings, study=dataclasses.replace(settings.study, question=None, language="de"))
    assert f"“{texts('de', folder=study.folder)['comparison_question']}”" in told(study, settings)


def test_edited_settings_are_said_to_be_edited(study: Experiment) -> None:
    assert "was edited after the images were made" not in told(study)
    record = study.stimuli_record.read_text(encoding="utf-8")
    study.stimuli_record.write_text(record.replace('"seed"', '"settings_sha256": "0000", "seed"', 1), encoding="utf-8")
    assert "study.toml was edited after the images were made" in told(study)


REPORTED = ("registration", "deviations", "recruitment", "pay", "ethics", "data")


def test_what_only_researchers_know_is_not_reported_until_they_write_it(made: Experiment) -> None:
    before = items(made)
    absent = [asked for asked, words in before.items() if words.startswith("NOT REPORTED")]
    for asked in ("Registration", "Deviations from the registration", "Recruitment", "Pay", "Ethics", "Data availability"):
        assert asked in absent
        assert "[report]" in before[asked]
    after = items(made, ReportTable(**{key: f"told of {key}" for key in REPORTED}))
    for asked, key in zip(
        ("Registration", "Deviations from the registration", "Recruitment", "Pay", "Ethics", "Data availability"), REPORTED, strict=True
    ):
        assert after[asked] == f"told of {key}."


def test_every_item_without_a_record_says_how_to_make_one(study: Experiment) -> None:
    for path in (study.results, study.votes, study.stimuli, study.stimuli_record, study.participants, study.reviews, study.lock):
        path.unlink(missing_ok=True)
    found = checklist(gather(study), None)
    assert all(item.found is None for item in found), [item.asked for item in found if item.found]
    assert all(item.told.startswith("NOT REPORTED. ") and len(item.remedy) > 20 for item in found)


def test_the_flow_counts_as_reported_only_with_everybody_who_came(study: Experiment) -> None:
    assert "opened the study" in items(study)["Participants at every stage"]
    study.participants.unlink()
    assert items(study)["Participants at every stage"].startswith("NOT REPORTED")


def test_report_is_a_table_of_study_toml_whose_misspelt_keys_are_found(study: Experiment) -> None:
    text = study.settings.read_text(encoding="utf-8")
    study.settings.write_text(f'{text}\n[report]\nregistration = "https://osf.io/abcde"\n', encoding="utf-8")
    assert settle(study.folder)[1].report.registration == "https://osf.io/abcde"
    study.settings.write_text(f'{text}\n[report]\nregistraton = "https://osf.io/abcde"\n', encoding="utf-8")
    with pytest.raises(Exception, match='did you mean "registration"'):
        settle(study.folder)


def test_names_stand_in_markdown_as_they_are() -> None:
    written = as_markdown((Paragraph("People", (Fact("a_b *c* <i>d</i>", "votes.parquet"),)),)).decode()
    assert r"a\_b \*c\* \<i\>d\</i\>" in written


def test_conditions_of_the_materials_are_tied_to_those_of_the_results(study: Experiment) -> None:
    told_now = told(study)
    assert "in 3 conditions: initial, crisp and personal" in told_now
    called = "“own” where they were made for the participant and “others” where they were made for somebody else"
    assert f"The results call images of personal {called}, so that 4 conditions are compared." in told_now
    study.results.unlink()
    assert "The results call" not in told(study)


def test_the_scope_on_the_checklist_says_that_images_are_fixed(made: Experiment) -> None:
    told_of_scope = items(made)["Estimand and scope"]
    assert "Other participants are new raters of these images, and each comes with images of their own" in told_of_scope
    assert "Images of personal were made for these 6 target users" in told_of_scope


def test_two_personal_conditions_have_two_pairs_of_names(made: Experiment) -> None:
    material = gather(made)
    assert material.results
    twins = tuple(replace(row, condition="other-model") for row in material.stimuli if row.target_user)
    names = ("own (personal)", "others (personal)", "own (other-model)", "initial")
    scores = tuple(replace(material.results.scores[0], condition=name) for name in names)
    both = replace(material, stimuli=(*material.stimuli, *twins), results=replace(material.results, scores=scores))
    assert names_in_results(both) == (
        "The results call images of personal “own (personal)” where they were made for the participant and “others (personal)” where they "
        "were made for somebody else, so that 4 conditions are compared. Images of other-model are called “own (other-model)” where they "
        "were made for the participant."
    )
