"""Opening links."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Literal

import argon2
import pytest
from typing_extensions import override

from orthanc_share.domain.access import Granted
from orthanc_share.domain.share import Flavour, Share, ShareType
from orthanc_share.registry.links import (
    Link,
    LinkReason,
    Opened,
    Opening,
    Ready,
    Refused,
)
from orthanc_share.registry.passwords import Passwords
from orthanc_share.store.audit import EventFilter
from orthanc_share.store.errors import ShareNotFoundError, StoreUnavailableError
from orthanc_share.store.openings import Openings
from orthanc_share.store.records import (
    Changes,
    EventKind,
    NewShare,
    Origin,
)
from orthanc_share.store.store import Store
from tests.unit.shared.registry.samples import (
    DAY,
    PASSWORD,
    STUDY,
    VISITOR,
    Site,
    running_site,
)

pytestmark = pytest.mark.anyio


async def look(site: Site, share: Share, view: str | None = None) -> Ready | Refused:
    return await site.registry.desk.look(Link(site.token(share)), view=view)


async def open_(site: Site, share: Share, password: str | None = None) -> object:
    link = Link(site.token(share))
    return await site.registry.desk.open(link, password=password, origin=VISITOR)


async def open_again(
    site: Site, share: Share, opening: Opening, password: str | None = None
) -> Opened | Refused:
    link = Link(site.token(share))
    return await site.registry.desk.open(
        link, password=password, origin=VISITOR, opening=opening
    )


async def kinds(site: Site, share: Share) -> list[EventKind]:
    trail = site.registry.store.audit.export(EventFilter(share_id=share.id))
    return [stored.event.kind async for stored in trail]


async def opened(site: Site, share: Share) -> int:
    return (await site.registry.store.shares.get(share.id)).opened


async def test_an_ordinary_link_opens_at_once_and_is_not_counted(site: Site) -> None:
    share = await site.kept()
    ready = await look(site, share)
    assert isinstance(ready, Ready)
    assert (ready.needs_password, ready.left) == (False, None)
    view = site.codec.verify(ready.view or "", site.clock.now)
    assert (view.id, view.resources) == (share.id, (STUDY,))
    assert view.view_id
    assert view.expires_at == site.clock.now + timedelta(hours=4)
    assert await opened(site, share) == 0


async def test_a_viewer_token_never_outlives_the_share(site: Site) -> None:
    end = site.clock.now + timedelta(minutes=5)
    ready = await look(site, await site.kept(expires_at=end))
    assert isinstance(ready, Ready)
    assert site.codec.read(ready.view or "").expires_at == end


async def test_a_viewer_token_opens_no_link(site: Site) -> None:
    share = await site.kept()
    ready = await look(site, share)
    assert isinstance(ready, Ready)
    again = await site.registry.desk.look(Link(ready.view))
    assert again == Refused(LinkReason.NOT_ALLOWED, share.id)


async def test_a_short_link_leads_to_the_same_share(site: Site) -> None:
    share = site.share()
    code = await site.registry.store.shares.create(
        NewShare(share, "somebody"),
        now=site.clock.now,
        origin=Origin("somebody"),
        with_code=True,
    )
    ready = await site.registry.desk.look(Link(code=code))
    assert isinstance(ready, Ready)
    assert ready.share_id == share.id


@pytest.mark.parametrize("link", [Link("garbage"), Link(code="garbage"), Link()])
async def test_what_is_no_link_opens_nothing(site: Site, link: Link) -> None:
    desk = site.registry.desk
    assert await desk.look(link) == Refused(LinkReason.INVALID)
    refused = await desk.open(link, password=None, origin=VISITOR)
    assert refused == Refused(LinkReason.INVALID)


async def test_a_limit_asks_and_counts(site: Site) -> None:
    share = await site.kept(max_openings=2)
    assert await look(site, share) == Ready(share.id, needs_password=False, left=2)
    assert isinstance(await open_(site, share), Opened)
    assert await look(site, share) == Ready(share.id, needs_password=False, left=1)
    assert isinstance(await open_(site, share), Opened)
    used_up = Refused(LinkReason.USED_UP, share.id)
    assert await look(site, share) == used_up
    assert await open_(site, share) == used_up
    assert await kinds(site, share) == [
        EventKind.CREATED,
        EventKind.OPENED,
        EventKind.OPENED,
        EventKind.DENIED,
    ]


async def test_fifty_at_once_open_no_more_than_agreed(site: Site) -> None:
    share = await site.kept(max_openings=3)
    outcomes = await asyncio.gather(*(open_(site, share) for _ in range(50)))
    assert sum(isinstance(outcome, Opened) for outcome in outcomes) == 3
    assert await opened(site, share) == 3


async def test_who_opened_it_may_look_again(site: Site) -> None:
    share, other = await site.kept(max_openings=1), await site.kept(max_openings=1)
    first = await open_(site, share)
    assert isinstance(first, Opened)
    again = await look(site, share, first.view)
    assert isinstance(again, Ready)
    assert again.view == first.view
    assert await opened(site, share) == 1
    # The view of one share is none of another, and neither is a link's own token.
    for view in (first.view, site.token(other), "garbage"):
        ready = await look(site, other, view)
        assert isinstance(ready, Ready)
        assert ready.view is None


async def test_a_view_does_not_help_once_the_share_is_revoked(site: Site) -> None:
    share = await site.kept(max_openings=1)
    first = await open_(site, share)
    assert isinstance(first, Opened)
    await site.revoke(share)
    assert await look(site, share, first.view) == Refused(LinkReason.REVOKED, share.id)


async def test_a_view_that_is_over_does_not_help(site: Site) -> None:
    share = await site.kept(max_openings=1)
    first = await open_(site, share)
    assert isinstance(first, Opened)
    site.clock.move(5 * 3600)
    assert await look(site, share, first.view) == Refused(LinkReason.USED_UP, share.id)


MINE = Opening("m" * 32, timedelta(minutes=30))


async def test_an_opening_whose_answer_was_lost_is_told_again(site: Site) -> None:
    share = await site.kept(max_openings=1)
    link = Link(site.token(share))
    first = await open_again(site, share, MINE)
    assert isinstance(first, Opened)
    begun = site.clock.now
    site.clock.move(29 * 60)
    ready = await site.registry.desk.look(link, opening=MINE)
    assert ready == Ready(share.id, needs_password=False, left=0)
    again = await open_again(site, share, MINE)
    assert again == first
    assert site.codec.read(first.view).expires_at == begun + timedelta(hours=4)
    assert await opened(site, share) == 1
    used_up = Refused(LinkReason.USED_UP, share.id)
    other = replace(MINE, id="o" * 32)
    assert await open_again(site, share, other) == used_up
    assert await site.registry.desk.look(link, opening=other) == used_up
    site.clock.move(60)
    assert await site.registry.desk.look(link, opening=MINE) == used_up
    assert await open_again(site, share, MINE) == used_up


async def test_after_its_grace_an_opening_is_another_one(site: Site) -> None:
    share = await site.kept(max_openings=2)
    first = await open_again(site, share, MINE)
    site.clock.move(30 * 60)
    second = await open_again(site, share, MINE)
    assert isinstance(first, Opened)
    assert isinstance(second, Opened)
    issued = [site.codec.read(one.view).issued_at for one in (first, second)]
    assert issued == [site.clock.now - MINE.grace, site.clock.now]
    assert await opened(site, share) == 2


async def test_no_view_that_is_over_is_told_again(tmp_path: Path) -> None:
    async with running_site(tmp_path, view_duration=timedelta(minutes=5)) as site:
        share = await site.kept(max_openings=1)
        assert isinstance(await open_again(site, share, MINE), Opened)
        site.clock.move(299)
        again = await open_again(site, share, MINE)
        assert isinstance(again, Opened)
        view = site.codec.verify(again.view, site.clock.now)
        assert view.expires_at == site.clock.now + timedelta(seconds=1)
        site.clock.move(1)
        used_up = Refused(LinkReason.USED_UP, share.id)
        assert await open_again(site, share, MINE) == used_up


async def test_a_clock_that_was_put_back_makes_no_longer_view(site: Site) -> None:
    share = await site.kept(max_openings=1)
    await open_again(site, share, MINE)
    site.clock.move(-3600)
    again = await open_again(site, share, MINE)
    assert isinstance(again, Opened)
    view = site.codec.verify(again.view, site.clock.now)
    assert view.expires_at == site.clock.now + timedelta(hours=4)
    assert await opened(site, share) == 1


async def test_who_asks_again_must_know_the_password_still(site: Site) -> None:
    share = await site.kept(max_openings=1, password=PASSWORD)
    first = await open_again(site, share, MINE, PASSWORD)
    link = Link(site.token(share))
    ready = await site.registry.desk.look(link, opening=MINE)
    assert ready == Ready(share.id, needs_password=True, left=0)
    wrong = await open_again(site, share, MINE, "wrong horse")
    assert wrong == Refused(LinkReason.WRONG_PASSWORD, share.id, tries_left=4)
    assert await open_again(site, share, MINE, PASSWORD) == first


async def test_what_was_revoked_or_is_over_is_not_told_again(site: Site) -> None:
    revoked, over = await site.kept(max_openings=1), await site.kept(max_openings=1)
    for share in (revoked, over):
        await open_again(site, share, MINE)
    await site.revoke(revoked)
    refused = await open_again(site, revoked, MINE)
    assert refused == Refused(LinkReason.REVOKED, revoked.id)
    site.clock.move(86_400)
    refused = await open_again(site, over, MINE)
    assert refused == Refused(LinkReason.EXPIRED, over.id, over.expires_at)


async def test_fifty_at_once_and_each_twice_open_no_more_than_agreed(
    site: Site,
) -> None:
    share = await site.kept(max_openings=3)
    meant = [replace(MINE, id=f"{number % 25:032}") for number in range(50)]
    outcomes = await asyncio.gather(*(open_again(site, share, one) for one in meant))
    views = [one.view for one in outcomes if isinstance(one, Opened)]
    assert (len(views), len(set(views))) == (6, 3)
    assert await opened(site, share) == 3


async def test_a_password_is_asked_for(site: Site) -> None:
    share = await site.kept(password=PASSWORD)
    assert await look(site, share) == Ready(share.id, needs_password=True, left=None)
    wrong = Refused(LinkReason.WRONG_PASSWORD, share.id, tries_left=4)
    assert await open_(site, share, "wrong horse") == wrong
    assert await open_(site, share) == replace(wrong, tries_left=3)
    assert isinstance(await open_(site, share, PASSWORD), Opened)
    assert await opened(site, share) == 1
    assert await kinds(site, share) == [
        EventKind.CREATED,
        EventKind.SECOND_FACTOR_FAILED,
        EventKind.SECOND_FACTOR_FAILED,
        EventKind.OPENED,
    ]


async def test_after_some_wrong_passwords_even_the_right_one_has_to_wait(
    site: Site,
) -> None:
    share = await site.kept(password=PASSWORD)
    for _ in range(5):
        await open_(site, share, "wrong horse")
    locked = await open_(site, share, PASSWORD)
    until = site.clock.now + timedelta(minutes=1)
    assert locked == Refused(LinkReason.LOCKED, share.id, until)
    site.clock.move(61)
    assert isinstance(await open_(site, share, PASSWORD), Opened)


class CountingHasher(argon2.PasswordHasher):
    """The real one; it notes what it compared, and with what effort."""

    def __init__(self) -> None:
        super().__init__()
        self.compared: list[tuple[str, argon2.Parameters]] = []

    @override
    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
        self.compared.append((str(password), argon2.extract_parameters(str(hash))))
        return super().verify(hash, password)


async def test_every_wrong_password_costs_the_same_work(site: Site) -> None:
    hasher = CountingHasher()
    desk = replace(site.registry.desk, passwords=Passwords(hasher))
    share = await site.kept(password=PASSWORD)
    link = Link(site.token(share))
    wrong = ["", "x", PASSWORD[:-1], PASSWORD.upper(), "x" * 128, "\N{KEY}" * 5]
    for tries, one in enumerate(wrong[:4]):
        refused = await desk.open(link, password=one, origin=VISITOR)
        expected = Refused(LinkReason.WRONG_PASSWORD, share.id, tries_left=4 - tries)
        assert refused == expected
    assert isinstance(await desk.open(link, password=PASSWORD, origin=VISITOR), Opened)
    for other in (*wrong[4:], None):
        outcome = await desk.open(link, password=other, origin=VISITOR)
        assert isinstance(outcome, Refused)
        assert outcome.reason is LinkReason.WRONG_PASSWORD
    told = [*wrong[:4], PASSWORD, *wrong[4:], ""]
    assert [password for password, _ in hasher.compared] == told
    efforts = [effort for _, effort in hasher.compared]
    assert all(effort == efforts[0] for effort in efforts)
    assert efforts[0].type is argon2.Type.ID


async def test_where_no_password_is_looked_at_no_work_tells_anything(
    site: Site,
) -> None:
    # These have pages of their own, which say so without looking at a clock.
    hasher = CountingHasher()
    desk = replace(site.registry.desk, passwords=Passwords(hasher))
    unknown, swept = site.share(), site.share(needs_opening=True)
    links = [Link(code="A" * 22), Link(site.token(swept)), Link("no token")]
    for link in links:
        outcome = await desk.open(link, password="wrong horse", origin=VISITOR)
        assert isinstance(outcome, Refused)
        assert outcome.reason in {LinkReason.INVALID, LinkReason.REVOKED}
    opened = await desk.open(Link(site.token(unknown)), password="x", origin=VISITOR)
    assert isinstance(opened, Opened)
    locked = await site.kept(password=PASSWORD)
    for _ in range(5):
        await open_(site, locked, "wrong horse")
    for password in ("wrong horse", PASSWORD):
        outcome = await desk.open(
            Link(site.token(locked)), password=password, origin=VISITOR
        )
        assert isinstance(outcome, Refused)
        assert outcome.reason is LinkReason.LOCKED
    assert hasher.compared == []


async def test_each_status_has_its_reason_and_its_moment(site: Site) -> None:
    now = site.clock.now
    later = await site.kept(not_before=now + timedelta(hours=1))
    brief = await site.kept(expires_at=now + timedelta(hours=1))
    gone = await site.kept()
    await site.revoke(gone)
    not_yet = Refused(LinkReason.NOT_YET_VALID, later.id, later.not_before)
    assert await look(site, later) == not_yet
    assert await look(site, gone) == Refused(LinkReason.REVOKED, gone.id)
    assert await open_(site, gone) == Refused(LinkReason.REVOKED, gone.id)
    site.clock.move(3600)
    assert await look(site, brief) == Refused(
        LinkReason.EXPIRED, brief.id, brief.expires_at
    )


async def test_a_share_whose_end_was_put_off_opens_by_its_old_token(site: Site) -> None:
    share = await site.kept()
    await site.registry.store.shares.change(
        share.id,
        Changes(expires_at=site.clock.now + 3 * DAY),
        now=site.clock.now,
        origin=Origin("somebody"),
    )
    site.clock.move(2 * 86_400)
    assert isinstance(await look(site, share), Ready)


async def test_a_share_from_before_the_registry_is_taken_in_when_it_is_opened(
    site: Site,
) -> None:
    share = site.share()
    assert isinstance(await look(site, share), Ready)
    with pytest.raises(ShareNotFoundError):
        await site.registry.store.shares.get(share.id)
    assert isinstance(await open_(site, share), Opened)
    stored = await site.registry.store.shares.get(share.id)
    assert (stored.creator, stored.opened) == ("before-registry", 1)


async def test_two_who_take_it_in_at_once_do_no_harm(site: Site) -> None:
    share = site.share()
    outcomes = await asyncio.gather(open_(site, share), open_(site, share))
    assert all(isinstance(outcome, Opened) for outcome in outcomes)
    assert await opened(site, share) == 2


async def test_a_view_that_was_opened_by_button_is_not_counted_again(
    site: Site,
) -> None:
    share = await site.kept()
    first = await open_(site, share)
    ready = await look(site, share)
    assert isinstance(first, Opened)
    assert isinstance(ready, Ready)
    for token in (first.view, ready.view, ready.view):
        view = site.codec.read(token or "")
        site.registry.watch.note(view, Granted(60))
    await site.registry.write_down()
    assert await opened(site, share) == 2


async def test_a_guarded_share_that_is_not_kept_opens_nothing(site: Site) -> None:
    share = site.share(needs_opening=True)
    assert await look(site, share) == Refused(LinkReason.REVOKED, share.id)
    assert await open_(site, share) == Refused(LinkReason.REVOKED, share.id)


@pytest.mark.parametrize(
    "kind", [ShareType.VIEWER_INSTANT_LINK, ShareType.MEDDREAM_PUBLICATION]
)
async def test_what_ends_at_no_page_of_this_site_is_not_opened(
    site: Site, kind: ShareType
) -> None:
    share = await site.kept(type=kind)
    assert await look(site, share) == Refused(LinkReason.NOT_ALLOWED, share.id)


async def test_a_refusal_is_written_down_for_who_reads_it(site: Site) -> None:
    share, desk = await site.kept(), site.registry.desk
    link = Link(site.token(share))
    await site.revoke(share)
    refused = Refused(LinkReason.REVOKED, share.id)
    assert await desk.look(link) == refused
    assert EventKind.DENIED not in await kinds(site, share)
    for _ in range(3):
        assert await desk.look(link, origin=VISITOR) == refused
    assert (await kinds(site, share)).count(EventKind.DENIED) == 1
    assert (await site.registry.store.shares.get(share.id)).denied == 3


async def test_a_refusal_is_told_where_it_cannot_be_written_down(site: Site) -> None:
    share = await site.kept()
    await site.revoke(share)
    asked = 0

    def store() -> Store:
        nonlocal asked
        asked += 1
        if asked > 1:
            raise StoreUnavailableError
        return site.registry.store

    desk = replace(site.registry.desk, store=store)
    refused = await desk.look(Link(site.token(share)), origin=VISITOR)
    assert (refused, asked) == (Refused(LinkReason.REVOKED, share.id), 2)


async def test_a_share_revoked_between_look_and_open_stays_shut(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = await site.kept()
    open_once = Openings.open_once

    async def revoked_first(*arguments: object, **named: object) -> object:
        await site.revoke(share)
        return await open_once(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Openings, "open_once", revoked_first)
    assert await open_(site, share) == Refused(LinkReason.REVOKED, share.id)


async def test_a_share_swept_between_look_and_open_has_expired(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = await site.kept()

    async def swept(*_arguments: object, **_named: object) -> None:
        raise ShareNotFoundError

    monkeypatch.setattr(Openings, "open_once", swept)
    assert await open_(site, share) == Refused(
        LinkReason.EXPIRED, share.id, share.expires_at
    )


async def test_an_anonymized_share_stays_sealed_in_its_view(site: Site) -> None:
    share = await site.kept(flavour=Flavour.ANONYMIZED)
    ready = await look(site, share)
    assert isinstance(ready, Ready)
    view = site.codec.read(ready.view or "")
    assert (view.id, view.flavour) == (share.id, Flavour.ANONYMIZED)
    assert view.resources == (STUDY,)
