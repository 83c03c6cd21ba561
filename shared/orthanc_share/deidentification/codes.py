"""Coded entries: only known ones pass, and with our own meaning (PS3.3 8.8)."""

from collections.abc import Mapping
from typing import Final

from orthanc_share.deidentification.actions import Code
from orthanc_share.deidentification.data_files import read
from orthanc_share.deidentification.dictionary import ENTRIES

CODES: Mapping[str, Mapping[str, str]] = read("codes.json", dict[str, dict[str, str]])
"""The meaning of each code value by coding scheme."""

_SAME_SCHEME = {"SNM3": "SRT", "99SDM": "SRT"}
"""Former designators of one and the same scheme. Source: PS3.16 8.1."""

UNKNOWN: Final = ("261665006", "SCT")
"""Value and scheme of what is written where a sequence had only codes that nobody
knows: empty it would make the object invalid where the standard wants an item."""

_OTHER_CODE_SEQUENCES = frozenset(
    {
        *("AnatomicRegionSequence", "AnatomicRegionModifierSequence"),
        *("PrimaryAnatomicStructureSequence", "ContrastBolusAgentSequence"),
        "PrimaryAnatomicStructureModifierSequence",
        *("ContrastBolusAdministrationRouteSequence", "InterventionSequence"),
        *("ChannelSensitivityUnitsSequence", "ChannelSourceSequence"),
        *("MeasuringUnitsSequence", "TransducerTechnologySequence"),
    }
)
"""Code sequences whose keyword does not say so. Source: PS3.3."""

CODE_SEQUENCES: Final = frozenset(
    tag
    for tag, entry in ENTRIES.items()
    if entry.keyword.endswith("CodeSequence") or entry.keyword in _OTHER_CODE_SEQUENCES
)
"""The sequences whose items are coded entries (PS3.3 8.8)."""


def known_code(value: str, scheme: str) -> Code | None:
    """Return the coded entry that is written; None: the standard does not name it."""
    scheme = _SAME_SCHEME.get(scheme, scheme)
    meaning = CODES.get(scheme, {}).get(value)
    return None if meaning is None else Code(value, scheme, meaning)
