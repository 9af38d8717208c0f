"""Attacks on a served study: each attempt is refused, nothing that is stored changes, and the others go on.

docs/attacks.md lists the attempts by the names they have here, with what is answered.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from attacked_study import Attacked, attacked
from attempts import Attempt
from attempts_by_address import BY_ADDRESS
from attempts_by_answer import BY_ANSWER
from attempts_by_socket import BY_SOCKET
from attempts_to_come import KEYS, PANEL, UNINVITED, UNSIGNED, panel_link
from visitor import Visitor, request

from study.config import Recruitment
from study.recruitment.arrivals import pseudonym
from study.recruitment.invitations import invitation
from study.storage.erasure import erase

PAGE = Path(__file__).parents[1] / "docs" / "attacks.md"
ATTEMPTS = BY_ANSWER | BY_ADDRESS | BY_SOCKET


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    with attacked(
        tmp_path_factory.mktemp("attacked"), Recruitment(complete="C0DE", return_to="https://panel.example/?cc={code}")
    ) as served:
        yield served


@pytest.fixture(scope="module")
def by_invitation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    with attacked(tmp_path_factory.mktemp("invited"), Recruitment(by="invitation")) as served:
        yield served


@pytest.fixture(scope="module")
def by_panel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    with attacked(tmp_path_factory.mktemp("panel"), PANEL, keys_file=KEYS) as served:
        yield served


def attack(study: Attacked, made: Attempt) -> None:
    before = study.held()
    made(study)
    assert study.serves()
    assert study.held() == before


@pytest.mark.parametrize("name", ATTEMPTS)
def test_the_attempt_is_refused_and_changes_nothing(study: Attacked, name: str) -> None:
    attack(study, ATTEMPTS[name])


@pytest.mark.parametrize("name", UNINVITED)
def test_the_uninvited_are_refused_and_change_nothing(by_invitation: Attacked, name: str) -> None:
    attack(by_invitation, UNINVITED[name])


@pytest.mark.parametrize("name", UNSIGNED)
def test_what_the_panel_did_not_sign_is_refused_and_changes_nothing(by_panel: Attacked, name: str) -> None:
    attack(by_panel, UNSIGNED[name])


def test_after_all_attempts_the_victim_goes_on(study: Attacked) -> None:
    with study.page("victim") as page:
        token = page.look().data["token"]
        assert page.answer(token=token).data["token"] != token
    assert study.served.outcomes("victim")[-1] == "stored"


@pytest.mark.parametrize("button", ["0", "1"])
def test_a_consent_page_left_open_brings_nobody_back_who_was_erased(study: Attacked, button: str) -> None:
    with Visitor(study.port, study.served.key_of(f"leaving-{button}"), components=dict(study.components)) as page:
        assert page.look().data["screen"] == "consent"
        erase(study.served.session.database, f"leaving-{button}")
        assert page.send("reading", "go", {"screen": "consent", "button": button}).data["screen"] == "stranger"
    with study.served.session.database.reading() as rows:
        assert rows.whereabouts(f"leaving-{button}").participant is None


def test_a_link_that_the_panel_signed_lets_its_person_in_under_a_pseudonym(by_panel: Attacked) -> None:
    came = [request(by_panel.port, panel_link(session=session)) for session in ("s1", "s2")]
    assert [reply.status for reply in came] == [303, 303]
    keys = [reply.headers["Set-Cookie"].split(";")[0].removeprefix("study=") for reply in came]
    assert {by_panel.served.session.arrived(key) for key in keys} == {pseudonym("person1", secret=by_panel.served.session.secret)}
    assert all("person1" not in str(reply.headers) for reply in came)


def test_an_invitation_used_again_goes_on_with_the_same_person(by_invitation: Attacked) -> None:
    token = invitation("ada", secret=by_invitation.served.session.secret)
    keys = [request(by_invitation.port, f"/start?invitation={token}").headers["Set-Cookie"].split(";")[0][6:] for _ in range(2)]
    assert [by_invitation.served.session.arrived(key) for key in keys] == ["ada", "ada"]
    assert keys[0] != keys[1]


def test_the_page_of_attacks_lists_these_attempts_and_tests_that_exist() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:2] == "| "
    ]
    rows = [row for row in rows if row[0] != "attempt"]
    here = {name for name, _, test in rows if test == "`test_attacks.py`"}
    assert here == {*ATTEMPTS, *UNINVITED, *UNSIGNED}
    elsewhere = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    for _, _, test in rows:
        assert test == "`test_attacks.py`" or f"def {test.strip('`')}(" in elsewhere
