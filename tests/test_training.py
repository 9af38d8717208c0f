"""Training: it says how well it does, on people it knows and on new ones, knows whoever rated, and is not done twice."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from learnable_made import MADE, NEW, SEEN, TEST, TRAIN, data_set, liking, looks, rating_study, task

from stimuli.encoders import WordHash
from stimuli.experiment import ExperimentError
from stimuli.learning.predicting import predict
from stimuli.learning.training import Rater, Task, finished, material, train
from stimuli.predictors import bayes_network, kinds
from stimuli.predictors.bayes import BayesTaste
from stimuli.predictors.demographics import coding
from stimuli.predictors.heldout import spearman
from stimuli.predictors.interface import Fitted, Looks
from stimuli.predictors.kinds import Kind
from stimuli.predictors.paper_settings import PaperModel
from stimuli.predictors.sight import Sight, with_large_groups
from stimuli.ratings import Rated


def learnt(folder: Path, wanted: Task) -> Fitted:
    """Train, and return the predictor as it lies on the disk."""
    train(folder / "predictor.npz", wanted, provenance=MADE)
    return wanted.kind.load(wanted.kind.file(folder / "predictor.npz"))


@pytest.fixture(scope="module")
def rated(tmp_path_factory: pytest.TempPathFactory) -> Rated:
    return data_set(tmp_path_factory.mktemp("rated"))


def test_the_record_says_how_well_known_and_new_people_are_told_with_intervals(tmp_path: Path, rated: Rated) -> None:
    record = train(tmp_path / "predictor.npz", task(rated), provenance=MADE)
    assert (record.users, record.images, record.encoder, record.text_encoder) == (SEEN, 50, "image-statistics", None)
    for found, users, context in ((record.held_out, SEEN, 0), (record.new_people, NEW, 15)):
        assert found is not None
        assert found.personal
        assert found.population
        assert found.gain
        assert (found.users, found.users_left_out, found.context) == (users, 0, context)
        assert found.personal.low <= found.personal.value <= found.personal.high
        assert found.gain.value == pytest.approx(found.personal.value - found.population.value)
        # Tastes point in all directions here, so one prediction for everybody says nothing.
        assert found.gain.low > 0.4
    assert record.held_out.ratings == SEEN * TEST
    assert record.provenance == MADE


def test_training_on_the_same_is_found_finished_and_on_anything_else_is_not(tmp_path: Path, rated: Rated) -> None:
    path, wanted = tmp_path / "predictor.npz", task(rated)
    record = train(path, wanted, provenance=MADE)
    assert finished(path, wanted) == record
    study = rating_study(tmp_path / "study", users={"eve": 2}, each=8)
    moved = replace(rated, ratings=rated.ratings.assign(split=rated.ratings["split"].replace("val_seen", "test_seen")))
    for other in (
        task(rated, study),
        task(moved),
        task(rated, same_people=True),
        replace(wanted, sight=Sight(wanted.sight.images, WordHash())),
    ):
        assert finished(path, other) is None
    path.with_suffix(".json").write_text('{"encoder": "image-statistics"}')
    assert finished(path, wanted) is None


def test_whoever_rated_in_the_study_is_known_by_their_own_taste_also_where_others_like_the_opposite(tmp_path: Path, rated: Rated) -> None:
    tastes = {"eve": 2.0, "adam": 5.5}
    wanted = task(rated, rating_study(tmp_path / "study", users=tastes, each=15))
    fitted = learnt(tmp_path, wanted)
    seen, _ = wanted.sight.of_rated(rated)
    for user, taste in tastes.items():
        assert spearman(liking(taste, looks(len(rated.images))), fitted.predict(seen, user).mean) > 0.9


def test_with_fewer_than_five_ratings_nobody_is_known_and_the_record_says_so(tmp_path: Path, rated: Rated) -> None:
    wanted = task(rated, rating_study(tmp_path / "study", users={"eve": 1, "adam": 2}, each=4))
    fitted = learnt(tmp_path, wanted)
    record = finished(tmp_path / "predictor.npz", wanted)
    assert record is not None
    assert record.raters == (Rater("adam", 4, known=False), Rater("eve", 4, known=False))
    assert not {"eve", "adam"} & set(fitted.users)


def test_a_participant_with_the_name_of_another_person_of_the_data_is_refused(tmp_path: Path, rated: Rated) -> None:
    wanted = task(rated, rating_study(tmp_path / "study", users={"u03": 1}, each=8))
    with pytest.raises(ExperimentError, match=r'"u03" is a participant of the rating study and also a user of .*; give participants links'):
        train(tmp_path / "predictor.npz", wanted, provenance=MADE)


def test_of_the_same_person_more_ratings_are_added_to_what_is_known(tmp_path: Path, rated: Rated) -> None:
    wanted = task(rated, rating_study(tmp_path / "study", users={"u03": 3}, each=16), same_people=True)
    seen, _ = wanted.sight.of_rated(rated)
    before = learnt(tmp_path, task(rated)).predict(seen, "u03")
    after = learnt(tmp_path, wanted).predict(seen, "u03")
    assert (after.standard_deviation < before.standard_deviation).all()
    assert np.corrcoef(after.mean, before.mean)[0, 1] > 0.9


def test_what_a_known_person_rated_again_in_the_study_is_not_told_and_is_counted(tmp_path: Path, rated: Rated) -> None:
    """The predictor was shown those ratings: to tell them would be to look them up."""
    # Of u03: one image to learn from, one for validation, two for test; of u05, who rated nothing in the study, none.
    study = rating_study(tmp_path / "study", users={"u03": 3}, each=16, of=["i004", "i055", "i060", "i070"])
    known = material(task(rated, study, same_people=True))
    gone = rated.ratings.index.difference(known.rated.ratings.index)
    assert known.rated_again == 3
    assert set(rated.ratings.loc[gone, ["user", "image"]].itertuples(index=False, name=None)) == {
        ("u03", "i055"),
        ("u03", "i060"),
        ("u03", "i070"),
    }
    record = train(tmp_path / "predictor.npz", task(rated, study, same_people=True), provenance=MADE)
    assert (record.rated_again, record.held_out.ratings) == (3, SEEN * TEST - 2)
    fitted = task(rated).kind.load(tmp_path / "predictor.npz")
    rows = predict("bayes", fitted, known, {}, seed=1)
    assert rows is not None
    assert not {("u03", "i055"), ("u03", "i060"), ("u03", "i070")} & set(zip(rows.user, rows.image, strict=True))
    assert ("u05", "i060") in set(zip(rows.user, rows.image, strict=True))


def test_of_strangers_nothing_is_left_out(tmp_path: Path, rated: Rated) -> None:
    study = rating_study(tmp_path / "study", users={"eve": 3}, each=16, of=["i055", "i060"])
    assert material(task(rated, study)).rated_again == 0


def test_an_image_that_cannot_be_read_is_left_out_with_its_ratings_and_counted(tmp_path: Path) -> None:
    rated = data_set(tmp_path / "data")
    (rated.folder / "images/004.png").write_bytes(b"no image")
    (rated.folder / "images/061.png").unlink()
    record = train(tmp_path / "predictor.npz", task(rated), provenance=MADE)
    assert [entry.image for entry in record.unreadable] == ["i004", "i061"]
    assert (record.images, record.held_out.ratings) == (49, SEEN * (TEST - 1))


def test_data_without_a_rating_to_learn_from_is_an_error(tmp_path: Path, rated: Rated) -> None:
    empty = replace(rated, ratings=rated.ratings[rated.ratings["split"] != "train"])
    with pytest.raises(ExperimentError, match="holds no rating of a readable image in its split train, so there is nothing to learn from"):
        train(tmp_path / "predictor.npz", task(empty), provenance=MADE)


def test_the_papers_model_trains_by_the_same_way_and_judges_images_of_which_only_the_prompt_is_known(tmp_path: Path, rated: Rated) -> None:
    few = rated.ratings[rated.ratings["user"].isin(["u00", "u01", "u02"]) & rated.ratings["image"].lt("i020")]
    wanted = task(replace(rated, ratings=few), rating_study(tmp_path / "study", users={"eve": 1}, each=6), kind="paper")
    fitted = learnt(tmp_path, wanted)
    assert set(fitted.users) == {"u00", "u01", "u02", "eve"}
    assert (tmp_path / "paper.safetensors").is_file()
    seen, _ = wanted.sight.of_rated(rated)
    bare = Looks(seen.encoder, seen.image, ("",) * len(seen), seen.prompt)
    assert np.isfinite(kinds.scores(fitted, bare, "eve")).all()
    with pytest.raises(ExperimentError, match="caution needs a predictor that knows how little it knows"):
        kinds.scores(fitted, bare, "eve", caution=1.0)


def test_a_base_of_ridge_or_network_is_trained_kept_and_recorded_by_the_same_way(
    tmp_path: Path, rated: Rated, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = PaperModel(width=16, heads=2, hidden=16, layers=1, epochs=2, learning_rate=1e-3)
    monkeypatch.setattr(bayes_network, "network_settings", lambda _: small)
    wanted, path = task(rated, kind="bayes-network"), tmp_path / "predictor.npz"
    fitted = learnt(tmp_path, wanted)
    record = finished(path, wanted)
    assert record is not None
    assert record.base is not None
    # What is liked turns with the person here, so there is little for any base to tell.
    assert record.base.images == TRAIN
    assert isinstance(fitted, BayesTaste)
    assert fitted.choice == record.base
    assert (tmp_path / "predictor-network.safetensors").is_file() == (record.base.share > 0)
    assert finished(path, task(rated)) is None
    seen, _ = wanted.sight.of_rated(rated)
    assert np.isfinite(kinds.scores(fitted, seen, "u03", caution=1.0)).all()


def test_a_network_that_is_gone_is_trained_again(tmp_path: Path, rated: Rated, monkeypatch: pytest.MonkeyPatch) -> None:
    small = PaperModel(width=16, heads=2, hidden=16, layers=1, epochs=1, learning_rate=1e-3)
    monkeypatch.setattr(bayes_network, "fit", partial(bayes_network.fit, network=small, asked="network"))
    wanted, path = task(rated, kind="bayes-network"), tmp_path / "predictor.npz"
    train(path, wanted, provenance=MADE)
    assert finished(path, wanted) is not None
    (tmp_path / "predictor-network.safetensors").unlink()
    assert finished(path, wanted) is None


def test_a_predictor_of_an_unknown_name_is_refused(rated: Rated) -> None:
    wanted = task(rated)
    with pytest.raises(ExperimentError, match=r'predictor "baies" is not known; did you mean "bayes"\?'):
        train(Path("nowhere.npz"), replace(wanted, kind=Kind("baies")), provenance=MADE)


def test_groups_count_from_thirty_images_on_and_only_where_there_are_two() -> None:
    image = np.zeros((100, 3), dtype=np.float32)
    shown = Looks("e", image, ("art",) * 40 + ("photo",) * 35 + ("sketch",) * 25)
    kept = with_large_groups(shown, np.arange(100))
    assert set(kept.group) == {"art", "photo", ""}
    assert set(with_large_groups(shown, np.arange(60)).group) == {""}


def test_demographics_are_one_column_for_each_answer_of_several_people_and_bands_of_age() -> None:
    users = pd.DataFrame({"age": [19, 23.0, 67, None], "gender": ["female", " Female", "male", None], "nationality": [None] * 4})
    code = coding(users)
    assert code.answers == ("age: 18 to 24", "gender: female")
    np.testing.assert_array_equal(code.rows(users), [[1, 1], [1, 1], [0, 0], [0, 0]])
    assert coding(users[2:]).rows(users) is None
    # Bands that the data set made itself stay what they are.
    assert coding(pd.DataFrame({"age": ["22-25", "22-25"]})).answers == ("age: 22-25",)


def test_a_bayes_predictor_reads_no_words_unless_there_is_an_encoder_for_them(rated: Rated, tmp_path: Path) -> None:
    fitted = learnt(tmp_path, task(rated))
    assert isinstance(fitted, BayesTaste)
    assert fitted.base.text is None
