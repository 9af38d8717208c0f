"""The reproduction bundle: anybody can make the same bytes from it, and nobody can read in it who took part."""

import csv
import hashlib
import html
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, fields, make_dataclass, replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from finished_study import LOOKED_ON, PANEL, PEOPLE, REVIEWER, SAID, SECRET, finished
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from typer.testing import CliRunner

from analysis.fit import fit_experiment
from analysis.results import read_results
from reports import bundle_dictionary, bundle_settings
from reports.bundle import bundle, zipped
from reports.bundle_checks import perhaps_names, require_no_names, require_same_results
from reports.bundle_dictionary import FURTHER, TABLES, dictionary, stale
from reports.bundle_staging import stage
from reports.pseudonyms import pseudonyms
from stimuli.experiment import Experiment, ExperimentError
from stimuli.manifest import read_stimuli, write_stimuli
from stimuli.provenance import sha256
from study.lock import changed, read_lock
from study.reviews import read_reviews, write_reviews
from study.votes import read_participants, read_votes, write_participants, write_votes
from tastebench import app, settle

NAMES = (*PEOPLE, LOOKED_ON)
# Somebody who looked on, and whose name may be meant otherwise: a prompt is called so too.
PERHAPS = "boat"


@dataclass(frozen=True)
class Packed:
    """A study, its zip, and the folder that the zip was unpacked into, which is somewhere else; `told` is what packing printed."""

    study: Experiment
    zip: Path
    folder: Path
    told: str


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Packed:
    study = finished(tmp_path_factory.mktemp("home") / "study")
    rows = read_participants(study.participants)
    write_participants(study.participants, [*rows, replace(rows[-1], participant=PERHAPS, slot=10)])
    done = CliRunner().invoke(app, ["reports", "bundle", str(study.folder)])
    assert done.exit_code == 0, done.output
    away = tmp_path_factory.mktemp("away")
    with zipfile.ZipFile(study.folder / "bundle.zip") as archive:
        archive.extractall(away)
    return Packed(study, study.folder / "bundle.zip", away / "bundle", done.output)


@pytest.fixture
def study(tmp_path: Path, packed: Packed) -> Experiment:
    """Return a study that a test may change."""
    shutil.copytree(packed.study.folder, tmp_path / "study", ignore=shutil.ignore_patterns("bundle.zip"))
    return Experiment(tmp_path / "study")


def pack(study: Experiment) -> tuple[str, ...]:
    return bundle(study, settle(study.folder)[1], to=study.folder / "bundle.zip").files


def staged(study: Experiment, folder: Path) -> Experiment:
    """Return the study under new names in `folder`, before anything is made from it."""
    folder.mkdir()
    stage(study, Experiment(folder), seed=settle(study.folder)[1].experiment.seed)
    return Experiment(folder)


def rebuilt(folder: Path, elsewhere: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(folder / "rebuild.py")]
    return subprocess.run(command, cwd=elsewhere, env=environment, capture_output=True, text=True, check=False)


def texts(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield everything that can be read in a folder: names of files, bytes as they are, tables cell by cell, pages unescaped."""
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        yield "names of files", name
        if path.is_file():
            content = path.read_bytes()
            yield name, content.decode("latin-1")
            if path.suffix == ".parquet":
                yield name, "\n".join(str(row) for row in pq.read_table(path).to_pylist())
                yield name, str(pq.read_metadata(path).metadata)
            if path.suffix in (".html", ".svg", ".md"):
                yield name, html.unescape(content.decode())


def test_the_script_notices_other_results_and_other_votes(packed: Packed, tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(packed.folder, folder)
    votes = read_votes(folder / "votes.parquet")
    write_votes(folder / "votes.parquet", [replace(votes[0], choice="left" if votes[0].choice == "right" else "right"), *votes[1:]])
    done = rebuilt(folder, tmp_path)
    assert (done.returncode, done.stderr) == (2, "These files are not as they were packed: votes.parquet. Unpack the bundle anew.\n")
    listed = json.loads((folder / "bundle.json").read_text())
    listed["files"]["votes.parquet"] = hashlib.sha256((folder / "votes.parquet").read_bytes()).hexdigest()
    (folder / "bundle.json").write_text(json.dumps(listed))
    done = rebuilt(folder, tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search(r"Not the same: .*report/index\.html, .*results\.json", done.stderr)


def test_nobody_can_be_read_in_it(packed: Packed) -> None:
    for where, text in texts(packed.folder):
        for name in (*NAMES, PANEL, SECRET, SAID, REVIEWER, "C0MPLETE77", "1437x811", ":17.123"):
            assert name not in text, f"{name} in {where}"


def test_only_what_is_on_the_list_goes_in(packed: Packed) -> None:
    at_top = {path.name for path in packed.folder.iterdir()}
    assert at_top == {
        *("votes.parquet", "participants.parquet", "ratings.parquet", "stimuli.parquet", "steps.parquet", "candidates.parquet"),
        *("rescored.parquet", "reviews.json", "images", "study.toml", "lock.json", "stimuli.json", "results.json", "report"),
        *("dictionary.csv", "requirements.txt", "environment.json", "rebuild.py", "README.md", "bundle.json"),
    }
    assert len(list((packed.folder / "images").iterdir())) == len(read_stimuli(packed.study.stimuli))
    assert {path.suffix for path in (packed.folder / "images").iterdir()} == {".png"}


def test_a_person_has_one_pseudonym_in_every_table(packed: Packed) -> None:
    before, after = read_votes(packed.study.votes), read_votes(packed.folder / "votes.parquet")
    key = {(old.participant, old.position): old for old in before}
    by_pair = {(old.prompt, old.choice, old.response_ms, old.position): old for old in before}
    assert len(by_pair) == len(key) == len(after)
    called: dict[str, set[str]] = {}
    for new in after:
        old = by_pair[new.prompt, new.choice, new.response_ms, new.position]
        for one, other in ((old.participant, new.participant), (old.target_user, new.target_user), (old.left_target, new.left_target)):
            if one is not None and other is not None:
                called.setdefault(one, set()).add(other)
            assert (one is None) == (other is None)
    assert all(len(names) == 1 for names in called.values())
    names = {next(iter(found)) for found in called.values()}
    listed = {row.participant for row in read_participants(packed.folder / "participants.parquet")}
    assert names < listed == {f"p{number:02d}" for number in range(1, len(NAMES) + 2)}
    assert set(tomllib.loads((packed.folder / "study.toml").read_text())["condition"][2]["targets"]) == names
    assert {row.target_user for row in read_stimuli(packed.folder / "stimuli.parquet")} == names | {None}


def test_scores_differences_and_verdicts_are_those_of_the_study(packed: Packed) -> None:
    require_same_results(read_results(packed.study.results), read_results(packed.folder / "results.json"))
    assert "EXPLORATORY" not in (packed.folder / "results.json").read_text()


def test_results_that_move_under_new_names_are_refused(packed: Packed) -> None:
    results = read_results(packed.study.results)
    moved = replace(results, scores=(replace(results.scores[0], elo=results.scores[0].elo + 0.01), *results.scores[1:]))
    judged = replace(results, claims=(replace(results.claims[0], verdict="CONTRADICTED"), *results.claims[1:]))
    for other in (moved, judged):
        with pytest.raises(ExperimentError, match="under new names the same votes give other results"):
            require_same_results(results, other)


def test_times_are_whole_days(packed: Packed) -> None:
    after = read_votes(packed.folder / "votes.parquet")
    assert {vote.answered_at for vote in after} == {f"2026-03-{day:02d}T00:00:00+00:00" for day in range(2, 8)}


def test_equal_studies_give_equal_zips(packed: Packed, study: Experiment) -> None:
    pack(study)
    with zipfile.ZipFile(study.folder / "bundle.zip") as one, zipfile.ZipFile(packed.zip) as other:
        differ = [name for name in one.namelist() if name not in other.namelist() or one.read(name) != other.read(name)]
    assert not differ
    assert (study.folder / "bundle.zip").read_bytes() == packed.zip.read_bytes()
    with zipfile.ZipFile(packed.zip) as archive:
        names = archive.namelist()
        assert names == sorted(names)
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert zipped({"b": b"2", "a": b"1"}) == zipped({"a": b"1", "b": b"2"})


def test_a_removed_image_stays_at_home(study: Experiment, tmp_path: Path) -> None:
    said = read_reviews(study.reviews)
    digest = sorted(said)[0]
    write_reviews(
        study.reviews, [replace(row, verdict="removed", reason="harmful") if row.sha256 == digest else row for row in said.values()]
    )
    there = {path.name for path in (staged(study, tmp_path / "staged").folder / "images").iterdir()}
    assert there == {f"{other[:20]}.png" for other in said if other != digest}


def test_every_column_is_in_the_dictionary(packed: Packed) -> None:
    rows = list(csv.DictReader(io.StringIO((packed.folder / "dictionary.csv").read_text())))
    told = {(row["file"], row["column"]) for row in rows}
    for path in packed.folder.glob("*.parquet"):
        assert {(path.name, name) for name in pq.read_schema(path).names} <= told, path.name
    assert all(row["meaning"] and row["type"] for row in rows)
    (choice,) = (row for row in rows if row["column"] == "choice")
    assert choice["values"] == "left, right, tie"


def test_the_dictionary_cannot_go_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    assert stale() == []
    within = {"study.toml": "[report] "}
    assert {(entry.file, entry.column) for entry in dictionary(list(TABLES))} == {
        *((file, within.get(file, "") + field.name) for file, record in TABLES.items() for field in fields(record)),
        *((entry.file, entry.column) for entry in FURTHER),
    }
    grown = make_dataclass("Voted", [("participant", str), ("mood", str)])
    monkeypatch.setitem(bundle_dictionary.TABLES, "votes.parquet", grown)
    with pytest.raises(ExperimentError, match=r"Voted\.mood has no meaning in the data dictionary"):
        dictionary(["votes.parquet"])


def test_settings_keep_what_was_asked_and_claimed_and_nothing_else(packed: Packed) -> None:
    told = tomllib.loads((packed.folder / "study.toml").read_text())
    home = tomllib.loads(packed.study.settings.read_text())
    assert {name: told[name] for name in ("claim", "analysis", "exclusion", "prompt")} == {
        name: home[name] for name in ("claim", "analysis", "exclusion", "prompt")
    }
    assert told["study"] == {"question": "Which image do you prefer?", "language": "en", "recruitment": {"by": "prolific"}}
    assert "ratings" not in told["stimuli"]


@given(
    st.dictionaries(st.text(min_size=1), st.one_of(st.text(), st.integers(-(2**53), 2**53), st.booleans(), st.lists(st.text())), max_size=4)
)
def test_settings_are_written_as_toml_reads_them(content: dict[str, object]) -> None:
    written = "\n".join(bundle_settings.lines({"analysis": content, "claim": [content, {"id": "x"}]}))
    assert tomllib.loads(written) == {"analysis": content, "claim": [content, {"id": "x"}]}


@given(st.sets(st.text(min_size=1, max_size=12), min_size=1, max_size=40), st.integers(0, 9), st.text(max_size=3))
def test_pseudonyms_are_one_to_one_and_nobodys_name(people: set[str], seed: int, salt: str) -> None:
    made = pseudonyms(people, seed=seed, salt=salt)
    assert made.keys() == people
    assert len(set(made.values())) == len(people)
    assert not set(made.values()) & people
    assert made == pseudonyms(sorted(people, reverse=True), seed=seed, salt=salt)


def test_the_order_of_pseudonyms_needs_more_than_the_published_seed() -> None:
    people = [f"person {number}" for number in range(30)]
    orders = set()
    for salt in ("a", "b", "c"):
        made = pseudonyms(people, seed=1, salt=salt)
        orders.add(tuple(made[name] for name in people))
    assert len(orders) == 3
    assert pseudonyms(["p01", "x"], seed=1, salt="")["x"].startswith("person-")


def test_a_name_that_would_stay_readable_stops_the_bundle(study: Experiment, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<p>by o&#39;brien, really</p>")
    with pytest.raises(ExperimentError, match=r'"o\'brien", who is a participant, would stay readable in page\.html'):
        require_no_names(tmp_path, ["o'brien", "brie"])
    text = study.settings.read_text().replace('title = "Does steering work?"', 'title = "What bruno_stern likes"')
    study.settings.write_text(text)
    refit(study)
    with pytest.raises(ExperimentError, match='"bruno_stern", who is a participant, would stay readable'):
        pack(study)
    assert not (study.folder / "bundle.zip").exists()


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("alice-okafor", "for Alice-Okafor."),
        ("alice-okafor", "by ALICE OKAFOR"),
        ("Zoë Müller", "Zoe\u0308_Mu\u0308ller said"),
        ("bruno_stern", "(bruno.stern)"),
        ("李小龍小龍", "李小龍小龍, really"),
    ],
)
def test_a_name_is_found_however_it_is_written(tmp_path: Path, name: str, written: str) -> None:
    (tmp_path / "told.md").write_text(written)
    with pytest.raises(ExperimentError, match=f'"{name}", who is a participant, would stay readable'):
        require_no_names(tmp_path, [name])


def test_a_name_inside_another_word_is_nobody(tmp_path: Path) -> None:
    (tmp_path / "told.md").write_text("marina bay, 1.23456, a67c0ffeeb")
    require_no_names(tmp_path, ["marin", "12345", "23456", "67c0ffee"])


def test_names_that_may_be_meant_otherwise_are_told_and_stop_nothing(packed: Packed, tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text('title = "Ada and 10234 likes"')
    assert perhaps_names(tmp_path / "study.toml", ["ada", "10234", "likes-it", "likes", "ann", "-"]) == ["10234", "ada"]
    require_no_names(tmp_path, ["ada", "10234"])
    assert f"Somebody goes by {PERHAPS}, which also stands in study.toml: see that nobody is meant there." in packed.told


def test_an_image_that_says_more_than_its_pixels_stops_the_bundle(study: Experiment) -> None:
    rows = read_stimuli(study.stimuli)
    path = study.folder / rows[0].image
    said = PngInfo()
    said.add_text("Author", "somebody", zip=True)
    with Image.open(path) as image:
        image.load()
        image.save(path, pnginfo=said)
    with pytest.raises(ExperimentError, match=r"\.png: holds more than an image \(zTXt\), which may say who made it"):
        pack(study)
    photograph = path.with_suffix(".jpg")
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    Image.new("RGB", (8, 8)).save(photograph, exif=exif)
    write_stimuli(study.stimuli, [replace(rows[0], image=f"images/{photograph.name}", image_sha256=sha256(photograph)), *rows[1:]])
    with pytest.raises(ExperimentError, match=r"\.jpg: holds more than an image \(APP1\)"):
        pack(study)
    path.write_bytes(b"no image")
    write_stimuli(study.stimuli, rows)
    with pytest.raises(ExperimentError, match=r"\.png: not an image that can be read"):
        pack(study)
    assert not (study.folder / "bundle.zip").exists()


def test_the_key_of_the_study_decides_the_pseudonyms(study: Experiment, packed: Packed, tmp_path: Path) -> None:
    packed_votes = read_votes(packed.folder / "votes.parquet")
    assert read_votes(staged(study, tmp_path / "one").votes) == packed_votes
    study.secret.write_text("another key")
    assert read_votes(staged(study, tmp_path / "other").votes) != packed_votes


def refit(study: Experiment) -> None:
    fit_experiment(study, settle(study.folder)[1])


def test_no_results_yet_names_the_command(study: Experiment) -> None:
    study.results.unlink()
    with pytest.raises(ExperimentError, match=r"results\.json: no such file; `tastebench analysis fit .*` makes it"):
        pack(study)
    study.votes.unlink()
    with pytest.raises(ExperimentError, match=r"votes\.parquet: no such file; `tastebench study export"):
        pack(study)


def test_results_older_than_votes_or_settings_are_refused(study: Experiment) -> None:
    votes = read_votes(study.votes)
    write_votes(study.votes, votes[:-1])
    with pytest.raises(ExperimentError, match=r"votes\.parquet: is not what the results were made from; run `tastebench analysis fit"):
        pack(study)
    write_votes(study.votes, votes)
    study.settings.write_text(study.settings.read_text() + "# later\n")
    with pytest.raises(ExperimentError, match=r"study\.toml: is not what the results were made from"):
        pack(study)


def test_claims_that_changed_after_the_lock_are_refused(study: Experiment) -> None:
    study.settings.write_text(study.settings.read_text().replace('b = "others"', 'b = "crisp"'))
    refit(study)
    with pytest.raises(ExperimentError, match=r"the claims, rules or \[analysis\] in study\.toml are not those locked at 2026-03-01"):
        pack(study)


def test_a_bundle_goes_into_a_zip_of_its_own(packed: Packed, study: Experiment) -> None:
    _, settings = settle(study.folder)
    (study.folder / "mine.zip").write_text("mine")
    with pytest.raises(ExperimentError, match=r"mine\.zip: is there already and is no bundle"):
        bundle(study, settings, to=study.folder / "mine.zip")
    with pytest.raises(ExperimentError, match=r"a bundle is a zip; give a name that ends in \.zip"):
        bundle(study, settings, to=study.folder / "mine")
    with pytest.raises(ExperimentError, match="is an unpacked bundle already"):
        pack(Experiment(packed.folder))


def test_the_lock_still_seals_the_claims_of_the_bundle(packed: Packed) -> None:
    found = read_lock(Experiment(packed.folder))
    assert found
    assert not changed(settle(packed.folder)[1], found)
