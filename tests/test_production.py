"""The whole room: from study.toml to what people see, twice the same, also after kill -9."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from stimuli import manifest, production, ratings
from stimuli.config import Condition, Prompt, StimuliTable
from stimuli.experiment import Experiment, ExperimentError
from stimuli.predictors.interface import UnknownUserError
from stimuli.provenance import sha256
from stimuli.ratings import RatedData
from stimuli.steering import Steering
from stimuli.studyfile import ExperimentTable

TARGETS = ("rater-01", "rater-03")


@dataclass(frozen=True)
class Settings:
    experiment: ExperimentTable
    stimuli: StimuliTable
    prompt: tuple[Prompt, ...]
    condition: tuple[Condition, ...]


TINY = Settings(
    experiment=ExperimentTable("Tiny", 7),
    stimuli=StimuliTable(
        size=64,
        steering=Steering(candidates=4, iterations=3, patience=2),
        ratings=RatedData(raters=4, images=24, per_rater=20),
    ),
    prompt=(Prompt("boat", "A sailing boat on a lake."), Prompt("tree", "a lone tree")),
    condition=(
        Condition("initial"),
        Condition("colourful", scorer="colourful"),
        Condition("personal", scorer="personal", targets=TARGETS),
    ),
)


def opened(folder: Path) -> Experiment:
    folder.mkdir(exist_ok=True)
    experiment = Experiment(folder)
    experiment.settings.write_text("# The settings of this test are given as objects.\n")
    return experiment


def steered(folder: Path, settings: Settings = TINY) -> Experiment:
    experiment = opened(folder)
    production.steer(experiment, settings)
    return experiment


def tables(experiment: Experiment) -> list[bytes]:
    return [path.read_bytes() for path in (experiment.stimuli, experiment.steps, experiment.utilities)]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    return steered(tmp_path_factory.mktemp("finished") / "study")


def test_every_prompt_has_one_image_for_each_condition_and_target(finished: Experiment) -> None:
    rows = manifest.read_stimuli(finished.stimuli)
    assert [(row.prompt, row.condition, row.target_user) for row in rows] == [
        (prompt, condition, target)
        for prompt in ("boat", "tree")
        for condition, target in [("initial", None), ("colourful", None), ("personal", "rater-01"), ("personal", "rater-03")]
    ]
    assert all(row.final_prompt.startswith(row.base_prompt) for row in rows)


def test_scores_never_fall_and_the_manifest_agrees_with_the_steps(finished: Experiment) -> None:
    steps = manifest.read_steps(finished.steps)
    for row in manifest.read_stimuli(finished.stimuli):
        course = [step for step in steps if (step.prompt, step.condition, step.target_user) == (row.prompt, row.condition, row.target_user)]
        if row.condition == "initial":
            assert (course, row.score, row.initial_score, row.final_prompt) == ([], None, None, row.base_prompt)
            continue
        assert [step.iteration for step in course] == list(range(len(course)))
        scores = [step.best_score for step in course]
        assert scores == sorted(scores)
        assert (row.initial_score, row.score) == (scores[0], scores[-1])
        assert course[row.iteration].best_prompt == row.final_prompt
        assert (course[0].best_prompt, course[0].scorer) == (row.base_prompt, row.scorer)
        assert all((finished.folder / step.image).is_file() for step in course)


def test_all_images_of_a_prompt_share_one_seed(finished: Experiment) -> None:
    rows = manifest.read_stimuli(finished.stimuli)
    assert len({(row.prompt, row.seed) for row in rows}) == 2
    assert len({row.seed for row in rows}) == 2


def test_what_people_see_tells_nothing_about_how_it_was_made(finished: Experiment) -> None:
    rows = manifest.read_stimuli(finished.stimuli)
    names = sorted(path.stem for path in finished.images.iterdir())
    assert names == sorted(row.stimulus for row in rows)
    assert {len(name) for name in names} == {20}
    assert len({(finished.images / f"{name}.png").stat().st_mtime_ns for name in names}) == 1
    for row in rows:
        path = finished.folder / row.image
        assert sha256(path) == row.image_sha256
        with Image.open(path) as image:
            image.load()
            assert image.info == {}
            assert image.size == (64, 64)
        assert b"tastebench" not in path.read_bytes()
        chunks = path.read_bytes()
        assert all(kind not in chunks for kind in (b"tEXt", b"iTXt", b"zTXt", b"eXIf", b"tIME"))


def test_the_shown_copy_has_the_pixels_of_the_best_image(finished: Experiment) -> None:
    last = {(step.prompt, step.condition, step.target_user): step for step in manifest.read_steps(finished.steps)}
    for row in manifest.read_stimuli(finished.stimuli):
        if row.scorer is not None:
            working = finished.folder / last[row.prompt, row.condition, row.target_user].image
            with Image.open(working) as made, Image.open(finished.folder / row.image) as shown:
                assert made.tobytes() == shown.tobytes()


def test_the_record_names_every_stand_in(finished: Experiment) -> None:
    record = manifest.read_record(finished.stimuli_record)
    assert [(entry.part, entry.name) for entry in record.stand_ins] == [
        ("generator", "sketch"),
        ("rewriter", "vocabulary"),
        ("encoder", "image-statistics"),
        ("scorer", "colourful"),
        ("raters", "simulated raters"),
    ]
    assert record.provenance["seed"] == 7
    assert "predictor.npz" in record.provenance["inputs"]


def test_every_simulated_rater_has_a_true_utility_of_every_stimulus(finished: Experiment) -> None:
    known = {(row.user, row.stimulus) for row in manifest.read_utilities(finished.utilities)}
    users = [f"rater-0{number}" for number in range(1, 5)]
    assert known == {(user, row.stimulus) for user in users for row in manifest.read_stimuli(finished.stimuli)}


def test_running_twice_gives_the_same_bytes_and_renders_nothing(tmp_path: Path, finished: Experiment) -> None:
    again = steered(tmp_path / "again")
    assert tables(again) == tables(finished)
    dates = {path: path.stat().st_ino for path in again.images.iterdir()}
    assert production.steer(again, TINY).rendered == 0
    assert tables(again) == tables(finished)
    assert {path: path.stat().st_ino for path in again.images.iterdir()} == dates


def test_another_seed_gives_other_images_and_other_names(tmp_path: Path, finished: Experiment) -> None:
    other = steered(tmp_path / "other", replace(TINY, experiment=ExperimentTable("Tiny", 8)))
    assert not {path.name for path in other.images.iterdir()} & {path.name for path in finished.images.iterdir()}


def test_a_new_condition_leaves_the_others_as_they_were(tmp_path: Path) -> None:
    experiment = steered(tmp_path / "study", replace(TINY, condition=TINY.condition[:2]))
    before = manifest.read_stimuli(experiment.stimuli)
    more = production.steer(experiment, TINY)
    after = manifest.read_stimuli(experiment.stimuli)
    assert [row for row in after if row.condition != "personal"] == before
    assert 0 < more.rendered <= 4 * 3 * 4
    production.steer(experiment, replace(TINY, condition=TINY.condition[:2]))
    assert len(list(experiment.images.iterdir())) == len(before)


def test_the_record_is_written_last_and_is_gone_while_outputs_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = steered(tmp_path / "study")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(manifest, "write_stimuli", full)
    with pytest.raises(OSError, match="No space left"):
        production.steer(experiment, TINY)
    assert not experiment.stimuli_record.exists()


def steer_here(folder: str) -> None:
    """Steer the tiny experiment; a test starts this in a process of its own."""
    steered(Path(folder))


def rendered_keys(folder: Path) -> list[str]:
    log = folder / "work" / "events.jsonl"
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    return [event["key"] for event in map(json.loads, lines) if event["event"] == "rendered"]


@pytest.mark.parametrize("kill_after", [[10, 40], [25, 60]])
def test_a_killed_run_continues_to_the_same_bytes_and_renders_nothing_twice(
    tmp_path: Path, finished: Experiment, kill_after: list[int]
) -> None:
    folder = tmp_path / "study"
    for number in kill_after:
        code = f"import test_production; test_production.steer_here({str(folder)!r})"
        path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
        process = subprocess.Popen([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": path})
        while process.poll() is None and len(rendered_keys(folder)) < number:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, "it finished before it was killed"
        assert not Experiment(folder).stimuli_record.exists()
    resumed = steered(folder)
    assert tables(resumed) == tables(finished)
    assert {path.name: sha256(path) for path in resumed.images.iterdir()} == {path.name: sha256(path) for path in finished.images.iterdir()}
    keys = rendered_keys(folder)
    assert set(Counter(keys).values()) == {1}
    assert set(keys) == set(rendered_keys(finished.folder))


def test_the_simulated_data_set_is_in_pamelas_layout_and_says_that_it_is_simulated(finished: Experiment) -> None:
    rated = ratings.read(finished.ratings)
    assert len(rated.ratings) == 4 * 20
    assert rated.ratings.groupby("user").size().tolist() == [20] * 4
    assert not rated.ratings.duplicated(["user", "image"]).any()
    assert rated.ratings.groupby("image")["split"].nunique().max() == 1
    assert set(rated.users.index) == {f"rater-0{number}" for number in range(1, 5)}
    assert rated.users["gender"].str.startswith("simulated").all()
    assert "No person rated anything" in (finished.ratings / "SIMULATED.txt").read_text()
    assert not any(isinstance(image, ratings.Unreadable) for _, image in ratings.open_images(rated))


def test_ratings_are_made_anew_only_when_their_settings_change(tmp_path: Path) -> None:
    experiment = opened(tmp_path / "study")
    production.make_ratings(experiment, TINY)
    first = (experiment.ratings / "annotations/pamela_train.json").stat().st_ino
    production.make_ratings(experiment, replace(TINY, stimuli=replace(TINY.stimuli, steering=Steering())))
    assert (experiment.ratings / "annotations/pamela_train.json").stat().st_ino == first
    fewer = replace(TINY, stimuli=replace(TINY.stimuli, ratings=RatedData(raters=4, images=24, per_rater=12)))
    assert production.make_ratings(experiment, fewer).ratings == 4 * 12


def test_training_is_not_repeated_and_its_record_says_how_well_it_does(tmp_path: Path) -> None:
    experiment = opened(tmp_path / "study")
    first = production.train(experiment, TINY)
    stamp = experiment.predictor.stat().st_ino
    assert production.train(experiment, TINY) == first
    assert experiment.predictor.stat().st_ino == stamp
    record = json.loads(experiment.predictor.with_suffix(".json").read_text())
    assert record["held_out"]["split"] == "test_seen"
    assert record["held_out"]["users"] + record["held_out"]["users_left_out"] == 4


def test_a_real_data_set_with_a_broken_image_is_used_and_the_image_reported(tmp_path: Path, finished: Experiment) -> None:
    experiment = opened(tmp_path / "study")
    data = tmp_path / "study" / "pamela"
    for source in finished.ratings.rglob("*"):
        if source.is_file() and source.name not in ("tastes.json", "simulated.json"):
            target = data / source.relative_to(finished.ratings)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
    (data / "images/00003.png").write_bytes(b"broken")
    own = replace(TINY, stimuli=replace(TINY.stimuli, ratings=RatedData(folder="pamela")))
    made = production.make_ratings(experiment, own)
    assert [entry.image for entry in made.unreadable] == ["simulated-00003"]
    assert (made.simulated, made.images) == (False, 23)
    assert [entry.image for entry in production.train(experiment, own).unreadable] == ["simulated-00003"]
    production.steer(experiment, own)
    assert not experiment.utilities.exists()
    assert "raters" not in [entry.part for entry in manifest.read_record(experiment.stimuli_record).stand_ins]
    unknown = replace(own, condition=(Condition("personal", scorer="personal", targets=("p1", "p2")),))
    with pytest.raises(UnknownUserError, match='no user "p1"; it knows 4, such as rater-01, rater-02'):
        production.steer(experiment, unknown)


def test_images_steered_for_a_rater_are_truly_liked_more_than_those_for_others_and_than_the_initial_ones(tmp_path: Path) -> None:
    """The chain from ratings to images learns real tastes: nothing but the simulated ratings tells it about them."""
    targets = ("rater-01", "rater-05", "rater-09", "rater-13")
    table = StimuliTable(size=96, steering=Steering(candidates=8, iterations=3), ratings=RatedData(raters=16, images=120, per_rater=80))
    prompts = (*TINY.prompt, Prompt("books", "Tall bookshelves and a leather armchair."))
    conditions = (Condition("initial"), Condition("personal", scorer="personal", targets=targets))
    experiment = steered(tmp_path / "study", Settings(ExperimentTable("Tastes", 1), table, prompts, conditions))
    liking = {(row.user, row.stimulus): row.utility for row in manifest.read_utilities(experiment.utilities)}
    rows = manifest.read_stimuli(experiment.stimuli)
    own = np.mean([liking[row.target_user, row.stimulus] for row in rows if row.target_user])
    others = np.mean([liking[user, row.stimulus] for row in rows for user in targets if row.target_user not in (None, user)])
    initial = np.mean([liking[user, row.stimulus] for row in rows for user in targets if row.target_user is None])
    assert own > others + 0.3
    assert own > initial + 0.3


def test_own_images_are_shown_upright_without_metadata_and_in_srgb(tmp_path: Path) -> None:
    experiment = opened(tmp_path / "study")
    photo = Image.new("RGB", (60, 40), (200, 30, 30))
    photo.paste((30, 30, 200), (0, 0, 60, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    exif[0x010E] = "made by condition B"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photo.save(experiment.folder / "b-boat.jpg", exif=exif, icc_profile=profile, quality=95)
    sheer = Image.new("RGBA", (30, 30), (0, 0, 0, 0))
    sheer.save(experiment.folder / "c-boat.png")
    conditions = (Condition("b", images="b-{prompt}.jpg"), Condition("c", images="c-{prompt}.png"))
    production.steer(experiment, replace(TINY, prompt=TINY.prompt[:1], condition=conditions))
    shown = {row.condition: row for row in manifest.read_stimuli(experiment.stimuli)}
    with Image.open(experiment.folder / shown["b"].image) as image:
        assert (image.size, image.info) == ((40, 60), {})
        left, right = (np.array(image.convert("RGB").getpixel((x, 30))) for x in (3, 36))
    assert left[0] > 150
    assert right[2] > 150
    with Image.open(experiment.folder / shown["c"].image) as image:
        assert image.convert("RGB").getpixel((5, 5)) == (255, 255, 255)
    assert (shown["b"].generator, shown["b"].scorer, shown["b"].final_prompt) == ("own image", None, TINY.prompt[0].text)
    assert manifest.read_record(experiment.stimuli_record).stand_ins == ()


def test_an_own_image_that_is_no_image_is_named(tmp_path: Path) -> None:
    experiment = opened(tmp_path / "study")
    (experiment.folder / "boat.png").write_text("not an image")
    settings = replace(TINY, prompt=TINY.prompt[:1], condition=(Condition("initial"), Condition("mine", images="{prompt}.png")))
    with pytest.raises(ExperimentError, match=r"boat.png: not an image that can be read .* save it again, as PNG or JPEG"):
        production.steer(experiment, settings)


@pytest.mark.parametrize(
    ("parts", "scorer", "refusal"),
    [
        ({"generator": "flux2"}, "colourful", r'generator "flux2": FLUX.2-dev comes with a later version; use generator = "sketch"'),
        ({"rewriter": "local"}, "colourful", r'rewriter "local": a chat model on this machine comes with a later version'),
        ({"encoder": "siglip2-base"}, "colourful", r"siglip2-base: the weights google/siglip2-base-patch16-224 are not on this machine"),
        ({}, "hpsv3", r'scorer "hpsv3": HPSv3 comes with a later version'),
    ],
)
def test_a_part_that_is_not_here_is_refused_before_any_work(tmp_path: Path, parts: dict[str, str], scorer: str, refusal: str) -> None:
    experiment = opened(tmp_path / "study")
    settings = replace(TINY, stimuli=replace(TINY.stimuli, **parts), condition=(*TINY.condition, Condition("other", scorer=scorer)))
    with pytest.raises(ExperimentError, match=refusal):
        production.steer(experiment, settings)
    assert not experiment.work.exists()


def test_a_part_that_nothing_uses_is_not_asked_for(tmp_path: Path) -> None:
    experiment = opened(tmp_path / "study")
    settings = replace(TINY, stimuli=replace(TINY.stimuli, encoder="siglip2-base"), condition=TINY.condition[:2])
    assert production.steer(experiment, settings).stimuli == 4
