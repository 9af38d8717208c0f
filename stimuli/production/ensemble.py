"""Who makes the stimuli of a study together: its generator, rewriter, scorers, guard; made here, and asked for what they lack."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from stimuli import encoders, learning, ratings, rewriters, scorers
from stimuli.config import StimuliSettings
from stimuli.experiment import Experiment, ExperimentError
from stimuli.generators import Generator
from stimuli.groups import Gathered
from stimuli.machine.downloads import check
from stimuli.machine.hardware import Means
from stimuli.machine.weights import PUBLISHED, Weights
from stimuli.predictors.sight import Sight
from stimuli.provenance import sha256
from stimuli.rewriters import Rewriter
from stimuli.rewriters.instruction import text_of
from stimuli.scorers import Scorer, external
from stimuli.scorers.personal import Kept, Personal
from stimuli.scorers.placebo import Placebo
from stimuli.seeds import seed_for
from stimuli.steering import guards
from stimuli.steering.chains import Chain, Guard
from stimuli.store import key_of
from stimuli.workers import Parts

_NAMED = 6

# The scorer of each condition and, where it is for somebody, target.
Judges = dict[tuple[str, str | None], Scorer]


@runtime_checkable
class Checked(Protocol):
    """A part that can say cheaply what it lacks on this machine."""

    def check(self) -> object:
        """Raise an `ExperimentError` where something is missing."""
        ...


@dataclass(frozen=True)
class Ensemble:
    """Everybody but the personal scorers, who have to learn first. `judges` are the scorers of the conditions."""

    generator: Generator
    rewriter: Rewriter
    judges: Judges
    held_out: tuple[Scorer, ...]
    guard: Guard | None

    def with_judges(self, more: Judges) -> "Ensemble":
        """Return the ensemble with the scorers of further conditions."""
        return Ensemble(self.generator, self.rewriter, self.judges | more, self.held_out, self.guard)

    @property
    def scorers(self) -> tuple[Scorer, ...]:
        """Every scorer once: those that steer, those held out, the guard's."""
        known = [*self.judges.values(), *self.held_out, *([self.guard.scorer] if self.guard else [])]
        return tuple({scorer.spec.name: scorer for scorer in known}.values())

    @property
    def parts(self) -> Parts:
        """What every worker has."""
        return Parts(self.generator, self.rewriter, self.scorers)


def gather(experiment: Experiment, settings: StimuliSettings) -> Ensemble:
    """Return who works on a study; no weights are opened.

    Raises:
        ExperimentError: a part is unknown, or of a later version, or cannot do what it is asked for.
    """
    table, there = settings.stimuli, learning.means(experiment, settings.stimuli)
    steered = any(condition.scorer for condition in settings.condition)
    rewriter = rewriters.make(table.rewriter, rewriting=table.rewriting, instruction=_instruction(experiment, settings), means=there)
    judges = _judges(experiment, settings)
    held_out = tuple(scorer_named(experiment, settings, name) for name in table.steering.held_out) if steered else ()
    guard = _guard(experiment, settings) if steered else None
    used: list[object] = [rewriter, *judges.values(), *held_out, *([guard.scorer] if guard else [])] if steered else []
    painter = learning.generator(experiment, table, beside=_beside(used, settings))
    return Ensemble(painter, rewriter, judges, held_out, guard)


def scorer_named(experiment: Experiment, settings: StimuliSettings, name: str) -> Scorer:
    """Return a generic or an external scorer of the study by name."""
    if name.startswith(external.PREFIX):
        return external.make(name, settings.stimuli.external, folder=experiment.folder)
    return scorers.make(name, means=learning.means(experiment, settings.stimuli))


def lacking(experiment: Experiment, settings: StimuliSettings) -> list[str]:
    """Return what the parts that the study uses lack on this machine, in words; nothing is loaded."""
    try:
        everybody = gather(experiment, settings)
    except ExperimentError as error:
        return [str(error)]
    there = learning.means(experiment, settings.stimuli)
    lacks = [
        *(_lack(part, there) for part in _used(everybody, settings)),
        *_encoders_lack(settings, there),
        _strangers(experiment, settings),
    ]
    return list(dict.fromkeys(lack for lack in lacks if lack))


def require(experiment: Experiment, settings: StimuliSettings) -> None:
    """Raise an `ExperimentError` that lists what the parts of a study lack on this machine."""
    if lacks := lacking(experiment, settings):
        raise ExperimentError("\n".join(lacks))


def personal_judges(experiment: Experiment, settings: StimuliSettings, eyes: Sight, groups: Sequence[Gathered]) -> Judges:
    """Return the scorer of each condition and target, by the trained predictor."""
    path = learning.predictor_file(experiment, settings)
    kept, version = Kept(learning.kind(settings), path, tuple(groups)), sha256(path)
    gathered = {group.name: group for group in groups}
    caution = settings.stimuli.steering.caution
    return {
        (condition.name, user): Personal(kept, eyes, user, version=_version(version, gathered.get(user)), caution=caution)
        for condition in settings.condition
        if condition.scorer == scorers.PERSONAL
        for user in condition.targets
    }


def chains(settings: StimuliSettings, everybody: Ensemble) -> list[Chain]:
    """Return every chain of the study: prompt by prompt, condition by condition, target by target, run by run."""
    seed, steering = settings.experiment.seed, settings.stimuli.steering
    own = {scorer.spec.name: scorer for scorer in everybody.judges.values()}
    return [
        Chain(
            prompt=prompt.id,
            base_prompt=prompt.text,
            condition=condition,
            target_user=user,
            run=run,
            scorer=scorer,
            image_seed=seed_for(seed, "image", prompt.id),
            seed=seed_for(seed, "chain", prompt.id, condition, user or "", run),
            guard=everybody.guard,
            held_out=everybody.held_out,
            logged=tuple(other for name, other in own.items() if name != scorer.spec.name),
        )
        for prompt in settings.prompt
        for (condition, user), scorer in everybody.judges.items()
        for run in range(1, steering.runs + 1)
    ]


def _judges(experiment: Experiment, settings: StimuliSettings) -> Judges:
    """Return the scorers that need to learn nobody's taste; of a placebo each target has an own one."""
    found: Judges = {}
    for condition in settings.condition:
        if condition.scorer == "placebo" and condition.targets:
            found |= {(condition.name, user): Placebo(f"placebo:{user}", seed=user) for user in condition.targets}
        elif condition.scorer is not None and condition.scorer != scorers.PERSONAL:
            found[condition.name, None] = scorer_named(experiment, settings, condition.scorer)
    return found


def _guard(experiment: Experiment, settings: StimuliSettings) -> Guard | None:
    table = settings.stimuli
    name = guards.chosen(table.steering.guard, encoder=table.encoder, generator=table.generator)
    return guards.make(name, floor=table.steering.floor, scorer_named=lambda wanted: scorer_named(experiment, settings, wanted))


def _instruction(experiment: Experiment, settings: StimuliSettings) -> str | None:
    """Return the text of the experiment's own template for the rewriter."""
    name = settings.stimuli.rewriting.instruction
    return None if name is None else text_of(experiment.folder / name)


def _version(version: str, group: Gathered | None) -> str:
    # The same predictor knows another group where other people belong to it, or where it is told something else of them.
    if group is None:
        return version
    profile = None if group.profile is None else group.profile.tolist()
    return f"{version} of {key_of([list(group.members), profile])[:12]}"


def _used(everybody: Ensemble, settings: StimuliSettings) -> Iterator[Checked]:
    """Yield the parts that the study needs and that can be asked what they lack."""
    renders = any(condition.images is None for condition in settings.condition)
    steers = any(condition.scorer for condition in settings.condition)
    used: list[object] = [everybody.generator] if renders else []
    used += [everybody.rewriter, *everybody.scorers] if steers else []
    yield from (part for part in used if isinstance(part, Checked))


def _lack(part: Checked, there: Means) -> str | None:
    """Return what a part lacks; where its weights are not on the disk, the hub is not asked for them."""
    weights = _weights(part)
    folder = there.folder(weights.name) if weights else None
    try:
        if weights is not None and folder is None:
            check(weights)
        part.check()
        if weights is not None and folder is not None:
            check(weights, folder)
    except ExperimentError as error:
        return str(error)
    return None


def _weights(part: object) -> Weights | None:
    """Return the published weights that a part loads, None where it loads none that are known."""
    version = str(getattr(getattr(part, "spec", None), "version", ""))
    return next((one for one in PUBLISHED.values() if version.startswith(f"{one.repository}@")), None)


def _beside(parts: Sequence[object], settings: StimuliSettings) -> float:
    """Return how many GiB of the card the weights of these parts take, and those of the encoders where a scorer looks through them."""
    table = settings.stimuli
    is_personal = any(condition.scorer == scorers.PERSONAL for condition in settings.condition)
    eyes = [PUBLISHED[name] for name in (table.encoder, table.text_encoder) if name in encoders.WEIGHTS] if is_personal else []
    loaded = {weights.name: weights.gib or 0.0 for weights in (*map(_weights, parts), *eyes) if weights}
    return sum(loaded.values())


def _strangers(experiment: Experiment, settings: StimuliSettings) -> str | None:
    """Return who is a target and no rater of the named data set, which otherwise shows only after training; groups are no people."""
    data, groups = settings.stimuli.ratings, {group.name for group in settings.group}
    wanted = [user for condition in settings.condition if condition.scorer == scorers.PERSONAL for user in condition.targets]
    if data.folder is None or not wanted:
        return None
    try:
        known = set(ratings.read(experiment.folder / data.folder, layout=data.layout).users.index)
        asked = set(ratings.as_published(experiment.folder, layout="own").users.index) if experiment.rated.is_file() else set()
    except ExperimentError as error:
        return str(error)
    unknown = [f'"{user}"' for user in dict.fromkeys(wanted) if user not in known | asked | groups]
    if not unknown:
        return None
    named, people = ", ".join(unknown[:_NAMED]) + (" and others" if unknown[_NAMED:] else ""), sorted(known | asked)
    return (
        f"study.toml: targets name {named}, and nobody is called so among the {len(people)} people who rated, such as "
        f"{', '.join(people[:3])}; name people who rated"
    )


def _encoders_lack(settings: StimuliSettings, there: Means) -> Iterator[str]:
    table = settings.stimuli
    if not any(condition.scorer == scorers.PERSONAL for condition in settings.condition):
        return
    for name in (table.encoder, table.text_encoder):
        if name in encoders.WEIGHTS:
            try:
                check(PUBLISHED[name], there.folder(name))
            except ExperimentError as error:
                yield str(error)
