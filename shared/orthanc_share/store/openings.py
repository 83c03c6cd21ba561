"""Openings of shares: counted one by one, and never more than agreed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from orthanc_share.store.audit import AuditTrail
from orthanc_share.store.counting import (
    add,
    deidentified,
    is_first_of_hour,
    lock,
    open_if_active,
)
from orthanc_share.store.database import Database
from orthanc_share.store.days import count_opening, history
from orthanc_share.store.instants import to_seconds
from orthanc_share.store.outbox import Notice, enqueue
from orthanc_share.store.records import (
    DayCount,
    Event,
    EventKind,
    NotOpened,
    Opened,
    Origin,
    ShareStatus,
    StoredShare,
    Tally,
    View,
)
from orthanc_share.store.rows import checked_id, load_one, studies_of
from orthanc_share.store.views import count_view, note_opening, opened_at

Announce = Callable[[StoredShare, datetime], Sequence[Notice]]
"""Returns what to send out when a share, as it is then, was opened at an instant."""


def no_notices(_share: StoredShare, _at: datetime) -> Sequence[Notice]:
    """Return nothing to send out."""
    return ()


@dataclass(frozen=True, slots=True)
class Openings:
    """Counts what becomes of the shares of a store.

    Args:
        database: Where they are.
        trail: Where it is written down.
        announce: Says what to send out on an opening; that is kept with the opening,
            or not at all.
    """

    database: Database
    trail: AuditTrail
    announce: Announce = no_notices

    async def open_once(
        self,
        share_id: str,
        *,
        now: datetime,
        origin: Origin,
        view_id: str | None = None,
        again: timedelta = timedelta(days=1),
    ) -> Opened | NotOpened:
        """Open a share if it is active, and count it, in one step.

        However many ask at once, from however many machines, a share is not opened
        more often than agreed, nor after it was revoked.

        Args:
            share_id: Which.
            now: The present instant.
            origin: Who opens it, and from where.
            view_id: Of the viewer token that is made for it: `count` passes it over.
                Asked again with it, as when the answer was lost, the opening that
                was counted is told.
            again: How long after it was counted it may be asked for again; from then
                on the same id is another opening.

        Raises:
            ShareNotFoundError: There is no such share.
            StoreUnavailableError: The database cannot be reached.
        """
        async with self.database.write() as connection:
            checked_id(share_id)
            view = None if view_id is None else View(view_id, share_id, now)
            if view is not None:
                await lock(connection, [share_id])
                first = await opened_at(connection, view, again)
                if first is not None:
                    return _told(await load_one(connection, share_id), first, now)
            is_opened = await open_if_active(connection, share_id, now)
            found = await load_one(connection, share_id)
            if not is_opened:
                return NotOpened(found.status(now))
            if view is not None:
                await note_opening(connection, view)
            await count_opening(connection, share_id, to_seconds(now))
            await enqueue(connection, self.announce(found, now), now)
            event = Event(
                EventKind.OPENED, now, share_id, origin, studies_of(found.share)
            )
            await self.trail.append(connection, [event])
        return Opened(found.opened, found.openings_left, now)

    async def is_counted(self, view: View, again: timedelta) -> bool:
        """Tell whether an opening was counted, and may be asked for again.

        Raises:
            StoreUnavailableError: The database cannot be reached.
        """
        async with self.database.read() as connection:
            return await opened_at(connection, view, again) is not None

    async def deny(
        self, share_id: str, reason: str, *, now: datetime, origin: Origin
    ) -> None:
        """Count that a share was refused to somebody.

        The first refusal of a share for a reason in an hour is written down, so that
        nobody who asks again and again can fill the disk.

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
            if not await lock(connection, [share_id]):
                return
            await add(connection, [Tally(share_id, now, denied=1)])
            if await is_first_of_hour(connection, share_id, reason, now):
                await self.trail.append(connection, [event])

    async def count(self, tallies: Sequence[Tally], views: Sequence[View] = ()) -> None:
        """Add up what validate granted and denied since the last time.

        The first grant of each share and day (UTC; of a de-identified share an event of
        its own kind), and the first denial of each share, reason and hour, become an
        event. A view that was not known is an opening, unless the share has a limit:
        then only `open_once` opens it. Many are added in one transaction, so that a
        busy service asks once in a while only.

        Where the answer was lost, views may be counted again: they are known then.

        Raises:
            StoreUnavailableError: The database cannot be reached; nothing was added.
        """
        async with self.database.write() as connection:
            meant = {one.share_id for one in tallies} | {one.share_id for one in views}
            kept = await lock(connection, meant)
            events = await _count_tallies(
                connection, [one for one in tallies if one.share_id in kept]
            )
            for view in views:
                if view.share_id in kept:
                    events += await self._count_view(connection, view)
            await self.trail.append(connection, events)

    async def _count_view(
        self, connection: AsyncConnection, view: View
    ) -> Sequence[Event]:
        if not await count_view(connection, view):
            return ()
        found = await load_one(connection, view.share_id)
        await enqueue(connection, self.announce(found, view.at), view.at)
        return (
            Event(
                EventKind.OPENED,
                view.at,
                view.share_id,
                studies=studies_of(found.share),
                details={"by": "viewer"},
            ),
        )

    async def history(self, share_id: str, *, since: datetime) -> Sequence[DayCount]:
        """Return what happened to a share on each day since, oldest first.

        Raises:
            StoreUnavailableError: The database cannot be reached.
        """
        async with self.database.read() as connection:
            return await history(connection, share_id, since)


def _told(found: StoredShare, first: datetime, now: datetime) -> Opened | NotOpened:
    """Return what to tell of an opening that was counted at `first`."""
    status = found.status(now)
    if status not in {ShareStatus.ACTIVE, ShareStatus.USED_UP}:
        return NotOpened(status)
    return Opened(found.opened, found.openings_left, first)


async def _count_tallies(
    connection: AsyncConnection, tallies: Sequence[Tally]
) -> list[Event]:
    firsts = await add(connection, tallies)
    hidden = await deidentified(connection, [one.share_id for one in firsts])
    events = [
        Event(
            EventKind.DEIDENTIFIED if one.share_id in hidden else EventKind.GRANTED,
            one.at,
            one.share_id,
        )
        for one in firsts
    ]
    for tally in tallies:
        share_id, at = tally.share_id, tally.at
        for reason in tally.reasons:
            if await is_first_of_hour(connection, share_id, reason, at):
                by = {"by": "validate"}
                event = Event(EventKind.DENIED, at, share_id, reason=reason, details=by)
                events.append(event)
    return events
