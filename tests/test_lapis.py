"""LAPIS in both layouts: scores on one scale, names whatever their encoding, duplicates counted, repeats averaged, splits kept."""

from pathlib import Path

import pandas as pd
import pytest
from rated_made import authors_lapis, lapis, lapis_row, picture

from stimuli.ratings import RatingsError, Unreadable, open_images, read
from stimuli.ratings.lapis import people_of_fold
from stimuli.ratings.skipped import Skipped

ROWS = [lapis_row(1, 1, 0), lapis_row(1, 2, 100), lapis_row(2, 1, 25, age="", demo_gender="", nationality="")]


def written_split(folder: Path) -> Path:
    parts = {"Train": "image-1.jpg\n", "Val": "image-2.jpg\n", "Test": "image-3.jpg\n"}
    (folder / "imageset").mkdir()
    for part, names in parts.items():
        (folder / "imageset" / f"{part}ImageSet.txt").write_text(names)
    return folder


def test_scores_of_0_to_100_become_1_to_5_and_stay_beside(tmp_path: Path) -> None:
    rated = read(lapis(tmp_path, ROWS), layout="lapis")
    assert rated.ratings[["user", "image", "rating", "score"]].to_dict("records") == [
        {"user": "1", "image": "1", "rating": 1.0, "score": 0},
        {"user": "1", "image": "2", "rating": 5.0, "score": 100},
        {"user": "2", "image": "1", "rating": 2.0, "score": 25},
    ]
    assert rated.images.loc["2", ["path", "group", "style", "type"]].tolist() == ["images/image-2.jpg", "portrait", "Baroque", "art"]
    assert rated.users.loc["1", ["age", "gender", "education"]].tolist() == [21, "female", "Doctorate"]
    assert rated.skipped == ()


def test_who_skipped_the_survey_is_kept_without_demographics(tmp_path: Path) -> None:
    rated = read(lapis(tmp_path, ROWS), layout="lapis")
    assert rated.users.loc["2", ["age", "gender", "nationality"]].isna().all()


def test_both_layouts_hold_the_same_ratings(tmp_path: Path) -> None:
    public, authors = lapis(tmp_path / "public", ROWS), authors_lapis(tmp_path / "authors", ROWS)
    one, other = read(public, layout="lapis"), read(authors, layout="lapis")
    pd.testing.assert_frame_equal(one.ratings, other.ratings)
    # The folder before the name in the authors' layout is none on disk.
    assert one.images["path"].tolist() == other.images["path"].tolist()
    assert other.users["2VAIAK4"].tolist() == [2, 2]


def test_exact_duplicates_are_dropped_and_real_repeats_averaged(tmp_path: Path) -> None:
    rows = [lapis_row(1, 1, 40), lapis_row(1, 1, 40), lapis_row(1, 2, 50), lapis_row(1, 2, 90), lapis_row(2, 1, 40)]
    rated = read(lapis(tmp_path, rows), layout="lapis")
    assert rated.ratings[["user", "image", "score"]].to_numpy().tolist() == [["1", "1", 40.0], ["1", "2", 70.0], ["2", "1", 40.0]]
    assert rated.repeats[["user", "image", "rating"]].to_numpy().tolist() == [["1", "2", 3.0], ["1", "2", 4.6]]
    assert rated.skipped == (
        Skipped("exact duplicates of another row", 1, "left out", ("row 3",)),
        Skipped("images that somebody rated more than once", 1, "averaged", ("1, 2",)),
    )


def test_what_is_no_rating_is_counted_with_its_row_and_left_out(tmp_path: Path) -> None:
    rows = [*ROWS, lapis_row(1, 3, 101), lapis_row(1, 4, "good"), lapis_row(1, 5, ""), lapis_row(1, 6, -1), lapis_row(1, 7, 9, image_id="")]
    rated = read(lapis(tmp_path, rows), layout="lapis")
    assert len(rated.ratings) == 3
    assert rated.skipped == (
        Skipped("rows without a user or an image", 1, "left out", ("row 9",)),
        Skipped("rows without a rating", 1, "left out", ("row 7",)),
        Skipped("ratings that are no number from 0 to 100", 3, "left out", ("row 5: 101", "row 6: good", "row 8: -1")),
    )


def test_lines_in_two_encodings_are_both_read(tmp_path: Path) -> None:
    rows = [lapis_row(1, 1, 10, artist="Dürer"), lapis_row(1, 2, 20, artist="Goya"), lapis_row(1, 3, 30, artist="Munch")]
    path = lapis(tmp_path, rows) / "annotation/LAPIS_PIAA.csv"
    path.write_bytes(path.read_bytes().replace(b"Goya", "Miró".encode("latin-1")))
    rated = read(tmp_path, layout="lapis")
    assert rated.images["artist"].tolist() == ["Dürer", "Miró", "Munch"]
    assert rated.skipped == (Skipped("lines in Latin-1 among UTF-8", 1, "read as Latin-1", ("line 3",)),)


@pytest.mark.parametrize(
    ("listed", "on_disk"),
    [("café.jpg", "cafe\u0301.jpg"), ("cafÃ©.jpg", "café.jpg"), ("café.jpg", "caf\udce9.jpg")],
    ids=["composed or not", "UTF-8 read as Latin-1", "bytes in Latin-1"],
)
def test_an_image_is_found_whatever_the_encoding_of_its_name(tmp_path: Path, listed: str, on_disk: str) -> None:
    picture(tmp_path / "images" / "plain.jpg")
    (tmp_path / "images" / "plain.jpg").rename(tmp_path / "images" / on_disk)
    rated = read(lapis(tmp_path, [lapis_row(1, 1, 10, image_filename=listed)]), layout="lapis")
    [(_, image)] = open_images(rated)
    assert not isinstance(image, Unreadable)
    assert rated.skipped == (Skipped("images whose file name is in another encoding", 1, "found", (listed,)),)


def test_missing_and_corrupt_images_are_reported_and_left_out_with_their_ratings(tmp_path: Path) -> None:
    rated = read(lapis(tmp_path, ROWS), layout="lapis")
    picture(tmp_path / "images/image-2.jpg")
    (tmp_path / "images/image-1.jpg").write_bytes(b"\xff\xd8 no image")
    unreadable = [image for _, image in open_images(rated) if isinstance(image, Unreadable)]
    kept = rated.without(unreadable)
    assert kept.ratings["image"].tolist() == ["2"]
    assert kept.report == (Skipped("images that cannot be read", 1, "left out", (unreadable[0].reason,)),)
    assert unreadable[0].reason.startswith("images/image-1.jpg: cannot identify image file")


def test_images_are_split_as_published(tmp_path: Path) -> None:
    rows = [lapis_row(1, image, 50) for image in (1, 2, 3, 4)]
    rated = read(written_split(lapis(tmp_path, rows)), layout="lapis")
    assert rated.ratings["split"].tolist() == ["train", "val_seen", "test_seen"]
    assert rated.skipped == (Skipped("ratings that are in no split", 1, "left out", ("row 5",)),)


def test_the_people_of_a_fold_are_those_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "userset").mkdir()
    (tmp_path / "userset/TestUserIDs_Fold3.txt").write_text("2\n17\n\n")
    assert people_of_fold(tmp_path, 3) == ("2", "17")
    with pytest.raises(RatingsError, match=r"TestUserIDs_Fold4\.txt: no such file; LAPIS's authors give folds 1 to 4"):
        people_of_fold(tmp_path, 4)


def test_half_a_split_is_refused(tmp_path: Path) -> None:
    (written_split(lapis(tmp_path, ROWS)) / "imageset/ValImageSet.txt").unlink()
    with pytest.raises(
        RatingsError, match=r"imageset: lacks ValImageSet\.txt; expected TrainImageSet\.txt, ValImageSet\.txt, TestImageSet\.txt"
    ):
        read(tmp_path, layout="lapis")


def test_another_layout_is_named(tmp_path: Path) -> None:
    with pytest.raises(RatingsError, match=r"annotation: has neither LAPIS_PIAA\.csv nor LAPIS_individualratings_metaANDdemodata\.csv"):
        read(tmp_path, layout="lapis")
    path = lapis(tmp_path, ROWS) / "annotation/LAPIS_PIAA.csv"
    path.write_text(path.read_text().replace("participant_id", "who"))
    with pytest.raises(RatingsError, match=r"LAPIS_PIAA\.csv: lacks the column participant_id; expected one of LAPIS's two layouts"):
        read(tmp_path, layout="lapis")


def test_a_file_without_usable_ratings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RatingsError, match=r"holds no rating that can be used; expected a rating from 0 to 100 in each row"):
        read(lapis(tmp_path, [lapis_row(1, 1, 400)]), layout="lapis")
