"""Tries of the second factor: so many, then a pause that doubles.

A try is counted before its answer is looked at, so that many at once are no more than
one after the other; the right answer gives it back.
"""

import ipaddress
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


SITE_PREFIX = 64
"""Bits of an IPv6 address that all of one visitor's have in common (RFC 6177 2)."""


@dataclass(frozen=True, slots=True)
class TryLimits:
    """How many tries, and how long the pause.

    Args:
        tries: Wrong tries on a share until the first pause, and again until each
            further one.
        address_factor: How many times as many an address has: a whole hospital may
            be behind one.
        pause: The first pause; each is twice the one before.
        longest: The longest pause.
        forget: Tries are forgotten when the last one is so long ago.
    """

    tries: int = 5
    address_factor: int = 4
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
            address_key, share_key = _keys(share_id, address)
            of_address = await _lock(connection, address_key)
            of_share = await _lock(connection, share_key)
            seconds, tries = to_seconds(now), self.limits.tries
            until = max(
                self._locked_until(row, seconds) for row in (of_address, of_share)
            )
            if until > seconds:
                return Locked(to_instant(until))
            more = tries * self.limits.address_factor
            left = min(
                await self._count(connection, of_address, seconds, more),
                await self._count(connection, of_share, seconds, tries),
            )
        return MayTry(left)

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

    async def _count(
        self, connection: AsyncConnection, row: Any, now: int, tries: int
    ) -> int:
        limits = self.limits
        is_old = row.last_at + whole_seconds(limits.forget) <= now
        failures = 1 if is_old else row.failures + 1
        rounds, left = divmod(failures, tries)
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
        return tries - left if left else 0


def _keys(share_id: str, address: str) -> tuple[str, str]:
    """Return the keys of the address and of the share, in the order of locking."""
    visitor = visitor_at(address)
    address_key, share_key = clean(f"address:{visitor}"), clean(f"share:{share_id}")
    return address_key[:KEY_LENGTH_MAX], share_key[:KEY_LENGTH_MAX]


def visitor_at(address: str) -> str:
    """Return what all addresses of one visitor have in common.

    Somebody with IPv6 has more addresses than anybody can count. What is no address
    is returned as it is.
    """
    try:
        # A zone (RFC 4007) only means something on the machine that wrote it.
        read = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(read, ipaddress.IPv4Address):
        return str(read)
    if read.ipv4_mapped is not None:
        return str(read.ipv4_mapped)
    return str(ipaddress.IPv6Network((read, SITE_PREFIX), strict=False))


async def _lock(connection: AsyncConnection, key: str) -> Any:
    row = {"key": key, "failures": 0, "locked_until": 0, "last_at": 0}
    fresh = insert_for(connection)(throttle).values(row)
    await connection.execute(fresh.on_conflict_do_nothing())
    query = select(throttle).where(throttle.c.key == key).with_for_update()
    return (await connection.execute(query)).one()
