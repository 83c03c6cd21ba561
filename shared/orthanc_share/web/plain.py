"""Endpoints without a framework: what the plugin asks for every image (design 7).

`routing.PlainRoutes` sends requests to them; `PlainFastAPI` answers the busiest of them
before FastAPI does anything for the request.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from typing_extensions import override

from orthanc_share.domain.errors import OrthancShareError
from orthanc_share.web.authentication import Authenticator
from orthanc_share.web.json_body import JSON_LIMIT
from orthanc_share.web.problems import RequestError, internal_problem, problem_of

BODY_TIMEOUT = 10.0
"""Longest time for a request's body, in seconds; the plugin itself gives up then."""

Headers = Iterable[tuple[bytes, bytes]]
"""Header names, lower case, with their values, as ASGI has them."""

Answer = Callable[[Scope, bytes], Awaitable[bytes | Response]]
"""Answers a request, given its scope and body, with JSON or a whole response.

The scope holds the caller's name under `CALLER`.
"""

AnswerAtOnce = Callable[[Scope, bytes], bytes]
"""Like `Answer`, for answers that wait for nothing; the scope names no caller."""

CALLER = "orthanc_share.caller"
"""Member of the ASGI scope: the name of the user who calls."""

_JSON_HEADERS = [
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
]
_log = logging.getLogger(__name__)


def header(scope: Scope, name: bytes) -> bytes | None:
    """Return the value of the first header called `name` (lower case)."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return None


def _client(scope: Scope) -> str:
    address = scope.get("client")
    return "" if address is None else str(address[0])


class BodyTooLargeError(RequestError):
    """The body is longer than anything that we read; the rest of it is discarded."""

    code = "body_too_large"

    def __init__(self) -> None:
        # The connection stays open: a caller who still sends would else see it reset,
        # and not the answer.
        super().__init__(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large.")


class PlainEndpoint:
    """One endpoint: authenticates, reads the body, answers.

    Args:
        answer: Makes the answer; domain errors become problem bodies.
        authenticator: Tells who calls.
        reads_anything: Whether a body that is too large is answered like one that is
            not readable, and not refused: the plugin's questions.
        answer_at_once: Makes the same answer without waiting for anything; None: that
            cannot be.
    """

    def __init__(
        self,
        answer: Answer,
        authenticator: Authenticator,
        *,
        reads_anything: bool = False,
        answer_at_once: AnswerAtOnce | None = None,
    ) -> None:
        self._answer = answer
        self._answer_at_once = answer_at_once
        self._authenticator = authenticator
        self._reads_anything = reads_anything

    def at_once(self, scope: Scope, body: bytes) -> bytes | None:
        """Return the JSON of a 200 for a request that has arrived completely.

        None where the endpoint has to be called: for a caller who is not yet known, and
        for whatever goes wrong.

        Args:
            scope: ASGI scope; nothing but its headers is looked at.
            body: At most `JSON_LIMIT` bytes.
        """
        authorization = header(scope, b"authorization")
        if self._answer_at_once is None or not self._authenticator.known(authorization):
            return None
        try:
            return self._answer_at_once(scope, body)
        except Exception:  # noqa: BLE001 - the endpoint meets it again and reports it
            return None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        try:
            authorization = header(scope, b"authorization")
            caller = self._authenticator.known(authorization)
            if caller is None:
                caller = await self._authenticator.authenticate(
                    authorization, _client(scope)
                )
            scope[CALLER] = caller
            try:
                body = await read_body(receive)
            except BodyTooLargeError:
                if not self._reads_anything:
                    raise
                body = b""
            answer = await self._answer(scope, body)
        except ClientDisconnect:
            return
        except OrthancShareError as error:
            # The plugin drops the body of a refusal: without this line nobody would
            # learn the reason. Our errors' texts quote no token and no credentials.
            _log.warning("refused", extra={"code": error.code, "detail": str(error)})
            answer = problem_of(error)
        except Exception:  # noqa: BLE001 - what no rule foresaw stays here
            _log.exception("unexpected error")
            answer = internal_problem()
        if isinstance(answer, Response):
            await answer(scope, receive, send)
            return
        length = (b"content-length", str(len(answer)).encode())
        start: Message = {
            "type": "http.response.start",
            "status": 200,
            "headers": [*_JSON_HEADERS, length],
        }
        await send(start)
        await send({"type": "http.response.body", "body": answer})


async def read_body(receive: Receive, limit: int = JSON_LIMIT) -> bytes:
    """Return the body of a request.

    The server waits for the first piece, and limits that time (`suite.protocol`).

    Raises:
        BodyTooLargeError: Beyond `limit` bytes.
        RequestError: 408 beyond `BODY_TIMEOUT`.
        ClientDisconnect: The caller went away.
    """
    first = await receive()
    if not first.get("more_body", False):
        # Nearly always: a timer would cost as much as the whole decision.
        return _longer(b"", first, limit)
    try:
        async with asyncio.timeout(BODY_TIMEOUT):
            return await _collect(first, receive, limit)
    except TimeoutError:
        status = HTTPStatus.REQUEST_TIMEOUT
        closing = {"Connection": "close"}
        raise RequestError(status, "The body came too slowly.", closing) from None


async def _collect(first: Message, receive: Receive, limit: int) -> bytes:
    body = _longer(b"", first, limit)
    while True:
        message = await receive()
        body = _longer(body, message, limit)
        if not message.get("more_body", False):
            return body


def _longer(body: bytes, message: Message, limit: int) -> bytes:
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    body += message.get("body", b"")
    if len(body) > limit:
        raise BodyTooLargeError
    return body


NO_TELEMETRY: Any = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
"""FastAPI's own telemetry is off: its spans would hold queries, and so tokens."""


class PlainFastAPI(FastAPI):
    """FastAPI that answers a few exact requests before all of its own layers.

    Those layers (telemetry, errors, middleware) take longer than a decision. What they
    would do for these requests, the endpoints do themselves.
    """

    first: Mapping[str, Mapping[str, ASGIApp]] = MappingProxyType({})
    """Path to method to endpoint; other methods of these paths go the usual way."""

    posts_at_once: Mapping[bytes, Callable[[Scope, bytes], bytes | None]] = (
        MappingProxyType({})
    )
    """Request target to what answers a POST, for servers that ask (`suite.immediate`).
    """

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        methods = self.first.get(scope["path"]) if scope["type"] == "http" else None
        endpoint = None if methods is None else methods.get(scope["method"])
        if endpoint is None:
            await super().__call__(scope, receive, send)
        else:
            await endpoint(scope, receive, send)
