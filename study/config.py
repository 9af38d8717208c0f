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
    """`[study.simulation]`: how simulated participants answer.

    A choice is logistic in the difference of true utilities times `sensitivity`, plus a personal leaning to one side
    (standard deviation `side_bias`, logits); a share `lapse` of answers is a coin flip.
    """

    sensitivity: Annotated[float, Field(ge=0)] = 1.0
    side_bias: Annotated[float, Field(ge=0)] = 0.1
    lapse: Annotated[float, Field(ge=0, le=1)] = 0.05


@dataclass(frozen=True)
class Recruitment:
    """`[study.recruitment]`: how people come, and where they go afterwards.

    `by`: "link" (anybody; `?participant=ID` or anonymous), "invitation" (only links signed by `tastebench study invite`),
    "prolific" (Prolific's own parameters and return address) or "panel" (any panel, by the names below).
    `id_parameter` holds the panel's id of the person, `keep` further parameters to store; `return_to` is where people are sent
    at the end, with `{code}` in it; the codes tell the panel what became of them (`full` also of whom closing stopped). `keys` is a
    file with the panel's published keys (JWKS): arrivals must then carry a token signed by one of them in the parameter
    `token_parameter`, for the domain `audience` (the one people reach the study at), so that links to other studies of the panel
    do not open this one.
    """

    by: Literal["link", "invitation", "prolific", "panel"] = "link"
    id_parameter: str | None = None
    keep: tuple[str, ...] = ()
    return_to: str | None = None
    complete: str | None = None
    screened_out: str | None = None
    no_consent: str | None = None
    full: str | None = None
    keys: str | None = None
    token_parameter: str | None = None
    audience: str | None = None


@dataclass(frozen=True)
class Question:
    """`[[question]]`: something to ask beside the images, "before" (screening) or "after" them.

    `type`: "choice" (one of `options`), "scale" (`points` steps between the two texts in `ends`), "number" (`least` to `most`)
    or "text". Whoever gives an answer that is not in `accept` is screened out (empty: nobody is). `quota` bounds how many may
    take part with an answer. Only questions before the images can screen or have quotas.
    """

    id: Name
    text: Text
    when: Literal["before", "after"] = "after"
    type: Literal["choice", "scale", "number", "text"] = "choice"
    options: tuple[Text, ...] = ()
    ends: tuple[Text, ...] = ()
    points: Annotated[int, Field(ge=2, le=11)] = 5
    least: float | None = None
    most: float | None = None
    required: bool = True
    accept: tuple[Text, ...] = ()
    quota: dict[str, Count] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Procedure:
    """How people are asked, whatever they are asked. Texts that are None come from the catalogue of `language`.

    `block`: trials between two breaks (0: no breaks). `participants`: places in the study (None: any number); a place is held
    for whoever takes it and comes back `hold_minutes` after their last sign of life. `unreviewed`: open the study although
    nobody has looked through its images. `hourly_pay` and `seconds_per_trial` only serve the plan that is printed.
    """

    language: str = "en"
    question: Text | None = None
    consent: Text | None = None
    instructions: Text | None = None
    thanks: Text | None = None
    practice: Annotated[int, Field(ge=0, le=20)] = 2
    min_ms: Annotated[int, Field(ge=0, le=10_000)] = 400
    block: Annotated[int, Field(ge=0, le=10_000)] = 40
    participants: Count | None = None
    hold_minutes: Annotated[int, Field(ge=1, le=100_000)] = 60
    unreviewed: bool = False
    seconds_per_trial: Annotated[float, Field(gt=0)] = 5.0
    hourly_pay: Annotated[float, Field(ge=0)] | None = None
    currency: str = "GBP"
    recruitment: Recruitment = field(default_factory=Recruitment)


@dataclass(frozen=True, kw_only=True)
class StudyTable(Procedure):
    """`[study]`: the pairwise comparison.

    `pairs`: "all" of a prompt's images; "informative" leaves out two images of one condition that were both made for others;
    "claims" keeps the pairs that some claim names; "incomplete" gives each participant `per_participant` of all pairs, every
    pair as often as every other over the participants. `others`: which images made for other target users a participant
    sees, "all" or "one" each prompt (cyclic). `tie` offers "no difference". `catch` trials ask for one side in plain words;
    `repeats` ask a pair a second time with sides swapped. `peeking` shows scores by condition while the study is open.
    """

    pairs: Literal["all", "informative", "claims", "incomplete"] = "all"
    per_participant: Count | None = None
    others: Literal["all", "one"] = "all"
    tie: bool = False
    catch: Annotated[int, Field(ge=0, le=1000)] = 0
    repeats: Annotated[int, Field(ge=0, le=10_000)] = 0
    peeking: bool = False
    simulation: Simulation = field(default_factory=Simulation)


@dataclass(frozen=True, kw_only=True)
class RatingTable(Procedure):
    """`[rating]`: one image and its prompt at a time, on a continuous scale from bad (1) to excellent (5); PAMELA, Fig. 13.

    `images`: "pool" (rating_images.parquet, made from the rated data) or "stimuli" (the images of the comparison). Each
    participant rates `per_participant` of them, `repeats` of these a second time; `order`: "random", or "active" where the
    predictor chooses what to ask next.
    """

    images: Literal["pool", "stimuli"] = "pool"
    per_participant: Count = 15
    repeats: Annotated[int, Field(ge=0, le=10_000)] = 0
    order: Literal["random", "active"] = "random"


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
