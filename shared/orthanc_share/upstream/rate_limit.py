"""How much may go out in a stretch of time."""

from collections import deque
from datetime import timedelta

from orthanc_share.upstream.single_flight import Monotonic


class SlidingWindow:
    """Counts what happened lately, and says no above a limit.

    Args:
        limit: Most events within one window.
        window: Its length.
        monotonic: Clock, in seconds.
    """

    def __init__(self, limit: int, window: timedelta, monotonic: Monotonic) -> None:
        self._limit = limit
        self._window = window.total_seconds()
        self._monotonic = monotonic
        self._events: deque[float] = deque()

    def take(self, amount: int) -> bool:
        """Count `amount` events if all of them fit, else none; return whether."""
        now = self._monotonic()
        while self._events and self._events[0] <= now - self._window:
            self._events.popleft()
        if len(self._events) + amount > self._limit:
            return False
        self._events.extend([now] * amount)
        return True
