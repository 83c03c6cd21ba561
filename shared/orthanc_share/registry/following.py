"""Keeps the register up to date: asks for news once a second."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from orthanc_share.domain.errors import OrthancShareError
from orthanc_share.registry.register import Monotonic, Register
from orthanc_share.store.news import NewsPage

INTERVAL = 1.0
"""Seconds between two looks; a revocation holds everywhere within two seconds."""

ASK_TIMEOUT = 5.0
"""Longest wait for news, in seconds."""

Source = Callable[[int], Awaitable[NewsPage]]
"""Returns the news after a cursor; 0: all that matter still.

Raises an error of ours where it cannot.
"""

_log = logging.getLogger(__name__)


class Follower:
    """Tells a register what is new.

    Args:
        register: Takes in the news.
        source: Gives them.
        monotonic: Clock, in seconds.
        interval: Seconds between two looks.
    """

    def __init__(
        self,
        register: Register,
        source: Source,
        *,
        monotonic: Monotonic = time.monotonic,
        interval: float = INTERVAL,
    ) -> None:
        self._register = register
        self._source = source
        self._monotonic = monotonic
        self._interval = interval
        self._cursor = 0
        self._is_cut_off = False

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(self._interval)

    async def look(self) -> None:
        """Take in all that is new, if there is somebody to ask."""
        try:
            async with asyncio.timeout(ASK_TIMEOUT):
                await self._catch_up()
        except (OrthancShareError, TimeoutError) as error:
            if not self._is_cut_off:
                _log.warning(
                    "revocations cannot be read; the known ones are used",
                    extra={"detail": str(error)},
                )
            self._is_cut_off = True
            return
        if self._is_cut_off:
            _log.info("revocations can be read again")
        self._is_cut_off = False

    async def _catch_up(self) -> None:
        while True:
            asked_at = self._monotonic()
            page = await self._source(self._cursor)
            self._register.learn(page)
            self._cursor = page.cursor
            if not page.more:
                self._register.confirm(asked_at)
                return
