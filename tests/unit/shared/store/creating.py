"""Works on a store until it is killed, and prints what was acknowledged.

Run as `python -m tests.unit.shared.store.creating DATABASE_URL [SHARE]`: creates shares
and prints the id of each, or opens this one and prints which opening it was.
"""

import asyncio
import sys
from itertools import count

from orthanc_share.store.records import Opened
from orthanc_share.store.store import Store, open_store
from tests.unit.shared.store.samples import DOCTOR, NOW, VISITOR, new_share


async def _work(url: str, share_id: str | None = None) -> None:
    async with open_store(url) as store:
        if share_id is None:
            await _create(store)
        else:
            await _open(store, share_id)


async def _create(store: Store) -> None:
    for number in count():
        new = new_share(title=f"title {number}")
        await store.shares.create(new, now=NOW, origin=DOCTOR)
        print(new.share.id, flush=True)  # noqa: T201


async def _open(store: Store, share_id: str) -> None:
    while True:
        done = await store.openings.open_once(share_id, now=NOW, origin=VISITOR)
        if isinstance(done, Opened):
            print(done.opened, flush=True)  # noqa: T201


if __name__ == "__main__":
    asyncio.run(_work(*sys.argv[1:]))
