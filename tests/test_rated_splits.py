"""Splits drawn from a seed with hashes, several data sets as one, and the questions a release is asked."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rated_made import lapis, lapis_row, people_with_tastes, rated

from stimuli.ratings import RatingsError, read, splits, verify
from stimuli.ratings.joint import joined
from stimuli.ratings.splits import Shares

MANY = people_with_tastes([1] * 10 + [-1] * 10, images=50, noise=0.5)
ROWS = [lapis_row(user, image, 10 * user) for user in range(1, 9) for image in range(1, 11)]


@given(st.integers(0, 2**32 - 1), st.floats(0, 0.45), st.floats(0, 0.45))
def test_whatever_the_seed_and_the_shares_nothing_leaks(seed: int, val: float, test: float) -> None:
    split = splits.draw(MANY, seed=seed, shares=Shares(val, test, val_users=test / 2, test_users=val / 2))
    divided = replace(MANY, ratings=MANY.ratings.assign(split=splits.placed_in(split, MANY.ratings)).dropna(subset="split"))
    assert all(check.right for check in verify.leakage(divided))
    assert sum(split.rows.values()) == len(divided.ratings)


def test_a_split_has_the_shares_that_were_asked_for() -> None:
    split = splits.draw(MANY, seed=1, shares=Shares(0.2, 0.3, val_users=0.1, test_users=0.2))
    assert [len(part) for part in (split.val_images, split.test_images, split.val_users, split.test_users)] == [10, 15, 2, 4]
    assert split.rows == {"train": 14 * 25, "val_seen": 14 * 10, "val_unseen": 2 * 10, "test_seen": 14 * 15, "test_unseen": 4 * 15}


def test_the_same_seed_gives_the_same_split_in_whatever_order_the_rows_are() -> None:
    shuffled = replace(MANY, ratings=MANY.ratings.sample(frac=1, random_state=5))
    assert splits.draw(shuffled, seed=4) == splits.draw(MANY, seed=4)
    assert splits.draw(MANY, seed=5) != splits.draw(MANY, seed=4)


def test_the_hashes_say_which_pairs_are_in_a_split() -> None:
    one = rated([("a", "1", 3), ("b", "1", 4)])
    other = rated([("b", "1", 1), ("a", "1", 2)])
    assert splits.pairs_hash(one.ratings) == splits.pairs_hash(other.ratings)
    assert splits.pairs_hash(one.ratings) != splits.pairs_hash(rated([("a", "1", 3), ("b", "2", 4)]).ratings)


def test_a_published_fold_keeps_its_images_and_its_people_and_nothing_leaks(tmp_path: Path) -> None:
    published = read(with_images_divided(lapis(tmp_path, ROWS)), layout="lapis")
    split = splits.of_fold(published, ["2", "7", "99"], 3, seed=1, val_users=0.2)
    assert (split.fold, split.test_users, split.val_images, split.test_images) == (3, ("2", "7"), ("7", "8"), ("10", "9"))
    assert len(split.val_users) == 1
    assert not set(split.val_users) & {"2", "7"}
    assert split.rows == {"train": 5 * 6, "val_seen": 5 * 2, "val_unseen": 2, "test_seen": 5 * 2, "test_unseen": 2 * 2}
    splits.write(tmp_path, split)
    assert splits.read(tmp_path / "splits.json") == split
    divided = read(tmp_path, layout="lapis")
    assert all(check.right for check in verify.leakage(divided))
    assert splits.of_fold(published, ["2", "7"], 3, seed=1, val_users=0.2) == split


def test_a_fold_needs_images_that_are_divided_and_people_who_rated(tmp_path: Path) -> None:
    bare = read(lapis(tmp_path, ROWS), layout="lapis")
    with pytest.raises(RatingsError, match="says not which images are for validation and test, and a fold needs to know; add imageset/"):
        splits.of_fold(bare, ["2"], 1, seed=1, val_users=0.1)
    with pytest.raises(RatingsError, match="holds no rating by the 1 people of fold 1; is userset/ of the same release"):
        splits.of_fold(read(with_images_divided(tmp_path), layout="lapis"), ["99"], 1, seed=1, val_users=0.1)


def with_images_divided(folder: Path) -> Path:
    """Say in LAPIS's own way that images 7 and 8 are for validation, and 9 and 10 for test."""
    parts = {"Train": range(1, 7), "Val": (7, 8), "Test": (9, 10)}
    (folder / "imageset").mkdir()
    for part, images in parts.items():
        (folder / f"imageset/{part}ImageSet.txt").write_text("".join(f"image-{image}.jpg\n" for image in images))
    return folder


def test_a_written_split_takes_the_place_of_the_published_one(tmp_path: Path) -> None:
    published = read(lapis(tmp_path, ROWS), layout="lapis")
    split = splits.draw(published, seed=1)
    path = splits.write(tmp_path, split)
    assert splits.read(path) == split
    divided = read(tmp_path, layout="lapis")
    counts = divided.ratings.groupby("split").size().to_dict()
    assert counts == {name: rows for name, rows in split.rows.items() if rows}
    assert divided.skipped[-1].kind == "ratings by people whom splits.json sets aside, of other images"
    assert divided.skipped[-1].count == len(published.ratings) - len(divided.ratings)
    assert path in divided.files
    path.unlink()
    assert set(read(tmp_path, layout="lapis").ratings["split"]) == {"train"}


def test_a_split_of_other_ratings_is_refused(tmp_path: Path) -> None:
    splits.write(tmp_path, splits.draw(read(lapis(tmp_path, ROWS), layout="lapis"), seed=1))
    lapis(tmp_path, ROWS[1:])
    with pytest.raises(RatingsError, match=r"splits\.json: was drawn for other ratings than those in .*; delete it to use the published"):
        read(tmp_path, layout="lapis")


@pytest.mark.parametrize(
    ("content", "complaint"), [("{", "holds no split"), ('{"version": 9}', "version 9, and this reads 1"), ("{}", "holds no")]
)
def test_a_file_that_is_no_split_is_refused(tmp_path: Path, content: str, complaint: str) -> None:
    (tmp_path / "splits.json").write_text(content)
    with pytest.raises(RatingsError, match=rf"splits\.json: {complaint}"):
        read(lapis(tmp_path, ROWS), layout="lapis")


def test_a_split_is_json_for_everybody(tmp_path: Path) -> None:
    split = splits.draw(read(lapis(tmp_path, ROWS), layout="lapis"), seed=1)
    content = json.loads(splits.write(tmp_path, split).read_text())
    assert content["seed"] == 1
    assert set(content["sha256"]) == {"train", "val_seen", "val_unseen", "test_seen", "test_unseen"}


def test_shares_that_leave_nothing_are_refused() -> None:
    with pytest.raises(RatingsError, match=r"shares of 0\.5 and 0\.5 leave none of the 50 images to learn from"):
        splits.draw(MANY, seed=1, shares=Shares(0.5, 0.5))


def test_joint_data_sets_have_ids_of_their_own_and_one_scale() -> None:
    near = rated([("1", "a", 1), ("1", "b", 2), ("2", "a", 3)], folder=Path("/data/near"))
    far = rated([("1", "a", 2), ("1", "c", 4), ("3", "a", 5), ("3", "c", 5)], folder=Path("/data/far"))
    joint = joined({"near": near, "far": far})
    known = joint.rated.ratings
    assert known["user"].tolist() == ["near:1", "near:1", "near:2", "far:1", "far:1", "far:3", "far:3"]
    assert joint.rated.images.loc["far:c", "path"] == "/data/far/c.png"
    assert set(joint.rated.users.index) == {"near:1", "near:2", "far:1", "far:3"}
    # The first data set keeps its ratings, the other gets its mean and spread.
    assert known["rating"][:3].tolist() == [1, 2, 3]
    assert known["rating"][3:].mean() == pytest.approx(2)
    assert known["rating"][3:].std() == pytest.approx(1)
    assert known["given"][3:].tolist() == [2, 4, 5, 5]
    assert joint.scales["far"].back(known["standard"][3:]).tolist() == pytest.approx([2, 4, 5, 5])


@pytest.mark.parametrize(("balance", "ratio"), [(1.0, 1.0), (0.0, 3.0), (0.5, 3**0.5)])
def test_weights_balance_the_data_sets(balance: float, ratio: float) -> None:
    small = rated([("u", f"i{n}", 1 + n % 5) for n in range(10)])
    large = rated([("u", f"i{n}", 1 + n % 5) for n in range(30)])
    known = joined({"small": small, "large": large}, balance=balance).rated.ratings
    total = known.groupby("dataset")["weight"].sum()
    assert total["large"] / total["small"] == pytest.approx(ratio)
    assert known["weight"].mean() == pytest.approx(1)


def test_only_ratings_to_learn_from_set_the_scale_and_the_weights() -> None:
    train = rated([("u", "a", 1), ("u", "b", 3)])
    test = rated([("u", "c", 5)], split="test_seen")
    both = replace(train, ratings=pd.concat([train.ratings, test.ratings]), images=pd.concat([train.images, test.images]))
    known = joined({"one": both}).rated.ratings
    assert known["standard"].tolist() == pytest.approx([-np.sqrt(0.5), np.sqrt(0.5), 3 * np.sqrt(0.5)])
    assert known["weight"].tolist() == [1, 1, 1]


def test_what_cannot_be_joined_is_refused() -> None:
    one = rated([("u", "a", 1), ("u", "b", 3)])
    with pytest.raises(RatingsError, match="no data set to join"):
        joined({})
    with pytest.raises(RatingsError, match='data set "flat": its split "train" has no ratings that differ'):
        joined({"one": one, "flat": rated([("u", "a", 3), ("u", "b", 3)])})
    with pytest.raises(RatingsError, match="the ratings of two are simulated, the others are by people; they are not to be mixed"):
        joined({"one": one, "two": replace(one, simulated=True)})


def leaking(rows: list[tuple[str, str, str]]) -> dict[str, str]:
    """Return what leaks between (user, image, split), by question."""
    table = pd.DataFrame(rows, columns=["user", "image", "split"]).assign(rating=3.0)
    return {check.what: check.found for check in verify.leakage(replace(MANY, ratings=table)) if not check.right}


@pytest.mark.parametrize(
    ("row", "what", "found"),
    [
        (("b", "1", "val_seen"), "images of train in validation", "1 (1)"),
        (("b", "1", "test_seen"), "images of train in test", "1 (1)"),
        (("z", "2", "test_unseen"), "images of validation in test", "1 (2)"),
        (("a", "3", "test_unseen"), "unseen people of test among the seen", "1 (a)"),
        (("a", "2", "val_unseen"), "unseen people of validation among the seen", "1 (a)"),
        (("c", "3", "test_unseen"), "unseen people of validation in test", "1 (c)"),
        (("z", "3", "test_seen"), "seen people of whom train knows nothing", "1 (z)"),
        (("b", "2", "val_unseen"), "ratings that stand in two splits", "1 (b, 2)"),
    ],
)
def test_each_leak_is_found_and_named(row: tuple[str, str, str], what: str, found: str) -> None:
    clean = [("a", "1", "train"), ("b", "1", "train"), ("b", "2", "val_seen"), ("c", "2", "val_unseen"), ("b", "3", "test_seen")]
    assert leaking(clean) == {}
    assert leaking([*clean, row])[what] == found


def test_numbers_are_compared_with_the_published_ones() -> None:
    found = {(check.part, check.what): check for check in verify.counts(MANY, verify.PUBLISHED["pamela"])}
    assert found["train", "ratings"] == verify.Check("ratings", "1,000", "50,222", False, part="train")
    assert found["all", "people"].expected is None
    assert all(check.right for check in verify.counts(MANY))


def test_the_published_numbers_of_pamela_add_up() -> None:
    pamela = verify.PUBLISHED["pamela"]
    assert (
        sum(pamela[split].ratings or 0 for split in ("train", "val_seen", "val_unseen", "test_seen", "test_unseen"))
        == pamela["all"].ratings
    )
    assert sum(pamela[split].images or 0 for split in ("train", "val_seen", "test_seen")) == pamela["all"].images
