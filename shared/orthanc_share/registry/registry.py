"""The registry as a service runs it: a store, and what works beside it."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from orthanc_share.domain.clock import Clock
from orthanc_share.domain.errors import ConfigurationError
from orthanc_share.domain.viewer import ViewerLinks
from orthanc_share.registry.desk import StoreDesk
from orthanc_share.registry.following import Follower
from orthanc_share.registry.options import RegistryOptions
from orthanc_share.registry.passwords import Passwords
from orthanc_share.registry.register import Register
from orthanc_share.registry.tallies import WRITE_DOWN_EVERY, Tallies
from orthanc_share.registry.watch import Watch
from orthanc_share.store.errors import StoreUnavailableError
from orthanc_share.store.news import NewsPage
from orthanc_share.store.store import Store, open_store
from orthanc_share.tokens.codec import ShareCodec

REOPEN_AFTER = 2.0
"""Seconds until a database that could not be opened is tried again."""

SWEEP_EVERY = timedelta(minutes=10)
"""How often is taken away what is over."""

Beside = Callable[[Callable[[], Store]], Coroutine[Any, Any, None]]
"""Works beside the store until it is cancelled; the store may be away for a while."""

_log = logging.getLogger(__name__)


class Registry:
    """A store that is opened when it can be, and everything that goes with it.

    Without database the service starts all the same: it denies what it cannot know,
    and everything else waits for `store`.

    Args:
        options: How the site's registry works.
        codec: Reads links and makes viewer tokens.
        links: Knows what the site can open.
        clock: The present instant.
        notices: Sends what waits to be sent; None: nothing is.
    """

    def __init__(
        self,
        options: RegistryOptions,
        codec: ShareCodec,
        links: ViewerLinks,
        clock: Clock,
        *,
        notices: Beside | None = None,
    ) -> None:
        self._options = options
        self._notices = notices
        self._clock = clock
        self._store: Store | None = None
        self.passwords = Passwords()
        self.register = Register(options.grace)
        self.tallies = Tallies(clock)
        self.watch = Watch(self.register, self.tallies)
        self.desk = StoreDesk(
            lambda: self.store,
            codec,
            links,
            self.passwords,
            clock,
            options.view_duration,
        )
        self._follower = Follower(self.register, self.news_since)

    @property
    def store(self) -> Store:
        """The store.

        Raises:
            StoreUnavailableError: The database could not be opened yet.
        """
        if self._store is None:
            raise StoreUnavailableError
        return self._store

    async def news_since(self, cursor: int) -> NewsPage:
        """Return what was revoked or changed after `cursor`, see `store.feed`.

        Raises:
            StoreUnavailableError: The database cannot be reached.
        """
        return await self.store.revoked_since(cursor, now=self._clock())

    async def ping(self) -> None:
        """Return if the database can be reached and read.

        Raises:
            StoreUnavailableError: It cannot.
        """
        await self.store.check()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep the store open, and what works beside it at work, for the block.

        Raises:
            ConfigurationError: The database does not fit this code.
        """
        tried = asyncio.get_running_loop().create_future()
        life = asyncio.create_task(self._live(tried))
        try:
            await tried
            yield
        finally:
            life.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await life

    async def _live(self, tried: asyncio.Future[None]) -> None:
        while True:
            try:
                await self._open_and_work(tried)
            except ConfigurationError as error:
                _log.error("database does not fit", extra={"detail": str(error)})
                if not tried.done():
                    tried.set_exception(error)
                    return
            except StoreUnavailableError:
                _log.warning("the database cannot be opened; it is tried again")
            except Exception:  # noqa: BLE001 - whatever it was, links must open again
                # Without news the register denies everything before long.
                _log.exception("the registry stopped; it is started again")
            if not tried.done():
                tried.set_result(None)
            await asyncio.sleep(REOPEN_AFTER)

    async def _open_and_work(self, tried: asyncio.Future[None]) -> None:
        options = self._options
        async with open_store(
            options.url,
            audit_key=options.audit_key,
            study_key=options.study_key,
            limits=options.limits,
            announce=options.announce,
        ) as store:
            self._store = store
            try:
                await self._follower.look()
                if not tried.done():
                    tried.set_result(None)
                await self._work()
            finally:
                await self.write_down()
                self._store = None

    async def _work(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follower.run())
            group.create_task(self._report())
            group.create_task(self._sweep())
            if self._notices is not None:
                group.create_task(self._notices(lambda: self.store))

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(WRITE_DOWN_EVERY)
            await self.write_down()

    async def write_down(self) -> None:
        """Write down what was granted and denied; what cannot be is kept."""
        counted = self.tallies.take()
        if not counted.tallies:
            return
        try:
            await self.store.openings.count(counted.tallies, counted.views)
        except StoreUnavailableError:
            self.tallies.give_back(counted)

    async def _sweep(self) -> None:
        while True:
            await self.sweep()
            await asyncio.sleep(SWEEP_EVERY.total_seconds())

    async def sweep(self) -> None:
        """Take away what is over, a part at a time."""
        try:
            await self.store.settle(now=self._clock())
            more = True
            while more:
                swept = await self.store.sweeper.sweep(
                    self._options.retention, now=self._clock()
                )
                more = swept.more
        except StoreUnavailableError:
            _log.warning("the database cannot be swept; it is tried again later")
