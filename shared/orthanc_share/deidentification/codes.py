"""Coded entries: only known ones pass, and with our own meaning (PS3.3 8.8)."""

from collections.abc import Mapping

from orthanc_share.deidentification.actions import Code
from orthanc_share.deidentification.data_files import read

CODES: Mapping[str, Mapping[str, str]] = read("codes.json", dict[str, dict[str, str]])
"""The meaning of each code value by coding scheme."""

_SAME_SCHEME = {"SNM3": "SRT", "99SDM": "SRT"}
"""Former designators of one and the same scheme. Source: PS3.16 8.1."""


def known_code(value: str, scheme: str) -> Code | None:
    """Return the coded entry that is written; None: the standard does not name it."""
    scheme = _SAME_SCHEME.get(scheme, scheme)
    meaning = CODES.get(scheme, {}).get(value)
    return None if meaning is None else Code(value, scheme, meaning)
