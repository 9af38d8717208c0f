"""What a PNG, JPEG or WebP file holds beside its pixels, which could tell who made it, where and when."""

import io
from collections.abc import Callable, Iterator

from PIL import Image, UnidentifiedImageError

# Named one by one, so that what a later version of a format adds is not taken for pixels. No colour profile is among them: it
# names its maker, and the second at which it was made.
_PNG = frozenset((b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"cICP", b"sBIT", b"bKGD", b"hIST", b"pHYs"))
_WEBP = frozenset((b"VP8 ", b"VP8L", b"VP8X", b"ALPH"))
# Tables of Huffman, of arithmetic coding and of quantisation, frames, scans, the number of lines and the restart interval.
_JPEG = frozenset((*range(0xC0, 0xC8), *range(0xC9, 0xD0), 0xDA, 0xDB, 0xDC, 0xDD))
_START, _END, _COMMENT, _APP0, _APP14 = 0xD8, 0xD9, 0xFE, 0xE0, 0xEE
_RESTARTS = frozenset(range(0xD0, 0xD8))
_TRAILING = "bytes after its end"


def beside_pixels(content: bytes) -> list[str]:
    """Return the names of what an image file holds beside its pixels, sorted: chunks, segments, a thumbnail, bytes after the end.

    Raises:
        ValueError: it is none of the three formats, or cannot be read.
    """
    try:
        with Image.open(io.BytesIO(content), formats=tuple(_READ)) as image:
            image.load()
            found = _READ[image.format or ""](content)
        return sorted(set(found))
    except UnidentifiedImageError as error:
        raise ValueError("no PNG, JPEG or WebP") from error
    except (OSError, SyntaxError, IndexError, Image.DecompressionBombError) as error:
        raise ValueError(str(error)) from error


def _in_png(content: bytes) -> Iterator[str]:
    """Yield the chunks that are not of pixels: a length of 4 bytes, a name of 4, the content, a checksum of 4."""
    at, name = 8, b""
    while name != b"IEND":
        name, size = _required(content, at + 4, 4), int.from_bytes(_required(content, at, 4), "big")
        at += 12 + size
        if name not in _PNG:
            yield _readable(name)
    if content[at:]:
        yield _TRAILING


def _in_webp(content: bytes) -> Iterator[str]:
    """Yield the chunks that are not of pixels: a name of 4 bytes, a length of 4, the content, padded to an even length."""
    end = 8 + int.from_bytes(_required(content, 4, 4), "little")
    at = 12
    while at < end:
        name, size = _required(content, at, 4), int.from_bytes(_required(content, at + 4, 4), "little")
        at += 8 + size + size % 2
        if name not in _WEBP:
            yield _readable(name)
    if at < len(content):
        yield _TRAILING


def _in_jpeg(content: bytes) -> Iterator[str]:
    """Yield the segments that are not of pixels; what follows the head of a scan up to the next marker is pixels."""
    at = 2
    while True:
        at = _next_marker(content, at)
        marker = content[at]
        if marker == _END:
            break
        size = int.from_bytes(_required(content, at + 1, 2), "big")
        if marker not in _JPEG and not _says_how_to_read(marker, content[at + 3 : at + 1 + size]):
            yield "a comment" if marker == _COMMENT else f"APP{marker - _APP0}" if marker >= _APP0 else f"segment {marker:02X}"
        at += 1 + size
    if content[at + 1 :]:
        yield _TRAILING


def _next_marker(content: bytes, at: int) -> int:
    """Return the place of the second byte of the next marker; a zero after 255 is a pixel's, and a restart divides a scan."""
    while True:
        at = content.index(b"\xff", at) + 1
        while content[at] == 0xFF:
            at += 1
        if content[at] and content[at] not in _RESTARTS:
            return at


def _says_how_to_read(marker: int, segment: bytes) -> bool:
    """Return whether a segment is the head of JFIF without a thumbnail, or Adobe's word on how colours are coded."""
    if marker == _APP0:
        return segment.startswith(b"JFIF\0") and len(segment) == 14
    return marker == _APP14 and segment.startswith(b"Adobe") and len(segment) == 12


def _required(content: bytes, at: int, size: int) -> bytes:
    found = content[at : at + size]
    if len(found) < size:
        raise ValueError("it is cut off")
    return found


def _readable(name: bytes) -> str:
    return name.decode("ascii", "backslashreplace").strip()


_READ: dict[str, Callable[[bytes], Iterator[str]]] = {"PNG": _in_png, "JPEG": _in_jpeg, "WEBP": _in_webp}
