"""What the study cannot say, read off its own records: for whom it does not hold, what it could not have seen, what may have misled it."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from analysis.results import Results, WithoutExclusions
from reports.material import Material
from reports.methods.fact import listed, many
from reports.methods.given import images_given
from reports.sentences import holds_for, not_shown_to_matter, reviewed, why_exploratory
from reports.standing import detectable
from reports.win_rates import chance, tie_parameter
from stimuli.hacking import suspicions
from stimuli.manifest import OWN_IMAGE, first_runs

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
        parts = material.record.stand_ins
        verb = "stands in for a real part; what it gives" if len(parts) == 1 else "stand in for real parts; what they give"
        what = "part it stands for" if len(parts) == 1 else "parts they stand for"
        yield f"{listed([one.name for one in parts])} {verb} says nothing about the {what}."
    numbers = [(counts.participants, "participant"), (counts.prompts, "prompt")]
    unknown = [noun for number, noun in numbers if number is None]
    if unknown:
        several = listed([f"{noun}s" for noun in unknown])
        yield f"The votes do not tell the {listed(unknown)} of each, so how far {several} differ is not known."
    few = [many(number, noun) for number, noun in numbers if number is not None and number < _FEW]
    if few:
        yield f"The findings rest on {listed(few)}, so a single one weighs heavily."
    scope = next((one.scope for one in results.main_contrasts), results.scope)
    if scope != "participants+prompts":
        which = "Differences and verdicts" if results.claims else "Differences"
        yield f"{which} are for {holds_for(scope)}; for others they may come out otherwise."
    if told := images_given(material, scope):
        yield told


def _how_sure(results: Results) -> Iterator[str]:
    """Yield what the analysis could not have seen, or sees only just."""
    fragile = [claim.id for claim in results.claims if "FRAGILE" in claim.verdict]
    if fragile:
        yield f"{_verdicts(fragile)} FRAGILE: {_what_changes(results)}."
    if small := not_shown_to_matter(results):
        yield small
    exploratory = [claim.id for claim in results.claims if "EXPLORATORY" in claim.verdict]
    if exploratory:
        why = why_exploratory(results) or "nothing shows that what is claimed was fixed beforehand"
        yield f"{_verdicts(exploratory)} EXPLORATORY: {why}."
    least = [number for number in map(detectable, results.main_contrasts) if number is not None]
    if least:
        yield (
            f"With this design, a true difference of less than {_range(least, tie_parameter(results))} would be missed by a single "
            "uncorrected test in more than a fifth of such studies; a correction for several claims misses more."
        )
    if results.regularised:
        yield "The votes alone did not settle all scores; half wins were made up to show them, and no claim rests on those."


def _what_changes(results: Results) -> str:
    """Return what changes one of the fragile verdicts, as the analysis recorded it."""
    changing = [name for claim in results.claims if "FRAGILE" in claim.verdict for name in claim.evidence.get("changing") or ()]
    kinds = [kind for kind in ("participant", "prompt") if any(name.startswith(f"without {kind} ") for name in changing)]
    told = [f"leaving out a single {' or '.join(kinds or ['participant or prompt'])}"] if kinds or not changing else []
    told += ["taking everybody’s votes, without the exclusion rules,"] if any(not name.startswith("without p") for name in changing) else []
    return f"{' or '.join(told)} changes {'it' if sum('FRAGILE' in claim.verdict for claim in results.claims) == 1 else 'them'}"


def _how_asked(material: Material, results: Results) -> Iterator[str]:
    """Yield what the study did not do to know whether answers mean what they seem to."""
    kinds = {vote.kind for vote in material.votes}
    if kinds and "catch" not in kinds:
        yield "There were no catch trials, so nothing shows that participants attended."
    if kinds and not _asked_twice(material):
        yield "No pair was asked twice, so taste cannot be told from chance within a person."
    if results.without_exclusions:
        yield _excluded(results, results.without_exclusions)
    if material.reviewed.images and not material.reviewed.reviewers and (told := reviewed(material)):
        yield told


def _excluded(results: Results, everyone: WithoutExclusions) -> str:
    """Return how many the exclusion rules took out, and which verdicts they change."""
    recorded = results.further.get("exclusions") or []
    of = f" of {recorded[0]['participants']:,}" if recorded else ""
    whose = f"the votes of {everyone.participants:,}{of} participants altogether" if everyone.participants else "some votes"
    told = f"Exclusion rules took out {whose}"
    if everyone.refused:
        return f"{told}; without the rules there are no scores."
    other = [
        f"{claim.id} is {everyone.verdicts[claim.id]} with everybody’s votes and {claim.verdict} with the rules"
        for claim in results.claims
        if everyone.verdicts.get(claim.id, claim.verdict) != claim.verdict
    ]
    if other:
        return f"{told}, which changes verdicts: {'; '.join(other)}."
    return f"{told}; {'no verdict is another one' if results.claims else 'a table shows what differences are'} with everybody’s votes."


def _how_made(material: Material) -> Iterator[str]:
    """Yield what may be the images' luck rather than the steering's doing."""
    steered = [row for row in material.stimuli if row.scorer]
    if not steered:
        return
    runs = Counter((row.prompt, row.condition, row.target_user) for row in steered)
    most = {
        name: max(number for chain, number in runs.items() if chain[1] == name) for name in dict.fromkeys(row.condition for row in steered)
    }
    several = [name for name, number in most.items() if number > 1]
    if not several:
        yield "Each chain of steering ran once, so another run may end elsewhere."
    else:
        which = f" of {listed(several)}; the others ran once" if len(several) < len(most) else ""
        yield f"People saw the first of {most[several[0]]} independent runs of steering{which}. Another run may do better or worse."
    seeds: dict[str, set[int]] = defaultdict(set)
    for row in first_runs(material.stimuli):
        if row.generator != OWN_IMAGE:
            seeds[row.prompt].add(row.seed)
    if all(len(found) == 1 for found in seeds.values()):
        yield "All generated images of a prompt share one seed, so with other seeds conditions may stand otherwise."
    if not material.rescored:
        yield "The ends of the chains were not scored again on fresh seeds, so nothing shows that a score is more than one seed’s luck."
    flagged = suspicions(material.stimuli, material.rescored, material.candidates)
    if flagged:
        share = f"{len(flagged)} of {many(len(steered), 'steered image')}"
        yield f"{share} were flagged by the checks on steering, which no vote enters; the others are not cleared by that."


def _asked_twice(material: Material) -> bool:
    seen = Counter(
        (vote.participant, frozenset((vote.left_stimulus, vote.right_stimulus))) for vote in material.votes if vote.kind != "catch"
    )
    return max(seen.values(), default=0) > 1


def _range(least: list[float], ties: float) -> str:
    """Return the least and the largest of some differences, in Elo and as shares; once where they are alike."""
    ends = list(dict.fromkeys(round(elo) for elo in (min(least), max(least))))
    shares = list(dict.fromkeys(f"{round(100 * chance(elo, ties=ties))}" for elo in (min(least), max(least))))
    told = f"{' to '.join(map(str, ends))} Elo ({' to '.join(shares)}\N{NO-BREAK SPACE}% of choices)"
    return f"{told}, depending on the two conditions," if len(ends) > 1 else told


def _verdicts(claims: list[str]) -> str:
    return f"The verdict on {claims[0]} is" if len(claims) == 1 else f"The verdicts on {listed(claims)} are"
