"""Following the news."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from orthanc_share.domain.access import Reason
from orthanc_share.registry.following import Follower
from orthanc_share.registry.register import Register
from orthanc_share.store.errors import StoreUnavailableError
from orthanc_share.store.news import News, NewsPage
from tests.unit.shared.registry.test_register import END, SHARE

pytestmark = pytest.mark.anyio


def follower(
    register: Register, source: Callable[[int], Awaitable[NewsPage]]
) -> Follower:
    return Follower(register, source, interval=0.001)


def page(*ids: str, cursor: int, more: bool = False) -> NewsPage:
    found = tuple(News(one, True, END, False) for one in ids)  # noqa: FBT003
    return NewsPage(found, cursor, more=more, is_fresh_start=False)


async def test_all_pages_are_read_before_anything_is_granted() -> None:
    register, asked = Register(timedelta(minutes=1)), []
    pages = {0: page("a", cursor=7, more=True), 7: page(SHARE.id, cursor=9)}

    async def source(cursor: int) -> NewsPage:
        asked.append(cursor)
        if cursor == 7:
            assert register.current(SHARE) is Reason.REGISTRY_UNAVAILABLE
        return pages[cursor]

    await follower(register, source).look()
    assert asked == [0, 7]
    assert register.current(SHARE) is Reason.REVOKED


async def test_it_goes_on_where_it_was(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    register, asked = Register(timedelta(minutes=1)), []
    done = asyncio.Event()

    async def source(cursor: int) -> NewsPage:
        asked.append(cursor)
        if len(asked) in {2, 3}:
            raise StoreUnavailableError
        if len(asked) == 5:
            done.set()
        return page(cursor=5)

    task = asyncio.create_task(follower(register, source).run())
    await done.wait()
    task.cancel()
    assert asked[:5] == [0, 5, 5, 5, 5]
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


async def test_a_source_that_hangs_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("orthanc_share.registry.following.ASK_TIMEOUT", 0.01)
    register = Register(timedelta(minutes=1))

    async def source(_cursor: int) -> NewsPage:
        await asyncio.Event().wait()
        raise AssertionError

    await follower(register, source).look()
    assert register.current(SHARE) is Reason.REGISTRY_UNAVAILABLE
