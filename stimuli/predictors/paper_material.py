"""What the paper's model is trained on: ratings that are checked, the inputs that are read of them, and a hash of it all."""

import hashlib
from dataclasses import asdict, replace

import numpy as np

from stimuli.experiment import ExperimentError
from stimuli.predictors.interface import Array, Codes, Judgements, Looks, People, Rows
from stimuli.predictors.paper_scales import Source
from stimuli.predictors.paper_settings import PaperModel
from stimuli.predictors.paper_training import Scores


def left_out(looks: Looks, people: People, settings: PaperModel) -> tuple[Looks, People]:
    """Return images and people without the inputs that the settings leave out."""
    prompt = None if settings.no_text else looks.prompt
    metadata = None if settings.no_metadata else looks.metadata
    said = None if settings.no_demographics else people.demographics
    return replace(looks, prompt=prompt, metadata=metadata), replace(people, demographics=said)


def require_material(looks: Looks, people: People, judgements: Judgements) -> None:
    """Raise an `ExperimentError` where ratings teach nothing, or a number is not finite."""
    users, images = np.unique(judgements.user), np.unique(judgements.image)
    if len(users) < 2 or len(images) < 2:
        raise ExperimentError(
            f"found ratings by {len(users)} people of {len(images)} images; the paper's model needs at least two of each, and was made "
            "for 50,000 ratings"
        )
    parts: dict[str, Rows | Array | None] = {
        "ratings": judgements.rating,
        "image features": looks.image[images],
        "prompt features": None if looks.prompt is None else looks.prompt[images],
        "metadata features": None if looks.metadata is None else looks.metadata[images],
        "demographics": None if people.demographics is None else people.demographics[users],
    }
    for name, part in parts.items():
        if part is not None and not np.isfinite(part).all():
            raise ExperimentError(
                f"{name}: {int((~np.isfinite(part)).sum())} numbers are not finite; leave those rows out, or encode again"
            )


def fingerprint(
    looks: Looks, said: Rows | None, scores: Scores, settings: PaperModel, sources: tuple[Source, ...], aside: Scores | None, seed: int
) -> str:
    """Return a hash of all that weights depend on; the number of epochs is none of it, for a training may be made longer."""
    learning = replace(settings, epochs=1, neighbours=1, temperature=1.0)
    found = hashlib.sha256(repr((looks.encoder, asdict(learning), sources, seed)).encode())
    parts: list[Rows | Array | Codes | None] = [looks.image, looks.prompt, looks.metadata, said]
    for some in (scores,) if aside is None else (scores, aside):
        parts += [some.user, some.image, some.score, some.source]
    for part in parts:
        found.update(b"-" if part is None else np.ascontiguousarray(part).tobytes())
    return found.hexdigest()


def scores_of(judgements: Judgements, code: Codes, sources: tuple[Source, ...]) -> Scores:
    """Return ratings as standardised scores; `code` says which data set each is from."""
    mean, deviation = (np.array([getattr(source, part) for source in sources])[code] for part in ("mean", "deviation"))
    return Scores(judgements.user, judgements.image, (judgements.rating - mean) / deviation, code)


def scores_aside(aside: Judgements, numbers: Codes, source: Codes, people: People, sources: tuple[Source, ...]) -> Scores:
    """Return ratings kept aside as scores; `numbers` are the rows of the people of the training, `source` their data sets.

    Raises:
        ExperimentError: one is by somebody else, or there are none.
    """
    strangers = np.setdiff1d(aside.user, numbers)
    if len(strangers) or not len(aside):
        found = f'those of "{people.users[int(strangers[0])]}", who is not' if len(strangers) else "none"
        raise ExperimentError(f"ratings kept aside must be by people of the training; found {found}. Use the split of seen users")
    user = np.searchsorted(numbers, aside.user)
    return scores_of(Judgements(user, aside.image, aside.rating), source[user], sources)
