"""One look at an address: does it answer, and what does it say of itself?"""

import asyncio
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any

import httpx
import msgspec

from orthanc_share.domain.clock import Clock, to_utc

WITHIN = 8.0
"""Longest wait for an answer, in seconds."""

READ_MAX = 65_536
"""Bytes of an answer that are looked at."""


class Failure(StrEnum):
    """Why there is no answer."""

    NAME = "the host name is not known here"
    REFUSED = "nothing listens there"
    TIMEOUT = "it does not answer in time"
    CERTIFICATE = "its certificate is not to be trusted"
    NO_TLS = "it speaks no TLS that we can"
    UNREACHABLE = "it cannot be reached"
    NO_HTTP = "it broke off, or speaks no HTTP"


@dataclass(frozen=True, slots=True)
class Silent:
    """Nothing answered.

    Args:
        failure: Why.
        detail: What else is known, such as what is wrong with the certificate.
    """

    failure: Failure
    detail: str = ""

    def to_text(self) -> str:
        """Return why, for a sentence."""
        return f"{self.failure}{f' ({self.detail})' if self.detail else ''}"


@dataclass(frozen=True, slots=True)
class Answered:
    """Something answered.

    Args:
        status: Its status code.
        headers: Its header fields, by names in lower case.
        body: The first bytes of it.
        ahead: How far its clock is ahead of ours; None: it names no time.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    ahead: timedelta | None

    def json(self) -> Any:
        """Return the document in the body; None if it is none."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None

    def member(self, name: str) -> Any:
        """Return a member of the object in the body; None if there is none."""
        answer = self.json()
        return answer.get(name) if isinstance(answer, dict) else None


async def look(
    client: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    clock: Clock,
    auth: tuple[str, str] | None = None,
    body: Any = None,
    within: float = WITHIN,
) -> Answered | Silent:
    """Send one request; redirects are not followed.

    Args:
        client: Of `create_client`.
        method: HTTP method.
        url: Address, whole.
        clock: The present instant.
        auth: Login for HTTP Basic.
        body: Sent as JSON.
        within: Longest wait, in seconds.
    """
    request = client.build_request(method, url, json=body)
    basic = None if auth is None else httpx.BasicAuth(*auth)
    try:
        async with asyncio.timeout(within):
            asked_at = clock()
            answer = await client.send(request, auth=basic, stream=True)
            try:
                return await _answered(answer, asked_at, clock)
            finally:
                await answer.aclose()
    except (httpx.HTTPError, TimeoutError) as error:
        return _silent(error)


async def _answered(
    answer: httpx.Response, asked_at: datetime, clock: Clock
) -> Answered:
    answered_at = clock()
    body = bytearray()
    async for piece in answer.aiter_raw():
        body += piece
        if len(body) >= READ_MAX:
            break
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Answered(
        answer.status_code,
        headers,
        bytes(body[:READ_MAX]),
        _ahead(headers.get("date"), asked_at, answered_at),
    )


def _ahead(date: str | None, earliest: datetime, latest: datetime) -> timedelta | None:
    """Return how far a clock is ahead, 0 if the date lies within the exchange."""
    if date is None:
        return None
    try:
        told = to_utc(parsedate_to_datetime(date))
    except ValueError:
        return None
    if told < earliest:
        return told - earliest
    return max(timedelta(0), told - latest)


def _silent(error: Exception) -> Silent:
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return Silent(Failure.TIMEOUT)
    if not isinstance(error, httpx.NetworkError):
        return Silent(Failure.NO_HTTP)
    known = (_known(cause) for cause in _causes(error))
    return next(filter(None, known), Silent(Failure.UNREACHABLE))


def _known(cause: BaseException) -> Silent | None:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return Silent(Failure.CERTIFICATE, cause.verify_message)
    if isinstance(cause, ssl.SSLError):
        return Silent(Failure.NO_TLS)
    if isinstance(cause, socket.gaierror):
        return Silent(Failure.NAME)
    return (
        Silent(Failure.REFUSED) if isinstance(cause, ConnectionRefusedError) else None
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    while found is not None:
        yield found
        if isinstance(found, BaseExceptionGroup):
            for inner in found.exceptions:
                yield from _causes(inner)
        found = found.__cause__ or found.__context__
