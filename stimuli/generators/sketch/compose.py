"""Composition: paints a scene in its order - the place, what stands in it, the nearest things, then rays and mist."""

from collections.abc import Sequence
from dataclasses import replace
from zlib import crc32

import numpy as np
from PIL import Image

from stimuli.generators.sketch.camera import Camera, aim
from stimuli.generators.sketch.finish import finish
from stimuli.generators.sketch.light import LIGHTS, Light, mix
from stimuli.generators.sketch.look import Look
from stimuli.generators.sketch.pen import Pen
from stimuli.generators.sketch.places import PLACES
from stimuli.generators.sketch.places.stage import Spot, Stage
from stimuli.generators.sketch.scene import Cast, Scene
from stimuli.generators.sketch.subjects import SUBJECTS
from stimuli.generators.sketch.subjects.cast import Part

# Shapes are drawn at twice the size and scaled down, so that their edges are smooth.
_FINER = 2


def compose(scene: Scene, look: Look, *, seed: int, size: int) -> Image.Image:
    """Return the scene painted with the look, RGB, `size` pixels a side; the seed decides what the words leave open."""
    place = PLACES[scene.place]
    camera = aim(look, _chance(seed, "camera"), indoors=place.indoors)
    canvas = Image.new("RGB", (size * _FINER, size * _FINER))
    pen = camera.pen(canvas, _light(look), centre=_centre(scene, camera), depth=0.26 * max(look.tone.haze, 0.0))
    stage = _stage(scene, look, camera, pen, seed)
    place.back(stage)
    if stage.symmetrical:
        pen.fold()
    if look.choice("side") == "backlit":
        _halo(stage)
    if camera.defocus:
        pen.defocus(camera.defocus)
    for number, cast, spot in _blocking(scene, stage, look):
        _perform(cast, spot, camera, stage, _chance(seed, f"{cast.name} {number}"))
    if look.choice("composition") != "space":
        place.front(stage)
    if look.choice("shafts"):
        _rays(stage)
    return finish(camera.expose(canvas, size), look, pen.light, _chance(seed, "grain"))


def _chance(seed: int, purpose: str) -> np.random.Generator:
    """Return random numbers of their own for one purpose, so that a word more does not move everything else."""
    return np.random.default_rng([seed % 2**64, crc32(purpose.encode())])


def _light(look: Look) -> Light:
    light = LIGHTS[look.choice("light", "day")]
    haze = look.tone.haze
    light = replace(light, air=min(max(light.air + 0.35 * haze, 0.2), 1.0), disc_size=light.disc_size * (1 - min(max(haze, 0), 0.6)))
    if look.choice("side") == "backlit":
        light = replace(
            light,
            key=(light.key[0] * 0.42, light.key[1] * 0.4, light.key[2] * 0.4),
            ambient=(light.ambient[0] * 0.62, light.ambient[1] * 0.62, light.ambient[2] * 0.68),
            horizon=mix(light.horizon, light.disc, 0.3),
            glow=1.0,
        )
    return light


def _centre(scene: Scene, camera: Camera) -> float:
    """Return the height the camera looks at: the middle of the frame, or that of the main subject when it is close."""
    if camera.zoom <= 1 or not scene.cast:
        return 0.5
    main = SUBJECTS[scene.cast[0].name]
    if main.spot in ("aloft", "hang"):
        middle = camera.horizon + 0.26
    else:
        middle = min(camera.horizon, 0.45) * PLACES[scene.place].foot + 0.54 * main.height
    return 0.5 + (min(max(middle, 0.25), 0.75) - 0.5) * min((camera.zoom - 1) * 3, 1)


def _stage(scene: Scene, look: Look, camera: Camera, pen: Pen, seed: int) -> Stage:
    busy = max(1 + look.tone.clutter, 0.3) * (0.35 if look.choice("composition") == "space" else 1.0)
    return Stage(
        pen=pen,
        rng=_chance(seed, scene.place),
        horizon=camera.horizon,
        hero_u=camera.hero_u,
        busy=busy,
        far=camera.far,
        land=any(SUBJECTS[cast.name].spot == "ground" for cast in scene.cast),
        alone=len(scene.cast) < 2,
        symmetrical=look.choice("composition") == "symmetrical",
        features=scene.features,
    )


def _blocking(scene: Scene, stage: Stage, look: Look) -> list[tuple[int, Cast, Spot]]:
    """Return who goes where, the farthest first, and the number that each copy of a subject has."""
    place = PLACES[scene.place]
    sparse = look.choice("composition") == "space"
    free: dict[str, list[Spot]] = {}
    placed: list[tuple[int, Cast, Spot]] = []
    for order, cast in enumerate(scene.cast[: 2 if sparse else None]):
        subject = SUBJECTS[cast.name]
        spots = free.setdefault(subject.spot, list(place.spots(stage, subject.spot)))
        copies = 1 if sparse or (len(scene.cast) > 3 and order) else subject.copies
        for number in range(min(copies, len(spots))):
            placed.append((number, cast, spots.pop(0)))
    if stage.symmetrical:
        placed = _pairs(placed)
    return sorted(placed, key=lambda one: -one[2].v if SUBJECTS[one[1].name].spot != "hang" else 1.0)


def _pairs(placed: Sequence[tuple[int, Cast, Spot]]) -> list[tuple[int, Cast, Spot]]:
    """Return every placing beside the middle doubled on the other side."""
    both = []
    for number, cast, spot in placed:
        both.append((number, cast, spot))
        if abs(spot.u - 0.5) > 0.08:
            both.append((number, cast, replace(spot, u=1 - spot.u)))
    return both[:8]


def _perform(cast: Cast, spot: Spot, camera: Camera, stage: Stage, rng: np.random.Generator) -> None:
    subject = SUBJECTS[cast.name]
    size = subject.height * spot.size * camera.hero_size * (0.94 + 0.12 * rng.random())
    pen = stage.pen.at(
        spot.u + 0.03 * (rng.random() - 0.5) * (not stage.symmetrical), spot.v, size, depth=spot.depth + 0.1 * stage.pen.depth
    )
    subject.draw(pen, Part(rng, cast.accent, stage.busy))


def _halo(stage: Stage) -> None:
    """Paint the light behind the main subject."""
    light = stage.light
    stage.pen.soft(stage.hero_u, stage.horizon + 0.26, 0.46, 0.46, mix(light.disc, light.horizon, 0.3), 0.7)


def _rays(stage: Stage) -> None:
    """Paint shafts of light from the upper left."""
    pen, light = stage.pen, stage.light
    glow = mix(light.disc, light.horizon, 0.5)
    top = max(pen.top, 1.0) + 0.02
    shafts = [
        [(start, top), (start + width, top), (start + 2.2 * width + 0.36, 0.14), (start + 0.34, 0.16)]
        for start, width in ((-0.1, 0.05), (0.06, 0.09), (0.24, 0.035), (0.37, 0.07), (0.55, 0.025))
    ]
    pen.glaze(shafts, glow, 0.14 + 0.2 * min(max(light.key), 1.0), blur=0.022)
