"""What to think about before a comparison is launched, in sentences."""

import re
from collections.abc import Iterable, Mapping, Sequence
from math import gcd

from study.config import Recruitment, StudyTable
from study.design.pairs import Contrast

# What becomes of a panel's id (`recruitment.arrivals.pseudonym`).
_PSEUDONYM = re.compile(r"p-[0-9a-f]{16}")


def may_come(target: str, recruitment: Recruitment) -> bool:
    """Return whether somebody can take part as this target user: people from a panel take part under pseudonyms only."""
    return recruitment.by in ("link", "invitation") or _PSEUDONYM.fullmatch(target) is not None


def remarks(
    targets: Sequence[str],
    people: Sequence[str | None],
    *,
    table: StudyTable,
    contrasts: frozenset[Contrast] | None,
    coverage: Mapping[Contrast, int],
    pairs: int,
) -> Iterable[str]:
    """Yield what deserves a thought.

    `targets` are the target users, `people` who takes part (None: no target user), `coverage` the votes by names compared,
    `pairs` how many pairs of images may be asked.
    """
    yield from _on_recruitment(targets, table.recruitment)
    yield from _on_people([target for target in targets if may_come(target, table.recruitment)], people)
    yield from _on_scale(coverage)
    if table.pairs == "informative" and any(len(contrast) == 1 for contrast in contrasts or ()):
        yield (
            "A claim of personal match also compares images made for others with each other, which pairs = "
            '"informative" leaves out; "claims" and "all" keep them.'
        )
    if table.pairs == "incomplete" and table.per_participant is not None:
        yield from _on_incomplete(len(people), pairs, table.per_participant)
    elif len(people) % 2:
        yield "An odd number of participants leaves the last without a twin who sees each pair with the sides swapped."


def own_first(name: str) -> tuple[bool, bool, str]:
    """Return what sorts names so that own comes first, then others, then the rest by name."""
    return not name.startswith("own"), not name.startswith("others"), name


def _on_recruitment(targets: Sequence[str], recruitment: Recruitment) -> Iterable[str]:
    lost = [target for target in targets if not may_come(target, recruitment)]
    if lost:
        yield (
            f'Nobody can take part as {", ".join(lost)}: by = "{recruitment.by}" turns the panel\'s ids into pseudonyms (p-…), so nobody '
            "has own images. Take ratings by the same panel in this folder, which are kept under these pseudonyms, or let target users "
            "come by invitation."
        )


def _on_people(targets: Sequence[str], people: Sequence[str | None]) -> Iterable[str]:
    others = people.count(None)
    if others and targets:
        yield (
            f"{others} of {len(people)} participants are no target users: nothing was made for them, so they have no own images and "
            "see every personal image as made for others."
        )
    if len(people) < len(targets):
        yield f"There are {len(targets)} target users and only {len(people)} participants."


def _on_scale(coverage: Mapping[Contrast, int]) -> Iterable[str]:
    """Yield a note where what is compared falls into groups that never meet."""
    groups: list[set[str]] = []
    for contrast in coverage:
        meeting = [group for group in groups if group & contrast]
        groups = [group for group in groups if not group & contrast] + [set(contrast).union(*meeting)]
    if len(groups) > 1:
        told = "; ".join(sorted(", ".join(sorted(group, key=own_first)) for group in groups))
        yield f"These groups are never compared with each other, so that one scale cannot hold them all: {told}."


def _on_incomplete(participants: int, pairs: int, each: int) -> Iterable[str]:
    """Yield after how many participants sides are exactly even, and which number of pairs each would have that sooner."""
    whole = 2 * pairs // gcd(pairs, each)
    if participants % whole:
        nearest = min((part for part in range(1, pairs + 1) if pairs % part == 0), key=lambda part: abs(part - each))
        sooner = f"; with per_participant = {nearest}, after {2 * pairs // nearest}" if nearest != each else ""
        yield f"Each pair of images is on both sides equally often after {whole} participants{sooner}."
