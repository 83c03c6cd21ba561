"""Sends the notices that wait in the store, one after the other, some at once."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import assert_never

from orthanc_share.domain.clock import Clock
from orthanc_share.registry.announcing import message_id_of
from orthanc_share.store.errors import StoreUnavailableError
from orthanc_share.store.outbox import Claimed
from orthanc_share.store.store import Store
from orthanc_share.upstream.notices import SEND_TIMEOUT, Delivery, NoticeSender

AT_ONCE = 4
"""Notices that are sent at the same time."""

LOOK_EVERY = 2.0
"""Seconds between two looks for notices when there are none."""

LEASE = 4 * SEND_TIMEOUT
"""How long a notice belongs to who has taken it: longer than sending can take. When
a process ends meanwhile, another takes the notice after that time."""

Sleep = Callable[[float], Awaitable[object]]
"""Returns after so many seconds: `asyncio.sleep`, or one of a test."""

_log = logging.getLogger(__name__)


class Notifier:
    """Sends what waits in the outbox of a store.

    Args:
        store: Gives the store; raises `StoreUnavailableError` while there is none.
        sender: Sends one notice.
        clock: The present instant.
        sleep: How it waits.
        at_once: How many notices are sent at the same time.
    """

    def __init__(
        self,
        store: Callable[[], Store],
        sender: NoticeSender,
        clock: Clock,
        *,
        sleep: Sleep = asyncio.sleep,
        at_once: int = AT_ONCE,
    ) -> None:
        self._store = store
        self._sender = sender
        self._clock = clock
        self._sleep = sleep
        self._at_once = at_once
        # Who finds nothing keeps the turn while it waits: one looks, not all.
        self._turn = asyncio.Lock()

    async def run(self) -> None:
        """Send until cancelled; what is under way then is sent again later."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._at_once):
                group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            async with self._turn:
                taken = await self._take()
                if not taken:
                    await self._sleep(LOOK_EVERY)
            await self._send_all(taken)

    async def send_one(self) -> bool:
        """Send the notice that has waited longest, if there is one.

        Returns:
            Whether it was sent or put off; False too if the database cannot be reached.
        """
        taken = await self._take()
        return bool(taken) and await self._send_all(taken)

    async def _take(self) -> Sequence[Claimed]:
        try:
            return await self._store().outbox.claim(
                now=self._clock(), lease=LEASE, limit=1
            )
        except StoreUnavailableError:
            _log.warning("notices wait: the database cannot be reached")
            return ()

    async def _send_all(self, taken: Sequence[Claimed]) -> bool:
        """Send them one by one; tell whether what came of it is written down."""
        try:
            for claimed in taken:
                await self._send(claimed)
        except StoreUnavailableError:
            _log.warning("a notice is sent again: the database cannot be reached")
            return False
        return True

    async def _send(self, claimed: Claimed) -> None:
        notice, outbox = claimed.notice, self._store().outbox
        delivery = await self._sender.send(
            notice.target, message_id_of(notice.body), notice.body, now=self._clock()
        )
        told = {"share": notice.share_id, "attempt": claimed.attempts}
        match delivery:
            case Delivery.DELIVERED:
                await outbox.delivered(claimed)
                _log.info("notice delivered", extra=told)
            case Delivery.GONE:
                await outbox.give_up(claimed)
                _log.warning("notice not wanted; given up", extra=told)
            case Delivery.FAILED:
                again = await outbox.failed(claimed, now=self._clock())
                words = "given up" if again is None else "it is tried again"
                _log.warning("notice not delivered; %s", words, extra=told)
            case _ as never:
                assert_never(never)
