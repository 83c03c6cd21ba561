"""Shares: made, found by id, changed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from orthanc_share.domain.clock import to_utc
from orthanc_share.domain.share import Share
from orthanc_share.store.audit import AuditTrail
from orthanc_share.store.codes import add_code
from orthanc_share.store.database import Database
from orthanc_share.store.errors import (
    DuplicateShareError,
    ShareNotFoundError,
    ShareRevokedError,
)
from orthanc_share.store.instants import (
    NEVER,
    to_instant_unless,
    to_seconds,
    to_seconds_or,
)
from orthanc_share.store.records import (
    UNSET,
    Changes,
    Detail,
    Event,
    EventKind,
    NewShare,
    Origin,
    StoredShare,
    Unset,
)
from orthanc_share.store.rows import (
    checked_id,
    load_one,
    resource_rows,
    row_of,
    studies_of,
    word_rows,
)
from orthanc_share.store.settling import status_of
from orthanc_share.store.tables import share, share_resource, share_word
from orthanc_share.store.text import clean_or_none

BEFORE_REGISTRY = "before-registry"
"""Who made the shares that are older than the registry, as far as it knows."""


@dataclass(frozen=True, slots=True)
class Shares:
    """The shares of a store.

    Args:
        database: Where they are.
        trail: Where it is written down what was done to them.
    """

    database: Database
    trail: AuditTrail

    async def create(
        self, new: NewShare, *, now: datetime, origin: Origin, with_code: bool = False
    ) -> str | None:
        """Keep a share; when this returns it will be there after any crash.

        Args:
            new: What to keep.
            now: The present instant.
            origin: Who made it, and from where.
            with_code: Whether a code for a short link is wanted.

        Returns:
            The code, which is known nowhere else; None if none is wanted.

        Raises:
            DuplicateShareError: A share with this id exists.
            StoreUnavailableError: The database cannot be reached.
        """
        try:
            async with self.database.write() as connection:
                await _insert(connection, new, row_of(new, now))
                code = None
                if with_code:
                    code = await add_code(connection, new.share.id, now)
                await self.trail.append(connection, [_created(new, now, origin)])
        except IntegrityError:
            raise DuplicateShareError from None
        return code

    async def adopt(self, agreed: Share, *, now: datetime, origin: Origin) -> bool:
        """Keep a share that is older than the registry, so that it can be revoked.

        Args:
            agreed: What its token says.
            now: The present instant.
            origin: Who brought it, and from where.

        Returns:
            Whether it was kept now; False: it was before, and stays as it is.

        Raises:
            ShareNotFoundError: It has a limit or a second factor that nobody knows any
                more, or it is a viewer token, whose end is not that of the share.
            StoreUnavailableError: The database cannot be reached.
        """
        if agreed.needs_opening or agreed.view_id is not None:
            raise ShareNotFoundError
        new = NewShare(agreed, BEFORE_REGISTRY)
        row = row_of(new, now) | {"created_at": to_seconds(agreed.issued_at or now)}
        try:
            async with self.database.write() as connection:
                await _insert(connection, new, row)
                created = _created(new, now, origin)
                details = {**created.details, BEFORE_REGISTRY: True}
                event = replace(created, details=details)
                await self.trail.append(connection, [event])
        except IntegrityError:
            return False
        return True

    async def get(self, share_id: str) -> StoredShare:
        """Return the share with this id.

        Raises:
            ShareNotFoundError: There is none, or it was swept.
            StoreUnavailableError: The database cannot be reached.
        """
        async with self.database.read() as connection:
            return await load_one(connection, share_id)

    async def change(
        self, share_id: str, changes: Changes, *, now: datetime, origin: Origin
    ) -> StoredShare:
        """Change a share and return it as it is then.

        A new expiry, limit or second factor also reaches the feed.

        Raises:
            ShareNotFoundError: There is no such share.
            ShareRevokedError: It was taken back.
            StoreUnavailableError: The database cannot be reached.
        """
        async with self.database.write() as connection:
            row = await _lock(connection, share_id)
            values = _values(row, changes)
            if values:
                merged = {**row, **values}
                values["settled_status"] = status_of(merged, to_seconds(now)).value
                await self._apply(connection, row, values, now, origin)
            return await load_one(connection, share_id)

    async def _apply(
        self,
        connection: AsyncConnection,
        row: Mapping[str, Any],
        values: dict[str, Any],
        now: datetime,
        origin: Origin,
    ) -> None:
        share_id = row["id"]
        if "title" in values:
            await _reword(connection, {**row, **values})
        event = Event(
            EventKind.CHANGED,
            now,
            share_id,
            origin,
            studies_of((await load_one(connection, share_id)).share),
            details=_told(values),
        )
        seq = (await self.trail.append(connection, [event]))[0]
        if values.keys() & {"ends_at", "max_openings", "password_hash"}:
            values["feed_seq"] = seq
        await connection.execute(
            update(share).where(share.c.id == share_id).values(values)
        )


async def _insert(
    connection: AsyncConnection, new: NewShare, row: Mapping[str, Any]
) -> None:
    agreed = new.share
    words = word_rows(agreed.id, new.title, new.label, new.creator)
    await connection.execute(insert(share), row)
    await connection.execute(insert(share_resource), resource_rows(agreed))
    await connection.execute(insert(share_word), words)


def _created(new: NewShare, now: datetime, origin: Origin) -> Event:
    agreed = new.share
    details: dict[str, Detail] = {
        "type": agreed.type.value,
        "flavour": agreed.flavour.value,
        "expires-at": _iso(agreed.expires_at),
        "max-openings": new.max_openings,
        "password": new.password_hash is not None,
    }
    studies = studies_of(agreed)
    return Event(EventKind.CREATED, now, agreed.id, origin, studies, details=details)


def _iso(instant: datetime | None) -> str | None:
    return None if instant is None else to_utc(instant).isoformat()


async def _lock(connection: AsyncConnection, share_id: str) -> dict[str, Any]:
    query = select(share).where(share.c.id == checked_id(share_id)).with_for_update()
    row = (await connection.execute(query)).mappings().one_or_none()
    if row is None:
        raise ShareNotFoundError
    if row["revoked_at"] is not None:
        raise ShareRevokedError
    return dict(row)


def _values(row: Mapping[str, Any], changes: Changes) -> dict[str, Any]:
    """Return the columns that `changes` really changes."""
    wanted: dict[str, Any] = {
        "title": _cleaned(changes.title),
        "max_openings": changes.max_openings,
        "password_hash": changes.password_hash,
    }
    if not isinstance(changes.expires_at, Unset):
        end = to_seconds_or(changes.expires_at, NEVER)
        wanted |= {"ends_at": end, "last_end": max(end, row["last_end"])}
    return {
        name: value
        for name, value in wanted.items()
        if value is not UNSET and value != row[name]
    }


def _cleaned(title: str | Unset | None) -> str | Unset | None:
    return title if isinstance(title, Unset) else clean_or_none(title)


def _told(values: Mapping[str, Any]) -> dict[str, Detail]:
    """Return what the event says of a change; never a hash, nor a free text."""
    told: dict[str, Detail] = {}
    if "title" in values:
        told["title"] = values["title"] is not None
    if "password_hash" in values:
        told["password"] = values["password_hash"] is not None
    if "max_openings" in values:
        told["max-openings"] = values["max_openings"]
    if "ends_at" in values:
        told["expires-at"] = _iso(to_instant_unless(values["ends_at"], NEVER))
    return told


async def _reword(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    words = word_rows(row["id"], row["title"], row["label"], row["creator"])
    await connection.execute(
        delete(share_word).where(share_word.c.share_id == row["id"])
    )
    await connection.execute(insert(share_word), words)
