"""Who is cancelled in the middle of a query leaves nothing at work behind."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from orthanc_share.store.database import Database, connect
from orthanc_share.store.errors import StoreUnavailableError
from orthanc_share.store.sqlite_threads import SqliteThreads
from orthanc_share.store.urls import parse_url

pytestmark = pytest.mark.anyio

LONG = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000)
SELECT count(*) FROM n
"""
SHORT = LONG.replace("3000000", "30000")


@pytest.mark.parametrize("times", [0, 1, 3])
async def test_no_thread_outlives_the_database(tmp_path: Path, times: int) -> None:
    before = set(threading.enumerate())
    database = connect(parse_url(f"sqlite:///{tmp_path / 'registry.sqlite'}"))
    at_work = asyncio.Event()

    async def ask() -> None:
        try:
            async with database.read() as connection:
                at_work.set()
                await connection.execute(text(LONG))
        finally:
            await database.close()

    asking = asyncio.create_task(ask())
    await at_work.wait()
    for _ in range(times):
        await asyncio.sleep(0.01)
        asking.cancel()
    if times:
        with pytest.raises(asyncio.CancelledError):
            await asking
    await asyncio.gather(asking, return_exceptions=True)
    left = set(threading.enumerate()) - before
    assert not [one for one in left if "_connection_worker" in one.name]


async def test_who_is_cancelled_while_closing_is_so_when_all_is_closed(
    tmp_path: Path,
) -> None:
    before = set(threading.enumerate())
    database = connect(parse_url(f"sqlite:///{tmp_path / 'registry.sqlite'}"))
    at_work = asyncio.Event()

    async def ask() -> None:
        async with database.read() as connection:
            at_work.set()
            await connection.execute(text(LONG))

    asking = asyncio.create_task(ask())
    await at_work.wait()
    closing = asyncio.create_task(database.close())
    for _ in range(2):
        await asyncio.sleep(0)
        closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    left = set(threading.enumerate()) - before
    assert not [one for one in left if "_connection_worker" in one.name]
    await asyncio.gather(asking, return_exceptions=True)


@pytest.mark.timeout(60)
async def test_who_is_in_the_middle_of_a_query_gets_the_answer_and_others_none(
    new_url: str,
) -> None:
    for number in range(30):
        database = connect(parse_url(new_url))
        at_work = asyncio.Event()

        async def ask(database: Database, at_work: asyncio.Event) -> Any:
            async with database.read() as connection:
                at_work.set()
                await connection.execute(text(SHORT))
                return (await connection.execute(text("SELECT 4711"))).scalar_one()

        asking = asyncio.create_task(ask(database, at_work))
        await at_work.wait()
        await asyncio.sleep(0.0005 * number)
        closing = asyncio.create_task(database.close())
        await asyncio.sleep(0)
        with pytest.raises(StoreUnavailableError):
            await ask(database, at_work)
        assert await asking == 4711
        await closing


@pytest.mark.timeout(60)
async def test_a_connection_whose_thread_is_stopped_can_be_closed(
    tmp_path: Path,
) -> None:
    threads = SqliteThreads()
    connection = await threads.connect(tmp_path / "registry.sqlite")
    asking = asyncio.create_task(connection.execute_fetchall(LONG))
    await asyncio.sleep(0)
    stopping = asyncio.create_task(threads.close())
    await asyncio.sleep(0)
    with pytest.raises(ValueError, match="closed"):
        await connection.close()
    assert list(await asking) == [(3_000_000,)]
    await stopping


@pytest.mark.timeout(60)
async def test_a_connection_that_is_being_closed_can_be_stopped(tmp_path: Path) -> None:
    threads = SqliteThreads()
    connection = await threads.connect(tmp_path / "registry.sqlite")
    asking = asyncio.create_task(connection.execute_fetchall(LONG))
    await asyncio.sleep(0)
    closing = asyncio.create_task(connection.close())
    await asyncio.sleep(0)
    await threads.close()
    await closing
    assert list(await asking) == [(3_000_000,)]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("times", [1, 2])
async def test_who_is_cancelled_in_the_middle_of_a_write_keeps_nobody_from_writing(
    new_url: str, times: int
) -> None:
    database = connect(parse_url(new_url))
    cancelled = []
    for number in range(30):
        at_work = asyncio.Event()
        asking = asyncio.create_task(_write(database, at_work))
        await at_work.wait()
        await asyncio.sleep(0.0005 * number)
        for _ in range(times):
            asking.cancel()
            await asyncio.sleep(0)
        await _write(database, at_work)
        cancelled.append(asking)  # what it knows is known until the end
    await asyncio.gather(*cancelled, return_exceptions=True)
    await database.close()


async def _write(database: Database, at_work: asyncio.Event) -> None:
    async with database.write() as connection:
        at_work.set()
        await connection.execute(text(SHORT))


async def test_a_thread_that_has_ended_is_not_waited_for(tmp_path: Path) -> None:
    threads = SqliteThreads()
    for number in range(2):
        connection = await threads.connect(tmp_path / f"{number}.sqlite")
        await connection.close()
    await threads.close()
