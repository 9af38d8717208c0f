"""Arrivals, pseudonyms, the secret and the way back: who somebody is taken for, and where they are sent."""

import hashlib
import stat
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from subprocess import run

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimuli.experiment import Experiment, ExperimentError
from stimuli.studyfile import ExperimentTable
from study.config import Question, RatingTable, Recruitment, StudyTable, mistakes
from study.recruitment.arrivals import Arrival, anonymous, pseudonym, read_arrival
from study.recruitment.returning import WayBack, way_back
from study.recruitment.secret import secret_of
from study.storage.records import Ended

SECRET = bytes(range(32))
LINK = Recruitment()
PROLIFIC = Recruitment(by="prolific", complete="C0MPLETE", screened_out="SCREEN", no_consent="N0")
PANEL = Recruitment(
    by="panel", id_parameter="rid", keep=("country",), return_to="https://panel.example/end?status={code}&x=1", complete="ok"
)
PERSON = "5f2b9c0d1e2f3a4b5c6d7e8f"

ids = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", min_size=1, max_size=64)


# --- Arrivals ---


def test_a_link_names_its_participant_as_it_is() -> None:
    assert read_arrival({"participant": "ada"}, LINK, secret=SECRET) == Arrival("ada", {})


def test_a_link_without_an_id_names_nobody_and_lets_anybody_in() -> None:
    assert read_arrival({"utm_source": "x"}, LINK, secret=SECRET) is None
    first, second = anonymous(LINK), anonymous(LINK)
    assert first.participant.startswith("anonymous-")
    assert first != second


@pytest.mark.parametrize(
    ("recruitment", "text"),
    [
        (PROLIFIC, r"does not say who you are \(parameter PROLIFIC_PID\): open the study from the panel"),
        (PANEL, r"does not say who you are \(parameter rid\): open the study from the panel"),
        (Recruitment(by="invitation"), "by invitation only: open it with the link of your invitation"),
    ],
)
def test_nobody_is_anonymous_in_a_study_for_people_it_knows(recruitment: Recruitment, text: str) -> None:
    assert read_arrival({"participant": "ada"}, recruitment, secret=SECRET) is None
    with pytest.raises(ExperimentError, match=text):
        anonymous(recruitment)


def test_prolific_s_person_becomes_a_pseudonym_and_its_parameters_are_kept() -> None:
    said = {"PROLIFIC_PID": PERSON, "STUDY_ID": "s1", "SESSION_ID": "t1"}
    arrival = read_arrival({**said, "other": "dropped"}, PROLIFIC, secret=SECRET)
    assert arrival == Arrival(pseudonym(PERSON, secret=SECRET), said)


def test_one_person_is_one_participant_whatever_the_session() -> None:
    arrivals = [read_arrival({"PROLIFIC_PID": PERSON, "SESSION_ID": each}, PROLIFIC, secret=SECRET) for each in ("t1", "t2")]
    assert len({arrival.participant for arrival in arrivals if arrival}) == 1


def test_any_panel_comes_by_the_names_of_its_own() -> None:
    arrival = read_arrival({"rid": "x-1", "country": "São Tomé", "PROLIFIC_PID": "no"}, PANEL, secret=SECRET)
    assert arrival == Arrival(pseudonym("x-1", secret=SECRET), {"rid": "x-1", "country": "São Tomé"})


@pytest.mark.parametrize("recruitment", [LINK, PROLIFIC, PANEL])
@given(written=st.text(max_size=70).filter(lambda text: not text.isascii() or not text.replace("-", "").replace("_", "").isalnum()))
def test_what_is_no_id_is_refused_in_words(recruitment: Recruitment, written: str) -> None:
    if set(written) <= {"-", "_"} and written:
        return
    name = {"link": "participant", "prolific": "PROLIFIC_PID", "panel": "rid"}[recruitment.by]
    with pytest.raises(ExperimentError, match=r"is no participant id; expected 1 to 64 letters, digits, - or _$"):
        read_arrival({name: written}, recruitment, secret=SECRET)


@pytest.mark.parametrize(
    "written", ["a\0b", "", "x" * 65, "a\r\nSet-Cookie: b", "ada\n", "{{%PROLIFIC_PID%}}", "' OR 1=1 --", "<script>", "ä"]
)
def test_each_of_these_is_no_id(written: str) -> None:
    with pytest.raises(ExperimentError, match="is no participant id"):
        read_arrival({"PROLIFIC_PID": written}, PROLIFIC, secret=SECRET)


def test_a_refused_id_is_shown_without_its_control_characters_and_cut_short() -> None:
    with pytest.raises(ExperimentError) as caught:
        read_arrival({"participant": "\0\x1b" + "x" * 100_000}, LINK, secret=SECRET)
    assert str(caught.value).startswith(r"'\x00\x1bxxx")
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("value", ["a\0b", "x" * 201, "a\nb"])
def test_a_kept_parameter_is_plain_text_or_refused(value: str) -> None:
    with pytest.raises(ExperimentError, match="STUDY_ID in this address is no plain text of at most 200 characters"):
        read_arrival({"PROLIFIC_PID": PERSON, "STUDY_ID": value}, PROLIFIC, secret=SECRET)


# --- Pseudonyms ---


@given(person=ids)
def test_a_pseudonym_is_stable_and_shows_nothing_of_the_person(person: str) -> None:
    made = pseudonym(person, secret=SECRET)
    assert made == pseudonym(person, secret=SECRET)
    assert len(made) == 18
    # Whoever knows the person but not the secret cannot make it: neither by hashing nor with another secret.
    assert made != pseudonym(person, secret=bytes(32))
    assert made[2:] not in hashlib.sha256(person.encode()).hexdigest()
    assert made.startswith("p-")


@given(st.sets(ids, min_size=2, max_size=20))
def test_two_people_are_two_participants(people: set[str]) -> None:
    assert len({pseudonym(person, secret=SECRET) for person in people}) == len(people)


def test_a_pseudonym_is_the_same_on_every_machine() -> None:
    # printf 5f2b9c0d1e2f3a4b5c6d7e8f | openssl dgst -sha256 -mac HMAC -macopt hexkey:$(seq 0 31 | xargs printf %02x)
    assert pseudonym(PERSON, secret=SECRET) == "p-eaa825c609e2b3d4"


# --- The secret ---


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    return Experiment(tmp_path)


def test_the_secret_is_made_once_and_only_its_owner_may_read_it(experiment: Experiment) -> None:
    made = secret_of(experiment)
    assert len(made) == 32
    assert secret_of(experiment) == made
    assert stat.S_IMODE(experiment.secret.stat().st_mode) == 0o600
    assert [path.name for path in experiment.folder.iterdir()] == [experiment.secret.name]


def test_two_experiments_have_two_secrets(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    assert secret_of(Experiment(tmp_path / "one")) != secret_of(Experiment(tmp_path / "two"))


def test_whoever_comes_second_takes_the_secret_that_is_there(experiment: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    made = secret_of(experiment)
    # Two processes that look at the same time both find none.
    monkeypatch.setattr(Path, "exists", lambda _: False)
    assert secret_of(experiment) == made
    assert [path.name for path in experiment.folder.iterdir()] == [experiment.secret.name]


@pytest.mark.parametrize("content", [b"", b"abc", b"\xff" * 32, b"A" * 64, b"0" * 63, b"0" * 66])
def test_a_damaged_secret_is_refused_in_words_and_left_alone(experiment: Experiment, content: bytes) -> None:
    experiment.secret.write_bytes(content)
    with pytest.raises(ExperimentError, match=r"study\.key: is damaged; expected 64 hexadecimal digits\. Put it back from a copy\."):
        secret_of(experiment)
    assert experiment.secret.read_bytes() == content


def test_a_folder_that_takes_no_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r"study\.key: cannot be written .* make room or give leave"):
        secret_of(Experiment(tmp_path / "missing"))


# --- The way back ---


@pytest.mark.parametrize(
    ("recruitment", "ended", "expected"),
    [
        (PROLIFIC, "finished", WayBack("C0MPLETE", "https://app.prolific.com/submissions/complete?cc=C0MPLETE")),
        (PROLIFIC, "screened out", WayBack("SCREEN", "https://app.prolific.com/submissions/complete?cc=SCREEN")),
        (PROLIFIC, "declined", WayBack("N0", "https://app.prolific.com/submissions/complete?cc=N0")),
        (PROLIFIC, "full", None),
        (PROLIFIC, None, None),
        (PANEL, "finished", WayBack("ok", "https://panel.example/end?status=ok&x=1")),
        (LINK, "finished", None),
        (Recruitment(complete="THANKS"), "finished", WayBack("THANKS", None)),
    ],
)
def test_each_end_has_its_code_and_its_way_back(recruitment: Recruitment, ended: Ended | None, expected: WayBack | None) -> None:
    assert way_back(recruitment, ended) == expected


def test_a_code_cannot_leave_its_place_in_the_address() -> None:
    way = way_back(Recruitment(by="prolific", complete="A&b=c#d/é\r\n"), "finished")
    assert way == WayBack("A&b=c#d/é\r\n", "https://app.prolific.com/submissions/complete?cc=A%26b%3Dc%23d%2F%C3%A9%0D%0A")


def test_nothing_that_verifies_signatures_is_loaded_until_a_panel_signs() -> None:
    program = "\n".join(
        [
            "import sys",
            "from study.config import Recruitment",
            "from study.recruitment.arrivals import read_arrival",
            "read_arrival({'PROLIFIC_PID': 'a'}, Recruitment(by='prolific', complete='x'), secret=bytes(32))",
            "print([name for name in ('jwt', 'cryptography', 'numpy', 'pandas', 'streamlit') if name in sys.modules])",
        ]
    )
    assert run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"


# --- study.toml ---


@dataclass(frozen=True)
class Settings:
    study: StudyTable
    experiment: ExperimentTable = field(default_factory=lambda: ExperimentTable("x"))
    rating: RatingTable = field(default_factory=RatingTable)
    question: tuple[Question, ...] = ()
    claim: tuple[object, ...] = ()


@pytest.mark.parametrize(
    ("recruitment", "key", "text"),
    [
        (Recruitment(by="panel"), "id_parameter", "is missing"),
        (Recruitment(by="prolific"), "complete", "is missing; it is the completion code that Prolific shows"),
        (replace(PANEL, return_to="https://panel.example/end"), "return_to", "has no {code} in it"),
        (replace(PANEL, return_to="javascript:alert('{code}')"), "return_to", "is no address of the web; expected https://"),
        (replace(PROLIFIC, keys="keys.json", audience="a.example"), "keys", 'is "keys.json", and there is no such file'),
        (replace(PROLIFIC, keys="there.json"), "audience", "is missing; with keys, name the domain"),
        (replace(PANEL, keys="there.json", audience="a.example"), "token_parameter", "is missing; with keys, name the parameter"),
        (Recruitment(keys="there.json", audience="a.example"), "keys", 'is set, but by = "link" has no panel that could sign'),
    ],
)
def test_study_toml_is_told_what_is_wrong_with_its_recruitment(tmp_path: Path, recruitment: Recruitment, key: str, text: str) -> None:
    (tmp_path / "there.json").touch()
    (found,) = mistakes(Settings(StudyTable(recruitment=recruitment)), folder=tmp_path)
    assert (found.table, found.key) == ("[study.recruitment]", key)
    assert text in found.text


@pytest.mark.parametrize("recruitment", [LINK, PROLIFIC, PANEL, replace(PROLIFIC, keys="there.json", audience="a.example")])
def test_a_recruitment_in_order_has_no_mistakes(tmp_path: Path, recruitment: Recruitment) -> None:
    (tmp_path / "there.json").touch()
    assert list(mistakes(Settings(StudyTable(recruitment=recruitment)), folder=tmp_path)) == []
