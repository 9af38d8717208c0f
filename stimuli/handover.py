"""Write the hand-over: the images that people may see, where each came from, and what was a stand-in."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from PIL import Image

from stimuli import encoders, manifest, raters, ratings, rewriters, scorers
from stimuli.blinding import name_of, publish, stripped, tidy, upright
from stimuli.config import Condition, Prompt, StimuliSettings, own_image
from stimuli.experiment import Experiment
from stimuli.generators import Generator
from stimuli.manifest import OWN_IMAGE, StandIn, Step, StimuliRecord, Stimulus, Utility
from stimuli.predictors.kinds import Kind
from stimuli.provenance import describe
from stimuli.seeds import seed_for
from stimuli.stages import Render, rendered
from stimuli.steering import Chain, Iteration
from stimuli.store import Store

RUN = 1

_STANDS_FOR = {
    "sketch": "a diffusion model such as FLUX.2",
    "vocabulary": "a language model",
    "image-statistics": "a learned image encoder such as SigLIP2",
    "word-hash": "a language model that reads prompts",
    "colourful": "a generic scorer such as HPSv3",
    "crisp": "a generic scorer such as Q-Align",
}

Courses = Sequence[tuple[Chain, list[Iteration]]]


@dataclass(frozen=True)
class _Source:
    """An image and how it was made; the fields after it are those of a `Stimulus`."""

    image: Image.Image
    prompt: str
    generator: str
    seed: int
    score: float | None = None
    initial_score: float | None = None
    iteration: int = 0


@dataclass(frozen=True)
class _Made:
    """A stimulus, the image it is a copy of, and the PNG that people see."""

    stimulus: Stimulus
    image: Image.Image
    png: bytes


def image_seed(settings: StimuliSettings, prompt: Prompt) -> int:
    """Return the seed of all images of a prompt: conditions differ by wording only, never by luck."""
    return seed_for(settings.experiment.seed, "image", prompt.id)


def write(experiment: Experiment, settings: StimuliSettings, store: Store, generator: Generator, courses: Courses) -> int:
    """Write images/, steps.parquet, simulated_utilities.parquet, stimuli.parquet and, last, stimuli.json; return the number of stimuli."""
    made = list(_stimuli(experiment, settings, store, generator, courses))
    copies = {entry.stimulus.stimulus: entry.png for entry in made}
    experiment.stimuli_record.unlink(missing_ok=True)
    publish(experiment.images, copies)
    manifest.write_steps(experiment.steps, list(_steps(experiment, settings, store, courses)))
    experiment.utilities.unlink(missing_ok=True)
    if settings.stimuli.ratings.folder is None:
        manifest.write_utilities(experiment.utilities, list(_utilities(experiment, made)))
    manifest.write_stimuli(experiment.stimuli, [entry.stimulus for entry in made])
    tidy(experiment.images, set(copies))
    manifest.write_record(experiment.stimuli_record, _record(experiment, settings, generator))
    return len(made)


def _stimuli(experiment: Experiment, settings: StimuliSettings, store: Store, generator: Generator, courses: Courses) -> Iterator[_Made]:
    """Yield the stimuli by prompt, then by condition as in study.toml, then by target."""
    steered = {(chain.prompt, chain.condition, chain.target_user): course for chain, course in courses}
    for prompt in settings.prompt:
        for condition in settings.condition:
            for user in condition.targets or (None,):
                course = steered.get((prompt.id, condition.name, user))
                if course is not None:
                    source = _from_chain(course, store, generator, image_seed(settings, prompt))
                elif condition.images is not None:
                    source = _Source(upright(own_image(experiment.folder, condition.images, prompt.id)), prompt.text, OWN_IMAGE, 0)
                else:
                    source = _from_base_prompt(prompt, store, generator, image_seed(settings, prompt))
                yield _made(settings, prompt, condition, user, source)


def _from_base_prompt(prompt: Prompt, store: Store, generator: Generator, seed: int) -> _Source:
    [sha256] = rendered(store, generator, [Render(prompt.text, seed)])
    return _Source(store.image(sha256), prompt.text, generator.spec.name, seed)


def _from_chain(course: Sequence[Iteration], store: Store, generator: Generator, seed: int) -> _Source:
    best = course[-1].best
    iteration = next(entry.number for entry in course if entry.best == best)
    return _Source(store.image(best.image), best.prompt, generator.spec.name, seed, best.score, course[0].best.score, iteration)


def _made(settings: StimuliSettings, prompt: Prompt, condition: Condition, user: str | None, source: _Source) -> _Made:
    png = stripped(source.image)
    sha256 = hashlib.sha256(png).hexdigest()
    # The image is part of the id: votes about an image never pass to another that took its place.
    name = name_of(settings.experiment.seed, prompt.id, condition.name, user, RUN, sha256)
    stimulus = Stimulus(
        stimulus=name,
        prompt=prompt.id,
        base_prompt=prompt.text,
        condition=condition.name,
        target_user=user,
        run=RUN,
        image=f"images/{name}.png",
        image_sha256=sha256,
        final_prompt=source.prompt,
        generator=source.generator,
        seed=source.seed,
        scorer=condition.scorer,
        score=source.score,
        initial_score=source.initial_score,
        iteration=source.iteration,
    )
    return _Made(stimulus, source.image, png)


def _steps(experiment: Experiment, settings: StimuliSettings, store: Store, courses: Courses) -> Iterator[Step]:
    scorer_of = {condition.name: condition.scorer or "" for condition in settings.condition}
    for chain, course in courses:
        for iteration in course:
            yield Step(
                prompt=chain.prompt,
                condition=chain.condition,
                target_user=chain.target_user,
                run=chain.run,
                iteration=iteration.number,
                scorer=scorer_of[chain.condition],
                best_score=iteration.best.score,
                best_prompt=iteration.best.prompt,
                image=store.image_path(iteration.best.image).relative_to(experiment.folder).as_posix(),
            )


def _utilities(experiment: Experiment, made: Sequence[_Made]) -> Iterator[Utility]:
    tastes = raters.read(raters.tastes_file(experiment.ratings))
    true = raters.utilities(tastes, raters.qualities([entry.image for entry in made]))
    for user, row in zip(tastes.users, true.tolist(), strict=True):
        for entry, utility in zip(made, row, strict=True):
            yield Utility(user, entry.stimulus.stimulus, utility)


def _record(experiment: Experiment, settings: StimuliSettings, generator: Generator) -> StimuliRecord:
    is_personal = any(condition.scorer == scorers.PERSONAL for condition in settings.condition)
    inputs: list[Path] = []
    if is_personal:
        folder = settings.stimuli.ratings.folder
        data = experiment.ratings if folder is None else experiment.folder / folder
        predictor = Kind(settings.stimuli.predictor).file(experiment.predictor)
        inputs = [predictor, *ratings.read(data, layout=settings.stimuli.ratings.layout).files]
        inputs += [file for file in (experiment.rated, experiment.rating_images) if file.is_file()]
    provenance = describe(settings=experiment.settings, seed=settings.experiment.seed, inputs=inputs)
    return StimuliRecord(tuple(_stand_ins(settings, generator, is_personal=is_personal)), asdict(provenance))


def _stand_ins(settings: StimuliSettings, generator: Generator, *, is_personal: bool) -> Iterator[StandIn]:
    """Yield the stand-ins that had a part in these stimuli."""
    judges = dict.fromkeys(condition.scorer for condition in settings.condition if condition.scorer)
    if generator.spec.stand_in and any(condition.images is None for condition in settings.condition):
        yield _stand_in("generator", generator.spec.name)
    if judges and rewriters.make(settings.stimuli.rewriter).spec.stand_in:
        yield _stand_in("rewriter", settings.stimuli.rewriter)
    if is_personal:
        yield from _of_encoders(settings)
    for name in judges:
        if name != scorers.PERSONAL and scorers.make(name).spec.stand_in:
            yield _stand_in("scorer", name)
    if is_personal and settings.stimuli.ratings.folder is None:
        yield StandIn("raters", "simulated raters", "people who rate images")


def stand_ins_of_predictions(settings: StimuliSettings, judges: Iterable[str]) -> Iterator[StandIn]:
    """Yield the stand-ins that had a part in predictions of ratings, by the predictor and these scorers."""
    yield from _of_encoders(settings)
    for name in judges:
        if scorers.make(name).spec.stand_in:
            yield _stand_in("scorer", name)
    if settings.stimuli.ratings.folder is None:
        yield _stand_in("generator", settings.stimuli.generator)
        yield StandIn("raters", "simulated raters", "people who rate images")


def _of_encoders(settings: StimuliSettings) -> Iterator[StandIn]:
    # Whatever has no weights was not learned from anything.
    for part, name in (("encoder", settings.stimuli.encoder), ("text encoder", settings.stimuli.text_encoder)):
        if name not in encoders.WEIGHTS and name != "none":
            yield _stand_in(part, name)


def _stand_in(part: str, name: str) -> StandIn:
    return StandIn(part, name, _STANDS_FOR[name])
