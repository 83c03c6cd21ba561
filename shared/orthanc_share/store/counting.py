"""Counters of shares, each step within the transaction of a connection."""

from datetime import datetime
from typing import Any

from sqlalchemy import case, func, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from orthanc_share.store.days import count_day
from orthanc_share.store.dialects import insert_for
from orthanc_share.store.instants import HOUR, NEVER, to_seconds
from orthanc_share.store.records import ShareStatus, Tally
from orthanc_share.store.rows import is_id
from orthanc_share.store.settling import status_at
from orthanc_share.store.tables import REASON_LENGTH_MAX, share, share_denial
from orthanc_share.store.text import clean


async def is_kept(connection: AsyncConnection, share_id: str) -> bool:
    """Tell whether there is such a share, and lock it."""
    if not is_id(share_id):
        return False
    chosen = select(share.c.id).where(share.c.id == share_id).with_for_update()
    return (await connection.execute(chosen)).one_or_none() is not None


async def open_if_active(
    connection: AsyncConnection, share_id: str, now: datetime
) -> bool:
    """Count an opening if the share is active; tell whether it is."""
    seconds, c = to_seconds(now), share.c
    is_last = c.opened + 1 >= func.coalesce(c.max_openings, NEVER)
    counted = await connection.execute(
        update(share)
        .where(c.id == share_id, status_at(seconds) == ShareStatus.ACTIVE.value)
        .values(
            **_one_more(seconds),
            settled_status=case(
                (is_last, literal(ShareStatus.USED_UP.value)),
                else_=literal(ShareStatus.ACTIVE.value),
            ),
        )
        .returning(c.id)
    )
    return counted.one_or_none() is not None


async def open_by_viewer(
    connection: AsyncConnection, share_id: str, at: datetime
) -> bool:
    """Count an opening if the share has no limit; tell whether it has none.

    What the share is now does not matter: a viewer was granted something.
    """
    c = share.c
    counted = await connection.execute(
        update(share)
        .where(c.id == share_id, c.max_openings.is_(None))
        .values(**_one_more(to_seconds(at)))
        .returning(c.id)
    )
    return counted.one_or_none() is not None


def _one_more(seconds: int) -> dict[str, Any]:
    c = share.c
    # What viewers opened is reported late.
    is_later = c.last_opened_at < seconds
    last = case((is_later, literal(seconds)), else_=c.last_opened_at)
    return {"opened": c.opened + 1, "last_opened_at": last, "used": True}


async def add(connection: AsyncConnection, tally: Tally) -> int | None:
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


async def is_first_of_hour(
    connection: AsyncConnection, share_id: str, reason: str, at: datetime
) -> bool:
    """Tell whether a share, which is locked, is so denied the first time in an hour.

    Clocks of two services may differ: the hour before does not count as another.
    """
    c, hour = share_denial.c, to_seconds(at) // HOUR
    code = clean(reason)[:REASON_LENGTH_MAX]
    row = {"share_id": share_id, "reason": code, "hour": hour}
    noted = insert_for(connection)(share_denial).values(row)
    noted = noted.on_conflict_do_update(
        index_elements=[c.share_id, c.reason],
        set_={"hour": hour},
        where=or_(c.hour < hour, c.hour > hour + 1),
    )
    added = await connection.execute(noted.returning(c.hour))
    return added.one_or_none() is not None
