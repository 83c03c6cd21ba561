"""Images with known places for text: decoded, blanked there, and shown uncompressed.

The file that is made is as identified as before: it still has to go through the
rewriter, with `MaskedRules` and `MaskedGate`.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy.typing as npt

from orthanc_share.deidentification import file_meta
from orthanc_share.deidentification.actions import DeidentificationError
from orthanc_share.deidentification.bitstream import (
    EXPLICIT_VR_LITTLE_ENDIAN,
    is_native,
    wire_of,
)
from orthanc_share.deidentification.gate import Gate, Values
from orthanc_share.deidentification.head import PIXEL_DATA, Head, HeadRewriter
from orthanc_share.deidentification.limits import IncompleteError, Limits
from orthanc_share.deidentification.masks import (
    DECODABLE,
    PHOTOMETRIC,
    PLANAR_CONFIGURATION,
)
from orthanc_share.deidentification.pixel_cells import LAYOUT_TAGS, PixelLayout
from orthanc_share.deidentification.plan import Plan
from orthanc_share.deidentification.regions import Region
from orthanc_share.deidentification.wire import (
    EXPLICIT_LITTLE,
    LONG_HEADER,
    LONG_VRS,
    UNDEFINED_LENGTH,
    Wire,
    malformed,
)

Pixels = npt.NDArray[Any]
"""Frames by rows by columns, and by samples where a pixel has several."""

PIXELS_MAX: Final = 256 * 2**20
"""Largest image that is decoded, in bytes; larger ones are refused."""

_LUTS: Final = (0x00281201, 0x00281202, 0x00281203)
_WANTED: Final = LAYOUT_TAGS | {
    *(PLANAR_CONFIGURATION, 0x00281101, 0x00281102, 0x00281103),
    *(0x00281050, 0x00281051, 0x00281052, 0x00281053),
}
"""What decoding and rendering want: the layout, palette, window, rescale."""

_BITS_DECODED: Final = (8, 16)
_COLOURS: Final = 3


class MaskedImage:
    """A DICOM file whose pixels can be had with regions blanked.

    Args:
        file: The file, as identified as it is.
        regions: The rectangles to blank, at least one.
        plan: The rules of the share, worked out.
        gate: The gate of the site.

    Raises:
        DeidentificationError: It is malformed, too big, or cannot be decoded here.
    """

    def __init__(
        self, file: bytes, regions: Sequence[Region], plan: Plan, gate: Gate
    ) -> None:
        if not regions:
            raise DeidentificationError("A mask without regions proves nothing.")
        self._file = file
        self._regions = regions
        self.transfer_syntax, self._start, head = _found(file, plan, gate)
        self.values: Values = head.facts.values
        self.layout = PixelLayout.from_facts(self.values)
        self.photometric = "".join(self.values.get(PHOTOMETRIC, ()))
        wire = wire_of(self.transfer_syntax)
        self.palette = tuple(_value(wire, head.elements.get(tag, b"")) for tag in _LUTS)
        found = head.pixels
        if found is None or found.tag != PIXEL_DATA:
            raise DeidentificationError("The image has no pixels that can be masked.")
        self._pixels = found
        self._check_size()

    def _check_size(self) -> None:
        layout = self.layout
        cells = layout.rows * layout.columns * layout.samples * layout.frames
        if layout.allocated not in _BITS_DECODED or layout.samples not in {1, _COLOURS}:
            raise DeidentificationError("Pixels of this kind cannot be masked.")
        if layout.high_bit != layout.stored - 1:
            raise DeidentificationError("Pixels of this kind cannot be masked.")
        if cells * layout.cell > PIXELS_MAX:
            raise DeidentificationError("The image is too big to be masked.")

    def file(self) -> bytes:
        """Return the file with blanked, uncompressed pixels, all else as it was."""
        value = self._masked(None).tobytes()
        wire, syntax = wire_of(self.transfer_syntax), self.transfer_syntax
        if not is_native(syntax):
            wire, syntax = EXPLICIT_LITTLE, EXPLICIT_VR_LITTLE_ENDIAN
        vr = "OB" if self.layout.allocated == _BITS_DECODED[0] else "OW"
        header = len(wire_of(self.transfer_syntax).header(PIXEL_DATA, "OW", 0))
        head = self._file[self._start : self._pixels.end - header]
        meta = file_meta.write(b"0", b"0", syntax)  # the rewriter writes its own
        return b"".join((meta, head, wire.element(PIXEL_DATA, vr, value)))

    def frame(self, number: int) -> bytes:
        """Return a frame with blanked, uncompressed pixels.

        Args:
            number: From 1 to `layout.frames`.

        Raises:
            DeidentificationError: There is no such frame, or it cannot be decoded.
        """
        return self.pixels(number).tobytes()

    def pixels(self, number: int) -> Pixels:
        """Return a frame, rows by columns (by samples); see `frame`."""
        if not 1 <= number <= self.layout.frames:
            raise DeidentificationError("The image has no such frame.")
        shown: Pixels = self._masked(number - 1)[0]
        return shown

    def _masked(self, index: int | None) -> Pixels:
        layout = self.layout
        kind = f"<{'i' if layout.signed else 'u'}{layout.cell}"
        pixels: Pixels = self._decoded(index).astype(kind)  # always a copy
        for x, y, width, height in self._regions:
            pixels[:, max(y, 0) : y + height, max(x, 0) : x + width] = self._blank
        return pixels

    @property
    def _blank(self) -> int:
        """What black is; in signed or coloured images zero."""
        inverted = self.photometric == "MONOCHROME1" and not self.layout.signed
        return (1 << self.layout.stored) - 1 if inverted else 0

    def _decoded(self, index: int | None) -> Pixels:
        # Only here: pydicom costs 80 MB of memory.
        from pydicom.pixels.decoders.base import get_decoder  # noqa: PLC0415
        from pydicom.uid import UID  # noqa: PLC0415

        layout, end = self.layout, self._pixels.end
        length = self._pixels.length
        after = len(self._file) if length == UNDEFINED_LENGTH else end + length
        planar = "".join(self.values.get(PLANAR_CONFIGURATION, ())) or "0"
        options: dict[str, Any] = {
            "rows": layout.rows,
            "columns": layout.columns,
            "samples_per_pixel": layout.samples,
            "number_of_frames": layout.frames,
            "bits_allocated": layout.allocated,
            "bits_stored": layout.stored,
            "pixel_representation": int(layout.signed),
            "photometric_interpretation": self.photometric,
            "planar_configuration": int(planar == "1"),
            "pixel_keyword": "PixelData",
            "pixel_vr": self._pixels.vr,
        }
        try:
            decoder = get_decoder(UID(self.transfer_syntax))
            decoded: Pixels
            decoded, _ = decoder.as_array(self._file[end:after], index=index, **options)
            colours = (layout.samples,) * (layout.samples > 1)
            return decoded.reshape(-1, layout.rows, layout.columns, *colours)
        except Exception as error:  # noqa: BLE001  # decoders raise whatever they like
            what = f"The pixels cannot be decoded: {type(error).__name__}."
            raise DeidentificationError(what) from None


def _found(file: bytes, plan: Plan, gate: Gate) -> tuple[str, int, Head]:
    """Return transfer syntax, start of the dataset, and what is before the pixels."""
    try:
        syntax, start = file_meta.read(file)
    except IncompleteError:
        raise malformed("the data end within the file meta information") from None
    if syntax not in DECODABLE:
        raise DeidentificationError("Images in this transfer syntax cannot be masked.")
    head = HeadRewriter(plan, plan.coder(wire_of(syntax)), gate, _WANTED, Limits())
    return syntax, start, head.rewrite(file, start, final=True)


def _value(wire: Wire, element: bytes) -> bytes:
    long = wire.explicit and element[4:6] in LONG_VRS
    return element[LONG_HEADER:] if long else element[8:]
