"""Collects what the gate must know of an object, while its head is walked."""

from orthanc_share.deidentification.gate import UNREADABLE, Facts, Gate
from orthanc_share.deidentification.wire import Wire

Texts = tuple[str, ...]


class Watch:
    """The facts of one object.

    Args:
        gate: Says what it needs.
        wanted: Elements of the main dataset that are wanted besides.
    """

    def __init__(self, gate: Gate, wanted: frozenset[int]) -> None:
        self._main = gate.needs | wanted
        self._nested = gate.needs_nested
        self._items = gate.needs_items
        within = frozenset[int]().union(*self._items.values())
        self.tags = self._main | self._nested | self._items.keys() | within
        self.clear()

    def clear(self) -> None:
        """Forget what was found."""
        self._values_found: dict[int, Texts] = {}
        self._nested_found: dict[int, Texts] = {}
        self._items_found: dict[int, list[dict[int, Texts]]] = {}
        self._top = 0
        self.facts = Facts(self._values_found, self._nested_found, self._items_found)

    def note(self, depth: int, tag: int, values: Texts | None) -> None:
        """Take an element.

        Args:
            depth: How many sequences are around it.
            tag: One of `tags`.
            values: Its values; None: it holds none that can be read.
        """
        values = UNREADABLE if values is None else values
        if depth == 0:
            if tag in self._main:
                self._values_found[tag] = values
            return
        if tag in self._nested:
            self._nested_found[tag] = self._nested_found.get(tag, ()) + values
        if depth == 1 and tag in self._items.get(self._top, ()):
            self._items_found[self._top][-1][tag] = values

    def enter_sequence(self, depth: int, tag: int) -> None:
        """Take notice of a sequence that is `depth` deep in others."""
        if depth == 0:
            self._top = tag

    def enter_item(self, depth: int) -> None:
        """Take notice of an item that has `depth` sequences around it."""
        if depth == 1 and self._top in self._items:
            self._items_found.setdefault(self._top, []).append({})

    def looks_into(self, wire: Wire, raw: bytes, tag: int) -> bool:
        """Tell whether a sequence that is dropped may hold something wanted.

        Args:
            wire: The encoding of the sequence.
            raw: Its bytes.
            tag: Its tag.
        """
        return tag in self._items or any(wire.tag(one) in raw for one in self._nested)
