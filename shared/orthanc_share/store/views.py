"""Viewer tokens: each is counted as an opening once, however often it is reported.

Whoever works on the views of a share has locked it, see `counting.lock`.
"""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from orthanc_share.store.counting import open_by_viewer
from orthanc_share.store.days import count_opening
from orthanc_share.store.dialects import insert_for
from orthanc_share.store.instants import to_instant, to_seconds
from orthanc_share.store.records import View
from orthanc_share.store.rows import is_id
from orthanc_share.store.tables import share_view


async def opened_at(
    connection: AsyncConnection, view: View, again: timedelta
) -> datetime | None:
    """Return when a view was counted, if that is less than `again` ago."""
    c = share_view.c
    query = select(c.at).where(
        c.view_id == view.id,
        c.share_id == view.share_id,
        c.at > to_seconds(view.at - again),
    )
    seconds = (await connection.execute(query)).scalar_one_or_none()
    return None if seconds is None else to_instant(seconds)


async def note_opening(connection: AsyncConnection, view: View) -> None:
    """Note that a view was counted, for the first time or once more."""
    row = {"view_id": view.id, "share_id": view.share_id, "at": to_seconds(view.at)}
    noted = insert_for(connection)(share_view).values(row)
    key, newer = [share_view.c.view_id], {"at": row["at"]}
    await connection.execute(
        noted.on_conflict_do_update(index_elements=key, set_=newer)
    )


async def record_view(connection: AsyncConnection, view: View) -> bool:
    """Note that a view was counted, or need not be; tell whether it is new."""
    row = {"view_id": view.id, "share_id": view.share_id, "at": to_seconds(view.at)}
    fresh = insert_for(connection)(share_view).values(row).on_conflict_do_nothing()
    added = await connection.execute(fresh.returning(share_view.c.view_id))
    return added.one_or_none() is not None


async def count_view(connection: AsyncConnection, view: View) -> bool:
    """Count a view that is an opening and new; tell whether it was counted.

    A share with a limit is opened at the landing page only, where it was counted.
    """
    if not is_id(view.id) or not await record_view(connection, view):
        return False
    if not await open_by_viewer(connection, view.share_id, view.at):
        return False
    await count_opening(connection, view.share_id, to_seconds(view.at))
    return True
