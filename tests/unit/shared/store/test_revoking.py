"""What is taken back stays so, and everybody learns it."""

import asyncio
from dataclasses import replace
from time import monotonic
from typing import Any

import pytest

from orthanc_share.domain.access import Reason
from orthanc_share.domain.share import Share
from orthanc_share.registry.register import Register
from orthanc_share.store import feed, revoking
from orthanc_share.store.errors import InvalidSelectionError
from orthanc_share.store.instants import CLOCK_ERROR_MAX
from orthanc_share.store.records import Changes, Origin, Revocation, ShareStatus
from orthanc_share.store.revoking import Selection
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
    new_share,
)

pytestmark = pytest.mark.anyio


async def test_a_share_is_taken_back_once_and_the_first_time_counts(
    store: Store,
) -> None:
    share_id = await create(store)
    first = await store.revoker.revoke(
        share_id, now=NOW, origin=DOCTOR, reason="sent to the wrong person"
    )
    again = await store.revoker.revoke(
        share_id, now=NOW + HOUR, origin=Origin("other"), reason="twice"
    )
    held = Revocation(NOW, "account:doctor", "sent to the wrong person")
    assert first.revocation == again.revocation == held
    assert first.status(NOW) is ShareStatus.REVOKED
    assert await kinds_of(store) == ["created", "revoked"]
    event = (await events_of(store))[1].event
    assert (event.origin, event.reason) == (DOCTOR, "sent to the wrong person")


async def test_who_has_no_name_takes_back_as_unknown(store: Store) -> None:
    share_id = await create(store)
    kept = await store.revoker.revoke(share_id, now=NOW, origin=VISITOR)
    assert kept.revocation == Revocation(NOW, "unknown", None)


async def test_a_selection_must_say_something() -> None:
    with pytest.raises(InvalidSelectionError):
        Selection()


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(study="1.2.4"), {2, 3}),
        (Selection(creator="other"), {1, 3}),
        (Selection(created_before=NOW + 2 * SECOND), {0, 1}),
        (Selection("1.2.4", "other", NOW + DAY), {3}),
        (Selection("1.2.4", "nobody"), set()),
    ],
)
async def test_many_are_taken_back_after_a_look_at_how_many(
    store: Store, selection: Selection, expected: set[int]
) -> None:
    ids = [
        await create(
            store,
            study=f"1.2.{3 + number // 2}",
            creator="other" if number % 2 else "account:doctor",
            now=NOW + number * SECOND,
        )
        for number in range(4)
    ]
    meant: dict[str, Any] = {"now": NOW, "origin": DOCTOR, "reason": "panic"}
    count = await store.revoker.revoke_many(selection, **meant, dry_run=True)
    assert count == len(expected)
    assert "revoked" not in await kinds_of(store)
    assert await store.revoker.revoke_many(selection, **meant) == len(expected)
    assert await store.revoker.revoke_many(selection, **meant) == 0
    page = await store.list_shares(now=NOW)
    gone = {ids.index(s.share.id) for s in page.shares if s.revocation is not None}
    assert gone == expected


async def test_what_is_over_is_not_counted_as_taken_back(store: Store) -> None:
    await create(store, ends=SECOND)
    await create(store)
    everything = Selection(created_before=NOW + DAY)
    done = await store.revoker.revoke_many(everything, now=NOW + SECOND, origin=DOCTOR)
    assert done == 1


async def test_more_than_fit_into_one_transaction_are_taken_back(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revoking, "CHUNK", 2)
    for _ in range(5):
        await create(store)
    everything = Selection(creator="account:doctor")
    assert await store.revoker.revoke_many(everything, now=NOW, origin=DOCTOR) == 5


async def test_two_who_take_back_the_same_do_not_block_each_other(
    store: Store, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revoking, "CHUNK", 3)
    for _ in range(10):
        await create(store)
    everything = Selection(creator="account:doctor")
    async with open_store(url) as other:
        counts = await asyncio.gather(
            *(
                one.revoker.revoke_many(everything, now=NOW, origin=DOCTOR)
                for one in (store, other)
            )
        )
    assert sum(counts) == 10
    assert (await kinds_of(store)).count("revoked") == 10


async def test_another_process_learns_of_it_at_its_next_question(
    store: Store, url: str
) -> None:
    share_id = await create(store)
    await create(store)
    async with open_store(url) as replica:
        start = await replica.revoked_since(0, now=NOW)
        assert start.news == ()
        await store.revoker.revoke(share_id, now=NOW, origin=DOCTOR)
        page = await replica.revoked_since(start.cursor, now=NOW)
        (news,) = page.news
        assert (news.share_id, news.is_revoked) == (share_id, True)
        assert (news.expires_at, news.needs_landing) == (NOW + HOUR, False)
        assert not page.more
        assert not page.is_fresh_start
        later = await replica.revoked_since(page.cursor, now=NOW)
        assert (later.news, later.cursor) == ((), page.cursor)


async def test_a_change_that_matters_to_validate_is_news(store: Store) -> None:
    share_id = await create(store)
    page = await store.revoked_since(0, now=NOW)
    for changes in (
        Changes(expires_at=NOW + SECOND),
        Changes(max_openings=2),
        Changes(max_openings=None, password_hash="hash"),
        Changes(password_hash=None, expires_at=None),
    ):
        kept = await store.shares.change(share_id, changes, now=NOW, origin=DOCTOR)
        page = await store.revoked_since(page.cursor, now=NOW)
        (news,) = page.news
        assert news.expires_at == kept.share.expires_at
        has_guard = kept.max_openings is not None or kept.password_hash is not None
        assert news.needs_landing is has_guard
        assert not news.is_revoked
    title = Changes(title="new")
    await store.shares.change(share_id, title, now=NOW, origin=DOCTOR)
    assert (await store.revoked_since(page.cursor, now=NOW)).news == ()


async def test_news_is_told_until_no_token_of_the_share_can_be_valid(
    store: Store,
) -> None:
    await create(store)
    share_id = await create(store)
    shorter = Changes(expires_at=NOW + SECOND)
    await store.shares.change(share_id, shorter, now=NOW, origin=DOCTOR)
    over = HOUR + CLOCK_ERROR_MAX
    for later, count in ((2 * SECOND, 1), (over - SECOND, 1), (over, 0)):
        page = await store.revoked_since(0, now=NOW + later)
        assert len(page.news) == count
    # Who follows already is told, however wrong the clock is at the moment.
    assert len((await store.revoked_since(1, now=NOW + 999 * DAY)).news) == 1


async def test_much_news_comes_in_parts(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "PAGE", 2)
    ids = [await create(store) for _ in range(5)]
    for share_id in ids:
        await store.revoker.revoke(share_id, now=NOW, origin=DOCTOR)
    seen, cursor, more = [], 0, True
    while more:
        page = await store.revoked_since(cursor, now=NOW)
        seen += [news.share_id for news in page.news]
        cursor, more = page.cursor, page.more
    assert seen == ids


async def test_a_cursor_from_the_future_starts_afresh(store: Store) -> None:
    share_id = await create(store)
    await store.revoker.revoke(share_id, now=NOW, origin=DOCTOR)
    page = await store.revoked_since(99, now=NOW)
    assert page.is_fresh_start
    assert [news.share_id for news in page.news] == [share_id]
    assert page.cursor == 2


async def test_a_database_that_lost_everything_starts_afresh(store: Store) -> None:
    page = await store.revoked_since(99, now=NOW)
    assert (page.news, page.cursor, page.is_fresh_start) == ((), 0, True)
    assert not (await store.revoked_since(0, now=NOW)).is_fresh_start


async def test_what_validate_knows_is_what_the_share_is_after_every_change(
    store: Store,
) -> None:
    new = new_share()
    await store.shares.create(new, now=NOW, origin=DOCTOR)
    token, register = new.share, Register(HOUR)
    viewer = replace(token, view_id="view", expires_at=NOW + HOUR / 2)
    cursor = 0
    for changes, end, is_guarded in (
        (Changes(password_hash="hash"), HOUR, True),
        (Changes(max_openings=3, password_hash=None), HOUR, True),
        (Changes(max_openings=None), HOUR, False),
        (Changes(expires_at=NOW + SECOND), SECOND, False),
        (Changes(expires_at=NOW + 9 * HOUR), 9 * HOUR, False),
        (Changes(expires_at=None, max_openings=1), None, True),
    ):
        await store.shares.change(token.id, changes, now=NOW, origin=DOCTOR)
        page = await store.revoked_since(cursor, now=NOW)
        cursor = page.cursor
        register.learn(page)
        register.confirm(monotonic())
        link, view = register.current(token), register.current(viewer)
        assert isinstance(link, Share)
        assert isinstance(view, Share)
        expected = None if end is None else NOW + end
        assert (link.expires_at, link.needs_opening) == (expected, is_guarded)
        assert view.expires_at == NOW + min(end or HOUR, HOUR / 2)
    await store.revoker.revoke(token.id, now=NOW, origin=DOCTOR)
    register.learn(await store.revoked_since(cursor, now=NOW))
    assert register.current(token) is register.current(viewer) is Reason.REVOKED


async def test_no_news_is_missed_while_many_take_back_at_once(
    store: Store, url: str
) -> None:
    ids = [await create(store) for _ in range(30)]
    seen: list[str] = []

    async def watch() -> None:
        cursor = 0
        while len(seen) < len(ids):
            page = await store.revoked_since(cursor, now=NOW)
            cursor = page.cursor
            seen.extend(news.share_id for news in page.news)
            await asyncio.sleep(0)

    async with open_store(url) as other:
        await asyncio.gather(
            watch(),
            *(
                (store, other)[number % 2].revoker.revoke(
                    share_id, now=NOW, origin=DOCTOR
                )
                for number, share_id in enumerate(ids)
            ),
        )
    assert sorted(seen) == sorted(ids)
