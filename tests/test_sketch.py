"""The offline painter: the same words give the same picture, and words change it in the direction they name."""

from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from stimuli import pixels
from stimuli.experiment import ExperimentError
from stimuli.generators.sketch import VERSION, paint
from stimuli.generators.sketch.light import LIGHTS
from stimuli.generators.sketch.look import read_look
from stimuli.generators.sketch.pen import Pen
from stimuli.generators.sketch.scene import SUBJECT_WORDS, read_scene
from stimuli.generators.sketch.subjects import SUBJECTS
from stimuli.generators.sketch.subjects.cast import Part
from stimuli.generators.sketch.words import lexicon, mentions
from stimuli.vocabulary import AXES

PHRASES = [phrase for phrases in AXES.values() for phrase in phrases]
SCENES = (
    "A lighthouse on a rocky coast, with a small sailing boat passing",
    "An old glasshouse crowded with giant Monstera leaves",
    "Tall bookshelves with philodendrons between the books, and a leather armchair",
    "A bowl of fruit",
    "A red dress",
    "A forest",
)
SIDE = 128  # the size at which `pixels` measures, so that nothing is rescaled


@lru_cache(maxsize=1024)
def painted(prompt: str, seed: int = 1, size: int = SIDE) -> NDArray[np.float64]:
    return pixels.rgb(paint(prompt, seed=seed, size=size))


def means(measure, style: str = "") -> NDArray[np.float64]:
    """Return a measure of each scene painted with a style."""
    return np.array([measure(painted(f"{scene}, {style}" if style else scene, seed)) for seed, scene in enumerate(SCENES)])


def saturation(colours: NDArray[np.float64]) -> float:
    return float(pixels.saturation(colours).mean())


def high_frequency(colours: NDArray[np.float64]) -> float:
    """Return the energy left when each pixel's neighbours are taken away."""
    light = pixels.luma(colours)
    around = (np.roll(light, 1, 0) + np.roll(light, -1, 0) + np.roll(light, 1, 1) + np.roll(light, -1, 1)) / 4
    return float((light - around)[1:-1, 1:-1].var())


def red_share(style: str) -> float:
    """Return the share of the picture that a red dress takes."""
    return float(np.mean([red(painted(f"red dress, {style}", seed)).mean() for seed in range(6)]))


def red(colours: NDArray[np.float64]) -> NDArray[np.bool_]:
    return (colours[..., 0] > 0.45) & (colours[..., 1] < 0.4) & (colours[..., 2] < 0.4)


def sky_share(style: str, columns: slice = slice(None)) -> float:
    """Return the share of blue in pictures of a desert."""
    blue = [
        (image[:, columns, 2] > image[:, columns, 0] + 0.02).mean() for image in (painted(f"desert, {style}", seed) for seed in range(6))
    ]
    return float(np.mean(blue))


# --- The same arguments give the same picture. ---


def test_the_same_arguments_give_the_same_bytes():
    prompt = "A lighthouse at dusk, watercolour, film grain"
    assert paint(prompt, seed=7, size=64).tobytes() == paint(prompt, seed=7, size=64).tobytes()


def test_what_was_painted_before_does_not_matter():
    first = paint("A cat, oil painting", seed=3, size=64).tobytes()
    for prompt in PHRASES[:8]:
        paint(prompt, seed=9, size=48)
    assert paint("A cat, oil painting", seed=3, size=64).tobytes() == first


def test_the_seed_moves_the_layout_and_not_only_the_grain():
    rows = [np.flatnonzero(red(painted("red dress", seed)).any(axis=0)).mean() for seed in range(8)]
    assert np.ptp(rows) > 8  # pixels of 128


def test_a_word_of_style_leaves_the_layout_as_it_is():
    plain, vivid = (pixels.luma(painted(f"red boat{style}")) for style in ("", ", cool palette"))
    assert np.corrcoef(plain.ravel(), vivid.ravel())[0, 1] > 0.98


def test_the_version_names_the_painter():
    assert VERSION


@pytest.mark.parametrize("size", [1, 2, 7, 33, 200])
def test_any_size_can_be_asked_for(size):
    assert paint("A house by the sea, dutch angle, soft focus", seed=0, size=size).size == (size, size)


# --- Words of the vocabulary, and their direction. ---


@pytest.mark.parametrize("phrase", PHRASES)
def test_every_phrase_of_the_vocabulary_changes_the_picture(phrase):
    changes = [np.abs(painted(f"{scene}, {phrase}", seed) - painted(scene, seed)).mean() for seed, scene in enumerate(SCENES)]
    assert np.mean(changes) > 0.008


@pytest.mark.parametrize("phrase", PHRASES)
def test_no_phrase_of_the_vocabulary_changes_what_is_shown(phrase):
    assert all(read_scene(f"{scene}, {phrase}") == read_scene(scene) for scene in SCENES)


DIRECTIONS = [
    (pixels.brightness, -1, ["blue hour light", "neon light", "candlelight", "moonlight", "mysterious mood", "melancholic mood"]),
    (pixels.brightness, +1, ["pastel colours", "cheerful mood", "watercolour", "misty light", "high key"]),
    (pixels.warmth, +1, ["golden hour light", "candlelight", "warm palette", "earthy tones", "sunset"]),
    (pixels.warmth, -1, ["blue hour light", "moonlight", "cool palette", "melancholic mood"]),
    (saturation, +1, ["vivid saturated colours", "neon light", "cheerful mood", "flat poster"]),
    (saturation, -1, ["muted colours", "soft overcast light", "melancholic mood", "misty light", "pastel colours", "mysterious mood"]),
    (pixels.contrast, +1, ["harsh midday sun", "high contrast", "dramatic mood", "strong backlight"]),
    (pixels.contrast, -1, ["soft overcast light", "misty light", "serene mood", "pastel colours"]),
    (pixels.detail, +1, ["crisp detail", "fine film grain", "oil painting", "watercolour"]),
    (pixels.detail, -1, ["soft focus", "dreamy mood", "serene mood", "misty light"]),
    (pixels.openness, +1, ["plenty of empty space", "flat poster"]),
    (high_frequency, +1, ["fine film grain", "film photograph", "crisp detail"]),
    (high_frequency, -1, ["soft focus"]),
]


@pytest.mark.parametrize(("measure", "sign", "phrase"), [(m, s, p) for m, s, phrases in DIRECTIONS for p in phrases])
def test_a_phrase_moves_what_it_names(measure, sign, phrase):
    change = sign * (means(measure, phrase) - means(measure))
    assert change.mean() > 0
    assert (change > 0).sum() >= 4  # of six scenes


def test_light_falls_in_order_from_day_to_night():
    order = [means(pixels.brightness, light).mean() for light in ("daylight", "golden hour light", "blue hour light", "moonlight")]
    assert order == sorted(order, reverse=True)


def test_monochrome_has_no_saturation_at_all_even_on_film_in_neon_light():
    assert np.ptp(np.asarray(paint("A forest, film photograph, neon light, monochrome", seed=2, size=64)), axis=2).max() == 0


def test_the_lens_and_the_framing_set_how_much_of_the_picture_the_subject_takes():
    shares = [red_share(style) for style in ("plenty of empty space", "wide-angle view", "", "tight framing", "close-up")]
    assert shares == sorted(shares)
    assert red_share("telephoto view") > red_share("")


def test_the_angle_moves_the_horizon():
    assert sky_share("high angle") < sky_share("") < sky_share("low angle")


def test_a_dutch_angle_tilts_the_horizon():
    def lean(style: str) -> float:
        """Return how differently far up the sand of a beach reaches at the two sides."""
        sand = [painted(f"beach{style}", seed)[64:, :, :] for seed in range(6)]
        reach = [(image[..., 0] > image[..., 2] + 0.1).mean(axis=0) for image in sand]
        return float(np.mean([abs(row[:20].mean() - row[-20:].mean()) for row in reach]))

    assert lean(", dutch angle") > 3 * lean("")


def test_a_symmetrical_composition_is_more_like_its_mirror_image():
    def lopsided(style: str) -> float:
        return float(means(lambda image: np.abs(image - image[:, ::-1]).mean(), style).mean())

    assert lopsided("symmetrical composition") < 0.6 * lopsided("")


def test_the_rule_of_thirds_puts_the_subject_on_a_third():
    for seed in range(6):
        middle = np.nonzero(red(painted("red dress, rule of thirds", seed)))[1].mean() / 128
        assert min(abs(middle - 1 / 3), abs(middle - 2 / 3)) < 0.07


def test_a_watercolour_leaves_bare_paper_at_its_edge():
    edge = painted("moonlit lake, watercolour")[[0, -1]].mean()
    assert edge > 0.9 > painted("moonlit lake")[[0, -1]].mean()


def test_a_flat_poster_gathers_its_tones_on_a_few_steps():
    def fullest(style: str) -> float:
        light = pixels.luma(np.asarray(paint(f"forest{style}", seed=1, size=128)) / 255)
        return float(np.sort(np.histogram(light, bins=64, range=(0, 1))[0])[-8:].sum() / light.size)

    assert fullest(", flat poster") > fullest("") + 0.15


# --- Reading. ---


@pytest.mark.parametrize("phrases", AXES.values(), ids=AXES.keys())
def test_phrases_of_different_kinds_combine(phrases):
    others = [other for kind in AXES.values() for other in kind if kind is not phrases][::5]
    for other in others:
        both = read_look(f"{phrases[0]}, {other}").choices
        assert both.items() >= read_look(phrases[0]).choices.items() | read_look(other).choices.items()


@pytest.mark.parametrize(
    ("earlier", "last"),
    [
        ("golden hour light", "moonlight"),
        ("warm palette", "cool palette"),
        ("wide-angle view", "close-up"),
        ("low angle", "high angle"),
        ("serene mood", "dramatic mood"),
        ("watercolour", "oil painting"),
        ("soft focus", "crisp detail"),
        ("rule of thirds", "tight framing"),
    ],
)
def test_the_last_mention_on_an_axis_wins(earlier, last):
    both = paint(f"A boat, {earlier}, {last}", seed=4, size=48)
    assert both.tobytes() == paint(f"A boat, {last}", seed=4, size=48).tobytes()
    assert both.tobytes() != paint(f"A boat, {earlier}", seed=4, size=48).tobytes()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A boat in GOLDEN LIGHT", "a boat, golden-hour light"),
        ("a boat by night", "a boat, moonlight"),
        ("a boat, foggy", "a boat, misty light"),
        ("a boat in black and white", "a boat, monochrome"),
        ("a low-angle shot of a boat", "a boat, low angle"),
        ("boats, pastel colors", "a boat, pastel colours"),
        ("a greenhouse", "a glasshouse"),
    ],
)
def test_synonyms_spellings_and_plurals_paint_the_same(one, other):
    assert paint(one, seed=5, size=48).tobytes() == paint(other, seed=5, size=48).tobytes()


def test_only_whole_words_match():
    known = lexicon({"cat": "cat", "car": "car", "art": "art of war"})
    assert mentions("A catalogue of cartoons, the art", known) == []
    assert mentions("Cats, the art of war, a CAR.", known) == ["cat", "art", "car"]


def test_a_colour_belongs_to_the_thing_named_after_it():
    scene = read_scene("a yellow car under a blue sky, beside a house")
    assert {cast.name: cast.accent is not None for cast in scene.cast} == {"car": True, "house": False}


@pytest.mark.parametrize(
    ("prompt", "place", "cast"),
    [
        (SCENES[0], "sea", ["lighthouse", "boat"]),
        (SCENES[1], "glasshouse", ["monstera"]),
        (SCENES[2], "library", ["vine", "armchair"]),
        ("Mossy rocks floating in the air above a quiet lake.", "lake", ["floating rocks"]),
        ("Raw concrete walls with massive Fiddle Leaf Figs and hanging String of Pearls.", "concrete", ["fig", "pearls"]),
        ("A tiny studio apartment with hanging vines, ferns and a reading nook", "room", ["vine", "fern", "armchair"]),
        ("A tiny city studio apartment with ferns", "room", ["fern"]),
        ("A crowded night market in the rain, food stalls and umbrellas.", "street", ["stall", "umbrella"]),
        ("An empty road through desert dunes with a single parked car.", "desert", ["car"]),
        ("An empty road with a car.", "street", ["car"]),
        ("A dancer in a flowing dress in an empty theatre.", "theatre", ["dancer"]),
        ("An old tram climbing a steep street between tiled houses.", "street", ["tram", "house"]),
        ("An orchard in blossom with a ladder leaning against a tree.", "meadow", ["blossom tree", "ladder"]),
        ("Breakfast for two on a balcony: coffee, bread and figs.", "table", ["cup", "bread", "fruit"]),
        ("A spiral staircase in an old library, seen from below.", "library", ["spiral stairs"]),
    ],
)
def test_the_example_prompts_are_understood(prompt, place, cast):
    scene = read_scene(prompt)
    assert (scene.place, [one.name for one in scene.cast]) == (place, cast)


# --- Subjects. ---


@pytest.mark.parametrize("name", SUBJECTS)
def test_every_subject_differs_from_what_an_unknown_one_gives(name):
    word = SUBJECT_WORDS[name].split(",")[0]
    unknown, known = painted("a zorblax", 2), painted(f"a {word}", 2)
    assert np.abs(known - unknown).mean() > 0.03


@pytest.mark.parametrize("name", SUBJECTS)
def test_every_subject_adds_to_its_surroundings(name):
    subject = SUBJECTS[name]
    canvas = Image.new("RGB", (128, 128))
    before = canvas.tobytes()

    subject.draw(Pen(canvas, LIGHTS["day"], 64, 64 if subject.spot in ("aloft", "hang") else 110, 80), Part(np.random.default_rng(0)))
    covered = (np.asarray(canvas) != np.frombuffer(before, np.uint8).reshape(128, 128, 3)).any(axis=2).mean()
    assert covered > 0.03


def test_an_unknown_subject_gives_a_picture_with_tones():
    assert pixels.contrast(painted("a zorblax of the seventh kind")) > 0.05


def test_subjects_of_several_places_share_one_picture():
    together, alone = painted("a lighthouse and a cat", 6), painted("a lighthouse", 6)
    assert np.abs(together - alone).mean() > 0.005


# --- Texts nobody planned for. ---


@pytest.mark.parametrize("prompt", ["", "   ", "\n\t"])
def test_an_empty_prompt_is_refused_with_a_clear_sentence(prompt):
    with pytest.raises(ExperimentError, match="a prompt is empty; the painter needs at least one word"):
        paint(prompt, seed=0, size=32)


def test_a_size_below_one_is_refused():
    with pytest.raises(ExperimentError, match="an image of 0 pixels a side was asked for; the least is 1"):
        paint("boat", seed=0, size=0)


def test_a_very_long_prompt_is_read_to_its_end():
    prompt = "A boat, moonlight, " + "very softly " * 2000 + "golden hour light"
    assert paint(prompt, seed=1, size=48).tobytes() == paint("A boat, golden hour light", seed=1, size=48).tobytes()


@given(text=st.text(min_size=1, max_size=200).filter(str.strip), seed=st.integers(0, 2**64), size=st.integers(1, 40))
@settings(max_examples=60, deadline=None)
def test_any_text_gives_a_picture(text, seed, size):
    image = paint(text, seed=seed, size=size)
    assert (image.mode, image.size) == ("RGB", (size, size))


@given(
    words=st.lists(
        st.sampled_from([*PHRASES, *(words.split(",")[0] for words in SUBJECT_WORDS.values()), "lake", "room", "street"]), min_size=1
    ),
    size=st.integers(1, 64),
)
@settings(max_examples=80, deadline=None)
def test_any_mixture_of_known_words_gives_a_picture(words, size):
    image = paint(" ".join(words), seed=3, size=size)
    assert (image.mode, image.size) == ("RGB", (size, size))
