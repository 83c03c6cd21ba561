"""What services tell each other of links and shares: JSON, the same at both ends.

token-service, which has the store, answers; landing and anonymizer ask. Whoever has a
service of another age reads what it knows, and takes anything else for no answer.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from orthanc_share.domain.clock import to_utc
from orthanc_share.domain.errors import UpstreamError
from orthanc_share.registry.links import (
    Link,
    LinkReason,
    Opened,
    Opening,
    Ready,
    Refused,
)
from orthanc_share.registry.tallies import Counted
from orthanc_share.store.news import News, NewsPage
from orthanc_share.store.records import Origin

REPORT_MAX = 1000
"""Most shares, and most views, of one report; a body has room for them."""

T = TypeVar("T")


class _Message(msgspec.Struct, rename="kebab", tag_field="outcome"):
    """Base of what becomes of a link."""


class _Ready(_Message, tag="ready"):
    share_id: str
    needs_password: bool
    left: int | None = None
    view: str | None = None


class _Opened(_Message, tag="opened"):
    share_id: str
    view: str


class _Refused(_Message, tag="refused"):
    reason: LinkReason
    share_id: str | None = None
    moment: datetime | None = None
    tries_left: int | None = None


class _News(msgspec.Struct, rename="kebab"):
    share_id: str
    revoked: bool
    needs_landing: bool
    expires: datetime | None = None


class _NewsPage(msgspec.Struct, rename="kebab"):
    news: list[_News]
    cursor: int
    more: bool
    fresh_start: bool


def write_outcome(outcome: Ready | Opened | Refused) -> bytes:
    """Return the JSON of what became of a link."""
    return msgspec.json.encode(_message(outcome))


def _message(outcome: Ready | Opened | Refused) -> _Message:
    if isinstance(outcome, Refused):
        return _Refused(
            outcome.reason, outcome.share_id, outcome.moment, outcome.tries_left
        )
    if isinstance(outcome, Opened):
        return _Opened(outcome.share_id, outcome.view)
    return _Ready(outcome.share_id, outcome.needs_password, outcome.left, outcome.view)


def read_look(answer: bytes) -> Ready | Refused:
    """Return what a link is good for.

    Raises:
        UpstreamError: The answer is none.
    """
    message = _decoded(answer, _Ready | _Refused)
    if isinstance(message, _Refused):
        return _refused(message)
    return Ready(message.share_id, message.needs_password, message.left, message.view)


def read_open(answer: bytes) -> Opened | Refused:
    """Return what became of a link that was to be opened.

    Raises:
        UpstreamError: The answer is none.
    """
    message = _decoded(answer, _Opened | _Refused)
    if isinstance(message, _Refused):
        return _refused(message)
    return Opened(message.share_id, message.view)


def write_look(
    link: Link,
    view: str | None,
    opening: Opening | None,
    origin: Origin | None = None,
) -> bytes:
    """Return the JSON of the question what a link is good for."""
    visitor = {} if origin is None else _visitor(origin)
    asked = {**_named(link), **_meant(opening), "view": view, **visitor}
    return msgspec.json.encode(_given(asked))


def write_open(
    link: Link, password: str | None, origin: Origin, opening: Opening | None
) -> bytes:
    """Return the JSON of the wish to open a link."""
    asked = {**_named(link), **_meant(opening), "password": password}
    return msgspec.json.encode(_given({**asked, **_visitor(origin)}))


def _visitor(origin: Origin) -> Mapping[str, str | None]:
    return {"address": origin.address, "user-agent": origin.user_agent}


def write_news(page: NewsPage) -> bytes:
    """Return the JSON of some news."""
    news = [
        _News(one.share_id, one.is_revoked, one.needs_landing, one.expires_at)
        for one in page.news
    ]
    return msgspec.json.encode(
        _NewsPage(news, page.cursor, page.more, page.is_fresh_start)
    )


def read_news(answer: bytes) -> NewsPage:
    """Return some news.

    Raises:
        UpstreamError: The answer is none.
    """
    page = _decoded(answer, _NewsPage)
    news = tuple(
        News(one.share_id, one.revoked, _utc(one.expires), one.needs_landing)
        for one in page.news
    )
    return NewsPage(news, page.cursor, page.more, page.fresh_start)


def parts_of(counted: Counted) -> Iterator[Counted]:
    """Yield what was counted in parts that each fit into one report."""
    longest = max(len(counted.tallies), len(counted.views))
    for start in range(0, longest, REPORT_MAX):
        part = slice(start, start + REPORT_MAX)
        yield Counted(counted.tallies[part], counted.views[part])


def write_report(counted: Counted) -> bytes:
    """Return the JSON of what was counted."""
    tallies = [
        {
            "share-id": one.share_id,
            "granted": one.granted,
            "denied": one.denied,
            "reasons": one.reasons,
        }
        for one in counted.tallies
    ]
    views = [
        {"id": one.id, "share-id": one.share_id, "at": one.at} for one in counted.views
    ]
    return msgspec.json.encode({"tallies": tallies, "views": views})


def _named(link: Link) -> dict[str, str | None]:
    return {"token": link.token, "code": link.code}


def _meant(opening: Opening | None) -> dict[str, str | int | None]:
    if opening is None:
        return {}
    seconds = int(opening.grace.total_seconds())
    return {"opening": opening.id, "opening-grace": seconds}


def _given(members: Mapping[str, str | int | None]) -> dict[str, str | int]:
    return {name: value for name, value in members.items() if value is not None}


def _refused(message: _Refused) -> Refused:
    return Refused(
        message.reason, message.share_id, _utc(message.moment), message.tries_left
    )


def _utc(instant: datetime | None) -> datetime | None:
    return None if instant is None else to_utc(instant)


def _decoded(answer: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(answer, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # Not chained: the parser's text may show a part of a viewer token.
        raise UpstreamError("token-service gave an answer of another kind.") from None
