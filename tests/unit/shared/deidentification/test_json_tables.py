"""Look-up tables in DICOM JSON."""

import base64
from typing import Any

import pytest

from orthanc_share.deidentification.actions import DeidentificationError
from orthanc_share.deidentification.dicom_json import deidentify_json
from orthanc_share.deidentification.json_tables import served_table_fits
from tests.unit.shared.deidentification.images import POLICY

PUBLIC = "https://share.example/bulk/"
ENTRIES = bytes(range(16))
VOI = "00283010"
PALETTE = "00281201"


def binary(data: bytes = ENTRIES, vr: str = "OW") -> dict[str, Any]:
    return {"vr": vr, "InlineBinary": base64.b64encode(data).decode()}


def numbers(*values: Any) -> dict[str, Any]:
    return {"vr": "US", "Value": list(values)}


ELSEWHERE = {"vr": "OW", "BulkDataURI": "http://orthanc.example/"}
MAPPED = {"vr": "CS", "Value": ["PALETTE COLOR"]}


def shown(dataset: dict[str, Any]) -> dict[str, Any]:
    return deidentify_json(dataset, POLICY, lambda path: PUBLIC + path)


def palette(**elements: Any) -> dict[str, Any]:
    made = {"00280004": MAPPED, "00281101": numbers(8, 0, 16), PALETTE: binary()}
    return made | {key.removeprefix("_"): value for key, value in elements.items()}


def lut(**elements: Any) -> dict[str, Any]:
    """Return a dataset with one VOI LUT."""
    item = {"00283002": numbers(8, 0, 16), "00283006": binary()}
    item |= {key.removeprefix("_"): value for key, value in elements.items()}
    return {VOI: {"vr": "SQ", "Value": [item]}}


def test_a_palette_that_fits_is_kept() -> None:
    assert shown(palette())[PALETTE] == binary()
    padded = {"vr": "CS", "Value": ["PALETTE COLOR "]}
    assert shown(palette(_00280004=padded))[PALETTE] == binary()
    served = {"vr": "OW", "BulkDataURI": PUBLIC + PALETTE}
    assert shown(palette(_00281201=ELSEWHERE))[PALETTE] == served


@pytest.mark.parametrize(
    "other",
    [
        {"_00281101": numbers(8, 0)},
        {"_00281101": numbers(9, 0, 16)},
        {"_00281101": numbers(8, 0, 11)},
        {"_00281101": numbers(8, 0, "16")},
        {"_00281101": {"vr": "US"}},
        {"_00280004": {"vr": "CS", "Value": ["MONOCHROME2"]}},
        {"_00280004": {"vr": "CS", "Value": ["PALETTE COLOR", "RGB"]}},
        {"_00280004": {"vr": "CS"}},
        {"_00281201": binary(ENTRIES[:8])},
    ],
)
def test_a_palette_that_does_not_fit_is_dropped(other: dict[str, Any]) -> None:
    assert PALETTE not in shown(palette(**other))


def test_no_address_is_made_for_what_has_no_descriptor() -> None:
    asked: list[str] = []
    source = palette(_00281201=ELSEWHERE, _00281101={"vr": "US"})
    deidentify_json(source, POLICY, asked.append)
    assert asked == []


def test_a_table_that_fits_is_kept_in_its_item() -> None:
    assert shown(lut())[VOI] == lut()[VOI]
    (item,) = shown(lut(_00283006=ELSEWHERE))[VOI]["Value"]
    assert item["00283006"]["BulkDataURI"] == f"{PUBLIC}{VOI}/1/00283006"


def test_a_table_of_numbers_is_judged_as_its_bytes() -> None:
    words = numbers(*range(8))
    assert shown(lut(_00283006=words))[VOI] == lut(_00283006=words)[VOI]
    for wrong in (numbers(*range(7)), numbers(*"12345678"), numbers(*[70_000] * 8)):
        assert shown(lut(_00283006=wrong))[VOI] == {
            "vr": "SQ",
            "Value": [{"00283002": numbers(8, 0, 16)}],
        }


def test_what_vouches_for_a_table_has_its_own_vr() -> None:
    words = {"vr": "OW", "Value": list(range(8))}
    assert PALETTE not in shown(palette(_00281201=words))
    for vr in ("UL", "OW", "LO"):
        told = {"vr": vr, "Value": [8, 0, 16]}
        assert PALETTE not in shown(palette(_00281101=told))
        assert not served_table_fits(palette(_00281101=told), PALETTE, ENTRIES)
    signed = {"vr": "SS", "Value": [8, -1024, 16]}
    assert PALETTE in shown(palette(_00281101=signed))
    photometric = {"vr": "LO", "Value": ["PALETTE COLOR"]}
    assert PALETTE not in shown(palette(_00280004=photometric))
    sequence = {VOI: {"vr": "UN", "Value": lut()[VOI]["Value"]}}
    assert not served_table_fits(sequence, f"{VOI}/1/00283006", ENTRIES)


def test_the_descriptor_of_another_item_does_not_count() -> None:
    source = lut() | {"00283002": numbers(8, 0, 16)}
    del source[VOI]["Value"][0]["00283002"]
    assert shown(source)[VOI] == {"vr": "SQ", "Value": [{}]}


@pytest.mark.parametrize(
    "malformed",
    [
        {"_00281101": [8, 0, 16]},
        {"_00281101": {"vr": "US", "Value": "8"}},
        {"_00280004": "PALETTE COLOR"},
    ],
)
def test_what_is_malformed_is_refused(malformed: dict[str, Any]) -> None:
    source = palette(**malformed)
    for order in (source, dict(reversed(source.items()))):
        with pytest.raises(DeidentificationError):
            shown(order)


def test_a_served_table_is_judged_when_it_is_there() -> None:
    path = f"{VOI}/1/00283006"
    assert served_table_fits(lut(), path, ENTRIES)
    assert not served_table_fits(lut(), path, ENTRIES[:8])
    assert not served_table_fits(lut(), f"{VOI}/2/00283006", ENTRIES)
    assert not served_table_fits({}, path, ENTRIES)
    assert served_table_fits(palette(), PALETTE, ENTRIES)
    assert served_table_fits({}, "54000100/1/54001010", b"what is no table")


TEXT = b"DOE JOHNQZCANARY"


def test_a_text_is_no_table_wherever_it_is() -> None:
    assert PALETTE not in shown(palette(_00281201=binary(TEXT)))
    assert not served_table_fits(palette(), PALETTE, TEXT)
    (item,) = shown(lut(_00283006=binary(TEXT)))[VOI]["Value"]
    assert "00283006" not in item
    assert not served_table_fits(lut(), f"{VOI}/1/00283006", TEXT)


def test_a_table_is_served_only_from_its_place() -> None:
    nested = {VOI: {"vr": "SQ", "Value": [palette()]}}
    assert not served_table_fits(nested, f"{VOI}/1/{PALETTE}", ENTRIES)
    assert PALETTE not in shown(nested)[VOI]["Value"][0]
    top = {"00283002": numbers(8, 0, 16), "00283006": binary()}
    assert not served_table_fits(top, "00283006", ENTRIES)
    assert "00283006" not in shown(top)


@pytest.mark.parametrize("tag", ["7FE00001", "7FE00002"])
def test_extended_offset_tables_have_no_place_in_json(tag: str) -> None:
    for value in (binary(b"DOE JOHN", "OV"), ELSEWHERE | {"vr": "OV"}):
        assert tag not in shown({tag: value})


@pytest.mark.parametrize(
    ("tag", "vr"), [("00189087", "FD"), ("00280106", "US"), ("00180060", "DS")]
)
def test_numbers_elsewhere_are_not_served(tag: str, vr: str) -> None:
    asked: list[str] = []
    source = {tag: {"vr": vr, "BulkDataURI": "http://orthanc.example/"}}
    made = deidentify_json(source, POLICY, asked.append)
    assert not asked
    assert "BulkDataURI" not in made.get(tag, {})


def test_an_item_that_is_none_is_refused() -> None:
    with pytest.raises(DeidentificationError):
        served_table_fits(
            {VOI: {"vr": "SQ", "Value": ["x"]}}, f"{VOI}/1/00283006", ENTRIES
        )
