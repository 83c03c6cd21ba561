"""A clock that jumps back or ahead: nothing is lost, nothing is open that was not."""

from datetime import datetime
from time import monotonic

import pytest

from orthanc_share.domain.access import Reason
from orthanc_share.domain.share import Share
from orthanc_share.registry.register import Register
from orthanc_share.store.audit import EventFilter
from orthanc_share.store.records import (
    Changes,
    NotOpened,
    Opened,
    Retention,
    ShareStatus,
    Tally,
    View,
)
from orthanc_share.store.store import Store
from orthanc_share.store.verifying import Intact
from tests.unit.shared.store.samples import (
    DAY,
    DOCTOR,
    HOUR,
    NOW,
    SECOND,
    VISITOR,
    create,
    kinds_of,
    new_share,
)

pytestmark = pytest.mark.anyio

EARLIER = NOW - 400 * DAY
AHEAD = NOW + 20 * DAY
JUMPS = pytest.mark.parametrize("jump", [EARLIER, NOW - SECOND, AHEAD])


async def _known(store: Store, share: Share) -> Share | Reason:
    """Return what a service that starts now knows of a share."""
    register = Register(HOUR)
    register.learn(await store.revoked_since(0, now=NOW))
    register.confirm(monotonic())
    return register.current(share)


@JUMPS
async def test_what_was_taken_back_stays_so(store: Store, jump: datetime) -> None:
    new = new_share(ends=900 * DAY)
    await store.shares.create(new, now=NOW, origin=DOCTOR)
    await store.revoker.revoke(new.share.id, now=jump, origin=DOCTOR)
    for now in (NOW, EARLIER, AHEAD):
        await store.settle(now=now)
        await store.sweeper.sweep(Retention(), now=now)
        opened = await store.openings.open_once(new.share.id, now=now, origin=VISITOR)
        assert opened == NotOpened(ShareStatus.REVOKED)
    assert await _known(store, new.share) is Reason.REVOKED


@JUMPS
async def test_what_is_used_up_stays_so(store: Store, jump: datetime) -> None:
    share_id = await create(store, max_openings=1, ends=900 * DAY)
    first = await store.openings.open_once(share_id, now=jump, origin=VISITOR)
    assert first == Opened(1, 0, jump)
    for now in (NOW, EARLIER, AHEAD):
        again = await store.openings.open_once(share_id, now=now, origin=VISITOR)
        assert again == NotOpened(ShareStatus.USED_UP)


async def test_a_revocation_that_is_told_while_the_clock_is_ahead_is_kept(
    store: Store,
) -> None:
    new = new_share()
    await create(store)
    await store.shares.create(new, now=NOW, origin=DOCTOR)
    register = Register(HOUR)
    start = await store.revoked_since(0, now=NOW)
    await store.revoker.revoke(new.share.id, now=AHEAD, origin=DOCTOR)
    # Its end seems long over.
    register.learn(await store.revoked_since(start.cursor, now=NOW + 999 * DAY))
    register.confirm(monotonic())
    assert register.current(new.share) is Reason.REVOKED


async def test_a_sweep_while_the_clock_is_ahead_opens_nothing_again(
    store: Store,
) -> None:
    revoked, guarded = new_share(), new_share()
    for new in (revoked, guarded):
        await store.shares.create(new, now=NOW, origin=DOCTOR)
    await store.revoker.revoke(revoked.share.id, now=NOW, origin=DOCTOR)
    changes = Changes(password_hash="hash")
    await store.shares.change(guarded.share.id, changes, now=NOW, origin=DOCTOR)
    await store.sweeper.sweep(Retention(), now=AHEAD)
    assert await _known(store, revoked.share) is Reason.REVOKED
    known = await _known(store, guarded.share)
    assert isinstance(known, Share)
    assert known.needs_opening


async def test_counting_goes_on_and_the_trail_stays_whole(store: Store) -> None:
    share_id = await create(store, ends=900 * DAY)
    for number, now in enumerate((NOW, EARLIER, AHEAD, NOW)):
        view = View(f"view-{number}", share_id, now)
        await store.openings.count([Tally(share_id, now, 1, 1, ("x",))], [view])
        await store.openings.open_once(share_id, now=now, origin=VISITOR)
    kept = await store.shares.get(share_id)
    assert (kept.opened, kept.granted, kept.denied) == (8, 4, 4)
    assert kept.last_opened_at == AHEAD
    days = await store.openings.history(share_id, since=EARLIER)
    assert [(day.opened, day.granted) for day in days] == [(2, 1), (4, 2), (2, 1)]
    assert (await kinds_of(store)).count("opened") == 8
    assert isinstance(await store.verify_audit(), Intact)
    page = await store.audit.page(EventFilter(share_id=share_id), limit=500)
    times = [one.event.at for one in page.events]
    assert times == sorted(times, reverse=True)
