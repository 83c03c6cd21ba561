"""What happens to each tag: PS3.15, its options, and default deny for the rest."""

from itertools import chain, combinations

import pytest
from hypothesis import given, strategies as st

from orthanc_share.deidentification.actions import Action
from orthanc_share.deidentification.dictionary import ENTRIES, SAFE_PRIVATE, tag_of
from orthanc_share.deidentification.profile import Option
from orthanc_share.deidentification.rulings import FIRST_OF_DATASET, rulings
from orthanc_share.deidentification.table import TABLE, Column
from orthanc_share.deidentification.unlisted import KEPT_GROUPS, KEPT_TAGS, Ruling

NONE: frozenset[Option] = frozenset()
EVERY_CHOICE = [
    frozenset(some)
    for some in chain.from_iterable(
        combinations(Option, number) for number in (0, 1, len(Option))
    )
]
NUMBERS = frozenset({"AT", "FD", "FL", "SL", "SS", "SV", "UL", "US", "UV"})
CLEANED = frozenset(
    {"AS", "CS", "DA", "DS", "DT", "IS", "LO", "SH", "ST", "TM", "UC", "UT"}
)
ALLOWED = {
    "D": {Action.DUMMY, Action.DROP, Action.EMPTY, Action.UID},
    "Z": {Action.EMPTY, Action.DUMMY, Action.UID},
    "X": {Action.DROP},
    "U": {Action.UID},
    "Z/D": {Action.DUMMY, Action.TEXT},
    "X/Z": {Action.EMPTY},
    "X/D": {Action.DUMMY, Action.EMPTY, Action.DROP},
    "X/Z/D": {Action.DUMMY, Action.EMPTY},
    "X/Z/U*": {Action.RECURSE},
}


def ruling(keyword: str, *options: Option) -> Ruling:
    """Return what happens to an attribute that has one VR."""
    tag = tag_of(keyword)
    assert tag is not None
    return rulings(frozenset(options))[tag, ENTRIES[tag].vr]


def action(keyword: str, *options: Option) -> Action:
    return ruling(keyword, *options).action


def text(keyword: str, value: str, *options: Option) -> tuple[str, ...] | None:
    found = ruling(keyword, *options)
    assert found.action is Action.TEXT
    assert found.clean is not None
    return found.clean([value], 1000)


def test_every_row_of_ps3_15_is_followed() -> None:
    for (tag, vr), found in rulings(NONE).items():
        row = TABLE.get(tag)
        if row and tag >= FIRST_OF_DATASET:
            allowed = ALLOWED[row[Column.BASIC]]
            # Without an item most sequences would be invalid, and X is stricter still.
            allowed = allowed | {Action.DROP} if vr == "SQ" else allowed
            assert found.action in allowed, f"{tag:08X}"


@pytest.mark.parametrize(
    ("keyword", "expected"),
    [
        ("PatientName", Action.DUMMY),
        ("PatientID", Action.DUMMY),
        ("PatientBirthDate", Action.EMPTY),
        ("AccessionNumber", Action.EMPTY),
        ("StudyDate", Action.EMPTY),
        ("StudyDescription", Action.DROP),
        ("InstitutionName", Action.DUMMY),
        ("SOPInstanceUID", Action.UID),
        ("ReferencedImageSequence", Action.RECURSE),
        ("ContentSequence", Action.DROP),
        ("AcquisitionContextSequence", Action.EMPTY),
        ("OriginalAttributesSequence", Action.DROP),
        ("EncapsulatedDocument", Action.DROP),
        ("OverlayData", None),
        ("SpecificCharacterSet", Action.DROP),
        ("CodeValue", Action.CODE),
        ("LongCodeValue", Action.CODE),
        ("URNCodeValue", Action.CODE),
        ("CodeMeaning", Action.CODE),
        ("CodingSchemeVersion", Action.DROP),
        ("MediaStorageSOPInstanceUID", Action.DROP),
        ("ReferencedFileID", Action.DROP),
    ],
)
def test_attributes_that_matter_are_treated_so(
    keyword: str, expected: Action | None
) -> None:
    tag = tag_of(keyword)
    found = None if tag is None else action(keyword)
    assert found is expected


@pytest.mark.parametrize(
    ("keyword", "expected"),
    [
        ("EvaluatorName", Action.DROP),
        ("SegmentLabel", Action.DUMMY),
        ("SegmentDescription", Action.DROP),
        ("PositionReferenceIndicator", Action.EMPTY),
        ("PatientBirthDateInAlternativeCalendar", Action.DROP),
        ("RetrieveURL", Action.DROP),
        ("ICCProfile", Action.DROP),
        ("PatientBodyMassIndex", Action.DROP),
        ("NumberOfPatientRelatedStudies", Action.DROP),
        ("OverlayLabel", None),
        ("ImagePosition", Action.DROP),  # retired, unlike ...Patient
        ("Rows", Action.KEEP),
        ("ImagePositionPatient", Action.TEXT),
        ("Modality", Action.TEXT),
        ("ContentLabel", Action.DUMMY),
        ("TargetFrameOfReferenceUID", Action.UID),
        ("PixelMeasuresSequence", Action.RECURSE),
        ("RedPaletteColorLookupTableData", Action.KEEP),
        ("ImageGeometryType", Action.DROP),
        ("VectorGridData", Action.DROP),
        ("SegmentedRedPaletteColorLookupTableData", Action.DROP),
        ("GraphicData", Action.DROP),
    ],
)
def test_what_ps3_15_does_not_name_is_denied_unless_harmless(
    keyword: str, expected: Action | None
) -> None:
    tag = tag_of(keyword)
    found = None
    if tag is not None:
        assert tag not in TABLE
        found = action(keyword)
    assert found is expected


@pytest.mark.parametrize("options", EVERY_CHOICE)
def test_outside_ps3_15_only_safe_vrs_are_kept(options: frozenset[Option]) -> None:
    for (tag, vr), found in rulings(options).items():
        if found.action is Action.KEEP:
            assert vr in NUMBERS or vr.startswith("O")
            assert found.length_max > 0
        elif found.action is Action.TEXT:
            assert vr in CLEANED, f"{tag:08X}"
            assert found.clean is not None
        elif found.action is Action.UID:
            assert vr == "UI"
        elif found.action is Action.RECURSE:
            assert vr == "SQ"
        elif found.action is Action.DUMMY:
            assert vr not in NUMBERS | {"SQ", "UI", "UN", "UR"}
            assert not vr.startswith("O")


@pytest.mark.parametrize("options", EVERY_CHOICE)
def test_names_of_people_never_pass(options: frozenset[Option]) -> None:
    for (_tag, vr), found in rulings(options).items():
        if vr in {"PN", "AE", "UR", "LT", "UN"}:
            assert found.action in {
                Action.DROP,
                Action.EMPTY,
                Action.DUMMY,
                Action.CODE,
            }


@pytest.mark.parametrize("options", EVERY_CHOICE)
def test_private_tags_pass_only_by_the_option(options: frozenset[Option]) -> None:
    private = {tag for tag, _vr in rulings(options) if tag >> 16 & 1}
    wanted = Option.RETAIN_SAFE_PRIVATE in options
    assert private == (set(SAFE_PRIVATE) if wanted else set())


def test_groups_that_are_not_kept_pass_only_what_ps3_15_names() -> None:
    for (tag, _vr), found in rulings(NONE).items():
        if tag >> 16 not in KEPT_GROUPS | {0x7FE0} and tag not in TABLE:
            assert found.action is Action.DROP or tag in KEPT_TAGS


def test_numbers_are_as_many_as_the_dictionary_allows() -> None:
    assert ruling("Rows").length_max == 2
    assert ruling("ExposureModulationType").action is Action.TEXT
    assert ruling("DiffusionGradientOrientation").length_max == 24
    assert ruling("LossyImageCompressionRatio").action is Action.TEXT
    assert ruling("SimpleFrameList").length_max == 65_534
    assert rulings(NONE)[0x00280106, "US"].length_max == 2
    assert rulings(NONE)[0x00283006, "US"].length_max == 131_072


@pytest.mark.parametrize(
    ("keyword", "value", "written"),
    [
        ("Modality", "CT", ("CT",)),
        ("Modality", "DOE", None),
        ("BodyPartExamined", "CHEST", ("CHEST",)),
        ("BodyPartExamined", "DOE", None),
        ("ImageType", "DOE", ("OTHER",)),
        ("FrameType", "DOE", ("OTHER",)),
        ("Manufacturer", "SIEMENS", ("SIEMENS",)),
        ("Manufacturer", "Dr. Doe", ("REMOVED",)),
        ("RescaleType", "HU", ("HU",)),
        ("RescaleType", "DOE", ("US",)),
        ("PatientOrientation", "DOE", None),
        ("StackID", "DOE", ("1",)),
        ("SeriesNumber", "3", ("3",)),
        ("SeriesNumber", "DOE", None),
        ("PatientPosition", "HFS", ("HFS",)),
        ("PresentationLUTShape", "INVERSE", ("INVERSE",)),
        ("PhotometricInterpretation", "MONOCHROME2", ("MONOCHROME2",)),
    ],
)
def test_texts_that_stay_are_checked(
    keyword: str, value: str, written: tuple[str, ...] | None
) -> None:
    assert text(keyword, value) == written


def test_no_contrast_agent_is_made_up() -> None:
    assert text("ContrastBolusAgent", "Omnipaque for Mr Doe") == ("REMOVED",)
    assert text("ContrastBolusAgent", "") == ("",)
    option = Option.CLEAN_DESCRIPTORS
    assert text("ContrastBolusAgent", "IV contrast", option) == ("IV contrast",)
    assert text("ContrastBolusAgent", "Omnipaque", option) == ("REMOVED",)


def test_dates_are_moved_only_by_the_option() -> None:
    option = Option.RETAIN_MODIFIED_DATES
    assert text("StudyDate", "20240229", option) == ("20210604",)
    assert text("StudyTime", "101500", option) == ("101500",)
    assert text("AcquisitionDateTime", "20240229101500", option) == ("20210604101500",)
    assert text("StudyDate", "DOE", option) is None
    assert action("PatientBirthDate", option) is Action.EMPTY
    assert action("FrameOriginTimestamp", option) is Action.DROP


def test_a_date_that_must_be_there_is_a_dummy_if_it_cannot_be_moved() -> None:
    option = Option.RETAIN_MODIFIED_DATES
    assert text("ContentDate", "DOE", option) == ("19000101",)


def test_characteristics_stay_only_by_the_option() -> None:
    option = Option.RETAIN_PATIENT_CHARACTERISTICS
    assert action("PatientSex") is Action.EMPTY
    assert action("PatientWeight") is Action.DROP
    assert text("PatientSex", "F", option) == ("F",)
    assert text("PatientSex", "DOE", option) is None
    assert text("PatientAge", "099Y", option) == ("090Y",)
    assert text("PatientWeight", "70.5", option) == ("70.5",)
    assert ruling("PregnancyStatus", option).length_max == 2
    for free_text in ("EthnicGroup", "Allergies", "SpecialNeeds", "PatientState"):
        assert action(free_text, option) is Action.DROP


def test_what_pet_suv_needs_stays_with_two_options() -> None:
    options = (Option.RETAIN_MODIFIED_DATES, Option.RETAIN_PATIENT_CHARACTERISTICS)
    for keyword, value in {
        "PatientWeight": "70",
        "PatientSize": "1.8",
        "PatientSex": "F",
        "SeriesTime": "101500",
        "AcquisitionTime": "101500",
        "RadiopharmaceuticalStartTime": "091500",
        "RadionuclideTotalDose": "300000000",
        "RadionuclideHalfLife": "6586.2",
        "Units": "BQML",
        "DecayCorrection": "START",
        "CorrectedImage": "ATTN",
        "SeriesType": "STATIC",
        "RescaleSlope": "0.5",
        "FrameReferenceTime": "1000",
        "ActualFrameDuration": "60000",
    }.items():
        assert text(keyword, value, *options) == (value,), keyword
    assert text("SeriesDate", "20240229", *options) == ("20210604",)
    sequence = "RadiopharmaceuticalInformationSequence"
    assert action(sequence, *options) is Action.RECURSE


def test_the_device_stays_only_by_the_option() -> None:
    option = Option.RETAIN_DEVICE_IDENTITY
    assert action("DeviceSerialNumber") is Action.DUMMY
    assert text("DeviceSerialNumber", "SN 1", option) == ("SN 1",)
    assert text("DeviceSerialNumber", "\x1b$B", option) == ("REMOVED",)
    assert text("LensSpecification", "DOE", option) is None
    assert action("TransducerIdentificationSequence", option) is Action.RECURSE
    assert action("DeviceUID", option) is Action.UID
    assert action("StationAETitle", option) is Action.DROP
    assert action("DateOfLastCalibration", option) is Action.DROP


def test_dates_of_the_device_are_moved_with_both_options() -> None:
    options = (Option.RETAIN_DEVICE_IDENTITY, Option.RETAIN_MODIFIED_DATES)
    assert text("DateOfLastCalibration", "20240229", *options) == ("20210604",)


def test_the_institution_stays_only_by_the_option() -> None:
    option = Option.RETAIN_INSTITUTION_IDENTITY
    assert action("InstitutionAddress") is Action.DROP
    assert text("InstitutionName", "Klinik", option) == ("Klinik",)
    assert action("InstitutionCodeSequence", option) is Action.RECURSE
    assert action("OperatorsName", option) is Action.DUMMY


def test_descriptors_are_cleaned_only_by_the_option() -> None:
    option = Option.CLEAN_DESCRIPTORS
    assert text("StudyDescription", "MR Head Smith", option) == ("MR Head *",)
    assert text("StudyDescription", "Smith", option) is None
    assert text("ProtocolName", "Smith", option) == ("REMOVED",)
    assert action("RequestAttributesSequence", option) is Action.RECURSE
    for long_text in ("ImageComments", "PatientComments", "AcquisitionComments"):
        assert action(long_text, option) is Action.DROP


def test_private_factors_stay_only_by_the_option() -> None:
    known = rulings(frozenset({Option.RETAIN_SAFE_PRIVATE}))
    creator, factor = known[0x70530010, "LO"].clean, known[0x70531000, "DS"].clean
    assert creator is not None
    assert factor is not None
    assert creator(["Philips PET Private Group"], 0) == ("Philips PET Private Group",)
    assert creator(["SOMEBODY ELSE"], 0) is None
    assert factor(["0.00041"], 0) == ("0.00041",)
    assert factor(["19450312"], 0) is None


@given(st.sampled_from(sorted(ENTRIES)), st.sampled_from(EVERY_CHOICE))
def test_an_option_changes_only_rows_in_which_it_has_a_letter(
    tag: int, options: frozenset[Option]
) -> None:
    row = TABLE.get(tag, {})
    for vr in ENTRIES[tag].vr.split(" or "):
        if rulings(options)[tag, vr] != rulings(NONE)[tag, vr]:
            assert len(row) > 1
