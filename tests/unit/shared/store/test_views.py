"""Viewers that were granted something are counted as openings, each once."""

import asyncio
from datetime import datetime, timedelta

import pytest

from orthanc_share.store.outbox import Notice
from orthanc_share.store.records import (
    NotOpened,
    Opened,
    Retention,
    ShareStatus,
    StoredShare,
    Swept,
    Tally,
    View,
)
from orthanc_share.store.store import Store, open_store
from tests.unit.shared.store.samples import (
    DAY,
    DOCTOR,
    HOUR,
    NOW,
    SECOND,
    STUDY,
    VISITOR,
    create,
    events_of,
    kinds_of,
)

pytestmark = pytest.mark.anyio


async def _opened(store: Store, share_id: str) -> int:
    return (await store.shares.get(share_id)).opened


async def test_a_view_of_a_plain_link_is_one_opening_however_often_it_is_reported(
    store: Store,
) -> None:
    share_id = await create(store)
    views = [View("one", share_id, NOW), View("two", share_id, NOW + SECOND)]
    await store.openings.count([Tally(share_id, NOW, 5)], views)
    await store.openings.count([Tally(share_id, NOW, 2)], views[::-1])
    kept = await store.shares.get(share_id)
    assert (kept.opened, kept.granted) == (2, 7)
    assert kept.last_opened_at == NOW + SECOND
    opened = [s.event for s in await events_of(store) if s.event.kind == "opened"]
    assert [(e.at, e.details, e.studies) for e in opened] == [
        (NOW, {"by": "viewer"}, (STUDY,)),
        (NOW + SECOND, {"by": "viewer"}, (STUDY,)),
    ]
    (day,) = await store.openings.history(share_id, since=NOW)
    assert (day.opened, day.granted) == (2, 7)


async def test_a_late_report_does_not_put_the_last_opening_back(store: Store) -> None:
    share_id = await create(store)
    await store.openings.open_once(share_id, now=NOW, origin=VISITOR)
    await store.openings.count([], [View("late", share_id, NOW - SECOND)])
    kept = await store.shares.get(share_id)
    assert (kept.opened, kept.last_opened_at) == (2, NOW)


async def test_a_share_with_a_limit_is_opened_at_the_landing_page_only(
    store: Store,
) -> None:
    share_id = await create(store, max_openings=2)
    await store.openings.open_once(
        share_id, now=NOW, origin=VISITOR, view_id="from-landing"
    )
    views = [View(one, share_id, NOW) for one in ("from-landing", "from-nowhere")]
    await store.openings.count([Tally(share_id, NOW, 1)], views)
    assert await _opened(store, share_id) == 1
    assert (await kinds_of(store)).count("opened") == 1


async def test_a_view_that_was_opened_by_button_is_not_counted_again(
    store: Store,
) -> None:
    share_id = await create(store, password_hash="hash")
    await store.openings.open_once(share_id, now=NOW, origin=VISITOR, view_id="view")
    await store.openings.count([], [View("view", share_id, NOW)])
    assert await _opened(store, share_id) == 1


async def test_an_opening_that_is_asked_for_again_is_told_and_not_counted(
    store: Store,
) -> None:
    share_id = await create(store, max_openings=1)
    asked = [
        await store.openings.open_once(
            share_id, now=NOW, origin=VISITOR, view_id=view_id
        )
        for view_id in ("mine", "mine", "another")
    ]
    told = Opened(1, 0, NOW)
    assert asked == [told, told, NotOpened(ShareStatus.USED_UP)]


async def test_an_opening_may_be_asked_for_again_for_so_long_only(
    store: Store,
) -> None:
    share_id = await create(store, max_openings=2)
    results = []
    for seconds in (0, 59, 60, 119, 120):
        now = NOW + seconds * SECOND
        is_known = await store.openings.is_counted(
            View("mine", share_id, now), 60 * SECOND
        )
        result = await store.openings.open_once(
            share_id, now=now, origin=VISITOR, view_id="mine", again=60 * SECOND
        )
        results.append((is_known, result))
    minute = NOW + 60 * SECOND
    assert results == [
        (False, Opened(1, 1, NOW)),
        (True, Opened(1, 1, NOW)),
        (False, Opened(2, 0, minute)),
        (True, Opened(2, 0, minute)),
        (False, NotOpened(ShareStatus.USED_UP)),
    ]
    assert (await kinds_of(store)).count("opened") == 2


async def test_an_opening_of_one_share_is_none_of_another(store: Store) -> None:
    one = await create(store, max_openings=1)
    other = await create(store, max_openings=1)
    await store.openings.open_once(one, now=NOW, origin=VISITOR, view_id="mine")
    assert not await store.openings.is_counted(View("mine", other, NOW), HOUR)
    assert await store.openings.is_counted(View("mine", one, NOW), HOUR)


async def test_what_was_revoked_is_not_told_again(store: Store) -> None:
    share_id = await create(store, max_openings=2)
    await store.openings.open_once(share_id, now=NOW, origin=VISITOR, view_id="mine")
    await store.revoker.revoke(share_id, now=NOW, origin=DOCTOR)
    again = await store.openings.open_once(
        share_id, now=NOW, origin=VISITOR, view_id="mine"
    )
    assert again == NotOpened(ShareStatus.REVOKED)


async def test_views_that_mean_nothing_are_passed_over(store: Store) -> None:
    share_id = await create(store)
    views = [
        View("x" * 65, share_id, NOW),
        View("\x00", share_id, NOW),
        View("view", "unknown", NOW),
        View("view", "\x00", NOW),
    ]
    await store.openings.count([Tally("unknown", NOW, 1)], views)
    assert await _opened(store, share_id) == 0
    await store.openings.count([], [View("view", share_id, NOW)])
    assert await _opened(store, share_id) == 1


async def test_two_that_report_the_same_views_at_once_count_each_once(
    store: Store, url: str
) -> None:
    shares = [await create(store) for _ in range(4)]
    views = [View(f"view-{n}", shares[n % 4], NOW) for n in range(20)]
    tallies = [Tally(share_id, NOW, 1) for share_id in shares]
    async with open_store(url) as other:
        await asyncio.gather(
            *(
                (store, other)[n % 2].openings.count(
                    tallies[n % 4 :] + tallies[: n % 4], views[n:] + views[:n]
                )
                for n in range(10)
            )
        )
    assert [await _opened(store, share_id) for share_id in shares] == [5] * 4
    assert {(await store.shares.get(one)).granted for one in shares} == {10}
    assert (await kinds_of(store)).count("opened") == 20


async def test_fifty_who_open_and_report_at_once_stay_within_the_limit(
    store: Store, url: str
) -> None:
    share_id = await create(store, max_openings=5)

    async def visit(one: Store, view_id: str) -> Opened | NotOpened:
        result = await one.openings.open_once(
            share_id, now=NOW, origin=VISITOR, view_id=view_id
        )
        await one.openings.count([], [View(view_id, share_id, NOW)])
        return result

    async with open_store(url) as other:
        results = await asyncio.gather(
            *(visit((store, other)[n % 2], f"view-{n}") for n in range(50))
        )
    assert sum(isinstance(one, Opened) for one in results) == 5
    assert await _opened(store, share_id) == 5


async def test_a_counted_view_is_announced_with_what_it_made_of_the_share(
    url: str,
) -> None:
    def announce(opened: StoredShare, at: datetime) -> list[Notice]:
        return [Notice("target", f"{opened.opened} at {at:%S}", opened.share.id)]

    async with open_store(url, announce=announce) as store:
        share_id = await create(store)
        views = [View(f"{n}", share_id, NOW + n * SECOND) for n in range(2)]
        await store.openings.count([], [*views, *views])
        claimed = await store.outbox.claim(now=NOW + HOUR, lease=HOUR)
        assert [one.notice.body for one in claimed] == ["1 at 00", "2 at 01"]


async def test_old_views_are_swept_and_those_of_a_share_that_goes(
    store: Store,
) -> None:
    old, gone = await create(store, ends=None), await create(store)
    views = [View("old", old, NOW), View("gone", gone, NOW + 5 * DAY)]
    await store.openings.count([], views)
    retention = Retention(views=2 * DAY)
    sweep = store.sweeper.sweep
    almost = NOW + 2 * DAY - SECOND
    assert await sweep(retention, now=almost) == Swept(0, 0, more=False)
    assert await sweep(retention, now=almost + SECOND) == Swept(0, 1, more=False)
    retention = Retention(used=timedelta(0))
    assert await sweep(retention, now=NOW + 5 * DAY) == Swept(1, 0, more=False)
    await store.revoker.revoke(old, now=NOW, origin=DOCTOR)
    await store.openings.count([], [View("old", old, NOW + 9 * DAY)])
    # What the sweep forgot would be counted again: it is kept long enough.
    assert await _opened(store, old) == 2
    assert Retention().views > timedelta(days=7)
