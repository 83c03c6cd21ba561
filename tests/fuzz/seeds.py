"""What is damaged: small objects of every encoding, with a secret in each text."""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tests.unit.shared.deidentification.byte_samples import (
    BIG,
    CT,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    JPEG_2000,
    JPEG_BASELINE,
    JPEG_LS,
    LITTLE,
    RLE,
    UNDEFINED,
    WRITERS,
    Writer,
    meta,
)
from tests.unit.shared.deidentification.compressed_samples import (
    FRAME,
    SCAN,
    SIZE,
    by_hand,
    even,
    jpeg_by_hand,
    rle,
    segment,
    tile_part,
    with_segments,
)

SECRET = b"QZCANARYQZ"
"""In all texts of all seeds; ten letters are no number of 4 or 8 bytes."""

_PIXELS = struct.pack("<16H", *range(16))


def _unchanged(data: bytes) -> bytes:
    return data


def _deflated(data: bytes) -> bytes:
    deflate = zlib.compressobj(wbits=-15)
    return meta(DEFLATED) + deflate.compress(data) + deflate.flush()


@dataclass(frozen=True)
class Seed:
    """Something to damage.

    Args:
        name: What it is.
        data: Its bytes.
        syntax: For bare datasets and frames, the transfer syntax; None for files.
        is_frame: Whether it is a bare frame.
        wrap: Makes the input of the damaged bytes.
    """

    name: str
    data: bytes
    syntax: str | None = None
    is_frame: bool = False
    wrap: Callable[[bytes], bytes] = _unchanged


def _numbers(w: Writer, frames: int) -> bytes:
    us = partial(w.el, vr="US")
    frame_count = w.el(0x00280008, "IS", str(frames)) if frames > 1 else b""
    return b"".join(
        (
            us(0x00280002, value=1),
            w.el(0x00280004, "CS", "MONOCHROME2"),
            frame_count,
            us(0x00280010, value=4),
            us(0x00280011, value=4),
            w.el(0x00280030, "DS", "0.5\\0.5"),
            us(0x00280100, value=16),
            us(0x00280101, value=12),
            us(0x00280102, value=11),
            us(0x00280103, value=0),
            w.el(0x00281050, "DS", "40"),
        )
    )


def _head(w: Writer, frames: int = 1, *, delimited: bool = False) -> bytes:
    code = w.item(
        w.el(0x00080100, "SH", "T-D1100"),
        w.el(0x00080102, "SH", "SRT"),
        w.el(0x00080104, "LO", SECRET),
        delimited=delimited,
    )
    reference = w.item(
        w.el(0x00081150, "UI", CT),
        w.el(0x00081155, "UI", "1.2.3.4"),
        w.el(0x00100010, "PN", SECRET),
        w.sequence(0x0040A170, code, delimited=delimited),
        delimited=delimited,
    )
    return b"".join(
        (
            w.el(0x00080005, "CS", "ISO_IR 100"),
            w.el(0x00080008, "CS", "ORIGINAL\\PRIMARY\\AXIAL"),
            w.el(0x00080016, "UI", CT),
            w.el(0x00080018, "UI", "1.2.3"),
            w.el(0x00080020, "DA", "18050101"),
            w.el(0x00080060, "CS", "CT"),
            w.el(0x00081030, "LO", SECRET),
            w.sequence(0x00081140, reference, reference, delimited=delimited),
            w.sequence(0x00082218, code, delimited=delimited),
            w.el(0x00090010, "LO", SECRET),
            w.el(0x00091001, "UN", SECRET * 3),
            w.el(0x00100010, "PN", SECRET),
            w.el(0x00100020, "LO", SECRET),
            w.el(0x0020000D, "UI", "1.2"),
            w.el(0x0020000E, "UI", "1.2.1"),
            w.el(0x00200011, "IS", "3"),
            w.el(0x00200032, "DS", "1\\2\\3"),
            _numbers(w, frames),
        )
    )


def _native(w: Writer, *, delimited: bool = False) -> bytes:
    # What follows the pixels is far enough from them that no damage makes it pixels.
    after = w.el(0x7FE10010, "LO", b" " * 400 + SECRET) + w.el(0xFFFCFFFC, "OB", SECRET)
    pixels = w.el(0x7FE00010, "OW", _PIXELS)
    return _head(w, delimited=delimited) + pixels + after


def _pixels(*fragments: bytes, frames: int = 1) -> bytes:
    items = b"".join(LITTLE.item(one) for one in (b"", *fragments))
    end = LITTLE.tag(0xFFFEE0DD) + bytes(4)
    return _head(LITTLE, frames) + LITTLE.el(0x7FE00010, "OB", items + end, UNDEFINED)


_JPEG = even(
    with_segments(
        jpeg_by_hand(FRAME, SCAN, b"pixels\xff\x00more\xff\xd0"),
        segment(0xFE, SECRET),
        segment(0xE1, b"Exif\0\0" + SECRET),
        segment(0xDB, bytes(65)),
    )
)
_JPEG_LS = even(
    jpeg_by_hand(
        segment(0xFE, SECRET), segment(0xF7, FRAME[4:]), SCAN, b"pixels\xff\x7f"
    )
)
_JPEG_2000 = even(
    by_hand(
        SIZE, segment(0x64, b"\0\1" + SECRET), segment(0x5C, b"\0\0"),
        tile_part(data=b"pixels"), tile_part(data=b"more", length=0),
    )
)  # fmt: skip
_RLE = rle(b"\xf1\7", b"\x0f" + bytes(range(16)) + b"\0")


def _un_sequence() -> bytes:
    w = WRITERS[IMPLICIT]
    item = w.item(w.el(0x00081155, "UI", "1.2.3.4"), w.el(0x00100010, "PN", SECRET))
    end = w.tag(0xFFFEE0DD) + bytes(4)
    return _head(LITTLE).replace(
        LITTLE.el(0x00091001, "UN", SECRET * 3),
        LITTLE.el(0x00091001, "UN", item + end, UNDEFINED),
    ) + LITTLE.el(0x7FE00010, "OW", _PIXELS)


SEEDS = (
    *(
        Seed(f"file {syntax}", meta(syntax) + _native(w))
        for syntax, w in WRITERS.items()
    ),
    *(
        Seed(f"dataset {syntax}", _native(w, delimited=True), syntax)
        for syntax, w in WRITERS.items()
    ),
    Seed("deflated", _native(LITTLE), wrap=_deflated),
    Seed("UN", meta() + _un_sequence()),
    Seed("document", meta() + _head(LITTLE)),
    Seed("JPEG", meta(JPEG_BASELINE) + _pixels(_JPEG)),
    Seed(
        "JPEG fragments",
        meta(JPEG_BASELINE) + _pixels(_JPEG[:30], _JPEG[30:], _JPEG, frames=2),
    ),
    Seed("JPEG-LS", meta(JPEG_LS) + _pixels(_JPEG_LS)),
    Seed("JPEG 2000", meta(JPEG_2000) + _pixels(_JPEG_2000)),
    Seed("RLE", meta(RLE) + _pixels(_RLE, _RLE, frames=2)),
    Seed("frame", _PIXELS, EXPLICIT, is_frame=True),
    Seed("big endian frame", _PIXELS, BIG, is_frame=True),
    Seed("JPEG frame", _JPEG, JPEG_BASELINE, is_frame=True),
    Seed("JPEG-LS frame", _JPEG_LS, JPEG_LS, is_frame=True),
    Seed("JPEG 2000 frame", _JPEG_2000, JPEG_2000, is_frame=True),
    Seed("RLE frame", _RLE, RLE, is_frame=True),
)
"""All of them."""
