"""Invitations: whoever was invited gets in as themselves, nobody can write or alter one, and the commands hand them out."""

import csv
import string
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import URLSafeSerializer, URLSafeTimedSerializer
from typer.testing import CliRunner

from stimuli.experiment import Experiment, ExperimentError
from study.config import RatingTable, Recruitment, StudyTable
from study.recruitment.arrivals import Arrival, read_arrival
from study.recruitment.commands import app
from study.recruitment.invitations import invitation
from study.recruitment.secret import secret_of

SECRET, OTHER_SECRET = bytes(range(32)), bytes(32)
NOW = datetime(2025, 3, 1, tzinfo=UTC)
BY_INVITATION = Recruitment(by="invitation")

ids = st.text(string.ascii_letters + string.digits + "_-", min_size=1, max_size=64)


def arrive(token: str, *, secret: bytes = SECRET, now: datetime = NOW) -> Arrival | None:
    return read_arrival({"invitation": token}, BY_INVITATION, secret=secret, now=now)


@given(participant=ids)
def test_an_invitation_lets_its_participant_in_again_and_again(participant: str) -> None:
    token = invitation(participant, secret=SECRET)
    assert arrive(token) == arrive(token) == Arrival(participant, {})
    assert set(token) <= set(string.ascii_letters + string.digits + "-_.")


@given(participant=ids, data=st.data())
def test_an_invitation_altered_in_any_letter_is_refused(participant: str, data: st.DataObject) -> None:
    whole = invitation(participant, secret=SECRET, expires=NOW + timedelta(days=1) if data.draw(st.booleans()) else None)
    place = data.draw(st.integers(0, len(whole)))
    altered = whole[:place] + data.draw(st.text(max_size=3)) + whole[place + data.draw(st.integers(0, 3)) :]
    if altered == whole:
        return
    with pytest.raises(
        ExperimentError, match="this invitation is not one of this study's: it was cut short or altered, or is for another study"
    ):
        arrive(altered)


@pytest.mark.parametrize("letter", string.ascii_letters + string.digits + "-_=")
def test_the_last_letter_has_one_spelling(letter: str) -> None:
    whole = invitation("ada", secret=SECRET)
    if letter != whole[-1]:
        with pytest.raises(ExperimentError, match="not one of this study's"):
            arrive(whole[:-1] + letter)


FORGED = {
    "another study's": invitation("ada", secret=OTHER_SECRET),
    "an id alone": "ada",
    "nothing": "",
    "noise": "." * 100,
    "very long": "x" * 100_000,
    "another purpose of the same secret": URLSafeSerializer(SECRET, salt="cookie").dumps(["ada", None]),
    "a weaker digest": URLSafeSerializer(SECRET, salt="invitation").dumps(["ada", None]),
    "with a time": URLSafeTimedSerializer(SECRET, salt="invitation").dumps(["ada", None]),
    "a bomb": "." + "eJzt" * 80 + ".x",
    "other scripts": "é.ü",
    "half a letter": "\ud800",
    "zero byte": invitation("ada", secret=SECRET) + "\0",
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_invitation_is_refused(name: str) -> None:
    with pytest.raises(ExperimentError, match="this invitation is not one of this study's"):
        arrive(FORGED[name])


def test_an_invitation_ends_when_it_says() -> None:
    token = invitation("ada", secret=SECRET, expires=NOW)
    assert arrive(token, now=NOW - timedelta(seconds=1)) == Arrival("ada", {})
    with pytest.raises(ExperimentError, match="this invitation expired on 01 March 2025; ask for a new one"):
        arrive(token, now=NOW)


# --- The commands ---


@dataclass(frozen=True)
class Settings:
    study: StudyTable = field(default_factory=lambda: StudyTable(recruitment=BY_INVITATION))
    rating: RatingTable = field(default_factory=RatingTable)


def command(folder: Path, *words: str, settings: Settings | None = None) -> str:
    result = CliRunner().invoke(
        app, [words[0], str(folder), *words[1:]], obj=lambda given: (Experiment(given), settings or Settings()), catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    return result.output


def invited_by(link: str, folder: Path) -> Arrival | None:
    parameters = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
    return read_arrival(parameters, BY_INVITATION, secret=secret_of(Experiment(folder)))


def test_invite_prints_a_link_for_each_id_that_lets_them_in(tmp_path: Path) -> None:
    lines = command(tmp_path, "invite", "ada", "ben", "--address", "https://study.example.org/").splitlines()
    for participant, line in zip(("ada", "ben"), lines, strict=True):
        name, link = line.split("\t")
        assert name == participant
        assert link.startswith("https://study.example.org/start?invitation=")
        assert invited_by(link, tmp_path) == Arrival(participant, {})


def test_invite_by_number_makes_ids_up_and_writes_them_once(tmp_path: Path) -> None:
    file = tmp_path / "sent.csv"
    said = command(tmp_path, "invite", "--number", "3", "--csv", str(file), "--expires-days", "7")
    assert f"{file}: 3 invitations" in said
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    assert len({row["participant"] for row in rows}) == 3
    assert [invited_by(row["link"], tmp_path) for row in rows] == [Arrival(row["participant"], {}) for row in rows]
    token, secret = rows[0]["link"].partition("=")[2], secret_of(Experiment(tmp_path))
    with pytest.raises(ExperimentError, match="expired"):
        arrive(token, secret=secret, now=datetime.now(UTC) + timedelta(days=7, minutes=1))
    assert arrive(token, secret=secret, now=datetime.now(UTC) + timedelta(days=6, hours=23)) == Arrival(rows[0]["participant"], {})
    with pytest.raises(ExperimentError, match=r"sent\.csv: is there already, perhaps with invitations that were sent"):
        command(tmp_path, "invite", "ada", "--csv", str(file))


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], "whom to invite\\? Give ids, or --number and their count, not both"),
        (["ada", "--number", "2"], "not both"),
        (["a b"], "'a b' is no participant id"),
        (["ada", "--address", "study.example.org"], '--address "study.example.org": expected where people reach the study'),
        (
            ["ada", "--rating"],
            r'study\.toml: \[rating\.recruitment\] "by" is "link", which asks for no invitation; write by = "invitation"',
        ),
    ],
)
def test_invite_says_what_is_missing(tmp_path: Path, words: list[str], text: str) -> None:
    with pytest.raises(ExperimentError, match=text):
        command(tmp_path, "invite", *words)


@pytest.mark.parametrize(
    ("recruitment", "expected"),
    [
        (Recruitment(), "https://s.example/start?participant=ID\n"),
        (BY_INVITATION, "https://s.example/start?invitation=INVITATION\n"),
        (
            Recruitment(by="prolific", complete="C1", no_consent="N1"),
            "https://s.example/start?PROLIFIC_PID={{%PROLIFIC_PID%}}&STUDY_ID={{%STUDY_ID%}}&SESSION_ID={{%SESSION_ID%}}\n"
            "finished: code C1, https://app.prolific.com/submissions/complete?cc=C1\n"
            "declined: code N1, https://app.prolific.com/submissions/complete?cc=N1\n"
            'screened out: no code; "screened_out" in [study.recruitment] gives one\n'
            'full: no code; "full" in [study.recruitment] gives one\n',
        ),
        (
            Recruitment(by="panel", id_parameter="rid", keep=("country",), complete="C", screened_out="S", no_consent="N", full="F"),
            "https://s.example/start?rid=ID&country=COUNTRY\nfinished: code C\ndeclined: code N\nscreened out: code S\nfull: code F\n",
        ),
    ],
)
def test_link_shows_the_address_and_the_codes(tmp_path: Path, recruitment: Recruitment, expected: str) -> None:
    settings = Settings(study=StudyTable(recruitment=recruitment))
    assert command(tmp_path, "link", "--address", "https://s.example", settings=settings) == expected
