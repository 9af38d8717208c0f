"""What a reviewer expects of a preference study, item by item: what was recorded, or that it was not, and how to record it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from reports.flow import flow
from reports.material import Material
from reports.methods import NOT_REPORTED, Fact, Paragraph, methods, question
from reports.methods.fact import listed, many, quoted
from reports.methods.given import images_given
from reports.sentences import reach, sentence
from reports.settings import ReportSettings
from reports.tables import Column, Table
from stimuli.manifest import OWN_IMAGE


@dataclass(frozen=True)
class Item:
    """One thing that a reviewer asks for: what the files tell of it, None where they do not, and what would record it."""

    asked: str
    found: str | None
    remedy: str

    @property
    def told(self) -> str:
        """What was recorded, or NOT REPORTED and how to record it."""
        return self.found or f"{NOT_REPORTED}. {self.remedy}"


@dataclass(frozen=True)
class _Told:
    """All that the items are told from."""

    material: Material
    settings: ReportSettings | None
    paragraphs: tuple[Paragraph, ...]

    def facts(self, *sources: str) -> str | None:
        """Return the sentences whose source begins with one of `sources`, None where there are none."""
        found = [fact.words for paragraph in self.paragraphs for fact in paragraph.facts if _is_from(fact, sources)]
        return " ".join(found) or None


def checklist(material: Material, settings: ReportSettings | None) -> tuple[Item, ...]:
    """Return all items, in the order in which a reviewer meets them."""
    told = _Told(material, settings, methods(material, settings))
    # Where there is no experiment, no command and no line in study.toml can add anything.
    return tuple(
        Item(asked, find(told), _ALONE if material.bare else remedy if isinstance(remedy, str) else remedy(told))
        for asked, find, remedy in _ITEMS
    )


def checklist_table(items: tuple[Item, ...]) -> Table:
    """Return the items as a table."""
    columns = (Column("item", "Item"), Column("reported", "Reported"), Column("told", "What was recorded, or how to record it"))
    rows = tuple((item.asked, "yes" if item.found else "no", item.told) for item in items)
    return Table("checklist", columns, rows, "What a reviewer expects, and what was recorded of it")


def _is_from(fact: Fact, sources: tuple[str, ...]) -> bool:
    return any(fact.source.startswith(source) for source in sources)


def _said(key: str) -> Callable[[_Told], str | None]:
    """Return what finds a key of [report]."""

    def find(told: _Told) -> str | None:
        words = getattr(told.settings.report, key) if told.settings else None
        return sentence(words) if words else None

    return find


def _from(*sources: str) -> Callable[[_Told], str | None]:
    return lambda told: told.facts(*sources)


def _waiting(told: _Told) -> int:
    """Return how many claims stand in study.toml while no vote is analysed."""
    return len(told.settings.claim) if told.settings and not told.material.results else 0


def _lock(told: _Told) -> str | None:
    results, found = told.material.results, told.material.lock
    if _waiting(told) and found:
        return f"{many(_waiting(told), 'claim')} locked at {found.locked_at} (SHA-256 {found.sha256[:12]}…); no vote is analysed yet."
    return told.facts("lock.json", "results.json claims.verdict") if results and results.claims else None


def _to_lock(told: _Told) -> str:
    lock = "tastebench study lock FOLDER before the first vote."
    return f"Run {lock}" if _waiting(told) else f"Write [[claim]] in study.toml and run {lock}"


def _people(told: _Told) -> str | None:
    # Only with the flow from the first to the last stage is it known why somebody is not among the votes.
    stages = flow(told.material.people, told.material.results)
    if not told.material.people or not stages:
        return None
    return told.facts("participants.parquet", "results.json further.exclusions, counts", "results.json counts")


def _question(told: _Told) -> str | None:
    asked = question(told.material, told.settings) if told.settings else None
    return (
        f"The question was {quoted(asked)}. {told.facts('study.toml [study] pairs', 'study.toml [study] practice') or ''}".strip()
        if asked
        else None
    )


def _sides(told: _Told) -> str | None:
    return told.facts("the study program", "results.json balance", "results.json side") if told.material.results else None


def _exclusions(told: _Told) -> str | None:
    return told.facts("study.toml [[exclusion]]") if told.settings else None


def _scope(told: _Told) -> str | None:
    results = told.material.results
    if not results:
        return None
    scope = next((one.scope for one in results.main_contrasts), results.scope)
    return f"{told.facts('results.json scope')} {reach(results)} {images_given(told.material, scope) or ''}".strip()


def _multiplicity(told: _Told) -> str | None:
    if _waiting(told) and told.settings:
        families = Counter(one.family for one in told.settings.claim)
        named = listed([f"{many(number, 'claim')} in the family {quoted(name)}" for name, number in sorted(families.items())])
        return f"{named}; p-values will be corrected by Holm’s rule within each family. No vote is analysed yet."
    return told.facts("results.json claims.evidence") if told.material.results and told.material.results.claims else None


def _trials_for_care(told: _Told) -> str | None:
    kinds = {vote.kind for vote in told.material.votes}
    if not kinds & {"catch", "repeat"}:
        return None
    return told.facts("votes.parquet participant, kind", "results.json further.quality")


def _seeds(told: _Told) -> str | None:
    made = told.facts("stimuli.json provenance") if told.material.record else None
    if all(row.generator != OWN_IMAGE for row in told.material.stimuli):
        return made
    words = _said("images")(told)
    return " ".join(filter(None, (made, words))) if words else None


def _to_tell_seeds(told: _Told) -> str:
    if any(row.generator == OWN_IMAGE for row in told.material.stimuli):
        return 'Write [report] images = "…" in study.toml: with which models, settings and seeds your own images were made.'
    return "Run tastebench stimuli steer FOLDER, which records how the images were made."


def _review(told: _Told) -> str | None:
    return told.facts("reviews.json") if told.material.reviewed.reviewers else None


def _power(told: _Told) -> str | None:
    planned = told.settings.analysis.planned_votes if told.settings else None
    return f"{many(planned, 'vote')} were planned." if planned else None


_ALONE = "These results stand alone, without the study that they came from."
_SETTINGS = "with study.toml beside the results"
_ITEMS: tuple[tuple[str, Callable[[_Told], str | None], str | Callable[[_Told], str]], ...] = (
    (
        "Registration",
        _said("registration"),
        'Register the study before its first vote, and write [report] registration = "https://…" in study.toml.',
    ),
    ("Deviations from the registration", _said("deviations"), 'Write [report] deviations = "none", or what was done otherwise and why.'),
    ("Claims written before the votes", _lock, _to_lock),
    ("Planned size", _power, "Run tastebench analysis power, and write [analysis] planned_votes before the first vote."),
    ("Materials", _from("stimuli.parquet"), "Run tastebench stimuli steer FOLDER, which lists every image."),
    ("Seeds and how images were made", _seeds, _to_tell_seeds),
    ("Images looked at before people saw them", _review, "Run tastebench study review FOLDER before the study opens."),
    ("Participants at every stage", _people, "Run tastebench study export FOLDER, which writes participants.parquet."),
    ("Recruitment", _said("recruitment"), 'Write [report] recruitment = "…" in study.toml: where, when and how people were found.'),
    ("Pay", _said("pay"), 'Write [report] pay = "…" in study.toml: how much, for how long.'),
    ("Ethics", _said("ethics"), 'Write [report] ethics = "…" in study.toml: who approved the study, or why nobody had to.'),
    ("Procedure and exact question", _question, f"Build the report {_SETTINGS}; [study] question holds the words that people read."),
    ("Blinding and balance of sides", _sides, "Run tastebench analysis fit FOLDER on votes that tell left from right."),
    ("Attention and repeats", _trials_for_care, "Write [study] catch and repeats in study.toml before the study opens."),
    ("Exclusions", _exclusions, f"Build the report {_SETTINGS}; each [[exclusion]] is a rule."),
    ("Estimand and scope", _scope, "Run tastebench analysis fit FOLDER."),
    (
        "Model and intervals",
        _from("results.json model", "results.json interval", "results.json contrasts"),
        "Run tastebench analysis fit FOLDER.",
    ),
    ("Multiplicity", _multiplicity, "Write [[claim]] in study.toml: without claims nothing is corrected for the number of tests."),
    ("Software", _from("results.json provenance"), "Run tastebench analysis fit FOLDER, which records versions and commit."),
    (
        "Data availability",
        _said("data"),
        'Run tastebench reports bundle, put it where others find it, and write [report] data = "https://…" in study.toml.',
    ),
)
