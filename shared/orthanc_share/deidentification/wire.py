"""How elements are written in the encodings of PS3.5: tags, VRs, lengths, values."""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from orthanc_share.deidentification.actions import DeidentificationError, Element

Unpack = Callable[[bytes, int], tuple[Any, ...]]
"""`struct.Struct.unpack_from` of one format."""

UNDEFINED_LENGTH: Final = 0xFFFFFFFF

ITEM: Final = 0xFFFEE000
ITEM_DELIMITER: Final = 0xFFFEE00D
SEQUENCE_DELIMITER: Final = 0xFFFEE0DD

SHORT_VRS: Final = frozenset(
    b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split()
)
"""VRs whose length has 2 bytes. Source: PS3.5 table 7.1-2."""

LONG_VRS: Final = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
"""VRs whose length has 4 bytes, after 2 that are zero. Source: PS3.5 table 7.1-1."""

SHORT_HEADER: Final = 8
"""Bytes of an item header, and of an element header with a short length."""

LONG_HEADER: Final = 12
"""Bytes of an element header whose length has 4 bytes, in explicit VR."""

NESTING: Final = frozenset({"SQ", "UN"})
"""VRs that may hold items; those in UN are in implicit VR. Source: PS3.5 6.2.2."""

FRAGMENTED: Final = frozenset({"OB", "OW"})
"""VRs of encapsulated data."""

UNITS: Final = {
    **dict.fromkeys(("OB", "UN", "OW", "SS", "US"), 2),
    **dict.fromkeys(("AT", "FL", "OF", "OL", "SL", "UL"), 4),
    **dict.fromkeys(("FD", "OD", "OV", "SV", "UV"), 8),
}
"""Binary VR to what the length of a value is a multiple of; bytes come in pairs."""

NUMBERS: Final = {
    "FD": "d", "FL": "f", "SL": "i", "SS": "h", "SV": "q", "UL": "I", "US": "H",
    "UV": "Q",
}  # fmt: skip
"""VRs of binary numbers to the letters of `struct`."""

SINGLE_TEXTS: Final = frozenset({"LT", "ST", "UR", "UT"})
"""VRs in which a backslash is a letter. Source: PS3.5 6.4."""

_OPAQUE: Final = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
_SHORT_MAX: Final = 0xFFFE


def malformed(what: str, at: int | None = None) -> DeidentificationError:
    """Return the refusal of data that break the rules of DICOM.

    Args:
        what: The kind of fault; never a value.
        at: Where, in bytes from the start.
    """
    where = "" if at is None else f" at byte {at}"
    return DeidentificationError(f"The object is malformed{where}: {what}.")


def texts(vr: str, raw: bytes) -> tuple[str, ...]:
    """Return the values of an element of text, without padding; none if it is empty.

    They are decoded as ISO 8859-1, which fits any byte.
    """
    text = raw.decode("latin-1")
    if vr in SINGLE_TEXTS:
        stripped = text.rstrip(" \0")
        return (stripped,) if stripped else ()
    values = tuple(value.strip(" \0") for value in text.split("\\"))
    return () if values == ("",) else values


@dataclass(frozen=True, slots=True)
class Wire:
    """An encoding of datasets: explicit or implicit VR, and a byte order.

    Args:
        explicit: Whether each element names its VR.
        order: `<` or `>`, as in `struct`.
    """

    explicit: bool
    order: str
    item_delimiter: bytes = field(init=False)
    sequence_delimiter: bytes = field(init=False)

    def __post_init__(self) -> None:
        for name, tag in (
            ("item_delimiter", ITEM_DELIMITER),
            ("sequence_delimiter", SEQUENCE_DELIMITER),
        ):
            object.__setattr__(self, name, self.item_header(tag, 0))

    def tag(self, tag: int) -> bytes:
        """Return the four bytes of a tag."""
        return struct.pack(f"{self.order}HH", tag >> 16, tag & 0xFFFF)

    def item_header(self, tag: int, length: int) -> bytes:
        """Return the eight bytes of an item or delimiter."""
        return self.tag(tag) + struct.pack(f"{self.order}I", length)

    def header(self, tag: int, vr: str, length: int) -> bytes:
        """Return what stands before the value of an element.

        Raises:
            DeidentificationError: The VR cannot hold that many bytes.
        """
        if not self.explicit:
            return self.item_header(tag, length)
        name = vr.encode()
        if name in LONG_VRS:
            packed = struct.pack(f"{self.order}HI", 0, length)
        elif length <= _SHORT_MAX:
            packed = struct.pack(f"{self.order}H", length)
        else:
            raise malformed("a value is too long for its VR")
        return self.tag(tag) + name + packed

    def element(self, tag: int, vr: str, value: bytes) -> bytes:
        """Return an element whose value has these bytes, padded to an even number."""
        if len(value) % 2:
            value += b"\0" if vr in ("UI", "OB", "UN") else b" "
        return self.header(tag, vr, len(value)) + value

    def encode(self, element: Element) -> bytes:
        """Return an element that the policy wrote.

        Raises:
            DeidentificationError: The values do not fit the VR.
        """
        if element.vr == "SQ":
            items = (self._item(item) for item in element.values)
            return self.element(element.tag, "SQ", b"".join(items))
        values = [value for value in element.values if isinstance(value, str)]
        return self.element(element.tag, element.vr, self.value(element.vr, values))

    def _item(self, item: str | Sequence[Element]) -> bytes:
        if isinstance(item, str):
            raise DeidentificationError(
                "The policy wrote a text where an item belongs."
            )
        body = b"".join(self.encode(element) for element in item)
        return self.item_header(ITEM, len(body)) + body

    def value(self, vr: str, values: Sequence[str]) -> bytes:
        """Return the bytes of `values`; those of bulk VRs are always empty.

        Raises:
            DeidentificationError: They do not fit the VR.
        """
        if vr in _OPAQUE or vr == "SQ":
            return b""
        try:
            return self._packed(vr, values)
        except (ValueError, OverflowError, struct.error):
            what = f"The policy wrote a value that is no {vr}."
            raise DeidentificationError(what) from None  # its text holds the value

    def _packed(self, vr: str, values: Sequence[str]) -> bytes:
        if vr == "AT":
            return b"".join(self.tag(int(value, 16)) for value in values)
        letter = NUMBERS.get(vr)
        if letter is None:
            return "\\".join(values).encode("ascii")
        number = float if letter in "fd" else int
        pack = struct.Struct(self.order + letter).pack
        return b"".join(pack(number(value)) for value in values)

    def facts(self, vr: str, raw: bytes) -> tuple[str, ...] | None:
        """Return the values of an element as texts; None: its VR holds none."""
        letter = "HH" if vr == "AT" else NUMBERS.get(vr)
        if letter is None:
            readable = vr not in _OPAQUE and vr != "SQ"
            return texts(vr, raw) if readable else None
        unpacker = struct.Struct(self.order + letter)
        if len(raw) % unpacker.size:
            return None
        found = unpacker.iter_unpack(raw)
        if vr == "AT":
            return tuple(f"{group:04X}{element:04X}" for group, element in found)
        return tuple(str(number) for (number,) in found)


EXPLICIT_LITTLE: Final = Wire(explicit=True, order="<")
EXPLICIT_BIG: Final = Wire(explicit=True, order=">")
IMPLICIT_LITTLE: Final = Wire(explicit=False, order="<")
