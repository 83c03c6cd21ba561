"""Lists of shares: filtered, sorted, page by page, each page by one index."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, select, tuple_, union

from orthanc_share.store.database import Database
from orthanc_share.store.errors import InvalidCursorError
from orthanc_share.store.instants import to_seconds
from orthanc_share.store.rows import load
from orthanc_share.store.selection import PAGE_MAX, Order, Page, ShareFilter
from orthanc_share.store.settling import settle, status_at
from orthanc_share.store.tables import share, share_resource
from orthanc_share.store.text import clean
from orthanc_share.store.words import has_words

_BIGGEST = (1 << 63) - 1


_COLUMN = {
    Order.CREATED: share.c.created_at,
    Order.EXPIRES: share.c.ends_at,
    Order.LAST_OPENED: share.c.last_opened_at,
}


async def list_shares(
    database: Database,
    wanted: ShareFilter,
    *,
    now: datetime,
    order: Order = Order.CREATED,
    descending: bool = True,
    limit: int = 50,
    cursor: str | None = None,
) -> Page:
    """Return one page of the shares that are meant.

    A share that is there throughout is on exactly one page, whatever is added or taken
    away meanwhile, unless what it is sorted by changes.

    Args:
        database: Where they are.
        wanted: Which.
        now: The present instant.
        order: Sorted by what.
        descending: Newest or latest first.
        limit: Most shares of the page, 1 to `PAGE_MAX`; others are moved there.
        cursor: Of the page before; None: the first page.

    Raises:
        InvalidCursorError: The cursor is of another list.
        StoreUnavailableError: The database cannot be reached.
    """
    limit = max(1, min(limit, PAGE_MAX))
    column = _COLUMN[order]
    place = tuple_(column, share.c.id)
    query = select(share).where(*conditions(wanted, to_seconds(now)))
    if cursor is not None:
        after = tuple_(*_read_cursor(cursor, order, descending=descending))
        query = query.where(place < after if descending else place > after)
    query = _sorted(query, column, descending=descending).limit(limit + 1)
    if wanted.status is not None:
        await settle(database, to_seconds(now))
    async with database.read() as connection:
        if wanted.text is not None:
            query = query.where(await has_words(connection, wanted.text))
        found = await load(connection, query)
        if len(found) <= limit:
            return Page(found, None)
        value = await connection.scalar(
            select(column).where(share.c.id == found[limit - 1].share.id)
        )
    last = found[limit - 1].share.id
    return Page(found[:limit], f"{order}.{_way(descending)}.{value}.{last}")


def conditions(wanted: ShareFilter, now: int) -> list[ColumnElement[bool]]:
    """Return what `wanted` asks of a share but the text, as SQL; `now` in seconds.

    The status goes by the settled one, for its index, and by the clock.
    """
    found: list[ColumnElement[bool]] = []
    if wanted.status is not None:
        found.append(share.c.settled_status == wanted.status.value)
        found.append(status_at(now) == wanted.status.value)
    if wanted.creator is not None:
        found.append(share.c.creator == clean(wanted.creator))
    if wanted.study is not None:
        found.append(share.c.id.in_(_with_study(wanted.study)))
    return found


def _with_study(study: str) -> Any:
    by_uid = share_resource.c.dicom_uid == clean(study)
    by_orthanc_id = share_resource.c.orthanc_id == clean(study)
    owner = select(share_resource.c.share_id)
    return union(owner.where(by_uid), owner.where(by_orthanc_id))


def _sorted(
    query: Select[Any], column: ColumnElement[int], *, descending: bool
) -> Select[Any]:
    keys = (column, share.c.id)
    return query.order_by(*(key.desc() if descending else key for key in keys))


def _way(descending: bool) -> str:  # noqa: FBT001
    return "desc" if descending else "asc"


def _read_cursor(cursor: str, order: Order, *, descending: bool) -> tuple[int, str]:
    """Return the sorted value and the id at which a page ended."""
    own, way, value, share_id = (*cursor.split(".", 3), "", "", "", "")[:4]
    is_ours = own == order and way == _way(descending)
    if not is_ours or not (value.isascii() and value.isdigit()):
        raise InvalidCursorError
    if int(value[:20]) > _BIGGEST or share_id != clean(share_id):
        raise InvalidCursorError
    return int(value), share_id
