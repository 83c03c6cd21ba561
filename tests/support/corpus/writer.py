"""Writes DICOM byte by byte, also what a library would refuse to write."""

import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain

Value = bytes | str | Sequence["int | float"] | Sequence["Items"]

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
BIG_ENDIAN = "1.2.840.10008.1.2.2"

_LONG = {
    *("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV"),
    "UC",
    "UN",
    "UR",
    "UT",
    "UV",
}
_NUMBERS = {
    "US": "H",
    "SS": "h",
    "UL": "I",
    "SL": "i",
    "FL": "f",
    "FD": "d",
    "AT": "HH",
    "UV": "Q",
    "SV": "q",
    "OW": "H",
    "OF": "f",
    "OD": "d",
    "OL": "I",
    "OV": "Q",
}
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD


@dataclass(frozen=True)
class El:
    """An element.

    Args:
        tag: `0xGGGGEEEE`.
        vr: Value representation as it is written (explicit VR).
        value: Bytes as they are; text; numbers; or the items of a sequence.
        undefined: Lengths of the sequence and of its items are not written.
        charset: Python codec of a text.
    """

    tag: int
    vr: str
    value: Value = b""
    undefined: bool = False
    charset: str = "latin_1"


Items = Sequence[El]


@dataclass(frozen=True)
class Syntax:
    """How elements are written."""

    uid: str = EXPLICIT

    @property
    def order(self) -> str:
        """Byte order for `struct`."""
        return ">" if self.uid == BIG_ENDIAN else "<"

    @property
    def is_implicit(self) -> bool:
        """No VR is written."""
        return self.uid == IMPLICIT


def dataset(elements: Iterable[El], syntax: Syntax, *, is_sorted: bool = True) -> bytes:
    """Return a data set; `is_sorted=False` leaves the order as it is."""
    chosen = sorted(elements, key=lambda el: el.tag) if is_sorted else elements
    return b"".join(chain.from_iterable(_element(el, syntax) for el in chosen))


def _element(el: El, syntax: Syntax) -> Iterable[bytes]:
    value, is_undefined = _value(el, syntax)
    length = _UNDEFINED if is_undefined else len(value)
    yield _tag(el.tag, syntax)
    if syntax.is_implicit:
        yield struct.pack("<I", length)
    elif el.vr in _LONG:
        yield el.vr.encode() + b"\0\0" + struct.pack(f"{syntax.order}I", length)
    else:
        yield el.vr.encode() + struct.pack(f"{syntax.order}H", length)
    yield value


def _tag(tag: int, syntax: Syntax) -> bytes:
    return struct.pack(f"{syntax.order}HH", tag >> 16, tag & 0xFFFF)


def _value(el: El, syntax: Syntax) -> tuple[bytes, bool]:
    if isinstance(el.value, bytes):
        return el.value, el.vr in {"OB", "OW"} and el.value.startswith(_FRAGMENTS)
    if isinstance(el.value, str):
        return _padded(el.value.encode(el.charset), el.vr), False
    if el.vr in {"SQ", "UN"}:
        return _items(el, syntax), el.undefined
    return _numbers(el, syntax.order), False


def _padded(value: bytes, vr: str) -> bytes:
    return value + (b"\0" if vr == "UI" else b" ") * (len(value) % 2)


def _numbers(el: El, order: str) -> bytes:
    code = _NUMBERS[el.vr]
    if el.vr == "AT":
        parts = [part for n in el.value for part in (int(n) >> 16, int(n) & 0xFFFF)]  # type: ignore[arg-type]
        return struct.pack(f"{order}{len(parts)}H", *parts)
    return struct.pack(f"{order}{len(el.value)}{code}", *el.value)


def _items(el: El, syntax: Syntax) -> bytes:
    # A sequence that is sent as UN is in implicit VR, little endian (PS3.5 6.2.2).
    inner = Syntax(IMPLICIT) if el.vr == "UN" else syntax
    pieces = []
    for item in el.value:
        content = dataset(item, inner)  # type: ignore[arg-type]
        length = _UNDEFINED if el.undefined else len(content)
        pieces += [_tag(_ITEM, inner), struct.pack(f"{inner.order}I", length), content]
        if el.undefined:
            pieces += [_tag(_ITEM_END, inner), b"\0\0\0\0"]
    if el.undefined:
        pieces += [_tag(_SEQUENCE_END, inner), b"\0\0\0\0"]
    return b"".join(pieces)


_FRAGMENTS = b"\xfe\xff\x00\xe0"


def fragments(frames: Sequence[bytes], table: bytes = b"") -> bytes:
    """Return encapsulated Pixel Data: an offset table, then one fragment each."""
    pieces = []
    for piece in (table, *frames):
        padded = piece + b"\0" * (len(piece) % 2)
        pieces += [_FRAGMENTS, struct.pack("<I", len(padded)), padded]
    return b"".join((*pieces, b"\xfe\xff\xdd\xe0", b"\0\0\0\0"))


@dataclass(frozen=True)
class Meta:
    """What stands before the data set, hostile parts included.

    Args:
        sop_class: Media Storage SOP Class UID.
        sop_instance: Media Storage SOP Instance UID.
        preamble: 128 bytes.
        more: Further elements of group 0002.
    """

    sop_class: str
    sop_instance: str
    preamble: bytes = b"\0" * 128
    more: Items = field(default_factory=tuple)


def part10(
    meta: Meta, elements: Iterable[El], uid: str, *, is_sorted: bool = True
) -> bytes:
    """Return a file (PS3.10) in the transfer syntax `uid`."""
    own = (
        El(0x00020001, "OB", b"\0\1"),
        El(0x00020002, "UI", meta.sop_class),
        El(0x00020003, "UI", meta.sop_instance),
        El(0x00020010, "UI", uid),
        El(0x00020012, "UI", "1.2.276.0.7230010.3.0.3.6.7"),
    )
    group = dataset((*own, *meta.more), Syntax())
    length = dataset([El(0x00020000, "UL", [len(group)])], Syntax())
    content = dataset(elements, Syntax(uid), is_sorted=is_sorted)
    if uid == DEFLATED:
        packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        content = packer.compress(content) + packer.flush()
        content += b"\0" * (len(content) % 2)
    return meta.preamble.ljust(128, b"\0")[:128] + b"DICM" + length + group + content
