"""Default deny: what happens to the tags that PS3.15 does not name.

Its table is not sufficient by its own words (E.1.1, Note 1): hundreds of texts and
names are not in it. So they go by what they can hold.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from orthanc_share.deidentification import values
from orthanc_share.deidentification.actions import Action
from orthanc_share.deidentification.data_files import read_by_tag
from orthanc_share.deidentification.dictionary import Entry
from orthanc_share.deidentification.terms import TERMS
from orthanc_share.deidentification.values import REMOVED, Cleaner

PIXEL_DATA = (0x7FE00010, 0x7FE00008, 0x7FE00009)
"""Pixel Data, Float Pixel Data, Double Float Pixel Data."""

KEPT_GROUPS = frozenset(
    {0x0008, 0x0018, 0x0020, 0x0022, 0x0028, 0x0040, 0x0048, 0x0052, 0x0054, 0x0062}
    | {0x3002, 0x3004, 0x3006, 0x300A, 0x300C, 0x5200}
)
"""Groups of which something may stay that PS3.15 does not name: images, acquisition and
geometry, segmentations, radiotherapy. Of all others, nothing but `KEPT_TAGS`."""

KEPT_TAGS = frozenset({0x00700080, 0x00700081, 0x20500020, 0x300E0002})
"""Content Label and Content Description, which segmentations need, Presentation LUT
Shape, without which an image may be shown inverted, and Approval Status."""

REMOVED_TAGS = frozenset({0x00201200, 0x00201202, 0x00201204})
"""Numbers of the patient's studies, series and instances: more than the share."""

NUMBERS_LENGTH_MAX = 65_534
"""Bytes of numbers whose multiplicity has no bound: what explicit VR can hold."""

LOOKUP_TABLE_LENGTH_MAX = 131_072
"""Bytes of a look-up table: 65,536 entries of 16 bits. Source: PS3.3 C.7.6.3.1.5."""

PIXELS_LENGTH_MAX = 2**63
"""Bytes of Pixel Data: the codec knows better, from the size of the image."""

NUMBER_SIZES = {
    "AT": 4,
    "FD": 8,
    "FL": 4,
    "SL": 4,
    "SS": 2,
    "SV": 8,
    "UL": 4,
    "US": 2,
    "UV": 8,
}
"""Bytes of one value, by VR."""

NUMBER_TEXTS = {"DS": values.decimals, "IS": values.integers}
"""The VRs that hold numbers as text."""

_BINARIES = {
    **dict.fromkeys(PIXEL_DATA, PIXELS_LENGTH_MAX),
    **dict.fromkeys((0x00281201, 0x00281202, 0x00281203), LOOKUP_TABLE_LENGTH_MAX),
    0x00283006: LOOKUP_TABLE_LENGTH_MAX,
}
"""The binaries that stay: pixels, and tables of colours and grey values. Not segmented
palettes, whose length cannot be checked against a descriptor, and no Extended Offset
Table, which any reader can do without: 8 bytes an offset are as many letters."""

_TYPES = read_by_tag("types.json", int)
_MULTIPLICITY = re.compile(r"(?:\d+-)?(\d+)")

_SETS = (0x00080061, 0x00180020, 0x00180021, 0x00180022, 0x00280051)
"""Modalities in Study, Scanning Sequence, Sequence Variant, Scan Options and Corrected
Image: their values mean the same without the others."""

_CLEANERS: Mapping[int, Cleaner] = {
    **{tag: values.listed(terms) for tag, terms in TERMS.items()},
    0x00080008: values.listed(TERMS[0x00080008], "OTHER"),
    0x00089007: values.listed(TERMS[0x00089007], "OTHER"),
    0x00080070: values.listed(TERMS[0x00080070], REMOVED),
    **{tag: values.some_listed(TERMS[tag]) for tag in _SETS},
    0x00200020: values.orientations,
    0x00209056: values.short_numbers,
    0x00281054: values.listed(TERMS[0x00281054], "US"),
    0x00283004: values.listed(TERMS[0x00283004], "US"),
}
"""How the texts are checked that may stay."""


class Ruling(NamedTuple):
    """What happens to one tag, and why.

    Args:
        action: What happens.
        reason: For the conformance table.
        clean: How, for `Action.TEXT`.
        length_max: Bytes, for `Action.KEEP`.
    """

    action: Action
    reason: str
    clean: Cleaner | None = None
    length_max: int = 0


def unlisted(tag: int, entry: Entry, vr: str) -> Ruling:
    """Return what happens to a tag that PS3.15 does not name.

    Args:
        tag: The tag.
        entry: Its line in the dictionary.
        vr: The VR in question, where the dictionary allows several.
    """
    if tag in _BINARIES:
        return Ruling(Action.KEEP, "binary on the list", length_max=_BINARIES[tag])
    if entry.retired:
        return Ruling(Action.DROP, "retired")
    if tag in REMOVED_TAGS:
        return Ruling(Action.DROP, "tells of other studies")
    if tag >> 16 not in KEPT_GROUPS and tag not in KEPT_TAGS:
        return Ruling(Action.DROP, "group not kept")
    if vr in NUMBER_SIZES:
        length = _length_max(entry.vm, NUMBER_SIZES[vr])
        return Ruling(Action.KEEP, "number", length_max=length)
    return _OF_VR.get(vr) or _text(tag, vr)


_OF_VR = {
    **{vr: Ruling(Action.TEXT, "number", clean) for vr, clean in NUMBER_TEXTS.items()},
    "SQ": Ruling(Action.RECURSE, "sequence"),
    "UI": Ruling(Action.UID, "UID"),
}


def _text(tag: int, vr: str) -> Ruling:
    clean = _CLEANERS.get(tag)
    if clean is not None:
        return Ruling(Action.TEXT, "listed values", clean)
    # Gone, it would make the object invalid where the standard wants it to be there.
    match _TYPES.get(tag):
        case 1:
            return Ruling(Action.DUMMY, f"{vr} of Type 1")
        case 2:
            return Ruling(Action.EMPTY, f"{vr} of Type 2")
        case _:
            return Ruling(Action.DROP, vr)


def _length_max(vm: str, size: int) -> int:
    bounded = _MULTIPLICITY.fullmatch(vm)
    return int(bounded[1]) * size if bounded else NUMBERS_LENGTH_MAX
