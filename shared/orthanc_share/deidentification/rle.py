"""RLE images: what their segments hold beyond the pixels is blanked.

Source: PS3.5 annex G.
"""

import struct
from itertools import pairwise
from typing import Final

from typing_extensions import override

from orthanc_share.deidentification.codestream import CodestreamWalker
from orthanc_share.deidentification.pixel_cells import PixelLayout
from orthanc_share.deidentification.wire import malformed

_HEADER: Final = struct.Struct("<16I")
_NOTHING: Final = 128  # the byte that stands for no pixels
_ENDLESS: Final = 1 << 32


class RleWalker(CodestreamWalker):
    """Walks over RLE images, one per fragment; see `CodestreamWalker`.

    Args:
        layout: Says how many bytes each segment stands for, and how many there are.
    """

    def __init__(self, layout: PixelLayout) -> None:
        super().__init__()
        self._area = layout.rows * layout.columns
        self._segments = layout.samples * layout.cell
        self._ends: list[int] = []
        self._position = 0  # from the start of the image
        self._produced = 0  # pixels of the segment so far

    @override
    def boundary(self) -> None:
        if self.images:
            self.finish()
        self._starts = True

    @override
    def finish(self) -> None:
        last = len(self._ends) == 1 and self._produced == self._area
        if self._starts or self._held_length or not last:
            raise malformed("an RLE image ends too early")

    @override
    def _start(self, data: bytes, at: int) -> int:
        if not self._has(data, at, _HEADER.size):
            return at
        count, *offsets = _HEADER.unpack_from(data, at)
        used, unused = offsets[:count], offsets[count:]
        ascending = all(one < other for one, other in pairwise(used))
        fits = count == self._segments and used[:1] == [_HEADER.size]
        if not fits or not ascending or any(unused):
            raise malformed("the header of an RLE image cannot be")
        self._starts = self._ended = False
        self.images += 1
        self._ends = [*used[1:], _ENDLESS]
        self._position, self._produced = _HEADER.size, 0
        return self._pass(data, at, at + _HEADER.size)

    @override
    def _begin(self) -> None:
        """Nothing: `_start` does it."""

    @override
    def _walk(self, data: bytes, at: int) -> int:
        if self._position == self._ends[0]:
            self._next_segment()
        limit = min(len(data), at + self._ends[0] - self._position)
        if self._produced == self._area:
            self._out.append(bytes(limit - at))
            after = limit
        else:
            after = self._packets(data, at, limit)
        self._position += after - at
        return after

    def _next_segment(self) -> None:
        if self._produced != self._area:
            raise malformed("a segment of an RLE image is too short")
        del self._ends[0]
        self._produced = 0

    def _packets(self, data: bytes, at: int, limit: int) -> int:
        """Walk over packets until the segment, the data or the pixels end."""
        start, produced, area = at, self._produced, self._area
        while at < limit and produced < area:
            head = data[at]
            size = head + 2 if head < _NOTHING else 2 - (head == _NOTHING)
            if at + size > limit:
                self._too_long(limit < len(data), size)
                break
            at += size
            if head != _NOTHING:
                produced += head + 1 if head < _NOTHING else 257 - head
        if produced > area:
            raise malformed("an RLE image has too many pixels")
        self._produced = produced
        return at if at == start else self._pass(data, start, at)

    def _too_long(self, beyond: bool, size: int) -> None:  # noqa: FBT001
        if beyond:
            raise malformed("a packet is longer than its segment of an RLE image")
        self._needed = size
