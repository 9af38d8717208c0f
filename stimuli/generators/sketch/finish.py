"""The finish: what happens to a painted picture as a whole - its medium, bloom, colours, curve, sharpness and grain."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from stimuli.generators.sketch import textures
from stimuli.generators.sketch.light import Light
from stimuli.generators.sketch.look import Look
from stimuli.generators.sketch.tone import EARTH, Tone

Pixels = NDArray[np.float32]
_LUMA = np.array([0.299, 0.587, 0.114])


def finish(picture: Image.Image, look: Look, light: Light, rng: np.random.Generator) -> Image.Image:
    """Return the picture with its look's medium, tone and grain."""
    medium, tone = look.choice("medium"), look.tone
    pixels = np.asarray(picture, dtype=np.float32)
    pixels = _repaint(pixels, medium)
    if tone.haze > 0.02:
        veil = 0.3 * tone.haze * np.linspace(1, 0.4, picture.height, dtype=np.float32)[:, None, None]
        pixels += (np.array(light.haze, dtype=np.float32) - pixels) * veil
    if tone.bloom > 0.02:
        pixels += _bloom(picture, tone.bloom)
    pixels = _colour(pixels, tone, sideways=look.choice("light") == "neon")
    if medium == "watercolour":
        pixels = _wet(pixels)
    if medium == "poster":
        pixels = _posterise(pixels)
    # Paper stays as white in its corners, whatever is painted on it.
    vignette = 0.0 if medium == "watercolour" else round(max(tone.vignette, 0.0), 3)
    pixels *= _field(picture.width, medium, vignette)
    shaped = Image.fromarray(_bytes(pixels)).point(_curve(tone))
    shaped = _focus(shaped, tone)
    if tone.grain > 0:
        shaped = _grain(shaped, tone.grain, rng)
    if look.choice("palette") == "monochrome":
        grey = shaped.convert("L")
        shaped = Image.merge("RGB", (grey, grey, grey))
    return shaped


def _repaint(pixels: Pixels, medium: str) -> Pixels:
    """Return the pixels as the medium lays them down; always a copy."""
    size = pixels.shape[0]
    if medium == "watercolour":
        return pixels.reshape(-1, 3).take(textures.bleeding(size), axis=0).reshape(pixels.shape)
    if medium == "oil":
        return pixels.reshape(-1, 3).take(textures.strokes(size)[0], axis=0).reshape(pixels.shape)
    return pixels.copy()


def _bloom(picture: Image.Image, strength: float) -> Pixels:
    """Return the light that spreads from the highlights."""
    size = picture.width
    small = picture.reduce(max(size // 64, 1)).point([int(max(value - 110, 0) * 0.8) for value in range(256)] * 3)
    glow = small.filter(ImageFilter.BoxBlur(4)).filter(ImageFilter.BoxBlur(3)).resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(glow, dtype=np.float32) * np.float32(strength)


def _colour(pixels: Pixels, tone: Tone, *, sideways: bool) -> Pixels:
    """Return the pixels after one colour matrix: saturation, warmth, brightness."""
    size = pixels.shape[0]
    mixing = np.eye(3) * (1 + tone.saturation) - tone.saturation * np.tile(_LUMA[:, None], (1, 3))
    if tone.earth:
        brown = 0.55 * np.outer(_LUMA, EARTH) + 0.45 * np.eye(3) * EARTH
        mixing = mixing @ ((1 - tone.earth) * np.eye(3) + tone.earth * brown)
    warm = np.array([1 + 0.16 * tone.warmth, 1 + 0.012 * tone.warmth, 1 - 0.2 * tone.warmth])
    mixing = mixing * (warm * 2 ** (tone.brightness * 0.55))
    mixed = (pixels.reshape(-1, 3) @ mixing.astype(np.float32)).reshape(pixels.shape)
    if sideways:
        mixed *= _two_lamps(size)
    return np.asarray(mixed, dtype=np.float32)


@lru_cache(maxsize=4)
def _two_lamps(size: int) -> Pixels:
    """Return magenta light from the left and cyan light from the right."""
    share = np.linspace(0, 1, size, dtype=np.float32)[None, :, None]
    return np.asarray((1 - share) * np.array([1.3, 0.72, 1.12]) + share * np.array([0.66, 1.06, 1.32]), dtype=np.float32)


def _wet(pixels: Pixels) -> Pixels:
    """Return the pixels as transparent pigment on white paper, denser where it pooled and absent at the margin."""
    size = pixels.shape[0]
    pigment = (250 - np.minimum(pixels, 250)) * (0.94 * textures.pools(size))[:, :, None]
    pigment += _edges(pixels)[:, :, None]
    pigment *= (1 - textures.margin(size))[:, :, None]
    return np.asarray(np.array([252, 249, 241], dtype=np.float32) - pigment, dtype=np.float32)


def _edges(pixels: Pixels) -> Pixels:
    """Return the dark rim that drying pigment leaves at an edge, shape (h, w)."""
    green = pixels[:, :, 1]
    rim = np.zeros_like(green)
    rim[1:, :] += np.abs(green[1:] - green[:-1])
    rim[:, 1:] += np.abs(green[:, 1:] - green[:, :-1])
    return np.asarray(np.minimum(rim * 0.5, 34), dtype=np.float32)


@lru_cache(maxsize=64)
def _field(size: int, medium: str, vignette: float) -> Pixels:
    """Return the factor of the surface and of the dark corners, shape (size, size, 1)."""
    if medium == "watercolour":
        surface = textures.paper(size)
    elif medium == "oil":
        surface = textures.strokes(size)[1]
    else:
        surface = np.ones((size, size), dtype=np.float32) if medium == "poster" else textures.gouache(size)
    steps = (np.arange(size, dtype=np.float32) + 0.5) * 2 / size - 1
    distance = steps[:, None] ** 2 + steps[None, :] ** 2
    falloff = 1 - vignette * np.clip(distance - 0.35, 0, None) * 0.62
    return np.asarray(np.clip(surface * falloff, 0, None)[:, :, None], dtype=np.float32)


def _curve(tone: Tone) -> list[int]:
    """Return the lookup tables of red, green and blue."""
    x = np.linspace(0, 1, 256)
    # A sigmoid through the middle where contrast is added, a straight line where it is taken away.
    if tone.contrast > 0.001:
        # x / tanh(x) is near 1 + x²/3, which is then the slope at the middle.
        steep = 2 * np.sqrt(3 * tone.contrast)
        y = 0.5 + np.tanh(steep * (x - 0.5)) / np.tanh(steep / 2) / 2
    else:
        y = 0.5 + (x - 0.5) * max(1 + tone.contrast, 0.2)
    y = tone.lift + y * (1 - tone.lift)
    tables = [y + tone.split * part * 0.07 for part in (np.sin((x - 0.45) * 2.6), 0.3 * np.sin(x * 3), np.sin((0.5 - x) * 2.6))]
    return [int(value) for table in tables for value in np.clip(np.rint(table * 255), 0, 255)]


def _posterise(pixels: Pixels) -> Pixels:
    """Return the pixels with their luma in five flat steps and their hue kept."""
    luma = _bytes(pixels @ _LUMA.astype(np.float32))
    ratio = _steps(5)[luma]
    return np.asarray(pixels * ratio[:, :, None], dtype=np.float32)


@lru_cache(maxsize=1)
def _steps(count: int) -> Pixels:
    """Return what each luma is multiplied by to stand on a staircase of `count` steps, shape (256,)."""
    x = np.arange(256) / 255
    scaled = x * count - 0.5
    floor = np.floor(scaled)
    # Edges just soft enough not to break into specks.
    eased = floor + np.clip((scaled - floor - 0.5) * 9 + 0.5, 0, 1)
    return np.asarray(np.clip((eased + 0.35) / (count - 0.3), 0.04, 1) / np.maximum(x, 0.02), dtype=np.float32)


def _focus(picture: Image.Image, tone: Tone) -> Image.Image:
    """Return the picture blurred or sharpened."""
    unit = picture.width / 256
    if tone.softness > 0.05:
        blurred = _coarse(picture).filter(ImageFilter.BoxBlur(1.1 * unit)).resize(picture.size, Image.Resampling.BILINEAR)
        picture = Image.blend(picture, blurred, min(tone.softness, 1.0) * 0.9)
    if tone.sharpness > 0.05:
        blurred = _coarse(picture).resize(picture.size, Image.Resampling.BILINEAR)
        picture = Image.blend(blurred, picture, 1 + 0.75 * tone.sharpness)
    return picture


def _coarse(picture: Image.Image) -> Image.Image:
    return picture.reduce(2) if picture.width > 2 else picture


def _grain(picture: Image.Image, strength: float, rng: np.random.Generator) -> Image.Image:
    """Return the picture with noise that is alike in the three channels, as that of film is."""
    size = picture.size
    raw = np.frombuffer(rng.bytes(2 * size[0] * size[1]), dtype=np.int8).reshape(2, size[1], size[0], 1).astype(np.float32)
    noise = (raw[0] + raw[1]) * np.float32(strength / 104.5)
    return Image.fromarray(_bytes(np.asarray(picture, dtype=np.float32) + noise))


def _bytes(pixels: Pixels) -> NDArray[np.uint8]:
    return np.clip(pixels, 0, 255).astype(np.uint8)
