"""Sequences of which no item may stay: the object is as valid as it was before."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from pydicom import Dataset, Sequence

from orthanc_share.deidentification.codes import CODE_SEQUENCES, UNKNOWN, known_code
from orthanc_share.deidentification.dicom_json import deidentify_json
from orthanc_share.deidentification.dictionary import ENTRIES, tag_of
from orthanc_share.deidentification.part10 import rewrite
from tests.unit.shared.deidentification.byte_samples import SimpleGate
from tests.unit.shared.deidentification.images import (
    CT,
    POLICY,
    dataset,
    json_of,
    nowhere,
    read,
    written,
)


def by_file(source: Dataset) -> Any:
    return json.loads(read(rewrite(written(source), POLICY, SimpleGate())).to_json())


def by_json(source: Dataset) -> Any:
    return deidentify_json(json_of(source), POLICY, nowhere)


CODECS = pytest.mark.parametrize("deidentified", [by_file, by_json])


def code(value: str, scheme: str) -> Dataset:
    made = Dataset()
    made.CodeValue, made.CodingSchemeDesignator = value, scheme
    made.CodeMeaning = "of the hospital"
    return made


def shown(deidentified: Callable[[Dataset], Any], keyword: str, *items: Dataset) -> Any:
    """Return the items of a sequence as they are written; None: it is not there."""
    source = dataset(CT, **{keyword: Sequence(items)})
    tag = tag_of(keyword)
    found = deidentified(source).get(f"{tag:08X}")
    return None if found is None else found.get("Value", [])


@CODECS
@pytest.mark.parametrize(
    "keyword",
    ["ViewCodeSequence", "AnatomicRegionSequence", "SegmentedPropertyTypeCodeSequence"],
)
def test_of_unknown_codes_one_says_so(
    keyword: str, deidentified: Callable[[Dataset], Any]
) -> None:
    (item,) = shown(deidentified, keyword, code("QZ1", "99QZ"), code("QZ2", "99QZ"))
    assert item == {
        "00080100": {"vr": "SH", "Value": ["261665006"]},
        "00080102": {"vr": "SH", "Value": ["SCT"]},
        "00080104": {"vr": "LO", "Value": ["Unknown"]},
    }


@CODECS
def test_a_known_code_needs_no_unknown_one_beside_it(
    deidentified: Callable[[Dataset], Any],
) -> None:
    items = (code("QZ1", "99QZ"), code("399067008", "SCT"))
    (item,) = shown(deidentified, "ViewCodeSequence", *items)
    assert item["00080100"]["Value"] == ["399067008"]


@CODECS
def test_what_was_empty_stays_so(deidentified: Callable[[Dataset], Any]) -> None:
    assert shown(deidentified, "ViewCodeSequence") == []


@CODECS
def test_a_sequence_of_something_else_is_not_there(
    deidentified: Callable[[Dataset], Any],
) -> None:
    scheme = Dataset()
    scheme.CodingSchemeDesignator = "99QZ"
    assert shown(deidentified, "CodingSchemeIdentificationSequence", scheme) is None


@CODECS
@pytest.mark.parametrize(
    ("keyword", "expected"),
    [
        ("AcquisitionContextSequence", []),
        ("ReferencedStudySequence", None),
        ("ContentSequence", None),
        ("OperatorIdentificationSequence", None),
    ],
)
def test_without_items_is_only_what_may_be_so(
    keyword: str, expected: Any, deidentified: Callable[[Dataset], Any]
) -> None:
    assert shown(deidentified, keyword, dataset(CT)) == expected


def test_the_unknown_code_is_known() -> None:
    found = known_code(*UNKNOWN)
    assert found is not None
    assert found.meaning == "Unknown"


def test_sequences_of_codes_are_sequences() -> None:
    assert {ENTRIES[tag].vr for tag in CODE_SEQUENCES} == {"SQ"}
