"""study.toml, the stimuli part: each mistake between tables is named with table, key and what to do."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PIL import Image

from stimuli.config import Condition, Prompt, StimuliTable
from stimuli.groups import Group
from stimuli.mistakes import mistakes
from stimuli.ratings import RatedData
from stimuli.rewriters import Rewriting
from stimuli.scorers.external import External
from stimuli.steering import Steering
from stimuli.studyfile import ExperimentTable, Mistake


@dataclass(frozen=True)
class Settings:
    experiment: ExperimentTable = field(default_factory=lambda: ExperimentTable("Test"))
    stimuli: StimuliTable = field(default_factory=StimuliTable)
    prompt: tuple[Prompt, ...] = (Prompt("cat", "A cat."), Prompt("dog", "A dog."))
    condition: tuple[Condition, ...] = (Condition("initial"), Condition("colourful", scorer="colourful"))
    group: tuple[Group, ...] = ()


INITIAL = Condition("initial")


def found(settings: Settings, folder: Path) -> list[Mistake]:
    return list(mistakes(settings, folder))


def test_the_quickstart_has_no_mistake(tmp_path: Path) -> None:
    personal = Condition("personal", scorer="personal", targets=("rater-01", "rater-24"))
    assert found(Settings(condition=(*Settings().condition, personal)), tmp_path) == []


@pytest.mark.parametrize(
    ("table", "key", "text"),
    [
        (StimuliTable(generator="flx2"), "generator", 'is "flx2", which is no known generator; did you mean "flux2"?'),
        (StimuliTable(rewriter="zzz"), "rewriter", 'is "zzz", which is no known rewriter; expected one of: local, server, vocabulary'),
        (StimuliTable(text_encoder="minilmm"), "text_encoder", 'is "minilmm", which is no known text_encoder; did you mean "minilm"?'),
        (StimuliTable(predictor="baies"), "predictor", 'is "baies", which is no known predictor; did you mean "bayes"?'),
        (StimuliTable(encoder="siglip2"), "encoder", 'is "siglip2", which is no known encoder; did you mean "siglip2-base"?'),
    ],
)
def test_unknown_parts_are_answered_with_the_nearest_name(tmp_path: Path, table: StimuliTable, key: str, text: str) -> None:
    assert found(Settings(stimuli=table), tmp_path) == [Mistake("[stimuli]", key, text)]


def test_every_published_part_may_be_named(tmp_path: Path) -> None:
    table = StimuliTable(generator="flux2", rewriter="local", encoder="siglip2-so400m")
    conditions = [Condition(name, scorer=name) for name in ("hpsv3", "qalign-aesthetics", "deqa", "imagereward", "laion", "pickscore")]
    assert found(Settings(stimuli=table, condition=(INITIAL, *conditions)), tmp_path) == []


def steered_by(**keys: object) -> Settings:
    """Return the settings of a study with these keys in [stimuli.steering]."""
    return Settings(stimuli=StimuliTable(steering=Steering(**keys)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "key", "text"),
    [
        (steered_by(guard="sketch-likenes"), "guard", 'is "sketch-likenes", which is no known guard; did you mean "sketch-likeness"?'),
        (steered_by(guard="none", floor=0.5), "floor", 'is 0.5, but guard = "none" rejects nothing; name a guard or remove "floor"'),
        (steered_by(held_out=("exposur",)), "held_out", 'is "exposur", which is no known scorer; did you mean "exposure"?'),
        (
            steered_by(held_out=("colourful",)),
            "held_out",
            'names "colourful", but it steers condition "colourful"; a scorer that is to check steering must not steer',
        ),
        (steered_by(held_out=("crisp", "crisp")), "held_out", 'names "crisp" more than once; name each scorer once'),
        (
            steered_by(held_out=("pickscore",), guard="pickscore"),
            "held_out",
            'names "pickscore", which is the guard; name a scorer that has no say in steering',
        ),
        (
            steered_by(held_out=("sketch-likeness",)),
            "held_out",
            'names "sketch-likeness", which is the guard; name a scorer that has no say in steering',
        ),
    ],
)
def test_mistakes_of_guard_and_held_out_scorers(tmp_path: Path, settings: Settings, key: str, text: str) -> None:
    assert found(settings, tmp_path) == [Mistake("[stimuli.steering]", key, text)]


def test_somebodys_own_scorer_is_never_held_out(tmp_path: Path) -> None:
    [mistake] = found(steered_by(held_out=("personal",)), tmp_path)
    assert mistake.key == "held_out" and mistake.text.startswith('is "personal", which is no known scorer')


@pytest.mark.parametrize(
    ("groups", "key", "text"),
    [
        ((Group("g"),), None, "says of nobody that they belong to it; add gender, age, nationality, or members"),
        (
            (Group("g", gender="female", members=("rater-01",)),),
            "members",
            "stands beside gender; name the people or what they said, not both",
        ),
        ((Group("g", members=("rater-01", "rater-02", "rater-01")),), "members", "names rater-01 more than once; name each person once"),
        ((Group("rater-01", gender="female"),), "name", 'is "rater-01", as a simulated rater is called; choose another'),
    ],
)
def test_mistakes_of_groups(tmp_path: Path, groups: tuple[Group, ...], key: str | None, text: str) -> None:
    assert found(Settings(group=groups), tmp_path) == [Mistake(f'[[group]] 1 ("{groups[0].name}")', key, text)]


def test_two_groups_of_one_name_are_a_mistake_and_a_group_may_be_a_target(tmp_path: Path) -> None:
    women = Group("women", gender="female")
    personal = Condition("personal", scorer="personal", targets=("women", "rater-01"))
    assert found(Settings(condition=(INITIAL, personal), group=(women,)), tmp_path) == []
    [mistake] = found(Settings(condition=(INITIAL, personal), group=(women, women)), tmp_path)
    assert mistake == Mistake('[[group]] 2 ("women")', "name", 'is "women", which an earlier group has; give each its own')
    [stranger] = found(Settings(condition=(INITIAL, personal)), tmp_path)
    assert stranger.text.startswith('names "women"; expected simulated raters, rater-01 to rater-24.')


def test_a_placebo_may_have_targets(tmp_path: Path) -> None:
    placebo = Condition("placebo", scorer="placebo", targets=("rater-01", "rater-02"))
    assert found(Settings(condition=(INITIAL, placebo)), tmp_path) == []


def test_an_external_scorer_is_known_by_its_table(tmp_path: Path) -> None:
    conditions = (INITIAL, Condition("x", scorer="external:official"))
    table = StimuliTable(external={"official": External(("python", "server.py"), "1.0")})
    assert found(Settings(stimuli=table, condition=conditions), tmp_path) == []
    [mistake] = found(Settings(condition=conditions), tmp_path)
    assert mistake.key == "scorer" and "which is no known scorer" in mistake.text


def test_a_template_that_is_not_there_is_named(tmp_path: Path) -> None:
    [mistake] = found(Settings(stimuli=StimuliTable(rewriting=Rewriting(instruction="ask.txt"))), tmp_path)
    assert mistake == Mistake(
        "[stimuli.rewriting]", "instruction", f'is "ask.txt", and {tmp_path / "ask.txt"} is no file; put the text there'
    )


def test_weights_of_every_published_part_may_be_named(tmp_path: Path) -> None:
    assert found(Settings(stimuli=StimuliTable(weights={"flux2": "w/flux2", "hpsv3": "w/hpsv3", "local": "w/llama"})), tmp_path) == []
    [mistake] = found(Settings(stimuli=StimuliTable(weights={"hpsv4": "w"})), tmp_path)
    assert mistake == Mistake("[stimuli.weights]", "hpsv4", 'is no known model; did you mean "hpsv3"?')


@pytest.mark.parametrize(
    ("conditions", "place", "key", "text"),
    [
        ((INITIAL, INITIAL), '[[condition]] 2 ("initial")', "name", 'is "initial", which an earlier condition has; give each its own'),
        (
            (INITIAL, Condition("own", scorer="crisp")),
            '[[condition]] 2 ("own")',
            "name",
            'is "own", which the analysis uses for images steered for the judge or for others; choose another',
        ),
        (
            (INITIAL, Condition("x", scorer="colorful")),
            '[[condition]] 2 ("x")',
            "scorer",
            'is "colorful", which is no known scorer; did you mean "colourful"?',
        ),
        (
            (INITIAL, Condition("x", scorer="personal")),
            '[[condition]] 2 ("x")',
            "targets",
            'is missing; the scorer "personal" needs to know for whom, such as targets = ["rater-01"]',
        ),
        (
            (INITIAL, Condition("x", scorer="crisp", targets=("rater-01",))),
            '[[condition]] 2 ("x")',
            "targets",
            'needs scorer = "personal", but the scorer is "crisp"; set that scorer or remove "targets"',
        ),
        (
            (INITIAL, Condition("x", targets=("rater-01",))),
            '[[condition]] 2 ("x")',
            "targets",
            'needs scorer = "personal", but it has no scorer; set that scorer or remove "targets"',
        ),
        (
            (INITIAL, Condition("x", scorer="personal", targets=("rater-01", "rater-01"))),
            '[[condition]] 2 ("x")',
            "targets",
            "names rater-01 more than once; name each target once",
        ),
        (
            (INITIAL, Condition("x", scorer="personal", targets=("rater-25", "rater-24"))),
            '[[condition]] 2 ("x")',
            "targets",
            'names "rater-25"; expected simulated raters, rater-01 to rater-24. For people who take the rating study '
            'write targets_from = "ratings" instead',
        ),
        (
            (INITIAL, Condition("x", scorer="personal", targets=("rater-01",), targets_from="ratings")),
            '[[condition]] 2 ("x")',
            "targets_from",
            'stands beside "targets"; name the targets or take those who rated, and remove the other key',
        ),
        (
            (INITIAL, Condition("x", scorer="crisp", targets_from="ratings")),
            '[[condition]] 2 ("x")',
            "targets_from",
            'needs scorer = "personal"; set that scorer or remove "targets_from"',
        ),
        (
            (INITIAL,),
            "[[condition]]",
            None,
            "gives 1 image for each prompt; expected at least 2 to compare, so add a condition or a target",
        ),
        (
            (INITIAL, Condition("x", images="photo.png")),
            '[[condition]] 2 ("x")',
            "images",
            'is "photo.png" for 2 prompts; write {prompt} where the prompt\'s id belongs in the file name',
        ),
    ],
)
def test_a_mistake_in_a_condition_is_named(tmp_path: Path, conditions: Sequence[Condition], place: str, key: str | None, text: str) -> None:
    assert found(Settings(condition=tuple(conditions)), tmp_path) == [Mistake(place, key, text)]


def test_whoever_rates_and_simulated_newcomers_can_be_targets(tmp_path: Path) -> None:
    assert found(Settings(condition=(INITIAL, Condition("x", scorer="personal", targets_from="ratings"))), tmp_path) == []
    new = Condition("x", scorer="personal", targets=("newcomer-1", "newcomer-2"))
    [mistake] = found(Settings(stimuli=StimuliTable(ratings=RatedData(newcomers=1)), condition=(INITIAL, new)), tmp_path)
    assert mistake.text.startswith('names "newcomer-2"; expected simulated raters, rater-01 to rater-24, or newcomer-1. ')


def test_weights_are_named_by_their_model_and_caution_needs_the_bayes_predictor(tmp_path: Path) -> None:
    table = StimuliTable(weights={"siglip-base": "x"}, predictor="paper", steering=Steering(caution=1.0))
    assert found(Settings(stimuli=table), tmp_path) == [
        Mistake("[stimuli.weights]", "siglip-base", 'is no known model; did you mean "siglip2-base"?'),
        Mistake("[stimuli.steering]", "caution", 'is 1, and predictor = "paper" does not know how little it knows; write caution = 0'),
    ]


def test_two_targets_are_two_images_to_compare(tmp_path: Path) -> None:
    only = Condition("personal", scorer="personal", targets=("rater-01", "rater-02"))
    assert found(Settings(condition=(only,)), tmp_path) == []


def test_missing_prompts_and_conditions_are_named(tmp_path: Path) -> None:
    assert [(mistake.table, mistake.key) for mistake in found(Settings(prompt=(), condition=()), tmp_path)] == [
        ("[[prompt]]", None),
        ("[[condition]]", None),
    ]


def test_prompts_with_the_same_id_are_named(tmp_path: Path) -> None:
    prompts = (Prompt("cat", "A cat."), Prompt("cat", "Another."))
    assert found(Settings(prompt=prompts), tmp_path) == [
        Mistake('[[prompt]] 2 ("cat")', "id", 'is "cat", which an earlier prompt has; give each its own')
    ]


def test_own_images_must_be_there_and_cannot_be_steered(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    Image.new("RGB", (256, 256)).save(tmp_path / "mine/cat.png")
    condition = Condition("x", images="mine/{prompt}.png", scorer="crisp")
    texts = [mistake.text for mistake in found(Settings(condition=(INITIAL, condition)), tmp_path)]
    assert texts == [
        'stands beside "scorer"; ready-made images cannot be steered, so remove one of the two',
        f'is "mine/{{prompt}}.png", but there is no file {tmp_path / "mine/dog.png"}; put the images there, one for each prompt',
    ]
    Image.new("RGB", (256, 256)).save(tmp_path / "mine/dog.png")
    assert found(Settings(condition=(INITIAL, Condition("x", images="mine/{prompt}.png"))), tmp_path) == []


def test_a_missing_data_set_and_too_many_ratings_are_named(tmp_path: Path) -> None:
    nowhere = Settings(stimuli=StimuliTable(ratings=RatedData(folder="pamela")))
    assert [mistake.key for mistake in found(nowhere, tmp_path)] == ["folder"]
    assert f"{tmp_path / 'pamela'} is no folder; put a data set in PAMELA's layout there" in found(nowhere, tmp_path)[0].text
    other = Settings(stimuli=StimuliTable(ratings=RatedData(folder="lapis", layout="lapis")))
    assert f"{tmp_path / 'lapis'} is no folder; put a data set in LAPIS's layout there" in found(other, tmp_path)[0].text
    greedy = Settings(stimuli=StimuliTable(ratings=RatedData(images=20, per_rater=30)))
    assert found(greedy, tmp_path) == [
        Mistake("[stimuli.ratings]", "per_rater", 'is 30, more than the 20 images; lower it or raise "images"')
    ]


def test_a_layout_without_a_data_set_is_named(tmp_path: Path) -> None:
    layout = Settings(stimuli=StimuliTable(ratings=RatedData(layout="para")))
    assert found(layout, tmp_path) == [
        Mistake("[stimuli.ratings]", "layout", 'is "para", but no "folder" is named; name the one of the data set, or remove "layout"')
    ]


def test_users_of_a_real_data_set_are_not_judged_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "pamela").mkdir()
    personal = Condition("personal", scorer="personal", targets=("p17", "p18"))
    settings = Settings(stimuli=StimuliTable(ratings=RatedData(folder="pamela")), condition=(personal,))
    assert found(settings, tmp_path) == []


def test_own_images_that_cannot_be_read_or_differ_in_size_are_found_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/cat.png").write_bytes(b"no image")
    Image.new("RGB", (300, 200)).save(tmp_path / "mine/dog.png")
    texts = [mistake.text for mistake in found(Settings(condition=(INITIAL, Condition("x", images="mine/{prompt}.png"))), tmp_path)]
    assert len(texts) == 2
    assert "mine/cat.png: not an image that can be read" in texts[0]
    assert "mine/dog.png with 300 x 200 pixels, but [stimuli] size has 256 x 256; scale them to one size" in texts[1]


def test_two_conditions_with_the_same_images_are_named(tmp_path: Path) -> None:
    for name in ("mine", "theirs"):
        (tmp_path / name).mkdir()
        for prompt in ("cat", "dog"):
            Image.new("RGB", (64, 64)).save(tmp_path / name / f"{prompt}.png")
    conditions = (Condition("a", images="mine/{prompt}.png"), Condition("b", images="theirs/{prompt}.png"))
    [mistake] = found(Settings(condition=conditions), tmp_path)
    assert (mistake.table, mistake.key) == ('[[condition]] 2 ("b")', "images")
    assert mistake.text == 'is "theirs/{prompt}.png", which leads to the same images as those of "a" for every prompt; name its own'
    Image.new("RGB", (64, 64), "red").save(tmp_path / "theirs/dog.png")
    assert found(Settings(condition=conditions), tmp_path) == []


def test_an_own_image_on_its_side_counts_as_people_will_see_it(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    for prompt in ("cat", "dog"):
        Image.new("RGB", (300, 200)).save(tmp_path / f"mine/{prompt}-a.png")
        exif = Image.Exif()
        exif[274] = 6
        Image.new("RGB", (200, 300)).save(tmp_path / f"mine/{prompt}-b.jpg", exif=exif)
    conditions = (Condition("a", images="mine/{prompt}-a.png"), Condition("b", images="mine/{prompt}-b.jpg"))
    assert list(found(Settings(condition=conditions), tmp_path)) == []
