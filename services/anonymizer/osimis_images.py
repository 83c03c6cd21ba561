"""Images in the container of the Osimis viewer: KLV with a PNG in it.

Both are written here; of a PNG that came from Orthanc only what makes the picture.
"""

import struct
import zlib
from array import array
from collections.abc import Iterator
from typing import Final

from orthanc_share.deidentification.pixel_cells import PixelLayout
from orthanc_share.domain.errors import UpstreamError

PNG: Final = "image/png"

_HEIGHT, _WIDTH, _SIZE, _LEAST, _MOST, _STRETCHED, _IMAGE = range(7)
"""Keys of the container. Source: the viewer's `parsed-klv.class.js`."""

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_CRITICAL: Final = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
_HEADER: Final = struct.Struct(">II5B")  # W3C PNG 11.2.1
_CHANNELS: Final = {0: 1, 2: 3}  # colour types: grey, RGB
_DEPTHS: Final = frozenset({8, 16})


def broken() -> UpstreamError:
    """Return the error of a picture that is none."""
    return UpstreamError("Orthanc answered with a broken picture.")


def klv(png: bytes) -> bytes:
    """Return a picture in the container.

    Args:
        png: As `clean_png` returns it.
    """
    width, height, depth, colour, *_ = _HEADER.unpack_from(png, len(_SIGNATURE) + 8)
    cell = depth // 8 * _CHANNELS[colour]
    # The viewer takes least and most from the pixels, where nothing is stretched.
    numbers = {
        _HEIGHT: height,
        _WIDTH: width,
        _SIZE: width * height * cell,
        _LEAST: 0,
        _MOST: 0,
    }
    entries = [_entry(key, struct.pack(">I", one)) for key, one in numbers.items()]
    return b"".join([*entries, _entry(_STRETCHED, b"\0"), _entry(_IMAGE, png)])


def clean_png(png: bytes) -> bytes:
    """Return a picture without anything but its pixels.

    Raises:
        UpstreamError: It is no PNG of the kinds that Orthanc writes.
    """
    kept = [chunk for chunk in _chunks(png) if chunk[4:8] in _CRITICAL]
    if not kept or kept[0][4:8] != b"IHDR" or kept[-1][4:8] != b"IEND":
        raise broken()
    if len(kept[0]) != _HEADER.size + 12:
        raise broken()
    _, _, depth, colour, *_ = _HEADER.unpack_from(kept[0], 8)
    if depth not in _DEPTHS or colour not in _CHANNELS:
        raise broken()
    return _SIGNATURE + b"".join(kept)


def png_of(pixels: bytes, layout: PixelLayout) -> bytes:
    """Return a frame as PNG, with all its bits.

    Args:
        pixels: Of one frame, little endian, pixel after pixel.
        layout: How they lie; 8 or 16 bits, one or three samples.
    """
    if layout.cell > 1:
        cells = array("H", pixels)
        cells.byteswap()
        pixels = cells.tobytes()
    stride = layout.columns * layout.samples * layout.cell
    starts = range(0, layout.rows * stride, stride)
    # Each row begins with the number of its filter; 0: none.
    rows = b"".join(b"\0" + pixels[start : start + stride] for start in starts)
    colour = next(key for key, one in _CHANNELS.items() if one == layout.samples)
    header = (layout.columns, layout.rows, layout.cell * 8, colour, 0, 0, 0)
    return b"".join(
        (
            _SIGNATURE,
            _chunk(b"IHDR", _HEADER.pack(*header)),
            _chunk(b"IDAT", zlib.compress(rows)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    body = kind + content
    return len(content).to_bytes(4) + body + zlib.crc32(body).to_bytes(4)


def _entry(key: int, value: bytes) -> bytes:
    return struct.pack(">II", key, len(value)) + value


def _chunks(png: bytes) -> Iterator[bytes]:
    """Yield whole chunks up to `IEND`, what follows it is not looked at.

    Raises:
        UpstreamError: One is cut or damaged.
    """
    if not png.startswith(_SIGNATURE):
        raise broken()
    at = len(_SIGNATURE)
    kind = b""
    while kind != b"IEND":
        end = at + 12 + int.from_bytes(png[at : at + 4])
        chunk, kind = png[at:end], png[at + 4 : at + 8]
        if end > len(png):
            raise broken()
        if zlib.crc32(chunk[4:-4]) != int.from_bytes(chunk[-4:]):
            raise broken()
        yield chunk
        at = end
