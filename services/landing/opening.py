"""The decision about a link: where it leads, or which page explains why not.

Nothing of the request becomes part of the address: it is built from settings and from
the ids in the verified token.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl

from landing import kinds
from landing.kinds import PageKind
from orthanc_share.domain.clock import Clock
from orthanc_share.domain.errors import (
    ExpiredTokenError,
    InvalidTokenError,
    NotYetValidTokenError,
    ShareError,
    UpstreamError,
)
from orthanc_share.domain.share import Share
from orthanc_share.registry.links import Desk
from orthanc_share.upstream.meddream import MedDreamBroker
from orthanc_share.web.sharing import Sharing

ARGUMENTS_MAX: Final = 20
"""Most arguments of a query; mail programs and trackers add some of their own."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a link was not opened.

    Args:
        kind: The page that says so.
        token: What links of that page may repeat: the token if we have signed it,
            else an empty one, which leads to the same page, or None for none.
        moment: The instant that the page names.
        error: What was wrong, for the log.
        share_id: The share, for the log.
    """

    kind: PageKind
    token: str | None = field(default="", repr=False)
    moment: datetime | None = None
    error: Exception | None = None
    share_id: str | None = None


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


class LinkOpener:
    """Decides what becomes of a link.

    Args:
        sharing: Reads tokens and builds links.
        clock: The present instant.
        broker: Gets tokens for MedDream's viewer; None: the site has none.
        desk: Opens links; None: the site keeps no registry.
    """

    def __init__(
        self,
        sharing: Sharing,
        clock: Clock,
        broker: MedDreamBroker | None = None,
        desk: Desk | None = None,
    ) -> None:
        self._sharing = sharing
        self._clock = clock
        self._broker = broker
        self._desk = desk

    async def open(self, query: bytes) -> str | Refusal:
        """Return the address of the viewer, or why there is none."""
        try:
            token = only_token(query)
            if token is None:
                return Refusal(kinds.MISSING, token=None)
            share = self._sharing.codec.read(token)
        except InvalidTokenError as error:
            return Refusal(kinds.INVALID, error=error)
        return await self._open_share(share, token)

    async def _open_share(self, share: Share, token: str) -> str | Refusal:
        try:
            share.check_time(self._clock())
            self._sharing.links.check(share)
            viewer_token = await self._viewer_token(share, token)
            url = self._sharing.links.viewer_url(share, viewer_token)
        except ExpiredTokenError as error:
            return Refusal(kinds.EXPIRED, token, error.expired_at, error, share.id)
        except NotYetValidTokenError as error:
            return Refusal(
                kinds.NOT_YET_VALID, token, error.not_before, error, share.id
            )
        except ShareError as error:
            return Refusal(kinds.NOT_ALLOWED, token, None, error, share.id)
        except UpstreamError as error:
            return Refusal(kinds.UNAVAILABLE, token, None, error, share.id)
        if url is None:
            # Viewer and download links have no address: OE2 adds their token itself.
            return Refusal(kinds.NOT_ALLOWED, token, None, None, share.id)
        return url

    async def _viewer_token(self, share: Share, token: str) -> str:
        """Return the token for the viewer: ours, or MedDream's for its own viewer."""
        if share.type.is_meddream and self._broker is not None:
            return await self._broker.token_for(share.id, share.dicom_uids)
        return token
