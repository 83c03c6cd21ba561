"""What a token holds, for people who run a service."""

from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from orthanc_share.config.settings import SharingSettings
from orthanc_share.domain.clock import Clock, utc_now
from orthanc_share.domain.errors import (
    ExpiredTokenError,
    InvalidTokenError,
    NotYetValidTokenError,
)
from orthanc_share.domain.share import Share
from orthanc_share.web.sharing import build_sharing


def inspect(
    text: str, settings: SharingSettings, clock: Clock = utc_now
) -> dict[str, Any]:
    """Return the content of a token, or of the token in a link.

    Args:
        text: The token or the link.
        settings: Where the keys are.
        clock: The present instant.

    Raises:
        InvalidTokenError: Not readable, or not signed by a key of the settings.
        ConfigurationError: A key is missing, weak or unreadable.
    """
    share = build_sharing(settings).codec.read(token_in(text))
    return {
        "share": share.id,
        "type": share.type,
        "flavour": share.flavour,
        "status": _status(share, clock),
        "issued-at": _text(share.issued_at),
        "not-before": _text(share.not_before),
        "expires-at": _text(share.expires_at),
        "resources": [
            {
                "level": resource.level,
                "dicom-uid": resource.dicom_uid,
                "orthanc-id": resource.orthanc_id,
            }
            for resource in share.resources
        ],
    }


def token_in(text: str) -> str:
    """Return the token in a link; a text that is no link is the token itself.

    Raises:
        InvalidTokenError: The link cannot be read.
    """
    if "://" not in text:
        return text
    try:
        query = urlsplit(text).query
    except ValueError as error:
        raise InvalidTokenError("The link is not readable.") from error
    return parse_qs(query).get("token", [""])[0]


def _status(share: Share, clock: Clock) -> str:
    try:
        share.check_time(clock())
    except ExpiredTokenError:
        return "expired"
    except NotYetValidTokenError:
        return "not yet valid"
    return "valid"


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()
