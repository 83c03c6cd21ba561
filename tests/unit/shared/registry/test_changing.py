"""Changing shares."""

from datetime import timedelta
from typing import Any

import pytest

from orthanc_share.domain.errors import (
    InvalidLifetimeError,
    LimitNotEnforceableError,
)
from orthanc_share.domain.lifetime import LifetimePolicy
from orthanc_share.domain.share import Share, ShareType
from orthanc_share.domain.viewer import ViewerLinks, ViewerRoots
from orthanc_share.registry.changing import End, ShareChanger, Wishes
from orthanc_share.store.errors import ShareNotFoundError, ShareRevokedError
from orthanc_share.store.records import Origin, StoredShare
from tests.support.settings import PUBLIC
from tests.unit.shared.registry.samples import DAY, LINKS, PASSWORD, Site

pytestmark = pytest.mark.anyio

SOMEBODY = Origin("somebody")
WITHOUT_LANDING = ViewerLinks(ViewerRoots(orthanc=f"{PUBLIC}/shares/"))


def changer(site: Site, links: ViewerLinks = LINKS, **policy: Any) -> ShareChanger:
    return ShareChanger(
        lambda: site.registry.store,
        site.registry.passwords,
        links,
        LifetimePolicy(**policy),
        site.clock,
    )


async def change(site: Site, share: Share, **wishes: Any) -> StoredShare:
    return await changer(site).change(share.id, Wishes(**wishes), SOMEBODY)


async def test_what_is_not_named_stays(site: Site) -> None:
    share = await site.kept(max_openings=2, password=PASSWORD)
    before = await site.registry.store.shares.get(share.id)
    assert await change(site, share) == before


async def test_everything_that_is_named_changes(site: Site) -> None:
    share = await site.kept()
    end = site.clock.now + 3 * DAY
    changed = await change(
        site, share, title="New", end=End(end), max_openings=4, password=PASSWORD
    )
    assert (changed.title, changed.max_openings) == ("New", 4)
    assert changed.share.expires_at == end
    matches = site.registry.passwords.matches
    assert await matches(changed.password_hash or "", PASSWORD)
    again = await change(
        site, share, title=None, end=End(), max_openings=None, password=None
    )
    assert (again.title, again.max_openings, again.password_hash) == (None, None, None)
    assert again.share.expires_at is None


async def test_a_span_counts_from_now(site: Site) -> None:
    share = await site.kept()
    site.clock.move(100)
    changed = await change(site, share, end=End(seconds=60))
    assert changed.share.expires_at == site.clock.now + timedelta(seconds=60)


async def test_an_end_is_cut_to_the_longest_lifetime_of_the_site(site: Site) -> None:
    share = await site.kept()
    bounded = changer(site, maximum=2 * DAY)
    for end in (End(), End(site.clock.now + 9 * DAY), End(seconds=9 * 86_400)):
        changed = await bounded.change(share.id, Wishes(end=end), SOMEBODY)
        assert changed.share.expires_at == site.clock.now + 2 * DAY


async def test_an_end_that_cannot_be_is_refused(site: Site) -> None:
    later = site.clock.now + 2 * DAY
    share = await site.kept(not_before=later, expires_at=later + DAY)
    for end in (End(site.clock.now), End(later), End(seconds=60)):
        with pytest.raises(InvalidLifetimeError):
            await change(site, share, end=end)
    strict = changer(site, allow_unlimited=False)
    with pytest.raises(InvalidLifetimeError, match="without expiry"):
        await strict.change(share.id, Wishes(end=End()), SOMEBODY)
    kept = await site.registry.store.shares.get(share.id)
    assert kept.share.expires_at == later + DAY


async def test_a_share_that_is_over_can_be_put_off(site: Site) -> None:
    share = await site.kept(not_before=None)
    site.clock.move(2 * 86_400)
    changed = await change(site, share, end=End(seconds=60))
    assert changed.status(site.clock.now) == "active"


@pytest.mark.parametrize("wish", [{"max_openings": 1}, {"password": PASSWORD}])
async def test_a_guard_that_would_not_hold_is_refused(
    site: Site, wish: dict[str, Any]
) -> None:
    plain, link = await site.kept(), await site.kept(type=ShareType.VIEWER_INSTANT_LINK)
    with pytest.raises(LimitNotEnforceableError, match="viewer-instant-link"):
        await change(site, link, **wish)
    unguarded = changer(site, WITHOUT_LANDING)
    with pytest.raises(LimitNotEnforceableError, match="PUBLIC_LANDING_ROOT"):
        await unguarded.change(plain.id, Wishes(**wish), SOMEBODY)
    # To take a guard away needs no page.
    taken = Wishes(max_openings=None, password=None)
    await unguarded.change(plain.id, taken, SOMEBODY)


async def test_what_is_not_there_or_revoked_stays_as_it_is(site: Site) -> None:
    with pytest.raises(ShareNotFoundError):
        await change(site, site.share(), title="x")
    share = await site.kept()
    await site.revoke(share)
    with pytest.raises(ShareRevokedError):
        await change(site, share, title="x")


def test_a_wish_does_not_show_its_password() -> None:
    assert PASSWORD not in repr(Wishes(password=PASSWORD))
