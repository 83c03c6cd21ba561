"""What was acknowledged is there, whatever is killed, stopped or full."""

import asyncio
import contextlib
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from orthanc_share.store.database import CONNECT_TIMEOUT
from orthanc_share.store.errors import ShareNotFoundError, StoreUnavailableError
from orthanc_share.store.records import (
    Event,
    EventKind,
    NotOpened,
    Opened,
    ShareStatus,
)
from orthanc_share.store.store import Store, open_store
from orthanc_share.store.verifying import Intact
from tests.support.postgres import PostgreSQL, running_postgres
from tests.unit.shared.store.samples import NOW, VISITOR, create, events_of, kinds_of

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[4]


def _killed_after(url: str, count: int, *share_id: str) -> list[str]:
    """Return what a process acknowledged before it was killed."""
    module = "tests.unit.shared.store.creating"
    command = [sys.executable, "-m", module, url, *share_id]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        ids = [process.stdout.readline() for _ in range(count)]
        process.kill()
        ids += process.stdout.readlines()
    return [line.decode().strip() for line in ids if line.endswith(b"\n")]


async def test_nothing_acknowledged_is_lost_when_its_process_is_killed(
    url: str,
) -> None:
    ids = [share_id for _ in range(2) for share_id in _killed_after(url, 10)]
    assert len(ids) >= 20
    async with open_store(url) as store:
        for share_id in ids:
            assert (await store.shares.get(share_id)).share.id == share_id
        # One more may have been kept than its process could say.
        assert len(ids) <= len(await events_of(store)) <= len(ids) + 2
        assert isinstance(await store.verify_audit(), Intact)


async def test_no_opening_is_lost_or_given_twice_when_its_process_is_killed(
    url: str,
) -> None:
    async with open_store(url) as store:
        share_id = await create(store, max_openings=25)
    told = [int(one) for _ in range(2) for one in _killed_after(url, 10, share_id)]
    assert len(told) == len(set(told)) >= 20
    async with open_store(url) as store:
        kept = await store.shares.get(share_id)
        # One more may have been counted than its process could say; never one less.
        assert len(told) <= kept.opened <= min(25, len(told) + 2)
        assert (await kinds_of(store)).count("opened") == kept.opened
        left = [
            await store.openings.open_once(share_id, now=NOW, origin=VISITOR)
            for _ in range(26 - kept.opened)
        ]
        assert left[-1] == NotOpened(ShareStatus.USED_UP)
        assert sum(isinstance(one, Opened) for one in left) == 25 - kept.opened
        assert isinstance(await store.verify_audit(), Intact)


@pytest.fixture
def own_server() -> Iterator[PostgreSQL]:
    """Run a server that the test may stop."""
    with running_postgres() as server:
        yield server


@pytest.mark.parametrize("mode", ["fast", "immediate"])
async def test_a_stopped_server_is_said_to_be_unavailable_and_used_when_it_is_back(
    own_server: PostgreSQL, mode: str
) -> None:
    async with open_store(own_server.new_database()) as store:
        share_id = await create(store, max_openings=2)
        first = await store.openings.open_once(share_id, now=NOW, origin=VISITOR)
        assert first == Opened(1, 1, NOW)
        own_server.stop(mode)
        with pytest.raises(StoreUnavailableError):
            await store.check()
        with pytest.raises(StoreUnavailableError):
            await create(store)
        with pytest.raises(StoreUnavailableError):
            await store.openings.open_once(share_id, now=NOW, origin=VISITOR)
        own_server.start()
        await store.check()
        assert (await store.shares.get(share_id)).opened == 1
        second = await store.openings.open_once(share_id, now=NOW, origin=VISITOR)
        assert second == Opened(2, 0, NOW)
        assert isinstance(await store.verify_audit(), Intact)


async def test_a_server_that_stops_under_load_loses_nothing_acknowledged(
    own_server: PostgreSQL,
) -> None:
    acknowledged: list[str] = []
    enough = asyncio.Event()
    async with open_store(own_server.new_database()) as store:

        async def work() -> None:
            while True:
                acknowledged.append(await create(store))
                if len(acknowledged) == 20:
                    enough.set()

        workers = [asyncio.ensure_future(work()) for _ in range(4)]
        await enough.wait()
        await asyncio.to_thread(own_server.stop, "immediate")
        results = await asyncio.gather(*workers, return_exceptions=True)
        assert {type(one) for one in results} == {StoreUnavailableError}
        await asyncio.to_thread(own_server.start)
        for share_id in acknowledged:
            await store.shares.get(share_id)
        assert isinstance(await store.verify_audit(), Intact)


async def test_a_server_that_is_not_there_is_unavailable(
    own_server: PostgreSQL,
) -> None:
    url = own_server.new_database()
    own_server.stop()
    with pytest.raises(StoreUnavailableError) as caught:
        async with open_store(url):
            pass
    assert own_server.password not in f"{caught.value!r} {caught.value.__cause__!r}"
    own_server.start()


async def test_a_writer_that_waits_too_long_is_told_so(
    new_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orthanc_share.store.database.BUSY_TIMEOUT_MS", 50)
    async with open_store(new_url) as store, open_store(new_url) as other:
        share_id = await create(store)
        async with store.database.write() as connection:
            await store.audit.append(connection, [Event(EventKind.SWEPT, NOW)])
            with pytest.raises(StoreUnavailableError):
                await other.openings.open_once(share_id, now=NOW, origin=VISITOR)
            await other.check()
        opened = await other.openings.open_once(share_id, now=NOW, origin=VISITOR)
        assert opened == Opened(1, None, NOW)


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """Mount a file system of 2 MB for the test."""
    folder = Path(tempfile.mkdtemp(prefix="orthanc-share-full-"))
    mount = shutil.which("mount")
    options = ["-t", "tmpfs", "-o", "size=2m,mode=0755", "tmpfs"]
    command = [str(mount), *options, str(folder)]
    is_mounted = False
    if mount and not os.geteuid():
        done = subprocess.run(command, check=False, capture_output=True)
        is_mounted = done.returncode == 0
    if not is_mounted:
        folder.rmdir()
        pytest.skip("only root may mount a small file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)  # noqa: S607
    folder.rmdir()


@pytest.fixture
def small_database(
    engine: str, small_disk: Path, request: pytest.FixtureRequest
) -> Iterator[str]:
    """Return the address of a database on the small disk."""
    if engine == "sqlite":
        yield f"sqlite:///{small_disk / 'registry.sqlite'}"
        return
    server: PostgreSQL = request.getfixturevalue("own_server")
    _resize(small_disk, "32m")  # an empty database is bigger than SQLite's
    folder = small_disk / "space"
    folder.mkdir()
    server.give(folder)
    server.sql("postgres", f"CREATE TABLESPACE small LOCATION '{folder}'")
    server.sql("postgres", "CREATE DATABASE small TABLESPACE small")
    yield server.url("small")
    server.stop("immediate")  # it must not hold the disk when that is taken away


async def test_a_full_disk_takes_nothing_new_and_keeps_what_it_has(
    small_disk: Path, small_database: str
) -> None:
    async with open_store(small_database) as store:
        kept = await _fill_up(store)
        for share_id in kept:
            # PostgreSQL may have to write another page before it can read this one.
            with contextlib.suppress(StoreUnavailableError):
                await store.shares.get(share_id)
        openings = await _open_until_full(store, kept[0])
        await asyncio.to_thread(_resize, small_disk, "128m")
        assert (await store.shares.get(kept[0])).opened == openings
        kept.append(await create(store))
        assert (await kinds_of(store)).count("created") == len(kept)
    async with open_store(small_database) as store:
        for share_id in kept:
            await store.shares.get(share_id)
        assert (await store.shares.get(kept[0])).opened == openings
        with pytest.raises(ShareNotFoundError):
            await store.shares.get("never-kept")
        assert isinstance(await store.verify_audit(), Intact)


def _resize(folder: Path, size: str) -> None:
    subprocess.run(
        ["mount", "-o", f"remount,size={size}", str(folder)],  # noqa: S607
        check=True,
    )


async def _fill_up(store: Store) -> list[str]:
    kept: list[str] = []

    async def fill(size: int) -> None:
        while True:
            # Random, for PostgreSQL compresses.
            kept.append(await create(store, notify=secrets.token_hex(size)))

    for size in (100_000, 10_000, 100):
        with pytest.raises(StoreUnavailableError):
            await fill(size)
    assert kept
    return kept


async def _open_until_full(store: Store, share_id: str) -> int:
    """Open a share on a full disk; return how often that was acknowledged."""
    opened = 0
    for _ in range(200):
        try:
            await store.openings.open_once(share_id, now=NOW, origin=VISITOR)
        except StoreUnavailableError:
            return opened
        opened += 1
    return opened


async def test_more_questions_than_connections_wait_for_their_turn(
    store: Store,
) -> None:
    assert CONNECT_TIMEOUT > 0
    share_id = await create(store)
    found = await asyncio.gather(*(store.shares.get(share_id) for _ in range(60)))
    assert {one.share.id for one in found} == {share_id}
