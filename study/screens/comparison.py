"""The screen of a comparison: it hands the page two images and takes back one answer."""

from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from study.session import Place, Session
from study.tables import Answer, TrialRow

_HERE = Path(__file__).parent
_KEY = "comparison"
_LAST = "last answer"
# JSON knows whole numbers that no float can hold.
_LATEST = 1e15

# How the last practice choice was made, never what it was.
_FEEDBACK = {
    "mouse": "Chosen with a click; ← and → work too.",
    "touch": "Chosen with a tap.",
    "pen": "Chosen with a tap.",
    "keyboard": "Chosen with a key; a click works too.",
}


def show(session: Session, participant: str, place: Place) -> None:
    """Show the trial that is due, and record its answer before anything is shown again."""

    def record() -> None:
        answer = _answer(st.session_state[_KEY].get("answer"))
        st.session_state[_LAST] = (answer.token, session.answer(participant, answer))

    if place.trial is not None:
        _component()(key=_KEY, data=_data(session, place, place.trial), on_answer_change=record)


@cache
def _component() -> Any:
    html, css, js = ((_HERE / f"comparison.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js"))
    return st.components.v2.component("comparison", html=html, css=css, js=js)


def _data(session: Session, place: Place, trial: TrialRow) -> dict[str, object]:
    """Return all that the browser learns of a trial; none of it depends on how the images were made."""
    token, outcome = st.session_state.get(_LAST, ("", ""))
    return {
        "token": trial.token,
        "question": session.study.question,
        "prompt": trial.base_prompt,
        "left": _address(trial.left_token),
        "right": _address(trial.right_token),
        "width": trial.width,
        "height": trial.height,
        # A tuple: to look into a list, Streamlit would load pandas, which no page needs.
        "preload": (_address(place.next.left_token), _address(place.next.right_token)) if place.next else (),
        "min_ms": session.study.min_ms,
        "practice": place.stage == "practice",
        "note": _note(place),
        "done": place.done,
        "total": place.total,
        "again": token == trial.token and outcome != "stored",
    }


def _address(token: str) -> str:
    return f"/stim/{token}"


def _note(place: Place) -> str:
    feedback = _FEEDBACK.get(place.last_device or "", "")
    if place.stage == "practice":
        return f"Practice. {feedback or 'This does not count.'}"
    return "Practice is over: from here on, each choice counts." if place.done == 0 and place.last_device else ""


def _answer(sent: object) -> Answer:
    """Return what the page sent; whatever is missing or of another type becomes something the session refuses."""
    fields = sent if isinstance(sent, dict) else {}

    def text(name: str) -> str:
        return value if isinstance(value := fields.get(name), str) else ""

    def whole(name: str) -> int:
        return value if isinstance(value := fields.get(name), int) else -1

    milliseconds = fields.get("response_ms")
    return Answer(
        token=text("token"),
        choice=text("choice"),
        response_ms=float(min(milliseconds, _LATEST)) if isinstance(milliseconds, int | float) else -1.0,
        device=text("device"),
        blurs=whole("blurs"),
        ignored=whole("ignored"),
        viewport=text("viewport"),
    )
