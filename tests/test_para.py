"""PARA's layout: images by session, people from their own table, the published split, and what cannot be used."""

from pathlib import Path

import pytest
from rated_made import para

from stimuli.ratings import RatingsError, read
from stimuli.ratings.skipped import Skipped

ROWS = [("s1", "a.jpg", "u1", 3.5), ("s1", "a.jpg", "u2", 1), ("s2", "a.jpg", "u1", 5)]


def test_images_are_told_apart_by_session_and_split_as_published(tmp_path: Path) -> None:
    rated = read(para(tmp_path, ROWS), layout="para")
    assert rated.ratings[["user", "image", "rating", "split"]].to_numpy().tolist() == [
        ["u1", "s1/a.jpg", 3.5, "train"],
        ["u2", "s1/a.jpg", 1.0, "train"],
        ["u1", "s2/a.jpg", 5.0, "test_seen"],
    ]
    assert rated.images.loc["s2/a.jpg", ["path", "group", "type"]].tolist() == ["imgs/s2/a.jpg", "portrait", "photograph"]
    assert rated.users.loc["u1", ["age", "gender", "EducationalLevel"]].tolist() == ["22-25", "female", "university"]
    assert rated.skipped == ()


def test_without_the_files_of_the_split_all_is_to_learn_from(tmp_path: Path) -> None:
    assert set(read(para(tmp_path, ROWS, split=False), layout="para").ratings["split"]) == {"train"}


def test_unknown_people_unusable_ratings_and_duplicates_are_counted(tmp_path: Path) -> None:
    rows = [*ROWS, ROWS[0], ("s1", "a.jpg", "u9", 4), ("s1", "a.jpg", "u2", 5.5), ("s1", "", "u2", 2), ("s2", "a.jpg", "u1", 4)]
    rated = read(para(tmp_path, rows), layout="para")
    assert rated.ratings[["user", "rating"]].to_numpy().tolist() == [["u1", 3.5], ["u2", 1.0], ["u1", 4.5], ["u9", 4.0]]
    assert rated.users.loc["u9"].isna().all()
    assert rated.skipped == (
        Skipped("rows without a user or an image", 1, "left out", ("row 8",)),
        Skipped("ratings that are no number from 1 to 5", 1, "left out", ("row 7: 5.5",)),
        Skipped("exact duplicates of another row", 1, "left out", ("row 5",)),
        Skipped("people whom PARA-UserInfo.csv does not list", 1, "kept, nothing is known of them", ("u9",)),
        Skipped("images that somebody rated more than once", 1, "averaged", ("u1, s2/a.jpg",)),
    )


def test_images_in_neither_part_are_left_out(tmp_path: Path) -> None:
    para(tmp_path, ROWS)
    train = tmp_path / "annotation/PARA-GiaaTrain.csv"
    train.write_text("imageName,sessionId\n")
    rated = read(tmp_path, layout="para")
    assert rated.skipped == (Skipped("ratings that are in no split", 2, "left out", ("row 2", "row 3")),)


@pytest.mark.parametrize(
    ("file", "content", "complaint"),
    [
        ("PARA-UserInfo.csv", None, r"PARA-UserInfo\.csv: no such file; expected PARA's layout"),
        ("PARA-Images.csv", "a,b\n1,2\n", r"PARA-Images\.csv: lacks the column sessionId, imageName, userId, aestheticScore"),
        ("PARA-Images.csv", "", r"PARA-Images\.csv: no table that can be read"),
        ("PARA-GiaaTest.csv", None, r"PARA-GiaaTest\.csv: no such file"),
    ],
)
def test_another_layout_is_named(tmp_path: Path, file: str, content: str | None, complaint: str) -> None:
    path = para(tmp_path, ROWS) / "annotation" / file
    path.unlink()
    if content is not None:
        path.write_text(content)
    with pytest.raises(RatingsError, match=complaint):
        read(tmp_path, layout="para")


def test_a_file_without_usable_ratings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RatingsError, match=r"PARA-Images\.csv: holds no rating that can be used; expected aestheticScore from 1 to 5"):
        read(para(tmp_path, [("s1", "a.jpg", "u1", 0)]), layout="para")
