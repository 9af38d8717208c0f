"""The screen of one question beside the images: a choice, a scale, a number or a text."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from study.catalogue import fill
from study.config import Question
from study.screens.component import Screen, present
from study.session import Place, Session
from study.session.checks import LONGEST_REPLY

_REFUSED = "refused reply"
_WORDS = ("continue", "skip", "optional", "not_accepted", "no_connection", "unavailable")


def show_question(session: Session, participant: str, place: Place, question: Question) -> None:
    """Ask, and store the reply before anything is shown again."""

    def store(sent: Mapping[str, Any]) -> None:
        value = sent.get("value")
        # A reply that was sent twice belongs to the question it was given to.
        if sent.get("screen") == question.id and isinstance(value, str) and not session.reply(participant, question.id, value):
            st.session_state[_REFUSED] = (question.id, sent.get("attempt"))

    present(Screen("asking", _data(session.texts, place, question), "reply", store))


def _data(texts: Mapping[str, str], place: Place, question: Question) -> dict[str, object]:
    refused, attempt = st.session_state.get(_REFUSED, ("", None))
    return {
        "language": texts["language"],
        "screen": question.id,
        "text": question.text,
        "type": question.type,
        "options": tuple(str(point) for point in range(1, question.points + 1)) if question.type == "scale" else question.options,
        "ends": question.ends if question.type == "scale" else (),
        "least": question.least,
        "most": question.most,
        "longest": LONGEST_REPLY,
        "required": question.required,
        "progress": fill(texts["progress"], {"n": place.done + 1, "total": place.total}) if place.total > 1 else "",
        "missing": _missing(texts, question),
        "refused": attempt if refused == question.id else None,
        "words": {word: texts[word] for word in _WORDS},
    }


def _missing(texts: Mapping[str, str], question: Question) -> str:
    """Return what to say where the reply is missing, or is no number as it was asked for."""
    if question.type == "text":
        return texts["enter_text"]
    if question.type != "number":
        return texts["choose_one"]
    limits = {name: f"{limit:g}" for name, limit in (("least", question.least), ("most", question.most)) if limit is not None}
    form = {(): "", ("least",): "_from", ("most",): "_to", ("least", "most"): "_between"}[tuple(limits)]
    return fill(texts[f"enter_number{form}"], limits)
