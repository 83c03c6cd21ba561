"""MedDream shows images under tokens of its own; this broker gets them (protocol D).

MedDream's token service knows no share: it makes a token for whatever studies it is
asked for. Whoever calls the broker has verified the share before.
"""

import asyncio
import contextlib
import re
import time
from collections.abc import Sequence
from datetime import timedelta

import httpx

from orthanc_share.domain.errors import (
    ConfigurationError,
    InvalidResourceError,
    UpstreamError,
    UpstreamUnavailableError,
)
from orthanc_share.upstream.client import check_status, read_bounded, upstream_errors
from orthanc_share.upstream.single_flight import Monotonic, SingleFlight

SERVER = "MedDream's token service"
"""How errors call it."""

ANSWER_TIMEOUT = timedelta(seconds=4)
"""Total time for one token: the plugin gives up on us after 10 s (protocol D.1)."""

TOKEN_LIFETIME = timedelta(seconds=120)
"""How long a token is handed out again.

MedDream forgets one that was not used for 180 s (protocol D.1); what is left is the
time in which a person's browser must have opened the viewer.
"""

FAILURE_LIFETIME = timedelta(seconds=2)
"""How long a failure is repeated without asking, so that reloads do not hammer."""

TOKENS_MAX = 10_000
"""Most tokens kept at once; more shares than that in two minutes ask anew."""

TOKEN_MAX_BYTES = 4096
"""Longest answer that can be a token: it becomes part of a URL."""

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&()*+,\-./:;=?@\[\]^_`|~]+", re.ASCII)
"""Printable ASCII, but no quotes, braces, backslash or angle brackets.

The token service answers with bare text (protocol D.1); those mark JSON or HTML.
"""


class MedDreamBroker:
    """Gets tokens from MedDream's token service.

    Args:
        client: Of `create_client`; its owner closes it.
        url: Address of the generate route (`MEDDREAM_TOKEN_SERVICE_URL`).
        storage: Id of the PACS configuration in the viewer (`MEDDREAM_STORAGE`).
        timeout: Total time for one token, in which one broken connection is retried.
        token_lifetime: How long `token_for` hands out the same token.
        failure_lifetime: How long `token_for` repeats a failure.
        max_tokens: Most tokens kept by `token_for`.
        monotonic: Clock of these lifetimes, in seconds.

    Raises:
        ConfigurationError: The address cannot be used.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        url: str,
        *,
        storage: str = "Orthanc",
        timeout: timedelta = ANSWER_TIMEOUT,
        token_lifetime: timedelta = TOKEN_LIFETIME,
        failure_lifetime: timedelta = FAILURE_LIFETIME,
        max_tokens: int = TOKENS_MAX,
        monotonic: Monotonic = time.monotonic,
    ) -> None:
        self._client = client
        self._url = _parsed(url)
        self._storage = storage
        self._timeout = timeout.total_seconds()
        self._tokens: SingleFlight[tuple[str, ...], str] = SingleFlight(
            lifetime=token_lifetime,
            failure_lifetime=failure_lifetime,
            max_entries=max_tokens,
            monotonic=monotonic,
        )

    @property
    def port(self) -> int:
        """The port of the token service; a URL may leave it out."""
        return self._url.port or (443 if self._url.scheme == "https" else 80)

    async def issue(self, study_uids: Sequence[str]) -> str:
        """Return a fresh MedDream token for these studies.

        Args:
            study_uids: StudyInstanceUIDs, at least one.

        Raises:
            InvalidResourceError: No study; nobody knows what such a token would open.
            UpstreamUnavailableError: The token service is not there, or too slow.
            UpstreamError: It answered with something that is no token.
        """
        if not study_uids:
            raise InvalidResourceError("A MedDream link needs at least one study.")
        with upstream_errors(SERVER):
            async with asyncio.timeout(self._timeout):
                try:
                    return await self._ask(study_uids)
                except (httpx.NetworkError, httpx.RemoteProtocolError):
                    # The server may just have closed the kept connection that we
                    # chose; a token made twice harms nobody.
                    return await self._ask(study_uids)

    async def token_for(self, share_id: str, study_uids: Sequence[str]) -> str:
        """Return the MedDream token of a share: one for all who ask in a short time.

        Args:
            share_id: `jti` of the verified share.
            study_uids: Its StudyInstanceUIDs.

        Raises:
            UpstreamUnavailableError: The token service is not there, or too slow.
            UpstreamError: It answered with something that is no token.
        """
        studies = tuple(study_uids)
        return await self._tokens.get((share_id, *studies), lambda: self.issue(studies))

    async def ping(self) -> None:
        """See whether the token service accepts connections; nothing is sent.

        Raises:
            UpstreamUnavailableError: It does not.
        """
        try:
            async with asyncio.timeout(self._timeout):
                _, writer = await asyncio.open_connection(self._url.host, self.port)
        except OSError:
            raise UpstreamUnavailableError(f"{SERVER} cannot be reached.") from None
        writer.close()
        # It accepted us; how it takes the farewell is of no interest.
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    async def aclose(self) -> None:
        """Give up requests under way and forget all tokens."""
        await self._tokens.aclose()

    async def _ask(self, study_uids: Sequence[str]) -> str:
        """Send one request and return the token that it brought."""
        items = [
            {"studies": {"study": uid, "storage": self._storage}} for uid in study_uids
        ]
        request = self._client.stream("POST", self._url, json={"items": items})
        async with request as response:
            check_status(response, SERVER)
            return _token(await read_bounded(response, TOKEN_MAX_BYTES, SERVER))


def _parsed(url: str) -> httpx.URL:
    """Return the address of the token service, host name included.

    Raises:
        ConfigurationError: It is too long, or its host is no name.
    """
    try:
        parsed = httpx.URL(url)
        _ = parsed.host  # read only when it is asked for
    except (httpx.InvalidURL, UnicodeError):
        problem = "MEDDREAM_TOKEN_SERVICE_URL is no address that can be used."
        raise ConfigurationError([problem]) from None
    return parsed


def _token(body: bytes) -> str:
    """Return the token in an answer; a line break at its end does not count.

    Raises:
        UpstreamError: Empty, or text that cannot be a token.
    """
    text = body.decode("ascii", "replace").strip()
    if not _TOKEN.fullmatch(text):
        raise UpstreamError(f"{SERVER} answered with something that is no token.")
    return text
