"""Sky: its colours, sun, moon, stars and clouds, and the far ranges that stand before it."""

import numpy as np
from numpy.typing import NDArray

from stimuli.generators.sketch import shapes
from stimuli.generators.sketch.colours import DEEP_LEAF, GRASS, SLATE, WHITE
from stimuli.generators.sketch.light import RGB, Light, mix
from stimuli.generators.sketch.pen import Pen
from stimuli.generators.sketch.places.stage import Stage
from stimuli.generators.sketch.textures import smooth_noise

_SIDE = 40


def sun_at(stage: Stage) -> tuple[float, float]:
    """Return where the sun or moon stands; opposite to the main subject, or above it in a symmetrical picture."""
    sky = 1.0 - stage.horizon
    aside = 0.0 if stage.symmetrical else -0.26
    u = stage.hero_u + aside if stage.hero_u > 0.42 or stage.symmetrical else stage.hero_u - aside + 0.08
    return u + 0.06 * (stage.rng.random() - 0.5), stage.horizon + sky * stage.light.disc_height


def sky(stage: Stage) -> tuple[float, float]:
    """Paint the sky down to a little below the horizon, and return where its sun or moon is."""
    pen, light = stage.pen, stage.light
    sun = sun_at(stage)
    low = stage.horizon - 0.03
    pen.wash(pen.left, low, pen.right, pen.top, _field(pen, light, sun, low, stage.rng))
    if light.stars:
        _stars(stage)
    if light.disc_size > 0:
        pen.soft(*sun, light.disc_size * 3.2, light.disc_size * 3.2, light.disc, 0.55)
        pen.ellipse(*sun, light.disc_size, light.disc_size, light.disc, None)
        if light.stars:
            for u, v, size in ((-0.3, 0.2, 0.24), (0.25, -0.1, 0.17), (-0.05, -0.45, 0.13)):
                r = light.disc_size
                pen.ellipse(sun[0] + u * r, sun[1] + v * r, size * r, size * r, mix(light.disc, light.middle, 0.16), None)
    for _ in range(round(5 * light.clouds * min(stage.busy, 1.3))):
        u, v, size = stage.rng.random(3).tolist()
        bank = pen.at(pen.left + u * (pen.right - pen.left), stage.horizon + (1 - stage.horizon) * (0.3 + 0.6 * v), 0.13 + 0.2 * size)
        (streak if light.glow > 0.55 else cloud)(bank, stage.rng)
    return sun


def _field(pen: Pen, light: Light, sun: tuple[float, float], low: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the colours of the sky from its top to `low`, shape (40, 40, 3)."""
    v = np.linspace(pen.top, low, _SIDE)[:, None]
    u = np.linspace(pen.left, pen.right, _SIDE)[None, :]
    rise = np.clip((v - low) / max(1.0 - low, 0.2), 0, 1)
    stops = [np.interp(rise[:, 0], (0, 0.42, 1), channel) for channel in zip(light.horizon, light.middle, light.zenith, strict=True)]
    field = np.repeat(np.stack(stops, axis=-1)[:, None, :], _SIDE, axis=1)
    noise = smooth_noise(64, 5, 71)
    down, along = rng.integers(0, 64, size=2).tolist()
    drift = np.roll(noise, (down, along), axis=(0, 1))[:_SIDE, :_SIDE]
    veil = np.clip(0.5 * drift + 0.1, 0, 1)[:, :, None] * (0.22 + 0.18 * light.clouds)
    field += (np.array(mix(light.horizon, light.middle, 0.3)) - field) * veil
    near = np.exp(-(((u - sun[0]) / 0.55) ** 2) - ((v - sun[1]) / 0.36) ** 2)[:, :, None] * light.glow * 0.75
    field += (np.array(mix(light.disc, light.horizon, 0.45)) - field) * np.clip(near, 0, 1)
    return np.asarray(field, dtype=np.float32)


def _stars(stage: Stage) -> None:
    pen = stage.pen
    ink = pen.ink((226, 230, 240), None)
    for u, v, size in stage.rng.random((stage.many(46), 3)).tolist():
        radius = 0.0016 + 0.0026 * size**3
        pen.dot(pen.left + u * (pen.right - pen.left), stage.horizon + 0.12 + v * (1 - stage.horizon), radius, radius, ink)


def cloud(pen: Pen, rng: np.random.Generator) -> None:
    """Paint a heaped cloud with a flat foot, about one unit wide."""
    light = pen.light
    bright = mix(mix(light.horizon, WHITE, 0.6), light.zenith, 0.55 if light.stars or light.lamps > 0.9 else 0.0)
    body, shade = mix(bright, light.middle, 0.35), mix(bright, light.zenith, 0.42)
    puffs = [
        (u, 0.16 * (1 - (2 * abs(u)) ** 2) + 0.05 * r, 0.13 + 0.09 * r * (1 - abs(u)))
        for u, r in zip((-0.42, -0.24, -0.05, 0.14, 0.3, 0.44), rng.random(6).tolist(), strict=True)
    ]
    for shift, squeeze, colour in ((-0.045, 1.0, shade), (0.0, 0.96, body), (0.045, 0.72, bright)):
        ink = pen.light.through_air(colour, 0.1)
        for u, v, radius in puffs:
            pen.dot(u - shift * 0.5, v + shift, radius * squeeze * 1.15, radius * squeeze * 0.8, ink)


def streak(pen: Pen, rng: np.random.Generator) -> None:
    """Paint the long thin clouds of a low sun."""
    light = pen.light
    shade = light.through_air(mix(light.zenith, light.haze, 0.55), 0.2)
    bright = light.through_air(mix(light.disc, light.horizon, 0.55), 0.0)
    body = light.through_air(mix(light.haze, light.horizon, 0.4), 0.0)
    for u, v, size in rng.random((5, 3)).tolist():
        reach, thick = 0.3 + 0.7 * size, 0.02 + 0.03 * size
        for shift, squeeze, ink in ((thick * 0.5, 1.0, shade), (0.0, 0.94, body), (-thick * 0.6, 0.7, bright)):
            pen.dot(1.4 * (u - 0.5), 0.3 * v + shift, reach * squeeze, thick * squeeze * 0.8, ink)


def ranges(stage: Stage, *, sharp: bool, colour: RGB = SLATE) -> None:
    """Paint far ranges one behind the other, paler with distance; `sharp` ones are mountains with snow."""
    pen, far = stage.pen, stage.far
    for step, depth in enumerate((0.92, 0.72, 0.5)):
        height = (0.34, 0.24, 0.13)[step] * far if sharp else (0.13, 0.11, 0.08)[step] * far
        tint = mix(colour, GRASS if not sharp else DEEP_LEAF, 0.25 * step + (0.0 if sharp else 0.35))
        if sharp and step < 2:
            _peaks(pen.at(0, 0, depth=depth), stage, height, tint)
        else:
            line = shapes.ridge(stage.rng, pen.left, pen.right, stage.horizon - 0.01, height)
            pen.at(0, 0, depth=depth).poly(shapes.under(line, stage.horizon - 0.06), tint, 0.6)
    pen.fade(pen.left, stage.horizon - 0.03, pen.right, stage.horizon + 0.1 * far, stage.light.haze, 0.55, 0.0)


def _peaks(pen: Pen, stage: Stage, height: float, colour: RGB) -> None:
    """Paint a row of peaks, each with a lit face, a face in shade and snow."""
    foot = stage.horizon - 0.03
    middle = stage.hero_u - 0.3 if stage.hero_u > 0.5 else stage.hero_u + 0.3
    spots = [middle, middle - 0.5, middle + 0.46, middle - 0.95, middle + 0.95, middle + 0.2, middle - 0.24]
    sizes = [1.0, 0.72, 0.78, 0.8, 0.86, 0.56, 0.6]
    lit, dark = pen.ink(colour, 0.95), pen.ink(colour, 0.2)
    snow_lit, snow_dark = pen.ink(WHITE, 0.95), pen.ink((188, 202, 224), 0.25)
    for spot, size, (a, b, c, d) in reversed(list(zip(spots, sizes, stage.rng.random((7, 4)).tolist(), strict=True))):
        tall, wide = height * size * (0.85 + 0.3 * a), height * size * (1.1 + 0.4 * b)
        u = spot + 0.12 * (c - 0.5)
        top, bend = (u, foot + tall), u + wide * (0.12 * (d - 0.3))
        pen.fill(
            [
                (u - wide, foot),
                (u - wide * 0.5, foot + tall * 0.46),
                (u - wide * 0.22, foot + tall * 0.68),
                top,
                (bend, foot + tall * 0.5),
                (bend - wide * 0.1, foot),
            ],
            lit,
        )
        pen.fill(
            [
                (bend - wide * 0.1, foot),
                (bend, foot + tall * 0.5),
                top,
                (u + wide * 0.26, foot + tall * 0.7),
                (u + wide * 0.56, foot + tall * 0.36),
                (u + wide, foot),
            ],
            dark,
        )
        cap = [
            (u - wide * 0.24, foot + tall * 0.66),
            (u - wide * 0.13, foot + tall * 0.7),
            (u - wide * 0.06, foot + tall * 0.6),
            (bend * 0.4 + u * 0.6, foot + tall * 0.7),
            top,
            (u - wide * 0.22, foot + tall * 0.68),
        ]
        pen.fill(cap, snow_lit)
        pen.fill(
            [
                top,
                (u + wide * 0.26, foot + tall * 0.7),
                (u + wide * 0.17, foot + tall * 0.64),
                (u + wide * 0.1, foot + tall * 0.72),
                (bend * 0.4 + u * 0.6, foot + tall * 0.7),
            ],
            snow_dark,
        )


def treeline(stage: Stage, v: float, size: float, depth: float, *, colour: RGB = DEEP_LEAF) -> None:
    """Paint a far edge of a wood along the level `v`."""
    pen = stage.pen.at(0, 0, depth=depth)
    inks = pen.ramp(colour, 0.2, 0.8, 4)
    count = int((pen.right - pen.left) / (size * 0.55)) + 1
    for step, (a, b, c) in enumerate(stage.rng.random((count, 3)).tolist()):
        u = pen.left + size * 0.55 * (step + 0.6 * a)
        tall = size * (0.6 + 0.8 * b)
        if c < 0.45:
            pen.fill([(u - tall * 0.28, v), (u, v + tall * 1.3), (u + tall * 0.28, v)], inks[int(4 * a)])
        else:
            pen.dot(u, v + tall * 0.35, tall * 0.5, tall * 0.5, inks[int(4 * a)])
    pen.box(pen.left, v - size * 0.3, pen.right, v + size * 0.2, inks[1])
