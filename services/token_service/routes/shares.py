"""`PUT /shares`, `PUT /shares/{type}` and `PUT /tokens/{type}`: make a share."""

import logging
from typing import Any

import msgspec
from starlette.types import Scope

from orthanc_share.domain.clock import Clock
from orthanc_share.domain.errors import (
    InvalidLifetimeError,
    InvalidResourceError,
    ShareTypeDisabledError,
    ShareTypeMismatchError,
    UnknownShareTypeError,
)
from orthanc_share.domain.lifetime import LifetimePolicy
from orthanc_share.domain.resource import Level
from orthanc_share.domain.share import Share, ShareType, new_share_id
from orthanc_share.upstream.meddream import MedDreamBroker
from orthanc_share.web.metrics import Metrics
from orthanc_share.web.plain import CALLER
from orthanc_share.web.sharing import Sharing
from token_service.keeping import Keeper
from token_service.reading import read_body_as
from token_service.schemas import ShareRequest, echo

LINK_LENGTH_MAX = 15_000
"""Longest link to a viewer, in characters.

nginx and Orthanc refuse request lines and headers beyond 16 KB (protocol G.3).
"""

_log = logging.getLogger(__name__)


class ShareMaker:
    """Makes shares.

    Args:
        sharing: Keys and links.
        lifetimes: The rule for the expiry.
        broker: Asks MedDream for tokens; None: MedDream is not set up.
        clock: The present instant.
        metrics: Counts shares.
        keeper: Keeps what is made.
        allow_patients: Whether a resource may be a whole patient.
    """

    def __init__(
        self,
        sharing: Sharing,
        lifetimes: LifetimePolicy,
        broker: MedDreamBroker | None,
        clock: Clock,
        metrics: Metrics,
        *,
        keeper: Keeper,
        allow_patients: bool,
    ) -> None:
        self._sharing = sharing
        self._lifetimes = lifetimes
        self._broker = broker
        self._clock = clock
        self._metrics = metrics
        self._keeper = keeper
        self._allow_patients = allow_patients

    async def __call__(self, scope: Scope, body: bytes) -> bytes:
        """Return the JSON answer for the share asked for in `body`."""
        request = read_body_as(ShareRequest, body)
        share = self._share(request, _type_in_path(scope["path"]))
        self._keeper.check(request, share)
        token = await self._token(share)
        answer = self._answer(request, share, token)
        short = await self._keeper.keep(request, share, scope)
        if short is not None:
            answer["url"] = short
        self._note(share, scope[CALLER])
        return msgspec.json.encode(answer)

    def _share(self, request: ShareRequest, path_type: str | None) -> Share:
        now = self._clock()
        start = request.not_before or now
        end = self._lifetimes.expiry(
            now, request.expiration_date, request.validity_duration
        )
        if end is not None and end <= start:
            raise InvalidLifetimeError("The share would end before it starts.")
        share = Share(
            id=new_share_id(),
            type=_share_type(request.type, path_type),
            flavour=request.flavour,
            resources=request.to_resources(),
            issued_at=now,
            not_before=start,
            expires_at=end,
            needs_opening=request.is_limited,
        )
        levels = {resource.level for resource in share.resources}
        if Level.PATIENT in levels and not self._allow_patients:
            raise InvalidResourceError("This site does not share whole patients.")
        self._sharing.links.check(share)
        return share

    async def _token(self, share: Share) -> str:
        if share.type is not ShareType.MEDDREAM_INSTANT_LINK:
            return self._sharing.codec.sign(share)
        if self._broker is None:
            raise ShareTypeDisabledError("MedDream is not set up.")
        return await self._broker.issue(share.dicom_uids)

    def _answer(
        self, request: ShareRequest, share: Share, token: str
    ) -> dict[str, Any]:
        opened = self._sharing.links.viewer_url(share, token) or token
        if len(opened) > LINK_LENGTH_MAX:
            raise InvalidResourceError("Too many studies for one link: make several.")
        link = self._sharing.links.link(share, token)
        return {
            "request": echo(request, share),
            "token": token,
            "url": link,
            "share-id": share.id,
        }

    def _note(self, share: Share, caller: str) -> None:
        self._metrics.shares.labels(share.type, share.flavour).inc()
        _log.info(
            "share created",
            extra={
                "share": share.id,
                "type": share.type,
                "flavour": share.flavour,
                "resources": len(share.resources),
                "expires": share.expires_at and share.expires_at.isoformat(),
                "caller": caller,
            },
        )


def _type_in_path(path: str) -> str | None:
    _, _, below = path.removeprefix("/").partition("/")
    return below or None


def _share_type(in_body: ShareType | None, in_path: str | None) -> ShareType:
    if in_path is None and in_body is not None:
        return in_body
    if in_path is None:
        raise UnknownShareTypeError("The type of the share is missing.")
    try:
        named = ShareType(in_path)
    except ValueError:
        raise UnknownShareTypeError("There is no share of this type.") from None
    if in_body is not None and in_body is not named:
        raise ShareTypeMismatchError("The path and the body name different types.")
    return named
