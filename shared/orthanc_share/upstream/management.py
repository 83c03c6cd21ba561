"""The shares of a running token-service, over HTTP: for scripts and the command line.

Answers are handed on as they come, in the wire's own names: a newer service may say
more than this code knows.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from orthanc_share.domain.errors import UpstreamError, UpstreamUnavailableError
from orthanc_share.upstream.client import OVERLOADED, read_bounded, upstream_errors

SERVER = "token-service"
"""How errors call it."""

ANSWER_BYTES_MAX = 33_554_432
"""Longest answer: a page of shares with a hundred studies each fits."""

PAGE = 500
"""Shares or events that are asked for at once: as many as there may be."""

DETAIL_LENGTH_MAX = 300
"""Longest text of a problem that is handed on, in characters."""

_PROBLEM = "application/problem+json"

Answer = dict[str, Any]
"""A JSON object."""


class ServiceRefusedError(UpstreamError):
    """token-service said no; the text is its own, without control characters.

    Args:
        status: Status code of the answer.
        detail: What it says.
        problem: The stable code of the problem, if it named one.
    """

    code = "service_refused"

    def __init__(self, status: int, detail: str, problem: str | None) -> None:
        super().__init__(detail)
        self.status = status
        self.problem = problem

    @property
    def is_final(self) -> bool:
        """Whether the share is the reason, and not login, address or settings."""
        return self.problem is not None


class ManagementClient:
    """Makes, finds, changes and revokes shares.

    Args:
        client: Of `create_client`, with address and login; its owner closes it.
    """

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def create(self, body: Mapping[str, Any]) -> Answer:
        """Make a share and return the answer with its link.

        Raises:
            ServiceRefusedError: The share cannot be made as asked.
            UpstreamUnavailableError: The service, or its database, is not there.
            UpstreamError: What answers is no token-service.
        """
        return await self._ask("PUT", "shares", body)

    async def get(self, share_id: str) -> Answer:
        """Return one share; errors as `create`."""
        return await self._ask("GET", _path(share_id))

    async def change(self, share_id: str, body: Mapping[str, Any]) -> Answer:
        """Change a share and return it; errors as `create`."""
        return await self._ask("PATCH", _path(share_id), body)

    async def revoke(self, share_id: str, reason: str | None) -> Answer:
        """Take a share back and return it; errors as `create`."""
        body = None if reason is None else {"reason": reason}
        return await self._ask("DELETE", _path(share_id), body)

    async def revoke_many(self, body: Mapping[str, Any]) -> int:
        """Take back, or with `dry-run` count, shares; errors as `create`."""
        answer = await self._ask("POST", "shares/revoke", body)
        number = answer.get("revoked")
        if not isinstance(number, int):
            raise _unknown()
        return number

    def shares(self, wanted: Mapping[str, str]) -> AsyncIterator[Answer]:
        """Give all shares that are meant, page by page; errors as `create`."""
        return self._pages("shares", "shares", wanted)

    def events(self, share_id: str) -> AsyncIterator[Answer]:
        """Give all events of a share, page by page; errors as `create`."""
        return self._pages(f"{_path(share_id)}/events", "events", {})

    def audit(self, wanted: Mapping[str, str]) -> AsyncIterator[Answer]:
        """Give all events that are meant, page by page; errors as `create`."""
        return self._pages("audit/events", "events", wanted)

    async def verify_audit(self, anchors: Sequence[str], after: str) -> Answer:
        """Let a part of the audit trail be followed; errors as `create`.

        Args:
            anchors: What was noted of events, none of them before `after`.
            after: Up to where it was followed already.
        """
        body = {"anchors": anchors, "after": after}
        return await self._ask("POST", "audit/verify", body)

    async def _pages(
        self, path: str, member: str, wanted: Mapping[str, str]
    ) -> AsyncIterator[Answer]:
        query = {**wanted, "limit": str(PAGE)}
        while True:
            page = await self._ask("GET", path, query=query)
            found, cursor = page.get(member), page.get("next")
            if not isinstance(found, list) or not all(map(_is_object, found)):
                raise _unknown()
            for one in found:
                yield one
            if cursor is None:
                return
            if cursor == query.get("cursor"):
                raise UpstreamError(f"{SERVER} gives the same page again.")
            query["cursor"] = str(cursor)

    async def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        content = None if body is None else msgspec.json.encode(body)
        headers = {} if body is None else {"Content-Type": "application/json"}
        request = self._client.stream(
            method, path, params=query, content=content, headers=headers
        )
        with upstream_errors(SERVER):
            async with request as response:
                raw = await read_bounded(response, ANSWER_BYTES_MAX, SERVER)
        return _read(response, raw)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _path(share_id: str) -> str:
    return f"shares/{quote(share_id, safe='')}"


def _read(response: httpx.Response, raw: bytes) -> Answer:
    try:
        answer = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        answer = None
    if response.is_success and isinstance(answer, dict):
        return answer
    raise _refusal(response, answer if isinstance(answer, dict) else {})


def _refusal(response: httpx.Response, answer: Answer) -> UpstreamError:
    """Return what to raise for an answer that is not the one hoped for."""
    status = response.status_code
    if status == HTTPStatus.UNAUTHORIZED:
        return ServiceRefusedError(
            status, f"{SERVER} does not accept this user and password.", None
        )
    is_problem = response.headers.get("Content-Type", "").startswith(_PROBLEM)
    detail, problem = answer.get("detail"), answer.get("code")
    if status in OVERLOADED:
        text = _printable(detail) if is_problem and isinstance(detail, str) else ""
        return UpstreamUnavailableError(text or f"{SERVER} is not ready: {status}.")
    if is_problem and isinstance(detail, str) and isinstance(problem, str):
        return ServiceRefusedError(status, _printable(detail), problem)
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}:
        return ServiceRefusedError(
            status, f"{SERVER} has no registry, or is not at this address.", None
        )
    return _unknown(status)


def _unknown(status: int | None = None) -> UpstreamError:
    with_status = "" if status is None else f" (status {status})"
    return UpstreamError(f"What answers is no {SERVER} of this version{with_status}.")


def _printable(text: str) -> str:
    shown = "".join(c if c.isprintable() else " " for c in text[:DETAIL_LENGTH_MAX])
    return shown.strip()
