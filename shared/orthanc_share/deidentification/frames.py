"""Frames that come without a dataset, as WADO-RS gives them."""

from orthanc_share.deidentification.bitstream import is_native, walker, wire_of
from orthanc_share.deidentification.codestream import CodestreamWalker
from orthanc_share.deidentification.pixel_cells import PixelLayout
from orthanc_share.deidentification.pixel_stream import NativeStream
from orthanc_share.deidentification.wire import malformed
from orthanc_share.domain.octets import Octets


class NativeFrame:
    """Cleans a frame that is not compressed.

    Args:
        layout: How its pixels lie.
        transfer_syntax: UID; says the byte order.
    """

    def __init__(self, layout: PixelLayout, transfer_syntax: str) -> None:
        self._layout = layout
        longest = layout.length(1, layout.rows * layout.columns * 64)
        self._stream = NativeStream(layout, wire_of(transfer_syntax), longest)

    def feed(self, data: Octets) -> Octets:
        """Return what may go out now."""
        return self._stream.feed(data)

    def finish(self) -> None:
        """Say that nothing more comes.

        Raises:
            DeidentificationError: The frame is shorter than rows and columns say.
        """
        self._layout.length(1, self._stream.taken)


def frame_blanker(
    transfer_syntax: str, layout: PixelLayout | None = None
) -> NativeFrame | CodestreamWalker:
    """Return what cleans one bare frame as `InstanceRewriter` cleans those of a file.

    It has `feed`, which returns what may go out now, and `finish`, which must be called
    when nothing more comes: both raise `DeidentificationError`.

    Args:
        transfer_syntax: UID of the frame's transfer syntax.
        layout: How the pixels of the object lie; JPEG and JPEG 2000 do without.

    Raises:
        DeidentificationError: The transfer syntax cannot be cleaned, or not without a
            layout.
    """
    wire_of(transfer_syntax)
    if not is_native(transfer_syntax):
        codestream = walker(transfer_syntax, layout)
        codestream.boundary()
        return codestream
    if layout is None:
        raise malformed("rows and columns of the pixels are missing")
    return NativeFrame(layout, transfer_syntax)
