"""The elements of a dataset, in all its sequences, rewritten as the rules say.

Kept elements are copied unparsed, lengths are written anew and always defined.
Everything that PS3.5 forbids is refused: two readers might understand it differently,
and only one of them would be this one.
"""

from typing import Final

from orthanc_share.deidentification.actions import Action, DeidentificationError
from orthanc_share.deidentification.coded import Item, sequence
from orthanc_share.deidentification.limits import IncompleteError, Limits
from orthanc_share.deidentification.plan import Coder, Plan, Step
from orthanc_share.deidentification.tables import is_no_text
from orthanc_share.deidentification.watch import Wants, Watch
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

_JUDGED_FROM: Final = 4  # bytes; fewer are no float and no text


class Walk:
    """One walk through the bytes of a dataset.

    Args:
        plan: What the rules say.
        coder: The same in the encoding of the dataset.
        wants: What is to be noted on the way.
        limits: What the object may cost.
        data: All that has come so far.

    Attributes:
        watch: What was noted.
        left: Elements that there may still be.
    """

    def __init__(
        self, plan: Plan, coder: Coder, wants: Wants, limits: Limits, data: bytes
    ) -> None:
        self._plan = plan
        self._coder = coder
        self._depth_max = limits.depth
        self._data = data
        self._wants = wants
        self._watched = wants.tags
        self.watch = Watch(wants)
        self.left = limits.elements

    def check_long_header(self, at: int, bound: int) -> None:
        """Refuse an element header with a long length that is none."""
        if at + LONG_HEADER > bound:
            raise self._short(at + LONG_HEADER, bound)
        if self._data[at + 6] or self._data[at + 7]:
            raise malformed("reserved bytes are not zero", at)

    def _short(self, needed: int, bound: int) -> Exception:
        """Return why bytes up to `needed` cannot be had within `bound`."""
        if bound == len(self._data):
            return IncompleteError(needed)
        return malformed("an element is longer than what it is in", bound)

    def element(
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
            self.check_long_header(at, bound)
        length = unpack(data, at + length_at)[0]
        self.left -= 1
        if self.left < 0:
            raise DeidentificationError("The object has too many elements.")
        after = at + value_at + length
        if length == UNDEFINED_LENGTH:
            return tag, *self._undefined(coder, step, at + value_at, bound, depth)
        if after > bound:
            raise self._short(after, bound)
        raw = data[at:after]
        if tag in self._watched:
            self.watch.note(depth, tag, coder.facts(vr, raw, value_at))
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
            if self._wants.looks_into(inner.wire, self._data[value:after], tag):
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
        if depth >= self._depth_max:
            raise DeidentificationError("The object has too many nested sequences.")
        self.watch.enter_sequence(depth, tag)
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
        self.watch.enter_item(depth)
        last = -1
        while at != end:
            if end is None and data[at : at + SHORT_HEADER] == delimiter:
                at += SHORT_HEADER
                break
            tag, piece, after = self.element(coder, at, bound, depth)
            if tag <= last:
                raise malformed("tags are not in ascending order", at)
            item.add(tag, piece)
            last, at = tag, after
        return item.written(), at
