"""What happened to shares day by day."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from orthanc_share.store.dialects import insert_for
from orthanc_share.store.instants import DAY
from orthanc_share.store.records import DayCount
from orthanc_share.store.tables import share_day

_COUNTERS = ("opened", "denied", "granted")
_EPOCH = date(1970, 1, 1)


async def count_opening(connection: AsyncConnection, share_id: str, now: int) -> None:
    """Add an opening to the day of `now`, in seconds."""
    await count_days(
        connection, [{"share_id": share_id, "day": now // DAY, "opened": 1}]
    )


async def count_days(
    connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]
) -> Mapping[tuple[str, int], int]:
    """Add counts to days of shares.

    Args:
        connection: Of the transaction.
        rows: `share_id`, `day` since 1970 and counts (opened, denied, granted); no day
            of a share twice.

    Returns:
        Share and day to the grants that it has had, with these.
    """
    day = share_day.c
    zeros = dict.fromkeys(_COUNTERS, 0)
    statement = insert_for(connection)(share_day)
    statement = statement.on_conflict_do_update(
        index_elements=[day.share_id, day.day],
        set_={name: day[name] + statement.excluded[name] for name in _COUNTERS},
    )
    added = await connection.execute(
        statement.returning(day.share_id, day.day, day.granted),
        [zeros | dict(row) for row in rows],
    )
    return {(row.share_id, row.day): row.granted for row in added}


async def history(
    connection: AsyncConnection, share_id: str, since: datetime
) -> Sequence[DayCount]:
    """Return what happened on each day since, oldest first; days of nothing are out."""
    day = share_day.c
    first = (since.astimezone(UTC).date() - _EPOCH).days
    query = (
        select(day.day, day.opened, day.denied, day.granted)
        .where(day.share_id == share_id, day.day >= first)
        .order_by(day.day)
    )
    rows = (await connection.execute(query)).all()
    return [
        DayCount(_EPOCH + timedelta(days=row.day), row.opened, row.denied, row.granted)
        for row in rows
    ]
