"""Write the hand-over: the images that people may see, where each came from, and what was a stand-in."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from stimuli import manifest, ratings, scorers, steering_record
from stimuli.blinding import name_of, publish, stripped, tidy, upright
from stimuli.config import Condition, Prompt, StimuliSettings, own_image
from stimuli.experiment import Experiment
from stimuli.manifest import OWN_IMAGE, PartUsed, Step, StimuliRecord, Stimulus, Utility
from stimuli.predictors.kinds import Kind
from stimuli.predictors.sight import Sight
from stimuli.production import stand_ins
from stimuli.production.ensemble import Ensemble
from stimuli.provenance import describe
from stimuli.seeds import seed_for
from stimuli.simulation import raters
from stimuli.stages import Render, rendered
from stimuli.steering.chains import Chain, Course, Iteration
from stimuli.steering_record import CandidateRow, RescoredRow, RunEmbedding
from stimuli.store import Store

RUN = 1

Courses = Sequence[Course]


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
    """A stimulus, the image it is a copy of, the PNG that people see, and the chain that led to it, if one did."""

    stimulus: Stimulus
    image: Image.Image
    png: bytes
    course: Course | None


def write(
    experiment: Experiment, settings: StimuliSettings, store: Store, everybody: Ensemble, courses: Courses, *, eyes: Sight | None = None
) -> int:
    """Write images/, every table of the hand-over and, last, stimuli.json; return the number of stimuli.

    `eyes` turn the stimuli of several runs into numbers.
    """
    made = list(_stimuli(experiment, settings, store, everybody, courses))
    copies = {entry.stimulus.stimulus: entry.png for entry in made}
    experiment.stimuli_record.unlink(missing_ok=True)
    publish(experiment.images, copies)
    manifest.write_steps(experiment.steps, list(_steps(experiment, settings, store, courses)))
    steering_record.write_candidates(experiment.candidates, list(_candidates(experiment, store, courses)))
    steering_record.write_rescored(experiment.rescored, list(_rescored(made)))
    _write_embeddings(experiment, settings, made, eyes)
    experiment.utilities.unlink(missing_ok=True)
    if settings.stimuli.ratings.folder is None:
        manifest.write_utilities(experiment.utilities, list(_utilities(experiment, made)))
    manifest.write_stimuli(experiment.stimuli, [entry.stimulus for entry in made])
    tidy(experiment.images, set(copies))
    manifest.write_record(experiment.stimuli_record, _record(experiment, settings, everybody, eyes))
    return len(made)


def _stimuli(experiment: Experiment, settings: StimuliSettings, store: Store, everybody: Ensemble, courses: Courses) -> Iterator[_Made]:
    """Yield the stimuli by prompt, then by condition as in study.toml, then by target, then by run."""
    steered: dict[tuple[str, str, str | None], list[Course]] = {}
    for course in courses:
        chain = course.chain
        steered.setdefault((chain.prompt, chain.condition, chain.target_user), []).append(course)
    for prompt in settings.prompt:
        for condition in settings.condition:
            for user in condition.targets or (None,):
                runs = steered.get((prompt.id, condition.name, user), [])
                for course in runs:
                    yield _made(settings, prompt, condition, _from_chain(course, store, everybody.generator.spec.name), course)
                if not runs:
                    source = _unsteered(experiment, settings, store, everybody, prompt, condition)
                    yield _made(settings, prompt, condition, source, None)


def _unsteered(
    experiment: Experiment, settings: StimuliSettings, store: Store, everybody: Ensemble, prompt: Prompt, condition: Condition
) -> _Source:
    if condition.images is not None:
        return _Source(upright(own_image(experiment.folder, condition.images, prompt.id)), prompt.text, OWN_IMAGE, 0)
    # Conditions differ by wording only, never by luck: the seed is that of the prompt's chains.
    seed = seed_for(settings.experiment.seed, "image", prompt.id)
    [sha256] = rendered(store, everybody.generator, [Render(prompt.text, seed)])
    return _Source(store.image(sha256), prompt.text, everybody.generator.spec.name, seed)


def _from_chain(course: Course, store: Store, generator: str) -> _Source:
    best, first = course.best, course.initial
    iteration = next(entry.number for entry in course.iterations if entry.best == best)
    return _Source(store.image(best.image), best.prompt, generator, course.chain.image_seed, best.score, first.score, iteration)


def _made(settings: StimuliSettings, prompt: Prompt, condition: Condition, source: _Source, course: Course | None) -> _Made:
    user, run = (course.chain.target_user, course.chain.run) if course else (None, RUN)
    png = stripped(source.image)
    sha256 = hashlib.sha256(png).hexdigest()
    # The image is part of the id: votes about an image never pass to another that took its place.
    name = name_of(settings.experiment.seed, prompt.id, condition.name, user, run, sha256)
    stimulus = Stimulus(
        stimulus=name,
        prompt=prompt.id,
        base_prompt=prompt.text,
        condition=condition.name,
        target_user=user,
        run=run,
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
    return _Made(stimulus, source.image, png, course)


def _steps(experiment: Experiment, settings: StimuliSettings, store: Store, courses: Courses) -> Iterator[Step]:
    scorer_of = {condition.name: condition.scorer or "" for condition in settings.condition}
    for chain, iteration in _iterations(courses):
        new = iteration.candidates if iteration.number else ()
        yield Step(
            prompt=chain.prompt,
            condition=chain.condition,
            target_user=chain.target_user,
            run=chain.run,
            iteration=iteration.number,
            scorer=scorer_of[chain.condition],
            best_score=iteration.best.score,
            best_prompt=iteration.best.prompt,
            image=_place(experiment, store, iteration.best.image),
            proposed=len(new),
            rejected=sum(candidate.rejected for candidate in new),
        )


def _candidates(experiment: Experiment, store: Store, courses: Courses) -> Iterator[CandidateRow]:
    bests = {(id(course), one.best.prompt): one.best for course in courses for one in course.iterations}
    for course in courses:
        for iteration in course.iterations:
            for new in iteration.candidates:
                # The best of an iteration was seen by scorers that its fellows may not have been shown to.
                one = bests.get((id(course), new.prompt), new)
                yield CandidateRow(
                    prompt=course.chain.prompt,
                    condition=course.chain.condition,
                    target_user=course.chain.target_user,
                    run=course.chain.run,
                    iteration=iteration.number,
                    candidate=one.prompt,
                    image=_place(experiment, store, one.image),
                    score=one.score,
                    likeness=one.likeness,
                    rejected=one.rejected,
                    scores=dict(one.others),
                )


def _iterations(courses: Courses) -> Iterator[tuple[Chain, Iteration]]:
    return ((course.chain, iteration) for course in courses for iteration in course.iterations)


def _place(experiment: Experiment, store: Store, sha256: str) -> str:
    return store.image_path(sha256).relative_to(experiment.folder).as_posix()


def _rescored(made: Sequence[_Made]) -> Iterator[RescoredRow]:
    for entry in made:
        for one in entry.course.rescored if entry.course else ():
            yield RescoredRow(
                stimulus=entry.stimulus.stimulus,
                scorer=one.scorer.name,
                held_out=one.held_out,
                higher_is_better=one.scorer.higher_is_better,
                low=one.scorer.low,
                high=one.scorer.high,
                shown=one.shown,
                initial=one.initial,
                fresh=one.fresh,
                fresh_initial=one.fresh_initial,
                seeds=one.seeds,
            )


def _write_embeddings(experiment: Experiment, settings: StimuliSettings, made: Sequence[_Made], eyes: Sight | None) -> None:
    """Write what the analysis compares independent runs by, of the conditions with targets; nothing where there is one run."""
    experiment.run_embeddings.unlink(missing_ok=True)
    runs = [entry for entry in made if entry.stimulus.target_user is not None]
    if eyes is None or settings.stimuli.steering.runs == 1 or not runs:
        return
    looks = eyes.looks([entry.image for entry in runs], [entry.stimulus.final_prompt for entry in runs])
    rows = [
        RunEmbedding(entry.stimulus.stimulus, None if looks.prompt is None else looks.prompt[place].tolist(), looks.image[place].tolist())
        for place, entry in enumerate(runs)
    ]
    steering_record.write_embeddings(experiment.run_embeddings, rows)


def _utilities(experiment: Experiment, made: Sequence[_Made]) -> Iterator[Utility]:
    tastes = raters.read(raters.tastes_file(experiment.ratings))
    true = raters.utilities(tastes, raters.qualities([entry.image for entry in made]))
    for user, row in zip(tastes.users, true.tolist(), strict=True):
        for entry, utility in zip(made, row, strict=True):
            yield Utility(user, entry.stimulus.stimulus, utility)


def _record(experiment: Experiment, settings: StimuliSettings, everybody: Ensemble, eyes: Sight | None) -> StimuliRecord:
    is_personal = any(condition.scorer == scorers.PERSONAL for condition in settings.condition)
    inputs: list[Path] = []
    if is_personal:
        folder = settings.stimuli.ratings.folder
        data = experiment.ratings if folder is None else experiment.folder / folder
        predictor = Kind(settings.stimuli.predictor).file(experiment.predictor)
        inputs = [predictor, *ratings.read(data, layout=settings.stimuli.ratings.layout).files]
        inputs += [file for file in (experiment.rated, experiment.rating_images) if file.is_file()]
    provenance = describe(settings=experiment.settings, seed=settings.experiment.seed, inputs=inputs)
    return StimuliRecord(tuple(stand_ins.of_stimuli(settings, everybody)), asdict(provenance), tuple(_parts(settings, everybody, eyes)))


def _parts(settings: StimuliSettings, everybody: Ensemble, eyes: Sight | None) -> Iterator[PartUsed]:
    """Yield who worked on the stimuli; who judged for one person is told by the predictor's file among the inputs."""
    used: list[tuple[str, Any]] = []
    if any(condition.images is None for condition in settings.condition):
        used.append(("generator", everybody.generator.spec))
    if everybody.judges:
        used.append(("rewriter", everybody.rewriter.spec))
    used += [("scorer", scorer.spec) for (_, user), scorer in everybody.judges.items() if user is None]
    used += [("held-out scorer", scorer.spec) for scorer in everybody.held_out]
    used += [("drift guard", everybody.guard.scorer.spec)] if everybody.guard else []
    used += [("encoder", eyes.images.spec)] if eyes else []
    used += [("text encoder", eyes.texts.spec)] if eyes and eyes.texts else []
    for part, spec in used:
        yield PartUsed(part, spec.name, spec.version)
