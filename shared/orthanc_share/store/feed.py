"""What every service must know of shares without asking each time.

A service that validates keeps what it was told and asks for news every second. Numbers
are given in the order in which they become visible (see `tables.audit_head`), so that
who has seen one has seen all before it.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, select

from orthanc_share.store.database import Database
from orthanc_share.store.instants import (
    CLOCK_ERROR_MAX,
    NEVER,
    to_instant_unless,
    to_seconds,
)
from orthanc_share.store.news import News, NewsPage
from orthanc_share.store.rows import is_guarded
from orthanc_share.store.tables import audit_head, share

PAGE = 1000
"""Most news of one answer."""


async def revoked_since(database: Database, cursor: int, *, now: datetime) -> NewsPage:
    """Return what was revoked or changed after `cursor`; 0: ever.

    In the first part, shares whose every token expired long before `now` are passed
    over; later ones are told all the same, as the clock may be put back.

    Raises:
        StoreUnavailableError: The database cannot be reached.
    """
    async with database.read() as connection:
        head = (await connection.execute(select(audit_head.c.seq))).scalar_one()
        is_fresh_start = cursor > head
        start = 0 if is_fresh_start else cursor
        if start == head:
            return NewsPage((), head, more=False, is_fresh_start=is_fresh_start)
        c = share.c
        query = (
            select(
                c.id,
                c.feed_seq,
                c.revoked_at,
                c.ends_at,
                c.max_openings,
                c.password_hash,
            )
            .where(c.feed_seq > start, *_matters(c.last_end, start, now))
            .order_by(c.feed_seq)
            .limit(PAGE)
        )
        rows = (await connection.execute(query)).mappings().all()
    news = tuple(
        News(
            row["id"],
            row["revoked_at"] is not None,
            to_instant_unless(row["ends_at"], NEVER),
            is_guarded(row),
        )
        for row in rows
    )
    more = len(rows) == PAGE
    return NewsPage(news, rows[-1]["feed_seq"] if more else head, more, is_fresh_start)


def _matters(
    last_end: ColumnElement[int], start: int, now: datetime
) -> list[ColumnElement[bool]]:
    return [] if start else [last_end > to_seconds(now - CLOCK_ERROR_MAX)]
