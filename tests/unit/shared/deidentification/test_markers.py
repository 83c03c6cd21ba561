"""The marks of PS3.15 E.1.1."""

import pytest
from pydicom.sr import codedict

from orthanc_share.deidentification.actions import Element
from orthanc_share.deidentification.codes import known_code
from orthanc_share.deidentification.markers import (
    BASIC,
    CLEAN_PIXEL_DATA,
    OPTION_CODES,
    marks,
)
from orthanc_share.deidentification.profile import Option

REMOVED_OR_MODIFIED = 0x00280303
BURNED_IN = 0x00280301
CODES = 0x00120064


def values(elements: object, tag: int) -> object:
    assert isinstance(elements, tuple)
    return next((one.values for one in elements if one.tag == tag), None)


def codes(elements: object) -> list[str]:
    items = values(elements, CODES)
    assert isinstance(items, tuple)
    return [item[0].values[0] for item in items]


def test_the_basic_profile_is_marked() -> None:
    elements = marks(frozenset())
    assert values(elements, 0x00120062) == ("YES",)
    assert values(elements, REMOVED_OR_MODIFIED) == ("REMOVED",)
    assert values(elements, BURNED_IN) is None
    assert codes(elements) == ["113100"]


@pytest.mark.parametrize("option", Option)
def test_each_option_has_its_code(option: Option) -> None:
    assert codes(marks(frozenset({option}))) == ["113100", OPTION_CODES[option][0]]


def test_all_options_are_marked_in_the_order_of_their_codes() -> None:
    marked = codes(marks(frozenset(Option)))
    assert len(marked) == 1 + len(Option)
    assert marked == sorted(marked)


def test_moved_dates_are_marked_as_modified() -> None:
    elements = marks(frozenset({Option.RETAIN_MODIFIED_DATES}))
    assert values(elements, REMOVED_OR_MODIFIED) == ("MODIFIED",)


def test_only_cleaned_pixels_are_marked_as_clean() -> None:
    elements = marks(frozenset(), clean_pixels=True)
    assert values(elements, BURNED_IN) == ("NO",)
    assert codes(elements) == ["113100", "113101"]


@pytest.mark.parametrize(
    "code", [BASIC, CLEAN_PIXEL_DATA, *OPTION_CODES.values()], ids=lambda code: code[0]
)
def test_codes_and_meanings_are_those_of_the_standard(code: tuple[str, str]) -> None:
    known = known_code(code[0], "DCM")
    assert known is not None
    assert known.meaning == code[1]
    assert code[0] in {one.value for one in codedict.codes.cid7050.concepts.values()}


def test_an_item_is_a_coded_entry() -> None:
    items = values(marks(frozenset()), CODES)
    assert items == (
        (
            Element(0x00080100, "SH", ("113100",)),
            Element(0x00080102, "SH", ("DCM",)),
            Element(0x00080104, "LO", ("Basic Application Confidentiality Profile",)),
        ),
    )
