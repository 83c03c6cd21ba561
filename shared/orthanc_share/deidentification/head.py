"""The dataset of an object up to its pixels, rewritten as the rules say.

One pass over the bytes, element by element, but for the passages that the image before
had in common with this one.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

from orthanc_share.deidentification.gate import Facts, Gate
from orthanc_share.deidentification.limits import IncompleteError, Limits
from orthanc_share.deidentification.passages import RAW_MAX, Found, Passage, Seen
from orthanc_share.deidentification.plan import Coder, Plan
from orthanc_share.deidentification.walk import Walk
from orthanc_share.deidentification.wire import (
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    LONG_HEADER,
    SHORT_HEADER,
    malformed,
)

FLOAT_PIXEL_DATA: Final = 0x7FE00008
DOUBLE_FLOAT_PIXEL_DATA: Final = 0x7FE00009
PIXEL_DATA: Final = 0x7FE00010

_PIXELS: Final = (FLOAT_PIXEL_DATA, DOUBLE_FLOAT_PIXEL_DATA, PIXEL_DATA)
_PIXEL_KEYS: Final = {
    wire.order: frozenset(map(wire.tag, _PIXELS))
    for wire in (EXPLICIT_LITTLE, EXPLICIT_BIG)
}
"""Byte order to the tags of pixels."""


class PixelHeader(NamedTuple):
    """The element header of the pixels.

    Args:
        tag: One of three.
        vr: Its VR.
        length: As it stands there; may be `UNDEFINED_LENGTH`.
        end: Where the value starts.
    """

    tag: int
    vr: str
    length: int
    end: int


@dataclass(slots=True)
class Head:
    """What was found before the pixels.

    Args:
        elements: What is written, by tag.
        facts: What the gate wants to know.
        pixels: The header of the pixels; None where the object has none.
    """

    elements: dict[int, bytes]
    facts: Facts
    pixels: PixelHeader | None = None


class HeadRewriter:
    """Rewrites the main dataset of an object.

    Args:
        plan: What the rules say.
        coder: The same in the encoding of the dataset.
        gate: What it needs is collected.
        wanted: Elements of the main dataset to collect besides.
        limits: What the object may cost.
    """

    def __init__(
        self,
        plan: Plan,
        coder: Coder,
        gate: Gate,
        wanted: frozenset[int],
        limits: Limits,
    ) -> None:
        self._plan = plan
        self._coder = coder
        self._limits = limits
        self._pixel_keys = _PIXEL_KEYS[coder.wire.order]
        self._wants, self._passages = coder.reading(gate, wanted)

    def rewrite(self, data: bytes, start: int, *, final: bool) -> Head:
        """Return the head of the dataset that starts at `start`.

        Args:
            data: All that has come so far.
            start: Where the dataset starts.
            final: Whether nothing more will come.

        Raises:
            DeidentificationError: It is malformed, or too big.
            IncompleteError: More is needed; never when `final`.
        """
        self._data = data
        self._walk = Walk(self._plan, self._coder, self._wants, self._limits, data)
        try:
            return self._main(start, final=final)
        except IncompleteError:
            if final:
                raise malformed("the data end within an element") from None
            raise

    def _main(self, at: int, *, final: bool) -> Head:
        data, size, width = self._data, len(self._data), self._coder.key_width
        head, found = Head({}, self._walk.watch.facts), list[Found]()
        known = self._passages.known
        last = -1
        while not (final and at == size):
            key = data[at : at + width]
            passage = known.get(key)
            if passage is not None and self._stands(passage, at, last):
                self._take(passage, head)
                found.append(passage)
                last, at = passage.last, at + passage.length
                continue
            if key[:4] in self._pixel_keys:
                head.pixels = self._pixel_header(at, last)
                break
            one, last, at = self._single(at, last, head)
            found.append(one)
        self._passages.learn(found)
        return head

    def _stands(self, passage: Passage, at: int, last: int) -> bool:
        """Tell whether a passage stands at `at`, and may stand there."""
        return (
            self._data.startswith(passage.raw, at)
            and last < passage.first
            and passage.count <= self._walk.left
        )

    def _take(self, passage: Passage, head: Head) -> None:
        """Take over what a passage came to before."""
        self._walk.left -= passage.count
        self._walk.watch.values.update(passage.told)
        head.elements.update(passage.elements)

    def _single(self, at: int, last: int, head: Head) -> tuple[Seen | None, int, int]:
        """Rewrite the element at `at`; return it, its tag, and where it ends."""
        walk, watch, left = self._walk, self._walk.watch, self._walk.left
        noted = watch.noted_within
        tag, piece, after = walk.element(self._coder, at, len(self._data), 0)
        if tag <= last:
            raise malformed("tags are not in ascending order", at)
        # Parts of a coded entry have no place here.
        written = piece if isinstance(piece, bytes) else b""
        if written:
            head.elements[tag] = written
        if after - at > RAW_MAX or noted != watch.noted_within:
            return None, tag, after
        raw, told = self._data[at:after], watch.values.get(tag)
        return Seen(tag, raw, written, told, left - walk.left), tag, after

    def _pixel_header(self, at: int, last: int) -> PixelHeader:
        data, coder, size = self._data, self._coder, len(self._data)
        if at + SHORT_HEADER > size:
            raise IncompleteError(at + SHORT_HEADER)
        key = data[at : at + coder.key_width]
        step = coder.steps.get(key) or coder.step(key, at)
        tag, vr, _, unpack, length_at, value_at, _, _ = step
        if value_at == LONG_HEADER:
            self._walk.check_long_header(at, size)
        if tag <= last:
            raise malformed("tags are not in ascending order", at)
        return PixelHeader(tag, vr, unpack(data, at + length_at)[0], at + value_at)
