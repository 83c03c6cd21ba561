"""What the anonymizer asks of Orthanc: always with its own words."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import msgspec

from anonymizer.off_loop import off_loop
from orthanc_share.domain.errors import UpstreamError, UpstreamUnavailableError
from orthanc_share.upstream.bulk import BulkAnswer, BulkClient
from orthanc_share.web.problems import RequestError

SERVER = "Orthanc"
"""Name of the other server in the texts of errors."""

JSON_MAX = 268_435_456
"""Longest JSON document of Orthanc, in bytes: metadata of some 20,000 images."""

JSON_IN_LOOP_MAX = 65_536
"""Longest document that is decoded in the event loop, in bytes: less than 1 ms."""

DICOM_JSON = "application/dicom+json"
"""Media type of the DICOM JSON Model. Source: PS3.18 F.2."""

_UNAUTHORIZED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
# Old ones answer 500 to what they cannot decode.
_REFUSING = frozenset({400, 406, 415, 500})
_OVERLOADED = frozenset({429, 502, 503, 504})
_JSON_TYPES = frozenset({"application/json", DICOM_JSON})


class NotFoundError(RequestError):
    """What was asked for does not exist in this share."""

    code = "not_found"

    def __init__(self) -> None:
        super().__init__(HTTPStatus.NOT_FOUND, "There is no such thing in this share.")


class RefusedError(UpstreamError):
    """Orthanc does not give what was asked for in the form that was asked for."""

    code = "upstream_refused"


def media_type(content_type: str) -> str:
    """Return the media type of a field `Content-Type`, lower case, no parameters."""
    return content_type.partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Orthanc:
    """Orthanc as one share sees it.

    Args:
        client: The way to it.
        token: The share's token, if Orthanc shall get it.
        may_be_refused: Whether Orthanc is well if it refuses a ping.
    """

    client: BulkClient = field(repr=False)
    token: str | None = field(default=None, repr=False)
    may_be_refused: bool = False

    @asynccontextmanager
    async def stream(self, path: str, accept: str = "*/*") -> AsyncIterator[BulkAnswer]:
        """Ask for something; the block reads the answer, which has status 200.

        Args:
            path: Below Orthanc's root, made of ids that were looked up.
            accept: The field `Accept`.

        Raises:
            NotFoundError: Orthanc does not have it.
            UpstreamError: Orthanc does not answer, or not as it should.
        """
        fields = self._fields(accept)
        async with self.client.request("GET", path, headers=fields) as answer:
            _check(answer.status)
            yield answer

    async def raw_json(self, path: str, accept: str = "application/json") -> bytes:
        """Return a JSON document as it came.

        Raises:
            NotFoundError: Orthanc does not have it.
            UpstreamError: Orthanc does not answer, or not with JSON.
        """
        async with self.stream(path, accept) as answer:
            if media_type(answer.content_type) not in _JSON_TYPES:
                raise UpstreamError(f"{SERVER} answered with another media type.")
            return await answer.read(JSON_MAX)

    async def json(self, path: str) -> Any:
        """Return a JSON document.

        Raises:
            NotFoundError: Orthanc does not have it.
            UpstreamError: Orthanc does not answer, or not with JSON.
        """
        return await decoded(await self.raw_json(path))

    async def lookup(self, dicom_id: str) -> Any:
        """Return what Orthanc finds for a DICOM identifier, at all levels.

        Raises:
            UpstreamError: Orthanc does not answer, or not with JSON.
        """
        async with self.client.request(
            "POST",
            "tools/lookup",
            headers=self._fields("application/json"),
            body=dicom_id.encode(),
        ) as answer:
            _check(answer.status)
            return await decoded(await answer.read(JSON_MAX))

    async def ping(self) -> None:
        """Return if Orthanc answers.

        Raises:
            UpstreamError: It does not.
        """
        async with self.client.request("GET", "system") as answer:
            # The authorization plugin lets nobody see this page without a token.
            if not (self.may_be_refused and answer.status in _UNAUTHORIZED):
                _check(answer.status)

    def _fields(self, accept: str) -> Mapping[str, str]:
        own = {"Accept": accept}
        return own if self.token is None else own | {"token": self.token}


async def decoded(document: bytes) -> Any:
    """Return the value of a JSON document, off the event loop if it is long.

    Raises:
        UpstreamError: It is not JSON.
    """
    if len(document) <= JSON_IN_LOOP_MAX:
        return _decode(document)
    return await off_loop(_decode, document)


def _decode(document: bytes) -> Any:
    try:
        return msgspec.json.decode(document)
    except (msgspec.DecodeError, RecursionError):
        # Not chained: the parser's text may show a part of the document.
        raise UpstreamError(f"{SERVER} answered with unreadable JSON.") from None


def _check(status: int) -> None:
    if status == HTTPStatus.OK:
        return
    if status == HTTPStatus.NOT_FOUND:
        raise NotFoundError
    if status in _OVERLOADED:
        raise UpstreamUnavailableError(f"{SERVER} is not ready: status {status}.")
    kind = RefusedError if status in _REFUSING else UpstreamError
    raise kind(f"{SERVER} answered with status {status}.")
