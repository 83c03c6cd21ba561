"""`POST /tokens/decode`: what is in this token?

The plugin takes the resources for an authorization and ignores the error code
(protocol 0.5, trap 2): they are told only of tokens that are valid now, and never of
anonymized shares, whose resources nobody may see.
"""

from typing import Any

import msgspec
from starlette.types import Scope

from orthanc_share.domain.clock import Clock
from orthanc_share.domain.errors import (
    ExpiredTokenError,
    NotYetValidTokenError,
    ShareError,
    TokenError,
    UpstreamError,
)
from orthanc_share.domain.resource import Level, Resource
from orthanc_share.domain.share import Flavour, Share
from orthanc_share.upstream.meddream import MedDreamBroker
from orthanc_share.web.sharing import Sharing
from token_service.questions import UnreadableQuestionError, read_object, token

_INVALID: dict[str, Any] = {
    "token-type": None,
    "error-code": "invalid",
    "redirect-url": None,
    "resources": [],
}


class TokenContents:
    """Tells what is in a token.

    Args:
        sharing: Keys and links.
        broker: Asks MedDream for tokens; None: MedDream is not set up.
        clock: The present instant.
    """

    def __init__(
        self, sharing: Sharing, broker: MedDreamBroker | None, clock: Clock
    ) -> None:
        self._sharing = sharing
        self._broker = broker
        self._clock = clock

    async def __call__(self, _scope: Scope, body: bytes) -> bytes:
        """Return the JSON answer to the question in `body`."""
        try:
            value = token(read_object(body))
        except UnreadableQuestionError:
            return msgspec.json.encode(_INVALID)
        return msgspec.json.encode(await self._content(value))

    async def _content(self, value: str) -> dict[str, Any]:
        try:
            share = self._sharing.codec.verify(value, self._clock())
        except ExpiredTokenError as error:
            return _INVALID | {"token-type": error.share_type, "error-code": "expired"}
        except NotYetValidTokenError as error:
            # The browser knows only three codes (protocol E.2).
            return _INVALID | {"token-type": error.share_type}
        except TokenError:
            return _INVALID
        if share.flavour not in self._sharing.policy.servers:
            return _INVALID  # validate refuses it on every server of this site
        redirect, error_code = await self._redirect(share, value)
        return {
            "token-type": share.type,
            "error-code": error_code,
            "redirect-url": redirect,
            "resources": _resources(share),
        }

    async def _redirect(
        self, share: Share, value: str
    ) -> tuple[str | None, str | None]:
        try:
            self._sharing.links.check(share)
            if share.type.is_meddream:
                if self._broker is None:
                    return None, "unknown"
                value = await self._broker.token_for(share.id, share.dicom_uids)
            return self._sharing.links.viewer_url(share, value), None
        except (ShareError, UpstreamError):
            # The viewer is not set up any more, or MedDream is down.
            return None, "unknown"


def _resources(share: Share) -> list[dict[str, str | None]]:
    if share.flavour is Flavour.ANONYMIZED:
        return []
    return [
        {
            "dicom-uid": _uid(resource),
            "orthanc-id": resource.orthanc_id,
            "url": None,
            "level": resource.level,
        }
        for resource in share.resources
    ]


def _uid(resource: Resource) -> str | None:
    # The plugin searches for studies by what it is told here. A PatientID may be "*",
    # which would be every study.
    return None if resource.level is Level.PATIENT else resource.dicom_uid
