"""The registry of a service without database: it asks token-service, which has it."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from orthanc_share.domain.clock import Clock
from orthanc_share.domain.errors import UpstreamError
from orthanc_share.registry import messages
from orthanc_share.registry.following import Follower
from orthanc_share.registry.links import Link, Opened, Opening, Ready, Refused
from orthanc_share.registry.register import Register
from orthanc_share.registry.tallies import WRITE_DOWN_EVERY, Tallies
from orthanc_share.registry.watch import Watch
from orthanc_share.store.news import NewsPage
from orthanc_share.store.records import Origin
from orthanc_share.upstream.calls import Calls

RESTART_AFTER = 2.0
"""Seconds until what stopped by a mistake is started again."""

_log = logging.getLogger(__name__)


class RemoteDesk:
    """Opens links by asking token-service; the `Desk` of the landing page.

    Args:
        calls: Asks token-service.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def look(
        self,
        link: Link,
        *,
        view: str | None = None,
        opening: Opening | None = None,
        origin: Origin | None = None,
    ) -> Ready | Refused:
        """Tell what a link is good for, see `Desk.look`."""
        question = messages.write_look(link, view, opening, origin)
        return messages.read_look(await self._calls.post("links/look", question))

    async def open(
        self,
        link: Link,
        *,
        password: str | None,
        origin: Origin,
        opening: Opening | None = None,
    ) -> Opened | Refused:
        """Open a link, see `Desk.open`.

        Where no answer comes, it is asked for once more: it may have been counted, and
        counts once. A wrong password whose answer is lost counts twice.
        """
        question = messages.write_open(link, password, origin, opening)
        try:
            answer = await self._calls.post("links/open", question)
        except UpstreamError:
            if opening is None:
                raise
            answer = await self._calls.post("links/open", question)
        return messages.read_open(answer)

    async def ping(self) -> None:
        """Return if token-service and its database answer.

        Raises:
            UpstreamError: They do not.
        """
        await self._calls.get("shares/news", {"cursor": "0"})


class RemoteWatch:
    """What a point of enforcement needs, by way of token-service.

    Args:
        calls: Asks token-service.
        grace: How long what is known may be used while it does not answer.
        clock: The present instant.
    """

    def __init__(self, calls: Calls, grace: timedelta, clock: Clock) -> None:
        self._calls = calls
        self._cursor = 0
        self.register = Register(grace)
        self.tallies = Tallies(clock)
        self.watch = Watch(self.register, self.tallies)
        self._follower = Follower(self.register, self.news_since)

    async def news_since(self, cursor: int) -> NewsPage:
        """Return what was revoked or changed after `cursor`, see `store.feed`.

        Raises:
            UpstreamError: token-service does not answer.
        """
        query = {"cursor": str(cursor)}
        page = messages.read_news(await self._calls.get("shares/news", query))
        self._cursor = page.cursor
        return page

    async def ping(self) -> None:
        """Return if token-service and its database answer.

        Raises:
            UpstreamError: They do not.
        """
        await self.news_since(self._cursor)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow the news, and report what is decided, for the block."""
        await self._follower.look()
        life = asyncio.create_task(self._live())
        try:
            yield
        finally:
            life.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await life
            await self.send()

    async def _live(self) -> None:
        while True:
            try:
                await self._work()
            except Exception:  # noqa: BLE001 - whatever it was, links must open again
                # Without news the register denies everything before long.
                _log.exception("token-service is not followed; it is tried again")
            await asyncio.sleep(RESTART_AFTER)

    async def _work(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follower.run())
            group.create_task(self._report())

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(WRITE_DOWN_EVERY)
            await self.send()

    async def send(self) -> None:
        """Report what was granted and denied; what cannot be reported is kept.

        Where an answer is lost, grants and denials may be counted twice; views not.
        """
        parts = [*messages.parts_of(self.tallies.take())]
        while parts:
            try:
                await self._calls.post(
                    "shares/tallies", messages.write_report(parts[0])
                )
            except UpstreamError as error:
                _log.warning("counts wait to be sent", extra={"detail": str(error)})
                for part in parts:
                    self.tallies.give_back(part)
                return
            del parts[0]
