"""What stands in the place of an instance that is not shown: an image that says why.

It is made of the de-identified metadata of that instance, so it belongs to the same
study and series, and metadata, file, frame and picture agree. Its class is Secondary
Capture, because nothing of the original image is left in it. Source: PS3.3 A.8.1.
"""

import io
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from PIL import Image, ImageDraw, ImageFont

from orthanc_share.deidentification import file_meta
from orthanc_share.deidentification.actions import DeidentificationError
from orthanc_share.deidentification.dicom_json import Dataset
from orthanc_share.deidentification.gate import Reason
from orthanc_share.deidentification.json_values import json_values, texts_of
from orthanc_share.deidentification.storage_classes import SECONDARY_CAPTURE
from orthanc_share.deidentification.wire import EXPLICIT_LITTLE

TRANSFER_SYNTAX: Final = "1.2.840.10008.1.2.1"
"""Explicit VR Little Endian: how the file and the frame are written."""

MEDIA_TYPES: Final = {"image/jpeg": "JPEG", "image/png": "PNG"}
"""The media types of `rendered`, and what Pillow calls them."""

EXPLANATIONS: Final[Mapping[str, str]] = {
    Reason.UNKNOWN_CLASS: "This kind of object is not shown in de-identified shares.",
    Reason.DOCUMENT: "Reports and documents are not shown in de-identified shares.",
    Reason.VIDEO: "Videos are not shown in de-identified shares.",
    Reason.NOT_PERMITTED: "This kind of image often has the patient's name in it.",
    Reason.TRANSFER_SYNTAX: "The encoding of this image may hold hidden text.",
    Reason.IMAGE_TYPE: "This may be a screen copy or report with the patient's name.",
    Reason.SLIDE_LABEL: "The label of a slide is not shown.",
    Reason.SCREEN_CAPTURE: "This may be a screen copy or scan with the patient's name.",
    Reason.COLOUR: "This may be a screen copy or report with the patient's name.",
    Reason.OVERLAY: "Text may be hidden in the pixels of this image.",
    Reason.PALETTE: "The colours of this image may hold hidden text.",
    Reason.BURNED_IN: "The image says that the patient's name is part of it.",
    Reason.NOT_DECLARED: "The image does not say whether a name is part of it.",
    Reason.MASK_IMPOSSIBLE: "The text in this image cannot be blanked.",
    Reason.TEXT_IN_PIXELS: "There is text in this image.",
    Reason.NOT_LOOKED_AT: "Nobody could look whether there is text in this image.",
}
"""What the image tells people."""

_TITLE = "Image not shown"
_SIDE_DEFAULT = 512  # pixels
_SIDE_MIN, _SIDE_MAX = 128, 1024  # below no text can be read, above memory is wasted
_RENDERED_MIN, _RENDERED_MAX = 16, 2048  # pixels
_BACKGROUND, _TITLE_GREY, _TEXT_GREY = 24, 230, 170
_MARGIN, _LINE = 0.08, 1.35  # of the shorter side; of the size of the font
_SIZE_TITLE, _SIZE_TEXT, _SIZE_MIN = 0.07, 0.045, 9  # of the shorter side; pixels
_KEPT = 8  # pictures of at most 4 MiB

_IMAGE_MODALITIES = frozenset(
    "CR CT DX ES GM IO IVOCT MG MR NM OP OPT OT PT RF RTIMAGE SM US XA XC".split()  # noqa: SIM905
)
_REQUIRED = ("00080018", "0020000D", "0020000E")
_COPIED = (
    *("00080005", "00080018", "0020000D", "0020000E"),
    *("00100010", "00100020", "00100030", "00100040", "00101010"),
    *("00080020", "00080030", "00080050", "00080090", "00200010", "00081030"),
    *("00080021", "00080031", "0008103E", "00200011", "00200013"),
    *("00120062", "00120063", "00120064", "00280303"),
)
"""What patient, study and series have in common, and the instance's number."""

_EMPTY_UNLESS_COPIED = {
    "00080020": "DA", "00080030": "TM", "00080050": "SH", "00080090": "PN",
    "00100010": "PN", "00100020": "LO", "00100030": "DA", "00100040": "CS",
    "00200010": "SH", "00200011": "IS", "00200013": "IS", "00200020": "CS",
    "00200060": "CS",
}  # fmt: skip
"""Type 2 and 2C elements, and their VRs."""


class _Size(NamedTuple):
    rows: int
    columns: int


def explanation(reason: str) -> str:
    """Return a sentence for people; for reasons of other modules a general one."""
    return EXPLANATIONS.get(reason, "The image cannot be de-identified safely.")


def modality(value: str) -> str:
    """Return the Modality of a series whose instances are placeholders.

    That of a document would make viewers look for one.
    """
    return value if value in _IMAGE_MODALITIES else "OT"


def metadata(
    source: Mapping[str, Any], reason: str, pixels_uri: str | None = None
) -> Dataset:
    """Return the DICOM JSON of the placeholder.

    Args:
        source: What `deidentify_json` made of the instance that is not shown.
        reason: Why, one of `Reason`.
        pixels_uri: Where its Pixel Data are served; None: they are not mentioned.

    Raises:
        DeidentificationError: The instance has no UIDs.
    """
    if not all(any(_texts(source, key)) for key in _REQUIRED):
        raise DeidentificationError("The instance has no UIDs.")
    made = {key: {"vr": vr} for key, vr in _EMPTY_UNLESS_COPIED.items()}
    made |= {key: source[key] for key in _COPIED if key in source}
    size = _size_of(source)
    for key, vr, texts in (
        ("00080008", "CS", ["DERIVED", "SECONDARY"]),
        ("00080016", "UI", [SECONDARY_CAPTURE]),
        ("00080060", "CS", [modality("".join(_texts(source, "00080060")))]),
        ("00080064", "CS", ["SYN"]),  # synthetic image
        ("00082111", "ST", [f"{_TITLE}. {explanation(reason)}"]),
        ("00280002", "US", ["1"]),
        ("00280004", "CS", ["MONOCHROME2"]),
        ("00280010", "US", [str(size.rows)]),
        ("00280011", "US", [str(size.columns)]),
        ("00280100", "US", ["8"]),
        ("00280101", "US", ["8"]),
        ("00280102", "US", ["7"]),
        ("00280103", "US", ["0"]),
        ("00280301", "CS", ["NO"]),
    ):
        made[key] = json_values(vr, texts)
    if pixels_uri is not None:
        made["7FE00010"] = {"vr": "OB", "BulkDataURI": pixels_uri}
    return dict(sorted(made.items()))


def instance(source: Mapping[str, Any], reason: str) -> bytes:
    """Return the placeholder as a DICOM file in Explicit VR Little Endian.

    Args:
        source: What `deidentify_json` made of the instance that is not shown.
        reason: Why, one of `Reason`.

    Raises:
        DeidentificationError: The instance has no UIDs.
    """
    described = metadata(source, reason)
    sop_uid = _texts(described, "00080018")[0]
    pixels = EXPLICIT_LITTLE.element(0x7FE00010, "OB", frame(source, reason))
    meta = file_meta.write(
        SECONDARY_CAPTURE.encode(), sop_uid.encode("ascii"), TRANSFER_SYNTAX
    )
    return meta + _encoded(described) + pixels


def frame(source: Mapping[str, Any], reason: str) -> bytes:
    """Return the only frame: rows of 8 bits per pixel, without a header."""
    return _drawn(explanation(reason), _size_of(source)).tobytes()


def rendered(media_type: str, reason: str, rows: int = 0, columns: int = 0) -> bytes:
    """Return the placeholder as a picture.

    Args:
        media_type: One of `MEDIA_TYPES`.
        reason: Why, one of `Reason`.
        rows: Height asked for; 0, or what makes no sense: 512 pixels.
        columns: Width asked for, likewise.
    """
    size = _Size(
        *(
            asked if _RENDERED_MIN <= asked <= _RENDERED_MAX else _SIDE_DEFAULT
            for asked in (rows, columns)
        )
    )
    written = io.BytesIO()
    picture = _drawn(explanation(reason), size)
    picture.save(written, MEDIA_TYPES[media_type], quality=90)
    return written.getvalue()


def _texts(dataset: Mapping[str, Any], key: str) -> list[str]:
    return texts_of(dataset[key]) if key in dataset else []


def _size_of(source: Mapping[str, Any]) -> _Size:
    """Return the size of the original, so that it fits into its series."""
    sides = ["".join(_texts(source, key)) for key in ("00280010", "00280011")]
    if all(side.isdecimal() for side in sides):
        size = _Size(*map(int, sides))
        if min(size) >= _SIDE_MIN and max(size) <= _SIDE_MAX:
            return size
    return _Size(_SIDE_DEFAULT, _SIDE_DEFAULT)


def _encoded(dataset: Mapping[str, Any]) -> bytes:
    wire = EXPLICIT_LITTLE
    written = []
    for key, attribute in sorted(dataset.items()):
        vr, tag = attribute["vr"], int(key, 16)
        if vr == "SQ":
            items = map(_encoded, attribute.get("Value", ()))
            value = b"".join(wire.item_header(0xFFFEE000, len(i)) + i for i in items)
        else:
            value = wire.value(vr, texts_of(attribute))
        written.append(wire.element(tag, vr, value))
    return b"".join(written)


@lru_cache(_KEPT)
def _drawn(text: str, size: _Size) -> Image.Image:
    """Return the picture: title and sentence in the middle, or as much as has room."""
    picture = Image.new("L", (size.columns, size.rows), _BACKGROUND)
    canvas = ImageDraw.Draw(picture)
    title = _lines(_TITLE, _SIZE_TITLE, _TITLE_GREY, size)
    lines = [*title, *_lines(text, _SIZE_TEXT, _TEXT_GREY, size)]
    for shown in (lines, title):
        if _fit(shown, size):
            _write(canvas, shown, size)
            return picture
    right, bottom = size.columns - 1, size.rows - 1
    canvas.line((0, 0, right, bottom), _TEXT_GREY)
    canvas.line((right, 0, 0, bottom), _TEXT_GREY)
    return picture


class _Line(NamedTuple):
    text: str
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont
    grey: int

    @property
    def width(self) -> float:
        return self.font.getlength(self.text)

    @property
    def height(self) -> float:
        return _LINE * self.font.getbbox("Ag")[3]


def _lines(text: str, scale: float, grey: int, size: _Size) -> list[_Line]:
    """Return a text in lines that are not wider than the picture, if words allow."""
    font = ImageFont.load_default(max(_SIZE_MIN, round(scale * min(size))))
    width = size.columns * (1 - 2 * _MARGIN)
    lines: list[str] = []
    for word in text.split():
        if lines and font.getlength(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return [_Line(line, font, grey) for line in lines]


def _fit(lines: Sequence[_Line], size: _Size) -> bool:
    widest = max(line.width for line in lines)
    return widest <= size.columns and sum(one.height for one in lines) <= size.rows


def _write(canvas: ImageDraw.ImageDraw, lines: Sequence[_Line], size: _Size) -> None:
    top = (size.rows - sum(line.height for line in lines)) / 2
    for line in lines:
        left = (size.columns - line.width) / 2
        canvas.text((left, top), line.text, line.grey, line.font)
        top += line.height
