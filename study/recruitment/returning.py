"""Where a participant goes at the end, and the code that tells the panel what became of them."""

from dataclasses import dataclass
from urllib.parse import quote

from study.config import Recruitment
from study.recruitment.panels import panel_of
from study.storage.records import Ended


@dataclass(frozen=True)
class WayBack:
    """The completion code to show, and the address to go to; None where the panel has no address to return to."""

    code: str
    url: str | None


def way_back(recruitment: Recruitment, ended: Ended | None) -> WayBack | None:
    """Return the way back for somebody who ended so; None where the study gives no code for that.

    Nothing that a browser sent goes into the address: it is study.toml's, with study.toml's code in it.
    """
    codes = {
        "finished": recruitment.complete,
        "declined": recruitment.no_consent,
        "screened out": recruitment.screened_out,
        "full": recruitment.full,
    }
    code = codes[ended] if ended else None
    if not code:
        return None
    return_to = panel_of(recruitment).return_to
    return WayBack(code, return_to.replace("{code}", quote(code, safe="")) if return_to else None)
