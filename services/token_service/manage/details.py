"""`/manage/shares/{id}`: one share, and what happened to it."""

from dataclasses import dataclass
from typing import Final

from starlette.responses import Response

from orthanc_share.store.audit import EventFilter
from orthanc_share.store.records import StoredShare
from orthanc_share.upstream.notice_addresses import NoticeAddresses, host_of
from token_service.manage import chart
from token_service.manage.context import Context, can_link
from token_service.manage.sessions import Session
from token_service.manage.visit import Visit

EVENTS: Final = 10
"""Events of a page."""


@dataclass(frozen=True, slots=True)
class Told:
    """Who is told when a share is opened.

    Args:
        host: Of the address that the share names; None: it names none.
        is_allowed: Whether the site still sends notices to that address.
        site: Whether a receiver of the site is told besides.
    """

    host: str | None
    is_allowed: bool
    site: bool


class Details:
    """Shows a share.

    Args:
        context: The parts.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    async def show(self, visit: Visit, session: Session, share_id: str) -> Response:
        """Answer a GET."""
        store, now = self._context.store(), self._context.clock()
        kept = await store.shares.get(share_id)
        cursor = visit.query.get("cursor") or None
        page = await store.audit.page(
            EventFilter(share_id=share_id), limit=EVENTS, cursor=cursor
        )
        since = chart.first_day(now)
        history = await store.openings.history(share_id, since=since)
        bars = chart.bars(history, now)
        return self._context.pages.render(
            "share",
            visit,
            session,
            kept=kept,
            is_now=kept.status(now),
            can_link=await can_link(self._context, share_id),
            told=told(kept, self._context.notices),
            bars=bars,
            opened_days=[bar for bar in bars if bar.opened],
            events=page.events,
            first=f"{visit.root}shares/{share_id}" if cursor else None,
            next=f"?cursor={page.cursor}#events" if page.cursor else None,
        )


def told(kept: StoredShare, addresses: NoticeAddresses) -> Told:
    """Return who is told when `kept` is opened, on a site with these `addresses`."""
    own, site = kept.notify, addresses.site
    is_besides = site is not None and site != own
    if own is None:
        return Told(None, is_allowed=False, site=is_besides)
    return Told(host_of(own), is_allowed=addresses.allows(own), site=is_besides)
