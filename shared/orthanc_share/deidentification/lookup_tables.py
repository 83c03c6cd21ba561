"""Whether a look-up table is what its descriptor says, and a table at all.

Any bytes are a table of 16 bits. What tells a text from a table is that a table is a
curve: neighbours are near each other, and rise or fall for a while.
"""

import struct
from collections.abc import Mapping, Sequence
from itertools import pairwise

from orthanc_share.deidentification.hidden_text import (
    RUN_LENGTH,
    is_curve,
    is_monotone,
    lettered_runs,
)

PALETTES = frozenset({0x00281201, 0x00281202, 0x00281203})
"""Red, Green and Blue Palette Color Lookup Table Data: only in a main dataset."""

LUT_DATA = 0x00283006
"""LUT Data: only in an item of a sequence."""

DESCRIPTOR_OF: Mapping[int, int] = {
    0x00281201: 0x00281101,  # Red Palette Color Lookup Table Data, Descriptor
    0x00281202: 0x00281102,
    0x00281203: 0x00281103,
    LUT_DATA: 0x00283002,  # LUT Descriptor
}
"""The tag of the descriptor for each tag of a table; both are in the same item.

Source: PS3.3 C.7.6.3.1.5, C.11.1.1.1.
"""

ENTRIES_MAX = 65_536
"""Entries of a table; a descriptor says 0 for as many."""

TURN_DISTANCE = 7
"""Entries from one turn of a palette, from rising to falling or back, to the next.

In a text every second letter is one.
"""

SHORT_MAX = 32
"""Entries of a table that is too short to be a curve: it has nothing like letters."""

_DESCRIPTOR_LENGTH = 3
_BITS = range(8, 17)
_BYTE = 8


def lengths(descriptor: Sequence[int]) -> frozenset[int]:
    """Return the lengths in bytes that the table of a descriptor may have.

    Args:
        descriptor: Number of entries, first value mapped, bits of an entry.

    Returns:
        Two for tables of 8 bits, which many devices write in words; none for what is
        no descriptor.
    """
    if len(descriptor) != _DESCRIPTOR_LENGTH or descriptor[2] not in _BITS:
        return frozenset()
    entries = descriptor[0] or ENTRIES_MAX
    if not 0 < entries <= ENTRIES_MAX:
        return frozenset()
    words = {entries * 2}
    return frozenset(
        words | {entries + entries % 2} if descriptor[2] == _BYTE else words
    )


def fits(
    tag: int, descriptor: Sequence[int], data: bytes, byte_order: str = "<"
) -> bool:
    """Tell whether `data` can be the table of a descriptor, and hide no text.

    Args:
        tag: One of `DESCRIPTOR_OF`.
        descriptor: Number of entries, first value mapped, bits of an entry.
        data: The table.
        byte_order: `<` for little endian, `>` for big endian.
    """
    if len(data) not in lengths(descriptor):
        return False
    entries = descriptor[0] or ENTRIES_MAX
    if len(data) < 2 * entries:
        # In big endian the bytes of a pair are swapped: PS3.5 A.3, note.
        return _is_table(tag, _bytes(data, byte_order)[:entries], data, 1)
    values = struct.unpack(f"{byte_order}{entries}H", data)
    # Of a table that uses less than 16 bits the upper ones are empty.
    return max(values) < 1 << descriptor[2] and _is_table(tag, values, data, 2)


def _bytes(data: bytes, byte_order: str) -> bytes:
    if byte_order == "<":
        return data
    swapped = bytearray(data)
    swapped[::2], swapped[1::2] = data[1::2], data[::2]
    return bytes(swapped)


def _is_table(tag: int, values: Sequence[int], data: bytes, width: int) -> bool:
    """Tell whether the entries of a table are a curve.

    Args:
        tag: The tag of the table.
        values: Its entries.
        data: The same as bytes.
        width: Bytes of an entry.
    """
    is_calm = _is_calm(values) if tag in PALETTES else is_monotone(values)
    return is_calm and not any(
        len(values) <= SHORT_MAX
        or _is_text(values[at // width : -(-(at + RUN_LENGTH) // width)])
        for at in lettered_runs(data)
    )


def _is_text(values: Sequence[int]) -> bool:
    """Tell whether entries that look like letters are no part of a curve."""
    return not (is_curve(values) or (len(values) == RUN_LENGTH and is_monotone(values)))


def _is_calm(values: Sequence[int]) -> bool:
    """Tell whether a palette turns seldom."""
    rises, turned = None, -TURN_DISTANCE
    for at, (before, after) in enumerate(pairwise(values)):
        if before == after:
            continue
        if rises is not None and rises is not (after > before):
            if at - turned < TURN_DISTANCE:
                return False
            turned = at
        rises = after > before
    return True
