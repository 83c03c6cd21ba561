"""Creates shares until it is killed, and prints the id of each that was acknowledged.

Run as `python -m tests.unit.shared.store.creating DATABASE_URL`.
"""

import asyncio
import sys
from itertools import count

from orthanc_share.store.store import open_store
from tests.unit.shared.store.samples import DOCTOR, NOW, new_share


async def _create(url: str) -> None:
    async with open_store(url) as store:
        for number in count():
            new = new_share(title=f"title {number}")
            await store.shares.create(new, now=NOW, origin=DOCTOR)
            print(new.share.id, flush=True)  # noqa: T201


if __name__ == "__main__":
    asyncio.run(_create(sys.argv[1]))
