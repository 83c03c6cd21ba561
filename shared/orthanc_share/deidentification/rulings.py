"""What a profile means for each tag: PS3.15 with its options, then default deny."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType

from orthanc_share.deidentification import values
from orthanc_share.deidentification.actions import Action
from orthanc_share.deidentification.dictionary import ENTRIES, SAFE_PRIVATE, Entry
from orthanc_share.deidentification.profile import Option
from orthanc_share.deidentification.table import TABLE, Column, Letter, Row
from orthanc_share.deidentification.terms import TERMS
from orthanc_share.deidentification.unlisted import (
    NUMBER_SIZES,
    NUMBER_TEXTS,
    Ruling,
    unlisted,
)
from orthanc_share.deidentification.values import Cleaner
from orthanc_share.deidentification.words import clean_descriptors

PATIENT_NAME = 0x00100010
PATIENT_ID = 0x00100020

FIRST_OF_DATASET = 0x00080000
"""Below are command sets, File Meta Information and DICOMDIR: no part of a dataset."""

_TEXTS = frozenset({"LO", "SH", "ST", "UC", "UT"})
_NEVER_DUMMIES = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN", "UR", "NONE"})
_DATES = {"DA": values.dates, "DT": values.date_times, "TM": values.times}
_DUMMY_LETTERS = frozenset(letter for letter in Letter if "D" in letter)

_MAY_BE_EMPTY = frozenset(
    {
        0x00080082,  # Institution Code Sequence, of those who drew a contour
        0x00400513,  # Issuer of the Container Identifier Sequence
        0x00400555,  # Acquisition Context Sequence
        0x00400562,  # Issuer of the Specimen Identifier Sequence
        0x00400610,  # Specimen Preparation Sequence
        0x00401101,  # Person Identification Code Sequence, of those who drew a contour
    }
)
"""Sequences that PS3.15 wants emptied and that are Type 2 in an object that is shown
(PS3.3). All others would be invalid without an item."""

_NO_DATASET = Ruling(Action.DROP, "not part of a dataset")
_CODE = Ruling(Action.CODE, "known codes, with our meaning")
_NOT_IN_CODE = Ruling(Action.DROP, "not needed in a coded entry")
_SPECIAL: Mapping[int, Ruling] = {
    0x00080005: Ruling(Action.DROP, "written anew in the main dataset"),
    # Empty it says that there was no contrast: a dummy must not say otherwise.
    0x00180010: Ruling(Action.TEXT, "PS3.15 Z/D", values.listed((), values.REMOVED)),
    **dict.fromkeys((0x00080100, 0x00080102, 0x00080104), _CODE),
    **dict.fromkeys((0x00080119, 0x00080120), _CODE),
    **dict.fromkeys((0x00080103, 0x00080105, 0x0008010B), _NOT_IN_CODE),
    **dict.fromkeys((0x0008010D, 0x0008010F), _NOT_IN_CODE),
}


@lru_cache(maxsize=16)
def rulings(options: frozenset[Option]) -> Mapping[tuple[int, str], Ruling]:
    """Return what happens to each known tag, for each VR that it may have.

    What is not in it is dropped: unknown and private tags, and other VRs.
    """
    public = {
        (tag, vr): _ruling(tag, entry, vr, options)
        for tag, entry in ENTRIES.items()
        for vr in entry.vr.split(" or ")
    }
    return MappingProxyType({**public, **_private(options)})


def _private(options: frozenset[Option]) -> Mapping[tuple[int, str], Ruling]:
    option = Option.RETAIN_SAFE_PRIVATE
    if option not in options:
        return {}
    cleaners = {
        "LO": values.listed({"Philips PET Private Group"}),
        "DS": values.factors,
    }
    return {
        (tag, entry.vr): Ruling(Action.TEXT, f"{option} C", cleaners[entry.vr])
        for tag, entry in SAFE_PRIVATE.items()
    }


def _ruling(tag: int, entry: Entry, vr: str, options: frozenset[Option]) -> Ruling:
    if tag < FIRST_OF_DATASET:
        return _NO_DATASET
    row = TABLE.get(tag)
    special = _SPECIAL.get(tag)
    if row is None:
        return special or unlisted(tag, entry, vr)
    for option in sorted(options & _OPTIONS.keys()):
        column, letter, retain = _OPTIONS[option]
        kept = retain(tag, vr) if row.get(column) is letter else None
        if kept:
            return _valid(kept, row, vr)._replace(reason=f"{option} {letter}")
    basic = row[Column.BASIC]
    return special or Ruling(_basic(tag, basic, vr), f"PS3.15 {basic}")


def _basic(tag: int, letter: Letter, vr: str) -> Action:
    if letter is Letter.REMOVE:
        return Action.DROP
    if vr == "SQ":
        return _basic_sequence(tag, letter)
    if vr == "UI":
        return Action.UID
    if tag == PATIENT_NAME:
        return Action.DUMMY  # Z allows it, and viewers show it
    if letter not in _DUMMY_LETTERS:
        return Action.EMPTY
    return Action.DROP if vr in _NEVER_DUMMIES else Action.DUMMY


def _basic_sequence(tag: int, letter: Letter) -> Action:
    if letter is Letter.REMOVE_ZERO_OR_UIDS:
        return Action.RECURSE
    # A dummy of a sequence would need items that nobody can make up.
    return Action.EMPTY if tag in _MAY_BE_EMPTY else Action.DROP


def _valid(kept: Ruling, row: Row, vr: str) -> Ruling:
    """Return `kept` so that it writes a dummy where nothing can be kept."""
    if kept.clean is None or row[Column.BASIC] not in _DUMMY_LETTERS:
        return kept
    dummy = values.DUMMIES.get(vr, values.REMOVED)
    return kept._replace(clean=values.otherwise(kept.clean, dummy))


def _text(clean: Cleaner) -> Ruling:
    return Ruling(Action.TEXT, "", clean)


def _dates(_tag: int, vr: str) -> Ruling | None:
    return _text(_DATES[vr]) if vr in _DATES else None


def _characteristics(tag: int, vr: str) -> Ruling | None:
    if vr in NUMBER_SIZES:
        return Ruling(Action.KEEP, "", length_max=NUMBER_SIZES[vr])
    if vr == "CS":
        return _text(values.listed(TERMS[tag]))
    cleaners = NUMBER_TEXTS | {"AS": values.ages}
    return _text(cleaners[vr]) if vr in cleaners else None


def _identity(_tag: int, vr: str) -> Ruling | None:
    if vr == "SQ":
        return Ruling(Action.RECURSE, "")
    if vr in NUMBER_TEXTS:
        return _text(NUMBER_TEXTS[vr])
    return _text(values.verbatim) if vr in _TEXTS else None


def _descriptors(_tag: int, vr: str) -> Ruling | None:
    if vr == "SQ":
        return Ruling(Action.RECURSE, "")
    # Of longer texts too little would be left to be understood rightly.
    return _text(clean_descriptors) if vr in {"LO", "SH"} else None


_Retain = Callable[[int, str], Ruling | None]

_OPTIONS: Mapping[Option, tuple[Column, Letter, _Retain]] = {
    Option.RETAIN_MODIFIED_DATES: (Column.RETAIN_MODIFIED_DATES, Letter.CLEAN, _dates),
    Option.RETAIN_PATIENT_CHARACTERISTICS: (
        Column.RETAIN_PATIENT_CHARACTERISTICS,
        Letter.KEEP,  # what it wants cleaned is free text
        _characteristics,
    ),
    Option.RETAIN_DEVICE_IDENTITY: (
        Column.RETAIN_DEVICE_IDENTITY,
        Letter.KEEP,  # what it wants cleaned are titles in the hospital's network
        _identity,
    ),
    Option.RETAIN_INSTITUTION_IDENTITY: (
        Column.RETAIN_INSTITUTION_IDENTITY,
        Letter.KEEP,
        _identity,
    ),
    Option.CLEAN_DESCRIPTORS: (Column.CLEAN_DESCRIPTORS, Letter.CLEAN, _descriptors),
}
"""The column of each option, the letter that is followed, and how."""
