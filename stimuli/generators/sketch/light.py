"""Light: the colours of sky, sun, shade and air at each time of day, and what they do to a surface."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

RGB = tuple[float, float, float]
Ink = tuple[int, int, int]


@dataclass(frozen=True)
class Light:
    """Colours are 0-255; `key` and `ambient` multiply the colour of a surface, so their sum near 1 is plain daylight."""

    zenith: RGB
    middle: RGB
    horizon: RGB
    disc: RGB
    disc_height: float  # of the sun or moon over the horizon, as a share of the sky
    disc_size: float
    key: RGB
    ambient: RGB
    haze: RGB
    air: float  # how much of the haze the farthest things take on, 0-1
    glow: float  # how far the sun spreads in the sky, 0-1
    lamps: float  # how brightly windows and lamps shine, 0-1
    stars: bool = False
    clouds: float = 0.5
    rim: float = 0.0  # how much brighter edges are that face the light

    def ink(self, colour: RGB, lit: float, depth: float) -> Ink:
        """Return the 8-bit colour of a surface that takes `lit` of the key light and stands `depth` (0-1) away."""
        veil = min(self.air * depth, 1.0)
        clear = 1.0 - veil
        ambient, key, haze = self.ambient, self.key, self.haze
        # Written out, since this is the innermost step of painting.
        return (
            int(min(colour[0] * (ambient[0] + lit * key[0]), 255.0) * clear + haze[0] * veil),
            int(min(colour[1] * (ambient[1] + lit * key[1]), 255.0) * clear + haze[1] * veil),
            int(min(colour[2] * (ambient[2] + lit * key[2]), 255.0) * clear + haze[2] * veil),
        )

    def through_air(self, colour: RGB, depth: float) -> Ink:
        """Return the 8-bit colour of something that shines by itself, `depth` (0-1) away."""
        red, green, blue = mix(colour, self.haze, min(self.air * depth, 1.0))
        return int(red), int(green), int(blue)


def mix(one: RGB, other: RGB, share: float) -> RGB:
    """Return `one` with `share` (0-1) of `other` stirred in."""
    return (
        one[0] + (other[0] - one[0]) * share,
        one[1] + (other[1] - one[1]) * share,
        one[2] + (other[2] - one[2]) * share,
    )


LIGHTS: Mapping[str, Light] = MappingProxyType(
    {
        "day": Light(
            zenith=(96, 166, 214), middle=(166, 210, 226), horizon=(248, 236, 212),
            disc=(255, 248, 226), disc_height=0.72, disc_size=0.045,
            key=(0.62, 0.58, 0.48), ambient=(0.54, 0.57, 0.62), haze=(224, 232, 230),
            air=0.72, glow=0.35, lamps=0.0, clouds=0.6, rim=0.25,
        ),
        "golden": Light(
            zenith=(112, 134, 172), middle=(246, 190, 128), horizon=(255, 196, 104),
            disc=(255, 244, 196), disc_height=0.2, disc_size=0.07,
            key=(0.8, 0.54, 0.26), ambient=(0.46, 0.4, 0.46), haze=(252, 200, 136),
            air=0.82, glow=1.0, lamps=0.25, clouds=0.6, rim=0.55,
        ),
        "dusk": Light(
            zenith=(66, 66, 126), middle=(190, 108, 138), horizon=(255, 156, 100),
            disc=(255, 214, 150), disc_height=0.1, disc_size=0.08,
            key=(0.72, 0.38, 0.3), ambient=(0.36, 0.3, 0.44), haze=(224, 132, 122),
            air=0.78, glow=0.9, lamps=0.6, clouds=0.7, rim=0.5,
        ),
        "blue": Light(
            zenith=(24, 42, 96), middle=(58, 90, 154), horizon=(168, 166, 196),
            disc=(226, 220, 226), disc_height=0.66, disc_size=0.028,
            key=(0.16, 0.22, 0.34), ambient=(0.27, 0.36, 0.56), haze=(96, 122, 176),
            air=0.8, glow=0.18, lamps=1.0, clouds=0.35, rim=0.2,
        ),
        "overcast": Light(
            zenith=(178, 186, 190), middle=(200, 205, 205), horizon=(222, 222, 216),
            disc=(228, 230, 228), disc_height=0.7, disc_size=0.0,
            key=(0.2, 0.2, 0.2), ambient=(0.76, 0.78, 0.79), haze=(206, 210, 208),
            air=0.76, glow=0.1, lamps=0.0, clouds=1.0, rim=0.1,
        ),
        "midday": Light(
            zenith=(44, 122, 206), middle=(110, 182, 232), horizon=(206, 232, 242),
            disc=(255, 255, 250), disc_height=0.86, disc_size=0.05,
            key=(1.02, 0.98, 0.86), ambient=(0.3, 0.34, 0.44), haze=(206, 228, 240),
            air=0.5, glow=0.4, lamps=0.0, clouds=0.45, rim=0.5,
        ),
        "neon": Light(
            zenith=(18, 14, 52), middle=(58, 24, 100), horizon=(190, 56, 150),
            disc=(255, 92, 170), disc_height=0.3, disc_size=0.13,
            key=(0.6, 0.24, 0.7), ambient=(0.22, 0.28, 0.48), haze=(112, 40, 140),
            air=0.7, glow=0.6, lamps=1.0, stars=True, clouds=0.2, rim=0.9,
        ),
        "candle": Light(
            zenith=(20, 16, 30), middle=(46, 28, 32), horizon=(108, 56, 34),
            disc=(255, 220, 160), disc_height=0.6, disc_size=0.0,
            key=(0.82, 0.48, 0.2), ambient=(0.2, 0.14, 0.13), haze=(84, 46, 30),
            air=0.6, glow=0.3, lamps=1.0, stars=True, clouds=0.1, rim=0.5,
        ),
        "moon": Light(
            zenith=(10, 18, 46), middle=(22, 40, 78), horizon=(66, 92, 130),
            disc=(238, 240, 226), disc_height=0.68, disc_size=0.062,
            key=(0.2, 0.26, 0.36), ambient=(0.15, 0.22, 0.37), haze=(52, 78, 118),
            air=0.76, glow=0.3, lamps=0.8, stars=True, clouds=0.3, rim=0.35,
        ),
    }
)  # fmt: skip
