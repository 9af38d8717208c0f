"""The tables of study.toml that describe the stimuli, and what must hold between them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, Protocol

from pydantic import Field

from stimuli import encoders, generators, predictors, raters, rewriters, scorers
from stimuli.blinding import shown_size
from stimuli.experiment import ExperimentError
from stimuli.ratings import RatedData
from stimuli.steering import Steering
from stimuli.studyfile import ExperimentTable, Mistake, did_you_mean, text_of

Name = Annotated[
    str,
    text_of(
        r"[a-z0-9][a-z0-9_-]{0,39}",
        expected="1 to 40 lower-case letters, digits, - and _, the first a letter or digit",
    ),
]
Device = Annotated[str, text_of(r"auto|cpu|cuda(:[0-9]{1,2})?", expected='"auto", "cpu", "cuda", or "cuda:1" and so on')]
UserId = Annotated[str, text_of(r"[A-Za-z0-9_-]{1,64}", expected="1 to 64 letters, digits, - and _")]

# The analysis sorts a target user's images under these names.
RESERVED = ("own", "others")


@dataclass(frozen=True)
class StimuliTable:
    """`[stimuli]`: who paints, who rewrites, who looks; image side in pixels; steps and guidance for diffusion models.

    `text_encoder` reads prompts for the predictor ("none": it judges by pixels alone). `weights` says in which folders (relative to
    the experiment) the weights of an encoder lie, by its name, where that is not the hub's cache; `device` is where they run.
    """

    generator: str = "sketch"
    rewriter: str = "vocabulary"
    encoder: str = "image-statistics"
    text_encoder: str = "none"
    predictor: str = predictors.BAYES
    device: Device = "auto"
    size: Annotated[int, Field(ge=64, le=2048)] = 256
    steps: Annotated[int, Field(ge=1, le=1000)] = 50
    guidance: Annotated[float, Field(ge=0, le=50)] = 4.0
    steering: Steering = field(default_factory=Steering)
    ratings: RatedData = field(default_factory=RatedData)
    weights: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Prompt:
    """`[[prompt]]`: one base prompt."""

    id: Name
    text: Annotated[str, Field(min_length=1, max_length=4000)]


@dataclass(frozen=True)
class Condition:
    """`[[condition]]`: one way to make an image from a base prompt.

    Without a scorer the base prompt is rendered as it is. With one, its prompt is steered toward that scorer; the
    scorer "personal" predicts the taste of each of `targets`, and makes one image for each of them; `targets_from` = "ratings" is
    short for everybody who rated enough images in this experiment's own rating study.
    `images` takes ready-made images instead: a path in which `{prompt}` stands for the prompt's id.
    """

    name: Name
    scorer: str | None = None
    targets: tuple[UserId, ...] = ()
    targets_from: Literal["ratings"] | None = None
    images: str | None = None

    @property
    def is_personal(self) -> bool:
        """Whether it makes images for single people."""
        return bool(self.targets) or self.targets_from is not None


class StimuliSettings(Protocol):
    """The part of study.toml that this room reads."""

    @property
    def experiment(self) -> ExperimentTable:
        """`[experiment]`."""
        ...

    @property
    def stimuli(self) -> StimuliTable:
        """`[stimuli]`."""
        ...

    @property
    def prompt(self) -> tuple[Prompt, ...]:
        """Every `[[prompt]]`."""
        ...

    @property
    def condition(self) -> tuple[Condition, ...]:
        """Every `[[condition]]`."""
        ...


def own_image(folder: Path, pattern: str, prompt: str) -> Path:
    """Return the path of a researcher's own image for one prompt; patterns are relative to the experiment's folder."""
    return folder / pattern.replace("{prompt}", prompt)


def mistakes(settings: StimuliSettings, folder: Path) -> Iterator[Mistake]:
    """Yield what is wrong between the tables although each is well-formed."""
    yield from _parts(settings.stimuli)
    yield from _ratings(settings.stimuli.ratings, folder)
    yield from _prompts(settings)
    for number, condition in enumerate(settings.condition, start=1):
        place = f'[[condition]] {number} ("{condition.name}")'
        yield from _name(place, condition, settings.condition[: number - 1])
        yield from _scorer(place, condition)
        yield from _targets(place, condition, settings.stimuli.ratings)
        yield from _images(place, condition, settings.prompt, folder)
    yield from _sizes(settings, folder)
    yield from _enough(settings)


def later(settings: StimuliSettings) -> Iterator[str]:
    """Yield what the study asks for and only a later version can make."""
    table = settings.stimuli
    wanted = [(generators.SHELF, table.generator), (rewriters.SHELF, table.rewriter), (encoders.SHELF, table.encoder)]
    wanted += [(scorers.SHELF, condition.scorer) for condition in settings.condition if condition.scorer]
    for shelf, name in wanted:
        if awaited := shelf.awaited(name):
            yield awaited


def _parts(table: StimuliTable) -> Iterator[Mistake]:
    for key, shelf, name in (
        ("generator", generators.SHELF, table.generator),
        ("rewriter", rewriters.SHELF, table.rewriter),
        ("encoder", encoders.SHELF, table.encoder),
        ("text_encoder", encoders.TEXT_SHELF, table.text_encoder),
        ("predictor", predictors.SHELF, table.predictor),
    ):
        if complaint := shelf.complaint(name):
            yield Mistake("[stimuli]", key, complaint)
    for name in table.weights:
        if name not in encoders.WEIGHTS:
            yield Mistake("[stimuli.weights]", name, f"is no known model; {did_you_mean(name, encoders.WEIGHTS)}")
    if table.steering.caution and table.predictor != predictors.BAYES:
        text = f'is {table.steering.caution:g}, and predictor = "{table.predictor}" does not know how little it knows; write caution = 0'
        yield Mistake("[stimuli.steering]", "caution", text)


def _ratings(data: RatedData, folder: Path) -> Iterator[Mistake]:
    place = "[stimuli.ratings]"
    if data.folder is not None and not (folder / data.folder).is_dir():
        yield Mistake(
            place,
            "folder",
            f'is "{data.folder}", and {folder / data.folder} is no folder; put a data set in {data.layout.upper()}\'s layout there',
        )
    if data.folder is None and data.layout != "pamela":
        yield Mistake(place, "layout", f'is "{data.layout}", but no "folder" is named; name the one of the data set, or remove "layout"')
    if data.folder is None and data.per_rater > data.images:
        yield Mistake(place, "per_rater", f'is {data.per_rater}, more than the {data.images} images; lower it or raise "images"')


def _prompts(settings: StimuliSettings) -> Iterator[Mistake]:
    if not settings.prompt:
        yield Mistake("[[prompt]]", None, "is missing; add at least one, with an id and a text")
    seen: set[str] = set()
    for number, prompt in enumerate(settings.prompt, start=1):
        if prompt.id in seen:
            yield Mistake(f'[[prompt]] {number} ("{prompt.id}")', "id", f'is "{prompt.id}", which an earlier prompt has; give each its own')
        seen.add(prompt.id)


def _enough(settings: StimuliSettings) -> Iterator[Mistake]:
    if not settings.condition:
        yield Mistake("[[condition]]", None, "is missing; add at least two ways to make an image, one with a scorer and one without")
        return
    images = sum(max(1, len(condition.targets)) for condition in settings.condition)
    if images < 2 and not any(condition.targets_from for condition in settings.condition):
        yield Mistake(
            "[[condition]]", None, f"gives {images} image for each prompt; expected at least 2 to compare, so add a condition or a target"
        )


def _name(place: str, condition: Condition, earlier: Sequence[Condition]) -> Iterator[Mistake]:
    if condition.name in RESERVED:
        yield Mistake(
            place, "name", f'is "{condition.name}", which the analysis uses for images steered for the judge or for others; choose another'
        )
    if condition.name in {other.name for other in earlier}:
        yield Mistake(place, "name", f'is "{condition.name}", which an earlier condition has; give each its own')


def _scorer(place: str, condition: Condition) -> Iterator[Mistake]:
    if condition.scorer is None:
        return
    if complaint := scorers.SHELF.complaint(condition.scorer):
        yield Mistake(place, "scorer", complaint)
    if condition.images is not None:
        yield Mistake(place, "images", 'stands beside "scorer"; ready-made images cannot be steered, so remove one of the two')


def _targets(place: str, condition: Condition, data: RatedData) -> Iterator[Mistake]:
    if condition.scorer == scorers.PERSONAL and not condition.is_personal:
        yield Mistake(place, "targets", 'is missing; the scorer "personal" needs to know for whom, such as targets = ["rater-01"]')
    if condition.targets and condition.targets_from:
        yield Mistake(place, "targets_from", 'stands beside "targets"; name the targets or take those who rated, and remove the other key')
    if condition.targets_from and condition.scorer != scorers.PERSONAL:
        yield Mistake(place, "targets_from", 'needs scorer = "personal"; set that scorer or remove "targets_from"')
    if condition.targets and condition.scorer != scorers.PERSONAL:
        found = f'the scorer is "{condition.scorer}"' if condition.scorer else "it has no scorer"
        yield Mistake(place, "targets", f'needs scorer = "personal", but {found}; set that scorer or remove "targets"')
    twice = sorted(user for user, count in Counter(condition.targets).items() if count > 1)
    if twice:
        yield Mistake(place, "targets", f"names {', '.join(twice)} more than once; name each target once")
    if data.folder is None and condition.scorer == scorers.PERSONAL:
        known, new = raters.names(data.raters), raters.newcomers(data.newcomers)
        for user in dict.fromkeys(condition.targets):
            if user not in (*known, *new):
                also = f", or {', '.join(new)}" if new else ""
                yield Mistake(
                    place,
                    "targets",
                    f'names "{user}"; expected simulated raters, {known[0]} to {known[-1]}{also}. For people who take the rating study '
                    'write targets_from = "ratings" instead',
                )


def _images(place: str, condition: Condition, prompts: Sequence[Prompt], folder: Path) -> Iterator[Mistake]:
    pattern = condition.images
    if pattern is None:
        return
    if "{prompt}" not in pattern and len(prompts) > 1:
        yield Mistake(
            place, "images", f'is "{pattern}" for {len(prompts)} prompts; write {{prompt}} where the prompt\'s id belongs in the file name'
        )
        return
    missing = [path for path in (own_image(folder, pattern, prompt.id) for prompt in prompts) if not path.is_file()]
    if missing:
        some = ", ".join(map(str, missing[:3])) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
        yield Mistake(place, "images", f'is "{pattern}", but there is no file {some}; put the images there, one for each prompt')


def _sizes(settings: StimuliSettings, folder: Path) -> Iterator[Mistake]:
    """Yield each own image that cannot be read, or whose size differs from its prompt's others and would tell how it was made."""
    made = (settings.stimuli.size, settings.stimuli.size)
    expected = dict.fromkeys((prompt.id for prompt in settings.prompt), (made, "[stimuli] size")) if _makes_images(settings) else {}
    for number, condition in enumerate(settings.condition, start=1):
        for prompt in settings.prompt if condition.images is not None else ():
            path = own_image(folder, condition.images or "", prompt.id)
            if not path.is_file():
                continue
            place = f'[[condition]] {number} ("{condition.name}")'
            try:
                size = shown_size(path)
            except ExperimentError as error:
                yield Mistake(place, "images", f"leads to an image that cannot be used: {error}")
                continue
            first, where = expected.setdefault(prompt.id, (size, str(path)))
            if size != first:
                yield Mistake(
                    place,
                    "images",
                    f"leads to {path} with {size[0]} x {size[1]} pixels, but {where} has {first[0]} x {first[1]}; "
                    "scale them to one size, or their size tells how they were made",
                )


def _makes_images(settings: StimuliSettings) -> bool:
    return any(condition.images is None for condition in settings.condition)
