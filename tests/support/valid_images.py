"""Objects that are valid by PS3.3: one of each kind that is shown in shares."""

from collections.abc import Callable, Iterable, Mapping, Sequence as Values
from typing import Any

from pydicom import Dataset, Sequence
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from demo.sample_data import CT_STUDY, MR_STUDY

ROOT = "1.2.840.10008.5.1.4.1.1."
UIDS = "1.2.276.0.99.7."
PlanePosition = Values[float]
"""Image Position (Patient): x, y, z in millimetres."""

SIDE = 16
"""Rows and columns."""

_IMAGE_UID = UIDS + "4"
_FRAME_OF_REFERENCE = UIDS + "5"


def code(value: str, scheme: str, meaning: str) -> Sequence:
    """Return a code sequence with one item (PS3.3 8.8)."""
    return Sequence(
        [items(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)]
    )


def items(**elements: Any) -> Dataset:
    """Return an item with these elements, by keyword."""
    made = Dataset()
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


_PATIENT_AND_STUDY = {
    "SpecificCharacterSet": "ISO_IR 100",
    "PatientName": "QZVALID^PATIENT",
    "PatientID": "QZ-1234",
    "PatientBirthDate": "19450506",
    "PatientSex": "F",
    "PatientAge": "079Y",
    "PatientSize": 1.7,
    "PatientWeight": 70,
    "StudyInstanceUID": UIDS + "2",
    "StudyDate": "20240501",
    "StudyTime": "101500",
    "StudyID": "77",
    "AccessionNumber": "QZ-ACC",
    "ReferringPhysicianName": "QZREFERRER",
    "StudyDescription": "of QZVALID",
    "SeriesInstanceUID": UIDS + "3",
    "SeriesNumber": 3,
    "PatientPosition": "HFS",
    "SeriesDate": "20240501",
    "SeriesTime": "101600",
    "SeriesDescription": "for QZVALID",
    "OperatorsName": "QZOPERATOR",
    "PositionReferenceIndicator": "",
    "FrameOfReferenceUID": _FRAME_OF_REFERENCE,
    "Manufacturer": "SIEMENS",
    "ManufacturerModelName": "Phantom",
    "DeviceSerialNumber": "QZ-SERIAL",
    "SoftwareVersions": "QZ-1.0",
    "InstitutionName": "QZ hospital",
    "StationName": "QZSTATION",
    "ContentDate": "20240501",
    "ContentTime": "101700",
    "InstanceNumber": 1,
    "SOPInstanceUID": _IMAGE_UID,
}

_PLANE: Mapping[str, Any] = {
    "ImagePositionPatient": [-10, -10, 5],
    "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
    "PixelSpacing": [2, 2],
    "SliceThickness": 3,
}


def _of(sop_class: str, modality: str, **elements: Any) -> Dataset:
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SOPClassUID = ROOT + sop_class
    made.Modality = modality
    for keyword, value in {**_PATIENT_AND_STUDY, **elements}.items():
        setattr(made, keyword, value)
    if "PatientOrientationCodeSequence" in made:  # which takes its place
        del made.PatientPosition
    return made


def _pixels(frames: int = 1, bits: int = 16) -> dict[str, Any]:
    size = SIDE * SIDE * frames * bits // 8
    several = {"NumberOfFrames": frames} if frames > 1 else {}
    return {
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": SIDE,
        "Columns": SIDE,
        "BitsAllocated": bits,
        "BitsStored": bits,
        "HighBit": bits - 1,
        "PixelRepresentation": 0,
        "PixelData": bytes(n * 7 % 256 for n in range(size)),
        **several,
    }


def pet() -> Dataset:
    """Return a PET image, with what standardized uptake values are made of."""
    tracer = items(
        RadiopharmaceuticalStartTime="091500",
        RadionuclideTotalDose=350000000,
        RadionuclideHalfLife=6586.2,
        RadionuclidePositronFraction=0.97,
        RadionuclideCodeSequence=code("C-111A1", "SRT", "^18^Fluorine"),
    )
    return _of(
        "128",
        "PT",
        ImageType=["ORIGINAL", "PRIMARY"],
        BodyPartExamined="CHEST",
        Units="BQML",
        CountsSource="EMISSION",
        SeriesType=["WHOLE BODY", "IMAGE"],
        NumberOfSlices=1,
        CorrectedImage=["ATTN", "DECY"],
        DecayCorrection="START",
        CollimatorType="",
        AcquisitionDate="20240501",
        AcquisitionTime="101600",
        FrameReferenceTime=0,
        ActualFrameDuration=180000,
        ImageIndex=1,
        DecayFactor=1.0,
        RescaleIntercept=0,
        RescaleSlope=0.5,
        PatientGantryRelationshipCodeSequence=Sequence(),
        PatientOrientationCodeSequence=Sequence(),
        RadiopharmaceuticalInformationSequence=Sequence([tracer]),
        **_PLANE,
        **_pixels(),
    )


def nuclear_medicine() -> Dataset:
    """Return a whole body scan."""
    return _of(
        "20",
        "NM",
        ImageType=["ORIGINAL", "PRIMARY", "WHOLE BODY", "EMISSION"],
        BodyPartExamined="CHEST",
        ScanVelocity=10,
        ScanLength=1500,
        FrameIncrementPointer=[0x00540010, 0x00540020],
        EnergyWindowVector=[1, 1],
        DetectorVector=[1, 2],
        NumberOfEnergyWindows=1,
        NumberOfDetectors=2,
        EnergyWindowInformationSequence=Sequence(),
        RadiopharmaceuticalInformationSequence=Sequence(),
        DetectorInformationSequence=Sequence(
            [
                items(
                    CollimatorType="PARA",
                    ImageOrientationPatient=[1, 0, 0, 0, 0, -1],
                    ImagePositionPatient=[0, 0, 0],
                )
            ]
            * 2
        ),
        PatientOrientationCodeSequence=Sequence(),
        PatientGantryRelationshipCodeSequence=Sequence(),
        CountsAccumulated=1000,
        ActualFrameDuration=1000,
        AcquisitionTime="101600",
        PixelSpacing=[2, 2],
        WholeBodyTechnique="1PS",
        TableTraverse=1500,
        **_pixels(frames=2),
    )


def radiograph() -> Dataset:
    """Return a computed radiograph that says that nothing is burned in."""
    return _of(
        "1",
        "CR",
        ImageType=["ORIGINAL", "PRIMARY"],
        BurnedInAnnotation="NO",
        BodyPartExamined="CHEST",
        ViewPosition="PA",
        PatientOrientation=["L", "F"],
        **_pixels(),
    )


def _multiframe(sop_class: str, modality: str, **elements: Any) -> Dataset:
    organization = items(DimensionOrganizationUID=UIDS + "6")
    index = items(
        DimensionOrganizationUID=UIDS + "6",
        DimensionIndexPointer=0x00200032,
        FunctionalGroupPointer=0x00209113,
        DimensionDescriptionLabel="of QZVALID",
    )
    return _of(
        sop_class,
        modality,
        DimensionOrganizationSequence=Sequence([organization]),
        DimensionIndexSequence=Sequence([index]),
        **elements,
    )


_GEOMETRY: Mapping[str, Any] = {
    "PixelMeasuresSequence": Sequence([items(PixelSpacing=[2, 2], SliceThickness=3)]),
    "PlaneOrientationSequence": Sequence(
        [items(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])]
    ),
}


def placed_frames(positions: Iterable[PlanePosition]) -> Sequence:
    """Return the functional groups of each frame: its place and time."""
    return Sequence(
        [
            items(
                FrameContentSequence=Sequence(
                    [
                        items(
                            DimensionIndexValues=[frame],
                            FrameAcquisitionNumber=1,
                            FrameAcquisitionDateTime=f"202405011016{frame:02}",
                            FrameReferenceDateTime=f"202405011016{frame:02}",
                            FrameAcquisitionDuration=10.0,
                            StackID="QZ",
                            InStackPositionNumber=frame,
                        )
                    ]
                ),
                PlanePositionSequence=Sequence([items(ImagePositionPatient=position)]),
            )
            for frame, position in enumerate(positions, start=1)
        ]
    )


def _frames(number: int) -> Sequence:
    return placed_frames([0, 0, 3 * frame] for frame in range(number))


_ACQUIRED: Mapping[str, Any] = {
    "AcquisitionNumber": 1,
    "AcquisitionDateTime": "20240501101600",
    "AcquisitionDuration": 20.0,
    "AcquisitionContextSequence": Sequence(),
    "ContentQualification": "PRODUCT",
    "BurnedInAnnotation": "NO",
    "LossyImageCompression": "00",
    "PresentationLUTShape": "IDENTITY",
    "VolumetricProperties": "VOLUME",
    "VolumeBasedCalculationTechnique": "NONE",
}


def enhanced_mr() -> Dataset:
    """Return an enhanced MR image, which is derived and so needs no acquisition."""
    frame_type = items(
        FrameType=["DERIVED", "PRIMARY", "VOLUME", "NONE"],
        PixelPresentation="MONOCHROME",
        VolumetricProperties="VOLUME",
        VolumeBasedCalculationTechnique="NONE",
        ComplexImageComponent="MAGNITUDE",
        AcquisitionContrast="T1",
    )
    shared = items(
        MRImageFrameTypeSequence=Sequence([frame_type]),
        FrameAnatomySequence=Sequence([_anatomy()]),
        PixelValueTransformationSequence=Sequence(
            [items(RescaleIntercept=0, RescaleSlope=1, RescaleType="US")]
        ),
        FrameVOILUTSequence=Sequence([items(WindowCenter=500, WindowWidth=900)]),
        **_GEOMETRY,
    )
    return _multiframe(
        "4.1",
        "MR",
        ImageType=["DERIVED", "PRIMARY", "VOLUME", "NONE"],
        PixelPresentation="MONOCHROME",
        ComplexImageComponent="MAGNITUDE",
        AcquisitionContrast="T1",
        ApplicableSafetyStandardAgency="IEC",
        SharedFunctionalGroupsSequence=Sequence([shared]),
        PerFrameFunctionalGroupsSequence=_frames(3),
        **_ACQUIRED,
        **_pixels(frames=3),
    )


def enhanced_ct() -> Dataset:
    """Return an enhanced CT image, which is derived and so needs no acquisition."""
    frame_type = items(
        FrameType=["DERIVED", "PRIMARY", "VOLUME", "NONE"],
        PixelPresentation="MONOCHROME",
        VolumetricProperties="VOLUME",
        VolumeBasedCalculationTechnique="NONE",
    )
    shared = items(
        CTImageFrameTypeSequence=Sequence([frame_type]),
        IrradiationEventIdentificationSequence=Sequence(
            [items(IrradiationEventUID=UIDS + "11")]
        ),
        FrameAnatomySequence=Sequence([_anatomy()]),
        PixelValueTransformationSequence=Sequence(
            [items(RescaleIntercept=-1024, RescaleSlope=1, RescaleType="HU")]
        ),
        FrameVOILUTSequence=Sequence([items(WindowCenter=40, WindowWidth=400)]),
        **_GEOMETRY,
    )
    return _multiframe(
        "2.1",
        "CT",
        ImageType=["DERIVED", "PRIMARY", "VOLUME", "NONE"],
        PixelPresentation="MONOCHROME",
        SharedFunctionalGroupsSequence=Sequence([shared]),
        PerFrameFunctionalGroupsSequence=_frames(3),
        **_ACQUIRED,
        **_pixels(frames=3),
    )


def _anatomy() -> Dataset:
    return items(
        FrameLaterality="U",
        AnatomicRegionSequence=code("69536005", "SCT", "Head of QZVALID"),
    )


def segmentation() -> Dataset:
    """Return a segmentation whose segments have codes of their own makers."""
    segments = [
        items(
            SegmentNumber=number,
            SegmentLabel="QZ lesion",
            SegmentAlgorithmType="SEMIAUTOMATIC",
            SegmentAlgorithmName="QZ algorithm",
            SegmentedPropertyCategoryCodeSequence=code(*category),
            SegmentedPropertyTypeCodeSequence=code("QZ1", "99QZ", "of QZVALID"),
        )
        for number, category in (
            (1, ("85756007", "SCT", "Tissue")),
            (2, ("QZ2", "99QZ", "of QZVALID")),
        )
    ]
    shared = items(
        SegmentIdentificationSequence=Sequence([items(ReferencedSegmentNumber=1)]),
        **_GEOMETRY,
    )
    return _multiframe(
        "66.4",
        "SEG",
        ImageType=["DERIVED", "PRIMARY"],
        ContentLabel="QZLABEL",
        ContentDescription="of QZVALID",
        ContentCreatorName="QZCREATOR",
        SegmentationType="FRACTIONAL",
        SegmentationFractionalType="PROBABILITY",
        MaximumFractionalValue=255,
        SegmentSequence=Sequence(segments),
        SharedFunctionalGroupsSequence=Sequence([shared]),
        PerFrameFunctionalGroupsSequence=_frames(2),
        LossyImageCompression="00",
        **_pixels(frames=2, bits=8),
    )


def _image_reference() -> Sequence:
    return Sequence(
        [
            items(
                ReferencedSOPClassUID=ROOT + "2",
                ReferencedSOPInstanceUID=UIDS + "8",
            )
        ]
    )


def structure_set() -> Dataset:
    """Return a structure set with one contour, drawn by a person."""
    series = items(
        SeriesInstanceUID=UIDS + "9", ContourImageSequence=_image_reference()
    )
    study = items(
        ReferencedSOPClassUID="1.2.840.10008.3.1.2.3.1",
        ReferencedSOPInstanceUID=UIDS + "2",
        RTReferencedSeriesSequence=Sequence([series]),
    )
    frame = items(
        FrameOfReferenceUID=_FRAME_OF_REFERENCE,
        RTReferencedStudySequence=Sequence([study]),
    )
    region = items(
        ROINumber=1,
        ReferencedFrameOfReferenceUID=_FRAME_OF_REFERENCE,
        ROIName="QZ tumour",
        ROIGenerationAlgorithm="MANUAL",
    )
    contour = items(
        ContourImageSequence=_image_reference(),
        ContourGeometricType="POINT",
        NumberOfContourPoints=1,
        ContourData=[1, 2, 3],
    )
    observation = items(
        ObservationNumber=1,
        ReferencedROINumber=1,
        RTROIInterpretedType="GTV",
        ROIInterpreter="QZDOCTOR",
    )
    return _of(
        "481.3",
        "RTSTRUCT",
        StructureSetLabel="QZLABEL",
        StructureSetName="of QZVALID",
        StructureSetDate="20240502",
        StructureSetTime="080000",
        ReferencedFrameOfReferenceSequence=Sequence([frame]),
        StructureSetROISequence=Sequence([region]),
        ROIContourSequence=Sequence(
            [items(ReferencedROINumber=1, ContourSequence=Sequence([contour]))]
        ),
        RTROIObservationsSequence=Sequence([observation]),
        ApprovalStatus="APPROVED",
        ReviewDate="20240503",
        ReviewTime="090000",
        ReviewerName="QZREVIEWER",
    )


def dose() -> Dataset:
    """Return a dose distribution of a plan."""
    plan = items(
        ReferencedSOPClassUID=ROOT + "481.5", ReferencedSOPInstanceUID=UIDS + "10"
    )
    return _of(
        "481.2",
        "RTDOSE",
        DoseUnits="GY",
        DoseType="PHYSICAL",
        DoseSummationType="PLAN",
        DoseGridScaling=0.001,
        GridFrameOffsetVector=[0, 3],
        FrameIncrementPointer=0x3004000C,
        ReferencedRTPlanSequence=Sequence([plan]),
        **_PLANE,
        **_pixels(frames=2),
    )


MAKERS: Mapping[str, Callable[[], Dataset]] = {
    "CT": lambda: next(iter(CT_STUDY.datasets())),
    "MR": lambda: next(iter(MR_STUDY.datasets())),
    "PT": pet,
    "NM": nuclear_medicine,
    "CR": radiograph,
    "enhanced CT": enhanced_ct,
    "enhanced MR": enhanced_mr,
    "SEG": segmentation,
    "RTSTRUCT": structure_set,
    "RTDOSE": dose,
}
"""What makes an object of each kind."""

CANARIES = (b"QZ", b"20240501", b"19450506", UIDS.encode())
"""What of their patient must not come out."""
