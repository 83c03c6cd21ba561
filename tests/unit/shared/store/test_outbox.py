"""Notices wait until they are sent, whatever happens meanwhile."""

import asyncio
from datetime import timedelta

import pytest

from orthanc_share.store.outbox import Notice, Retry
from orthanc_share.store.store import Store, open_store
from tests.unit.shared.store.samples import DAY, HOUR, NOW, SECOND

pytestmark = pytest.mark.anyio

LEASE = timedelta(minutes=1)
NOTICE = Notice("https://ris.example/hook?key=secret", '{"opened": 1}', "share")


async def test_a_notice_is_sent_once_if_nothing_fails(store: Store) -> None:
    await store.outbox.put(NOTICE, now=NOW)
    (claimed,) = await store.outbox.claim(now=NOW, lease=LEASE)
    assert (claimed.notice, claimed.attempts) == (NOTICE, 1)
    assert "secret" not in repr(claimed)
    assert await store.outbox.claim(now=NOW, lease=LEASE) == ()
    assert await store.outbox.delivered(claimed)
    assert await store.outbox.claim(now=NOW + DAY, lease=LEASE) == ()


async def test_a_notice_survives_a_restart_and_a_sender_that_died(url: str) -> None:
    async with open_store(url) as store:
        await store.outbox.put(NOTICE, now=NOW)
        (lost,) = await store.outbox.claim(now=NOW, lease=LEASE)
    async with open_store(url) as store:
        assert await store.outbox.claim(now=NOW + LEASE - SECOND, lease=LEASE) == ()
        (again,) = await store.outbox.claim(now=NOW + LEASE, lease=LEASE)
        assert (again.notice, again.attempts) == (NOTICE, 2)
        assert not await store.outbox.delivered(lost)
        await store.outbox.failed(lost, now=NOW + LEASE)
        assert await store.outbox.delivered(again)


async def test_it_is_tried_again_later_and_later_and_then_given_up(url: str) -> None:
    retry = Retry(first=10 * SECOND, longest=30 * SECOND, attempts=4)
    async with open_store(url, retry=retry) as store:
        await store.outbox.put(NOTICE, now=NOW)
        now = NOW
        for wait in (10, 20, 30):
            (claimed,) = await store.outbox.claim(now=now, lease=LEASE)
            again = await store.outbox.failed(claimed, now=now)
            assert again == now + wait * SECOND
            assert await store.outbox.claim(now=again - SECOND, lease=LEASE) == ()
            now = again
        (claimed,) = await store.outbox.claim(now=now, lease=LEASE)
        assert await store.outbox.failed(claimed, now=now) is None
        assert await store.outbox.claim(now=now + 999 * DAY, lease=LEASE) == ()


def test_a_wait_has_a_bound_however_often_it_failed() -> None:
    assert Retry().wait(10**9) == HOUR


async def test_many_senders_never_have_the_same_notice(store: Store, url: str) -> None:
    await store.outbox.put(*[NOTICE] * 20, now=NOW)
    async with open_store(url) as other:
        turns = await asyncio.gather(
            *(
                (store, other)[n % 2].outbox.claim(now=NOW, lease=LEASE, limit=3)
                for n in range(20)
            )
        )
        left = await store.outbox.claim(now=NOW, lease=LEASE, limit=20)
    ids = [claimed.id for turn in (*turns, left) for claimed in turn]
    assert len(ids) == len(set(ids)) == 20
