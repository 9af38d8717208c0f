"""Final prompts of independent runs side by side, with the words marked that all runs of a person share and nobody else's have."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.added_words import stem, words
from analysis.results import Results
from analysis.run_record import RunsRecord, read_runs
from reports.tables import Column, Table
from stimuli.manifest import Stimulus

_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")


@dataclass(frozen=True)
class Piece:
    """A stretch of a prompt; `marked` where it is a word that marks its person's runs."""

    text: str
    marked: bool


@dataclass(frozen=True)
class RunText:
    """The final prompt of one run, in pieces that joined are the prompt, and its image (None where there is none)."""

    run: int
    pieces: tuple[Piece, ...]
    image: str | None


@dataclass(frozen=True)
class PersonTexts:
    """A person's runs at one base prompt, and the words that mark them, each as it is first written there."""

    user: str
    shared: tuple[str, ...]
    runs: tuple[RunText, ...]


@dataclass(frozen=True)
class PromptTexts:
    """All persons' runs at one base prompt."""

    prompt: str
    base_prompt: str
    people: tuple[PersonTexts, ...]

    @property
    def marked(self) -> int:
        """Of how many persons some words mark the runs."""
        return sum(bool(person.shared) for person in self.people)


@dataclass(frozen=True)
class Runs:
    """The repeated runs of one condition; `name` is that of their figure."""

    name: str
    record: RunsRecord
    texts: tuple[PromptTexts, ...]

    @property
    def people(self) -> int:
        """How many times some person's runs at some base prompt are compared."""
        return sum(len(here.people) for here in self.texts)

    @property
    def marked(self) -> int:
        """In how many of these some words are in all runs for the person and in nobody else's."""
        return sum(here.marked for here in self.texts)


def runs_of(results: Results, stimuli: Sequence[Stimulus]) -> tuple[Runs, ...]:
    """Return the repeated runs of each condition that has any."""
    records = read_runs(results.further)
    names = ["runs", *(f"runs_{number}" for number in range(2, len(records) + 1))]
    return tuple(Runs(name, record, run_texts(record, stimuli)) for name, record in zip(names, records, strict=False))


def images_of_runs(runs: Sequence[Runs]) -> list[str]:
    """Return the name of every image that stands beside a run's prompt, once for each use."""
    return [run.image for one in runs for here in one.texts for person in here.people for run in person.runs if run.image]


def run_texts(record: RunsRecord, stimuli: Sequence[Stimulus]) -> tuple[PromptTexts, ...]:
    """Return the runs of a condition by base prompt, those that ran more than once, in the order of the stimuli."""
    rows = [row for row in stimuli if row.condition == record.condition and row.target_user is not None]
    repeated = Counter((row.prompt, row.target_user) for row in rows)
    found = []
    for prompt in dict.fromkeys(row.prompt for row in rows):
        here = [row for row in rows if row.prompt == prompt and repeated[prompt, row.target_user] > 1]
        if here:
            people = dict.fromkeys(row.target_user for row in here if row.target_user is not None)
            found.append(PromptTexts(prompt, here[0].base_prompt, tuple(_person(record, user, here) for user in people)))
    return tuple(found)


def marked_pieces(text: str, stems: Sequence[str]) -> tuple[Piece, ...]:
    """Return a text in pieces, the words with one of `stems` marked.

    >>> [piece.text for piece in marked_pieces("A low-angle shot of misty walls.", ["wall", "low-angl"]) if piece.marked]
    ['low-angle', 'walls']
    """
    wanted, pieces, end = set(stems), list[Piece](), 0
    for found in _WORD.finditer(text):
        if wanted & {stem(word) for word in words(found[0])}:
            pieces += [Piece(text[end : found.start()], marked=False), Piece(found[0], marked=True)]
            end = found.end()
    pieces.append(Piece(text[end:], marked=False))
    return tuple(piece for piece in pieces if piece.text)


def run_table(runs: Sequence[Runs]) -> Table:
    """Return every repeated run with its final prompt and the words that mark it."""
    columns = (
        Column("prompt", "Base prompt"),
        Column("user", "Made for"),
        Column("condition", "Condition"),
        Column("run", "Run", str),
        Column("final_prompt", "Final prompt"),
        Column("marks", "Words in all runs for this person and in nobody else’s"),
    )
    rows = (
        (here.prompt, person.user, one.record.condition, run.run, "".join(piece.text for piece in run.pieces), ", ".join(person.shared))
        for one in runs
        for here in one.texts
        for person in here.people
        for run in person.runs
    )
    return Table("runs", columns, tuple(rows), "Final prompts of independent runs of steering")


def _person(record: RunsRecord, user: str, here: Sequence[Stimulus]) -> PersonTexts:
    stems = record.words_of(user, here[0].prompt)
    rows = sorted((row for row in here if row.target_user == user), key=lambda row: row.run)
    runs = tuple(RunText(row.run, marked_pieces(row.final_prompt, stems), row.image or None) for row in rows)
    written = (piece.text.lower() for piece in runs[0].pieces if piece.marked)
    return PersonTexts(user, tuple(dict.fromkeys(written)), runs)
