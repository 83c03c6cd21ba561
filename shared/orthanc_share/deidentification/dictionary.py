"""What PS3.6 says about each tag.

The same as pydicom's dictionary, without importing pydicom: that takes 80 MB of memory
and most of a second.
"""

from collections.abc import Mapping
from typing import NamedTuple

from orthanc_share.deidentification.data_files import read_by_tag

UNKNOWN = "UN"
"""VR of tags that the dictionary does not know."""


class Entry(NamedTuple):
    """A line of the dictionary.

    Args:
        vr: Value representation; `US or SS` where the data decide.
        vm: Value multiplicity, as `1`, `2-4` or `3-3n`.
        keyword: Without blanks: `PatientName`.
        name: With blanks: `Patient's Name`.
        retired: The standard no longer uses it.
    """

    vr: str
    vm: str
    keyword: str
    name: str
    retired: bool


ENTRIES: Mapping[int, Entry] = read_by_tag("dictionary.json", Entry)
"""All public tags by number, but for the repeating groups, which never pass."""

SAFE_PRIVATE: Mapping[int, Entry] = {
    0x70530010: Entry("LO", "1", "", "Private Creator", retired=False),
    0x70531000: Entry("DS", "1", "", "SUV Scale Factor", retired=False),
    0x70531009: Entry("DS", "1", "", "Activity Concentration Factor", retired=False),
}
"""The private elements that Retain Safe Private can let pass.

Source: DICOM conformance statements of Philips PET, `Philips PET Private Group`.
"""

_VRS = {tag: entry.vr for tag, entry in {**ENTRIES, **SAFE_PRIVATE}.items()}
_TAGS = {entry.keyword: tag for tag, entry in ENTRIES.items()}


def vr(tag: int) -> str:
    """Return the VR of a tag, as `US or SS` where the data decide, `UN` if unknown."""
    return _VRS.get(tag, UNKNOWN)


def tag_of(keyword: str) -> int | None:
    """Return the tag with that keyword."""
    return _TAGS.get(keyword)


def keyword_of(tag: int) -> str | None:
    """Return the keyword of a tag."""
    entry = ENTRIES.get(tag)
    return None if entry is None else entry.keyword
