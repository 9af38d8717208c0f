"""What the screens of a comparison and of a rating share: it hands the page a trial and takes back one answer."""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from study.catalogue import fill
from study.session import Place, Session
from study.storage.records import Answer, TrialRow

_LAST = "last answer"
# JSON knows whole numbers that no float can hold.
_LATEST = 1e15
_WORDS = ("loading", "loading_again", "not_stored", "no_connection", "unavailable")


def recorder(session: Session, participant: str) -> Callable[[Mapping[str, Any]], None]:
    """Return what records an answer, before anything is shown again."""

    def record(sent: Mapping[str, Any]) -> None:
        answer = answer_of(sent)
        st.session_state[_LAST] = (answer.token, session.answer(participant, answer))

    return record


def trial_data(session: Session, place: Place, trial: TrialRow, *, words: tuple[str, ...]) -> dict[str, object]:
    """Return all that the browser learns of a trial, with the texts `words`; none of it depends on how the images were made."""
    token, outcome = st.session_state.get(_LAST, ("", ""))
    return {
        "language": session.texts["language"],
        "token": trial.token,
        "question": session.texts["question"],
        "prompt": trial.base_prompt,
        "images": _addresses(trial),
        "preload": _addresses(place.next) if place.next else (),
        "width": trial.width,
        "height": trial.height,
        "min_ms": session.table.min_ms,
        "practice": place.stage == "practice",
        "note": _note(session, place),
        "progress": fill(
            session.texts["practice_progress" if place.stage == "practice" else "progress"], {"n": place.done + 1, "total": place.total}
        ),
        "share": place.done / place.total if place.total else 0.0,
        "again": token == trial.token and outcome != "stored",
        "words": {word: session.texts[word] for word in (*_WORDS, *words)},
    }


def answer_of(fields: Mapping[str, Any]) -> Answer:
    """Return what the page sent; whatever is missing or of another type becomes something the session refuses."""

    def text(name: str) -> str:
        return value if isinstance(value := fields.get(name), str) else ""

    def whole(name: str) -> int:
        return value if isinstance(value := fields.get(name), int) and not isinstance(value, bool) else -1

    def number(name: str) -> float | None:
        value = fields.get(name)
        return float(max(-_LATEST, min(value, _LATEST))) if isinstance(value, int | float) and not isinstance(value, bool) else None

    milliseconds = number("response_ms")
    return Answer(
        token=text("token"),
        choice=text("choice"),
        response_ms=-1.0 if milliseconds is None else milliseconds,
        device=text("device"),
        blurs=whole("blurs"),
        ignored=whole("ignored"),
        viewport=text("viewport"),
        rating=number("rating"),
    )


def _addresses(trial: TrialRow) -> tuple[str, ...]:
    return tuple(f"/stim/{token}" for token in (trial.left_token, trial.right_token) if token)


def _note(session: Session, place: Place) -> str:
    """Return how the last answer of practice was given, never what it was."""
    if place.stage == "practice":
        device = "touch" if place.last_device == "pen" else place.last_device
        practice = f"{session.kind}_practice"
        return session.texts.get(f"{practice}_{device}", session.texts[practice])
    return session.texts[f"{session.kind}_counts"] if place.done == 0 and place.last_device else ""
