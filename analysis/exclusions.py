"""Which votes remain after the exclusion rules of study.toml, counted at every stage, and what the results are without these rules."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from analysis.exclusion_rules import Exclusion, in_words, mistakes
from analysis.quality import Judge, judge_quality, right_answers
from analysis.results import Contrast, Results, WithoutExclusions
from stimuli.experiment import ExperimentError
from study.votes import Choice, Vote


@dataclass(frozen=True)
class Stage:
    """What was left after one step: `excluded` are the participants who fell out in it, `votes_dropped` counts all votes that did."""

    what: str
    participants: int
    votes: int
    excluded: tuple[str, ...]
    votes_dropped: int


@dataclass(frozen=True)
class Remaining:
    """The votes to analyse, in their order, and the flow of counts that led to them; the first stage is what was answered."""

    votes: tuple[Vote, ...]
    flow: tuple[Stage, ...]

    @property
    def excluded(self) -> tuple[str, ...]:
        """The participants that no vote remains of, in the order in which they fell out."""
        return tuple(name for stage in self.flow for name in stage.excluded)

    @property
    def excluded_share(self) -> float:
        """The share of participants that no vote remains of."""
        return len(self.excluded) / max(1, self.flow[0].participants)


def without_exclusions(votes: Sequence[Vote]) -> Remaining:
    """Return the votes that remain when no rule is applied: every comparison, once."""
    return apply_exclusions(votes, ())


def apply_exclusions(votes: Sequence[Vote], rules: Sequence[Exclusion]) -> Remaining:
    """Return the votes that remain after `rules`, each of which sees only what the rules before it left.

    Rules see catch trials and repeats too. Neither is among the votes that remain: the first compares nothing of interest, and the
    second would count one person's opinion of a pair twice.

    Raises:
        ExperimentError: a rule lacks its limit, or asks for catch trials where the study has none.
    """
    right = right_answers(votes)
    _require_sound(rules, right)
    left = list(votes)
    flow = [Stage("answered", len({vote.participant for vote in left}), len(left), (), 0)]
    for rule in rules:
        keep = _KEEPERS[rule.rule](rule, left, right)
        left = _staged(flow, in_words(rule), left, [vote for vote in left if keep(vote)])
    for kind, what in (("catch", "catch trials set aside"), ("repeat", "repeats set aside")):
        if any(vote.kind == kind for vote in votes):
            left = _staged(flow, what, left, [vote for vote in left if vote.kind != kind])
    return Remaining(tuple(left), tuple(flow))


def sensitivity(results: Results, everyone: Results | str, remaining: Remaining) -> WithoutExclusions:
    """Return the main differences and the verdicts of `everyone`, told like those of `results`, which rest on what remains.

    A difference that everyone's votes do not give at that scope is not among them. `everyone` may say in words why there is none.
    """
    votes = remaining.flow[0].votes - len(remaining.votes)
    if isinstance(everyone, str):
        return WithoutExclusions(len(remaining.excluded), votes, refused=everyone)
    there = {(one.scope, one.a, one.b): one for told in everyone.contrasts for one in (told, _turned(told))}
    found = (there.get((one.scope, one.a, one.b)) for one in results.main_contrasts)
    verdicts = {claim.id: claim.verdict for claim in everyone.claims}
    return WithoutExclusions(len(remaining.excluded), votes, tuple(one for one in found if one is not None), verdicts)


def _turned(one: Contrast) -> Contrast:
    """Return the same difference as `b` minus `a`."""
    chance = None if one.win_probability is None else 1 - one.win_probability
    return replace(one, a=one.b, b=one.a, difference_elo=-one.difference_elo, low=-one.high, high=-one.low, win_probability=chance)


def _require_sound(rules: Sequence[Exclusion], right: Mapping[str, Choice]) -> None:
    wrong = [f'{mistake.table} "{mistake.key}" {mistake.text}' for mistake in mistakes(rules)]
    if any(rule.rule == "failed_catch" for rule in rules) and not right:
        wrong.append('the exclusion rule "failed_catch" needs catch trials, and the study has none; add some or remove the rule')
    if wrong:
        raise ExperimentError("\n".join(wrong))


def _staged(flow: list[Stage], what: str, before: list[Vote], after: list[Vote]) -> list[Vote]:
    """Return `after`, and put what it means into the flow."""
    remaining = {vote.participant for vote in after}
    out = tuple(sorted({vote.participant for vote in before} - remaining))
    flow.append(Stage(what, len(remaining), len(after), out, len(before) - len(after)))
    return after


Keeper = Callable[[Vote], bool]


def _fast_votes(rule: Exclusion, _: Sequence[Vote], right: Mapping[str, Choice]) -> Keeper:
    return lambda vote: vote.trial in right or vote.response_ms >= (rule.limit or 0)


def _keep_judges(passes: Callable[[Exclusion, Judge], bool]) -> Callable[[Exclusion, Sequence[Vote], Mapping[str, Choice]], Keeper]:
    """Return a rule that keeps the votes of participants who pass."""

    def rule_of(rule: Exclusion, votes: Sequence[Vote], _: Mapping[str, Choice]) -> Keeper:
        judges = judge_quality(votes, min_ms=rule.ms or 0).participants
        passed = {judge.participant for judge in judges if passes(rule, judge)}
        return lambda vote: vote.participant in passed

    return rule_of


def _share_at_most(share: float | None, limit: float | None) -> bool:
    # Whoever has no such trial is not excluded for it.
    return share is None or limit is None or share <= limit


_KEEPERS: dict[str, Callable[[Exclusion, Sequence[Vote], Mapping[str, Choice]], Keeper]] = {
    "fast_votes": _fast_votes,
    "few_votes": _keep_judges(lambda rule, judge: judge.votes >= (rule.limit or 0)),
    "failed_catch": _keep_judges(lambda rule, judge: judge.catch.value is None or _share_at_most(1 - judge.catch.value, rule.limit)),
    "one_sided": _keep_judges(lambda _, judge: not judge.one_sided),
    "fast_participant": _keep_judges(lambda rule, judge: _share_at_most(judge.fast.value, rule.limit)),
    "same_side_run": _keep_judges(lambda rule, judge: judge.longest_run <= (rule.limit or 0)),
    "retest": _keep_judges(lambda rule, judge: judge.retest_swapped.value is None or judge.retest_swapped.value >= (rule.limit or 0)),
}
