"""What waits in the outbox is sent, whatever happens to receivers and senders."""

import asyncio
import json
import logging
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from orthanc_share.registry.announcing import Announcer
from orthanc_share.registry.notifier import LEASE, LOOK_EVERY, Notifier
from orthanc_share.store.errors import StoreUnavailableError
from orthanc_share.store.outbox import Notice
from orthanc_share.store.store import Store, open_store
from orthanc_share.upstream.client import create_client
from orthanc_share.upstream.notice_addresses import NoticeAddresses
from orthanc_share.upstream.notices import NoticeSender
from tests.support.receiver import Received, Receiver, receiver
from tests.support.service import NOW, MovableClock
from tests.unit.shared.registry.notifying import KEY
from tests.unit.shared.store.samples import VISITOR, new_share

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[4]
HOUR = timedelta(hours=1)


class _StopError(Exception):
    """The notifier has nothing more to do."""


async def _stop(_seconds: float) -> None:
    raise _StopError


def _url(folder: Path) -> str:
    return f"sqlite:///{folder / 'registry.sqlite'}"


@asynccontextmanager
async def _opened(
    folder: Path, site: str | None, notify: str | None = None, *, times: int = 1
) -> AsyncIterator[Store]:
    """Open a store with a share that was just opened so often."""
    async with open_store(_url(folder), announce=Announcer(site)) as store:
        new = new_share("share-1", ends=None, notify=notify, title="title")
        await store.shares.create(new, now=NOW, origin=VISITOR)
        for _ in range(times):
            await store.openings.open_once("share-1", now=NOW, origin=VISITOR)
        yield store


@asynccontextmanager
async def _notifier(
    store: Store, clock: MovableClock, *hosts: str, site: str | None = None
) -> AsyncIterator[Notifier]:
    async with create_client() as client:
        sender = NoticeSender(client, KEY, NoticeAddresses(site, hosts))
        yield Notifier(lambda: store, sender, clock, sleep=_stop)


async def _run_out(notifier: Notifier) -> None:
    """Run until nothing is due."""
    while await notifier.send_one():
        pass


async def test_an_opening_is_told_to_the_share_and_to_the_site(tmp_path: Path) -> None:
    with receiver() as site, receiver() as own:
        async with (
            _opened(tmp_path, site.url, own.url) as store,
            _notifier(store, MovableClock(), own.host, site=site.url) as notifier,
        ):
            await _run_out(notifier)
            assert await store.outbox.claim(now=NOW + 99 * HOUR, lease=HOUR) == ()
    for there in (site, own):
        (received,) = there.received
        body = json.loads(received.body)
        assert (body["event"], body["share-id"], body["opened"]) == (
            "opened",
            "share-1",
            1,
        )
        assert body["id"] == received.headers["webhook-id"]


async def test_it_waits_when_there_is_nothing(tmp_path: Path) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            raise _StopError

    async with _opened(tmp_path, None) as store, create_client() as client:
        sender = NoticeSender(client, KEY, NoticeAddresses())
        notifier = Notifier(
            lambda: store, sender, MovableClock(), sleep=sleep, at_once=1
        )
        with pytest.raises(ExceptionGroup):
            await notifier.run()
    assert waited == [LOOK_EVERY] * 3


async def test_a_notice_that_failed_is_sent_again_later_with_a_new_signature(
    tmp_path: Path,
) -> None:
    answers = [500, 302, 200]
    clock = MovableClock()
    with receiver(lambda _: answers.pop(0)) as there:
        async with (
            _opened(tmp_path, there.url) as store,
            _notifier(store, clock, site=there.url) as notifier,
        ):
            for wait in (0, 10, 20, 999):
                clock.move(wait)
                await _run_out(notifier)
                clock.move(-1)
                await _run_out(notifier)
                clock.move(1)
    sent = there.received
    assert [one.path for one in sent] == ["/hook?key=secret"] * 3
    assert len({one.body for one in sent}) == 1
    assert len({one.headers["webhook-id"] for one in sent}) == 1
    start = int(NOW.timestamp())
    times = [int(one.headers["webhook-timestamp"]) - start for one in sent]
    assert times == [0, 10, 30]
    assert len({one.headers["webhook-signature"] for one in sent}) == 3


async def test_a_receiver_that_is_gone_is_asked_once(tmp_path: Path) -> None:
    clock = MovableClock()
    with receiver(lambda _: 410) as there:
        async with (
            _opened(tmp_path, there.url) as store,
            _notifier(store, clock, site=there.url) as notifier,
        ):
            await _run_out(notifier)
            clock.move(99 * 3600)
            await _run_out(notifier)
    assert len(there.received) == 1


async def test_it_is_given_up_in_the_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    clock = MovableClock()
    with receiver(lambda _: 500) as there:
        async with (
            _opened(tmp_path, there.url) as store,
            _notifier(store, clock, site=there.url) as notifier,
        ):
            for _ in range(30):
                await _run_out(notifier)
                clock.move(3600)
    assert len(there.received) == 20
    assert "given up" in caplog.text
    assert "secret" not in caplog.text
    assert caplog.records[-1].__dict__["share"] == "share-1"


async def test_a_receiver_that_hangs_does_not_hold_up_the_others(
    tmp_path: Path,
) -> None:
    with receiver(lambda _: None) as hanging, receiver() as there:
        async with (
            _opened(tmp_path, there.url, hanging.url, times=2) as store,
            create_client() as client,
        ):
            addresses = NoticeAddresses(there.url, (hanging.host,))
            sender = NoticeSender(client, KEY, addresses)
            arrived = asyncio.Event()

            async def sleep(_seconds: float) -> None:
                arrived.set()
                await asyncio.Event().wait()

            notifier = Notifier(
                lambda: store, sender, MovableClock(), sleep=sleep, at_once=4
            )
            running = asyncio.create_task(notifier.run())
            await arrived.wait()
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
    assert len(there.received) == 2
    assert len(hanging.received) == 2


async def test_so_many_at_once_and_no_more(tmp_path: Path) -> None:
    three = threading.Barrier(3)

    def rule(_received: Received) -> int:
        three.wait(60)
        return 204

    with receiver(rule) as there:
        async with (
            _opened(tmp_path, there.url, times=12) as store,
            create_client() as client,
        ):
            sender = NoticeSender(client, KEY, NoticeAddresses(there.url))
            notifier = Notifier(
                lambda: store, sender, MovableClock(), sleep=_stop, at_once=3
            )
            with pytest.raises(ExceptionGroup) as caught:
                await notifier.run()
            assert caught.group_contains(_StopError)
    assert len(there.received) == 12
    assert there.at_once_max == 3


async def test_without_database_it_waits_and_goes_on_later(tmp_path: Path) -> None:
    is_away = True

    async with _opened(tmp_path, "https://site.example/") as store:

        def get() -> Store:
            if is_away:
                raise StoreUnavailableError
            return store

        with receiver() as there:
            await store.outbox.put(Notice(there.url, '{"id":"msg_1"}'), now=NOW - HOUR)
            async with create_client() as client:
                sender = NoticeSender(client, KEY, NoticeAddresses(there.url))
                notifier = Notifier(get, sender, MovableClock(), sleep=_stop)
                assert not await notifier.send_one()
                is_away = False
                assert await notifier.send_one()
        assert len(there.received) == 1


async def test_a_notice_is_sent_later_when_the_database_goes_away_meanwhile(
    tmp_path: Path,
) -> None:
    clock, is_away = MovableClock(), [False, True]
    with receiver() as there:
        async with _opened(tmp_path, there.url) as store, create_client() as client:

            def get() -> Store:
                if is_away and is_away.pop(0):
                    raise StoreUnavailableError
                return store

            sender = NoticeSender(client, KEY, NoticeAddresses(there.url))
            notifier = Notifier(get, sender, clock, sleep=_stop)
            assert not await notifier.send_one()
            with pytest.raises(ExceptionGroup):
                await notifier.run()
            assert not there.received
            clock.move(LEASE.total_seconds())
            with pytest.raises(ExceptionGroup):
                await notifier.run()
    assert len(there.received) == 1


async def test_a_sender_that_is_killed_while_it_sends_loses_nothing(
    tmp_path: Path,
) -> None:
    clock, is_up = MovableClock(), False

    def rule(_received: Received) -> int | None:
        return 204 if is_up else None

    with receiver(rule) as there:
        async with _opened(tmp_path, there.url) as store:
            await asyncio.to_thread(_kill_while_sending, tmp_path, there)
            is_up = True
            async with _notifier(store, clock, site=there.url) as notifier:
                clock.move(LEASE.total_seconds() - 1)
                await _run_out(notifier)
                assert len(there.received) == 1
                clock.move(1)
                await _run_out(notifier)
                await _run_out(notifier)
    first, second = there.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body


def _kill_while_sending(folder: Path, there: Receiver) -> None:
    """Run a sender in a process of its own, and kill it when its notice has come."""
    module = "tests.unit.shared.registry.notifying"
    command = [sys.executable, "-m", module, _url(folder), there.url]
    with subprocess.Popen(command, cwd=ROOT) as process:
        there.came.wait(60)
        process.kill()
    assert len(there.received) == 1
