"""The container of the Osimis viewer, and pictures with nothing but pixels."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from anonymizer.osimis_images import clean_png, klv, png_of
from orthanc_share.deidentification.pixel_cells import PixelLayout
from orthanc_share.domain.errors import UpstreamError


def png(mode: str = "L", **more: str) -> bytes:
    """Return a picture of 4 by 3 pixels, with texts beside it."""
    info = PngInfo()
    for key, text in more.items():
        info.add_text(key, text)
    written = io.BytesIO()
    Image.new(mode, (4, 3)).save(written, "PNG", pnginfo=info)
    return written.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def test_texts_in_a_picture_do_not_go_out() -> None:
    source = png(Author="DEMO^CT") + b"DEMO^CT"
    assert b"DEMO" in source
    made = clean_png(source)
    assert b"DEMO" not in made
    assert Image.open(io.BytesIO(made)).size == (4, 3)


@pytest.mark.parametrize(
    "source",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        png()[:-1],
        png()[:-12],
        png()[:40],
        png().replace(b"IDAT", b"XDAT"),
        b"\x89PNG\r\n\x1a\n" + chunk(b"IEND", b""),
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", b"") + chunk(b"IEND", b""),
        png("P"),
        png("1"),
        png("RGBA"),
    ],
    ids=[
        "nothing",
        "signature",
        "cut",
        "without end",
        "cut in a chunk",
        "damaged",
        "without header",
        "short header",
        "palette",
        "bits",
        "transparent",
    ],
)
def test_what_orthanc_does_not_write_is_refused(source: bytes) -> None:
    with pytest.raises(UpstreamError, match="broken picture"):
        clean_png(source)


@pytest.mark.parametrize(
    ("pixels", "size"),
    [
        (np.arange(12, dtype="<u2").reshape(3, 4) * 257 + 1, 24),
        (np.arange(12, dtype="u1").reshape(3, 4), 12),
        (np.arange(36, dtype="u1").reshape(3, 4, 3), 36),
    ],
    ids=["16 bits", "8 bits", "RGB"],
)
def test_a_frame_is_in_the_container_bit_for_bit(
    pixels: "np.ndarray[Any, Any]", size: int
) -> None:
    bits = pixels.dtype.itemsize * 8
    layout = PixelLayout(
        rows=3,
        columns=4,
        samples=3 if pixels.ndim == 3 else 1,
        frames=1,
        allocated=bits,
        stored=bits,
        high_bit=bits - 1,
    )
    png = png_of(pixels.tobytes(), layout)
    assert clean_png(png) == png
    made = klv(png)
    numbers = {}
    at = 0
    while at < len(made):
        key, length = struct.unpack_from(">II", made, at)
        numbers[key] = made[at + 8 : at + 8 + length]
        at += 8 + length
    assert [int.from_bytes(numbers[key]) for key in range(6)] == [3, 4, size, 0, 0, 0]
    assert (np.asarray(Image.open(io.BytesIO(numbers[6]))) == pixels).all()
