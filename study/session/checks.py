"""What of all that a browser can send can have come from our pages."""

import math
import re
from dataclasses import replace
from unicodedata import category

from study.config import Question
from study.storage.records import Answer, StudyKind

# What a page may send as text beside replies to questions.
_PLAIN = re.compile(r"[ -~]{0,64}")
_LONGEST_MS = 7 * 24 * 3600 * 1000.0
_MANY = 1_000_000
# Control characters and halves of a character, which no database takes. Spaces that do not break and the joiners of emoji are text.
_NO_TEXT = ("Cc", "Cs")
# Of a free text: about two pages.
LONGEST_REPLY = 5_000
_LOWEST, _HIGHEST = 1.0, 5.0


def is_plain(text: str) -> bool:
    """Return whether the text is at most 64 printable ASCII characters."""
    return _PLAIN.fullmatch(text) is not None


def is_sound(answer: Answer, *, kind: StudyKind, tie: bool) -> bool:
    """Return whether a page of this kind of study can have sent the answer; `tie` is whether it offers one."""
    if kind == "rating":
        fitting = answer.choice == "" and answer.rating is not None and _LOWEST <= answer.rating <= _HIGHEST
    else:
        fitting = answer.rating is None and (answer.choice in ("left", "right") or (tie and answer.choice == "tie"))
    return (
        fitting
        and 0 <= answer.response_ms <= _LONGEST_MS
        and all(is_plain(text) for text in (answer.token, answer.device, answer.viewport))
        and all(0 <= count <= _MANY for count in (answer.blurs, answer.ignored))
    )


def auditable(answer: Answer) -> Answer:
    """Return the answer with what no database should be asked to hold taken out."""
    return replace(
        answer,
        token=answer.token if is_plain(answer.token) else "",
        choice=answer.choice if is_plain(answer.choice) else "",
        rating=answer.rating if answer.rating is not None and math.isfinite(answer.rating) else None,
        response_ms=answer.response_ms if math.isfinite(answer.response_ms) else -1.0,
    )


def fits(question: Question, value: str) -> bool:
    """Return whether the value is a reply to the question; an empty one skips a question that is not required."""
    if not value.strip():
        return value == "" and not question.required
    match question.type:
        case "choice":
            return value in question.options
        case "scale":
            return value in {str(point) for point in range(1, question.points + 1)}
        case "number":
            return _is_number_between(value, question.least, question.most)
        case "text":
            return len(value) <= LONGEST_REPLY and all(category(sign) not in _NO_TEXT or sign in "\n\r\t" for sign in value)


def _is_number_between(value: str, least: float | None, most: float | None) -> bool:
    try:
        number = float(value) if is_plain(value) else math.nan
    except ValueError:
        return False
    return math.isfinite(number) and (least is None or number >= least) and (most is None or number <= most)
