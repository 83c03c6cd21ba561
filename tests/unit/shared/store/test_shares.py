"""Shares are kept as they were agreed, and changed as far as they may be."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orthanc_share.domain.resource import Level, Resource
from orthanc_share.store.errors import (
    DuplicateShareError,
    ShareNotFoundError,
    ShareRevokedError,
)
from orthanc_share.store.records import Changes, EventKind, ShareStatus
from orthanc_share.store.store import Store, open_store
from tests.unit.shared.store.samples import (
    DOCTOR,
    HOUR,
    NOW,
    ORTHANC_ID,
    SECOND,
    STUDY,
    VISITOR,
    create,
    events_of,
    kinds_of,
    new_share,
)

pytestmark = pytest.mark.anyio


async def test_a_share_comes_back_as_it_was_kept(store: Store) -> None:
    resources = (
        Resource(dicom_uid=STUDY, orthanc_id=ORTHANC_ID),
        Resource(Level.SERIES, orthanc_id=ORTHANC_ID),
        Resource(Level.PATIENT, dicom_uid="PAT 1"),
    )
    new = new_share(
        resources=resources,
        starts=SECOND,
        title="CT for Dr. Müller",
        label="order-17",
        max_openings=3,
        password_hash="$argon2id$…",
        notify="https://ris.example/hook",
    )
    await store.shares.create(new, now=NOW, origin=DOCTOR)
    kept = await store.shares.get(new.share.id)
    assert kept.share == new.share
    assert (kept.creator, kept.created_at) == (new.creator, NOW)
    assert (kept.title, kept.label, kept.notify) == (new.title, new.label, new.notify)
    assert (kept.max_openings, kept.password_hash) == (3, "$argon2id$…")
    assert (kept.opened, kept.denied, kept.granted, kept.openings_left) == (0, 0, 0, 3)
    assert kept.last_opened_at is None
    assert kept.revocation is None
    assert "argon2" not in repr(kept) + repr(new)
    assert "hook" not in repr(kept) + repr(new)


async def test_a_share_without_end_limit_or_words_is_kept(store: Store) -> None:
    share_id = await create(store, ends=None, title="", label=None)
    kept = await store.shares.get(share_id)
    assert kept.share.expires_at is None
    assert kept.title is None
    assert kept.openings_left is None
    assert kept.status(NOW + timedelta(days=99999)) is ShareStatus.ACTIVE


async def test_a_share_is_there_after_the_database_was_closed(url: str) -> None:
    async with open_store(url) as store:
        share_id = await create(store)
    async with open_store(url) as store:
        assert (await store.shares.get(share_id)).share.id == share_id


async def test_text_that_a_database_would_refuse_is_kept_as_far_as_possible(
    store: Store,
) -> None:
    share_id = await create(store, title="a\x00b\ud800c" + "x" * 300)
    kept = await store.shares.get(share_id)
    assert kept.title is not None
    assert kept.title.startswith("a\ufffdb?cx")
    assert len(kept.title) == 255


async def test_an_id_is_taken_once_and_a_second_try_leaves_no_trace(
    store: Store,
) -> None:
    share_id = await create(store)
    with pytest.raises(DuplicateShareError):
        await create(store, share_id)
    assert await kinds_of(store) == ["created"]


@pytest.mark.parametrize("share_id", ["none", "", "\x00", "\ud800", "é", "x" * 65])
async def test_an_unknown_id_is_not_found(store: Store, share_id: str) -> None:
    with pytest.raises(ShareNotFoundError):
        await store.shares.get(share_id)
    with pytest.raises(ShareNotFoundError):
        await store.shares.change(share_id, Changes(), now=NOW, origin=DOCTOR)
    with pytest.raises(ShareNotFoundError):
        await store.openings.open_once(share_id, now=NOW, origin=DOCTOR)
    with pytest.raises(ShareNotFoundError):
        await store.revoker.revoke(share_id, now=NOW, origin=DOCTOR)
    with pytest.raises(ShareNotFoundError):
        await store.codes.issue(share_id, now=NOW)
    await store.openings.deny(share_id, "expired", now=NOW, origin=DOCTOR)
    assert await kinds_of(store) == []


async def test_creating_is_written_down_without_any_secret(store: Store) -> None:
    share_id = await create(store, password_hash="hash", max_openings=2, title="Secret")
    (stored,) = await events_of(store)
    event = stored.event
    assert (stored.seq, event.kind, event.at) == (1, EventKind.CREATED, NOW)
    assert (event.share_id, event.origin, event.studies) == (share_id, DOCTOR, (STUDY,))
    assert event.details == {
        "type": "stone-viewer-publication",
        "flavour": "standard",
        "expires-at": "2026-03-01T13:00:00+00:00",
        "max-openings": 2,
        "password": True,
    }


async def test_everything_that_may_change_can_be_changed(store: Store) -> None:
    share_id = await create(store, title="old")
    changes = Changes("new", NOW + 2 * HOUR, 5, "hash")
    changed = await store.shares.change(share_id, changes, now=NOW, origin=DOCTOR)
    assert changed == await store.shares.get(share_id)
    assert (changed.title, changed.share.expires_at) == ("new", NOW + 2 * HOUR)
    assert (changed.max_openings, changed.password_hash) == (5, "hash")
    event = (await events_of(store))[-1].event
    assert (event.kind, event.studies) == (EventKind.CHANGED, (STUDY,))
    assert event.details == {
        "title": True,
        "password": True,
        "max-openings": 5,
        "expires-at": "2026-03-01T14:00:00+00:00",
    }


async def test_none_takes_away_and_what_is_not_named_stays(store: Store) -> None:
    share_id = await create(store, title="old", max_openings=1, password_hash="hash")
    changes = Changes(title=None, expires_at=None)
    changed = await store.shares.change(share_id, changes, now=NOW, origin=DOCTOR)
    assert (changed.title, changed.share.expires_at) == (None, None)
    assert (changed.max_openings, changed.password_hash) == (1, "hash")
    assert (await events_of(store))[-1].event.details == {
        "title": False,
        "expires-at": None,
    }


async def test_a_share_that_is_guarded_says_so_as_long_as_it_is(store: Store) -> None:
    share_id = await create(store)
    for changes, is_guarded in (
        (Changes(max_openings=1), True),
        (Changes(max_openings=None, password_hash="hash"), True),
        (Changes(password_hash=None), False),
    ):
        await store.shares.change(share_id, changes, now=NOW, origin=DOCTOR)
        kept = await store.shares.get(share_id)
        assert kept.share.needs_opening is is_guarded


async def test_a_change_of_nothing_is_no_event(store: Store) -> None:
    share_id = await create(store, title="same")
    for changes in (Changes(), Changes(title="same", expires_at=NOW + HOUR)):
        await store.shares.change(share_id, changes, now=NOW, origin=DOCTOR)
    assert await kinds_of(store) == ["created"]


async def test_a_share_that_was_taken_back_is_not_changed(store: Store) -> None:
    share_id = await create(store)
    await store.revoker.revoke(share_id, now=NOW, origin=DOCTOR)
    with pytest.raises(ShareRevokedError):
        await store.shares.change(
            share_id, Changes(expires_at=None), now=NOW, origin=DOCTOR
        )


async def test_a_limit_below_what_was_opened_uses_the_share_up(store: Store) -> None:
    share_id = await create(store)
    for _ in range(2):
        await store.openings.open_once(share_id, now=NOW, origin=DOCTOR)
    changed = await store.shares.change(
        share_id, Changes(max_openings=1), now=NOW, origin=DOCTOR
    )
    assert changed.openings_left == 0
    assert changed.status(NOW) is ShareStatus.USED_UP


async def test_a_share_from_before_the_registry_is_adopted_once(
    store: Store, url: str
) -> None:
    agreed = replace(new_share().share, issued_at=NOW - 9 * HOUR)
    async with open_store(url) as other:
        outcomes = await asyncio.gather(
            *(
                (store, other)[n % 2].shares.adopt(agreed, now=NOW, origin=VISITOR)
                for n in range(6)
            )
        )
    assert sorted(outcomes) == [False] * 5 + [True]
    kept = await store.shares.get(agreed.id)
    assert (kept.share, kept.creator) == (agreed, "before-registry")
    assert kept.created_at == NOW - 9 * HOUR
    (event,) = (stored.event for stored in await events_of(store))
    assert (event.kind, event.origin, event.at) == ("created", VISITOR, NOW)
    assert event.details["before-registry"] is True


async def test_what_was_kept_is_not_changed_by_adopting_it(store: Store) -> None:
    share_id = await create(store)
    kept = await store.revoker.revoke(share_id, now=NOW, origin=DOCTOR)
    again = replace(kept.share, expires_at=None)
    assert not await store.shares.adopt(again, now=NOW, origin=VISITOR)
    assert await store.shares.get(share_id) == kept


async def test_a_share_without_instant_of_making_is_adopted_as_made_now(
    store: Store,
) -> None:
    agreed = replace(new_share().share, issued_at=None)
    assert await store.shares.adopt(agreed, now=NOW, origin=VISITOR)
    assert (await store.shares.get(agreed.id)).created_at == NOW


@pytest.mark.parametrize("change", [{"needs_opening": True}, {"view_id": "view"}])
async def test_what_is_more_or_less_than_a_share_is_not_adopted(
    store: Store, change: dict[str, Any]
) -> None:
    agreed = replace(new_share().share, **change)
    with pytest.raises(ShareNotFoundError):
        await store.shares.adopt(agreed, now=NOW, origin=VISITOR)
    assert await kinds_of(store) == []
