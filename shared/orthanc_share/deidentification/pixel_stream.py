"""Pixels on their way through: bounded, cleaned, and nothing after them."""

import struct
from collections import deque
from itertools import pairwise
from typing import Final, Protocol

from orthanc_share.deidentification.bitstream import is_native, walker, wire_of
from orthanc_share.deidentification.codestream import CodestreamWalker
from orthanc_share.deidentification.gate import Values
from orthanc_share.deidentification.head import (
    DOUBLE_FLOAT_PIXEL_DATA,
    FLOAT_PIXEL_DATA,
    PIXEL_DATA,
    PixelHeader,
)
from orthanc_share.deidentification.pixel_cells import CellCleaner, PixelLayout
from orthanc_share.deidentification.wire import (
    EXPLICIT_LITTLE,
    ITEM,
    SEQUENCE_DELIMITER,
    UNDEFINED_LENGTH,
    Wire,
    malformed,
)
from orthanc_share.domain.octets import Octets

_ITEM_HEADER: Final = struct.Struct("<HHI")
_FLOATS: Final = {FLOAT_PIXEL_DATA: ("OF", 32), DOUBLE_FLOAT_PIXEL_DATA: ("OD", 64)}


class NativeStream:
    """Lets uncompressed pixels pass, cleaned, up to their length.

    Args:
        layout: How they lie.
        wire: Their byte order.
        length: How many bytes pass; the others are dropped.
    """

    def __init__(self, layout: PixelLayout, wire: Wire, length: int) -> None:
        self.taken = 0
        self._length = length
        spare = layout.has_spare_bits
        self._cleaner = CellCleaner(layout, wire.order) if spare else None

    def feed(self, data: Octets) -> Octets:
        """Return what may go out of `data`."""
        left = self._length - self.taken
        self.taken += len(data)
        if left < len(data):
            data = data[: max(left, 0)]
        return data if self._cleaner is None else self._cleaner.feed(data)


class PixelStream(Protocol):
    """The pixels of an object, after their element header."""

    header: bytes
    """The element header that is written."""

    @property
    def passing(self) -> bool:
        """Whether pixels have been found to be what they say."""

    def feed(self, data: Octets) -> list[Octets]:
        """Return what may go out now."""

    def finish(self) -> None:
        """Say that nothing more comes; refuse what ended too early."""


class NativePixels:
    """The pixels of an object whose transfer syntax does not compress them.

    Args:
        found: Their header.
        wire: The encoding of the dataset.
        layout: How they lie.
    """

    def __init__(self, found: PixelHeader, wire: Wire, layout: PixelLayout) -> None:
        if found.length == UNDEFINED_LENGTH:
            raise malformed("pixels without a length that are not encapsulated")
        length = layout.length(layout.frames, found.length)
        self.header = wire.header(found.tag, found.vr, length + length % 2)
        self._padding = bytes(length % 2)
        self._length = length
        self._announced = found.length
        self._stream = NativeStream(layout, wire, length)

    @property
    def passing(self) -> bool:
        """Whether any have come."""
        return self._stream.taken > 0

    def feed(self, data: Octets) -> list[Octets]:
        """Return what may go out of `data`."""
        stream = self._stream
        was_open = stream.taken < self._length
        passed = stream.feed(data)
        if was_open and stream.taken >= self._length:
            return [passed, self._padding]
        return [passed]

    def finish(self) -> None:
        """Refuse pixels that are fewer than their header says."""
        if self._stream.taken < self._announced:
            raise malformed("the data end within the pixels")


class EncapsulatedPixels:
    """The pixels of an object whose transfer syntax compresses them.

    Args:
        found: Their header.
        codestreams: What cleans them.
        frames: How many there must be.
    """

    def __init__(
        self, found: PixelHeader, codestreams: CodestreamWalker, frames: int
    ) -> None:
        if found.length != UNDEFINED_LENGTH or found.tag != PIXEL_DATA:
            raise malformed("compressed pixels that are not encapsulated")
        self.header = EXPLICIT_LITTLE.header(PIXEL_DATA, found.vr, UNDEFINED_LENGTH)
        self._codestreams = codestreams
        self._frames = frames
        self._waiting = b""
        self._table = False  # whether the Basic Offset Table is over
        self._left = 0  # bytes of the fragment that are still to come
        self._over = False
        self._taken = 0  # bytes that the codestreams got, and have returned
        self._returned = 0
        self._headers: deque[tuple[int, bytes]] = deque()

    @property
    def passing(self) -> bool:
        """Whether a codestream has begun as it should."""
        return self._returned > 0

    def feed(self, data: Octets) -> list[Octets]:
        """Return what may go out now."""
        out: list[Octets] = []
        data = b"".join((self._waiting, data)) if self._waiting else bytes(data)
        at, size = 0, len(data)
        while at < size and not self._over:
            after = (
                self._fragment(data, at, out)
                if self._left
                else self._item(data, at, out)
            )
            if after == at:
                break
            at = after
        self._waiting = b"" if self._over else data[at:]
        return out

    def finish(self) -> None:
        """Refuse pixels that have no end."""
        if not self._over:
            raise malformed("the data end within the pixels")

    def _fragment(self, data: bytes, at: int, out: list[Octets]) -> int:
        end = min(len(data), at + self._left)
        self._left -= end - at
        self._taken += end - at
        whole = at == 0 and end == len(data)
        cleaned = self._codestreams.feed(data if whole else data[at:end])
        if self._codestreams.images > self._frames:
            raise malformed("there are more images than frames")
        self._give(cleaned, out)
        return end

    def _give(self, cleaned: bytes, out: list[Octets]) -> None:
        """Give out bytes of codestreams with the item headers that lie in them."""
        start = self._returned
        end = start + len(cleaned)
        at = start
        while self._headers and self._headers[0][0] <= end:
            place, header = self._headers.popleft()
            out += (cleaned[at - start : place - start], header)
            at = place
        out.append(cleaned[at - start :] if at > start else cleaned)
        self._returned = end

    def _item(self, data: bytes, at: int, out: list[Octets]) -> int:
        if len(data) - at < _ITEM_HEADER.size:
            return at
        group, element, length = _ITEM_HEADER.unpack_from(data, at)
        tag = group << 16 | element
        if tag == SEQUENCE_DELIMITER and length == 0 and self._table:
            self._end(out)
            return len(data)
        if tag != ITEM or length % 2 or length == UNDEFINED_LENGTH:
            raise malformed("a fragment of the pixels is missing or has an odd length")
        after = at + _ITEM_HEADER.size
        if not self._table:
            return self._offsets(data, at, after + length, out)
        if length == 0:
            raise malformed("an empty fragment of the pixels")
        self._codestreams.boundary()
        self._headers.append((self._taken, data[at:after]))
        self._left = length
        return after

    def _offsets(self, data: bytes, at: int, end: int, out: list[Octets]) -> int:
        """Judge the Basic Offset Table. Source: PS3.5 A.4."""
        length = end - at - _ITEM_HEADER.size
        if length not in (0, 4 * self._frames):
            raise malformed("the offsets of the frames are not as many as the frames")
        if len(data) < end:
            return at
        offsets = struct.unpack_from(f"<{length // 4}I", data, at + _ITEM_HEADER.size)
        if offsets[:1] not in ((), (0,)) or any(a >= b for a, b in pairwise(offsets)):
            raise malformed("the offsets of the frames are not in ascending order")
        self._table = True
        out.append(data[at:end])
        return end

    def _end(self, out: list[Octets]) -> None:
        self._codestreams.finish()
        if self._codestreams.images != self._frames:
            raise malformed("there are fewer images than frames")
        out.append(EXPLICIT_LITTLE.sequence_delimiter)
        self._over = True


def pixel_stream(
    found: PixelHeader, transfer_syntax: str, values: Values
) -> NativePixels | EncapsulatedPixels:
    """Return what lets the pixels of an object pass.

    Args:
        found: Their header.
        transfer_syntax: UID, one of those that can be cleaned.
        values: Values by tag; those of `LAYOUT_TAGS` are read.

    Raises:
        DeidentificationError: They cannot be what they say.
    """
    float_vr, allocated = _FLOATS.get(found.tag, ("", None))
    if found.vr not in ((float_vr,) if float_vr else ("OB", "OW")):
        raise malformed("the VR of the pixels is none that they can have")
    layout = PixelLayout.from_facts(values, allocated)
    if is_native(transfer_syntax):
        return NativePixels(found, wire_of(transfer_syntax), layout)
    codestreams = walker(transfer_syntax, layout)
    return EncapsulatedPixels(found, codestreams, layout.frames)
