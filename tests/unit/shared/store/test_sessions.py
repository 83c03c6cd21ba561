"""A browser is logged in until it logs out, rests too long, or the day is over."""

import pytest

from orthanc_share.store.records import Retention
from orthanc_share.store.sessions import SessionLimits, StoredSession
from orthanc_share.store.store import Store, open_store
from tests.unit.shared.store.samples import DAY, HOUR, NOW, SECOND, run_sql

pytestmark = pytest.mark.anyio

LIMITS = SessionLimits(idle=HOUR, longest=5 * HOUR)
PROOF = bytes(range(32))


async def test_a_session_is_found_by_its_key_alone(store: Store) -> None:
    await store.sessions.begin("key", "doctor", PROOF, now=NOW)
    found = await store.sessions.find("key", LIMITS, now=NOW)
    assert found == StoredSession("doctor", PROOF, NOW, NOW)
    assert await store.sessions.find("KEY", LIMITS, now=NOW) is None
    assert await store.sessions.find("\udcff", LIMITS, now=NOW) is None


async def test_a_session_is_the_same_for_all_machines_and_ends_for_all(
    store: Store, url: str
) -> None:
    await store.sessions.begin("key", "doctor", PROOF, now=NOW)
    async with open_store(url) as other:
        assert await other.sessions.find("key", LIMITS, now=NOW) is not None
        await other.sessions.end("key")
    assert await store.sessions.find("key", LIMITS, now=NOW) is None
    await store.sessions.end("key")


async def test_a_session_that_rests_too_long_is_over(store: Store) -> None:
    await store.sessions.begin("key", "doctor", PROOF, now=NOW)
    later = NOW + HOUR - SECOND
    assert await store.sessions.find("key", LIMITS, now=later) is not None
    seen = await store.sessions.find("key", LIMITS, now=later)
    assert seen is not None
    assert seen.seen_at == later
    assert await store.sessions.find("key", LIMITS, now=later + HOUR) is None


async def test_a_session_is_over_in_the_end_however_much_it_is_used(
    store: Store,
) -> None:
    await store.sessions.begin("key", "doctor", PROOF, now=NOW)
    steps = range(1, 10)
    found = [
        await store.sessions.find("key", LIMITS, now=NOW + step * HOUR * 0.9)
        for step in steps
    ]
    assert [one is not None for one in found] == [step * 0.9 < 5 for step in steps]


async def test_a_clock_that_is_put_back_makes_no_session_longer(store: Store) -> None:
    await store.sessions.begin("key", "doctor", PROOF, now=NOW)
    assert await store.sessions.find("key", LIMITS, now=NOW - HOUR) is None


async def test_a_key_is_not_written_down(store: Store) -> None:
    await store.sessions.begin("secret-key", "doctor", PROOF, now=NOW)
    async with store.database.read() as connection:
        rows = await connection.exec_driver_sql("SELECT * FROM browser_session")
        assert "secret-key" not in repr(rows.all())
    assert "secret" not in repr(StoredSession("a", b"secret", NOW, NOW))


async def test_sessions_of_yesterday_are_swept(store: Store) -> None:
    await store.sessions.begin("old", "doctor", PROOF, now=NOW)
    await store.sessions.begin("new", "doctor", PROOF, now=NOW + SECOND)
    swept = await store.sweeper.sweep(Retention(), now=NOW + DAY)
    assert swept.others == 1
    await run_sql(store, "UPDATE browser_session SET seen_at = began_at")
    endless = SessionLimits(idle=9 * DAY, longest=9 * DAY)
    assert await store.sessions.find("old", endless, now=NOW) is None
    assert await store.sessions.find("new", endless, now=NOW) is not None
