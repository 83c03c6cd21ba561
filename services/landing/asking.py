"""Links where there is a registry: looked at, asked about, opened and counted.

Opening takes a POST: mail scanners and previews only read.
"""

import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import new as hmac
from typing import Final, TypeVar

from landing import kinds
from landing.opening import Destinations, Refusal
from orthanc_share.domain.clock import Clock
from orthanc_share.domain.errors import InvalidTokenError, UpstreamError
from orthanc_share.registry.links import (
    Desk,
    Link,
    LinkReason,
    Opened,
    Opening,
    Ready,
    Refused,
)
from orthanc_share.store.errors import StoreUnavailableError
from orthanc_share.store.records import Origin
from orthanc_share.tokens.codec import ShareCodec
from orthanc_share.upstream.single_flight import SingleFlight

DOUBLE_CLICK: Final = timedelta(seconds=5)
"""How long the same form that is sent again counts as the same click."""

CLICKS_MAX: Final = 256
"""Forms that are remembered for so long."""

LOST_ANSWER: Final = timedelta(minutes=1)
"""How long an opening may be asked for again where its answer was lost on the way."""

OPENING_BYTES: Final = 16
"""Bytes of an opening's id; 128 bits."""

_KINDS: Final = {
    LinkReason.INVALID: kinds.INVALID,
    LinkReason.NOT_ALLOWED: kinds.NOT_ALLOWED,
    LinkReason.EXPIRED: kinds.EXPIRED,
    LinkReason.NOT_YET_VALID: kinds.NOT_YET_VALID,
    LinkReason.REVOKED: kinds.REVOKED,
    LinkReason.USED_UP: kinds.USED_UP,
    LinkReason.WRONG_PASSWORD: kinds.WRONG_PASSWORD,
    LinkReason.LOCKED: kinds.LOCKED,
}

A = TypeVar("A", Ready | Refused, Opened | Refused)


@dataclass(frozen=True, slots=True)
class Form:
    """What a visitor sent to open a link.

    Args:
        nonce: Says which browser got the form.
        password: The second factor, if one was asked for.
    """

    nonce: str = field(repr=False)
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a link.

    Args:
        target: Address of the viewer, or why there is none.
        view: The viewer token if this browser shall keep it: the link was counted.
    """

    target: str | Refusal = field(repr=False)
    view: str | None = field(default=None, repr=False)


class LinkAsker:
    """Decides what becomes of a link, and asks where it must.

    Args:
        desk: Opens links.
        codec: Reads tokens.
        destinations: Knows where shares are looked at.
        clock: The present instant.
        grace: How long a browser may come back without being counted.
        asks_always: Whether every link shows a button first.
        monotonic: Clock, in seconds.
    """

    def __init__(
        self,
        desk: Desk,
        codec: ShareCodec,
        destinations: Destinations,
        clock: Clock,
        *,
        grace: timedelta,
        asks_always: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._desk = desk
        self._codec = codec
        self._destinations = destinations
        self._clock = clock
        self._grace = grace
        self._asks_always = asks_always
        self._clicks: SingleFlight[bytes, Opened | Refused] = SingleFlight(
            lifetime=DOUBLE_CLICK,
            failure_lifetime=timedelta(0),
            max_entries=CLICKS_MAX,
            monotonic=monotonic,
        )

    async def aclose(self) -> None:
        """Give up what is under way."""
        await self._clicks.aclose()

    def check(self, link: Link) -> Refusal | None:
        """Return why a link opens nothing, if that needs no question."""
        if link.token is None:
            return None
        try:
            share = self._codec.read(link.token)
        except InvalidTokenError as error:
            return Refusal(kinds.INVALID, error=error)
        if share.view_id is None:
            return None
        # Else a viewer token would live for ever, from one to the next.
        return Refusal(kinds.NOT_ALLOWED, link.token, share_id=share.id)

    async def look(
        self, link: Link, view: str | None, nonce: str | None, origin: Origin | None
    ) -> Outcome:
        """Tell where a link leads, or what is to be asked first.

        No opening is counted by that, a refusal is.

        Args:
            link: A link that `check` accepts.
            view: Viewer token that this browser kept.
            nonce: Of the form that this browser got; it may have been sent.
            origin: From where the visitor comes; None: nobody sees the answer.
        """
        kept = self._fresh(view)
        opening = None if nonce is None else self._opening(link, nonce)
        asking = self._desk.look(link, view=kept, opening=opening, origin=origin)
        found = await _asked(asking, link)
        if not isinstance(found, Ready):
            return Outcome(_page(found, link))
        is_back = kept is not None and found.view == kept
        if found.view is not None and (is_back or not self._asks_always):
            return Outcome(await self._target(found.view, link))
        kind = kinds.ASK_PASSWORD if found.needs_password else kinds.ASK
        # None is left where this browser may ask once more for the last one.
        left = found.left or None
        return Outcome(Refusal(kind, link.token, share_id=found.share_id, count=left))

    async def open(
        self, link: Link, form: Form, view: str | None, origin: Origin
    ) -> Outcome:
        """Open a link, and count it, unless this browser opened it a moment ago.

        Args:
            link: A link that `check` accepts.
            form: What the visitor sent.
            view: Viewer token that this browser kept.
            origin: From where the visitor comes.
        """
        kept = self._fresh(view)
        if kept is not None:
            # The form of another tab, which was there before the link was opened.
            found = await _asked(self._desk.look(link, view=kept), link)
            if isinstance(found, Ready) and found.view == kept:
                return Outcome(await self._target(kept, link))
        opened = await _asked(self._open(link, form, origin), link)
        if isinstance(opened, Opened):
            return Outcome(await self._target(opened.view, link), opened.view)
        return Outcome(_page(opened, link))

    async def _open(self, link: Link, form: Form, origin: Origin) -> Opened | Refused:
        """Open a link once, however often the button is pressed in a moment."""
        is_first = False

        async def ask() -> Opened | Refused:
            nonlocal is_first
            is_first = True
            return await self._desk.open(
                link,
                password=form.password,
                origin=origin,
                opening=self._opening(link, form.nonce),
            )

        opened = await self._clicks.get(_click(link, form), ask)
        if is_first or isinstance(opened, Refused):
            return opened
        # It may have been revoked in this moment.
        found = await self._desk.look(link, view=opened.view)
        return found if isinstance(found, Refused) else opened

    def _opening(self, link: Link, nonce: str) -> Opening:
        """Return which opening a form asks for: one per browser, link and grace.

        A browser's nonce is random, and no other browser knows it.
        """
        if self._grace < LOST_ANSWER:
            return Opening(secrets.token_hex(OPENING_BYTES), LOST_ANSWER)
        named = repr((link.token, link.code)).encode("utf-8", "backslashreplace")
        digest = hmac(nonce.encode(), named, sha256).digest()
        return Opening(digest[:OPENING_BYTES].hex(), self._grace)

    def _fresh(self, view: str | None) -> str | None:
        """Return the viewer token that a browser kept, if it is young enough."""
        try:
            share = self._codec.read(view or "")
        except InvalidTokenError:
            return None
        issued = share.issued_at
        is_fresh = issued is not None and self._clock() < issued + self._grace
        return view if is_fresh else None

    async def _target(self, view: str, link: Link) -> str | Refusal:
        share = self._codec.read(view)
        return await self._destinations.of(share, view, link.token)


async def _asked(answer: Awaitable[A], link: Link) -> A | Refusal:
    """Return the desk's answer, or the page for a desk that does not answer."""
    try:
        return await answer
    except (StoreUnavailableError, UpstreamError) as error:
        return Refusal(kinds.UNCHECKED, link.token, error=error)


def _click(link: Link, form: Form) -> bytes:
    """Return a key for what was sent; neither link nor password can be read in it."""
    sent = repr((link.token, link.code, form.nonce, form.password))
    return sha256(sent.encode("utf-8", "backslashreplace")).digest()


def _page(refused: Refused | Refusal, link: Link) -> Refusal:
    if isinstance(refused, Refusal):
        return refused
    kind, moment, count = _KINDS[refused.reason], refused.moment, refused.tries_left
    if kind is kinds.LOCKED and moment is not None:
        moment = _next_minute(moment)
    if kind is kinds.WRONG_PASSWORD:
        count = count or 0
    return Refusal(kind, link.token, moment, share_id=refused.share_id, count=count)


def _next_minute(moment: datetime) -> datetime:
    """Return the first whole minute that is not before: pages show no seconds."""
    return moment + timedelta(seconds=-moment.timestamp() % 60)
