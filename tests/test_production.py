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
from stimuli.groups import Group
from stimuli.provenance import sha256
from stimuli.ratings import RatedData
from stimuli.steering import Steering
from stimuli.steering_record import read_candidates, read_embeddings, read_rescored
from stimuli.studyfile import ExperimentTable
from stimuli.workers import Workers

TARGETS = ("rater-01", "rater-03")


@dataclass(frozen=True)
class Settings:
    experiment: ExperimentTable
    stimuli: StimuliTable
    prompt: tuple[Prompt, ...]
    condition: tuple[Condition, ...]
    group: tuple[Group, ...] = ()


TINY = Settings(
    experiment=ExperimentTable("Tiny", 7),
    stimuli=StimuliTable(
        size=64,
        steering=Steering(candidates=4, iterations=3, patience=2, fresh_seeds=1, held_out=("exposure",)),
        ratings=RatedData(raters=4, images=24, per_rater=20),
        workers=Workers(kind="here"),
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
    outputs = (experiment.stimuli, experiment.steps, experiment.candidates, experiment.rescored, experiment.utilities)
    return [path.read_bytes() for path in outputs]


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
        assert course[0].proposed == course[0].rejected == 0 and all(step.rejected <= step.proposed <= 4 for step in course[1:])
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
    assert {(entry.part, entry.name) for entry in record.parts} >= {("generator", "sketch"), ("rewriter", "vocabulary")}
    assert all(entry.version for entry in record.parts)
    assert [(entry.part, entry.name) for entry in record.stand_ins] == [
        ("generator", "sketch"),
        ("rewriter", "vocabulary"),
        ("encoder", "image-statistics"),
        ("scorer", "colourful"),
        ("held-out scorer", "exposure"),
        ("drift guard", "sketch-likeness"),
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
    assert 0 < more.rendered <= 4 * (3 * 4 + 1)
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
    with pytest.raises(ExperimentError, match='targets name "p1", "p2", and nobody is called so among the 4 people who rated'):
        production.steer(experiment, unknown)


def test_images_steered_for_a_rater_are_truly_liked_more_than_those_for_others_and_than_the_initial_ones(tmp_path: Path) -> None:
    """The chain from ratings to images learns real tastes: nothing but the simulated ratings tells it about them."""
    targets = ("rater-01", "rater-05", "rater-09", "rater-13")
    table = StimuliTable(
        size=96,
        steering=Steering(candidates=8, iterations=3, fresh_seeds=0, log="steering"),
        workers=Workers(kind="here"),
        ratings=RatedData(raters=16, images=120, per_rater=80),
    )
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
    ("parts", "scorer", "refusals"),
    [
        ({"generator": "flux2"}, "colourful", ["flux2: no weights on this machine", "hf auth login"]),
        ({"rewriter": "local"}, "colourful", ["local: ", "meta-llama/Llama-3.1-8B-Instruct"]),
        ({"encoder": "siglip2-base"}, "colourful", ["siglip2-base: no weights on this machine", "google/siglip2-base-patch16-224"]),
        ({}, "hpsv3", ["hpsv3: ", "hf download"]),
        ({"generator": "flux2", "encoder": "siglip2-base"}, "hpsv3", ["flux2: no weights", "hpsv3: ", "siglip2-base: no weights"]),
    ],
)
def test_what_parts_lack_is_told_at_once_and_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts: dict[str, str], scorer: str, refusals: list[str]
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    experiment = opened(tmp_path / "study")
    settings = replace(TINY, stimuli=replace(TINY.stimuli, **parts), condition=(*TINY.condition, Condition("other", scorer=scorer)))
    with pytest.raises(ExperimentError) as refused:
        production.steer(experiment, settings)
    assert all(refusal in str(refused.value) for refusal in refusals), str(refused.value)
    assert not experiment.work.exists()


def test_a_part_that_nothing_uses_is_not_asked_for(tmp_path: Path) -> None:
    experiment = opened(tmp_path / "study")
    settings = replace(TINY, stimuli=replace(TINY.stimuli, encoder="siglip2-base"), condition=TINY.condition[:2])
    assert production.steer(experiment, settings).stimuli == 4


def test_every_steered_stimulus_is_scored_again_and_every_candidate_is_listed(finished: Experiment) -> None:
    steered = [row for row in manifest.read_stimuli(finished.stimuli) if row.scorer]
    again = read_rescored(finished.rescored)
    assert [(row.stimulus, row.held_out, row.seeds) for row in again] == [
        (row.stimulus, held_out, 1) for row in steered for held_out in (False, True)
    ]
    assert [(row.shown, row.initial) for row in again if not row.held_out] == [(row.score, row.initial_score) for row in steered]
    names = {"colourful", "personal:rater-01", "personal:rater-03", "exposure"}
    for row in read_candidates(finished.candidates):
        own = row.condition if row.target_user is None else f"personal:{row.target_user}"
        assert set(row.scores) == names - {own}
        assert row.likeness is not None
        assert row.iteration > 0 or row.candidate in {prompt.text for prompt in TINY.prompt}


def only(scorer: str, *targets: str, runs: int = 1) -> Settings:
    """Return the tiny study with one prompt and one condition beside the initial one."""
    table = replace(TINY.stimuli, steering=replace(TINY.stimuli.steering, runs=runs, fresh_seeds=0, log="steering"))
    return replace(TINY, stimuli=table, prompt=TINY.prompt[:1], condition=(Condition("initial"), Condition("x", scorer, targets)))


def test_independent_runs_share_image_seeds_and_are_told_by_numbers_but_people_see_the_first_only(tmp_path: Path) -> None:
    settings = only("personal", *TARGETS, runs=3)
    experiment = steered(tmp_path / "study", settings)
    rows = manifest.read_stimuli(experiment.stimuli)
    assert [(row.condition, row.target_user, row.run) for row in rows] == [
        ("initial", None, 1),
        *(("x", user, run) for user in TARGETS for run in (1, 2, 3)),
    ]
    assert len({row.seed for row in rows}) == 1
    assert len({row.final_prompt for row in rows if row.target_user == TARGETS[0]}) > 1
    assert [row.run for row in manifest.first_runs(rows)] == [1, 1, 1]
    told = read_embeddings(experiment.run_embeddings)
    assert [row.stimulus for row in told] == [row.stimulus for row in rows if row.target_user]
    assert {row.prompt for row in told} == {None} and len({len(row.image) for row in told}) == 1
    production.steer(experiment, only("personal", *TARGETS))
    assert not experiment.run_embeddings.exists()


def test_a_run_more_leaves_the_first_as_it_was(tmp_path: Path) -> None:
    experiment = steered(tmp_path / "study", only("colourful"))
    first = manifest.read_stimuli(experiment.stimuli)
    production.steer(experiment, only("colourful", runs=2))
    assert manifest.first_runs(manifest.read_stimuli(experiment.stimuli)) == first


def test_a_placebo_is_somebodys_own_and_has_nothing_to_do_with_another(tmp_path: Path) -> None:
    experiment = steered(tmp_path / "study", only("placebo", *TARGETS))
    rows = [row for row in manifest.read_stimuli(experiment.stimuli) if row.target_user]
    assert [(row.scorer, row.target_user) for row in rows] == [("placebo", user) for user in TARGETS]
    assert rows[0].initial_score != rows[1].initial_score
    assert {row.scorer for row in read_rescored(experiment.rescored) if not row.held_out} == {f"placebo:{user}" for user in TARGETS}


def test_a_group_is_a_target_like_a_person(tmp_path: Path) -> None:
    groups = (Group("both", members=TARGETS), Group("simulated", gender="simulated"))
    experiment = steered(tmp_path / "study", replace(only("personal", "both", "rater-01"), group=groups))
    rows = [row for row in manifest.read_stimuli(experiment.stimuli) if row.target_user]
    assert [row.target_user for row in rows] == ["both", "rater-01"]
    assert {row.scorer for row in read_rescored(experiment.rescored) if not row.held_out} == {"personal:both", "personal:rater-01"}
    with pytest.raises(ExperimentError, match=r'"old": nobody, or one person only, said age = "12 to 13"; at least two gave each of: '):
        production.steer(experiment, replace(only("personal", "old"), group=(Group("old", age="12 to 13"),)))


HOLDER = """
import sys, time
from pathlib import Path
from stimuli.lock import alone
with alone(Path(sys.argv[1]), doing="steers this"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_two_steerings_of_one_folder_never_run_at_once(tmp_path: Path) -> None:
    experiment = opened(tmp_path / "study")
    command = [sys.executable, "-c", HOLDER, str(experiment.work / "steering.lock")]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with pytest.raises(ExperimentError, match=rf"the process {holder.pid} steers .*study already; wait until it is done, or stop it"):
            production.steer(experiment, only("colourful"))
        assert not (experiment.work / "store.sqlite").exists()
    finally:
        holder.kill()
        holder.communicate()
    assert production.steer(experiment, only("colourful")).stimuli == 2
