"""PS3.15 Table E.1-1, Application Level Confidentiality Profile Attributes."""

from collections.abc import Mapping
from enum import StrEnum

from orthanc_share.deidentification.data_files import read

EDITION = "2026c"
"""Edition of the standard whose Basic Profile the table holds."""


class Column(StrEnum):
    """The columns of the table, with their names in `data/ps315.json`."""

    BASIC = "basic"
    RETAIN_SAFE_PRIVATE = "rtnSafePrivOpt"
    RETAIN_UIDS = "rtnUIDsOpt"
    RETAIN_DEVICE_IDENTITY = "rtnDevIdOpt"
    RETAIN_INSTITUTION_IDENTITY = "rtnInstIdOpt"
    RETAIN_PATIENT_CHARACTERISTICS = "rtnPatCharsOpt"
    RETAIN_FULL_DATES = "rtnLongFullDatesOpt"
    RETAIN_MODIFIED_DATES = "rtnLongModifDatesOpt"
    CLEAN_DESCRIPTORS = "cleanDescOpt"
    CLEAN_STRUCTURED_CONTENT = "cleanStructContOpt"
    CLEAN_GRAPHICS = "cleanGraphOpt"


class Letter(StrEnum):
    """What a column says; the meanings are those of PS3.15 Table E.1-1a."""

    REMOVE = "X"
    ZERO = "Z"
    DUMMY = "D"
    KEEP = "K"
    CLEAN = "C"
    UID = "U"
    ZERO_OR_DUMMY = "Z/D"
    REMOVE_OR_ZERO = "X/Z"
    REMOVE_OR_DUMMY = "X/D"
    REMOVE_ZERO_OR_DUMMY = "X/Z/D"
    REMOVE_ZERO_OR_UIDS = "X/Z/U*"


Row = Mapping[Column, Letter]
"""The letters of one attribute; a column without one is missing."""

_ROWS = read("ps315.json", dict[str, dict[Column, Letter]])

TABLE: Mapping[int, Row] = {
    int(key, 16): row for key, row in _ROWS.items() if "x" not in key
}
"""The rows by tag."""

REPEATING: Mapping[str, Row] = {key: row for key, row in _ROWS.items() if "x" in key}
"""The rows of repeating groups, by tags with `x` for any digit."""
