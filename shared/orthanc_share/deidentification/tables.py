"""Tables of numbers that must be as long as others say: text could hide in them."""

import struct
from collections.abc import MutableMapping
from itertools import pairwise
from typing import Final

from orthanc_share.deidentification.hidden_text import holds_text
from orthanc_share.deidentification.lookup_tables import DESCRIPTOR_OF, fits
from orthanc_share.deidentification.plan import Step
from orthanc_share.deidentification.wire import (
    LONG_HEADER,
    LONG_VRS,
    NUMBERS,
    SHORT_HEADER,
    Wire,
)

DESCRIPTORS: Final = frozenset(DESCRIPTOR_OF.values())

_PHOTOMETRIC: Final = 0x00280004
_PALETTE_COLOR: Final = b"PALETTE COLOR"
_OFFSETS: Final = 0x7FE00001
_LENGTHS: Final = 0x7FE00002
_FRAME_MAX: Final = 1 << 32  # bytes; no fragment is longer


def is_no_text(step: Step, element: bytes) -> bool:
    """Tell whether a kept element is not a text in the guise of numbers.

    Args:
        step: What is known of its header.
        element: The whole element; look-up tables are judged by their descriptor.
    """
    tag, vr, value_at = step[0], step[1], step[5]
    if vr not in NUMBERS or tag in DESCRIPTOR_OF:
        return True
    return not holds_text(element[value_at:])


def value_of(wire: Wire, element: bytes) -> bytes:
    """Return the value of a written element."""
    is_long = wire.explicit and element[4:6] in LONG_VRS
    return element[LONG_HEADER if is_long else SHORT_HEADER :]


def is_table(wire: Wire, descriptor: bytes | None, data: bytes) -> bool:
    """Tell whether look-up table data are what their descriptor says.

    Args:
        wire: The encoding.
        descriptor: The element with the descriptor; None: there is none.
        data: The element with the data.
    """
    if descriptor is None:
        return False
    try:
        numbers = struct.unpack(f"{wire.order}3H", value_of(wire, descriptor))
    except struct.error:
        return False
    return fits(numbers, value_of(wire, data), wire.order)


def drop_false_tables(
    wire: Wire, elements: MutableMapping[int, bytes], frames: int
) -> None:
    """Remove tables from a main dataset that are not what they say.

    Args:
        wire: The encoding.
        elements: The written elements by tag.
        frames: Number of frames.
    """
    photometric = value_of(wire, elements.get(_PHOTOMETRIC, b"")).rstrip()
    for data, descriptor in DESCRIPTOR_OF.items():
        if data in elements and not (
            photometric == _PALETTE_COLOR
            and is_table(wire, elements.get(descriptor), elements[data])
        ):
            del elements[data]
    offsets = value_of(wire, elements.get(_OFFSETS, b""))
    lengths = value_of(wire, elements.get(_LENGTHS, b""))
    if not _are_offsets(offsets, lengths, frames):
        elements.pop(_OFFSETS, None)
        elements.pop(_LENGTHS, None)


def _are_offsets(offsets: bytes, lengths: bytes, frames: int) -> bool:
    """Tell whether an Extended Offset Table is one. Source: PS3.3 C.7.6.3.1.8."""
    if len(offsets) != 8 * frames or len(lengths) != 8 * frames:
        return False
    starts = struct.unpack(f"<{frames}Q", offsets)
    sizes = struct.unpack(f"<{frames}Q", lengths)
    apart = all(
        start + size < following
        for (start, following), size in zip(pairwise(starts), sizes, strict=False)
    )
    return starts[:1] == (0,) and apart and max(sizes) <= _FRAME_MAX
