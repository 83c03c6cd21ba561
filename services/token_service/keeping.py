"""What becomes of a new share: it is kept, and may get a short link."""

from typing import Protocol

from starlette.types import Scope

from orthanc_share.domain.clock import Clock
from orthanc_share.domain.errors import LimitNotEnforceableError, NoticeAddressError
from orthanc_share.domain.share import Share
from orthanc_share.domain.viewer import ViewerLinks
from orthanc_share.registry.registry import Registry
from orthanc_share.store.records import NewShare
from orthanc_share.upstream.notice_addresses import NoticeAddresses
from orthanc_share.web.plain import CALLER
from token_service.origins import Origins
from token_service.registry_settings import LinkStyle
from token_service.schemas import ShareRequest


class Keeper(Protocol):
    """Keeps new shares."""

    def check(self, request: ShareRequest, share: Share) -> None:
        """Return if what was asked for will hold.

        Raises:
            LimitNotEnforceableError: Nobody would ask for a password, or count.
            NoticeAddressError: Nobody would be told.
        """

    async def keep(
        self, request: ShareRequest, share: Share, scope: Scope
    ) -> str | None:
        """Keep a share before its link is given out; return its short link, if any.

        Raises:
            StoreUnavailableError: The database cannot be reached.
        """


class NoKeeper:
    """Keeps nothing: `REGISTRY=off`."""

    def check(self, request: ShareRequest, share: Share) -> None:  # noqa: ARG002 - as in `Keeper`
        """Refuse what would need a memory."""
        if request.is_limited:
            raise LimitNotEnforceableError("This site keeps no registry of shares.")
        if request.notify is not None:
            raise NoticeAddressError("This site sends no notices.")

    async def keep(self, request: ShareRequest, share: Share, scope: Scope) -> None:
        """Do nothing."""


class RegistryKeeper:
    """Keeps new shares in the registry.

    Args:
        registry: Where.
        links: Knows whether there is a landing page.
        style: What the link shall hold.
        clock: The present instant.
        origins: Tells who asks, and from where.
        addresses: Where notices may go.
    """

    def __init__(
        self,
        registry: Registry,
        links: ViewerLinks,
        style: LinkStyle,
        clock: Clock,
        origins: Origins,
        *,
        addresses: NoticeAddresses,
    ) -> None:
        self._registry = registry
        self._links = links
        self._style = style
        self._clock = clock
        self._origins = origins
        self._addresses = addresses

    def check(self, request: ShareRequest, share: Share) -> None:
        """Refuse a limit on a link that leads past the landing page."""
        if request.is_limited:
            self._links.check_guardable(share)
        if request.notify is not None:
            self._addresses.check(request.notify)

    async def keep(
        self, request: ShareRequest, share: Share, scope: Scope
    ) -> str | None:
        """Keep a share, with the hash of its password."""
        store, hashed = self._registry.store, None
        if request.password is not None:
            secret = request.password.get_secret_value()
            hashed = await self._registry.passwords.hash(secret)
        new = NewShare(
            share,
            scope[CALLER],
            label=request.id,
            title=request.title,
            max_openings=request.max_openings,
            password_hash=hashed,
            notify=request.notify,
        )
        is_short = self._style is LinkStyle.SHORT and share.type.is_publication
        code = await store.shares.create(
            new,
            now=self._clock(),
            origin=self._origins.of(scope),
            with_code=is_short,
        )
        return None if code is None else self._links.short_url(code)
