"""What the study cannot say, read off its own records: for whom it does not hold, what it could not have seen, what may have misled it."""

from collections.abc import Iterator

from analysis.results import Results
from reports.material import Material
from reports.methods.fact import listed, many
from reports.sentences import holds_for, reviewed
from reports.standing import detectable
from reports.win_rates import chance
from stimuli.hacking import suspicions

# Fewer people or prompts than this, and a single one can carry a result.
_FEW = 10


def limits(material: Material) -> tuple[str, ...]:
    """Return what limits the findings, a sentence or two each, the gravest first; nothing where there are no findings."""
    results = material.results
    if results is None:
        return ()
    return (*_who(material, results), *_how_sure(results), *_how_asked(material, results), *_how_made(material))


def _who(material: Material, results: Results) -> Iterator[str]:
    """Yield what is known of the people and prompts that the findings come from."""
    counts = results.counts
    programs = counts.simulated_participants
    if programs and programs == counts.participants:
        yield "All participants are programs, so nothing here is a finding about people."
    elif programs:
        yield f"{programs} of {counts.participants} participants are programs, whose votes count like those of people."
    if material.record and material.record.stand_ins:
        yield (
            f"{listed([one.name for one in material.record.stand_ins])} stand in for real parts; what they give says nothing about the "
            "parts they stand for."
        )
    numbers = [(counts.participants, "participant"), (counts.prompts, "prompt")]
    few = [many(number, noun) for number, noun in numbers if number is not None and number < _FEW]
    if few:
        yield f"The findings rest on {listed(few)}, so a single one weighs heavily."
    scope = next((one.scope for one in results.main_contrasts), results.scope)
    if scope != "participants+prompts":
        yield f"Differences and verdicts are for {holds_for(scope)}; for others they may come out otherwise."
    if material.stimuli:
        yield "They are about these images: other images of the same conditions may do better or worse."


def _how_sure(results: Results) -> Iterator[str]:
    """Yield what the analysis could not have seen, or sees only just."""
    fragile = [claim.id for claim in results.claims if "FRAGILE" in claim.verdict]
    if fragile:
        yield f"{_verdicts(fragile)} FRAGILE: leaving out a single participant or prompt, or an exclusion rule, changes it."
    exploratory = [claim.id for claim in results.claims if "EXPLORATORY" in claim.verdict]
    if exploratory:
        yield f"{_verdicts(exploratory)} EXPLORATORY: what is claimed was not fixed before the first vote."
    least = [number for number in map(detectable, results.main_contrasts) if number is not None]
    if least:
        yield (
            f"With this design, a true difference of less than {min(least):.0f} to {max(least):.0f} Elo ({chance(min(least)):.0%} to "
            f"{chance(max(least)):.0%} of choices), depending on the two conditions, would be missed by a single uncorrected test in more "
            "than a fifth of such studies; a correction for several claims misses more."
        )
    if results.regularised:
        yield "The votes alone did not settle all scores; half wins were made up to show them, and no claim rests on those."


def _how_asked(material: Material, results: Results) -> Iterator[str]:
    """Yield what the study did not do to know whether answers mean what they seem to."""
    kinds = {vote.kind for vote in material.votes}
    if kinds and "catch" not in kinds:
        yield "There were no catch trials, so nothing shows that participants attended."
    if kinds and "repeat" not in kinds:
        yield "No pair was asked twice, so taste cannot be told from chance within a person."
    if results.without_exclusions:
        yield "Some votes were excluded by rules; the table of results without exclusions says what they change."
    if material.reviewed.images and not material.reviewed.reviewers and (told := reviewed(material)):
        yield told


def _how_made(material: Material) -> Iterator[str]:
    """Yield what may be the images' luck rather than the steering's doing."""
    steered = [row for row in material.stimuli if row.scorer]
    if not steered:
        return
    if max(row.run for row in steered) == 1:
        yield "Each chain of steering ran once, so another run may end elsewhere; and all images of a prompt share one seed."
    flagged = suspicions(material.stimuli, material.rescored, material.candidates)
    if flagged:
        share = f"{len(flagged)} of {many(len(steered), 'steered image')}"
        yield f"{share} were flagged by the checks on steering, which no vote enters; the others are not cleared by that."


def _verdicts(claims: list[str]) -> str:
    return f"The verdict on {claims[0]} is" if len(claims) == 1 else f"The verdicts on {listed(claims)} are"
