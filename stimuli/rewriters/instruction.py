"""What a chat model is told: our template or the experiment's own, filled in, and the turn that asks for what was missing."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stimuli.experiment import ExperimentError
from stimuli.rewriters import Ask, Tried
from stimuli.rewriters.answers import storable, unthought
from stimuli.studyfile import did_you_mean

Message = dict[str, str]

# What the instruction of PAMELA (appendix B.2) asks for, in our own words, with the original prompt beside the best ones.
TEMPLATE = """\
You write prompts for a text-to-image model. A picture was made from each of the prompts below, and a judge scored it; \
a higher score is better.

{descriptions}

The original prompt, which all of them come from:
{base_prompt}

Write {requested_number} new versions of the original prompt, whose pictures this judge would score as high as possible. \
Learn from the scores: keep what seems to help, and try something else where it does not.

You may change the light, the composition, the colours, the mood and the camera (lens, angle, distance, exposure), and you may \
add detail. You may not change what is shown: every subject, thing, place and action of the original prompt stays, and none \
takes the place of another. No two versions are alike, and none repeats a prompt from above.

Answer with the prompts alone, each on a line of its own, numbered from 1 to {requested_number}: no introduction, no headings, \
no scores, no comments."""

REPAIR = """\
That gave too few prompts that are new. Write {requested_number} more, different from all of the above, by the same rules: \
what the original prompt shows stays as it is. Answer with the prompts alone, each on a line of its own, numbered from 1 to \
{requested_number}."""

PLACES = ("descriptions", "requested_number", "base_prompt")
_PLACE = re.compile(r"\{([A-Za-z_]\w*)\}")
# Some 3,000 tokens: a list of prompts is shorter, and endless text is no help in a conversation.
_LONGEST_ANSWER = 12_000


@dataclass(frozen=True)
class Instruction:
    """A template with the places `{descriptions}`, `{requested_number}` and `{base_prompt}`; other braces are text.

    Raises:
        ExperimentError: a place is missing or has another name.
    """

    template: str = TEMPLATE

    def __post_init__(self) -> None:
        found = set(_PLACE.findall(self.template))
        expected = "{descriptions} (the prompts so far with their scores), {requested_number} and {base_prompt}"
        if unknown := sorted(found - set(PLACES)):
            hints = "; ".join(f"{{{name}}} is none: {did_you_mean(name, PLACES)}" for name in unknown)
            raise ExperimentError(f"the instruction for the rewriter has unknown places: {hints}. Expected are {expected}")
        if missing := [f"{{{name}}}" for name in PLACES if name not in found]:
            raise ExperimentError(f"the instruction for the rewriter lacks {', '.join(missing)}; expected are {expected}")

    @property
    def version(self) -> str:
        """Eight hexadecimal digits that change with a word of the template or of the repair turn."""
        return hashlib.sha256(f"{self.template}\x1f{REPAIR}".encode()).hexdigest()[:8]

    def conversation(self, ask: Ask) -> list[Message]:
        """Return the messages of an ask; in the repair turn the first question and its answer go before.

        There is no system message, because some models' templates refuse it.
        """
        question = _filled(self.template, _values(ask, ask.at_first or ask.number))
        before = storable(unthought(ask.before or ""))[:_LONGEST_ANSWER].strip()
        if not before:
            return [{"role": "user", "content": _filled(self.template, _values(ask, ask.number))}]
        return [
            {"role": "user", "content": question},
            {"role": "assistant", "content": before},
            {"role": "user", "content": _filled(REPAIR, _values(ask, ask.number))},
        ]


def text_of(path: Path) -> str:
    """Return the text of an experiment's own template.

    Raises:
        ExperimentError: the file is not there, is no UTF-8 text, or lacks a place.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ExperimentError(
            f"{path}: cannot be read ({error.strerror}); [stimuli.rewriting] instruction names a text file, relative to the experiment"
        ) from error
    except UnicodeDecodeError as error:
        raise ExperimentError(f"{path}: is no UTF-8 text (byte {error.start}); save it as UTF-8") from error
    try:
        return Instruction(text).template
    except ExperimentError as error:
        raise ExperimentError(f"{path}: {error}") from error


def _values(ask: Ask, number: int) -> dict[str, str]:
    return {"descriptions": _descriptions(ask.history), "requested_number": str(number), "base_prompt": _line(ask.base_prompt)}


def _filled(template: str, values: dict[str, str]) -> str:
    """Return the template with its places filled, in one pass, so that braces in a prompt stay what they are."""
    return _PLACE.sub(lambda place: values[place.group(1)], template)


def _descriptions(history: Sequence[Tried]) -> str:
    if not history:
        return "(none has been scored yet)"
    return "\n".join(f"score {tried.score:.4g}: {_line(tried.prompt)}" for tried in history)


def _line(prompt: str) -> str:
    """Return a prompt on one line, so that it cannot pass for another line of the instruction."""
    return " ".join(storable(prompt).split())
