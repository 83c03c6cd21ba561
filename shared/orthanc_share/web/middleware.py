"""Pure ASGI middleware: a request id, one log line, safe headers, a bounded body."""

import logging
import re
import secrets
import time
from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orthanc_share.web.json_body import JSON_LIMIT
from orthanc_share.web.metrics import Metrics
from orthanc_share.web.plain import BodyTooLargeError, header
from orthanc_share.web.problems import internal_problem, problem_of

REQUEST_ID_HEADER = "X-Request-ID"
"""Header that carries the request id in both directions."""

SAFE_HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}
"""What every answer carries unless the endpoint says otherwise."""

PATH_LOGGED_MAX = 200
"""Most characters of a path in the log: ours are shorter, an attacker's need not be."""

PATH_LOGGED = "path_logged"
"""Member of the state of a request: what the log shows instead of its path."""

_SAFE_FIELDS = [(k.lower().encode(), v.encode()) for k, v in SAFE_HEADERS.items()]
_REQUEST_ID_FIELD = REQUEST_ID_HEADER.lower().encode()
_REQUEST_ID = re.compile(rb"[A-Za-z0-9-]{8,64}")
# A metric's labels must not grow with what callers invent.
_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
_log = logging.getLogger("orthanc_share.access")


class RequestLogMiddleware:
    """Gives each request an id and writes one log line without its query.

    An unexpected error ends here: a log line without its text, a 500 for the caller.

    Args:
        app: The application.
        metrics: Takes the time of each answer.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        started = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                field = (_REQUEST_ID_FIELD, request_id.encode())
                message = {**message, "headers": [*message["headers"], field]}
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception:
            _log.exception("unexpected error", extra={"request_id": request_id})
            if status:
                raise  # too late for an answer: the server cuts the connection
            await internal_problem()(scope, receive, send_with_id)
        finally:
            self._note(scope, status, time.perf_counter() - started, request_id)

    def _note(self, scope: Scope, status: int, seconds: float, request_id: str) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.observe(method, status, seconds)
        path: str = scope["state"].get(PATH_LOGGED, scope["path"])
        _log.info(
            "request",
            extra={
                "method": scope["method"],
                "path": path[:PATH_LOGGED_MAX],
                "status": status,
                "milliseconds": round(seconds * 1000, 1),
                "request_id": request_id,
            },
        )


class SafeHeadersMiddleware:
    """Adds `SAFE_HEADERS` to each answer.

    Args:
        app: The application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = message["headers"]
                names = {name for name, _ in given}
                missing = (field for field in _SAFE_FIELDS if field[0] not in names)
                message = {**message, "headers": [*given, *missing]}
            await send(message)

        await self._app(scope, receive, send_safely)


class BodyLimitMiddleware:
    """Refuses bodies that are announced, or turn out, to be too long.

    Args:
        app: The application.
        limit: Longest body, in bytes.
    """

    def __init__(self, app: ASGIApp, limit: int = JSON_LIMIT) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = header(scope, b"content-length")
        if announced is not None and int(announced) > self._limit:
            await problem_of(BodyTooLargeError())(scope, receive, send)
            return
        received = 0

        async def receive_bounded() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._limit:
                raise BodyTooLargeError
            return message

        await self._app(scope, receive_bounded, send)


def install_middleware(app: Starlette, metrics: Metrics) -> None:
    """Put all of it in front of `app`, the request log first.

    Args:
        app: The application.
        metrics: Takes the time of each answer.
    """
    app.add_middleware(BodyLimitMiddleware)
    app.add_middleware(SafeHeadersMiddleware)
    app.add_middleware(RequestLogMiddleware, metrics=metrics)


def _request_id(scope: Scope) -> str:
    # The reverse proxy's id is taken over, so that its log and ours can be joined.
    given = header(scope, REQUEST_ID_HEADER.lower().encode())
    if given is not None and _REQUEST_ID.fullmatch(given):
        return given.decode()
    return secrets.token_hex(8)
