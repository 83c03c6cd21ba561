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


IDENTIFYING = tuple(tag for tag in TABLE if is_identifying(tag))
"""All such elements."""


def kept_in_file(source: bytes, shown: bytes, tags: Iterable[int]) -> Iterator[int]:
    """Give the tags whose elements a file still has as its source has them."""
    original, made = dcmread(io.BytesIO(source)), dcmread(io.BytesIO(shown))
    for tag in tags:
        if not (tag in original and tag in made) or original[tag].is_empty:
            continue
        before, after = original[tag].value, made[tag].value
        if after if original[tag].VR == "SQ" else before == after:
            yield tag


def kept_in_json(
    source: Mapping[str, Any], shown: Mapping[str, Any], tags: Iterable[int]
) -> Iterator[int]:
    """Give the tags whose elements a dataset still has as its source has them."""
    for tag in tags:
        before, after = (one.get(f"{tag:08X}", {}) for one in (source, shown))
        value = after.get("Value")
        if value and (value == before.get("Value") or before.get("vr") == "SQ"):
            yield tag
