"""The copies that people see: no metadata, meaningless names of equal length, and one date for all."""

import hashlib
import io
import os
from pathlib import Path

from PIL import ExifTags, Image, ImageCms, ImageOps, UnidentifiedImageError

from stimuli.experiment import ExperimentError, write_whole

# Any date will do, as long as it is the same for every image.
_DATE = 946_684_800
# EXIF orientations from here on swap width and height.
_LYING = 5


def name_of(*identity: str | int | None) -> str:
    """Return a meaningless id of twenty hexadecimal digits; equal identities have equal ids, and ids sort in no telling order.

    >>> len(name_of(1, "glasshouse", "initial", None))
    20
    """
    text = "\x1f".join("" if part is None else f"{part}" for part in identity)
    return hashlib.sha256(f"stimulus\x1f{text}".encode()).hexdigest()[:20]


def stripped(image: Image.Image) -> bytes:
    """Return an RGB image as PNG with nothing but its pixels; equal pixels give equal bytes."""
    bare = Image.frombytes("RGB", image.size, image.convert("RGB").tobytes())
    buffer = io.BytesIO()
    bare.save(buffer, "PNG", compress_level=6)
    return buffer.getvalue()


def shown_size(path: Path) -> tuple[int, int]:
    """Return width and height of a researcher's own image as people would see it, from its header alone.

    Raises:
        ExperimentError: the file is no image.
    """
    try:
        with Image.open(path) as opened:
            turned = opened.getexif().get(ExifTags.Base.Orientation, 1) >= _LYING
            return (opened.height, opened.width) if turned else (opened.width, opened.height)
    except (OSError, SyntaxError, ValueError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise ExperimentError(f"{path}: not an image that can be read ({error}); save it again as PNG or JPEG") from error


def upright(path: Path) -> Image.Image:
    """Return a researcher's own image as people should see it: turned as its EXIF says, in sRGB, transparency on white.

    Raises:
        ExperimentError: the file is no image that can be read.
    """
    try:
        with Image.open(path) as opened:
            profile = opened.info.get("icc_profile")
            image = ImageOps.exif_transpose(opened)
            if image.has_transparency_data:
                layer = image.convert("RGBA")
                image = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
            return _in_srgb(image.convert("RGB"), profile if opened.mode in ("RGB", "RGBA") else None)
    except FileNotFoundError as error:
        raise ExperimentError(f'{path}: no such file; put the image there or change the condition\'s "images"') from error
    except (OSError, SyntaxError, ValueError, UnidentifiedImageError, Image.DecompressionBombError, ImageCms.PyCMSError) as error:
        raise ExperimentError(f"{path}: not an image that can be read ({error}); save it again, as PNG or JPEG") from error


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Return the image with the colours that its profile means, since the copy carries no profile."""
    if not profile:
        return image
    converted = ImageCms.profileToProfile(image, ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB"))
    return image if converted is None else converted


def publish(folder: Path, copies: dict[str, bytes]) -> None:
    """Write the copies as `{name}.png`, in the order of their meaningless names; files that are there already are left."""
    for name in sorted(copies):
        path = folder / f"{name}.png"
        if not (path.is_file() and path.read_bytes() == copies[name]):
            write_whole(path, copies[name])
        os.utime(path, (_DATE, _DATE))


def tidy(folder: Path, names: set[str]) -> None:
    """Remove the images of stimuli that are no more."""
    for path in folder.glob("*.png"):
        if path.stem not in names:
            path.unlink()
