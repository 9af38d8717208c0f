"""The screens to read: consent, instructions, breaks, the end, and what to say when something is in the way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from stimuli.experiment import ExperimentError
from study.catalogue import fill
from study.config import StudyTable
from study.recruitment.returning import way_back
from study.screens import running
from study.screens.component import Screen, present
from study.session import Place, Session

# How often a paused page looks whether the study goes on, and how long the thanks stand before people are sent back.
_POLL_MS = 5000
_RETURN_MS = 8000
_WORDS = ("no_connection", "unavailable", "code_label", "copy", "copied", "copy_failed", "return_soon", "return_now")


@dataclass(frozen=True)
class _Page:
    """What one page says. `shown` of a paragraph is "", "by-keys" or "by-touch"; `buttons` are what each does, by its text."""

    name: str
    title: str
    paragraphs: tuple[tuple[str, str], ...]
    buttons: Mapping[str, Callable[[], None]] = field(default_factory=dict)
    picture: str = ""
    poll_ms: int = 0
    code: str = ""
    back: str | None = None


def show_consent(session: Session, participant: str) -> None:
    """Ask for consent; only a button makes the visitor a participant."""
    texts = session.texts

    def agree() -> None:
        if running.visitor(session) != participant:
            # Erased while this page stood open: who comes again comes by their link.
            return
        try:
            session.consent(participant, simulated=running.is_simulation())
        except ExperimentError as error:
            st.session_state["problem"] = str(error)

    if problem := st.session_state.get("problem"):
        show_problem(texts, problem)
        return

    def decline() -> None:
        if running.visitor(session) == participant:
            session.decline(participant)

    buttons = {texts["agree"]: agree, texts["decline"]: decline}
    _show(texts, _Page("consent", texts["consent_title"], _plain(texts["consent"]), buttons))


def show_instructions(session: Session, participant: str) -> None:
    """Say how it works, in the words that fit the study and the device."""
    texts, table = session.texts, session.table
    pieces = [*_plain(texts["instructions"])]
    pieces += [(texts[f"{session.kind}_by_keys"], "by-keys"), (texts[f"{session.kind}_by_touch"], "by-touch")]
    if isinstance(table, StudyTable) and table.tie:
        pieces.append((texts["comparison_tie"], ""))
    further = [texts["practice_first"]] * bool(table.practice) + [texts["breaks_offered"]] * bool(table.block)
    if further:
        pieces.append((" ".join(further), ""))
    buttons = {texts["start_practice" if table.practice else "start"]: lambda: session.begin(participant)}
    _show(texts, _Page("instructions", texts["instructions_title"], tuple(pieces), buttons, picture=session.kind))


def show_break(session: Session, participant: str, place: Place) -> None:
    """Offer a rest, as long as wanted, and say how much is left."""
    texts = session.texts
    said = fill(texts["break_text"], {"n": place.done, "total": place.total, "left": place.total - place.done})
    buttons = {texts["continue"]: lambda: session.rest_over(participant)}
    _show(texts, _Page(f"break-{place.done}", texts["break_title"], _plain(said), buttons))


def show_end(session: Session, place: Place) -> None:
    """Say how it ended, with the completion code and the way back where the study gives one."""
    texts = session.texts
    name = place.stage.replace(" ", "_")
    said = texts["thanks"] if name == "thanks" else texts[f"{name}_text"]
    # Whoever is on the way when the study closes is sent back like one for whom there was no place.
    way = way_back(session.table.recruitment, "full" if place.stage == "closed" else place.ended)
    code, back = (way.code, way.url) if way else ("", None)
    _show(texts, _Page(name, texts[f"{name}_title"], _plain(said), code=code, back=back))


def show_pause(session: Session) -> None:
    """Say that the study is paused; the page goes on by itself once it is not."""
    texts = session.texts
    _show(texts, _Page("paused", texts["paused_title"], _plain(texts["paused_text"]), poll_ms=_POLL_MS))


def show_waiting(texts: Mapping[str, str]) -> None:
    """Say that the study does not answer at the moment; the page goes on by itself once it does."""
    _show(texts, _Page("waiting", texts["waiting_title"], _plain(texts["waiting_text"]), poll_ms=_POLL_MS))


def show_stranger(texts: Mapping[str, str]) -> None:
    """Say that the browser did not tell whom it belongs to."""
    _show(texts, _Page("stranger", texts["stranger_title"], _plain(texts["stranger_text"])))


def show_problem(texts: Mapping[str, str], problem: str) -> None:
    """Say what went wrong."""
    _show(texts, _Page("problem", texts["problem_title"], (*_plain(f"{problem}."), *_plain(texts["problem_text"]))))


def _show(texts: Mapping[str, str], page: _Page) -> None:
    actions = {str(number): act for number, act in enumerate(page.buttons.values())}
    data = {
        "language": texts["language"],
        "screen": page.name,
        "title": page.title,
        "paragraphs": tuple({"text": text, "shown": shown} for text, shown in page.paragraphs),
        "buttons": tuple({"name": str(number), "text": text} for number, text in enumerate(page.buttons)),
        "picture": page.picture,
        "poll_ms": page.poll_ms,
        "code": page.code,
        "back": page.back,
        "return_ms": _RETURN_MS,
        "words": {word: texts[word] for word in _WORDS},
    }

    def go(sent: Mapping[str, Any]) -> None:
        # A press that was sent twice belongs to the screen it was made on.
        if sent.get("screen") == page.name and (act := actions.get(str(sent.get("button")))):
            act()

    present(Screen("reading", data, "go", go))


def _plain(text: str) -> tuple[tuple[str, str], ...]:
    """Return the paragraphs of a text, for every device."""
    return tuple((" ".join(paragraph.split()), "") for paragraph in text.split("\n\n") if paragraph.strip())
