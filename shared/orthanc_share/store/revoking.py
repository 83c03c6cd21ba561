"""Takes shares back: one, or all that somebody made or that show a study."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from orthanc_share.store.audit import AuditTrail
from orthanc_share.store.database import Database
from orthanc_share.store.errors import InvalidSelectionError
from orthanc_share.store.instants import to_seconds
from orthanc_share.store.listing import conditions
from orthanc_share.store.records import (
    Event,
    EventKind,
    Origin,
    ShareStatus,
    StoredShare,
)
from orthanc_share.store.rows import checked_id, load, load_one, studies_of
from orthanc_share.store.selection import ShareFilter
from orthanc_share.store.settling import settle
from orthanc_share.store.tables import share
from orthanc_share.store.text import clean_or_none

CHUNK = 200
"""Shares that one transaction takes back; others can write in between."""

NOBODY = "unknown"
"""Who took a share back if the caller has no name."""

_REVOCABLE = tuple(
    status.value
    for status in (ShareStatus.ACTIVE, ShareStatus.NOT_YET, ShareStatus.USED_UP)
)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which shares to take back: those for which all that is given is true.

    Args:
        study: Those that open this resource, by DICOM UID or by Orthanc id.
        creator: Those that this one made.
        created_before: Those that were made before this instant.

    Raises:
        InvalidSelectionError: Nothing is given.
    """

    study: str | None = None
    creator: str | None = None
    created_before: datetime | None = None

    def __post_init__(self) -> None:
        if not (self.study or self.creator or self.created_before):
            raise InvalidSelectionError


@dataclass(frozen=True, slots=True)
class Revoker:
    """Takes shares of a store back.

    Args:
        database: Where they are.
        trail: Where it is written down.
    """

    database: Database
    trail: AuditTrail

    async def revoke(
        self, share_id: str, *, now: datetime, origin: Origin, reason: str | None = None
    ) -> StoredShare:
        """Take a share back; if it was, nothing changes.

        Returns:
            The share, with the revocation that holds: the first.

        Raises:
            ShareNotFoundError: There is no such share.
            StoreUnavailableError: The database cannot be reached.
        """
        async with self.database.write() as connection:
            await self._revoke(connection, [checked_id(share_id)], now, origin, reason)
            return await load_one(connection, share_id)

    async def revoke_many(
        self,
        selection: Selection,
        *,
        now: datetime,
        origin: Origin,
        reason: str | None = None,
        dry_run: bool = False,
    ) -> int:
        """Take back all shares that are meant and not over; return how many.

        It is done in parts. If it fails between them, some are taken back; asked once
        more, it does the rest.

        Args:
            selection: Which.
            now: The present instant.
            origin: Who asks for it, and from where.
            reason: Why, for the record.
            dry_run: Only count them.

        Raises:
            StoreUnavailableError: The database cannot be reached.
        """
        await settle(self.database, to_seconds(now))
        meant = _conditions(selection, to_seconds(now))
        if dry_run:
            async with self.database.read() as connection:
                query = select(func.count()).select_from(share).where(*meant)
                return (await connection.execute(query)).scalar_one()
        asked = (now, origin, reason)
        return sum([await self._revoke_all(one, meant, *asked) for one in _REVOCABLE])

    async def _revoke_all(
        self,
        status: str,
        meant: list[ColumnElement[bool]],
        now: datetime,
        origin: Origin,
        reason: str | None,
    ) -> int:
        # One status and one order: so each part is found by index, and the last too.
        has_status = share.c.settled_status == status
        query = select(share.c.id).where(has_status, *meant)
        query = query.order_by(share.c.created_at, share.c.id).limit(CHUNK)
        total = 0
        while True:
            async with self.database.write() as connection:
                ids: list[str] = [*(await connection.execute(query)).scalars()]
                if not ids:
                    return total
                total += await self._revoke(connection, ids, now, origin, reason)

    async def _revoke(
        self,
        connection: AsyncConnection,
        ids: list[str],
        now: datetime,
        origin: Origin,
        reason: str | None,
    ) -> int:
        # Locked in one order, so that two who revoke cannot block each other.
        chosen = select(share).where(share.c.id.in_(ids), share.c.revoked_at.is_(None))
        found = await load(connection, chosen.order_by(share.c.id).with_for_update())
        events = [
            Event(
                EventKind.REVOKED,
                now,
                one.share.id,
                origin,
                studies_of(one.share),
                reason,
            )
            for one in found
        ]
        numbers = await self.trail.append(connection, events)
        if found:
            await connection.execute(
                _mark(now, origin, reason),
                [
                    {"key": one.share.id, "seq": seq}
                    for one, seq in zip(found, numbers, strict=True)
                ],
            )
        return len(found)


def _mark(now: datetime, origin: Origin, reason: str | None) -> Any:
    return (
        update(share)
        .where(share.c.id == bindparam("key"))
        .values(
            revoked_at=to_seconds(now),
            revoked_by=clean_or_none(origin.actor) or NOBODY,
            revoked_reason=clean_or_none(reason),
            settled_status=ShareStatus.REVOKED.value,
            feed_seq=bindparam("seq"),
        )
    )


def _conditions(selection: Selection, now: int) -> list[ColumnElement[bool]]:
    by = ShareFilter(creator=selection.creator, study=selection.study)
    meant = [
        share.c.settled_status.in_(_REVOCABLE),
        # Not for an index: the order of creation has the one that is wanted.
        share.c.ends_at + 0 > now,
        *conditions(by, now),
    ]
    if selection.created_before is not None:
        meant.append(share.c.created_at < to_seconds(selection.created_before))
    return meant
