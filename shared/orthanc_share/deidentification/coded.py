"""Coded entries (PS3.3 8.8): judged as a whole, written with our own meaning."""

from collections.abc import Mapping
from typing import Final

from orthanc_share.deidentification.codes import CODE_SEQUENCES, UNKNOWN
from orthanc_share.deidentification.lookup_tables import (
    DESCRIPTOR_OF,
    LUT_DATA,
    PALETTES,
)
from orthanc_share.deidentification.plan import Coder, Step
from orthanc_share.deidentification.tables import DESCRIPTORS, is_table
from orthanc_share.deidentification.wire import ITEM

CODE_VALUE: Final = 0x00080100
CODING_SCHEME: Final = 0x00080102
CODE_MEANING: Final = 0x00080104
LONG_CODE_VALUE: Final = 0x00080119
URN_CODE_VALUE: Final = 0x00080120

_VRS: Final = {CODE_VALUE: "SH", LONG_CODE_VALUE: "UC", URN_CODE_VALUE: "UR"}
_LAST: Final = URN_CODE_VALUE
_NESTED_LAST: Final = 0x7FDFFFFF  # pixels, signatures and padding stay on top


def coded_entry(coder: Coder, parts: Mapping[int, str]) -> dict[int, bytes] | None:
    """Return the elements of a coded entry, or None where its item is left out.

    Args:
        coder: The rules, in the encoding to write.
        parts: The values of the original's elements of `Action.CODE`, by tag.
    """
    tag = next((tag for tag in _VRS if parts.get(tag)), None)
    if tag is None:
        return None
    code = coder.rules.code(parts[tag], parts.get(CODING_SCHEME, ""))
    if code is None:
        return None
    texts = {tag: (_VRS[tag], code.value), CODE_MEANING: ("LO", code.meaning)}
    if code.scheme:
        texts[CODING_SCHEME] = ("SH", code.scheme)
    return {
        one: coder.wire.element(one, vr, coder.wire.value(vr, (text,)))
        for one, (vr, text) in texts.items()
    }


def sequence(coder: Coder, step: Step, body: bytes, *, had_items: bool) -> bytes:
    """Return a sequence as it is written; nothing where no item of it is left.

    Args:
        coder: The rules, in the encoding to write.
        step: What is done with it.
        body: Its items.
        had_items: Whether the original had some.
    """
    tag, vr = step[:2]
    if had_items and not body:
        body = _unknown(coder, tag)
        if not body:
            return b""
    return coder.wire.header(tag, vr, len(body)) + body


def _unknown(coder: Coder, tag: int) -> bytes:
    """Return the item of a sequence all of whose codes are left out, or nothing."""
    parts = {CODE_VALUE: UNKNOWN[0], CODING_SCHEME: UNKNOWN[1]}
    entry = coded_entry(coder, parts) if tag in CODE_SEQUENCES else None
    if entry is None:
        return b""
    item = b"".join(entry[one] for one in sorted(entry))
    return coder.wire.item_header(ITEM, len(item)) + item


class Item:
    """What is written of one item of a sequence.

    Args:
        coder: The rules, in the encoding to write.
    """

    __slots__ = ("_coder", "_descriptors", "_entry", "_left_out", "_parts", "_written")

    def __init__(self, coder: Coder) -> None:
        self._coder = coder
        self._written: list[bytes] = []
        self._parts: dict[int, str] = {}
        self._entry: dict[int, bytes] = {}
        self._descriptors: dict[int, bytes] = {}
        self._left_out = False

    def add(self, tag: int, piece: bytes | str) -> None:
        """Add an element, in ascending order of tags.

        Args:
            tag: Its tag.
            piece: Its bytes; a text is the value of a part of a coded entry.
        """
        if isinstance(piece, str):
            self._parts[tag] = piece
            return
        if self._parts:
            if tag <= _LAST:  # between its parts
                self._entry[tag] = piece
                return
            self._close_entry()
        if tag in DESCRIPTORS:
            self._descriptors[tag] = piece
        if tag in PALETTES or (tag == LUT_DATA and not self._is_table(piece)):
            return
        if tag <= _NESTED_LAST:
            self._written.append(piece)

    def _is_table(self, piece: bytes) -> bool:
        descriptor = self._descriptors.get(DESCRIPTOR_OF[LUT_DATA])
        return is_table(self._coder.wire, LUT_DATA, descriptor, piece)

    def written(self) -> bytes | None:
        """Return the item's bytes, or None where it is left out."""
        if self._parts:
            self._close_entry()
        return None if self._left_out else b"".join(self._written)

    def _close_entry(self) -> None:
        entry = coded_entry(self._coder, self._parts)
        self._parts = {}
        if entry is None:
            self._left_out = True
            return
        self._entry |= entry
        self._written += [self._entry[tag] for tag in sorted(self._entry)]
