"""What the report says in words: how far its numbers reach, who took part, and what is not there."""

from collections.abc import Sequence

from analysis.results import Results
from reports.material import Material, Participants
from reports.win_rates import chance, tie_parameter
from study.reviews import ALL_AT_ONCE

# Scope: whom an interval holds for, and what it therefore does not cover.
_HOLDS = {
    "these": "these participants and these prompts",
    "participants": "other participants like these, judging these prompts",
    "participants+prompts": "other participants and other prompts like these",
}
_NOT_COVERED = {
    "these": "other people, or the same people judging other prompts, may choose differently by more than it shows",
    "participants": "other prompts may give other differences than it shows",
    "participants+prompts": "people or prompts of another kind may give other differences than it shows",
}


def holds_for(scope: str) -> str:
    """Return the scope in words; a scope that this version does not know is named as it is.

    >>> holds_for("these")
    'these participants and these prompts'
    """
    return _HOLDS.get(scope, f"the scope “{scope}”")


def reach(results: Results) -> str:
    """Return one sentence for each scope of the differences shown: for whom their intervals hold, and what they do not cover."""
    return " ".join(reach_of(scope) for scope in sorted({contrast.scope for contrast in results.main_contrasts}) or ["these"])


def reach_of(scope: str) -> str:
    """Return for whom an interval at this scope holds, and what it does not cover, as a sentence."""
    limit = f"; {_NOT_COVERED[scope]}" if scope in _NOT_COVERED else ""
    return f"The interval holds for {holds_for(scope)}{limit}."


def lead(results: Results) -> str | None:
    """Return what the largest score's lead means as a share of comparisons; None with fewer than two scores."""
    ranked = sorted(results.scores, key=lambda score: -score.elo)
    if len(ranked) < 2:
        return None
    first, last = ranked[0], ranked[-1]
    points = first.elo - last.elo
    known = (one.win_probability for one in results.contrasts if (one.a, one.b) == (first.condition, last.condition))
    share = next((one for one in known if one is not None), chance(points, ties=tie_parameter(results)))
    ties = ", half of the ties counted in" if results.counts.ties else ""
    return (
        f"From the highest score ({first.condition}) to the lowest ({last.condition}) are {points:.0f} points: the fit expects "
        f"{first.condition} to be preferred in {round(100 * share)}\N{NO-BREAK SPACE}% of the comparisons between the two{ties}."
    )


def not_shown_to_matter(results: Results) -> str | None:
    """Return which supported claims are not shown to be as large as the smallest difference that matters; None where none is."""
    found = [
        (claim.id, claim.evidence["smallest_effect_elo"])
        for claim in results.claims
        if claim.verdict.startswith("SUPPORTED")
        and claim.evidence.get("type") in ("greater", "order")
        and claim.evidence.get("smallest_effect_elo")
        and claim.evidence.get("grade") != "meaningful"
    ]
    if not found:
        return None
    names, smallest = " and ".join(name for name, _ in found), found[0][1]
    verb = "is" if len(found) == 1 else "are"
    return f"{names} {verb} supported, yet not shown to be as large as the smallest difference that matters ({smallest:g} Elo)."


def why_exploratory(results: Results) -> str | None:
    """Return why verdicts are exploratory, in the words of the first that is; None where none is, or none says why."""
    told = (claim.sentence.partition("EXPLORATORY: ")[2] for claim in results.claims if "EXPLORATORY" in claim.verdict)
    return next((why.rstrip(".") for why in told if why), None)


def simulated(participants: Participants) -> str | None:
    """Return who is simulated, and what follows for the findings; None where nobody is."""
    if not participants.simulated:
        return None
    if participants.total == participants.simulated:
        return (
            "The participants are simulated: programs whose tastes are known. "
            "This report checks the machinery and is no finding about people."
        )
    of = f" of {participants.total}" if participants.total else ""
    verb = "participant is a simulated program" if participants.simulated == 1 else "participants are simulated programs"
    if of:
        verb = verb.replace("participant is", "participants is")
    return (
        f"{participants.simulated}{of} {verb}. Their votes count in every number below, so the numbers are no finding about people alone."
    )


def reviewed(material: Material) -> str | None:
    """Return who looked through the images before people saw them, as a sentence; None where there are no images."""
    found = material.reviewed
    if not found.images:
        return None
    if not found.reviewers:
        return "No review of the images is recorded: nothing shows that a researcher looked through them before the study."
    seen, said = found.images - found.unreviewed, _who_looked(found.reviewers)
    removed = f"{found.removed} of them {'was' if found.removed == 1 else 'were'} removed" if found.removed else "none of them was removed"
    rest = f"; {found.unreviewed} {'was' if found.unreviewed == 1 else 'were'} not looked at" if found.unreviewed else ""
    return f"{said} {seen} of {found.images} images before the study; {removed}{rest}."


def _who_looked(reviewers: Sequence[str]) -> str:
    """Return who reviewed the images and how, up to their number: one by one, or all at once without a look at each."""
    looked = " and ".join(name for name in reviewers if not name.endswith(ALL_AT_ONCE))
    at_once = " and ".join(name.removesuffix(ALL_AT_ONCE).strip() for name in reviewers if name.endswith(ALL_AT_ONCE))
    if not at_once:
        return f"{looked} looked through"
    approved = f"{at_once} approved {'others' if looked else 'images'} all at once, without a recorded look at each:"
    return f"{looked} looked through images and {approved}" if looked else approved


def overview(material: Material) -> str:
    """Return how large the study is, in one line."""
    results, who = material.results, material.participants
    prompts = results.counts.prompts if results and results.counts.prompts else len({s.prompt for s in material.stimuli})
    votes = results.counts.votes if results else len(material.votes)
    parts = [(who.total or 0, "participant"), (prompts, "prompt"), (len(material.stimuli), "image"), (votes, "vote")]
    return " · ".join(f"{number:,} {noun}{'' if number == 1 else 's'}" for number, noun in parts if number)


def scores_in_a_row(results: Results) -> str:
    """Return all scores, highest first, for a summary without claims."""
    ranked = sorted(results.scores, key=lambda score: (-score.elo, score.condition))
    return ", ".join(f"{score.condition} {score.elo:.0f}" for score in ranked)


def verdict_kind(verdict: str) -> str:
    """Return which of the known verdicts `verdict` is, for how it is printed; "other" where it is none of them.

    >>> verdict_kind("SUPPORTED, FRAGILE")
    'supported'
    """
    kinds: Sequence[str] = ("supported", "contradicted", "inconclusive", "not testable", "equivalent")
    found = [kind for kind in kinds if kind in verdict.lower()]
    return found[0].replace(" ", "-") if found else "other"


def per_cent(level: float) -> str:
    """Return a level with the digits that it has.

    >>> per_cent(0.9875)
    '98.75\\xa0%'
    """
    return f"{100 * level:.4g}\N{NO-BREAK SPACE}%"


def of_scores(results: Results) -> str:
    """Return what the table of scores holds: the level and kind of each interval, and for whom it holds."""
    told = f"Scores (Elo) with their intervals, and the votes that each condition was in. Interval: {results.interval}"
    told += "; it holds for these participants and these prompts"
    scope = next((one.scope for one in results.scores if one.scope_low is not None and one.scope not in (None, "these")), None)
    over = "participants and prompts" if scope == "participants+prompts" else "participants"
    wider = f". Second interval: {per_cent(1 - results.alpha)}, by the jackknife over {over}, for {holds_for(scope)}" if scope else ""
    return f"{told}{wider}"


def of_differences(results: Results) -> str:
    """Return what the table of differences holds: the intervals' level, for whom they hold, and what a chance is."""
    whom = " and ".join(holds_for(scope) for scope in sorted({one.scope for one in results.main_contrasts}) or ["these"])
    ties = ", half of the chance of a tie counted in" if results.counts.ties else ""
    return (
        f"Differences in Elo, and the same as the chance that the condition is preferred to the other{ties}. "
        f"The {per_cent(1 - results.alpha)} intervals hold for {whom}, and are not corrected for their number; nor is p"
    )


def sentence(words: str) -> str:
    """Return `words` on one line, with a full stop if they have none.

    >>> sentence("95 % intervals"), sentence("Done.")
    ('95 % intervals.', 'Done.')
    """
    line = " ".join(words.split())
    return line if line.endswith((".", "!", "?")) else f"{line}."
