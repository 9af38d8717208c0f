"""How people were asked: the exact words, what they saw, in which order and on which side, what was asked twice, and what they did."""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from reports.material import Material
from reports.methods.fact import NOT_REPORTED, Fact, Paragraph, between, kept, listed, many, quoted
from reports.quality import quality_in_words
from reports.robustness import side_in_words
from reports.settings import ReportSettings
from reports.tables import percent
from stimuli.experiment import ExperimentError
from study.catalogue import texts

_PAIRS = {
    "all": "every pair of a prompt’s images that they were to see",
    "informative": "every pair of a prompt’s images but those of one condition that were both made for others",
    "claims": "the pairs that a claim names",
    "incomplete": "a part of all pairs, every pair as often as every other over the participants",
}


def asking(material: Material, settings: ReportSettings | None) -> Paragraph | None:
    """Return how people were asked, None where nobody was."""
    if not material.votes and not settings:
        return None
    return Paragraph(
        "Procedure",
        kept(
            _programs(material),
            _words(material, settings),
            _design(material, settings),
            _trials(material),
            _blinding(material),
            _sides(material),
            _judged(material),
        ),
    )


def _programs(material: Material) -> Fact | None:
    who = material.participants
    if not who.total or who.simulated != who.total:
        return None
    return Fact(
        "The participants were programs, which see no page: what is told of it here is what people would have met.",
        "votes.parquet simulated",
    )


def question(material: Material, settings: ReportSettings) -> str | None:
    """Return the question that stood above each pair; None where it is not known."""
    return settings.study.question or _catalogue(material, settings, "comparison_question")


def _catalogue(material: Material, settings: ReportSettings, key: str) -> str | None:
    try:
        return texts(settings.study.language, folder=material.experiment.folder)[key]
    except ExperimentError:
        return None


def _words(material: Material, settings: ReportSettings | None) -> Iterator[Fact]:
    if not settings:
        yield Fact(f"The question that was asked is {NOT_REPORTED}.", "study.toml [study] question")
        return
    asked = question(material, settings)
    told = "In each trial two images of one prompt were shown together with the prompt’s words"
    answers = "left, right or no difference" if settings.study.tie else "left or right; there was no third answer"
    told += f", and the question was {quoted(asked)}" if asked else f"; the question is {NOT_REPORTED}"
    yield Fact(f"{told}. Possible answers were {answers}.", "study.toml [study] question, language, tie")
    instructed = settings.study.instructions or _catalogue(material, settings, "comparison_instructions")
    if instructed:
        yield Fact(f"The instruction was {quoted(instructed)}", "study.toml [study] instructions, language")


def _design(material: Material, settings: ReportSettings | None) -> Iterator[Fact]:
    if not settings:
        return
    table = settings.study
    told = f"Each participant was to judge {_PAIRS.get(table.pairs, table.pairs)}"
    told += f", {many(table.per_participant, 'pair')} of them" if table.per_participant else ""
    if any(row.target_user for row in material.stimuli):
        told += "; of the images made for other people, they saw " + ("all" if table.others == "all" else "one of each prompt")
    yield Fact(f"{told}.", "study.toml [study] pairs, per_participant, others")
    practised = (
        f"{many(table.practice, 'practice trial')} came first and did not count" if table.practice else "There were no practice trials"
    )
    rests = f"there was a break after every {many(table.block, 'trial')}" if table.block else "there were no breaks"
    yield Fact(f"{practised}; {rests}; an answer was taken from {table.min_ms} ms on.", "study.toml [study] practice, block, min_ms")


def _trials(material: Material) -> Iterator[Fact]:
    """Yield how many trials participants answered, of which kind and with what."""
    if not material.votes:
        return
    per_person = list(Counter(vote.participant for vote in material.votes).values())
    kinds = Counter(vote.kind for vote in material.votes)
    told = f"Participants answered a median of {np.median(per_person):g} trials each{between(min(per_person), max(per_person))}"
    told += f": {many(kinds['comparison'], 'comparison')}, {many(kinds['repeat'], 'repeat')} with sides swapped and"
    yield Fact(f"{told} {many(kinds['catch'], 'catch trial')} in all.", "votes.parquet participant, kind")
    devices = Counter(vote.device for vote in material.votes if vote.device)
    if devices:
        shares = [f"{name} ({percent(number / len(material.votes))})" for name, number in devices.most_common()]
        yield Fact(f"Answers came by {listed(shares)}.", "votes.parquet device")


def _blinding(material: Material) -> Fact | None:
    if not material.votes or not material.stimuli:
        return None
    told = (
        "Images were shown without metadata and under names without meaning; neither the page nor its addresses told a condition, a scorer "
        "or whom an image was made for. Order and sides were drawn by the program, balanced over conditions."
    )
    return Fact(told, "the study program that recorded votes.parquet")


def _sides(material: Material) -> Iterator[Fact]:
    results = material.results
    if not results:
        return
    shares = [one.a_left / one.shown for one in results.balance if one.shown]
    if shares:
        least, most = percent(min(shares)), percent(max(shares))
        told = f"As shown, the first of two conditions stood on the left in {least}{f' to {most}' if most != least else ''} of their pairs."
        yield Fact(told, "results.json balance")
    yield Fact(side_in_words(results.side, results.counts.left_share), "results.json side, counts.left_share")


def _judged(material: Material) -> Iterator[Fact]:
    if material.results and material.results.further.get("quality"):
        yield from (Fact(told, "results.json further.quality, further.agreement") for told in quality_in_words(material.results))
