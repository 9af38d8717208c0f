"""Tokens that a panel signed: only its own key, for us, in time, and for the person in the address opens the study."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from stimuli.experiment import Experiment, ExperimentError
from study.config import Recruitment
from study.recruitment.arrivals import Arrival, pseudonym, read_arrival
from study.recruitment.signed import keys_of

SECRET = bytes(range(32))
NOW = datetime(2025, 3, 1, tzinfo=UTC)
PROLIFIC = Recruitment(by="prolific", complete="C", keys="keys.json", audience="study.example.org")
IDS = {"PROLIFIC_PID": "5f2b9c0d1e2f3a4b5c6d7e8f", "STUDY_ID": "s1", "SESSION_ID": "t1"}
CLAIMS: dict[str, Any] = {
    "iss": "https://www.prolific.com",
    "aud": "https://study.example.org",
    "exp": int(NOW.timestamp()) + 600,
    "sub": "t1",
    "prolific": IDS | {"workspace_id": "w"},
}

PANEL_KEY, OTHER_KEY = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
EC_KEY = ec.generate_private_key(ec.SECP256R1())


def jwk(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, name: str, *, private: bool = False) -> dict[str, Any]:
    algorithm: Any = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    shown: dict[str, Any] = algorithm.to_jwk(key if private else key.public_key(), as_dict=True)
    return shown | {"kid": name, "use": "sig"}


KEYS = {"keys": [jwk(PANEL_KEY, "k1") | {"alg": "RS256"}, jwk(EC_KEY, "k2")]}


def token(claims: dict[str, Any] | None = None, *, key: Any = PANEL_KEY, algorithm: str = "RS256", name: str = "k1") -> str:
    return jwt.encode(CLAIMS if claims is None else claims, key, algorithm=algorithm, headers={"kid": name})


def arrive(signed: str | None = None, *, recruitment: Recruitment = PROLIFIC, now: datetime = NOW, **address: str) -> Arrival | None:
    parameters = address if signed is None else address | {"prolific_token": signed}
    return read_arrival(parameters, recruitment, secret=SECRET, keys=KEYS, now=now)


EXPECTED = Arrival(pseudonym(IDS["PROLIFIC_PID"], secret=SECRET), IDS)


def test_what_the_panel_signed_is_taken_with_and_without_the_ids_beside_it() -> None:
    assert arrive(token(), **IDS) == EXPECTED
    assert arrive(token()) == EXPECTED


@pytest.mark.parametrize("audience", ["study.example.org", "https://study.example.org/start?a={{%b%}}", ["x", "https://STUDY.example.org"]])
def test_the_audience_is_our_domain_however_it_is_written(audience: Any) -> None:
    assert arrive(token(CLAIMS | {"aud": audience})) == EXPECTED


def test_a_key_on_an_elliptic_curve_signs_too() -> None:
    assert arrive(token(key=EC_KEY, algorithm="ES256", name="k2")) == EXPECTED


def test_any_panel_s_token_has_the_id_at_its_top() -> None:
    panel = Recruitment(by="panel", id_parameter="rid", token_parameter="sig", keys="k", audience="study.example.org")
    signed = token({"aud": "study.example.org", "exp": CLAIMS["exp"], "rid": "x1"})
    assert read_arrival({"sig": signed}, panel, secret=SECRET, keys=KEYS, now=NOW) == Arrival(pseudonym("x1", secret=SECRET), {"rid": "x1"})


def unsigned(claims: dict[str, Any], header: dict[str, Any]) -> str:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part(header)}.{part(claims)}."


def signed_with_the_published_key_as_secret() -> str:
    published = PANEL_KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    said = unsigned(CLAIMS, {"alg": "HS256", "kid": "k1"}).rstrip(".")
    signature = hmac.new(published, said.encode(), hashlib.sha256).digest()
    return f"{said}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


FORGED: dict[str, tuple[Callable[[], str], str]] = {
    "no signature at all": (lambda: unsigned(CLAIMS, {"alg": "none", "kid": "k1"}), "does not match"),
    "no signature, no key's name": (lambda: unsigned(CLAIMS, {"alg": "none"}), "not among the panel's published"),
    "another key": (lambda: token(key=OTHER_KEY), "does not match"),
    "another key under its own name": (lambda: token(key=OTHER_KEY, name="k9"), "not among the panel's published"),
    "the published key as a shared secret": (signed_with_the_published_key_as_secret, "does not match"),
    "another algorithm of the same key": (lambda: token(algorithm="PS256"), "does not match"),
    "expired": (lambda: token(CLAIMS | {"exp": int(NOW.timestamp()) - 61}), "has expired; open the study from the panel again"),
    "never expires": (lambda: token({name: value for name, value in CLAIMS.items() if name != "exp"}), "has expired"),
    "for another address": (lambda: token(CLAIMS | {"aud": "https://elsewhere.example"}), "for another address than study.example.org"),
    "for an address that looks like ours": (lambda: token(CLAIMS | {"aud": "https://study.example.org.evil.example"}), "another address"),
    "for nobody's address": (lambda: token({name: value for name, value in CLAIMS.items() if name != "aud"}), "another address"),
    "for an address that is none": (lambda: token(CLAIMS | {"aud": [3, None, "http://[", {}]}), "another address|does not match"),
    "without a person": (lambda: token(CLAIMS | {"prolific": {"workspace_id": "w"}}), "does not say who you are"),
    "with a person of another type": (lambda: token(CLAIMS | {"prolific": ["x"]}), "does not say who you are"),
    "with a malformed person": (lambda: token(CLAIMS | {"prolific": {"PROLIFIC_PID": "a\0b"}}), "is no participant id"),
    "too long": (lambda: token(CLAIMS | {"x": "y" * 9000}), "longer than any is"),
    "no token": (lambda: "", "does not match"),
    "noise": (lambda: "a.b.c", "does not match"),
    "letters of other scripts": (lambda: "é.ü.ß", "does not match"),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_token_is_refused_in_words(name: str) -> None:
    make, text = FORGED[name]
    for beside in ({}, IDS) if name != "with a malformed person" else ({},):
        with pytest.raises(ExperimentError, match=text):
            arrive(make(), **beside)


@pytest.mark.parametrize("name", IDS)
def test_a_token_for_somebody_else_is_refused(name: str) -> None:
    with pytest.raises(ExperimentError, match=f"{name} in this link is not what the panel signed"):
        arrive(token(), **(IDS | {name: "another"}))


def test_an_address_without_its_signature_is_refused_and_an_empty_one_names_nobody() -> None:
    with pytest.raises(ExperimentError, match=r"not signed by the panel \(parameter prolific_token\); open the study from the panel again"):
        arrive(**IDS)
    assert arrive() is None


def test_a_study_that_lost_its_keys_lets_nobody_in() -> None:
    with pytest.raises(ExperimentError, match="has no keys to verify them; tell the researcher"):
        read_arrival(IDS, PROLIFIC, secret=SECRET, keys=None)
    with pytest.raises(ExperimentError, match="has no keys to verify them"):
        arrive(token(), recruitment=replace(PROLIFIC, audience=None))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_a_token_with_any_letter_of_what_it_says_changed_is_refused(data: st.DataObject) -> None:
    whole = token()
    # The signature's last letter holds bits that mean nothing; what is said ends before it.
    place = data.draw(st.integers(0, whole.rindex(".") - 1))
    letter = data.draw(
        st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=").filter(lambda new: new != whole[place])
    )
    with pytest.raises(ExperimentError):
        arrive(whole[:place] + letter + whole[place + 1 :], **IDS)


# --- The file with the keys ---


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    return Experiment(tmp_path)


def test_the_keys_are_read_from_the_experiment(experiment: Experiment) -> None:
    (experiment.folder / "keys.json").write_text(json.dumps(KEYS))
    assert keys_of(experiment, PROLIFIC) == KEYS
    assert keys_of(experiment, Recruitment()) is None


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, "cannot be read .*save the panel's published keys there"),
        ("", "is no JSON"),
        ("[]", 'holds no keys; expected a JWKS, {"keys"'),
        ('{"keys": []}', "holds no keys"),
        ('{"keys": ["x"]}', "holds no keys"),
        (json.dumps({"keys": [jwk(PANEL_KEY, "k", private=True)]}), "holds a private key or a shared secret; expected only"),
        ('{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}', "holds a private key or a shared secret"),
        ('{"keys": [{"kty": "RSA"}]}', "holds no key that can be used; expected RSA, EC or Ed25519 keys"),
        (json.dumps({"keys": [jwk(PANEL_KEY, "k") | {"use": "enc"}]}), "holds no key that can be used"),
    ],
)
def test_a_file_without_public_keys_is_refused_in_words(experiment: Experiment, content: str | None, text: str) -> None:
    if content is not None:
        (experiment.folder / "keys.json").write_text(content)
    with pytest.raises(ExperimentError, match=rf"keys\.json: {text}"):
        keys_of(experiment, PROLIFIC)


def test_without_the_package_that_verifies_the_extra_is_named(experiment: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    (experiment.folder / "keys.json").write_text(json.dumps(KEYS))
    monkeypatch.setitem(__import__("sys").modules, "jwt", None)
    with pytest.raises(ExperimentError, match=r'pip install "tastebench\[panel\]"'):
        keys_of(experiment, PROLIFIC)
