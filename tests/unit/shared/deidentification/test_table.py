"""PS3.15 Table E.1-1, against the newest that dicom-anonymizer has."""

import pkgutil
from importlib import import_module
from importlib.resources import files
from types import ModuleType

import dicomanonymizer.dicom_anonymization_databases as databases  # type: ignore[import-untyped]
import pytest

from orthanc_share.deidentification.table import (
    EDITION,
    REPEATING,
    TABLE,
    Column,
    Letter,
)

LISTS = {
    "D_TAGS": "D",
    "Z_TAGS": "Z",
    "X_TAGS": "X",
    "U_TAGS": "U",
    "Z_D_TAGS": "Z/D",
    "X_Z_TAGS": "X/Z",
    "X_D_TAGS": "X/D",
    "X_Z_D_TAGS": "X/Z/D",
    "X_Z_U_STAR_TAGS": "X/Z/U*",
}
REPEATED = {
    (0x5000, 0, 0xFF00, 0): "50xxxxxx",
    (0x6000, 0x3000, 0xFF00, 0xFFFF): "60xx3000",
    (0x6000, 0x4000, 0xFF00, 0xFFFF): "60xx4000",
}


def newest() -> tuple[str, ModuleType]:
    names = [module.name for module in pkgutil.iter_modules(databases.__path__)]
    edition = max(name.removeprefix("dicomfields_") for name in names)
    return edition, import_module(f"{databases.__name__}.dicomfields_{edition}")


def key(tag: tuple[int, ...]) -> str:
    if len(tag) == 2:
        return f"{tag[0]:04X}{tag[1]:04X}"
    return REPEATED[tag[0], tag[1], tag[2], tag[3]]


def test_the_basic_profile_is_that_of_the_newest_edition() -> None:
    edition, module = newest()
    theirs = {
        key(tag): letter
        for name, letter in LISTS.items()
        for tag in getattr(module, name)
    }
    ours = {f"{tag:08X}": row[Column.BASIC] for tag, row in TABLE.items()}
    ours |= {pattern: row[Column.BASIC] for pattern, row in REPEATING.items()}
    assert ours == theirs
    assert edition == EDITION


def test_each_action_of_the_newest_edition_is_compared() -> None:
    _, module = newest()
    named = [tag for name in LISTS for tag in getattr(module, name)]
    assert len(named) == len(module.ALL_TAGS) == len(TABLE) + len(REPEATING)


def test_options_only_keep_or_clean() -> None:
    letters = {
        letter
        for row in TABLE.values()
        for column, letter in row.items()
        if column is not Column.BASIC
    }
    assert letters == {Letter.KEEP, Letter.CLEAN}


@pytest.mark.parametrize(
    ("column", "rows"),
    [
        (Column.RETAIN_UIDS, 59),
        (Column.RETAIN_DEVICE_IDENTITY, 57),
        (Column.RETAIN_INSTITUTION_IDENTITY, 10),
        (Column.RETAIN_PATIENT_CHARACTERISTICS, 13),
        (Column.RETAIN_FULL_DATES, 165),
        (Column.RETAIN_MODIFIED_DATES, 165),
        (Column.CLEAN_DESCRIPTORS, 125),
        (Column.CLEAN_STRUCTURED_CONTENT, 3),
        (Column.CLEAN_GRAPHICS, 1),
    ],
)
def test_each_option_has_the_rows_of_edition_2024b(column: Column, rows: int) -> None:
    assert sum(column in row for row in TABLE.values()) == rows


def test_the_licences_of_the_sources_are_in_the_package() -> None:
    data = files("orthanc_share.deidentification").joinpath("data")
    text = data.joinpath("LICENSES.txt").read_text("utf-8")
    for holder in ("Kitware Europe", "Innolitics", "Darcy Mason"):
        assert holder in text
