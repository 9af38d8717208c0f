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
# Refitting without each participant and prompt, and within that without each other one, is done up to this many.
_MOST_REFITS = 150
_FOR = {
    "these": "For these participants and these prompts, not for new ones",
    "participants": "For new participants and these prompts",
    "participants+prompts": "For new participants and new prompts",
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

    `people` and `questions` name the participants and prompts of the cells where the source tells them.
    """

    cells: Cells
    model: Model
    spread: Spread
    with_everyone: Cells | None = None
    people: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()


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
        _result(one, {name: rest[place] for name, rest in again.items()}, evidence.spread, rules, seal, (others or {}).get(one.claim.id))
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
        whole = replace(circumstances, excluded=0)
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


def _result(one: Verdict, again: Mapping[str, Verdict], of: Spread, rules: Rules, seal: Seal, other: OtherTest | None) -> ClaimResult:
    changing = [name for name, rest in again.items() if rest.kind != one.kind] if one.steps else []
    stamps = [one.name, *([FRAGILE] if changing else []), *([EXPLORATORY] if seal.exploratory else [])]
    record: dict[str, object] = {
        "type": one.claim.type,
        "family": one.claim.family,
        "scope": rules.scope,
        "p_value": one.p_value,
        "p_adjusted": one.p_adjusted,
        "participants": of.participants,
        "prompts": of.prompts,
        "steps": [_record(step, again, place, of, rules) for place, step in enumerate(one.steps)],
        "changing": changing,
        "verdict": ", ".join(stamps),
        "rule": one.rule,
        "lock_sha256": seal.sha256,
        **(dict(other.numbers) if other and other.numbers else {}),
    }
    return ClaimResult(one.claim.id, _sentence(one, of, rules, seal, changing, other), ", ".join(stamps), one.rule, plain(record))


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


def _sentence(one: Verdict, of: Spread, rules: Rules, seal: Seal, changing: Sequence[str], other: OtherTest | None) -> str:
    told = [f"{_FOR[rules.scope]} ({_counted(of)}), {_FINDINGS[one.kind]} {_claimed(one.claim)}"]
    if other:
        told[0] += f": {other.finding}"
    elif one.steps:
        told[0] += f": {'; '.join(_measured(step, of, rules) for step in one.steps)}"
    if one.kind == INCONCLUSIVE and one.steps:
        told += [_open(step, of, rules) for step in one.steps if step.interval(rules.alpha)[0] <= -(one.claim.margin_elo or 0.0)]
        told.append("This is not evidence of no difference")
    if changing:
        more = f" and {len(changing) - 3} more" if len(changing) > 3 else ""
        told.append(f"FRAGILE: the verdict is another one {', '.join(changing[:3])}{more}")
    if seal.exploratory:
        told.append(f"EXPLORATORY: {seal.exploratory}")
    return ". ".join(told) + "."


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


def _measured(step: Step, of: Spread, rules: Rules) -> str:
    low, high = step.interval(rules.alpha)
    interval = f"{100 * (1 - rules.alpha):g} % interval {low:+.1f} to {high:+.1f}"
    chance = f"{100 * _chance(of, step):.1f} %"
    return f"{step.a} minus {step.b} is {step.difference:+.1f} Elo ({interval}), so {step.a} is preferred in {chance} of comparisons"


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
