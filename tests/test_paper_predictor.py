"""The paper's model learns, repeats itself bit for bit, reads what it says it reads, and refuses what does not fit."""

import dataclasses
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from paper_made import BRIEF, QUICK, briefly, first
from scipy import stats
from torch import nn

from stimuli.experiment import ExperimentError
from stimuli.predictors import paper_training
from stimuli.predictors.interface import EncoderMismatchError, Judgements, Looks, People, UnknownUserError
from stimuli.predictors.paper import PaperPredictor, fit
from stimuli.predictors.paper_network import FusionNetwork, Inputs, Shape, _dropped
from stimuli.predictors.paper_scales import Sources
from stimuli.predictors.paper_settings import PaperModel
from stimuli.predictors.paper_training import Epoch, epoch_order, told
from stimuli.simulation import synthetic
from stimuli.simulation.synthetic import World

Array = NDArray[np.float64]
FLAGS = {"no_text": "prompt", "no_metadata": "metadata", "no_demographics": "demographics", "no_user": "user"}


@pytest.fixture(scope="module")
def small() -> World:
    return synthetic.make("linear", seed=0, size="small")


@pytest.fixture(scope="module")
def trained(small: World) -> PaperPredictor:
    return fit(small.looks, small.people, small.judgements["train"], QUICK, aside=small.judgements["val_seen"], seed=0, device="cpu")


@pytest.fixture(scope="module")
def brief(small: World) -> PaperPredictor:
    return briefly(small)


def by_user(world: World, split: str, predictor: PaperPredictor, *, personal: bool) -> float:
    rated = world.judgements[split]
    found = []
    for user in np.unique(rated.user):
        rows = rated.user == user
        mean = predictor.predict(world.looks.at(rated.image[rows]), world.people.users[user] if personal else None).mean
        found.append(stats.spearmanr(mean, rated.rating[rows]).statistic)
    return float(np.mean(found))


# --- learning ---


def test_it_tells_seen_users_better_than_it_tells_the_population(small: World, trained: PaperPredictor) -> None:
    personal, population = (by_user(small, "test_seen", trained, personal=one) for one in (True, False))
    assert personal > 0.5
    assert personal > population + 0.04


def test_every_epoch_is_told_with_its_loss_and_the_error_on_ratings_kept_aside(small: World) -> None:
    seen: list[Epoch] = []
    few = first(small.judgements["train"], 1500)
    found = fit(small.looks, small.people, few, BRIEF, aside=small.judgements["val_seen"], seed=0, device="cpu", watch=seen.append)
    assert [epoch.number for epoch in seen] == [1, 2]
    assert tuple(seen) == found.history
    rating = small.judgements["val_seen"]
    users = [found.users.index(small.people.users[user]) for user in rating.user]
    by_hand = np.array([found.predict(small.looks, user).mean for user in found.users])[users, rating.image] - rating.rating
    assert seen[-1].validation == pytest.approx((by_hand**2).mean() / found.sources[0].deviation ** 2, rel=1e-4)


def test_the_deviation_is_the_error_on_ratings_kept_aside_and_nothing_without_them(
    small: World, trained: PaperPredictor, brief: PaperPredictor
) -> None:
    validation = trained.history[-1].validation
    assert validation is not None
    assert trained.residual_deviation == pytest.approx(np.sqrt(validation) * trained.sources[0].deviation, rel=1e-3)
    assert set(trained.predict(small.looks, None).standard_deviation) == {trained.residual_deviation}
    assert np.isnan(brief.predict(small.looks, None).standard_deviation).all()


def test_the_same_seed_gives_the_same_weights_and_another_gives_others(small: World, brief: PaperPredictor) -> None:
    again, other = briefly(small), briefly(small, seed=1)
    assert same_weights(brief, again)
    assert not same_weights(brief, other)


def test_training_leaves_global_randomness_alone(small: World) -> None:
    before = torch.random.get_rng_state()
    briefly(small)
    torch.testing.assert_close(torch.random.get_rng_state(), before, rtol=0, atol=0)


def test_a_training_that_was_stopped_ends_with_the_same_weights(small: World, tmp_path: Path) -> None:
    longer, state = replace(BRIEF, epochs=3), tmp_path / "state.safetensors"
    stopped = briefly(small, replace(BRIEF, epochs=1), resume=state)
    assert len(stopped.history) == 1
    resumed, uninterrupted = briefly(small, longer, resume=state), briefly(small, longer)
    assert same_weights(resumed, uninterrupted)
    assert not same_weights(resumed, stopped)
    assert resumed.history == uninterrupted.history


def test_every_epoch_goes_through_the_ratings_in_another_order(small: World, monkeypatch: pytest.MonkeyPatch) -> None:
    orders = []

    def noted(*given: object) -> NDArray[np.intp]:
        orders.append(epoch_order(*given))  # type: ignore[arg-type] - passed on as they come
        return orders[-1]

    monkeypatch.setattr(paper_training, "epoch_order", noted)
    briefly(small)
    assert len(orders) == 2
    assert not np.array_equal(orders[0], orders[1])


def test_steps_are_small_until_training_is_warm(small: World, brief: PaperPredictor) -> None:
    start = FusionNetwork(brief.network.shape, BRIEF, seed=0).state_dict()
    cold = briefly(small, replace(BRIEF, warm_up=1_000_000)).network.state_dict()
    for name, weights in brief.network.state_dict().items():
        assert (cold[name] - start[name]).abs().max() < 1e-6
        assert (weights - start[name]).abs().max() > 1e-5


def test_the_state_of_another_training_is_refused(small: World, tmp_path: Path) -> None:
    state = tmp_path / "state.safetensors"
    briefly(small, resume=state)
    with pytest.raises(ExperimentError, match=r"state\.safetensors: belongs to a training on other ratings, features or settings; delete"):
        briefly(small, seed=1, resume=state)
    with pytest.raises(ExperimentError, match="holds a training of 2 epochs, and 1 were asked for; ask for more, or delete it"):
        briefly(small, replace(BRIEF, epochs=1), resume=state)
    state.write_bytes(state.read_bytes()[:200])
    with pytest.raises(ExperimentError, match=r"state\.safetensors: damaged, or no safetensors file"):
        briefly(small, resume=state)


def test_a_loss_that_is_not_finite_is_an_error(small: World) -> None:
    with pytest.raises(ExperimentError, match=r"epoch \d: the loss is .*; lower the learning rate \(1e\+30\)"):
        briefly(small, replace(BRIEF, learning_rate=1e30, warm_up=0))


def same_weights(one: PaperPredictor, other: PaperPredictor) -> bool:
    ours, theirs = one.network.state_dict(), other.network.state_dict()
    return all(torch.equal(value, theirs[name]) for name, value in ours.items())


# --- data sets ---


@given(sizes=st.lists(st.integers(1, 60), min_size=1, max_size=4), seed=st.integers(0, 9))
@settings(max_examples=50)
def test_data_sets_fill_equal_shares_of_an_epoch_and_no_rating_is_used_much_more_than_another(sizes: list[int], seed: int) -> None:
    source = np.repeat(np.arange(len(sizes)), sizes)
    order = epoch_order(source, (1.0,) * len(sizes), np.random.default_rng(seed))
    shares = np.bincount(source[order], minlength=len(sizes))
    assert abs(shares - len(source) / len(sizes)).max() <= 0.5 + 1e-9
    for number in range(len(sizes)):
        assert np.ptp(np.bincount(order, minlength=len(source))[source == number]) <= 1


def test_one_data_set_is_gone_through_once_and_weights_shift_shares() -> None:
    rng = np.random.default_rng(0)
    assert sorted(epoch_order(np.zeros(7, dtype=np.intp), (1.0,), rng)) == list(range(7))
    source = np.repeat([0, 1], [90, 10])
    assert np.bincount(source[epoch_order(source, (3.0, 1.0), rng)]).tolist() == [75, 25]


def test_ratings_are_told_on_the_scale_of_the_users_own_data_set(small: World) -> None:
    known = small.judgements["train"]
    code = (known.user % 2).astype(np.intp)
    rating = np.where(code == 1, known.rating * 0.5 + 2, known.rating)
    found = fit(
        small.looks,
        small.people,
        Judgements(known.user, known.image, rating),
        replace(BRIEF, epochs=1),
        sources=Sources(("wide", "narrow"), code),
        seed=0,
        device="cpu",
    )
    wide, narrow = found.sources
    assert (wide.name, narrow.name) == ("wide", "narrow")
    assert wide.mean == pytest.approx(rating[code == 0].mean())
    assert narrow.deviation == pytest.approx(rating[code == 1].std())
    assert found.predict(small.looks, "s001").mean.mean() == pytest.approx(narrow.mean, abs=0.3)
    assert found.predict(small.looks, "s000").mean.mean() == pytest.approx(wide.mean, abs=0.5)
    assert found.predict(small.looks, None).mean.mean() == pytest.approx(wide.mean, abs=0.5)


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        (Sources(("a", "b"), np.zeros(4, dtype=np.intp)), 'the data set "b" has no ratings; every data set needs a name'),
        (Sources(("a",), np.zeros(3, dtype=np.intp)), "4 ratings came with 3 codes of data sets"),
        (Sources(("a",), np.array([0, 0, 0, 1])), r"found 2 codes and the weights \(1.0,\)"),
        (Sources(("a",), np.zeros(4, dtype=np.intp), (0.0,)), r"the weights \(0.0,\); every data set needs .* a weight above zero"),
        (Sources(("a",), np.zeros(4, dtype=np.intp), (1.0, 2.0)), "and 1 data sets with 2 weights"),
    ],
)
def test_data_sets_that_do_not_fit_their_ratings_are_an_error(small: World, sources: Sources, said: str) -> None:
    four = Judgements(np.array([0, 0, 1, 1]), np.array([0, 1, 2, 3]), np.array([1.0, 2, 3, 4]))
    with pytest.raises(ExperimentError, match=said):
        fit(small.looks, small.people, four, BRIEF, sources=sources, seed=0, device="cpu")


# --- the network ---


def test_the_network_equals_pytorchs_own_encoder() -> None:
    network = FusionNetwork(Shape(5, 4, 3, 2, 6), PaperModel(width=16, heads=4, hidden=24, layers=3), seed=3)
    reference = nn.TransformerEncoder(
        nn.TransformerEncoderLayer(16, 4, 24, dropout=0, activation="gelu", batch_first=True, norm_first=True),
        3,
        enable_nested_tensor=False,
    )
    for ours, theirs in zip(network.layers, reference.layers, strict=True):
        copied(ours, theirs)
    draw = torch.Generator().manual_seed(0)
    inputs = Inputs(*(torch.randn(7, width, generator=draw) for width in (5, 4, 3, 2, 16)))
    tokens = [network.summary.expand(7, -1)]
    tokens += [getattr(network, name)(getattr(inputs, name)) for name in ("image", "prompt", "metadata", "demographics", "user")]
    with torch.no_grad():
        expected = network.head(network.last_norm(reference(torch.stack(tokens, 1))[:, 0]))[:, 0]
        torch.testing.assert_close(network(inputs), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(told(network, inputs, rows=3), expected.numpy(), rtol=1e-4, atol=1e-5)


def copied(ours: nn.Module, theirs: nn.Module) -> None:
    own = dict(ours.named_parameters())
    pairs = {"norm1": "attention_norm", "norm2": "perceptron_norm", "linear1": "perceptron.0", "linear2": "perceptron.2"}
    pairs["self_attn.out_proj"] = "out"
    wanted = {f"{name}.{part}": own[f"{ours_name}.{part}"] for name, ours_name in pairs.items() for part in ("weight", "bias")}
    wanted |= {f"self_attn.in_proj_{part}": torch.cat([own[f"query.{part}"], own[f"key_value.{part}"]]) for part in ("weight", "bias")}
    theirs.load_state_dict(wanted)


def test_dropout_zeroes_its_share_and_keeps_the_mean() -> None:
    ones = _dropped(torch.ones(200, 500), 0.3, torch.Generator().manual_seed(0))
    assert float((ones == 0).float().mean()) == pytest.approx(0.3, abs=0.01)
    assert float(ones.mean()) == pytest.approx(1, abs=0.01)


def test_only_noise_makes_the_network_drop_anything() -> None:
    network = FusionNetwork(Shape(4, 0, 0, 0, 0), PaperModel(width=64, heads=2, hidden=8, layers=1, dropout=0.5), seed=0)
    inputs = Inputs(torch.ones(4000, 4))
    noisy = network(inputs, torch.Generator().manual_seed(1)).detach()
    again = network(inputs, torch.Generator().manual_seed(1)).detach()
    torch.testing.assert_close(noisy, again, rtol=0, atol=0)
    assert noisy.std() > 0
    assert network(inputs).detach().std() < 1e-6


@pytest.mark.parametrize("flag", FLAGS)
def test_a_flag_removes_its_input_and_no_other(small: World, flag: str) -> None:
    left_out = briefly(small, replace(BRIEF, **{flag: True}, epochs=1))  # type: ignore[arg-type] - the flags are all truth values
    for name in FLAGS.values():
        assert depends_on(left_out, small, name) == (name != FLAGS[flag])
    assert (getattr(left_out.network, FLAGS[flag]) is None) and (flag != "no_user" or left_out.network.table is None)


def depends_on(predictor: PaperPredictor, world: World, name: str) -> bool:
    """Return whether a prediction moves with an input."""
    looks, said = world.looks.at(np.arange(20)), world.people.demographics
    assert said is not None
    rng = np.random.default_rng(0)
    if name in ("prompt", "metadata"):
        other = replace(looks, **{name: rng.standard_normal(getattr(looks, name).shape).astype(np.float32)})
        return not np.array_equal(predictor.predict(looks, "s001").mean, predictor.predict(other, "s001").mean)
    ratings = rng.uniform(1, 5, 20)
    if name == "user":
        # Somebody shown by other images has other neighbours.
        others = world.looks.at(np.arange(400, 420))
        one, two = (predictor.adapt("new", seen, ratings, demographics=said[0]) for seen in (looks, others))
    else:
        one, two = (predictor.adapt("new", looks, ratings, demographics=said[row]) for row in (0, 9))
    return not np.array_equal(one.predict(looks, "new").mean, two.predict(looks, "new").mean)


def test_without_users_people_of_one_demographic_are_all_alike(small: World) -> None:
    found = briefly(small, replace(BRIEF, no_user=True, no_demographics=True))
    np.testing.assert_array_equal(found.predict(small.looks, "s001").mean, found.predict(small.looks, "s002").mean)
    np.testing.assert_array_equal(found.predict(small.looks, "s001").mean, found.predict(small.looks, None).mean)


def test_images_without_texts_and_people_without_demographics_are_enough() -> None:
    rng = np.random.default_rng(0)
    looks = Looks("bare", rng.standard_normal((20, 6)).astype(np.float32), ("",) * 20)
    user, image = np.divmod(np.arange(60), 20)
    found = fit(looks, People(("a", "b", "c")), Judgements(user, image, rng.uniform(1, 5, 60)), BRIEF, seed=0, device="cpu")
    assert np.isfinite(found.predict(looks, "a").mean).all()
    assert np.isfinite(found.average("all", ["a", "b"]).predict(looks, "all").mean).all()


# --- who is asked about ---


def test_the_population_depends_on_nobody(small: World, trained: PaperPredictor) -> None:
    assert small.people.demographics is not None
    before = trained.predict(small.looks, None).mean
    adapted = trained.adapt("new", small.looks.at(np.arange(5)), np.full(5, 5.0), demographics=small.people.demographics[3])
    np.testing.assert_array_equal(adapted.predict(small.looks, None).mean, before)
    strangers = replace(trained, known=replace(trained.known, demographics=trained.known.demographics[::-1] * 3))  # type: ignore[index]
    np.testing.assert_array_equal(strangers.predict(small.looks, None).mean, before)
    table = trained.network.state_dict()["table.weight"].clone()
    try:
        trained.network.load_state_dict(trained.network.state_dict() | {"table.weight": table * 5 + 1})
        np.testing.assert_array_equal(trained.predict(small.looks, None).mean, before)
        assert np.abs(trained.predict(small.looks, "s001").mean - before).max() > 0.1
    finally:
        trained.network.load_state_dict(trained.network.state_dict() | {"table.weight": table})


def test_a_group_is_the_mean_embedding_of_its_users_and_a_profile(small: World, trained: PaperPredictor) -> None:
    said = small.people.demographics
    assert said is not None
    alone = trained.average("alone", ["s001"])
    np.testing.assert_allclose(alone.predict(small.looks, "alone").mean, trained.predict(small.looks, "s001").mean, atol=1e-5)
    group = trained.average("group", ["s001", "s002"], demographics=said[7])
    table = trained.network.state_dict()["table.weight"].numpy()
    np.testing.assert_allclose(group.newcomers["group"].embedding, table[[1, 2]].mean(axis=0), atol=1e-6)
    other = trained.average("group", ["s001", "s002"], demographics=said[8])
    assert not np.array_equal(group.predict(small.looks, "group").mean, other.predict(small.looks, "group").mean)
    with pytest.raises(ExperimentError, match='the group "none" has no users; name at least one'):
        trained.average("none", [])


def test_before_any_rating_a_person_is_the_population_with_their_demographics(small: World, trained: PaperPredictor) -> None:
    said, nothing = small.people.demographics, small.looks.at(np.zeros(0, dtype=np.intp))
    assert said is not None
    silent = trained.adapt("new", nothing, np.zeros(0)).predict(small.looks, "new").mean
    np.testing.assert_array_equal(silent, trained.predict(small.looks, None).mean)
    told = trained.adapt("new", nothing, np.zeros(0), demographics=said[0]).predict(small.looks, "new").mean
    assert not np.array_equal(told, silent)


def test_adapting_leaves_the_predictor_and_everybody_else_as_they_were(small: World, trained: PaperPredictor) -> None:
    looks = small.looks.at(np.arange(10))
    one = trained.adapt("new", looks, np.linspace(1, 5, 10))
    two = one.adapt("new", looks, np.linspace(5, 1, 10))
    assert "new" not in trained.users
    assert two.users == (*trained.users, "new")
    np.testing.assert_array_equal(two.predict(looks, "s003").mean, trained.predict(looks, "s003").mean)
    np.testing.assert_array_equal(
        two.newcomers["new"].embedding, trained.adapt("new", looks, np.linspace(5, 1, 10)).newcomers["new"].embedding
    )


# --- errors in words ---


def test_an_unknown_user_is_an_error_that_names_known_ones(small: World, brief: PaperPredictor) -> None:
    with pytest.raises(UnknownUserError, match=r'no user "eve"; it knows 60, such as s000, s001, .* Give ratings of theirs first'):
        brief.predict(small.looks, "eve")


def test_images_of_another_encoder_are_an_error_that_names_both(small: World, brief: PaperPredictor) -> None:
    with pytest.raises(EncoderMismatchError, match=r'trained on "synthetic" with 128 features .* by "siglip2-base" with 128; encode them'):
        brief.predict(replace(small.looks, encoder="siglip2-base"), None)
    with pytest.raises(EncoderMismatchError, match=r"encoded by \"synthetic\" with 127; encode them"):
        brief.predict(replace(small.looks, image=small.looks.image[:, 1:]), None)
    with pytest.raises(EncoderMismatchError, match="trained with 128 features of prompt an image, and these images come with 0; encode"):
        brief.predict(replace(small.looks, prompt=None), None)
    with pytest.raises(EncoderMismatchError, match="trained with 32 features of metadata an image, and these images come with 31"):
        brief.adapt("new", replace(small.looks, metadata=small.looks.metadata[:, 1:]), np.ones(len(small.looks)))  # type: ignore[index]


def test_wrong_ratings_of_a_new_person_are_an_error(small: World, brief: PaperPredictor) -> None:
    looks = small.looks.at(np.arange(3))
    with pytest.raises(ExperimentError, match=r"expected 3 finite ratings, one an image, and found \(2,\)"):
        brief.adapt("new", looks, np.ones(2))
    with pytest.raises(ExperimentError, match=r"expected 3 finite ratings, one an image, and found \(3,\) with \[1.0, nan, 2.0\]"):
        brief.adapt("new", looks, np.array([1, np.nan, 2]))
    with pytest.raises(ExperimentError, match=r"needs ratings that add up to more than zero; found 3 .* ask for the population's"):
        brief.adapt("new", looks, np.zeros(3))
    with pytest.raises(ExperimentError, match=r'demographics of "new": expected 9 finite numbers, as in training, found shape \(2,\)'):
        brief.adapt("new", looks, np.ones(3), demographics=np.ones(2, dtype=np.float32))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"width": 0, "epochs": -1}, "cannot be built with width = 0, epochs = -1; give larger numbers"),
        ({"temperature": 0.0}, "cannot be built with temperature = 0.0"),
        ({"learning_rate": float("nan")}, "cannot be built with learning_rate = nan"),
        ({"dropout": 1.0}, "dropout = 1.0; give a share from 0 to below 1"),
        ({"width": 30}, "cannot split a width of 30 among 4 heads; make the width a multiple"),
    ],
)
def test_impossible_settings_are_refused(wrong: dict[str, float], said: str) -> None:
    with pytest.raises(ExperimentError, match=said):
        PaperModel(**wrong)  # type: ignore[arg-type] - that is the point


def test_ratings_that_teach_nothing_are_an_error(small: World) -> None:
    one = Judgements(np.zeros(5, dtype=np.intp), np.arange(5), np.ones(5))
    with pytest.raises(ExperimentError, match="ratings by 1 people of 5 images; the paper's model needs at least two of each"):
        fit(small.looks, small.people, one, BRIEF, seed=0)
    image = small.looks.image.copy()
    image[small.judgements["train"].image[0], 3] = np.nan
    with pytest.raises(ExperimentError, match="image features: 1 numbers are not finite; leave those rows out, or encode again"):
        fit(replace(small.looks, image=image), small.people, small.judgements["train"], BRIEF, seed=0)
    with pytest.raises(ExperimentError, match=r'by people of the training; found those of "s068", who is not. Use the split of seen'):
        fit(small.looks, small.people, small.judgements["train"], BRIEF, aside=small.judgements["test_unseen"], seed=0)


def test_records_are_frozen(brief: PaperPredictor) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        brief.encoder = "other"  # type: ignore[misc] - that is the point
