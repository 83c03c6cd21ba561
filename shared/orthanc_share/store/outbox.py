"""Notices that wait to be sent: a queue that survives restarts.

Who sends takes some for a while; if it ends meanwhile, somebody takes them again. So
a notice may be sent twice, and is never lost.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from orthanc_share.store.database import Database
from orthanc_share.store.instants import NEVER, to_seconds, to_seconds_or
from orthanc_share.store.tables import outbox

LEASE_BYTES = 16
"""Random bytes that tell whose turn a notice is."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to send.

    Args:
        target: Where to, as the sender understands it.
        body: What.
        share_id: About which share.
    """

    target: str = field(repr=False)
    body: str = field(repr=False)
    share_id: str | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """When to try again.

    Args:
        first: After the first failure.
        longest: Between two tries; each wait is twice the one before, up to this.
        attempts: Tries in all; after the last one the notice is given up.
    """

    first: timedelta = timedelta(seconds=10)
    longest: timedelta = timedelta(hours=1)
    attempts: int = 20

    def wait(self, attempts: int) -> timedelta:
        """Return how long to wait after so many tries, 1 or more."""
        # A shift without bound would make a number of a million digits.
        doubled = self.first * (1 << min(attempts - 1, 32))
        return min(self.longest, doubled)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A notice whose turn it is, for the one who has the lease.

    Args:
        id: Its number.
        notice: What to send.
        lease: Whose turn it is.
        attempts: Which try this is, from 1.
    """

    id: int
    notice: Notice
    lease: str = field(repr=False)
    attempts: int


async def enqueue(
    connection: AsyncConnection, notices: Sequence[Notice], now: datetime
) -> None:
    """Put `notices` into the queue, within the transaction of `connection`."""
    at = to_seconds(now)
    rows = [
        {
            "share_id": notice.share_id,
            "target": notice.target,
            "body": notice.body,
            "created_at": at,
            "due_at": at,
        }
        for notice in notices
    ]
    if rows:
        await connection.execute(insert(outbox), rows)


@dataclass(frozen=True, slots=True)
class Outbox:
    """The queue of a store.

    Args:
        database: Where it is.
        retry: When to try again.
    """

    database: Database
    retry: Retry = field(default_factory=Retry)

    async def put(self, *notices: Notice, now: datetime) -> None:
        """Put `notices` into the queue, all or none.

        Raises:
            StoreUnavailableError: The database cannot be reached.
        """
        async with self.database.write() as connection:
            await enqueue(connection, notices, now)

    async def claim(
        self, *, now: datetime, lease: timedelta, limit: int = 10
    ) -> tuple[Claimed, ...]:
        """Take notices that are due; nobody else gets them before `lease` is over.

        Raises:
            StoreUnavailableError: The database cannot be reached.
        """
        if not await self._has_due(now):
            return ()
        mine, until = secrets.token_hex(LEASE_BYTES), now + lease
        due = (
            select(outbox)
            .where(outbox.c.due_at <= to_seconds(now))
            .order_by(outbox.c.due_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        async with self.database.write() as connection:
            rows = (await connection.execute(due)).all()
            await connection.execute(
                update(outbox)
                .where(outbox.c.id.in_([row.id for row in rows]))
                .values(
                    lease=mine,
                    due_at=to_seconds(until),
                    attempts=outbox.c.attempts + 1,
                )
            )
        return tuple(
            Claimed(
                row.id,
                Notice(row.target, row.body, row.share_id),
                mine,
                row.attempts + 1,
            )
            for row in rows
        )

    async def delivered(self, claimed: Claimed) -> bool:
        """Forget a notice that was sent; False if somebody else has its turn now.

        Raises:
            StoreUnavailableError: The database cannot be reached.
        """
        async with self.database.write() as connection:
            gone = await connection.execute(
                delete(outbox)
                .where(outbox.c.id == claimed.id, outbox.c.lease == claimed.lease)
                .returning(outbox.c.id)
            )
            return gone.one_or_none() is not None

    async def failed(self, claimed: Claimed, *, now: datetime) -> datetime | None:
        """Try a notice again later, or give it up.

        Returns:
            When it is tried again; None: not any more. The sweep takes it away.

        Raises:
            StoreUnavailableError: The database cannot be reached.
        """
        is_over = claimed.attempts >= self.retry.attempts
        again = None if is_over else now + self.retry.wait(claimed.attempts)
        await self._put_off(claimed, again)
        return again

    async def give_up(self, claimed: Claimed) -> None:
        """Do not try a notice any more. The sweep takes it away.

        Raises:
            StoreUnavailableError: The database cannot be reached.
        """
        await self._put_off(claimed, None)

    async def _put_off(self, claimed: Claimed, until: datetime | None) -> None:
        due_at = to_seconds_or(until, NEVER)
        async with self.database.write() as connection:
            await connection.execute(
                update(outbox)
                .where(outbox.c.id == claimed.id, outbox.c.lease == claimed.lease)
                .values(lease=None, due_at=due_at)
            )

    async def _has_due(self, now: datetime) -> bool:
        """Tell whether a notice is due; to ask costs no writer its turn."""
        query = select(outbox.c.id).where(outbox.c.due_at <= to_seconds(now)).limit(1)
        async with self.database.read() as connection:
            return (await connection.execute(query)).first() is not None
