"""What a registry is asked: lists and searches, openings, what is taken back."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy import delete

from benchmarks.bench import WrongAnswerError
from benchmarks.registry_site import PAGE, RARE, Site
from orthanc_share.store.audit import EventFilter
from orthanc_share.store.records import Retention, ShareStatus, Tally, View
from orthanc_share.store.revoking import Selection
from orthanc_share.store.selection import ShareFilter
from orthanc_share.store.tables import share
from tests.unit.shared.store.samples import (
    DOCTOR,
    NOW,
    VISITOR,
    create,
    new_share,
)

GROUP = 10
"""Shares that are taken back at once."""

GROUP_CREATOR = "account:locum"
"""Who made them, and nothing else."""

GROUP_STUDY = "1.2.826.0.1.3680043.8.498.10"
"""What they show, and no other share does."""

Act = Callable[[Site, str], Awaitable[int]]
"""Does something to a share of the site, and returns how much came of it."""


@dataclass(frozen=True)
class Operation:
    """What is measured.

    Args:
        name: For people.
        act: Does it.
        prepare: Makes what it is done to, which is not measured.
        sorts_few: Whether what it finds by index is never much, and may be sorted.
    """

    name: str
    act: Act
    prepare: Callable[[Site], Awaitable[str]]
    sorts_few: bool = False


async def _nothing(_site: Site) -> str:
    return ""


async def _fresh(site: Site) -> str:
    return await create(site.store)


async def _fresh_group(site: Site) -> str:
    """Make shares to be taken back, in place of those of the time before.

    So the young site stays young.
    """
    async with site.store.database.write() as connection:
        await connection.execute(delete(share).where(share.c.creator == GROUP_CREATOR))
    for _ in range(GROUP):
        await create(site.store, creator=GROUP_CREATOR, study=GROUP_STUDY)
    return ""


async def _after_news(site: Site) -> str:
    """Return the newest cursor."""
    cursor, more = 0, True
    while more:
        page = await site.store.revoked_since(cursor, now=NOW)
        cursor, more = page.cursor, page.more
    return str(cursor)


async def _before_news(site: Site) -> str:
    """Return the cursor before a share is taken back."""
    share_id, cursor = await create(site.store), await _after_news(site)
    await site.store.revoker.revoke(share_id, now=NOW, origin=DOCTOR)
    return cursor


def _listed(wanted: ShareFilter | None = None, limit: int = PAGE) -> Act:
    async def act(site: Site, _prepared: str) -> int:
        page = await site.store.list_shares(wanted, now=NOW, limit=limit)
        return len(page.shares)

    return act


async def _deep_page(site: Site, _prepared: str) -> int:
    page = await site.store.list_shares(now=NOW, limit=PAGE, cursor=site.deep)
    return len(page.shares)


async def _get(site: Site, _prepared: str) -> int:
    await site.store.shares.get("share-70")
    return 1


async def _events(site: Site, _prepared: str) -> int:
    wanted = EventFilter(share_id="share-7")
    return len((await site.store.audit.page(wanted, limit=PAGE)).events)


async def _news(site: Site, prepared: str) -> int:
    page = await site.store.revoked_since(int(prepared), now=NOW)
    return len(page.news)


async def _sweep(site: Site, _prepared: str) -> int:
    await site.store.settle(now=NOW)
    return (await site.store.sweeper.sweep(Retention(), now=NOW)).shares


async def _create(site: Site, _prepared: str) -> int:
    await site.store.shares.create(new_share(), now=NOW, origin=DOCTOR)
    return 1


async def _open(site: Site, share_id: str) -> int:
    await site.store.openings.open_once(
        share_id, now=NOW, origin=VISITOR, view_id=share_id
    )
    return 1


async def _count(site: Site, share_id: str) -> int:
    views = [View(share_id, share_id, NOW)]
    await site.store.openings.count([Tally(share_id, NOW, 5)], views)
    return 1


async def _revoke(site: Site, share_id: str) -> int:
    await site.store.revoker.revoke(share_id, now=NOW, origin=DOCTOR)
    return 1


def _group_revoked(selection: Selection, *, dry_run: bool) -> Act:
    async def act(site: Site, _prepared: str) -> int:
        number = await site.store.revoker.revoke_many(
            selection, now=NOW, origin=DOCTOR, dry_run=dry_run
        )
        if number != GROUP:
            raise WrongAnswerError(f"{number} shares were found, not {GROUP}.")
        return number

    return act


def _revocations(of_what: str, selection: Selection, *, few: bool) -> list[Operation]:
    return [
        Operation(
            f"{what} {GROUP} shares of {of_what}",
            _group_revoked(selection, dry_run=dry_run),
            _fresh_group,
            sorts_few=few,
        )
        for what, dry_run in (("count", True), ("revoke", False))
    ]


OPERATIONS = (
    Operation("list, first page", _listed(), _nothing),
    Operation("list, page 50", _deep_page, _nothing),
    Operation("list expired", _listed(ShareFilter(ShareStatus.EXPIRED)), _nothing),
    Operation(
        "list active, one", _listed(ShareFilter(ShareStatus.ACTIVE), 1), _nothing
    ),
    Operation(
        "list of a creator", _listed(ShareFilter(creator="account:doctor")), _nothing
    ),
    Operation(
        "list of a study",
        _listed(ShareFilter(study="1.2.10")),
        _nothing,
        sorts_few=True,
    ),
    Operation(
        "search a rare word",
        _listed(ShareFilter(text=RARE)),
        _nothing,
        sorts_few=True,
    ),
    Operation("search a common word", _listed(ShareFilter(text="title")), _nothing),
    Operation("show a share", _get, _nothing),
    Operation("events of a share", _events, _nothing),
    Operation("validate's news: none", _news, _after_news),
    Operation("validate's news: one", _news, _before_news),
    Operation("sweep, nothing over", _sweep, _nothing),
    Operation("create a share", _create, _nothing),
    Operation("open a share", _open, _fresh),
    Operation("count grants", _count, _fresh),
    Operation("revoke a share", _revoke, _fresh),
    *_revocations("a creator", Selection(creator=GROUP_CREATOR), few=False),
    *_revocations("a study", Selection(study=GROUP_STUDY), few=True),
)
"""Everything that is measured; what reads comes before what makes the sites grow."""
