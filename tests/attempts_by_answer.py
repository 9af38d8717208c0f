"""Attempts by somebody who takes part, or says so: answers and replies that no page sends, and other people's keys."""

import http.client
import secrets
from contextlib import closing

from attacked_study import PROMPTS, QUESTION, Attacked
from attempts import MARKUP, SQL, Attempts, named
from served_study import MIN_MS, PATIENCE_S
from visitor import Visitor, request

BY_ANSWER: Attempts = {}


def sends(study: Attacked, expected: str, **fields: object) -> None:
    """Send an answer as the attacker, and see that it is taken for `expected` and changes nothing on the page."""
    due, before = study.due("attacker").token, study.served.outcomes("attacker")
    with study.page() as page:
        page.look()
        assert page.answer(**fields).data["token"] == due
    assert study.served.outcomes("attacker") == [*before, expected]


@named("an answer with a token that was made up", BY_ANSWER)
def _(study: Attacked) -> None:
    for token in ("", "x", secrets.token_urlsafe(16), secrets.token_urlsafe(16)):
        sends(study, "refused", token=token)


@named("an answer with somebody else's token", BY_ANSWER)
def _(study: Attacked) -> None:
    sends(study, "refused", token=study.due("victim").token)


@named("an answer to a trial that is not due yet", BY_ANSWER)
def _(study: Attacked) -> None:
    following = study.served.session.place("attacker").next
    assert following is not None
    sends(study, "refused", token=following.token)


@named("an answer sent once more, with another choice", BY_ANSWER)
def _(study: Attacked) -> None:
    answered = study.trials("attacker")[1]
    for choice in ("left", "right"):
        sends(study, "duplicate", token=answered.token, choice=choice)


@named("an image's address in place of a token", BY_ANSWER)
def _(study: Attacked) -> None:
    sends(study, "refused", token=study.due("attacker").left_token)


@named("an answer from somebody who has finished", BY_ANSWER)
def _(study: Attacked) -> None:
    # A page that was left open at a trial while another one finished.
    for token in [row.token for row in study.trials("finished")] + [study.due("victim").token]:
        assert study.left_open.answer(token=token, choice="right").data["screen"] == "thanks"


@named("an answer from somebody who never consented", BY_ANSWER)
def _(study: Attacked) -> None:
    with study.page("stranger") as page:
        assert page.look().data["screen"] == "consent"
        assert page.answer(token=study.due("victim").token).data["screen"] == "consent"
    assert "stored" not in study.served.outcomes("stranger")


@named("a choice that is not offered", BY_ANSWER)
def _(study: Attacked) -> None:
    for choice in ("tie", "both", "", "LEFT", MARKUP, SQL, "left\0", None, 1, ["left"], {"left": 1}):
        sends(study, "refused", token=study.due("attacker").token, choice=choice)


@named("an answer sooner than a person can give it", BY_ANSWER)
def _(study: Attacked) -> None:
    sends(study, "too fast", token=study.due("attacker").token, response_ms=MIN_MS - 1)


@named("numbers that are none, or that nobody can mean", BY_ANSWER)
def _(study: Attacked) -> None:
    token = study.due("attacker").token
    for number in (-1, float("nan"), float("inf"), -float("inf"), 1e300, 10**400, "900", None, True, [1], {}):
        sends(study, "refused", token=token, response_ms=number)
    for number in (-1, 10**30, 1.5, "1", None, True, [1]):
        sends(study, "refused", token=token, blurs=number)


@named("a rating where there is a comparison", BY_ANSWER)
def _(study: Attacked) -> None:
    sends(study, "refused", token=study.due("attacker").token, choice="", rating=3.0)
    sends(study, "refused", token=study.due("attacker").token, choice="left", rating=3.0)


@named("HTML, SQL and zero bytes in an answer", BY_ANSWER)
def _(study: Attacked) -> None:
    token = study.due("attacker").token
    for written in (MARKUP * 3, "a\0b", "\ud800", "é", SQL * 3, "x" * 65):
        sends(study, "refused", token=written)
        sends(study, "refused", token=token, device=written)
        sends(study, "refused", token=token, viewport=written)
    sends(study, "refused", token=SQL)


@named("an answer that is no record of fields", BY_ANSWER)
def _(study: Attacked) -> None:
    due = study.due("attacker").token
    with study.page() as page:
        page.look()
        for value in (None, 1, "x", [], {}, [[[[]]]], {"token": {"token": due}}):
            assert page.send("comparison", "answer", value).data["token"] == due
    assert set(study.served.outcomes("attacker")[-5:]) <= {"refused"}


@named("the button of a screen that is not shown", BY_ANSWER)
def _(study: Attacked) -> None:
    due = study.due("attacker").token
    with study.page() as page:
        page.look()
        for screen in ("consent", "instructions", "break-1", "thanks", MARKUP):
            for button in ("0", "1", "-1", "٣", 10**30, None):
                assert page.send("reading", "go", {"screen": screen, "button": button}).data["token"] == due


@named("HTML, SQL and other people's words in a reply", BY_ANSWER)
def _(study: Attacked) -> None:
    with study.page("asked") as page:
        assert page.look().data["screen"] == QUESTION.id
        for value in (MARKUP, SQL, "under 40\0", "x" * 10_000, "", None, 3, ["under 40"], {"value": "under 40"}):
            assert page.send("asking", "reply", {"screen": QUESTION.id, "value": value, "attempt": 1}).data["screen"] == QUESTION.id
        for screen in ("gender", "", None, SQL, ["age"]):
            assert page.send("asking", "reply", {"screen": screen, "value": "under 40", "attempt": 1}).data["screen"] == QUESTION.id


@named("a reply given a second time, with another answer", BY_ANSWER)
def _(study: Attacked) -> None:
    due = study.due("attacker").token
    with study.page() as page:
        page.look()
        assert page.send("asking", "reply", {"screen": QUESTION.id, "value": QUESTION.options[1], "attempt": 1}).data["token"] == due


@named("a cookie that was made up, or that is somebody's id", BY_ANSWER)
def _(study: Attacked) -> None:
    keys = [
        "",
        "victim",
        "x" * 32,
        secrets.token_urlsafe(24),
        SQL.replace(";", ""),
        "%00",
        '"victim"',
        study.keys["victim"][:-1],
        "y" * 4000,
    ]
    for key in keys:
        with Visitor(study.port, key) as page:
            assert page.look().data["screen"] == "stranger"
        assert request(study.port, "/", headers={"Cookie": f"study={key}"}).status == 303


@named("many cookies at once", BY_ANSWER)
def _(study: Attacked) -> None:
    for cookies in (f"study=x; study={secrets.token_urlsafe(24)}; study=", "study; =; ;;;study==;", "; ".join(["study=x"] * 500)):
        with Visitor(study.port, "", headers={"Cookie": cookies}) as page:
            assert page.look().data["screen"] == "stranger"


@named("guessing keys", BY_ANSWER)
def _(study: Attacked) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", study.port, timeout=PATIENCE_S)) as connection:
        for _ in range(300):
            connection.request("GET", "/", headers={"Cookie": f"study={secrets.token_urlsafe(24)}"})
            response = connection.getresponse()
            response.read()
            assert response.status == 303


@named("somebody else's open page, taken over by its number", BY_ANSWER)
def _(study: Attacked) -> None:
    with study.page("victim") as victim:
        assert victim.look().data["token"] == study.due("victim").token
        number = victim.session_id
        assert number
    # The victim's connection just dropped, which is when Streamlit lets a browser take its session up again.
    with Visitor(study.port, study.keys["attacker"], subprotocols=("streamlit", "PLACEHOLDER", number)) as page:
        assert page.look().data["token"] == study.due("attacker").token
        page.answer(token=study.due("victim").token)
    assert study.served.outcomes("attacker")[-1] == "refused"


@named("HTML and SQL in a prompt", BY_ANSWER)
def _(study: Attacked) -> None:
    with study.page() as page:
        assert page.look().data["prompt"] in PROMPTS.values()
