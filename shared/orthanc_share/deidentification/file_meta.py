"""Preamble and File Meta Information of Part 10 files: read, and written anew.

Source: PS3.10 7.1.
"""

import struct
from typing import Final

from orthanc_share.deidentification.limits import IncompleteError
from orthanc_share.deidentification.wire import (
    EXPLICIT_LITTLE,
    LONG_HEADER,
    LONG_VRS,
    SHORT_VRS,
    malformed,
    texts,
)

IMPLEMENTATION_CLASS_UID: Final = "2.25.256408927363894230812186402379153962177"
"""Says that we wrote the file; drawn once at random (PS3.5 B.2)."""

TRANSFER_SYNTAX_UID: Final = 0x00020010

_PREAMBLE: Final = 128
_MAGIC: Final = b"DICM"
_GROUP: Final = 0x0002
_GROUP_LENGTH: Final = 0x0000
_TRANSFER_SYNTAX: Final = 0x0010
_MAX: Final = 64 * 2**10  # bytes; a real one has some hundred
_HEADER: Final = struct.Struct("<HH2sH")
_VERSION: Final = EXPLICIT_LITTLE.element(0x00020001, "OB", b"\0\1")
_WRITER: Final = EXPLICIT_LITTLE.element(
    0x00020012, "UI", IMPLEMENTATION_CLASS_UID.encode("ascii")
)
_START: Final = b"".join(
    (bytes(_PREAMBLE), _MAGIC, EXPLICIT_LITTLE.header(0x00020000, "UL", 4))
)


def read(data: bytes) -> tuple[str, int]:
    """Return the transfer syntax UID of a file, and where its dataset starts.

    Args:
        data: The start of the file.

    Raises:
        DeidentificationError: It is no Part 10 file, or malformed.
        IncompleteError: More is needed.
    """
    at = _PREAMBLE + len(_MAGIC)
    if len(data) < at:
        raise IncompleteError(at)
    if data[_PREAMBLE:at] != _MAGIC:
        raise malformed("it is no DICOM file", _PREAMBLE)
    end: int | None = None
    transfer_syntax, last = "", -1
    while at != end:
        group, element, vr, value, after = _element(data, at, last, end)
        if group != _GROUP:
            break
        if element == _GROUP_LENGTH:
            end = after + _group_length(data[value:after])
        if element == _TRANSFER_SYNTAX:
            transfer_syntax = "".join(texts(vr.decode(), data[value:after]))
        last, at = element, after
    if end is not None and at != end:
        raise malformed("the length of the file meta information is wrong", at)
    return transfer_syntax, at


def _group_length(raw: bytes) -> int:
    if len(raw) != 4:  # noqa: PLR2004
        raise malformed("the length of the file meta information is wrong")
    return int.from_bytes(raw, "little")


def _element(
    data: bytes, at: int, last: int, end: int | None
) -> tuple[int, int, bytes, int, int]:
    """Return group, element, VR, start and end of the value of the element at `at`.

    Of an element of another group only the group says anything.
    """
    if len(data) < at + LONG_HEADER:
        raise IncompleteError(at + LONG_HEADER)
    group, element, vr, length = _HEADER.unpack_from(data, at)
    value = at + _HEADER.size
    if group != _GROUP:
        return group, element, vr, value, value
    if vr in LONG_VRS:
        value = at + LONG_HEADER
        length = int.from_bytes(data[at + 8 : value], "little")
    elif vr not in SHORT_VRS:
        raise malformed("an unknown VR", at)
    after = value + length
    if element <= last or after > _MAX or (end is not None and after > end):
        raise malformed("the file meta information is out of order or too long", at)
    if after > len(data):
        raise IncompleteError(after)
    return group, element, vr, value, after


def write(sop_class: bytes, sop_instance: bytes, transfer_syntax: str) -> bytes:
    """Return preamble and File Meta Information of a file.

    Args:
        sop_class: SOP Class UID as it stands in the dataset, with padding.
        sop_instance: SOP Instance UID as it stands in the dataset, with padding.
        transfer_syntax: UID of the transfer syntax.
    """
    element = EXPLICIT_LITTLE.element
    meta = b"".join(
        (
            _VERSION,
            element(0x00020002, "UI", sop_class),
            element(0x00020003, "UI", sop_instance),
            element(0x00020010, "UI", transfer_syntax.encode("ascii")),
            _WRITER,
        )
    )
    return b"".join((_START, struct.pack("<I", len(meta)), meta))
