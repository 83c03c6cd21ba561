"""Studies under measurement, made by pydicom: CT series and a multiframe CT.

Heads are as long as a scanner's: about a hundred elements, sequences and a private
block among them. Pixels are a ramp with noise, which compresses about as badly as a
patient does.
"""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from uuid import UUID, uuid5

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import CTImageStorage, EnhancedCTImageStorage, ExplicitVRLittleEndian

from demo.sample_data import orthanc_id

PATIENT = "BENCHMARK^NAMED^BYWHOLENAME"
"""The PatientName of all studies; no answer of the anonymizer holds it."""

_NAMESPACE = UUID("3f3a7a1e-2f0e-4b0c-9d57-5d1c54a1b0d2")
_NOISE = 25.0  # standard deviation in Hounsfield units, as of a thin slice
_TEXTS: Mapping[str, object] = {
    "SpecificCharacterSet": "ISO_IR 100",
    "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL", "CT_SOM5 SPI"],
    "StudyDate": "20240229",
    "SeriesDate": "20240229",
    "AcquisitionDate": "20240229",
    "ContentDate": "20240229",
    "StudyTime": "101112.345000",
    "SeriesTime": "101115.345000",
    "AcquisitionTime": "101120.345000",
    "ContentTime": "101121.345000",
    "AccessionNumber": "A0123456789",
    "Modality": "CT",
    "Manufacturer": "Made Up",
    "InstitutionName": "Hospital of the Benchmarks",
    "InstitutionAddress": "Street 1\r\nTown",
    "ReferringPhysicianName": "REFERRING^PHYSICIAN",
    "StationName": "CT01",
    "StudyDescription": "Thorax of a named person",
    "SeriesDescription": "Thorax 1.0 B31f",
    "PerformingPhysicianName": "PERFORMING^PHYSICIAN",
    "OperatorsName": "OPERATOR^ONE",
    "ManufacturerModelName": "Scanner 64",
    "PatientName": PATIENT,
    "PatientBirthDate": "19420607",
    "PatientSex": "F",
    "PatientAge": "081Y",
    "PatientSize": "1.70",
    "PatientWeight": "70",
    "MedicalAlerts": "none",
    "AdditionalPatientHistory": "of a named person",
    "PatientComments": "comments on a named person",
    "BodyPartExamined": "CHEST",
    "SliceThickness": "1",
    "KVP": "120",
    "DataCollectionDiameter": "500",
    "DeviceSerialNumber": "12345",
    "SoftwareVersions": "syngo CT 2012B",
    "ProtocolName": "Thorax routine",
    "ReconstructionDiameter": "350",
    "DistanceSourceToDetector": "1040",
    "DistanceSourceToPatient": "570",
    "GantryDetectorTilt": "0",
    "TableHeight": "150",
    "RotationDirection": "CW",
    "ExposureTime": "500",
    "XRayTubeCurrent": "200",
    "Exposure": "100",
    "FilterType": "FLAT",
    "GeneratorPower": "40",
    "FocalSpots": "1.2",
    "DateOfLastCalibration": "20240229",
    "TimeOfLastCalibration": "070000.000000",
    "ConvolutionKernel": "B31f",
    "PatientPosition": "HFS",
    "SpiralPitchFactor": 1.2,
    "CTDIvol": 7.1,
    "StudyID": "1",
    "SeriesNumber": "2",
    "AcquisitionNumber": "1",
    "PatientOrientation": ["L", "P"],
    "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
    "PositionReferenceIndicator": "",
    "ImageComments": "comments on a named person",
    "SamplesPerPixel": 1,
    "PhotometricInterpretation": "MONOCHROME2",
    "PixelSpacing": [0.68, 0.68],
    "BitsAllocated": 16,
    "BitsStored": 12,
    "HighBit": 11,
    "PixelRepresentation": 0,
    "SmallestImagePixelValue": 0,
    "LargestImagePixelValue": 4095,
    "BurnedInAnnotation": "NO",
    "WindowCenter": [40, -600],
    "WindowWidth": [400, 1200],
    "RescaleIntercept": "-1024",
    "RescaleSlope": "1",
    "RescaleType": "HU",
    "RequestingPhysician": "REQUESTING^PHYSICIAN",
    "RequestedProcedureDescription": "CT of the thorax",
    "PerformedProcedureStepStartDate": "20240229",
    "PerformedProcedureStepStartTime": "101112.345000",
    "PerformedProcedureStepID": "P0123",
    "PerformedProcedureStepDescription": "CT of the thorax",
    "CommentsOnThePerformedProcedureStep": "of a named person",
}


@dataclass(frozen=True)
class Sample:
    """A study of one series.

    Args:
        name: Makes its UIDs.
        images: Number of instances.
        size: Rows and columns.
        frames: Frames of each instance; 0: single-frame CT.
    """

    name: str
    images: int
    size: int = 512
    frames: int = 0

    @property
    def patient_id(self) -> str:
        """The PatientID."""
        return f"BENCH-{self.name.upper()}"

    @property
    def study_uid(self) -> str:
        """The StudyInstanceUID."""
        return self.uid("study")

    @property
    def series_uid(self) -> str:
        """The SeriesInstanceUID."""
        return self.uid("series")

    @property
    def study_id(self) -> str:
        """Orthanc's id of the study."""
        return orthanc_id(self.patient_id, self.study_uid)

    @property
    def series_id(self) -> str:
        """Orthanc's id of the series."""
        return orthanc_id(self.patient_id, self.study_uid, self.series_uid)

    @property
    def pixel_bytes(self) -> int:
        """Bytes of all pixels together."""
        return self.images * max(1, self.frames) * self.size * self.size * 2

    def uid(self, part: str) -> str:
        """Return the UID of a part of it, the same in every run."""
        return f"2.25.{uuid5(_NAMESPACE, f'{self.name}/{part}').int}"

    def files(self) -> Iterator[bytes]:
        """Yield its instances as DICOM files (PS3.10)."""
        for number in range(1, self.images + 1):
            stream = io.BytesIO()
            dcmwrite(stream, self._image(number), enforce_file_format=True)
            yield stream.getvalue()

    def _image(self, number: int) -> Dataset:
        dataset = Dataset()
        for keyword, value in _TEXTS.items():
            setattr(dataset, keyword, value)
        dataset.SOPClassUID = EnhancedCTImageStorage if self.frames else CTImageStorage
        dataset.SOPInstanceUID = self.uid(f"image/{number}")
        dataset.StudyInstanceUID = self.study_uid
        dataset.SeriesInstanceUID = self.series_uid
        dataset.FrameOfReferenceUID = self.uid("frame of reference")
        dataset.PatientID = self.patient_id
        dataset.InstanceNumber = number
        dataset.ImagePositionPatient = [-174, -174, number]
        dataset.SliceLocation = number
        dataset.AcquisitionTime = dataset.ContentTime = (
            f"1011{number % 60:02}.{number:06}"
        )
        dataset.XRayTubeCurrent = 200 + number % 97
        dataset.Exposure = 100 + number % 89
        dataset.LargestImagePixelValue = 3000 + number
        dataset.Rows = dataset.Columns = self.size
        self._add_sequences(dataset)
        self._add_private(dataset, number)
        if self.frames:
            dataset.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
            dataset.NumberOfFrames = self.frames
            dataset.PerFrameFunctionalGroupsSequence = [
                self._frame(index) for index in range(1, self.frames + 1)
            ]
        dataset.PixelData = pixels(self.size) * max(1, self.frames)
        dataset["PixelData"].VR = "OW"
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        return dataset

    def _add_sequences(self, dataset: Dataset) -> None:
        study = Dataset()
        study.ReferencedSOPClassUID = "1.2.840.10008.3.1.2.3.1"
        study.ReferencedSOPInstanceUID = self.uid("reference")
        dataset.ReferencedStudySequence = [study]
        image = Dataset()
        image.ReferencedSOPClassUID = CTImageStorage
        image.ReferencedSOPInstanceUID = self.uid("image/1")
        dataset.ReferencedImageSequence = [image]
        dataset.SourceImageSequence = [image]
        dataset.ProcedureCodeSequence = [_code("CTTHO", "99LOCAL", "CT of the thorax")]
        request = Dataset()
        request.RequestedProcedureID = "R0123"
        request.ScheduledProcedureStepID = "S0123"
        request.ScheduledProcedureStepDescription = "CT of the thorax"
        dataset.RequestAttributesSequence = [request]

    @staticmethod
    def _add_private(dataset: Dataset, number: int) -> None:
        block = dataset.private_block(0x0029, "BENCHMARK CSA HEADER", create=True)
        block.add_new(0x08, "CS", "IMAGE NUM 4")
        block.add_new(0x10, "OB", bytes(8_000))
        block.add_new(0x18, "LO", PATIENT)
        block.add_new(0x20, "DS", str(number))

    def _frame(self, number: int) -> Dataset:
        frame = Dataset()
        frame.FrameContentSequence = [
            _item(
                FrameAcquisitionNumber=1,
                FrameReferenceDateTime="20240229101120.345",
                FrameAcquisitionDateTime="20240229101120.345",
                FrameAcquisitionDuration=500.0,
                StackID="1",
                InStackPositionNumber=number,
                DimensionIndexValues=[1, number],
                FrameComments="comments on a named person",
            )
        ]
        frame.PlanePositionSequence = [_item(ImagePositionPatient=[-174, -174, number])]
        frame.PlaneOrientationSequence = [
            _item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
        ]
        frame.PixelMeasuresSequence = [
            _item(PixelSpacing=[0.68, 0.68], SliceThickness="1")
        ]
        frame.CTImageFrameTypeSequence = [
            _item(
                FrameType=["ORIGINAL", "PRIMARY", "VOLUME", "NONE"],
                PixelPresentation="MONOCHROME",
                VolumetricProperties="VOLUME",
                VolumeBasedCalculationTechnique="NONE",
            )
        ]
        frame.PixelValueTransformationSequence = [
            _item(RescaleIntercept="-1024", RescaleSlope="1", RescaleType="HU")
        ]
        return frame


def _item(**attributes: object) -> Dataset:
    item = Dataset()
    for keyword, value in attributes.items():
        setattr(item, keyword, value)
    return item


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    return _item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)


@cache
def pixels(size: int) -> bytes:
    """Return the pixels of one image: 12 bits in 16."""
    noise = np.random.default_rng(1).normal(0.0, _NOISE, (size, size))
    ramp = np.linspace(0.0, 2000.0, size * size).reshape(size, size)
    values = np.clip(ramp + 500.0 + noise, 0, 4095).astype("<u2")
    return values.tobytes()
