"""What Streamlit runs for every page and every answer: it shows the participant's place, and remembers nothing itself."""

import logging

import streamlit as st

from stimuli.experiment import ExperimentError
from study.screens import asking, comparison, rating, reading, running
from study.screens.component import page_style, present_again
from study.session import Place, Session
from study.storage.database import UnavailableError


def show() -> None:
    """Show the screen for where the participant is."""
    session = running.session()
    st.set_page_config(page_title=session.texts["title"], layout="wide")
    st.html(page_style(is_preview=running.is_preview()))
    participant = running.visitor(session)
    if participant is None:
        reading.show_stranger(session.texts)
        return
    _note_opening(session, participant)
    _show_place(session, participant, session.place(participant))


def _note_opening(session: Session, participant: str) -> None:
    if "opened" not in st.session_state:
        st.session_state["opened"] = True
        session.opened(participant)


def _show_place(session: Session, participant: str, place: Place) -> None:
    match place:
        case Place(stage="consent"):
            reading.show_consent(session, participant)
        case Place(stage="question", question=question) if question:
            asking.show_question(session, participant, place, question)
        case Place(stage="instructions"):
            reading.show_instructions(session, participant)
        case Place(stage="practice" | "trials", trial=trial) if trial:
            show = rating.show_rating if session.kind == "rating" else comparison.show_comparison
            show(session, participant, place, trial)
        case Place(stage="break"):
            reading.show_break(session, participant, place)
        case Place(stage="paused"):
            reading.show_pause(session)
        case _:
            reading.show_end(session, place)


if __name__ == "__main__":
    try:
        show()
    except UnavailableError:
        if not present_again():
            reading.show_waiting(running.words())
    except ExperimentError as error:
        reading.show_problem(running.words(), str(error))
    except Exception:
        # The outermost edge: whatever broke, the participant learns that nothing is lost, and the log learns what broke.
        logging.getLogger(__name__).exception("a page failed")
        reading.show_waiting(running.words())
