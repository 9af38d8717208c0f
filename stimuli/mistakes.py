"""What is wrong in study.toml between the tables that describe the stimuli, although each of them is well-formed."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from stimuli import encoders, generators, predictors, rewriters, scorers
from stimuli.blinding import shown_size
from stimuli.config import Condition, Prompt, StimuliSettings, StimuliTable, own_image
from stimuli.experiment import ExperimentError
from stimuli.imagesets import lists
from stimuli.machine.weights import PUBLISHED
from stimuli.ratings import RatedData
from stimuli.scorers import external
from stimuli.simulation import raters
from stimuli.steering import guards
from stimuli.studyfile import Mistake, did_you_mean

# The analysis sorts a target user's images under these names.
RESERVED = ("own", "others")
# 512 tokens, less those of the chat around a prompt, at four tokens for three words.
_MANY_WORDS = 320
# Scorers that are somebody's: each target has their own.
_FOR_TARGETS = (scorers.PERSONAL, "placebo")


def mistakes(settings: StimuliSettings, folder: Path) -> Iterator[Mistake]:
    """Yield what is wrong between the tables although each is well-formed."""
    yield from _parts(settings.stimuli, folder)
    yield from _steering(settings)
    yield from _groups(settings)
    yield from _ratings(settings.stimuli.ratings, folder)
    yield from lists.mistakes(settings.stimuli.image_set, folder)
    yield from _prompts(settings)
    for number, condition in enumerate(settings.condition, start=1):
        place = f'[[condition]] {number} ("{condition.name}")'
        yield from _name(place, condition, settings.condition[: number - 1])
        yield from _scorer(place, condition, settings.stimuli)
        yield from _targets(place, condition)
        yield from _strangers(place, condition, settings)
        yield from _images(place, condition, settings.prompt, folder)
    yield from _sizes(settings, folder)
    yield from _same_images(settings, folder)
    yield from _enough(settings)


def doubts(settings: StimuliSettings) -> Iterator[str]:
    """Yield what is no mistake but deserves a look, in sentences: prompts that FLUX.2 may find too long, told by their words."""
    if not settings.stimuli.generator.startswith("flux2"):
        return
    for prompt in settings.prompt:
        words = len(prompt.text.split())
        if words > _MANY_WORDS:
            yield (
                f'[[prompt]] "{prompt.id}" has {words} words. FLUX.2 reads 512 tokens, which is about {_MANY_WORDS} English words; it '
                "would be refused when it is rendered, and so would longer rewordings of it. Shorten it"
            )


def _parts(table: StimuliTable, folder: Path) -> Iterator[Mistake]:
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
        if name not in PUBLISHED:
            yield Mistake("[stimuli.weights]", name, f"is no known model; {did_you_mean(name, PUBLISHED)}")
    template = table.rewriting.instruction
    if template is not None and not (folder / template).is_file():
        yield Mistake("[stimuli.rewriting]", "instruction", f'is "{template}", and {folder / template} is no file; put the text there')
    if table.steering.caution and table.predictor not in predictors.UNSURE:
        text = f'is {table.steering.caution:g}, and predictor = "{table.predictor}" does not know how little it knows; write caution = 0'
        yield Mistake("[stimuli.steering]", "caution", text)


def _steering(settings: StimuliSettings) -> Iterator[Mistake]:
    place, steering = "[stimuli.steering]", settings.stimuli.steering
    if steering.guard not in (guards.AUTO, guards.NONE):
        yield from _known(place, "guard", steering.guard, settings.stimuli, also=(guards.AUTO, guards.NONE))
    if steering.guard == guards.NONE and steering.floor is not None:
        yield Mistake(place, "floor", f'is {steering.floor:g}, but guard = "none" rejects nothing; name a guard or remove "floor"')
    steers = {condition.scorer: condition.name for condition in settings.condition}
    guard = guards.chosen(steering.guard, encoder=settings.stimuli.encoder, generator=settings.stimuli.generator)
    for name, count in Counter(steering.held_out).items():
        if count > 1:
            yield Mistake(place, "held_out", f'names "{name}" more than once; name each scorer once')
        yield from _known(place, "held_out", name, settings.stimuli)
        if name in steers:
            text = f'names "{name}", but it steers condition "{steers[name]}"; a scorer that is to check steering must not steer'
            yield Mistake(place, "held_out", text)
        if name == guard:
            yield Mistake(place, "held_out", f'names "{name}", which is the guard; name a scorer that has no say in steering')


def _groups(settings: StimuliSettings) -> Iterator[Mistake]:
    seen: set[str] = set()
    for number, group in enumerate(settings.group, start=1):
        place = f'[[group]] {number} ("{group.name}")'
        if group.name in seen:
            yield Mistake(place, "name", f'is "{group.name}", which an earlier group has; give each its own')
        seen.add(group.name)
        if group.members and group.answers:
            yield Mistake(place, "members", f"stands beside {', '.join(group.answers)}; name the people or what they said, not both")
        twice = sorted(user for user, count in Counter(group.members).items() if count > 1)
        if twice:
            yield Mistake(place, "members", f"names {', '.join(twice)} more than once; name each person once")
        if not group.members and not group.answers:
            yield Mistake(place, None, "says of nobody that they belong to it; add gender, age, nationality, or members")
        if group.name in _simulated(settings.stimuli.ratings):
            yield Mistake(place, "name", f'is "{group.name}", as a simulated rater is called; choose another')


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


def _scorer(place: str, condition: Condition, table: StimuliTable) -> Iterator[Mistake]:
    if condition.scorer is None:
        return
    if condition.scorer != scorers.PERSONAL:
        yield from _known(place, "scorer", condition.scorer, table, also=(scorers.PERSONAL,))
    if condition.images is not None:
        yield Mistake(place, "images", 'stands beside "scorer"; ready-made images cannot be steered, so remove one of the two')


def _known(place: str, key: str, name: str, table: StimuliTable, *, also: Sequence[str] = ()) -> Iterator[Mistake]:
    """Yield a mistake where a scorer is neither on the shelf nor external; the personal one counts only where it is in `also`."""
    known = [*also, *scorers.FILES, *(external.PREFIX + one for one in table.external)]
    if name not in known:
        # Most scorers read no prompt, and so are no guards.
        usual = [*also, *guards.USUAL] if key == "guard" else known
        yield Mistake(place, key, f'is "{name}", which is no known {"guard" if key == "guard" else "scorer"}; {did_you_mean(name, usual)}')


def _targets(place: str, condition: Condition) -> Iterator[Mistake]:
    if condition.scorer == scorers.PERSONAL and not condition.is_personal:
        yield Mistake(place, "targets", 'is missing; the scorer "personal" needs to know for whom, such as targets = ["rater-01"]')
    if condition.targets and condition.targets_from:
        yield Mistake(place, "targets_from", 'stands beside "targets"; name the targets or take those who rated, and remove the other key')
    if condition.targets_from and condition.scorer != scorers.PERSONAL:
        yield Mistake(place, "targets_from", 'needs scorer = "personal"; set that scorer or remove "targets_from"')
    if condition.targets and condition.scorer not in _FOR_TARGETS:
        found = f'the scorer is "{condition.scorer}"' if condition.scorer else "it has no scorer"
        yield Mistake(place, "targets", f'needs scorer = "personal", but {found}; set that scorer or remove "targets"')
    twice = sorted(user for user, count in Counter(condition.targets).items() if count > 1)
    if twice:
        yield Mistake(place, "targets", f"names {', '.join(twice)} more than once; name each target once")


def _strangers(place: str, condition: Condition, settings: StimuliSettings) -> Iterator[Mistake]:
    """Yield each target who is none of the simulated raters and no group; of real people only the data set knows."""
    data, groups = settings.stimuli.ratings, [group.name for group in settings.group]
    if data.folder is not None or condition.scorer != scorers.PERSONAL:
        return
    known, new = raters.names(data.raters), raters.newcomers(data.newcomers)
    for user in dict.fromkeys(condition.targets):
        if user not in (*known, *new, *groups):
            also = f", or {', '.join((*new, *groups))}" if new or groups else ""
            yield Mistake(
                place,
                "targets",
                f'names "{user}"; expected simulated raters, {known[0]} to {known[-1]}{also}. For people who take the rating study '
                'write targets_from = "ratings" instead',
            )


def _simulated(data: RatedData) -> tuple[str, ...]:
    return (*raters.names(data.raters), *raters.newcomers(data.newcomers)) if data.folder is None else ()


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


def _same_images(settings: StimuliSettings, folder: Path) -> Iterator[Mistake]:
    """Yield each condition whose own images are another's, prompt by prompt: the same files under two names, mostly a slip of the pen."""
    shown: dict[tuple[str, ...], str] = {}
    for number, condition in enumerate(settings.condition, start=1):
        if condition.images is None:
            continue
        paths = [own_image(folder, condition.images, prompt.id) for prompt in settings.prompt]
        if not all(path.is_file() for path in paths):
            continue
        images = tuple(hashlib.sha256(path.read_bytes()).hexdigest() for path in paths)
        if (other := shown.setdefault(images, condition.name)) != condition.name:
            yield Mistake(
                f'[[condition]] {number} ("{condition.name}")',
                "images",
                f'is "{condition.images}", which leads to the same images as those of "{other}" for every prompt; name its own',
            )


def _makes_images(settings: StimuliSettings) -> bool:
    return any(condition.images is None for condition in settings.condition)
