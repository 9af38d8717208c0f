"""A study with everything in it: its bundle makes the whole report again, and an attacker finds nobody in it."""

import csv
import getpass
import json
import platform
import tomllib
import zipfile
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest
from finished_study import LOOKED_ON, REVIEWER, SECRET
from latex_read import require_whole, tables
from rich_study import ASKED, CALLED, PEOPLE, RATER, REPLIES, REPORTED, rich
from test_bundle import rebuilt, texts

from analysis.predictor_results import read_predictor_results
from analysis.results import read_results
from reports.bundle import bundle
from stimuli.experiment import Experiment, ExperimentError
from stimuli.manifest import read_record
from study.lock import read_lock
from study.votes import read_participants, read_votes
from tastebench import settle


@dataclass(frozen=True)
class Packed:
    """A study and the folder that its zip was unpacked into, which is somewhere else; `perhaps` is what packing warned of."""

    study: Experiment
    folder: Path
    perhaps: tuple[str, ...]


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Packed:
    study = rich(tmp_path_factory.mktemp("home of Zoë") / "study")
    told = bundle(study, settle(study.folder)[1], to=study.folder / "bundle.zip")
    away = tmp_path_factory.mktemp("away")
    with zipfile.ZipFile(study.folder / "bundle.zip") as archive:
        archive.extractall(away)
    return Packed(study, away / "bundle", told.perhaps)


def test_the_whole_report_comes_out_the_same_byte_for_byte(packed: Packed, tmp_path: Path) -> None:
    done = rebuilt(packed.folder, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    listed = json.loads((packed.folder / "bundle.json").read_text())["files"]
    number = sum(name == "results.json" or name.startswith("report/") for name in listed)
    assert done.stdout == f"results.json and the report were made again from the votes: all {number} files are the same, byte for byte.\n"
    made = {path.stem for path in (packed.folder / "report" / "figures").iterdir()}
    assert made >= {f"predictor_{name}" for name in ("margins", "context", "matching", "disagreements")} | {"participants", "runs"}


def test_the_bundle_tells_what_the_study_tells(packed: Packed) -> None:
    told = (packed.folder / "report" / "text" / "methods.md").read_text() + (packed.folder / "report" / "index.html").read_text()
    for words in (ASKED, "They came through Prolific", *REPORTED.values(), "with ties after Davidson", "6 catch trials", "accepted: "):
        assert words in told, words
    assert tomllib.loads((packed.folder / "study.toml").read_text())["report"] == REPORTED


def test_the_predictors_numbers_are_the_studys_and_its_examples_are_nobody(packed: Packed) -> None:
    here, there = (read_predictor_results(Experiment(folder).predictor_results) for folder in (packed.study.folder, packed.folder))
    assert (here.scores, here.few_shot, here.diverging, here.matching) == (there.scores, there.few_shot, there.diverging, there.matching)
    assert here.disagreements
    for old, new in zip(here.disagreements, there.disagreements, strict=True):
        assert [said.ratings for said in old.opinions] == [said.ratings for said in new.opinions]
        assert all(said.user.startswith("p") and said.user[1:].isdecimal() for said in new.opinions)
        assert all(path and (packed.folder / path).is_file() for path in new.paths)


def test_an_attacker_finds_nobody(packed: Packed) -> None:
    """Neither by name, panel, reply, device or address, nor by the machine that the bundle was made on."""
    hidden = [name for name in (*PEOPLE, *CALLED.values(), RATER, LOOKED_ON) if name not in ("Ada", "10234")]
    hidden += [REVIEWER, SECRET, "+49 30 1234567", REPLIES["ip"], REPLIES["cookie"], "C0MPLETE77", "1437x811", "Texts of", "Translated by"]
    hidden += [str(packed.study.folder), packed.study.folder.parent.name, f"{Path.home()}/", "/tmp/", "Artist"]
    # A short name stands in any compressed file by chance.
    hidden += [name for name in (platform.node(), getpass.getuser()) if len(name) > 6]
    for where, text in texts(packed.folder):
        for name in hidden:
            assert name not in text, f"{name} in {where}"


def test_short_names_and_numbers_stand_in_no_table(packed: Packed) -> None:
    for name in ("Ada", "10234"):
        for path in (*packed.folder.glob("*.parquet"), packed.folder / "study.toml", packed.folder / "results.json"):
            cells = [text for where, text in texts(packed.folder) if where == path.name]
            assert not any(f"'{name}'" in text or f'"{name}"' in text for text in cells), f"{name} in {path.name}"
    assert packed.perhaps == ()


def test_replies_places_and_times_of_day_stay_at_home(packed: Packed) -> None:
    people = [*read_participants(packed.folder / "participants.parquet"), *read_participants(packed.folder / "rating_participants.parquet")]
    assert {(one.replies, one.slot) for one in people} == {("{}", None)}
    votes = read_votes(packed.folder / "votes.parquet")
    # The claims were locked on the day of the first vote, so days begin a second after that.
    times = {at[10:] for at in (*(vote.answered_at for vote in votes), *(one.consented_at or "" for one in people)) if at}
    assert times == {"T08:59:31+00:00"}
    lock = read_lock(Experiment(packed.folder))
    assert lock and lock.locked_at < min(vote.answered_at for vote in votes)
    assert set(json.loads((packed.folder / "lock.json").read_text())) == {"sha256", "locked_at", "analysis_version"}


def test_no_hash_lets_a_guess_at_the_settings_be_tested(packed: Packed) -> None:
    assert read_record(packed.folder / "stimuli.json").provenance.get("settings_sha256") is None
    assert read_predictor_results(packed.folder / "predictor.json").provenance["settings_sha256"] is None
    assert packed.study.settings.read_bytes() != (packed.folder / "study.toml").read_bytes()
    assert read_results(packed.folder / "results.json").provenance["inputs"].keys() == {"votes.parquet"}


def test_every_key_of_the_report_table_and_the_predictor_is_in_the_dictionary(packed: Packed) -> None:
    rows = list(csv.DictReader(StringIO((packed.folder / "dictionary.csv").read_text())))
    told = {(row["file"], row["column"]) for row in rows}
    assert {("study.toml", f"[report] {key}") for key in REPORTED} < told
    assert {("predictor.json", key) for key in json.loads((packed.folder / "predictor.json").read_text())} < told
    assert {("study.toml", "[study] language"), ("study.toml", "[study.recruitment] by")} < told


def test_every_latex_file_of_the_report_can_be_set(packed: Packed) -> None:
    found = sorted((packed.folder / "report").rglob("*.tex"))
    assert len(found) > 30
    for path in (path for path in found if path.stem != "preamble"):
        tex = path.read_text(encoding="utf-8")
        require_whole(tex)
        for table in tables(tex):
            assert {len(row) for row in table.rows} == {table.columns}, path.name
    everything = (packed.folder / "report" / "text" / "all.tex").read_text()
    assert "\\input{../tables/scores}" in everything
    assert "\\input{methods}" in everything


def test_a_predictor_that_is_older_than_the_settings_is_refused(packed: Packed, tmp_path: Path) -> None:
    content = json.loads(packed.study.predictor_results.read_text())
    content["provenance"]["settings_sha256"] = "0" * 64
    kept = packed.study.predictor_results.read_bytes()
    packed.study.predictor_results.write_text(json.dumps(content))
    try:
        with pytest.raises(
            ExperimentError, match=r"study\.toml: is not what predictor\.json was made with; run `tastebench analysis predictor"
        ):
            bundle(packed.study, settle(packed.study.folder)[1], to=tmp_path / "b.zip")
    finally:
        packed.study.predictor_results.write_bytes(kept)
