"""Ask once for many: a small cache in which equal questions share one answer."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Generic, TypeVar

from orthanc_share.domain.errors import UpstreamError

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

Monotonic = Callable[[], float]
"""Seconds of a clock that never goes back; `time.monotonic`, or one of a test."""


@dataclass(frozen=True, slots=True)
class _Entry(Generic[V]):
    """A good answer or a failure, and the monotonic second at which it is forgotten."""

    outcome: V | UpstreamError = field(repr=False)
    until: float


class SingleFlight(Generic[K, V]):
    """Answers of another server by key, kept for a short time.

    Callers that ask for the same key at the same time wait for one request. A caller
    that goes away does not take the request with it: the others still want the answer.

    Args:
        lifetime: How long a good answer is kept.
        failure_lifetime: How long an `UpstreamError` is repeated without asking.
        max_entries: Above it the answer that is forgotten next anyway goes first.
        monotonic: Clock, in seconds.
    """

    def __init__(
        self,
        *,
        lifetime: timedelta,
        failure_lifetime: timedelta,
        max_entries: int,
        monotonic: Monotonic,
    ) -> None:
        self._lifetime = lifetime.total_seconds()
        self._failure_lifetime = failure_lifetime.total_seconds()
        self._max_entries = max_entries
        self._monotonic = monotonic
        self._entries: OrderedDict[K, _Entry[V]] = OrderedDict()
        self._flying: dict[K, asyncio.Task[V]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    async def get(self, key: K, ask: Callable[[], Awaitable[V]]) -> V:
        """Return the answer for `key`, from `ask` if there is none yet.

        Raises:
            UpstreamError: What `ask` raised, now or a moment ago.
        """
        entry = self._entries.get(key)
        if entry is not None and self._monotonic() < entry.until:
            return _unwrap(entry.outcome)
        task = self._flying.get(key)
        if task is None:
            task = asyncio.create_task(self._fly(key, ask))
            self._flying[key] = task
            task.add_done_callback(lambda done: self._land(key, done))
        return await asyncio.shield(task)

    async def aclose(self) -> None:
        """Give up the requests that are under way, and forget everything."""
        tasks = list(self._flying.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._entries.clear()

    async def _fly(self, key: K, ask: Callable[[], Awaitable[V]]) -> V:
        """Ask, and keep what came."""
        try:
            value = await ask()
        except UpstreamError as error:
            self._keep(key, error.with_traceback(None), self._failure_lifetime)
            raise
        self._keep(key, value, self._lifetime)
        return value

    def _land(self, key: K, task: asyncio.Task[V]) -> None:
        """Forget the finished request; its failure counts as seen if nobody waits."""
        del self._flying[key]
        if not task.cancelled():
            task.exception()

    def _keep(self, key: K, outcome: V | UpstreamError, lifetime: float) -> None:
        """Remember an outcome, and make room for it."""
        now = self._monotonic()
        self._entries.pop(key, None)
        self._entries[key] = _Entry(outcome, now + lifetime)
        # Entries lie in the order of their making, so the oldest are in front.
        while self._entries and self._is_front_superfluous(now):
            self._entries.popitem(last=False)

    def _is_front_superfluous(self, now: float) -> bool:
        """Whether the oldest entry is over, or one too many."""
        oldest = next(iter(self._entries.values()))
        return oldest.until <= now or len(self._entries) > self._max_entries


def _unwrap(outcome: V | UpstreamError) -> V:
    """Return a value; raise an error afresh, so that its traceback does not grow."""
    if isinstance(outcome, UpstreamError):
        raise outcome.with_traceback(None)
    return outcome
