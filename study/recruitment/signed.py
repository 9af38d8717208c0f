"""Tokens that a panel signed: who came, said by the panel itself and not by whoever wrote the address."""

import json
from collections.abc import Mapping
from datetime import datetime
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from stimuli.experiment import Experiment, ExperimentError
from study.config import Recruitment

# Only what is verified with a public key: a shared secret, or none, would let whoever knows the published keys sign.
_ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"})
_LONGEST = 8192
# Clocks of two machines differ.
_LEEWAY_S = 60
_AGAIN = "open the study from the panel again"


def keys_of(experiment: Experiment, recruitment: Recruitment) -> dict[str, Any] | None:
    """Return the panel's published keys (a JWKS), None where `[study.recruitment]` names no file with them.

    Raises:
        ExperimentError: the file is no set of public keys, or the package that verifies with them is missing.
    """
    if recruitment.keys is None:
        return None
    path = experiment.folder / recruitment.keys
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ExperimentError(f"{path}: cannot be read ({error.strerror}); save the panel's published keys there") from error
    except ValueError as error:
        raise ExperimentError(f"{path}: is no JSON; save the panel's published keys there, as they are") from error
    keys = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(keys, list) or not keys or not all(isinstance(key, dict) for key in keys):
        raise ExperimentError(f'{path}: holds no keys; expected a JWKS, {{"keys": [...]}}, as the panel publishes it')
    if any("d" in key or "k" in key for key in keys):
        raise ExperimentError(f"{path}: holds a private key or a shared secret; expected only the panel's public keys")
    if not _usable(_jwt(), found):
        raise ExperimentError(f"{path}: holds no key that can be used; expected RSA, EC or Ed25519 keys")
    return {"keys": keys}


def verified(token: str, keys: Mapping[str, Any], *, audience: str, now: datetime) -> dict[str, Any]:
    """Return what the panel says in `token`, which one of its `keys` signed, for our domain `audience`, and not long ago.

    Raises:
        ExperimentError: the token is forged, altered, expired, or for another study's address.
    """
    jwt = _jwt()
    if len(token) > _LONGEST:
        raise ExperimentError(f"the panel's signature in this link is longer than any is; {_AGAIN}")
    claims = _claims(jwt, token, keys)
    expires = claims.get("exp")
    if not isinstance(expires, int | float) or now.timestamp() > expires + _LEEWAY_S:
        raise ExperimentError(f"the panel's signature in this link has expired; {_AGAIN}")
    meant = claims.get("aud")
    if domain(audience) not in {domain(each) for each in (meant if isinstance(meant, list) else [meant]) if isinstance(each, str)}:
        raise ExperimentError(f"the panel signed this link for another address than {domain(audience)}; {_AGAIN}")
    return claims


def domain(address: str) -> str:
    """Return the domain, and port where one is written, of an address or a bare domain.

    >>> domain("https://Study.Example.org/start?a=b"), domain("study.example.org:8501")
    ('study.example.org', 'study.example.org:8501')
    """
    try:
        return urlsplit(address if "//" in address else f"//{address}").netloc.rpartition("@")[2].lower()
    except ValueError:
        return ""


def _claims(jwt: ModuleType, token: str, keys: Mapping[str, Any]) -> dict[str, Any]:
    usable = _usable(jwt, keys)
    try:
        name = jwt.get_unverified_header(token).get("kid")
        fitting = [key for key in usable if key.key_id == name] if name is not None else usable
        if len(fitting) != 1:
            raise ExperimentError(f"this link is signed with a key that is not among the panel's published ones; {_AGAIN}")
        # The key says by which algorithm, never the token; expiry and audience are `verified`'s.
        options = {"verify_exp": False, "verify_aud": False}
        claims: dict[str, Any] = jwt.decode(token, fitting[0], algorithms=[fitting[0].algorithm_name], options=options, leeway=_LEEWAY_S)
    except (jwt.PyJWTError, ValueError, TypeError):
        raise ExperimentError(f"the panel's signature in this link does not match: it was altered or cut short; {_AGAIN}") from None
    return claims


def _usable(jwt: ModuleType, keys: Mapping[str, Any]) -> list[Any]:
    try:
        return [
            key for key in jwt.PyJWKSet.from_dict(dict(keys)) if key.algorithm_name in _ALGORITHMS and key.public_key_use in (None, "sig")
        ]
    except jwt.PyJWTError:
        return []


def _jwt() -> ModuleType:
    try:
        import cryptography  # noqa: F401 - without it only shared secrets could be verified
        import jwt
    except ImportError as error:
        raise ExperimentError(
            'this study verifies what its panel signs (keys), which needs PyJWT: install it with pip install "tastebench[panel]"'
        ) from error
    return jwt
