"""Shares changed after they were made, within the rules that held for their making."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from orthanc_share.domain.clock import Clock
from orthanc_share.domain.errors import InvalidLifetimeError
from orthanc_share.domain.lifetime import LifetimePolicy
from orthanc_share.domain.share import Share
from orthanc_share.domain.viewer import ViewerLinks
from orthanc_share.registry.passwords import Passwords
from orthanc_share.store.records import UNSET, Changes, Origin, StoredShare, Unset
from orthanc_share.store.store import Store


@dataclass(frozen=True, slots=True)
class End:
    """A new end of a share: one of both, or neither for never.

    Args:
        at: The instant.
        seconds: So long from now on; 0: never.
    """

    at: datetime | None = None
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class Wishes:
    """What shall change; what is not named stays.

    Args:
        title: Free text; None takes it away.
        end: The new end.
        max_openings: The new limit, at least 1; None: no limit.
        password: The new second factor; None: none is needed any more.
    """

    title: str | Unset | None = UNSET
    end: End | Unset = UNSET
    max_openings: int | Unset | None = UNSET
    password: str | Unset | None = field(default=UNSET, repr=False)

    @property
    def is_guarding(self) -> bool:
        """Whether a limit or a second factor is wanted."""
        return isinstance(self.max_openings, int) or isinstance(self.password, str)


@dataclass(frozen=True, slots=True)
class ShareChanger:
    """Changes shares of a store.

    Args:
        store: Gives the store; raises `StoreUnavailableError` while there is none.
        passwords: Makes hashes of second factors.
        links: Knows whether somebody would ask for a password, or count.
        lifetimes: The site's rule for the end of shares.
        clock: The present instant.
    """

    store: Callable[[], Store]
    passwords: Passwords
    links: ViewerLinks
    lifetimes: LifetimePolicy
    clock: Clock

    async def change(
        self, share_id: str, wishes: Wishes, origin: Origin
    ) -> StoredShare:
        """Change a share and return it as it is then.

        Raises:
            ShareNotFoundError: There is no such share.
            ShareRevokedError: It was taken back.
            InvalidLifetimeError: The end wanted cannot be.
            LimitNotEnforceableError: A limit or a password would not hold.
            StoreUnavailableError: The database cannot be reached.
        """
        now, shares = self.clock(), self.store().shares
        share = (await shares.get(share_id)).share
        if wishes.is_guarding:
            self.links.check_guardable(share)
        changes = Changes(
            title=wishes.title,
            expires_at=self._end(share, wishes.end, now),
            max_openings=wishes.max_openings,
            password_hash=await self._hash(wishes.password),
        )
        return await shares.change(share_id, changes, now=now, origin=origin)

    def _end(
        self, share: Share, end: End | Unset, now: datetime
    ) -> datetime | Unset | None:
        if isinstance(end, Unset):
            return UNSET
        ends = self.lifetimes.expiry(now, end.at, end.seconds)
        starts = share.not_before
        if ends is not None and starts is not None and ends <= starts:
            raise InvalidLifetimeError("The share would end before it starts.")
        return ends

    async def _hash(self, password: str | Unset | None) -> str | Unset | None:
        if not isinstance(password, str):
            return password
        return await self.passwords.hash(password)
