"""Made-up predictions of a small world with people who disagree, for the tests of the predictor's results and its page."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from stimuli.manifest import StandIn
from stimuli.prediction_record import Matching, PredictionRecord, Sharpness
from stimuli.predictions import Predictions, joined

USERS, IMAGES = 7, 24
SHOTS = 3


def made(
    model: str,
    split: str,
    *,
    noise: float,
    context: int = 0,
    draw: int = 0,
    personal: bool = True,
    users: Sequence[str] = tuple(f"u{n}" for n in range(USERS)),
    spread: float | None = None,
) -> Predictions:
    """Return predictions whose ratings depend on split only; a new person's draw leaves out other images, however many are shown."""
    rng = np.random.default_rng([len(split), sum(map(ord, split))])
    common = rng.normal(0, 0.5, IMAGES)
    liking = 3 + common + rng.normal(0, 0.8, (len(users), IMAGES))
    ratings = np.clip(np.round(liking + rng.normal(0, 0.2, liking.shape), 2), 1, 5)
    told = (liking if personal else np.broadcast_to(3 + common, liking.shape)) + np.random.default_rng(
        [sum(map(ord, model)), context, draw + 1]
    ).normal(0, 1, liking.shape if personal else (1, IMAGES)) * noise
    left = [n for n in range(IMAGES) if draw < 0 or "unseen" not in split or (n + draw) % SHOTS]
    user, image = (part.ravel() for part in np.meshgrid(range(len(users)), left, indexing="ij"))
    return Predictions(
        model=np.full(len(user), model, dtype=object),
        split=np.full(len(user), split, dtype=object),
        user=np.array([users[n] for n in user], dtype=object),
        image=np.array([f"i{n}" for n in image], dtype=object),
        rating=ratings[user, image],
        prediction=told[user, image],
        standard_deviation=np.full(len(user), np.nan if spread is None else spread),
        context=np.full(len(user), context),
        draw=np.full(len(user), max(draw, 0)),
    )


def shown(model: str, *, noise: float, contexts: Sequence[int] = (5, 15), spread: float | None = None) -> Predictions:
    """Return what a model tells of new people, better with each rating shown."""
    return joined(
        *(
            made(model, "test_unseen", noise=noise * 10 / (5 + context), context=context, draw=draw, spread=spread)
            for context in contexts
            for draw in range(SHOTS)
        )
    )


def everything() -> Predictions:
    """Return predictions for all tables: own models on seen and unseen people, ablations, a grid."""
    # The population's one block of rows holds the images of all draws.
    everybody = made("population", "test_unseen", noise=0.05, draw=-1, personal=False)
    parts = [
        made("BayesTaste", "test_seen", noise=0.3, spread=0.4),
        made("population", "test_seen", noise=0.05, personal=False),
        shown("BayesTaste", noise=0.5, spread=0.5),
        everybody,
        *(shown(f"K = {k}, τ = {t:g}", noise=1 + 1 / k) for k, t in ((1, 0.1), (5, 0.1), (5, 0.2))),
    ]
    for name, noise in (("full model", 0.3), ("no text", 0.5)):
        parts += [made(name, "test_seen", noise=noise), shown(name, noise=2 * noise, contexts=(15,))]
    return joined(*parts)


def record() -> PredictionRecord:
    """Return how they came about."""
    return PredictionRecord(
        simulated=True,
        stand_ins=(StandIn("encoder", "image-statistics", "SigLIP2 so400m"), StandIn("raters", "simulated raters", "people")),
        images={f"i{n}": f"work/i{n}.png" for n in range(IMAGES)},
        sharpness=(Sharpness("K = 5, τ = 0.1", 15, 1.608, 1.6094),),
        matching=Matching(
            (0.97, 0.98, 0.99),
            ((0.21, 0.2, 0.2, 0.2, 0.19), (0.2, 0.2, 0.2, 0.2, 0.2)),
            0.1,
            15,
            (-0.4, 0.0, 0.6),
            ((0.4, 0.3, 0.1, 0.1, 0.1), (0.3, 0.2, 0.2, 0.2, 0.1)),
        ),
    )


def renamed(predictions: Predictions, *, user: str, to: str) -> Predictions:
    """Return predictions with another name for one user."""
    return dataclasses.replace(predictions, user=np.array([to if name == user else name for name in predictions.user], dtype=object))
