"""The decision about a link: where it leads, or which page explains why not.

Nothing of the request becomes part of the address: it is built from settings and from
the ids in the verified token.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl

from landing import kinds
from landing.page_kind import PageKind
from orthanc_share.domain.clock import Clock
from orthanc_share.domain.errors import (
    ExpiredTokenError,
    InvalidTokenError,
    NotYetValidTokenError,
    ShareError,
    UpstreamError,
)
from orthanc_share.domain.share import Share
from orthanc_share.upstream.meddream import MedDreamBroker
from orthanc_share.web.sharing import Sharing

ARGUMENTS_MAX: Final = 20
"""Most arguments of a query; mail programs and trackers add some of their own."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a link was not opened, or what is asked first.

    Args:
        kind: The page that says so.
        token: What links of that page may repeat: the token if we have signed it,
            else an empty one, which leads to the same page, or None for none.
        moment: The instant that the page names.
        error: What was wrong, for the log.
        share_id: The share, for the log.
        count: The number that the page names.
        nonce: What the form of the page sends back.
        cookies: Values of `Set-Cookie`.
    """

    kind: PageKind
    token: str | None = field(default="", repr=False)
    moment: datetime | None = None
    error: Exception | None = None
    share_id: str | None = None
    count: int | None = None
    nonce: str | None = field(default=None, repr=False)
    cookies: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Redirect:
    """The link leads to a viewer.

    Args:
        url: Its address.
        cookies: Values of `Set-Cookie`.
    """

    url: str = field(repr=False)
    cookies: tuple[str, ...] = field(default=(), repr=False)


def only_token(query: bytes) -> str | None:
    """Return the token in a query, None if there is none.

    Raises:
        InvalidTokenError: More than one, and nobody can tell which is meant; or more
            arguments than anybody needs.
    """
    if not query:
        return None
    try:
        pairs = parse_qsl(
            query.decode("latin-1"),
            keep_blank_values=True,
            max_num_fields=ARGUMENTS_MAX,
        )
    except ValueError:
        raise InvalidTokenError("The query has too many arguments.") from None
    tokens = [value for name, value in pairs if name == "token"]
    if len(tokens) > 1:
        raise InvalidTokenError("The query has more than one token.")
    return tokens[0] if tokens else None


class Destinations:
    """Knows where a share is looked at.

    Args:
        sharing: Builds links.
        broker: Gets tokens for MedDream's viewer; None: the site has none.
    """

    def __init__(self, sharing: Sharing, broker: MedDreamBroker | None = None) -> None:
        self._links = sharing.links
        self._broker = broker

    async def of(self, share: Share, token: str, link: str | None) -> str | Refusal:
        """Return the address of the viewer, or why there is none.

        Args:
            share: A share that is valid now.
            token: The token that the viewer gets, unless it is MedDream.
            link: The token of the link, which the page may repeat.
        """
        refusal = Refusal(kinds.NOT_ALLOWED, link, share_id=share.id)
        try:
            self._links.check(share)
            if share.type.is_meddream and self._broker is not None:
                token = await self._broker.token_for(share.id, share.dicom_uids)
            # Viewer and download links have no address: OE2 adds their token itself.
            return self._links.viewer_url(share, token) or refusal
        except ShareError as error:
            return replace(refusal, error=error)
        except UpstreamError as error:
            return replace(refusal, kind=kinds.UNAVAILABLE, error=error)


class LinkOpener:
    """Decides what becomes of a link where there is no registry.

    Args:
        sharing: Reads tokens.
        clock: The present instant.
        destinations: Knows where shares are looked at.
    """

    def __init__(
        self, sharing: Sharing, clock: Clock, destinations: Destinations
    ) -> None:
        self._codec = sharing.codec
        self._clock = clock
        self._destinations = destinations

    async def open(self, query: bytes) -> str | Refusal:
        """Return the address of the viewer, or why there is none."""
        try:
            token = only_token(query)
            if token is None:
                return Refusal(kinds.MISSING, token=None)
            share = self._codec.read(token)
        except InvalidTokenError as error:
            return Refusal(kinds.INVALID, error=error)
        try:
            share.check_time(self._clock())
        except ExpiredTokenError as error:
            return Refusal(kinds.EXPIRED, token, error.expired_at, error, share.id)
        except NotYetValidTokenError as error:
            moment = error.not_before
            return Refusal(kinds.NOT_YET_VALID, token, moment, error, share.id)
        if share.needs_opening or share.view_id is not None:
            # Made where there is a registry: nobody here can ask or count.
            return Refusal(kinds.NOT_ALLOWED, token, share_id=share.id)
        return await self._destinations.of(share, token, token)
