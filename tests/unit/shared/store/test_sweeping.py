"""What is over goes away after a while, and nothing else."""

import asyncio
from datetime import timedelta

import pytest

from orthanc_share.store.errors import ShareNotFoundError
from orthanc_share.store.instants import CLOCK_ERROR_MAX
from orthanc_share.store.outbox import Notice
from orthanc_share.store.records import Changes, Retention, Swept, Tally
from orthanc_share.store.second_factor import Locked
from orthanc_share.store.store import Store, open_store
from tests.unit.shared.store.samples import (
    DAY,
    DOCTOR,
    HOUR,
    NOW,
    SECOND,
    VISITOR,
    create,
    events_of,
    kinds_of,
)

pytestmark = pytest.mark.anyio

NOTHING = Swept(0, 0, more=False)


async def _left(store: Store) -> set[str]:
    page = await store.list_shares(now=NOW, limit=500)
    return {kept.share.id for kept in page.shares}


async def test_shares_that_nobody_used_go_after_their_end(store: Store) -> None:
    code_owner = await create(store, title="gone")
    code = await store.codes.issue(code_owner, now=NOW)
    endless = await create(store, ends=None)
    opened, granted = await create(store), await create(store)
    await store.openings.open_once(opened, now=NOW, origin=VISITOR)
    await store.openings.count([Tally(granted, NOW, 1)])
    over = NOW + HOUR + DAY
    sweep = store.sweeper.sweep
    assert await sweep(Retention(), now=over - SECOND) == NOTHING
    assert await sweep(Retention(), now=over) == Swept(1, 0, more=False)
    assert await _left(store) == {endless, opened, granted}
    with pytest.raises(ShareNotFoundError):
        await store.codes.resolve(code)
    last = (await events_of(store))[-1].event
    assert (last.kind, last.share_id, last.origin.actor) == (
        "swept",
        code_owner,
        "sweep",
    )
    assert await sweep(Retention(), now=over) == NOTHING
    assert (await kinds_of(store)).count("swept") == 1


async def test_shares_that_were_used_go_if_the_site_wants_it(store: Store) -> None:
    share_id = await create(store)
    await store.openings.open_once(share_id, now=NOW, origin=VISITOR)
    retention = Retention(used=30 * DAY)
    almost = NOW + HOUR + 30 * DAY - SECOND
    assert await store.sweeper.sweep(retention, now=almost) == NOTHING
    swept = await store.sweeper.sweep(retention, now=almost + SECOND)
    assert swept.shares == 1


async def test_a_share_stays_while_an_older_token_of_it_could_be_valid(
    store: Store,
) -> None:
    share_id = await create(store, ends=30 * DAY)
    changes = Changes(expires_at=NOW)
    await store.shares.change(share_id, changes, now=NOW, origin=DOCTOR)
    await store.revoker.revoke(share_id, now=NOW, origin=DOCTOR)
    retention = Retention(never_used=timedelta(0))
    over = NOW + 30 * DAY + CLOCK_ERROR_MAX
    assert await store.sweeper.sweep(retention, now=over - SECOND) == NOTHING
    swept = await store.sweeper.sweep(retention, now=over)
    assert swept.shares == 1


async def test_a_clock_that_was_ahead_brings_nothing_back_that_was_taken_back(
    store: Store,
) -> None:
    revoked, guarded, plain = [await create(store) for _ in range(3)]
    await store.revoker.revoke(revoked, now=NOW, origin=DOCTOR)
    password = Changes(password_hash="hash")
    await store.shares.change(guarded, password, now=NOW, origin=DOCTOR)
    ahead = NOW + 20 * DAY
    assert (await store.sweeper.sweep(Retention(), now=ahead)).shares == 1
    assert await _left(store) == {revoked, guarded}
    told = {one.share_id for one in (await store.revoked_since(0, now=ahead)).news}
    assert told == {revoked, guarded}
    assert plain not in told


async def test_one_sweep_is_bounded_and_says_that_there_is_more(store: Store) -> None:
    for number in range(5):
        share_id = await create(store)
        if number == 4:
            await store.openings.open_once(share_id, now=NOW, origin=VISITOR)
    retention = Retention(used=DAY)
    results = [
        await store.sweeper.sweep(retention, now=NOW + 3 * DAY, batch=2)
        for _ in range(3)
    ]
    assert [one.shares for one in results] == [2, 2, 1]
    assert [one.more for one in results] == [True, True, False]


async def test_several_that_sweep_at_once_take_nothing_twice(
    store: Store, url: str
) -> None:
    for _ in range(20):
        await create(store)
    async with open_store(url) as other:
        swept = await asyncio.gather(
            *(
                one.sweeper.sweep(Retention(), now=NOW + 3 * DAY, batch=7)
                for one in (store, other, store, other)
            )
        )
    gone = [s.event.share_id for s in await events_of(store) if s.event.kind == "swept"]
    assert len(gone) == len(set(gone)) == sum(one.shares for one in swept)


async def test_tries_and_lost_notices_go_too(store: Store) -> None:
    await store.second_factor.begin("share", "192.0.2.1", now=NOW)
    await store.outbox.put(Notice("target", "body"), now=NOW)
    retention = Retention(tries=HOUR, notices=2 * HOUR)
    for later, others in ((HOUR - SECOND, 0), (HOUR, 2), (2 * HOUR, 1), (DAY, 0)):
        swept = await store.sweeper.sweep(retention, now=NOW + later)
        assert swept == Swept(0, others, more=False)


async def test_a_lock_is_not_swept_while_it_holds(store: Store) -> None:
    for _ in range(5):
        await store.second_factor.begin("share", "192.0.2.1", now=NOW)
    await store.sweeper.sweep(Retention(tries=timedelta(0)), now=NOW)
    again = await store.second_factor.begin("share", "192.0.2.2", now=NOW)
    assert isinstance(again, Locked)
