"""A small cache whose entries expire, for several threads."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from time import monotonic
from typing import Generic, TypeVar

V = TypeVar("V")

CACHE_SIZE = 10_000
"""Entries that are kept; the least recently used goes first (as in the C++ plugin)."""


class ExpiringCache(Generic[V]):
    """Keeps values for as many seconds as was said when they were stored.

    Attributes:
        size: Greatest number of entries.
    """

    def __init__(
        self, size: int = CACHE_SIZE, clock: Callable[[], float] = monotonic
    ) -> None:
        self.size = size
        self._clock = clock
        self._entries: OrderedDict[Hashable, tuple[float, V]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable) -> V | None:
        """Return what is stored under `key` and has not expired."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            expiry, value = entry
            if self._clock() >= expiry:
                del self._entries[key]
                return None
            self._entries.move_to_end(key)
            return value

    def put(self, key: Hashable, value: V, validity: int) -> None:
        """Keep `value` for `validity` seconds; 0 keeps nothing."""
        if validity <= 0:
            return
        with self._lock:
            self._entries[key] = (self._clock() + validity, value)
            self._entries.move_to_end(key)
            if len(self._entries) > self.size:
                self._entries.popitem(last=False)
