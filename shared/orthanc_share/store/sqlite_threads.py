"""Threads of SQLite's driver: none outlives the engine that it works for.

The driver has a thread for each connection, which answers to the event loop. Who is
cancelled in the middle of a query leaves the thread at work; an event loop that ends
before it would not be there to be answered to. The driver offers no way to wait for a
thread, hence the look at its private parts.
"""

import asyncio
import sqlite3
from contextlib import suppress
from functools import partial
from typing import Any

import aiosqlite
from typing_extensions import override

_ROWS_AT_ONCE = 64  # the driver's own choice


class _RollingBack(sqlite3.Connection):
    """A connection that takes back what was not committed when it is closed.

    Whoever was cancelled in the middle of a query has not read the answer to its end.
    While anything knows of that answer, SQLite would keep the transaction after the
    connection was closed, and keep all others from writing.
    """

    @override
    def close(self) -> None:
        """Roll back, and close; once more does nothing."""
        with suppress(sqlite3.Error):  # closed already, or nothing can be done
            self.rollback()
        super().close()


class _Connection(aiosqlite.Connection):
    """A connection whose thread may be stopped while it is closed.

    Who is cancelled twice does not wait for the end of its connection. The driver would
    let that end wait for ever for an answer of the thread, if it was stopped meanwhile.
    """

    @override
    def stop(self) -> asyncio.Future[Any] | None:
        """Stop the thread when all is done that it was asked for; once is enough."""
        return super().stop() if self._running else None


class SqliteThreads:
    """Makes connections, and waits for their threads at the end."""

    def __init__(self) -> None:
        self._made: set[aiosqlite.Connection] = set()

    async def connect(self, *args: Any, **options: Any) -> aiosqlite.Connection:
        """Return a new connection, see `sqlite3.connect`."""
        self._made = {one for one in self._made if one._thread.is_alive()}  # noqa: SLF001
        connector = partial(sqlite3.connect, *args, factory=_RollingBack, **options)
        connection = _Connection(connector, _ROWS_AT_ONCE)
        # As SQLAlchemy does it: a thread at work must not keep a process alive.
        connection._thread.daemon = True  # noqa: SLF001
        self._made.add(connection)
        return await connection

    async def close(self) -> None:
        """Wait until each thread has done what it was asked for, and stop it."""
        alive = [one for one in self._made if one._thread.is_alive()]  # noqa: SLF001
        for one in alive:
            one.stop()
        for one in alive:
            await asyncio.to_thread(one._thread.join)  # noqa: SLF001
