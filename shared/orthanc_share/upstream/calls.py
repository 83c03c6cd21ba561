"""Questions to another service of ours: JSON, over HTTP, each on its own connection."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import httpx

from orthanc_share.upstream.client import check_status, read_bounded, upstream_errors

ANSWER_TIMEOUT = timedelta(seconds=10)
"""Total time for one answer; a second factor among many waits for its turn."""

ANSWER_BYTES_MAX = 4 << 20
"""Longest answer, in bytes: a thousand news take a twentieth of it."""

_JSON = {"Content-Type": "application/json"}


class Calls:
    """Asks one server.

    Nothing is asked twice: whoever asks knows whether that would do harm.

    Args:
        client: Of `create_client`, with address and login and without kept
            connections, which the server may just be closing; its owner closes it.
        server: Name for the text of errors.
        timeout: Total time for one answer.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        server: str,
        timeout: timedelta = ANSWER_TIMEOUT,
    ) -> None:
        self._client = client
        self._server = server
        self._timeout = timeout.total_seconds()

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> bytes:
        """Return the body of the answer to a GET.

        Args:
            path: Relative to the server's address.
            query: Members of the query.

        Raises:
            UpstreamUnavailableError: The server is not there, too slow or overloaded.
            UpstreamError: It refuses, or answers nonsense.
        """
        return await self._ask(self._client.build_request("GET", path, params=query))

    async def post(self, path: str, body: bytes) -> bytes:
        """Return the body of the answer to a POST of JSON; errors as `get`."""
        request = self._client.build_request("POST", path, content=body, headers=_JSON)
        return await self._ask(request)

    async def _ask(self, request: httpx.Request) -> bytes:
        with upstream_errors(self._server):
            async with asyncio.timeout(self._timeout):
                response = await self._client.send(request, stream=True)
                try:
                    check_status(response, self._server)
                    return await read_bounded(response, ANSWER_BYTES_MAX, self._server)
                finally:
                    await response.aclose()
