"""Opening, pausing and closing a study: which state may follow which, from the researcher's page and from a terminal alike."""

from datetime import datetime

from study.storage.records import State, StudyRow
from study.storage.rows import Rows

# Once closed, outcomes show: whoever has seen them collects no more.
_STEPS: dict[State, tuple[State, ...]] = {
    "open": ("closing", "paused", "closed"),
    "closing": ("open", "paused", "closed"),
    "paused": ("open", "closing", "closed"),
    "closed": (),
}


def steps(state: State, *, peeking: bool) -> tuple[State, ...]:
    """Return the states that may follow; a study whose plan allowed peeking before it opened may open again."""
    return ("open",) if state == "closed" and peeking else _STEPS[state]


def steps_of(study: StudyRow | None) -> tuple[State, ...]:
    """Return the states that may follow the study's own, none where there is no study."""
    return steps(study.state, peeking=peeking_of(study)) if study else ()


def peeking_of(study: StudyRow) -> bool:
    """Return whether the study's plan said before it opened that its scores may be seen meanwhile."""
    return bool(study.settings["table"].get("peeking", False))


def switch(rows: Rows, wanted: str, *, at: datetime) -> bool:
    """Bring the study into a state and return whether it could go there; two researchers at once do not undo each other."""
    study = rows.study()
    found = next((step for step in steps_of(study) if step == wanted), None)
    if study is None or found is None or not rows.set_state(found, instead_of=study.state):
        return False
    rows.add_event("", f"study {found}", at)
    return True


def refusal(study: StudyRow | None, wanted: State) -> str:
    """Return why `switch` did not bring this study, as it is now, into the state `wanted`."""
    if study is None:
        return "there is no study any more; `tastebench study serve` makes one"
    possible = steps_of(study)
    if study.state == wanted:
        return f"the study is {study.state} already, so nothing was changed"
    if wanted in possible:
        return f"somebody else changed the study meanwhile, and it is {study.state} now; run this again if you still want it"
    if not possible:
        return (
            f"the study is {study.state}, so it cannot become {wanted}. A study that was closed for good stays closed, because its "
            "scores may have been seen since"
        )
    return f"the study is {study.state}, so it cannot become {wanted}; from there it can only become {' or '.join(possible)}"
