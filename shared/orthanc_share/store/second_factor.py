"""Tries of the second factor: so many, then a pause that doubles.

A try is counted before its answer is looked at, so that many at once are no more than
one after the other; the right answer gives it back.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from orthanc_share.store.database import Database
from orthanc_share.store.dialects import insert_for
from orthanc_share.store.instants import to_instant, to_seconds, whole_seconds
from orthanc_share.store.tables import throttle
from orthanc_share.store.text import clean

KEY_LENGTH_MAX = 80
"""Longest key of a throttle, in characters; no address is so long."""


@dataclass(frozen=True, slots=True)
class TryLimits:
    """How many tries, and how long the pause.

    Args:
        tries: Wrong tries until the first pause, and again until each further one.
        pause: The first pause; each is twice the one before.
        longest: The longest pause.
        forget: Tries are forgotten when the last one is so long ago.
    """

    tries: int = 5
    pause: timedelta = timedelta(minutes=1)
    longest: timedelta = timedelta(hours=24)
    forget: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class MayTry:
    """The answer may be looked at.

    Args:
        left: Tries that are left before a pause if this one is wrong.
    """

    left: int


@dataclass(frozen=True, slots=True)
class Locked:
    """The answer must not be looked at; nothing was counted.

    Args:
        until: From when it may be tried again.
    """

    until: datetime


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """Counts tries, per share and per address.

    Args:
        database: Where the counters are.
        limits: How many tries, and how long the pause.
    """

    database: Database
    limits: TryLimits

    async def begin(
        self, share_id: str, address: str, *, now: datetime
    ) -> MayTry | Locked:
        """Ask whether an answer may be looked at, and count it as wrong for now.

        Call `passed` if it was right.

        Raises:
            StoreUnavailableError: The database cannot be reached.
        """
        async with self.database.write() as connection:
            # Both are locked in the order of their keys, so that none can block.
            rows = [await _lock(connection, key) for key in _keys(share_id, address)]
            seconds = to_seconds(now)
            until = max(self._locked_until(row, seconds) for row in rows)
            if until > seconds:
                return Locked(to_instant(until))
            left = [await self._count(connection, row, seconds) for row in rows]
        return MayTry(min(left))

    async def passed(self, share_id: str, address: str) -> None:
        """Say that the answer was right: the share's tries are forgotten.

        The address gets back this one try only: who has a share of their own must not
        win tries on others with it.

        Raises:
            StoreUnavailableError: The database cannot be reached.
        """
        address_key, share_key = _keys(share_id, address)
        async with self.database.write() as connection:
            await connection.execute(
                update(throttle)
                .where(throttle.c.key == address_key, throttle.c.failures > 0)
                .values(failures=throttle.c.failures - 1, locked_until=0)
            )
            await connection.execute(
                delete(throttle).where(throttle.c.key == share_key)
            )

    def _locked_until(self, row: Any, now: int) -> int:
        # A clock that was put back must not lock for longer than ever agreed.
        latest = now + whole_seconds(self.limits.longest)
        locked_until: int = row.locked_until
        return min(locked_until, latest)

    async def _count(self, connection: AsyncConnection, row: Any, now: int) -> int:
        limits = self.limits
        is_old = row.last_at + whole_seconds(limits.forget) <= now
        failures = 1 if is_old else row.failures + 1
        rounds, left = divmod(failures, limits.tries)
        pause = whole_seconds(limits.pause) << min(rounds - 1, 32) if not left else 0
        await connection.execute(
            update(throttle)
            .where(throttle.c.key == row.key)
            .values(
                failures=failures,
                last_at=now,
                locked_until=now + min(pause, whole_seconds(limits.longest)),
            )
        )
        return limits.tries - left if left else 0


def _keys(share_id: str, address: str) -> tuple[str, str]:
    """Return the keys of the address and of the share, in the order of locking."""
    address_key, share_key = clean(f"address:{address}"), clean(f"share:{share_id}")
    return address_key[:KEY_LENGTH_MAX], share_key[:KEY_LENGTH_MAX]


async def _lock(connection: AsyncConnection, key: str) -> Any:
    row = {"key": key, "failures": 0, "locked_until": 0, "last_at": 0}
    fresh = insert_for(connection)(throttle).values(row)
    await connection.execute(fresh.on_conflict_do_nothing())
    query = select(throttle).where(throttle.c.key == key).with_for_update()
    return (await connection.execute(query)).one()
