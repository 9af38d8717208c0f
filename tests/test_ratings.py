"""PAMELA's layout: what is written is read, what is wrong is named with file and row."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from stimuli import ratings
from stimuli.ratings import RatingsError, Unreadable
from stimuli.ratings.skipped import Skipped


def row(user: str, image: str, score: float) -> dict[str, Any]:
    return {
        "participant_id": user,
        "image_id": image,
        "image_path": f"images/{image}.png",
        "original_score": score,
        "image_metadata": {"prompt": "a cat", "group": "animals", "style": None, "type": "photograph"},
        "user_demographics": {"age": 33, "gender": "female", "nationality": "Utopia"},
    }


ROWS = {"train": [row("ann", "i1", 4.5), row("bob", "i1", 1), row("ann", "i2", 3)], "test_seen": [row("bob", "i3", 5)]}


def written(folder: Path) -> Path:
    ratings.write(folder, ROWS)
    for image in ("i1", "i2", "i3"):
        (folder / "images").mkdir(exist_ok=True)
        Image.new("RGB", (4, 4)).save(folder / "images" / f"{image}.png")
    return folder


def test_what_is_written_is_read(tmp_path: Path) -> None:
    rated = ratings.read(written(tmp_path))
    assert rated.of("train")[["user", "image", "rating"]].to_dict("records") == [
        {"user": "ann", "image": "i1", "rating": 4.5},
        {"user": "bob", "image": "i1", "rating": 1.0},
        {"user": "ann", "image": "i2", "rating": 3.0},
    ]
    assert rated.of("test_seen")["user"].tolist() == ["bob"]
    assert rated.of("val_unseen").empty
    assert rated.images.loc["i3", "path"] == "images/i3.png"
    assert pd.isna(rated.images.loc["i1", "style"])
    assert rated.users.loc["ann", "nationality"] == "Utopia"


def test_further_keys_are_kept(tmp_path: Path) -> None:
    rows = copy.deepcopy(ROWS)
    rows["train"][0] |= {"session": "s1"}
    rows["train"][0]["image_metadata"]["model"] = "flux2"
    rows["train"][0]["user_demographics"]["education"] = "MSc"
    ratings.write(tmp_path, rows)
    rated = ratings.read(tmp_path)
    assert rated.ratings.loc[0, "session"] == "s1"
    assert rated.images.loc["i1", "model"] == "flux2"
    assert rated.users.loc["ann", "education"] == "MSc"


def remove(*way: str) -> Callable[[dict[str, Any]], None]:
    def change(entry: dict[str, Any]) -> None:
        for step in way[:-1]:
            entry = entry[step]
        del entry[way[-1]]

    return change


def put(key: str, value: object) -> Callable[[dict[str, Any]], None]:
    return lambda entry: entry.update({key: value})


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (remove("original_score"), r"pamela_train.json: row 2: lacks original_score; expected the keys participant_id"),
        (remove("image_metadata", "style"), r"row 2, image_metadata: lacks style; expected the keys prompt, group, style, type"),
        (remove("user_demographics", "age"), r"row 2, user_demographics: lacks age"),
        (put("original_score", 5.5), r"row 2: original_score is 5.5; expected a number from 1 to 5"),
        (put("original_score", 0), r"row 2: original_score is 0; expected"),
        (put("original_score", float("nan")), r"row 2: original_score is NaN; expected"),
        (put("original_score", "4"), r'row 2: original_score is "4"; expected'),
        (put("original_score", True), r"row 2: original_score is true; expected"),
        (put("participant_id", 7), r"row 2: participant_id is 7; expected text"),
        (put("image_metadata", None), r"row 2, image_metadata: is a NoneType; expected a dict"),
        (put("image_path", "other.png"), r'row 2 has image_path "other.png" for image "i1", which was "images/i1.png" before'),
    ],
)
def test_what_is_wrong_is_named_with_file_and_row(tmp_path: Path, change: Callable[[dict[str, Any]], None], complaint: str) -> None:
    rows = copy.deepcopy(ROWS)
    change(rows["train"][1])
    written(tmp_path)
    ratings.annotation(tmp_path, "train").write_text(json.dumps(rows["train"]))
    with pytest.raises(RatingsError, match=complaint):
        ratings.read(tmp_path)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("[1, 2", "pamela_val_seen.json: not valid JSON"),
        ("{}", "holds a dict; expected a list"),
        ("[3]", "row 1: is a int; expected a dict"),
    ],
)
def test_a_file_of_another_shape_is_refused(tmp_path: Path, content: str, complaint: str) -> None:
    ratings.annotation(written(tmp_path), "val_seen").write_text(content)
    with pytest.raises(RatingsError, match=complaint):
        ratings.read(tmp_path)


def test_missing_files_are_named(tmp_path: Path) -> None:
    ratings.annotation(written(tmp_path), "val_unseen").unlink()
    with pytest.raises(RatingsError, match=r"annotations: lacks pamela_val_unseen.json; expected PAMELA's layout"):
        ratings.read(tmp_path)


def test_a_data_set_without_ratings_is_refused(tmp_path: Path) -> None:
    ratings.write(tmp_path, {})
    with pytest.raises(RatingsError, match="holds no rating at all"):
        ratings.read(tmp_path)


def test_unreadable_images_are_reported_and_left_out_with_their_ratings(tmp_path: Path) -> None:
    folder = written(tmp_path)
    (folder / "images/i1.png").unlink()
    (folder / "images/i3.png").write_bytes((folder / "images/i3.png").read_bytes()[:40])
    rated = ratings.read(folder)
    opened = dict(ratings.open_images(rated))
    unreadable = [image for image in opened.values() if isinstance(image, Unreadable)]
    assert [entry.image for entry in unreadable] == ["i1", "i3"]
    assert unreadable[0].reason == "images/i1.png: no such file"
    assert unreadable[1].reason.startswith("images/i3.png: ")
    kept = rated.without(unreadable)
    assert kept.ratings["image"].tolist() == ["i2"]
    assert kept.images.index.tolist() == ["i2"]
    assert kept.unreadable == tuple(unreadable)


def test_a_row_that_stands_twice_counts_once_and_other_repeats_are_averaged(tmp_path: Path) -> None:
    first, second, *_ = ROWS["train"]
    ratings.write(tmp_path, {"train": [first, second, first, second | {"original_score": 4}], "test_seen": [first]})
    rated = ratings.read(tmp_path)
    assert rated.ratings[["user", "rating", "split"]].to_numpy().tolist() == [
        ["ann", 4.5, "train"],
        ["bob", 2.5, "train"],
        # The same in two splits is leakage, which is for `tastebench stimuli verify` to find, not for a reader to hide.
        ["ann", 4.5, "test_seen"],
    ]
    assert rated.repeats["rating"].tolist() == [1, 4]
    assert rated.skipped == (
        Skipped("exact duplicates of another row of pamela_train.json", 1, "left out", ("row 3",)),
        Skipped("images that somebody rated more than once", 1, "averaged", ("bob, i1",)),
    )


def test_the_files_that_were_read_are_named(tmp_path: Path) -> None:
    assert ratings.read(written(tmp_path)).files == tuple(ratings.annotation(tmp_path, split) for split in ratings.SPLITS)
