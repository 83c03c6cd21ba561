"""Sends notices to other servers, signed so that these know who sent them.

Headers and signature are those of Standard Webhooks 1.0.0, for which there are ready
libraries: https://github.com/standard-webhooks/standard-webhooks.
"""

import asyncio
import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from http import HTTPStatus

import httpx

from orthanc_share.domain.clock import to_utc
from orthanc_share.domain.errors import UpstreamError
from orthanc_share.upstream.client import upstream_errors
from orthanc_share.upstream.notice_addresses import NoticeAddresses

SEND_TIMEOUT = timedelta(seconds=15)
"""Total time for one notice (Standard Webhooks: 15 to 30 s)."""

KEY_LENGTH_MIN = 24
"""Shortest key, in bytes (Standard Webhooks, signature scheme)."""

KEY_PREFIX = "whsec_"
"""What a key in base64 begins with."""

_RECEIVER = "The receiver of notices"


class Delivery(Enum):
    """What became of a notice."""

    DELIVERED = auto()
    FAILED = auto()  # try it again
    GONE = auto()  # the receiver does not want it, or it must not be sent


def signing_key(text: str) -> bytes:
    """Return the key that `text` stands for: base64 after `whsec_`, else as it is.

    Raises:
        ValueError: No base64, or too short; the text never says the key.
    """
    key = text.encode()
    if text.startswith(KEY_PREFIX):
        encoded = text.removeprefix(KEY_PREFIX)
        try:
            key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
        except (binascii.Error, ValueError):
            raise ValueError("is no base64 after whsec_") from None
    if len(key) < KEY_LENGTH_MIN:
        raise ValueError(f"is shorter than {KEY_LENGTH_MIN} bytes")
    return key


def sign(key: bytes, message_id: str, at: datetime, body: bytes) -> Mapping[str, str]:
    """Return the headers that say which message this is, from when and from whom.

    Args:
        key: Known to the receiver.
        message_id: The same for each try of a message; without a full stop.
        at: When it is sent; receivers refuse what is old.
        body: Exactly as it is sent.
    """
    seconds = int(to_utc(at).timestamp())
    signed = f"{message_id}.{seconds}.".encode() + body
    signature = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": f"v1,{signature}",
    }


@dataclass(frozen=True, slots=True)
class NoticeSender:
    """Sends notices by POST.

    Args:
        client: Of `create_client`; its owner closes it.
        key: See `signing_key`.
        addresses: Where notices may go.
        timeout: Total time for one notice.
    """

    client: httpx.AsyncClient
    key: bytes = field(repr=False)
    addresses: NoticeAddresses
    timeout: timedelta = SEND_TIMEOUT

    async def send(
        self, address: str, message_id: str, body: str, *, now: datetime
    ) -> Delivery:
        """Send a notice once, and return what became of it; never raises for that.

        What the receiver answers beside its status is not read; a redirect is not
        followed.

        Args:
            address: Where to. It is checked again: what was allowed when the share was
                made may not be any more.
            message_id: Of the message, whichever try this is.
            body: JSON.
            now: The present instant.
        """
        if not self.addresses.allows(address):
            return Delivery.GONE
        content = body.encode()
        headers = {
            "Content-Type": "application/json",
            **sign(self.key, message_id, now, content),
        }
        try:
            status = await self._post(address, content, headers)
        except (UpstreamError, httpx.InvalidURL, UnicodeError):
            return Delivery.FAILED
        if status == HTTPStatus.GONE:
            return Delivery.GONE
        is_good = HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
        return Delivery.DELIVERED if is_good else Delivery.FAILED

    async def _post(
        self, address: str, content: bytes, headers: Mapping[str, str]
    ) -> int:
        with upstream_errors(_RECEIVER):
            async with (
                asyncio.timeout(self.timeout.total_seconds()),
                self.client.stream(
                    "POST", address, content=content, headers=headers
                ) as response,
            ):
                return response.status_code
