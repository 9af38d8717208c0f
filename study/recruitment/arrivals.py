"""Who has come: reads the address that somebody opened, and says which participant that is."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from stimuli.experiment import ExperimentError
from study.config import Recruitment
from study.recruitment.invitations import invited
from study.recruitment.panels import Panel, panel_of
from study.recruitment.signed import verified

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LONGEST_KEPT = 200


@dataclass(frozen=True)
class Arrival:
    """A participant's id, and what the panel said of the person by parameter's name: the only place that holds their panel id."""

    participant: str
    panel: dict[str, str] = field(default_factory=dict)


def read_arrival(
    parameters: Mapping[str, str],
    recruitment: Recruitment,
    *,
    secret: bytes,
    keys: Mapping[str, Any] | None = None,
    now: datetime | None = None,
) -> Arrival | None:
    """Return who came with these `parameters` of the address, None where they name nobody.

    The same person is the same participant however often they come. A panel's id becomes a pseudonym, which only `secret`
    connects to it. Where the panel's `keys` are given (`signed.keys_of`), only what they signed counts.

    Raises:
        ExperimentError: an id is malformed, or a signature is missing, forged, expired or for somebody else.
    """
    panel, now = panel_of(recruitment), now or datetime.now(UTC)
    if recruitment.by == "invitation":
        token = parameters.get(panel.id_parameter)
        return None if token is None else Arrival(invited(token, secret=secret, now=now), _kept(parameters, panel))
    said = parameters if recruitment.keys is None else _signed(parameters, panel, recruitment, keys, now)
    if said is None or panel.id_parameter not in said:
        return None
    person = checked(said[panel.id_parameter])
    if recruitment.by == "link":
        return Arrival(person, _kept(said, panel))
    return Arrival(pseudonym(person, secret=secret), {panel.id_parameter: person} | _kept(said, panel))


def anonymous(recruitment: Recruitment) -> Arrival:
    """Return somebody of whom nothing is known.

    Raises:
        ExperimentError: this study is only for people whom it knows.
    """
    if recruitment.by == "link":
        return Arrival(f"anonymous-{secrets.token_hex(8)}")
    if recruitment.by == "invitation":
        raise ExperimentError("this study is by invitation only: open it with the link of your invitation")
    raise ExperimentError(
        f"this address does not say who you are (parameter {panel_of(recruitment).id_parameter}): open the study from the panel"
    )


def pseudonym(person: str, *, secret: bytes) -> str:
    """Return the id under which a panel's person takes part: "p-" and 16 hexadecimal digits that tell nothing without `secret`."""
    return f"p-{hmac.new(secret, person.encode(), hashlib.sha256).hexdigest()[:16]}"


def checked(participant: str) -> str:
    """Return the id if it is one.

    Raises:
        ExperimentError: it is not 1 to 64 letters, digits, "-" or "_".
    """
    if not _ID.fullmatch(participant):
        shown = participant if len(participant) <= 80 else f"{participant[:77]}..."
        raise ExperimentError(f"{shown!r} is no participant id; expected 1 to 64 letters, digits, - or _")
    return participant


def _kept(parameters: Mapping[str, str], panel: Panel) -> dict[str, str]:
    kept = {name: parameters[name] for name in panel.keep if name in parameters}
    for name, value in kept.items():
        if len(value) > _LONGEST_KEPT or not value.isprintable():
            raise ExperimentError(f"{name} in this address is no plain text of at most {_LONGEST_KEPT} characters")
    return kept


def _signed(
    parameters: Mapping[str, str], panel: Panel, recruitment: Recruitment, keys: Mapping[str, Any] | None, now: datetime
) -> dict[str, str] | None:
    """Return the parameters as the panel signed them, None where the address names nobody and carries no token."""
    if keys is None or not panel.token_parameter or not recruitment.audience:
        raise ExperimentError("this study asks for links that its panel signed, but has no keys to verify them; tell the researcher")
    token = parameters.get(panel.token_parameter)
    if token is None:
        if panel.id_parameter not in parameters:
            return None
        raise ExperimentError(
            f"this link is not signed by the panel (parameter {panel.token_parameter}); open the study from the panel again"
        )
    claims = verified(token, keys, audience=recruitment.audience, now=now)
    within = claims if panel.claim is None else claims.get(panel.claim)
    said = {name: value for name, value in within.items() if isinstance(value, str)} if isinstance(within, dict) else {}
    if panel.id_parameter not in said:
        raise ExperimentError(f"what the panel signed in this link does not say who you are ({panel.id_parameter}); tell the researcher")
    for name in (panel.id_parameter, *panel.keep):
        if name in parameters and parameters[name] != said.get(name):
            raise ExperimentError(f"{name} in this link is not what the panel signed; open the study from the panel again")
    return said
