"""Opening a study: it starts from the images and the settings, goes on where it was, and never mixes the answers of two studies."""

import dataclasses
import io
import json
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from session_steps import answer_to, due, enter, finish, step
from study_fixtures import Settings, make_experiment, make_rating_pool

from stimuli.experiment import Experiment, ExperimentError
from stimuli.manifest import Stimulus, read_rating_images, read_stimuli, write_stimuli
from stimuli.provenance import sha256
from stimuli.studyfile import ExperimentTable
from study.config import Question, RatingTable, Recruitment, StudyTable
from study.opening import open_study
from study.reviews import Review, write_reviews
from study.session import Session, open_running
from study.storage.rows import Rows


@dataclass(frozen=True)
class Claim:
    """What the design reads of a claim."""

    a: str
    b: str
    type: str = "greater"


def vote(session: Session, participant: str = "ada") -> None:
    enter(session, participant)
    while step(session, participant).stage == "practice":
        pass


def study_with(**keys: Any) -> Settings:
    return Settings(study=StudyTable(**{"unreviewed": True} | keys))


def review(experiment: Experiment, verdicts: dict[str, str]) -> None:
    """Let somebody have reviewed images, by SHA-256."""
    write_reviews(experiment.reviews, [Review(sha, verdict, "", "eve", "2026-01-01T00:00:00+00:00") for sha, verdict in verdicts.items()])  # type: ignore[arg-type]


def replace_image(experiment: Experiment, number: int, image: Image.Image, **options: object) -> Stimulus:
    """Put another image in place of a stimulus' one, and describe it truly."""
    stimuli = read_stimuli(experiment.stimuli)
    path = experiment.folder / stimuli[number].image
    image.save(path, **options)
    stimuli[number] = dataclasses.replace(stimuli[number], image_sha256=sha256(path))
    write_stimuli(experiment.stimuli, stimuli)
    return stimuli[number]


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    return make_experiment(tmp_path / "experiment")


def test_a_study_goes_on_after_it_was_closed(experiment: Experiment) -> None:
    first = open_study(experiment, Settings())
    vote(first)
    place = first.place("ada")
    first.database.close()
    again = open_study(experiment, Settings())
    assert again.place("ada") == place
    again.database.close()


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        (study_with(question="Which is nicer?"), '"question" in [study]'),
        (study_with(practice=1, min_ms=300), '"practice" in [study] and "min_ms" in [study]'),
        (Settings(experiment=ExperimentTable("Does it work?", seed=8)), '"seed" in [experiment]'),
        (Settings(question=(Question("age", "How old?", type="number"),)), "a [[question]]"),
    ],
)
def test_votes_are_never_mixed_with_those_of_other_settings(experiment: Experiment, changed: Settings, named: str) -> None:
    first = open_study(experiment, Settings())
    vote(first)
    first.database.close()
    with pytest.raises(ExperimentError) as caught:
        open_study(experiment, changed)
    assert str(caught.value) == (
        f"{experiment.database} holds 1 answer given before {named} changed, and answers of two studies are never mixed. Either undo "
        f"the change, or close the old study: `tastebench study export {experiment.folder}`, then move {experiment.database} and "
        "votes.parquet to another place, and run this again"
    )


def test_votes_are_never_mixed_with_those_of_other_images(experiment: Experiment) -> None:
    first = open_study(experiment, Settings())
    vote(first)
    first.database.close()
    replace_image(experiment, 0, Image.new("RGB", (64, 64), "red"))
    with pytest.raises(ExperimentError, match=r"holds 1 answer given before the images \(or which of them the review removed\) changed"):
        open_study(experiment, Settings())


def test_votes_are_never_mixed_with_those_about_other_claims(experiment: Experiment) -> None:
    asked, claim = study_with(pairs="claims"), Claim("zebrafinch", "others")
    first = open_study(experiment, dataclasses.replace(asked, claim=(claim,)))
    vote(first)
    first.database.close()
    open_study(experiment, dataclasses.replace(asked, claim=(claim, claim))).database.close()
    with pytest.raises(ExperimentError, match=r"before the conditions that a \[\[claim\]\] names changed"):
        open_study(experiment, dataclasses.replace(asked, claim=(Claim("own", "zebrafinch"),)))


def test_what_no_answer_depends_on_may_change_while_people_vote(experiment: Experiment) -> None:
    asked = Question("use", "Do you?", when="before", options=("yes", "no"), quota={"yes": 1})
    first = open_study(experiment, dataclasses.replace(study_with(participants=1), question=(asked,)))
    first.consent("ada")
    first.reply("ada", "use", "yes")
    vote(first)
    first.database.close()
    more = study_with(participants=9, hold_minutes=5, recruitment=Recruitment(complete="CODE"), hourly_pay=12.0, currency="EUR")
    again = open_study(experiment, dataclasses.replace(more, question=(dataclasses.replace(asked, quota={"yes": 9}),)))
    again.database.close()
    running = open_running(experiment.database)
    assert running.table == more.study
    assert running.questions[0].quota == {"yes": 9}
    assert running.place("ada").done == 1
    running.database.close()


def test_another_key_would_make_a_second_person_of_whoever_comes_back(experiment: Experiment) -> None:
    panel = study_with(recruitment=Recruitment(by="panel", id_parameter="id"))
    first = open_study(experiment, panel)
    vote(first)
    first.database.close()
    open_study(experiment, panel).database.close()
    experiment.secret.unlink()
    with pytest.raises(ExperimentError, match=r"given before study.key \(it recognises whoever comes back; copy it from the folder"):
        open_study(experiment, panel)
    # By plain links nobody is recognised by it.
    open_study(experiment, Settings()).database.close()


def test_peeking_cannot_be_allowed_once_there_are_votes(experiment: Experiment) -> None:
    first = open_study(experiment, Settings())
    vote(first)
    first.database.close()
    with pytest.raises(ExperimentError, match=r'given before "peeking" in \[study\] changed'):
        open_study(experiment, study_with(peeking=True))


def test_the_words_that_people_have_read_stay_as_they_were(experiment: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    first = open_study(experiment, study_with(thanks="Bye."))
    words = dict(first.texts)
    vote(first)
    first.database.close()
    monkeypatch.setattr("study.opening.laying.texts", lambda language, *, folder: words | {"agree": "Newer words"})  # noqa: ARG005 - as it is called
    again = open_study(experiment, study_with(thanks="Bye."))
    assert (again.texts["agree"], again.texts["thanks"]) == (words["agree"], "Bye.")
    again.database.close()


def test_a_changed_translation_of_the_experimenters_own_is_another_study(experiment: Experiment) -> None:
    shipped = Path(__file__).parents[1] / "study" / "texts" / "en.toml"
    own = experiment.folder / "own.toml"
    own.write_text(shipped.read_text(encoding="utf-8"), encoding="utf-8")
    first = open_study(experiment, study_with(language="own.toml"))
    vote(first)
    first.database.close()
    own.write_text(shipped.read_text(encoding="utf-8").replace('start = "Start"', 'start = "Go"'), encoding="utf-8")
    with pytest.raises(ExperimentError, match=r"before the texts of own.toml changed"):
        open_study(experiment, study_with(language="own.toml"))


def test_a_study_of_version_0_1_goes_on_in_its_own_words(experiment: Experiment) -> None:
    """Version 0.1 had these words among the keys of [study], no catalogue, and no secret."""
    first = open_study(experiment, Settings())
    vote(first)
    with first.database.writing() as rows:
        study = rows.study()
        assert study
        old = {key: study.settings[key] for key in ("seed", "table", "questions")}
        old["table"] |= dict.fromkeys(("question", "consent", "instructions", "thanks"), "Old words")
        rows.set_settings(old)
    first.database.close()
    with pytest.raises(ExperimentError, match="an earlier version made this study; run `tastebench study serve` on its experiment once"):
        open_running(experiment.database)
    for _ in range(2):
        again = open_study(experiment, Settings())
        assert again.texts["question"] == "Old words"
        assert again.place("ada").done == 1
        again.database.close()


def test_before_the_first_vote_a_changed_study_replaces_the_old_one(experiment: Experiment) -> None:
    first = open_study(experiment, Settings())
    first.consent("ada")
    first.database.close()
    again = open_study(experiment, study_with(practice=0))
    assert again.place("ada").stage == "consent"
    vote(again)
    assert again.place("ada").done == 1
    again.database.close()


def test_an_answer_that_comes_while_the_study_is_replaced_is_never_stored_and_then_lost(
    experiment: Experiment, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = open_study(experiment, study_with(practice=0), url=database_url)
    answer = answer_to(due(running, enter(running, "ada")))
    replace, meanwhile = Rows.lay_out, ThreadPoolExecutor(1)
    sent = []

    def slowly(rows: Rows, *laid: Any) -> None:
        sent.append(meanwhile.submit(running.answer, "ada", answer))
        wait(sent, timeout=0.2)
        replace(rows, *laid)

    monkeypatch.setattr(Rows, "lay_out", slowly)
    again = open_study(experiment, study_with(practice=1), url=database_url)
    assert sent[0].result() == "refused"
    assert again.place("ada").stage == "consent"
    for session in (running, again):
        session.database.close()
    meanwhile.shutdown()


def test_a_new_title_changes_nothing_and_is_kept_from_the_study(experiment: Experiment) -> None:
    first = open_study(experiment, Settings())
    vote(first)
    first.database.close()
    open_study(experiment, Settings(experiment=ExperimentTable("Personal beats generic", seed=7))).database.close()
    assert b"Does it work?" not in experiment.database.read_bytes()


def images_served(session: Session) -> dict[str, bytes]:
    """Return what the browser of one participant gets, by stimulus."""
    found: dict[str, bytes] = {}
    enter(session, "ada")
    while (place := session.place("ada")).trial:
        trial = place.trial
        found[trial.left_stimulus] = session.image(trial.left_token) or b""
        found[str(trial.right_stimulus)] = session.image(str(trial.right_token)) or b""
        step(session, "ada")
    return found


def test_images_are_served_with_the_same_pixels_and_nothing_else(experiment: Experiment) -> None:
    stimulus = read_stimuli(experiment.stimuli)[0]
    assert b"secretmetadata" in (experiment.folder / stimulus.image).read_bytes()
    session = open_study(experiment, Settings())
    served = images_served(session)
    for stimulus in read_stimuli(experiment.stimuli):
        content = served[stimulus.stimulus]
        chunks = [
            content[at - 4 : at] for at in range(4, len(content)) if content[at - 4 : at] in (b"tEXt", b"iTXt", b"eXIf", b"tIME", b"iCCP")
        ]
        assert chunks == []
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(content))), np.asarray(Image.open(experiment.folder / stimulus.image)))
    session.database.close()


def test_a_jpeg_with_metadata_is_served_in_the_format_of_all_others(experiment: Experiment) -> None:
    exif = Image.Exif()
    exif[0x010E] = "made with scorer-zebrafinch"
    image = Image.fromarray(np.full((64, 64, 3), 120, dtype=np.uint8))
    stimulus = replace_image(experiment, 0, image, format="JPEG", exif=exif)
    session = open_study(experiment, Settings())
    content = images_served(session)[stimulus.stimulus]
    assert content.startswith(b"\x89PNG")
    assert b"zebrafinch" not in content
    session.database.close()


def test_images_of_a_prompt_that_differ_in_size_are_refused(experiment: Experiment) -> None:
    stimulus = replace_image(experiment, 1, Image.new("RGB", (64, 48)))
    with pytest.raises(ExperimentError) as caught:
        open_study(experiment, Settings())
    first, other = Path(read_stimuli(experiment.stimuli)[0].image).name, Path(stimulus.image).name
    assert str(caught.value) == (
        f'prompt "p1": {first} has 64 x 64 pixels and {other} 64 x 48; all images of a prompt must have one size, '
        "or their size tells how they were made"
    )


def test_an_image_that_is_not_the_described_one_is_refused(experiment: Experiment) -> None:
    path = experiment.folder / read_stimuli(experiment.stimuli)[0].image
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(
        ExperimentError, match=r"not the image that was listed when the images were made; run `tastebench stimuli steer .*` again"
    ):
        open_study(experiment, Settings())


def test_a_transparent_image_is_refused(experiment: Experiment) -> None:
    replace_image(experiment, 0, Image.new("RGBA", (64, 64), (255, 0, 0, 128)))
    with pytest.raises(ExperimentError, match="has transparent parts, which look different on each screen; save it without"):
        open_study(experiment, Settings())


def test_no_image_at_all_is_a_sentence(experiment: Experiment) -> None:
    experiment.stimuli.unlink()
    with pytest.raises(ExperimentError, match=rf"stimuli.parquet: no such file; `tastebench stimuli steer {experiment.folder}` makes it"):
        open_study(experiment, Settings())


def test_a_prompt_with_one_image_is_refused_before_anybody_comes(tmp_path: Path) -> None:
    experiment = make_experiment(tmp_path / "experiment", arms=(("only", None),))
    with pytest.raises(ExperimentError, match="a comparison needs 2"):
        open_study(experiment, Settings())


# --- Review ---


def test_people_are_not_the_first_to_see_an_image(experiment: Experiment) -> None:
    review(experiment, {read_stimuli(experiment.stimuli)[0].image_sha256: "approved"})
    with pytest.raises(ExperimentError) as caught:
        open_study(experiment, study_with(unreviewed=False))
    assert str(caught.value) == (
        "5 of 6 images were not looked at by anybody, and people should not be the first to see them: run "
        f"`tastebench study review {experiment.folder}`, or write unreviewed = true in study.toml"
    )
    assert not experiment.database.exists()
    for ways_in in ({"unreviewed": True}, {"people": False}):
        open_study(experiment, study_with(unreviewed=False), **ways_in).database.close()
    review(experiment, {stimulus.image_sha256: "approved" for stimulus in read_stimuli(experiment.stimuli)})
    open_study(experiment, study_with(unreviewed=False)).database.close()


def test_removed_images_are_shown_to_nobody(experiment: Experiment) -> None:
    removed = read_stimuli(experiment.stimuli)[0]
    review(experiment, {removed.image_sha256: "removed"})
    session = open_study(experiment, Settings())
    assert set(images_served(session)) == {each.stimulus for each in read_stimuli(experiment.stimuli)} - {removed.stimulus}
    session.database.close()


def test_a_prompt_of_which_the_review_leaves_one_image_is_refused(experiment: Experiment) -> None:
    review(experiment, {each.image_sha256: "removed" for each in read_stimuli(experiment.stimuli)[:2]})
    with pytest.raises(ExperimentError) as caught:
        open_study(experiment, Settings())
    assert str(caught.value) == (
        'prompt "p1": the review removed 2 of its 3 images, and a comparison needs 2; make other images (`tastebench stimuli steer`), '
        "take the prompt out of study.toml, or review its images again"
    )


# --- The rating study ---


def test_the_rating_study_has_its_own_database_and_its_own_words(experiment: Experiment) -> None:
    make_rating_pool(experiment)
    comparison = open_study(experiment, Settings())
    vote(comparison)
    rating = open_study(experiment, Settings(rating=RatingTable(unreviewed=True, per_participant=6, thanks="Bye.")), kind="rating")
    assert (rating.kind, rating.texts["thanks"]) == ("rating", "Bye.")
    assert rating.texts["question"] != comparison.texts["question"]
    finish(rating, enter(rating, "ada"))
    assert (experiment.rating_database.exists(), comparison.place("ada").done) == (True, 1)
    for session in (comparison, rating):
        session.database.close()


def test_one_database_holds_one_study(experiment: Experiment, database_url: str) -> None:
    make_rating_pool(experiment)
    open_study(experiment, Settings(), url=database_url).database.close()
    with pytest.raises(
        ExperimentError, match="holds a comparison study, and one database holds one study; give another for the rating study"
    ):
        open_study(experiment, Settings(), url=database_url, kind="rating")


def test_without_images_to_rate_the_rating_study_says_so(experiment: Experiment) -> None:
    with pytest.raises(ExperimentError, match=r"rating_images.parquet: no such file"):
        open_study(experiment, Settings(), kind="rating")
    make_rating_pool(experiment, images=7)
    review(experiment, {each.image_sha256: "removed" for each in read_rating_images(experiment.rating_images)})
    with pytest.raises(ExperimentError, match="the review removed all 7 images, so there is nothing to rate"):
        open_study(experiment, Settings(), kind="rating")


def test_what_the_database_holds_of_the_settings_is_all_that_a_server_needs(experiment: Experiment, database_url: str) -> None:
    asked = (Question("use", "Do you?", when="before", options=("yes", "no"), accept=("yes",), quota={"yes": 3}),)
    settings = dataclasses.replace(study_with(recruitment=Recruitment(by="prolific", complete="CODE", keep=("STUDY_ID",))), question=asked)
    opened = open_study(experiment, settings, url=database_url)
    running = open_running(database_url)
    for name in ("kind", "table", "questions", "texts", "seed", "secret", "contrasts"):
        assert getattr(running, name) == getattr(opened, name), name
    assert (running.table, running.questions) == (settings.study, asked)
    with running.database.reading() as rows:
        study = rows.study()
    assert study
    assert "Does it work?" not in json.dumps(study.settings)
    for session in (opened, running):
        session.database.close()


def test_a_study_in_which_only_target_users_have_something_to_compare_is_open_to_them(experiment: Experiment) -> None:
    personal = dataclasses.replace(study_with(pairs="claims"), claim=(Claim("own", "zebrafinch"),))
    session = open_study(experiment, personal)
    vote(session, "walrusking")
    session.database.close()
    write_stimuli(experiment.stimuli, [dataclasses.replace(each, target_user=None) for each in read_stimuli(experiment.stimuli)])
    with pytest.raises(ExperimentError):
        open_study(experiment, personal, url=experiment.folder / "other.sqlite")
