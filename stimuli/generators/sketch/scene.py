"""Scenes: which words of a text name things and places, and what the painter puts into the picture for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from stimuli.generators.sketch.colours import NAMED
from stimuli.generators.sketch.light import RGB
from stimuli.generators.sketch.subjects import SUBJECTS
from stimuli.generators.sketch.words import Lexicon, lexicon, mentions

# More things than this crowd a small picture.
_MOST = 5

SUBJECT_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "monstera": "monstera, monstera deliciosa, swiss cheese plant, big leaved plant, big leaf plant, giant leaf, tropical plant, "
        "jungle plant, "
        "elephant ear",
        "plant": "plant, potted plant, houseplant, house plant, greenery, foliage, leaf, indoor plant, shrub, bush, herb",
        "fern": "fern, boston fern, potted fern",
        "palm plant": "areca palm, kentia palm, tree fern, cycad",
        "bird of paradise": "bird of paradise, bird of paradise plant, strelitzia",
        "fig": "fig, fig tree, fiddle leaf, fiddle leaf fig, fiddle leaf fig tree, ficus, rubber plant",
        "cactus": "cactus, cacti, succulent, saguaro, agave",
        "vine": "vine, hanging vine, ivy, philodendron, pothos, creeper, trailing plant, hanging plant, liana, climbing plant",
        "pearls": "string of pearl, pearl, string of heart, hanging succulent",
        "bouquet": "bouquet, vase, vase of flower, flower vase, flower arrangement, cut flower",
        "rocks": "rock, stone, boulder, mossy rock, pebble, cairn",
        "floating rocks": "floating rock, floating mossy rock, rock floating, mossy rock floating, floating island, floating stone, "
        "floating boulder, "
        "levitating rock, flying island, island in the sky, rock floating in the air, hovering rock",
        "waterfall": "waterfall, cascade, cliff",
        "flowers": "flower, wildflower, wild flower, poppy, tulip, rose, sunflower, daisy, blossom, lavender field, lily, peony, "
        "flower garden",
        "mushroom": "mushroom, toadstool, fungus",
        "tree": "tree, oak, oak tree, maple, birch, willow, elm, beech, linden",
        "blossom tree": "cherry blossom, cherry tree, blossoming tree, orchard in blossom, tree in blossom, in blossom, "
        "sakura, magnolia, apple tree",
        "pine": "pine, pine tree, fir, spruce, conifer, christmas tree, cypress",
        "palm tree": "palm, palm tree, coconut, coconut palm",
        "bare tree": "bare tree, dead tree, old tree, gnarled tree",
        "lighthouse": "lighthouse, light house, beacon",
        "house": "house, cottage, farmhouse, villa, barn, farm, building, chapel, church, village",
        "cabin": "cabin, log cabin, hut, shed, chalet, lodge, treehouse",
        "castle": "castle, palace, fortress, tower, temple, cathedral, ruin",
        "windmill": "windmill, mill",
        "bridge": "bridge, stone bridge, aqueduct, viaduct",
        "skyline": "skyline, city skyline, city, skyscraper, metropolis, cityscape",
        "cat": "cat, kitten, tabby",
        "dog": "dog, puppy, hound, fox, wolf",
        "bird": "bird, robin, sparrow, owl, kingfisher, parrot, finch, hummingbird",
        "horse": "horse, pony, mare, stallion",
        "deer": "deer, stag, elk, moose, antelope",
        "butterfly": "butterfly, moth, dragonfly",
        "portrait": "portrait, face, woman portrait, girl with, self portrait, head",
        "figure": "person, man, woman, girl, boy, child, people, traveller, traveler, wanderer, hiker, figure, old man, lady, fisherman",
        "dress": "dress, gown, evening dress, wedding dress, skirt, fashion",
        "dancer": "dancer, ballerina, ballet dancer, dancing woman, dancing girl",
        "umbrella": "umbrella, parasol",
        "armchair": "reading nook, nook, armchair, leather armchair, arm chair, easy chair, reading chair, wingback",
        "sofa": "sofa, couch, settee",
        "chair": "chair, stool, rocking chair, bench",
        "bed": "bed, blanket, quilt",
        "lamp": "lamp, floor lamp, lantern, reading lamp",
        "bookshelf": "small bookshelf",
        "ladder": "ladder, stepladder",
        "spiral stairs": "staircase, spiral staircase, stair, spiral stair, winding stair, winding staircase",
        "piano": "piano, grand piano, organ",
        "fruit": "fruit, bowl of fruit, fruit bowl, bowl, apple, orange fruit, pear, lemon, grape, peach",
        "cup": "cup, mug, coffee, tea, espresso, cup of coffee, cup of tea, coffee cup, teacup, cappuccino, soup, ramen",
        "teapot": "teapot, tea pot, kettle",
        "cake": "cake, birthday cake, dessert, pastry, pie, cupcake, food, meal, dish",
        "bread": "bread, loaf, baguette, sourdough, toast, cheese",
        "candle": "candle, candlestick",
        "jug": "jug, pitcher, ceramic, pottery, bottle, wine",
        "open book": "open book, stack of book, pile of book, notebook, old book",
        "boat": "boat, sailing boat, sailboat, yacht, small boat, sail, small sailing boat, fishing boat, regatta, dinghy",
        "rowing boat": "rowing boat, rowboat, canoe, kayak, gondola, raft",
        "ship": "ship, ferry, steamship, ocean liner, freighter",
        "car": "car, old car, vintage car, automobile, taxi, bus, truck, van",
        "bicycle": "bicycle, bike, cyclist",
        "tram": "tram, streetcar, trolley, tramway, old tram",
        "stall": "stall, food stall, market stall, fruit stall, booth, kiosk",
        "train": "train, steam train, locomotive, railway",
        "balloon": "balloon, hot air balloon, airship, zeppelin",
    }
)

_PLACE_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "glasshouse": "glasshouse, greenhouse, conservatory, hothouse, orangery, botanical garden, winter garden, palm house",
        "library": "bookshelf, bookcase, library, wall of book, book, reading room, bookshop, bookstore",
        "concrete": "concrete wall, concrete, raw concrete, raw concrete wall, brutalist, cement wall, stone wall, wall",
        "room": "room, apartment, studio apartment, interior, living room, bedroom, kitchen, loft, attic, studio, home, "
        "office, cafe, restaurant, windowsill, window",
        "table": "table, tabletop, still life, counter, breakfast, picnic",
        "lake": "lake, pond, river, reflection, lagoon, loch, fjord, stream, canal, marsh, reservoir",
        "sea": "sea, ocean, coast, rocky coast, shore, rocky shore, harbour, harbor, bay, wave, cape, headland, surf, seaside",
        "beach": "beach, seashore, sandy beach, tropical beach, sand, dune beach",
        "desert": "desert, dune, sand dune, sahara, canyon, oasis, badland",
        "snow": "snow, snowy, winter, ice, icy, arctic, glacier, frost, frozen, snowfall, ski slope",
        "forest": "forest, wood, woodland, jungle, rainforest, grove, mystical forest, pine forest, undergrowth",
        "road": "road, coast road, track",
        "street": "street, city street, alley, avenue, boulevard, sidewalk, pavement, town, village street, downtown, lane, market",
        "meadow": "meadow, field, hill, countryside, valley, garden, pasture, park, prairie, grassland, farmland, vineyard, landscape, "
        "lawn, orchard",
        "theatre": "theatre, theater, empty theatre, opera house, stage, on stage, theatre stage, ballroom",
        "backdrop": "backdrop, photo studio, studio portrait, fashion shoot, plain background",
    }
)

# Beside one of these, a vague word names the same thing again: the leaves of the fig, the stone of the wall.
_SAID_ALREADY: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "plant": frozenset({"monstera", "fern", "palm plant", "bird of paradise", "fig", "vine", "pearls", "tree"}),
        "figure": frozenset({"portrait", "dress", "umbrella", "dancer"}),
        "dress": frozenset({"dancer"}),
        "tree": frozenset({"blossom tree"}),
        "flowers": frozenset({"blossom tree"}),
        # A city is not inside a room, and a street has its own.
        "skyline": frozenset({"room", "library", "glasshouse", "concrete", "table", "street", "theatre"}),
        "rocks": frozenset({"concrete", "floating rocks", "waterfall"}),
    }
)

# Distant things, which a place paints behind its subjects.
_FEATURE_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "mountains": "mountain, mountain range, peak, alp, volcano, summit, himalaya, cliffs",
        "hills": "rolling hill, hillside",
        "coast": "coastline",
    }
)


@dataclass(frozen=True)
class Cast:
    """One subject of a scene and the colour that the text gives it."""

    name: str
    accent: RGB | None = None


@dataclass(frozen=True)
class Scene:
    """A place, the subjects in order of mention (the first is the main one), and distant features."""

    place: str
    cast: tuple[Cast, ...]
    features: frozenset[str]


def read_scene(text: str) -> Scene:
    """Return what a text shows: the first place it names, or else the one where its first subject is usually found."""
    places: list[str] = []
    cast: dict[str, Cast] = {}
    features: set[str] = set()
    accent: RGB | None = None
    for mention in mentions(text, _lexicon()):
        kind, name = mention.split(":")
        if kind == "colour":
            accent = NAMED[name]
            continue
        if kind == "subject" and len(cast) < _MOST:
            cast.setdefault(name, Cast(name, accent))
        elif kind == "place":
            places.append(name)
        elif kind == "feature":
            features.add(name)
        accent = None
    place = _place(places, cast, features)
    if place == "table" and "fig" in cast:
        # On a table it is the fruit.
        cast = {"fruit" if name == "fig" else name: Cast("fruit", one.accent) if name == "fig" else one for name, one in cast.items()}
    for vague, telling in _SAID_ALREADY.items():
        if telling & {place, *cast} - {vague}:
            cast.pop(vague, None)
    return Scene(place=place, cast=tuple(cast.values()), features=frozenset(features | set(places) - {place}))


def _place(places: list[str], cast: Mapping[str, Cast], features: set[str]) -> str:
    if places:
        # A road leads through somewhere.
        return next((place for place in places if place != "road"), "street")
    if cast:
        return SUBJECTS[next(iter(cast))].place
    return "lake" if "mountains" in features else "meadow" if features else "elsewhere"


@lru_cache(maxsize=1)
def _lexicon() -> Lexicon:
    phrases = {f"subject:{name}": words for name, words in SUBJECT_WORDS.items()}
    phrases |= {f"place:{name}": words for name, words in _PLACE_WORDS.items()}
    phrases |= {f"feature:{name}": words for name, words in _FEATURE_WORDS.items()}
    phrases |= {f"colour:{name}": name for name in NAMED}
    # Words that a colour before them belongs to, so that "blue sky" does not paint the boat.
    phrases |= {"none:": "sky, water, light, palette, tone, grass, horizon, hour, and, colour, color, wall"}
    return lexicon(dict(reversed(phrases.items())))
