"""How well, how surely and how fast the predictor tells ratings: the synthetic benchmark of PAMELA's sizes, beside its ceilings.

OPENBLAS_NUM_THREADS=1 python benchmarks/predictor.py [seeds] [--first SEED] [--network]
"""

import argparse
import resource
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.diverging_pairs import diverging
from analysis.predictor_metrics import by_user, coverage, few_shot
from stimuli.predictions import Predictions, joined
from stimuli.predictors import bayes, onboarding
from stimuli.predictors.bayes import BayesTaste
from stimuli.predictors.interface import Codes, Judgements, Prediction
from stimuli.predictors.protocol import FewShot, draws
from stimuli.simulation import synthetic
from stimuli.simulation.synthetic import Levels, World

Array = NDArray[np.float64]
T = TypeVar("T")
# Takes a person, the images they rated and the ratings, and returns what they will rate other images.
Teller = Callable[[int, Codes, Array, Codes], Prediction]

CONTEXTS = (0, 5, 10, 15, 25)
SHOTS = 15
DRAWS = 10
SPLIT = "test_unseen"
WEAK = 0.25
ASKED = (5, 10, 15, 20, 25, 30, 40)


def population(world: World, fitted: BayesTaste) -> Teller:
    """Return a teller that knows nobody."""
    return lambda _user, _seen, _ratings, images: fitted.predict(world.looks.at(images), None)


def bayes_taste(world: World, fitted: BayesTaste) -> Teller:
    """Return the default predictor."""

    def tell(user: int, seen: Codes, ratings: Array, images: Codes) -> Prediction:
        said = None if world.people.demographics is None else world.people.demographics[user]
        return fitted.adapt("new", world.looks.at(seen), ratings, demographics=said).predict(world.looks.at(images), "new")

    return tell


def oracle(world: World, _: BayesTaste) -> Teller:
    """Return the exact posterior under the true linear world."""
    return lambda user, seen, ratings, images: _sure(synthetic.oracle(world, user, seen, ratings, images))


def noise_ceiling(world: World, _: BayesTaste) -> Teller:
    """Return the truth: what is left is the noise of single ratings."""
    return lambda user, _seen, _ratings, images: _sure(world.truth.liking[user, images])


# The paper's nearest neighbours belong here, under the name "paper's kNN": a function of the world and the fitted predictor.
MODELS: Mapping[str, Callable[[World, BayesTaste], Teller]] = {
    "population": population,
    "BayesTaste": bayes_taste,
    "Bayes oracle": oracle,
    "noise ceiling": noise_ceiling,
}


@dataclass(frozen=True)
class Trial:
    """One world and the predictor fitted to it."""

    world: World
    fitted: BayesTaste


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seeds", type=int, nargs="?", default=3)
    parser.add_argument("--first", type=int, default=0, help="the first seed; settings were looked at with 0 to 4")
    parser.add_argument("--network", action="store_true", help="the base of bayes-network beside the ridge, minutes a seed; nothing else")
    given = parser.parse_args()
    seeds = range(given.first, given.first + given.seeds)
    if given.network:
        for kind in synthetic.KINDS:
            for seed in seeds:
                _network(kind, seed)
        return
    for kind in synthetic.KINDS:
        trials = [_trial(kind, seed) for seed in seeds]
        _accuracy(kind, trials, seeds)
        _onboarding(trials)
        _seen(trials)
    _weak(seeds)
    _speed()


def _trial(kind: synthetic.Kind, seed: int, levels: Levels | None = None) -> Trial:
    world = synthetic.make(kind, seed=seed, levels=levels)
    return Trial(world, bayes.fit(world.looks, world.people, world.judgements["train"]))


def _network(kind: synthetic.Kind, seed: int) -> None:
    """Print what the network adds to the base: errors on image means that neither base was taught, and SROCC of unseen users."""
    from stimuli.predictors import bayes_network

    ridge = _trial(kind, seed)
    began = time.process_time()
    fitted = bayes_network.fit(ridge.world.looks, ridge.world.people, ridge.world.judgements["train"], seed=seed, device="cpu")
    seconds = time.process_time() - began
    print(f"\n{kind} world, seed {seed}, {seconds:.0f} CPU s: {fitted.choice}")
    for name, trial in (("ridge", ridge), ("bayes-network", Trial(ridge.world, fitted))):
        told = {model: _told(trial, model, (SHOTS,), DRAWS) for model in ("population", "BayesTaste")}
        srocc = {model: few_shot(part, rng=np.random.default_rng(0))[0].srocc.value for model, part in told.items()}
        held = coverage(told["BayesTaste"])[1]
        print(f"  {name:14s} population {srocc['population']:.3f}, BayesTaste {srocc['BayesTaste']:.3f}; 80 % intervals hold {held:.1%}")


def _accuracy(kind: str, trials: Sequence[Trial], seeds: Sequence[int]) -> None:
    names = [name for name in MODELS if kind == "linear" or name != "Bayes oracle"]
    told = {name: [_told(trial, name, (SHOTS,), DRAWS) for trial in trials] for name in names}
    srocc = {name: [few_shot(part, rng=np.random.default_rng(0))[0].srocc.value for part in parts] for name, parts in told.items()}
    reliability = [synthetic.icc1(trial.world.judgements["train"].image, trial.world.judgements["train"].rating) for trial in trials]
    print(f"\n{kind} world, unseen users, k = {SHOTS}, {DRAWS} draws, seeds {seeds[0]}..{seeds[-1]}; ICC(1) {_listed(reliability)}")
    for name in names:
        print(f"  {name:16s} SROCC {np.mean(srocc[name]):.3f}  ({_listed(srocc[name])})")
    if "Bayes oracle" in names:
        closed = [(b - p) / (o - p) for b, p, o in zip(srocc["BayesTaste"], srocc["population"], srocc["Bayes oracle"], strict=True)]
        print(f"  of the way from population to oracle: {np.mean(closed):.0%}  ({_listed(closed)})")
    held = [coverage(part) for part in told["BayesTaste"]]
    print(f"  50/80/95 % intervals hold {_percent(np.mean(held, axis=0))}; 80 % by seed {_listed([one[1] for one in held])}")
    by_k = [few_shot(_told(trial, "BayesTaste", CONTEXTS, 3), rng=np.random.default_rng(0)) for trial in trials]
    means = {k: np.mean([rows[place].srocc.value for rows in by_k]) for place, k in enumerate(CONTEXTS)}
    print("  BayesTaste by k, 3 draws:", "  ".join(f"{k}: {mean:.3f}" for k, mean in means.items()))


def _told(trial: Trial, name: str, contexts: Sequence[int], number: int) -> Predictions:
    """Return what a model tells of unseen users, for each context and draw."""
    ratings = trial.world.judgements[SPLIT]
    teller = MODELS[name](trial.world, trial.fitted)
    found = []
    for shot in draws(ratings, np.unique(ratings.user).tolist(), longest=max(contexts), number=number, seed=1):
        for k in contexts:
            seen = shot.context(k)
            told = teller(shot.user, ratings.image[seen], ratings.rating[seen], ratings.image[shot.evaluated])
            found.append(_rows(trial.world, name, ratings, shot, k, told))
    return joined(*found)


def _rows(world: World, name: str, ratings: Judgements, shot: FewShot, k: int, told: Prediction) -> Predictions:
    rows = shot.evaluated
    return _predictions(world, name, SPLIT, ratings.user[rows], ratings.image[rows], ratings.rating[rows], told, context=k, draw=shot.draw)


def _predictions(
    world: World, name: str, split: str, user: Codes, image: Codes, rating: Array, told: Prediction, *, context: int = 0, draw: int = 0
) -> Predictions:
    number = len(rating)
    return Predictions(
        model=np.full(number, name, dtype=object),
        split=np.full(number, split, dtype=object),
        user=np.array([world.people.users[one] for one in user], dtype=object),
        image=np.array([f"i{one:05d}" for one in image], dtype=object),
        rating=rating,
        prediction=told.mean,
        standard_deviation=told.standard_deviation,
        context=np.full(number, context, dtype=np.int64),
        draw=np.full(number, draw, dtype=np.int64),
    )


def _onboarding(trials: Sequence[Trial]) -> None:
    chosen, random = (np.mean([_learnt(trial, active=active) for trial in trials], axis=0) for active in (True, False))
    worth = [float(np.interp(score, random, ASKED)) - k for k, score in zip(ASKED, chosen, strict=True)]
    print("  onboarding, SROCC after k images chosen | at random:")
    print("   ", "  ".join(f"{k}: {one:.3f} | {other:.3f}" for k, one, other in zip(ASKED, chosen, random, strict=True)))
    beyond = " or more" if chosen[ASKED.index(SHOTS)] > max(random) else ""
    print(f"    choosing is worth {worth[ASKED.index(SHOTS)]:.0f}{beyond} further random ratings at k = {SHOTS}")


def _learnt(trial: Trial, *, active: bool, repeats: int = 3) -> Array:
    """Return the mean SROCC of unseen users on their test ratings after each number of ratings asked."""
    world, test = trial.world, trial.world.judgements[SPLIT]
    # The images of the validation splits: nobody's ratings of them were learnt from.
    pool = np.unique(world.judgements["val_seen"].image)
    groups = np.array(world.looks.group)
    teller = bayes_taste(world, trial.fitted)
    found = []
    for user in np.unique(test.user).tolist():
        rows = test.user == user
        shown = pool[np.isin(groups[pool], world.persons[user].groups)]
        for repeat in range(repeats):
            rng = np.random.default_rng([7, user, repeat])
            order = onboarding.sequence(trial.fitted, world.looks.at(shown), max(ASKED)) if active else rng.permutation(len(shown))
            asked = shown[order[: max(ASKED)]]
            ratings = world.rate(user, asked, rng)
            told = [teller(user, asked[:k], ratings[:k], test.image[rows]).mean for k in ASKED]
            found.append([stats.spearmanr(one, test.rating[rows]).statistic for one in told])
    return np.asarray(np.mean(found, axis=0))


def _seen(trials: Sequence[Trial]) -> None:
    scored = []
    for trial in trials:
        personal, everybody = (_seen_predictions(trial, personal=personal) for personal in (True, False))
        pairs = diverging(personal)
        scored.append((by_user(personal).srocc.mean(), by_user(everybody).srocc.mean(), pairs.decision or np.nan, pairs.joint or np.nan))
    one, other, decision, joint = np.mean(scored, axis=0)
    print(f"  seen users: SROCC {one:.3f}, population {other:.3f}; diverging pairs: decisions {decision:.3f}, joint {joint:.3f}")


def _seen_predictions(trial: Trial, *, personal: bool) -> Predictions:
    world, test = trial.world, trial.world.judgements["test_seen"]
    users, row = np.unique(test.user, return_inverse=True)
    told = trial.fitted.predict_all(world.looks, [world.people.users[user] for user in users])
    mean = told.mean[row, test.image] if personal else trial.fitted.predict(world.looks, None).mean[test.image]
    deviation = told.standard_deviation[row, test.image]
    return _predictions(world, "seen", "test_seen", test.user, test.image, test.rating, Prediction(mean, deviation))


def _weak(seeds: Sequence[int]) -> None:
    print(f"\nweak tastes (sd {WEAK}), k = {SHOTS}: BayesTaste less population")
    for kind in synthetic.KINDS:
        gained = []
        for seed in seeds:
            trial = _trial(kind, seed, Levels(taste=WEAK))
            told = [_told(trial, name, (SHOTS,), 3) for name in ("BayesTaste", "population")]
            one, other = (few_shot(part, rng=np.random.default_rng(0))[0].srocc.value for part in told)
            gained.append(one - other)
        print(f"  {kind:12s} {np.mean(gained):+.3f}  ({_listed(gained)})")


def _speed() -> None:
    world = synthetic.make("linear", seed=0)
    known, test = world.judgements["train"], world.judgements["test_seen"]
    trained, fitted = _timed(lambda: bayes.fit(world.looks, world.people, known), 3)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    rows = np.flatnonzero(test.user == test.user[0])[:SHOTS]
    looks, ratings = world.looks.at(test.image[rows]), test.rating[rows]
    adapting, _ = _timed(lambda: fitted.adapt("new", looks, ratings), 50)
    further, _ = _timed(lambda: fitted.rated(fitted.users[0], looks.at(np.array([0])), 3.0), 50)
    users = (fitted.users * 2)[:200]
    scoring, _ = _timed(lambda: fitted.predict_all(world.looks, users), 5)
    choosing, _ = _timed(lambda: onboarding.next_image(fitted, world.looks, np.arange(14)), 3)
    predictions = _seen_predictions(Trial(world, fitted), personal=True)
    measuring, scores = _timed(lambda: by_user(predictions), 3)
    looping, loop = _timed(lambda: _scipy_loop(predictions), 1)
    pairing, _ = _timed(lambda: diverging(predictions), 3)
    every = _everybody_rated_everything(world, fitted)
    dense, _ = _timed(lambda: diverging(every), 1)
    if not np.allclose(scores.srocc, loop, atol=1e-12):
        raise SystemExit("by_user and scipy disagree")
    print("\nCPU time                                                          measured    wanted   beside a peer")
    print(f"train on 50,222 ratings, 3,554 images x 1,152 + 1,440 features   {trained:7.2f} s      5 s   {_ridge_beside(world, trained)}")
    print(f"adapt to a new person by {SHOTS} ratings                            {1e3 * adapting:7.2f} ms     1 ms")
    print(f"learn one further rating                                       {1e3 * further:7.2f} ms     1 ms")
    print(f"score 5,077 images for 200 people, with deviations             {1e3 * scoring:7.1f} ms    50 ms")
    print(f"choose the next of 5,077 images to rate                        {1e3 * choosing:7.1f} ms")
    beside = f"scipy's SROCC alone, user by user x {looping / measuring:.1f}"
    print(f"all metrics of 82 users, 9,735 ratings                         {measuring:7.3f} s      2 s   {beside}")
    print(f"diverging pairs, 82 users x 119 of 914 images                  {pairing:7.3f} s      1 s")
    print(f"diverging pairs, 82 users x all 914 images                     {dense:7.3f} s      1 s")
    print(f"peak memory after training, the world included                 {peak:7.2f} GiB    2 GiB")


def _scipy_loop(predictions: Predictions) -> list[float]:
    users = sorted(set(predictions.user.tolist()))
    parts = [predictions.user == user for user in users]
    return [float(stats.spearmanr(predictions.rating[part], predictions.prediction[part]).statistic) for part in parts]


def _everybody_rated_everything(world: World, fitted: BayesTaste) -> Predictions:
    test = world.judgements["test_seen"]
    users, images = np.unique(test.user), np.unique(test.image)
    told = fitted.predict_all(world.looks.at(images), [world.people.users[user] for user in users])
    ratings = np.concatenate([world.rate(user, images, np.random.default_rng(user)) for user in users.tolist()])
    flat = Prediction(told.mean.ravel(), told.standard_deviation.ravel())
    return _predictions(world, "all", "test_seen", np.repeat(users, len(images)), np.tile(images, len(users)), ratings, flat)


def _ridge_beside(world: World, trained: float) -> str:
    """Return how long scikit-learn takes for its part: components and a cross-validated ridge, tastes not included."""
    try:
        from sklearn.decomposition import PCA
        from sklearn.linear_model import RidgeCV
    except ImportError:
        return "scikit-learn is not installed"
    rated = np.arange(3554)
    target = np.bincount(world.judgements["train"].image, world.judgements["train"].rating)[rated]

    def peer() -> object:
        seen = PCA(96, svd_solver="randomized", random_state=0).fit_transform(world.looks.image[rated])
        texts = np.hstack([world.looks.prompt[rated], world.looks.metadata[rated]])
        read = PCA(48, svd_solver="randomized", random_state=0).fit_transform(texts)
        return RidgeCV(np.geomspace(0.1, 10_000, 31)).fit(np.hstack([seen, read]), target)

    seconds, _ = _timed(peer, 1)
    return f"scikit-learn PCA and RidgeCV, without tastes x {seconds / trained:.1f}"


def _timed(run: Callable[[], T], repeats: int) -> tuple[float, T]:
    """Return the least CPU seconds of some runs, and what the last gave."""
    took = []
    for _ in range(repeats):
        began = time.process_time()
        found = run()
        took.append(time.process_time() - began)
    return min(took), found


def _sure(mean: Array) -> Prediction:
    return Prediction(mean, np.full(mean.shape, np.nan))


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.3f}" for value in values)


def _percent(values: Array) -> str:
    return "/".join(f"{100 * value:.1f}" for value in values)


if __name__ == "__main__":
    main()
