"""One timer for many that are waited for equally long."""

from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeVar

W = TypeVar("W", bound=Hashable)


class Timers(Protocol):
    """What is needed of an event loop."""

    def time(self) -> float:
        """Return the present instant, in seconds."""

    def call_later(self, delay: float, callback: Callable[[], object], /) -> object:
        """Call something in so many seconds."""


class Deadlines(Generic[W]):
    """Those that are waited for, each with the instant at which its time is over.

    All may take equally long, so that the order in which they came is that in which
    they end: one timer for the first of them is enough. To begin and to end a wait
    costs a dictionary entry, where a timer of its own costs a dozen times as much.

    Args:
        loop: The event loop.
        limit: How long is waited, in seconds.
        over: Called with each whose time is over; must not raise.
    """

    def __init__(
        self,
        loop: Timers,
        limit: float,
        over: Callable[[W], None],
    ) -> None:
        self._loop = loop
        self._limit = limit
        self._over = over
        self._ends: dict[W, float] = {}
        self._has_timer = False

    def add(self, waited_for: W) -> None:
        """Begin to wait, unless that has begun already."""
        if waited_for in self._ends:
            return
        self._ends[waited_for] = self._loop.time() + self._limit
        if not self._has_timer:
            self._start_timer(self._limit)

    def discard(self, waited_for: W) -> None:
        """Wait no longer."""
        # The timer goes on: to let it find nothing is cheaper than to stop it.
        self._ends.pop(waited_for, None)

    def _start_timer(self, seconds: float) -> None:
        self._has_timer = True
        self._loop.call_later(seconds, self._end_those_due)

    def _end_those_due(self) -> None:
        self._has_timer = False
        now = self._loop.time()
        for waited_for in [one for one, end in self._ends.items() if end <= now]:
            del self._ends[waited_for]
            self._over(waited_for)
        first = next(iter(self._ends.values()), None)
        if first is not None and not self._has_timer:
            self._start_timer(first - now)
