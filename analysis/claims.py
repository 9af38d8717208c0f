"""The claims of study.toml: their verdicts, how fragile these are, and the evidence, in words and as one record for each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.comparisons import Cells
from analysis.config import Claim
from analysis.jackknife import Spread, spread
from analysis.preference import Model, group_wins
from analysis.results import ClaimResult, plain
from analysis.verdicts import (
    CONTRADICTED,
    EQUIVALENT,
    INCONCLUSIVE,
    MEANINGFUL,
    NEGLIGIBLE,
    NOT_TESTABLE,
    SUPPORTED,
    Circumstances,
    OtherTest,
    Rules,
    Step,
    Verdict,
    claimed_names,
    needed,
    sources,
    verdicts,
)
from stimuli.experiment import ExperimentError

EXPLORATORY, FRAGILE = "EXPLORATORY", "FRAGILE"
# Named in the sentence of a claim; the evidence names all.
_MOST_NAMED = 3
# Refitting without each participant and prompt, and within that without each other one, is done up to this many.
_MOST_REFITS = 150
_FOR = {
    "these": "For these participants and these prompts, not for new ones",
    "participants": "For new participants and these prompts",
    "participants+prompts": "For new participants and new prompts",
}
_UNSCORED = {
    "personal_match": "For these participants, these prompts and these images, not for new ones",
    "consistent_runs": "For these steering runs, not for new ones",
}
_POOL = {
    "participants": "the pool of others' images stays as it is",
    "participants+prompts": "the people whom others' images are made for stay the same",
}
_FINDINGS = {
    SUPPORTED: "the votes support the claim that",
    CONTRADICTED: "the votes contradict the claim that",
    EQUIVALENT: "the votes show that the difference is too small to matter, against or within the claim that",
    INCONCLUSIVE: "the votes neither support nor contradict the claim that",
    NOT_TESTABLE: "the votes cannot test the claim that",
}


@dataclass(frozen=True, eq=False)
class Evidence:
    """What verdicts rest on: the counted votes and what they say, and with everyone's where some were excluded by rule.

    `people` and `questions` name the participants and prompts of the cells where the source tells them. `targets` says whether some
    images were made for somebody, so that `own` are those made for the participant.
    """

    cells: Cells
    model: Model
    spread: Spread
    with_everyone: Cells | None = None
    people: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    targets: bool = False


@dataclass(frozen=True)
class Seal:
    """Whether the claims were locked before the votes: the reason why verdicts are exploratory, and the hash of the lock."""

    exploratory: str | None
    sha256: str | None = None


def judge(
    claims: Sequence[Claim],
    evidence: Evidence,
    *,
    rules: Rules,
    circumstances: Circumstances,
    seal: Seal,
    others: Mapping[str, OtherTest] | None = None,
) -> tuple[ClaimResult, ...]:
    """Return the verdict on each claim with its evidence, stamped FRAGILE and EXPLORATORY where it is."""
    found = verdicts(claims, evidence.spread, rules, circumstances, others=others)
    again = _again(claims, evidence, rules, circumstances, others) if any(one.steps for one in found) else {}
    return tuple(
        _result(one, {name: rest[place] for name, rest in again.items()}, evidence, rules, seal, (others or {}).get(one.claim.id))
        for place, one in enumerate(found)
    )


def _again(
    claims: Sequence[Claim], evidence: Evidence, rules: Rules, circumstances: Circumstances, others: Mapping[str, OtherTest] | None
) -> dict[str, list[Verdict]]:
    """Return the verdicts without each participant and each prompt of the scope, and with everyone, by what was changed."""
    found: dict[str, list[Verdict]] = {}
    for name, smaller in _smaller(evidence):
        found[name] = verdicts(claims, smaller, rules, circumstances, others=others, count_clusters=False) if smaller else []
    if evidence.with_everyone is not None:
        everyone = _try_spread(evidence.with_everyone, evidence.model)
        whole = replace(circumstances, excluded=0, votes=max(circumstances.votes, circumstances.collected or 0))
        found["with everyone"] = verdicts(claims, everyone, rules, whole, others=others) if everyone else []
    gone = [Verdict(claim, NOT_TESTABLE, None, "not all conditions are on one scale", ()) for claim in claims]
    return {name: some or gone for name, some in found.items()}


def _smaller(evidence: Evidence) -> Iterator[tuple[str, Spread | None]]:
    """Yield what the votes say without each participant and each prompt; None where that leaves no scale.

    Where there are very many, only the differences are renewed and the variances kept, which change little then.
    """
    of, cells = evidence.spread, evidence.cells
    exact = (cells.participants if of.by_participant is not None else 0) + (
        cells.prompts if of.by_prompt is not None else 0
    ) <= _MOST_REFITS
    for what, codes, names, moved in (
        ("participant", cells.participant, evidence.people, of.without_participant),
        ("prompt", cells.prompt, evidence.questions, of.without_prompt),
    ):
        for number, name in enumerate(names if len(names) > 1 else ()):
            if exact or moved is None:
                yield f"without {what} {name}", _try_spread(_taken(cells, codes != number), evidence.model)
            else:
                yield f"without {what} {name}", replace(of, strengths=moved[:, number])


def _taken(cells: Cells, kept: NDArray[np.bool_]) -> Cells:
    """Return some of the cells; participants and prompts that are in none are not counted any more."""
    people, participant = np.unique(cells.participant[kept], return_inverse=True)
    questions, prompt = np.unique(cells.prompt[kept], return_inverse=True)
    return replace(
        cells,
        participants=len(people),
        prompts=len(questions),
        participant=participant,
        prompt=prompt,
        left=cells.left[kept],
        right=cells.right[kept],
        left_wins=cells.left_wins[kept],
        right_wins=cells.right_wins[kept],
        ties=cells.ties[kept],
    )


def _try_spread(cells: Cells, model: Model) -> Spread | None:
    whole = group_wins(cells, by="all")
    model = Model(model.davidson and bool(cells.ties.any()), model.regularise)
    if not model.identified(whole)[0]:
        return None
    try:
        return spread(cells, model=model)
    except ExperimentError:
        return None


def _result(
    one: Verdict, again: Mapping[str, Verdict], evidence: Evidence, rules: Rules, seal: Seal, other: OtherTest | None
) -> ClaimResult:
    of = evidence.spread
    changing = [name for name, rest in again.items() if rest.kind != one.kind] if one.steps else []
    stamps = [one.name, *([FRAGILE] if changing else []), *([EXPLORATORY] if seal.exploratory else [])]
    record: dict[str, object] = {
        "type": one.claim.type,
        "family": one.claim.family,
        # Tests by relabelling are conditional on these people, images and runs, whatever the scope of differences.
        "scope": "these" if one.claim.type in _UNSCORED else rules.scope,
        "p_value": one.p_value,
        "p_adjusted": one.p_adjusted,
        "grade": one.grade,
        "smallest_effect_elo": rules.smallest_effect,
        "participants": of.participants,
        "prompts": of.prompts,
        "steps": [_record(step, again, place, of, rules) for place, step in enumerate(one.steps)],
        "changing": changing,
        "verdict": ", ".join(stamps),
        "rule": one.rule,
        "lock_sha256": seal.sha256,
        **(dict(other.numbers) if other and other.numbers else {}),
    }
    return ClaimResult(one.claim.id, _sentence(one, evidence, rules, seal, changing, other), ", ".join(stamps), one.rule, plain(record))


def _record(step: Step, again: Mapping[str, Verdict], place: int, of: Spread, rules: Rules) -> dict[str, object]:
    """Return the numbers of one difference."""
    parts = sources(of, step.a, step.b)
    without = [rest.steps[place].difference for rest in again.values() if len(rest.steps) > place]
    df = float(step.estimate.df)
    return {
        "a": step.a,
        "b": step.b,
        "difference_elo": step.difference,
        "win_probability": _chance(of, step),
        "interval": list(step.interval(rules.alpha)),
        "interval_adjusted": list(step.interval(step.adjusted_alpha)),
        "adjusted_level": 1 - step.adjusted_alpha,
        "p_value": float(step.estimate.p_value()),
        "df": None if np.isinf(df) else df,
        "standard_error": float(step.estimate.standard_error),
        "sd_participants": parts["participants"] ** 0.5,
        "sd_prompts": parts["prompts"] ** 0.5,
        "sd_cells": parts["cells"] ** 0.5,
        "design_effect": float(step.estimate.standard_error**2 / parts["model"]) if parts["model"] > 0 else None,
        "leave_one_out": [min(without), max(without)] if without else None,
    }


def _chance(of: Spread, step: Step) -> float:
    place = of.items.index
    return float(of.chances[0, place(step.a), place(step.b)])


def _sentence(one: Verdict, evidence: Evidence, rules: Rules, seal: Seal, changing: Sequence[str], other: OtherTest | None) -> str:
    of = evidence.spread
    found = other.finding if other else "; ".join(_measured(step, of, rules, one.kind) for step in one.steps)
    told = [f"{_for_whom(one, of, rules)}, {_found(one)} {_claimed(one.claim)}{f': {found}' if found else ''}"]
    if evidence.targets and one.steps:
        told += _images_of_new_people(one.claim, rules)
    if one.kind == SUPPORTED and rules.smallest_effect and one.claim.type in ("greater", "order"):
        told.append(_how_large(one, rules.smallest_effect))
    if one.kind in (SUPPORTED, EQUIVALENT):
        told += _wide_margin(one.claim, rules)
    if one.kind == INCONCLUSIVE and one.steps:
        told += _what_is_open(one, of, rules)
    if changing:
        told.append(f"FRAGILE: the verdict is another one {_changed_by(changing, of)}")
    if other and one.p_value is not None:
        told.append("Whether single participants, prompts or runs carry it (FRAGILE) was not tried")
    if seal.exploratory:
        told.append(f"EXPLORATORY: {seal.exploratory}")
    return ". ".join(told) + "."


def _for_whom(one: Verdict, of: Spread, rules: Rules) -> str:
    """Return for whom a verdict holds, and how many participants and prompts that comes from; no vote enters a test of runs."""
    counted = "" if one.claim.type == "consistent_runs" else f" ({_counted(of)})"
    return f"{_UNSCORED.get(one.claim.type, _FOR[rules.scope])}{counted}"


def _found(one: Verdict) -> str:
    if one.claim.type == "equivalent" and one.kind == EQUIVALENT:
        return _FINDINGS[SUPPORTED]
    return _FINDINGS[one.kind].replace("the votes", "the runs") if one.claim.type == "consistent_runs" else _FINDINGS[one.kind]


def _images_of_new_people(claim: Claim, rules: Rules) -> Iterator[str]:
    """Yield what a new participant is shown, where a claim is about images made for the participant."""
    names = claimed_names(claim)
    if rules.scope == "these" or not any(name == "own" or name.startswith("own (") for name in names):
        return
    pool = f"; {_POOL[rules.scope]}" if any(name == "others" or name.startswith("others (") for name in names) else ""
    yield f"A new participant comes with an image made for them in the same way{pool}"


def _wide_margin(claim: Claim, rules: Rules) -> Iterator[str]:
    """Yield a warning where a claim's margin is wider than the smallest difference that matters."""
    if claim.margin_elo and rules.smallest_effect and claim.margin_elo > rules.smallest_effect:
        yield (
            f"The margin ({claim.margin_elo:g} Elo) is wider than the smallest difference that matters ({rules.smallest_effect:g} Elo), "
            "so this does not show that the difference is too small to matter"
        )


def _what_is_open(one: Verdict, of: Spread, rules: Rules) -> Iterator[str]:
    """Yield what an inconclusive study could have seen, and what it is no evidence of."""
    claim = one.claim
    if claim.type == "equivalent":
        yield f"This is no evidence that they differ by less than {claim.margin_elo:g} Elo, nor that they differ by more"
        return
    lowest = -(claim.margin_elo or 0.0)
    yield from (_open(step, of, rules) for step in one.steps if step.interval(step.adjusted_alpha)[0] <= lowest)
    if claim.type == "noninferior":
        yield f"This is no evidence that {claim.a} is behind by less than {claim.margin_elo:g} Elo, nor that it is behind by more"
    else:
        yield "This is not evidence of no difference"


def _changed_by(changing: Sequence[str], of: Spread) -> str:
    """Return what would change a verdict, participants and prompts apart."""
    parts = []
    for what, number in (("participant", of.participants), ("prompt", of.prompts)):
        start = f"without {what} "
        names = [name.removeprefix(start) for name in changing if name.startswith(start)]
        if len(names) == 1:
            parts.append(f"{start}{names[0]}")
        elif len(names) == number and names:
            parts.append(f"without any one of the {number} {what}s")
        elif names:
            more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
            parts.append(f"without any one of {len(names)} of the {number} {what}s ({', '.join(names[:_MOST_NAMED])}{more})")
    rest = [name for name in changing if not name.startswith(("without participant ", "without prompt "))]
    return ", or ".join((*parts, *rest))


def _counted(of: Spread) -> str:
    return f"from {of.participants} participants and {of.prompts} prompts"


def _claimed(claim: Claim) -> str:
    names = claimed_names(claim)
    match claim.type:
        case "order":
            return f"{', '.join(names[:-1])} and {names[-1]} are preferred in this order" if len(names) > 2 else _joined(names)
        case "equivalent":
            return f"{names[0]} and {names[1]} differ by less than {claim.margin_elo:g} Elo"
        case "noninferior":
            return f"{names[0]} is behind {names[1]} by less than {claim.margin_elo:g} Elo"
        case "personal_match":
            return "people prefer the images made for them"
        case "consistent_runs":
            return "two steering runs for one person agree more than runs for different people"
        case _:
            return _joined(names)


def _joined(names: Sequence[str]) -> str:
    return f"{names[0]} is preferred to {' and to '.join(names[1:])}"


def _measured(step: Step, of: Spread, rules: Rules, kind: str) -> str:
    low, high = step.interval(rules.alpha)
    interval = f"{100 * (1 - rules.alpha):g} % interval {low:+.1f} to {high:+.1f}"
    if kind in (INCONCLUSIVE, CONTRADICTED) and not np.isclose(step.adjusted_alpha, rules.alpha):
        low, high = step.interval(step.adjusted_alpha)
        interval += f"; corrected, {100 * (1 - step.adjusted_alpha):.4g} % interval {low:+.1f} to {high:+.1f}"
    chance = f"{100 * _chance(of, step):.1f} %"
    measured = f"{step.a} minus {step.b} is {step.difference:+.1f} Elo ({interval})"
    return f"{measured}, so the fit expects {step.a} to be chosen in {chance} of comparisons"


def _how_large(one: Verdict, smallest: float) -> str:
    """Return how a supported difference compares with the smallest that matters, as the grade of the verdict says."""
    each = "Each difference" if len(one.steps) > 1 else "The difference"
    bar = f"the smallest that matters ({smallest:g} Elo)"
    if one.grade == MEANINGFUL:
        return f"{each} is shown to be larger than {bar}"
    if one.grade == NEGLIGIBLE:
        return f"{each} is there, and shown to be smaller than {bar}"
    at = min(one.steps, key=lambda step: step.interval(step.adjusted_alpha)[0])
    level, low = f"{100 * (1 - at.adjusted_alpha):.4g} %", at.interval(at.adjusted_alpha)[0]
    if len(one.steps) == 1:
        return f"The difference is not shown to be as large as {bar}: its corrected interval ({level}) begins at {low:+.1f}"
    which = f"the corrected interval of {at.a} minus {at.b} ({level}) begins at {low:+.1f}"
    return f"Not every difference is shown to be as large as {bar}: {which}"


def _open(step: Step, of: Spread, rules: Rules) -> str:
    """Return what a study of this size could have seen, and how large one would have to be."""
    size = needed(of, step.a, step.b, rules)
    told = f"A study like this one sees {step.a} minus {step.b} from {size.detectable:.0f} Elo on (80 % power)"
    ways = []
    if size.people:
        ways.append(f"about {size.people:,} people with as many prompts")
    if size.both and not (size.people and size.people <= size.both[0]):
        ways.append(f"about {size.both[0]:,} people and {size.both[1]:,} prompts")
    if ways:
        told += f"; {size.target:.0f} Elo would take {' or '.join(ways)}"
    return told
