"""The images of a rating study: blind copies, spread over what they show, the same again, and known to simulated raters."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from stimuli import production, ratings
from stimuli.config import Condition, Prompt, StimuliTable
from stimuli.experiment import Experiment, ExperimentError
from stimuli.manifest import read_rating_images, read_utilities
from stimuli.provenance import sha256
from stimuli.ratings import RatedData, RatingsError
from stimuli.ratings.pool import rating_images, sources, spread
from stimuli.simulation import raters
from stimuli.studyfile import ExperimentTable

GROUPS = ("boats", "cats", "trees")


def data_set(folder: Path, *, images: int = 12) -> ratings.Rated:
    """Return a data set whose images carry telling names and metadata; two thirds show boats."""
    rows = []
    (folder / "images").mkdir(parents=True)
    for number in range(images):
        notes = PngInfo()
        notes.add_text("parameters", "a telling prompt")
        Image.new("RGB", (8, 6), (number, 10, 20)).save(folder / f"images/telling-{number}.png", pnginfo=notes)
        group = "boats" if number < images * 2 / 3 else GROUPS[1 + number % 2]
        rows.append(
            {
                "participant_id": "ann",
                "image_id": f"i{number:02d}",
                "image_path": f"images/telling-{number}.png",
                "original_score": 3,
                "image_metadata": {"prompt": f"prompt {number}", "group": group, "style": None, "type": "photograph"},
                "user_demographics": {"age": 30, "gender": "female", "nationality": "Utopia"},
            }
        )
    ratings.write(folder, {"train": rows})
    return ratings.read(folder)


def bytes_of(experiment: Experiment) -> dict[str, bytes]:
    files = [experiment.rating_images, *experiment.rating_pictures.glob("*")]
    return {path.name: path.read_bytes() for path in files}


def test_copies_tell_nothing_but_their_pixels(tmp_path: Path) -> None:
    experiment = Experiment(tmp_path / "study")
    rated = data_set(tmp_path / "data")
    pool = rating_images(rated, experiment, number=5, seed=1)
    assert read_rating_images(experiment.rating_images) == list(pool.images)
    for image in pool.images:
        path = experiment.folder / image.path
        assert sha256(path) == image.image_sha256
        assert path.stem == image.image
        assert b"telling" not in path.read_bytes()
        assert len(image.image) == 20
        source = sources(experiment)[image.image]
        with Image.open(path) as copy, Image.open(rated.folder / rated.images["path"][source["source"]]) as original:
            assert copy.tobytes() == original.tobytes()
            assert copy.info == {}
        assert image.prompt == rated.images["prompt"][source["source"]]
        assert source["group"] == rated.images["group"][source["source"]]
    assert b"telling" not in experiment.rating_images.read_bytes()


def test_images_are_spread_over_what_they_show(tmp_path: Path) -> None:
    rated = data_set(tmp_path / "data")
    first = spread(rated, seed=2)[:6]
    assert rated.images["group"][first].value_counts().to_dict() == dict.fromkeys(GROUPS, 2)
    assert sorted(spread(rated, seed=2)) == sorted(rated.images.index)
    assert spread(rated, seed=2) != spread(rated, seed=3)


def test_the_same_seed_gives_the_same_bytes_and_fewer_images_leave_none_behind(tmp_path: Path) -> None:
    rated = data_set(tmp_path / "data")
    one, other = Experiment(tmp_path / "one"), Experiment(tmp_path / "other")
    rating_images(rated, one, number=9, seed=1)
    rating_images(rated, one, number=5, seed=1)
    rating_images(rated, other, number=5, seed=1)
    assert bytes_of(one) == bytes_of(other)
    assert len(bytes_of(one)) == 6


def test_an_unreadable_image_is_passed_over_and_named(tmp_path: Path) -> None:
    rated = data_set(tmp_path / "data")
    broken, missing, *_ = spread(rated, seed=1)
    (rated.folder / rated.images["path"][broken]).write_bytes(b"no image")
    (rated.folder / rated.images["path"][missing]).unlink()
    pool = rating_images(rated, Experiment(tmp_path / "study"), number=12, seed=1)
    assert len(pool.images) == 10
    assert [entry.image for entry in pool.unreadable] == [broken, missing]
    for path in (rated.folder / "images").glob("*"):
        path.unlink()
    with pytest.raises(RatingsError, match="none of its 12 images can be read, so there is nothing to rate"):
        rating_images(rated, Experiment(tmp_path / "study"), number=3, seed=1)


def test_images_that_people_rated_stay(tmp_path: Path) -> None:
    experiment = Experiment(tmp_path / "study")
    rated = data_set(tmp_path / "data")
    rating_images(rated, experiment, number=5, seed=1)
    experiment.rating_database.touch()
    before = bytes_of(experiment)
    rating_images(rated, experiment, number=5, seed=1)
    with pytest.raises(ExperimentError, match=r"rating\.sqlite: a rating study has begun, and this would change its images"):
        rating_images(rated, experiment, number=6, seed=1)
    assert bytes_of(experiment) == before


@dataclass(frozen=True)
class Settings:
    experiment: ExperimentTable
    stimuli: StimuliTable
    prompt: tuple[Prompt, ...] = (Prompt("boat", "A sailing boat on a lake."),)
    condition: tuple[Condition, ...] = (Condition("initial"), Condition("colourful", scorer="colourful"))


def test_simulated_raters_know_what_they_like_of_the_pool(tmp_path: Path) -> None:
    experiment = Experiment(tmp_path)
    settings = Settings(ExperimentTable("Tiny", 7), StimuliTable(size=64, ratings=RatedData(raters=4, images=20, per_rater=10)))
    pool = production.make_pool(experiment, settings, number=6)
    known = {(row.user, row.stimulus): row.utility for row in read_utilities(experiment.rating_utilities)}
    assert {image for _, image in known} == {image.image for image in pool.images}
    tastes = raters.read(raters.tastes_file(experiment.ratings))
    with Image.open(experiment.folder / pool.images[3].path) as image:
        true = raters.utilities(tastes, raters.qualities([image]))[:, 0]
    assert [known[user, pool.images[3].image] for user in tastes.users] == pytest.approx(true.tolist())


def test_nobody_knows_what_people_truly_like(tmp_path: Path) -> None:
    data_set(tmp_path / "data")
    experiment = Experiment(tmp_path)
    experiment.rating_utilities.touch()
    settings = Settings(ExperimentTable("Tiny", 7), StimuliTable(ratings=RatedData(folder="data")))
    assert len(production.make_pool(experiment, settings, number=6).images) == 6
    assert not experiment.rating_utilities.exists()
