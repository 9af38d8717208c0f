"""Which parts of a study stand in for real ones, and for what: every record, page and report names them."""

from collections.abc import Iterator, Mapping

from stimuli import encoders, scorers
from stimuli.config import StimuliSettings
from stimuli.manifest import StandIn
from stimuli.production.ensemble import Ensemble
from stimuli.scorers import Scorer

_STANDS_FOR = {
    "sketch": "a diffusion model such as FLUX.2",
    "vocabulary": "a language model",
    "image-statistics": "a learned image encoder such as SigLIP2",
    "word-hash": "a language model that reads prompts",
    "colourful": "a generic scorer such as HPSv3",
    "crisp": "a generic scorer such as Q-Align",
    "exposure": "a learned scorer that never steers, such as ImageReward",
    "sketch-likeness": "image-text similarity by a learned model such as SigLIP2",
}
_LEARNED = "a learned model"


def of_stimuli(settings: StimuliSettings, everybody: Ensemble) -> Iterator[StandIn]:
    """Yield the stand-ins that had a part in the stimuli."""
    is_personal = any(condition.scorer == scorers.PERSONAL for condition in settings.condition)
    if everybody.generator.spec.stand_in and any(condition.images is None for condition in settings.condition):
        yield _stand_in("generator", everybody.generator.spec.name)
    if everybody.judges and everybody.rewriter.spec.stand_in:
        yield _stand_in("rewriter", settings.stimuli.rewriter)
    if is_personal:
        yield from _of_encoders(settings)
    steering = {scorer.spec.name: scorer for (_, user), scorer in everybody.judges.items() if user is None}
    guard = [everybody.guard.scorer] if everybody.guard else []
    for part, some in (("scorer", steering.values()), ("held-out scorer", everybody.held_out), ("drift guard", guard)):
        for scorer in some:
            if scorer.spec.stand_in:
                yield _stand_in(part, scorer.spec.name)
    if is_personal and settings.stimuli.ratings.folder is None:
        yield StandIn("raters", "simulated raters", "people who rate images")


def of_predictions(settings: StimuliSettings, judges: Mapping[str, Scorer]) -> Iterator[StandIn]:
    """Yield the stand-ins that had a part in predictions of ratings, by the predictor and these scorers."""
    yield from _of_encoders(settings)
    for name, scorer in judges.items():
        if scorer.spec.stand_in:
            yield _stand_in("scorer", name)
    if settings.stimuli.ratings.folder is None:
        if settings.stimuli.generator in _STANDS_FOR:
            yield _stand_in("generator", settings.stimuli.generator)
        yield StandIn("raters", "simulated raters", "people who rate images")


def _of_encoders(settings: StimuliSettings) -> Iterator[StandIn]:
    # Whatever has no weights was not learned from anything.
    for part, name in (("encoder", settings.stimuli.encoder), ("text encoder", settings.stimuli.text_encoder)):
        if name not in encoders.WEIGHTS and name != "none":
            yield _stand_in(part, name)


def _stand_in(part: str, name: str) -> StandIn:
    return StandIn(part, name, _STANDS_FOR.get(name, _LEARNED))
