"""Lists show what is meant, in order, each share once."""

from datetime import timedelta
from typing import Any

import pytest

from orthanc_share.domain.resource import Resource
from orthanc_share.store import words
from orthanc_share.store.errors import InvalidCursorError
from orthanc_share.store.records import ShareStatus, StoredShare
from orthanc_share.store.selection import Order, ShareFilter
from orthanc_share.store.store import Store
from tests.unit.shared.store.samples import (
    DOCTOR,
    HOUR,
    NOW,
    ORTHANC_ID,
    SECOND,
    create,
)

pytestmark = pytest.mark.anyio


async def _ids(store: Store, wanted: ShareFilter, *, later: timedelta) -> set[str]:
    page = await store.list_shares(wanted, now=NOW + later)
    assert page.cursor is None
    return {kept.share.id for kept in page.shares}


async def _one_of_each(store: Store) -> dict[ShareStatus, str]:
    shares = {
        ShareStatus.ACTIVE: await create(store, ends=3 * HOUR),
        ShareStatus.NOT_YET: await create(store, starts=HOUR, ends=3 * HOUR),
        ShareStatus.USED_UP: await create(store, max_openings=1, ends=3 * HOUR),
        ShareStatus.EXPIRED: await create(store, ends=SECOND),
        ShareStatus.REVOKED: await create(store),
    }
    await store.openings.open_once(shares[ShareStatus.USED_UP], now=NOW, origin=DOCTOR)
    await store.revoker.revoke(shares[ShareStatus.REVOKED], now=NOW, origin=DOCTOR)
    return shares


async def test_each_status_lists_exactly_its_shares(store: Store) -> None:
    shares = await _one_of_each(store)
    for status, share_id in shares.items():
        assert await _ids(store, ShareFilter(status), later=SECOND) == {share_id}
        kept = await store.shares.get(share_id)
        assert kept.status(NOW + SECOND) is status


async def test_time_moves_shares_from_list_to_list(store: Store) -> None:
    shares = await _one_of_each(store)
    active = ShareFilter(ShareStatus.ACTIVE)
    both = {shares[ShareStatus.ACTIVE], shares[ShareStatus.NOT_YET]}
    assert await _ids(store, active, later=HOUR) == both
    expired = ShareFilter(ShareStatus.EXPIRED)
    assert len(await _ids(store, expired, later=4 * HOUR)) == 4
    assert await store.settle(now=NOW + 4 * HOUR) == 0


async def test_a_clock_that_is_put_back_moves_them_back(store: Store) -> None:
    shares = await _one_of_each(store)
    await _ids(store, ShareFilter(ShareStatus.EXPIRED), later=4 * HOUR)
    for status, share_id in shares.items():
        assert await _ids(store, ShareFilter(status), later=SECOND) == {share_id}
    await _ids(store, ShareFilter(ShareStatus.ACTIVE), later=2 * HOUR)
    not_yet = ShareFilter(ShareStatus.NOT_YET)
    assert await _ids(store, not_yet, later=SECOND) == {shares[ShareStatus.NOT_YET]}


async def test_a_list_can_be_narrowed_by_all_criteria_at_once(store: Store) -> None:
    resources = (Resource(dicom_uid="1.2.3", orthanc_id=ORTHANC_ID),)
    wanted = await create(store, resources=resources, title="Knee left")
    await create(store, resources=resources, title="Knee", creator="account:other")
    await create(store, resources=resources, title="Hip left")
    await create(store, study="1.2.4", title="Knee left")
    for study in ("1.2.3", ORTHANC_ID):
        criteria = ShareFilter(ShareStatus.ACTIVE, "account:doctor", study, "knee LEFT")
        assert await _ids(store, criteria, later=SECOND) == {wanted}


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("mül", True),
        ("MÜLLER order", True),
        ("ord 17", True),
        ("doctor", True),
        ("ﬁnal", True),  # a ligature, as copied from a PDF
        ("finals", False),
        ("üller", False),
        ("müller hip", False),
        ("100%", False),
        ("--- ", False),
        ("\x00", False),
    ],
)
async def test_text_is_found_by_the_beginnings_of_words(
    store: Store, text: str, *, is_found: bool
) -> None:
    await create(store, title="Dr. Müller (final)", label="order_9 17")
    found = await _ids(store, ShareFilter(text=text), later=SECOND)
    assert bool(found) is is_found


async def test_common_words_find_the_same_as_rare_ones(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = await create(store, title="knee left")
    await create(store, title="knee right")
    await create(store, title="hip left")
    for rare in (1000, 2, 0):
        monkeypatch.setattr(words, "RARE", rare)
        for text in ("knee left", "left kn", "doctor lef kne"):
            found = await _ids(store, ShareFilter(text=text), later=SECOND)
            assert found == {both}


async def test_a_share_is_found_by_its_id(store: Store) -> None:
    share_id = await create(store)
    await create(store)
    assert await _ids(store, ShareFilter(text=share_id), later=SECOND) == {share_id}


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("order", list(Order))
async def test_pages_show_every_share_once_and_in_order(
    store: Store, order: Order, *, descending: bool
) -> None:
    ids = [
        await create(store, ends=(2 + number % 3) * HOUR, now=NOW + number % 2 * SECOND)
        for number in range(11)
    ]
    for number, share_id in enumerate(ids[:5]):
        at = NOW + timedelta(minutes=number)
        await store.openings.open_once(share_id, now=at, origin=DOCTOR)
    seen: list[StoredShare] = []
    cursor = None
    while True:
        page = await store.list_shares(
            now=NOW, order=order, descending=descending, limit=4, cursor=cursor
        )
        seen += page.shares
        assert len(page.shares) == 4 or page.cursor is None
        if (cursor := page.cursor) is None:
            break
    assert sorted(kept.share.id for kept in seen) == sorted(ids)
    places = [(_key(kept, order), kept.share.id) for kept in seen]
    assert places == sorted(places, reverse=descending)


def _key(kept: StoredShare, order: Order) -> Any:
    if order is Order.CREATED:
        return kept.created_at
    if order is Order.EXPIRES:
        return kept.share.expires_at
    return kept.last_opened_at or NOW - HOUR


async def test_a_share_that_is_made_meanwhile_moves_no_other_to_another_page(
    store: Store,
) -> None:
    ids = [await create(store, now=NOW + n * SECOND) for n in range(4)]
    first = await store.list_shares(now=NOW, limit=2)
    await create(store, now=NOW + HOUR)
    rest = await store.list_shares(now=NOW, limit=2, cursor=first.cursor)
    seen = [kept.share.id for kept in (*first.shares, *rest.shares)]
    assert seen == ids[::-1]


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "nonsense",
        "created.asc.1.x",
        "expires.desc.1.x",
        "created.desc..x",
        "created.desc.-1.x",
        "created.desc.²." + "x",
        "created.desc.9223372036854775808.x",
        "created.desc.1.\x00",
    ],
)
async def test_a_cursor_of_another_list_is_refused(store: Store, cursor: str) -> None:
    with pytest.raises(InvalidCursorError):
        await store.list_shares(now=NOW, cursor=cursor)


async def test_a_page_has_at_least_one_share(store: Store) -> None:
    await create(store)
    page = await store.list_shares(now=NOW, limit=0)
    assert len(page.shares) == 1
