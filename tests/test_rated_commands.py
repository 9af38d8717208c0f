"""The commands about rated data sets: what each says of small data sets, and what it says when it cannot."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from rated_made import lapis, lapis_row, people_with_tastes, picture
from rating_study_made import rated_study
from typer.testing import CliRunner, Result

from stimuli import ratings
from stimuli.commands import rated as rated_commands
from stimuli.config import Condition, Prompt, StimuliTable
from stimuli.experiment import Experiment, ExperimentError
from stimuli.ratings import RatedData
from stimuli.studyfile import ExperimentTable


@dataclass(frozen=True)
class Settings:
    experiment: ExperimentTable = field(default_factory=lambda: ExperimentTable("Tiny", 3))
    stimuli: StimuliTable = field(default_factory=lambda: StimuliTable(size=64, ratings=RatedData(folder="data")))
    prompt: tuple[Prompt, ...] = (Prompt("boat", "A sailing boat on a lake."),)
    condition: tuple[Condition, ...] = (Condition("initial"), Condition("colourful", scorer="colourful"))


def run(*words: str, settings: Settings | None = None) -> Result:
    def settle(folder: Path) -> tuple[Experiment, Settings]:
        return Experiment(folder), settings or Settings()

    return CliRunner().invoke(rated_commands.app, words, obj=settle, catch_exceptions=False, env={"COLUMNS": "150"})


def said(*words: str, settings: Settings | None = None) -> str:
    result = run(*words, settings=settings)
    assert result.exit_code == 0
    return re.sub(r" +\n", "\n", result.stdout)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an experiment whose data set has two camps of people, an image that is missing, and no images else."""
    made = people_with_tastes([1] * 6 + [-1] * 6, images=40, noise=0.4)
    rows = []
    for rating in made.ratings.itertuples():
        known = made.images.loc[str(rating.image)]
        rows.append(
            {
                "participant_id": rating.user,
                "image_id": rating.image,
                "image_path": f"images/{rating.image}.png",
                "original_score": rating.rating,
                "image_metadata": {"prompt": "a thing", "group": known["group"], "style": "ink", "type": "art"},
                "user_demographics": {"age": 30, "gender": "female", "nationality": "Utopia"},
            }
        )
    ratings.write(tmp_path / "data", {"train": rows})
    for image in made.images.index[1:]:
        picture(tmp_path / f"data/images/{image}.png")
    return tmp_path


def test_describe_says_what_is_there_and_what_is_not(folder: Path) -> None:
    text = said("describe", str(folder))
    assert "ratings  468, " in text
    assert "images   39, each rated by 12 people" in text
    assert "people   12, who rated 39 images each" in text
    assert re.search(r"art\n +(warm|cold) +\d+ +\d+ +\d\.\d\d", text)
    assert re.search(r"one rating, ICC\(1\) +the mean, ICC\(k\) +k +images\n", text)
    assert re.search(r"all images +-?0\.\d\d \(-?0\.\d\d to 0\.\d\d\) +-?\d\.\d\d \(-?\d\.\d\d to 0\.\d\d\) +12\.0 +39\n", text)
    assert "k is the typical number of ratings of an image; in brackets 95 % intervals over images" in text
    assert "most disputed" in text
    assert "images that cannot be read: 1 left out (images/i000.png: no such file)" in text


def test_describe_reads_other_data_sets_and_ones_own_study(tmp_path: Path) -> None:
    other = lapis(tmp_path / "lapis", [lapis_row(user, image, 20 * user + image) for user in (1, 2, 3) for image in (1, 2)])
    for image in (1, 2):
        picture(other / f"images/image-{image}.jpg")
    text = said("describe", str(tmp_path), "--data", str(other), "--layout", "lapis")
    assert "images   2, each rated by 3 people" in text
    rated_study(tmp_path / "study")
    text = said("describe", str(tmp_path / "study"), "--layout", "own")
    assert "ratings  3, " in text
    assert "images that somebody rated more than once: 1 averaged (ann, image-00)" in text
    assert "Asked again, people repeat themselves within 0.71 points (1 repeated ratings)." in text


def test_a_layout_needs_its_data_set_and_simulated_ratings_are_made_first(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r'--layout: is "lapis", and study\.toml says "pamela"; name the data set too, with --data'):
        run("describe", str(tmp_path), "--layout", "lapis")
    simulated = Settings(stimuli=StimuliTable())
    with pytest.raises(ExperimentError, match=r"work/ratings: no such file; `tastebench stimuli ratings .*` makes it"):
        run("targets", str(tmp_path), settings=simulated)


def test_targets_come_with_reasons_and_a_line_for_the_study(folder: Path) -> None:
    text = said("targets", str(folder), "-n", "2")
    [line] = re.findall(r'targets = \["(p\d\d)", "(p\d\d)"\]', text)
    assert {int(name[1:]) < 6 for name in line} == {True, False}
    assert re.search(rf"{line[1]} +40 +\d\.\d\d +{line[0]} +-0\.\d\d +40\n", text)
    assert re.search(r"\+0\.\d\d (warm|cold) \(\d+\)", text)
    assert "Chosen among 12 people; 0 with too few ratings and 0 without a clear taste of their own were left out." in text


def test_verify_says_what_is_right(folder: Path) -> None:
    text = said("verify", str(folder / "data"), "--images")
    assert "All 8 checks are right." in text
    assert "images that cannot be read: 1 left out" in text


def test_verify_ends_in_an_error_where_numbers_are_not_as_published(folder: Path) -> None:
    with pytest.raises(ExperimentError, match=r"data: 17 of 25 checks went wrong: all ratings, all images, train ratings, .* and others"):
        run("verify", str(folder / "data"), "--published")
    with pytest.raises(ExperimentError, match='--published: nothing is published about the layout "own"; there is pamela, para, lapis'):
        run("verify", str(rated_study(folder / "study").folder), "--layout", "own", "--published")


def test_split_writes_a_split_that_holds_from_then_on(folder: Path) -> None:
    text = said("split", str(folder / "data"), "--seed", "5", "--val", "0.25", "--test", "0.25", "--test-users", "0.25")
    assert "Split from seed 5" in text
    assert "splits.json: SHA-256 of the pairs of user and image: train " in text
    # 8 of 12 people are neither set aside for validation (1) nor for test (3).
    assert re.search(r"train +160 +8 +20\n", text)
    assert "All 8 checks are right." in said("verify", str(folder / "data"))
    assert re.search(r"test_unseen +30 +3 +10\n", text)


def test_a_fold_of_lapis_says_who_is_for_test(tmp_path: Path) -> None:
    data = lapis(tmp_path, [lapis_row(user, image, 10 * user) for user in range(1, 9) for image in range(1, 4)])
    (data / "imageset").mkdir()
    for image, part in enumerate(("Train", "Val", "Test"), start=1):
        (data / f"imageset/{part}ImageSet.txt").write_text(f"image-{image}.jpg\n")
    (data / "userset").mkdir()
    (data / "userset/TestUserIDs_Fold2.txt").write_text("3\n8\n")
    text = said("split", str(data), "--layout", "lapis", "--fold", "2")
    assert "Split from seed 1 and fold 2" in text
    assert re.search(r"test_unseen +2 +2 +1\n", text)
    assert "All 8 checks are right." in said("verify", str(data), "--layout", "lapis")


def test_a_fold_goes_with_lapis_and_nothing_that_contradicts_it(folder: Path) -> None:
    with pytest.raises(ExperimentError, match='--fold: only LAPIS has published folds of people, and --layout is "pamela"; leave --fold'):
        run("split", str(folder / "data"), "--fold", "2")
    data = lapis(folder / "lapis", [lapis_row(1, 1, 50)])
    with pytest.raises(ExperimentError, match="--test: the fold says who and what is for test; leave --test or --fold away"):
        run("split", str(data), "--layout", "lapis", "--fold", "2", "--test", "0.3")


def test_an_export_says_what_it_wrote_and_can_be_verified(tmp_path: Path) -> None:
    study = rated_study(tmp_path / "study")
    text = said("export-ratings", str(study.folder), "--to", str(tmp_path / "out"))
    assert f"{tmp_path / 'out'}: 4 ratings of 2 images by 2 people." in text
    assert f"Next: tastebench stimuli verify {tmp_path / 'out'}" in text
    assert "All 8 checks are right." in said("verify", str(tmp_path / "out"))


def test_pool_says_how_many_images_there_are_and_which_are_not(folder: Path) -> None:
    text = said("pool", str(folder), "--images", "60")
    assert f"{folder / 'rating_images.parquet'}: 39 images to rate." in text
    assert "60 were asked for; the data set has no more that can be read." in text
    assert "Passed over: images/i000.png: no such file" in text
    assert f"Next: tastebench study plan --rating {folder}" in text


@pytest.mark.parametrize("command", ["describe", "targets", "verify", "split", "export-ratings", "pool"])
def test_help_says_what_comes_out_and_gives_an_example(command: str) -> None:
    assert "Example" in said(command, "--help")
