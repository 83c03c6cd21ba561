"""`/manage/`: the list."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response

from orthanc_share.store.census import COUNTED_MAX
from orthanc_share.store.records import ShareStatus
from orthanc_share.store.selection import Order, ShareFilter
from token_service.manage.context import Context
from token_service.manage.sessions import Session
from token_service.manage.visit import Visit
from token_service.manage.words import STATUSES, translatable

PAGE: Final = 25
"""Shares of a page."""

ALL: Final = translatable("All")


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What is asked of the list; what is not understood does not narrow.

    Args:
        text: Words to find.
        status: Of the shares.
        creator: Who made them.
        study: What they open.
        sort: By what.
        order: `desc` or `asc`.
        cursor: Of the page before.
    """

    text: str = ""
    status: str = ""
    creator: str = ""
    study: str = ""
    sort: str = Order.CREATED
    order: str = "desc"
    cursor: str = ""

    @classmethod
    def of(cls, visit: Visit) -> "ListQuery":
        """Return what a request asks."""
        names = ("text", "status", "creator", "study", "cursor")
        given = {name: visit.query.get(name, "").strip() for name in names}
        if given["status"] not in STATUSES:
            given["status"] = ""
        sort, order = visit.query.get("sort", ""), visit.query.get("order", "")
        return cls(
            **given,
            sort=sort if sort in set(Order) else Order.CREATED,
            order=order if order in {"asc", "desc"} else "desc",
        )

    @property
    def is_narrowed(self) -> bool:
        """Whether not all shares are meant."""
        return bool(self.text or self.status or self.creator or self.study)

    @property
    def wanted(self) -> ShareFilter:
        """What the store is asked for."""
        return ShareFilter(
            ShareStatus(self.status) if self.status else None,
            self.creator or None,
            self.study or None,
            self.text or None,
        )

    def href(self, **changes: str) -> str:
        """Return the address of the same list with these changes."""
        usual = asdict(ListQuery())
        given = asdict(replace(self, **changes)).items()
        query = urlencode([(k, v) for k, v in given if v and v != usual[k]])
        return f"?{query}" if query else "./"


@dataclass(frozen=True, slots=True)
class Tab:
    """A way to the shares of one status.

    Args:
        text: What it says.
        href: Where it leads.
        is_current: Whether that is here.
        count: How many there are, as text; None: it is not counted.
    """

    text: str
    href: str
    is_current: bool
    count: str | None


class Listing:
    """Shows the list.

    Args:
        context: The parts.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    async def show(self, visit: Visit, session: Session) -> Response:
        """Answer a GET."""
        query, store = ListQuery.of(visit), self._context.store()
        now = self._context.clock()
        page = await store.list_shares(
            query.wanted,
            now=now,
            order=Order(query.sort),
            descending=query.order == "desc",
            limit=PAGE,
            cursor=query.cursor or None,
        )
        counts = await store.count_by_status(now=now)
        return self._context.pages.render(
            "list",
            visit,
            session,
            query=query,
            tabs=list(_tabs(query, counts)),
            shares=page.shares,
            now=now,
            is_narrowed=query.is_narrowed,
            first=query.href(cursor="") if query.cursor else None,
            next=query.href(cursor=page.cursor) if page.cursor else None,
        )


def _tabs(query: ListQuery, counts: dict[ShareStatus, int]) -> Iterator[Tab]:
    yield Tab(ALL, query.href(status="", cursor=""), not query.status, None)
    for status, text in STATUSES.items():
        href = query.href(status=status, cursor="")
        yield Tab(text, href, query.status == status, _shown(counts[status]))


def _shown(count: int) -> str:
    return f"{COUNTED_MAX}+" if count > COUNTED_MAX else str(count)
