"""Sample studies: two CT studies and one MR study of three people who do not exist.

The images are phantoms (`demo.phantom`), the names start with `DEMO^`, and all UIDs are
derived from names under 2.25 (PS3.5 B.2), so that each run makes the same studies.
`python -m demo.sample_data FOLDER` writes them as DICOM files, for a server that was
started some other way.
"""

import io
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha1
from pathlib import Path
from uuid import UUID, uuid5

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import (
    UID,
    CTImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
)

from demo.phantom import Phantom, Plane, chest, head

SIZE = 256
"""Rows and columns of each image."""

UID_NAMESPACE = UUID("d3c6a9b8-5e1f-4a0b-9a44-0d6e6f4f5a10")
"""Makes the UIDs of the samples our own; drawn once at random."""

_CT_HEAD = {
    "skin": 40.0, "bone": 1050.0, "fluid": 6.0, "grey": 40.0, "white": 28.0,
    "eye": 12.0, "air": -950.0, "lesion": 68.0,
}  # fmt: skip
_MR_HEAD = {
    "skin": 820.0, "bone": 60.0, "fluid": 130.0, "grey": 480.0, "white": 690.0,
    "eye": 170.0, "air": 8.0, "lesion": 950.0,
}  # fmt: skip


def orthanc_id(*dicom_ids: str) -> str:
    """Return Orthanc's identifier of a resource (Orthanc Book, `orthanc-ids`).

    Args:
        dicom_ids: PatientID, study UID, series UID, SOP instance UID, down to it.
    """
    digest = sha1("|".join(dicom_ids).encode(), usedforsecurity=False).hexdigest()
    return "-".join(digest[at : at + 8] for at in range(0, len(digest), 8))


@dataclass(frozen=True)
class SampleStudy:
    """One study with one series of axial images.

    Attributes:
        key: Short name, part of every UID.
        patient: Patient's name, as DICOM writes it (PS3.5 6.2, VR PN).
        description: Study description.
        sop_class: Kind of image.
        phantom: What is imaged.
        slices: Number of images.
        spacing: Millimetres between pixels, and between slices.
        intercept: Added to a stored value to get the phantom's unit.
        windows: Centre and width of each proposed window, in the phantom's unit.
        acquisition: Attributes of the acquisition, keyword to value.
    """

    key: str
    patient: str
    description: str
    sop_class: UID
    phantom: Phantom = field(repr=False)
    slices: int
    spacing: tuple[float, float]
    intercept: float
    windows: tuple[tuple[float, float], ...]
    acquisition: Mapping[str, object] = field(repr=False)

    @property
    def study_uid(self) -> str:
        """The StudyInstanceUID."""
        return self.uid("study")

    @property
    def series_uid(self) -> str:
        """The SeriesInstanceUID."""
        return self.uid("series")

    @property
    def orthanc_id(self) -> str:
        """Orthanc's identifier of the study."""
        return orthanc_id(self.patient_id, self.study_uid)

    @property
    def patient_id(self) -> str:
        """The PatientID."""
        return f"DEMO-{self.key.upper()}"

    def uid(self, part: str) -> str:
        """Return the UID of one part of this study, always the same."""
        return f"2.25.{uuid5(UID_NAMESPACE, f'{self.key}/{part}').int}"

    def datasets(self) -> Iterator[Dataset]:
        """Yield the images as data sets, from feet to head."""
        seed = uuid5(UID_NAMESPACE, self.key).int
        planes = self.phantom.slices(self.slices, SIZE, seed)
        for number, plane in enumerate(planes, start=1):
            yield self._image(number, plane)

    def files(self) -> Iterator[bytes]:
        """Yield the images as DICOM files (PS3.10), from feet to head."""
        for dataset in self.datasets():
            stream = io.BytesIO()
            dcmwrite(stream, dataset, enforce_file_format=True)
            yield stream.getvalue()

    def _image(self, number: int, plane: Plane) -> Dataset:
        dataset = Dataset()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.SOPClassUID = self.sop_class
        dataset.SOPInstanceUID = self.uid(f"image/{number}")
        _patient(dataset, self)
        _study_and_series(dataset, self)
        _geometry(dataset, self, number)
        _pixels(dataset, self, plane)
        for keyword, value in self.acquisition.items():
            setattr(dataset, keyword, value)
        return dataset


def _patient(dataset: Dataset, study: SampleStudy) -> None:
    """Fill the modules Patient and Patient Study (PS3.3 C.7.1.1, C.7.2.2)."""
    dataset.PatientName = study.patient
    dataset.PatientID = study.patient_id
    dataset.PatientBirthDate = "19700101"
    dataset.PatientSex = "O"
    dataset.PatientAge = "055Y"


def _study_and_series(dataset: Dataset, study: SampleStudy) -> None:
    """Fill General Study, Series and Equipment (PS3.3 C.7.2.1, C.7.3.1, C.7.5.1)."""
    dataset.StudyInstanceUID = study.study_uid
    dataset.StudyID = "1"
    dataset.AccessionNumber = f"{study.patient_id}-1"
    dataset.StudyDate = dataset.SeriesDate = dataset.ContentDate = "20250115"
    dataset.StudyTime = dataset.SeriesTime = dataset.ContentTime = "103000"
    dataset.StudyDescription = study.description
    dataset.ReferringPhysicianName = ""
    dataset.SeriesInstanceUID = study.series_uid
    dataset.SeriesNumber = 1
    dataset.SeriesDescription = f"{study.description} axial"
    dataset.Modality = "MR" if study.sop_class == MRImageStorage else "CT"
    dataset.PatientPosition = "HFS"
    dataset.Manufacturer = "orthanc-share demo"
    dataset.ManufacturerModelName = "phantom"
    dataset.InstitutionName = "Demo hospital"


def _geometry(dataset: Dataset, study: SampleStudy, number: int) -> None:
    """Fill Frame of Reference and Image Plane (PS3.3 C.7.4.1, C.7.6.2)."""
    pixel, distance = study.spacing
    corner = -pixel * (SIZE - 1) / 2
    height = (number - 1 - (study.slices - 1) / 2) * distance
    dataset.FrameOfReferenceUID = study.uid("frame of reference")
    dataset.PositionReferenceIndicator = ""
    dataset.InstanceNumber = number
    dataset.ImagePositionPatient = [corner, corner, height]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.PixelSpacing = [pixel, pixel]
    dataset.SliceThickness = dataset.SpacingBetweenSlices = distance
    dataset.SliceLocation = height


def _pixels(dataset: Dataset, study: SampleStudy, plane: Plane) -> None:
    """Fill Image Pixel, Modality LUT and VOI LUT (PS3.3 C.7.6.3, C.11.1, C.11.2)."""
    stored = np.clip(np.rint(plane - study.intercept), 0, 4095).astype("<u2")
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = stored.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation = 0
    dataset.WindowCenter = [centre for centre, _ in study.windows]
    dataset.WindowWidth = [width for _, width in study.windows]
    dataset.PixelData = stored.tobytes()
    if study.sop_class == CTImageStorage:  # MR has no Modality LUT
        dataset.RescaleIntercept, dataset.RescaleSlope = study.intercept, 1
        dataset.RescaleType = "HU"


_CT = {
    "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
    "KVP": 120,
    "AcquisitionNumber": 1,
    "ConvolutionKernel": "STANDARD",
}
_MR = {
    "ImageType": ["ORIGINAL", "PRIMARY", "M", "SE"],
    "ScanningSequence": "SE",
    "SequenceVariant": "NONE",
    "ScanOptions": "",
    "MRAcquisitionType": "2D",
    "RepetitionTime": 550,
    "EchoTime": 12,
    "EchoTrainLength": 1,
    "MagneticFieldStrength": 1.5,
    "AcquisitionNumber": 1,
}

CT_STUDY = SampleStudy(
    "ct", "DEMO^CT", "Head CT", CTImageStorage, head(_CT_HEAD, -1000.0, 4.0),
    slices=48, spacing=(0.9, 3.5), intercept=-1024.0,
    windows=((40.0, 90.0), (400.0, 2000.0)),
    acquisition={**_CT, "BodyPartExamined": "HEAD"},
)  # fmt: skip
"""Head, 48 CT images: the study that the demo shares."""

MR_STUDY = SampleStudy(
    "mr", "DEMO^MR", "Head MR T1", MRImageStorage, head(_MR_HEAD, 5.0, 14.0),
    slices=20, spacing=(0.9, 8.0), intercept=0.0,
    windows=((450.0, 900.0),),
    acquisition={**_MR, "BodyPartExamined": "HEAD"},
)  # fmt: skip
"""Head, 20 MR images of another person."""

OTHER_STUDY = SampleStudy(
    "other", "DEMO^OTHER", "Chest CT", CTImageStorage, chest(),
    slices=24, spacing=(1.5, 12.0), intercept=-1024.0,
    windows=((40.0, 400.0), (-600.0, 1500.0)),
    acquisition={**_CT, "BodyPartExamined": "CHEST"},
)  # fmt: skip
"""Chest, 24 CT images of a third person: the study that is never shared."""

STUDIES = (CT_STUDY, MR_STUDY, OTHER_STUDY)
"""All sample studies."""


def write(folder: Path) -> int:
    """Write all sample studies as DICOM files under `folder`; return their number."""
    count = 0
    for study in STUDIES:
        target = folder / study.key
        target.mkdir(parents=True, exist_ok=True)
        for number, content in enumerate(study.files(), start=1):
            (target / f"{number:03}.dcm").write_bytes(content)
            count += 1
    return count


if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004
        sys.exit("usage: python -m demo.sample_data FOLDER")
    print(f"{write(Path(sys.argv[1]))} images written")
