"""Opening a study: it starts from the stimuli and [study], goes on where it was, and never mixes the votes of two studies."""

import dataclasses
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from study_fixtures import Settings, make_experiment

from stimuli.experiment import Experiment, ExperimentError
from stimuli.manifest import Stimulus, read_stimuli, write_stimuli
from stimuli.provenance import sha256
from stimuli.studyfile import ExperimentTable
from study.config import StudyTable
from study.opening import open_study
from study.session import Session
from study.tables import Answer


def vote(session: Session, participant: str = "ada") -> None:
    session.consent(participant)
    session.begin(participant)
    while (place := session.place(participant)).trial and place.stage == "practice":
        session.answer(participant, Answer(place.trial.token, "left", 900.0, "mouse"))
    assert place.trial
    session.answer(participant, Answer(place.trial.token, "left", 900.0, "mouse"))


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
        (Settings(study=StudyTable(question="Which is nicer?")), '"question" in [study]'),
        (Settings(study=StudyTable(practice=1, min_ms=300)), '"practice" in [study] and "min_ms" in [study]'),
        (Settings(experiment=ExperimentTable("Does it work?", seed=8)), '"seed" in [experiment]'),
    ],
)
def test_votes_are_never_mixed_with_those_of_other_settings(experiment: Experiment, changed: Settings, named: str) -> None:
    first = open_study(experiment, Settings())
    vote(first)
    first.database.close()
    with pytest.raises(ExperimentError) as caught:
        open_study(experiment, changed)
    assert str(caught.value) == (
        f"{experiment.database} holds 1 votes given before {named} changed, and votes of two studies are never mixed. Either undo "
        f"the change, or close the old study: `tastebench study export {experiment.folder}`, then move study.sqlite and votes.parquet "
        "to another place, and run this again"
    )


def test_votes_are_never_mixed_with_those_of_other_stimuli(experiment: Experiment) -> None:
    first = open_study(experiment, Settings())
    vote(first)
    first.database.close()
    replace_image(experiment, 0, Image.new("RGB", (64, 64), "red"))
    with pytest.raises(ExperimentError, match="holds 1 votes given before the stimuli changed"):
        open_study(experiment, Settings())


def test_before_the_first_vote_a_changed_study_replaces_the_old_one(experiment: Experiment) -> None:
    first = open_study(experiment, Settings())
    first.consent("ada")
    first.database.close()
    again = open_study(experiment, Settings(study=StudyTable(practice=0)))
    assert again.place("ada").stage == "consent"
    vote(again)
    assert again.place("ada").done == 1
    again.database.close()


def test_a_new_title_changes_nothing_and_is_kept_from_the_study(experiment: Experiment) -> None:
    first = open_study(experiment, Settings())
    vote(first)
    first.database.close()
    open_study(experiment, Settings(experiment=ExperimentTable("Personal beats generic", seed=7))).database.close()
    assert b"Does it work?" not in experiment.database.read_bytes()


def test_images_are_served_with_the_same_pixels_and_nothing_else(experiment: Experiment) -> None:
    stimulus = read_stimuli(experiment.stimuli)[0]
    assert b"secretmetadata" in (experiment.folder / stimulus.image).read_bytes()
    session = open_study(experiment, Settings())
    session.consent("ada")
    with session.database.reading() as rows:
        trials = rows.waiting("ada", limit=99)
    served = {
        name: session.image(token)
        for trial in trials
        for name, token in ((trial.left_stimulus, trial.left_token), (trial.right_stimulus, trial.right_token))
    }
    for stimulus in read_stimuli(experiment.stimuli):
        content = served[stimulus.stimulus]
        assert content is not None
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
    session.consent("ada")
    with session.database.reading() as rows:
        trial = next(trial for trial in rows.waiting("ada", limit=99) if trial.left_stimulus == stimulus.stimulus)
    content = session.image(trial.left_token)
    assert content is not None
    assert content.startswith(b"\x89PNG")
    assert b"zebrafinch" not in content
    session.database.close()


def test_images_of_a_prompt_that_differ_in_size_are_refused(experiment: Experiment) -> None:
    stimulus = replace_image(experiment, 1, Image.new("RGB", (64, 48)))
    with pytest.raises(ExperimentError) as caught:
        open_study(experiment, Settings())
    first = read_stimuli(experiment.stimuli)[0].image
    assert str(caught.value) == (
        f'prompt "p1": {first} has 64 x 64 pixels and {stimulus.image} 64 x 48; all images of a prompt must have one size, '
        "or their size tells how they were made"
    )


def test_an_image_that_is_not_the_described_one_is_refused(experiment: Experiment) -> None:
    path = experiment.folder / read_stimuli(experiment.stimuli)[0].image
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ExperimentError, match=r"not the image that stimuli.parquet describes; run `tastebench stimuli steer` again"):
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
