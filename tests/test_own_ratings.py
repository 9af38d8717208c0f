"""This toolkit's rating studies: read like other data sets, exported for others, and never mixed or made up."""

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rated_made import picture
from rating_study_made import given, person, rated_study

from stimuli import ratings
from stimuli.experiment import Experiment, ExperimentError
from stimuli.manifest import read_rating_images
from stimuli.ratings import RatingsError, own
from stimuli.ratings.skipped import Skipped
from study.rated import write_ratings
from study.votes import write_participants


def test_a_rating_study_is_a_data_set_with_its_repeats_averaged(tmp_path: Path) -> None:
    rated = ratings.read(rated_study(tmp_path).folder, layout="own")
    assert rated.ratings[["user", "image", "rating", "split"]].to_numpy().tolist() == [
        ["ann", "image-00", 2.5, "train"],
        ["ann", "image-01", 4.25, "train"],
        ["bob", "image-01", 5.0, "train"],
    ]
    assert rated.repeats["rating"].tolist() == [2, 3]
    assert rated.skipped == (Skipped("images that somebody rated more than once", 1, "averaged", ("ann, image-00",)),)
    assert rated.users.loc["ann", ["age", "gender"]].tolist() == [33, "female"]
    assert rated.users.loc["bob"].isna().all()
    assert rated.images.loc["image-01", ["path", "prompt"]].tolist() == ["pool/image-01.png", "Thing number 0"]
    assert all(not isinstance(image, ratings.Unreadable) for _, image in ratings.open_images(rated))
    assert not rated.simulated


def test_an_equal_second_rating_is_a_repeat_and_no_duplicate(tmp_path: Path) -> None:
    experiment = rated_study(tmp_path)
    write_ratings(experiment.rated, [given("ann", 0, "image-00", 2), given("ann", 1, "image-00", 2, repeat=True)])
    rated = ratings.read(tmp_path, layout="own")
    assert rated.repeats["rating"].tolist() == [2, 2]


def test_images_of_the_comparison_may_have_been_rated(tmp_path: Path) -> None:
    experiment = rated_study(tmp_path)
    write_ratings(experiment.rated, [given("ann", 0, "p1-zebrafinch-all", 2)])
    rated = ratings.read(tmp_path, layout="own")
    assert rated.images.loc["p1-zebrafinch-all", "prompt"] == "A red boat on a lake"


def test_who_declined_and_what_is_listed_nowhere_is_left_out_and_counted(tmp_path: Path) -> None:
    experiment = rated_study(tmp_path)
    write_participants(experiment.rating_participants, [person("ann", "unfinished"), person("bob", "declined")])
    write_ratings(experiment.rated, [given("ann", 0, "image-00", 2), given("ann", 1, "gone", 2), given("bob", 0, "image-01", 5)])
    rated = ratings.read(tmp_path, layout="own")
    assert rated.ratings["user"].tolist() == ["ann"]
    assert rated.skipped == (
        Skipped("ratings of images that are listed nowhere", 1, "left out", ("gone",)),
        Skipped("people who declined or were screened out", 1, "left out", ("bob",)),
    )


def test_an_export_reads_as_the_study_does(tmp_path: Path) -> None:
    experiment = rated_study(tmp_path / "study")
    done = own.export(experiment, tmp_path / "out")
    assert (done.ratings, done.images, done.people, done.skipped) == (4, 2, 2, ())
    one, other = ratings.read(experiment.folder, layout="own"), ratings.read(tmp_path / "out")
    pd.testing.assert_frame_equal(one.ratings, other.ratings[list(one.ratings.columns)])
    pd.testing.assert_frame_equal(one.repeats, other.repeats[list(one.repeats.columns)])


def test_an_export_holds_pseudonyms_ratings_and_three_replies_only(tmp_path: Path) -> None:
    own.export(rated_study(tmp_path / "study"), tmp_path / "out")
    written = b"".join(path.read_bytes() for path in sorted((tmp_path / "out").rglob("*.*")) if path.suffix != ".png").decode()
    assert "I am Ann." not in written
    [first, *_] = json.loads(ratings.annotation(tmp_path / "out", "train").read_text())
    assert first["user_demographics"] == {"age": 33, "gender": "female", "nationality": None}
    assert "4 ratings of 2 images by 2 people" in (tmp_path / "out/EXPORTED.txt").read_text()
    assert not (tmp_path / "out/SIMULATED.txt").exists()


def test_an_export_of_simulated_ratings_says_so(tmp_path: Path) -> None:
    experiment = rated_study(tmp_path / "study")
    write_ratings(experiment.rated, [given("ann", 0, "image-00", 2, simulated=True)])
    assert own.export(experiment, tmp_path / "out").simulated
    assert "no person rated anything" in (tmp_path / "out/SIMULATED.txt").read_text()
    assert ratings.read(tmp_path / "out").simulated


def test_an_export_can_be_made_again_but_overwrites_nothing_else(tmp_path: Path) -> None:
    experiment = rated_study(tmp_path / "study")
    own.export(experiment, tmp_path / "out")
    before = ratings.annotation(tmp_path / "out", "train").read_bytes()
    own.export(experiment, tmp_path / "out")
    assert ratings.annotation(tmp_path / "out", "train").read_bytes() == before
    (tmp_path / "full").mkdir()
    (tmp_path / "full/thesis.tex").touch()
    with pytest.raises(RatingsError, match="full: is not empty and was not made by this command; name a folder that is new or empty"):
        own.export(experiment, tmp_path / "full")


def test_an_image_that_is_not_as_people_saw_it_is_not_exported(tmp_path: Path) -> None:
    experiment = rated_study(tmp_path / "study")
    picture(experiment.folder / "pool/image-00.png")
    done = own.export(experiment, tmp_path / "out")
    assert (done.ratings, done.images) == (2, 1)
    assert done.skipped == (
        Skipped("images that are not as people saw them", 1, "left out", ("image-00.png: another image than was listed",)),
    )
    (experiment.folder / "pool/image-01.png").unlink()
    with pytest.raises(RatingsError, match=r"no image of the rating study is there any more \(image-00\.png: another image"):
        own.export(experiment, tmp_path / "out2")


def changed(experiment: Experiment, column: str, value: Any) -> None:
    table = pd.read_parquet(experiment.rated)
    table.loc[0, column] = value
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    experiment.rated.write_bytes(buffer.getvalue())


def test_what_is_wrong_is_named(tmp_path: Path) -> None:
    experiment = rated_study(tmp_path)
    changed(experiment, "rating", 5.5)
    with pytest.raises(RatingsError, match=r"ratings\.parquet: row 1 has rating 5\.5; expected a number from 1 to 5"):
        ratings.read(tmp_path, layout="own")
    rows = [given("ann", 0, "image-00", 2), given("bob", 0, "image-00", 2, simulated=True)]
    write_ratings(experiment.rated, rows)
    with pytest.raises(RatingsError, match=r"mixes ratings by people and by simulated raters"):
        ratings.read(tmp_path, layout="own")
    write_ratings(experiment.rated, [replace(rows[0], image="gone")])
    with pytest.raises(RatingsError, match=r"holds no rating that can be used; ratings of images that are listed nowhere"):
        ratings.read(tmp_path, layout="own")
    experiment.rated.unlink()
    with pytest.raises(ExperimentError, match=r"ratings\.parquet: no such file; `tastebench study export --rating` makes it"):
        ratings.read(tmp_path, layout="own")


def test_the_fixture_lists_what_it_says(tmp_path: Path) -> None:
    experiment = rated_study(tmp_path)
    assert {image.image for image in read_rating_images(experiment.rating_images)} >= {"image-00", "image-01"}
