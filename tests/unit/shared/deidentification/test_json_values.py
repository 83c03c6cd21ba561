"""Values of the DICOM JSON Model."""

import base64
import math
import struct

import pytest
from hypothesis import given, strategies as st

from orthanc_share.deidentification.actions import DeidentificationError
from orthanc_share.deidentification.json_values import (
    json_values,
    kept_binary,
    kept_numbers,
    texts_of,
)


def test_values_are_read_as_a_file_writes_them() -> None:
    assert texts_of({"vr": "CS", "Value": ["A ", None, "B\0"]}) == ["A", "", "B"]
    assert texts_of({"vr": "IS", "Value": [3, 3.0, "3"]}) == ["3", "3", "3"]
    assert texts_of({"vr": "DS", "Value": [0.5, -1e-9]}) == ["0.5", "-1e-09"]
    assert texts_of({"vr": "UT", "Value": ["  indented "]}) == ["  indented"]
    assert texts_of({"vr": "LO"}) == []
    name = {"Alphabetic": "A^B", "Phonetic": "C "}
    assert texts_of({"vr": "PN", "Value": [name, {}]}) == ["A^B==C", ""]


def test_a_yen_sign_is_a_backslash_where_no_character_set_applies() -> None:
    # Orthanc 1.10.1, Specific Character Set ISO_IR 13
    assert texts_of({"vr": "CS", "Value": ["ORIGINAL¥PRIMARY "]}) == [
        "ORIGINAL",
        "PRIMARY",
    ]
    assert texts_of({"vr": "LO", "Value": ["¥500"]}) == ["¥500"]


def test_long_numbers_may_be_texts() -> None:
    kept = kept_numbers("UV", ["18446744073709551615", 7], 16)
    assert kept == {"vr": "UV", "Value": [2**64 - 1, 7]}
    assert kept_numbers("SV", ["x"], 16) is None
    assert kept_numbers("UV", ["1" * 21], 99) is None


@given(st.floats(-1e300, 1e300))
def test_a_decimal_fits_into_16_characters(number: float) -> None:
    (text,) = texts_of({"vr": "DS", "Value": [number]})
    assert len(text) <= 16
    assert math.isclose(float(text), number, rel_tol=1e-8, abs_tol=1e-300)


@pytest.mark.parametrize(
    "value", [True, [], math.nan, math.inf, {"Alphabetic": 3}, {"Phonetic": ["x"]}]
)
def test_values_that_no_element_has_are_refused(value: object) -> None:
    with pytest.raises(DeidentificationError):
        texts_of({"vr": "LO", "Value": [value]})


@pytest.mark.parametrize("values", ["x", {}, 3, False])
def test_values_are_an_array(values: object) -> None:
    with pytest.raises(DeidentificationError):
        texts_of({"vr": "LO", "Value": values})


def test_texts_become_what_json_has_for_the_vr() -> None:
    assert json_values("CS", ["A", ""]) == {"vr": "CS", "Value": ["A", None]}
    assert json_values("IS", ["+3 "]) == {"vr": "IS", "Value": [3]}
    assert json_values("DS", ["3", "0.5"]) == {"vr": "DS", "Value": [3, 0.5]}
    assert json_values("DS", ["1e999"]) == {"vr": "DS", "Value": ["1e999"]}
    assert json_values("US", ["7"]) == {"vr": "US", "Value": [7]}
    assert json_values("FD", ["7.5"]) == {"vr": "FD", "Value": [7.5]}
    assert json_values("AT", ["00181063"]) == {"vr": "AT", "Value": ["00181063"]}
    assert json_values("LO", []) == {"vr": "LO"}
    assert json_values("LO", ["", ""]) == {"vr": "LO"}
    assert json_values("PN", ["A=B"]) == {
        "vr": "PN",
        "Value": [{"Alphabetic": "A", "Ideographic": "B"}],
    }


@pytest.mark.parametrize(
    ("vr", "text"), [("IS", "3.5"), ("US", "1e3"), ("DS", "x"), ("DS", "1_0")]
)
def test_a_number_that_is_none_is_refused(vr: str, text: str) -> None:
    with pytest.raises(DeidentificationError):
        json_values(vr, [text])


@pytest.mark.parametrize(
    ("vr", "values"),
    [
        ("US", [0, 65_535]),
        ("SS", [-32_768, 32_767]),
        ("UL", [4_294_967_295]),
        ("SL", [-2_147_483_648]),
        ("UV", [2**64 - 1]),
        ("SV", [-(2**63)]),
        ("FL", [1, 1.5]),
        ("FD", [-1e14, 0.0]),
        ("AT", ["00181063"]),
        ("US", []),
    ],
)
def test_numbers_that_fit_their_vr_are_kept(vr: str, values: list[object]) -> None:
    kept = kept_numbers(vr, values, 16)
    assert kept == ({"vr": vr, "Value": values} if values else {"vr": vr})


@pytest.mark.parametrize(
    ("vr", "values"),
    [
        ("US", [65_536]),
        ("US", [-1]),
        ("US", [1.0]),
        ("US", ["1"]),
        ("US", [None]),
        ("US", [True]),
        ("SS", [32_768]),
        ("FD", ["1"]),
        ("FD", [math.inf]),
        ("AT", ["ANNA"]),
        ("AT", [181063]),
        ("AT", ["00181063 "]),
        ("AT", ["0028000a"]),
        ("AT", ["514A4E41"]),  # no tag, but letters
        ("FD", [struct.unpack("<d", b"DOE^JOHN")[0]]),
        ("FD", [struct.unpack(">d", b"DOE^JOHN")[0]]),
        ("FL", [*struct.unpack("<2f", b"DOE^JOHN")]),
        ("FL", [1e300]),
        ("US", [*struct.unpack("<4H", b"DOE^JOHN")]),
        ("UV", [struct.unpack("<Q", b"DOE^JOHN")[0]]),
        ("US", [1] * 9),  # 18 bytes
        ("FD", [1] * 3),  # 24 bytes
    ],
)
def test_what_is_no_number_or_too_long_is_dropped(
    vr: str, values: list[object]
) -> None:
    assert kept_numbers(vr, values, 16) is None


def test_a_table_may_look_like_letters() -> None:
    values = [*struct.unpack("<4H", b"DOE^JOHN")]
    kept = kept_numbers("US", values, 16, is_table=True)
    assert kept == {"vr": "US", "Value": values}


def binary(data: bytes) -> dict[str, str]:
    return {"vr": "OW", "InlineBinary": base64.b64encode(data).decode()}


def test_a_binary_that_fits_is_kept() -> None:
    assert kept_binary("OW", binary(b"abcd"), 4) == binary(b"abcd")


@pytest.mark.parametrize(
    ("vr", "data"), [("OW", b"abcdef"), ("OW", b"abc"), ("OF", b"ab")]
)
def test_a_binary_that_does_not_fit_is_dropped(vr: str, data: bytes) -> None:
    assert kept_binary(vr, binary(data), 4) is None


@pytest.mark.parametrize("text", ["?", "YWJj ZA==", "YWI", "é", None, 3, ["YQ=="]])
def test_what_is_not_base64_is_refused(text: object) -> None:
    with pytest.raises(DeidentificationError):
        kept_binary("OB", {"vr": "OB", "InlineBinary": text}, 99)
