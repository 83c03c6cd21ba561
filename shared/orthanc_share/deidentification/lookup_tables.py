"""Whether a look-up table is what its descriptor says: else it could hold any text."""

from collections.abc import Mapping, Sequence

DESCRIPTOR_OF: Mapping[int, int] = {
    0x00281201: 0x00281101,  # Red Palette Color Lookup Table Data, Descriptor
    0x00281202: 0x00281102,
    0x00281203: 0x00281103,
    0x00283006: 0x00283002,  # LUT Data, LUT Descriptor
}
"""The tag of the descriptor for each tag of a table; both are in the same item.

Source: PS3.3 C.7.6.3.1.5, C.11.1.1.1.
"""

ENTRIES_MAX = 65_536
"""Entries of a table; a descriptor says 0 for as many."""

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


def fits(descriptor: Sequence[int], data: bytes, byte_order: str = "<") -> bool:
    """Tell whether `data` can be the table of a descriptor: its length and its values.

    Args:
        descriptor: Number of entries, first value mapped, bits of an entry.
        data: The table.
        byte_order: `<` for little endian, `>` for big endian.
    """
    if len(data) not in lengths(descriptor):
        return False
    if len(data) < 2 * (descriptor[0] or ENTRIES_MAX):
        return True  # bytes, and every byte is an entry
    # Of a table that uses less than 16 bits the upper ones are empty.
    highest = data[1::2] if byte_order == "<" else data[::2]
    return max(highest) < 1 << max(descriptor[2] - _BYTE, 0)
