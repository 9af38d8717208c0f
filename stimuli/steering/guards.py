"""Drift guards by name: which scorer tells whether an image still shows what the base prompt says, and how little is too little."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from stimuli.experiment import ExperimentError
from stimuli.scorers import Scorer
from stimuli.steering.chains import Guard

AUTO, NONE = "auto", "none"

_OF_ENCODERS = MappingProxyType({"siglip2-so400m": "siglip2-similarity", "siglip2-base": "siglip2-base-similarity"})

# The guards that were made to be guards; another scorer that reads prompts may be one too.
USUAL = ("sketch-likeness", *_OF_ENCODERS.values())

# The least share of the base prompt image's likeness that is usual for each guard. Of sketches in looks drawn at random one in
# twenty lies below 0.5, and those driven dark end there; for learned similarity nobody has measured it yet, so look at the rejected.
FLOORS: Mapping[str, float] = MappingProxyType({"sketch-likeness": 0.5})
_OTHER_FLOOR = 0.7


def chosen(name: str, *, encoder: str, generator: str) -> str:
    """Return the name of the guard that is meant: of "auto" the one that goes with the painter, else with the encoder, else none."""
    if name != AUTO:
        return name
    if generator == "sketch":
        return "sketch-likeness"
    return _OF_ENCODERS.get(encoder, NONE)


def make(name: str, *, floor: float | None, scorer_named: Callable[[str], Scorer]) -> Guard | None:
    """Return a guard by name, None for "none".

    Raises:
        ExperimentError: it is a scorer that reads no prompt, so that it cannot tell what an image drifts from, or of which less is better.
    """
    if name == NONE:
        return None
    scorer = scorer_named(name)
    if not scorer.spec.needs_prompt:
        raise ExperimentError(
            f'[stimuli.steering] guard = "{name}": a drift guard holds images against the base prompt, and "{name}" reads no prompt; '
            f'expected "auto", "none", {", ".join(USUAL[:-1])} or {USUAL[-1]}'
        )
    if not scorer.spec.higher_is_better:
        raise ExperimentError(
            f'[stimuli.steering] guard = "{name}": of that scorer less is better, and a drift guard asks for a least likeness; '
            "let its process give the negative, and say higher_is_better = true"
        )
    return Guard(scorer, FLOORS.get(name, _OTHER_FLOOR) if floor is None else floor)
