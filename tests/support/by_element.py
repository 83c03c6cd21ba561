"""Elements that are judged by their tag: their values are no canaries.

Two bytes of a number are anywhere in a body, and a sequence without its contents has no
value at all. So an answer is parsed, and an element counts as kept if it still holds
what it holds in the source.
"""

import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydicom import dcmread

from orthanc_share.deidentification.table import TABLE, Column, Letter

NUMBERS = frozenset(
    {"AS", "AT", "DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV"}
)
"""VRs of ages and numbers."""


def is_identifying(tag: int) -> bool:
    """Tell whether PS3.15 wants an element removed, emptied or replaced.

    Not so of sequences that it lets pass with other UIDs.
    """
    letter = TABLE.get(tag, {}).get(Column.BASIC)
    return letter not in {None, Letter.REMOVE_ZERO_OR_UIDS}


def kept_in_file(source: bytes, shown: bytes, tags: Iterable[int]) -> Iterator[int]:
    """Give the tags whose elements a file still has as its source has them."""
    original, made = dcmread(io.BytesIO(source)), dcmread(io.BytesIO(shown))
    for tag in tags:
        before: Any = original.get_item(tag)
        if tag not in made or not before.value:
            continue
        if before.VR == "SQ":
            is_kept = bool(made[tag].value)
        else:
            is_kept = _raw(before) == _raw(made.get_item(tag))
        if is_kept:
            yield tag


def _raw(element: Any) -> bytes:
    """Return the bytes of a value without padding."""
    return bytes(element.value or b"").rstrip(b" \0")


def kept_in_json(
    source: Mapping[str, Any], shown: Mapping[str, Any], tags: Iterable[int]
) -> Iterator[int]:
    """Give the tags whose elements a dataset still has as its source has them."""
    for tag in tags:
        before, after = (one.get(f"{tag:08X}", {}) for one in (source, shown))
        value = after.get("Value")
        if value and (value == before.get("Value") or before.get("vr") == "SQ"):
            yield tag
