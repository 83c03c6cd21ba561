"""The marks of a de-identified object (PS3.15 E.1.1)."""

from collections.abc import Sequence

from orthanc_share.deidentification.actions import Element
from orthanc_share.deidentification.profile import Option
from orthanc_share.deidentification.table import EDITION

BASIC = ("113100", "Basic Application Confidentiality Profile")
"""Code and meaning of the profile. Source: PS3.16 CID 7050."""

CLEAN_PIXEL_DATA = ("113101", "Clean Pixel Data Option")
"""Code and meaning of the option that only holds for objects with a mask."""

OPTION_CODES = {
    Option.CLEAN_DESCRIPTORS: ("113105", "Clean Descriptors Option"),
    Option.RETAIN_MODIFIED_DATES: (
        "113107",
        "Retain Longitudinal Temporal Information Modified Dates Option",
    ),
    Option.RETAIN_PATIENT_CHARACTERISTICS: (
        "113108",
        "Retain Patient Characteristics Option",
    ),
    Option.RETAIN_DEVICE_IDENTITY: ("113109", "Retain Device Identity Option"),
    Option.RETAIN_SAFE_PRIVATE: ("113111", "Retain Safe Private Option"),
    Option.RETAIN_INSTITUTION_IDENTITY: (
        "113112",
        "Retain Institution Identity Option",
    ),
}
"""Codes and meanings of the options. Source: PS3.16 CID 7050."""


def marks(
    options: frozenset[Option], *, clean_pixels: bool = False
) -> Sequence[Element]:
    """Return the elements that tell what was done, in tag order.

    Args:
        options: What the site lets pass.
        clean_pixels: Whether text in the pixels was made black.
    """
    codes = [BASIC, *([CLEAN_PIXEL_DATA] if clean_pixels else [])]
    codes += [OPTION_CODES[option] for option in Option if option in options]
    dates = "MODIFIED" if Option.RETAIN_MODIFIED_DATES in options else "REMOVED"
    burned_in = (Element(0x00280301, "CS", ("NO",)),) if clean_pixels else ()
    return (
        Element(0x00120062, "CS", ("YES",)),
        Element(0x00120063, "LO", ("orthanc-share", f"PS3.15 {EDITION} Basic Profile")),
        Element(0x00120064, "SQ", tuple(_item(*code) for code in sorted(codes))),
        *burned_in,
        Element(0x00280303, "CS", (dates,)),
    )


def _item(value: str, meaning: str) -> Sequence[Element]:
    return (
        Element(0x00080100, "SH", (value,)),
        Element(0x00080102, "SH", ("DCM",)),
        Element(0x00080104, "LO", (meaning,)),
    )
