"""What happened to shares day by day."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from orthanc_share.store.dialects import insert_for
from orthanc_share.store.instants import DAY
from orthanc_share.store.records import DayCount
from orthanc_share.store.tables import share_day

_COUNTERS = ("opened", "denied", "granted")
_EPOCH = date(1970, 1, 1)


async def count_day(
    connection: AsyncConnection, share_id: str, now: int, **counts: int
) -> int:
    """Add `counts` (opened, denied, granted) to the day of `now`, in seconds.

    Returns:
        How many grants the day has had, with these.
    """
    day = share_day.c
    values = {name: counts.get(name, 0) for name in _COUNTERS}
    row = {"share_id": share_id, "day": now // DAY, **values}
    statement = insert_for(connection)(share_day).values(row)
    statement = statement.on_conflict_do_update(
        index_elements=[day.share_id, day.day],
        set_={name: day[name] + statement.excluded[name] for name in _COUNTERS},
    )
    result = await connection.execute(statement.returning(day.granted))
    granted: int = result.scalar_one()
    return granted


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
