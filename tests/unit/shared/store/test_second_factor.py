"""Nobody can guess a second factor by trying often, or many times at once."""

import asyncio
from datetime import timedelta

import pytest

from orthanc_share.store.second_factor import Locked, MayTry, TryLimits
from orthanc_share.store.store import Store, open_store
from tests.unit.shared.store.samples import DAY, HOUR, NOW, SECOND, run_sql

pytestmark = pytest.mark.anyio

MINUTE = timedelta(minutes=1)


async def _try(
    store: Store, share: str = "one", address: str = "a", later: timedelta = 0 * SECOND
) -> MayTry | Locked:
    return await store.second_factor.begin(share, address, now=NOW + later)


async def test_after_five_wrong_tries_there_is_a_pause(store: Store) -> None:
    results = [await _try(store) for _ in range(6)]
    assert results[:5] == [MayTry(4), MayTry(3), MayTry(2), MayTry(1), MayTry(0)]
    assert results[5] == Locked(NOW + MINUTE)
    assert await _try(store, later=MINUTE - SECOND) == Locked(NOW + MINUTE)
    assert await _try(store, later=MINUTE) == MayTry(4)


async def test_each_pause_is_twice_the_one_before(url: str) -> None:
    limits = TryLimits(tries=1, pause=MINUTE, longest=5 * MINUTE)
    async with open_store(url, limits=limits) as store:
        later = timedelta()
        for pause in (1, 2, 4, 5, 5):
            assert await _try(store, later=later) == MayTry(0)
            locked = await _try(store, later=later)
            later += pause * MINUTE
            assert locked == Locked(NOW + later)


async def test_a_share_is_locked_for_all_addresses_and_an_address_for_all_shares(
    store: Store,
) -> None:
    for number in range(5):
        await _try(store, "one", f"address-{number}")
    for number in range(20):
        await _try(store, f"share-{number}", "scanner")
    assert isinstance(await _try(store, "one", "new"), Locked)
    assert isinstance(await _try(store, "new", "scanner"), Locked)
    assert await _try(store, "new", "new") == MayTry(4)


async def test_who_fails_at_one_share_locks_nobody_behind_the_same_address(
    store: Store,
) -> None:
    for _ in range(5):
        await _try(store, "one", "192.0.2.1")
    assert isinstance(await _try(store, "one", "192.0.2.1"), Locked)
    # What was refused was not counted.
    left = [await _try(store, f"other-{n}", "192.0.2.1") for n in range(15)]
    assert left == [MayTry(4)] * 11 + [MayTry(n) for n in (3, 2, 1, 0)]
    locked = await _try(store, "last", "192.0.2.1")
    assert locked == Locked(NOW + MINUTE)
    assert await _try(store, "last", "192.0.2.2") == MayTry(4)


async def test_how_many_tries_an_address_has_can_be_chosen(url: str) -> None:
    limits = TryLimits(tries=2, address_factor=2)
    async with open_store(url, limits=limits) as store:
        tried = [await _try(store, f"share-{n}", "a") for n in range(5)]
    assert tried[:4] == [MayTry(1), MayTry(1), MayTry(1), MayTry(0)]
    assert isinstance(tried[4], Locked)


@pytest.mark.parametrize(
    ("first", "second", "are_one"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True),
        ("2001:db8:1:2::1", "2001:DB8:1:2:0:0:0:2%eth0", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("not-an-address", "not-an-address", True),
        ("not-an-address", "not-another", False),
    ],
)
async def test_all_addresses_of_one_visitor_count_as_one(
    first: str, second: str, *, are_one: bool, url: str
) -> None:
    limits = TryLimits(tries=2, address_factor=1)
    async with open_store(url, limits=limits) as store:
        for number in range(2):
            await _try(store, f"share-{number}", first)
        result = await _try(store, "another", second)
    assert isinstance(result, Locked) is are_one


async def test_who_was_right_gets_back_the_try_of_all_his_addresses(
    store: Store,
) -> None:
    for number in range(30):
        address = f"2001:db8::{number:x}"
        assert await _try(store, f"own-{number}", address) == MayTry(4)
        await store.second_factor.passed(f"own-{number}", address)


async def test_the_right_answer_frees_the_share(store: Store) -> None:
    for _ in range(4):
        await _try(store)
    assert await _try(store) == MayTry(0)
    await store.second_factor.passed("one", "a")
    assert await _try(store, address="b") == MayTry(4)


async def test_a_share_of_ones_own_wins_no_tries_on_others(store: Store) -> None:
    for number in range(19):
        await _try(store, f"victim-{number}", "attacker")
        await _try(store, "own", "attacker")
        await store.second_factor.passed("own", "attacker")
    assert await _try(store, "victim-20", "attacker") == MayTry(0)
    assert isinstance(await _try(store, "victim-21", "attacker"), Locked)


async def test_fifty_tries_at_once_are_five(store: Store, url: str) -> None:
    async with open_store(url) as other:
        results = await asyncio.gather(
            *(_try((store, other)[n % 2], "one", f"address-{n}") for n in range(50))
        )
    assert sum(isinstance(one, MayTry) for one in results) == 5


async def test_old_tries_are_forgotten(store: Store) -> None:
    for _ in range(4):
        await _try(store)
    assert await _try(store, later=DAY) == MayTry(4)


async def test_a_lock_survives_a_restart(url: str) -> None:
    for number in range(6):
        async with open_store(url) as store:
            result = await _try(store)
            assert isinstance(result, Locked) is (number == 5)


async def test_a_clock_that_was_wrong_does_not_lock_for_years(store: Store) -> None:
    await _try(store)
    await run_sql(store, "UPDATE throttle SET locked_until = 4102444800")
    assert await _try(store, later=HOUR) == Locked(NOW + HOUR + DAY)


async def test_an_address_of_any_text_is_counted(store: Store) -> None:
    for address in ("", "x" * 999, "a\x00", "\ud800"):
        assert isinstance(await _try(store, address, address), MayTry)
        await store.second_factor.passed(address, address)
