"""Sends the notices of a store until it is killed.

Run as `python -m tests.unit.shared.registry.notifying DATABASE_URL RECEIVER_URL`.
"""

import asyncio
import sys

from orthanc_share.registry.notifier import Notifier
from orthanc_share.store.store import open_store
from orthanc_share.upstream.client import create_client
from orthanc_share.upstream.notice_addresses import NoticeAddresses
from orthanc_share.upstream.notices import NoticeSender
from tests.support.service import MovableClock

KEY = b"k" * 32


async def _notify(url: str, receiver: str) -> None:
    async with open_store(url) as store, create_client() as client:
        sender = NoticeSender(client, KEY, NoticeAddresses(receiver))
        await Notifier(lambda: store, sender, MovableClock()).run()


if __name__ == "__main__":
    asyncio.run(_notify(*sys.argv[1:]))
