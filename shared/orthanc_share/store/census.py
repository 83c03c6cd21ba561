"""How many shares there are of each status, as far as anybody counts."""

from sqlalchemy import ScalarSelect, func, literal, select

from orthanc_share.store.database import Database
from orthanc_share.store.records import ShareStatus
from orthanc_share.store.settling import settle
from orthanc_share.store.tables import share

COUNTED_MAX = 1000
"""So many of a status are counted; of more it is only known that there are more."""


async def count_by_status(database: Database, now: int) -> dict[ShareStatus, int]:
    """Return how many shares have each status at `now`, in seconds.

    `COUNTED_MAX + 1` stands for more than are counted: the time that it takes does not
    grow with the registry.

    Raises:
        StoreUnavailableError: The database cannot be reached.
    """
    await settle(database, now)
    parts = [_count(status) for status in ShareStatus]
    async with database.read() as connection:
        row = (await connection.execute(select(*parts))).one()
    return dict(zip(ShareStatus, row, strict=True))


def _count(status: ShareStatus) -> ScalarSelect[int]:
    some = select(literal(1)).select_from(share)
    some = some.where(share.c.settled_status == status.value)
    # In the order of an index, so that it is not read further than needed.
    some = some.order_by(share.c.created_at, share.c.id).limit(COUNTED_MAX + 1)
    counted = select(func.count()).select_from(some.subquery())
    return counted.scalar_subquery()
