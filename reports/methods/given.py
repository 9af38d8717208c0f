"""The images as the numbers take them: by which names the results call them, and what an interval says of other images."""

from dataclasses import dataclass

from analysis.config import others_name, own_name
from reports.material import Material
from reports.methods.fact import listed, many
from stimuli.manifest import first_runs

_FIXED = {
    "these": "The images are fixed.",
    "participants": "The images are fixed: other participants are new raters of these images.",
    "participants+prompts": (
        "The images of these prompts are fixed: other participants are new raters, and other prompts come with images made for them in "
        "the same ways."
    ),
}
# Where a new participant comes with images made for them.
_WITH_OWN = {
    "participants": (
        "Other participants are new raters of these images, and each comes with images of their own, made in the same way; the pool of "
        "others’ images stays as it is."
    ),
    "participants+prompts": (
        "Other participants are new raters, and each comes with images of their own, made in the same way; other prompts come with images "
        "made for them in the same ways; the people whom others’ images are made for stay the same."
    ),
}


@dataclass(frozen=True)
class Personal:
    """A condition whose images were made for single people (or groups), and what the results call them by who judges."""

    condition: str
    targets: int
    own: str
    others: str


def personal_conditions(material: Material) -> tuple[Personal, ...]:
    """Return each condition with target users, in the order of the images."""
    shown = [row for row in first_runs(material.stimuli) if row.target_user]
    names = list(dict.fromkeys(row.condition for row in shown))
    several = len(names) > 1
    return tuple(
        Personal(
            name,
            len({row.target_user for row in shown if row.condition == name}),
            own_name(name, several=several),
            others_name(name, several=several),
        )
        for name in names
    )


def names_in_results(material: Material) -> str | None:
    """Return how the results call personal conditions, as sentences; None where there are none, or no results."""
    scored = _scored(material)
    found = [one for one in personal_conditions(material) if {one.own, one.others} & scored]
    told = [
        f"The results call images of {one.condition} {_called(one, scored)}, so that {many(len(scored), 'condition')} are compared."
        for one in found[:1]
    ]
    told += [f"Images of {one.condition} are called {_called(one, scored)}." for one in found[1:]]
    return " ".join(told) or None


def images_given(material: Material, scope: str) -> str | None:
    """Return what an interval at this scope says of other images than these; None where the images are not known."""
    if not material.stimuli:
        return None
    return f"{images_fixed(material, scope)} {_not_shown(material, scope)}"


def images_fixed(material: Material, scope: str) -> str | None:
    """Return the first sentence of that: who would judge which images; None where the images are not known."""
    if not material.stimuli:
        return None
    own = any(one.own in _scored(material) for one in personal_conditions(material))
    return _WITH_OWN[scope] if own and scope in _WITH_OWN else _FIXED.get(scope, _FIXED["these"])


def _not_shown(material: Material, scope: str) -> str:
    found, scored = personal_conditions(material), _scored(material)
    if not found:
        return "Other images of the same conditions may do better or worse."
    whom = listed([f"for these {many(one.targets, 'target user')}" for one in found])
    own = [one.own for one in found if one.own in scored]
    judged = f", and each image of {listed(own)} was judged by the person it was made for" if own else ""
    told = f"Images of {listed([one.condition for one in found])} were made {whom}{judged}"
    other = "in another way" if own and scope in _WITH_OWN else "for other people"
    return f"{told}; that images made {other}, or made anew, do as well is not shown."


def _called(one: Personal, scored: set[str]) -> str:
    parts = [f"“{one.own}” where they were made for the participant"] if one.own in scored else []
    parts += [f"“{one.others}” where they were made for somebody else"] if one.others in scored else []
    return " and ".join(parts)


def _scored(material: Material) -> set[str]:
    return {score.condition for score in material.results.scores} if material.results else set()
