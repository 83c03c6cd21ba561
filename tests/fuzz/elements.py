"""Plausible elements of DICOM JSON that hold a secret in every guise there is."""

import base64
import random
import struct
from collections.abc import Callable
from typing import Any

from orthanc_share.deidentification.dictionary import ENTRIES
from orthanc_share.deidentification.json_values import BINARIES
from orthanc_share.deidentification.lookup_tables import DESCRIPTOR_OF

SECRET = "QZCANARYQZ"
"""What must not come out; even numbers of its letters make numbers of 2 bytes."""

UPSTREAM = "http://upstream/"
"""The address of Orthanc, which must not come out either."""

_RAMP = struct.pack("<256H", *range(0, 65_536, 256))
_FORMS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f"}
_LONG_FORMS = {"FD": "d", "SV": "q", "UV": "Q"}
_WIDE = SECRET.encode("utf-16-le")
_LONG = (SECRET * 4).encode()  # whole numbers of 8 bytes
_UIDS = ("1.2.3.4", "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2.4.50", SECRET, "")
_DECIMALS = (0, 1, -2, 0.5, 1e300, "7", "0.5", SECRET, "1e3", None, 1234567890123.5)

KNOWN = [
    (tag, vr)
    for tag, entry in ENTRIES.items()
    for vr in entry.vr.split(" or ")
    if 0x00080000 < tag <= 0x7FE00010 and vr != "NONE"
]
"""Tags of the dictionary and their VRs."""

VRS = sorted({vr for _, vr in KNOWN} | {"UN", "ZZ", "sq"})
"""All VRs, and two that are none."""

_TABLES = [*DESCRIPTOR_OF.items()]
_CODES = ((0x00080100, "SH"), (0x00080102, "SH"), (0x00080104, "LO"))


def element(chance: random.Random, depth: int = 2) -> tuple[str, dict[str, Any]]:
    """Return a key and an attribute.

    Args:
        chance: Decides.
        depth: How deep sequences may be in it.
    """
    tag, vr = chance.choice(KNOWN)
    if chance.random() < 0.1:
        tag, vr = chance.choice(_CODES)
    if chance.random() < 0.05:
        vr = chance.choice(VRS)
    if chance.random() < 0.05:
        tag |= chance.choice((0x00010000, 0x00001000, 0xFF))
    return f"{tag:08X}", attribute(chance, vr, depth)


def attribute(chance: random.Random, vr: str, depth: int) -> dict[str, Any]:
    """Return an attribute of a VR."""
    if chance.random() < 0.1:
        return {"vr": vr}
    if vr in BINARIES or (vr != "SQ" and chance.random() < 0.02):
        return {"vr": vr, **_binary(chance)}
    if vr == "SQ":
        items = [dataset(chance, depth - 1) for _ in range(chance.randrange(3))]
        return {"vr": vr, "Value": items}
    make = _VALUES.get(vr)
    values = [SECRET] * chance.randrange(1, 3) if make is None else make(chance)
    return {"vr": vr, "Value": values}


def dataset(chance: random.Random, depth: int) -> dict[str, Any]:
    """Return an item."""
    if depth < 0:
        return {}
    made = dict(element(chance, depth) for _ in range(chance.randrange(4)))
    return made | table(chance) if chance.random() < 0.2 else made


def table(chance: random.Random) -> dict[str, Any]:
    """Return a look-up table with its descriptor; it may lie."""
    tag, descriptor = chance.choice(_TABLES)
    data = _table_data(chance)
    entries = chance.choice((len(data), len(data) // 2))
    told: dict[str, Any] = {"vr": "OW", "InlineBinary": _base64(data)}
    if chance.random() < 0.3:
        told = {"vr": "US", "Value": _numbers("H", data)}
    elif chance.random() < 0.3:
        told = {"vr": "OW", "BulkDataURI": f"{UPSTREAM}{SECRET}"}
    bits = chance.choice((8, 12, 16))
    return {
        "00280004": {"vr": "CS", "Value": ["PALETTE COLOR"]},
        f"{descriptor:08X}": {"vr": "US", "Value": [entries, 0, bits]},
        f"{tag:08X}": told,
    }


def _table_data(chance: random.Random) -> bytes:
    """Return a curve, a text, or a curve with a text in it."""
    data = bytearray(_RAMP if chance.random() < 0.7 else _RAMP[1::2])
    if chance.random() < 0.3:
        return bytes(data)
    word = chance.choice((SECRET.encode(), _WIDE))
    if chance.random() < 0.2:
        return word
    at = chance.randrange(len(data) - len(word))
    data[at : at + len(word)] = word
    return bytes(data)


def _binary(chance: random.Random) -> dict[str, Any]:
    if chance.random() < 0.5:
        return {"BulkDataURI": f"{UPSTREAM}{SECRET}"}
    return {"InlineBinary": _base64(chance.choice((_LONG, _WIDE, _RAMP)))}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _numbers(form: str, data: bytes) -> list[Any]:
    size = struct.calcsize(form)
    return list(struct.unpack(f"<{len(data) // size}{form}", data))


def _packed(form: str) -> Callable[[random.Random], list[Any]]:
    """Return a maker of numbers, harmless or of letters."""
    letters = [_numbers(form, text) for text in (_LONG, _WIDE * 2)]
    harmless = [[0], [1, 2, 3], [7] * 6, [64] * 20]
    return lambda chance: chance.choice(letters + harmless)


def _names(chance: random.Random) -> list[Any]:
    return [{chance.choice(("Alphabetic", "Ideographic")): SECRET}]


def _one_of(*values: Any) -> Callable[[random.Random], list[Any]]:
    return lambda chance: [chance.choice(values) for _ in range(chance.randrange(1, 4))]


_VALUES: dict[str, Callable[[random.Random], list[Any]]] = {
    **{vr: _packed(form) for vr, form in (_FORMS | _LONG_FORMS).items()},
    "AT": _one_of("00100010", "51414E41", "00280009", SECRET[:8]),
    "PN": _names,
    "UI": _one_of(*_UIDS),
    "DS": _one_of(*_DECIMALS),
    "IS": _one_of(*_DECIMALS),
    "CS": _one_of("ORIGINAL", "PRIMARY", "YES", "CT", "M", SECRET, ""),
    "SH": _one_of("SRT", "T-D1100", "DCM", SECRET),
    "DA": _one_of("18050101", SECRET),
    "TM": _one_of("235747", SECRET),
    "DT": _one_of("18050101235747", SECRET),
    "AS": _one_of("097Y", SECRET),
}
