"""How the votes became numbers: exclusions, estimand, model, intervals, multiplicity, lock, software."""

from collections import Counter
from collections.abc import Iterator

from analysis.exclusion_rules import in_words
from analysis.results import ClaimResult, Results
from reports.material import Material
from reports.methods.fact import NOT_REPORTED, Fact, Paragraph, kept, listed, many
from reports.sentences import holds_for, per_cent, sentence, why_exploratory
from reports.settings import ReportSettings
from reports.standing import tier_rule
from reports.win_rates import tie_parameter

_INTERVALS = {
    "these": "the model’s own standard errors, each vote taken for an independent fact",
    "participants": "a jackknife that leaves out one participant at a time, with t quantiles at one degree of freedom less than people",
    "participants+prompts": (
        "a two-way jackknife that leaves out one participant and one prompt at a time, with t quantiles at Satterthwaite’s degrees "
        "of freedom, or at one less than the participants (or prompts) where these alone decide"
    ),
}
_EXPLORATORY = "EXPLORATORY"
_SHRUNK = (
    "Scores of single participants and of single prompts are estimated together: a group’s log-strengths are taken as normal around "
    "those of all votes, with one variance for each condition, estimated by the EM algorithm with a normal approximation of each "
    "group’s likelihood (Laplace), a tie being half a win for either. Their 95\N{NO-BREAK SPACE}% intervals take these variances as known."
)
_ORDER = (
    "an order is tested by its weakest step (p is twice the largest one-sided p of its steps, an intersection–union test) and is "
    "contradicted by any one step"
)


def numbers(material: Material, settings: ReportSettings | None) -> Paragraph | None:
    """Return how the votes were analysed, None where they were not."""
    results = material.results
    if not results:
        return None
    return Paragraph(
        "Analysis",
        kept(
            _exclusions(settings),
            _estimand(results),
            _model(results),
            _intervals(results),
            _verdicts(results, settings),
            _claims(results),
            _corrected(results),
            _fragile(results),
            _lock(material),
            _software(results),
        ),
    )


def _exclusions(settings: ReportSettings | None) -> Fact:
    source = "study.toml [[exclusion]], results.json further.exclusions"
    if settings and settings.exclusion:
        return Fact(f"Exclusion rules, in their order: {'; '.join(in_words(rule) for rule in settings.exclusion)}.", source)
    if settings:
        return Fact("There was no exclusion rule.", source)
    return Fact(f"Exclusion rules are {NOT_REPORTED}.", source)


def _estimand(results: Results) -> Fact:
    told = (
        "What is estimated is how far apart two conditions are in pooled Bradley–Terry log-strength on the Elo scale (400 points are odds "
        f"of 10 to 1{_among(results)}): the log-strengths that best reproduce the choices of all participants at all prompts together, "
        "every vote counted alike, so that a participant or a prompt weighs by the number of its votes. Where participants or prompts "
        "differ, this is not the mean of their own log-strengths; pooled choices are nearer to one half, so the differences are as a rule "
        f"smaller. {'Verdicts and differences' if results.claims else 'Differences'} are for {holds_for(_scope(results))}."
    )
    if _scope(results) != results.scope:
        told += f" The scope “{results.scope}” was asked for, and the votes do not give it."
    return Fact(told, "results.json scope, contrasts.scope")


def _among(results: Results) -> str:
    """Return between which votes the odds are, where some votes are ties."""
    if tie_parameter(results):
        return " among the votes that are no tie"
    return ", a tie being half a vote for either" if results.counts.ties else ""


def _scope(results: Results) -> str:
    shown = results.main_contrasts
    return shown[0].scope if shown else results.scope


def _model(results: Results) -> Fact:
    counts, origin = results.counts, results.anchor
    ties = f"{many(counts.ties, 'vote')} of {counts.votes:,} {'was a tie' if counts.ties == 1 else 'were ties'}"
    zero = f"{origin} scores 1000" if origin else "the mean of all conditions is 1000"
    model = results.model.replace("Bradley-Terry", "Bradley–Terry")
    told = f"Scores come from one {model} of all votes between two conditions; {ties}; {zero}."
    told += " Half a made-up win each way makes every score finite, so no claim rests on them." if results.regularised else ""
    return Fact(told, "results.json model, counts, anchor, regularised")


def _intervals(results: Results) -> Iterator[Fact]:
    level = per_cent(1 - results.alpha)
    yield Fact(f"Intervals of scores: {sentence(results.interval)}", "results.json interval")
    wider = next((score.scope for score in results.scores if score.scope_low is not None and score.scope not in (None, "these")), None)
    if wider:
        told = f"A second {level} interval of each score, from the jackknife, holds for {holds_for(wider)}."
        yield Fact(told, "results.json scores.scope, alpha")
    if results.main_contrasts:
        how = _INTERVALS.get(_scope(results), f"the method of the scope {_scope(results)}")
        yield Fact(f"Intervals of differences ({level}) come from {how}.", "results.json contrasts.scope, contrasts.df, alpha")
    joint = results.further.get("joint resamples")
    if results.ranks and joint:
        lost = f", of which {joint['undecided']:,} identified not every score" if joint["undecided"] else ""
        told = f"Places and tiers come from {joint['drawn']:,} joint resamples of {str(joint['kind']).replace('+', ' and ')}{lost}."
        yield Fact(f"{told} {tier_rule(results.alpha)}", "results.json further.joint resamples, ranks, alpha")
    if results.pooled:
        yield Fact(_SHRUNK, "results.json pooled, between")
    if results.pair_fits:
        how = "beside the share that the fit expects, with an interval of the gap that refits as those of differences do"
        how = "beside the share that the fit expects, with an interval of the gap" if results.pair_fits[0].scope == "these" else how
        yield Fact(f"Goodness of fit is told for every pair of conditions: the share observed {how}.", "results.json pair_fits")


def _verdicts(results: Results, settings: ReportSettings | None) -> Fact | None:
    if not settings or not results.claims:
        return None
    table = settings.analysis
    told = f"Claims are tested at level {table.alpha:g}, two-sided"
    types = {one.evidence.get("type") for one in results.claims}
    told += ", and equivalence by two one-sided tests" if "equivalent" in types else ""
    told += f"; {_ORDER}" if "order" in types else ""
    smallest = f"the smallest difference that matters was set to {table.smallest_effect_elo:g} Elo" if table.smallest_effect_elo else ""
    planned = f"{many(table.planned_votes, 'vote')} were planned" if table.planned_votes else ""
    rest = [part for part in (smallest, planned) if part]
    return Fact(f"{told}{'; ' + '; '.join(rest) if rest else ''}.", "study.toml [analysis]")


def _claims(results: Results) -> Fact | None:
    if not results.claims:
        told = "No claim is recorded, so there is no verdict; p-values are of one difference each, and not corrected for their number."
        return Fact(told, "results.json claims")
    tested = Counter(_family(claim) for claim in results.claims if claim.evidence and claim.evidence.get("p_value") is not None)
    families = listed([f"{many(number, 'claim')} in the family “{family}”" for family, number in sorted(tested.items())])
    told = f"P-values are corrected by Holm’s rule within each family of claims: {families}" if families else "No claim gave a p-value"
    untested = len(results.claims) - sum(tested.values())
    told += f"; {many(untested, 'claim')} could not be tested" if untested and families else ""
    return Fact(f"{told}.", "results.json claims.evidence.family, p_value, p_adjusted")


def _corrected(results: Results) -> Fact | None:
    """Return at which level the intervals stand that contradict a claim or grade its support."""
    levels = {one.id: sorted({step["adjusted_level"] for step in one.evidence.get("steps") or ()}) for one in results.claims}
    told = [f"{listed([per_cent(level) for level in found])} for {name}" for name, found in levels.items() if found]
    if not told:
        return None
    words = f"Corrected intervals stand at the level that this correction leaves: {listed(told)}"
    return Fact(f"{words}; they tell whether a claim is contradicted and how large an effect is.", "results.json claims.evidence.steps")


def _fragile(results: Results) -> Fact | None:
    if not any(one.evidence.get("steps") for one in results.claims):
        return None
    rules = ", and once with everybody’s votes instead of the exclusion rules’" if results.without_exclusions else ""
    told = (
        f"Each verdict was found again without each participant and each prompt in turn{rules}; it is FRAGILE where any of these differs."
    )
    return Fact(told, "results.json claims.evidence.changing")


def _family(claim: ClaimResult) -> str:
    return str(claim.evidence.get("family", "main"))


def _lock(material: Material) -> Iterator[Fact]:
    results = material.results
    # A bundle counts time from its first vote.
    first = None if material.experiment.bundle.is_file() else min((vote.answered_at for vote in material.votes), default=None)
    if material.lock and results and results.claims:
        when = f"; the first vote was given at {first}" if first else ""
        lock = f"{material.lock.locked_at} (SHA-256 {material.lock.sha256[:12]}…)"
        yield Fact(
            f"Claims, exclusion rules and settings of the analysis were locked at {lock}{when}.", "lock.json, votes.parquet answered_at"
        )
    if results and any(_EXPLORATORY in claim.verdict for claim in results.claims):
        why = why_exploratory(results)
        yield Fact(f"Verdicts are exploratory{f': {why}' if why else ''}.", "results.json claims.verdict")


def _software(results: Results) -> Fact:
    origin = results.provenance
    packages = origin.get("packages") or {}
    told = listed([f"{name} {version}" for name, version in packages.items()]) or NOT_REPORTED
    commit = f", commit {origin['git_commit']}" if origin.get("git_commit") else ""
    seed = f"; seed {origin['seed']}" if origin.get("seed") is not None else ""
    made = f"; computed at {origin['made_at']}" if origin.get("made_at") else ""
    return Fact(f"Software: {told}{commit}{seed}{made}.", "results.json provenance")
