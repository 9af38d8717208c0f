"""The finish: what happens to a painted picture as a whole - its medium, bloom, colours, curve, sharpness and grain."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from stimuli.generators.sketch import textures
from stimuli.generators.sketch.light import Light
from stimuli.generators.sketch.look import Look
from stimuli.generators.sketch.tone import EARTH, Tone

# One plane for each of red, green and blue, shape (3, h, w): numpy works through planes several times faster than through pixels.
Pixels = NDArray[np.float32]
_LUMA = np.array([0.299, 0.587, 0.114])
_HIGHLIGHTS = [int(max(value - 110, 0) * 0.8) for value in range(256)] * 3


def finish(picture: Image.Image, look: Look, light: Light, rng: np.random.Generator) -> Image.Image:
    """Return the picture with its look's medium, tone and grain."""
    medium, tone = look.choice("medium"), look.tone
    pixels = _repaint(_planes(picture), medium)
    if tone.haze > 0.02:
        veil = np.float32(0.3 * tone.haze) * np.linspace(1, 0.4, picture.height, dtype=np.float32)[:, None]
        pixels *= 1 - veil
        pixels += np.array(light.haze, dtype=np.float32)[:, None, None] * veil
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
    shaped = _image(pixels).point(_curve(tone))
    shaped = _focus(shaped, tone)
    if tone.grain > 0:
        shaped = _grain(shaped, tone.grain, rng)
    if look.choice("palette") == "monochrome":
        grey = shaped.convert("L")
        shaped = Image.merge("RGB", (grey, grey, grey))
    return shaped


def _planes(picture: Image.Image) -> Pixels:
    return np.stack([np.asarray(band) for band in picture.split()]).astype(np.float32)


def _image(pixels: Pixels) -> Image.Image:
    """Return the picture of pixels, which are cut to 0-255 in place."""
    return Image.merge("RGB", [Image.fromarray(plane) for plane in np.clip(pixels, 0, 255, out=pixels).astype(np.uint8)])


def _repaint(pixels: Pixels, medium: str) -> Pixels:
    """Return the pixels as the medium lays them down."""
    size = pixels.shape[1]
    if medium == "watercolour":
        return pixels.reshape(3, -1).take(textures.bleeding(size), axis=1).reshape(pixels.shape)
    if medium == "oil":
        return pixels.reshape(3, -1).take(textures.strokes(size)[0], axis=1).reshape(pixels.shape)
    return pixels


def _bloom(picture: Image.Image, strength: float) -> Pixels:
    """Return the light that spreads from the highlights."""
    size = picture.width
    small = picture.reduce(max(size // 64, 1)).point(_HIGHLIGHTS)
    glow = small.filter(ImageFilter.BoxBlur(4)).filter(ImageFilter.BoxBlur(3))
    # So smooth a picture needs smoothing up to half the size only.
    glow = glow.resize(((size + 1) // 2,) * 2, Image.Resampling.BILINEAR).resize((size, size), Image.Resampling.NEAREST)
    light = _planes(glow)
    light *= np.float32(strength)
    return light


def _colour(pixels: Pixels, tone: Tone, *, sideways: bool) -> Pixels:
    """Return the pixels after one colour matrix: saturation, warmth, brightness."""
    mixing = np.eye(3) * (1 + tone.saturation) - tone.saturation * np.tile(_LUMA[:, None], (1, 3))
    if tone.earth:
        brown = 0.55 * np.outer(_LUMA, EARTH) + 0.45 * np.eye(3) * EARTH
        mixing = mixing @ ((1 - tone.earth) * np.eye(3) + tone.earth * brown)
    warm = np.array([1 + 0.16 * tone.warmth, 1 + 0.012 * tone.warmth, 1 - 0.2 * tone.warmth])
    mixing = mixing * (warm * 2 ** (tone.brightness * 0.55))
    mixed: Pixels = (mixing.T.astype(np.float32) @ pixels.reshape(3, -1)).reshape(pixels.shape)
    if sideways:
        mixed *= _two_lamps(pixels.shape[2])
    return mixed


@lru_cache(maxsize=4)
def _two_lamps(size: int) -> Pixels:
    """Return magenta light from the left and cyan light from the right."""
    share = np.linspace(0, 1, size, dtype=np.float32)
    left, right = np.array([1.3, 0.72, 1.12])[:, None, None], np.array([0.66, 1.06, 1.32])[:, None, None]
    return np.asarray((1 - share) * left + share * right, dtype=np.float32)


def _wet(pixels: Pixels) -> Pixels:
    """Return the pixels as transparent pigment on white paper, denser where it pooled and absent at the margin."""
    size = pixels.shape[1]
    pigment = (250 - np.minimum(pixels, 250)) * (0.94 * textures.pools(size))
    pigment += _edges(pixels)
    pigment *= 1 - textures.margin(size)
    return np.asarray(np.array([252, 249, 241], dtype=np.float32)[:, None, None] - pigment, dtype=np.float32)


def _edges(pixels: Pixels) -> Pixels:
    """Return the dark rim that drying pigment leaves at an edge, shape (h, w)."""
    green = pixels[1]
    rim = np.zeros_like(green)
    rim[1:, :] += np.abs(green[1:] - green[:-1])
    rim[:, 1:] += np.abs(green[:, 1:] - green[:, :-1])
    return np.asarray(np.minimum(rim * 0.5, 34), dtype=np.float32)


@lru_cache(maxsize=64)
def _field(size: int, medium: str, vignette: float) -> Pixels:
    """Return the factor of the surface and of the dark corners, shape (size, size)."""
    if medium == "watercolour":
        surface = textures.paper(size)
    elif medium == "oil":
        surface = textures.strokes(size)[1]
    else:
        surface = np.ones((size, size), dtype=np.float32) if medium == "poster" else textures.gouache(size)
    steps = (np.arange(size, dtype=np.float32) + 0.5) * 2 / size - 1
    distance = steps[:, None] ** 2 + steps[None, :] ** 2
    falloff = 1 - vignette * np.clip(distance - 0.35, 0, None) * 0.62
    return np.asarray(np.clip(surface * falloff, 0, None), dtype=np.float32)


@lru_cache(maxsize=256)
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
    whole: list[int] = np.clip(np.rint(np.concatenate(tables) * 255), 0, 255).astype(int).tolist()
    return whole


def _posterise(pixels: Pixels) -> Pixels:
    """Return the pixels with their luma in five flat steps and their hue kept."""
    luma = np.clip(np.tensordot(_LUMA.astype(np.float32), pixels, axes=1), 0, 255).astype(np.uint8)
    return np.asarray(pixels * _steps(5)[luma], dtype=np.float32)


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
    raw = np.frombuffer(rng.bytes(2 * size[0] * size[1]), dtype=np.int8).reshape(2, size[1], size[0]).astype(np.float32)
    noise = (raw[0] + raw[1]) * np.float32(strength / 104.5)
    return _image(_planes(picture) + noise)
