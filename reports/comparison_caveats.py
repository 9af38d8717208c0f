"""What stands between two studies and a comparison of their numbers: other questions, shared people, shared prompts."""

from collections.abc import Iterator, Sequence
from itertools import combinations

from reports.compared_study import Study
from reports.sentences import holds_for


def apart(studies: Sequence[Study]) -> tuple[str, ...]:
    """Return what was not the same in the studies: question, scope of the verdicts, prompts, ties, error rate, claims, version."""
    return tuple(_apart(studies))


def cautions(studies: Sequence[Study], scope: str) -> tuple[str, ...]:
    """Return what makes the numbers say less than they seem to, a sentence each."""
    return tuple(_cautions(studies, scope))


def why_not_combined(studies: Sequence[Study], scope: str) -> tuple[str, ...]:
    """Return why one mean of the studies would mislead, whatever their numbers; nothing where it would not."""
    return tuple(_reasons(studies, scope))


def shared_people(one: Study, other: Study) -> frozenset[str] | None:
    """Return the ids of participants who are in both studies; None where nothing tells."""
    if one.participants is None or other.participants is None or one.anonymised or other.anonymised:
        return None
    return one.participants & other.participants


def shared_prompts(one: Study, other: Study) -> int | None:
    """Return how many prompts are in both studies, by their words, or by their ids where no words are known; None if unknown."""
    if one.prompts is None or other.prompts is None:
        return None
    known = all(words is not None for study in (one, other) for words in (study.prompts or {}).values())
    here, there = ({*((study.prompts or {}).values() if known else study.prompts or {})} for study in (one, other))
    return len(here & there)


def _same_prompts(one: Study, other: Study) -> bool | None:
    """Return whether both studies have exactly the same prompts; None if unknown."""
    number = shared_prompts(one, other)
    return None if number is None else number == len(one.prompts or {}) == len(other.prompts or {})


def _apart(studies: Sequence[Study]) -> Iterator[str]:
    asked = {study.name: study.question for study in studies}
    if len(set(asked.values())) > 1:
        told = "; ".join(f"{name} asked {_quoted(question)}" for name, question in asked.items())
        yield f"The question: {told}. People who were asked different things may choose differently for that alone."
    yield from _unequal("The verdicts hold for", {study.name: holds_for(study.results.scope) for study in studies})
    yield from _unequal("The model", {study.name: study.results.model for study in studies})
    for one, other in combinations(studies, 2):
        number = shared_prompts(one, other)
        sizes = [len(study.prompts or {}) for study in (one, other)]
        if _same_prompts(one, other) is False:
            yield f"The prompts: {one.name} has {sizes[0]} and {other.name} {sizes[1]}, of which {number} are the same."
    yield from _unequal("A tie was", {study.name: _tie(study) for study in studies if study.settings})
    yield from _unequal("Pairs shown", {study.name: _key(study, "study", "pairs", "all") for study in studies if study.settings})
    yield from _unequal("Smallest effect that matters", {study.name: _effect(study) for study in studies if study.settings})
    yield from _unequal("Exclusion rules", {study.name: _rules(study) for study in studies if study.settings})
    yield from _unequal("tastebench", {study.name: _version(study) for study in studies})


def _cautions(studies: Sequence[Study], scope: str) -> Iterator[str]:
    yield from _about_people(studies)
    for one, other in combinations(studies, 2):
        number = shared_prompts(one, other)
        if number is None:
            yield f"Whether {one.name} and {other.name} share prompts is not known: a folder holds neither votes nor stimuli."
        elif scope == "participants" and not _same_prompts(one, other):
            yield (
                f"{one.name} and {other.name} have different prompts, and the scope is new people at these prompts: a change between "
                "them may come from the prompts. --scope participants+prompts counts that as chance."
            )
        elif number and scope == "participants+prompts":
            yield (
                f"{one.name} and {other.name} share {number} prompts, so the chance of which prompts were drawn is partly one. "
                "The intervals of the changes take it for independent and are then rather too wide; --scope participants compares new "
                "people at these prompts."
            )
    if any(_by_panel(study) for study in studies):
        yield (
            "People from a panel have another pseudonym in every study: whether somebody took part in two can only be seen at the panel."
        )
    unread = [study.name for study in studies if not study.settings]
    if unread:
        yield f"{' and '.join(unread)} {'has' if len(unread) == 1 else 'have'} no study.toml, so what was asked there is not known."


def _about_people(studies: Sequence[Study]) -> Iterator[str]:
    """Yield who may be in two studies; nobody is named, as a comparison is made to be shown."""
    both = []
    for one, other in combinations(studies, 2):
        shared = shared_people(one, other)
        if one.anonymised or other.anonymised:
            which = " and ".join(study.name for study in (one, other) if study.anonymised)
            yield f"Whether anybody is in both {one.name} and {other.name} cannot be seen: {which} is anonymised."
        elif shared is None:
            which = " and ".join(study.name for study in (one, other) if study.participants is None)
            yield f"Whether anybody took part in both {one.name} and {other.name} is not known: {which} holds no votes.parquet."
        elif shared:
            both.append(f"{len(shared)} participant{' is' if len(shared) == 1 else 's are'} in both {one.name} and {other.name}")
    if both:
        yield (
            f"{'; '.join(both)}. Everything below takes the studies for independent, which they then are not: the intervals of the "
            "changes are wrong, most often too wide."
        )


def _reasons(studies: Sequence[Study], scope: str) -> Iterator[str]:
    if scope == "these":
        yield "at the scope “these” each study speaks about its own people and prompts, so there is no one difference that all measured"
    for one, other in combinations(studies, 2):
        if scope != "these" and shared_prompts(one, other) is None:
            yield f"whether {one.name} and {other.name} have the same prompts is not known"
        if scope == "participants" and _same_prompts(one, other) is False:
            yield f"at the scope “participants” a study speaks about its own prompts, and those of {one.name} and {other.name} differ"
        if shared_people(one, other):
            yield f"{one.name} and {other.name} share participants, so their errors are not independent"
        if scope == "participants+prompts" and shared_prompts(one, other):
            yield f"{one.name} and {other.name} share prompts, so a mean for new prompts would count the same prompts twice"
    asked = {study.question for study in studies if study.question is not None}
    if len(asked) > 1:
        yield "people were asked different questions"
    if len({bool(study.simulated) for study in studies}) > 1:
        yield "some participants are people and some are simulated"
    if any(study.results.regularised for study in studies):
        yield "regularised results hold made-up wins"


def _unequal(what: str, values: dict[str, str]) -> Iterator[str]:
    if len(set(values.values())) > 1:
        yield f"{what}: {'; '.join(f'{name}: {value}' for name, value in values.items())}."


def _quoted(question: str | None) -> str:
    return "what is not known (no study.toml)" if question is None else f"“{question}”"


def _key(study: Study, table: str, key: str, otherwise: object) -> str:
    return str(study.settings.get(table, {}).get(key, otherwise))


def _tie(study: Study) -> str:
    return "offered" if study.settings.get("study", {}).get("tie") else "not offered"


def _effect(study: Study) -> str:
    return _key(study, "analysis", "smallest_effect_elo", "not named")


def _rules(study: Study) -> str:
    rules = [f"{rule.get('rule')} {rule.get('limit', '')}".strip() for rule in study.settings.get("exclusion", ())]
    return ", ".join(rules) or "none"


def _version(study: Study) -> str:
    return str((study.results.provenance.get("packages") or {}).get("tastebench", "version not recorded"))


def _by_panel(study: Study) -> bool:
    return study.settings.get("study", {}).get("recruitment", {}).get("by") in ("prolific", "panel")
