"""What Streamlit runs for every page and every answer: it shows the participant's place, and remembers nothing itself."""

from pathlib import Path

import streamlit as st

from stimuli.experiment import ExperimentError
from study.screens import comparison, reading, running
from study.session import Session

_HERE = Path(__file__).parent


def show() -> None:
    """Show the screen for where the participant is."""
    session = running.session()
    st.set_page_config(page_title="Study", layout="wide")
    st.html(f"<style>{(_HERE / 'page.css').read_text(encoding='utf-8')}</style>")
    key = st.context.cookies.get(running.COOKIE)
    participant = session.arrived(key) if key else None
    if participant is None:
        reading.show_stranger()
        return
    _note_opening(session, participant)
    _show_place(session, participant)


def _note_opening(session: Session, participant: str) -> None:
    if "opened" not in st.session_state:
        st.session_state["opened"] = True
        session.opened(participant)


def _show_place(session: Session, participant: str) -> None:
    place = session.place(participant)
    match place.stage:
        case "consent":
            reading.show_consent(session, participant)
        case "instructions":
            reading.show_instructions(session, participant)
        case "practice" | "comparisons":
            comparison.show(session, participant, place)
        case "thanks":
            reading.show_thanks(session)


if __name__ == "__main__":
    try:
        show()
    except ExperimentError as error:
        reading.show_problem(str(error))
