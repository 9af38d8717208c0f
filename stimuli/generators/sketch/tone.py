"""Tone: what words of palette, mood and style do to the finished colours, as numbers that add up."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType

from stimuli.generators.sketch.light import RGB


@dataclass(frozen=True)
class Tone:
    """Changes to a picture; all are 0 for a plain one and those of several words are summed."""

    brightness: float = 0.0  # stops
    contrast: float = 0.0  # 1 doubles the slope at mid-grey
    saturation: float = 0.0  # -1 is grey
    warmth: float = 0.0  # positive is toward orange
    lift: float = 0.0  # how far black is raised, 0-1
    bloom: float = 0.0  # how far highlights spread
    vignette: float = 0.0
    grain: float = 0.0  # deviation in 8-bit steps
    softness: float = 0.0
    sharpness: float = 0.0
    haze: float = 0.0
    clutter: float = 0.0  # more or fewer small things
    split: float = 0.0  # warm lights and cool shades
    earth: float = 0.0  # pull toward brown and olive


TONES: Mapping[str, Tone] = MappingProxyType(
    {
        "warm": Tone(warmth=0.75, saturation=0.08),
        "cool": Tone(warmth=-0.75, saturation=0.02),
        "muted": Tone(saturation=-0.45, contrast=-0.08, lift=0.03),
        "vivid": Tone(saturation=0.6, contrast=0.08),
        "pastel": Tone(saturation=-0.2, brightness=0.35, lift=0.16, contrast=-0.18),
        "earthy": Tone(earth=0.75, saturation=-0.12, warmth=0.22, brightness=-0.06),
        "serene": Tone(contrast=-0.12, softness=0.12, bloom=0.12, haze=0.12, clutter=-0.4, brightness=0.08, vignette=-0.08),
        "mysterious": Tone(brightness=-0.34, vignette=0.4, haze=0.3, saturation=-0.15, warmth=-0.2, bloom=0.15),
        "cheerful": Tone(brightness=0.22, saturation=0.3, warmth=0.14, clutter=0.5, vignette=-0.08),
        "melancholic": Tone(brightness=-0.22, saturation=-0.38, warmth=-0.4, contrast=-0.06, haze=0.14, vignette=0.12),
        "dreamy": Tone(bloom=0.38, softness=0.3, lift=0.07, haze=0.2, saturation=0.04, brightness=0.12, contrast=-0.1),
        "dramatic": Tone(contrast=0.36, vignette=0.4, brightness=-0.16, saturation=0.08),
        "film": Tone(split=0.7, lift=0.06, grain=4.0, vignette=0.22, contrast=0.06, saturation=-0.06),
        "watercolour": Tone(brightness=0.26, saturation=0.02, contrast=-0.12, vignette=-0.2),
        "oil": Tone(saturation=0.16, contrast=0.12, vignette=0.06),
        "poster": Tone(saturation=0.3, contrast=0.2, vignette=-0.2),
        "grainy": Tone(grain=8.5),
        "contrasty": Tone(contrast=0.55),
        "gentle": Tone(contrast=-0.22, lift=0.03),
        "soft": Tone(softness=0.7, bloom=0.2),
        "crisp": Tone(sharpness=1.1, contrast=0.06, clutter=0.6),
        "misty": Tone(haze=0.62, saturation=-0.16, contrast=-0.1),
        "clear": Tone(haze=-0.3),
        "humid": Tone(haze=0.2, bloom=0.15),
        "backlit": Tone(bloom=0.22, contrast=0.1),
        "rays": Tone(bloom=0.1),
        "shallow": Tone(),
        "bright": Tone(brightness=0.35),
        "dark": Tone(brightness=-0.5, vignette=0.2),
        "neon": Tone(bloom=0.4, saturation=0.12, contrast=0.06),
        "candle": Tone(vignette=0.55, warmth=0.25, bloom=0.3),
        "golden": Tone(warmth=0.16, bloom=0.16),
        "dusk": Tone(bloom=0.2, saturation=0.05),
        "moon": Tone(saturation=-0.22, warmth=-0.18, vignette=0.2),
        "blue": Tone(warmth=-0.12, bloom=0.12),
        "overcast": Tone(saturation=-0.16, contrast=-0.12),
        "midday": Tone(contrast=0.2),
    }
)

_DARKEST, _STRONGEST_VIGNETTE = -0.62, 0.6

PLAIN = Tone(vignette=0.14, saturation=0.06, brightness=0.05)


def total(words: Iterable[str]) -> Tone:
    """Return the sum of a plain picture's tone and those of `words`; words without a tone add nothing."""
    parts = [PLAIN, *(TONES[word] for word in words if word in TONES)]
    summed = Tone(**{field.name: sum(getattr(part, field.name) for part in parts) for field in fields(Tone)})
    # Moonlight and a dark mood together must still show something.
    return replace(summed, brightness=max(summed.brightness, _DARKEST), vignette=min(summed.vignette, _STRONGEST_VIGNETTE))


# Red, green and blue of the brown and olive that "earthy" leans on, as factors of a grey.
EARTH: RGB = (1.1, 0.98, 0.74)
