"""What the landing service answers: a redirect to the viewer, or a page that helps.

GET and HEAD count nothing, so that mail scanners and previews do no harm.
"""

import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from landing import kinds
from landing.answering import READING, SHORT_PATH, Opener, path_below
from landing.opening import Redirect, Refusal
from landing.pages import Pages
from landing.visit import Visit
from orthanc_share.domain.clock import Clock
from orthanc_share.domain.errors import OrthancShareError
from orthanc_share.web.metrics import Metrics
from orthanc_share.web.middleware import PATH_LOGGED, SAFE_HEADERS
from orthanc_share.web.plain import header
from orthanc_share.web.problems import RETRY_AFTER

OPENED: Final = "opened"
"""Outcome of a link that led to its viewer, in metrics."""

_REFUSAL: Final = "landing_refusal"
_REDIRECT_HEADERS: Final = [
    (b"content-length", b"0"),
    *((name.lower().encode(), value.encode()) for name, value in SAFE_HEADERS.items()),
]
_PAGE_HEADERS: Final = {
    "Content-Type": "text/html; charset=utf-8",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_log = logging.getLogger(__name__)

Endpoint = Callable[[Request], Awaitable[Response]]
"""Answers a request."""


class LinkRoute:
    """ASGI middleware that sends the links that open on to their viewers.

    It stands in front of everything, because nearly all requests end here. A link
    that does not open goes on, with the reason, to `PageRoutes`.

    Args:
        app: Answers everything else.
        opener: Decides about links.
        metrics: Counts links that were opened.
    """

    def __init__(self, app: ASGIApp, opener: Opener, metrics: Metrics) -> None:
        self._app = app
        self._opener = opener
        self._opened = metrics.openings.labels(OPENED)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or hand it on."""
        if scope["type"] == "http" and SHORT_PATH in scope["path"].lower():
            # The code is a key, as a token is: it stays out of the log, mistyped too.
            scope.setdefault("state", {})[PATH_LOGGED] = f"{SHORT_PATH}…"
        if not self._is_link(scope):
            await self._app(scope, receive, send)
            return
        opened = await self._open(scope, receive)
        if isinstance(opened, Refusal):
            scope.setdefault("state", {})[_REFUSAL] = opened
            await self._app(scope, receive, send)
            return
        self._opened.inc()
        headers = [
            (b"location", opened.url.encode("ascii")),
            *_REDIRECT_HEADERS,
            *((b"set-cookie", cookie.encode("ascii")) for cookie in opened.cookies),
        ]
        await send({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body"})

    def _is_link(self, scope: Scope) -> bool:
        return (
            scope["type"] == "http"
            and scope["method"] in self._opener.methods
            and self._opener.is_link(path_below(scope))
        )

    async def _open(self, scope: Scope, receive: Receive) -> Redirect | Refusal:
        try:
            return await self._opener.answer(scope, receive)
        except Exception as error:  # noqa: BLE001 - a person gets a page, whatever it is
            return Refusal(kinds.ERROR, error=error)


class PageRoutes:
    """Pages, and the few routes that are not for people, as an ASGI application.

    Args:
        pages: Renders pages.
        opener: Knows where links are.
        metrics: Counts links that were not opened, by their page.
        endpoints: Path to endpoint, for everything that is not about links.
        clock: The present instant.
    """

    def __init__(
        self,
        pages: Pages,
        opener: Opener,
        metrics: Metrics,
        endpoints: Mapping[str, Endpoint],
        clock: Clock,
    ) -> None:
        self._pages = pages
        self._opener = opener
        self._endpoints = endpoints
        self._clock = clock
        self._counters = {
            kind: metrics.openings.labels(kind.name) for kind in kinds.ALL
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)
            return
        response = await self._respond(scope)
        if scope["method"] == "HEAD":
            # The length stays that of GET (RFC 9110 9.3.2).
            response.body = b""
        await response(scope, receive, send)

    async def _respond(self, scope: Scope) -> Response:
        refusal = scope["state"].get(_REFUSAL)
        if refusal is not None:
            return self._page(scope, refusal)
        if scope["method"] not in READING:
            return self._page(scope, Refusal(kinds.UNSUPPORTED, token=None))
        endpoint = self._endpoints.get(path_below(scope))
        if endpoint is not None:
            return await endpoint(Request(scope))
        return self._page(scope, Refusal(kinds.MISSING, token=None))

    def _page(self, scope: Scope, refusal: Refusal) -> Response:
        self._note(scope, refusal)
        accepted = header(scope, b"accept-language") or b""
        visit = Visit(
            reference=scope["state"]["request_id"],
            lang=Request(scope).query_params.get("lang", ""),
            accept_language=accepted.decode("latin-1"),
            token=refusal.token,
            nonce=refusal.nonce,
        )
        page = self._pages.render(refusal.kind, visit, refusal.moment, refusal.count)
        headers = {
            **_PAGE_HEADERS,
            **self._headers_of(scope, refusal),
            "Content-Security-Policy": page.policy,
        }
        if page.language is not None:
            headers |= {"Content-Language": page.language, "Vary": "Accept-Language"}
        response = Response(page.body, refusal.kind.status, headers)
        for cookie in refusal.cookies:
            response.headers.append("Set-Cookie", cookie)
        return response

    def _headers_of(self, scope: Scope, refusal: Refusal) -> Mapping[str, str]:
        """Return what a page of this kind says to programs."""
        if refusal.kind.status is HTTPStatus.SERVICE_UNAVAILABLE:
            return {"Retry-After": str(RETRY_AFTER)}
        if refusal.kind is kinds.LOCKED and refusal.moment is not None:
            return {"Retry-After": str(self._seconds_until(refusal.moment))}
        if refusal.kind is kinds.UNSUPPORTED:
            is_link = self._opener.is_link(path_below(scope))
            methods = self._opener.methods if is_link else READING
            return {"Allow": ", ".join(methods)}
        return {}

    def _seconds_until(self, moment: datetime) -> int:
        return max(1, math.ceil((moment - self._clock()).total_seconds()))

    def _note(self, scope: Scope, refusal: Refusal) -> None:
        """Count the page, and leave a line that support finds by the reference."""
        self._counters[refusal.kind].inc()
        error = refusal.error
        details = {
            "outcome": refusal.kind.name,
            "request_id": scope["state"]["request_id"],
            "share": refusal.share_id,
        }
        if isinstance(error, OrthancShareError):
            # The text of our own errors holds nothing that came with the request.
            details |= {"code": error.code, "detail": str(error)}
            _log.info("link not opened", extra=details)
        elif error is not None:
            _log.error("unexpected error", extra=details, exc_info=error)
        elif refusal.share_id is not None:
            _log.info("link not opened", extra=details)


async def robots(_request: Request) -> Response:
    """Answer `GET /robots.txt`: links are nobody's search result."""
    return PlainTextResponse("User-agent: *\nDisallow: /\n")
