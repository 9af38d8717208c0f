"""Attempts to come to a study that one was not invited to, or that one's panel did not send one to."""

import http.client
import json
import secrets
import time
from contextlib import closing
from string import ascii_letters, digits
from urllib.parse import urlencode

import jwt
from attacked_study import Attacked
from attempts import MARKUP, SQL, Attempts, named, refused
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from served_study import PATIENCE_S
from visitor import request

from study.config import Recruitment
from study.recruitment.invitations import invitation

UNINVITED: Attempts = {}
UNSIGNED: Attempts = {}


@named("coming without an invitation", UNINVITED)
def _(study: Attacked) -> None:
    for query in ("", "?participant=ada", "?PROLIFIC_PID=ada", "?Invitation=ada", "?invitation="):
        status, headers, body = study.get(f"/start{query}", as_=None)
        assert status == 400
        assert "set-cookie" not in headers.lower()
        assert b"invitation" in body


@named("an invitation that was altered, cut short or made up", UNINVITED)
def _(study: Attacked) -> None:
    whole = invitation("ada", secret=study.served.session.secret)
    altered = [whole[:-1], whole + "A", whole.swapcase(), whole.replace(".", ""), "." + whole, whole.partition(".")[0], "ada", MARKUP, SQL]
    altered += [whole[:place] + ("A" if whole[place] != "A" else "B") + whole[place + 1 :] for place in range(len(whole))]
    # The last letter of a signature has bits that mean nothing; it still has one spelling only.
    altered += [whole[:-1] + letter for letter in ascii_letters + digits if letter != whole[-1]]
    for token in altered:
        reply = request(study.port, f"/start?invitation={token.replace(' ', '%20')}")
        assert reply.status == 400
        assert b"is not one of this study" in reply.body


@named("an invitation to another study", UNINVITED)
def _(study: Attacked) -> None:
    refused(study, f"/start?invitation={invitation('ada', secret=secrets.token_bytes(32))}", (400,))


@named("guessing invitations", UNINVITED)
def _(study: Attacked) -> None:
    content = invitation("victim", secret=study.served.session.secret).partition(".")[0]
    with closing(http.client.HTTPConnection("127.0.0.1", study.port, timeout=PATIENCE_S)) as connection:
        for _ in range(500):
            connection.request("GET", f"/start?invitation={content}.{secrets.token_urlsafe(32)}")
            response = connection.getresponse()
            response.read()
            assert response.status == 400


# --- A panel that signs its links ---

PANEL_KEY, OTHER_KEY = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
KEYS = json.dumps({"keys": [RSAAlgorithm.to_jwk(PANEL_KEY.public_key(), as_dict=True) | {"kid": "k1"}]})
PANEL = Recruitment(by="prolific", complete="C0DE", keys="keys.json", audience="study.example.org")


def panel_link(*, key: rsa.RSAPrivateKey = PANEL_KEY, person: str = "person1", session: str = "s1", **claims: object) -> str:
    """Return the address to which the panel sends a person, with whatever `claims` in place of the usual ones."""
    ids = {"PROLIFIC_PID": person, "STUDY_ID": "t1", "SESSION_ID": session}
    said = {"aud": "https://study.example.org", "exp": int(time.time()) + 600, "prolific": ids} | claims
    token = jwt.encode(said, key, algorithm="RS256", headers={"kid": "k1"})
    return f"/start?{urlencode(ids | {'prolific_token': token})}"


@named("a panel's link without its signature", UNSIGNED)
def _(study: Attacked) -> None:
    link = panel_link()
    for path in (link.partition("&prolific_token")[0], "/start?PROLIFIC_PID=person1", "/start?prolific_token=", "/start"):
        reply = request(study.port, path)
        assert reply.status == 400
        assert reply.headers["Set-Cookie"] is None


@named("a panel's link that somebody else signed, or nobody", UNSIGNED)
def _(study: Attacked) -> None:
    link = panel_link()
    unsigned = jwt.encode({"prolific": {"PROLIFIC_PID": "person1"}}, None, algorithm="none")
    for path in (
        panel_link(key=OTHER_KEY),
        f"/start?prolific_token={unsigned}",
        link[:-40],
        link.replace("prolific_token=ey", "prolific_token=eX"),
    ):
        refused(study, path, (400,))


@named("a panel's link with another person in it", UNSIGNED)
def _(study: Attacked) -> None:
    for was, becomes in (("PID=person1", "PID=person2"), ("SESSION_ID=s1", "SESSION_ID=s2")):
        assert b"is not what the panel signed" in refused(study, panel_link().replace(was, becomes), (400,))


@named("a panel's link that has expired, or is for another study", UNSIGNED)
def _(study: Attacked) -> None:
    refused(study, panel_link(exp=int(time.time()) - 3600), (400,))
    refused(study, panel_link(aud="https://other.example"), (400,))
