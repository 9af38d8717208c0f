"""Puts a screen on the page, from its HTML, CSS and JavaScript, and hands on what the participant does there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from study.storage.database import UnavailableError

_HERE = Path(__file__).parent
_SHOWN = "shown"


@dataclass(frozen=True)
class Screen:
    """A screen with its `data`; what the page sends as `trigger` goes to `take`. `shared` names what its files build on."""

    name: str
    data: Mapping[str, object]
    trigger: str
    take: Callable[[Mapping[str, Any]], None]
    shared: tuple[str, ...] = ()


def present(screen: Screen) -> None:
    """Show the screen."""
    st.session_state[_SHOWN] = screen

    def taken() -> None:
        state = st.session_state.get(screen.name)
        if state is None:
            # What is sent twice can come once more when its screen is gone.
            return
        sent = state.get(screen.trigger)
        try:
            screen.take(sent if isinstance(sent, dict) else {})
        except UnavailableError:
            # Nothing is stored: the page sends it again until another screen comes.
            return

    # In a tuple Streamlit looks for no tables; in a dictionary it would, and load pandas for that.
    _component(screen.name, screen.shared)(key=screen.name, data=(dict(screen.data),), **{f"on_{screen.trigger}_change": taken})


def present_again() -> bool:
    """Show the last screen again while the database does not answer, and return whether there was one."""
    last = st.session_state.get(_SHOWN)
    if last is None:
        return False
    present(Screen(last.name, {**last.data, "trouble": True}, last.trigger, last.take, last.shared))
    return True


@cache
def page_style(*, is_preview: bool) -> str:
    """Return the style of the page around every screen, as HTML; it marks the pages of a preview."""
    return f"<style>{_read('page.css')}{_read('preview.css') if is_preview else ''}</style>"


@cache
def _component(name: str, shared: tuple[str, ...]) -> Any:
    css = "".join(_read(f"{part}.css") for part in ("frame", *shared, name))
    js = "\n".join(_read(f"{part}.js") for part in ("sending", *shared, name))
    return st.components.v2.component(name, html=_read(f"{name}.html"), css=css, js=js)


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")
