"""The camera: how much of the scene is seen, from what height, and how the picture leans."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from stimuli.generators.sketch.light import Light
from stimuli.generators.sketch.look import Look
from stimuli.generators.sketch.pen import Pen

_ZOOM = {"wide": 0.72, "close": 1.6, "tele": 1.28}
_FRAMING = {"space": 0.82, "tight": 1.34}
# How far the far side of the picture shrinks: positive narrows the top, as when looking up.
_KEYSTONE = {"low": 0.3, "high": -0.26}
_TILT = 11.0


@dataclass(frozen=True)
class Camera:
    """What the camera does; positions are shares of the frame, from its lower left corner."""

    zoom: float
    hero_u: float  # where the main subject stands
    hero_size: float
    horizon: float
    far: float  # how large the distance looks against the foreground
    keystone: float
    tilt: float  # degrees
    defocus: int  # coarseness of what is out of focus; 0 is sharp
    flip: bool

    def pen(self, canvas: Image.Image, light: Light, *, centre: float, depth: float) -> Pen:
        """Return a pen whose unit is the frame at zoom 1; `centre` is the height the camera looks at, `depth` how far off all is."""
        side = canvas.width
        x = side * (0.5 - self.zoom * (0.5 + (self.hero_u - 0.5) * min(max(self.zoom - 1, 0) * 1.6, 1)))
        y = side * (0.5 + self.zoom * centre)
        return Pen(canvas, light, x, y, side * self.zoom, depth=depth)

    def expose(self, canvas: Image.Image, size: int) -> Image.Image:
        """Return the canvas scaled down to `size` pixels a side, seen from the camera's angle."""
        if self.flip:
            canvas = canvas.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        if not self.tilt and not self.keystone:
            return canvas.reduce(canvas.width // size)
        # Turned at the canvas's own size and then scaled down: smooth edges for a third of what a smooth turn takes.
        turned = self._perspective(canvas.width)
        if self.keystone:
            canvas = canvas.transform(canvas.size, Image.Transform.PERSPECTIVE, turned, Image.Resampling.NEAREST)
        else:
            canvas = canvas.transform(canvas.size, Image.Transform.AFFINE, turned[:6], Image.Resampling.NEAREST)
        return canvas.reduce(canvas.width // size)

    def _perspective(self, side: int) -> tuple[float, ...]:
        """Return Pillow's eight numbers, which map a pixel of the turned canvas to one of the canvas."""
        angle = np.deg2rad(self.tilt)
        cos, sin = np.cos(angle), np.sin(angle)
        # The largest picture that stays on the canvas when turned.
        fit = 1 / (abs(cos) + abs(sin))
        lean, half = self.keystone, side / 2
        turn = np.array([[fit * cos, fit * sin, 0], [-fit * sin, fit * cos, 0], [0, 0, 1]])
        # The wider end of the trapezium must stay on the canvas too.
        shrink = 1 - abs(lean) / 2
        slope = np.array([[1, 0, 0], [0, 1, 0], [0, lean / side, 1]]) @ np.diag([shrink, shrink, 1])
        to_centre = np.array([[1, 0, -half], [0, 1, -half], [0, 0, 1]])
        to_canvas = np.array([[1, 0, half], [0, 1, half], [0, 0, 1]])
        whole = to_canvas @ turn @ slope @ to_centre
        return tuple((whole / whole[2, 2]).ravel()[:8].tolist())


def aim(look: Look, rng: np.random.Generator, *, indoors: bool) -> Camera:
    """Return the camera for a look; the generator moves what the words leave open."""
    lens, angle, composition = look.choice("lens"), look.choice("angle"), look.choice("composition")
    hero_u = 0.5 + 0.1 * (2 * rng.random() - 1)
    if composition == "symmetrical":
        hero_u = 0.5
    elif composition in ("thirds", "space"):
        hero_u = 0.335
    tilted = look.choice("tilt") == "tilted"
    return Camera(
        zoom=_ZOOM.get(lens, 1.0) * _FRAMING.get(composition, 1.0) * (0.9 if tilted else 1.0),
        hero_u=hero_u,
        hero_size=(0.66 if composition == "space" else 1.0) * {"low": 1.1, "high": 0.84}.get(angle, 1.0),
        horizon=_horizon(angle, composition, rng.random(), indoors),
        far={"wide": 0.75, "tele": 1.45}.get(lens, 1.0),
        keystone=_KEYSTONE.get(angle, 0.0),
        tilt=_TILT if tilted else 0.0,
        defocus={"close": 4, "tele": 3}.get(lens, 4 if look.choice("depth") else 0),
        flip=rng.random() < 0.5,
    )


def _horizon(angle: str, composition: str, chance: float, indoors: bool) -> float:
    """Return the height of the horizon, or of the foot of a room's back wall."""
    level = 0.36 + 0.05 * chance
    if angle in ("low", "high"):
        level = 0.2 if angle == "low" else 0.6
    elif composition == "thirds":
        level = 0.333
    return level * 0.8 if indoors else level
