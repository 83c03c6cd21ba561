"""Large answers of another server, streamed: the second way out by HTTP.

The same mistrust as in `client`, with aiohttp: it hands on a large answer in a third
of the processor time that httpx takes. Nothing is kept but what has not
been read yet; whoever reads slowly slows the other server down.
"""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta

import aiohttp

from orthanc_share.domain.errors import (
    UpstreamError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from orthanc_share.upstream.client import USER_AGENT

BUFFER = 524_288
"""Bytes of one answer that may wait to be read; twice as many stop the sender."""

PACE_MIN = 16_384
"""Bytes a second below which an answer counts as stuck, however often a byte comes."""

_IDENTITY = ("", "identity")


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkSettings:
    """How another server is spoken to.

    Args:
        root: Its address, ending with `/`.
        name: Its name in the texts of errors.
        auth: User name and password for HTTP Basic.
        connect: Longest time until a connection stands.
        read: Longest time between two pieces of an answer.
        connections: Most connections at once.
    """

    root: str
    name: str
    auth: tuple[str, str] | None = None
    connect: timedelta = timedelta(seconds=3)
    read: timedelta = timedelta(seconds=30)
    connections: int = 100


class BulkAnswer:
    """An answer whose body has not been read yet.

    Args:
        response: What aiohttp gave.
        settings: Of the client.
    """

    def __init__(
        self, response: aiohttp.ClientResponse, settings: BulkSettings
    ) -> None:
        self._response = response
        self._settings = settings

    @property
    def status(self) -> int:
        """The status code."""
        return self._response.status

    @property
    def content_type(self) -> str:
        """The field `Content-Type` as it came; empty if there is none."""
        return self._response.headers.get("Content-Type", "")

    @property
    def length(self) -> int | None:
        """The bytes of the body, if the other server told."""
        return self._response.content_length

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives.

        Raises:
            UpstreamTimeoutError: It stopped, or comes too slowly to ever end.
            UpstreamError: It broke off, or is compressed though nobody asked for it.
        """
        encoding = self._response.headers.get("Content-Encoding", "").lower()
        if encoding not in _IDENTITY:
            raise UpstreamError(f"{self._settings.name} sent a compressed answer.")
        pace = _Pace(self._settings)
        # Chunks may be short, and are joined; all else need not be copied for that.
        joined = "Transfer-Encoding" in self._response.headers
        content = self._response.content
        with _errors(self._settings.name):
            while piece := await pace.watch(content, joined=joined):
                yield piece

    async def read(self, limit: int) -> bytes:
        """Return the whole body.

        Args:
            limit: Most bytes of a good answer.

        Raises:
            UpstreamError: The body is longer, or as for `pieces`.
        """
        body = bytearray()
        async for piece in self.pieces():
            body += piece
            if len(body) > limit:
                name = self._settings.name
                raise UpstreamError(f"{name} answered with more than {limit} bytes.")
        return bytes(body)


class _Pace:
    """Notices an answer that drips: only the time that we wait for it counts."""

    def __init__(self, settings: BulkSettings) -> None:
        self._name = settings.name
        self._period = settings.read.total_seconds()
        self._clock = asyncio.get_running_loop().time
        self._waited = 0.0
        self._received = 0

    async def watch(self, content: aiohttp.StreamReader, *, joined: bool) -> bytes:
        started = self._clock()
        if joined:
            piece = await content.readany()
        else:
            piece, _ = await content.readchunk()
        self._waited += self._clock() - started
        self._received += len(piece)
        if self._waited >= self._period:
            if piece and self._received < PACE_MIN * self._period:
                raise UpstreamTimeoutError(f"{self._name} answers too slowly.")
            self._waited, self._received = 0.0, 0
        return piece


class BulkClient:
    """The way to one server. Its connections are opened when they are needed.

    Args:
        settings: How it is spoken to.
    """

    def __init__(self, settings: BulkSettings) -> None:
        self._settings = settings
        self._session: aiohttp.ClientSession | None = None

    async def aclose(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    @asynccontextmanager
    async def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> AsyncIterator[BulkAnswer]:
        """Send a request; the block reads the answer, and leaving it ends all of it.

        Args:
            method: The method.
            path: Below the root, percent-encoded, with its query.
            headers: Header fields, besides those of this client.
            body: Sent as text.

        Raises:
            UpstreamTimeoutError: No answer in time.
            UpstreamUnavailableError: Not reachable.
            UpstreamError: What came was no HTTP.
        """
        settings = self._settings
        with _errors(settings.name):
            response = await self._opened().request(
                method,
                settings.root + path,
                headers=headers,
                data=body,
                allow_redirects=False,
            )
        async with response:
            yield BulkAnswer(response, settings)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = _session(self._settings)
        return self._session


def _session(settings: BulkSettings) -> aiohttp.ClientSession:
    headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
    if settings.auth is not None:
        login = b64encode(":".join(settings.auth).encode()).decode()  # RFC 7617 2.1
        headers["Authorization"] = f"Basic {login}"
    return aiohttp.ClientSession(
        # Visitors share this client: a cookie of one must not reach another.
        cookie_jar=aiohttp.DummyCookieJar(),
        connector=aiohttp.TCPConnector(limit=settings.connections),
        headers=headers,
        timeout=aiohttp.ClientTimeout(
            total=None,
            # Also the wait for a free connection.
            connect=settings.read.total_seconds(),
            sock_connect=settings.connect.total_seconds(),
            sock_read=settings.read.total_seconds(),
        ),
        # What is compressed cannot be counted before it is in memory.
        auto_decompress=False,
        read_bufsize=BUFFER,
        trust_env=False,
    )


@contextmanager
def _errors(server: str) -> Iterator[None]:
    """Turn the failures of a block into errors of the domain, without their texts."""
    try:
        yield
    except TimeoutError:
        raise UpstreamTimeoutError(f"{server} did not answer in time.") from None
    except (aiohttp.ClientConnectionError, OSError):
        raise UpstreamUnavailableError(f"{server} cannot be reached.") from None
    except aiohttp.ClientError:
        raise UpstreamError(f"{server} broke off or spoke no HTTP.") from None
