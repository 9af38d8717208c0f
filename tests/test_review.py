"""The review before people see the images: what is flagged, how verdicts are kept, and who gets onto the contact sheet."""

import io
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from caller import Caller
from PIL import Image, ImageDraw, ImageEnhance
from study_fixtures import Settings, make_experiment, make_rating_pool
from typer.testing import CliRunner
from watched_study import NOW

from stimuli.experiment import Experiment, ExperimentError
from stimuli.progress import silent
from stimuli.provenance import sha256
from study.config import RatingTable, StudyTable
from study.researcher import commands
from study.researcher.flagging import flags, impression_of
from study.researcher.gallery import Group, Picture, groups_of, hashes_of
from study.researcher.server import address_of, listen, server_of
from study.researcher.sheet import Sheet, sheet_app
from study.researcher.verdicts import Verdicts, approve_all
from study.reviews import read_reviews, summary


def clock() -> datetime:
    return NOW


def scene(seed: int, size: tuple[int, int] = (256, 256)) -> Image.Image:
    """Draw something with structure and colour, as photographs have."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", size, tuple(int(value) for value in rng.integers(40, 200, 3)))
    draw = ImageDraw.Draw(image)
    for _ in range(12):
        x, y, width, height = (int(value) for value in rng.integers(0, min(size), 4))
        draw.ellipse((x, y, x + width // 2 + 8, y + height // 2 + 8), fill=tuple(int(value) for value in rng.integers(0, 255, 3)))
    return image


def flagged(folder: Path, images: dict[str, Image.Image | bytes]) -> dict[str, str]:
    """Save images as those of one prompt, and return what is flagged of each, by name; their order is that of the names."""
    pictures = {}
    for name, image in images.items():
        path = folder / f"{name}.png"
        if isinstance(image, bytes):
            path.write_bytes(image)
        else:
            image.save(path)
        pictures[name] = Picture(sha256(path), path, 1)
    found = flags([Group("A prompt", tuple(pictures.values()))], report=silent)
    return {name: "; ".join(found[picture.sha256]) for name, picture in pictures.items() if picture.sha256 in found}


# --- Flags ---


def test_broken_images_are_flagged_with_what_is_wrong(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    nearly = Image.fromarray(rng.integers(120, 123, (256, 256, 3), dtype=np.uint8))
    dark, bright = Image.new("RGB", (256, 256)), Image.new("RGB", (256, 256), "white")
    for image in (dark, bright):
        ImageDraw.Draw(image).rectangle((0, 0, 20, 20), fill=(200, 30, 90))
    whole = io.BytesIO()
    scene(1).save(whole, format="PNG")
    found = flagged(
        tmp_path,
        {
            "good": scene(1),
            "plain": Image.new("RGB", (256, 256), (90, 120, 60)),
            "nearly-plain": nearly,
            "dark": dark,
            "bright": bright,
            "tiny": scene(2).resize((16, 40)),
            "cut": whole.getvalue()[: len(whole.getvalue()) // 2],
            "text": b"not an image",
            "empty": b"",
        },
    )
    assert found == {
        "plain": "broken? it is one plain colour",
        "nearly-plain": "broken? it is one plain colour",
        "dark": "broken? 99 % of it is black",
        "bright": "broken? 99 % of it is white",
        "tiny": "broken? it has only 16 x 40 pixels",
        "cut": "broken? it cannot be opened (OSError)",
        "text": "broken? it cannot be opened (UnidentifiedImageError)",
        "empty": "broken? it cannot be opened (UnidentifiedImageError)",
    }


def test_a_file_that_was_exchanged_or_is_gone_is_flagged(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    scene(1).save(path)
    pictures = (Picture("0" * 64, path, 1), Picture("1" * 64, tmp_path / "gone.png", 1))
    found = flags([Group("A prompt", pictures)], report=silent)
    assert found["0" * 64] == ("broken? the file is not the one that was listed",)
    assert found["1" * 64] == ("broken? it cannot be opened (FileNotFoundError)",)


def compressed(image: Image.Image) -> Image.Image:
    content = io.BytesIO()
    image.save(content, format="JPEG", quality=40)
    return Image.open(content)


def noisy(image: Image.Image) -> Image.Image:
    pixels = np.asarray(image) + np.random.default_rng(5).normal(0, 8, (*image.size[::-1], 3))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


@pytest.mark.parametrize(
    "change",
    [
        compressed,
        noisy,
        lambda image: image.resize((128, 128)),
        lambda image: ImageEnhance.Brightness(image).enhance(1.04),
        lambda image: image.crop((3, 3, 253, 253)),
    ],
    ids=["compressed", "noise", "smaller", "brighter", "cropped"],
)
@pytest.mark.parametrize("seed", range(3))
def test_what_nobody_would_tell_apart_is_flagged(tmp_path: Path, change: Callable[[Image.Image], Image.Image], seed: int) -> None:
    found = flagged(tmp_path, {"one": scene(seed), "other": change(scene(seed)), "third": scene(seed + 10)})
    assert found == {"one": "nearly the same as image 2", "other": "nearly the same as image 1"}


def test_what_differs_in_content_or_colour_is_not_flagged(tmp_path: Path) -> None:
    image = scene(1)
    other_colours = Image.merge("RGB", image.split()[::-1])
    assert flagged(tmp_path, {str(seed): scene(seed) for seed in range(8)} | {"swapped": other_colours, "turned": image.rotate(90)}) == {}


def test_the_impression_does_not_depend_on_the_size_of_the_image() -> None:
    one, other = impression_of(scene(3)), impression_of(scene(3).resize((512, 512), Image.Resampling.NEAREST))
    assert np.count_nonzero(one.signs != other.signs) <= 2


# --- Which images ---


def test_the_sheet_shows_each_image_of_the_comparison_once_by_prompt_in_an_order_that_tells_nothing(tmp_path: Path) -> None:
    experiment = make_experiment(tmp_path / "experiment")
    groups = groups_of(experiment, StudyTable())
    assert [group.prompt for group in groups] == ["A red boat on a lake", "A <b>bold</b> house & garden"]
    assert [len(group.pictures) for group in groups] == [3, 3]
    assert all([picture.sha256 for picture in group.pictures] == sorted(picture.sha256 for picture in group.pictures) for group in groups)


def test_equal_bytes_under_one_prompt_are_one_image_with_a_flag(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    scene(1).save(path)
    picture = Picture(sha256(path), path, uses=2)
    assert flags([Group("A prompt", (picture,))], report=silent) == {picture.sha256: ("the same file 2 times",)}


def test_a_rating_study_shows_its_pool_or_the_images_of_the_comparison(tmp_path: Path) -> None:
    experiment = make_experiment(tmp_path / "experiment")
    make_rating_pool(experiment)
    assert len(hashes_of(groups_of(experiment, RatingTable()))) == 8
    assert hashes_of(groups_of(experiment, RatingTable(images="stimuli"))) == hashes_of(groups_of(experiment, StudyTable()))
    experiment.rating_images.unlink()
    with pytest.raises(ExperimentError, match=r"rating_images\.parquet: no such file; `tastebench stimuli pool"):
        groups_of(experiment, RatingTable())


# --- Verdicts ---


def verdicts_at(path: Path, reviewer: str = "Ada") -> Verdicts:
    return Verdicts(path, reviewer=reviewer, clock=clock)


def test_a_verdict_is_on_disk_at_once_with_who_and_when(tmp_path: Path) -> None:
    verdicts_at(tmp_path / "reviews.json").say(["aa"], "removed", "harmful")
    review = read_reviews(tmp_path / "reviews.json")["aa"]
    assert (review.verdict, review.reason, review.reviewer, review.at) == ("removed", "harmful", "Ada", "2026-03-01T10:30:00+00:00")


def test_removing_without_a_reason_and_approving_with_one_are_refused(tmp_path: Path) -> None:
    for verdict, reason in (("removed", ""), ("approved", "harmful")):
        with pytest.raises(ExperimentError, match="removed for a reason"):
            verdicts_at(tmp_path / "reviews.json").say(["aa"], verdict, reason)  # type: ignore[arg-type]
    assert not (tmp_path / "reviews.json").exists()


def test_two_tabs_do_not_lose_each_others_verdicts(tmp_path: Path) -> None:
    tabs = [verdicts_at(tmp_path / "reviews.json", f"tab {number}") for number in range(4)]

    def review(number: int) -> None:
        for image in range(25):
            tabs[number].say([f"{number}-{image}"], "approved")

    threads = [threading.Thread(target=review, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_reviews(tmp_path / "reviews.json")) == 100


REVIEW_MUCH = """
import datetime, pathlib, sys
from study.researcher.verdicts import Verdicts
verdicts = Verdicts(pathlib.Path(sys.argv[1]), reviewer="Ada", clock=lambda: datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC))
for image in range(25):
    verdicts.say([f"{sys.argv[2]}-{image}"], "approved")
"""


def test_two_servers_do_not_lose_each_others_verdicts(tmp_path: Path) -> None:
    command = [sys.executable, "-c", REVIEW_MUCH, str(tmp_path / "reviews.json")]
    processes = [subprocess.Popen([*command, str(number)]) for number in range(2)]
    assert [process.wait() for process in processes] == [0, 0]
    assert len(read_reviews(tmp_path / "reviews.json")) == 50


def test_undoing_brings_back_what_stood_there_before(tmp_path: Path) -> None:
    path = tmp_path / "reviews.json"
    verdicts_at(path, "Grace").say(["aa"], "approved")
    verdicts = verdicts_at(path)
    said = verdicts.say(["aa", "bb"], "removed", "other")
    assert verdicts.undo(said) == ["aa", "bb"]
    assert {sha: review.reviewer for sha, review in read_reviews(path).items()} == {"aa": "Grace"}
    assert verdicts.undo(said) == []
    assert verdicts.undo(99) == []


def test_undoing_leaves_alone_what_somebody_else_said_since(tmp_path: Path) -> None:
    path = tmp_path / "reviews.json"
    verdicts = verdicts_at(path)
    said = verdicts.say(["aa"], "approved")
    verdicts_at(path, "Grace").say(["aa"], "removed", "harmful")
    assert verdicts.undo(said) == []
    assert read_reviews(path)["aa"].verdict == "removed"


def test_approving_the_rest_leaves_what_somebody_said_in_the_meantime(tmp_path: Path) -> None:
    path = tmp_path / "reviews.json"
    verdicts_at(path, "Grace").say(["aa"], "removed", "harmful")
    verdicts = verdicts_at(path)
    said = verdicts.say(["aa", "bb"], "approved", overrule=False)
    assert {sha256: review.verdict for sha256, review in read_reviews(path).items()} == {"aa": "removed", "bb": "approved"}
    assert verdicts.undo(said) == ["bb"]


def test_approving_all_leaves_verdicts_alone_and_is_recorded_as_such(tmp_path: Path) -> None:
    path = tmp_path / "reviews.json"
    verdicts_at(path).say(["aa"], "removed", "broken")
    assert approve_all(path, ["aa", "bb", "cc"], by="Ada", clock=clock) == 2
    assert approve_all(path, ["aa", "bb", "cc"], by="Ada", clock=clock) == 0
    found = summary(["aa", "bb", "cc"], read_reviews(path))
    assert (found.approved, found.removed, found.unreviewed, found.reviewers) == (2, 1, 0, ("Ada", "Ada (all at once)"))


def test_approving_all_counts_only_what_it_stored(tmp_path: Path) -> None:
    path = tmp_path / "reviews.json"

    def clock_at_which_somebody_removes_one() -> datetime:
        verdicts_at(path, "Grace").say(["bb"], "removed", "harmful")
        return clock()

    assert approve_all(path, ["aa", "bb", "cc"], by="Ada", clock=clock_at_which_somebody_removes_one) == 2


# --- Who gets onto the sheet ---


@dataclass
class Opened:
    experiment: Experiment
    sheet: Sheet
    address: str
    token: str

    def caller(self) -> Caller:
        caller = Caller(self.address)
        assert caller.get(f"/?token={self.token}").status == 303
        return caller


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    experiment = make_experiment(tmp_path / "experiment")
    groups = groups_of(experiment, StudyTable())
    listening = listen("127.0.0.1", None)
    sheet = Sheet(groups, {}, verdicts_at(experiment.reviews), title="A study")
    server = server_of(sheet_app(sheet, port=listening.getsockname()[1]))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield Opened(experiment, sheet, address_of(listening), sheet.token)
    server.should_exit = True
    thread.join()


def test_the_printed_address_works_for_one_browser_and_once(opened: Opened) -> None:
    stranger = Caller(opened.address)
    assert stranger.get("/").status == 403
    assert stranger.get("/?token=guess").status == 403
    assert stranger.get("/?token=").status == 403
    first = opened.caller()
    assert first.get("/").status == 200
    # The same browser may use its bookmark; another one may not use the address that is used up.
    assert first.get(f"/?token={opened.token}").headers["Location"] == "/"
    assert stranger.get(f"/?token={opened.token}").status == 403
    assert stranger.get("/?token=").status == 403


def test_a_stranger_sees_no_image_and_says_nothing(opened: Opened) -> None:
    stranger = Caller(opened.address)
    assert stranger.get("/image/small/0").status == 404
    assert stranger.get("/reviews").status == 403
    token = opened.caller().get("/").form_token
    assert stranger.post_json("/verdict", {"form_token": token, "images": "0", "verdict": "approved"}).status == 403
    assert not opened.experiment.reviews.exists()


def test_a_verdict_needs_the_token_of_this_page_and_must_be_one(opened: Opened) -> None:
    caller = opened.caller()
    token = caller.get("/").form_token
    good = {"form_token": token, "images": "0,1", "verdict": "removed", "reason": "harmful"}
    assert caller.post_json("/verdict", good | {"form_token": ""}).status == 403
    assert caller.post_json("/undo", {"said": "0"}).status == 403
    for bad in ({"images": ""}, {"images": "6"}, {"images": "-1"}, {"images": "²"}, {"images": "0,x"}, {"verdict": "x"}, {"reason": "x"}):
        assert caller.post_json("/verdict", good | bad).status == 400
    assert caller.post_json("/verdict", [1]).status == 403
    assert not opened.experiment.reviews.exists()
    assert caller.post_json("/verdict", good).status == 200
    assert len(read_reviews(opened.experiment.reviews)) == 2


def test_a_page_under_another_name_cannot_reach_the_sheet(opened: Opened) -> None:
    caller = opened.caller()
    for name in ("evil.example", f"evil.example:{opened.address.rpartition(':')[2]}", "127.0.0.1"):
        assert caller.get("/", Host=name).status == 421
    assert caller.get("/").status == 200


def test_nothing_on_the_sheet_tells_how_an_image_was_made(opened: Opened) -> None:
    caller = opened.caller()
    told = caller.get("/").body + caller.get("/reviews").body + b"".join(caller.get(f"/image/{size}/0").body for size in ("small", "large"))
    for secret in (
        "zebrafinch",
        "quokkaleap",
        "walrusking",
        "lemurqueen",
        "secretmetadata",
        "noisegenerator",
        "golden light",
        "scorer",
        "img-",
    ):
        assert secret.encode() not in told
    assert b"A red boat on a lake" in told


def test_a_prompt_is_text_and_an_image_that_cannot_be_opened_has_a_stand_in(opened: Opened) -> None:
    caller = opened.caller()
    assert "A &lt;b&gt;bold&lt;/b&gt; house" in caller.get("/").text
    groups_of(opened.experiment, StudyTable())[0].pictures[0].path.write_bytes(b"broken")
    assert caller.get("/image/small/0").headers["Content-Type"] == "image/svg+xml"
    assert {caller.get(f"/image/{path}").status for path in ("small/6", "small/-1", "small/../0", "small/%2e%2e%2fstudy.toml")} == {404}


def test_a_full_disk_is_told_and_nothing_is_lost(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = opened.caller()
    token = caller.get("/").form_token

    def full(*_: object, **__: object) -> None:
        raise ExperimentError("the disk is full")

    monkeypatch.setattr("study.researcher.verdicts.write_reviews", full)
    answer = caller.post_json("/verdict", {"form_token": token, "images": "0", "verdict": "approved"})
    assert (answer.status, answer.text) == (503, '{"problem":"the disk is full"}')


# --- The command ---


def test_approving_all_by_the_command_says_what_it_did_and_by_whom(tmp_path: Path) -> None:
    experiment = make_experiment(tmp_path / "experiment")
    settle: Callable[[Path], tuple[Experiment, Settings]] = lambda folder: (Experiment(folder), Settings())  # noqa: E731
    result = CliRunner().invoke(commands.app, ["review", str(experiment.folder), "--approve-all", "--by", "Ada L."], obj=settle)
    assert result.exit_code == 0
    assert result.output == (
        "6 images approved at once, unseen by this toolkit's sheet; the report says that Ada L. approved them so.\n"
        f"{experiment.reviews}: 6 images approved, 0 removed, 0 unreviewed, by Ada L. (all at once)\n"
        f"Next: tastebench study serve {experiment.folder}\n"
    )


@pytest.mark.parametrize("name", ["", " ", "x" * 81, "Ada\nL."])
def test_a_name_that_no_report_can_show_is_refused(tmp_path: Path, name: str) -> None:
    experiment = make_experiment(tmp_path / "experiment")
    settle: Callable[[Path], tuple[Experiment, Settings]] = lambda folder: (Experiment(folder), Settings())  # noqa: E731
    result = CliRunner().invoke(commands.app, ["review", str(experiment.folder), "--approve-all", "--by", name], obj=settle)
    assert isinstance(result.exception, ExperimentError)
    assert "is no name for the report" in str(result.exception)
    assert not experiment.reviews.exists()


def test_a_port_that_is_taken_is_told() -> None:
    with (
        listen("127.0.0.1", None) as taken,
        pytest.raises(ExperimentError, match=r"another program may have it\. Choose another with --port"),
    ):
        listen("127.0.0.1", taken.getsockname()[1])
