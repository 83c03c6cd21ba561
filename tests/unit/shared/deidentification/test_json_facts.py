"""What the gate wants to know, from files and from JSON."""

from typing import Any

import pytest
from pydicom.dataset import Dataset

from orthanc_share.deidentification import pixel_gate
from orthanc_share.deidentification.actions import DeidentificationError
from orthanc_share.deidentification.dicom_json import DEPTH_MAX
from orthanc_share.deidentification.gate import UNREADABLE, Facts, Verdict
from orthanc_share.deidentification.json_facts import facts_of_json
from orthanc_share.deidentification.part10 import InstanceRewriter
from orthanc_share.deidentification.profile import MaskRule, Profile
from orthanc_share.deidentification.regions import Region
from tests.unit.shared.deidentification.images import (
    COLUMNS,
    CT,
    GATE,
    JPEG_2000,
    POLICY,
    ROWS,
    US,
    compressed,
    dataset,
    json_of,
    noise,
    read,
    ultrasound,
    verdict_of,
    written,
)

SYNTAX = "1.2.840.10008.1.2.1"
RULE = MaskRule("ACME", "Scan 1", ROWS, COLUMNS, (Region(0, 0, 9, 9),))
MASKING = pixel_gate.PixelGate(Profile(masks=(RULE,)))


def nested(*path: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """Return a dataset with sequences in sequences; each has elements of its own."""
    made: dict[str, Any] = {}
    for key, elements in reversed(path):
        made = {key: {"vr": "SQ", "Value": [made | elements]}}
    return made


def test_the_main_dataset_is_read() -> None:
    facts = facts_of_json(json_of(dataset(CT)), GATE)
    assert list(facts.values[pixel_gate.SOP_CLASS]) == [CT]
    assert list(facts.values[pixel_gate.IMAGE_TYPE]) == ["ORIGINAL", "PRIMARY"]
    assert 0x00100010 not in facts.values
    assert pixel_gate.TRANSFER_SYNTAX not in facts.values


def test_the_transfer_syntax_is_told_from_outside() -> None:
    assert facts_of_json({}, GATE, "").values == {}
    facts = facts_of_json({}, GATE, SYNTAX)
    assert facts.values == {pixel_gate.TRANSFER_SYNTAX: [SYNTAX]}


def test_frames_are_read_in_whatever_depth() -> None:
    frame_type = {"00089007": {"vr": "CS", "Value": ["DERIVED", "SECONDARY"]}}
    deep = nested(("52009230", {}), ("00189329", frame_type))
    again = nested(("52009229", frame_type))
    facts = facts_of_json(deep | again, GATE)
    assert facts.nested == {
        pixel_gate.FRAME_TYPE: ["DERIVED", "SECONDARY", "DERIVED", "SECONDARY"]
    }


@pytest.mark.parametrize(
    "element",
    [
        {"vr": "UN", "InlineBinary": "Tk8="},
        {"vr": "CS", "BulkDataURI": "http://orthanc.example/1"},
        {"vr": "OB"},
        {"vr": "SQ"},
    ],
)
def test_what_cannot_be_read_is_said_to_be_so(element: dict[str, str]) -> None:
    facts = facts_of_json({"00280301": element}, GATE)
    assert facts.values == {pixel_gate.BURNED_IN: list(UNREADABLE)}


@pytest.mark.parametrize(
    "malformed",
    [
        {"0028030": {"vr": "CS"}},
        {"0028010a": {"vr": "CS"}},
        {"00280301": {"Value": ["NO"]}},
        {"00280301": {"vr": "??", "Value": ["NO"]}},
        {"00280301": {"vr": ["CS"], "Value": ["NO"]}},
        {"00280301": ["NO"]},
        {"00280301": {"vr": "CS", "Value": ["NO"], "InlineBinary": "Tk8="}},
        {"00280301": {"vr": "CS", "Values": ["NO"]}},
        {"00280301": {"vr": "CS", "Value": "NO"}},
        {"00186011": {"vr": "SQ", "Value": [None]}},
        {"52009230": {"vr": "SQ", "Value": {}}},
    ],
)
def test_what_is_malformed_is_refused(malformed: dict[str, Any]) -> None:
    with pytest.raises(DeidentificationError):
        facts_of_json(malformed, GATE)


def test_a_nesting_without_end_is_refused() -> None:
    deepest = nested(*[("52009230", {})] * DEPTH_MAX)
    assert facts_of_json(deepest, GATE).nested == {}
    with pytest.raises(DeidentificationError):
        facts_of_json(nested(("52009230", deepest)), GATE)


def image_of(sop_class: str = CT, **elements: Any) -> Dataset:
    made = ultrasound(noise(1, ROWS, COLUMNS), sop_class=sop_class, **elements)
    made.Manufacturer = "ACME"
    made.ManufacturerModelName = "Scan 1"
    return made


def frame(**elements: Any) -> list[Dataset]:
    inner, outer = Dataset(), Dataset()
    for keyword, value in elements.items():
        setattr(inner, keyword, value)
    outer.CTImageFrameTypeSequence = [inner]
    return [outer]


def facts_of_file(file: bytes) -> Facts:
    rewriter = InstanceRewriter(POLICY, GATE)
    try:
        rewriter.feed(file)
    except DeidentificationError:
        assert not rewriter.started
    assert rewriter.facts is not None
    return rewriter.facts


SAMPLES = {
    "clean": image_of(),
    "ultrasound": image_of(US),
    "says no": image_of(US, BurnedInAnnotation="NO"),
    "says yes": image_of(BurnedInAnnotation="YES"),
    "secondary": image_of(ImageType=["DERIVED", "SECONDARY"]),
    "no type": image_of(ImageType=""),
    "capture": image_of(ConversionType="WSD"),
    "named": image_of(SeriesDescription="Screen Save"),
    "report": image_of("1.2.840.10008.5.1.4.1.1.88.33"),
    "frames": image_of(
        PerFrameFunctionalGroupsSequence=frame(FrameType=["DERIVED", "SECONDARY"])
    ),
    "frames that say no": image_of(
        SharedFunctionalGroupsSequence=frame(BurnedInAnnotation="NO")
    ),
}


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("gate", [GATE, MASKING])
def test_file_and_json_are_judged_alike(name: str, gate: pixel_gate.PixelGate) -> None:
    made = SAMPLES[name]
    file = written(made)
    from_json = facts_of_json(json_of(made), gate, SYNTAX)
    from_file = facts_of_file(file)
    assert gate.judge(from_json) == gate.judge(from_file)
    for tag, values in from_json.values.items():
        assert list(values) == list(from_file.values[tag])


def test_compressed_ultrasound_is_judged_alike() -> None:
    made = image_of(US)
    file = compressed(made, JPEG_2000)
    facts = facts_of_json(json_of(read(file)), GATE, JPEG_2000)
    verdict: Verdict = verdict_of(file)
    assert GATE.judge(facts) == verdict
    assert verdict.regions
