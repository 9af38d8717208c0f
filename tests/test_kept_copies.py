"""Small copies of images: kept from one report to the next, and never that of another picture."""

import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from reported_experiment import example_results, write_example
from typer.testing import CliRunner

from reports.kept_copies import Copies, small_copy
from reports.page import build
from reports.thumbnails import thumbnails
from stimuli.experiment import ExperimentError
from stimuli.progress import silent
from tastebench import app

NAMES = ("a.png", "b.png", "c.png")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for place, name in enumerate(NAMES):
        paint(tmp_path / name, seed=place)
    return tmp_path


def paint(path: Path, *, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize((320, 240)).save(path)


def shown(folder: Path, names: tuple[str, ...] = NAMES, *, kept: Path | None = None) -> dict[str, str]:
    copies = Copies(folder, kept)
    made = thumbnails(copies, names, budget=10**6, report=silent).uris
    copies.keep()
    return made


def entries(kept: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(kept) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def test_kept_copies_are_those_that_would_be_made(folder: Path) -> None:
    kept = folder / "work" / "copies.zip"
    fresh = shown(folder)
    assert shown(folder, kept=kept) == fresh
    assert len(entries(kept)) == len(NAMES)
    assert shown(folder, kept=kept) == fresh


def test_a_kept_copy_is_not_made_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = folder / "copies.zip"
    fresh = shown(folder, kept=kept)
    written = kept.stat().st_mtime_ns

    def opened(*_: object) -> None:
        raise AssertionError("an image was decoded")

    monkeypatch.setattr(Image, "open", opened)
    assert shown(folder, kept=kept) == fresh
    assert kept.stat().st_mtime_ns == written, "nothing new, so nothing is written"


def test_a_picture_that_changed_under_its_name_has_no_old_copy(folder: Path) -> None:
    kept = folder / "copies.zip"
    before = shown(folder, kept=kept)
    paint(folder / "b.png", seed=77)
    after = shown(folder, kept=kept)
    assert after["b.png"] != before["b.png"]
    assert {name: after[name] for name in ("a.png", "c.png")} == {name: before[name] for name in ("a.png", "c.png")}
    assert after == shown(folder)


def test_pictures_that_change_names_change_copies(folder: Path) -> None:
    kept = folder / "copies.zip"
    before = shown(folder, kept=kept)
    first, second = (folder / name for name in NAMES[:2])
    first.rename(folder / "aside.png")
    second.rename(first)
    (folder / "aside.png").rename(second)
    after = shown(folder, kept=kept)
    assert (after["a.png"], after["b.png"]) == (before["b.png"], before["a.png"])


def test_copies_of_pictures_that_are_no_longer_shown_are_not_kept(folder: Path) -> None:
    kept = folder / "copies.zip"
    shown(folder, kept=kept)
    shown(folder, NAMES[:1], kept=kept)
    assert len(entries(kept)) == 1


def test_copies_that_cannot_be_kept_cost_one_line_and_no_report(tmp_path: Path) -> None:
    experiment = write_example(tmp_path / "study", replace(example_results(), contrasts=(), pairs=()), size=64)
    experiment.settings.unlink()
    shutil.rmtree(experiment.work, ignore_errors=True)
    experiment.work.write_text("a file where the folder should be")
    done = CliRunner().invoke(app, ["reports", "build", str(experiment.folder)])
    assert done.exit_code == 0, done.output
    assert "data:image/webp" in (experiment.report / "index.html").read_text()
    assert done.stderr.startswith("The report is whole; the next one will make the small copies of the images again")
    assert done.stderr.count("\n") == 1


def test_copies_are_kept_after_the_page(tmp_path: Path) -> None:
    experiment = write_example(tmp_path / "study", replace(example_results(), contrasts=(), pairs=()), size=64)
    (experiment.report / "index.html").mkdir(parents=True)
    with pytest.raises(ExperimentError):
        build(experiment, title="No place for the page")
    assert not experiment.small_copies.exists()


@pytest.mark.parametrize("damage", ["cut", "altered", "nonsense", "empty"])
def test_a_damaged_file_is_made_anew(folder: Path, damage: str) -> None:
    kept = folder / "copies.zip"
    fresh = shown(folder, kept=kept)
    content = kept.read_bytes()
    if damage == "empty":
        kept.write_bytes(b"")
    else:
        place = content.index(b"WEBP") + 40
        altered = content[:place] + bytes([content[place] ^ 255]) + content[place + 1 :]
        kept.write_bytes({"cut": content[: len(content) // 2], "altered": altered, "nonsense": b"not a zip"}[damage])
    assert shown(folder, kept=kept) == fresh
    assert len(entries(kept)) == len(NAMES)


def test_sizes_and_qualities_have_copies_of_their_own(folder: Path) -> None:
    copies = Copies(folder, folder / "copies.zip")
    assert len({copies.of("a.png", *how) for how in ((200, 80), (100, 80), (200, 30))}) == 3


def test_a_photograph_lying_on_its_side_stands_upright_on_white(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (900, 600), (200, 30, 30)).save(tmp_path / "side.jpg", exif=exif)
    Image.new("RGBA", (300, 300), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    side, clear = small_copy(tmp_path, "side.jpg", 120), small_copy(tmp_path, "clear.png", 120)
    assert side is not None and side.size == (80, 120)
    assert clear is not None and clear.mode == "RGB" and clear.getpixel((60, 60)) == (255, 255, 255)
