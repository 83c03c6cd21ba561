"""Objects that are no images: reports, plans, presentations, curves, files."""

import zlib

from tests.support.corpus.sink import item
from tests.support.corpus.study import Patient, Shown
from tests.support.corpus.writer import El, Items

STRUCTURED_REPORT = "1.2.840.10008.5.1.4.1.1.88.33"
KEY_OBJECTS = "1.2.840.10008.5.1.4.1.1.88.59"
PRESENTATION = "1.2.840.10008.5.1.4.1.1.11.1"
STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
RT_PLAN = "1.2.840.10008.5.1.4.1.1.481.5"
PDF = "1.2.840.10008.5.1.4.1.1.104.1"
CDA = "1.2.840.10008.5.1.4.1.1.104.2"
ECG = "1.2.840.10008.5.1.4.1.1.9.1.1"
RAW_DATA = "1.2.840.10008.5.1.4.1.1.66"
SURFACE = "1.2.840.10008.5.1.4.1.1.66.5"
COMPOSED = "1.2.840.10008.5.1.4.1.1.4.2"  # MR Spectroscopy


def add_documents(patient: Patient) -> None:
    """Put one object of each kind into the corpus."""
    kinds = {
        "sr": (STRUCTURED_REPORT, "SR", _report(patient, "sr")),
        "ko": (KEY_OBJECTS, "KO", _report(patient, "ko")),
        "pr": (PRESENTATION, "PR", _presentation(patient)),
        "rtstruct": (STRUCTURE_SET, "RTSTRUCT", _structures(patient)),
        "rtplan": (RT_PLAN, "RTPLAN", _plan(patient)),
        "pdf": (PDF, "DOC", _document(_pdf(patient), "application/pdf")),
        "cda": (CDA, "DOC", _document(_cda(patient), "text/XML")),
        "ecg": (ECG, "ECG", _curves(patient)),
        "raw data": (RAW_DATA, "CT", _raw(patient)),
        "surface": (SURFACE, "SEG", _surface(patient)),
        "spectroscopy": (COMPOSED, "MR", _spectrum(patient)),
    }
    for name, (sop_class, modality, own) in kinds.items():
        elements = patient.head(name, sop_class, modality)
        patient.add(name, elements | {el.tag: el for el in own}, Shown.NONE)


def _code(tag: int, value: str, scheme: str, meaning: str) -> El:
    return El(
        tag,
        "SQ",
        [
            [
                El(0x00080100, "SH", value),
                El(0x00080102, "SH", scheme),
                El(0x00080104, "LO", meaning),
            ]
        ],
    )


def _content(patient: Patient, name: str, kind: str, value: El) -> Items:
    """Return an item of Content Sequence (PS3.3 C.17.3)."""
    made = patient.canaries
    concept = _code(
        0x0040A043, made.text(f"{name}/code"), "99QZ", made.text(f"{name}/meaning")
    )
    known = _code(0x0040A168, "113100", "DCM", made.text(f"{name}/known code"))
    return [
        El(0x0040A010, "CS", "CONTAINS"),
        El(0x0040A040, "CS", kind),
        El(0x0040A032, "DT", made.moment(f"{name}/ObservationDateTime")),
        concept,
        known,
        value,
    ]


def _report(patient: Patient, name: str) -> Items:
    made = patient.canaries
    reference: Items = [
        El(0x00081150, "UI", STRUCTURED_REPORT),
        El(0x00081155, "UI", made.uid(f"{name}/image reference")),
    ]
    values = {
        "TEXT": El(0x0040A160, "UT", made.text(f"{name}/TEXT") + " reported"),
        "PNAME": El(0x0040A123, "PN", made.text(f"{name}/PNAME")),
        "DATE": El(0x0040A121, "DA", made.date(f"{name}/DATE")),
        "TIME": El(0x0040A122, "TM", made.time(f"{name}/TIME")),
        "UIDREF": El(0x0040A124, "UI", made.uid(f"{name}/UIDREF")),
        "IMAGE": El(0x00081199, "SQ", [reference]),
    }
    contents = [_content(patient, name, *pair) for pair in values.items()]
    title = _code(0x0040A043, "126000", "DCM", made.text(f"{name}/title"))
    return [
        El(0x0040A040, "CS", "CONTAINER"),
        title,
        El(0x0040A050, "CS", "SEPARATE"),
        El(0x0040A491, "CS", "COMPLETE"),
        El(0x0040A493, "CS", "VERIFIED"),
        El(0x0040A073, "SQ", [_observer(patient, name)]),
        El(0x0040A370, "SQ", [item(made, name)]),
        El(0x0040A375, "SQ", [item(made, name)]),
        El(0x0040A730, "SQ", contents, undefined=True),
    ]


def _observer(patient: Patient, name: str) -> Items:
    made = patient.canaries
    return [
        El(0x0040A027, "LO", made.text(f"{name}/VerifyingOrganization")),
        El(0x0040A030, "DT", made.moment(f"{name}/VerificationDateTime")),
        El(0x0040A075, "PN", made.text(f"{name}/VerifyingObserverName")),
    ]


def _presentation(patient: Patient) -> Items:
    made = patient.canaries
    text: Items = [
        El(0x00700006, "ST", made.text("pr/UnformattedTextValue")),
        El(0x00700003, "CS", "PIXEL"),
    ]
    layer: Items = [
        El(0x00700002, "CS", made.text("pr/GraphicLayer")),
        El(0x00700068, "LO", made.text("pr/GraphicLayerDescription")),
    ]
    annotation: Items = [El(0x00700008, "SQ", [text]), *layer[:1]]
    return [
        El(0x00700001, "SQ", [annotation]),
        El(0x00700060, "SQ", [layer]),
        El(0x00700080, "CS", made.text("pr/ContentLabel")),
        El(0x00700082, "DA", made.date("pr/PresentationCreationDate")),
        El(0x00700083, "TM", made.time("pr/PresentationCreationTime")),
        El(0x00700084, "PN", made.text("pr/ContentCreatorName")),
        El(0x00081115, "SQ", [item(made, "pr/references")]),
        El(0x00282000, "OB", made.text("pr/ICCProfile").encode()),
    ]


def _structures(patient: Patient) -> Items:
    made = patient.canaries
    # It puts a study's UID where a SOP instance's belongs.
    study: Items = [
        El(0x00081150, "UI", "1.2.840.10008.3.1.2.3.1"),
        El(0x00081155, "UI", patient.study_uid),
        El(0x30060014, "SQ", [item(made, "rtstruct/series")]),
    ]
    frame: Items = [
        El(0x00200052, "UI", patient.frame_of_reference),
        El(0x30060012, "SQ", [study]),
    ]
    region: Items = [
        El(0x30060022, "IS", "1"),
        El(0x30060024, "UI", patient.frame_of_reference),
        El(0x30060026, "LO", made.text("rtstruct/ROIName")),
        El(0x30060028, "ST", made.text("rtstruct/ROIDescription")),
        El(0x30060036, "CS", "MANUAL"),
    ]
    contour: Items = [
        El(0x30060042, "CS", "POINT"),
        El(0x30060046, "IS", "1"),
        El(0x30060050, "DS", "1\\2\\3"),
    ]
    return [
        El(0x30060002, "SH", made.text("rtstruct/StructureSetLabel")),
        El(0x30060004, "LO", made.text("rtstruct/StructureSetName")),
        El(0x30060008, "DA", made.date("rtstruct/StructureSetDate")),
        El(0x30060010, "SQ", [frame]),
        El(0x30060020, "SQ", [region]),
        El(0x30060039, "SQ", [[El(0x30060040, "SQ", [contour])]]),
        El(0x300E0008, "PN", made.text("rtstruct/ReviewerName")),
    ]


def _plan(patient: Patient) -> Items:
    made = patient.canaries
    machine: Items = [
        El(0x300A00B2, "SH", made.text("rtplan/TreatmentMachineName")),
        El(0x300A00C2, "LO", made.text("rtplan/BeamName")),
        El(0x300A00C3, "ST", made.text("rtplan/BeamDescription")),
        El(0x300A00C0, "IS", "1"),
    ]
    return [
        El(0x300A0002, "SH", made.text("rtplan/RTPlanLabel")),
        El(0x300A0003, "LO", made.text("rtplan/RTPlanName")),
        El(0x300A0006, "DA", made.date("rtplan/RTPlanDate")),
        El(0x300A00B0, "SQ", [machine]),
    ]


def _document(content: bytes, kind: str) -> Items:
    return [
        El(0x00420010, "ST", "Report"),
        El(0x00420011, "OB", content + b" " * (len(content) % 2)),
        El(0x00420012, "LO", kind),
        El(0x00280301, "CS", "YES"),
    ]


def _pdf(patient: Patient) -> bytes:
    made = patient.canaries
    page = zlib.compress(f"BT ({made.text('pdf/page')}) Tj ET".encode())
    return b"".join(
        (
            b"%PDF-1.4\n1 0 obj<</Title(",
            made.text("pdf/Title").encode(),
            b")>>endobj\n2 0 obj<</Filter/FlateDecode/Length ",
            str(len(page)).encode(),
            b">>stream\n",
            page,
            b"\nendstream endobj\n%%EOF\n",
        )
    )


def _cda(patient: Patient) -> bytes:
    made = patient.canaries
    return f"<ClinicalDocument><name>{made.text('cda/name')}</name>".encode()


def _curves(patient: Patient) -> Items:
    made = patient.canaries
    wave: Items = [
        El(0x003A0004, "CS", "ORIGINAL"),
        El(0x003A0005, "US", [1]),
        El(0x003A0010, "UL", [4]),
        El(0x003A001A, "DS", "500"),
        El(0x003A0020, "SH", made.text("ecg/MultiplexGroupLabel")),
        El(0x54001004, "US", [16]),
        El(0x54001006, "CS", "SS"),
        El(0x54001010, "OW", made.text("ecg/WaveformData").encode()),
    ]
    annotation: Items = [
        El(0x00700006, "ST", made.text("ecg/annotation")),
        El(0x0040A0B0, "US", [1, 1]),
    ]
    return [
        El(0x54000100, "SQ", [wave]),
        El(0x0040B020, "SQ", [annotation]),
        El(0x0008002A, "DT", made.moment("ecg/AcquisitionDateTime")),
    ]


def _raw(patient: Patient) -> Items:
    made = patient.canaries
    return [
        El(0x00291010, "OB", made.text("raw data/private").encode()),
        El(0x00290010, "LO", made.text("raw data/creator")),
        El(0x00204000, "LT", made.text("raw data/ImageComments")),
    ]


def _surface(patient: Patient) -> Items:
    made = patient.canaries
    points: Items = [
        El(0x00660015, "UL", [1]),
        El(0x00660016, "OF", made.text("surface/PointCoordinatesData").encode()),
    ]
    return [
        El(0x00660001, "UL", [1]),
        El(0x00660002, "SQ", [[El(0x00660011, "SQ", [points])]]),
        El(0x00660029, "OL", made.text("surface/LongPrimitivePointIndexList").encode()),
    ]


def _spectrum(patient: Patient) -> Items:
    made = patient.canaries
    return [
        El(0x56000020, "OF", made.text("spectroscopy/SpectroscopyData").encode()),
        El(0x00189098, "FD", [63.8]),
    ]
