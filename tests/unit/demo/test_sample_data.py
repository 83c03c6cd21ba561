"""The sample studies are DICOM that viewers take, and look like something."""

import io
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom import config
from pydicom.uid import UID

from demo.sample_data import CT_STUDY, MR_STUDY, STUDIES, SampleStudy

ROOT = Path(__file__).parents[3]

NEEDED_BY_VIEWERS = [
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "Modality",
    "FrameOfReferenceUID",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "SliceThickness",
    "InstanceNumber",
    "SeriesNumber",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "ImageType",
    "WindowCenter",
    "WindowWidth",
    "PatientName",
    "PatientID",
    "StudyDate",
    "PixelData",
]
TYPE_1 = {
    "CT": ["RescaleIntercept", "RescaleSlope", "RescaleType", "KVP"],
    "MR": ["ScanningSequence", "SequenceVariant", "MRAcquisitionType", "EchoTime"],
}


@pytest.fixture(scope="module", params=STUDIES, ids=lambda study: study.key)
def study(request: pytest.FixtureRequest) -> SampleStudy:
    chosen: SampleStudy = request.param
    return chosen


@pytest.fixture(scope="module")
def images(study: SampleStudy) -> list[pydicom.FileDataset]:
    return [pydicom.dcmread(io.BytesIO(content)) for content in study.files()]


def test_every_value_is_valid_for_its_vr(
    study: SampleStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config.settings, "writing_validation_mode", config.RAISE)
    assert next(study.files())


def test_viewers_find_the_attributes_they_need(
    images: list[pydicom.FileDataset],
) -> None:
    for image in images:
        needed = NEEDED_BY_VIEWERS + TYPE_1[image.Modality]
        found = {keyword: image.get(keyword) for keyword in needed}
        assert [keyword for keyword in needed if found[keyword] in (None, "")] == []


def test_uids_are_valid_and_each_image_has_its_own(
    images: list[pydicom.FileDataset],
) -> None:
    uids = [UID(image.SOPInstanceUID) for image in images]
    assert all(uid.is_valid and uid.startswith("2.25.") for uid in uids)
    assert len(set(uids)) == len(images)
    assert len({image.SeriesInstanceUID for image in images}) == 1


def test_slices_lie_at_equal_distances_along_the_body(
    images: list[pydicom.FileDataset],
) -> None:
    heights = [float(image.ImagePositionPatient[2]) for image in images]
    steps = {round(above - below, 6) for below, above in pairwise(heights)}
    assert steps == {float(images[0].SliceThickness)}


def test_no_image_is_empty(images: list[pydicom.FileDataset]) -> None:
    for image in images:
        slope = float(image.get("RescaleSlope", 1))
        values = image.pixel_array * slope + float(image.get("RescaleIntercept", 0))
        assert np.ptp(values) > 0.5 * float(np.atleast_1d(image.WindowWidth)[0])
        assert values.std() > 50


def test_a_second_run_makes_the_same_files(study: SampleStudy) -> None:
    assert next(study.files()) == next(study.files())


def test_the_ct_holds_air_soft_tissue_and_bone() -> None:
    middle = list(CT_STUDY.datasets())[CT_STUDY.slices // 2]
    hounsfield = middle.pixel_array + CT_STUDY.intercept
    assert hounsfield[0, 0] < -950
    assert 20 < np.median(hounsfield[100:156, 100:156]) < 50
    assert hounsfield.max() > 900


def test_samples_are_as_large_as_the_demo_says() -> None:
    assert CT_STUDY.slices >= 40
    assert MR_STUDY.slices == 20


def test_names_are_synthetic_and_studies_differ() -> None:
    assert all(each.patient.startswith("DEMO^") for each in STUDIES)
    assert len({each.study_uid for each in STUDIES}) == len(STUDIES)


def test_the_command_wants_a_folder() -> None:
    command = [sys.executable, "-m", "demo.sample_data"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert run.returncode == 1
    assert "usage" in run.stderr


def test_the_command_writes_all_studies_as_files(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "demo.sample_data", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    files = list(tmp_path.rglob("*.dcm"))
    assert len(files) == sum(each.slices for each in STUDIES)
    assert run.stdout == f"{len(files)} images written\n"
    assert pydicom.dcmread(files[0]).PatientName.family_name == "DEMO"
