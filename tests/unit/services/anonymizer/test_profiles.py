"""What a site's profile changes: hidden and masked images."""

import io
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, EncapsulatedPDFStorage, JPEGBaseline8Bit

from anonymizer import masking as masking_of_images
from orthanc_share.deidentification.masked_image import Pixels
from orthanc_share.domain.resource import Level
from tests.support.anonymized import (
    ANY_FILE,
    ANY_FRAME,
    Running,
    Source,
    file_of,
    files_in,
    parts_of,
    profile_file,
    real_path,
    running,
)
from tests.support.orthanc_double import Reply, multipart
from tests.unit.shared.deidentification.images import (
    COLUMNS,
    ROWS,
    noise,
    read,
    ultrasound,
    written,
)

MASK = """
[[masks]]
manufacturer = "orthanc-share demo"
model = "phantom"
rows = 256
columns = 256
regions = [[10, 20, 100, 50]]
"""
REGION = np.s_[20:70, 10:110]


@pytest.fixture(scope="module")
def hiding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Run an anonymizer that leaves out what is not shown."""
    profile = profile_file(tmp_path_factory.mktemp("hide"), 'blocked = "hide"')
    with running(deidentification_profile=profile) as started:
        yield started


@pytest.fixture(scope="module")
def masking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Run an anonymizer that blanks a region of our images."""
    profile = profile_file(tmp_path_factory.mktemp("mask"), MASK)
    with running(deidentification_profile=profile) as started:
        yield started


@pytest.fixture(scope="module")
def showing_ultrasound(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Run an anonymizer that permits ultrasound, within its regions."""
    text = 'allowed-modalities = ["US"]'
    profile = profile_file(tmp_path_factory.mktemp("ultrasound"), text)
    with running(deidentification_profile=profile) as started:
        yield started


def with_report(images: int) -> Source:
    """Return a study whose first image became a report."""
    source = Source.sample(images)
    first = source.datasets[0]
    first.SOPClassUID = EncapsulatedPDFStorage
    first.file_meta.MediaStorageSOPClassUID = EncapsulatedPDFStorage
    return source


def test_what_is_hidden_does_not_exist(hiding: Running) -> None:
    names = hiding.share(with_report(3))
    (study,) = hiding.get("/dicom-web/studies").json()
    assert study["00201208"]["Value"] == [2]
    assert len(hiding.get("/dicom-web/instances").json()) == 2
    for path in (names.study_path, names.series_path()):
        assert len(hiding.get(f"{path}/metadata").json()) == 2
        assert len(files_in(hiding.get(path, ANY_FILE))) == 2
    for last in ("", "/metadata", "/frames/1", "/rendered", "/bulk/7FE00010"):
        hiding.get(f"{names.instance_path()}{last}", status=404)
    hiding.get(names.instance_path(), "application/dicom", status=404)


def test_a_series_of_hidden_images_does_not_exist(hiding: Running) -> None:
    names = hiding.share(with_report(1))
    (study,) = hiding.get("/dicom-web/studies").json()
    assert study["00201206"]["Value"] == [0]
    assert hiding.get("/dicom-web/series").json() == []
    assert hiding.get(f"{names.study_path}/metadata").json() == []
    hiding.get(f"{names.series_path()}/rendered", status=404)
    hiding.get(f"{names.study_path}/rendered", status=404)
    hiding.get(names.study_path, ANY_FILE, status=404)


def test_a_region_is_blanked_wherever_pixels_go_out(masking: Running) -> None:
    source = Source.sample(2)
    original = source.datasets[0].pixel_array
    expected = original.copy()
    expected[REGION] = 0
    assert (expected != original).any()
    names = masking.share(source)
    path = names.instance_path()
    (told,) = masking.get(f"{path}/metadata").json()
    assert told["00280301"]["Value"] == ["NO"]
    file = files_in(masking.get(names.series_path(), ANY_FILE))[0]
    (same,) = files_in(masking.get(path, ANY_FILE))
    assert file.BurnedInAnnotation == "NO"
    assert [item.CodeValue for item in file.DeidentificationMethodCodeSequence] == [
        "113100",
        "113101",
    ]
    assert (file.pixel_array == expected).all()
    assert (same.pixel_array == expected).all()
    ((_, frame),) = parts_of(masking.get(f"{path}/frames/1", ANY_FRAME))
    assert frame == expected.tobytes()
    rendered = masking.get(f"{path}/rendered?viewport=256,256", "image/png")
    with Image.open(io.BytesIO(rendered.content)) as picture:
        assert not np.asarray(picture)[REGION].any()
    windowed = masking.get(f"{path}/rendered?window=40,400,linear", "image/jpeg")
    assert windowed.content.startswith(b"\xff\xd8")
    assert not any("frames" in asked for asked in masking.orthanc.paths())


def region(left: int, top: int, right: int, bottom: int) -> Dataset:
    """Return an ultrasound region; the last column and row belong to it."""
    made = Dataset()
    made.RegionLocationMinX0, made.RegionLocationMinY0 = left, top
    made.RegionLocationMaxX1, made.RegionLocationMaxY1 = right, bottom
    return made


def ultrasound_study(pixels: Pixels, *regions: Dataset) -> Source:
    """Return a study of one ultrasound image of a sample patient."""
    (sample,) = Source.sample(1).datasets
    identity = ("PatientName", "PatientID", "StudyInstanceUID", "StudyDate",
                "StudyDescription", "AccessionNumber", "SeriesInstanceUID",
                "SeriesDescription", "SOPInstanceUID")  # fmt: skip
    image = ultrasound(pixels, **{name: sample[name].value for name in identity})
    image.SequenceOfUltrasoundRegions = regions
    return Source([read(written(image))])


def test_of_ultrasound_only_the_regions_come_out(showing_ultrasound: Running) -> None:
    # Noise is never black: what is black in an answer was blanked.
    pixels = noise(2, ROWS, COLUMNS, 3)
    regions = region(10, 20, 29, 39), region(40, 5, 63, 24)
    expected = np.zeros_like(pixels)
    for inside in (np.s_[:, 20:40, 10:30], np.s_[:, 5:25, 40:64]):
        expected[inside] = pixels[inside]
    names = showing_ultrasound.share(ultrasound_study(pixels, *regions))
    path = names.instance_path()
    (file,) = files_in(showing_ultrasound.get(path, ANY_FILE))
    assert (file.pixel_array == expected).all()
    assert file.BurnedInAnnotation == "NO"
    frames = parts_of(showing_ultrasound.get(f"{path}/frames/1,2", ANY_FRAME))
    assert [frame for _, frame in frames] == [one.tobytes() for one in expected]
    assert not any("frames" in asked for asked in showing_ultrasound.orthanc.paths())


def test_ultrasound_without_regions_is_not_shown(showing_ultrasound: Running) -> None:
    names = showing_ultrasound.share(ultrasound_study(noise(1, ROWS, COLUMNS)))
    (file,) = files_in(showing_ultrasound.get(names.instance_path(), ANY_FILE))
    assert "Image not shown" in file.DerivationDescription


def test_what_cannot_be_masked_is_not_shown(masking: Running) -> None:
    source = Source.sample(1)
    (dataset,) = source.datasets
    dataset.file_meta.TransferSyntaxUID = UID("1.2.840.10008.1.2.4.70")
    dataset.PixelData = (
        b"\xfe\xff\x00\xe0\0\0\0\0\xfe\xff\x00\xe0\x04\0\0\0\xff\xd8\xff\xd9"
    )
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    names = masking.share(source)
    (file,) = files_in(masking.get(names.instance_path(), ANY_FILE))
    assert "Image not shown" in file.DerivationDescription
    masking.share(source)
    masking.get(f"{masking.names.instance_path()}/frames/1", status=502)


def test_what_cannot_be_decoded_is_not_shown(masking: Running) -> None:
    source = Source.sample(1)
    (dataset,) = source.datasets
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    dataset.PixelData = encapsulate([b"\xff\xd8\xff\xd9"])
    dataset["PixelData"].VR = "OB"
    names = masking.share(source)
    (file,) = files_in(masking.get(names.instance_path(), ANY_FILE))
    assert "Image not shown" in file.DerivationDescription


def test_what_is_too_big_is_not_masked(
    masking: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(masking_of_images, "MASKED_MAX", 10_000)
    names = masking.share(Source.sample(1))
    masking.get(f"{names.instance_path()}/frames/1", status=502)
    (file,) = files_in(masking.get(names.instance_path(), ANY_FILE))
    assert "Image not shown" in file.DerivationDescription


@pytest.mark.parametrize("number", [0, 2])
def test_another_number_of_files_than_one_is_no_image(
    number: int, masking: Running
) -> None:
    source = Source.sample(1)
    path = real_path(source.datasets[0])
    files = multipart([file_of(source.datasets[0])] * number)
    names = masking.share(source, changes={path: files})
    masking.get(f"{names.instance_path()}/rendered", status=502)


def test_a_share_of_one_hidden_image_is_empty(hiding: Running) -> None:
    source = with_report(2)
    names = hiding.share(source, source.resource(Level.INSTANCE, 0))
    hiding.get(names.series_path(), ANY_FILE, status=404)


def test_a_file_that_turns_out_to_be_worse_is_hidden(hiding: Running) -> None:
    source = Source.sample(1)
    path = real_path(source.datasets[0])
    names = hiding.share(source, changes={path: multipart([b"DEMO^CT" * 9999])})
    hiding.get(names.instance_path(), "application/dicom", status=404)
    hiding.get(f"{names.instance_path()}/metadata", status=404)


def test_a_masked_file_that_orthanc_breaks_off_is_an_error(masking: Running) -> None:
    source = Source.sample(1)
    path = real_path(source.datasets[0])
    whole = source.answers()[path]
    assert isinstance(whole, Reply)
    cut = Reply(whole.body[:50_000], whole.content_type, length=-1)
    names = masking.share(source, changes={path: cut})
    masking.get(names.instance_path(), ANY_FILE, status=502)
    masking.get(f"{names.instance_path()}/frames/1", status=502)
