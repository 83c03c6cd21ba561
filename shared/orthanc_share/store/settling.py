"""Keeps the status of shares in a column, so that a list by status is one index.

A status also changes by time alone. `settle` writes down those changes; it finds them
by index, whichever way the clock went, so that it costs nothing when there are none.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    Case,
    ColumnElement,
    case,
    func,
    literal,
    select,
    union_all,
    update,
)

from orthanc_share.store.database import Database
from orthanc_share.store.instants import LEEWAY, NEVER
from orthanc_share.store.records import ShareStatus
from orthanc_share.store.tables import share

CHUNK = 1000
"""Shares that one transaction settles; others can write in between."""

_OPEN = (ShareStatus.ACTIVE, ShareStatus.NOT_YET, ShareStatus.USED_UP)


def status_of(row: Mapping[str, Any], now: int) -> ShareStatus:
    """Return the status at `now`, in seconds, of a share that was not taken back."""
    if row["ends_at"] <= now:
        return ShareStatus.EXPIRED
    if row["max_openings"] is not None and row["opened"] >= row["max_openings"]:
        return ShareStatus.USED_UP
    if row["starts_at"] > now + LEEWAY:
        return ShareStatus.NOT_YET
    return ShareStatus.ACTIVE


def status_at(now: int) -> Case[str]:
    """Return the status of a share at `now`, in seconds, as SQL."""
    c = share.c
    return case(
        (c.revoked_at.is_not(None), literal(ShareStatus.REVOKED.value)),
        (c.ends_at <= now, literal(ShareStatus.EXPIRED.value)),
        (
            c.opened >= func.coalesce(c.max_openings, NEVER),
            literal(ShareStatus.USED_UP.value),
        ),
        (c.starts_at > now + LEEWAY, literal(ShareStatus.NOT_YET.value)),
        else_=literal(ShareStatus.ACTIVE.value),
    )


async def settle(database: Database, now: int) -> int:
    """Write down what `now`, in seconds, has made of the shares; return how many.

    Raises:
        StoreUnavailableError: The database cannot be reached.
    """
    total = 0
    while True:
        async with database.read() as connection:
            found = (await connection.execute(_unsettled(now))).scalars().all()
        if not found:
            return total
        total += await _settle(database, sorted(set(found)), now)


async def _settle(database: Database, ids: list[str], now: int) -> int:
    async with database.write() as connection:
        # Locked in one order, so that two who settle cannot block each other.
        chosen = select(share.c.id).where(share.c.id.in_(ids))
        await connection.execute(chosen.order_by(share.c.id).with_for_update())
        await connection.execute(
            update(share)
            .where(share.c.id.in_(ids))
            .values(settled_status=status_at(now))
        )
    return len(ids)


def _unsettled(now: int) -> Any:
    c = share.c
    status = c.settled_status
    late = now + LEEWAY
    parts = [
        *(_some(c.ends_at, status == value, c.ends_at <= now) for value in _OPEN),
        _some(c.starts_at, status == ShareStatus.NOT_YET, c.starts_at <= late),
        # The clock was put back.
        _some(c.ends_at, status == ShareStatus.EXPIRED, c.ends_at > now),
        _some(c.starts_at, status == ShareStatus.ACTIVE, c.starts_at > late),
    ]
    return union_all(*parts)


def _some(by: ColumnElement[int], *conditions: ColumnElement[bool]) -> Any:
    # Unsorted, PostgreSQL would expect many and look through the table for the first.
    query = select(share.c.id).where(*conditions).order_by(by).limit(CHUNK)
    return select(query.subquery().c.id)
