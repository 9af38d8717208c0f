"""What each way of recruiting writes into the study's address, and where it wants people to go at the end."""

from dataclasses import dataclass

from study.config import Recruitment


@dataclass(frozen=True)
class Panel:
    """The names in a panel's addresses.

    `id_parameter` holds its id of the person, `keep` what else is stored, `token_parameter` a token that it signed; `claim` is the
    part of that token in which the ids stand (None: at its top). `return_to` has {code} where the completion code goes.
    """

    id_parameter: str
    keep: tuple[str, ...] = ()
    return_to: str | None = None
    token_parameter: str | None = None
    claim: str | None = None


LINK = Panel("participant")
INVITATION = Panel("invitation")
# Parameters: docs.prolific.com, "The study object". Signed links: docs.prolific.com, "Retrieve JSON Web Key Set (JWKS)".
PROLIFIC = Panel(
    "PROLIFIC_PID",
    keep=("STUDY_ID", "SESSION_ID"),
    return_to="https://app.prolific.com/submissions/complete?cc={code}",
    token_parameter="prolific_token",
    claim="prolific",
)


def panel_of(recruitment: Recruitment) -> Panel:
    """Return the names that `[study.recruitment]` asks for: those of its kind, where it does not give others."""
    usual = {"link": LINK, "invitation": INVITATION, "prolific": PROLIFIC, "panel": Panel("")}[recruitment.by]
    return Panel(
        id_parameter=recruitment.id_parameter or usual.id_parameter,
        keep=tuple(dict.fromkeys((*usual.keep, *recruitment.keep))),
        return_to=recruitment.return_to or usual.return_to,
        token_parameter=recruitment.token_parameter or usual.token_parameter,
        claim=usual.claim,
    )
