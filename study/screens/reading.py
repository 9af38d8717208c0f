"""The screens to read: consent, instructions, thanks, and what to say when a link does not work."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from stimuli.experiment import ExperimentError
from study.session import Session

_HERE = Path(__file__).parent
_KEY = "reading"


def show_consent(session: Session, participant: str) -> None:
    """Ask for consent; only the button makes the visitor a participant."""

    def agree() -> None:
        try:
            session.consent(participant)
        except ExperimentError as error:
            st.session_state["problem"] = str(error)

    if problem := st.session_state.get("problem"):
        show_problem(problem)
        return
    _show("consent", "Before you begin", session.study.consent, button="I agree and take part", on_go=agree)


def show_instructions(session: Session, participant: str) -> None:
    """Say how it works."""
    text = session.study.instructions
    button = "Start with practice" if session.study.practice else "Start"
    _show("instructions", "How it works", text, button=button, picture=True, on_go=lambda: session.begin(participant))


def show_thanks(session: Session) -> None:
    """Thank a participant who has finished."""
    _show("thanks", "All done", session.study.thanks)


def show_stranger() -> None:
    """Say that the browser did not tell whom it belongs to."""
    _show(
        "stranger",
        "One thing is missing",
        "This study needs a cookie to know where you are in it, and your browser did not send it.\n\n"
        "Please allow cookies for this page, and open the link that you were sent once more.",
    )


def show_problem(text: str) -> None:
    """Say what went wrong."""
    _show("problem", "This does not work", f"{text}.\n\nPlease tell the people who sent you the link.")


@cache
def _component() -> Any:
    html, css, js = ((_HERE / f"reading.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js"))
    return st.components.v2.component("reading", html=html, css=css, js=js)


def _show(
    screen: str, title: str, text: str, *, button: str | None = None, picture: bool = False, on_go: Callable[[], None] | None = None
) -> None:
    # A tuple: to look into a list, Streamlit would load pandas, which no page needs.
    paragraphs = tuple(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))
    data = {"screen": screen, "title": title, "paragraphs": paragraphs, "button": button, "picture": picture}

    def go() -> None:
        # A click that was sent twice belongs to the screen it was made on.
        if on_go and st.session_state[_KEY].get("go") == screen:
            on_go()

    _component()(key=_KEY, data=data, on_go_change=go)
