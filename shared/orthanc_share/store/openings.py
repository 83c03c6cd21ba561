"""Openings of shares: counted one by one, and never more than agreed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, literal, update
from sqlalchemy.ext.asyncio import AsyncConnection

from orthanc_share.store.audit import AuditTrail
from orthanc_share.store.database import Database
from orthanc_share.store.days import count_day, history
from orthanc_share.store.instants import NEVER, to_seconds
from orthanc_share.store.outbox import Notice, enqueue
from orthanc_share.store.records import (
    DayCount,
    Event,
    EventKind,
    NotOpened,
    Opened,
    Origin,
    ShareStatus,
    Tally,
)
from orthanc_share.store.rows import checked_id, is_id, load_one, studies_of
from orthanc_share.store.settling import status_at
from orthanc_share.store.tables import share


@dataclass(frozen=True, slots=True)
class Openings:
    """Counts what becomes of the shares of a store.

    Args:
        database: Where they are.
        trail: Where it is written down.
    """

    database: Database
    trail: AuditTrail

    async def open_once(
        self,
        share_id: str,
        *,
        now: datetime,
        origin: Origin,
        notices: Sequence[Notice] = (),
    ) -> Opened | NotOpened:
        """Open a share if it is active, and count it, in one step.

        However many ask at once, from however many machines, a share is not opened
        more often than agreed, nor after it was revoked.

        Args:
            share_id: Which.
            now: The present instant.
            origin: Who opens it, and from where.
            notices: What to send out if it is opened; kept with the opening or not
                at all.

        Raises:
            ShareNotFoundError: There is no such share.
            StoreUnavailableError: The database cannot be reached.
        """
        async with self.database.write() as connection:
            row = (
                await connection.execute(_open(checked_id(share_id), now))
            ).one_or_none()
            found = await load_one(connection, share_id)
            if row is None:
                return NotOpened(found.status(now))
            await count_day(connection, share_id, to_seconds(now), opened=1)
            await enqueue(connection, notices, now)
            event = Event(
                EventKind.OPENED, now, share_id, origin, studies_of(found.share)
            )
            await self.trail.append(connection, [event])
        return Opened(found.opened, found.openings_left)

    async def deny(
        self, share_id: str, reason: str, *, now: datetime, origin: Origin
    ) -> None:
        """Count that a share was refused to somebody, and write it down.

        Args:
            share_id: Which; one that is not kept is passed over.
            reason: Stable reason code.
            now: The present instant.
            origin: To whom.

        Raises:
            StoreUnavailableError: The database cannot be reached.
        """
        event = Event(EventKind.DENIED, now, share_id, origin, reason=reason)
        async with self.database.write() as connection:
            if await _add(connection, Tally(share_id, now, denied=1)) is not None:
                await self.trail.append(connection, [event])

    async def count(self, tallies: Sequence[Tally]) -> None:
        """Add up what validate granted and denied since the last time.

        The first grant of each share and day (UTC) becomes an event. Many are added in
        one transaction, so that a busy service asks once in a while only.

        Raises:
            StoreUnavailableError: The database cannot be reached; nothing was added.
        """
        async with self.database.write() as connection:
            events = []
            # In one order, so that two who count cannot block each other.
            for tally in sorted(tallies, key=lambda one: one.share_id):
                granted = await _add(connection, tally)
                if granted is not None and 0 < granted == tally.granted:
                    events.append(
                        Event(EventKind.GRANTED, tally.at, share_id=tally.share_id)
                    )
            await self.trail.append(connection, events)

    async def history(self, share_id: str, *, since: datetime) -> Sequence[DayCount]:
        """Return what happened to a share on each day since, oldest first.

        Raises:
            StoreUnavailableError: The database cannot be reached.
        """
        async with self.database.read() as connection:
            return await history(connection, share_id, since)


def _open(share_id: str, now: datetime) -> Any:
    seconds, c = to_seconds(now), share.c
    is_last = c.opened + 1 >= func.coalesce(c.max_openings, NEVER)
    return (
        update(share)
        .where(c.id == share_id, status_at(seconds) == ShareStatus.ACTIVE.value)
        .values(
            opened=c.opened + 1,
            last_opened_at=seconds,
            used=True,
            settled_status=case(
                (is_last, literal(ShareStatus.USED_UP.value)),
                else_=literal(ShareStatus.ACTIVE.value),
            ),
        )
        .returning(c.opened)
    )


async def _add(connection: AsyncConnection, tally: Tally) -> int | None:
    """Add a tally; return the grants of the day, None if the share is not kept."""
    if not is_id(tally.share_id):
        return None
    c = share.c
    used = {"used": True} if tally.granted else {}
    counted = await connection.execute(
        update(share)
        .where(c.id == tally.share_id)
        .values(
            granted=c.granted + tally.granted,
            denied=c.denied + tally.denied,
            **used,
        )
        .returning(c.id)
    )
    if counted.one_or_none() is None:
        return None
    return await count_day(
        connection,
        tally.share_id,
        to_seconds(tally.at),
        granted=tally.granted,
        denied=tally.denied,
    )
