"""What the comparisons say: scores, differences and verdicts, with what they rest on and for whom they hold; no file is read."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from analysis import ties
from analysis.bradley_terry import Array, are_identified, require_identified, strengths
from analysis.claims import Evidence, Seal, judge
from analysis.comparisons import LEFT, TIE, Cells, Comparisons, cells
from analysis.config import AnalysisTable, Claim, Scope
from analysis.goodness_of_fit import pair_fits
from analysis.jackknife import SCOPES, Spread, estimate, score_estimate, spread, with_enough
from analysis.pooling import pooled
from analysis.preference import Fits, Model, Wins, group_wins
from analysis.ranking import ahead, ranks
from analysis.resampling import Kind, ScoredVotes, TooFewVotesError, bootstrap, percentile_interval
from analysis.results import Contrast, Counts, Pair, Refused, Results, Score, TieModel, plain
from analysis.secondary import QUALITY_CAVEAT, gee, rater_weights, weighted_scores
from analysis.sides import balance, refused_for_sides, side
from analysis.verdicts import Circumstances, OtherTest, Rules
from stimuli.experiment import ExperimentError

_UNLOCKED = Seal("nothing shows that the claim was written before the votes were seen")
# Above this many conditions choix needs longer than all the rest; the Newton fit agrees with it to 1e-6.
_MOST_FOR_CHOIX = 100
# Scores of each participant and each prompt are given up to this many of them times conditions.
_MOST_POOLED = 20_000


@dataclass(frozen=True)
class Context:
    """What verdicts need to know besides the votes that are analysed: lock, exclusions, other analyses' tests.

    `collected` counts the comparisons that could be scored before exclusions and what is left out on request, None where it is all;
    `targets` says whether images were made for somebody.
    """

    seal: Seal = _UNLOCKED
    with_everyone: Comparisons | None = None
    collected: int | None = None
    excluded: int = 0
    enrolled: int | None = None
    targets: bool = False
    others: Mapping[str, OtherTest] | None = None
    further: Mapping[str, Any] | None = None


def fit(
    comparisons: Comparisons,
    *,
    claims: Sequence[Claim],
    table: AnalysisTable,
    rng: np.random.Generator,
    provenance: dict[str, Any],
    context: Context = Context(),
    regularise: bool = False,
    secondary: bool = False,
) -> Results:
    """Return scores (highest first), all differences at every scope that the votes allow, and the verdicts on the claims.

    Raises:
        ExperimentError: no vote says which of two conditions is preferred, or they are not all on one scale.
    """
    _require_decided_votes(comparisons)
    counted = cells(comparisons)
    whole = group_wins(counted, by="all")
    # Where only ties keep some condition on the scale, Davidson's model has no finite score and ties count half a win each.
    model = Model(davidson=bool(counted.ties.any() and are_identified(whole.decided)[0]), regularise=regularise)
    fits = _fitted(whole, counted.items, model)
    jackknifed = spread(counted, model=model, fits=fits)
    of = with_enough(jackknifed)
    votes, joint, lost = _resampled(counted, model, fits, of, table, rng)
    ranked = sorted(votes.items, key=lambda item: (-votes.elo[votes.items.index(item)], item))
    balances = balance(counted, ranked)
    refused = (*refused_for_sides(balances), *_refused_scopes(of, comparisons), *lost)
    everyone = context.with_everyone
    lean = side(counted, strengths=_without_ties_model(whole, fits, counted.items))
    if isinstance(lean, str):
        refused = (*refused, Refused("side", lean))
    groups = _pooled(counted, fits, comparisons)
    return Results(
        scores=_at_scope(tuple(_score(item, votes, whole, table.alpha) for item in ranked), of, table),
        contrasts=_contrasts(of, ranked, refused, table.alpha),
        claims=judge(
            claims,
            Evidence(
                counted,
                model,
                # With its own reason where there are too few participants or prompts for a claim.
                jackknifed,
                with_everyone=None if everyone is None else cells(everyone),
                people=comparisons.participant.labels if comparisons.participant else (),
                questions=comparisons.prompt.labels if comparisons.prompt else (),
                targets=context.targets,
            ),
            rules=Rules(table.alpha, table.scope, table.smallest_effect_elo),
            circumstances=_circumstances(comparisons, table, context, refused, regularise),
            seal=context.seal,
            others=context.others,
        ),
        pairs=_pairs(whole, votes.items, ranked),
        counts=_counts(comparisons, votes),
        interval=_interval_in_words(votes, table.alpha),
        provenance=provenance,
        scope=table.scope,
        model=model.in_words,
        alpha=table.alpha,
        regularised=regularise,
        anchor=table.anchor,
        refused=refused,
        ranks=ranks(joint, ranked, alpha=table.alpha),
        ahead=ahead(joint, ranked),
        side=None if isinstance(lean, str) else lean,
        balance=balances,
        tie_models=_tie_models(whole, fits) if model.davidson else (),
        pair_fits=pair_fits(counted, of, model=model, fits=fits, scope=_widest(of, table), ranked=ranked, alpha=table.alpha),
        pooled=tuple(one for found, _ in groups for one in found),
        between=tuple(one for _, found in groups for one in found),
        further=plain(
            {
                "joint resamples": {"kind": joint.kind, "drawn": joint.drawn, "undecided": joint.undecided},
                **(_secondary(counted, fits, model) if secondary else {}),
                **(context.further or {}),
            }
        ),
    )


def _refused_scopes(of: Spread, comparisons: Comparisons) -> tuple[Refused, ...]:
    """Return the scopes that the votes do not allow; where the source does not tell whose votes they are, that is the reason."""
    known = {"participant": comparisons.participant, "prompt": comparisons.prompt}
    untold = {
        f"the votes are of one {one}": f"the file does not say which {one} each vote is of" for one, told in known.items() if told is None
    }
    return tuple(Refused(scope, untold.get(reason, reason)) for scope, reason in of.refused.items())


def _fitted(whole: Wins, items: tuple[str, ...], model: Model) -> Fits:
    if model.regularise:
        return model.fit(whole, start=np.zeros(len(items)))
    if not model.davidson and len(items) <= _MOST_FOR_CHOIX:
        return Fits(strengths(whole.halved[0], items)[None], None)
    require_identified(whole.halved[0], items)
    return model.fit(whole, start=np.zeros(len(items)))


def _resampled(
    counted: Cells, model: Model, fits: Fits, of: Spread, table: AnalysisTable, rng: np.random.Generator
) -> tuple[ScoredVotes, ScoredVotes, tuple[Refused, ...]]:
    """Return resamples of the votes, and of the widest scope asked for that the votes allow, and what that had to leave."""
    at, lost = fits.strengths[0], []
    if table.anchor is not None and table.anchor not in counted.items:
        raise ExperimentError(f'the anchor "{table.anchor}" is none of the conditions with votes: {", ".join(counted.items)}')
    votes = bootstrap(counted, model=model, observed=at, kind="votes", resamples=table.resamples, rng=rng)
    joint = votes
    kinds: dict[Scope, Kind] = {"participants": "participants", "participants+prompts": "participants+prompts"}
    wanted = _widest(of, table)
    if wanted in kinds:
        try:
            joint = bootstrap(counted, model=model, observed=at, kind=kinds[wanted], resamples=table.resamples, rng=rng)
        except TooFewVotesError as error:
            lost.append(Refused("joint resamples", f"{error}; places and tiers come from resamples of single votes instead"))
    if table.anchor is not None:
        votes, joint = votes.anchored(table.anchor), joint.anchored(table.anchor)
    return votes, joint, tuple(lost)


def _contrasts(of: Spread, ranked: Sequence[str], refused: Sequence[Refused], alpha: float) -> tuple[Contrast, ...]:
    gone = {frozenset((one.a, one.b)) for one in refused if one.what == "difference"}
    pairs = [(a, b) for a, b in combinations(ranked, 2) if frozenset((a, b)) not in gone]
    one, other = (np.array([of.items.index(pair[side]) for pair in pairs], dtype=np.int64) for side in (0, 1))
    model = estimate(of, one, other, "these").standard_error[0]
    found: list[Contrast] = []
    for scope in of.scopes:
        here = estimate(of, one, other, scope)
        low, high = here.interval(alpha)
        p_values = here.p_value()
        for place, (a, b) in enumerate(pairs):
            error, df = float(here.standard_error[0, place]), float(here.df[0, place])
            if error <= 0:
                continue
            found.append(
                Contrast(
                    a,
                    b,
                    float(here.difference[0, place]),
                    float(low[0, place]),
                    float(high[0, place]),
                    scope,
                    standard_error=error,
                    df=None if np.isinf(df) else df,
                    p_value=float(p_values[0, place]),
                    win_probability=float(of.chances[0, one[place], other[place]]),
                    design_effect=float(error**2 / model[place] ** 2),
                )
            )
    return tuple(found)


def _circumstances(
    comparisons: Comparisons, table: AnalysisTable, context: Context, refused: Sequence[Refused], regularise: bool
) -> Circumstances:
    return Circumstances(
        votes=len(comparisons),
        collected=context.collected,
        unscored=comparisons.same_item,
        planned_votes=table.planned_votes,
        enrolled=context.enrolled,
        excluded=context.excluded,
        left_out=comparisons.left_out,
        refused={frozenset((one.a, one.b)): one.reason for one in refused if one.a is not None and one.b is not None},
        regularised=regularise,
    )


def _without_ties_model(whole: Wins, fits: Fits, items: tuple[str, ...]) -> Array:
    """Return log-strengths with ties halved, the scale on which the side is fitted."""
    halved = fits if fits.log_nu is None else Model().fit(whole, start=np.zeros(len(items)))
    found: Array = halved.strengths[0]
    return found


def _tie_models(whole: Wins, fits: Fits) -> tuple[TieModel, ...]:
    """Return Davidson's model, which the scores come from, and two others beside it for comparison."""
    decided, tied = whole.decided[0], whole.tied[0]
    main = fits.chances()[0]
    davidson, kupper = ties.davidson(decided, tied), ties.rao_kupper(decided, tied)
    half = Model().fit(whole, start=np.zeros(len(decided))).chances()[0]
    return (
        TieModel("Davidson (1970)", davidson.parameter, davidson.log_likelihood, 0.0),
        TieModel(
            "Rao and Kupper (1967)",
            kupper.parameter,
            kupper.log_likelihood,
            float(np.abs(ties.rao_kupper_chances(kupper) - main).max()),
        ),
        TieModel("half a win each", None, None, float(np.abs(half - main).max())),
    )


def _secondary(counted: Cells, fits: Fits, model: Model) -> dict[str, Any]:
    """Return what other models say, each on its own scale and with its caveat."""
    found = gee(counted)
    at = fits.strengths[0]
    weights = rater_weights(counted, at)
    scores = weighted_scores(counted, weights, start=at, regularise=model.regularise) if counted.participants > 1 else ()
    return {
        "GEE": None if found is None else dataclasses.asdict(found),
        "rater weights": {
            "weights": weights.tolist(),
            "scores": [dataclasses.asdict(score) for score in scores],
            "caveat": QUALITY_CAVEAT,
        },
    }


def _pooled(counted: Cells, fits: Fits, comparisons: Comparisons) -> list[Any]:
    found = []
    for by, column in (("participant", comparisons.participant), ("prompt", comparisons.prompt)):
        if column is not None and 1 < len(column.labels) <= _MOST_POOLED / len(counted.items):
            found.append(pooled(counted, fits, by="participant" if by == "participant" else "prompt", names=column.labels))
    return found


def _require_decided_votes(comparisons: Comparisons) -> None:
    if not len(comparisons):
        apart = f"; {comparisons.same_item:,} votes compare two images of one condition" if comparisons.same_item else ""
        raise ExperimentError(f"there are no votes between two conditions, so there is nothing to score{apart}; collect votes first")
    if np.all(comparisons.outcome == TIE):
        raise ExperimentError(f"all {len(comparisons):,} votes are ties, so nothing says which condition is preferred; collect more votes")


def _score(item: str, votes: ScoredVotes, counted: Wins, alpha: float) -> Score:
    place = votes.items.index(item)
    interval = percentile_interval(votes.score_draws(item), alpha=alpha)
    won = counted.halved[0]
    took_part = round(float(won[place].sum() + won[:, place].sum()))
    return Score(item, float(votes.elo[place]), interval.low, interval.high, took_part)


def _at_scope(scores: tuple[Score, ...], of: Spread, table: AnalysisTable) -> tuple[Score, ...]:
    """Return the scores with the interval at the scope of the verdicts, or at the widest below it that the votes allow."""
    scope = _widest(of, table)
    at = score_estimate(of, scope, anchor=None if table.anchor is None else of.items.index(table.anchor))
    low, high = (1000 + bound for bound in at.interval(table.alpha))
    places = [of.items.index(score.condition) for score in scores]
    return tuple(
        replace(score, scope_low=float(low[0, place]), scope_high=float(high[0, place]), scope=scope)
        for score, place in zip(scores, places, strict=True)
    )


def _widest(of: Spread, table: AnalysisTable) -> Scope:
    return next((scope for scope in reversed(SCOPES[: SCOPES.index(table.scope) + 1]) if scope in of.scopes), "these")


def _pairs(counted: Wins, items: Sequence[str], ranked: Sequence[str]) -> tuple[Pair, ...]:
    """Return the counts of every two items that some vote compares."""
    place = {item: index for index, item in enumerate(items)}
    won, tied = counted.decided[0], np.broadcast_to(counted.tied[0], counted.decided[0].shape)
    pairs = (
        Pair(a, b, wins_a=int(won[place[a], place[b]]), wins_b=int(won[place[b], place[a]]), ties=int(tied[place[a], place[b]]))
        for a, b in combinations(ranked, 2)
    )
    return tuple(pair for pair in pairs if pair.wins_a + pair.wins_b + pair.ties)


def _counts(comparisons: Comparisons, votes: ScoredVotes) -> Counts:
    decided = comparisons.outcome != TIE
    return Counts(
        votes=len(comparisons),
        ties=int(np.sum(~decided)),
        participants=None if comparisons.participant is None else len(comparisons.participant.labels),
        prompts=None if comparisons.prompt is None else len(comparisons.prompt.labels),
        simulated_participants=comparisons.simulated_participants,
        left_share=float(np.mean(comparisons.outcome[decided] == LEFT)),
        undecided_resamples=votes.undecided,
        resamples=votes.drawn,
        same_condition=comparisons.same_item,
        left_out=comparisons.left_out,
    )


def _interval_in_words(votes: ScoredVotes, alpha: float) -> str:
    """Return what kind of interval it is, as a phrase that others put into a sentence."""
    unidentified = f" ({votes.undecided:,} of them, which did not identify every score, not counted)" if votes.undecided else ""
    kind = f"{100 * (1 - alpha):g} % percentile interval from {votes.drawn:,} bootstrap resamples"
    return f"{kind}{unidentified} of single votes, each taken for an independent fact"
