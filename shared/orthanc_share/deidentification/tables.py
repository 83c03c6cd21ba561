"""Numbers and tables of numbers in files: text could hide in them."""

import struct
from collections.abc import MutableMapping
from typing import Final

from orthanc_share.deidentification.hidden_text import are_numbers
from orthanc_share.deidentification.lookup_tables import (
    DESCRIPTOR_OF,
    LUT_DATA,
    PALETTES,
    fits,
)
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


def is_no_text(wire: Wire, step: Step, element: bytes) -> bool:
    """Tell whether a kept element is not a text in the guise of numbers.

    Args:
        wire: The encoding.
        step: What is known of its header.
        element: The whole element; look-up tables are judged by their descriptor.
    """
    tag, vr, value_at = step[0], step[1], step[5]
    if vr not in NUMBERS or tag in DESCRIPTOR_OF:
        return True
    return are_numbers(vr, element[value_at:], wire.order)


def value_of(wire: Wire, element: bytes) -> bytes:
    """Return the value of a written element."""
    is_long = wire.explicit and element[4:6] in LONG_VRS
    return element[LONG_HEADER if is_long else SHORT_HEADER :]


def is_table(wire: Wire, tag: int, descriptor: bytes | None, data: bytes) -> bool:
    """Tell whether look-up table data are what their descriptor says.

    Args:
        wire: The encoding.
        tag: One of `DESCRIPTOR_OF`.
        descriptor: The element with the descriptor; None: there is none.
        data: The element with the data.
    """
    if descriptor is None:
        return False
    try:
        numbers = struct.unpack(f"{wire.order}3H", value_of(wire, descriptor))
    except struct.error:
        return False
    return fits(tag, numbers, value_of(wire, data), wire.order)


def drop_false_tables(wire: Wire, elements: MutableMapping[int, bytes]) -> None:
    """Remove tables from a main dataset that are not what they say.

    Args:
        wire: The encoding.
        elements: The written elements by tag.
    """
    elements.pop(LUT_DATA, None)
    photometric = value_of(wire, elements.get(_PHOTOMETRIC, b"")).rstrip()
    for tag in PALETTES & elements.keys():
        if not (
            photometric == _PALETTE_COLOR
            and is_table(wire, tag, elements.get(DESCRIPTOR_OF[tag]), elements[tag])
        ):
            del elements[tag]
