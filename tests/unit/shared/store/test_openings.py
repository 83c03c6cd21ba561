"""A share is never opened more often than agreed."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from orthanc_share.domain.clock import END_OF_TIME
from orthanc_share.domain.share import Flavour
from orthanc_share.store import counting
from orthanc_share.store.outbox import Notice
from orthanc_share.store.records import (
    Changes,
    DayCount,
    NotOpened,
    Opened,
    ShareStatus,
    StoredShare,
    Tally,
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
    new_share,
)


@pytest.mark.anyio
async def test_an_opening_is_counted_and_written_down(store: Store) -> None:
    share_id = await create(store, max_openings=2)
    result = await store.openings.open_once(share_id, now=NOW, origin=VISITOR)
    assert result == Opened(opened=1, left=1, at=NOW)
    kept = await store.shares.get(share_id)
    assert (kept.opened, kept.openings_left, kept.last_opened_at) == (1, 1, NOW)
    event = (await events_of(store))[-1].event
    assert (event.kind, event.origin, event.studies) == ("opened", VISITOR, (STUDY,))


@pytest.mark.anyio
async def test_what_is_not_active_is_not_opened(url: str) -> None:
    async with open_store(url, announce=_announce) as store:
        await _check_closed(store)


def _announce(opened: StoredShare, at: datetime) -> list[Notice]:
    body = f"{at:%H:%M:%S} {opened.opened} of {opened.max_openings}"
    return [Notice("https://ris.example/hook", body, opened.share.id)]


async def _check_closed(store: Store) -> None:
    used_up = await create(store, max_openings=1)
    await store.openings.open_once(used_up, now=NOW, origin=VISITOR)
    revoked = await create(store)
    await store.revoker.revoke(revoked, now=NOW, origin=DOCTOR)
    cases = {
        used_up: ShareStatus.USED_UP,
        revoked: ShareStatus.REVOKED,
        await create(store, ends=timedelta(0)): ShareStatus.EXPIRED,
        await create(store, starts=61 * SECOND): ShareStatus.NOT_YET,
    }
    before = len(await events_of(store))
    assert len(await store.outbox.claim(now=NOW, lease=HOUR)) == 1
    for share_id, status in cases.items():
        result = await store.openings.open_once(
            share_id, now=NOW, origin=VISITOR, view_id="view"
        )
        assert result == NotOpened(status)
    assert len(await events_of(store)) == before
    assert await store.outbox.claim(now=NOW, lease=HOUR) == ()


@pytest.mark.anyio
async def test_fifty_at_once_from_two_processes_open_five_times(
    store: Store, url: str
) -> None:
    share_id = await create(store, max_openings=5)
    async with open_store(url) as other:
        results = await asyncio.gather(
            *(
                (store, other)[number % 2].openings.open_once(
                    share_id, now=NOW, origin=VISITOR
                )
                for number in range(50)
            )
        )
    opened = [one.opened for one in results if isinstance(one, Opened)]
    assert sorted(opened) == [1, 2, 3, 4, 5]
    assert results.count(NotOpened(ShareStatus.USED_UP)) == 45
    assert (await store.shares.get(share_id)).opened == 5
    assert (await kinds_of(store)).count("opened") == 5


@pytest.mark.anyio
async def test_fifty_at_once_with_repeated_ids_open_no_more_than_agreed(
    store: Store, url: str
) -> None:
    share_id = await create(store, max_openings=5)
    ids = [f"view-{number % 12}" for number in range(50)]
    async with open_store(url) as other:
        results = await asyncio.gather(
            *(
                (store, other)[number % 2].openings.open_once(
                    share_id, now=NOW, origin=VISITOR, view_id=view_id
                )
                for number, view_id in enumerate(ids)
            )
        )
    opened = {
        view_id
        for view_id, result in zip(ids, results, strict=True)
        if isinstance(result, Opened)
    }
    assert len(opened) == 5
    for view_id, result in zip(ids, results, strict=True):
        assert isinstance(result, Opened) == (view_id in opened)
    assert (await store.shares.get(share_id)).opened == 5
    assert (await kinds_of(store)).count("opened") == 5


_ASKED = st.lists(
    st.tuples(st.integers(0, 40), st.lists(st.integers(1, 5), min_size=1, max_size=50)),
    max_size=4,
)
"""Seconds that pass, and the ids of the openings that are then asked for at once."""


def test_no_repetition_opens_more_than_agreed(url: str) -> None:
    with asyncio.Runner() as runner:
        opening = open_store(url)
        store = runner.run(opening.__aenter__())

        @settings(max_examples=20)
        @given(asked=_ASKED, limit=st.integers(1, 4))
        def play(asked: list[tuple[int, list[int]]], limit: int) -> None:
            runner.run(_repeat(store, asked, limit))

        play()
        runner.run(opening.__aexit__(None, None, None))


async def _repeat(store: Store, asked: list[tuple[int, list[int]]], limit: int) -> None:
    share_id, now, again = await create(store, max_openings=limit), NOW, 30 * SECOND
    counted: dict[str, list[datetime]] = {}
    for seconds, numbers in asked:
        now += seconds * SECOND
        ids = [f"{share_id}-{number}" for number in numbers]
        results = await asyncio.gather(
            *(
                store.openings.open_once(
                    share_id, now=now, origin=VISITOR, view_id=one, again=again
                )
                for one in ids
            )
        )
        for one, result in zip(ids, results, strict=True):
            if isinstance(result, Opened):
                assert now - again < result.at <= now
                known = counted.setdefault(one, [])
                if result.at not in known:
                    known.append(result.at)
    opened = sum(len(known) for known in counted.values())
    assert opened == (await store.shares.get(share_id)).opened <= limit


_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("open"), st.integers(1, 6)),
        st.tuples(st.just("limit"), st.one_of(st.none(), st.integers(1, 4))),
        st.tuples(st.just("clock"), st.integers(-20, 40)),
        st.tuples(st.just("revoke"), st.just(0)),
        st.tuples(st.just("end"), st.one_of(st.none(), st.integers(0, 60))),
    ),
    max_size=12,
)


def test_no_order_of_events_opens_more_than_agreed(url: str) -> None:
    with asyncio.Runner() as runner:
        opening = open_store(url)
        store = runner.run(opening.__aenter__())

        @settings(max_examples=25)
        @given(steps=_STEPS, limit=st.integers(1, 4))
        def play(steps: list[tuple[str, Any]], limit: int) -> None:
            runner.run(_play(store, steps, limit))

        play()
        runner.run(opening.__aexit__(None, None, None))


async def _play(store: Store, steps: list[tuple[str, Any]], limit: int | None) -> None:
    share_id = await create(store, max_openings=limit, ends=40 * SECOND)
    now, is_revoked, opened = NOW, False, 0
    end: datetime | None = NOW + 40 * SECOND
    for step, value in steps:
        if step == "open":
            asked = [
                store.openings.open_once(share_id, now=now, origin=VISITOR)
                for _ in range(value)
            ]
            results = await asyncio.gather(*asked)
            count = sum(isinstance(one, Opened) for one in results)
            is_closed = is_revoked or now >= (end or END_OF_TIME)
            room = value if limit is None else max(0, limit - opened)
            assert count == (0 if is_closed else min(value, room))
            opened += count
        elif step == "clock":
            now += value * SECOND
        elif step == "revoke":
            await store.revoker.revoke(share_id, now=now, origin=DOCTOR)
            is_revoked = True
        elif not is_revoked and step == "limit":
            limit = value
            changes = Changes(max_openings=limit)
            await store.shares.change(share_id, changes, now=now, origin=DOCTOR)
        elif not is_revoked:
            end = None if value is None else NOW + value * SECOND
            changes = Changes(expires_at=end)
            await store.shares.change(share_id, changes, now=now, origin=DOCTOR)
    kept = await store.shares.get(share_id)
    assert kept.opened == opened
    page = await store.list_shares(now=now, limit=500)
    assert share_id in {found.share.id for found in page.shares}


@pytest.mark.anyio
async def test_a_denial_is_counted_with_its_reason(store: Store) -> None:
    share_id = await create(store)
    await store.openings.deny(share_id, "expired", now=NOW, origin=VISITOR)
    await store.openings.deny("unknown", "expired", now=NOW, origin=VISITOR)
    assert (await store.shares.get(share_id)).denied == 1
    event = (await events_of(store))[-1].event
    assert (event.kind, event.reason, event.share_id) == ("denied", "expired", share_id)
    assert len(await events_of(store)) == 2


@pytest.mark.anyio
async def test_only_the_first_denial_of_a_reason_in_an_hour_is_an_event(
    store: Store,
) -> None:
    one, two = await create(store), await create(store)
    for n in range(30):
        await store.openings.deny(one, "expired", now=NOW + n * SECOND, origin=VISITOR)
    await store.openings.deny(one, "used-up", now=NOW, origin=VISITOR)
    await store.openings.deny(two, "expired", now=NOW, origin=VISITOR)
    later, earlier = NOW + HOUR, NOW - HOUR
    for now in (later, later, NOW, earlier, later):
        await store.openings.deny(one, "expired", now=now, origin=VISITOR)
    assert (await store.shares.get(one)).denied == 36
    events = sorted(await events_of(store), key=lambda stored: stored.seq)
    denied = [stored.event for stored in events if stored.event.kind == "denied"]
    assert [(e.share_id, e.reason, e.at) for e in denied] == [
        (one, "expired", NOW),
        (one, "used-up", NOW),
        (two, "expired", NOW),
        (one, "expired", later),
        # Two hours back is another clock, not the difference between two.
        (one, "expired", earlier),
        (one, "expired", later),
    ]


@pytest.mark.anyio
async def test_a_reason_without_end_cannot_break_a_row(store: Store) -> None:
    share_id = await create(store)
    for reason in ("x" * 999, "\x00\ud800"):
        await store.openings.deny(share_id, reason, now=NOW, origin=VISITOR)
    assert (await store.shares.get(share_id)).denied == 2


@pytest.mark.anyio
async def test_many_who_are_denied_at_once_are_all_counted_and_one_event(
    store: Store, url: str
) -> None:
    share_id = await create(store)
    async with open_store(url) as other:
        await asyncio.gather(
            *(
                (store, other)[n % 2].openings.deny(
                    share_id, "expired", now=NOW, origin=VISITOR
                )
                for n in range(30)
            )
        )
    assert (await store.shares.get(share_id)).denied == 30
    assert (await kinds_of(store)).count("denied") == 1


@pytest.mark.anyio
async def test_what_validate_denied_is_an_event_per_reason_and_hour(
    store: Store,
) -> None:
    share_id = await create(store)
    tally = Tally(share_id, NOW, denied=5, reasons=("other_resource", "other_server"))
    for one in (tally, tally):
        await store.openings.count([one])
    assert (await store.shares.get(share_id)).denied == 10
    denied = [s.event for s in await events_of(store) if s.event.kind == "denied"]
    assert [(e.reason, e.details) for e in denied] == [
        ("other_resource", {"by": "validate"}),
        ("other_server", {"by": "validate"}),
    ]


@pytest.mark.anyio
async def test_grants_are_added_up_and_the_first_of_a_day_is_an_event(
    store: Store,
) -> None:
    one, two = await create(store), await create(store)
    tomorrow = NOW + DAY
    await store.openings.count([Tally(one, NOW, 3, 1), Tally(two, NOW, 0, 4)])
    await store.openings.count([Tally(one, NOW, 2), Tally("unknown", NOW, 9)])
    await store.openings.count([Tally(one, tomorrow, 1), Tally("\x00", NOW, 9)])
    kept = await store.shares.get(one)
    assert (kept.granted, kept.denied, kept.opened) == (6, 1, 0)
    assert (await store.shares.get(two)).denied == 4
    granted = [s.event for s in await events_of(store) if s.event.kind == "granted"]
    assert [(e.share_id, e.at) for e in granted] == [(one, NOW), (one, tomorrow)]
    await store.openings.open_once(one, now=NOW, origin=VISITOR)
    assert await store.openings.history(one, since=NOW) == [
        DayCount(NOW.date(), opened=1, denied=1, granted=5),
        DayCount(tomorrow.date(), opened=0, denied=0, granted=1),
    ]
    assert len(await store.openings.history(one, since=tomorrow)) == 1


@pytest.mark.anyio
async def test_grants_of_a_deidentified_share_are_told_apart(store: Store) -> None:
    plain, hidden = new_share(), new_share()
    hidden = replace(hidden, share=replace(hidden.share, flavour=Flavour.ANONYMIZED))
    for one in (plain, hidden):
        await store.shares.create(one, now=NOW, origin=DOCTOR)
    tallies = [Tally(one.share.id, NOW, 3) for one in (plain, hidden)]
    for _ in range(2):
        await store.openings.count(tallies)
    kinds = {(s.event.kind, s.event.share_id) for s in await events_of(store)}
    assert ("granted", plain.share.id) in kinds
    assert ("de-identified", hidden.share.id) in kinds
    assert ("granted", hidden.share.id) not in kinds
    assert (await kinds_of(store)).count("de-identified") == 1


@pytest.mark.anyio
async def test_what_comes_twice_in_one_report_is_added_up(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "CHUNK", 2)
    shares = [await create(store) for _ in range(5)]
    tallies = [Tally(one, NOW, 2, 1) for one in (*shares, *shares)]
    tomorrow = [Tally(one, NOW + DAY, 1) for one in shares]
    await store.openings.count([*tallies, *tomorrow, Tally(shares[0], NOW)])
    await store.openings.count([])
    for share_id in shares:
        kept = await store.shares.get(share_id)
        assert (kept.granted, kept.denied) == (5, 2)
        assert [
            (day.granted, day.denied)
            for day in await store.openings.history(share_id, since=NOW)
        ] == [(4, 2), (1, 0)]
    assert (await kinds_of(store)).count("granted") == 10


@pytest.mark.anyio
async def test_an_opening_and_its_notice_are_kept_together(url: str) -> None:
    async with open_store(url, announce=_announce) as store:
        share_id = await create(store, max_openings=3)
        for view in ("one", "one", "two"):
            await store.openings.open_once(
                share_id, now=NOW, origin=VISITOR, view_id=view
            )
        claimed = await store.outbox.claim(now=NOW, lease=HOUR)
    assert [(one.notice.body, one.notice.share_id) for one in claimed] == [
        ("12:00:00 1 of 3", share_id),
        ("12:00:00 2 of 3", share_id),
    ]


@pytest.mark.anyio
async def test_an_announcement_that_fails_leaves_nothing_counted(url: str) -> None:
    def fail(_opened: StoredShare, _at: datetime) -> list[Notice]:
        raise RuntimeError

    async with open_store(url, announce=fail) as store:
        share_id = await create(store)
        with pytest.raises(RuntimeError):
            await store.openings.open_once(
                share_id, now=NOW, origin=VISITOR, view_id="view"
            )
        assert (await store.shares.get(share_id)).opened == 0
        assert await kinds_of(store) == ["created"]
