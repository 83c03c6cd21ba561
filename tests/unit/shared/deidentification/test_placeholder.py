"""What stands in the place of an instance that is not shown."""

import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from orthanc_share.deidentification import placeholder
from orthanc_share.deidentification.actions import DeidentificationError
from orthanc_share.deidentification.dicom_json import deidentify_json
from orthanc_share.deidentification.gate import Reason
from orthanc_share.deidentification.json_values import texts_of
from orthanc_share.deidentification.policy import SharePolicy
from orthanc_share.deidentification.profile import Option, Profile
from tests.unit.shared.deidentification.images import (
    CANARY,
    POLICY,
    dataset,
    json_of,
    nowhere,
    policy_of,
    read,
)

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
PIXELS = "https://share.example/pixels"
SHIFTING = policy_of(Profile(options=frozenset({Option.RETAIN_MODIFIED_DATES})))


def source(policy: SharePolicy = POLICY, **elements: Any) -> dict[str, Any]:
    """Return the de-identified metadata of an instance that is not shown."""
    return deidentify_json(json_of(dataset(**elements)), policy, nowhere)


def size_of(picture: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(picture)).size


@pytest.mark.parametrize("reason", [*Reason, "another-reason"])
def test_the_file_is_an_image_that_pydicom_reads(reason: str) -> None:
    found = read(placeholder.instance(source(Rows=200, Columns=300), reason))
    assert found.pixel_array.shape == (200, 300)
    assert found.SOPClassUID == found.file_meta.MediaStorageSOPClassUID
    assert found.SOPClassUID == SECONDARY_CAPTURE
    assert found.file_meta.MediaStorageSOPInstanceUID == found.SOPInstanceUID
    assert found.DerivationDescription.startswith("Image not shown. ")


@pytest.mark.parametrize("policy", [POLICY, SHIFTING])
def test_file_metadata_and_frame_agree(policy: SharePolicy) -> None:
    of = source(policy, StudyDate="20200102", StudyTime="101112", Modality="CT")
    file = read(placeholder.instance(of, Reason.BURNED_IN))
    told = placeholder.metadata(of, Reason.BURNED_IN, PIXELS)
    assert told.pop("7FE00010") == {"vr": "OB", "BulkDataURI": PIXELS}
    assert file.PixelData == placeholder.frame(of, Reason.BURNED_IN)
    del file.PixelData
    assert json.loads(file.to_json()) == told


def test_it_belongs_to_the_study_and_series_of_the_instance() -> None:
    of = source(Modality="CT", SeriesNumber=3, InstanceNumber=5)
    told = placeholder.metadata(of, Reason.BURNED_IN)
    for key in (
        *("0020000D", "0020000E", "00080018", "00100010", "00100020"),
        *("00200011", "00200013", "00080060", "0008103E", "00120062", "00120064"),
    ):
        assert told[key] == of[key]
    assert "7FE00010" not in told


def test_nothing_else_of_the_instance_is_left() -> None:
    of = source(Modality="US", BurnedInAnnotation="YES", PixelSpacing=[0.5, 0.5])
    told = placeholder.metadata(of, Reason.BURNED_IN)
    assert "00280030" in of
    assert "00280030" not in told
    assert texts_of(told["00280301"]) == ["NO"]
    file = placeholder.instance(of, Reason.BURNED_IN)
    assert CANARY not in file.decode("latin-1")
    assert "1.2.276" not in file.decode("latin-1")


def test_what_every_image_must_have_is_there() -> None:
    told = placeholder.metadata(source(), Reason.DOCUMENT)
    for key in ("00080020", "00080050", "00100030", "00200010", "00200020"):
        assert key in told
    assert list(told) == sorted(told)


@pytest.mark.parametrize(
    ("was", "is_now"),
    [("CT", "CT"), ("US", "US"), ("SR", "OT"), ("DOC", "OT"), ("", "OT")],
)
def test_no_viewer_looks_for_a_document(was: str, is_now: str) -> None:
    assert placeholder.modality(was) == is_now
    of = source() | {"00080060": {"vr": "CS", "Value": [was] if was else []}}
    told = placeholder.metadata(of, Reason.DOCUMENT)
    assert texts_of(told["00080060"]) == [is_now]


def test_a_series_without_a_modality_is_of_another_one() -> None:
    of = source()
    del of["00080060"]
    assert texts_of(placeholder.metadata(of, Reason.DOCUMENT)["00080060"]) == ["OT"]


@pytest.mark.parametrize("key", ["00080018", "0020000D", "0020000E"])
def test_without_uids_there_is_no_placeholder(key: str) -> None:
    of = source()
    for without in ({"vr": "UI"}, {"vr": "UI", "Value": [None]}):
        with pytest.raises(DeidentificationError):
            placeholder.metadata(of | {key: without}, Reason.DOCUMENT)
    del of[key]
    with pytest.raises(DeidentificationError):
        placeholder.instance(of, Reason.DOCUMENT)


@pytest.mark.parametrize(
    ("rows", "columns", "shape"),
    [
        (128, 1024, (128, 1024)),
        (127, 512, (512, 512)),
        (512, 1025, (512, 512)),
        (None, 300, (512, 512)),
    ],
)
def test_it_has_the_size_of_the_original_within_reason(
    rows: int | None, columns: int, shape: tuple[int, int]
) -> None:
    of = source(Columns=columns) if rows is None else source(Rows=rows, Columns=columns)
    told = placeholder.metadata(of, Reason.DOCUMENT)
    assert (told["00280010"]["Value"][0], told["00280011"]["Value"][0]) == shape
    assert len(placeholder.frame(of, Reason.DOCUMENT)) == shape[0] * shape[1]


@pytest.mark.parametrize("media_type", placeholder.MEDIA_TYPES)
def test_pictures_have_the_size_asked_for(media_type: str) -> None:
    def size(*asked: int) -> tuple[int, int]:
        return size_of(placeholder.rendered(media_type, Reason.VIDEO, *asked))

    assert size() == (512, 512)
    assert size(100, 300) == (300, 100)
    assert size(15, 2049) == (512, 512)
    assert size(-1, 16) == (16, 512)


def test_each_reason_is_told_to_people_in_words_of_its_own() -> None:
    shown = set(Reason) - {Reason.CLEAN, Reason.MASK_RULE, Reason.ULTRASOUND_REGIONS}
    assert set(placeholder.EXPLANATIONS) == shown
    pictures = {
        reason: placeholder.rendered("image/png", reason)
        for reason in (Reason.BURNED_IN, Reason.DOCUMENT, "another-reason")
    }
    assert len(set(pictures.values())) == len(pictures)


@pytest.mark.parametrize("reason", placeholder.EXPLANATIONS)
@pytest.mark.parametrize("side", [16, 48, 64, 100, 128, 256, 512])
def test_the_text_lies_within_the_picture(reason: str, side: int) -> None:
    picture = Image.open(
        io.BytesIO(placeholder.rendered("image/png", reason, side, side))
    )
    pixels = np.asarray(picture)
    assert pixels.max() > 100  # something is written
    if side > 64:  # else it is a title to the edge, or two lines to the corners
        edges = (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1])
        assert {int(edge.max()) for edge in edges} == {int(pixels.min())}
