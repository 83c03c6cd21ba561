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
from orthanc_share.registry.register import Register
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
        register: Knows what was revoked; None: the site keeps no registry.
    """

    def __init__(
        self,
        sharing: Sharing,
        broker: MedDreamBroker | None,
        clock: Clock,
        register: Register | None = None,
    ) -> None:
        self._sharing = sharing
        self._broker = broker
        self._clock = clock
        self._register = register

    async def __call__(self, _scope: Scope, body: bytes) -> bytes:
        """Return the JSON answer to the question in `body`."""
        try:
            value = token(read_object(body))
        except UnreadableQuestionError:
            return msgspec.json.encode(_INVALID)
        return msgspec.json.encode(await self._content(value))

    async def _content(self, value: str) -> dict[str, Any]:
        try:
            share = self._current(value)
            share.check_time(self._clock())
        except ExpiredTokenError as error:
            return _INVALID | {"token-type": error.share_type, "error-code": "expired"}
        except NotYetValidTokenError as error:
            # The browser knows only three codes (protocol E.2).
            return _INVALID | {"token-type": error.share_type}
        except TokenError:
            return _INVALID
        if not self._is_open(share):
            return _INVALID
        redirect, error_code = await self._redirect(share, value)
        return {
            "token-type": share.type,
            "error-code": error_code,
            "redirect-url": redirect,
            "resources": _resources(share),
        }

    def _current(self, value: str) -> Share:
        share = self._sharing.codec.read(value)
        known = share if self._register is None else self._register.current(share)
        if isinstance(known, Share):
            return known
        # Of the three codes (protocol E.2) this one says: ask for a new link.
        raise ExpiredTokenError(share.type, self._clock())

    def _is_open(self, share: Share) -> bool:
        """Tell whether validate would grant anything to a token of `share`."""
        is_for_landing = share.needs_opening and share.view_id is None
        is_served = share.flavour in self._sharing.policy.servers
        return is_served and not is_for_landing

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
