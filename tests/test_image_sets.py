"""Image sets: every pair of a style and a content, generators in equal shares, no image twice, the same again, and ready to be rated."""

import tomllib
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import TypeAdapter
from rating_study_made import given as rating_given
from typer.testing import CliRunner

from stimuli import commands, generators, ratings
from stimuli.config import Condition, Prompt, StimuliTable
from stimuli.experiment import Experiment, ExperimentError
from stimuli.generators import GeneratorSpec
from stimuli.groups import Group
from stimuli.imagesets import Domain, ImageSet
from stimuli.imagesets.likeness import Seen, difference_hash
from stimuli.imagesets.lists import mistakes
from stimuli.imagesets.shares import Wish, cells, shared_out
from stimuli.manifest import read_rating_images, read_utilities
from stimuli.production import image_set
from stimuli.ratings import RatedData
from stimuli.ratings.pool import sources
from stimuli.studyfile import ExperimentTable, SettingsError
from study.rated import write_ratings

ART = Domain("art", styles=("watercolour", "oil | oil painting"), contents=("boats | a boat on a lake", "cats | a cat", "boats | a ship"))


def described(*domains: Domain, number: int = 6, names: tuple[str, ...] = ()) -> ImageSet:
    return ImageSet(number=number, generators=names, domain=domains or (ART,))


@dataclass(frozen=True)
class Settings:
    stimuli: StimuliTable
    experiment: ExperimentTable = field(default_factory=lambda: ExperimentTable("Tiny", 7))
    prompt: tuple[Prompt, ...] = (Prompt("boat", "A boat."),)
    condition: tuple[Condition, ...] = (Condition("initial"), Condition("colourful", scorer="colourful"))
    group: tuple[Group, ...] = field(default_factory=tuple)


def study(image_set: ImageSet) -> Settings:
    return Settings(StimuliTable(size=64, image_set=image_set, ratings=RatedData(raters=4, images=20, per_rater=10)))


# --- Who renders what. ---


@given(styles=st.integers(1, 5), contents=st.integers(1, 6), makers=st.integers(1, 4), more=st.integers(0, 40), seed=st.integers(0, 99))
@settings(max_examples=80, deadline=None)
def test_shares_are_as_equal_as_they_can_be(styles: int, contents: int, makers: int, more: int, seed: int) -> None:
    domain = Domain("d", styles=tuple(f"s{n}" for n in range(styles)), contents=tuple(f"c{n}" for n in range(contents)))
    every = cells(described(domain), Path(), seed=seed)
    assert len(set(every)) == styles * contents
    names = [f"g{n}" for n in range(makers)]
    wishes = shared_out(every, len(every) + more, names)
    assert len(set(wishes)) == len(every) + more

    def spread(counts: Counter[object], expected: list[object]) -> int:
        return max(counts[one] for one in expected) - min(counts[one] for one in expected)

    assert spread(Counter(wish.generator for wish in wishes), [*names]) <= 1
    assert spread(Counter(wish.cell for wish in wishes), [*every]) <= 1
    assert spread(Counter((wish.cell, wish.generator) for wish in wishes), [(cell, name) for cell in every for name in names]) <= 1


def test_no_style_goes_to_one_generator_only() -> None:
    domain = Domain("d", styles=("s0", "s1"), contents=tuple(f"c{n}" for n in range(4)))
    wishes = shared_out(cells(described(domain), Path(), seed=1), 8, ["g0", "g1"])
    assert set(Counter((wish.cell.style.words, wish.generator) for wish in wishes).values()) == {2}


def test_domains_are_crossed_each_in_itself_with_its_own_template() -> None:
    photo = Domain("photography", styles=("at night",), contents=("streets | A street",), template="{style}: {content}")
    found = cells(described(ART, photo), Path(), seed=1)
    assert len(found) == 7
    assert sorted(cell.prompt for cell in found)[0] == "a boat on a lake, oil painting"
    [street] = [cell for cell in found if cell.domain == "photography"]
    assert (street.prompt, street.content.name, street.style.name) == ("at night: A street", "streets", "at night")


def test_lists_may_lie_in_text_files(tmp_path: Path) -> None:
    (tmp_path / "styles.txt").write_text("# how it looks\nwatercolour\n\n oil | oil painting \n", encoding="utf-8")
    domain = Domain("art", styles_file="styles.txt", contents=("a cat",))
    assert not list(mistakes(described(domain, number=2), tmp_path))
    assert sorted(cell.prompt for cell in cells(described(domain), tmp_path, seed=1)) == ["a cat, oil painting", "a cat, watercolour"]


# --- Near-duplicates. ---


def test_a_hash_outlives_scaling_and_brightening_but_not_another_picture() -> None:
    boat, cat = generators.make("sketch", rendering=generators.Rendering(128)).render(["a boat", "a cat"], [1, 1])
    seen = Seen()
    assert seen.nearest(difference_hash(boat)) is None
    for _ in range(70):
        seen.add(difference_hash(boat))
    for same in (boat.resize((64, 64)), boat.point(lambda value: value * 0.9)):
        assert (seen.nearest(difference_hash(same)) or 0) <= 3
    assert (seen.nearest(difference_hash(cat)) or 0) > 3


# --- The whole way. ---


def content_of(experiment: Experiment) -> dict[str, bytes]:
    files = [experiment.rating_images, experiment.work / "image_set.parquet", *experiment.rating_pictures.glob("*")]
    return {path.name: path.read_bytes() for path in files}


def test_the_set_can_be_rated_and_says_style_and_theme_of_each_image_afterwards(tmp_path: Path) -> None:
    experiment = Experiment(tmp_path)
    made = image_set.make(experiment, study(described(number=13)))
    pool = read_rating_images(experiment.rating_images)
    assert (len(pool), made.cells, made.by_generator, made.rendered, made.missing) == (13, 6, {"sketch": 13}, 13 + made.duplicates, ())
    of_each = Counter((source["type"], source["group"], source["style"]) for source in sources(experiment).values())
    assert set(of_each) == {("art", theme, style) for theme in ("boats", "cats") for style in ("watercolour", "oil")}
    assert sorted(of_each.values()) == [2, 2, 4, 5]
    write_ratings(experiment.rated, [replace(rating_given("ann", 0, "image-00", 4), image=pool[3].image)])
    rated = ratings.read(tmp_path, layout="own")
    known = rated.images.loc[pool[3].image]
    source = sources(experiment)[pool[3].image]
    assert (known["group"], known["style"], known["type"]) == (source["group"], source["style"], "art")
    table = pd.read_parquet(experiment.work / "image_set.parquet").set_index("image")
    assert table.loc[source["source"], "prompt"] == pool[3].prompt


def test_running_it_again_renders_nothing_and_gives_the_same_bytes(tmp_path: Path) -> None:
    one, other = Experiment(tmp_path / "one"), Experiment(tmp_path / "other")
    image_set.make(one, study(described()))
    before = content_of(one)
    assert image_set.make(one, study(described())).rendered == 0
    assert content_of(one) == before
    image_set.make(other, study(described()))
    assert content_of(other) == before


def test_simulated_raters_whose_tastes_are_known_say_what_they_like(tmp_path: Path) -> None:
    from stimuli import production

    experiment, settings = Experiment(tmp_path), study(described())
    assert not image_set.make(experiment, settings).has_simulated_raters
    experiment.settings.touch()
    production.make_ratings(experiment, settings)
    made = image_set.make(experiment, settings)
    assert made.has_simulated_raters
    assert {row.stimulus for row in read_utilities(experiment.rating_utilities)} == {image.image for image in made.pool.images}


class Paints:
    """A generator whose image depends on what is told: a picture by the seed, the same picture always, or none at all."""

    def __init__(self, name: str, *, same: bool = False, refuses: str | None = None) -> None:
        self.spec = GeneratorSpec(name, "1", True, {})
        self._same, self._refuses = same, refuses
        self._sketch = generators.make("sketch", rendering=generators.Rendering(64))

    def render(self, prompts: list[str], seeds: list[int]) -> list[Image.Image]:
        for prompt in prompts:
            if self._refuses is not None and self._refuses in prompt:
                raise ExperimentError(f'the service would not paint "{prompt}"')
        return self._sketch.render(["a tree"] * len(prompts) if self._same else prompts, [1] * len(prompts) if self._same else seeds)


def by(monkeypatch: pytest.MonkeyPatch, **painters: Paints) -> None:
    """Let these generators stand where study.toml names some."""
    names = {"one": "sketch", "two": "flux2"}
    there = {names[name]: painter for name, painter in painters.items()}
    monkeypatch.setattr(image_set.learning, "generator", lambda _, table: there[table.generator])


def test_two_generators_share_and_a_refusal_costs_one_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    by(monkeypatch, one=Paints("one"), two=Paints("two", refuses="a cat, oil"))
    made = image_set.make(Experiment(tmp_path), study(described(number=12, names=("sketch", "flux2"))))
    assert made.by_generator == {"sketch": 6, "flux2": 5}
    [missing] = made.missing
    assert missing.prompt == "a cat, oil painting"
    assert 'the service would not paint "a cat, oil painting"' in missing.reason
    assert len(read_rating_images(tmp_path / "rating_images.parquet")) == 11


def test_a_refusal_that_is_alone_in_its_batch_costs_one_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    last = shared_out(cells(described(), tmp_path, seed=7), 6, ("sketch",))[-1].cell.prompt
    by(monkeypatch, one=Paints("one", refuses=last))
    monkeypatch.setattr(image_set, "_TOGETHER", 5)
    made = image_set.make(Experiment(tmp_path), study(described()))
    assert (made.by_generator, [missing.prompt for missing in made.missing]) == ({"sketch": 5}, [last])


def test_a_service_that_goes_down_in_the_midst_stops_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    painter = Paints("one")
    by(monkeypatch, one=painter)
    monkeypatch.setattr(image_set, "_TOGETHER", 3)
    painted, number = painter.render, {"done": 0}

    def first(prompts: list[str], seeds: list[int]) -> list[Image.Image]:
        found = painted(prompts, seeds)
        number["done"] += len(found)
        if number["done"] >= 3:
            painter._refuses = "a"
        return found

    monkeypatch.setattr(painter, "render", first)
    with pytest.raises(ExperimentError, match="sketch: none of 3 images could be made"):
        image_set.make(Experiment(tmp_path), study(described()))


def test_a_generator_that_gives_nothing_stops_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    by(monkeypatch, one=Paints("one"), two=Paints("two", refuses="a"))
    with pytest.raises(ExperimentError, match=r"flux2: none of 6 images could be made, the first because: .*would not paint"):
        image_set.make(Experiment(tmp_path), study(described(number=12, names=("sketch", "flux2"))))


def test_images_that_look_like_others_are_tried_again_and_then_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    by(monkeypatch, one=Paints("one", same=True))
    made = image_set.make(Experiment(tmp_path), study(replace(described(), tries=3)))
    assert made.by_generator == {"sketch": 1}
    assert (made.duplicates, len(made.missing)) == (15, 5)
    assert "3 images of it looked like others (their hashes differ in 3 of 64 bits or fewer); reword" in made.missing[0].reason


# --- What is wrong with a set. ---


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (ImageSet(number=3), "[[stimuli.image_set.domain]] is missing; add at least one, with a name, styles and contents"),
        (replace(described(), number=None), '"number" is missing; there are 6 pairs of a style and a content, so 6 or a multiple of it'),
        (
            described(number=5),
            '"number" is 5, but there are 6 pairs of a style and a content; raise it to at least 6, or shorten the lists',
        ),
        (described(names=("skech",)), '"generators" is "skech", which is no known generator; did you mean "sketch"?'),
        (described(names=("sketch", "sketch")), '"generators" names "sketch" more than once; name each generator once'),
        (described(replace(ART, styles=())), '"styles" is an empty list; add at least one, or name a file with styles_file'),
        (described(replace(ART, styles=("Oil", "oil"))), '"styles" holds "oil" 2 times; leave one'),
        (
            described(replace(ART, contents=("a | b", "c | "))),
            '"contents" holds an entry without words; write "name | words", or only words',
        ),
        (described(replace(ART, contents_file="no.txt")), '"contents_file" is "no.txt", and '),
        (described(ART, ART, number=12), '[[stimuli.image_set.domain]] 1 ("art") "name" is "art", which another domain has'),
        (replace(described(), template="{content} in oil"), '"template" is "{content} in oil" and lacks {style}; write them'),
    ],
)
def test_mistakes_are_told_with_their_place(tmp_path: Path, wrong: ImageSet, told: str) -> None:
    experiment = Experiment(tmp_path)
    with pytest.raises(SettingsError) as error:
        image_set.make(experiment, study(wrong))
    assert told in str(error.value)


def test_a_study_without_an_image_set_is_told_how_to_describe_one(tmp_path: Path) -> None:
    assert not list(mistakes(ImageSet(), tmp_path))
    with pytest.raises(ExperimentError, match=r"study\.toml: describes no image set; add \[stimuli\.image_set\] with a number"):
        image_set.make(Experiment(tmp_path), study(ImageSet()))


def test_images_that_people_rated_stay(tmp_path: Path) -> None:
    experiment = Experiment(tmp_path)
    image_set.make(experiment, study(described()))
    experiment.rating_database.touch()
    with pytest.raises(ExperimentError, match="a rating study has begun, and this would change its images"):
        image_set.make(experiment, study(described(number=7)))


def test_a_name_says_all_that_makes_an_image_another() -> None:
    every = cells(described(), Path(), seed=1)
    names = [Wish(cell, maker, number).name for cell in every for maker in ("a", "b") for number in (1, 2)]
    assert len(set(names)) == len(names)


def test_the_example_has_two_domains_and_21_themes() -> None:
    study_toml = Path(__file__).parent.parent / "examples" / "image-set" / "study.toml"
    described_there = tomllib.loads(study_toml.read_text(encoding="utf-8"))["stimuli"]["image_set"]
    example = TypeAdapter(ImageSet).validate_python(described_there)
    assert not list(mistakes(example, study_toml.parent))
    every = cells(example, study_toml.parent, seed=1)
    assert {cell.domain for cell in every} == {"art", "photography"}
    assert len({(cell.domain, cell.content.name) for cell in every}) == 21
    assert example.number == 2 * len(every) == 2 * len({cell.prompt for cell in every})


def test_the_command_says_what_came_out_and_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    by(monkeypatch, one=Paints("one", refuses="a cat, oil"))
    asked = CliRunner().invoke(commands.app, ["images", str(tmp_path)], obj=lambda folder: (Experiment(folder), study(described())))
    said = asked.stdout
    assert "5 images of 6 pairs of a style and a content (5 by sketch); 5 images rendered now, 0 near-duplicates dropped." in said
    assert "1 images are missing:" in said and 'the service would not paint "a cat, oil painting"' in said
    assert f"Next: tastebench study plan --rating {tmp_path}" in said
