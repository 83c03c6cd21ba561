"""The counter where links are opened, next to the store."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from orthanc_share.domain.clock import Clock
from orthanc_share.domain.errors import InvalidTokenError, ShareError, TokenError
from orthanc_share.domain.share import Share, new_share_id
from orthanc_share.domain.viewer import ViewerLinks
from orthanc_share.registry.links import (
    REASONS,
    Link,
    LinkReason,
    Opened,
    Opening,
    Ready,
    Refused,
)
from orthanc_share.registry.passwords import Passwords
from orthanc_share.store.errors import ShareNotFoundError, StoreUnavailableError
from orthanc_share.store.records import (
    Event,
    EventKind,
    NotOpened,
    Origin,
    ShareStatus,
    StoredShare,
    View,
)
from orthanc_share.store.second_factor import Locked
from orthanc_share.store.shares import BEFORE_REGISTRY
from orthanc_share.store.store import Store
from orthanc_share.tokens.codec import ShareCodec

UNKNOWN_ADDRESS = "unknown"
"""Stands for visitors whose address is not known; they share their tries."""


@dataclass(frozen=True, slots=True)
class StoreDesk:
    """Opens links; the `Desk` of a service that has the store.

    Args:
        store: Gives the store; raises `StoreUnavailableError` while there is none.
        codec: Reads links and makes viewer tokens.
        links: Knows what the site can open.
        passwords: Compares second factors.
        clock: The present instant.
        duration: How long a viewer token lives.
    """

    store: Callable[[], Store]
    codec: ShareCodec
    links: ViewerLinks
    passwords: Passwords
    clock: Clock
    duration: timedelta

    async def look(
        self,
        link: Link,
        *,
        view: str | None = None,
        opening: Opening | None = None,
        origin: Origin | None = None,
    ) -> Ready | Refused:
        """Tell what a link is good for, see `Desk.look`."""
        now = self.clock()
        looked = await self._look(link, view, opening, now)
        if isinstance(looked, Refused) and looked.share_id and origin is not None:
            # Who is refused shall read why, also where that cannot be written down.
            with suppress(StoreUnavailableError):
                await self._note(looked.share_id, looked.reason, now, origin)
        return looked

    async def _look(
        self, link: Link, view: str | None, opening: Opening | None, now: datetime
    ) -> Ready | Refused:
        found = await self._find(link, now)
        if isinstance(found, Refused):
            return found
        # Who opened the last of so many openings may still look at it.
        has_view = view is not None and self._is_view(view, found, now)
        refused = _refused(found, now)
        is_used_up = refused is not None and refused.reason is LinkReason.USED_UP
        if not (has_view and is_used_up):
            refused = await self._unless_repeated(refused, opening, now)
            if refused is not None:
                return refused
        if not has_view:
            view = None if _is_guarded(found) else self._new_view(found, now)
        return Ready(
            found.share.id,
            needs_password=found.password_hash is not None,
            left=found.openings_left,
            view=view,
        )

    async def open(
        self,
        link: Link,
        *,
        password: str | None,
        origin: Origin,
        opening: Opening | None = None,
    ) -> Opened | Refused:
        """Open a link, see `Desk.open`."""
        now = self.clock()
        found = await self._find(link, now)
        if isinstance(found, Refused):
            return found
        refused = await self._unless_repeated(_refused(found, now), opening, now)
        if refused is None:
            refused = await self._check_password(found, password or "", now, origin)
        if refused is None:
            return await self._open(found, now, origin, opening)
        await self._note(found.share.id, refused.reason, now, origin)
        return refused

    async def _find(self, link: Link, now: datetime) -> StoredShare | Refused:
        try:
            found = await self._look_up(link, now)
        except (InvalidTokenError, ShareNotFoundError):
            return Refused(LinkReason.INVALID)
        if isinstance(found, Refused):
            return found
        try:
            self.links.check(found.share)
        except ShareError:
            return Refused(LinkReason.NOT_ALLOWED, found.share.id)
        if not found.share.type.is_publication:
            return Refused(LinkReason.NOT_ALLOWED, found.share.id)
        return found

    async def _look_up(self, link: Link, now: datetime) -> StoredShare | Refused:
        if link.code is not None:
            return await self.store().codes.resolve(link.code)
        share = self.codec.read(link.token or "")
        if share.view_id is not None:
            # Else a viewer token would live for ever, from one to the next.
            return Refused(LinkReason.NOT_ALLOWED, share.id)
        try:
            return await self.store().shares.get(share.id)
        except ShareNotFoundError:
            if share.needs_opening:
                # Nobody knows any more its password, nor how often it was opened.
                return Refused(LinkReason.REVOKED, share.id)
            return _before_registry(share, now)

    def _is_view(self, view: str, found: StoredShare, now: datetime) -> bool:
        try:
            share = self.codec.verify(view, now)
        except TokenError:
            return False
        return share.view_id is not None and share.id == found.share.id

    def _new_view(self, found: StoredShare, now: datetime) -> str:
        """Return a viewer token."""
        return self.codec.sign_view(found.share, new_share_id(), now, self.duration)

    async def _unless_repeated(
        self, refused: Refused | None, opening: Opening | None, now: datetime
    ) -> Refused | None:
        """Return why a link does not open, unless its last opening was this one."""
        if refused is None or refused.reason is not LinkReason.USED_UP:
            return refused
        share_id = refused.share_id
        if opening is None or share_id is None:
            return refused
        is_known = await self.store().openings.is_counted(
            View(opening.id, share_id, now), self._again(opening)
        )
        return None if is_known else refused

    def _again(self, opening: Opening) -> timedelta:
        """Return how long an opening may be asked for: while its view lives."""
        return min(opening.grace, self.duration)

    async def _check_password(
        self, found: StoredShare, password: str, now: datetime, origin: Origin
    ) -> Refused | None:
        if found.password_hash is None:
            return None
        share_id, address = found.share.id, origin.address or UNKNOWN_ADDRESS
        tries = self.store().second_factor
        outcome = await tries.begin(share_id, address, now=now)
        if isinstance(outcome, Locked):
            return Refused(LinkReason.LOCKED, share_id, outcome.until)
        if await self.passwords.matches(found.password_hash, password):
            await tries.passed(share_id, address)
            return None
        return Refused(LinkReason.WRONG_PASSWORD, share_id, tries_left=outcome.left)

    async def _open(
        self,
        found: StoredShare,
        now: datetime,
        origin: Origin,
        opening: Opening | None,
    ) -> Opened | Refused:
        share_id, store = found.share.id, self.store()
        opening = opening or Opening(new_share_id(), timedelta(0))
        if found.creator == BEFORE_REGISTRY:
            await store.shares.adopt(found.share, now=now, origin=origin)
        try:
            opened = await store.openings.open_once(
                share_id,
                now=now,
                origin=origin,
                view_id=opening.id,
                again=self._again(opening),
            )
        except ShareNotFoundError:
            # Swept a moment ago: only what is over is swept.
            return Refused(LinkReason.EXPIRED, share_id, found.share.expires_at)
        if isinstance(opened, NotOpened):
            # Revoked, or opened for the last time by somebody else, a moment ago.
            return Refused(REASONS[opened.status], share_id)
        # A clock that was put back must not make a view that starts later.
        begun, duration = min(opened.at, now), self.duration
        view = self.codec.sign_view(found.share, opening.id, begun, duration)
        return Opened(share_id, view)

    async def _note(
        self, share_id: str, reason: LinkReason, now: datetime, origin: Origin
    ) -> None:
        if reason is LinkReason.WRONG_PASSWORD:
            event = Event(EventKind.SECOND_FACTOR_FAILED, now, share_id, origin)
            await self.store().audit.record(event)
            return
        await self.store().openings.deny(share_id, reason, now=now, origin=origin)


def _refused(found: StoredShare, now: datetime) -> Refused | None:
    status = found.status(now)
    if status is ShareStatus.ACTIVE:
        return None
    moments = {
        ShareStatus.EXPIRED: found.share.expires_at,
        ShareStatus.NOT_YET: found.share.not_before,
    }
    return Refused(REASONS[status], found.share.id, moments.get(status))


def _is_guarded(found: StoredShare) -> bool:
    return found.max_openings is not None or found.password_hash is not None


def _before_registry(share: Share, now: datetime) -> StoredShare:
    return StoredShare(
        share=share,
        creator=BEFORE_REGISTRY,
        created_at=share.issued_at or now,
        label=None,
        title=None,
        max_openings=None,
        password_hash=None,
        notify=None,
        revocation=None,
        opened=0,
        denied=0,
        granted=0,
        last_opened_at=None,
    )
