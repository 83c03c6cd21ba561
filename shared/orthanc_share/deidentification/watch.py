"""Collects what the gate must know of an object, while its head is walked."""

from collections.abc import Mapping

from orthanc_share.deidentification.gate import UNREADABLE, Facts
from orthanc_share.deidentification.wire import Wire

Texts = tuple[str, ...]


class Wants:
    """What is wanted of every object.

    Args:
        main: Elements of the main dataset, for the gate.
        nested: Elements of all sequences.
        items: Sequences of the main dataset, with elements of their items.
        more: Elements of the main dataset that are wanted besides.

    Attributes:
        of: The arguments.
        main: All elements of the main dataset.
        tags: All that is wanted anywhere.
    """

    def __init__(
        self,
        main: frozenset[int],
        nested: frozenset[int],
        items: Mapping[int, frozenset[int]],
        more: frozenset[int],
    ) -> None:
        self.of = (main, nested, items, more)
        self.main = main | more
        self.nested = nested
        self.items = items
        within = frozenset[int]().union(*items.values())
        self.tags = self.main | nested | items.keys() | within

    def looks_into(self, wire: Wire, raw: bytes, tag: int) -> bool:
        """Tell whether a sequence that is dropped may hold something wanted.

        Args:
            wire: The encoding of the sequence.
            raw: Its bytes.
            tag: Its tag.
        """
        return tag in self.items or any(wire.tag(one) in raw for one in self.nested)


class Watch:
    """The facts of one object.

    Args:
        wants: What is wanted.

    Attributes:
        noted_within: How much was noted that lies within sequences.
    """

    def __init__(self, wants: Wants) -> None:
        self._wants = wants
        self.clear()

    def clear(self) -> None:
        """Forget what was found."""
        self.values: dict[int, Texts] = {}
        self._nested: dict[int, Texts] = {}
        self._items: dict[int, list[dict[int, Texts]]] = {}
        self._top = 0
        self.noted_within = 0
        self.facts = Facts(self.values, self._nested, self._items)

    def note(self, depth: int, tag: int, values: Texts | None) -> None:
        """Take an element.

        Args:
            depth: How many sequences are around it.
            tag: One of `Wants.tags`.
            values: Its values; None: it holds none that can be read.
        """
        values = UNREADABLE if values is None else values
        if depth == 0:
            if tag in self._wants.main:
                self.values[tag] = values
            return
        self.noted_within += 1
        if tag in self._wants.nested:
            self._nested[tag] = self._nested.get(tag, ()) + values
        if depth == 1 and tag in self._wants.items.get(self._top, ()):
            self._items[self._top][-1][tag] = values

    def enter_sequence(self, depth: int, tag: int) -> None:
        """Take notice of a sequence that is `depth` deep in others."""
        if depth == 0:
            self._top = tag

    def enter_item(self, depth: int) -> None:
        """Take notice of an item that has `depth` sequences around it."""
        if depth == 1 and self._top in self._wants.items:
            self.noted_within += 1
            self._items.setdefault(self._top, []).append({})
