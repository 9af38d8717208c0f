"""The pen: draws lit shapes in a subject's own coordinates, whatever its place and size in the picture."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from stimuli.generators.sketch.light import RGB, Ink, Light

Point = tuple[float, float]
Floats = NDArray[np.float64]

# Leaves of fewer pixels of the canvas are drawn with half their corners and no rib, which nobody sees.
_SMALL = 26
# Pixels a side of the masks of glows and veils: so many that they can be enlarged without smoothing.
_FINE = 256


class Pen:
    """Draws on one canvas with u to the right and v upward; `scale` is pixels a unit and the point (0, 0) is at (`x`, `y`) pixels.

    Shapes are lit from the left. `lit` is the share of the key light a shape takes, 0 in shade to about 1.2; None shines by itself.
    """

    def __init__(self, canvas: Image.Image, light: Light, x: float, y: float, scale: float, *, depth: float = 0.0, flip: bool = False):
        self.canvas = canvas
        self.light = light
        self.depth = depth
        self.scale = scale
        self._wide, self._tall = canvas.size
        self._draw = ImageDraw.Draw(canvas)
        self._x, self._y = x, y
        self._across = -scale if flip else scale

    def at(self, u: float, v: float, size: float = 1.0, *, depth: float | None = None, flip: bool = False) -> "Pen":
        """Return a pen whose origin is at (u, v) and whose unit is `size` of this one's."""
        return Pen(
            self.canvas,
            self.light,
            self._x + self._across * u,
            self._y - self.scale * v,
            self.scale * size,
            depth=self.depth if depth is None else depth,
            flip=flip != (self._across < 0),
        )

    @property
    def left(self) -> float:
        """The u of the canvas's left edge."""
        return min(-self._x / self._across, (self.canvas.width - self._x) / self._across)

    @property
    def right(self) -> float:
        """The u of the canvas's right edge."""
        return max(-self._x / self._across, (self.canvas.width - self._x) / self._across)

    @property
    def top(self) -> float:
        """The v of the canvas's upper edge."""
        return self._y / self.scale

    @property
    def bottom(self) -> float:
        """The v of the canvas's lower edge."""
        return (self._y - self.canvas.height) / self.scale

    def ink(self, colour: RGB, lit: float | None = 0.75) -> Ink:
        """Return the 8-bit colour of a surface here."""
        if lit is None:
            return self.light.through_air(colour, self.depth)
        return self.light.ink(colour, lit, self.depth)

    def ramp(self, colour: RGB, low: float, high: float, count: int = 6) -> list[Ink]:
        """Return `count` inks of one surface from dim to bright."""
        return [self.light.ink(colour, low + (high - low) * step / (count - 1), self.depth) for step in range(count)]

    def poly(self, points: Sequence[Point], colour: RGB, lit: float | None = 0.75) -> None:
        """Fill a polygon."""
        self.fill(points, self.ink(colour, lit))

    def fill(self, points: Sequence[Point], ink: Ink) -> None:
        """Fill a polygon with a ready ink."""
        x, y, across, scale = self._x, self._y, self._across, self.scale
        self._draw.polygon([c for u, v in points for c in (x + across * u, y - scale * v)], fill=ink)

    def rect(self, u0: float, v0: float, u1: float, v1: float, colour: RGB, lit: float | None = 0.75) -> None:
        """Fill an upright rectangle."""
        self.box(u0, v0, u1, v1, self.ink(colour, lit))

    def box(self, u0: float, v0: float, u1: float, v1: float, ink: Ink) -> None:
        """Fill an upright rectangle with a ready ink."""
        # Written out, since pictures hold hundreds of boxes, and many of them lie outside a close view.
        x0, x1 = round(self._x + self._across * u0), round(self._x + self._across * u1)
        y0, y1 = round(self._y - self.scale * v1), round(self._y - self.scale * v0)
        if x0 > x1:
            x0, x1 = x1, x0
        if y0 > y1:
            y0, y1 = y1, y0
        if x1 >= 0 and y1 >= 0 and x0 < self._wide and y0 < self._tall:
            self._draw.rectangle((x0, y0, x1 - 1 if x1 > x0 else x0, y1 - 1 if y1 > y0 else y0), fill=ink)

    def ellipse(self, u: float, v: float, across: float, up: float, colour: RGB, lit: float | None = 0.75) -> None:
        """Fill an upright ellipse with the half-axes `across` and `up`."""
        self.dot(u, v, across, up, self.ink(colour, lit))

    def dot(self, u: float, v: float, across: float, up: float, ink: Ink) -> None:
        """Fill an upright ellipse with a ready ink."""
        x, y = self._x + self._across * u, self._y - self.scale * v
        across, up = abs(across * self.scale), abs(up * self.scale)
        if x + across >= 0 and y + up >= 0 and x - across < self._wide and y - up < self._tall:
            self._draw.ellipse((x - across, y - up, x + across, y + up), fill=ink)

    def line(self, points: Sequence[Point], width: float, colour: RGB, lit: float | None = 0.75) -> None:
        """Draw a line that is `width` units wide, at least one pixel of the canvas."""
        self.stroke(points, width, self.ink(colour, lit))

    def stroke(self, points: Sequence[Point], width: float, ink: Ink) -> None:
        """Draw a line with a ready ink."""
        x, y, across, scale = self._x, self._y, self._across, self.scale
        pixels = max(round(width * scale), 1)
        flat = [c for u, v in points for c in (x + across * u, y - scale * v)]
        self._draw.line(flat, fill=ink, width=pixels, joint="curve" if pixels > 4 and len(points) > 2 else None)

    def limb(self, points: Sequence[Point], thick: float, thin: float, colour: RGB, lit: float | None = 0.75) -> None:
        """Draw a line that tapers from `thick` to `thin` units wide, such as a branch."""
        count = len(points)
        upper, lower = [], []
        for at, (u, v) in enumerate(points):
            before, after = points[max(at - 1, 0)], points[min(at + 1, count - 1)]
            du, dv = after[0] - before[0], after[1] - before[1]
            half = (thick + (thin - thick) * at / (count - 1)) / 2 / max((du * du + dv * dv) ** 0.5, 1e-9)
            upper.append((u - dv * half, v + du * half))
            lower.append((u + dv * half, v - du * half))
        self.poly(upper + lower[::-1], colour, lit)

    def leaves(self, shapes: Sequence[Floats], places: Floats, inks: Sequence[Sequence[Ink]]) -> None:
        """Draw copies of a shape at `places`, rows of (u, v, length, angle, narrowness); a shape may have several coats.

        `inks` has, for each place, one ink for each coat. Shapes run from (0, 0) to (1, 0).
        """
        cos, sin = np.cos(places[:, 3]) * places[:, 2], np.sin(places[:, 3]) * places[:, 2]
        coats = []
        if len(places) and float(places[:, 2].max()) * self.scale < _SMALL:
            shapes = [shape[::2] for shape in shapes if len(shape) > 5]
        for shape in shapes:
            along, aside = shape[:, 0], shape[:, 1] * places[:, 4:5]
            u = places[:, 0:1] + cos[:, None] * along - sin[:, None] * aside
            v = places[:, 1:2] + sin[:, None] * along + cos[:, None] * aside
            flat = np.stack([self._x + self._across * u, self._y - self.scale * v], axis=-1)
            coats.append(flat.reshape(len(places), -1).tolist())
        polygon = self._draw.polygon
        for outlines, colours in zip(zip(*coats, strict=True), inks, strict=True):
            for outline, ink in zip(outlines, colours, strict=False):
                polygon(outline, fill=ink)

    def soft(self, u: float, v: float, across: float, up: float, colour: RGB, strength: float = 1.0) -> None:
        """Stain a round area whose edge fades away: a glow or, in a dark colour, a soft shadow."""
        box = self._clipped(u - across, v - up, u + across, v + up)
        if box is not None:
            (x0, y0, x1, y1), part = box
            mask = _disc(round(strength * 20)).resize((x1 - x0, y1 - y0), Image.Resampling.NEAREST, part)
            self.canvas.paste(_bytes(colour), (x0, y0, x1, y1), mask)

    def shadow(self, u: float, v: float, across: float, up: float, strength: float = 0.5) -> None:
        """Darken a round area softly, in the colour of the shade."""
        red, green, blue = self.light.ambient
        shade = (70 * red, 70 * green, 70 * blue)
        self.soft(u, v, across, up, shade, strength * (1 - 0.6 * self.depth))

    def lamp(self, u: float, v: float, radius: float, colour: RGB = (255, 206, 130), strength: float = 0.8) -> None:
        """Spread the glow of a lamp, as strongly as lamps shine in this light."""
        if self.light.lamps > 0.05:
            self.soft(u, v, radius, radius, colour, strength * self.light.lamps)

    def fade(self, u0: float, v0: float, u1: float, v1: float, colour: RGB, foot: float, head: float) -> None:
        """Cover a rectangle with a colour whose opacity runs from `foot` at the bottom to `head` at the top."""
        self._veil(u0, v0, u1, v1, colour, _slope(round(foot * 40), round(head * 40), False))

    def across(self, u0: float, v0: float, u1: float, v1: float, colour: RGB, start: float, end: float) -> None:
        """Cover a rectangle with a colour whose opacity runs from `start` at the left to `end` at the right."""
        self._veil(u0, v0, u1, v1, colour, _slope(round(start * 40), round(end * 40), True))

    def glaze(self, areas: Sequence[Sequence[Point]], colour: RGB, strength: float, *, blur: float = 0.0) -> None:
        """Cover polygons with a translucent colour; `blur` is how soft their edges are, in units."""
        us, vs = [u for area in areas for u, _ in area], [v for area in areas for _, v in area]
        box = self._clipped(min(us) - blur, min(vs) - blur, max(us) + blur, max(vs) + blur)
        if box is None:
            return
        x0, y0, x1, y1 = box[0]
        grain = max(int(blur * self.scale / 1.5), 1)
        small = (-(-(x1 - x0) // grain), -(-(y1 - y0) // grain))
        mask = Image.new("L", small, 0)
        draw, opacity = ImageDraw.Draw(mask), int(255 * min(strength, 1.0))
        for area in areas:
            draw.polygon(
                [c for u, v in area for c in ((self._x + self._across * u - x0) / grain, (self._y - self.scale * v - y0) / grain)],
                fill=opacity,
            )
        if grain > 1:
            mask = _enlarge(mask, x1 - x0, y1 - y0)
        self.canvas.paste(_bytes(colour), (x0, y0, x1, y1), mask)

    def wash(self, u0: float, v0: float, u1: float, v1: float, field: NDArray[np.float32]) -> None:
        """Fill a rectangle with a small picture, colours 0-255 and shape (h, w, 3), smoothly enlarged."""
        x0, y0, x1, y1 = self._corners(u0, v0, u1, v1)
        box = (max(x0, 0), max(y0, 0), min(x1, self.canvas.width), min(y1, self.canvas.height))
        if box[2] > box[0] and box[3] > box[1]:
            small = Image.fromarray(np.clip(field, 0, 255).astype(np.uint8))
            self.canvas.paste(_enlarge(small, box[2] - box[0], box[3] - box[1], coarse=4), box)

    def mirror(self, v0: float, height: float, squeeze: float, colour: RGB, veil: float) -> None:
        """Reflect what stands above `v0` in `height` of water below it; `veil` is how much of the water's own colour covers it."""
        line = round(self._y - self.scale * v0)
        deep = min(round(height * self.scale), self.canvas.height - line)
        tall = min(round(height * self.scale / squeeze), line)
        if line <= 0 or deep < 2 or tall < 2:
            return
        width = self.canvas.width
        image = self.canvas.crop((0, line - tall, width, line)).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
        image = image.resize((width, deep), Image.Resampling.NEAREST)
        self.canvas.paste(Image.blend(image, Image.new("RGB", image.size, _bytes(colour)), veil), (0, line))

    def fold(self) -> None:
        """Mirror the left half of all that is painted so far onto the right half."""
        width, height = self.canvas.size
        half = self.canvas.crop((0, 0, width // 2, height))
        self.canvas.paste(half.transpose(Image.Transpose.FLIP_LEFT_RIGHT), (width - width // 2, 0))

    def defocus(self, coarse: int) -> None:
        """Blur all that is painted so far, as a lens does with what lies behind its subject."""
        if min(self.canvas.size) > 2 * coarse:
            blurred = _enlarge(self.canvas.reduce(coarse), *self.canvas.size)
            self.canvas.paste(blurred)

    def _veil(self, u0: float, v0: float, u1: float, v1: float, colour: RGB, slope: Image.Image) -> None:
        box = self._clipped(u0, v0, u1, v1)
        if box is not None:
            (x0, y0, x1, y1), part = box
            mask = slope.resize((x1 - x0, y1 - y0), Image.Resampling.NEAREST, part)
            self.canvas.paste(_bytes(colour), (x0, y0, x1, y1), mask)

    def _corners(self, u0: float, v0: float, u1: float, v1: float) -> tuple[int, int, int, int]:
        xs = sorted((round(self._x + self._across * u0), round(self._x + self._across * u1)))
        ys = sorted((round(self._y - self.scale * v0), round(self._y - self.scale * v1)))
        return xs[0], ys[0], xs[1], ys[1]

    def _clipped(
        self, u0: float, v0: float, u1: float, v1: float
    ) -> tuple[tuple[int, int, int, int], tuple[float, float, float, float]] | None:
        """Return the part of a rectangle on the canvas, in pixels, and that part of a mask of _FINE x _FINE."""
        x0, y0, x1, y1 = self._corners(u0, v0, u1, v1)
        left, top = max(x0, 0), max(y0, 0)
        right, bottom = min(x1, self.canvas.width), min(y1, self.canvas.height)
        if right - left < 1 or bottom - top < 1:
            return None
        wide, tall = _FINE / (x1 - x0), _FINE / (y1 - y0)
        return (left, top, right, bottom), ((left - x0) * wide, (top - y0) * tall, (right - x0) * wide, (bottom - y0) * tall)


def _enlarge(image: Image.Image, width: int, height: int, *, coarse: int = 2) -> Image.Image:
    """Return a small image smoothly enlarged.

    Smooth only up to a half or a quarter of the size: the canvas is halved in the end, and this takes a fraction of the time.
    """
    part = (-(-width // coarse), -(-height // coarse))
    return image.resize(part, Image.Resampling.BILINEAR).resize((width, height), Image.Resampling.NEAREST)


def _bytes(colour: RGB) -> Ink:
    return int(colour[0]), int(colour[1]), int(colour[2])


@lru_cache(maxsize=64)
def _disc(strength: int) -> Image.Image:
    """Return a round spot that fades to its edge, _FINE x _FINE; `strength` is in twentieths."""
    steps = (np.arange(_FINE) + 0.5) * 2 / _FINE - 1
    falloff = np.clip(1 - (steps[:, None] ** 2 + steps[None, :] ** 2), 0, 1) ** 1.6
    return Image.fromarray(np.clip(falloff * 255 * strength / 20, 0, 255).astype(np.uint8))


@lru_cache(maxsize=128)
def _slope(start: int, end: int, sideways: bool) -> Image.Image:
    """Return a slope of opacity, _FINE x _FINE, from `start` to `end` in fortieths: bottom to top, or left to right."""
    ramp = np.clip(np.linspace(start, end, _FINE) * 255 / 40, 0, 255).astype(np.uint8)
    rows = np.tile(ramp, (_FINE, 1))
    return Image.fromarray(np.ascontiguousarray(rows if sideways else rows.T[::-1]))
