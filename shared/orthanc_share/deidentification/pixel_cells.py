"""Pixels that are not compressed: how long they are, and which bits are pixels.

Bits of a cell that are not part of the stored value held overlays once (retired): they
survive the removal of group 60xx, so they are made what a reader ignores.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from orthanc_share.deidentification.wire import malformed
from orthanc_share.domain.octets import Octets

_SAMPLES: Final = 0x00280002
_PHOTOMETRIC: Final = 0x00280004
_FRAMES: Final = 0x00280008
_ROWS: Final = 0x00280010
_COLUMNS: Final = 0x00280011
_ALLOCATED: Final = 0x00280100
_STORED: Final = 0x00280101
_HIGH_BIT: Final = 0x00280102
_REPRESENTATION: Final = 0x00280103

LAYOUT_TAGS: Final = frozenset(
    {
        *(_SAMPLES, _PHOTOMETRIC, _FRAMES, _ROWS, _COLUMNS),
        *(_ALLOCATED, _STORED, _HIGH_BIT, _REPRESENTATION),
    }
)
"""The elements that `PixelLayout.from_facts` reads. Source: PS3.3 C.7.6.3."""

_LAYOUT_ORDER: Final = tuple(LAYOUT_TAGS)

_CELLS: Final = {8: "u1", 16: "u2", 32: "u4", 64: "u8"}
_SIZE_MAX: Final = 65_535
_SAMPLES_MAX: Final = 4
_HALVED: Final = frozenset({"YBR_FULL_422", "YBR_PARTIAL_422"})


@dataclass(frozen=True, slots=True)
class PixelLayout:
    """How the pixels of an object lie in its bytes.

    Args:
        rows: Height of a frame.
        columns: Width of a frame.
        samples: Numbers per pixel.
        frames: Number of frames.
        allocated: Bits per cell.
        stored: Bits of them that are the pixel.
        high_bit: The uppermost of those.
        signed: Whether it is a sign.
        halved: Whether two pixels may share their colour (YBR_FULL_422).
    """

    rows: int
    columns: int
    samples: int
    frames: int
    allocated: int
    stored: int
    high_bit: int
    signed: bool = False
    halved: bool = False

    @classmethod
    def from_facts(
        cls, values: Mapping[int, Sequence[str]], allocated: int | None = None
    ) -> "PixelLayout":
        """Read the layout from the elements of `LAYOUT_TAGS`.

        Args:
            values: Values by tag.
            allocated: Bits per cell where they follow from the tag of the pixels
                (float pixels); then all of them are stored.

        Raises:
            DeidentificationError: They are missing, or contradict each other.
        """
        # The images of a series lie alike.
        known = tuple([tuple(values.get(tag, ())) for tag in _LAYOUT_ORDER])
        return cls._read(known, allocated)

    @classmethod
    @lru_cache(maxsize=256)
    def _read(
        cls, known: tuple[tuple[str, ...], ...], allocated: int | None
    ) -> "PixelLayout":
        values = dict(zip(_LAYOUT_ORDER, known, strict=True))
        if allocated is None:
            allocated = _number(values, _ALLOCATED)
            stored = _number(values, _STORED, allocated)
            high_bit = _number(values, _HIGH_BIT, stored - 1)
        else:
            stored, high_bit = allocated, allocated - 1
        photometric = "".join(values.get(_PHOTOMETRIC, ()))
        layout = cls(
            rows=_number(values, _ROWS),
            columns=_number(values, _COLUMNS),
            samples=_number(values, _SAMPLES, 1),
            frames=_number(values, _FRAMES, 1),
            allocated=allocated,
            stored=stored,
            high_bit=high_bit,
            signed=_number(values, _REPRESENTATION, 0) == 1,
            halved=photometric in _HALVED,
        )
        if not layout.consistent:
            raise malformed("rows, columns or bits of the pixels cannot be")
        return layout

    @property
    def consistent(self) -> bool:
        """Whether the numbers can be those of an image."""
        sizes = 1 <= self.rows <= _SIZE_MAX and 1 <= self.columns <= _SIZE_MAX
        counts = 1 <= self.samples <= _SAMPLES_MAX and self.frames >= 1
        if self.allocated == 1:
            return sizes and counts and self.stored == 1 and self.high_bit == 0
        cells = self.allocated in _CELLS and 1 <= self.stored <= self.allocated
        return sizes and counts and cells and self._bits_fit

    @property
    def _bits_fit(self) -> bool:
        return self.stored - 1 <= self.high_bit < self.allocated

    @property
    def cell(self) -> int:
        """Bytes per cell; 1 where a byte holds several pixels."""
        return max(self.allocated // 8, 1)

    def length(self, frames: int, available: int) -> int:
        """Return how many bytes that many frames have, without padding.

        Args:
            frames: Number of frames.
            available: Bytes that there are. Objects that are called YBR_FULL_422 may
                have been converted to full colour without saying so.

        Raises:
            DeidentificationError: There are fewer.
        """
        bits = self.rows * self.columns * self.samples * frames * self.allocated
        full = (bits + 7) // 8
        if self.halved and available < full:
            full = full * 2 // 3
        if available < full:
            raise malformed("there are fewer pixels than rows and columns say")
        return full

    @property
    def has_spare_bits(self) -> bool:
        """Whether cells have bits that are not pixels."""
        return self.stored < self.allocated


def _number(
    values: Mapping[int, Sequence[str]], tag: int, default: int | None = None
) -> int:
    found = values.get(tag, ())
    if not found and default is not None:
        return default
    if len(found) == 1 and found[0].isascii() and found[0].isdigit():
        return int(found[0][:_DIGITS_MAX])
    raise malformed("a number that describes the pixels is missing or is none")


_DIGITS_MAX: Final = 12  # VR IS has no more


class CellCleaner:
    """Makes the bits of each cell that are not pixels zero, or copies of the sign.

    Args:
        layout: Says which bits these are.
        order: Byte order, `<` or `>`.
    """

    def __init__(self, layout: PixelLayout, order: str) -> None:
        kind = order + _CELLS[layout.allocated]
        self._cells = np.dtype(kind)
        self._signed = np.dtype(kind.replace("u", "i"))
        self._layout = layout
        low = layout.high_bit + 1 - layout.stored
        self._spare = ((1 << layout.allocated) - 1) ^ (
            ((1 << layout.stored) - 1) << low
        )
        self._rest = b""

    def feed(self, data: Octets) -> Octets:
        """Return the whole cells that there are now, cleaned."""
        if self._rest:
            data = self._rest + data
        whole = len(data) - len(data) % self._cells.itemsize
        self._rest = bytes(data[whole:])
        if self._rest:
            data = data[:whole]
        return self._cleaned(data)

    def _cleaned(self, data: Octets) -> Octets:
        if not data:
            return data
        layout = self._layout
        if layout.signed:
            cells = np.frombuffer(data, self._signed)
            low = layout.high_bit + 1 - layout.stored
            up = layout.allocated - 1 - layout.high_bit
            shifted = ((cells << up) >> (up + low)) << low
            return bytes(shifted.astype(self._signed, copy=False))
        cells = np.frombuffer(data, self._cells)
        used = int(np.bitwise_or.reduce(cells))
        if not used & self._spare:
            return data
        kept = np.array(~self._spare & ((1 << layout.allocated) - 1), self._cells)
        return bytes((cells & kept).astype(self._cells, copy=False))
