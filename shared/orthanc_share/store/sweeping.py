"""Takes away what is over and nobody needs, a part at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from orthanc_share.store.audit import AuditTrail
from orthanc_share.store.database import Database
from orthanc_share.store.instants import CLOCK_ERROR_MAX, to_seconds
from orthanc_share.store.records import Event, EventKind, Origin, Retention, Swept
from orthanc_share.store.tables import (
    browser_session,
    outbox,
    share,
    share_view,
    throttle,
)

BATCH = 500
"""Most rows of a kind that one sweep takes away."""

SWEEPER = Origin(actor="sweep")
"""Who does it, in the events."""


@dataclass(frozen=True, slots=True)
class Sweeper:
    """Sweeps a store.

    Args:
        database: What is swept.
        trail: Where it is written down.
    """

    database: Database
    trail: AuditTrail

    async def sweep(
        self, retention: Retention, *, now: datetime, batch: int = BATCH
    ) -> Swept:
        """Take away what is over for longer than `retention` says.

        A share goes only when no token of it can be valid any more, so that none that
        was revoked or changed can come back; those wait longer, see
        `instants.CLOCK_ERROR_MAX`. A second sweep finds nothing; several at once take
        nothing twice. What was done to a share stays in the audit trail.

        Args:
            retention: How long to keep what.
            now: The present instant.
            batch: Most rows of each kind to take away; call again if there is more.

        Raises:
            StoreUnavailableError: The database cannot be reached.
        """
        async with self.database.write() as connection:
            others = await _sweep_others(connection, retention, now, batch)
            ids = await _over(connection, retention, now, batch)
            await connection.execute(delete(share).where(share.c.id.in_(ids)))
            events = [Event(EventKind.SWEPT, now, one, SWEEPER) for one in ids]
            await self.trail.append(connection, events)
        return Swept(len(ids), sum(others), batch in (len(ids), *others))


async def _over(
    connection: AsyncConnection, retention: Retention, now: datetime, batch: int
) -> list[str]:
    c = share.c
    ids: list[str] = []
    for used, kept in ((False, retention.never_used), (True, retention.used)):
        if kept is None:
            continue
        longer = to_seconds(now - max(kept, CLOCK_ERROR_MAX))
        is_over = (
            c.used.is_(used),
            c.last_end <= to_seconds(now - kept),
            or_(c.feed_seq.is_(None), c.last_end <= longer),
        )
        query = (
            select(c.id)
            .where(*is_over)
            .order_by(c.last_end)
            .limit(batch - len(ids))
            .with_for_update(skip_locked=True)
        )
        ids.extend((await connection.execute(query)).scalars())
    return ids


async def _sweep_others(
    connection: AsyncConnection, retention: Retention, now: datetime, batch: int
) -> list[int]:
    session = browser_session.c
    longest_pause_over = throttle.c.locked_until <= to_seconds(now)
    chosen: Sequence[tuple[Any, Any, timedelta, list[ColumnElement[bool]]]] = (
        (throttle.c.key, throttle.c.last_at, retention.tries, [longest_pause_over]),
        (outbox.c.id, outbox.c.created_at, retention.notices, []),
        (share_view.c.view_id, share_view.c.at, retention.views, []),
        (session.key_sha256, session.began_at, retention.sessions, []),
    )
    counts = []
    for key, at, kept, others in chosen:
        old = select(key).where(at <= to_seconds(now - kept), *others)
        # In order, so that it is by index.
        old = old.order_by(at).limit(batch).with_for_update(skip_locked=True)
        keys = (await connection.execute(old)).scalars().all()
        await connection.execute(delete(key.table).where(key.in_(keys)))
        counts.append(len(keys))
    return counts
