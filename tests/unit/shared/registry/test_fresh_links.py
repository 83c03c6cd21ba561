"""Further links of a share."""

import pytest

from orthanc_share.domain.errors import NoShortLinkError, ShareTypeDisabledError
from orthanc_share.domain.share import ShareType
from orthanc_share.domain.viewer import ViewerLinks, ViewerRoots
from orthanc_share.registry.fresh_links import FreshLinks
from orthanc_share.registry.links import Link, Ready
from orthanc_share.store.audit import EventFilter
from orthanc_share.store.errors import ShareNotFoundError, ShareRevokedError
from orthanc_share.store.records import EventKind, Origin
from tests.support.settings import PUBLIC
from tests.unit.shared.registry.samples import LINKS, STUDY, Site

pytestmark = pytest.mark.anyio

SOMEBODY = Origin("somebody", "192.0.2.9")


def fresh(site: Site, links: ViewerLinks = LINKS) -> FreshLinks:
    return FreshLinks(lambda: site.registry.store, links, site.clock)


async def test_each_link_is_another_and_opens_the_share(site: Site) -> None:
    share = await site.kept()
    urls = [await fresh(site).issue(share.id, SOMEBODY) for _ in range(3)]
    assert len(set(urls)) == 3
    for url in urls:
        root, _, code = url.rpartition("/")
        assert root == f"{PUBLIC}/welcome/s"
        ready = await site.registry.desk.look(Link(code=code))
        assert isinstance(ready, Ready)
        assert ready.share_id == share.id


async def test_it_is_written_down_who_got_it_and_not_the_link(site: Site) -> None:
    share = await site.kept()
    url = await fresh(site).issue(share.id, SOMEBODY)
    trail = site.registry.store.audit.export(EventFilter(share_id=share.id))
    _, event = [stored.event async for stored in trail]
    assert (event.kind, event.origin) == (EventKind.CHANGED, SOMEBODY)
    assert event.details == {"link": "issued"}
    assert event.studies == (STUDY.dicom_uid,)
    assert url.rpartition("/")[2] not in repr(event)


async def test_a_look_makes_no_link(site: Site) -> None:
    share = await site.kept()
    assert (await fresh(site).check(share.id)).share.id == share.id
    trail = site.registry.store.audit.export(EventFilter(share_id=share.id))
    assert len([stored async for stored in trail]) == 1


async def test_what_no_page_opens_has_no_link(site: Site) -> None:
    share = await site.kept()
    for landing in (None, f"{PUBLIC}/landing.html"):
        roots = ViewerRoots(orthanc=f"{PUBLIC}/shares/", landing=landing)
        with pytest.raises(NoShortLinkError, match="PUBLIC_LANDING_ROOT"):
            await fresh(site, ViewerLinks(roots)).issue(share.id, SOMEBODY)
    instant = await site.kept(type=ShareType.VIEWER_INSTANT_LINK)
    with pytest.raises(NoShortLinkError, match="viewer-instant-link"):
        await fresh(site).issue(instant.id, SOMEBODY)
    disabled = await site.kept(type=ShareType.OHIF_PUBLICATION)
    with pytest.raises(ShareTypeDisabledError):
        await fresh(site).issue(disabled.id, SOMEBODY)


async def test_what_is_not_there_or_revoked_has_no_link(site: Site) -> None:
    with pytest.raises(ShareNotFoundError):
        await fresh(site).issue("none", SOMEBODY)
    share = await site.kept()
    await site.revoke(share)
    for ask in (fresh(site).check(share.id), fresh(site).issue(share.id, SOMEBODY)):
        with pytest.raises(ShareRevokedError):
            await ask
