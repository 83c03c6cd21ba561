"""Values of the DICOM JSON Model as texts, and back.

Source: PS3.18 F.2. Texts are what the policy judges, so that files and JSON agree.
"""

import base64
import binascii
import math
import re
import struct
from collections.abc import Sequence
from typing import Any, Final

from orthanc_share.deidentification.actions import DeidentificationError
from orthanc_share.deidentification.dictionary import UNKNOWN, vr as vr_of
from orthanc_share.deidentification.hidden_text import are_numbers

Attribute = dict[str, Any]
"""An element: `vr` and one of `Value`, `BulkDataURI`, `InlineBinary`, or none."""

TEXTS: Final = frozenset(
    "AE AS CS DA DT LO LT PN SH ST TM UC UI UR UT".split()  # noqa: SIM905
)
"""VRs whose values are texts in JSON."""

DECIMALS: Final = frozenset({"DS", "IS"})
"""VRs that are texts in files and numbers in JSON."""

BINARIES: Final = {"OB": 2, "OD": 8, "OF": 4, "OL": 4, "OV": 8, "OW": 2, "UN": 2}
"""VRs of binary values, and what their length is a multiple of."""

_INTEGERS: Final = {
    "SL": (4, -(1 << 31), (1 << 31) - 1),
    "SS": (2, -(1 << 15), (1 << 15) - 1),
    "SV": (8, -(1 << 63), (1 << 63) - 1),
    "UL": (4, 0, (1 << 32) - 1),
    "US": (2, 0, (1 << 16) - 1),
    "UV": (8, 0, (1 << 64) - 1),
}
_LONG_INTEGERS: Final = frozenset({"SV", "UV"})
_LONG_DIGITS: Final = 20
_FLOATS: Final = {"FD": 8, "FL": 4}
_FORMS: Final = {
    "FD": "d", "FL": "f", "SL": "i", "SS": "h", "SV": "q", "UL": "I", "US": "H",
    "UV": "Q",
}  # fmt: skip
_TAG: Final = "AT"
_TAG_BYTES: Final = 4

NUMBERS: Final = frozenset({*_INTEGERS, *_FLOATS, _TAG})
"""VRs of binary numbers."""

ALL: Final = TEXTS | DECIMALS | BINARIES.keys() | NUMBERS | {"SQ"}
"""The VRs of PS3.5 6.2."""

_SINGLE_TEXTS: Final = frozenset({"LT", "ST", "UR", "UT"})
"""VRs of one value, whose spaces in front count. Source: PS3.5 6.2."""

_IN_CHARACTER_SET: Final = frozenset({"LO", "PN", "SH", "UC", *_SINGLE_TEXTS})
"""VRs that Specific Character Set applies to. Source: PS3.5 6.1.2.2."""

_YEN: Final = "\N{YEN SIGN}"
"""What Orthanc makes of the backslash between values, if the character set is ISO_IR 13
and the VR one to which it does not even apply."""

PADDING: Final = " \0"
"""What may be around a value."""
_DS_LENGTH = 16  # PS3.5 6.2: the longest DS
_DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_TAG_TEXT = re.compile(r"[0-9A-F]{8}")
_PN_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")


def values_of(attribute: Attribute) -> list[Any]:
    """Return `Value`, empty if there is none.

    Raises:
        DeidentificationError: It is no array.
    """
    values = attribute.get("Value")
    if values is None:
        return []
    if type(values) is not list:
        raise DeidentificationError("Value is no array.")
    return values


def texts_of(attribute: Attribute) -> list[str]:
    """Return the values as a file writes them, without padding.

    Raises:
        DeidentificationError: A value is of no type that the JSON Model has.
    """
    vr, values = attribute["vr"], values_of(attribute)
    if vr in _IN_CHARACTER_SET:
        strips = vr not in _SINGLE_TEXTS
        return [
            one.strip(PADDING) if strips and type(one) is str else _text(one)
            for one in values
        ]
    texts = [_text(one).strip(PADDING) for one in values]
    if any(_YEN in text for text in texts):
        return _YEN.join(texts).split(_YEN)
    return texts


def _text(value: Any) -> str:
    if value is None:
        return ""
    if type(value) is str:
        return value.rstrip(PADDING)
    if type(value) is int:
        return str(value)
    if type(value) is float and math.isfinite(value):
        return _decimal(value)
    if type(value) is dict:
        groups = "=".join(_name(value.get(group)) for group in _PN_GROUPS)
        return groups.rstrip("=")
    raise DeidentificationError("A value is of a type that no element has.")


def _name(group: Any) -> str:
    if group is not None and type(group) is not str:
        raise DeidentificationError("A name is no text.")
    return (group or "").strip(PADDING)


def _decimal(value: float) -> str:
    """Return a DS; JSON may tell more digits than the file had."""
    if value.is_integer() and abs(value) < 10 ** (_DS_LENGTH - 1):
        return str(int(value))
    texts = (f"{value:.{digits}g}" for digits in range(_DS_LENGTH, 0, -1))
    return next((text for text in texts if len(text) <= _DS_LENGTH), "")


def json_values(vr: str, texts: Sequence[str]) -> Attribute:
    """Return an element of any VR but `SQ` and binaries with these values.

    Raises:
        DeidentificationError: A number is none.
    """
    if not any(texts):
        return {"vr": vr}
    return {"vr": vr, "Value": [_json_value(vr, text) for text in texts]}


def _json_value(vr: str, text: str) -> Any:
    if not text:
        return None
    if vr == "PN":
        return dict(zip(_PN_GROUPS, text.split("="), strict=False))
    if vr in TEXTS or vr == _TAG:
        return text
    number = text.strip(PADDING)
    if _INTEGER.fullmatch(number):
        return int(number)
    if vr not in _INTEGERS and vr != "IS" and _DECIMAL.fullmatch(number):
        return float(number) if math.isfinite(float(number)) else number
    raise DeidentificationError("A number is none.")


def kept_numbers(
    vr: str, values: list[Any], length_max: int, *, is_table: bool = False
) -> Attribute | None:
    """Return an element with numbers as they are; None: they do not fit.

    Args:
        vr: One of `NUMBERS` or `DECIMALS`.
        values: As JSON has them.
        length_max: In bytes.
        is_table: Whether they are a look-up table, which a descriptor vouches for, and
            whose bytes may look like letters.

    Raises:
        DeidentificationError: A value is of no type that the JSON Model has.
    """
    if vr in DECIMALS:
        return _kept_decimals({"vr": vr, "Value": values}, length_max)
    if vr in _INTEGERS:
        size, least, most = _INTEGERS[vr]
        if vr in _LONG_INTEGERS:
            values = [_whole(one) for one in values]
        fits = all(type(one) is int and least <= one <= most for one in values)
    elif vr in _FLOATS:
        size = _FLOATS[vr]
        fits = all(type(one) in {int, float} and math.isfinite(one) for one in values)
    else:
        size = _TAG_BYTES
        fits = all(type(one) is str and _is_known_tag(one) for one in values)
    if not fits or size * len(values) > length_max:
        return None
    if not is_table and _hide_text(vr, values):
        return None
    return {"vr": vr, "Value": values} if values else {"vr": vr}


def _hide_text(vr: str, values: Sequence[Any]) -> bool:
    """Tell whether the bytes of these numbers are text, in either byte order."""
    form = _FORMS.get(vr)
    if form is None:
        return False
    try:
        orders = {o: struct.pack(f"{o}{len(values)}{form}", *values) for o in "<>"}
    except OverflowError:
        return True  # no number of this VR
    return not all(are_numbers(vr, data, order) for order, data in orders.items())


def _whole(value: Any) -> Any:
    """Return a number; what a text says of it, for those that JSON may have as text."""
    is_text = type(value) is str and len(value) <= _LONG_DIGITS
    return int(value) if is_text and _INTEGER.fullmatch(value) else value


def _is_known_tag(text: str) -> bool:
    """Tell whether it is a tag of the dictionary; two of others could be a name."""
    return bool(_TAG_TEXT.fullmatch(text)) and vr_of(int(text, 16)) != UNKNOWN


def _kept_decimals(attribute: Attribute, length_max: int) -> Attribute | None:
    vr, texts = attribute["vr"], texts_of(attribute)
    syntax = _INTEGER if vr == "IS" else _DECIMAL
    fits = all(len(one) <= _DS_LENGTH and syntax.fullmatch(one) for one in texts if one)
    if not fits or len("\\".join(texts)) > length_max:
        return None
    return json_values(vr, texts)


def inline_binary(attribute: Attribute) -> bytes:
    """Return the bytes of `InlineBinary`.

    Raises:
        DeidentificationError: It is not base64.
    """
    text = attribute["InlineBinary"]
    if type(text) is not str:
        raise DeidentificationError("InlineBinary is no text.")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise DeidentificationError("InlineBinary is not base64.") from error


def kept_binary(vr: str, attribute: Attribute, length_max: int) -> Attribute | None:
    """Return an element with its inline binary; None: its length does not fit.

    It is encoded anew, so that no character of the source is copied.
    """
    data = inline_binary(attribute)
    if len(data) > length_max or len(data) % BINARIES[vr]:
        return None
    return {"vr": vr, "InlineBinary": base64.b64encode(data).decode()}
