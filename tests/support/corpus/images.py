"""Images of the classes that are shown, and of those that are not."""

from collections.abc import Callable, Iterable

from PIL import Image, ImageDraw

from tests.support.corpus import bitstreams
from tests.support.corpus.sink import item
from tests.support.corpus.study import CT, MR, PT, SIZE, Patient, Shown, image, plane
from tests.support.corpus.writer import EXPLICIT, El, Items, fragments

ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"
ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
ULTRASOUND = "1.2.840.10008.5.1.4.1.1.6.1"
COMPUTED_RADIOGRAPHY = "1.2.840.10008.5.1.4.1.1.1"
ANGIOGRAPHY = "1.2.840.10008.5.1.4.1.1.12.1"
PHOTOGRAPH = "1.2.840.10008.5.1.4.1.1.77.1.4"
WHOLE_SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"
VIDEO = "1.2.840.10008.5.1.4.1.1.77.1.4.1"
RT_DOSE = "1.2.840.10008.5.1.4.1.1.481.2"
SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
PRIVATE_CLASS = "1.3.12.2.1107.5.9.1"

CHARSETS = {
    "ISO_IR 100": ("latin_1", "latin_1"),
    "ISO_IR 144": ("iso8859_5", "iso8859_5"),
    "ISO_IR 126": ("iso8859_7", "iso8859_7"),
    "ISO_IR 127": ("iso8859_6", "iso8859_6"),
    "ISO_IR 13": ("shift_jis", "shift_jis"),
    "ISO_IR 192": ("utf_8", "utf_8"),
    "\\ISO 2022 IR 87": ("iso2022_jp", "iso2022_jp"),
    "\\ISO 2022 IR 149": ("euc_kr", "euc_kr"),
    "GB18030": ("gb18030", "gb18030"),
}
"""SpecificCharacterSet to the script of its canaries and Python's codec."""


def add_charsets(patient: Patient, charsets: Iterable[str] = CHARSETS) -> None:
    """Add an image for each character set, with names and texts in it."""
    made = patient.canaries
    for charset in charsets:
        script, codec = CHARSETS[charset]
        name = f"charset {charset}"
        elements = patient.head(name, CT, "CT")

        def native(place: str, script: str = script, name: str = name) -> str:
            return made.native(f"{name}/{place}", script)

        korean = "\x1b$)C" if "149" in charset else ""
        person = f"{made.text(f'{name}/ascii')}={native('PN')}^{native('PN')}="
        texts = {
            0x00100010: ("PN", person),
            0x00081030: ("LO", native("LO")),
            0x00104000: ("LT", native("LT") + made.text(f"{name}/LT")),
            0x00204000: ("LT", native("ImageComments")),
            0x00189074: ("DT", made.moment(name)),
            0x00080070: ("LO", native("Manufacturer")),
            0x00081090: ("LO", native("ManufacturerModelName")),
            0x00181030: ("LO", native("ProtocolName")),
        }
        elements[0x00080005] = El(0x00080005, "CS", charset)
        for tag, (vr, text) in texts.items():
            shown = text if text.isascii() else korean + text
            elements[tag] = El(tag, vr, shown, charset=_with_escapes(codec))
        private = made.text(f"{name}/private creator")
        elements[0x00110010] = El(0x00110010, "LO", private)
        elements[0x00111001] = El(
            0x00111001, "LO", korean + native("private"), charset=_with_escapes(codec)
        )
        layout, pixels = image(seed=len(patient.files))
        patient.add(name, elements | plane() | layout, Shown.ALLOWED, pixels=pixels)


def _with_escapes(codec: str) -> str:
    """Return the codec that writes the escape sequences of ISO 2022 itself."""
    return codec


def add_compressed(patient: Patient) -> None:
    """Add compressed images of an allowed class, with text in their bitstreams."""
    made = patient.canaries
    makers: dict[str, tuple[str, Callable[[str, int], bytes], bool]] = {
        "jpeg": (
            bitstreams.JPEG_BASELINE,
            lambda name, seed: bitstreams.jpeg(made, name, seed),
            True,
        ),
        "jpeg 2000": (
            bitstreams.JPEG_2000,
            lambda name, seed: bitstreams.jpeg_2000(made, name, seed),
            True,
        ),
        "rle": (
            bitstreams.RLE,
            lambda name, seed: bitstreams.rle(made, name, seed),
            True,
        ),
        "jpeg-ls": (
            bitstreams.JPEG_LS,
            lambda name, _seed: bitstreams.jpeg_ls(made, name),
            False,
        ),
        "htj2k": (
            bitstreams.HTJ2K,
            lambda name, seed: bitstreams.jpeg_2000(made, name, seed),
            False,
        ),
        "jpeg xl": (
            bitstreams.JPEG_XL,
            lambda name, _seed: bitstreams.jpeg_xl(made, name),
            False,
        ),
    }
    for name, (syntax, make, is_decodable) in makers.items():
        seed = len(patient.files)
        for frames in (1, 3) if is_decodable else (1,):
            own = f"{name} of {frames}"
            pieces = [make(own, seed + n) for n in range(frames)]
            pixels = b"".join(
                bitstreams.grey(seed + n).tobytes() for n in range(frames)
            )
            layout, _native = image(bits=8, frames=frames)
            layout[0x7FE00010] = El(0x7FE00010, "OB", fragments(pieces))
            # Lossy pixels are compared with the decoded source, not with the drawing.
            known = pixels if name in {"jpeg 2000", "rle"} else None
            patient.add(
                own,
                patient.head(own, PT, "PT") | plane("ORIGINAL\\PRIMARY") | layout,
                Shown.BLOCKED if name == "jpeg xl" else Shown.ALLOWED,
                syntax,
                known,
                is_refused=not is_decodable,
            )


def add_multiframes(patient: Patient) -> None:
    """Add enhanced images, whose frames have dates, comments and references."""
    for sop_class, modality in ((ENHANCED_CT, "CT"), (ENHANCED_MR, "MR")):
        name = f"enhanced {modality}"
        layout, pixels = image(frames=4, seed=len(patient.files))
        elements = patient.head(name, sop_class, modality) | layout
        elements[0x00080008] = El(0x00080008, "CS", "ORIGINAL\\PRIMARY\\VOLUME\\NONE")
        elements[0x52009229] = El(0x52009229, "SQ", [_shared(patient, name)])
        elements[0x52009230] = El(
            0x52009230, "SQ", [_frame(patient, name, n) for n in range(4)]
        )
        elements[0x00209221] = El(0x00209221, "SQ", [item(patient.canaries, name)])
        patient.add(name, elements, Shown.ALLOWED, pixels=pixels)


def _shared(patient: Patient, name: str) -> Items:
    made = patient.canaries
    unassigned: Items = [
        El(0x00100010, "PN", made.text(f"{name}/unassigned shared PatientName")),
        El(0x00081030, "LO", made.text(f"{name}/unassigned shared description")),
    ]
    measures: Items = [El(0x00280030, "DS", "1\\1"), El(0x00180050, "DS", "2")]
    return [
        El(0x00289110, "SQ", [measures]),
        El(0x00209170, "SQ", [unassigned]),
    ]


def _frame(patient: Patient, name: str, number: int) -> Items:
    made, own = patient.canaries, f"{name}/frame {number}"
    content: Items = [
        El(0x00189074, "DT", made.moment(f"{own}/FrameAcquisitionDateTime")),
        El(0x00189151, "DT", made.moment(f"{own}/FrameReferenceDateTime")),
        El(0x00209056, "SH", str(number + 1)),
        El(0x00209158, "LT", made.text(f"{own}/FrameComments")),
        El(0x00209453, "LO", made.text(f"{own}/FrameLabel")),
        El(0x00209157, "UL", [1, number + 1]),
    ]
    derived: Items = [
        El(0x00081150, "UI", CT),
        El(0x00081155, "UI", made.uid(f"{own}/ReferencedSOPInstanceUID")),
        El(0x0040A170, "SQ", [item(made, own)]),
    ]
    position: Items = [El(0x00200032, "DS", f"0\\0\\{number}")]
    return [
        El(0x00209111, "SQ", [content]),
        El(0x00209113, "SQ", [position]),
        El(0x00089124, "SQ", [[El(0x00082112, "SQ", [derived])]]),
    ]


def add_derived(patient: Patient) -> None:
    """Add a dose and a segmentation, which are allowed, and MR."""
    made = patient.canaries
    for name, sop_class, modality, extra in (
        ("mr", MR, "MR", plane()),
        ("rt dose", RT_DOSE, "RTDOSE", plane("DERIVED\\PRIMARY\\AXIAL")),
        ("seg", SEGMENTATION, "SEG", _segments(patient)),
    ):
        layout, pixels = image(seed=len(patient.files))
        elements = patient.head(name, sop_class, modality) | extra | layout
        elements[0x300A00C2] = El(0x300A00C2, "LO", made.text(f"{name}/BeamName"))
        patient.add(name, elements, Shown.ALLOWED, pixels=pixels)


def _segments(patient: Patient) -> dict[int, El]:
    made = patient.canaries
    segment: Items = [
        El(0x00620004, "US", [1]),
        El(0x00620005, "LO", made.text("seg/SegmentLabel")),
        El(0x00620006, "ST", made.text("seg/SegmentDescription")),
        El(0x00620008, "CS", "MANUAL"),
        El(0x00620020, "UT", made.text("seg/TrackingID")),
        El(0x00620021, "UI", made.uid("seg/TrackingUID")),
    ]
    elements = (
        El(0x00080008, "CS", "DERIVED\\PRIMARY"),
        El(0x00620001, "CS", "FRACTIONAL"),
        El(0x00620002, "SQ", [segment]),
        El(0x00700080, "CS", made.text("seg/ContentLabel")),
        El(0x00700081, "LO", made.text("seg/ContentDescription")),
        El(0x00700084, "PN", made.text("seg/ContentCreatorName")),
    )
    return {el.tag: el for el in elements}


def add_blocked(patient: Patient) -> None:
    """Add what shows its identity in the picture itself."""
    made = patient.canaries
    burned = {0x00280301: El(0x00280301, "CS", "YES")}
    secondary = plane("DERIVED\\SECONDARY\\SCREEN SAVE")
    wanted: dict[str, tuple[str, str, dict[int, El]]] = {
        "sc": (SECONDARY_CAPTURE, "OT", {0x00080064: El(0x00080064, "CS", "WSD")}),
        "us": (ULTRASOUND, "US", {}),
        "cr": (COMPUTED_RADIOGRAPHY, "CR", plane("ORIGINAL\\PRIMARY")),
        "xa": (ANGIOGRAPHY, "XA", plane("ORIGINAL\\PRIMARY\\SINGLE PLANE")),
        "photo": (PHOTOGRAPH, "XC", {}),
        "ct screen": (CT, "CT", secondary),
        "ct burned": (CT, "CT", plane() | burned),
        "ct digitized": (CT, "CT", plane() | _captured(patient)),
        "wsi label": (WHOLE_SLIDE, "SM", plane("ORIGINAL\\PRIMARY\\LABEL\\NONE")),
        "private class": (PRIVATE_CLASS, "CT", plane()),
    }
    for name, (sop_class, modality, extra) in wanted.items():
        text = made.text(f"{name}/drawn")
        layout, pixels = image(bits=8)
        drawn = _drawn(text)
        layout[0x7FE00010] = El(0x7FE00010, "OB", drawn)
        layout[0x00280010] = El(0x00280010, "US", [_DRAWN[1]])
        layout[0x00280011] = El(0x00280011, "US", [_DRAWN[0]])
        assert len(pixels) == SIZE * SIZE
        patient.add(
            name, patient.head(name, sop_class, modality) | layout | extra,
            Shown.BLOCKED, pixels=drawn,
        )  # fmt: skip
    _add_video(patient)


_DRAWN = (96, 32)


def _drawn(text: str) -> bytes:
    picture = Image.new("L", _DRAWN)
    ImageDraw.Draw(picture).text((4, 8), text, fill=255)
    return picture.tobytes()


def _captured(patient: Patient) -> dict[int, El]:
    made = patient.canaries
    tags = {0x00181012: "DA", 0x00181016: "LO", 0x00181018: "LO", 0x00181019: "LO"}
    return {
        tag: El(tag, vr, made.date("captured") if vr == "DA" else made.text("captured"))
        for tag, vr in tags.items()
    }


def _add_video(patient: Patient) -> None:
    layout, _pixels = image(bits=8, frames=2)
    film = fragments([bitstreams.mp4(patient.canaries, "video")])
    layout[0x7FE00010] = El(0x7FE00010, "OB", film)
    elements = patient.head("video", VIDEO, "XC") | layout
    patient.add("video", elements, Shown.BLOCKED, bitstreams.MPEG4)


def add_burned_allowed(patient: Patient) -> None:
    """Add an angiography that says it is clean: still blocked unless it is listed."""
    layout, pixels = image(frames=2, seed=len(patient.files))
    elements = patient.head("xa clean", ANGIOGRAPHY, "XA") | layout
    elements |= plane("ORIGINAL\\PRIMARY\\SINGLE PLANE")
    elements[0x00280301] = El(0x00280301, "CS", "NO")
    patient.add("xa clean", elements, Shown.BLOCKED, EXPLICIT, pixels)
