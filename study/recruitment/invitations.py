"""Invitations: links that name their participant and that nobody but us can write."""

import hashlib
import hmac
from datetime import UTC, datetime

from itsdangerous import BadData, URLSafeSerializer

from stimuli.experiment import ExperimentError

_LONGEST = 500


def invitation(participant: str, *, secret: bytes, expires: datetime | None = None) -> str:
    """Return the token that lets `participant` in, until `expires` (None: for good); letters, digits, "-", "_" and "." only."""
    return _signed([participant, int(expires.timestamp()) if expires else None], secret)


def invited(token: str, *, secret: bytes, now: datetime) -> str:
    """Return the participant whom an invitation is for; used again, it is the same person's.

    Raises:
        ExperimentError: the token is not ours, was altered or has expired.
    """
    refusal = ExperimentError("this invitation is not one of this study's: it was cut short or altered, or is for another study")
    if len(token) > _LONGEST or not token.isascii():
        raise refusal
    try:
        content = _serializer(secret).loads(token)
    except BadData:
        raise refusal from None
    # One spelling only: base64 leaves room for several that decode to the same bytes.
    if not hmac.compare_digest(_signed(content, secret).encode(), token.encode()):
        raise refusal
    participant, expires = content
    if expires is not None and now.timestamp() >= expires:
        raise ExperimentError(f"this invitation expired on {datetime.fromtimestamp(expires, UTC):%d %B %Y}; ask for a new one")
    return str(participant)


def _signed(content: object, secret: bytes) -> str:
    return str(_serializer(secret).dumps(content))


def _serializer(secret: bytes) -> URLSafeSerializer:
    return URLSafeSerializer(secret, salt="invitation", signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"})
