"""Counters of shares, each step within the transaction of a connection."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace
from sqlalchemy import BigInteger, bindparam, case, func, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from orthanc_share.domain.share import Flavour
from orthanc_share.store.days import count_days
from orthanc_share.store.dialects import insert_for, is_among
from orthanc_share.store.instants import DAY, HOUR, NEVER, to_seconds
from orthanc_share.store.records import ShareStatus, Tally
from orthanc_share.store.rows import is_id
from orthanc_share.store.settling import status_at
from orthanc_share.store.tables import REASON_LENGTH_MAX, share, share_denial
from orthanc_share.store.text import clean

CHUNK = 20_000
"""Shares that one statement names."""

_ADD = (
    update(share)
    .where(share.c.id == bindparam("key"))
    .values(
        granted=share.c.granted + bindparam("more_granted"),
        denied=share.c.denied + bindparam("more_denied"),
        used=or_(share.c.used, bindparam("more_granted", type_=BigInteger) > 0),
    )
)


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


async def lock(connection: AsyncConnection, share_ids: Iterable[str]) -> set[str]:
    """Lock shares, in one order, so that two who do it cannot block each other.

    Returns:
        Those that there are.
    """
    ids = sorted({one for one in share_ids if is_id(one)})
    kept: set[str] = set()
    for start in range(0, len(ids), CHUNK):
        named = is_among(connection, share.c.id, ids[start : start + CHUNK])
        chosen = select(share.c.id).where(named).order_by(share.c.id)
        locked = await connection.execute(chosen.with_for_update())
        kept.update(locked.scalars())
    return kept


async def deidentified(
    connection: AsyncConnection, share_ids: Sequence[str]
) -> set[str]:
    """Return which of some shares, all of which there are, show no identity."""
    kept: set[str] = set()
    for start in range(0, len(share_ids), CHUNK):
        named = is_among(connection, share.c.id, share_ids[start : start + CHUNK])
        hidden = share.c.flavour == Flavour.ANONYMIZED.value
        found = await connection.execute(select(share.c.id).where(named, hidden))
        kept.update(found.scalars())
    return kept


async def add(connection: AsyncConnection, tallies: Sequence[Tally]) -> list[Tally]:
    """Add tallies of shares, all of which are locked.

    Returns:
        Those with the first grant of a share and day, one for each.
    """
    if not tallies:
        return []
    more = [
        {"key": one.share_id, "more_granted": one.granted, "more_denied": one.denied}
        for one in tallies
    ]
    await connection.execute(_ADD, more)
    days = _by_day(tallies)
    rows = [
        {"share_id": share_id, "day": day, "granted": one.granted, "denied": one.denied}
        for (share_id, day), one in days.items()
    ]
    granted = await count_days(connection, rows)
    return [one for key, one in days.items() if 0 < granted[key] == one.granted]


def _by_day(tallies: Sequence[Tally]) -> dict[tuple[str, int], Tally]:
    """Return the sums of share and day; the database wants no row twice."""
    days: dict[tuple[str, int], Tally] = {}
    for one in tallies:
        key = one.share_id, to_seconds(one.at) // DAY
        known = days.get(key)
        days[key] = one if known is None else _sum(known, one)
    return days


def _sum(one: Tally, other: Tally) -> Tally:
    return replace(
        one,
        granted=one.granted + other.granted,
        denied=one.denied + other.denied,
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
