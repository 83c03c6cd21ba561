"""Which transfer syntaxes can be cleaned, and how."""

from collections.abc import Mapping
from enum import Enum
from typing import Final

from orthanc_share.deidentification.actions import DeidentificationError
from orthanc_share.deidentification.codestream import CodestreamWalker
from orthanc_share.deidentification.jpeg import JpegWalker
from orthanc_share.deidentification.jpeg2000 import Jpeg2000Walker
from orthanc_share.deidentification.pixel_cells import PixelLayout
from orthanc_share.deidentification.rle import RleWalker
from orthanc_share.deidentification.wire import (
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    Wire,
    malformed,
)

IMPLICIT_VR_LITTLE_ENDIAN: Final = "1.2.840.10008.1.2"
EXPLICIT_VR_LITTLE_ENDIAN: Final = "1.2.840.10008.1.2.1"
DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN: Final = "1.2.840.10008.1.2.1.99"
EXPLICIT_VR_BIG_ENDIAN: Final = "1.2.840.10008.1.2.2"


class Bitstream(Enum):
    """What the fragments of encapsulated pixels hold."""

    JPEG = "jpeg"
    JPEG_2000 = "jpeg2000"
    RLE = "rle"


_NATIVE: Final[Mapping[str, Wire]] = {
    IMPLICIT_VR_LITTLE_ENDIAN: IMPLICIT_LITTLE,
    EXPLICIT_VR_LITTLE_ENDIAN: EXPLICIT_LITTLE,
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN: EXPLICIT_LITTLE,
    EXPLICIT_VR_BIG_ENDIAN: EXPLICIT_BIG,
}

_ENCAPSULATED: Final[Mapping[str, Bitstream]] = {
    "1.2.840.10008.1.2.5": Bitstream.RLE,
    **{
        f"1.2.840.10008.1.2.4.{number}": Bitstream.JPEG
        for number in (50, 51, 57, 70, 80, 81)
    },
    **{
        f"1.2.840.10008.1.2.4.{number}": Bitstream.JPEG_2000
        for number in (90, 91, 201, 202, 203)
    },
}
"""Not here: video, JPIP (a URL in place of pixels), JPEG XL, deflated frames, part 2
of JPEG 2000, retired processes of JPEG. Source: PS3.5 10 and annex A."""

CLEANABLE: Final = frozenset(_NATIVE) | frozenset(_ENCAPSULATED)
"""UIDs of the transfer syntaxes that can be cleaned; all others are refused."""


def wire_of(transfer_syntax: str) -> Wire:
    """Return the encoding of datasets in a transfer syntax.

    Raises:
        DeidentificationError: It cannot be cleaned.
    """
    if transfer_syntax not in CLEANABLE:
        raise DeidentificationError("The transfer syntax is none that can be cleaned.")
    return _NATIVE.get(transfer_syntax, EXPLICIT_LITTLE)


def is_native(transfer_syntax: str) -> bool:
    """Tell whether the pixels of a transfer syntax are not compressed."""
    return transfer_syntax in _NATIVE


def walker(transfer_syntax: str, layout: PixelLayout | None) -> CodestreamWalker:
    """Return what cleans the codestreams of a transfer syntax.

    Args:
        transfer_syntax: UID of an encapsulated one of `CLEANABLE`.
        layout: How the pixels lie; needed for RLE.

    Raises:
        DeidentificationError: The layout is needed, and missing.
    """
    bitstream = _ENCAPSULATED[transfer_syntax]
    if bitstream is Bitstream.JPEG:
        return JpegWalker()
    if bitstream is Bitstream.JPEG_2000:
        return Jpeg2000Walker()
    if layout is None:
        raise malformed("rows and columns of the pixels are missing")
    return RleWalker(layout)
