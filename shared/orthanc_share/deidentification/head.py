"""The dataset of an object up to its pixels, rewritten as the rules say.

One pass: kept elements are copied unparsed, lengths are written anew and always
defined. What PS3.5 forbids is refused: two readers might understand it differently.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

from orthanc_share.deidentification.actions import Action, DeidentificationError
from orthanc_share.deidentification.coded import Item, sequence
from orthanc_share.deidentification.gate import Facts, Gate
from orthanc_share.deidentification.limits import IncompleteError, Limits
from orthanc_share.deidentification.plan import Coder, Plan, Step
from orthanc_share.deidentification.tables import is_no_text
from orthanc_share.deidentification.watch import Watch
from orthanc_share.deidentification.wire import (
    FRAGMENTED,
    ITEM,
    LONG_HEADER,
    NESTING,
    SEQUENCE_DELIMITER,
    SHORT_HEADER,
    UNDEFINED_LENGTH,
    malformed,
)

FLOAT_PIXEL_DATA: Final = 0x7FE00008
DOUBLE_FLOAT_PIXEL_DATA: Final = 0x7FE00009
PIXEL_DATA: Final = 0x7FE00010

_JUDGED_FROM: Final = 4  # bytes; fewer are no float and no text

_PIXELS: Final = frozenset({FLOAT_PIXEL_DATA, DOUBLE_FLOAT_PIXEL_DATA, PIXEL_DATA})


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
    """Rewrites one dataset.

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
        self._pixel_keys = frozenset(map(coder.wire.tag, _PIXELS))
        self._watch = Watch(gate, wanted)
        self._watched = self._watch.tags

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
        self._left = self._limits.elements
        self._watch.clear()
        try:
            return self._main(start, final=final)
        except IncompleteError:
            if final:
                raise malformed("the data end within an element") from None
            raise

    def _main(self, at: int, *, final: bool) -> Head:
        coder, data, size = self._coder, self._data, len(self._data)
        head = Head({}, self._watch.facts)
        last = -1
        while not (final and at == size):
            if data[at : at + 4] in self._pixel_keys:
                head.pixels = self._pixel_header(at, last)
                break
            tag, piece, after = self._element(coder, at, size, 0)
            if tag <= last:
                raise malformed("tags are not in ascending order", at)
            # Parts of a coded entry have no place here.
            if piece and isinstance(piece, bytes):
                head.elements[tag] = piece
            last, at = tag, after
        return head

    def _pixel_header(self, at: int, last: int) -> PixelHeader:
        data, coder, size = self._data, self._coder, len(self._data)
        if at + SHORT_HEADER > size:
            raise IncompleteError(at + SHORT_HEADER)
        step = coder.step(data[at : at + coder.key_width], at)
        tag, vr, _, unpack, length_at, value_at, _, _ = step
        if value_at == LONG_HEADER:
            self._check_long_header(at, size)
        if tag <= last:
            raise malformed("tags are not in ascending order", at)
        return PixelHeader(tag, vr, unpack(data, at + length_at)[0], at + value_at)

    def _check_long_header(self, at: int, bound: int) -> None:
        if at + LONG_HEADER > bound:
            raise self._short(at + LONG_HEADER, bound)
        if self._data[at + 6] or self._data[at + 7]:
            raise malformed("reserved bytes are not zero", at)

    def _short(self, needed: int, bound: int) -> Exception:
        """Return why bytes up to `needed` cannot be had within `bound`."""
        if bound == len(self._data):
            return IncompleteError(needed)
        return malformed("an element is longer than what it is in", bound)

    def _element(
        self, coder: Coder, at: int, bound: int, depth: int
    ) -> tuple[int, bytes | str, int]:
        """Return tag, what is written, and where the next element starts.

        What is written for a part of a coded entry is up to the entry: its value is
        returned as a text.
        """
        data = self._data
        if at + SHORT_HEADER > bound:
            raise self._short(at + SHORT_HEADER, bound)
        key = data[at : at + coder.key_width]
        step = coder.steps.get(key) or coder.step(key, at)
        tag, vr, action, unpack, length_at, value_at, unit, length_max = step
        if value_at == LONG_HEADER:
            self._check_long_header(at, bound)
        length = unpack(data, at + length_at)[0]
        self._left -= 1
        if self._left < 0:
            raise DeidentificationError("The object has too many elements.")
        after = at + value_at + length
        if length == UNDEFINED_LENGTH:
            return tag, *self._undefined(coder, step, at + value_at, bound, depth)
        if after > bound:
            raise self._short(after, bound)
        raw = data[at:after]
        if tag in self._watched:
            self._watch.note(depth, tag, coder.facts(vr, raw, value_at))
        if action is Action.KEEP:
            fits = not length % unit and length <= length_max
            fits = fits and (length < _JUDGED_FROM or is_no_text(coder.wire, step, raw))
            return tag, raw if fits else b"", after
        if vr == "SQ" or action is Action.RECURSE:
            return tag, self._nested(coder, step, at + value_at, after, depth), after
        if action is Action.DROP:
            return tag, b"", after
        piece = coder.pieces.get(raw)
        return tag, coder.piece(step, raw) if piece is None else piece, after

    def _nested(
        self, coder: Coder, step: Step, value: int, after: int, depth: int
    ) -> bytes:
        """Return what is written for a sequence of defined length."""
        tag, vr, action = step[:3]
        inner = coder if vr == "SQ" else self._plan.nested
        if action is not Action.RECURSE:
            # What is dropped is only looked into where the gate may want it.
            if self._watch.looks_into(inner.wire, self._data[value:after], tag):
                self._sequence(inner, tag, value, after, depth)
            return coder.fixed(tag, vr, action)
        body, _ = self._sequence(inner, tag, value, after, depth)
        return sequence(coder, step, body, had_items=value < after)

    def _undefined(
        self, coder: Coder, step: Step, value: int, bound: int, depth: int
    ) -> tuple[bytes, int]:
        """Return what is written for an element of undefined length, and its end."""
        tag, vr, action = step[:3]
        if vr in FRAGMENTED:
            return coder.fixed(tag, vr, action), self._fragments(value, bound)
        if vr not in NESTING:
            raise malformed("an undefined length where none may be", value)
        inner = coder if vr == "SQ" else self._plan.nested
        body, after = self._sequence(inner, tag, value, bound, depth, delimited=True)
        if action is not Action.RECURSE:
            return coder.fixed(tag, vr, action), after
        had_items = after - value > SHORT_HEADER  # besides the delimiter
        return sequence(coder, step, body, had_items=had_items), after

    def _fragments(self, at: int, bound: int) -> int:
        """Return where encapsulated data end that start at `at`."""
        while True:
            tag, length, at = self._item_header(self._coder, at, bound)
            if tag == SEQUENCE_DELIMITER and length == 0:
                return at
            if tag != ITEM or length == UNDEFINED_LENGTH:
                raise malformed("a fragment is missing", at)
            at += length
            if at > bound:
                raise self._short(at, bound)

    def _item_header(self, coder: Coder, at: int, bound: int) -> tuple[int, int, int]:
        """Return tag and length of an item or delimiter, and where it starts."""
        if at + SHORT_HEADER > bound:
            raise self._short(at + SHORT_HEADER, bound)
        group, element, length = coder.item_header(self._data, at)
        return group << 16 | element, length, at + SHORT_HEADER

    def _sequence(
        self,
        coder: Coder,
        tag: int,
        at: int,
        bound: int,
        depth: int,
        *,
        delimited: bool = False,
    ) -> tuple[bytes, int]:
        """Return the items of a sequence as they are written, and its end.

        Args:
            coder: The rules in the encoding of the items.
            tag: Of the sequence.
            at: Where the first item starts.
            bound: Where the last one ends, at the latest.
            depth: How many sequences are around it.
            delimited: Whether a delimiter tells where the last one ends.
        """
        if depth >= self._limits.depth:
            raise DeidentificationError("The object has too many nested sequences.")
        self._watch.enter_sequence(depth, tag)
        written: list[bytes] = []
        while delimited or at != bound:
            kind, length, at = self._item_header(coder, at, bound)
            if kind == SEQUENCE_DELIMITER and delimited and length == 0:
                break
            if kind != ITEM:
                raise malformed("an item is missing", at)
            item_end = None if length == UNDEFINED_LENGTH else at + length
            if item_end is not None and item_end > bound:
                raise self._short(item_end, bound)
            item_bound = bound if item_end is None else item_end
            body, at = self._item(coder, at, item_end, item_bound, depth + 1)
            if body is not None:
                written += (coder.wire.item_header(ITEM, len(body)), body)
        return b"".join(written), at

    def _item(
        self, coder: Coder, at: int, end: int | None, bound: int, depth: int
    ) -> tuple[bytes | None, int]:
        """Return an item as it is written, None if it is left out, and its end."""
        delimiter, data = coder.wire.item_delimiter, self._data
        item = Item(coder)
        self._watch.enter_item(depth)
        last = -1
        while at != end:
            if end is None and data[at : at + SHORT_HEADER] == delimiter:
                at += SHORT_HEADER
                break
            tag, piece, after = self._element(coder, at, bound, depth)
            if tag <= last:
                raise malformed("tags are not in ascending order", at)
            item.add(tag, piece)
            last, at = tag, after
        return item.written(), at
