"""What the report says in words: how far its numbers reach, who took part, and what is not there."""

from collections.abc import Sequence

from analysis.results import Results
from reports.material import Material, Participants
from reports.win_rates import chance

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
    return (
        f"From the highest score ({first.condition}) to the lowest ({last.condition}) are {points:.0f} points: the fit expects "
        f"{first.condition} to be preferred in {chance(points):.0%} of the comparisons between the two."
    )


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
    seen = found.images - found.unreviewed
    removed = f"{found.removed} of them {'was' if found.removed == 1 else 'were'} removed" if found.removed else "none of them was removed"
    rest = f"; {found.unreviewed} {'was' if found.unreviewed == 1 else 'were'} not looked at" if found.unreviewed else ""
    return f"{' and '.join(found.reviewers)} looked through {seen} of {found.images} images before the study; {removed}{rest}."


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


def sentence(words: str) -> str:
    """Return `words` with a full stop, if they have none.

    >>> sentence("95 % intervals"), sentence("Done.")
    ('95 % intervals.', 'Done.')
    """
    return words if words.rstrip().endswith((".", "!", "?")) else f"{words.rstrip()}."
