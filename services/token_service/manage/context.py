"""What all pages have in common: the parts of the service that they show."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from orthanc_share.config.values import Network
from orthanc_share.domain.clock import Clock
from orthanc_share.domain.errors import ShareError
from orthanc_share.domain.lifetime import LifetimePolicy
from orthanc_share.domain.share import ShareType
from orthanc_share.registry.fresh_links import FreshLinks
from orthanc_share.store.errors import ShareRevokedError
from orthanc_share.store.store import Store
from orthanc_share.upstream.notice_addresses import NoticeAddresses
from orthanc_share.web.authentication import Authenticator
from token_service.manage.calls import ShareCalls
from token_service.manage.pages import Pages
from token_service.manage.sessions import SessionKeeper


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What new shares may be.

    Args:
        types: Viewers that are set up for links.
        anonymized: Whether images can be shown de-identified.
        lifetimes: The site's rule for their end.
    """

    types: Sequence[ShareType]
    anonymized: bool
    lifetimes: LifetimePolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The parts.

    Args:
        pages: Renders.
        store: Gives the store; raises `StoreUnavailableError` while there is none.
        sessions: Knows who is logged in.
        authenticator: Knows the passwords.
        has_users: Whether there are any.
        calls: The API's own answers.
        fresh_links: Knows which shares can have one more link.
        offer: What new shares may be.
        notices: Where openings may be told.
        trusted: Proxies whose word about an address counts.
        clock: The present instant.
    """

    pages: Pages
    store: Callable[[], Store]
    sessions: SessionKeeper
    authenticator: Authenticator
    has_users: bool
    calls: ShareCalls
    fresh_links: FreshLinks
    offer: Offer
    notices: NoticeAddresses
    trusted: Sequence[Network]
    clock: Clock


async def can_link(context: Context, share_id: str) -> bool:
    """Tell whether a share can have one more link.

    Raises:
        ShareNotFoundError: There is no such share.
        StoreUnavailableError: The database cannot be reached.
    """
    try:
        await context.fresh_links.check(share_id)
    except (ShareError, ShareRevokedError):
        return False
    return True
