"""What an image file holds beside its pixels: whatever is no pixel is found in each of the three formats, and pixels are not."""

import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from reports.bare_images import beside_pixels

PICTURE = Image.effect_noise((24, 17), 60).convert("RGB")
HIDDEN = b"made by somebody"
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def saved(kind: str, picture: Image.Image = PICTURE, **how: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **how)
    return buffer.getvalue()


def with_chunk(name: bytes, content: bytes = HIDDEN) -> bytes:
    """Return a PNG with a further chunk before its pixels."""
    png = saved("PNG")
    place = png.index(b"IDAT") - 4
    return png[:place] + struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content)) + png[place:]


def with_segment(marker: int, content: bytes = HIDDEN) -> bytes:
    """Return a JPEG with a further segment at its start."""
    jpeg = saved("JPEG")
    return jpeg[:2] + bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content + jpeg[2:]


def with_webp_chunk(name: bytes) -> bytes:
    """Return a WebP with a further chunk at its end, inside what its head says that it holds."""
    webp = saved("WEBP") + name + struct.pack("<I", len(HIDDEN)) + HIDDEN
    return webp[:4] + struct.pack("<I", len(webp) - 8) + webp[8:]


@pytest.mark.parametrize(
    "content",
    [
        *(saved("PNG", PICTURE.convert(mode)) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")),
        saved("PNG", dpi=(72, 72)),
        *(saved("JPEG", PICTURE.convert(mode)) for mode in ("L", "RGB", "CMYK")),
        *(saved("JPEG", **how) for how in ({"progressive": True}, {"dpi": (72, 72)}, {"restart_marker_blocks": 1}, {"keep_rgb": True})),
        *(saved("WEBP", **how) for how in ({"lossless": True}, {"quality": 60})),
        saved("WEBP", PICTURE.convert("RGBA").rotate(20)),
    ],
)
def test_pixels_alone_are_let_through(content: bytes) -> None:
    assert beside_pixels(content) == []


@pytest.mark.parametrize("name", [b"caBX", b"tIME", b"eXIf", b"iTXt", b"iCCP", b"acTL", b"prVt"])
def test_every_chunk_of_a_png_that_is_not_of_pixels_is_named(name: bytes) -> None:
    assert beside_pixels(with_chunk(name, b"\x07\xea\x0b\x15\x0a\x00\x00\x00")) == [name.decode()]


@pytest.mark.parametrize(
    ("marker", "named"),
    [(0xE1, "APP1"), (0xE2, "APP2"), (0xEB, "APP11"), (0xEC, "APP12"), (0xED, "APP13"), (0xEE, "APP14"), (0xFE, "a comment")],
)
def test_every_segment_of_a_jpeg_that_is_not_of_pixels_is_named(marker: int, named: str) -> None:
    assert beside_pixels(with_segment(marker)) == [named]


def test_a_thumbnail_in_the_head_of_a_jpeg_is_found() -> None:
    assert beside_pixels(with_segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\1\1abc")) == ["APP0"]
    assert beside_pixels(with_segment(0xE0, b"JFXX\0\x10")) == ["APP0"]


@pytest.mark.parametrize("name", ["EXIF", "XMP", "ICCP", "ANMF", "mine"])
def test_every_chunk_of_a_webp_that_is_not_of_pixels_is_named(name: str) -> None:
    assert beside_pixels(with_webp_chunk(name.ljust(4).encode())) == [name]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_bytes_after_the_end_are_found(kind: str) -> None:
    assert beside_pixels(saved(kind) + b"\n") == ["bytes after its end"]
    assert beside_pixels(saved(kind) + saved(kind)) == ["bytes after its end"]


@pytest.mark.parametrize(("kind", "named"), [("PNG", "iCCP"), ("JPEG", "APP2"), ("WEBP", "ICCP")])
def test_a_colour_profile_is_found_since_it_holds_the_time_it_was_made(kind: str, named: str) -> None:
    assert beside_pixels(saved(kind, icc_profile=PROFILE)) == [named]


def test_all_that_is_beside_the_pixels_is_named_at_once() -> None:
    said = PngInfo()
    said.add_text("Author", "somebody", zip=True)
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    assert beside_pixels(saved("PNG", pnginfo=said, exif=exif) + b"!") == ["bytes after its end", "eXIf", "zTXt"]


@pytest.mark.parametrize("content", [b"", b"no image", saved("GIF"), saved("PNG")[:60], saved("JPEG")[:300], saved("WEBP")[:90]])
def test_what_is_no_whole_image_of_the_three_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        beside_pixels(content)


@given(st.sampled_from(["PNG", "JPEG", "WEBP"]), st.data())
def test_a_damaged_image_is_read_or_refused_and_nothing_else(kind: str, data: st.DataObject) -> None:
    content = bytearray(saved(kind))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=4)):
        content[place] = data.draw(st.integers(0, 255))
    try:
        assert isinstance(beside_pixels(bytes(content)), list)
    except ValueError as refused:
        assert str(refused)
