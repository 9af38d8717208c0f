"""The tables of study.toml that describe what people are asked, and how: [study], [rating], [[question]]."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

from pydantic import Field

from stimuli.studyfile import ExperimentTable, Mistake, text_of

Text = Annotated[str, Field(min_length=1, max_length=20_000)]
Name = Annotated[str, text_of(r"[a-z][a-z0-9_-]{0,31}", expected="1 to 32 small letters, digits, - or _, beginning with a letter")]
Count = Annotated[int, Field(ge=1, le=1_000_000)]

_TEXTS = Path(__file__).with_name("texts")


@dataclass(frozen=True)
class Simulation:
    """`[study.simulation]`: how simulated participants answer: a choice is logistic in the difference of true utilities."""

    sensitivity: Annotated[float, Field(ge=0)] = 1.0
    """How much a difference in true liking counts: the factor before it in the logistic model of a choice."""
    side_bias: Annotated[float, Field(ge=0)] = 0.1
    """How much people lean to one side: standard deviation over participants, in logits."""
    lapse: Annotated[float, Field(ge=0, le=1)] = 0.05
    """The share of answers that are a coin flip."""


@dataclass(frozen=True)
class Recruitment:
    """`[study.recruitment]`, and the same for `[rating.recruitment]`: how people come, and where they go afterwards.

    `by`: "link" (anybody; `?participant=ID` or anonymous), "invitation" (only links signed by `tastebench study invite`),
    "prolific" (Prolific's own parameters and return address) or "panel" (any panel, by the names below).
    """

    by: Literal["link", "invitation", "prolific", "panel"] = "link"
    """How people come: by a link that anybody may use, by signed invitations, from Prolific, or from another panel."""
    id_parameter: str | None = None
    """The parameter of the address that holds the panel's id of the person."""
    keep: tuple[str, ...] = ()
    """Further parameters of the address to store."""
    return_to: str | None = None
    """Where people are sent at the end, with `{code}` in it."""
    complete: str | None = None
    """The panel's code for whoever finished."""
    screened_out: str | None = None
    """The panel's code for whoever was screened out."""
    no_consent: str | None = None
    """The panel's code for whoever declined."""
    full: str | None = None
    """The panel's code for whoever found no place, or was stopped by the closing."""
    keys: str | None = None
    """A file with the panel's published keys (JWKS); arrivals must then carry a token that one of them signed."""
    token_parameter: str | None = None
    """The parameter of the address that holds this token."""
    audience: str | None = None
    """The domain at which people reach the study; tokens for another one open nothing."""


@dataclass(frozen=True)
class Question:
    """`[[question]]`: something to ask beside the images. Only questions before the images can screen people or have quotas."""

    id: Name
    """Its name in participants.parquet."""
    text: Text
    """What is asked."""
    when: Literal["before", "after"] = "after"
    """Before the images (which may screen people) or after them."""
    type: Literal["choice", "scale", "number", "text"] = "choice"
    """One of `options`, a step on a scale, a number, or free text."""
    options: tuple[Text, ...] = ()
    """The answers to choose from, for "choice"."""
    ends: tuple[Text, ...] = ()
    """The two texts at the ends, for "scale"."""
    points: Annotated[int, Field(ge=2, le=11)] = 5
    """Steps, for "scale"."""
    least: float | None = None
    """The smallest answer, for "number"."""
    most: float | None = None
    """The largest answer, for "number"."""
    required: bool = True
    """Whether it must be answered."""
    accept: tuple[Text, ...] = ()
    """The options with which people may take part; none: all of them."""
    quota: dict[str, Count] = field(default_factory=dict)
    """How many may take part with an option."""


@dataclass(frozen=True, kw_only=True)
class Procedure:
    """`[study]` and `[rating]`: how people are asked, whatever they are asked. Texts left out are those of the language."""

    language: str = "en"
    """The language of the pages, or a file of your own texts, such as "fr.toml"."""
    question: Text | None = None
    """What is asked above the images."""
    consent: Text | None = None
    """What people agree to before anything else."""
    instructions: Text | None = None
    """What they read before the first trial."""
    thanks: Text | None = None
    """What they read at the end."""
    practice: Annotated[int, Field(ge=0, le=20)] = 2
    """Trials that do not count, at the beginning."""
    min_ms: Annotated[int, Field(ge=0, le=10_000)] = 400
    """Milliseconds before which no answer is taken."""
    block: Annotated[int, Field(ge=0, le=10_000)] = 40
    """Trials between two breaks; 0: no breaks."""
    participants: Count | None = None
    """Places in the study; without it any number."""
    hold_minutes: Annotated[int, Field(ge=1, le=100_000)] = 60
    """Minutes after their last sign of life for which somebody's place is held."""
    unreviewed: bool = False
    """Open the study although nobody has looked through its images."""
    seconds_per_trial: Annotated[float, Field(gt=0)] = 5.0
    """How long a trial takes, for the plan that is printed."""
    hourly_pay: Annotated[float, Field(ge=0)] | None = None
    """What an hour is paid, for the plan that is printed."""
    currency: str = "GBP"
    """In what it is paid, for the plan that is printed."""
    recruitment: Recruitment = field(default_factory=Recruitment)


@dataclass(frozen=True, kw_only=True)
class StudyTable(Procedure):
    """`[study]`: the pairwise comparison.

    `pairs`: "all" of a prompt's images; "informative" leaves out two images of one condition that were both made for others;
    "claims" keeps the pairs that some claim names; "incomplete" gives each participant `per_participant` of all pairs, every
    pair as often as every other over the participants.
    """

    pairs: Literal["all", "informative", "claims", "incomplete"] = "all"
    """Which pairs of a prompt's images are asked: all; all but two images for others ("informative"); those of claims; a share."""
    per_participant: Count | None = None
    """Pairs that each participant judges, for pairs = "incomplete"."""
    others: Literal["all", "one"] = "all"
    """Which images made for other target users a participant sees at each prompt: all, or one in turn."""
    tie: bool = False
    """Offer "no difference"."""
    catch: Annotated[int, Field(ge=0, le=1000)] = 0
    """Trials that ask for one side in plain words, to find who does not read."""
    repeats: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Pairs that are asked a second time with sides swapped."""
    peeking: bool = False
    """Show scores by condition while the study is open."""
    simulation: Simulation = field(default_factory=Simulation)


@dataclass(frozen=True, kw_only=True)
class RatingTable(Procedure):
    """`[rating]`: one image and its prompt at a time, on a continuous scale from bad (1) to excellent (5); PAMELA, Fig. 13."""

    images: Literal["pool", "stimuli"] = "pool"
    """What is rated: images chosen from the rated data ("pool"), or those of the comparison ("stimuli")."""
    per_participant: Count = 15
    """Images that each participant rates."""
    repeats: Annotated[int, Field(ge=0, le=10_000)] = 0
    """How many of these are asked a second time."""
    order: Literal["random", "active"] = "random"
    """Any order, or "active", where the predictor asks what tells most of a person's taste."""


class StudySettings(Protocol):
    """The part of study.toml that this room reads."""

    @property
    def experiment(self) -> ExperimentTable:
        """`[experiment]`."""
        ...

    @property
    def study(self) -> StudyTable:
        """`[study]`."""
        ...

    @property
    def rating(self) -> RatingTable:
        """`[rating]`."""
        ...

    @property
    def question(self) -> Sequence[Question]:
        """Every `[[question]]`."""
        ...

    @property
    def claim(self) -> Sequence[Any]:
        """Every `[[claim]]`; they are the analysis's, of which the design reads only which conditions they name."""
        ...


def mistakes(settings: StudySettings, *, folder: Path) -> Iterator[Mistake]:
    """Yield what is wrong between the keys although each is well-formed; files are looked for in the experiment's `folder`."""
    yield from _of_questions(settings.question)
    for table, procedure in (("[study.recruitment]", settings.study), ("[rating.recruitment]", settings.rating)):
        yield from _of_recruitment(table, procedure.recruitment, folder)
    for table, procedure in (("[study]", settings.study), ("[rating]", settings.rating)):
        yield from _of_language(table, procedure.language, folder)
    study = settings.study
    if study.pairs == "incomplete" and study.per_participant is None:
        yield Mistake("[study]", "per_participant", 'is missing; pairs = "incomplete" needs to know how many pairs each participant judges')
    if study.pairs != "incomplete" and study.per_participant is not None:
        yield Mistake("[study]", "per_participant", f'is set, but pairs = "{study.pairs}" shows all of them; write pairs = "incomplete"')


def _of_language(table: str, language: str, folder: Path) -> Iterator[Mistake]:
    shipped = sorted(path.stem for path in _TEXTS.glob("*.toml"))
    if language not in shipped and not (folder / language).is_file():
        yield Mistake(table, "language", f'is "{language}"; expected {" or ".join(shipped)}, or the name of a file of texts in {folder}')


def _of_questions(questions: Sequence[Question]) -> Iterator[Mistake]:
    times = Counter(question.id for question in questions)
    for number, question in enumerate(questions, start=1):
        table = f'[[question]] {number} ("{question.id}")'
        if times[question.id] > 1:
            yield Mistake(table, "id", "is the id of several questions; give every question its own")
        yield from _of_one_question(table, question)


def _of_one_question(table: str, question: Question) -> Iterator[Mistake]:
    for key, type_ in (("options", "choice"), ("ends", "scale"), ("least", "number"), ("most", "number")):
        if getattr(question, key) not in ((), None) and question.type != type_:
            yield Mistake(table, key, f'is not read by a "{question.type}"; remove it, or write type = "{type_}"')
    if question.least is not None and question.most is not None and question.least > question.most:
        yield Mistake(table, "least", f"is {question.least:g}, more than most = {question.most:g}, so no number would do; swap them")
    if question.type == "choice" and len(question.options) < 2:
        yield Mistake(table, "options", f"has {len(question.options)} entries; a question to choose from needs at least two")
    twice = [option for option, times in Counter(question.options).items() if times > 1]
    if twice:
        yield Mistake(table, "options", f'has "{twice[0]}" more than once; nobody could tell which was meant, so write each option once')
    if question.type == "scale" and len(question.ends) != 2:
        yield Mistake(table, "ends", f"has {len(question.ends)} entries; a scale needs two texts, one for each end")
    if question.when == "after" and (question.accept or question.quota):
        yield Mistake(table, "when", 'is "after"; only a question asked "before" the images can screen people or have quotas')
    if question.type != "choice" and (question.accept or question.quota):
        yield Mistake(table, "type", f'is "{question.type}"; only a "choice" can screen people or have quotas')
    for key, named in (("accept", question.accept), ("quota", tuple(question.quota))):
        unknown = [option for option in named if question.type == "choice" and option not in question.options]
        if unknown:
            yield Mistake(table, key, f'names "{unknown[0]}", which is not among the options')


def _of_recruitment(table: str, recruitment: Recruitment, folder: Path) -> Iterator[Mistake]:
    if recruitment.by == "panel" and not recruitment.id_parameter:
        yield Mistake(table, "id_parameter", 'is missing; by = "panel" needs the name of the parameter that holds the person\'s id')
    if recruitment.return_to and "{code}" not in recruitment.return_to:
        yield Mistake(table, "return_to", "has no {code} in it; write {code} where the panel expects the completion code")
    if recruitment.return_to and not recruitment.return_to.startswith(("https://", "http://")):
        yield Mistake(table, "return_to", "is no address of the web; expected https://...")
    if recruitment.by == "prolific" and not recruitment.complete:
        yield Mistake(table, "complete", "is missing; it is the completion code that Prolific shows for your study")
    if recruitment.keys and not (folder / recruitment.keys).is_file():
        yield Mistake(table, "keys", f'is "{recruitment.keys}", and there is no such file in {folder}')
    if recruitment.keys and recruitment.by not in ("prolific", "panel"):
        yield Mistake(table, "keys", f'is set, but by = "{recruitment.by}" has no panel that could sign; remove it, or write by = "panel"')
    if recruitment.keys and not recruitment.audience:
        yield Mistake(table, "audience", "is missing; with keys, name the domain at which people reach the study, as in study.example.org")
    if recruitment.keys and recruitment.by == "panel" and not recruitment.token_parameter:
        yield Mistake(table, "token_parameter", "is missing; with keys, name the parameter in which the panel sends its signed token")
