"""Images of an allowed class that break the rules of the standard to carry text."""

import struct

from tests.support.corpus import bitstreams
from tests.support.corpus.sink import item
from tests.support.corpus.study import CT, PT, SIZE, Patient, Shown, image, plane
from tests.support.corpus.writer import EXPLICIT, IMPLICIT, El, Items, fragments


def add_hostile(patient: Patient) -> None:
    """Put all of them into the corpus."""
    for name, elements in (
        ("wrong representation", _wrong_representation(patient)),
        ("unknown", _unknown(patient)),
        ("tables", _tables(patient)),
        ("uids", _uids(patient)),
        ("codes", _codes(patient)),
        ("long texts", _long(patient)),
        ("listed texts", _listed(patient)),
    ):
        _add(patient, name, elements)
    _add(patient, "wrong representation implicit", _unknown(patient), IMPLICIT)
    _add_unsorted(patient)
    _add_pixels(patient)
    _add_offset_tables(patient)


def add_tables(patient: Patient) -> None:
    """Add an image with text in its tables."""
    _add(patient, "tables", _tables(patient))


def _add(patient: Patient, name: str, own: Items, syntax: str = EXPLICIT) -> None:
    layout, pixels = image(seed=len(patient.files))
    elements = patient.head(name, CT, "CT") | plane() | layout
    elements |= {el.tag: el for el in own}
    patient.add(name, elements, Shown.ALLOWED, syntax, pixels, is_refused=True)


def _wrong_representation(patient: Patient) -> Items:
    made = patient.canaries

    def text(keyword: str) -> str:
        return made.text(f"wrong representation/{keyword}")

    return [
        El(0x00104000, "UN", text("PatientComments as UN").encode()),
        El(0x00081140, "UN", [item(made, "ReferencedImageSequence as UN")]),
        El(
            0x00082112,
            "UN",
            [item(made, "SourceImageSequence as UN")],
            undefined=True,
        ),
        El(0x00180060, "DS", text("text in KVP")),
        El(0x00180080, "DS", f"1.5\\{text('text in RepetitionTime')}"),
        El(0x00181151, "IS", text("text in XRayTubeCurrent")),
        El(0x00201002, "IS", f"12 {text('text in ImagesInAcquisition')}"),
        El(0x00180015, "LO", text("BodyPartExamined as LO")),
        El(0x00281050, "OB", text("WindowCenter as OB").encode()),
        El(0x00280120, "US", text("text in PixelPaddingValue").encode()),
        El(0x00189087, "FD", text("text in DiffusionBValue").encode()),
        El(0x00280009, "AT", text("text in FrameIncrementPointer").encode()),
        El(0x00200060, "CS", text("Laterality").ljust(16)),
        El(0x00181000, "SQ", [item(made, "DeviceSerialNumber as SQ")]),
        El(0x0040A30A, "PN", text("NumericValue as PN")),
        El(0x00185100, "CS", f"HFS\\{text('PatientPosition 2')}"),
    ]


def _unknown(patient: Patient) -> Items:
    made = patient.canaries
    wanted = {
        0x00080FFF: "LO",
        0x0010FFFF: "UN",
        0x00280FFF: "US",
        0x00100011: "UT",  # names to use: newer than most dictionaries
        0x0018FFFE: "DS",
        0x0020FFF0: "IS",
        0x0029FFFF: "LO",  # private, without a creator
        0x00410000: "UL",
        0x4FFE0002: "LO",
        0x70010011: "LO",
        0x50000005: "US",
        0x6001FFFF: "OB",
    }
    return [
        El(tag, vr, made.text(f"unknown/{tag:08X}").encode())
        for tag, vr in wanted.items()
    ]


def _tables(patient: Patient) -> Items:
    made = patient.canaries

    def text(keyword: str) -> bytes:
        return made.text(f"tables/{keyword}").encode()

    table: Items = [
        El(0x00283002, "US", [3, 0, 16]),
        El(0x00283003, "LO", text("LUTExplanation")),
        El(0x00283006, "OW", text("LUTData")),
    ]
    fitting: Items = [
        El(0x00283002, "US", [4, 0, 16]),
        El(0x00283006, "OW", text("LUTData that fits")),
    ]
    bytewise: Items = [
        El(0x00283002, "US", [8, 0, 8]),
        El(0x00283006, "OW", text("LUTData of bytes")),
    ]
    overlay = text("OverlayData").ljust(SIZE * SIZE // 8, b"\0")
    return [
        El(0x00283000, "SQ", [table]),
        El(0x00283010, "SQ", [fitting, bytewise]),
        El(0x00281221, "OW", text("SegmentedRedPaletteColorLookupTableData")),
        El(0x00540080, "US", text("SliceVector, wide").decode().encode("utf-16-le")),
        El(0x00281101, "US", [4, 0, 16]),
        El(0x00281201, "OW", text("RedPaletteColorLookupTableData")),
        El(0x00282000, "OB", text("ICCProfile")),
        El(0x60000010, "US", [SIZE]),
        El(0x60000011, "US", [SIZE]),
        El(0x60000022, "LO", text("OverlayDescription")),
        El(0x60000040, "CS", "G"),
        El(0x60000050, "SS", [1, 1]),
        El(0x60000100, "US", [1]),
        El(0x60000102, "US", [0]),
        El(0x60003000, "OW", overlay),
        El(0x00880200, "SQ", [[El(0x7FE00010, "OW", text("icon"))]]),
    ]


def _uids(patient: Patient) -> Items:
    made = patient.canaries

    def text(keyword: str) -> str:
        return made.text(f"uids/{keyword}")

    reference: Items = [
        El(0x00081150, "UI", text("no UID")),
        El(0x00081155, "UI", f"1.2.840.10008.{text('under the root of DICOM')}"),
    ]
    return [
        El(0x00081140, "SQ", [reference]),
        El(0x0020000E, "UI", patient.series("CT " + CT)),
        El(0x00200052, "UI", f"1.2.840.10008.9.9.{made.date('uids/DICOM root')}"),
        El(0x00081195, "UI", f"{made.uid('uids/first')}\\{made.uid('uids/second')}"),
        El(0x00080019, "UI", made.uid("uids/PyramidUID") + " "),
        El(0x00081167, "UL", [1]),
    ]


def _codes(patient: Patient) -> Items:
    made = patient.canaries

    def text(keyword: str) -> str:
        return made.text(f"codes/{keyword}")

    known: Items = [
        El(0x00080100, "SH", "69536005"),
        El(0x00080102, "SH", "SCT"),
        El(0x00080103, "SH", text("CodingSchemeVersion")),
        El(0x00080104, "LO", text("meaning of a known code")),
        El(0x00080105, "CS", text("MappingResource")),
        El(0x00080106, "DT", made.moment("codes/ContextGroupVersion")),
        El(0x0008010D, "UI", made.uid("codes/ContextGroupExtensionCreatorUID")),
        El(0x00080119, "UC", text("LongCodeValue")),
        El(0x00080120, "UR", f"urn:{text('URNCodeValue')}"),
    ]
    unknown: Items = [
        El(0x00080100, "SH", text("CodeValue")),
        El(0x00080102, "SH", "SCT"),
        El(0x00080104, "LO", text("CodeMeaning")),
    ]
    scheme: Items = [
        El(0x00080102, "SH", text("CodingSchemeDesignator")),
        El(0x0008010C, "UI", made.uid("codes/CodingSchemeUID")),
        El(0x00080112, "LO", text("CodingSchemeRegistry")),
        El(0x00080115, "ST", text("CodingSchemeName")),
    ]
    return [
        El(0x00082218, "SQ", [known, unknown]),
        El(0x00081032, "SQ", [known]),
        El(0x00080110, "SQ", [scheme]),
        El(0x00540220, "SQ", [[*unknown, El(0x00540222, "SQ", [known])]]),
    ]


def _long(patient: Patient) -> Items:
    made = patient.canaries
    return [
        El(0x00204000, "LT", "x" * 65_500 + made.text("long/ImageComments")),
        El(0x0040A160, "UT", "y" * 300_000 + made.text("long/TextValue")),
        El(0x00100010, "PN", made.text("long/PatientName") * 8),
        El(0x00081030, "LO", made.text("long/odd").encode() + b"x"),
        El(0x00104000, "LT", b"Q\0Z\0" + made.text("long/LT").encode("utf-16-le")),
    ]


def _listed(patient: Patient) -> Items:
    """Return texts that a list of allowed values may let through."""
    made = patient.canaries
    wanted = {
        0x00080070: "LO",  # Manufacturer
        0x00081090: "LO",  # ManufacturerModelName
        0x00180010: "LO",  # ContrastBolusAgent
        0x00180015: "CS",  # BodyPartExamined
        0x00180024: "SH",  # SequenceName
        0x00181030: "LO",  # ProtocolName
        0x00181160: "SH",  # FilterType
        0x00181210: "SH",  # ConvolutionKernel
        0x00281055: "LO",  # WindowCenterWidthExplanation
        0x00281054: "LO",  # RescaleType
        0x00541001: "CS",  # Units
        0x00540081: "US",
        0x00201040: "LO",  # PositionReferenceIndicator
        0x00280006: "US",
        0x00185101: "CS",  # ViewPosition
        0x00082111: "ST",  # DerivationDescription
        0x00120063: "LO",  # DeidentificationMethod
        0x00080301: "UI",
        0x00281056: "CS",  # VOILUTFunction
        0x00282112: "DS",
    }
    elements = []
    for tag, vr in wanted.items():
        if vr in {"US", "UI", "DS"}:
            continue
        value = made.text(f"listed/{tag:08X}")
        elements.append(El(tag, vr, f"STANDARD\\{value}" if vr == "SH" else value))
    return elements


def _add_unsorted(patient: Patient) -> None:
    """Add a file with tags in disorder, and one that has some of them twice."""
    made = patient.canaries
    for name, order in (("unsorted", -1), ("twice", 1)):
        layout, pixels = image(seed=len(patient.files))
        elements = patient.head(name, CT, "CT") | plane() | layout
        listed = sorted(elements.values(), key=lambda el: el.tag)
        head, tail = listed[:-1][::order], listed[-1:]
        again = El(0x00100010, "PN", made.text(f"{name}/second PatientName"))
        late = El(0x00080080, "LO", made.text(f"{name}/late InstitutionName"))
        patient.add(
            name, [*head, again, late, *tail], Shown.ALLOWED, pixels=pixels,
            is_sorted=False, is_refused=True,
        )  # fmt: skip


def _add_pixels(patient: Patient) -> None:
    """Add pixel data that holds more than its pixels."""
    made = patient.canaries
    layout, pixels = image(seed=len(patient.files))
    tail = made.text("longer pixels/tail").encode()
    layout[0x7FE00010] = El(0x7FE00010, "OW", pixels + tail)
    elements = patient.head("longer pixels", CT, "CT") | plane() | layout
    patient.add("longer pixels", elements, Shown.ALLOWED, pixels=pixels)
    _add_embedded_overlay(patient)


def _add_embedded_overlay(patient: Patient) -> None:
    """Add an overlay in the four bits above the twelve of each pixel."""
    name = "embedded overlay"
    layout, pixels = image(seed=len(patient.files))
    drawn = bytearray(pixels)
    drawn[1::2] = bytes(high | 0x10 * (n % 16) for n, high in enumerate(pixels[1::2]))
    layout[0x7FE00010] = El(0x7FE00010, "OW", bytes(drawn))
    overlay = (
        El(0x60000010, "US", [SIZE]),
        El(0x60000011, "US", [SIZE]),
        El(0x60000040, "CS", "G"),
        El(0x60000050, "SS", [1, 1]),
        El(0x60000100, "US", [16]),
        El(0x60000102, "US", [12]),
    )
    elements = patient.head(name, CT, "CT") | plane() | layout
    elements |= {el.tag: el for el in overlay}
    patient.add(name, elements, Shown.BLOCKED, pixels=pixels)


def _add_offset_tables(patient: Patient) -> None:
    """Add encapsulated pixels whose offset tables and fragments hold text."""
    made = patient.canaries
    for name, table, frames in (
        ("basic offset table", True, 1),
        ("extended offset table", False, 1),
        ("extended offset tables", False, 2),
    ):
        layout, _pixels = image(bits=8, frames=frames)
        frame = bitstreams.rle(made, name, len(patient.files))
        text = made.text(f"{name}/offsets").encode()
        basic = text if table else b""
        layout[0x7FE00010] = El(0x7FE00010, "OB", fragments([frame] * frames, basic))
        if not table:
            lengths = struct.pack("<Q", len(frame)) * frames
            offsets = bytes(8 * frames - 8) + text
            layout[0x7FE00001] = El(0x7FE00001, "OV", offsets)
            layout[0x7FE00002] = El(0x7FE00002, "OV", lengths)
        elements = patient.head(name, PT, "PT") | plane("ORIGINAL\\PRIMARY") | layout
        patient.add(name, elements, Shown.ALLOWED, bitstreams.RLE, is_refused=True)
