"""How many shares there are of each status."""

import pytest

from orthanc_share.store import census
from orthanc_share.store.records import ShareStatus
from orthanc_share.store.store import Store
from tests.unit.shared.store.samples import DOCTOR, HOUR, NOW, VISITOR, create

pytestmark = pytest.mark.anyio


async def test_each_share_is_counted_by_its_status_now(store: Store) -> None:
    await create(store)
    await create(store, ends=3 * HOUR)
    await create(store, starts=2 * HOUR, ends=3 * HOUR)
    used_up = await create(store, max_openings=1, ends=3 * HOUR)
    await store.openings.open_once(used_up, now=NOW, origin=VISITOR)
    revoked = await create(store)
    await store.revoker.revoke(revoked, now=NOW, origin=DOCTOR)
    assert await store.count_by_status(now=NOW) == {
        ShareStatus.ACTIVE: 2,
        ShareStatus.NOT_YET: 1,
        ShareStatus.USED_UP: 1,
        ShareStatus.EXPIRED: 0,
        ShareStatus.REVOKED: 1,
    }
    later = await store.count_by_status(now=NOW + 2 * HOUR)
    assert (later[ShareStatus.ACTIVE], later[ShareStatus.EXPIRED]) == (2, 1)


async def test_nobody_counts_beyond_a_limit(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(census, "COUNTED_MAX", 2)
    for _ in range(5):
        await create(store)
    counts = await store.count_by_status(now=NOW)
    assert counts[ShareStatus.ACTIVE] == 3
