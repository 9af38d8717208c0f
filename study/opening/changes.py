"""What may change in study.toml while votes exist, and what must not: votes of two studies are never mixed."""

from typing import Any

from study.session.running import Held, written
from study.storage.records import StudyRow

# What no answer depends on: how many may come, from where, for how long places are held, and what only the plan is printed by.
# `peeking` is not among them: whoever allows it after the first votes has chosen when to look.
_FREE = ("participants", "hold_minutes", "recruitment", "hourly_pay", "currency", "seconds_per_trial", "unreviewed")

# Words of the study's own, which a study laid out by version 0.1 held among its other keys even where study.toml had none.
_WORDS = ("question", "consent", "instructions", "thanks")


def changes(held: StudyRow, wanted: StudyRow) -> list[str]:
    """Return what makes `wanted` another study than the one that is `held`, as a person would say it."""
    before, after = held.settings, wanted.settings
    name = "[study]" if wanted.kind == "comparison" else "[rating]"
    free = _FREE if "texts" in before else (*_FREE, *(word for word in _WORDS if after["table"][word] is None))
    changed = [f'"{key}" in {name}' for key in after["table"] if key not in free and before["table"].get(key) != after["table"][key]]
    if after["table"]["recruitment"]["by"] != "link" and before.get("secret", after["secret"]) != after["secret"]:
        changed.append("study.key (it recognises whoever comes back; copy it from the folder in which this study was opened first)")
    if before["seed"] != after["seed"]:
        changed.append('"seed" in [experiment]')
    if _asked(before) != _asked(after):
        changed.append("a [[question]]")
    if before.get("contrasts") != after["contrasts"]:
        changed.append("the conditions that a [[claim]] names")
    if "texts" in before and _own_texts(before) != _own_texts(after):
        changed.append(f"the texts of {after['table']['language']}")
    if held.stimuli_sha256 != wanted.stimuli_sha256:
        changed.append("the images (or which of them the review removed)")
    return changed


def going_on(held: StudyRow, wanted: Held) -> dict[str, Any]:
    """Return the settings with which the study that is `held` goes on: the new ones, but in the words that people have read so far."""
    said = held.settings.get("texts") or {word: held.settings["table"][word] for word in _WORDS if held.settings["table"].get(word)}
    return written(wanted) | {"texts": dict(wanted.texts) | said}


def _asked(settings: dict[str, Any]) -> list[dict[str, Any]]:
    return [{key: value for key, value in question.items() if key != "quota"} for question in settings["questions"]]


def _own_texts(settings: dict[str, Any]) -> dict[str, str] | None:
    """Return the texts where they are the experimenter's; those that come with the toolkit may change with its version."""
    texts: dict[str, str] = settings["texts"]
    return texts if settings["table"]["language"].endswith(".toml") else None
