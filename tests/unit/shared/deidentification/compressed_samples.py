"""Compressed images with secrets in all places where a codestream can hold one."""

import io
import struct

import numpy as np
from PIL import Image

from tests.unit.shared.deidentification.byte_samples import SECRET

GRADIENT = np.arange(64 * 64, dtype="u2").reshape(64, 64)


def segment(marker: int, payload: bytes) -> bytes:
    """Return a marker segment of JPEG or JPEG 2000."""
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def even(data: bytes) -> bytes:
    """Return `data` padded to an even length."""
    return data + bytes(len(data) % 2)


def jpeg(*, progressive: bool = False, restart: int = 0) -> bytes:
    """Return a real JPEG image of 64 x 64, as Pillow writes it."""
    out = io.BytesIO()
    picture = Image.fromarray((GRADIENT % 251).astype("u1"))
    picture.save(
        out, "JPEG", quality=90, progressive=progressive, restart_marker_blocks=restart
    )
    return out.getvalue()


def with_segments(image: bytes, *segments: bytes) -> bytes:
    """Return a JPEG image with more segments after its first marker."""
    return image[:2] + b"".join(segments) + image[2:]


def jpeg_2000(*, tiles: int = 64) -> bytes:
    """Return a real JPEG 2000 codestream of 64 x 64, as Pillow writes it."""
    out = io.BytesIO()
    picture = Image.fromarray((GRADIENT % 251).astype("u1"))
    picture.save(
        out, "JPEG2000", no_jp2=True, irreversible=False, tile_size=(tiles, tiles),
        comment="",
    )  # fmt: skip
    return out.getvalue()


def jp2() -> bytes:
    """Return an image in the file format JP2."""
    out = io.BytesIO()
    Image.fromarray((GRADIENT % 251).astype("u1")).save(out, "JPEG2000")
    return out.getvalue()


SIZE = segment(0x51, struct.pack(">HIIIIIIIIHBBB", 0, *[1, 1, 0, 0] * 2, 1, 7, 1, 1))
"""A SIZ segment of JPEG 2000, for codestreams by hand."""


def tile_part(*segments: bytes, data: bytes = b"pixels", length: int = -1) -> bytes:
    """Return a tile-part of JPEG 2000; `length` is for those that lie about theirs."""
    body = b"".join(segments) + b"\xff\x93" + data
    length = 12 + len(body) if length < 0 else length
    return segment(0x90, struct.pack(">HIBB", 0, length, 0, 1)) + body


def by_hand(*parts: bytes) -> bytes:
    """Return a JPEG 2000 codestream of `parts`."""
    return b"\xff\x4f" + b"".join(parts) + b"\xff\xd9"


FRAME = segment(0xC0, bytes((8, 0, 2, 0, 2, 1, 1, 0x11, 0)))
"""A frame header of JPEG, for images by hand."""

SCAN = segment(0xDA, bytes((1, 1, 0, 0, 63, 0)))
"""A scan header of JPEG, for images by hand."""


def jpeg_by_hand(*parts: bytes) -> bytes:
    """Return a JPEG image of `parts`."""
    return b"\xff\xd8" + b"".join(parts) + b"\xff\xd9"


def rle(*segments: bytes, offsets: tuple[int, ...] | None = None) -> bytes:
    """Return an RLE image; `offsets` is for those that lie about theirs."""
    starts = [64]
    for one in segments[:-1]:
        starts.append(starts[-1] + len(one))
    found = tuple(starts) if offsets is None else offsets
    header = struct.pack("<16I", len(segments), *found, *[0] * (15 - len(found)))
    return header + b"".join(segments)


COMMENT = segment(0xFE, SECRET)
"""A comment in JPEG."""
