"""Looks: which words of a text mean light, air, palette, camera, composition, mood or style; the last mention on an axis wins."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from stimuli.generators.sketch.tone import Tone, total
from stimuli.generators.sketch.words import Lexicon, lexicon, mentions

# An axis holds the choices that exclude one another, so that mist and moonlight, or grain and watercolour, can be asked for together.
_AXES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "light": {
            "day": "daylight, natural light, morning light, sunny, sunlit, sunlight, daytime, afternoon light, bright daylight, "
            "blue sky, bright blue sky",
            "golden": "golden hour light, golden hour, golden light, warm light, warm sunlight, golden glow, golden sunlight, "
            "late afternoon, "
            "late afternoon light, warm golden, low sun, evening light, evening sun, sunrise, dawn, amber light, honeyed light",
            "dusk": "sunset, dusk, sundown, setting sun, evening, afterglow, sunset light",
            "blue": "blue hour light, blue hour, twilight, cold dawn, before dawn, nightfall",
            "overcast": "soft overcast light, overcast light, overcast, cloudy, grey sky, gray sky, diffuse light, diffused light, "
            "soft light, "
            "soft natural light, even light, flat light, rain, rainy",
            "midday": "harsh midday sun, midday sun, midday, noon, harsh sun, harsh light, hard light, bright sun, blazing sun, "
            "strong sunlight, direct sunlight, scorching",
            "neon": "neon light, neon, neon sign, neon glow, cyberpunk, city lights, synthwave, vaporwave",
            "candle": "candlelight, candle light, candlelit, firelight, lamplight, lantern light, fireside, dimly lit, dim light, "
            "torchlight",
            "moon": "moonlight, moonlit, moon, full moon, night, night time, nighttime, midnight, nocturnal, starry, starlight, "
            "starry sky, "
            "night sky",
        },
        "air": {
            "misty": "misty light, misty, mist, fog, foggy, haze, hazy, morning mist, smoke, smoky, steam, steamy, dusty",
            "humid": "humid, humid air, atmospheric, ethereal glow, damp, moist, tropical air",
            "clear": "clear air, clear sky, crystal clear, clear day",
        },
        "side": {
            "backlit": "strong backlight, backlight, backlit, silhouette, silhouetted, contre jour, against the light, rim light, "
            "rim lighting",
            "front": "front light, front lit, frontal light",
        },
        "shafts": {
            "rays": "light ray, ray of light, sunbeam, god ray, light shaft, shaft of light, tyndall effect, tyndall, light beam, "
            "sun ray, "
            "crepuscular ray, beam of light, volumetric light, volumetric lighting, light falling, dappled light",
        },
        "palette": {
            "warm": "warm palette, warm colour, warm color, warm tone, warm hue, warm",
            "cool": "cool palette, cool colour, cool color, cool tone, cool hue, cold palette, cold colour, cold color, cold tone, "
            "teal tone",
            "muted": "muted colour, muted color, muted palette, muted tone, muted, desaturated, subdued, subdued colour, washed out, faded",
            "vivid": "vivid saturated colour, vivid saturated color, vivid colour, vivid color, vivid, saturated, saturated colour, "
            "saturated color, vibrant colour, vibrant color, bold colour, bold color, bright colour, bright color, colourful, "
            "colorful, rich colour, rich color, hdr, kaleidoscope",
            "monochrome": "monochrome, monochromatic, black and white, black white, greyscale, grayscale, noir, film noir, silver gelatin",
            "pastel": "pastel colour, pastel color, pastel, pastel palette, pastel tone, soft pastel",
            "earthy": "earthy tone, earthy, earth tone, earthy palette, earthy colour, earthy color, ochre, sepia, rustic, "
            "terracotta tone, "
            "natural colour, natural color",
            "natural": "full colour, full color, true colour, true color",
        },
        "lens": {
            "wide": "wide angle view, wide angle, wide shot, wide view, panorama, panoramic, sweeping, expansive, vast, fisheye, "
            "long shot, "
            "distant view, establishing shot",
            "close": "close up, closeup, macro, extreme close up, detail shot, up close, intimate view",
            "tele": "telephoto view, telephoto, telephoto lens, long lens, compressed perspective, zoomed in, 85mm",
            "normal": "eye level view, normal lens, medium shot, 50mm",
        },
        "angle": {
            "low": "low angle, low angle shot, low angle view, worm eye view, looking up, from below, low viewpoint",
            "high": "high angle, high angle shot, high angle view, bird eye view, aerial view, aerial, from above, overhead, top down, "
            "looking down, downward angle, drone view, drone shot",
            "level": "eye level, straight on",
        },
        "tilt": {
            "tilted": "dutch angle, dutch tilt, canted angle, canted, tilted, tilted horizon, oblique angle, skewed",
            "upright": "level horizon, straight horizon",
        },
        "composition": {
            "symmetrical": "symmetrical composition, symmetrical, symmetry, symmetric, centred composition, centered composition, "
            "mirrored, "
            "balanced composition",
            "thirds": "rule of thirds, rule of third, off centre, off center, asymmetrical, asymmetric composition",
            "space": "plenty of empty space, empty space, negative space, minimalist, minimal, minimalistic, sparse, uncluttered, "
            "open space, "
            "spacious, emptiness",
            "tight": "tight framing, tightly framed, tight crop, tight composition, frame filling, fills the frame, cropped, "
            "intimate framing, "
            "tight shot",
        },
        "mood": {
            "serene": "serene mood, serene, calm, peaceful, tranquil, quiet mood, serenity, gentle mood, still mood",
            "mysterious": "mysterious mood, mysterious, mystical, mystery, enigmatic, eerie, haunting, secretive, ominous, gothic",
            "cheerful": "cheerful mood, cheerful, happy, joyful, playful, lively, upbeat, festive, joyous, sunny mood, whimsical",
            "melancholic": "melancholic mood, melancholic, melancholy, sad, sombre, somber, wistful, lonely, gloomy, nostalgic, bleak",
            "dreamy": "dreamy mood, dreamy, dreamlike, ethereal, surreal, enchanted, enchantment, fantastical, magical, otherworldly, "
            "fairytale",
            "dramatic": "dramatic mood, dramatic, epic, intense, cinematic, moody, powerful, dynamic, dramatic lighting",
        },
        "medium": {
            "film": "film photograph, film photo, analogue photograph, analog photograph, 35mm film, film photography, kodak, polaroid, "
            "vintage photograph, analog film, analogue film",
            "watercolour": "watercolour, watercolor, aquarelle, watercolour painting, watercolor painting, ink wash",
            "oil": "oil painting, oil on canvas, oil paint, impasto, impressionist, impressionist painting, painterly, brush stroke, "
            "brushwork, acrylic painting",
            "poster": "flat poster, poster, screen print, screenprint, flat design, flat illustration, vector art, graphic poster, "
            "travel poster, posterised, posterized, linocut, woodcut, risograph, pop art",
            "photo": "photograph, photo, photorealistic, digital photograph, photography",
        },
        "grain": {"grainy": "fine film grain, film grain, grain, grainy, fine grain, noisy, gritty"},
        "contrast": {
            "contrasty": "high contrast, strong contrast, hard contrast, bold contrast, stark, chiaroscuro, punchy",
            "gentle": "low contrast, soft contrast, gentle contrast, soft tone, flat contrast",
        },
        "focus": {
            "soft": "soft focus, blurry, blurred, out of focus, soft edge, softness, motion blur, gauzy, diffusion",
            "crisp": "crisp detail, crisp, sharp, sharp focus, sharp detail, highly detailed, fine detail, intricate, "
            "intricate detail, detailed, "
            "hyperdetailed, tack sharp, deep focus, 4k, 8k",
        },
        "depth": {"shallow": "shallow depth of field, bokeh, shallow focus, blurred background, wide aperture"},
        "key": {
            "bright": "high key, bright, luminous, radiant, glowing, airy, brightly lit, light filled, well lit",
            "dark": "low key, dark, shadowy, darkness, underexposed, dim, dark shadow, deep shadow",
        },
    }
)


@dataclass(frozen=True)
class Look:
    """How a picture shall look: the choice on each axis that the text speaks of, and the tone they add up to."""

    choices: Mapping[str, str]
    tone: Tone

    def choice(self, axis: str, otherwise: str = "") -> str:
        """Return the choice on an axis, `otherwise` where the text does not say."""
        return self.choices.get(axis, otherwise)


def read_look(text: str) -> Look:
    """Return the look that a text asks for; words about content are left to `scene`."""
    choices: dict[str, str] = {}
    for mention in mentions(text, _lexicon()):
        axis, choice = mention.split(":")
        choices[axis] = choice
    return Look(choices=choices, tone=total(choices.values()))


@lru_cache(maxsize=1)
def _lexicon() -> Lexicon:
    return lexicon({f"{axis}:{choice}": phrases for axis, options in _AXES.items() for choice, phrases in options.items()})
