"""Compressed images that carry text beside their pixels."""

import io
import struct

import numpy as np
from openjpeg.utils import encode_array
from PIL import Image

from tests.support.corpus.canaries import Canaries
from tests.support.corpus.study import SIZE

JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
JPEG_LS = "1.2.840.10008.1.2.4.80"
JPEG_2000 = "1.2.840.10008.1.2.4.90"
HTJ2K = "1.2.840.10008.1.2.4.201"
JPEG_XL = "1.2.840.10008.1.2.4.110"
RLE = "1.2.840.10008.1.2.5"
MPEG4 = "1.2.840.10008.1.2.4.102"

_SOI, _SOC = b"\xff\xd8", b"\xff\x4f"
_EOI = b"\xff\xd9"


def grey(
    seed: int = 0, size: int = SIZE
) -> "np.ndarray[tuple[int, int], np.dtype[np.uint8]]":
    """Return a small grey image."""
    y, x = np.indices((size, size))
    return ((x * 9 + y * 5 + seed * 31) % 256).astype(np.uint8)


def segment(marker: int, content: bytes) -> bytes:
    """Return a marker segment of JPEG or JPEG 2000."""
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def jpeg(made: Canaries, source: str, seed: int = 0) -> bytes:
    """Return a baseline JPEG with text in every place that decoders skip."""
    stream = io.BytesIO()
    Image.fromarray(grey(seed)).save(stream, "JPEG", quality=95)
    plain = stream.getvalue()
    first = 2 + 2 + struct.unpack(">H", plain[4:6])[0]  # behind SOI and APP0

    def text(place: str) -> bytes:
        return made.text(f"{source}/JPEG {place}").encode()

    artist = text("EXIF Artist")
    entry = struct.pack("<HHHIII", 1, 0x013B, 2, len(artist), 26, 0)
    exif = b"Exif\0\0II*\0\x08\0\0\0" + entry + artist
    comments = [
        segment(0xE0, b"JFXX\0\x10" + text("APP0 JFXX thumbnail")),
        segment(0xE1, exif),
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x>" + text("XMP")),
        segment(0xE2, b"ICC_PROFILE\0\1\1" + text("ICC")),
        segment(0xE8, b"SPIFF\0" + text("APP8 SPIFF")),
        segment(0xED, b"Photoshop 3.0\0" + text("APP13 IPTC")),
        segment(0xEF, text("APP15")),
        segment(0xFE, text("COM")),
        b"\xff\xff\xff" + segment(0xFE, text("COM after fill bytes"))[1:],
    ]
    body = plain[first:-2]
    frame = body.index(b"\xff\xda")
    late = segment(0xFE, text("COM before the scan"))
    body = body[:frame] + late + body[frame:]
    tail = segment(0xFE, text("COM after the scan")) + _EOI + text("after EOI")
    return plain[:first] + b"".join(comments) + body + tail


def jpeg_2000(made: Canaries, source: str, seed: int = 0) -> bytes:
    """Return a reversible JPEG 2000 codestream with comments and a tail."""
    plain = encode_array(grey(seed), photometric_interpretation=2, codec_format=0)
    return _with_comments(bytes(plain), made, source)


def _with_comments(stream: bytes, made: Canaries, source: str) -> bytes:
    """Put COM segments before the first tile-part and into its header."""
    tile = stream.index(b"\xff\x90")
    data = stream.index(b"\xff\x93", tile)

    def comment(place: str) -> bytes:
        text = made.text(f"{source}/J2K COM {place}").encode()
        return segment(0x64, b"\0\1" + text)

    inner = comment("in a tile-part")
    length = int.from_bytes(stream[tile + 6 : tile + 10], "big")
    longer = (length + len(inner)).to_bytes(4, "big") if length else b"\0\0\0\0"
    head = stream[tile : tile + 6] + longer + stream[tile + 10 : data]
    tail = made.text(f"{source}/after EOC").encode()
    return (
        stream[:tile] + comment("in the main header") + head + inner
        + stream[data:] + tail
    )  # fmt: skip


def jpeg_ls(made: Canaries, source: str) -> bytes:
    """Return the frame of a JPEG-LS stream; its scan is no picture."""
    start = segment(0xF7, struct.pack(">BHHB3s", 8, SIZE, SIZE, 1, b"\1\x11\0"))
    scan = segment(0xDA, b"\1\1\0\0\0\0") + b"\x12\x34\x56\x78"
    comment = segment(0xFE, made.text(f"{source}/JPEG-LS COM").encode())
    app = segment(0xE8, b"mrfx" + made.text(f"{source}/JPEG-LS APP8").encode())
    return _SOI + app + comment + start + scan + _EOI


def jpeg_xl(made: Canaries, source: str) -> bytes:
    """Return a JPEG XL container with an Exif box and no picture."""
    exif = b"\0\0\0\0II*\0" + made.text(f"{source}/JXL Exif").encode()
    box = struct.pack(">I4s", 8 + len(exif), b"Exif") + exif
    return b"\0\0\0\x0cJXL \r\n\x87\n" + box


def rle(made: Canaries, source: str, seed: int = 0) -> bytes:
    """Return an RLE frame (PS3.5 annex G) with text behind its last segment."""
    packed = b"".join(bytes([SIZE - 1]) + bytes(row) for row in grey(seed))
    header = struct.pack("<16I", 1, 64, *(0,) * 14)
    return header + packed + made.text(f"{source}/RLE tail").encode()


def mp4(made: Canaries, source: str) -> bytes:
    """Return the boxes of a film without pictures, but with a title."""

    def box(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I4s", 8 + len(content), kind) + content

    title = made.text(f"{source}/MP4 title").encode()
    user = box(b"udta", box(b"\xa9nam", struct.pack(">HH", len(title), 0) + title))
    return (
        box(b"ftyp", b"isom\0\0\2\0isomiso2")
        + box(b"moov", box(b"mvhd", b"\0" * 100) + user)
        + box(b"mdat", b"\0" * 64)
    )
