"""What a study will take before anything runs: chains, images, scores, tokens, GPU hours, disk; each with where the figure is from."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from stimuli import scorers
from stimuli.config import Condition, StimuliSettings
from stimuli.experiment import ExperimentError
from stimuli.planning.rates import PASSES, TOKENS, Rate, Where, painting
from stimuli.steering import guards
from stimuli.studyfile import did_you_mean

# Tokens of one reworded prompt, bytes of a pixel of a stored PNG, and of what is remembered of an image. All three are assumed.
_TOKENS_A_PROMPT = 60
_BYTES_A_PIXEL, _BYTES_REMEMBERED = 2.0, 6000
_GIB = 2**30
# The part whose work is counted in tokens.
REWRITER = "rewriter"


@dataclass(frozen=True)
class Range:
    """A number between what it is at the least and at the most."""

    least: int
    most: int

    def __add__(self, other: "Range") -> "Range":
        return Range(self.least + other.least, self.most + other.most)

    def times(self, number: int) -> "Range":
        """Return the range of so many times as much."""
        return Range(self.least * number, self.most * number)


@dataclass(frozen=True)
class Cost:
    """What one part does: how often (of a rewriter: tokens), and what once takes, None where nobody knows."""

    part: str
    name: str
    times: Range
    rate: Rate | None

    def hours(self) -> tuple[float, float]:
        """Return the least and the most hours, on one GPU, one core, or at a service."""
        seconds = self.rate.seconds if self.rate else 0.0
        return self.times.least * seconds / 3600, self.times.most * seconds / 3600


@dataclass(frozen=True)
class Plan:
    """What steering will take. The most is never exceeded; the least is what it takes where no rewording is better than its prompt.

    `rated_images` are those of the simulated data set, which come on top. `people` is how many targets a condition with
    targets_from = "ratings" was counted with.
    """

    chains: int
    iterations: Range
    images: Range
    rated_images: int
    costs: tuple[Cost, ...]
    gib: tuple[float, float]
    people: int

    def hours(self, where: Where) -> tuple[float, float]:
        """Return the least and the most hours of one kind of place."""
        spent = [cost.hours() for cost in self.costs if cost.rate and cost.rate.where == where]
        return sum(least for least, _ in spent), sum(most for _, most in spent)

    def wall_hours(self, workers: int) -> tuple[float, float]:
        """Return the least and the most hours by the clock: workers share the work, and a service goes at its own pace meanwhile."""
        gpu, cpu, service = self.hours("GPU"), self.hours("CPU"), self.hours("service")
        least, most = (max((gpu[end] + cpu[end]) / workers, service[end]) for end in (0, 1))
        return least, most

    @property
    def unknown(self) -> tuple[str, ...]:
        """The parts of which nobody knows how long they take."""
        return tuple(dict.fromkeys(cost.name for cost in self.costs if cost.rate is None))


@dataclass(frozen=True)
class _Counts:
    """How many images are scored when: `tried` are candidates and base prompts, `fresh` those at the end of chains, `best` winners."""

    tried: Range
    fresh: Range
    best: Range


def plan(settings: StimuliSettings, *, people: int = 0) -> Plan:
    """Return what steering takes, from the settings alone.

    Raises:
        ExperimentError: [stimuli.rates] names something that is no part of this study.
    """
    table, steering = settings.stimuli, settings.stimuli.steering
    judges = [judge for condition in settings.condition for judge in _judges(condition, people)]
    chains, prompts = len(settings.prompt) * len(judges) * steering.runs, len(settings.prompt)
    turns = Range(chains * min(steering.patience, steering.iterations), chains * steering.iterations)
    first = prompts * steering.seeds if chains else prompts * _renders(settings)
    tried = turns.times(steering.candidates * steering.seeds) + Range(first, first)
    # Where the base prompt stays the best, its fresh images are those of the chain too.
    fresh = Range(prompts, prompts + chains).times(steering.fresh_seeds if chains else 0)
    best = Range(first, first + turns.most * steering.seeds)
    images = tried + fresh
    rated = table.ratings.images if table.ratings.folder is None else 0
    costs = [
        Cost("generator", table.generator, images + Range(rated, rated), _painting(settings)),
        *_writing(settings, turns),
        *_judging(settings, judges, _Counts(tried, fresh, best), rated),
    ]
    size = table.size**2 * _BYTES_A_PIXEL + _BYTES_REMEMBERED
    gib = ((images.least + rated) * size / _GIB, (images.most + rated) * size / _GIB)
    return Plan(chains, turns, images, rated, _with_own(costs, table.rates), gib, people)


def _judges(condition: Condition, people: int) -> Iterator[str]:
    """Yield the scorer of each chain of a prompt, by the name that tells scorers apart."""
    if condition.scorer is None:
        return
    if condition.targets_from:
        yield from (f"{condition.scorer}:participant {number}" for number in range(1, people + 1))
    elif condition.targets:
        yield from (f"{condition.scorer}:{user}" for user in condition.targets)
    else:
        yield condition.scorer


def _renders(settings: StimuliSettings) -> bool:
    return any(condition.images is None for condition in settings.condition)


def _painting(settings: StimuliSettings) -> Rate | None:
    table = settings.stimuli
    return painting(table.generator, size=table.size, steps=table.steps, per_minute=table.hosted.requests_per_minute)


def _writing(settings: StimuliSettings, turns: Range) -> Iterator[Cost]:
    """Yield what the rewriter writes: at the least what is asked for, at the most as much as it may, twice."""
    table = settings.stimuli
    if table.rewriter != "vocabulary" and turns.most:
        tokens = Range(
            turns.least * table.steering.candidates * _TOKENS_A_PROMPT,
            turns.most * max(2 * table.rewriting.longest, table.steering.candidates * _TOKENS_A_PROMPT),
        )
        yield Cost(REWRITER, table.rewriter, tokens, TOKENS.get(table.rewriter))


def _judging(settings: StimuliSettings, judges: Sequence[str], counts: _Counts, rated: int) -> Iterator[Cost]:
    """Yield how many images each scorer sees; the personal ones share what their encoder sees."""
    table, steering = settings.stimuli, settings.stimuli.steering
    steers = {name.split(":")[0] if name.startswith(f"{scorers.PERSONAL}:") else name: None for name in judges}
    for name in steers:
        seen = counts.tried + counts.fresh
        # Without the log of all scores a scorer sees its own chains only: at the least its base prompts.
        least = seen.least if steering.log == "all" and len(steers) == 1 else counts.tried.least if steering.log == "all" else 0
        times = Range(least, seen.most)
        if name == scorers.PERSONAL:
            yield Cost("encoder", table.encoder, times + Range(rated, rated), PASSES.get(table.encoder))
        else:
            yield Cost("scorer", name, times, PASSES.get(name.split(":")[0]))
    if not judges:
        return
    for name in steering.held_out:
        times = counts.tried + counts.fresh if steering.log == "all" else counts.best + counts.fresh
        yield Cost("held-out scorer", name, times, PASSES.get(name))
    guard = guards.chosen(steering.guard, encoder=table.encoder, generator=table.generator)
    if guard != guards.NONE:
        yield Cost("drift guard", guard, counts.tried, PASSES.get(guard))


def _with_own(costs: Sequence[Cost], own: Mapping[str, float]) -> tuple[Cost, ...]:
    """Return the costs at the rates that the experimenter gave, in seconds."""
    known = Counter(cost.name for cost in costs)
    for name in own:
        if name not in known:
            raise ExperimentError(f'study.toml: [stimuli.rates] "{name}" is no part of this study; {did_you_mean(name, known)}')
    return tuple(
        replace(cost, rate=Rate(own[cost.name], cost.rate.where if cost.rate else "GPU", "measured: [stimuli.rates] of study.toml"))
        if cost.name in own
        else cost
        for cost in costs
    )
