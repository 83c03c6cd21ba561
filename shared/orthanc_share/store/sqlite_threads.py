"""Threads of SQLite's driver: none outlives the engine that it works for.

The driver has a thread for each connection, which answers to the event loop. Who is
cancelled in the middle of a query leaves the thread at work; an event loop that ends
before it would not be there to be answered to. The driver offers no way to wait for a
thread, hence the look at its private parts.
"""

import asyncio
from typing import Any

import aiosqlite
from typing_extensions import override


class _Connection(aiosqlite.Connection):
    """A connection that may be closed after its thread was stopped.

    The driver would wait for an answer of the thread that has ended, for ever: whoever
    was in the middle of a query when the database was closed would never be told.
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
        """Return a new connection, see `aiosqlite.connect`."""
        self._made = {one for one in self._made if one._thread.is_alive()}  # noqa: SLF001
        plain = aiosqlite.connect(*args, **options)
        connection = _Connection(plain._connector, plain._iter_chunk_size)  # noqa: SLF001
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
