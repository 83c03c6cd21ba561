"""Connections: one way to read, one way to write, one error when there is none."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any, Final

from sqlalchemy import URL, Connection, event
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    ProgrammingError,
    TimeoutError as PoolTimeoutError,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from orthanc_share.store.errors import StoreUnavailableError
from orthanc_share.store.sqlite_threads import SqliteThreads

BUSY_TIMEOUT_MS = 5000
"""How long SQLite and PostgreSQL wait for a lock, in milliseconds."""

CONNECT_TIMEOUT = 5.0
"""How long to wait for a connection to PostgreSQL, or for a free one, in seconds."""

STATEMENT_TIMEOUT = 60.0
"""How long one statement may take on PostgreSQL, in seconds; a server that vanished
without a word is given up then."""

_IS_WRITE: Final = "orthanc_share_write"
_ONE_STATE = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
_UNAVAILABLE = (DBAPIError, PoolTimeoutError, OSError, TimeoutError)
_MISTAKES = (DataError, IntegrityError, ProgrammingError)


class Database:
    """An engine, with transactions that read and transactions that write.

    Args:
        engine: As `connect` makes it.
        threads: Of the engine, where it has some.
    """

    def __init__(
        self, engine: AsyncEngine, threads: SqliteThreads | None = None
    ) -> None:
        self.engine = engine
        self._threads = threads
        self.is_sqlite = engine.dialect.name == "sqlite"
        # SQLite has one writer; a queue here is fair, its own waiting is not.
        self._read_options: dict[str, Any] = {} if self.is_sqlite else _ONE_STATE
        self._turn = asyncio.Lock() if self.is_sqlite else None
        self._in_use = 0
        self._is_closed = False
        self._is_idle = asyncio.Event()
        self._is_idle.set()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that sees one state of the database and changes nothing.

        Raises:
            StoreUnavailableError: The database cannot be reached.
        """
        async with _translated(), self._connected() as opened:
            yield await opened.execution_options(**self._read_options)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that is durable when the block has ended without error.

        What it reads cannot be outdated when it writes: on SQLite it is the only
        writer, on PostgreSQL rows are locked `with_for_update`.

        Raises:
            StoreUnavailableError: The database cannot be reached, or has no room.
        """
        async with _translated(), self._my_turn(), self._connected() as opened:
            connection = await opened.execution_options(**{_IS_WRITE: True})
            async with connection.begin():
                yield connection

    async def close(self) -> None:
        """Close all connections when those who use one have done.

        Queries that nobody waits for any more come to their end. Who is cancelled
        meanwhile is so when all is closed.
        """
        self._is_closed = True
        closing = asyncio.create_task(self._close())
        cancelled: asyncio.CancelledError | None = None
        while not closing.done():
            try:
                await asyncio.shield(closing)
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            raise cancelled
        closing.result()

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection]:
        # Drivers are at a loss when they are closed in the middle of a query: SQLite's
        # would let its caller wait for ever.
        if self._is_closed:
            raise StoreUnavailableError
        self._in_use += 1
        self._is_idle.clear()
        try:
            async with self.engine.connect() as opened:
                yield opened
        finally:
            self._in_use -= 1
            if not self._in_use:
                self._is_idle.set()

    async def _close(self) -> None:
        await self._is_idle.wait()
        await self.engine.dispose()
        if self._threads is not None:
            await self._threads.close()

    def _my_turn(self) -> AbstractAsyncContextManager[None]:
        return nullcontext() if self._turn is None else self._turn


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    try:
        yield
    except _MISTAKES:
        raise
    except _UNAVAILABLE as error:
        raise StoreUnavailableError from error


def connect(url: URL) -> Database:
    """Return the database at `url` (see `urls.parse_url`); connects when first used."""
    if url.drivername.startswith("sqlite"):
        threads = SqliteThreads()
        return Database(_sqlite_engine(url, threads), threads)
    return Database(_postgresql_engine(url))


def _sqlite_engine(url: URL, threads: SqliteThreads) -> AsyncEngine:
    engine = create_async_engine(
        url,
        hide_parameters=True,
        pool_timeout=CONNECT_TIMEOUT,
        connect_args={"async_creator_fn": threads.connect},
    )
    event.listen(engine.sync_engine, "connect", _set_up_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(dbapi_connection: Any, _record: object) -> None:
    # The driver would begin transactions on its own, and too late.
    dbapi_connection.isolation_level = None
    cursor = dbapi_connection.cursor()
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "journal_mode = WAL",
        "synchronous = FULL",  # in WAL, NORMAL may lose what was acknowledged
        "foreign_keys = ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    is_write = connection.get_execution_options().get(_IS_WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")


def _postgresql_engine(url: URL) -> AsyncEngine:
    engine = create_async_engine(
        url,
        hide_parameters=True,
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,  # a restarted server costs nobody an answer
        pool_timeout=CONNECT_TIMEOUT,
        connect_args={"timeout": CONNECT_TIMEOUT, "command_timeout": STATEMENT_TIMEOUT},
    )
    event.listen(engine.sync_engine, "connect", _set_up_postgresql)
    return engine


def _set_up_postgresql(dbapi_connection: Any, _record: object) -> None:
    # As statements, because poolers refuse such options when a connection starts.
    cursor = dbapi_connection.cursor()
    cursor.execute(
        f"SELECT set_config('lock_timeout', '{BUSY_TIMEOUT_MS}', false),"
        " set_config('timezone', 'UTC', false)"
    )
    # A server set to `off` may lose what it acknowledged; stricter ones are left.
    cursor.execute(
        "SELECT set_config('synchronous_commit', 'on', false)"
        " WHERE current_setting('synchronous_commit') = 'off'"
    )
    cursor.close()
    dbapi_connection.commit()
