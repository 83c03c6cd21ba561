"""Multipart bodies (RFC 2046 5.1, RFC 2387): read by the length of each part, written.

Pixels may hold any bytes, so a boundary is never searched in a part: each part must
tell its length, and the boundary must stand where the part ends.
"""

import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from email.message import Message
from typing import Final

from anonymizer.orthanc import SERVER
from orthanc_share.domain.errors import UpstreamError
from orthanc_share.domain.octets import Octets
from orthanc_share.upstream.bulk import BulkAnswer

HEAD_MAX: Final = 16_384
"""Longest header of a part, in bytes, with the boundary before it."""

BOUNDARY_MAX: Final = 200
"""Longest boundary, in characters; RFC 2046 allows 70, Orthanc takes 73."""

_END_OF_LINE: Final = b"\r\n"
_END_OF_HEAD: Final = b"\r\n\r\n"


def broken() -> UpstreamError:
    """Return the error of a body that is not what it says."""
    return UpstreamError(f"{SERVER} answered with a broken multipart body.")


def parameters(content_type: str) -> tuple[str, dict[str, str]]:
    """Return media type (lower case) and parameters of a field `Content-Type`."""
    message = Message()
    message["Content-Type"] = content_type
    found = message.get_params(failobj=[], unquote=True)
    rest = {name.lower(): value for name, value in found[1:]}
    return message.get_content_type(), rest


class Part:
    """One part, whose body must be read, or skipped, before the next one.

    Args:
        fields: Header fields, names in lower case.
        body: The bytes of all parts.
    """

    def __init__(self, fields: Mapping[str, str], body: "_Body") -> None:
        self.content_type = fields.get("content-type", "")
        self.length = _length(fields)
        self._body = body
        self._left = self.length

    async def pieces(self) -> AsyncIterator[Octets]:
        """Yield the body as it arrives.

        Raises:
            UpstreamError: It broke off.
        """
        while self._left:
            piece = await self._body.up_to(self._left)
            self._left -= len(piece)
            yield piece

    async def skip(self) -> None:
        """Read the rest, and forget it."""
        async for _ in self.pieces():
            pass

    async def read(self, limit: int) -> bytes:
        """Return the body.

        Raises:
            UpstreamError: It is longer than `limit` bytes, or broke off.
        """
        if self.length > limit:
            raise UpstreamError(f"{SERVER} answered with a part that is too long.")
        return b"".join([piece async for piece in self.pieces()])


async def parts(answer: BulkAnswer) -> AsyncGenerator[Part, None]:
    """Yield the parts of an answer.

    Raises:
        UpstreamError: It is no multipart body, or broke off before its end.
    """
    kind, given = parameters(answer.content_type)
    boundary = given.get("boundary", "")
    if kind != "multipart/related" or not 0 < len(boundary) <= BOUNDARY_MAX:
        raise UpstreamError(f"{SERVER} answered with another media type.")
    delimiter = b"--" + boundary.encode("latin-1", "replace")
    body = _Body(answer)
    # Orthanc writes nothing before the first boundary, others an empty line.
    await body.expect(delimiter, may_start_with=_END_OF_LINE)
    while await body.exactly(2) == _END_OF_LINE:
        part = Part(_fields(await body.head()), body)
        yield part
        await part.skip()
        await body.expect(_END_OF_LINE + delimiter)
    if body.last != b"--":
        raise broken()


class _Body:
    """The bytes of an answer, taken in portions of any size."""

    def __init__(self, answer: BulkAnswer) -> None:
        self._source = answer.pieces()
        self._piece = b""
        self._at = 0  # what stands before it in the piece is read
        self.last = b""

    async def up_to(self, number: int) -> Octets:
        """Return at least one byte and at most so many."""
        if self._at == len(self._piece):
            self._piece, self._at = b"", 0
            await self._read_more()
        start, self._at = self._at, min(self._at + number, len(self._piece))
        return memoryview(self._piece)[start : self._at]

    async def exactly(self, number: int) -> bytes:
        """Return so many bytes."""
        while (end := self._at + number) > len(self._piece):
            await self._read_more()
        self.last, self._at = self._piece[self._at : end], end
        return self.last

    async def expect(self, mark: bytes, *, may_start_with: bytes = b"") -> None:
        """Pass over bytes that must be there."""
        if may_start_with and await self.exactly(len(may_start_with)) != may_start_with:
            self._at -= len(may_start_with)
        if await self.exactly(len(mark)) != mark:
            raise broken()

    async def head(self) -> bytes:
        """Return a header, and pass over the empty line behind it."""
        while (end := self._header_end()) < 0:
            if len(self._piece) - self._at > HEAD_MAX:
                raise broken()
            await self._read_more()
        found, self._at = self._piece[self._at : end], end + len(_END_OF_HEAD)
        return found

    def _header_end(self) -> int:
        return self._piece.find(_END_OF_HEAD, self._at, self._at + HEAD_MAX)

    async def _read_more(self) -> None:
        async for piece in self._source:
            self._piece, self._at = self._piece[self._at :] + piece, 0
            return
        raise UpstreamError(f"{SERVER} broke off its answer.")


def _fields(head: bytes) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in head.decode("latin-1").split("\r\n"):
        name, colon, value = line.partition(":")
        if not colon or fields.setdefault(name.strip().lower(), value.strip()) != (
            value.strip()
        ):
            raise broken()
    return fields


def _length(fields: Mapping[str, str]) -> int:
    text = fields.get("content-length", "")
    if not (text.isascii() and text.isdecimal()):
        raise broken()
    return int(text)


class MultipartWriter:
    """Makes a multipart body of our own.

    Args:
        kind: Media type of the parts.
    """

    def __init__(self, kind: str) -> None:
        # Random, so that no pixels can hold it.
        self._boundary = secrets.token_hex(16)
        self._kind = kind
        self._is_first = True

    @property
    def content_type(self) -> str:
        """The field `Content-Type` of the answer."""
        return f'multipart/related; type="{self._kind}"; boundary={self._boundary}'

    def head(self, content_type: str) -> bytes:
        """Return what stands before the body of a part of that type."""
        before = "" if self._is_first else "\r\n"
        self._is_first = False
        field = f"Content-Type: {content_type}"
        return f"{before}--{self._boundary}\r\n{field}\r\n\r\n".encode()

    def end(self) -> bytes:
        """Return what stands after the last part."""
        before = "" if self._is_first else "\r\n"
        return f"{before}--{self._boundary}--\r\n".encode()
