"""The one way out by HTTP: a client that trusts nothing it was not told to trust.

No environment (proxies, `.netrc`), no cookies, no redirects, explicit time-outs,
bounded answers. Every failure becomes an `UpstreamError` whose text is ours: what
the other server wrote, and the address with its query, stay out of it.
"""

import logging
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from orthanc_share.domain.errors import UpstreamError, UpstreamUnavailableError

USER_AGENT = "orthanc-share"
"""Name in the other server's log; without version, which would only help attackers."""

OVERLOADED = frozenset({429, 502, 503, 504})
"""Status codes that mean "later", not "wrong" (RFC 9110 15.6, RFC 6585 4)."""

_IDENTITY = ("", "identity")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long each step of one request may take.

    Args:
        connect: Until the connection stands.
        read: Between two pieces of the answer.
        write: Between two pieces of the request.
        pool: Until one of the client's connections is free.
    """

    connect: timedelta = timedelta(seconds=3)
    read: timedelta = timedelta(seconds=30)
    write: timedelta = timedelta(seconds=30)
    pool: timedelta = timedelta(seconds=5)

    def to_httpx(self) -> httpx.Timeout:
        """Return the same times in httpx's terms."""
        return httpx.Timeout(
            connect=self.connect.total_seconds(),
            read=self.read.total_seconds(),
            write=self.write.total_seconds(),
            pool=self.pool.total_seconds(),
        )


Client = httpx.AsyncClient
"""A client as `create_client` makes it."""


def create_client(
    *,
    base_url: str = "",
    timeouts: Timeouts | None = None,
    max_connections: int = 100,
    tls: ssl.SSLContext | None = None,
    auth: tuple[str, str] | None = None,
    keep_alive: bool = True,
) -> httpx.AsyncClient:
    """Return a new client; whoever asks for it closes it (`async with`).

    Args:
        base_url: Put before relative addresses.
        timeouts: Defaults suit an Orthanc on the same network.
        max_connections: Most connections at once; half of them are kept open, or none.
        tls: For a private certificate authority; default: the public ones.
        auth: User name and password for HTTP Basic.
        keep_alive: Whether connections are used again. The server may be closing the
            one that is chosen; nobody knows then whether it heard the question.
    """
    _keep_addresses_out_of_logs()
    return httpx.AsyncClient(
        base_url=base_url,
        auth=auth,
        # Visitors share this client: a cookie of one must not reach another.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        follow_redirects=False,
        # Uncompressed answers can be counted before they are in memory.
        headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
        limits=httpx.Limits(
            max_connections=max_connections,
            max_keepalive_connections=max(1, max_connections // 2) * keep_alive,
        ),
        timeout=(timeouts or Timeouts()).to_httpx(),
        trust_env=False,
        verify=tls if tls is not None else True,
    )


def _keep_addresses_out_of_logs() -> None:
    """Silence httpx, which logs addresses with their query, hence tokens."""
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)


@contextmanager
def upstream_errors(server: str) -> Iterator[None]:
    """Turn the transport failures of a block into errors of the domain.

    Args:
        server: Name for the text of the error, such as "Orthanc".

    Raises:
        UpstreamUnavailableError: Not reachable, or too slow.
        UpstreamError: What came was no HTTP.
    """
    try:
        yield
    except (httpx.TimeoutException, TimeoutError):
        raise UpstreamUnavailableError(f"{server} did not answer in time.") from None
    except httpx.NetworkError:
        raise UpstreamUnavailableError(f"{server} cannot be reached.") from None
    except httpx.HTTPError:
        raise UpstreamError(f"{server} broke off or spoke no HTTP.") from None


def check_status(response: httpx.Response, server: str) -> None:
    """Accept 2xx; nothing else is an answer to a question of ours.

    Args:
        response: Its body need not have been read.
        server: Name for the text of the error.

    Raises:
        UpstreamUnavailableError: The server, or a proxy before it, is overloaded.
        UpstreamError: Any other status, redirects included.
    """
    status = response.status_code
    if status in OVERLOADED:
        raise UpstreamUnavailableError(f"{server} is not ready: status {status}.")
    if not response.is_success:
        raise UpstreamError(f"{server} answered with status {status}.")


async def read_bounded(response: httpx.Response, limit: int, server: str) -> bytes:
    """Read the body of a streamed answer, but never more than `limit` bytes.

    Args:
        response: Opened by `client.stream(...)`, not read yet.
        limit: Most bytes of a good answer.
        server: Name for the text of the error.

    Raises:
        UpstreamError: The body is longer, or compressed though we did not ask for it.
    """
    # A few compressed bytes can be gigabytes: what we cannot count, we refuse.
    if response.headers.get("Content-Encoding", "").lower() not in _IDENTITY:
        raise UpstreamError(f"{server} sent a compressed answer.")
    body = bytearray()
    async for piece in response.aiter_raw():
        body += piece
        if len(body) > limit:
            raise UpstreamError(f"{server} answered with more than {limit} bytes.")
    return bytes(body)
