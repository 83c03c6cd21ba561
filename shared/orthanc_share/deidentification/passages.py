"""Passages of a head that stand in image after image, rewritten only once.

The images of a series have nine out of ten elements in common, byte for byte. What an
element of the main dataset comes to depends on nothing but its own bytes: so where the
same elements follow each other again, what they came to is taken as a whole.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from orthanc_share.deidentification.watch import Texts

RAW_MAX: Final = 2_048
"""Bytes of an element; longer ones, which take no longer, are part of no passage."""

SEEN_MAX: Final = 512
"""Elements that are compared with those of the next image."""

NEW_MIN: Final = 8
"""Elements that were read one by one, though they repeat, for which it is worth while
to look for passages again."""

_LENGTH_MIN: Final = 2  # elements of a passage


@dataclass(frozen=True, slots=True)
class Seen:
    """An element of a main dataset, and what it came to.

    Args:
        tag: Its tag.
        raw: Its bytes.
        piece: What is written for it; empty for nothing.
        values: What the gate is told of it; None: nothing.
        count: Number of elements that it is, with those within it.
    """

    tag: int
    raw: bytes = field(repr=False)
    piece: bytes = field(repr=False)
    values: Texts | None = field(repr=False)
    count: int


class Passage:
    """Elements that follow each other.

    Args:
        parts: The elements, at least one.
    """

    __slots__ = ("count", "elements", "first", "last", "length", "parts", "raw", "told")

    def __init__(self, parts: Sequence[Seen]) -> None:
        self.parts = parts
        self.first, self.last = parts[0].tag, parts[-1].tag
        self.raw = b"".join([one.raw for one in parts])
        self.length = len(self.raw)
        self.count = sum(one.count for one in parts)
        self.elements = {one.tag: one.piece for one in parts if one.piece}
        self.told = {one.tag: one.values for one in parts if one.values is not None}


Found = Passage | Seen | None
"""What a head consists of; None: an element that is not to be remembered."""


class Passages:
    """The passages of the images of a share that have one encoding.

    Threads may share it: what is read is replaced as a whole.

    Args:
        key_width: Bytes of an element by which a passage is found.

    Attributes:
        known: Passages by their first bytes.
    """

    def __init__(self, key_width: int) -> None:
        self._key_width = key_width
        self.remembered: dict[int, bytes] = {}
        self.known: Mapping[bytes, Passage] = {}

    def learn(self, found: Sequence[Found]) -> None:
        """Take notice of a whole head.

        Args:
            found: Its elements in their order.
        """
        if len(found) > SEEN_MAX:
            return
        repeated = self._repeated(found)
        if len(repeated) >= NEW_MIN:
            self.known = self._passages(found, repeated)

    def _repeated(self, found: Iterable[Found]) -> set[int]:
        """Return the tags of the elements that stood so in the image before."""
        repeated = set()
        if len(self.remembered) > SEEN_MAX:
            self.remembered = {}
        seen = self.remembered
        for one in found:
            if isinstance(one, Seen):
                if seen.get(one.tag) == one.raw:
                    repeated.add(one.tag)
                else:
                    seen[one.tag] = one.raw
        return repeated

    def _passages(
        self, found: Iterable[Found], repeated: set[int]
    ) -> Mapping[bytes, Passage]:
        passages = {}
        for is_repeated, group in groupby(_flat(found, repeated), _is_seen):
            parts = [one for one in group if one is not None]
            if is_repeated and len(parts) >= _LENGTH_MIN:
                passages[parts[0].raw[: self._key_width]] = Passage(parts)
        return passages


def _is_seen(one: Seen | None) -> bool:
    return one is not None


def _flat(found: Iterable[Found], repeated: set[int]) -> Iterator[Seen | None]:
    """Yield the elements that repeat, None for others."""
    for one in found:
        if isinstance(one, Passage):
            yield from one.parts
        else:
            yield one if one is not None and one.tag in repeated else None
